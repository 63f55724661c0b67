#pragma once
/// A partition: the processors, memory and Windows kernel of one machine, root (host) or child (guest).
///
/// Holds    a DPC queue per processor, threads with priority and quantum, system worker threads, dispatcher objects, timers
///          and spin locks: what the WDM calls of include/wdk do when a context on one of its processors makes them.
/// Source   WDK: "Introduction to DPC objects", "Organization of DPC queues", "System worker threads", the DDI page of each call.
#include <array>
#include <cstdint>
#include <memory>
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

/// A kernel thread. Priorities 0 to 31, higher first; equal ones share a processor by quantum.
class Thread {
 public:
  using Body = void (*)(void*);
  static constexpr int priority_normal = 8;     ///< an application's thread
  static constexpr int priority_delayed = 12;   ///< worker of DelayedWorkQueue
  static constexpr int priority_critical = 13;  ///< worker of CriticalWorkQueue

  const std::string& name() const { return name_; }

 private:
  friend class Partition;
  enum class State : std::uint8_t { ready, running, waiting, ended };

  Thread(Partition& partition, kernel::StackPool& stacks, std::string name, int priority, CpuId ideal, bool bound,
         Body body, void* argument);

  Partition& partition_;
  std::string name_;
  hw::Context context_;
  int priority_;
  CpuId ideal_;
  bool bound_;  // runs on its ideal processor only
  State state_ = State::waiting;
  Body body_;
  void* argument_;
  Duration quantum_left_;  // of its own time, as of its last dispatch
};

/// Work for a system worker thread. Queued at most once; may be queued again from its own routine.
struct WorkItem {
  void (*routine)(void* context) = nullptr;
  void* context = nullptr;
  bool queued = false;
};

class Partition final : public hw::Executive {
 public:
  struct Config {
    std::string name;  ///< "host", "guest", "web[2]"
    std::uint32_t cpus = 1;
    kernel::Simulation& world;
    kernel::StackPool& stacks;
    const hw::Costs& costs;
    FindingLog& findings;
    std::int64_t speed_permille = 1000;  ///< of its processors, relative to what the costs were written for
  };
  explicit Partition(Config config);
  ~Partition() override;

  /// The partition whose software executes now. Precondition: a context executes.
  static Partition& current() { return static_cast<Partition&>(hw::Processor::current()->executive()); }

  const std::string& name() const { return name_; }
  kernel::Simulation& world() const { return world_; }
  const hw::Costs& costs() const { return costs_; }
  FindingLog& findings() const { return findings_; }
  hw::GuestMemory& memory() { return memory_; }
  MemoryPool& pool() { return pool_; }
  /// What DbgPrint said so far, one entry a call, "<time>ns <processor>: <text>".
  const std::vector<std::string>& debug_output() const { return debug_output_; }
  void debug_print(const char* text);
  /// The driver framework's part of this partition: found by calls that name none of its objects.
  std::shared_ptr<void> framework;
  std::uint32_t cpu_count() const { return static_cast<std::uint32_t>(cpus_.size()); }
  hw::Processor& cpu(CpuId id) { return *cpus_[id.value].processor; }

  /// Burns time of the executing processor, scaled by the partition's speed.
  void consume(Duration span) { hw::Processor::current()->consume(scaled(span)); }
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
  /// Ends the executing thread; does not return.
  [[noreturn]] void end_current_thread();
  void queue_work(WorkItem& item, WORK_QUEUE_TYPE type);
  /// Takes a queued item out of its queue.
  void remove_work(WorkItem& item);

  // ---- Dispatcher objects ----
  /// Waits as KeWaitForSingleObject does. `timeout` null: for ever; zero: only looks; else in 100 ns units, negative: relative.
  NTSTATUS wait(DISPATCHER_HEADER& object, const LARGE_INTEGER* timeout);
  /// Sets an event to signalled and releases whom it releases; from contexts and from events. Answers the previous state.
  LONG set_event(KEVENT& event);
  /// Lets the executing thread sleep.
  void delay(Duration span);
  /// What a DueTime or a Timeout means: in 100 ns, negative from now, positive from the start of the run; never negative.
  Duration span_until(LARGE_INTEGER due) const;
  /// `due` from now; `period` in whole milliseconds, 0 for once. The timer must not be set.
  void set_timer(KTIMER& timer, Duration due, Duration period, KDPC* dpc);
  bool cancel_timer(KTIMER& timer);
  /// Gives a pool block back. What the block must not hold any more, a queued DPC or a set timer, is a finding and is taken out.
  bool free_pool(void* block);

  // ---- Spin locks; the caller is at DISPATCH_LEVEL ----
  void acquire(KSPIN_LOCK& lock);
  bool try_acquire(KSPIN_LOCK& lock);
  void release(KSPIN_LOCK& lock);

  /// Records a finding when the executing processor's IRQL is above `highest`; true when the call is legal.
  bool require_irql_at_most(Irql highest, const char* call, BugCheck bug_check);

  // ---- hw::Executive ----
  bool dpcs_requested(CpuId cpu, bool idle) const override;
  void drain_dpcs(CpuId cpu) override;
  hw::Context* next_thread(CpuId cpu, hw::Context* current) override;
  void thread_ended(hw::Context& thread) override;

 private:
  struct Cpu {
    std::unique_ptr<hw::Processor> processor;
    LIST_ENTRY dpcs;
    std::uint32_t dpc_depth = 0;
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
  class NoSwitch;

  Duration scaled(Duration span) const {
    return speed_permille_ == 1000 ? span : Duration{span.count() * 1000 / speed_permille_};
  }
  void request_dpcs(Cpu& cpu);
  void on_clock_tick(Cpu& cpu);
  void make_ready(Thread& thread);
  void find_processor(Thread& thread);
  Thread* best_ready(CpuId cpu, int above_priority);
  void charge_quantum(Cpu& cpu);
  void start_sharing(Cpu& cpu);
  void arm_quantum(Cpu& cpu);
  void require_passive_end();
  void add_worker(WorkQueue& queue);
  void look_after(WorkQueue& queue);
  void on_look(WorkQueue& queue);
  void on_released();
  void release_waiter(struct WaitBlock& block, NTSTATUS status);
  void signal(DISPATCHER_HEADER& object);
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
  std::int64_t speed_permille_;
  hw::GuestMemory memory_;
  MemoryPool pool_{memory_};
  std::vector<std::string> debug_output_;
  std::vector<Cpu> cpus_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<const Thread*> ended_;            // given up, stack and all, before the next one is made
  std::array<std::vector<Thread*>, 32> ready_;  // not deques: those allocate as they move, and 0.6 KiB when empty
  std::uint32_t ready_mask_ = 0;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::array<WorkQueue, 2> work_queues_;  // delayed, critical
  std::uint64_t spins_ = 0;
  kernel::Fifo<const KSPIN_LOCK*> released_;  // locks whose spinners may look after the current event
  LIST_ENTRY timers_;                         // that are set
  ActorId actor_;
};

}  // namespace vmbsim::os
