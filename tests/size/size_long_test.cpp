#include "tests/size/growth.hpp"

TEST_CASE("memory is flat over a hundred million events") { vmbsim::testing::check_growth(700'000, 6'800'000); }
