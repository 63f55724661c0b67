#include "models/kmdf/object.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "models/kmdf/device.hpp"
#include "models/kmdf/driver.hpp"
#include "models/kmdf/queue.hpp"

namespace vmbsim::kmdf {

namespace {
constexpr std::array<const char*, 16> kind_names{"WDFDRIVER",   "WDFDEVICE",     "WDFQUEUE",    "WDFREQUEST",
                                                 "WDFIOTARGET", "WDFCMRESLIST",  "WDFMEMORY",   "WDFLOOKASIDE",
                                                 "WDFSTRING",   "WDFCOLLECTION", "WDFSPINLOCK", "WDFWAITLOCK",
                                                 "WDFDPC",      "WDFTIMER",      "WDFWORKITEM", "WDFOBJECT"};
}  // namespace

const char* name_of(Kind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

// ---- Objects ----

Object::Object(Framework& framework, Kind kind, Driver* driver)
    : framework_(framework), driver_(driver), handle_(framework.issue(*this)), kind_(kind) {}

Object* Object::nearest(Kind kind) {
  Object* object = this;
  while (object != nullptr && object->kind_ != kind) object = object->parent_;
  return object;
}

WDF_EXECUTION_LEVEL Object::execution_level() const {
  const Object* object = this;
  while (object->level_ == WdfExecutionLevelInheritFromParent && object->parent_ != nullptr) object = object->parent_;
  return object->level_ == WdfExecutionLevelInheritFromParent ? WdfExecutionLevelDispatch : object->level_;
}

WDF_SYNCHRONIZATION_SCOPE Object::synchronization_scope() const {
  const Object* object = this;
  while (object->scope_ == WdfSynchronizationScopeInheritFromParent && object->parent_ != nullptr)
    object = object->parent_;
  return object->scope_ == WdfSynchronizationScopeInheritFromParent ? WdfSynchronizationScopeNone : object->scope_;
}

NTSTATUS Object::adopt(Object* parent, const WDF_OBJECT_ATTRIBUTES* attributes) {
  NTSTATUS status = STATUS_SUCCESS;
  if (parent != nullptr && parent->being_deleted())
    status = STATUS_DELETE_PENDING;
  else if (attributes != nullptr && attributes->Size != sizeof *attributes)
    status = STATUS_INFO_LENGTH_MISMATCH;
  else if (attributes != nullptr && (attributes->ExecutionLevel == WdfExecutionLevelInvalid ||
                                     attributes->ExecutionLevel > WdfExecutionLevelDispatch))
    status = STATUS_WDF_EXECUTION_LEVEL_INVALID;
  else if (attributes != nullptr && (attributes->SynchronizationScope == WdfSynchronizationScopeInvalid ||
                                     attributes->SynchronizationScope > WdfSynchronizationScopeNone))
    status = STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID;
  if (NT_SUCCESS(status)) {
    parent_ = parent;
    if (parent != nullptr) parent->children_.push_back(this);
    if (attributes == nullptr) return STATUS_SUCCESS;
    level_ = attributes->ExecutionLevel;
    scope_ = attributes->SynchronizationScope;
    if (attributes->ContextTypeInfo == nullptr) {
      if (attributes->EvtCleanupCallback != nullptr || attributes->EvtDestroyCallback != nullptr)
        contexts_.push_back({.cleanup = attributes->EvtCleanupCallback, .destroy = attributes->EvtDestroyCallback});
    } else {
      status = add_context(*attributes, nullptr);
    }
  }
  if (NT_SUCCESS(status)) {
    for (Context& each : contexts_) each.kept = true;
    return STATUS_SUCCESS;
  }
  contexts_.clear();
  dispose();
  destroy();
  return status;
}

NTSTATUS Object::add_context(const WDF_OBJECT_ATTRIBUTES& attributes, void** context) {
  const PCWDF_OBJECT_CONTEXT_TYPE_INFO type = attributes.ContextTypeInfo;
  if (context != nullptr) *context = nullptr;
  if (attributes.Size != sizeof attributes || type->Size != sizeof *type) return STATUS_INFO_LENGTH_MISMATCH;
  if (attributes.ContextSizeOverride != 0 && attributes.ContextSizeOverride < type->ContextSize)
    return STATUS_INVALID_PARAMETER;
  if (void* existing = this->context(type)) {
    if (context != nullptr) *context = existing;
    return STATUS_OBJECT_NAME_EXISTS;
  }
  const std::size_t size = attributes.ContextSizeOverride != 0 ? attributes.ContextSizeOverride : type->ContextSize;
  void* memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, std::max<std::size_t>(size, 1), driver_->pool_tag());
  if (memory == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  contexts_.push_back({.type = type,
                       .memory = memory,
                       .size = size,
                       .cleanup = attributes.EvtCleanupCallback,
                       .destroy = attributes.EvtDestroyCallback});
  if (context != nullptr) *context = memory;
  return STATUS_SUCCESS;
}

void* Object::context(PCWDF_OBJECT_CONTEXT_TYPE_INFO type) const {
  for (const Context& each : contexts_)
    if (each.type == type) return each.memory;
  return nullptr;
}

void Object::dereference(const char* call) {
  const bool own = state_ < State::cleaned;  // the framework's own reference, which goes with the object
  if (references_ == (own ? 1u : 0u))
    return framework_.report(fmt::format("{} gave back a reference of a {} that was not taken", call, name_of(kind_)));
  if (--references_ == 0) destroy();
}

void Object::remove() {
  if (state_ != State::alive) return;
  if (hw::Processor::current()->irql() > Irql::passive && tree_needs_passive()) return framework_.delete_later(*this);
  remove_now();
}

void Object::remove_now() {
  clean_up();
  release_tree();
}

/// Source: EVT_WDF_OBJECT_CONTEXT_CLEANUP, remarks: the list of handle types.
bool Object::needs_passive() const {
  switch (kind_) {
    case Kind::driver:
    case Kind::device:
    case Kind::queue:
    case Kind::io_target:
    case Kind::string:
    case Kind::dpc:
    case Kind::timer:
    case Kind::work_item: return true;
    default: return false;
  }
}

bool Object::tree_needs_passive() const {
  return needs_passive() || std::any_of(children_.begin(), children_.end(),
                                        [](const Object* child) { return child->tree_needs_passive(); });
}

void Object::clean_up() {
  if (state_ >= State::cleaned) return;
  state_ = State::cleaned;  // no more children from here on
  const auto to_do = [](const Object* child) { return child->state_ < State::cleaned; };
  for (auto child = children_.begin();;) {  // from the start each time: a callback may delete siblings
    child = std::find_if(children_.begin(), children_.end(), to_do);
    if (child == children_.end()) break;
    (*child)->clean_up();
  }
  dispose();
  for (std::size_t i = 0; i < contexts_.size(); ++i)
    if (contexts_[i].cleanup != nullptr) {
      const SameIrql same("EvtCleanupCallback");
      contexts_[i].cleanup(handle_);
    }
}

void Object::release_tree() {
  while (!children_.empty()) {
    Object* child = children_.front();
    child->leave_parent();
    child->release_tree();
  }
  leave_parent();
  if (--references_ == 0) destroy();
}

void Object::leave_parent() {
  if (parent_ == nullptr) return;
  std::erase(parent_->children_, this);
  parent_ = nullptr;
}

void Object::destroy() {
  state_ = State::destroyed;
  leave_parent();
  for (std::size_t i = 0; i < contexts_.size(); ++i)
    if (contexts_[i].destroy != nullptr) {
      const SameIrql same("EvtDestroyCallback");
      contexts_[i].destroy(handle_);
    }
  framework_.retire(*handle_);
  handle_ = nullptr;
  finish();
}

void Object::end() {
  for (const Context& each : contexts_)
    if (each.memory != nullptr) ExFreePoolWithTag(each.memory, 0);
  contexts_.clear();
  if (!reusable_) delete this;
}

void Object::join(Object& parent) {
  parent_ = &parent;
  parent.children_.push_back(this);
}

void Object::leave_passive_children_to_worker() {
  if (hw::Processor::current()->irql() == Irql::passive) return;
  for (std::size_t i = 0; i < children_.size();) {
    Object& child = *children_[i];
    if (child.state_ == State::alive && child.tree_needs_passive()) {
      child.leave_parent();
      framework_.delete_later(child);
    } else {
      ++i;
    }
  }
}

void Object::revive() {
  for (const Context& each : contexts_)
    if (!each.kept && each.memory != nullptr) ExFreePoolWithTag(each.memory, 0);
  std::erase_if(contexts_, [](const Context& each) { return !each.kept; });
  for (const Context& each : contexts_)
    if (each.memory != nullptr) std::memset(each.memory, 0, each.size);
  handle_ = framework_.issue(*this);
  references_ = 1;
  state_ = State::alive;
}

// ---- The framework of a partition ----

Framework::Framework(os::Partition& partition) : partition_(partition) {
  deleting_.routine = [](void* self) { static_cast<Framework*>(self)->delete_waiting(); };
  deleting_.context = this;
}

Framework::~Framework() {
  for (const auto& handle : handles_)  // the world ends: nobody is told
    if (handle->object != nullptr && !handle->object->reusable_) delete handle->object;
}

Framework& Framework::of(os::Partition& partition) {
  if (partition.framework == nullptr) partition.framework = std::make_shared<Framework>(partition);
  return *static_cast<Framework*>(partition.framework.get());
}

void Framework::report(std::string text, BugCheck bug_check, std::string_view subject) const {
  partition_.findings().add("WDF", bug_check, subject, std::move(text));
}

bool Framework::require_irql_at_most(Irql highest, const char* call) const {
  return partition_.require_irql_at_most(highest, call, BugCheck::irql_not_less_or_equal);
}

Driver* Framework::driver_of(const void* module, const char* call) const {
  for (Driver* driver : drivers_)
    if (driver->module() == module) return driver;
  report(fmt::format("{} called without a driver object: WdfDriverCreate comes first", call));
  return nullptr;
}

Object* Framework::any_object_of(const void* handle, const char* call) const {
  Object* object = handle != nullptr ? static_cast<const Handle*>(handle)->object : nullptr;
  if (object == nullptr)
    report(fmt::format("{} called with {}", call, handle == nullptr ? "no handle" : "the handle of a deleted object"));
  return object;
}

Object* Framework::check(const void* handle, Kind kind, const char* call) const {
  Object* object = any_object_of(handle, call);
  if (object == nullptr || object->kind() == kind) return object;
  report(fmt::format("{} called with a {}; it takes a {}", call, name_of(object->kind()), name_of(kind)));
  return nullptr;
}

Object* Framework::owner_of_context(const void* context) const {
  for (const auto& handle : handles_)
    if (handle->object != nullptr)
      for (const Object::Context& each : handle->object->contexts_)
        if (each.memory == context) return handle->object;
  return nullptr;
}

std::string Framework::abandon(const Driver& driver) {
  std::array<std::uint32_t, kind_names.size()> counts{};
  for (const auto& handle : handles_) {
    Object* object = handle->object;
    if (object == nullptr || object->driver_ != &driver) continue;
    ++counts[static_cast<std::size_t>(object->kind())];
    retire(*handle);
    object->finish_alone();
  }
  std::string text;
  for (std::size_t kind = 0; kind < counts.size(); ++kind)
    if (counts[kind] != 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", kind_names[kind], counts[kind]);
  return text;
}

Handle* Framework::issue(Object& object) {
  constexpr std::size_t quarantine = 64;  // handles that stay dead for a while
  Handle* handle = nullptr;
  if (spare_.size() > quarantine) {
    handle = spare_.pop();
  } else {
    handles_.push_back(std::make_unique<Handle>());
    handle = handles_.back().get();
  }
  handle->object = &object;
  return handle;
}

void Framework::retire(Handle& handle) {
  handle.object = nullptr;
  spare_.push(&handle);
}

void Framework::delete_later(Object& object) {
  object.state_ = Object::State::waiting_for_worker;
  object.reference();  // its parent may delete it first
  doomed_.push(&object);
  if (!deleting_.queued) partition_.queue_work(deleting_, DelayedWorkQueue);
}

void Framework::delete_waiting() {
  while (!doomed_.empty()) {
    Object& object = *doomed_.pop();
    if (object.state_ == Object::State::waiting_for_worker) object.remove_now();
    if (--object.references_ == 0) object.destroy();
  }
}

// ---- Callbacks ----

SameIrql::~SameIrql() {
  hw::Processor& cpu = *hw::Processor::current();
  if (cpu.irql() == cpu_irql_) return;
  os::Partition::current().findings().add("IRQL", BugCheck::irql_unexpected_value, {},
                                          fmt::format("{} returned at {} level; it was called at {} level", callback_,
                                                      name_of(cpu.irql()), name_of(cpu_irql_)));
  cpu.set_irql(cpu_irql_);
}

void CallbackLock::acquire() {
  if (passive_)
    KeWaitForSingleObject(&free_, Executive, KernelMode, FALSE, nullptr);
  else
    before_ = KeAcquireSpinLockRaiseToDpc(&spin_);
  owner_ = hw::Processor::current()->occupant();
}

void CallbackLock::release() {
  owner_ = nullptr;
  if (passive_)
    KeSetEvent(&free_, IO_NO_INCREMENT, FALSE);
  else
    KeReleaseSpinLock(&spin_, before_);
}

NTSTATUS serialization_lock(Object& parent, bool passive, CallbackLock** lock) {
  *lock = nullptr;
  if (auto* queue = static_cast<Queue*>(parent.nearest(Kind::queue)))
    *lock = queue->lock();
  else if (auto* device = static_cast<Device*>(parent.nearest(Kind::device)))
    *lock = device->lock();
  if (*lock != nullptr && (*lock)->passive() != passive) return STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL;
  return STATUS_SUCCESS;
}

Object* parent_of(const WDF_OBJECT_ATTRIBUTES* attributes, Object* fallback, const char* call, NTSTATUS* status) {
  *status = STATUS_SUCCESS;
  if (attributes == nullptr || attributes->ParentObject == nullptr) {
    if (fallback == nullptr) *status = STATUS_WDF_PARENT_NOT_SPECIFIED;
    return fallback;
  }
  Object* parent = Framework::current().any_object_of(attributes->ParentObject, call);
  if (parent == nullptr) *status = STATUS_INVALID_HANDLE;
  return parent;
}

Creation::Creation(const void* module, const WDF_OBJECT_ATTRIBUTES* attributes, Irql highest, const char* call)
    : framework(Framework::current()) {
  framework.require_irql_at_most(highest, call);
  driver = framework.driver_of(module, call);
  if (driver != nullptr) parent = parent_of(attributes, driver, call, &status);
}

}  // namespace vmbsim::kmdf
