/// A storage channel end to end: simulated transactions per second of processor time, beside the same channel on SimGrid.
///
///   bench_storage ── each round ──► storage_vmbsim     a million transactions of each case
///                               ──► storage_simgrid         the same case, fewer of them, where it is compared
///                               ──► storage_simgrid_sleeps  with sleeps for costs, so that nothing is occupied: information
///
///   case       what changes                      what it is for
///   depth 32   ("the" case: reads of 4 KiB, one processor at each end, profile typical)   both goals of speed
///   free       profile zero                      information
///   depth 1    one request in flight             the two models coincide: the goal of agreement
///   spread     four subchannels and processors   information
///
///   bench_storage [ROUNDS]    5 rounds unless told; exit status 0 only when every goal holds
///
/// Every figure is CPU time, the median over the rounds.
#include <filesystem>
#include <optional>

#include "tests/bench/storage_case.hpp"

namespace vmbsim::bench {
namespace {

struct Row {
  const char* name;
  StorageCase ours;
  std::uint64_t theirs;  // transactions of the peer; 0: it does not take part
  std::vector<double> cpu_ns{}, peer_cpu_ns{}, sleeps_cpu_ns{};
  StorageFigures last{}, peer_last{}, sleeps_last{};  // what was simulated; the same in every round

  bool compared() const { return theirs != 0; }
};

std::optional<StorageFigures> ask(const std::filesystem::path& program, const StorageCase& what) {
  const auto words = run_child(fmt::format("'{}' {}", program.string(), what.arguments()));
  if (!words || words->size() != 3) {
    fmt::print(stderr, "{} {} failed\n", program.filename().string(), what.arguments());
    return std::nullopt;
  }
  return StorageFigures::of(*words);
}

bool run_round(const std::filesystem::path& folder, Row& row) {
  const auto ours = ask(folder / "storage_vmbsim", row.ours);
  if (!ours) return false;
  row.cpu_ns.push_back(ours->cpu_ns);
  row.last = *ours;
  if (!row.compared()) return true;
  StorageCase same = row.ours;
  same.transactions = row.theirs;
  const auto theirs = ask(folder / "storage_simgrid", same);
  if (!theirs) return false;
  row.peer_cpu_ns.push_back(theirs->cpu_ns);
  row.peer_last = *theirs;
  const auto sleeps = ask(folder / "storage_simgrid_sleeps", same);
  if (!sleeps) return false;
  row.sleeps_cpu_ns.push_back(sleeps->cpu_ns);
  row.sleeps_last = *sleeps;
  return true;
}

void print(const Row& row) {
  const double ours = median(row.cpu_ns);
  const auto line = [](const char* name, const char* engine, double cpu, const StorageFigures& of) {
    fmt::print("{:<10}{:<10}{:>14.0f}{:>16.3f}{:>18.0f}{:>16.2f}\n", name, engine, cpu, 1e3 / cpu, of.per_second,
               of.latency_ns / 1e3);
  };
  line(row.name, "vmbsim", ours, row.last);
  if (!row.compared()) return;
  line("", "SimGrid", median(row.peer_cpu_ns), row.peer_last);
  line("", "  sleeps", median(row.sleeps_cpu_ns), row.sleeps_last);
}

/// How far apart two figures are, in percent of the second.
double percent_apart(double a, double b) { return 100 * (a > b ? a - b : b - a) / b; }

void judge_agreement(const Row& row, double tolerance, Verdicts& verdicts) {
  const auto goal = [&](const char* what) { return fmt::format("{}: {} of the two, percent apart", row.name, what); };
  verdicts.at_most(goal("throughput"), percent_apart(row.last.per_second, row.peer_last.per_second), tolerance);
  verdicts.at_most(goal("mean latency"), percent_apart(row.last.latency_ns, row.peer_last.latency_ns), tolerance);
}

}  // namespace
}  // namespace vmbsim::bench

int main(int argc, char** argv) {
  using namespace vmbsim::bench;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  if (rounds < 1) {
    fmt::print(stderr, "usage: bench_storage [ROUNDS]\n");
    return 2;
  }
  const std::filesystem::path folder = std::filesystem::canonical("/proc/self/exe").parent_path();
  constexpr std::uint64_t million = 1'000'000;
  Row deep{.name = "depth 32", .ours = {.depth = 32, .transactions = million}, .theirs = 100'000};
  Row free{.name = "free", .ours = {.depth = 32, .profile = "zero", .transactions = million}, .theirs = 0};
  Row shallow{.name = "depth 1", .ours = {.depth = 1, .transactions = million}, .theirs = 50'000};
  Row spread{.name = "spread", .ours = {.depth = 32, .channels = 4, .transactions = million}, .theirs = 0};
  Verdicts verdicts;
  for (int round = 0; round != rounds; ++round)
    for (Row* row : {&deep, &free, &shallow, &spread})
      if (!run_round(folder, *row)) return 1;
  fmt::print("{:<10}{:<10}{:>14}{:>16}{:>18}{:>16}\n", "case", "engine", "ns each", "million per s", "simulated per s",
             "latency us");
  for (const Row* row : {&deep, &free, &shallow, &spread}) print(*row);
  fmt::print("\n");
  judge_agreement(shallow, 0.1, verdicts);
  judge_agreement(deep, 5, verdicts);
  verdicts.at_least("depth 32: vmbsim's transactions per CPU second over SimGrid's",
                    median(deep.peer_cpu_ns) / median(deep.cpu_ns), 20);
  verdicts.at_least("depth 32: million transactions per CPU second", 1e3 / median(deep.cpu_ns), 1.5);
  verdicts.print();
  return verdicts.exit_status();
}
