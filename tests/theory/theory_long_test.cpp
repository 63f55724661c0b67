// The same queues, long enough for 1 % of the mean and 2 % of the p99 whatever the utilisation: three standard errors or more.
#include "tests/theory/queues.hpp"

using namespace vmbsim::testing;

TEST_CASE("an M/M/1 queue within one percent") {
  hold_at_three_loads(mm1, 1'000'000, 5'000'000, 60'000'000, Tolerance::full);
}

TEST_CASE("an M/D/1 queue within one percent") {
  hold_at_three_loads(md1, 1'000'000, 3'000'000, 25'000'000, Tolerance::full);
}

TEST_CASE("an M/M/4 queue within one percent") {
  hold_at_three_loads(mm4, 1'000'000, 5'000'000, 50'000'000, Tolerance::full);
}

TEST_CASE("an M/G/1 queue within one percent") {
  hold_at_three_loads(mg1, 1'000'000, 5'000'000, 30'000'000, Tolerance::full);
}
