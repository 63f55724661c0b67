// Dispatcher objects: events, timers and the waits for them.
// Source: the DDI pages of KeWaitForSingleObject, KeSetEvent, KeSetTimerEx, KeCancelTimer.
#include <algorithm>

#include "models/os/thread.hpp"

namespace vmbsim::os {

namespace {

Duration from_100ns(LONGLONG ticks) { return Duration{ticks * 100}; }

/// A timer keeps its calendar event where the header reserves room for the simulator.
kernel::EventHandle& event_of(KTIMER& timer) {
  static_assert(sizeof(kernel::EventHandle) <= sizeof timer.SimulatorData[0]);
  return *reinterpret_cast<kernel::EventHandle*>(&timer.SimulatorData[0]);
}

}  // namespace

NTSTATUS Partition::wait(DISPATCHER_HEADER& object, const LARGE_INTEGER* timeout) {
  const bool only_looks = timeout != nullptr && timeout->QuadPart == 0;
  const Irql highest = only_looks ? Irql::dispatch : Irql::apc;
  const bool legal = require_irql_at_most(highest, "KeWaitForSingleObject", BugCheck::attempted_switch_from_dpc);
  if (object.SignalState > 0) {
    if (object.Type == SynchronizationEvent) object.SignalState = 0;
    return STATUS_SUCCESS;
  }
  if (only_looks || !legal) return STATUS_TIMEOUT;

  WaitBlock block{.link = {}, .thread = current_thread()};
  VMBSIM_ASSERT(block.thread != nullptr, "below DISPATCH_LEVEL only threads execute");
  InsertTailList(&object.WaitListHead, &block.link);
  if (timeout != nullptr) {
    const Duration span = timeout->QuadPart < 0 ? from_100ns(-timeout->QuadPart)
                                                : from_100ns(timeout->QuadPart) - world_.now().time_since_epoch();
    block.timeout = world_.after(
        std::max(span, Duration{}), actor_,
        [](void* expired) {
          auto& late = *static_cast<WaitBlock*>(expired);
          late.thread->partition_.release_waiter(late, STATUS_TIMEOUT);
        },
        &block);
  }
  block.thread->state_ = Thread::State::waiting;
  hw::Processor::current()->wait();
  VMBSIM_ASSERT(block.released, "a waiting thread goes on only when it was released");
  return block.status;
}

void Partition::delay(Duration span) {
  if (!require_irql_at_most(Irql::apc, "KeDelayExecutionThread", BugCheck::attempted_switch_from_dpc)) return;
  WaitBlock block{.link = {}, .thread = current_thread()};
  InitializeListHead(&block.link);
  world_.after(
      span, actor_,
      [](void* expired) {
        auto& done = *static_cast<WaitBlock*>(expired);
        done.thread->partition_.release_waiter(done, STATUS_SUCCESS);
      },
      &block);
  block.thread->state_ = Thread::State::waiting;
  hw::Processor::current()->wait();
}

void Partition::release_waiter(WaitBlock& block, NTSTATUS status) {
  RemoveEntryList(&block.link);
  world_.cancel(block.timeout);
  block.status = status;
  block.released = true;
  make_ready(*block.thread);
}

/// Releases whom a newly signalled object releases: one waiter of a synchronization object, all of a notification object.
void Partition::signal(DISPATCHER_HEADER& object) {
  const bool one = object.Type == SynchronizationEvent;
  object.SignalState = 1;
  if (!one) {
    while (!IsListEmpty(&object.WaitListHead))
      release_waiter(*CONTAINING_RECORD(object.WaitListHead.Flink, WaitBlock, link), STATUS_SUCCESS);
    return;
  }
  std::uint32_t waiting = 0;
  for (LIST_ENTRY* entry = object.WaitListHead.Flink; entry != &object.WaitListHead; entry = entry->Flink) ++waiting;
  if (waiting == 0) return;
  LIST_ENTRY* chosen = object.WaitListHead.Flink;
  for (std::uint32_t skip = world_.choose(kernel::ChoicePoint::wake, waiting); skip != 0; --skip) chosen = chosen->Flink;
  object.SignalState = 0;
  release_waiter(*CONTAINING_RECORD(chosen, WaitBlock, link), STATUS_SUCCESS);
}

LONG Partition::set_event(KEVENT& event) {
  const LONG before = event.Header.SignalState;
  if (before == 0) signal(event.Header);
  return before;
}

void Partition::set_timer(KTIMER& timer, Duration due, Duration period, KDPC* dpc) {
  timer.Header.SignalState = 0;
  timer.Dpc = dpc;
  timer.Period = static_cast<ULONG>(period.count() / 1'000'000);
  timer.SimulatorData[1] = this;
  event_of(timer) = world_.after(
      due, actor_,
      [](void* object) {
        auto& expired = *static_cast<KTIMER*>(object);
        static_cast<Partition*>(expired.SimulatorData[1])->on_timer(expired);
      },
      &timer);
}

bool Partition::cancel_timer(KTIMER& timer) {
  const bool was_set = world_.cancel(event_of(timer));
  event_of(timer) = {};
  return was_set;
}

void Partition::on_timer(KTIMER& timer) {
  if (timer.Period != 0) set_timer(timer, Duration{std::int64_t{timer.Period} * 1'000'000}, Duration{std::int64_t{timer.Period} * 1'000'000}, timer.Dpc);
  signal(timer.Header);
  if (timer.Dpc != nullptr) insert_dpc(*timer.Dpc, nullptr, nullptr);
}

}  // namespace vmbsim::os
