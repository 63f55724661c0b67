#pragma once
/// Plans for queues whose limit is known: how many sources of requests can one or several servers carry before the p99 of the
/// sojourn passes a bound?
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "sim/plan/search.hpp"
#include "tests/support/queueing.hpp"

namespace vmbsim::testing {

/// M/M/c in order of arrival, fed by 1 to `most` sources of 2,000 requests per second each; a service takes 100 us on average.
struct Shop {
  int servers = 1;
  std::size_t most = 32;
  double bound_ns = 1e6;

  static constexpr double source_per_ns = 2e-6;
  static constexpr double service_per_ns = 1e-5;

  /// The largest number of sources whose true p99 lies below the bound.
  std::size_t limit() const {
    std::size_t best = 0;
    for (std::size_t n = 1; n <= most && static_cast<double>(n) * source_per_ns < service_per_ns * servers; ++n) {
      const MarkovQueue queue{static_cast<double>(n) * source_per_ns, service_per_ns, servers};
      if (queue.sojourn_quantile(0.99) < bound_ns) best = n;
    }
    return best;
  }

  /// One run of 20,000 requests after 4,000, by the recursion of Kiefer and Wolfowitz.
  plan::Outcome run(std::size_t sources, std::uint64_t seed) const {
    kernel::Stream arrivals(Seed{seed}, "shop", "arrivals");
    kernel::Stream services(Seed{seed}, "shop", "services");
    const auto gap = kernel::Distribution::exponential(
        Duration{static_cast<std::int64_t>(1 / (static_cast<double>(sources) * source_per_ns))});
    const auto service = kernel::Distribution::exponential(100us);
    std::vector<SimTime> free(static_cast<std::size_t>(servers), start_of_time);
    SimTime arrived = start_of_time;
    plan::Outcome out;
    Histogram& times = out.times.emplace_back();
    for (int i = 0; i < 24'000; ++i) {
      arrived += gap.sample(arrivals);
      SimTime& server = *std::min_element(free.begin(), free.end());
      server = std::max(server, arrived) + service.sample(services);
      if (i >= 4'000) times.add(server - arrived);
    }
    const auto n = static_cast<double>(times.count());
    out.margins.push_back({(1 - times.share_up_to(bound_ns)) * n - 0.01 * n, 0.01 * 0.99 * n});
    out.values.push_back(times.quantile_ns(0.99));
    return out;
  }

  plan::Found plan(std::uint64_t seed) const {
    return plan::search({.last = most - 1, .guess = 0}, 1,
                        [&](std::size_t index, std::size_t first, std::size_t count) {
                          std::vector<plan::Outcome> outcomes;
                          for (std::size_t run = first; run < first + count; ++run)
                            outcomes.push_back(this->run(index + 1, seed * 100'000 + run));
                          return outcomes;
                        });
  }
};

/// One server: four sources have a true p99 of 2.30 ms, three 1.15 ms.
inline const Shop one_server{.servers = 1, .most = 32, .bound_ns = 1.7e6};
/// Eight servers: 35 sources 0.62 ms, 36 0.71 ms.
inline const Shop eight_servers{.servers = 8, .most = 64, .bound_ns = 0.66e6};

struct Tally {
  std::size_t exact = 0;
  std::size_t most_share = 0;  ///< of the runs of a grid, in percent
};

/// Plans with so many seeds. A grid takes at every point what the plan's hardest point took.
inline Tally plan_often(const Shop& shop, std::uint64_t seeds) {
  Tally tally;
  std::size_t runs = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const plan::Found found = shop.plan(seed);
    if (found.answer && *found.answer + 1 == shop.limit()) ++tally.exact;
    std::size_t hardest = 0;
    for (const plan::Visited& visited : found.visited) hardest = std::max(hardest, visited.outcomes.size());
    tally.most_share = std::max(tally.most_share, 100 * found.runs / (hardest * shop.most));
    runs += found.runs;
  }
  fmt::print("{} server(s), true limit {}: exact with {} of {} seeds, {} runs each, at most {} % of a grid's\n",
             shop.servers, shop.limit(), tally.exact, seeds, runs / seeds, tally.most_share);
  return tally;
}

}  // namespace vmbsim::testing
