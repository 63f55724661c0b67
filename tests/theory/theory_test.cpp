// Channels that cost nothing are the queues of the textbooks. Short runs: near saturation the tolerance is what chance allows.
#include "tests/theory/queues.hpp"

using namespace vmbsim::testing;

TEST_CASE("a channel that costs nothing is an M/M/1 queue") {
  hold_at_three_loads(mm1, 300'000, 600'000, 600'000, Tolerance::scaled);
}

TEST_CASE("with a fixed service time it is an M/D/1 queue") {
  hold_at_three_loads(md1, 300'000, 400'000, 400'000, Tolerance::scaled);
}

TEST_CASE("with four servers it is an M/M/4 queue") {
  hold_at_three_loads(mm4, 300'000, 400'000, 600'000, Tolerance::scaled);
}

TEST_CASE("with any other service time its mean is that of Pollaczek and Khinchine") {
  hold_at_three_loads(mg1, 300'000, 400'000, 400'000, Tolerance::scaled);
}
