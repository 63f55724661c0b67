// Timers.
// Source: the DDI pages of KeSetTimerEx and KeCancelTimer.
#include <algorithm>
#include <limits>

#include "models/os/partition.hpp"

namespace vmbsim::os {

namespace {

/// A timer keeps its calendar event where the header reserves room for the simulator.
kernel::EventHandle& event_of(KTIMER& timer) {
  static_assert(sizeof(kernel::EventHandle) <= sizeof timer.SimulatorData[0]);
  return *reinterpret_cast<kernel::EventHandle*>(&timer.SimulatorData[0]);
}

}  // namespace

Duration Partition::span_until(LARGE_INTEGER due) const {
  constexpr LONGLONG most = std::numeric_limits<Duration::rep>::max() / 100;  // further away is never
  if (due.QuadPart <= 0) return Duration{-std::max(due.QuadPart, -most) * 100};
  return std::max(Duration{std::min(due.QuadPart, most) * 100} - world_.now().time_since_epoch(), Duration{});
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
  timer.Header.SignalState = 1;
  satisfy(timer.Header);
  if (timer.Dpc != nullptr)
    insert_dpc(*timer.Dpc, nullptr, nullptr, static_cast<const Cpu*>(timer.SimulatorData[1])->id);
}

}  // namespace vmbsim::os
