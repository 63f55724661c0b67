// The intervals' claim, over a thousand replications of an M/M/1 queue at 80 % load, and of pools of runs.
#include "tests/unit/sim_stats/pooled_runs.hpp"
#include "tests/unit/sim_stats/single_server.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

void check(const Held& figure) {
  CHECK(figure.reported == 1000);
  CHECK(figure.share() >= 0.93);
  CHECK(figure.share() <= 0.97);
}

}  // namespace

TEST_CASE("95 % intervals hold the true values in 93 to 97 % of a thousand runs") {
  const Coverage found = coverage(1000, 0.8, 200'000);
  check(found.mean);
  check(found.p50);
  check(found.throughput);
}

TEST_CASE("those of the p99 do once it has an interval") {
  const Coverage found = coverage(1000, 0.8, 400'000);
  check(found.mean);
  CHECK(found.p99.reported > 900);
  CHECK(found.p99.share() >= 0.93);
  CHECK(found.p99.share() <= 0.97);
}

TEST_CASE("so do runs that end when the mean is known well enough") {
  check(coverage(1000, 0.8, 2'000'000, stats::Figure::mean, 0.05).mean);
}

TEST_CASE("and when the p99 is") { check(coverage(1000, 0.8, 4'000'000, stats::Figure::p99, 0.05).p99); }

TEST_CASE("those of pooled percentiles do for few and many runs of few and many samples") {
  for (const bool correlated : {false, true})
    for (const std::size_t runs : {5u, 20u, 65u, 100u, 127u, 1000u})
      for (const int samples : {30, 3000})
        check_pooled({runs, samples, runs * static_cast<std::size_t>(samples) > 1'000'000 ? 200u : 1000u}, correlated);
}
