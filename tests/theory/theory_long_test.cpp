// The same queues, long enough for 1 % of the mean and 2 % of the p99 whatever the utilisation: three standard errors or more.
#include "tests/theory/queues.hpp"

using namespace vmbsim::testing;

TEST_CASE("an M/M/1 queue within one percent") {
  hold_against_theory(mm1(0.3, 1'000'000), Tolerance::full);
  hold_against_theory(mm1(0.7, 5'000'000), Tolerance::full);
  hold_against_theory(mm1(0.9, 60'000'000), Tolerance::full);
}

TEST_CASE("an M/D/1 queue within one percent") {
  hold_against_theory(md1(0.3, 1'000'000), Tolerance::full);
  hold_against_theory(md1(0.7, 3'000'000), Tolerance::full);
  hold_against_theory(md1(0.9, 25'000'000), Tolerance::full);
}

TEST_CASE("an M/M/4 queue within one percent") {
  hold_against_theory(mm4(0.3, 1'000'000), Tolerance::full);
  hold_against_theory(mm4(0.7, 5'000'000), Tolerance::full);
  hold_against_theory(mm4(0.9, 50'000'000), Tolerance::full);
}

TEST_CASE("an M/G/1 queue within one percent") {
  hold_against_theory(mg1(0.3, 1'000'000), Tolerance::full);
  hold_against_theory(mg1(0.7, 5'000'000), Tolerance::full);
  hold_against_theory(mg1(0.9, 30'000'000), Tolerance::full);
}
