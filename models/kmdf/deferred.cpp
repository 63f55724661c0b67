// What runs later: the functions of wdfdpc.h, wdftimer.h and wdfworkitem.h.
#include "models/kmdf/device.hpp"
#include "models/kmdf/driver.hpp"

namespace vmbsim::kmdf {

namespace {

/// Callbacks that are queued or run, and who waits for their end.
class Activity {
 public:
  Activity() { KeInitializeEvent(&none_, NotificationEvent, TRUE); }
  void begin() {
    ++running_;
    KeClearEvent(&none_);
  }
  void end() {
    if (--running_ == 0) KeSetEvent(&none_, IO_NO_INCREMENT, FALSE);
  }
  /// At PASSIVE_LEVEL.
  void wait() {
    while (running_ != 0) KeWaitForSingleObject(&none_, Executive, KernelMode, FALSE, nullptr);
  }
  /// True when the executing software is one of the callbacks: waiting would never end.
  bool here() const { return inside_ == hw::Processor::current()->occupant(); }
  /// Ends what has begun with the driver's callback, called `name`.
  template <class Callback>
  void end_with(CallbackLock* lock, const char* name, const Callback& callback) {
    inside_ = hw::Processor::current()->occupant();
    {
      const Serialized serialized(lock);
      const SameIrql same(name);
      callback();
    }
    inside_ = nullptr;
    end();
  }

 private:
  std::uint32_t running_ = 0;
  const hw::Context* inside_ = nullptr;
  KEVENT none_;
};

class Dpc final : public Object {
 public:
  static constexpr Kind of_kind = Kind::dpc;
  Dpc(Framework& dpc_framework, Driver* driver, CallbackLock* lock, PFN_WDF_DPC routine)
      : Object(dpc_framework, Kind::dpc, driver), routine_(routine), lock_(lock) {
    KeInitializeDpc(
        &dpc, [](PKDPC, PVOID self, PVOID, PVOID) { static_cast<Dpc*>(self)->run(); }, this);
  }

  KDPC dpc;
  bool enqueue() {
    activity_.begin();  // before: at PASSIVE_LEVEL the DPC runs inside the next call
    if (KeInsertQueueDpc(&dpc, nullptr, nullptr) != FALSE) return true;
    activity_.end();
    return false;
  }
  bool cancel() {
    if (KeRemoveQueueDpc(&dpc) == FALSE) return false;
    activity_.end();
    return true;
  }
  void wait() { activity_.wait(); }

 private:
  void dispose() override {
    cancel();
    wait();
  }
  void run() {
    activity_.end_with(lock_, "EvtDpcFunc", [this] { routine_(handle_as<WDFDPC>()); });
  }

  PFN_WDF_DPC routine_;
  CallbackLock* lock_;
  Activity activity_;
};

class Timer final : public Object {
 public:
  static constexpr Kind of_kind = Kind::timer;
  Timer(Framework& timer_framework, Driver* driver, CallbackLock* lock, const WDF_TIMER_CONFIG& config, bool passive)
      : Object(timer_framework, Kind::timer, driver), config_(config), lock_(lock), passive_(passive) {
    KeInitializeTimer(&timer_);
    KeInitializeDpc(
        &dpc_, [](PKDPC, PVOID self, PVOID, PVOID) { static_cast<Timer*>(self)->expired(); }, this);
    work_.routine = [](void* self) { static_cast<Timer*>(self)->run(); };
    work_.context = this;
  }

  bool start(LONGLONG due) {
    LARGE_INTEGER time;
    time.QuadPart = due;
    return KeSetTimerEx(&timer_, time, static_cast<LONG>(config_.Period), &dpc_) != FALSE;
  }
  bool stop() { return KeCancelTimer(&timer_) != FALSE; }
  /// What has expired runs to its end.
  void wait() {
    if (activity_.here())
      return framework().report("WdfTimerStop waits for the timer's callback in that callback: a deadlock");
    while (dpc_.DpcData != nullptr || work_.queued) {
      LARGE_INTEGER tick;
      tick.QuadPart = WDF_REL_TIMEOUT_IN_US(10);
      KeDelayExecutionThread(KernelMode, FALSE, &tick);
    }
    activity_.wait();
  }

 private:
  void dispose() override {
    stop();
    wait();
  }
  void expired() {
    if (!passive_) return run();
    if (!work_.queued) framework().partition().queue_work(work_, DelayedWorkQueue);
  }
  void run() {
    activity_.begin();
    activity_.end_with(lock_, "EvtTimerFunc", [this] { config_.EvtTimerFunc(handle_as<WDFTIMER>()); });
  }

  WDF_TIMER_CONFIG config_;
  CallbackLock* lock_;
  bool passive_;
  KTIMER timer_;
  KDPC dpc_;
  os::WorkItem work_;
  Activity activity_;
};

class WorkItem final : public Object {
 public:
  static constexpr Kind of_kind = Kind::work_item;
  WorkItem(Framework& item_framework, Driver* driver, CallbackLock* lock, PFN_WDF_WORKITEM routine)
      : Object(item_framework, Kind::work_item, driver), routine_(routine), lock_(lock) {
    work_.routine = [](void* self) { static_cast<WorkItem*>(self)->run(); };
    work_.context = this;
  }

  void enqueue() {
    if (work_.queued) return;
    activity_.begin();
    framework().partition().queue_work(work_, DelayedWorkQueue);
  }
  void flush() {
    if (activity_.here())
      return framework().report("WdfWorkItemFlush called in the work item's own callback: a deadlock");
    activity_.wait();
  }

 private:
  void dispose() override {
    if (!activity_.here()) return activity_.wait();
    framework().report("a work item was deleted in its own callback: the framework waits for its end");
  }
  void run() {
    activity_.end_with(lock_, "EvtWorkItem", [this] { routine_(handle_as<WDFWORKITEM>()); });
  }

  PFN_WDF_WORKITEM routine_;
  CallbackLock* lock_;
  os::WorkItem work_;
  Activity activity_;
};

/// Creates an object whose parent is a device or below one, with the lock that its callbacks take.
/// Source: WdfDpcCreate, WdfTimerCreate, WdfWorkItemCreate, return values.
template <class T, class H, class... Rest>
NTSTATUS create_below_device(const WDF_OBJECT_ATTRIBUTES* attributes, bool serialized, bool passive, const char* call,
                             H* handle, const Rest&... rest) {
  Framework& framework = Framework::current();
  framework.require_irql_at_most(Irql::dispatch, call);
  NTSTATUS status = STATUS_SUCCESS;
  Object* parent = parent_of(attributes, nullptr, call, &status);
  if (parent == nullptr) return status;
  if (parent->nearest(Kind::device) == nullptr) return STATUS_INVALID_DEVICE_REQUEST;
  CallbackLock* lock = nullptr;
  if (serialized) status = serialization_lock(*parent, passive, &lock);
  if (!NT_SUCCESS(status)) return status;
  auto* object = new T(framework, &parent->driver(), lock, rest...);
  return object->adopt(parent, attributes, handle);
}

WDFOBJECT parent_handle(const Object* object) {
  return object != nullptr && object->parent() != nullptr ? object->parent()->handle() : nullptr;
}

}  // namespace

}  // namespace vmbsim::kmdf

using namespace vmbsim;
using kmdf::Framework;

extern "C" {

// ---- DPCs ----

NTSTATUS WdfDpcCreate(PWDF_DPC_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes, WDFDPC* Dpc) {
  *Dpc = nullptr;
  if (Config->Size != sizeof *Config) return STATUS_INFO_LENGTH_MISMATCH;
  if (Config->EvtDpcFunc == nullptr) return STATUS_INVALID_PARAMETER;
  return kmdf::create_below_device<kmdf::Dpc>(Attributes, Config->AutomaticSerialization != FALSE, false,
                                              "WdfDpcCreate", Dpc, Config->EvtDpcFunc);
}

BOOLEAN WdfDpcEnqueue(WDFDPC Dpc) {
  auto* dpc = Framework::current().object_of<kmdf::Dpc>(Dpc, "WdfDpcEnqueue");
  return dpc != nullptr && dpc->enqueue() ? TRUE : FALSE;
}

BOOLEAN WdfDpcCancel(WDFDPC Dpc, BOOLEAN Wait) {
  Framework& framework = Framework::current();
  auto* dpc = framework.object_of<kmdf::Dpc>(Dpc, "WdfDpcCancel");
  if (dpc == nullptr) return FALSE;
  const bool may_wait = Wait != FALSE && framework.require_irql_at_most(Irql::passive, "WdfDpcCancel with Wait");
  const bool was_queued = dpc->cancel();
  if (may_wait) dpc->wait();
  return was_queued ? TRUE : FALSE;
}

WDFOBJECT WdfDpcGetParentObject(WDFDPC Dpc) {
  return kmdf::parent_handle(Framework::current().object_of<kmdf::Dpc>(Dpc, "WdfDpcGetParentObject"));
}
PKDPC WdfDpcWdmGetDpc(WDFDPC Dpc) {
  auto* dpc = Framework::current().object_of<kmdf::Dpc>(Dpc, "WdfDpcWdmGetDpc");
  return dpc != nullptr ? &dpc->dpc : nullptr;
}

// ---- Timers ----

NTSTATUS WdfTimerCreate(PWDF_TIMER_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes, WDFTIMER* Timer) {
  *Timer = nullptr;
  if (Config->Size != sizeof *Config) return STATUS_INFO_LENGTH_MISMATCH;
  const bool passive = Attributes != nullptr && Attributes->ExecutionLevel == WdfExecutionLevelPassive;
  // Source: WDF_TIMER_CONFIG, Period: a timer whose callback runs at PASSIVE_LEVEL is no periodic one.
  if (Config->EvtTimerFunc == nullptr || (passive && Config->Period != 0)) return STATUS_INVALID_PARAMETER;
  return kmdf::create_below_device<kmdf::Timer>(Attributes, Config->AutomaticSerialization != FALSE, passive,
                                                "WdfTimerCreate", Timer, *Config, passive);
}

BOOLEAN WdfTimerStart(WDFTIMER Timer, LONGLONG DueTime) {
  auto* timer = Framework::current().object_of<kmdf::Timer>(Timer, "WdfTimerStart", Irql::dispatch);
  return timer != nullptr && timer->start(DueTime) ? TRUE : FALSE;
}

BOOLEAN WdfTimerStop(WDFTIMER Timer, BOOLEAN Wait) {
  Framework& framework = Framework::current();
  auto* timer = framework.object_of<kmdf::Timer>(Timer, "WdfTimerStop");
  if (timer == nullptr) return FALSE;
  const bool legal = framework.require_irql_at_most(Wait != FALSE ? Irql::passive : Irql::dispatch,
                                                    Wait != FALSE ? "WdfTimerStop with Wait" : "WdfTimerStop");
  const bool was_set = timer->stop();
  if (Wait != FALSE && legal) timer->wait();
  return was_set ? TRUE : FALSE;
}

WDFOBJECT WdfTimerGetParentObject(WDFTIMER Timer) {
  return kmdf::parent_handle(
      Framework::current().object_of<kmdf::Timer>(Timer, "WdfTimerGetParentObject", Irql::dispatch));
}

// ---- Work items ----

NTSTATUS WdfWorkItemCreate(PWDF_WORKITEM_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes, WDFWORKITEM* WorkItem) {
  *WorkItem = nullptr;
  if (Config->Size != sizeof *Config) return STATUS_INFO_LENGTH_MISMATCH;
  if (Config->EvtWorkItemFunc == nullptr) return STATUS_INVALID_PARAMETER;
  return kmdf::create_below_device<kmdf::WorkItem>(Attributes, Config->AutomaticSerialization != FALSE, true,
                                                   "WdfWorkItemCreate", WorkItem, Config->EvtWorkItemFunc);
}

VOID WdfWorkItemEnqueue(WDFWORKITEM WorkItem) {
  if (auto* item = Framework::current().object_of<kmdf::WorkItem>(WorkItem, "WdfWorkItemEnqueue", Irql::dispatch))
    item->enqueue();
}

VOID WdfWorkItemFlush(WDFWORKITEM WorkItem) {
  Framework& framework = Framework::current();
  auto* item = framework.object_of<kmdf::WorkItem>(WorkItem, "WdfWorkItemFlush");
  if (item != nullptr && framework.require_irql_at_most(Irql::passive, "WdfWorkItemFlush")) item->flush();
}

WDFOBJECT WdfWorkItemGetParentObject(WDFWORKITEM WorkItem) {
  return kmdf::parent_handle(
      Framework::current().object_of<kmdf::WorkItem>(WorkItem, "WdfWorkItemGetParentObject", Irql::dispatch));
}

}  // extern "C"
