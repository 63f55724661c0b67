// Every planted bug is found by plain chance, and its twin, the same program without it, is not blamed for anything.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <vector>

#include "models/scenario/hunted.hpp"
#include "sim/explore/strategies.hpp"
#include "tests/hunt/sources.hpp"
#include "tests/support/runs.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

std::vector<std::string> planted_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(VMBSIM_SOURCE "/scenarios/hunts/vmbus"))
    if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

/// What the plain run shows, should no schedule be needed.
std::string shown_by_defaults(scenario::Hunted& program) {
  kernel::DefaultChoices defaults;
  const explore::Outcome& outcome = program.run(defaults);
  return outcome.found() ? outcome.findings.front().rule : "";
}

/// The first finding of `runs` runs, in which one question in 5, 10, 20 or 40 is answered otherwise.
const Finding* first_finding(scenario::Hunted& program, std::uint64_t runs) {
  constexpr std::uint32_t rates[] = {5, 10, 20, 40};
  for (std::uint64_t run = 0; run < runs; ++run) {
    RandomSource source(run, rates[run % 4]);
    const explore::Outcome& outcome = program.run(source);
    if (outcome.found()) return &outcome.findings.front();
  }
  return nullptr;
}

}  // namespace

TEST_CASE("each planted bug is found, as what it is, and its twin is not blamed") {
  for (const std::string& file : planted_files()) {
    INFO(file);
    scenario::Hunted planted(scenario_in(file), {});
    const std::string& rule = planted.scenario().hunt.expect;
    CHECK(shown_by_defaults(planted).empty());
    const Finding* found = first_finding(planted, 2000);
    CHECK(found != nullptr);
    if (found == nullptr) continue;
    CHECK(found->rule == rule);
    scenario::Hunted twin(scenario_in(file, {"hunt.plant=\"\""}), {});
    const Finding* blamed = first_finding(twin, 200);
    INFO((blamed == nullptr ? std::string() : blamed->rule + ": " + blamed->text));
    CHECK(blamed == nullptr);
  }
}

TEST_CASE("the strategy that a hunt in a scenario begins with finds each planted bug in a few dozen schedules") {
  const std::string first = explore::portfolio(false).front();
  for (const std::string& file : planted_files()) {
    INFO(file);
    scenario::Hunted planted(scenario_in(file), {});
    std::vector<std::uint64_t> needed;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const auto strategy = explore::make_strategy(first, Seed{seed});
      std::uint64_t run = 0;
      for (bool found = false; !found && run < 500; ++run) {
        strategy->begin(run);
        found = planted.run(*strategy).found();
      }
      needed.push_back(run);
    }
    std::nth_element(needed.begin(), needed.begin() + 2, needed.end());
    CHECK(needed[2] <= 100);
  }
}

TEST_CASE("every bug of the table has a scenario that expects its rule") {
  std::set<faults::Planted> met;
  for (const std::string& file : planted_files()) {
    const scenario::Scenario scenario = scenario_in(file);
    met.insert(scenario.hunt.planted);
    for (const faults::PlantedBug& bug : faults::planted_bugs)
      if (bug.bug == scenario.hunt.planted) CHECK(scenario.hunt.expect == bug.rule);
  }
  for (const faults::PlantedBug& bug : faults::planted_bugs) {
    INFO(bug.name);
    CHECK(met.count(bug.bug) == 1);
  }
}

TEST_CASE("nobody is blamed for a ring that a DPC looks at and a worker empties") {
  // Source: KMCL DDI, VmbChannelSetIncomingProcessingAtPassive: the DPC leaves the packets to a worker of another processor.
  scenario::Hunted twin(scenario_in(VMBSIM_SOURCE "/scenarios/hunts/vmbus/spin-locks-crossed.toml",
                                    {"hunt.plant=\"\"", "machine.host_cpus=4", "channel.pipe.batching.mask=true",
                                     "channel.pipe.host_endpoint.processing=\"passive\""}),
                        {});
  CHECK(first_finding(twin, 1000) == nullptr);
}

TEST_CASE("a missing barrier is harmless under sequential consistency") {
  // Source: Sewell et al., "x86-TSO", CACM 53(7), 2010: store buffering needs a buffer.
  for (const char* file : {"writer-without-barrier", "reader-without-barrier"}) {
    INFO(file);
    scenario::Hunted program(
        scenario_in(VMBSIM_SOURCE "/scenarios/hunts/vmbus/" + std::string(file) + ".toml", {"hunt.memory=\"sc\""}), {});
    CHECK(first_finding(program, 600) == nullptr);
  }
}
