#include <catch2/catch.hpp>
#include <set>

#include "tests/cli/user.hpp"
#include "tests/support/perfetto.hpp"

using namespace vmbsim::testing;
using Catch::Matchers::Contains;

TEST_CASE("a run with a timeline is the same run, and the timeline shows processors, packets and devices") {
  if (!has_protoc()) {
    WARN("skipped: no protoc");
    return;
  }
  const User user;
  const std::string scenario = shipped("first/08-mixed-load.toml");
  const Answer plain = user.types("vmbsim run " + scenario + " --set packets=40");
  const Answer traced = user.types("vmbsim run " + scenario + " --set packets=40 --trace t.pftrace");
  REQUIRE(traced.err.empty());
  CHECK(traced.fingerprint() == plain.fingerprint());
  const auto events = events_of(decoded(user.reads("t.pftrace"), VMBSIM_SOURCE_DIR "/tests/support"));
  REQUIRE(!events.empty());
  CHECK(wrong_nesting(events).empty());
  std::set<std::string> names;
  std::map<std::uint64_t, std::set<std::string>> tracks_of_flow;
  for (const TraceEvent& event : events) {
    names.insert(event.name);
    if (event.flow != 0) tracks_of_flow[event.flow].insert(event.track);
  }
  for (const char* name : {"ISR", "DPC", "transaction", "send", "completion", "read", "service"})
    CHECK(names.contains(name));
  CHECK(tracks_of_flow.size() >= 40);
  std::size_t tied = 0;
  for (const auto& [flow, tracks] : tracks_of_flow) tied += tracks.size() > 1;
  CHECK(tied >= 40);
}

TEST_CASE("[record] trace puts the timeline beside the results") {
  const User user;
  user.writes("s.toml", std::string(small_scenario) + "[record]\ntrace = true\n");
  CHECK_THAT(user.types("vmbsim run s.toml").err, Contains("the folder that --out names; there is none"));
  CHECK(user.types("vmbsim run s.toml --out o").status == 0);
  CHECK(user.has("o/trace.pftrace"));
}

TEST_CASE("a timeline that cannot be written is an error") {
  const User user;
  user.writes("s.toml", small_scenario);
  const Answer answer = user.types("vmbsim run s.toml --trace nowhere/t.pftrace");
  CHECK(answer.status == 3);
  CHECK_THAT(answer.err, Contains("nowhere/t.pftrace: cannot be created"));
}
