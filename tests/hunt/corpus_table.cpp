// The table of the corpus: how many schedules each strategy needs for each planted bug. Prints Markdown.
//
//   corpus_table CORPUS.csv FOLDER_OF_HARNESSES FOLDER_OF_SCENARIOS [SEEDS [RUNS]]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "models/scenario/hunted.hpp"
#include "sim/hunt/recorder.hpp"
#include "sim/workers/crew.hpp"
#include "tests/support/corpus.hpp"
#include "tests/support/runs.hpp"

using namespace vmbsim;
using testing::PlantedBug;

namespace {

/// A scenario with a planted bug as the target of a campaign.
class ScenarioFile final : public hunt::Target {
 public:
  explicit ScenarioFile(std::string path) : path_(std::move(path)), scenario_(testing::scenario_in(path_)) {}
  std::string kind() const override { return "scenario"; }
  std::string path() const override { return path_; }
  std::string content() const override { return "0000000000000000"; }
  std::unique_ptr<explore::Program> make(const hunt::Setting&, std::string&) const override {
    return std::make_unique<scenario::Hunted>(scenario_, scenario::Traces{});
  }
  PlantedBug bug() const {
    PlantedBug bug;
    bug.name = std::filesystem::path(path_).stem().string();
    bug.memory = scenario_.hunt.memory;
    bug.finds = scenario_.hunt.expect;
    return bug;
  }

 private:
  std::string path_;
  scenario::Scenario scenario_;
};

struct Row {
  PlantedBug bug;
  std::unique_ptr<hunt::Target> target;
  std::vector<std::string> alone;  // strategies
};

/// What the summary needs of a row: logarithms are means over seeds.
struct Measured {
  std::uint64_t found = 0;
  double together = 0, random = 0, best = 0;
  bool deep = false;
  bool hidden = true;  // the plain run passes: an order has to be looked for
};

constexpr std::uint64_t most_steps_of_searches = 2'000'000;

/// Runs until the first find, `runs` + 1 when there is none. In this process: no slice, no fork.
std::uint64_t schedules(explore::Program& program, const std::string& strategy, Seed seed, std::uint64_t runs,
                        workers::BlackBox& box) {
  hunt::Recorder recorder(box);
  const auto answers = explore::make_strategy(strategy, seed);
  const std::uint64_t most_steps = explore::proves(strategy) ? most_steps_of_searches : ~std::uint64_t{0};
  std::uint64_t steps = 0;
  for (std::uint64_t run = 0; run < runs && steps < most_steps && answers->begin(run); ++run) {
    recorder.begin(*answers, run);
    const explore::Outcome& outcome = program.run(recorder);
    recorder.end(outcome.steps);
    if (outcome.found()) return run + 1;
    steps += outcome.steps;
    answers->end(outcome, recorder.taken());
  }
  return runs + 1;
}

std::uint64_t median(std::vector<std::uint64_t> of) {
  std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
  return of[of.size() / 2];
}

double mean_log(const std::vector<std::uint64_t>& of) {
  double sum = 0;
  for (const std::uint64_t one : of) sum += std::log(static_cast<double>(one));
  return sum / static_cast<double>(of.size());
}

std::string cell(const std::vector<std::uint64_t>& of, std::uint64_t runs) {
  const std::uint64_t middle = median(of);
  return middle > runs ? "-" : fmt::format("{}", middle);
}

/// The row in Markdown, and behind it the numbers for the summary.
std::string measure(const Row& row, std::uint64_t seeds, std::uint64_t runs, workers::BlackBox& box) {
  Measured all;
  std::vector<std::uint64_t> together;
  const bool harness = row.target->kind() == "harness";
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const hunt::Verdict verdict =
        testing::hunt_with(*row.target, row.bug.memory, Seed{seed}, runs, explore::portfolio(harness));
    const bool hit = !verdict.finds.empty() && row.bug.accepts(verdict.finds.front().finding.rule);
    together.push_back(hit ? verdict.finds.front().place + 1 : runs + 1);
    all.found += hit ? 1 : 0;
  }
  std::string line = fmt::format("| {} | {} | {} | {} | {} |", row.bug.name, name_of(row.bug.memory),
                                 row.bug.finds.substr(0, row.bug.finds.find('|')),
                                 harness ? fmt::format("{}", row.bug.switches) : "", cell(together, runs));
  std::string why;
  const auto program = row.target->make({.memory = row.bug.memory, .knobs = {}}, why);
  all.best = all.together = mean_log(together);
  for (const std::string& strategy : row.alone) {
    std::vector<std::uint64_t> needed;
    // A search draws nothing.
    std::uint64_t missed = 0;
    for (std::uint64_t seed = 0; seed < (explore::proves(strategy) ? 1 : seeds); ++seed) {
      // Of a strategy that missed it with most seeds the median is known: the random walk's mean is wanted, too.
      const bool known = strategy != "random" && missed * 2 > seeds;
      needed.push_back(known ? runs + 1 : schedules(*program, strategy, Seed{seed}, runs, box));
      missed += needed.back() > runs ? 1 : 0;
    }
    all.best = std::min(all.best, mean_log(needed));
    if (strategy == "random") {
      all.random = mean_log(needed);
      all.deep = median(needed) >= 100;
    }
    line += " " + cell(needed, runs) + " |";
  }
  for (std::size_t blank = row.alone.size(); blank < 8; ++blank) line += " |";
  return fmt::format("{}\n{} {:.17g} {:.17g} {:.17g} {}", line, all.found, all.together, all.random, all.best,
                     all.deep ? 1 : 0);
}

void summary(const std::string& what, const std::vector<Measured>& rows, const std::vector<std::string>& names,
             std::uint64_t seeds) {
  std::uint64_t found = 0;
  double against = 0, against_deep = 0, against_hidden = 0, hindsight = 0, floor = 0, worst = -1e9;
  std::size_t deep = 0, hidden = 0;
  std::string worst_name;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Measured& row = rows[i];
    const double ratio = row.together - row.random;
    found += row.found;
    against += ratio;
    hindsight += row.best - row.random;
    floor -= row.random;
    if (row.deep) {
      against_deep += ratio;
      ++deep;
    }
    if (row.hidden) {
      against_hidden += ratio;
      ++hidden;
    }
    if (ratio > worst) {
      worst = ratio;
      worst_name = names[i];
    }
  }
  const auto mean = [](double sum, std::size_t of) {
    return std::exp(sum / static_cast<double>(std::max<std::size_t>(of, 1)));
  };
  fmt::print(
      "\n{}: the portfolio finds {} of {} pairs of bug and seed ({:.1f} %). It needs {:.2f} times the schedules of the "
      "random walk (geometric mean; at worst {:.1f}, {}), {:.2f} times for the {} bugs that the plain run does not "
      "show, "
      "and {:.2f} times for the {} bugs for which the random walk needs 100 or more. Whoever knew the best strategy "
      "for each bug would need {:.2f} times, whoever found every bug "
      "in one schedule {:.2f} times.\n",
      what, found, rows.size() * seeds, 100.0 * static_cast<double>(found) / static_cast<double>(rows.size() * seeds),
      mean(against, rows.size()), std::exp(worst), worst_name, mean(against_hidden, hidden), hidden,
      mean(against_deep, deep), deep, mean(hindsight, rows.size()), mean(floor, rows.size()));
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) {
    std::fputs("usage: corpus_table CORPUS.csv FOLDER_OF_HARNESSES FOLDER_OF_SCENARIOS [SEEDS [RUNS]]\n", stderr);
    return 2;
  }
  const std::uint64_t seeds = count > 4 ? std::stoull(words[4]) : 20;
  const std::uint64_t runs = count > 5 ? std::stoull(words[5]) : 10'000;
  const std::vector<std::string> alone = {"random", "rff", "urw", "pct3", "pos", "delay", "preemption", "dpor"};

  std::vector<Row> rows;
  for (PlantedBug& bug : testing::corpus(words[1])) {
    auto target = std::make_unique<testing::HarnessFile>(fmt::format("{}/{}.so", words[2], bug.name));
    rows.push_back({std::move(bug), std::move(target), alone});
  }
  const std::size_t harnesses = rows.size();
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(words[3]))
    if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    auto target = std::make_unique<ScenarioFile>(file);
    PlantedBug bug = target->bug();
    rows.push_back({std::move(bug), std::move(target), {"random"}});
  }

  // A row per worker; they are told in their order.
  workers::Crew crew(std::max(1u, std::thread::hardware_concurrency()), {});
  std::map<std::uint64_t, std::string> told;
  std::string header = "| program | memory | finds | switches | portfolio |";
  std::string rule = "|---|---|---|---:|---:|";
  for (const std::string& strategy : alone) {
    header += " " + strategy + " |";
    rule += "---:|";
  }
  std::printf("%s\n%s\n", header.c_str(), rule.c_str());
  std::vector<Measured> measured;
  std::vector<std::string> names;
  for (std::size_t next = 0; measured.size() < rows.size();) {
    for (; next < rows.size() && !crew.full(); ++next)
      crew.start(next, [&](workers::BlackBox& box) { return measure(rows[next], seeds, runs, box); });
    if (auto ended = crew.wait(1000)) {
      if (ended->how != workers::Crew::Ended::How::told) {
        fmt::print(stderr, "{}: its worker died\n", rows[ended->id].bug.name);
        return 1;
      }
      told[ended->id] = std::move(ended->text);
    }
    for (auto row = told.find(measured.size()); row != told.end(); row = told.find(measured.size())) {
      std::istringstream text(row->second);
      std::string line;
      std::getline(text, line);
      std::printf("%s\n", line.c_str());
      std::fflush(stdout);
      Measured one;
      int deep = 0;
      text >> one.found >> one.together >> one.random >> one.best >> deep;
      one.deep = deep != 0;
      one.hidden = !rows[measured.size()].bug.plain;
      names.push_back(rows[measured.size()].bug.name);
      measured.push_back(one);
    }
  }
  fmt::print(
      "\nMedian of {} seeds, at most {} schedules each; - is more. The last three strategies draw nothing: one search "
      "each, of {} steps at most.\n",
      seeds, runs, most_steps_of_searches);
  const auto split = static_cast<std::ptrdiff_t>(harnesses);
  summary("All", measured, names, seeds);
  summary("Harnesses", {measured.begin(), measured.begin() + split}, {names.begin(), names.begin() + split}, seeds);
  summary("Scenarios", {measured.begin() + split, measured.end()}, {names.begin() + split, names.end()}, seeds);
  return 0;
}
