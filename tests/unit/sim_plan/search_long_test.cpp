// Plans for M/M/1 and M/M/c with a hundred seeds each.
#include "tests/unit/sim_plan/queues.hpp"

using namespace vmbsim::testing;

TEST_CASE("a plan finds the exact limit of queues with at least 95 of 100 seeds, in a quarter of a grid's runs") {
  for (const Shop& shop : {one_server, eight_servers, Shop{.servers = 1, .most = 32, .bound_ns = 1e6},
                           Shop{.servers = 4, .most = 64, .bound_ns = 0.8e6}}) {
    const Tally tally = plan_often(shop, 100);
    CHECK(tally.exact >= 95);
    CHECK(tally.most_share <= 25);
  }
}
