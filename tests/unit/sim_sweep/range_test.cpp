#include "sim/sweep/range.hpp"

#include <catch2/catch.hpp>

#include "sim/config/toml_text.hpp"

using namespace vmbsim;
using Texts = std::vector<std::string>;

namespace {

Texts values(const std::string& range) {
  const auto node = config::parse_toml_value(range);
  REQUIRE(node.has_value());
  const auto got = sweep::values_of_range(*node);
  if (const auto* wrong = std::get_if<sweep::RangeError>(&got)) return {"wrong: " + wrong->text};
  return std::get<Texts>(got);
}

}  // namespace

TEST_CASE("a range with a step counts in whole numbers, decimals, durations, sizes and rates") {
  CHECK(values("{ from = 1, to = 7, step = 2 }") == Texts{"1", "3", "5", "7"});
  CHECK(values("{ from = 1, to = 6, step = 2 }") == Texts{"1", "3", "5"});
  CHECK(values("{ from = 0, to = 1, step = 0.25 }") ==
        Texts{"wrong: right would be a step above 0, of the same kind as "
              "from and to"});
  CHECK(values("{ from = 0.0, to = 0.3, step = 0.1 }") == Texts{"0.0", "0.1", "0.2", "0.3"});
  CHECK(values("{ from = \"10us\", to = \"1ms\", step = \"495us\" }") == Texts{"\"10us\"", "\"505us\"", "\"1ms\""});
  CHECK(values("{ from = \"4KiB\", to = \"2 pages\", step = \"2KiB\" }") == Texts{"\"4KiB\"", "\"6KiB\"", "\"8KiB\""});
  CHECK(values("{ from = \"10/s\", to = \"20/s\", step = \"5/s\" }") == Texts{"\"10/s\"", "\"15/s\"", "\"20/s\""});
}

TEST_CASE("a range with a factor multiplies, one with log steps lies evenly on a logarithmic scale") {
  CHECK(values("{ from = 1, to = 64, factor = 2 }") == Texts{"1", "2", "4", "8", "16", "32", "64"});
  CHECK(values("{ from = \"1us\", to = \"1ms\", factor = 10 }") ==
        Texts{"\"1us\"", "\"10us\"", "\"100us\"", "\"1ms\""});
  CHECK(values("{ from = 1, to = 1000, log_steps = 4 }") == Texts{"1", "10", "100", "1000"});
  // 10^(1/3) = 2.15 and 10^(2/3) = 4.64
  CHECK(values("{ from = 1, to = 10, log_steps = 4 }") == Texts{"1", "2", "5", "10"});
  CHECK(values("{ from = 1, to = 2, log_steps = 9 }") == Texts{"1", "2"});
}

TEST_CASE("a range that says too little, too much or nothing of sense is refused with what would be right") {
  for (const char* range :
       {"3", "{ from = 1, to = 2 }", "{ from = 1, step = 1 }", "{ from = 1, to = 2, step = 1, factor = 2 }",
        "{ from = 1, to = 2, stpe = 1 }", "{ from = 2, to = 1, step = 1 }", "{ from = 1, to = \"2us\", step = 1 }",
        "{ from = 0, to = 2, factor = 2 }", "{ from = 1, to = 2, factor = 1 }", "{ from = 1, to = 2, log_steps = 1 }",
        "{ from = 1, to = 100000000, step = 1 }", "{ from = 1, to = 2, step = 0 }",
        "{ from = true, to = 2, step = 1 }"}) {
    CAPTURE(range);
    const Texts got = values(range);
    REQUIRE(got.size() == 1);
    CHECK(got.front().rfind("wrong: ", 0) == 0);
  }
}
