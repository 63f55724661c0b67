// Channels that cost nothing are the queues of the textbooks. Short runs: near saturation the tolerance is what chance allows.
#include "tests/theory/queues.hpp"

using namespace vmbsim::testing;

TEST_CASE("a channel that costs nothing is an M/M/1 queue") {
  hold_against_theory(mm1(0.3, 300'000), Tolerance::scaled);
  hold_against_theory(mm1(0.7, 600'000), Tolerance::scaled);
  hold_against_theory(mm1(0.9, 600'000), Tolerance::scaled);
}

TEST_CASE("with a fixed service time it is an M/D/1 queue") {
  hold_against_theory(md1(0.3, 300'000), Tolerance::scaled);
  hold_against_theory(md1(0.7, 400'000), Tolerance::scaled);
  hold_against_theory(md1(0.9, 400'000), Tolerance::scaled);
}

TEST_CASE("with four servers it is an M/M/4 queue") {
  hold_against_theory(mm4(0.3, 300'000), Tolerance::scaled);
  hold_against_theory(mm4(0.7, 400'000), Tolerance::scaled);
  hold_against_theory(mm4(0.9, 600'000), Tolerance::scaled);
}

TEST_CASE("with any other service time its mean is that of Pollaczek and Khinchine") {
  hold_against_theory(mg1(0.3, 300'000), Tolerance::scaled);
  hold_against_theory(mg1(0.7, 400'000), Tolerance::scaled);
  hold_against_theory(mg1(0.9, 400'000), Tolerance::scaled);
}
