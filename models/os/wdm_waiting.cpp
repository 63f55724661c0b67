// Deferred procedure calls, events, semaphores, mutexes, timers, and the waits for them.
// Which IRQLs are legal, and the bug check of a wrong one: the DDI page of each function.

#include "models/os/wdm_caller.hpp"

using namespace vmbsim;
using namespace vmbsim::os::wdm;
namespace object_type = vmbsim::os::object_type;

namespace {

void start_header(DISPATCHER_HEADER& header, UCHAR type, LONG state) {
  header = DISPATCHER_HEADER{};
  header.Type = type;
  header.SignalState = state;
  InitializeListHead(&header.WaitListHead);
}

void start_dpc(KDPC& dpc, UCHAR type, PKDEFERRED_ROUTINE routine, PVOID context) {
  dpc = KDPC{};
  dpc.Type = type;
  dpc.Importance = MediumImportance;
  dpc.DeferredRoutine = routine;
  dpc.DeferredContext = context;
}

/// With Wait TRUE a wait follows at once, and must be legal.
bool may_signal(BOOLEAN wait, const char* call) { return at_most(wait != FALSE ? Irql::apc : Irql::dispatch, call); }

// ---- Fast and guarded mutexes ----

void start_mutex(FAST_MUTEX& mutex) {
  mutex = FAST_MUTEX{};
  mutex.Count = 1;
  start_header(mutex.Event.Header, object_type::synchronization_event, 0);
}

/// Never for a DPC or an ISR: a mutex has a thread for its owner.
bool try_own(FAST_MUTEX& mutex) {
  if (mutex.Owner != nullptr || partition().current_thread() == nullptr) return false;
  mutex.Owner = partition().current_thread();
  mutex.Count = 0;
  return true;
}

/// False when the caller must not wait here; the finding is told.
bool own(FAST_MUTEX& mutex, const char* call) {
  const bool legal = at_most(Irql::apc, call);
  if (partition().current_thread() != nullptr && mutex.Owner == partition().current_thread()) {
    find("LOCK", BugCheck::driver_verifier_detected_violation,
         std::string(call) + " for a mutex that the thread owns: a sure deadlock");
    return false;
  }
  if (!legal) return try_own(mutex);
  while (!try_own(mutex)) {
    ++mutex.Contention;
    os::Thread* const waiting = partition().current_thread();  // null in a DPC, whose wait is a finding
    if (waiting != nullptr) waiting->blocked_by() = static_cast<const os::Thread*>(mutex.Owner);
    const NTSTATUS status = partition().wait(mutex.Event.Header, nullptr);
    if (waiting != nullptr) waiting->blocked_by() = nullptr;
    if (status != STATUS_SUCCESS) return false;
  }
  return true;
}

bool disown(FAST_MUTEX& mutex, const char* call) {
  if (mutex.Owner == nullptr || mutex.Owner != partition().current_thread()) {
    find("LOCK", BugCheck::thread_not_mutex_owner, std::string(call) + " for a mutex that the thread does not own");
    return false;
  }
  mutex.Owner = nullptr;
  mutex.Count = 1;
  if (!IsListEmpty(&mutex.Event.Header.WaitListHead)) partition().set_event(mutex.Event);
  return true;
}

void change_regions(int by, const char* call) {
  if (!at_most(Irql::apc, call)) return;
  os::Thread* thread = partition().current_thread();
  if (thread == nullptr) return;
  if (thread->regions() + by < 0)
    find("THREAD", BugCheck::kernel_apc_pending_during_exit, std::string(call) + " without KeEnterCriticalRegion");
  else
    thread->regions() += by;
}

}  // namespace

extern "C" {

// ---- Deferred procedure calls ----

VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) {
  start_dpc(*Dpc, object_type::dpc, DeferredRoutine, DeferredContext);
}

VOID KeInitializeThreadedDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext) {
  start_dpc(*Dpc, object_type::threaded_dpc, DeferredRoutine, DeferredContext);
}

BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2) {
  visible(Site::insert_dpc, Dpc);
  return partition().insert_dpc(*Dpc, SystemArgument1, SystemArgument2) ? TRUE : FALSE;
}

BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc) {
  visible(Site::remove_dpc, Dpc);
  return partition().remove_dpc(*Dpc) ? TRUE : FALSE;
}
VOID KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance) { Dpc->Importance = static_cast<UCHAR>(Importance); }

VOID KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number) {
  const auto index = static_cast<unsigned char>(Number);
  if (index >= partition().cpu_count())
    find("DPC", BugCheck::timer_or_dpc_invalid, "KeSetTargetProcessorDpc names a processor that does not exist");
  else
    Dpc->Number = static_cast<USHORT>(os::Partition::targeted_dpc + index);
}

NTSTATUS KeSetTargetProcessorDpcEx(PKDPC Dpc, PPROCESSOR_NUMBER ProcNumber) {
  if (ProcNumber->Group != 0 || ProcNumber->Number >= partition().cpu_count()) return STATUS_INVALID_PARAMETER;
  Dpc->Number = static_cast<USHORT>(os::Partition::targeted_dpc + ProcNumber->Number);
  return STATUS_SUCCESS;
}

VOID KeFlushQueuedDpcs(VOID) {
  if (!at_most(Irql::passive, "KeFlushQueuedDpcs")) return;
  // A DPC at the tail of every queue has run when all before it have.
  struct Mark {
    KDPC dpc;
    KEVENT passed;
  } marks[2];
  for (ULONG cpu = 0; cpu < partition().cpu_count(); ++cpu) {
    for (Mark& mark : marks) {
      start_dpc(
          mark.dpc, &mark == marks ? object_type::dpc : object_type::threaded_dpc,
          [](KDPC*, PVOID event, PVOID, PVOID) { partition().set_event(*static_cast<KEVENT*>(event)); }, &mark.passed);
      mark.dpc.Importance = MediumHighImportance;
      mark.dpc.Number = static_cast<USHORT>(os::Partition::targeted_dpc + cpu);
      start_header(mark.passed.Header, object_type::notification_event, 0);
      partition().insert_dpc(mark.dpc, nullptr, nullptr);
    }
    for (Mark& mark : marks) partition().wait(mark.passed.Header, nullptr);
  }
}

// ---- Events ----

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State) {
  start_header(Event->Header, static_cast<UCHAR>(Type), State != FALSE);
}

LONG KeSetEvent(PRKEVENT Event, KPRIORITY, BOOLEAN Wait) {
  may_signal(Wait, "KeSetEvent");
  visible(Site::set_event, Event);
  return partition().set_event(*Event);
}

VOID KeClearEvent(PRKEVENT Event) {
  at_most(Irql::dispatch, "KeClearEvent");
  visible(Site::clear_event, Event, Access::write);
  Event->Header.SignalState = 0;
}

LONG KeResetEvent(PRKEVENT Event) {
  at_most(Irql::dispatch, "KeResetEvent");
  visible(Site::clear_event, Event);
  return std::exchange(Event->Header.SignalState, 0);
}

LONG KeReadStateEvent(PRKEVENT Event) {
  at_most(Irql::dispatch, "KeReadStateEvent");
  visible(Site::read_event, Event, Access::read);
  return Event->Header.SignalState;
}

// ---- Semaphores ----

VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit) {
  start_header(Semaphore->Header, object_type::semaphore, Count);
  Semaphore->Limit = Limit;
}

LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY, LONG Adjustment, BOOLEAN Wait) {
  may_signal(Wait, "KeReleaseSemaphore");
  visible(Site::release_semaphore, Semaphore);
  const LONG before = Semaphore->Header.SignalState;
  if (Adjustment <= 0 || Adjustment > Semaphore->Limit - before) {
    raise("KeReleaseSemaphore goes beyond the semaphore's limit: STATUS_SEMAPHORE_LIMIT_EXCEEDED is raised");
    return before;
  }
  return partition().release_semaphore(*Semaphore, Adjustment);
}

LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore) { return Semaphore->Header.SignalState; }

// ---- Mutexes ----

VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG) {
  *Mutex = KMUTEX{};
  start_header(Mutex->Header, object_type::mutant, 1);
  Mutex->ApcDisable = 1;
}

LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait) {
  may_signal(Wait, "KeReleaseMutex");
  visible(Site::release_mutex, Mutex);
  os::Thread* thread = partition().current_thread();
  if (thread == nullptr || Mutex->OwnerThread != &thread->object()) {
    find("LOCK", BugCheck::thread_not_mutex_owner, "KeReleaseMutex for a mutex that the thread does not own");
    return Mutex->Header.SignalState;
  }
  return partition().release_mutex(*Mutex);
}

LONG KeReadStateMutex(PRKMUTEX Mutex) {
  at_most(Irql::dispatch, "KeReadStateMutex");
  return Mutex->Header.SignalState;
}

VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex) {
  at_most(Irql::dispatch, "ExInitializeFastMutex");
  start_mutex(*FastMutex);
}

VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex) {
  const KIRQL before = current_level();
  if (before < APC_LEVEL) processor().set_irql(Irql::apc);
  if (own(*FastMutex, "ExAcquireFastMutex"))
    FastMutex->OldIrql = before;
  else if (before < APC_LEVEL)
    processor().set_irql(static_cast<Irql>(before));
}

BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex) {
  if (!at_most(Irql::apc, "ExTryToAcquireFastMutex") || !try_own(*FastMutex)) return FALSE;
  FastMutex->OldIrql = current_level();
  processor().set_irql(Irql::apc);
  return TRUE;
}

VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex) {
  if (processor().irql() != Irql::apc)
    find("IRQL", BugCheck::driver_verifier_detected_violation,
         "ExReleaseFastMutex called at another IRQL than APC_LEVEL");
  const auto before = static_cast<KIRQL>(FastMutex->OldIrql);
  if (disown(*FastMutex, "ExReleaseFastMutex") && before < current_level())
    processor().set_irql(static_cast<Irql>(before));
}

VOID KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex) {
  at_most(Irql::dispatch, "KeInitializeGuardedMutex");
  start_mutex(*Mutex);
}

VOID KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex) {
  if (own(*Mutex, "KeAcquireGuardedMutex")) ++partition().current_thread()->regions();
}

BOOLEAN KeTryToAcquireGuardedMutex(PKGUARDED_MUTEX Mutex) {
  if (!at_most(Irql::apc, "KeTryToAcquireGuardedMutex") || !try_own(*Mutex)) return FALSE;
  ++partition().current_thread()->regions();
  return TRUE;
}

VOID KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex) {
  at_most(Irql::apc, "KeReleaseGuardedMutex");
  if (disown(*Mutex, "KeReleaseGuardedMutex")) --partition().current_thread()->regions();
}

VOID KeEnterCriticalRegion(VOID) { change_regions(+1, "KeEnterCriticalRegion"); }
VOID KeLeaveCriticalRegion(VOID) { change_regions(-1, "KeLeaveCriticalRegion"); }

// ---- Waits ----

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON, KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Timeout) {
  visible(Site::wait, Object);
  return partition().wait(*static_cast<DISPATCHER_HEADER*>(Object), Timeout);
}

NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType, KWAIT_REASON, KPROCESSOR_MODE,
                                  BOOLEAN, PLARGE_INTEGER Timeout, PKWAIT_BLOCK WaitBlockArray) {
  if (Count == 0 || Count > MAXIMUM_WAIT_OBJECTS || (WaitBlockArray == nullptr && Count > THREAD_WAIT_OBJECTS)) {
    find("WAIT", BugCheck::maximum_wait_objects_exceeded,
         "KeWaitForMultipleObjects for more objects than it has wait blocks for");
    return STATUS_INVALID_PARAMETER;
  }
  DISPATCHER_HEADER* headers[MAXIMUM_WAIT_OBJECTS];
  for (ULONG i = 0; i < Count; ++i) headers[i] = static_cast<DISPATCHER_HEADER*>(Object[i]);
  visible(Site::wait, Count == 1 ? Object[0] : nullptr);
  return partition().wait({headers, Count}, WaitType, Timeout);
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE, BOOLEAN, PLARGE_INTEGER Interval) {
  partition().delay(partition().span_until(*Interval));
  return STATUS_SUCCESS;
}

// ---- Timers ----

VOID KeInitializeTimer(PKTIMER Timer) { KeInitializeTimerEx(Timer, NotificationTimer); }

VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type) {
  *Timer = KTIMER{};
  start_header(Timer->Header,
               Type == SynchronizationTimer ? object_type::synchronization_timer : object_type::notification_timer, 0);
}

BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc) { return KeSetTimerEx(Timer, DueTime, 0, Dpc); }

BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc) {
  at_most(Irql::dispatch, "KeSetTimerEx");
  visible(Site::set_timer, Timer);
  const bool was_set = partition().cancel_timer(*Timer);
  partition().set_timer(*Timer, partition().span_until(DueTime), std::chrono::milliseconds{Period}, Dpc);
  return was_set ? TRUE : FALSE;
}

BOOLEAN KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime, ULONG Period, ULONG, PKDPC Dpc) {
  return KeSetTimerEx(Timer, DueTime, static_cast<LONG>(Period), Dpc);
}

BOOLEAN KeCancelTimer(PKTIMER Timer) {
  at_most(Irql::dispatch, "KeCancelTimer");
  visible(Site::cancel_timer, Timer);
  return partition().cancel_timer(*Timer) ? TRUE : FALSE;
}

BOOLEAN KeReadStateTimer(PKTIMER Timer) {
  at_most(Irql::dispatch, "KeReadStateTimer");
  return Timer->Header.SignalState != 0 ? TRUE : FALSE;
}

}  // extern "C"
