#pragma once
/// Who makes steps: threads, ISRs, DPCs, work items, timers and store buffers.
#include <cstdint>
#include <vector>

#include "models/harness/object.hpp"
#include "sim/kernel/choice.hpp"
#include "sim/kernel/fiber.hpp"

namespace vmbsim::harness {

class Machine;
struct Processor;

/// Beside the operations of the table: a context starts, a timer expires.
inline constexpr int starts_running = -1;

/// What a context is about to do.
struct Request {
  int operation = VMBSIM_YIELD;
  vmbsim_object* object = nullptr;
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint32_t order = VMBSIM_SEQ_CST;
  std::uint32_t line = 0;
  vmbsim_condition holds = nullptr;  // a spin-wait's
  void* context = nullptr;
  bool drains = false;  // waits until the processor's stores are visible
};

/// What a context that yields knows of the other actors, by their ids, since its latest yield.
struct Window {
  bool open = false;                     ///< it has yielded
  bool closes = false;                   ///< its latest step was a yield
  std::vector<std::uint32_t> could;      ///< could go all the time, and have not gone
  std::vector<std::uint32_t> prevented;  ///< cannot go since a step of its own, and had not gone before
  std::vector<std::uint32_t> gone;       ///< have gone
};

struct Actor {
  enum class Sort : std::uint8_t { thread, interrupt, dpc, work_item, timer };
  enum class Life : std::uint8_t {
    idle,      ///< has nothing to do: a DPC that is not queued
    starting,  ///< may start: its start is a step, a thread's aside
    ready,     ///< stands before `request`
    blocked,   ///< waits for somebody to release it
    finished,
  };

  Actor(kernel::StackPool& stacks, Machine& owner) : machine(owner), fiber(stacks) {}

  Machine& machine;
  kernel::Fiber fiber;
  Sort sort = Sort::thread;
  Life life = Life::idle;
  std::uint32_t index = 0;  ///< among the contexts, in order of creation
  std::uint32_t id = 0;     ///< as choices know it
  std::uint32_t place = 0;  ///< in the round of all
  std::uint32_t cpu = 0;
  Processor* home = nullptr;  ///< the processor of that number, once the run has begun
  Irql irql = Irql::passive;
  Irql entered = Irql::passive;  ///< IRQL it began at
  bool daemon = false;
  std::uint32_t queued = 0;  ///< of a DPC: how often
  vmbsim_object* object = nullptr;
  Request request;
  kernel::Alternative next{};  ///< its next step as choices know it
  std::uint64_t result = 0;
  std::int64_t after = -1;    ///< the step that made its next one possible
  std::int64_t ended = -1;    ///< its last step, once it has finished
  std::int64_t flushed = -1;  ///< the latest step in which a store of its own became visible
  std::uint64_t count = 0;    ///< steps it has made
  std::uint64_t value = 0;    ///< that its latest step read or wrote
  std::vector<vmbsim_object*> held;
  std::vector<std::uint32_t> owed;  ///< ids of actors that go first: two yields and all between passed them over
  Window window;
  Clock clock;
  Clock ordered;  ///< what it knows of the others by neither locks nor words
  Clock seen;     ///< of relaxed loads: known after the next acquire fence
  Clock fenced;   ///< at the latest release fence
};

}  // namespace vmbsim::harness
