#pragma once
/// What a harness makes: words, locks, events, contexts. One record for all sorts, reused from run to run.
#include <cstdint>
#include <vector>

#include "sim/observe/vector_clock.hpp"
#include "vmbsim/hunt.h"
#include "vmbsim/irql.hpp"

namespace vmbsim::harness {

struct Actor;
using observe::Clock;

/// One access to a plain variable, as the race detector remembers it.
struct Access {
  std::uint32_t context = 0;  ///< index of who made it
  std::uint32_t count = 0;    ///< that context's own time; 0: never
  std::uint32_t line = 0;
  std::uint64_t step = 0;
};

}  // namespace vmbsim::harness

/// The harness's handle is the record itself. `number` counts from 1.
struct vmbsim_object {
  std::uint32_t number = 0;
  int sort = 0;
  const char* name = "";
  std::uint32_t line = 0;  ///< of its latest destruction
  bool alive = true;
  bool in_pool = false;  ///< lies in memory that the harness frees itself

  // ---- Words and plain variables ----
  std::uint64_t value = 0;
  std::uint32_t bytes = 8;
  bool is_signed = false;
  bool is_pointer = false;
  std::uint32_t buffers = 0;  ///< per_word: actor of the store buffer of processor 0 for it
  vmbsim::harness::Access write{};
  std::vector<vmbsim::harness::Access> reads;  ///< since the latest write, one per context

  // ---- Locks; `value` is a semaphore's count, an event's state, a rundown's protections ----
  std::uint64_t limit = 0;                       ///< of a semaphore
  vmbsim::harness::Actor* owner = nullptr;       ///< exclusively
  std::uint32_t depth = 0;                       ///< how often the owner took it
  std::vector<vmbsim::harness::Actor*> sharers;  ///< of a resource, once per acquisition
  std::vector<vmbsim::harness::Actor*> waiters;  ///< longest waiting first
  vmbsim::Irql irql{};                           ///< an interrupt's, an interrupt lock's
  vmbsim::Irql before{};                         ///< to put back when the lock is released
  bool begun = false;                            ///< a rundown's wait; a timer is set; an interrupt's line is raised
  bool synchronization = false;                  ///< an event that releases one waiter

  // ---- What runs ----
  vmbsim_routine routine = nullptr;
  void* context = nullptr;
  vmbsim::harness::Actor* actor =
      nullptr;  ///< a thread's, a timer's, an interrupt's; the queued one of a DPC or work item
  std::vector<vmbsim::harness::Actor*> instances;  ///< of a DPC or work item: one unless it runs twice at a time
  vmbsim_object* dpc = nullptr;                    ///< a timer's

  // ---- What happened to it ----
  vmbsim::harness::Clock released;  ///< what whoever acquires it knows
  vmbsim::harness::Clock ordered;   ///< the same of what is no matter of locks and words: it is so in every order
  std::uint64_t changes = 0;        ///< steps that changed it
  std::uint64_t looks = 0;          ///< steps since then that read it
  std::uint32_t last_site = 0;      ///< of the latest step on it
  std::uint32_t last_actor = 0xffffffff;
  bool last_changed = false;
};
