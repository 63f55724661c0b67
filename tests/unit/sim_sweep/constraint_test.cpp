#include "sim/sweep/constraint.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace vmbsim::sweep;

namespace {

/// "yes", "no", or what is wrong.
std::string asked(const std::string& text) {
  static const std::map<std::string, std::string> point{{"load.depth", "8"},
                                                        {"ring.to_host", "\"32 pages\""},
                                                        {"service", "\"50us\""},
                                                        {"placement", "\"first\""},
                                                        {"expect.\"a.b c\"", "1.5"}};
  const auto parsed = parse_constraint(text);
  if (const auto* wrong = std::get_if<ConstraintError>(&parsed)) return "unread: " + wrong->text;
  const auto held =
      holds(std::get<Constraint>(parsed), [](const std::string& key) -> const std::string& { return point.at(key); });
  if (const auto* wrong = std::get_if<ConstraintError>(&held)) return wrong->text;
  return std::get<bool>(held) ? "yes" : "no";
}

}  // namespace

TEST_CASE("a constraint compares products of swept values, numbers and quantities") {
  for (const char* yes :
       {"load.depth == 8", "load.depth<=8", "load.depth != 7", "16 > load.depth", "2 * load.depth == 16",
        "load.depth * '4KiB' <= ring.to_host", "ring.to_host == '128KiB'", "service < \"51us\"", "service*2 >= '0.1ms'",
        "placement == 'first'", "placement != 'spread'", "expect.\"a.b c\" == 1.5"}) {
    CAPTURE(yes);
    CHECK(asked(yes) == "yes");
  }
  for (const char* no : {"load.depth == 7", "load.depth < 8", "load.depth * '32KiB' <= ring.to_host",
                         "placement == 'spread'", "service > '50us'"}) {
    CAPTURE(no);
    CHECK(asked(no) == "no");
  }
}

TEST_CASE("what cannot be compared is said") {
  CHECK(asked("service < ring.to_host") == "a duration is not compared with a size");
  CHECK(asked("load.depth < '4KiB'") == "a number is not compared with a size");
  CHECK(asked("placement < 'x'") == "text is compared by == and != alone");
  CHECK(asked("service * ring.to_host < 3") == "a duration times a size is nothing to compare");
  CHECK(asked("placement * 2 == 3") == "\"first\" is no number, and cannot be multiplied");
  for (const char* broken : {"", "load.depth", "load.depth =", "load.depth = 8", "< 8", "load.depth < 8 9", "a < 'b",
                             "a * < 3", "a.\"b < 3"}) {
    CAPTURE(broken);
    CHECK(asked(broken).rfind("unread: right would be a comparison", 0) == 0);
  }
}
