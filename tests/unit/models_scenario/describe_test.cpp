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

TEST_CASE("guests that come and go are counted while they are there") {
  Loaded result = load_text(with("", R"([[vm]]
name = "web"
count = 1
[fleet]
[[workload]]
name = "open"
channel = "disk"
loop = "open"
arrivals = { periodic = "1000/s" }
)"),
                            {.overrides = {"run_for=30ms"}});
  REQUIRE(texts_of(result.problems) == "");
  Scenario& s = *result.scenario;
  s.fleet.arrivals = {{.at = 10ms, .vm = 0, .host = {}, .lifetime = 5ms},
                      {.at = 20ms, .vm = 0, .host = {}, .lifetime = std::nullopt},
                      {.at = 31ms, .vm = 0, .host = {}, .lifetime = std::nullopt}};
  s.placed = place({.hosts = s.hosts, .by_name = false, .vms = s.vms, .fleet = s.fleet});
  s.vms[0].count = 4;
  const std::string said = describe(s);
  CHECK_THAT(said, Catch::Contains("about 45 packets in all"));  // 30 ms, 5 ms and 10 ms at 1,000/s
  CHECK_THAT(said, Catch::Contains("1 from the start, 3 later, 1 of them leave; for 0 there is no room; 1 of the later "
                                   "ones after the end of the run\n"));
}

TEST_CASE("guests without a channel and disks without a user are told, for they may be forgotten") {
  const Loaded result = load_text(
      with(
          "",
          "[[disk]]\nname = \"ssd\"\nservice = \"1us\"\n[[vm]]\nname = \"web\"\n[[vm]]\nname = \"spare\"\ncount = 3\n"),
      {.overrides = {"channel.disk.vm=web"}});
  REQUIRE(texts_of(result.problems) == "");
  CHECK_THAT(describe(*result.scenario),
             Catch::Contains("\n  idle      spare: 3 guests without a channel; they take room and do nothing\n") &&
                 Catch::Contains("\n  idle      ssd: a [[disk]] that no channel's device names\n"));
}
