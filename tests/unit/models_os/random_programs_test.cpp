// Random software on random machines: what must hold whatever the software does.
#include <catch2/catch.hpp>

#include <array>
#include <vector>

#include "sim/observe/fingerprint.hpp"
#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::hw::Activity;
using vmbsim::testing::Machine;

namespace {

/// What one random program did and how it ended.
struct Outcome {
  Fingerprint fingerprint;
  bool complete = false;     // every nanosecond of every processor is accounted
  Duration asked_for{};      // burnt by threads, DPCs and ISRs of the program
  Duration accounted_for{};  // to threads, DPCs and ISRs; spinning aside
  std::uint64_t findings = 0;
  int unfinished = 0;     // threads
  bool exclusive = true;  // no two owners of a lock at a time
};

/// Threads, DPCs and ISRs that burn time, raise, lower, lock, queue, wait, signal and interrupt one another.
class RandomProgram {
 public:
  RandomProgram(Seed seed, std::uint32_t cpus)
      : machine_({.cpus = cpus, .costs = costs(), .seed = seed, .listener = &digest_}),
        chance_(machine_.world.stream("test", "program")) {
    for (Lock& lock : locks_) KeInitializeSpinLock(&lock.word);
    for (KEVENT& event : events_) KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    for (std::size_t i = 0; i < 6; ++i) {
      const int target = static_cast<int>(below(cpus + 1)) - 1;
      dpcs_.push_back(&machine_.dpc([this] { dpc_body(); }, static_cast<KDPC_IMPORTANCE>(below(4)), target));
      timers_.push_back(std::make_unique<KTIMER>());
      KeInitializeTimer(timers_.back().get());
    }
    for (const int level : {5, 7, 13})
      lines_.push_back(&machine_.line([this] { isr_body(); }, static_cast<Irql>(level)));
    for (std::size_t i = 0; i < 8; ++i) {
      work_items_[i] = {.routine = [](void* self) { static_cast<RandomProgram*>(self)->work_body(); }, .context = this};
      ++unfinished_;
      machine_.thread({.cpu = static_cast<std::uint32_t>(below(cpus)),
                       .priority = static_cast<int>(7 + below(3)),
                       .bound = below(2) == 0},
                      [this] { thread_body(); });
    }
    for (int i = 0; i < 60; ++i)
      machine_.interrupt_at(Duration{static_cast<std::int64_t>(below(400'000))}, *lines_[below(lines_.size())],
                            static_cast<std::uint32_t>(below(cpus)));
  }

  Outcome run() {
    machine_.run(500us);  // in the middle of it
    bool complete = machine_.accounts_are_complete();
    machine_.run(100ms);
    machine_.world.flush_log();
    Outcome outcome{.fingerprint = digest_.value(), .complete = complete && machine_.accounts_are_complete()};
    outcome.asked_for = asked_for_;
    for (std::uint32_t i = 0; i < machine_.partition.cpu_count(); ++i)
      for (const Activity activity : {Activity::thread, Activity::dpc, Activity::isr})
        outcome.accounted_for += machine_.spent(activity, i);
    outcome.findings = machine_.findings.all().size();
    outcome.unfinished = unfinished_;
    outcome.exclusive = exclusive_;
    return outcome;
  }

 private:
  struct Lock {
    KSPIN_LOCK word;
    int owners = 0;
  };

  static hw::Costs costs() {
    hw::Costs costs;
    costs.idle_wake = kernel::Distribution::fixed(700ns);
    return costs;
  }
  std::uint64_t below(std::uint64_t n) { return chance_.below(n); }
  void burn() {
    const Duration span{static_cast<std::int64_t>(below(3'000))};
    asked_for_ += span;
    machine_.burn(span);
  }
  void queue_some_dpc() { KeInsertQueueDpc(dpcs_[below(dpcs_.size())], nullptr, nullptr); }
  void interrupt_some_processor() {
    machine_.cpu(static_cast<std::uint32_t>(below(machine_.partition.cpu_count())))
        .request_interrupt(*lines_[below(lines_.size())]);
  }
  /// Locks are nested in one order only, so that nobody waits for ever.
  void under_lock() {
    Lock& lock = locks_[below(locks_.size())];
    const KIRQL before = KeAcquireSpinLockRaiseToDpc(&lock.word);
    exclusive_ = exclusive_ && ++lock.owners == 1;
    burn();
    if (below(4) == 0) queue_some_dpc();
    --lock.owners;
    KeReleaseSpinLock(&lock.word, before);
  }
  void thread_body() {
    for (int step = 0; step < 20; ++step) {
      switch (below(9)) {
        case 0: {
          const KIRQL before = KfRaiseIrql(static_cast<KIRQL>(below(8)));
          burn();
          if (below(2) == 0) interrupt_some_processor();
          KeLowerIrql(before);
          break;
        }
        case 1:
        case 2: under_lock(); break;
        case 3: queue_some_dpc(); break;
        case 4: {
          LARGE_INTEGER timeout;
          timeout.QuadPart = -static_cast<LONGLONG>(below(300));
          KeWaitForSingleObject(&events_[below(events_.size())], Executive, KernelMode, FALSE, &timeout);
          break;
        }
        case 5: KeSetEvent(&events_[below(events_.size())], IO_NO_INCREMENT, FALSE); break;
        case 6: {
          LARGE_INTEGER due;
          due.QuadPart = -static_cast<LONGLONG>(below(200));
          KeSetTimer(timers_[below(timers_.size())].get(), due, dpcs_[below(dpcs_.size())]);
          break;
        }
        case 7: {
          os::WorkItem& item = work_items_[below(work_items_.size())];
          if (!item.queued) machine_.partition.queue_work(item, below(2) == 0 ? DelayedWorkQueue : CriticalWorkQueue);
          break;
        }
        default: interrupt_some_processor(); break;
      }
      burn();
    }
    --unfinished_;
  }
  void work_body() {
    burn();
    if (below(2) == 0) under_lock();
  }
  void dpc_body() {
    burn();
    if (below(2) == 0) under_lock();
    if (below(4) == 0) KeSetEvent(&events_[below(events_.size())], IO_NO_INCREMENT, FALSE);
    if (below(8) == 0) KeRemoveQueueDpc(dpcs_[below(dpcs_.size())]);
    if (below(4) == 0) {
      os::WorkItem& item = work_items_[below(work_items_.size())];
      if (!item.queued) machine_.partition.queue_work(item, DelayedWorkQueue);
    }
  }
  void isr_body() {
    burn();
    if (below(2) == 0) queue_some_dpc();
    if (below(16) == 0) interrupt_some_processor();
    burn();
  }

  observe::FingerprintDigest digest_;
  Machine machine_;
  kernel::Stream chance_;
  std::array<Lock, 3> locks_;
  std::array<KEVENT, 3> events_;
  std::array<os::WorkItem, 8> work_items_;
  std::vector<KDPC*> dpcs_;
  std::vector<std::unique_ptr<KTIMER>> timers_;
  std::vector<hw::InterruptLine*> lines_;
  Duration asked_for_{};
  int unfinished_ = 0;
  bool exclusive_ = true;
};

Outcome run(Seed seed, std::uint32_t cpus) { return RandomProgram(seed, cpus).run(); }

}  // namespace

TEST_CASE("every nanosecond of every processor is accounted, and software gets exactly the time it asked for") {
  std::vector<Fingerprint> seen;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    const auto cpus = static_cast<std::uint32_t>(1 + seed % 4);
    const Outcome outcome = run({seed}, cpus);
    CHECK(outcome.complete);
    CHECK(outcome.accounted_for == outcome.asked_for);
    CHECK(outcome.asked_for > 100us);
    CHECK(outcome.unfinished == 0);
    CHECK(outcome.exclusive);
    CHECK(outcome.findings == 0);
    CHECK(run({seed}, cpus).fingerprint == outcome.fingerprint);
    CHECK(std::find(seen.begin(), seen.end(), outcome.fingerprint) == seen.end());
    seen.push_back(outcome.fingerprint);
  }
}
