// Interrupt request levels, spin locks and the lists that guard themselves with one.
// Which IRQLs are legal, and the bug check of a wrong one: the DDI page of each function.
#include "models/os/wdm_caller.hpp"

using namespace vmbsim;
using namespace vmbsim::os::wdm;

namespace {

KIRQL raise_to(Irql irql, const char* call) {
  visible(Site::raise_irql, nullptr, Access::none);
  const KIRQL before = current_level();
  if (processor().irql() > irql) {
    find("IRQL", BugCheck::irql_not_less_or_equal, std::string(call) + " would lower the IRQL");
    return before;
  }
  processor().set_irql(irql);
  return before;
}

/// Raises to DISPATCH_LEVEL unless the caller is above it, which is a finding.
KIRQL raise_for(const char* call) {
  const KIRQL before = current_level();
  if (at_most(Irql::dispatch, call, BugCheck::driver_verifier_detected_violation)) processor().set_irql(Irql::dispatch);
  return before;
}

void lower_to(KIRQL before) {
  if (before < current_level()) processor().set_irql(static_cast<Irql>(before));
}

KIRQL acquire_raised(KSPIN_LOCK& lock, const char* call) {
  const KIRQL before = raise_for(call);
  partition().acquire(lock);
  return before;
}

void release_lowered(KSPIN_LOCK& lock, KIRQL before, const char* call) {
  require_dispatch(call);
  partition().release(lock);
  lower_to(before);
}

void acquire_raised(KSPIN_LOCK& lock, KLOCK_QUEUE_HANDLE& handle, const char* call) {
  handle.OldIrql = raise_for(call);
  partition().acquire_queued(lock, handle.LockQueue);
}

void release_lowered(const KLOCK_QUEUE_HANDLE& handle, const char* call) {
  release_lowered(*handle.LockQueue.Lock, handle.OldIrql, call);
}

/// The ExInterlocked calls keep even interrupts out while they hold the driver's lock.
class Guard {
 public:
  explicit Guard(KSPIN_LOCK& lock) : lock_(lock), before_(current_level()) {
    processor().set_irql(Irql::high);
    partition().acquire(lock_);
  }
  ~Guard() {
    partition().release(lock_);
    lower_to(before_);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  KSPIN_LOCK& lock_;
  KIRQL before_;
};

}  // namespace

extern "C" {

// ---- Interrupt request levels ----

KIRQL KeGetCurrentIrql(VOID) { return current_level(); }
KIRQL KfRaiseIrql(KIRQL NewIrql) { return raise_to(static_cast<Irql>(NewIrql), "KeRaiseIrql"); }
KIRQL KeRaiseIrqlToDpcLevel(VOID) { return raise_to(Irql::dispatch, "KeRaiseIrqlToDpcLevel"); }

VOID KeLowerIrql(KIRQL NewIrql) {
  visible(Site::lower_irql, nullptr, Access::none);
  if (NewIrql > current_level())
    find("IRQL", BugCheck::irql_not_less_or_equal, "KeLowerIrql would raise the IRQL");
  else
    processor().set_irql(static_cast<Irql>(NewIrql));
}

VOID VmbsimPagedCode(PCSTR Function) {
  if (processor().irql() > Irql::apc)
    find("PAGED", BugCheck::irql_not_less_or_equal,
         std::string(Function) + " is pageable code and runs above APC_LEVEL");
}

// ---- Spin locks ----

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock) {
  *SpinLock = 0;
  const hw::Processor* cpu = hw::Processor::current();
  if (cpu != nullptr && cpu->exploration() != nullptr) cpu->exploration()->forget_lock(SpinLock);
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock) { return acquire_raised(*SpinLock, "KeAcquireSpinLock"); }

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql) {
  release_lowered(*SpinLock, NewIrql, "KeReleaseSpinLock");
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  require_dispatch("KeAcquireSpinLockAtDpcLevel");
  partition().acquire(*SpinLock);
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock) {
  require_dispatch("KeReleaseSpinLockFromDpcLevel");
  partition().release(*SpinLock);
}

KIRQL KeAcquireSpinLockForDpc(PKSPIN_LOCK SpinLock) { return acquire_raised(*SpinLock, "KeAcquireSpinLockForDpc"); }

VOID KeReleaseSpinLockForDpc(PKSPIN_LOCK SpinLock, KIRQL OldIrql) {
  release_lowered(*SpinLock, OldIrql, "KeReleaseSpinLockForDpc");
}

BOOLEAN KeTryToAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock) {
  require_dispatch("KeTryToAcquireSpinLockAtDpcLevel");
  visible(Site::try_lock, SpinLock, Access::acquire);
  if (!partition().try_acquire(*SpinLock)) return FALSE;
  partition().watch_lock(*SpinLock, false);
  return TRUE;
}

BOOLEAN KeTestSpinLock(PKSPIN_LOCK SpinLock) { return *SpinLock == 0 ? TRUE : FALSE; }

// ---- Queued spin locks ----

VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle) {
  acquire_raised(*SpinLock, *LockHandle, "KeAcquireInStackQueuedSpinLock");
}

VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle) {
  release_lowered(*LockHandle, "KeReleaseInStackQueuedSpinLock");
}

VOID KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle) {
  require_dispatch("KeAcquireInStackQueuedSpinLockAtDpcLevel");
  LockHandle->OldIrql = current_level();
  partition().acquire_queued(*SpinLock, LockHandle->LockQueue);
}

VOID KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle) {
  require_dispatch("KeReleaseInStackQueuedSpinLockFromDpcLevel");
  partition().release(*LockHandle->LockQueue.Lock);
}

VOID KeAcquireInStackQueuedSpinLockForDpc(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle) {
  acquire_raised(*SpinLock, *LockHandle, "KeAcquireInStackQueuedSpinLockForDpc");
}

VOID KeReleaseInStackQueuedSpinLockForDpc(PKLOCK_QUEUE_HANDLE LockHandle) {
  release_lowered(*LockHandle, "KeReleaseInStackQueuedSpinLockForDpc");
}

// ---- Lists that guard themselves ----

PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  const Guard guard(*Lock);
  const PLIST_ENTRY first = IsListEmpty(ListHead) ? nullptr : ListHead->Flink;
  InsertHeadList(ListHead, ListEntry);
  return first;
}

PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY ListEntry, PKSPIN_LOCK Lock) {
  const Guard guard(*Lock);
  const PLIST_ENTRY last = IsListEmpty(ListHead) ? nullptr : ListHead->Blink;
  InsertTailList(ListHead, ListEntry);
  return last;
}

PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead, PKSPIN_LOCK Lock) {
  const Guard guard(*Lock);
  return IsListEmpty(ListHead) ? nullptr : RemoveHeadList(ListHead);
}

PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry,
                                              PKSPIN_LOCK Lock) {
  const Guard guard(*Lock);
  const PSINGLE_LIST_ENTRY first = ListHead->Next;
  PushEntryList(ListHead, ListEntry);
  return first;
}

PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead, PKSPIN_LOCK Lock) {
  const Guard guard(*Lock);
  return PopEntryList(ListHead);
}

}  // extern "C"
