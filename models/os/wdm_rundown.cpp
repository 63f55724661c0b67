// Remove locks and rundown protection.
// Source: WDK, "Using Remove Locks" and "Run-Down Protection"; which IRQLs are legal: the DDI page of each function.
#include "models/os/wdm_caller.hpp"

using namespace vmbsim;
using namespace vmbsim::os::wdm;

namespace {

/// EX_RUNDOWN_REF::Count: bit 0 says that the rundown has begun, the bits above count the references. While somebody waits
/// for the last of them it is the address of his wait instead, bit 0 set.
constexpr ULONG_PTR begun = 1;
constexpr ULONG_PTR one = 2;

struct RundownWait {
  ULONG_PTR references;
  KEVENT over;
};
RundownWait& wait_of(const EX_RUNDOWN_REF& ref) { return *reinterpret_cast<RundownWait*>(ref.Count & ~begun); }

void release(IO_REMOVE_LOCK& lock, const char* call) {
  if (lock.IoCount <= 0) {
    find("RUNDOWN", BugCheck::driver_verifier_detected_violation, std::string(call) + " without IoAcquireRemoveLock");
    return;
  }
  if (--lock.IoCount == 0) partition().set_event(lock.RemoveEvent);
}

}  // namespace

extern "C" {

// ---- Remove locks: the count includes one of the lock's own until the removal ----

VOID IoInitializeRemoveLockEx(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG, ULONG, ULONG) {
  at_most(Irql::passive, "IoInitializeRemoveLock");
  *Lock = IO_REMOVE_LOCK{};
  Lock->IoCount = 1;
  Lock->AllocateTag = AllocateTag;
  KeInitializeEvent(&Lock->RemoveEvent, SynchronizationEvent, FALSE);
}

NTSTATUS IoAcquireRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID, PCSTR, ULONG, ULONG) {
  at_most(Irql::dispatch, "IoAcquireRemoveLock");
  if (RemoveLock->Removed != FALSE) return STATUS_DELETE_PENDING;
  ++RemoveLock->IoCount;
  return STATUS_SUCCESS;
}

VOID IoReleaseRemoveLockEx(PIO_REMOVE_LOCK RemoveLock, PVOID, ULONG) {
  at_most(Irql::dispatch, "IoReleaseRemoveLock");
  if (RemoveLock->Removed == FALSE && RemoveLock->IoCount == 1)
    find("RUNDOWN", BugCheck::driver_verifier_detected_violation, "IoReleaseRemoveLock without IoAcquireRemoveLock");
  else
    release(*RemoveLock, "IoReleaseRemoveLock");
}

VOID IoReleaseRemoveLockAndWaitEx(PIO_REMOVE_LOCK RemoveLock, PVOID, ULONG) {
  if (!at_most(Irql::passive, "IoReleaseRemoveLockAndWait")) return;
  RemoveLock->Removed = TRUE;
  release(*RemoveLock, "IoReleaseRemoveLockAndWait");  // the caller's
  release(*RemoveLock, "IoReleaseRemoveLockAndWait");  // the lock's own
  if (RemoveLock->IoCount > 0) partition().wait(RemoveLock->RemoveEvent.Header, nullptr);
}

// ---- Rundown protection ----

VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) { RunRef->Count = 0; }

BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef) { return ExAcquireRundownProtectionEx(RunRef, 1); }

BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count) {
  at_most(Irql::dispatch, "ExAcquireRundownProtection");
  if ((RunRef->Count & begun) != 0) return FALSE;
  RunRef->Count += one * Count;
  return TRUE;
}

VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef) { ExReleaseRundownProtectionEx(RunRef, 1); }

VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count) {
  at_most(Irql::dispatch, "ExReleaseRundownProtection");
  const bool waited_for = (RunRef->Count & begun) != 0 && RunRef->Count != begun;
  const ULONG_PTR held = waited_for ? wait_of(*RunRef).references : RunRef->Count / one;
  if (Count > held) {
    find("RUNDOWN", BugCheck::driver_verifier_detected_violation,
         "ExReleaseRundownProtection without ExAcquireRundownProtection");
    return;
  }
  if (!waited_for) {
    RunRef->Count -= one * Count;
    return;
  }
  RundownWait& wait = wait_of(*RunRef);
  wait.references -= Count;
  if (wait.references == 0) partition().set_event(wait.over);
}

VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef) {
  if (!at_most(Irql::apc, "ExWaitForRundownProtectionRelease") || RunRef->Count == begun) return;
  RundownWait wait{RunRef->Count / one, {}};
  KeInitializeEvent(&wait.over, SynchronizationEvent, FALSE);
  if (wait.references != 0) {
    RunRef->Count = reinterpret_cast<ULONG_PTR>(&wait) | begun;
    partition().wait(wait.over.Header, nullptr);
  }
  RunRef->Count = begun;
}

VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef) { RunRef->Count = begun; }

VOID ExReInitializeRundownProtection(PEX_RUNDOWN_REF RunRef) {
  at_most(Irql::dispatch, "ExReInitializeRundownProtection");
  RunRef->Count = 0;
}

}  // extern "C"
