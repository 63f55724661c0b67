// Whether intervals hold what they claim to hold. Fewer replications than the long form, so a wider band.
#include "tests/unit/sim_stats/single_server.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

TEST_CASE("the 95 % intervals of an M/M/1 queue hold the true values") {
  const Coverage found = coverage(250, 0.8, 50'000);
  // Four standard deviations of 250 replications around 95 %: 5.5 %.
  for (const Held& figure : {found.mean, found.p50, found.throughput}) {
    CHECK(figure.reported == 250);
    CHECK(figure.share() > 0.905);
    CHECK(figure.share() < 0.99);
  }
}

TEST_CASE("a run that ends by its precision still holds what it claims") {
  const Coverage found = coverage(40, 0.8, 2'000'000, stats::Figure::mean, 0.05);
  CHECK(found.mean.held >= 34);
  CHECK(found.width_of_mean < 0.05);
  CHECK(found.customers < 1.6 * 134'000);  // of 134,000 the half width is 5 % in half of the runs
  CHECK(found.customers > 88 * 1500);  // 88 customers of this queue are worth one independent one
}
