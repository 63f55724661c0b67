// Spin locks: a contended acquire burns processor time until the release.
// Source: WDK, "Introduction to spin locks"; bug checks 0x0F and 0x10.
#include <algorithm>

#include "models/os/partition.hpp"

namespace vmbsim::os {

namespace {
/// The lock word names its owner, so that wrong releases and recursive acquires can be told.
KSPIN_LOCK owner_word() { return reinterpret_cast<KSPIN_LOCK>(hw::Processor::current()->occupant()); }
}  // namespace

/// In a hunt the order of locks is kept, and what could deadlock is told though it went well.
void Partition::watch_lock(const KSPIN_LOCK& lock, bool waits) {
  if (exploration_ == nullptr) return;
  const hw::Processor& cpu = *hw::Processor::current();
  const std::string danger = exploration_->acquires(*cpu.occupant(), &lock, cpu.irql(), waits);
  if (!danger.empty()) findings_.add("LOCK_ORDER", BugCheck::driver_verifier_detected_violation, {}, danger);
}

/// In a hunt: the executing context is about to take the lock.
void Partition::announce(const KSPIN_LOCK& lock) {
  visible(hw::Site::acquire_lock, &lock, kernel::Access::acquire);
  watch_lock(lock, true);
}

/// Burns time until the lock, which somebody holds, is the executing context's.
void Partition::spin_for(KSPIN_LOCK& lock) {
  if (lock == owner_word()) {
    findings_.add("LOCK", BugCheck::spin_lock_already_owned, {},
                  "a spin lock was acquired again by its owner: a sure deadlock");
    return;
  }
  if (hw::Processor::current()->interrupted_here(reinterpret_cast<const hw::Context*>(lock)))
    findings_.add("LOCK", BugCheck::spin_lock_already_owned, {},
                  "a spin lock was acquired while its owner is interrupted on the same processor: a sure deadlock");
  const std::uint64_t since = ++spins_;
  while (!try_acquire(lock)) {
    // Anew for every look: an ISR here may have spun meanwhile, and who spins below DISPATCH_LEVEL may have been moved.
    Cpu& cpu = cpus_[hw::Processor::current()->id().value];
    cpu.spinning_on = &lock;
    cpu.spinning_since = since;
    ++spinners_;
    cpu.processor->spin();
    --spinners_;
  }
}

void Partition::release(KSPIN_LOCK& lock) {
  if (exploration_ != nullptr) [[unlikely]] {
    visible(hw::Site::release_lock, &lock, kernel::Access::release);
    exploration_->releases(*hw::Processor::current()->occupant(), &lock);
  }
  hw::Context& here = *hw::Processor::current()->occupant();
  if (lock == reinterpret_cast<KSPIN_LOCK>(&here))
    --here.spin_locks();
  else
    findings_.add("LOCK", BugCheck::spin_lock_not_owned, {},
                  "a spin lock was released by somebody who does not own it");
  for (std::size_t i = 0; i < queued_.size(); ++i)
    if (queued_[i].lock == &lock) return hand_over(lock, i);
  lock = 0;
  if (spinners_ == 0) return;
  for (const Cpu& cpu : cpus_)
    if (cpu.spins_for(lock)) {  // they look after the current event, when the releasing context has gone on
      released_.push(&lock);
      world_.soon([](void* self) { static_cast<Partition*>(self)->on_released(); }, this);
      return;
    }
}

// ---- Queued spin locks: whoever asked first is the next owner, even if it serves an interrupt when the lock is released.
// Source: WDK, "Queued Spin Locks". ----

void Partition::acquire_queued(KSPIN_LOCK& lock, KSPIN_LOCK_QUEUE& place) {
  if (exploration_ != nullptr) [[unlikely]]
    announce(lock);
  place = KSPIN_LOCK_QUEUE{nullptr, &lock};
  if (try_acquire(lock)) return;
  const hw::Processor& cpu = *hw::Processor::current();
  if (lock == owner_word() || cpu.interrupted_here(reinterpret_cast<const hw::Context*>(lock))) {
    findings_.add("LOCK", BugCheck::spin_lock_already_owned, {},
                  "a queued spin lock was acquired by a processor that holds it: a sure deadlock");
    if (lock == owner_word()) return;
  }
  place.Next = &place;  // waits
  queued_.push_back({&lock, &place, cpu.occupant()});
  while (place.Next != nullptr) hw::Processor::current()->spin();
  if (exploration_ != nullptr) [[unlikely]]
    exploration_->obtained(&lock);
}

void Partition::hand_over(KSPIN_LOCK& lock, std::size_t place) {
  const Queued next = queued_[place];
  queued_.erase(queued_.begin() + static_cast<std::ptrdiff_t>(place));
  lock = reinterpret_cast<KSPIN_LOCK>(next.owner);
  ++next.owner->spin_locks();
  next.place->Next = nullptr;
  granted_.push(next.owner);
  world_.soon([](void* self) { static_cast<Partition*>(self)->on_granted(); }, this);
}

void Partition::on_granted() {
  const hw::Context* owner = granted_.pop();
  for (Cpu& cpu : cpus_)  // interrupted ones look when that is over
    if (cpu.processor->occupant() == owner && cpu.processor->spinning()) return cpu.processor->let_spinner_look();
}

/// Among the processors that spin uninterrupted one gets the next look; by default who has spun longest.
void Partition::on_released() {
  const KSPIN_LOCK& lock = *released_.pop();
  const auto spinners = static_cast<std::uint32_t>(
      std::count_if(cpus_.begin(), cpus_.end(), [&lock](const Cpu& cpu) { return cpu.spins_for(lock); }));
  if (spinners == 0 || lock != 0) return;  // all interrupted: they look when that is over; or taken by somebody else
  const std::uint32_t rank = world_.choose(kernel::ChoicePoint::lock, spinners, cpus_[0].processor->number());
  for (Cpu& cpu : cpus_) {
    const auto came_before = [&](const Cpu& other) {
      return other.spins_for(lock) && other.spinning_since < cpu.spinning_since;
    };
    if (cpu.spins_for(lock) && std::count_if(cpus_.begin(), cpus_.end(), came_before) == rank)
      return cpu.processor->let_spinner_look();
  }
}

}  // namespace vmbsim::os
