#include "sim/report/breakdown.hpp"

#include <catch2/catch.hpp>

#include <numeric>

#include "tests/unit/sim_report/hand_made.hpp"

using namespace vmbsim;
using namespace vmbsim::report;

namespace {
std::uint64_t sum(const Breakdown& means) {
  return std::accumulate(means.stages.begin(), means.stages.end(), std::uint64_t{0});
}
}  // namespace

TEST_CASE("rounded stages add up to the rounded latency") {
  // 65000 ns over 3 transactions is 21666.666... ns; a stage of 2500 ns over 3 is 833.333..., the service 13333.333...
  const Breakdown means = breakdown(testing::three_packets("disk"), Grain::picosecond);
  CHECK(means.latency == 21'666'667);
  CHECK(sum(means) == means.latency);
  CHECK(means.stages[0] == 833'334);  // equal remainders: the missing units go to the first stages
  CHECK(means.stages[10] == 833'333);
  CHECK(breakdown(testing::three_packets("disk"), Grain::microsecond).latency == 22);
}

TEST_CASE("stages add up whatever the sums and the grain") {
  std::uint64_t state = 1;
  const auto next = [&] { return state = state * 6364136223846793005u + 1442695040888963407u; };
  for (int round = 0; round < 300; ++round) {
    ChannelResult channel;
    channel.measured = 1 + next() % 7;
    std::uint64_t total = 0;
    for (Wide& stage : channel.stage_sum_ns) {
      const std::uint64_t ns = (next() >> 33) % 100'000;
      stage = ns;
      total += ns;
    }
    // The channel's own latencies: all but one of 0 ns.
    for (std::uint64_t i = 1; i < channel.measured; ++i) channel.latency.add(Duration{0});
    channel.latency.add(Duration{static_cast<std::int64_t>(total)});
    for (Grain grain : {Grain::picosecond, Grain::nanosecond, Grain::microsecond})
      CHECK(sum(breakdown(channel, grain)) == breakdown(channel, grain).latency);
  }
}

TEST_CASE("sums beyond 64 bits stay exact") {
  // A month in every stage, over a million transactions: 2.6e21 ns in all.
  ChannelResult channel;
  const Duration month = std::chrono::hours{24 * 30};
  for (int i = 0; i < 1'000'000; ++i) channel.latency.add(month * static_cast<int>(stage_count));
  channel.measured = 1'000'000;
  channel.stage_sum_ns.fill(Wide{1'000'000} * static_cast<std::uint64_t>(month.count()));
  const Breakdown means = breakdown(channel, Grain::nanosecond);
  CHECK(means.stages[3] == static_cast<std::uint64_t>(month.count()));
  CHECK(sum(means) == means.latency);
}

TEST_CASE("a channel without a completion has a breakdown of zeros") {
  const Breakdown means = breakdown(ChannelResult{}, Grain::picosecond);
  CHECK(means.latency == 0);
  CHECK(sum(means) == 0);
}
