// Locks: the functions of wdfsync.h.
#include "models/kmdf/driver.hpp"

namespace vmbsim::kmdf {

namespace {

class SpinLock final : public Object {
 public:
  static constexpr Kind of_kind = Kind::spin_lock;
  SpinLock(Framework& framework, Driver* driver) : Object(framework, Kind::spin_lock, driver) {}
  KSPIN_LOCK word = 0;
  KIRQL before = PASSIVE_LEVEL;  // of the owner
};

class WaitLock final : public Object {
 public:
  static constexpr Kind of_kind = Kind::wait_lock;
  WaitLock(Framework& framework, Driver* driver) : Object(framework, Kind::wait_lock, driver) {
    KeInitializeEvent(&free, SynchronizationEvent, TRUE);
  }
  KEVENT free;
  const hw::Context* owner = nullptr;
};

}  // namespace

}  // namespace vmbsim::kmdf

using namespace vmbsim;
using kmdf::Framework;

extern "C" {

NTSTATUS VmbsimWdfSpinLockCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, WDFSPINLOCK* SpinLock) {
  return kmdf::create<kmdf::SpinLock>(Module, Attributes, Irql::dispatch, "WdfSpinLockCreate", SpinLock);
}

VOID WdfSpinLockAcquire(WDFSPINLOCK SpinLock) {
  Framework& framework = Framework::current();
  auto* lock = framework.object_of<kmdf::SpinLock>(SpinLock, "WdfSpinLockAcquire");
  if (lock == nullptr || !framework.require_irql_at_most(Irql::dispatch, "WdfSpinLockAcquire")) return;
  const KIRQL before = KeAcquireSpinLockRaiseToDpc(&lock->word);
  lock->before = before;
}

VOID WdfSpinLockRelease(WDFSPINLOCK SpinLock) {
  auto* lock = Framework::current().object_of<kmdf::SpinLock>(SpinLock, "WdfSpinLockRelease");
  if (lock != nullptr) KeReleaseSpinLock(&lock->word, lock->before);
}

NTSTATUS VmbsimWdfWaitLockCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, WDFWAITLOCK* Lock) {
  return kmdf::create<kmdf::WaitLock>(Module, Attributes, Irql::dispatch, "WdfWaitLockCreate", Lock);
}

NTSTATUS WdfWaitLockAcquire(WDFWAITLOCK Lock, PLONGLONG Timeout) {
  Framework& framework = Framework::current();
  auto* lock = framework.object_of<kmdf::WaitLock>(Lock, "WdfWaitLockAcquire");
  if (lock == nullptr) return STATUS_INVALID_HANDLE;
  const bool only_looks = Timeout != nullptr && *Timeout == 0;
  if (!framework.require_irql_at_most(only_looks ? Irql::dispatch : Irql::passive, "WdfWaitLockAcquire"))
    return STATUS_TIMEOUT;
  const hw::Context* self = hw::Processor::current()->occupant();
  if (lock->owner == self && Timeout == nullptr) {
    framework.report("WdfWaitLockAcquire called by the lock's owner: a sure deadlock");
    return STATUS_SUCCESS;
  }
  LARGE_INTEGER timeout{};
  if (Timeout != nullptr) timeout.QuadPart = *Timeout;
  const NTSTATUS status =
      KeWaitForSingleObject(&lock->free, Executive, KernelMode, FALSE, Timeout != nullptr ? &timeout : nullptr);
  if (status == STATUS_SUCCESS) lock->owner = self;
  return status;
}

VOID WdfWaitLockRelease(WDFWAITLOCK Lock) {
  Framework& framework = Framework::current();
  auto* lock = framework.object_of<kmdf::WaitLock>(Lock, "WdfWaitLockRelease");
  if (lock == nullptr) return;
  framework.require_irql_at_most(Irql::dispatch, "WdfWaitLockRelease");
  if (lock->owner != hw::Processor::current()->occupant())
    return framework.report("WdfWaitLockRelease called by a thread that does not own the lock");
  lock->owner = nullptr;
  KeSetEvent(&lock->free, IO_NO_INCREMENT, FALSE);
}

}  // extern "C"
