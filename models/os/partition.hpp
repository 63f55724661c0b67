#pragma once
/// A partition: the processors, memory and Windows kernel of one machine, root (host) or child (guest).
///
/// Holds    a DPC queue per processor, threads with priority and quantum, system worker threads, dispatcher objects, timers
///          and spin locks: what the WDM calls of include/wdk do when a context on one of its processors makes them.
/// Source   WDK: "Introduction to DPC objects", "Organization of DPC queues", "System worker threads", the DDI page of each call.
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/hw/costs.hpp"
#include "models/hw/guest_memory.hpp"
#include "models/hw/processor.hpp"
#include "models/os/finding_log.hpp"
#include "models/os/memory_pool.hpp"
#include "sim/kernel/fifo.hpp"
#include "wdm.h"

namespace vmbsim::os {
class Partition;
class Thread;
}  // namespace vmbsim::os

/// What a driver's pointer to a thread points to: signalled when the thread has ended.
struct _KTHREAD {
  DISPATCHER_HEADER header{};
  vmbsim::os::Thread* thread = nullptr;
};

namespace vmbsim::os {

/// DISPATCHER_HEADER::Type and KDPC::Type, by Windows' numbers; events and timers have two kinds each.
/// Source: Windows' public symbols, enumeration KOBJECTS.
namespace object_type {
constexpr UCHAR notification_event = 0, synchronization_event = 1, mutant = 2, semaphore = 5, thread = 6;
constexpr UCHAR notification_timer = 8, synchronization_timer = 9, dpc = 19, threaded_dpc = 24;
}  // namespace object_type

/// The period of the clock interrupt. Source: Windows' default timer resolution, 64 Hz.
inline constexpr Duration clock_tick{15'625'000};

/// A kernel thread. Priorities 0 to 31, higher first; equal ones share a processor by quantum.
class Thread {
 public:
  using Body = void (*)(void*);
  static constexpr int priority_highest = 31;   ///< runs threaded DPCs
  static constexpr int priority_normal = 8;     ///< an application's thread
  static constexpr int priority_delayed = 12;   ///< worker of DelayedWorkQueue
  static constexpr int priority_critical = 13;  ///< worker of CriticalWorkQueue

  const std::string& name() const { return name_; }
  int priority() const { return priority_; }
  /// The thread as an object to wait for.
  _KTHREAD& object() { return object_; }
  /// Critical and guarded regions it is in, mutexes it owns included; it must not end in one.
  int& regions() { return regions_; }
  LIST_ENTRY& mutexes() { return mutexes_; }
  /// Who owns the fast or guarded mutex that it waits for; null: none.
  const Thread*& blocked_by() { return blocked_by_; }

 private:
  friend class Partition;
  enum class State : std::uint8_t { ready, running, waiting, ended };

  Thread(Partition& partition, kernel::StackPool& stacks, std::string name, int priority, CpuId ideal, bool bound,
         Body body, void* argument);

  Partition& partition_;
  std::string name_;
  std::optional<hw::Context> context_;  // given up, stack and all, some time after the end
  int priority_;
  CpuId ideal_;
  bool bound_;  // runs on its ideal processor only
  State state_ = State::waiting;
  Body body_;
  void* argument_;
  Duration quantum_left_;  // of its own time, as of its last dispatch
  _KTHREAD object_;
  LIST_ENTRY mutexes_;  // KMUTEXes it owns
  const Thread* blocked_by_ = nullptr;
  int regions_ = 0;
  std::uint32_t references_ = 0;  // handles and pointers in drivers' hands; while there are any the object stays
  bool drivers_own_ = false;      // started by PsCreateSystemThread
  bool runs_dpcs_ = false;
};

/// Work for a system worker thread. Queued at most once; may be queued again from its own routine.
struct WorkItem {
  void (*routine)(void* context) = nullptr;
  void* context = nullptr;
  bool queued = false;
};

class Partition final : public hw::Executive {
 public:
  static const Duration watchdog_patience;  ///< with a context at DISPATCH_LEVEL or above
  struct Config {
    std::string name;  ///< "host", "guest", "web[2]"
    std::uint32_t cpus = 1;
    kernel::Simulation& world;
    kernel::StackPool& stacks;
    const hw::Costs& costs;
    FindingLog& findings;
    std::int64_t speed_permille = 1000;      ///< of its processors, relative to what the costs were written for
    hw::Exploration* exploration = nullptr;  ///< while the world is hunted
  };
  explicit Partition(Config config);
  ~Partition() override;

  /// The partition whose software executes now. Precondition: a context executes.
  static Partition& current() { return static_cast<Partition&>(hw::Processor::current()->executive()); }

  const std::string& name() const { return name_; }
  kernel::Simulation& world() const { return world_; }
  const hw::Costs& costs() const { return costs_; }
  FindingLog& findings() const { return findings_; }
  /// Null in a plain run.
  hw::Exploration* exploration() const { return exploration_; }
  /// The executing processor is about to make a visible operation on `thing`; not in an event, which has no processor.
  static void visible(hw::Site site, const void* thing, kernel::Access access = kernel::Access::update) {
    if (hw::Processor* cpu = hw::Processor::current()) cpu->visible(site, access, thing);
  }
  /// In a hunt: whoever is let run from now on knows what the executing processor did until now.
  void leave_behind() {
    if (exploration_ != nullptr) [[unlikely]]
      exploration_->leaves_behind();
  }
  /// In a hunt with this fault, whether it happens here.
  bool fails(faults::Fault fault) const { return exploration_ != nullptr && exploration_->fails(fault); }
  /// In a hunt, whether an allocation finds no memory: asked when its size and tag are first seen.
  bool refuses(std::uint64_t bytes, std::uint32_t tag) const {
    return exploration_ != nullptr && exploration_->allocation_fails(bytes, tag);
  }
  bool planted(faults::Planted bug) const { return exploration_ != nullptr && exploration_->planted(bug); }
  hw::GuestMemory& memory() { return memory_; }
  MemoryPool& pool() { return pool_; }
  struct DebugLine {
    SimTime time;
    std::string text;  ///< "<time>ns <processor>: <text>"
  };
  /// What DbgPrint said first, one entry a call, at most 10,000.
  const std::vector<DebugLine>& debug_output() const { return debug_output_; }
  /// How often DbgPrint was called.
  std::uint64_t debug_lines() const { return debug_lines_; }
  void debug_print(const char* text);
  /// KeBugCheckEx: the run ends.
  void bug_check();
  bool bug_checked() const { return bug_checked_; }
  /// The driver framework's part of this partition: found by calls that name none of its objects.
  std::shared_ptr<void> framework;
  std::uint32_t cpu_count() const { return static_cast<std::uint32_t>(cpus_.size()); }
  hw::Processor& cpu(CpuId id) { return *cpus_[id.value].processor; }

  /// Burns time of the executing processor, scaled by the partition's speed.
  void consume(Duration span) {
    if (exploration_ != nullptr) [[unlikely]]
      span = exploration_->chosen_latency(span);
    hw::Processor::current()->consume(scaled(span));
  }
  /// Pays a cost, drawn from `stream` when it varies.
  void spend(const kernel::Distribution& cost, kernel::Stream& stream) { consume(cost.sample(stream)); }

  // ---- DPCs ----
  /// KDPC::Number of a DPC with a target processor counts from here, as on Windows; below it the DPC has none.
  static constexpr USHORT targeted_dpc = 0x500;
  /// `origin` is where a DPC without a target runs when no context of this partition queues it.
  bool insert_dpc(KDPC& dpc, void* argument1, void* argument2, CpuId origin = {});
  bool remove_dpc(KDPC& dpc);

  // ---- Threads and workers ----
  Thread& create_thread(std::string name, int priority, CpuId ideal, bool bound, Thread::Body body, void* argument);
  Thread* current_thread();
  /// A thread that a driver starts, with one handle to it.
  HANDLE create_system_thread(Thread::Body body, void* argument);
  /// The thread that `handle` means, null when it means none.
  Thread* thread_of(HANDLE handle) const;
  /// False when there is no such handle.
  bool close(HANDLE handle);
  /// A driver holds one pointer more to `thread`; answers how many references there are.
  std::uint32_t reference(Thread& thread) { return ++thread.references_; }
  /// Nothing when there was no reference left to give back.
  std::optional<std::uint32_t> dereference(Thread& thread);
  void set_priority(Thread& thread, int priority);
  /// Ends the executing thread; does not return.
  [[noreturn]] void end_current_thread();
  void queue_work(WorkItem& item, WORK_QUEUE_TYPE type);
  /// Takes a queued item out of its queue.
  void remove_work(WorkItem& item);

  // ---- Dispatcher objects ----
  /// Waits as KeWaitForSingleObject does. `timeout` null: for ever; zero: only looks; else in 100 ns units, negative: relative.
  NTSTATUS wait(DISPATCHER_HEADER& object, const LARGE_INTEGER* timeout);
  /// The same as KeWaitForMultipleObjects does, for 1 to MAXIMUM_WAIT_OBJECTS objects.
  NTSTATUS wait(std::span<DISPATCHER_HEADER* const> objects, WAIT_TYPE type, const LARGE_INTEGER* timeout);
  /// Sets an event to signalled and releases whom it releases; from contexts and from events. Answers the previous state.
  LONG set_event(KEVENT& event);
  /// Adds `more` above 0 to a semaphore, whose limit is not exceeded; answers the count before.
  LONG release_semaphore(KSEMAPHORE& semaphore, LONG more);
  /// Gives up one acquire of a mutex, which the executing thread owns; answers the state before.
  LONG release_mutex(KMUTANT& mutex);
  /// Lets the executing thread sleep.
  void delay(Duration span);
  /// What a DueTime or a Timeout means: in 100 ns, negative from now, positive from the start of the run; never negative.
  Duration span_until(LARGE_INTEGER due) const;
  /// `due` from now; `period` in whole milliseconds, 0 for once. The timer must not be set.
  void set_timer(KTIMER& timer, Duration due, Duration period, KDPC* dpc);
  bool cancel_timer(KTIMER& timer);
  /// Gives a pool block back. What the block must not hold any more, a queued DPC or work item or a set timer, is a finding
  /// and is taken out; so are another tag than the block's, unless `tag` is 0, and bytes written behind its end.
  bool free_pool(void* block, std::uint32_t tag);

  // ---- What a driver must not do with memory, and must have given back ----

  /// A driver, or a KMCL call for it, is about to touch `length` bytes at `address`: paged pool at DISPATCH_LEVEL or above is
  /// a finding, and so are bytes beyond a pool block.
  void touch(const void* address, std::size_t length, const char* call);
  /// Drivers that are not the simulator's own run here: calls look at every buffer and list they are given.
  bool watches_buffers = false;
  /// When the last driver of the partition is unloaded: a finding for every pool tag with live blocks, for descriptor lists,
  /// work items and lookaside entries not freed, timers set, DPCs queued, and threads that still run or are referenced.
  /// `subject` names the driver or the partition in them.
  void report_leaks(std::string_view subject);

  // ---- Spin locks; the caller is at DISPATCH_LEVEL ----
  void acquire(KSPIN_LOCK& lock) {
    if (exploration_ != nullptr) [[unlikely]]
      announce(lock);
    if (!try_acquire(lock)) [[unlikely]]
      spin_for(lock);
  }
  bool try_acquire(KSPIN_LOCK& lock) {
    if (lock != 0) return false;
    hw::Context& owner = *hw::Processor::current()->occupant();
    lock = reinterpret_cast<KSPIN_LOCK>(&owner);
    ++owner.spin_locks();
    if (exploration_ != nullptr) [[unlikely]]
      exploration_->obtained(&lock);
    return true;
  }
  void release(KSPIN_LOCK& lock);
  /// Strictly in order of arrival; `place` lives until the release.
  void acquire_queued(KSPIN_LOCK& lock, KSPIN_LOCK_QUEUE& place);

  /// When nothing is left to happen: a finding when contexts wait for each other's spin locks or mutexes. False when none do.
  bool find_deadlock();
  /// In a hunt: who executes takes a lock, or `waits` for it.
  void watch_lock(const KSPIN_LOCK& lock, bool waits);
  /// At the end of a run: a finding for each ISR, DPC and raised thread that has been on its processor, or interrupted there,
  /// for longer than the watchdog allows. What ended in time to be noticed was reported when it ended.
  void find_held_processors();

  /// Records a finding when the executing processor's IRQL is above `highest`; true when the call is legal. An event has none.
  bool require_irql_at_most(Irql highest, const char* call, BugCheck bug_check) {
    const hw::Processor* cpu = hw::Processor::current();
    if (cpu == nullptr || cpu->irql() <= highest) return true;
    report_irql(highest, call, bug_check);
    return false;
  }

  // ---- hw::Executive ----
  bool dpcs_requested(CpuId cpu, bool idle) const override;
  void drain_dpcs(CpuId cpu) override;
  void raised_too_long(CpuId cpu, const hw::Context& context) override;
  hw::Context* next_thread(CpuId cpu, hw::Context* current) override;
  void thread_ended(hw::Context& thread) override;

 private:
  void report_irql(Irql highest, const char* call, BugCheck bug_check);

  struct Cpu {
    std::unique_ptr<hw::Processor> processor;
    LIST_ENTRY dpcs;
    LIST_ENTRY threaded_dpcs{};
    Thread* dpc_thread = nullptr;  // runs them; made when first needed
    std::uint32_t dpc_depth = 0;   // of `dpcs`
    SimTime dpc_since{};           // when the last DPC's routine was called
    bool dpcs_requested = false;
    kernel::EventHandle tick;  // a clock tick that drains what nobody hurried
    kernel::EventHandle quantum;
    bool quantum_over = false;  // its event has come, the decision not yet
    Thread* last_thread = nullptr;
    Duration thread_time{};  // what its threads had used when the last one was dispatched
    kernel::Stream costs;
    const KSPIN_LOCK* spinning_on = nullptr;
    std::uint64_t spinning_since = 0;  // order of arrival among spinners
    CpuId id;
    Partition* partition = nullptr;
    bool spins_for(const KSPIN_LOCK& lock) const { return spinning_on == &lock && processor->spinning(); }
  };
  struct Worker;
  struct WorkQueue {
    std::vector<WorkItem*> items;
    std::vector<Worker*> idle;
    std::uint32_t threads = 0;
    int priority = 0;
    std::uint64_t taken = 0;          // items so far
    std::uint64_t taken_at_look = 0;  // the same when the balance manager looked last
    kernel::EventHandle look;
    Partition* partition = nullptr;
  };

  Duration scaled(Duration span) const {
    return speed_permille_ == 1000 ? span : Duration{span.count() * 1000 / speed_permille_};
  }
  void insert_threaded_dpc(Cpu& cpu, KDPC& dpc);
  void run_threaded_dpcs(Cpu& cpu);
  void request_dpcs(Cpu& cpu);
  void request_dpcs_late(Cpu& cpu);
  bool joins_other_end(const Cpu& cpu, const LIST_ENTRY& queue) const;
  void watch(const Cpu& cpu, const char* what, SimTime since, Duration limit);
  void on_clock_tick(Cpu& cpu);
  void make_ready(Thread& thread);
  void find_processor(Thread& thread);
  Thread* best_ready(CpuId cpu, int above_priority);
  void charge_quantum(Cpu& cpu);
  void start_sharing(Cpu& cpu);
  void arm_quantum(Cpu& cpu);
  void erase(const Thread& thread);
  void require_clean_end();
  void add_worker(WorkQueue& queue);
  void look_after(WorkQueue& queue);
  void on_look(WorkQueue& queue);
  void announce(const KSPIN_LOCK& lock);
  void spin_for(KSPIN_LOCK& lock);
  void on_released();
  NTSTATUS wait(struct Wait& wait, const LARGE_INTEGER* timeout, const char* call);
  void go_on(struct Wait& wait, NTSTATUS status);
  void satisfy(DISPATCHER_HEADER& object);
  void hand_over(KSPIN_LOCK& lock, std::size_t place);
  void on_granted();
  bool require_thread(const char* call);
  void start_timer(KTIMER& timer, Duration due);
  void on_timer(KTIMER& timer);
  void work(Worker& worker);
  Thread& thread_of(hw::Context& context) const;

  std::string name_;
  kernel::Simulation& world_;
  kernel::StackPool& stacks_;
  const hw::Costs& costs_;
  FindingLog& findings_;
  hw::Exploration* exploration_;
  std::int64_t speed_permille_;
  hw::GuestMemory memory_;
  MemoryPool pool_{memory_};
  std::vector<DebugLine> debug_output_;
  std::uint64_t debug_lines_ = 0;
  bool bug_checked_ = false;
  std::vector<Cpu> cpus_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<Thread*> ended_;                  // whose stacks are given up before the next thread is made
  std::array<std::vector<Thread*>, 32> ready_;  // not deques: those allocate as they move, and 0.6 KiB when empty
  std::uint32_t ready_mask_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::array<WorkQueue, 2> work_queues_;  // delayed, critical
  std::uint32_t spinners_ = 0;            // contexts that spin for a lock, interrupted or not
  std::uint64_t spins_ = 0;
  kernel::Fifo<const KSPIN_LOCK*> released_;  // locks whose spinners may look after the current event
  struct Queued {
    KSPIN_LOCK* lock;
    KSPIN_LOCK_QUEUE* place;
    hw::Context* owner;  // to be
  };
  std::vector<Queued> queued_;                // who waits for queued spin locks, in order of arrival
  kernel::Fifo<const hw::Context*> granted_;  // who got one, and may look after the current event
  std::map<HANDLE, Thread*> handles_;
  std::uintptr_t last_handle_ = 0;
  LIST_ENTRY timers_;  // that are set
  ActorId actor_;
};

}  // namespace vmbsim::os
