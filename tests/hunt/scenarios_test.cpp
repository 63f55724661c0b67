#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "models/hw/exploration.hpp"
#include "models/scenario/hunted.hpp"
#include "models/scenario/swarm.hpp"
#include "tests/hunt/sources.hpp"
#include "tests/support/runs.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using kernel::ChoicePoint;

namespace {

/// Two processors at each end, two drivers, disks that finish together, a worker, a small ring, an interrupt mask.
constexpr const char* busy = R"(
schema  = 1
name    = "busy"
packets = 100

[machine]
guest_cpus = 2
host_cpus  = 2

[[channel]]
name        = "disk"
driver      = "storage"
subchannels = 1

  [channel.ring]
  to_host  = "1 page"
  to_guest = "1 page"

  [channel.batching]
  mask = true

  [channel.device]
  service    = "20us"
  parallel   = 8
  completion = "worker"

[[channel]]
name   = "net"
driver = "network"

  [channel.device]
  service = "2us"

[[workload]]
name        = "caller"
channel     = "disk"
queue_depth = 16

[[workload]]
name        = "frames"
channel     = "net"
queue_depth = 4
request     = "1500B"

[hunt]
memory  = "tso"
latency = true
)";

bool runs_by_itself(const scenario::Scenario& s) {
  return s.machine.platform.empty() &&
         std::none_of(s.workloads.begin(), s.workloads.end(), [](const scenario::WorkloadSpec& load) {
           return load.loop == scenario::WorkloadSpec::Loop::trace;
         });
}

}  // namespace

TEST_CASE("a hunted run whose answers are all 0 is the plain run, in every scenario") {
  std::size_t compared = 0;
  for (const char* folder : {VMBSIM_SOURCE "/scenarios/first", VMBSIM_SOURCE "/scenarios/features"})
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".toml") continue;
      INFO(entry.path().string());
      const scenario::Scenario scenario = scenario_in(entry.path().string());
      if (!runs_by_itself(scenario)) continue;
      kernel::DefaultChoices defaults;
      scenario::Hunted program(scenario, {});
      CHECK(program.run(defaults).fingerprint == run(scenario).fingerprint);
      ++compared;
    }
  CHECK(compared > 20);
}

TEST_CASE("every choice point changes the run when it is answered otherwise") {
  scenario::Hunted program(scenario_of(busy), {});
  OneOther nothing(ChoicePoint::cpu, ~std::uint64_t{0}, 1);
  const Fingerprint plain = program.run(nothing).fingerprint;
  for (const ChoicePoint point :
       {ChoicePoint::cpu, ChoicePoint::thread, ChoicePoint::tie, ChoicePoint::interrupt, ChoicePoint::dpc,
        ChoicePoint::worker, ChoicePoint::device_tie, ChoicePoint::flush, ChoicePoint::latency, ChoicePoint::fault}) {
    INFO(kernel::name_of(point));
    REQUIRE(nothing.asked[static_cast<std::size_t>(point)] > 0);
    OneOther once(point, 0, 1);
    CHECK_FALSE(program.run(once).fingerprint == plain);
  }
}

TEST_CASE("the same answers are the same run, and a listener changes nothing") {
  struct Counting final : explore::StepListener {
    void on_step(const explore::Step& step) override {
      ++steps;
      CHECK_FALSE(step.text.empty());
      if (step.number != 0) CHECK(step.time_ns >= last_ns);
      last_ns = step.time_ns;
      texts.insert(step.text.substr(0, step.text.find(" =")));
    }
    std::uint64_t steps = 0;
    std::int64_t last_ns = 0;
    std::set<std::string> texts;
  } listener;
  scenario::Hunted program(scenario_of(busy), {});
  for (const std::uint64_t seed : {1, 2, 3}) {
    RandomSource first(seed, 20), second(seed, 20);
    const Fingerprint before = program.run(first).fingerprint;
    CHECK(program.run(second, &listener).fingerprint == before);
  }
  CHECK(listener.steps > 100);
  CHECK(program.actor_name(0) == "host.cpu0");
  // A story names what it is about as the scenario does.
  for (const char* text :
       {"send a packet, disk", "send a packet, net", "run a DPC, disk.1", "run a DPC, disk's device",
        "run a DPC, the bus's messages", "store disk to host In", "load disk.1 to guest Out",
        "take a work item, net's state", "acquire a spin lock, net's lock", "change a channel's state, disk.1"}) {
    CAPTURE(text);
    CHECK(listener.texts.contains(text));
  }
}

TEST_CASE("disks that finish together may do so in any order, and every request is answered all the same") {
  scenario::Hunted program(scenario_of(busy), {});
  std::set<Fingerprint> runs;
  for (const std::uint32_t answer : {0u, 1u, 2u}) {
    OneOther tie(ChoicePoint::device_tie, 0, answer);
    const explore::Outcome& outcome = program.run(tie);
    INFO(text_of(outcome.findings));
    CHECK_FALSE(outcome.found());
    runs.insert(outcome.fingerprint);
  }
  CHECK(runs.size() > 1);
}

TEST_CASE("a DPC may come before or after the others of its queue, and a driver does not notice") {
  struct Queued final : kernel::ChoiceSource {
    std::uint32_t choose(const kernel::Choice& choice) override {
      const bool place = choice.point == ChoicePoint::dpc && choice.alternatives == 2 &&
                         choice.object == hw::Exploration::kind_of(hw::Site::insert_dpc);
      asked += place;
      return place && other ? 1 : 0;
    }
    bool other = false;
    std::uint64_t asked = 0;
  } usual, other;
  other.other = true;
  scenario::Hunted program(scenario_of(busy), {});
  const Fingerprint before = program.run(usual).fingerprint;
  const explore::Outcome& outcome = program.run(other);
  CHECK(usual.asked > 0);
  CHECK(other.asked > 0);
  CHECK_FALSE(outcome.fingerprint == before);
  CHECK_FALSE(outcome.found());
}

TEST_CASE("a run that never comes to rest is cut off") {
  scenario::Hunted program(scenario_of(busy, {"hunt.events=200"}), {});
  kernel::DefaultChoices defaults;
  CHECK(program.run(defaults).end == explore::End::cut);
}

TEST_CASE("what a hunt cannot read is told as a problem of the scenario") {
  const auto problems = [](const std::string& line) {
    return scenario::load_text(std::string(busy) + line + "\n").problems;
  };
  CHECK(problems("runs = 5").empty());
  for (const char* line : {"plant = \"no-such-bug\"", "expect = \"NONE\"", "faults = [\"none\"]", "runs = 0",
                           "stalls = [\"4us\", \"1us\"]", "plants = \"\""}) {
    INFO(line);
    CHECK(problems(line).size() == 1);
  }
}

TEST_CASE("every reduction is a scenario that passes its checks") {
  const scenario::Hunted program(scenario_of(busy), {});
  const auto reductions = program.reductions();
  CHECK(reductions.size() > 8);
  for (const scenario::Reduction& reduction : reductions) {
    INFO(reduction.description);
    CHECK_NOTHROW(scenario_of(busy, reduction.overrides));
  }
}

TEST_CASE("what a swarm draws is of every kind, differs, and passes the checks") {
  const scenario::Scenario busy_one = scenario_of(busy);
  kernel::Stream stream(Seed{1}, "swarm", "test");
  std::set<std::string> keys, drawn;
  for (int i = 0; i < 40; ++i) {
    const std::vector<std::string> knobs = scenario::draw_swarm(busy_one, stream);
    std::string all;
    for (const std::string& knob : knobs) {
      keys.insert(knob.substr(0, knob.find('=')));
      all += knob + "\n";
    }
    INFO(all);
    drawn.insert(all);
    CHECK_NOTHROW(scenario_of(busy, knobs));
  }
  CHECK(drawn.size() == 40);
  for (const char* key : {"hunt.faults", "hunt.stalls", "machine.guest_cpus", "channel.disk.ring.to_host",
                          "channel.disk.policies.exact_length", "channel.disk.host_endpoint.processing",
                          "channel.disk.device.completion", "workload.caller.queue_depth", "workload.frames.request"}) {
    INFO(key);
    CHECK(keys.count(key) == 1);
  }
}
