// Spin locks: a contended acquire burns processor time until the release.
// Source: WDK, "Introduction to spin locks"; bug checks 0x0F and 0x10.
#include "models/os/partition.hpp"

namespace vmbsim::os {

namespace {
/// The lock word names its owner, so that wrong releases and recursive acquires can be told.
KSPIN_LOCK owner_word() { return reinterpret_cast<KSPIN_LOCK>(hw::Processor::current()->occupant()); }
}  // namespace

bool Partition::try_acquire(KSPIN_LOCK& lock) {
  if (lock != 0) return false;
  lock = owner_word();
  return true;
}

void Partition::acquire(KSPIN_LOCK& lock) {
  if (try_acquire(lock)) return;
  if (lock == owner_word()) {
    findings_.add("LOCK", BugCheck::spin_lock_already_owned, {}, "a spin lock was acquired again by its owner: a sure deadlock");
    return;
  }
  hw::Processor& here = *hw::Processor::current();
  Cpu& cpu = cpus_[here.id().value];
  cpu.spinning_on = &lock;
  cpu.spinning_since = ++spins_;
  while (!try_acquire(lock)) here.spin();
  cpu.spinning_on = nullptr;
}

void Partition::release(KSPIN_LOCK& lock) {
  if (lock != owner_word())
    findings_.add("LOCK", BugCheck::spin_lock_not_owned, {}, "a spin lock was released by somebody who does not own it");
  lock = 0;
  // Among the processors that spin here uninterrupted one gets the next look; by default who has spun longest.
  std::uint32_t spinners = 0;
  for (const Cpu& cpu : cpus_)
    if (cpu.spinning_on == &lock && cpu.processor->spinning()) ++spinners;
  if (spinners == 0) return;
  std::uint32_t rank = world_.choose(kernel::ChoicePoint::lock, spinners);
  std::uint64_t after = 0;
  Cpu* chosen = nullptr;
  do {  // the spinner of that rank, in order of arrival
    chosen = nullptr;
    for (Cpu& cpu : cpus_)
      if (cpu.spinning_on == &lock && cpu.processor->spinning() && cpu.spinning_since > after &&
          (chosen == nullptr || cpu.spinning_since < chosen->spinning_since))
        chosen = &cpu;
    after = chosen->spinning_since;
  } while (rank-- != 0);
  chosen->processor->wake_spinner();
}

}  // namespace vmbsim::os
