#pragma once
/// The corpus of planted bugs, as tests and its table read it: scenarios/hunts/corpus.csv and the harnesses built from it.
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "models/harness/harness.hpp"
#include "sim/config/csv_reader.hpp"
#include "sim/explore/strategies.hpp"
#include "sim/hunt/campaign.hpp"
#include "vmbsim/assert.hpp"

namespace vmbsim::testing {

/// One line of the corpus.
struct PlantedBug {
  std::string name;               ///< of its harness; the healthy twin is NAME-healthy
  explore::MemoryModel memory{};  ///< the strongest one under which it shows
  std::string finds;              ///< rules, any of which may be the first finding, with a bar between them
  std::uint64_t switches = 0;     ///< context switches of the shortest story: no schedule with fewer finds it
  bool large = false;  ///< too large for a proof, and for a story without a step too many, within the tests' runs
  bool rare = false;   ///< 10,000 schedules are not enough to find it
  bool plain = false;  ///< the plain run shows it, the one without a departure from the defaults

  bool accepts(const std::string& rule) const {
    return ("|" + finds + "|").find("|" + rule + "|") != std::string::npos;
  }
};

inline std::vector<PlantedBug> corpus(const std::string& csv_file) {
  std::ifstream file(csv_file);
  std::stringstream text;
  text << file.rdbuf();
  const std::string content = text.str();
  config::CsvReader csv(content, csv_file);
  const auto name = csv.column({"name"}), memory = csv.column({"memory"}), finds = csv.column({"finds"});
  const auto switches = csv.column({"switches"}), size = csv.column({"size"});
  const auto plain = csv.column({"plain"});
  std::vector<PlantedBug> bugs;
  while (name && memory && finds && switches && size && plain && csv.next()) {
    PlantedBug bug;
    bug.name = csv.text(*name);
    const std::string model(csv.text(*memory));
    bug.memory = model == "tso"   ? explore::MemoryModel::tso
                 : model == "pso" ? explore::MemoryModel::pso
                                  : explore::MemoryModel::sc;
    bug.finds = csv.text(*finds);
    bug.switches = static_cast<std::uint64_t>(csv.integer(*switches).value_or(0));
    bug.large = csv.text(*size) == "large";
    bug.rare = csv.text(*size) == "rare";
    bug.plain = csv.text(*plain) == "shows";
    bugs.push_back(std::move(bug));
  }
  const Problems problems = csv.take_problems();
  VMBSIM_ASSERT(problems.empty() && !bugs.empty(), "the corpus has a list that can be read");
  return bugs;
}

/// A harness library as the target of a campaign.
class HarnessFile final : public hunt::Target {
 public:
  explicit HarnessFile(std::string path) : path_(std::move(path)) {}
  std::string kind() const override { return "harness"; }
  std::string path() const override { return path_; }
  std::string content() const override { return "0000000000000000"; }
  std::unique_ptr<explore::Program> make(const hunt::Setting& setting, std::string& why) const override {
    return harness::Harness::load(path_, {.memory = setting.memory}, why);
  }

 private:
  std::string path_;
};

inline hunt::Verdict hunt_with(const hunt::Target& target, explore::MemoryModel memory, Seed seed, std::uint64_t runs,
                               std::vector<std::string> strategies) {
  hunt::Campaign campaign({.target = target,
                           .setting = {.memory = memory, .knobs = {}},
                           .seed = seed,
                           .strategies = std::move(strategies),
                           .runs = runs,
                           .jobs = 1,
                           .keep_going = false,
                           .part = std::nullopt,
                           .swarm = false,
                           .version = "test",
                           .folder = {},
                           .merged = {},
                           .patience_s = 10,
                           .on_progress = [](const hunt::Progress&) {},
                           .stop_asked = [] { return false; }});
  const auto problem = campaign.prepare();
  VMBSIM_ASSERT(!problem, "a program of the corpus can be loaded");
  return campaign.run();
}

/// A hunt with the strategies that `vmbsim hunt` uses for harnesses, or with one of them.
inline hunt::Verdict hunt_in(const hunt::Target& target, explore::MemoryModel memory, Seed seed, std::uint64_t runs,
                             const std::string& strategy = {}) {
  return hunt_with(target, memory, seed, runs,
                   strategy.empty() ? explore::portfolio(true) : std::vector<std::string>{strategy});
}

}  // namespace vmbsim::testing
