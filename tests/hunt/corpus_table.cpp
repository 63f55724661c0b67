// The table of the corpus: how many schedules each strategy needs for each planted bug. Prints Markdown.
//
//   corpus_table CORPUS.csv FOLDER_OF_HARNESSES [SEEDS [RUNS]]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "sim/hunt/recorder.hpp"
#include "sim/workers/black_box.hpp"
#include "tests/support/corpus.hpp"

using namespace vmbsim;
using testing::PlantedBug;

namespace {

/// Runs until the first find, `runs` + 1 when there is none. In this process: no slice, no fork.
std::uint64_t schedules(harness::Harness& program, const std::string& strategy, Seed seed, std::uint64_t runs) {
  static workers::BlackBox box;
  hunt::Recorder recorder(box);
  const auto answers = explore::make_strategy(strategy, seed);
  for (std::uint64_t run = 0; run < runs && answers->begin(run); ++run) {
    recorder.begin(*answers, run);
    const explore::Outcome& outcome = program.run(recorder);
    recorder.end(outcome.steps);
    if (outcome.found()) return run + 1;
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

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::fputs("usage: corpus_table CORPUS.csv FOLDER_OF_HARNESSES [SEEDS [RUNS]]\n", stderr);
    return 2;
  }
  const std::uint64_t seeds = count > 3 ? std::stoull(words[3]) : 20;
  const std::uint64_t runs = count > 4 ? std::stoull(words[4]) : 10'000;
  const std::vector<std::string> alone = {"random", "urw", "pct3", "pos", "delay", "preemption", "dpor"};

  std::string header = "| program | memory | finds | switches | portfolio |";
  std::string rule = "|---|---|---|---:|---:|";
  for (const std::string& strategy : alone) {
    header += " " + strategy + " |";
    rule += "---:|";
  }
  std::printf("%s\n%s\n", header.c_str(), rule.c_str());

  std::uint64_t pairs = 0, found = 0;
  double against_random = 0, against_random_deep = 0, hindsight = 0;
  std::size_t deep = 0;
  double worst = 0;
  std::string worst_name;
  const std::vector<PlantedBug> bugs = testing::corpus(words[1]);
  for (const PlantedBug& bug : bugs) {
    const std::string file = fmt::format("{}/{}.so", words[2], bug.name);
    const testing::HarnessFile target(file);
    std::vector<std::uint64_t> together;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      const hunt::Verdict verdict = testing::hunt_in(target, bug.memory, Seed{seed}, runs);
      const bool hit = !verdict.finds.empty() && bug.accepts(verdict.finds.front().finding.rule);
      together.push_back(hit ? verdict.finds.front().place + 1 : runs + 1);
      found += hit ? 1 : 0;
      ++pairs;
    }
    std::string line =
        fmt::format("| {} | {} | {} | {} | {} |", bug.name, name_of(bug.memory),
                    fmt::format("{}", bug.finds.substr(0, bug.finds.find('|'))), bug.switches, cell(together, runs));
    std::string why;
    const auto program = harness::Harness::load(file, {.memory = bug.memory}, why);
    double random = 0, best = mean_log(together);
    for (const std::string& strategy : alone) {
      std::vector<std::uint64_t> needed;
      for (std::uint64_t seed = 0; seed < seeds; ++seed)
        needed.push_back(schedules(*program, strategy, Seed{seed}, runs));
      best = std::min(best, mean_log(needed));
      if (strategy == "random") {
        random = mean_log(needed);
        const double ratio = mean_log(together) - random;
        against_random += ratio;
        if (median(needed) >= 100) {
          against_random_deep += ratio;
          ++deep;
        }
        if (ratio > worst) {
          worst = ratio;
          worst_name = bug.name;
        }
      }
      line += " " + cell(needed, runs) + " |";
    }
    hindsight += best - random;
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  }
  fmt::print(
      "\nMedian of {} seeds, at most {} schedules each; - is more. The portfolio finds {} of {} pairs of bug and seed "
      "({:.1f} %). It "
      "needs {:.2f} times the schedules of the random walk (geometric mean; at worst {:.1f}, {}), and {:.2f} times for "
      "the {} bugs "
      "for which the random walk needs 100 or more. Whoever knew the best strategy for each bug would need {:.2f} "
      "times.\n",
      seeds, runs, found, pairs, 100.0 * static_cast<double>(found) / static_cast<double>(pairs),
      std::exp(against_random / static_cast<double>(bugs.size())), std::exp(worst), worst_name,
      std::exp(against_random_deep / static_cast<double>(std::max<std::size_t>(deep, 1))), deep,
      std::exp(hindsight / static_cast<double>(bugs.size())));
  return 0;
}
