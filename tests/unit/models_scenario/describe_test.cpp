// What `vmbsim check` says of a scenario that is fine.
#include <catch2/catch.hpp>

#include "tests/unit/models_scenario/texts.hpp"

using namespace vmbsim;
using namespace vmbsim::scenario;
using namespace vmbsim::scenario::test;

TEST_CASE("a scenario is described by what it amounts to") {
  CHECK(describe(loaded({})) ==
        "smallest: fine\n"
        "  guests    1 with 1 processor; the host has 1\n"
        "  channels  1: 2 rings, 0.26 MiB of rings\n"  // 2 x (32 + 1) pages
        "  load      load: closed loop on disk, 1 in flight\n"
        "  ends      10ms after a warm-up of 0ns\n");
}

TEST_CASE("guests multiply channels, rings and packets") {
  const Loaded result = load_text(with("packets = 5", R"([[vm]]
name = "web"
count = 3
cpus = 2
[[workload]]
name = "open"
channel = "disk"
loop = "open"
arrivals = { periodic = "1000/s" }
[sweep]
repeat = 5
[[sweep.axis]]
key = "workload.load.queue_depth"
values = [1, 8, 32]
[objective]
run.findings = "= 0"
)"),
                                  {.overrides = {"channel.disk.subchannels=4", "warm_up=10ms"}});
  REQUIRE(texts_of(result.problems) == "");
  CHECK(describe(*result.scenario) ==
        "smallest: fine\n"
        "  guests    3 with 6 processors; the host has 1\n"
        "  channels  3: 30 rings, 3.87 MiB of rings\n"  // 30 x (32 + 1) pages
        "  load      load: closed loop on disk, 1 in flight, in each of 3 guests\n"
        "  load      open: open loop on disk, in each of 3 guests, about 60 packets in all\n"
        "  ends      10ms after a warm-up of 10ms, or 5 completions\n"
        "  sweep     3 points x 5 seeds; run takes the scenario as it stands\n"
        "  objective plan looks for the load that keeps it; run does not use it\n");
}

TEST_CASE("one of a thing is told in the singular") {
  const Loaded result = load_text(with("packets = 1", R"([[workload]]
name = "open"
channel = "disk"
loop = "open"
arrivals = { periodic = "100/s" }
[sweep]
[[sweep.axis]]
key = "workload.load.queue_depth"
values = [8]
)"));
  REQUIRE(texts_of(result.problems) == "");
  const std::string said = describe(*result.scenario);
  CHECK_THAT(said, Catch::Contains("about 1 packet\n"));
  CHECK_THAT(said, Catch::Contains("or 1 completion\n"));
  CHECK_THAT(said, Catch::Contains("1 point x 1 seed;"));
}
