#pragma once
/// A simulated processor: an IRQL, one occupant, and the contexts it was interrupted in.
///
/// Rules    An interrupt whose IRQL is above the processor's preempts at once; the rest waits, pending. DPCs run when the
///          IRQL would fall below DISPATCH_LEVEL, and nothing but interrupts preempts them. Threads run below
///          DISPATCH_LEVEL. Consumed time is preemptible: what remains continues after the interrupt.
/// Time     In a context simulated time passes only through consume(), spinning and waiting. Every nanosecond of the
///          processor is accounted to what occupied it.
/// Source   WDK, "Managing hardware priorities" and "Introduction to DPC objects"; the DDI pages of KeRaiseIrql and KeLowerIrql.
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/hw/exploration.hpp"
#include "sim/kernel/distribution.hpp"
#include "sim/kernel/fiber.hpp"
#include "sim/kernel/simulation.hpp"
#include "vmbsim/ids.hpp"
#include "vmbsim/irql.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::hw {

class Processor;

/// What a processor's time goes to.
enum class Activity : std::uint8_t { isr, dpc, thread, spin, idle };
inline constexpr std::size_t activity_count = 5;

/// Software on a processor: an ISR, a DPC pass or a thread.
class Context {
 public:
  /// `owner` is for the executive: the thread that a thread's context belongs to.
  Context(kernel::StackPool& stacks, Activity activity, void* owner = nullptr)
      : fiber_(stacks), owner_(owner), activity_(activity) {}

  Activity activity() const { return activity_; }
  void* owner() const { return owner_; }
  /// Its processor's IRQL while it runs, the one to return to while it is interrupted.
  Irql irql() const { return irql_; }
  /// Its IRQL when it began: what it can interrupt lies below.
  Irql entered_at() const { return entered_at_; }
  /// Since when its IRQL is DISPATCH_LEVEL or above; meaningless while it is below.
  SimTime raised_since() const { return raised_since_; }
  /// Runs `body(argument)` the next time the context gets a processor. The previous body must have ended.
  void start(Irql irql, kernel::Fiber::Body body, void* argument);
  bool finished() const { return fiber_.finished(); }
  /// Spin locks that it holds.
  int& spin_locks() { return spin_locks_; }
  /// Makes it burn `span` of processor time before it goes on. It must not occupy a processor.
  void owe(Duration span) { remaining_ += span; }

 private:
  friend class Processor;
  /// Why it is not executing.
  enum class Pause : std::uint8_t {
    ready,      ///< may go on at once
    consuming,  ///< until wake_; what an interrupt leaves over is in remaining_
    spinning,   ///< until a lock is released
    waiting,    ///< a thread that gave its processor up
    stalled,    ///< its processor is descheduled
    abandoned,  ///< for ever: what it ran cannot go on
  };

  kernel::Fiber fiber_;
  void* owner_;
  kernel::EventHandle wake_;
  SimTime wake_time_{};
  Duration remaining_{};
  SimTime raised_since_{};
  int spin_locks_ = 0;
  Irql irql_ = Irql::passive;
  Irql entered_at_ = Irql::passive;
  Activity activity_;
  Pause pause_ = Pause::ready;
};

/// An interrupt source wired to one processor. Requests made while one is pending merge with it.
struct InterruptLine {
  Irql irql = Irql::device;
  void (*routine)(void* object) = nullptr;  ///< the ISR: runs in a context at `irql`
  void* object = nullptr;
  bool pending = false;
  Processor* late_for = nullptr;  ///< where a request is under way that a hunt holds back
};

/// What the operating system above decides for its processors.
class Executive {
 public:
  virtual ~Executive() = default;
  /// True when the DPC queue of `cpu` wants to be drained now; `idle`: nothing else is left to do there.
  virtual bool dpcs_requested(CpuId cpu, bool idle) const = 0;
  /// Drains it: the body of the DPC context, at DISPATCH_LEVEL.
  virtual void drain_dpcs(CpuId cpu) = 0;
  /// Which thread occupies `cpu` next. `current` is the thread that would go on (null when there is none); it is given back
  /// to the ready threads when another one is answered. Null: idle.
  virtual Context* next_thread(CpuId cpu, Context* current) = 0;
  /// `context` held `cpu` at DISPATCH_LEVEL or above for longer than the processor's patience, and now ends or lowers its IRQL.
  virtual void raised_too_long(CpuId cpu, const Context& context) = 0;
  /// A thread's body has ended, on its processor.
  virtual void thread_ended(Context& thread) = 0;
};

/// Is told when what occupies a processor changes, its IRQL included: for a timeline. It must not touch the processor.
class OccupancyListener {
 public:
  virtual ~OccupancyListener() = default;
  virtual void on_change(const Processor& cpu) = 0;
};

class Processor {
 public:
  struct Config {
    std::string name;  ///< "host.cpu0"
    CpuId id;
    kernel::Simulation& world;
    kernel::StackPool& stacks;
    Executive& executive;
    const kernel::Distribution& idle_wake;  ///< added to an interrupt that finds the processor halted
    Duration patience;                      ///< the executive is told of who stays longer at DISPATCH_LEVEL or above
    Exploration* exploration = nullptr;     ///< while the world is hunted
  };
  explicit Processor(Config config);

  /// The processor whose context is executing now; null in events.
  static Processor* current() { return current_; }

  const std::string& name() const { return name_; }
  CpuId id() const { return id_; }
  ActorId actor() const { return actor_; }
  /// As the exploration numbers it; 0 without one.
  std::uint32_t number() const { return number_; }
  kernel::Simulation& world() const { return world_; }
  Executive& executive() const { return executive_; }
  Context* occupant() const { return occupant_; }
  Irql irql() const { return occupant_ != nullptr ? occupant_->irql_ : Irql::passive; }
  /// Calls `look(context)` for the occupant and for each context it interrupted.
  template <class Look>
  void each_started(Look look) const {
    if (occupant_ != nullptr) look(static_cast<const Context&>(*occupant_));
    for (const Context* context : interrupted_) look(*context);
  }
  bool idle() const { return occupant_ == nullptr && !waking_; }

  // ---- From a context executing on this processor ----

  /// Burns processor time; interrupts may split it. `span` >= 0. Does not return once the run has ended.
  void consume(Duration span) {
    if (span.count() == 0) {
      if (world_.ended()) consume_in_calendar(span);
      if (++steps_ > kernel::Simulation::most_at_one_instant) give_up();
      return;
    }
    if (world_.try_advance(span, actor_)) return;
    consume_in_calendar(span);
  }
  /// Every visible operation is announced before it is made: a hunt may stall the processor here.
  void visible(Site site, kernel::Access access, const void* thing) {
    if (exploration_ != nullptr) [[unlikely]]
      exploration_->before(*this, site, access, thing);
  }
  /// The virtual processor is descheduled for `span`: the context does not go on and interrupts stay pending.
  void stall(Duration span);
  /// Sets the IRQL; lowering lets what was held back run first.
  void set_irql(Irql irql);
  /// Gives the processor up until make_ready(); threads below DISPATCH_LEVEL only.
  void wait();
  /// Burns time until let_spinner_look() or the end of an interrupt; the caller then looks at its lock again.
  void spin();
  /// Leaves the context for good and stops the run: a fault in it, for example. It keeps its processor. Safe in a signal handler.
  [[noreturn]] void abandon();

  // ---- From anywhere ----

  /// An interrupt arrives. Takes effect at this instant, after the current event.
  void request_interrupt(InterruptLine& line);
  /// Looks again at what should run: after a DPC was queued or a thread became ready.
  void reconsider();
  /// Lets the spinning occupant look at its lock. From events only.
  void let_spinner_look();
  /// True when `context` was interrupted here and has not gone on yet.
  bool interrupted_here(const Context* context) const;
  bool spinning() const { return occupant_ != nullptr && occupant_->pause_ == Context::Pause::spinning; }
  /// A thread that waited may go on; the executive hands it out from next_thread().
  static void make_ready(Context& thread) { thread.pause_ = Context::Pause::ready; }

  Exploration* exploration() const { return exploration_; }

  /// Time spent so far, by activity; adds up to now().
  std::array<Duration, activity_count> accounted() const;
  std::uint64_t interrupts() const { return interrupts_; }
  /// Who is told of changes from now on; null: nobody.
  void tell(OccupancyListener* listener) { listener_ = listener; }

 private:
  void consume_in_calendar(Duration span);
  [[noreturn]] void give_up();
  static void leave(Context& context) { context.fiber_.suspend(); }  // out of the fibre, back to the events
  void run(Context& context);                                        // into the fibre
  void interrupt_occupant();                                         // puts the occupant on the interrupted stack
  void settle() {  // decides what runs, until something occupies the processor
    if (occupant_ == nullptr) fill();
  }
  void fill();
  bool held_back(Irql level) const;  // something that may run as soon as the IRQL is `level`
  bool start_pending_interrupt(Irql level);
  void run_dpc_pass();
  void go_on(Context& context);  // lets an occupant continue where it was stopped
  void account(Activity next);
  void tell_change() {
    if (listener_ != nullptr) [[unlikely]]
      listener_->on_change(*this);
  }
  void ask_patience(const Context& context) {  // it is about to leave DISPATCH_LEVEL and what is above
    if (world_.now() - context.raised_since_ > patience_) executive_.raised_too_long(id_, context);
  }
  Context& fresh(Activity activity);
  void on_wake();
  void on_reconsider();
  void on_awake();
  void on_stall_over();
  void interrupt_arrives(InterruptLine& line);
  InterruptLine* highest_pending(Irql above) const;

  static constinit thread_local Processor* current_;  // constinit: read without asking whether it was set up

  std::string name_;
  CpuId id_;
  kernel::Simulation& world_;
  kernel::StackPool& stacks_;
  Executive& executive_;
  const kernel::Distribution& idle_wake_;
  Duration patience_;
  Exploration* exploration_;
  std::uint32_t number_;
  kernel::Stream idle_wake_stream_;
  ActorId actor_;

  Context* occupant_ = nullptr;
  std::vector<Context*> interrupted_;    // innermost last
  std::vector<InterruptLine*> pending_;  // in order of request
  InterruptLine* in_service_ = nullptr;  // handed to the ISR context being started
  std::vector<std::unique_ptr<Context>> owned_;
  std::vector<Context*> spare_isr_;
  std::vector<Context*> spare_dpc_;
  bool attention_ = false;  // somebody asked to reconsider; holds until software below DISPATCH_LEVEL is chosen
  bool scheduled_ = false;  // a consequence that reconsiders is on its way
  bool waking_ = false;     // halted, an interrupt is waking it
  bool stalled_ = false;    // descheduled: nothing runs here, interrupts included

  OccupancyListener* listener_ = nullptr;
  std::uint64_t steps_ = 0;  // that took no time, since a context was entered here

  std::array<Duration, activity_count> spent_{};
  Activity activity_ = Activity::idle;
  SimTime since_{};
  std::uint64_t interrupts_ = 0;
};

}  // namespace vmbsim::hw
