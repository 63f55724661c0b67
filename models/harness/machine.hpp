#pragma once
/// The machine that runs harnesses: processors with IRQLs and store buffers, and no time. Whatever may come next is an
/// alternative of one question, asked before every step.
///
///   Machine machine({.memory = explore::MemoryModel::tso});
///   const explore::Outcome& outcome = machine.run(entry, choices, nullptr);
///
/// Context    a thread, ISR, DPC or work item: a fibre that stands before its next visible operation. What lies between two of
///            them runs at once.
/// Processor  its innermost ISR or DPC runs and nobody else of it; a thread at DISPATCH_LEVEL or above lets no other thread and
///            no DPC of it run. Source: WDK, Managing Hardware Priorities.
/// Stores     plain ones wait in their processor's buffer until they become visible, each in a step of its own; interlocked
///            operations, fences and every call of the kernel wait until the buffer is empty.
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "models/harness/actor.hpp"
#include "models/harness/memory.hpp"
#include "models/harness/numbering.hpp"
#include "models/harness/object.hpp"
#include "models/harness/tally.hpp"
#include "models/hw/store_buffer.hpp"
#include "sim/explore/program.hpp"
#include "sim/observe/lock_graph.hpp"
#include "vmbsim/finding.hpp"

struct vmbsim_machine {};  // what the table's functions get

namespace vmbsim::harness {

struct Config {
  explore::MemoryModel memory = explore::MemoryModel::sc;
  std::uint64_t most_steps = 100'000;  ///< after them everybody takes turns: for ten times as many a run may still end
};

struct Processor {
  explicit Processor(explore::MemoryModel memory) : buffer(memory) {}
  std::uint32_t number = 0;
  std::vector<Actor*> nested;  ///< ISRs and DPCs, innermost last
  Actor* raised = nullptr;     ///< the thread at DISPATCH_LEVEL or above
  Actor* latest = nullptr;     ///< the thread that ran last
  std::uint32_t threads = 0;
  std::vector<Actor*> dpcs;  ///< queued, oldest first
  hw::StoreBuffer buffer;
  /// Beside each buffered store: what its writer made known with it, the step of the store, and the writer.
  struct Beside {
    std::uint32_t word;
    Clock released;
    std::int64_t step;
    Actor* by;
  };
  std::vector<Beside> beside;
  std::uint32_t buffer_actor = 0;  ///< under tso
  std::uint64_t steps = 0;
  Clock below;  ///< what a context knows that runs where the IRQL kept others out

  Irql irql() const {
    if (!nested.empty()) return nested.back()->irql;
    return raised != nullptr ? raised->irql : Irql::passive;
  }
};

class Machine : public vmbsim_machine {
 public:
  using Entry = void (*)(const vmbsim_hunt* hunt);

  explicit Machine(Config config);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  const explore::Outcome& run(Entry entry, kernel::ChoiceSource& choices, explore::StepListener* listener);
  std::string actor_name(std::uint32_t actor) const;
  std::string object_name(std::uint32_t object) const;

  // ---- For whoever loads harnesses that may be ill-behaved ----

  /// The run ends with this finding, about the harness's code that runs now.
  void fail(RuleId rule, BugCheck code, const std::string& text, const char* call = "");
  /// After a run: what else ended it. Told before anything else.
  /// `place` follows the words of where it was.
  void add_finding(RuleId rule, BugCheck code, const std::string& text, const std::string& place = {});
  /// In a signal handler: leaves the harness's code for good. Returns when none runs. One that is in a call of what is not to
  /// be left in the middle is left when it goes on, if that is `later` enough: unless it has come to a step by then.
  void stop_harness(bool later);
  /// After a run: whether stop_harness() ended it.
  bool was_stopped() const { return left_ != nullptr; }
  /// The harness's code uses the process's own heap, and has done so.
  void enter_heap() { in_heap_ = true; }
  void leave_heap() {
    in_heap_ = false;
    return_to_harness();
  }
  /// Whether an address lies right below the stack of whoever stop_harness() stopped.
  bool below_stack(std::uintptr_t address) const;
  /// Changes with every step, and with every run.
  std::uint64_t progress() const { return steps_ + runs_; }
  bool in_harness() const { return in_harness_; }
  Memory& memory() { return memory_; }
  /// For a harness's own code. `by` is the function it calls. Null when the run has used up what there is.
  void* take_memory(std::size_t bytes, const char* by, std::size_t alignment);
  void free_memory(void* memory, const char* by);
  /// The harness has no answer to that: the run ends with a finding.
  void run_out_of_memory(const char* by);
  /// What else a run's state consists of: the harness's statics.
  void also_digest(std::vector<std::span<const std::byte>> statics) { statics_ = std::move(statics); }

 private:
  friend struct Table;
  enum class Phase : std::uint8_t { idle, set_up, running, ending };

  /// Who an alternative stands for.
  struct Candidate {
    Actor* actor;           // null: a store buffer
    std::uint32_t cpu = 0;  // whose
    std::uint32_t which = 0;
  };

  // ---- machine.cpp: the run ----
  void clear();
  void whole_run();
  void settle();
  std::uint32_t stride_of_ids() const;
  void go_on();
  Actor* next();
  bool ask();
  void offer_all();
  void offer_flushes(Processor& cpu);
  bool offered(const Actor& actor) const;
  bool may_start(const Actor& actor) const;
  bool may_go_on(const Actor& actor) const;
  bool holds(const Actor& actor);
  static const vmbsim_object* freed_before_start(const Actor& actor);
  bool may_acquire(const vmbsim_object& object, const Actor& actor) const;
  std::uint32_t take_turns();
  void take(std::uint32_t taken);
  void begin_context(Actor& actor);
  void end_of(Actor& actor);
  static void body_of(void* actor);
  void flush(const Candidate& candidate, const kernel::Alternative& made);
  void count_step(const kernel::Alternative& step, std::uint64_t value, Actor* actor, Processor& cpu);
  void switch_from(Actor& self);
  /// Runs the harness's code.
  template <class F>
  auto outside(F&& call) {
    in_harness_ = true;
    if constexpr (std::is_void_v<decltype(call())>) {
      call();
      in_harness_ = false;
    } else {
      const auto answer = call();
      in_harness_ = false;
      return answer;
    }
  }
  void note_held_up();
  void finish();

  // ---- objects.cpp: making them, and the calls that are no steps ----
  vmbsim_object& new_object(int sort, const char* name, const void* place);
  /// Who makes something, be it in a step or in between.
  const Actor& maker() const { return subject_ != nullptr ? *subject_ : *current_; }
  Actor& new_actor(Actor::Sort sort, vmbsim_object& object, std::uint32_t cpu);
  Actor& one_more(vmbsim_object& object, Actor::Sort sort, std::uint32_t cpu);
  Actor& dpc_instance(vmbsim_object& dpc, std::uint32_t cpu);
  Actor& work_instance(vmbsim_object& work);
  Processor& processor(std::uint32_t cpu);
  bool demand_processor(std::uint64_t cpu);
  vmbsim_object* create(int sort, const char* name, const void* place, std::uint64_t a, std::uint64_t b);
  vmbsim_object* create_routine(int sort, const char* name, vmbsim_routine routine, void* context, const void* place,
                                std::uint64_t a, std::uint64_t b);
  std::uint64_t operate(const Request& request);
  void* allocate(std::uint64_t bytes, const char* name, int purpose);
  void release_memory(void* memory, std::uint32_t line);
  void prepare(Actor& actor);
  void prepare_start(Actor& actor, std::int64_t after);
  std::uint32_t choose(kernel::ChoicePoint point, std::uint32_t alternatives, const char* name);
  std::uint32_t answer(const kernel::Choice& choice);
  void reach(const char* text, bool holds);
  void add_processors(std::uint32_t least);
  /// Back to the harness's code; a run that is over takes nobody back.
  void go_back() {
    if (over_) [[unlikely]] {
      handed_ = nullptr;
      current_->fiber.suspend();
    }
    return_to_harness();
  }
  void return_to_harness() {
    in_harness_ = true;
    if (stop_at_ == progress()) [[unlikely]]
      stop_harness(false);
  }

  // ---- operations.cpp: what a step does ----
  void perform(Actor& self);
  void perform_destroy(vmbsim_object& object);
  void perform_on_word(Actor& self);
  void perform_on_data(Actor& self);
  void perform_acquire(Actor& self);
  void perform_release(Actor& self);
  void perform_on_dispatcher(Actor& self);
  void perform_on_queue(Actor& self);
  void perform_on_irql(Actor& self);
  std::uint64_t visible(const vmbsim_object& word, const Actor& self) const;
  static void makes_known(const Actor& self, vmbsim_object& object);
  static void learns(Actor& self, const vmbsim_object& object);
  void take_lock(Actor& self, vmbsim_object& lock, Irql held_at, bool waits);
  void drop_lock(Actor& self, vmbsim_object& lock);
  void set_irql(Actor& self, Irql irql);
  bool demand_irql(const Actor& self, Irql most, BugCheck code);
  void block(Actor& self, vmbsim_object& object);
  void release_waiter(vmbsim_object& object, std::size_t which);
  void release_all(vmbsim_object& object);
  void queue_dpc(vmbsim_object& dpc, std::uint32_t cpu);
  void check_race(Actor& self, const Access& before, bool wrote);

  // ---- yields.cpp ----
  void count_yields();
  void hold_back_yielded();

  // ---- judging.cpp: what is wrong ----
  void judge_rest();
  void judge_end();
  std::vector<bool> reached_by_statics();
  std::string buffer_name(std::size_t cpu) const;
  std::string story_of(const Actor& actor) const;
  std::string waits_of(const Actor& actor) const;
  std::string text_of(const Request& request, std::uint64_t value) const;
  std::string value_text(const vmbsim_object& object, std::uint64_t value) const;
  std::uint64_t state_digest();
  void note_order(const observe::LockGraph::Cycle& cycle);

  Config config_;
  vmbsim_hunt table_{};
  explore::Outcome outcome_;
  kernel::StackPool stacks_;
  Memory memory_;
  Tally tally_;
  observe::LockGraph locks_;
  std::vector<std::span<const std::byte>> statics_;

  Entry entry_ = nullptr;
  kernel::ChoiceSource* choices_ = nullptr;
  explore::StepListener* listener_ = nullptr;

  Phase phase_ = Phase::idle;
  bool over_ = false;
  volatile bool in_harness_ = false;  // a handler reads it
  bool in_condition_ = false;
  std::uint64_t steps_ = 0;
  std::uint64_t runs_ = 0;
  std::deque<vmbsim_object> objects_;  // records, reused; the first made_ are of this run
  std::size_t made_ = 0;
  std::vector<vmbsim_object*> numbered_;  // by number; the first one is nobody
  std::deque<Actor> contexts_;            // the same; the first one is the run itself: its set-up and its end
  std::size_t acting_ = 0;
  std::deque<Processor> cpus_;
  std::size_t running_cpus_ = 0;
  std::vector<Actor*> ring_;  // everybody but store buffers, by id
  std::uint32_t ids_ = 0;     // given in the set-up
  Numbering numbering_;       // after it
  std::uint32_t queues_ = 0;  // object: the DPC queues of all processors
  std::uint32_t clock_cpus_ = 0;

  Actor* current_ = nullptr;     // on whose fibre this is
  const Actor* left_ = nullptr;  // whose code a mishap ended
  static constexpr std::uint64_t never = ~std::uint64_t{0};
  volatile std::uint64_t stop_at_ = never;  // progress() at which the harness is to be stopped when it goes on
  volatile bool in_heap_ = false;           // the harness's code is, in the process's
  std::uintptr_t left_stack_end_ = 0;
  const Actor* subject_ = nullptr;  // whose step is taken
  Actor* handed_ = nullptr;         // whom the context that has just left lets go on
  std::vector<Actor*> eager_;       // run to their next operation before the next question
  std::size_t eager_done_ = 0;
  std::uint32_t last_place_ = 0;  // in ring_, of the context whose step was the last one
  std::uint32_t last_actor_ = 0;
  Actor* last_context_ = nullptr;
  std::vector<kernel::Alternative> each_;
  std::vector<Candidate> who_;
  bool yielded_ = false;               // somebody has
  Actor* stepped_ = nullptr;           // whose step was the last one; null: a store buffer's
  std::vector<std::uint32_t> can_go_;  // actors at the latest question, once somebody has yielded
  std::vector<std::uint32_t> could_;   // and at the one before
  bool turns_ = false;                 // past the limit of steps
  std::uint64_t turn_digest_ = 0;
  std::uint64_t turn_power_ = 0;

  struct Routine {
    vmbsim_routine routine;
    void* context;
  };
  struct Promise {
    vmbsim_condition holds;
    void* context;
    const char* text;
  };
  std::vector<Routine> owned_;
  std::vector<Routine> at_end_;
  std::vector<Promise> promises_;
  std::vector<Finding> dangers_;  // told when nothing worse happened
};

}  // namespace vmbsim::harness
