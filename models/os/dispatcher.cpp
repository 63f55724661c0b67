// Dispatcher objects: events, timers and the waits for them.
// Source: the DDI pages of KeWaitForSingleObject, KeSetEvent, KeSetTimerEx, KeCancelTimer.
#include <algorithm>
#include <limits>

#include "models/os/thread.hpp"

namespace vmbsim::os {

namespace {

/// A timer keeps its calendar event where the header reserves room for the simulator.
kernel::EventHandle& event_of(KTIMER& timer) {
  static_assert(sizeof(kernel::EventHandle) <= sizeof timer.SimulatorData[0]);
  return *reinterpret_cast<kernel::EventHandle*>(&timer.SimulatorData[0]);
}

}  // namespace

NTSTATUS Partition::wait(DISPATCHER_HEADER& object, const LARGE_INTEGER* timeout) {
  const bool only_looks = timeout != nullptr && timeout->QuadPart == 0;
  const Irql highest = only_looks ? Irql::dispatch : Irql::apc;
  const bool legal = require_irql_at_most(highest, "KeWaitForSingleObject", BugCheck::attempted_switch_from_dpc) &&
                     (only_looks || require_thread("KeWaitForSingleObject"));
  if (object.SignalState > 0) {
    if (object.Type == SynchronizationEvent) object.SignalState = 0;
    return STATUS_SUCCESS;
  }
  if (only_looks || !legal) return STATUS_TIMEOUT;

  WaitBlock block{.link = {}, .thread = current_thread()};
  InsertTailList(&object.WaitListHead, &block.link);
  if (timeout != nullptr) {
    block.timeout = world_.after(
        span_until(*timeout), actor_,
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

Duration Partition::span_until(LARGE_INTEGER due) const {
  constexpr LONGLONG most = std::numeric_limits<Duration::rep>::max() / 100;  // further away is never
  if (due.QuadPart <= 0) return Duration{-std::max(due.QuadPart, -most) * 100};
  return std::max(Duration{std::min(due.QuadPart, most) * 100} - world_.now().time_since_epoch(), Duration{});
}

bool Partition::require_thread(const char* call) {
  if (current_thread() != nullptr) return true;
  findings_.add("IRQL", BugCheck::attempted_switch_from_dpc, {},
                std::string(call) + " called by a DPC or an ISR that lowered its IRQL");
  return false;
}

void Partition::delay(Duration span) {
  if (!require_irql_at_most(Irql::apc, "KeDelayExecutionThread", BugCheck::attempted_switch_from_dpc) ||
      !require_thread("KeDelayExecutionThread"))
    return;
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
  for (std::uint32_t skip = world_.choose(kernel::ChoicePoint::wake, waiting); skip != 0; --skip)
    chosen = chosen->Flink;
  object.SignalState = 0;
  release_waiter(*CONTAINING_RECORD(chosen, WaitBlock, link), STATUS_SUCCESS);
}

/// Keeps the executing processor from switching threads while several things change together.
class Partition::NoSwitch {
 public:
  NoSwitch() : cpu_(hw::Processor::current()), before_(cpu_ != nullptr ? cpu_->irql() : Irql::high) {
    if (before_ < Irql::dispatch) cpu_->set_irql(Irql::dispatch);
  }
  ~NoSwitch() {
    if (before_ < Irql::dispatch) cpu_->set_irql(before_);
  }
  NoSwitch(const NoSwitch&) = delete;
  NoSwitch& operator=(const NoSwitch&) = delete;

 private:
  hw::Processor* cpu_;
  Irql before_;
};

LONG Partition::set_event(KEVENT& event) {
  const NoSwitch until_done;  // a released waiter may throw the event away as soon as it runs
  const LONG before = event.Header.SignalState;
  if (before == 0) signal(event.Header);
  return before;
}

void Partition::set_timer(KTIMER& timer, Duration due, Duration period, KDPC* dpc) {
  const hw::Processor* here = hw::Processor::current();
  timer.Header.SignalState = 0;
  timer.Dpc = dpc;
  timer.Period = static_cast<ULONG>(period.count() / 1'000'000);
  timer.SimulatorData[1] = &cpus_[here != nullptr && &here->executive() == this ? here->id().value : 0];
  start_timer(timer, due);
}

void Partition::start_timer(KTIMER& timer, Duration due) {
  InsertTailList(&timers_, &timer.TimerListEntry);
  event_of(timer) = world_.after(
      due, actor_,
      [](void* object) {
        auto& expired = *static_cast<KTIMER*>(object);
        static_cast<Cpu*>(expired.SimulatorData[1])->partition->on_timer(expired);
      },
      &timer);
}

bool Partition::cancel_timer(KTIMER& timer) {
  if (!world_.cancel(event_of(timer))) return false;
  event_of(timer) = {};
  RemoveEntryList(&timer.TimerListEntry);
  return true;
}

void Partition::on_timer(KTIMER& timer) {
  RemoveEntryList(&timer.TimerListEntry);
  event_of(timer) = {};
  if (timer.Period != 0) start_timer(timer, std::chrono::milliseconds{timer.Period});
  signal(timer.Header);
  if (timer.Dpc != nullptr)
    insert_dpc(*timer.Dpc, nullptr, nullptr, static_cast<const Cpu*>(timer.SimulatorData[1])->id);
}

bool Partition::free_pool(void* block) {
  const auto size = pool_.size_of(block);
  if (!size) return false;
  const auto inside = [&](const void* object) {
    const auto distance = reinterpret_cast<std::uintptr_t>(object) - reinterpret_cast<std::uintptr_t>(block);
    return distance < *size;
  };
  const auto sort_out = [&](LIST_ENTRY& list, const char* text, const auto& take_out) {
    for (LIST_ENTRY* entry = list.Flink; entry != &list;) {
      LIST_ENTRY* const next = entry->Flink;
      if (inside(entry)) {
        findings_.add("POOL", BugCheck::timer_or_dpc_invalid, {}, text);
        take_out(entry);
      }
      entry = next;
    }
  };
  sort_out(timers_, "a pool block was freed with a timer in it that is set",
           [this](LIST_ENTRY* entry) { cancel_timer(*CONTAINING_RECORD(entry, KTIMER, TimerListEntry)); });
  for (Cpu& cpu : cpus_)
    sort_out(cpu.dpcs, "a pool block was freed with a DPC in it that is queued",
             [this](LIST_ENTRY* entry) { remove_dpc(*CONTAINING_RECORD(entry, KDPC, DpcListEntry)); });
  return pool_.free(block);
}

}  // namespace vmbsim::os
