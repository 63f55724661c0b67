// Dispatcher objects: events, semaphores, mutexes, threads and timers as things to wait for, and the waits themselves.
// Source: the DDI pages of KeWaitForSingleObject, KeWaitForMultipleObjects, KeSetEvent, KeReleaseSemaphore, KeReleaseMutex.
#include <algorithm>
#include <array>
#include <string>

#include "models/os/thread.hpp"

namespace vmbsim::os {

namespace {

KMUTANT& mutex_of(DISPATCHER_HEADER& object) { return *CONTAINING_RECORD(&object, KMUTANT, Header); }

/// True when `thread`, which may be null in a DPC, need not wait for `object`.
bool available(DISPATCHER_HEADER& object, Thread* thread) {
  if (object.Type != object_type::mutant) return object.SignalState > 0;
  if (thread == nullptr) return false;  // a mutex has a thread for its owner
  return object.SignalState > 0 || mutex_of(object).OwnerThread == &thread->object();
}

bool satisfied(const Wait& wait) {
  const auto free = [&wait](const WaitBlock& block) { return available(*block.object, wait.thread); };
  return wait.all ? std::all_of(wait.blocks.begin(), wait.blocks.end(), free)
                  : std::any_of(wait.blocks.begin(), wait.blocks.end(), free);
}

/// What a satisfied wait does to an object. True when it was a mutex whose owner has ended.
bool take(DISPATCHER_HEADER& object, Thread* thread) {
  switch (object.Type) {
    case object_type::synchronization_event:
    case object_type::synchronization_timer: object.SignalState = 0; return false;
    case object_type::semaphore: --object.SignalState; return false;
    case object_type::mutant: {
      KMUTANT& mutex = mutex_of(object);
      if (--object.SignalState == 0) {
        mutex.OwnerThread = &thread->object();
        InsertTailList(&thread->mutexes(), &mutex.MutantListEntry);
        ++thread->regions();
      }
      return std::exchange(mutex.Abandoned, BOOLEAN{FALSE}) != FALSE;
    }
    default: return false;
  }
}

/// Takes what satisfies the wait: all of its objects, or the first that is free. The answer is the wait's.
NTSTATUS take(const Wait& wait) {
  bool abandoned = false;
  if (wait.all) {
    for (const WaitBlock& block : wait.blocks) abandoned |= take(*block.object, wait.thread);
    return abandoned ? STATUS_ABANDONED_WAIT_0 : STATUS_SUCCESS;
  }
  NTSTATUS index = 0;
  while (!available(*wait.blocks[static_cast<std::size_t>(index)].object, wait.thread)) ++index;
  abandoned = take(*wait.blocks[static_cast<std::size_t>(index)].object, wait.thread);
  return (abandoned ? STATUS_ABANDONED_WAIT_0 : STATUS_WAIT_0) + index;
}

Wait& wait_of(LIST_ENTRY* entry) { return *CONTAINING_RECORD(entry, WaitBlock, link)->wait; }

}  // namespace

NTSTATUS Partition::wait(DISPATCHER_HEADER& object, const LARGE_INTEGER* timeout) {
  Wait waiting{.thread = current_thread()};
  WaitBlock block{.link = {}, .object = &object, .wait = &waiting};
  waiting.blocks = {&block, 1};
  return wait(waiting, timeout, "KeWaitForSingleObject");
}

NTSTATUS Partition::wait(std::span<DISPATCHER_HEADER* const> objects, WAIT_TYPE type, const LARGE_INTEGER* timeout) {
  VMBSIM_ASSERT(!objects.empty() && objects.size() <= MAXIMUM_WAIT_OBJECTS, "a wait is for 1 to 64 objects");
  Wait waiting{.thread = current_thread(), .all = type == WaitAll};
  std::array<WaitBlock, MAXIMUM_WAIT_OBJECTS> blocks;
  for (std::size_t i = 0; i < objects.size(); ++i)
    blocks[i] = WaitBlock{.link = {}, .object = objects[i], .wait = &waiting};
  waiting.blocks = {blocks.data(), objects.size()};
  return wait(waiting, timeout, "KeWaitForMultipleObjects");
}

NTSTATUS Partition::wait(Wait& waiting, const LARGE_INTEGER* timeout, const char* call) {
  const bool only_looks = timeout != nullptr && timeout->QuadPart == 0;
  const Irql highest = only_looks ? Irql::dispatch : Irql::apc;
  const bool legal =
      require_irql_at_most(highest, call, BugCheck::attempted_switch_from_dpc) && (only_looks || require_thread(call));
  if (satisfied(waiting)) return take(waiting);
  if (only_looks || !legal) return STATUS_TIMEOUT;

  for (WaitBlock& block : waiting.blocks) InsertTailList(&block.object->WaitListHead, &block.link);
  if (timeout != nullptr) {
    waiting.timeout = world_.after(
        span_until(*timeout), actor_,
        [](void* expired) {
          auto& late = *static_cast<Wait*>(expired);
          late.thread->partition_.go_on(late, STATUS_TIMEOUT);
        },
        &waiting);
  }
  waiting.thread->state_ = Thread::State::waiting;
  hw::Processor::current()->wait();
  VMBSIM_ASSERT(waiting.released, "a waiting thread goes on only when it was released");
  return waiting.status;
}

bool Partition::require_thread(const char* call) {
  const Thread* thread = current_thread();
  if (thread != nullptr && !thread->runs_dpcs_) return true;
  findings_.add("IRQL", BugCheck::attempted_switch_from_dpc, {},
                std::string(call) + (thread == nullptr ? " called by a DPC or an ISR that lowered its IRQL"
                                                       : " called by a threaded DPC, which must not wait"));
  return false;
}

void Partition::delay(Duration span) {
  if (!require_irql_at_most(Irql::apc, "KeDelayExecutionThread", BugCheck::attempted_switch_from_dpc) ||
      !require_thread("KeDelayExecutionThread"))
    return;
  Wait sleep{.thread = current_thread()};
  world_.after(
      span, actor_,
      [](void* expired) {
        auto& done = *static_cast<Wait*>(expired);
        done.thread->partition_.go_on(done, STATUS_SUCCESS);
      },
      &sleep);
  sleep.thread->state_ = Thread::State::waiting;
  hw::Processor::current()->wait();
}

/// A wait is over: satisfied, or too late.
void Partition::go_on(Wait& waiting, NTSTATUS status) {
  for (WaitBlock& block : waiting.blocks) RemoveEntryList(&block.link);
  world_.cancel(waiting.timeout);
  waiting.status = status;
  waiting.released = true;
  make_ready(*waiting.thread);
}

/// Releases whom an object that has become signalled releases: all waiters of a notification object or of a thread, of
/// others as many as its state allows. Who waits for all of several objects is passed over until they are all free.
void Partition::satisfy(DISPATCHER_HEADER& object) {
  LIST_ENTRY& waiters = object.WaitListHead;
  const auto next_satisfied = [&waiters](LIST_ENTRY* from) {
    while (from != &waiters && !satisfied(wait_of(from))) from = from->Flink;
    return from;
  };
  const bool one_each = object.Type == object_type::synchronization_event || object.Type == object_type::mutant ||
                        object.Type == object_type::synchronization_timer || object.Type == object_type::semaphore;
  while (object.SignalState > 0) {
    LIST_ENTRY* chosen = next_satisfied(waiters.Flink);
    if (chosen == &waiters) return;
    if (one_each) {
      std::uint32_t candidates = 0;
      for (LIST_ENTRY* entry = chosen; entry != &waiters; entry = next_satisfied(entry->Flink)) ++candidates;
      for (std::uint32_t skip = world_.choose(kernel::ChoicePoint::wake, candidates, cpus_[0].processor->number());
           skip != 0; --skip)
        chosen = next_satisfied(chosen->Flink);
    }
    Wait& waiting = wait_of(chosen);
    go_on(waiting, take(waiting));
  }
}

LONG Partition::set_event(KEVENT& event) {
  const NoSwitch until_done;  // a released waiter may throw the event away as soon as it runs
  leave_behind();
  const LONG before = event.Header.SignalState;
  event.Header.SignalState = 1;
  if (before == 0) satisfy(event.Header);
  return before;
}

LONG Partition::release_semaphore(KSEMAPHORE& semaphore, LONG more) {
  const NoSwitch until_done;
  const LONG before = semaphore.Header.SignalState;
  semaphore.Header.SignalState += more;
  satisfy(semaphore.Header);
  return before;
}

LONG Partition::release_mutex(KMUTANT& mutex) {
  const NoSwitch until_done;
  const LONG before = mutex.Header.SignalState++;
  if (mutex.Header.SignalState == 1) {
    --mutex.OwnerThread->thread->regions_;
    mutex.OwnerThread = nullptr;
    RemoveEntryList(&mutex.MutantListEntry);
    satisfy(mutex.Header);
  }
  return before;
}

}  // namespace vmbsim::os
