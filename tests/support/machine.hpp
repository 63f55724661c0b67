#pragma once
/// One partition for tests of processors and of the Windows kernel: bodies are put on it as threads, DPCs, ISRs and plain
/// events, and everything they note is a line of a timeline.
///
///   Machine machine({.cpus = 2, .costs = cost(&hw::Costs::thread_switch, 1us)});
///   machine.thread({.name = "a", .cpu = 1}, [&] { machine.note("a starts"); machine.burn(5us); });
///   machine.at(2us, [&] { ... });                 // an event: no processor executes it
///   machine.run();
///   CHECK(machine.timeline() == timeline(R"(
///     1000ns  cpu1  passive  a starts
///   )"));
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "models/os/partition.hpp"
#include "ntddk.h"

namespace vmbsim::testing {

/// Everything is free but one thing.
inline hw::Costs cost(kernel::Distribution hw::Costs::*entry, Duration value) {
  hw::Costs costs;
  costs.*entry = kernel::Distribution::fixed(value);
  return costs;
}

/// Lines without indentation, their words one space apart, so that expected text can stand in columns.
inline std::string timeline(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string tidy;
    for (std::string word; words >> word;) tidy += (tidy.empty() ? "" : " ") + word;
    if (!tidy.empty()) out += tidy + "\n";
  }
  return out;
}

class Machine {
 public:
  using Body = std::function<void()>;
  struct Config {
    std::uint32_t cpus = 1;
    hw::Costs costs{};
    Seed seed{1};
    kernel::EventListener* listener = nullptr;
    kernel::ChoiceSource* choices = nullptr;
    std::int64_t speed_permille = 1000;
  };
  struct ThreadPlace {
    const char* name = "thread";
    std::uint32_t cpu = 0;
    int priority = os::Thread::priority_normal;
    bool bound = true;
  };

  Machine() : Machine(Config{}) {}
  explicit Machine(const Config& config)
      : costs_(config.costs),
        world(config.seed, config.listener, config.choices),
        findings(world),
        partition({.name = "guest",
                   .cpus = config.cpus,
                   .world = world,
                   .stacks = stacks,
                   .costs = costs_,
                   .findings = findings,
                   .speed_permille = config.speed_permille}) {}

  // ---- What happens ----

  /// A thread that is ready from now on.
  os::Thread& thread(const ThreadPlace& place, Body body) {
    return partition.create_thread(place.name, place.priority, CpuId{place.cpu}, place.bound, &run_body,
                                   keep(std::move(body)));
  }
  /// The same, ready at `time`.
  void thread_at(Duration time, ThreadPlace place, Body body) {
    at(time, [this, place, kept = std::move(body)] { thread(place, kept); });
  }
  /// An event of the outside world.
  void at(Duration time, Body body) { world.at(SimTime{time}, ActorId{}, &run_body, keep(std::move(body))); }
  /// An interrupt source: its requests run `body` at `irql` on `cpu`.
  hw::InterruptLine& line(Body isr, Irql irql = Irql::device) {
    lines_.push_back(std::make_unique<hw::InterruptLine>(hw::InterruptLine{irql, &run_body, keep(std::move(isr))}));
    return *lines_.back();
  }
  void interrupt_at(Duration time, hw::InterruptLine& source, std::uint32_t cpu = 0) {
    at(time, [this, &source, cpu] { this->cpu(cpu).request_interrupt(source); });
  }
  /// A DPC object; `cpu` as for KeSetTargetProcessorDpc, none when it is negative.
  KDPC& dpc(Body routine, KDPC_IMPORTANCE importance = MediumImportance, int cpu = -1) {
    dpcs_.push_back(std::make_unique<KDPC>());
    KDPC& object = *dpcs_.back();
    KeInitializeDpc(
        &object, [](KDPC*, PVOID context, PVOID, PVOID) { run_body(context); }, keep(std::move(routine)));
    KeSetImportanceDpc(&object, importance);
    if (cpu >= 0) object.Number = static_cast<USHORT>(os::Partition::targeted_dpc + cpu);
    return object;
  }
  void run(Duration until = 10s) { world.run_until(SimTime{until}); }

  // ---- What contexts do ----

  void burn(Duration span) { partition.consume(span); }
  void note(const std::string& what) {
    std::string line = std::to_string(nanoseconds(world.now())) + "ns ";
    if (const hw::Processor* here = hw::Processor::current())
      line += here->name().substr(here->name().find('.') + 1) + " " + name_of(here->irql()) + " ";
    else
      line += "event ";
    timeline_ += line + what + "\n";
  }
  /// Notes `what`, then burns `span`, then notes that it is done.
  void work(const std::string& what, Duration span) {
    note(what);
    burn(span);
    note(what + " done");
  }

  // ---- What came of it ----

  hw::Processor& cpu(std::uint32_t index) { return partition.cpu(CpuId{index}); }
  std::string timeline() const { return testing::timeline(timeline_); }
  /// "0xB8 at 5000ns guest.cpu0 at dispatch", one finding a line.
  std::string found() const {
    std::ostringstream out;
    for (const Finding& finding : findings.all())
      out << "0x" << std::hex << std::uppercase << static_cast<std::uint32_t>(finding.bug_check) << std::dec << " at "
          << nanoseconds(finding.time) << "ns " << finding.where << "\n";
    return out.str();
  }
  Duration spent(hw::Activity activity, std::uint32_t index = 0) {
    return cpu(index).accounted()[static_cast<std::size_t>(activity)];
  }
  /// Every processor's time, all activities together.
  bool accounts_are_complete() {
    for (std::uint32_t i = 0; i < partition.cpu_count(); ++i) {
      Duration sum{};
      for (const Duration part : cpu(i).accounted()) sum += part;
      if (sum != world.now().time_since_epoch()) return false;
    }
    return true;
  }

 private:
  static void run_body(void* body) { (*static_cast<Body*>(body))(); }
  Body* keep(Body body) {
    bodies_.push_back(std::make_unique<Body>(std::move(body)));
    return bodies_.back().get();
  }

  hw::Costs costs_;
  std::string timeline_;
  std::vector<std::unique_ptr<Body>> bodies_;
  std::vector<std::unique_ptr<hw::InterruptLine>> lines_;
  std::vector<std::unique_ptr<KDPC>> dpcs_;

 public:  // in order of construction; a partition needs the rest
  kernel::Simulation world;
  kernel::StackPool stacks;
  os::FindingLog findings;
  os::Partition partition;
};

}  // namespace vmbsim::testing
