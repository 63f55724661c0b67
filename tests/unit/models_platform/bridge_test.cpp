#include <catch2/catch.hpp>

#include "models/platform/platform.hpp"

TEST_CASE("x") {}
