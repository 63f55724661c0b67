#include "tests/tidy/layers.hpp"

#include <catch2/catch.hpp>

using namespace vmbsim::tidy;

TEST_CASE("includes point downward only") {
  const std::vector<std::string> layers = layers_in(file_at("CMakeLists.txt"));
  REQUIRE(layers.size() > 5);
  CHECK(layers.front() == "include");
  CHECK(layers.back() == "sim/cli");
  CHECK(kept(wrong_includes(layers, program_sources())));
}

TEST_CASE("an include that points the wrong way is named with its file, its line and the rule") {
  const std::vector<std::string> layers{"include",   "sim/kernel",      "sim/report",
                                        "models/hw", "models/platform", "sim/cli"};
  struct Row {
    const char* path;
    const char* line;
    const char* complaint;
  };
  for (const Row& row :
       {Row{"sim/kernel/a.hpp", "#include \"sim/report/b.hpp\"",
            "sim/kernel/a.hpp:2: includes sim/report/b.hpp: sim/kernel stands below sim/report; includes point "
            "downward\n"},
        Row{"sim/report/a.cpp", "#include \"models/hw/b.hpp\"",
            "sim/report/a.cpp:2: includes models/hw/b.hpp: sim never includes models\n"},
        Row{"models/hw/a.cpp", "  # include <simgrid/s4u.hpp>",
            "models/hw/a.cpp:2: includes simgrid/s4u.hpp: only models/platform includes SimGrid\n"},
        Row{"models/hw/a.cpp", "#include \"models/magic/b.hpp\"",
            "models/hw/a.cpp:2: includes models/magic/b.hpp: no such layer in CMakeLists.txt\n"},
        Row{"models/hw/a.cpp", "#include \"tests/support/b.hpp\"",
            "models/hw/a.cpp:2: includes tests/support/b.hpp: the program does not include its tests\n"},
        Row{"models/hw/a.cpp", "#include \"sim/report/b.hpp\"", ""},
        Row{"models/hw/a.cpp", "#include \"vmbsim/time.hpp\"", ""},
        Row{"models/platform/a.cpp", "#include <simgrid/s4u.hpp>", ""},
        Row{"sim/cli/a.cpp", "#include \"models/hw/b.hpp\"", ""}})
    CHECK(joined(wrong_includes(layers, {{row.path, {"#pragma once", row.line}}})) == row.complaint);
  CHECK(joined(wrong_includes(layers, {{"models/attic/a.cpp", {}}})) ==
        "models/attic/a.cpp:1: its folder is no layer of CMakeLists.txt\n");
}
