#include "sim/report/breakdown.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "vmbsim/assert.hpp"

namespace vmbsim::report {

Breakdown breakdown(const ChannelResult& channel, Grain grain) {
  Breakdown result;
  if (channel.measured == 0) return result;

  constexpr Wide picoseconds = 1000;
  Wide total = 0;
  for (Wide sum : channel.stage_sum_ns) total += sum;
  const double mean = static_cast<double>(total) / static_cast<double>(channel.measured);
  VMBSIM_ASSERT(channel.measured == channel.latency.count(), "every measured transaction has a latency");
  VMBSIM_ASSERT(std::fabs(mean - channel.latency.mean_ns()) <= 1e-9 * mean + 1e-9, "stages add up to the latency");

  const Wide divisor = Wide{channel.measured} * static_cast<std::uint64_t>(grain);
  result.latency = static_cast<std::uint64_t>((2 * total * picoseconds + divisor) / (2 * divisor));

  std::array<Wide, stage_count> remainders{};
  for (std::size_t i = 0; i < stage_count; ++i) {
    const Wide scaled = channel.stage_sum_ns[i] * picoseconds;
    result.stages[i] = static_cast<std::uint64_t>(scaled / divisor);
    remainders[i] = scaled % divisor;
  }
  std::array<std::size_t, stage_count> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  const std::uint64_t given = std::accumulate(result.stages.begin(), result.stages.end(), std::uint64_t{0});
  const std::uint64_t missing = result.latency - given;  // fewer than stage_count: each stage lost less than one
  VMBSIM_ASSERT(missing <= stage_count, "rounding down loses less than one grain a stage");
  for (std::size_t i = 0; i < missing; ++i) ++result.stages[order[i]];
  return result;
}

}  // namespace vmbsim::report
