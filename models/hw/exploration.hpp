#pragma once
/// What a hunt adds to the timed engine: it stops processors before visible operations, holds interrupts and stores back, lets
/// things fail, and notes what was covered. A world has one while it is hunted, and none in a plain run.
///
/// Stalls   Before each visible operation the hypervisor may deschedule the virtual processor for one of a few spans; its
///          interrupts stay pending. So any order of the processors' operations is reached by a few answers other than 0.
/// Stores   Of ring control words, in tso and pso: they wait in the processor's store buffer until a full barrier, an
///          interlocked operation, a context switch, an interrupt or a hypercall of that processor, or for `store_wait`.
/// Source   Hyper-V TLFS, "Virtual processor scheduling"; Musuvathi and Qadeer, "Iterative context bounding", PLDI 2007.
#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/faults/faults.hpp"
#include "models/faults/planted.hpp"
#include "models/hw/happens_before.hpp"
#include "models/hw/store_buffer.hpp"
#include "sim/explore/program.hpp"
#include "sim/kernel/simulation.hpp"
#include "sim/observe/lock_graph.hpp"
#include "vmbsim/irql.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::hw {

class Processor;
class Context;

/// Where a visible operation is made.
enum class Site : std::uint8_t {
  load_word,
  store_word,
  acquire_lock,
  release_lock,
  try_lock,
  raise_irql,
  lower_irql,
  set_event,
  clear_event,
  read_event,
  wait,
  release_semaphore,
  release_mutex,
  insert_dpc,
  remove_dpc,
  run_dpc,
  set_timer,
  cancel_timer,
  queue_work,
  take_work,
  signal,
  send,
  complete,
  life_cycle,
};
inline constexpr std::uint32_t site_count = 24;
const char* name_of(Site site);

class Exploration {
 public:
  struct Config {
    std::vector<Duration> stalls;  ///< spans to choose from, answer 1 first
    explore::MemoryModel memory = explore::MemoryModel::sc;
    bool latency = false;  ///< costs and latencies are chosen too: as the profile says, half, four times
    faults::Faults faults;
    faults::Planted planted = faults::Planted::none;
  };
  /// How long a store waits that nothing drains.
  static constexpr Duration store_wait{10'000};

  /// `listener` may be null.
  Exploration(kernel::Simulation& world, Config config, explore::StepListener* listener);

  // ---- Names ----
  /// Processors are actors, by the order in which they are made.
  std::uint32_t new_processor(std::string name);
  /// What is no processor and asks all the same, once the processors are known: its numbers as an actor and as an object.
  struct Device {
    std::uint32_t actor;
    std::uint32_t object;
  };
  Device new_device(const std::string& name);
  /// A thing that operations concern. What drivers make has no number of its own: a site says what kind of thing it is.
  std::uint32_t new_object(std::string name);
  /// What lies at this address is called so in the story of a run; what nobody names gets a number.
  void call(const void* thing, std::string name) {
    if (listener_ != nullptr) names_[thing] = std::move(name);
  }
  /// The object that stands for all of what a site concerns.
  static constexpr std::uint32_t kind_of(Site site) { return static_cast<std::uint32_t>(site) + 1; }
  const std::vector<std::string>& processors() const { return processors_; }
  const std::vector<std::string>& objects() const { return objects_; }

  // ---- Questions ----
  /// Before a visible operation of the context that executes on `cpu`: it may be stalled here, and what its processor had
  /// buffered becomes visible. `thing` is what the operation is on, and may be null.
  void before(Processor& cpu, Site site, kernel::Access access, const void* thing);
  /// The start of a DPC is a question of its own kind.
  void before_dpc(Processor& cpu, const void* dpc);
  /// A worker looks for an item, and then takes one; null: there is none.
  void before_work(Processor& cpu);
  void takes_work(const Processor& cpu, const void* item);
  /// How much later than the default something happens; 0: not later.
  Duration late(kernel::ChoicePoint point, std::uint32_t actor, std::uint32_t object = 0);
  Duration chosen_latency(Duration nominal);
  bool fails(faults::Fault fault, std::uint32_t object = 0);
  /// An allocation of `bytes` with `tag` finds no memory. Asked once of each pair.
  bool allocation_fails(std::uint64_t bytes, std::uint32_t tag);
  bool planted(faults::Planted bug) const { return config_.planted == bug; }
  const Config& config() const { return config_; }

  // ---- Words that processors share ----
  std::uint32_t new_word(std::string name, std::uint32_t* cell);
  /// Loads and stores by the executing processor; by an event, they are at once what memory holds.
  std::uint32_t load_word(std::uint32_t word, bool acquire);
  void store_word(std::uint32_t word, std::uint32_t value, bool release);
  /// How many stores of a word have become visible.
  std::uint64_t visible_stores(std::uint32_t word) const { return words_[word].stores; }
  /// Everything that the executing processor has stored becomes visible.
  void barrier();
  void drain(std::uint32_t processor);
  /// An interrupt, a DPC pass, a switch of threads: the processor serialises, and knows what the kernel knows.
  void switches(std::uint32_t processor);
  /// The executing processor leaves something for whoever the kernel lets run.
  void leaves_behind();

  // ---- Plain memory that processors share ----
  /// The executing processor's moment; nobody's in an event.
  HappensBefore::Stamp stamp() const;
  /// Whether what was done then is ordered before what the executing processor does now.
  bool knows(const HappensBefore::Stamp& stamp) const;

  // ---- Locks ----
  /// A context asks for a lock; a danger is told as a text, which is empty otherwise.
  std::string acquires(const Context& context, const void* lock, Irql held_at, bool waits);
  void obtained(const void* lock);  ///< by the executing processor
  void releases(const Context& context, const void* lock);
  /// What lies at this address from now on is a new lock.
  void forget_lock(const void* lock) { lock_numbers_.erase(lock); }

  // ---- Coverage ----
  /// `feature` is any number; equal ones count once a run.
  void cover(std::uint32_t feature);
  const std::vector<std::uint32_t>& features() const { return features_; }
  std::uint64_t steps() const { return steps_; }
  /// As explore::Outcome has it. Calls on what has no number of its own count as calls on one thing.
  std::uint64_t trace_class() const { return trace_class_; }

 private:
  struct Buffer {
    Exploration* exploration;
    std::uint32_t processor;
    StoreBuffer stores;
    kernel::EventHandle drain;
    std::vector<observe::Clock> released;  // beside each store: what it makes known
    std::uint64_t steps = 0;               // of the processor
  };
  void stall(Processor& cpu, kernel::ChoicePoint point, std::uint32_t object);
  void order_calls(std::uint32_t processor, Site site);
  void tell(const Processor& cpu, Site site, kernel::Access access, std::uint32_t object, std::uint64_t value,
            const void* thing = nullptr);
  const std::string& name_of(const void* thing);
  void classify(std::uint32_t processor, kernel::Access access, std::uint32_t object);
  std::uint32_t number_of(std::map<const void*, std::uint32_t>& numbers, const void* address);

  kernel::Simulation& world_;
  Config config_;
  explore::StepListener* listener_;
  std::vector<std::string> processors_;
  std::vector<std::string> objects_;
  std::map<const void*, std::string> names_;  // for the listener
  std::uint32_t numbered_ = 0;                // of those, what nobody named
  struct Word {
    std::uint32_t* cell = nullptr;  // null: another kind of object
    std::uint64_t stores = 0;       // visible ones
    observe::Clock released;        // by the latest of them
    std::uint64_t changes = 0;      // steps that changed the object
    std::uint64_t looks = 0;        // steps since then that read it
  };
  void make_visible(std::uint32_t word, std::uint32_t value) {
    *words_[word].cell = value;
    ++words_[word].stores;
  }
  observe::Clock& clock_of_lock(const void* lock);
  std::vector<Word> words_;  // by object
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, bool> allocations_;
  HappensBefore order_;
  observe::LockGraph locks_;
  std::vector<observe::Clock> lock_clocks_;  // by the lock's number
  std::map<const void*, std::uint32_t> lock_numbers_;
  std::map<const void*, std::uint32_t> context_numbers_;
  std::uint32_t last_number_ = 0;  // of locks and contexts
  std::bitset<65536> covered_;
  std::vector<std::uint32_t> features_;
  std::uint64_t steps_ = 0;
  std::uint64_t trace_class_ = 0;
};

}  // namespace vmbsim::hw
