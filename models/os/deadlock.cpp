// Who waits for whom, once nothing is left to happen.
// Source: WDK, "Bug Check 0xC4", 0x1001; the DDI pages of KeAcquireSpinLock, KeWaitForSingleObject and ExAcquireFastMutex.
#include <algorithm>
#include <string>

#include "models/os/thread.hpp"
#include "sim/observe/lock_graph.hpp"

namespace vmbsim::os {

bool Partition::find_deadlock() {
  std::vector<const hw::Context*> known;
  std::vector<observe::WaitsFor> waits;
  const auto number = [&known](const hw::Context* context) {
    const auto place = static_cast<std::size_t>(std::find(known.begin(), known.end(), context) - known.begin());
    if (place == known.size()) known.push_back(context);
    return static_cast<std::uint32_t>(place);
  };
  const auto add = [&](const hw::Context* waiter, const hw::Context* owner) {
    if (waiter != nullptr && owner != nullptr) waits.push_back({number(waiter), number(owner)});
  };
  for (const Cpu& cpu : cpus_) {
    const hw::Context* above = nullptr;  // whom it interrupted goes on after it
    const hw::Context* occupant = cpu.processor->occupant();
    if (occupant != nullptr && cpu.processor->spinning() && cpu.spinning_on != nullptr)
      add(occupant, reinterpret_cast<const hw::Context*>(*cpu.spinning_on));
    cpu.processor->each_started([&](const hw::Context& context) {
      if (above == nullptr) above = &context;
      if (&context != above) add(&context, above);
    });
  }
  for (const Queued& queued : queued_) add(queued.owner, reinterpret_cast<const hw::Context*>(*queued.lock));
  for (const auto& thread : threads_) {
    if (!thread->context_) continue;
    for (const auto& owner : threads_)  // it may have ended with the mutex
      if (owner.get() == thread->blocked_by_ && owner->context_) add(&*thread->context_, &*owner->context_);
    for (const LIST_ENTRY* owned = thread->mutexes_.Flink; owned != &thread->mutexes_; owned = owned->Flink) {
      const LIST_ENTRY& waiters = CONTAINING_RECORD(owned, KMUTANT, MutantListEntry)->Header.WaitListHead;
      for (const LIST_ENTRY* entry = waiters.Flink; entry != &waiters; entry = entry->Flink)
        add(&*CONTAINING_RECORD(entry, WaitBlock, link)->wait->thread->context_, &*thread->context_);
    }
  }
  const std::vector<std::uint32_t> ring = observe::find_wait_cycle(waits);
  if (ring.empty()) return false;
  std::string text = "contexts wait for each other for ever:";
  for (const std::uint32_t waiter : ring) {
    const hw::Context& context = *known[waiter];
    text += context.owner() != nullptr                ? " " + thread_of(const_cast<hw::Context&>(context)).name()
            : context.activity() == hw::Activity::isr ? " an ISR"
                                                      : " a DPC";
  }
  findings_.add("DEADLOCK", BugCheck::driver_verifier_detected_violation, name_, std::move(text));
  return true;
}

}  // namespace vmbsim::os
