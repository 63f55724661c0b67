/// Events through the public interface against the engines that people would otherwise use.
///
///   bench_hold ── each round ──► hold_wheel, hold_sorted_buckets     the bare yardstick
///                            ──► hold_vmbsim                          ours, five shapes
///                            ──► hold_ns3 x 4, hold_systemc           callback kernels
///                            ──► hold_simgrid_timers, hold_simgrid_actors
///
///   bench_hold [ROUNDS]      5 rounds unless told; exit status 0 only when every goal holds
///
/// Every figure is CPU time per event, the median over the rounds; every goal is a ratio within one run.
#include <cstdlib>
#include <filesystem>
#include <map>

#include "tests/bench/harness.hpp"

namespace vmbsim::bench {
namespace {

struct Entrant {
  std::string name;  // as in the table
  std::string program;
  std::string shape = "exponential";
  std::string option;  // a fourth argument
  std::uint64_t most_items = 1'000'000;
  std::uint64_t most_events = 2'000'000;
};

const std::vector<Entrant> entrants = {
    {"wheel", "hold_wheel", "exponential", "", 1'000'000, 2'000'000},
    {"sorted buckets", "hold_sorted_buckets", "exponential", "", 1'000'000, 2'000'000},
    {"vmbsim", "hold_vmbsim", "exponential", "", 1'000'000, 2'000'000},
    {"vmbsim, uniform", "hold_vmbsim", "uniform", "", 1'000'000, 2'000'000},
    {"vmbsim, 1 us or 1 s", "hold_vmbsim", "bimodal", "", 1'000'000, 2'000'000},
    {"vmbsim, all at one time", "hold_vmbsim", "equal", "", 1'000'000, 2'000'000},
    {"vmbsim, 90 % cancelled", "hold_vmbsim", "cancelled", "", 1'000'000, 2'000'000},
    {"ns-3 map (default)", "hold_ns3", "exponential", "MapScheduler", 1'000'000, 2'000'000},
    {"ns-3 priority queue", "hold_ns3", "exponential", "PriorityQueueScheduler", 1'000'000, 2'000'000},
    {"ns-3 heap", "hold_ns3", "exponential", "HeapScheduler", 1'000'000, 1'000'000},
    {"ns-3 calendar", "hold_ns3", "exponential", "CalendarScheduler", 10'000, 1'000'000},
    {"SystemC method", "hold_systemc", "exponential", "", 1'000'000, 1'000'000},
    {"SimGrid timers", "hold_simgrid_timers", "exponential", "", 1'000'000, 1'000'000},
    {"SimGrid actors", "hold_simgrid_actors", "exponential", "", 10'000, 200'000},
};
const std::vector<std::string> shapes = {"vmbsim, uniform", "vmbsim, 1 us or 1 s", "vmbsim, all at one time",
                                         "vmbsim, 90 % cancelled"};

/// What one population size brought.
struct Outcome {
  std::map<std::string, double> ns;  // per event, median; without those that did not run
  std::map<std::string, std::string> order;
  double bytes_per_event = 0;

  double fastest(const std::vector<std::string>& names) const {
    double least = 0;
    for (const std::string& name : names)
      if (const auto found = ns.find(name); found != ns.end() && (least == 0 || found->second < least))
        least = found->second;
    return least;
  }
};

Outcome measure(const std::filesystem::path& folder, std::uint64_t items, int rounds) {
  std::map<std::string, std::vector<double>> samples;
  Outcome outcome;
  for (int round = 0; round != rounds; ++round) {
    for (const Entrant& entrant : entrants) {
      const std::filesystem::path program = folder / entrant.program;
      if (items > entrant.most_items || !std::filesystem::exists(program)) continue;
      const std::uint64_t events =
          std::min<std::uint64_t>(entrant.most_events, items == 1'000'000 ? 1'000'000 : 2'000'000);
      const auto words =
          run_child(fmt::format("'{}' {} {} {} {}", program.string(), items, events, entrant.shape, entrant.option));
      if (!words || words->size() != 3) {
        fmt::print(stderr, "{} failed at {} items\n", entrant.name, items);
        continue;
      }
      samples[entrant.name].push_back(std::stod((*words)[0]));
      outcome.order[entrant.name] = (*words)[1];
      if (entrant.name == "vmbsim") outcome.bytes_per_event = std::stod((*words)[2]);
    }
  }
  for (const auto& [name, values] : samples) outcome.ns[name] = median(values);
  return outcome;
}

void judge(std::uint64_t items, const Outcome& outcome, Verdicts& verdicts) {
  const double reference = outcome.fastest({"wheel", "sorted buckets"});
  const double ours = outcome.fastest({"vmbsim"});
  const auto goal = [&](const char* text) { return fmt::format("{:>9} pending: {}", items, text); };
  if (ours == 0 || reference == 0) return verdicts.is_true(goal("vmbsim and a reference ran"), false);
  fmt::print("\n{} pending{:>27}{:>16}\n", items, "ns/event", "x reference");
  for (const Entrant& entrant : entrants)
    if (const auto found = outcome.ns.find(entrant.name); found != outcome.ns.end())
      fmt::print("  {:<26}{:>12.1f}{:>14.2f}\n", found->first, found->second, found->second / reference);
  fmt::print("  bytes per pending event   {:>12.1f}\n", outcome.bytes_per_event);

  const auto same_order = [&](const char* name) { return outcome.order.at(name) == outcome.order.at("vmbsim"); };
  verdicts.is_true(goal("the reference queues run the same events in the same order"),
                   same_order("wheel") && same_order("sorted buckets"));
  if (outcome.order.contains("ns-3 map (default)"))
    verdicts.is_true(goal("ns-3 runs the same events in the same order"), same_order("ns-3 map (default)"));
  verdicts.at_most(goal("vmbsim over the reference"), ours / reference, 1.6);
  const bool many = items == 1'000'000;
  if (const double peer = outcome.fastest(
          {"ns-3 map (default)", "ns-3 priority queue", "ns-3 heap", "ns-3 calendar", "SystemC method"}))
    verdicts.at_least(goal("the fastest of ns-3 and SystemC over vmbsim"), peer / ours, many ? 2 : 3);
  if (const double timers = outcome.fastest({"SimGrid timers"}))
    verdicts.at_least(goal("SimGrid timers over vmbsim"), timers / ours, 9);
  if (const double actors = outcome.fastest({"SimGrid actors"}))
    verdicts.at_least(goal("SimGrid actors over vmbsim"), actors / ours, 25);
  for (const std::string& shape : shapes)
    verdicts.at_most(goal((shape + " over exponential").c_str()), outcome.ns.at(shape) / ours, 3);
  if (many) verdicts.at_most(goal("bytes per pending event"), outcome.bytes_per_event, 64);
}

}  // namespace
}  // namespace vmbsim::bench

int main(int argc, char** argv) {
  using namespace vmbsim::bench;
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 5;
  if (rounds < 1) {
    fmt::print(stderr, "usage: bench_hold [ROUNDS]\n");
    return 2;
  }
  setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 1);
  const std::filesystem::path folder = std::filesystem::canonical("/proc/self/exe").parent_path();
  for (const char* peer : {"hold_ns3", "hold_systemc"})
    if (!std::filesystem::exists(folder / peer)) fmt::print("{} was not built: its engine is not installed\n", peer);
  Verdicts verdicts;
  for (const std::uint64_t items : {std::uint64_t{100}, std::uint64_t{10'000}, std::uint64_t{1'000'000}})
    judge(items, measure(folder, items, rounds), verdicts);
  fmt::print("\n");
  verdicts.print();
  return verdicts.exit_status();
}
