#pragma once
/// Framework objects: what stands behind every handle of wdf.h.
///
/// Life     Created under a parent; deleted with it at the latest. Deleting cleans up the whole tree, children before parents
///          and older before younger ones, and then destroys it in the same order as far as no reference is left.
/// Handles  A handle is one word of its own; it names its object until the object is destroyed, and is used again as late as
///          possible, so that a dead handle is told from a live one.
/// Source   WDK, "Framework Object Life Cycle", "Summary of Framework Objects", EVT_WDF_OBJECT_CONTEXT_CLEANUP.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/os/partition.hpp"
#include "wdf.h"

namespace vmbsim::kmdf {

class Driver;
class Framework;
class Object;

enum class Kind : std::uint8_t {
  driver,
  device,
  queue,
  request,
  io_target,
  resource_list,
  memory,
  lookaside,
  string,
  collection,
  spin_lock,
  wait_lock,
  dpc,
  timer,
  work_item,
  general,
};
/// "WDFDRIVER" and so on.
const char* name_of(Kind kind);

/// What a driver's handle points to.
struct Handle {
  Object* object = nullptr;
};

class Object {
 public:
  Object(Framework& framework, Kind kind, Driver* driver);
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  Framework& framework() const { return framework_; }
  Kind kind() const { return kind_; }
  WDFOBJECT handle() const { return handle_; }
  template <class H>
  H handle_as() const {
    return reinterpret_cast<H>(handle_);
  }
  Driver& driver() const { return *driver_; }
  Object* parent() const { return parent_; }
  /// The object of that kind among this one and those above it; null when there is none.
  Object* nearest(Kind kind);
  /// From here on only EvtDestroyCallback sees it.
  bool being_deleted() const { return state_ != State::alive; }
  std::uint32_t references() const { return references_; }

  WDF_EXECUTION_LEVEL execution_level() const;
  WDF_SYNCHRONIZATION_SCOPE synchronization_scope() const;

  /// Puts a new object under its parent and gives it what the attributes say; `attributes` may be null. On failure the object
  /// is destroyed.
  NTSTATUS adopt(Object* parent, const WDF_OBJECT_ATTRIBUTES* attributes);
  /// The same, and where it succeeds the driver gets its handle.
  template <class H>
  NTSTATUS adopt(Object* parent, const WDF_OBJECT_ATTRIBUTES* attributes, H* handle) {
    const NTSTATUS status = adopt(parent, attributes);
    if (NT_SUCCESS(status)) *handle = handle_as<H>();
    return status;
  }
  /// Adds a context as `attributes` describe it; STATUS_OBJECT_NAME_EXISTS when there is one of the type.
  NTSTATUS add_context(const WDF_OBJECT_ATTRIBUTES& attributes, void** context);
  /// Null when there is none of the type.
  void* context(PCWDF_OBJECT_CONTEXT_TYPE_INFO type) const;

  void reference() { ++references_; }
  /// Gives a reference back; the last one destroys an object that was deleted.
  void dereference(const char* call);
  /// Deletes it and its children, in a worker where that must be at PASSIVE_LEVEL and this is not.
  void remove();

 protected:
  /// Stops what the object does, before its EvtCleanupCallback; at PASSIVE_LEVEL where needs_passive() says so.
  virtual void dispose() {}
  /// Whether it can be cleaned up at PASSIVE_LEVEL only.
  virtual bool needs_passive() const;
  /// The last step of its life: objects that are used again override it.
  virtual void finish() { end(); }
  /// The same when its driver is gone, and with it maybe other objects of that driver, in any order.
  virtual void finish_alone() { finish(); }
  /// Gives its contexts back and ends it, or leaves it to the framework when it is reusable.
  void end();
  /// Gives a fresh life, without a parent, to an object that finish() kept.
  void revive();
  void join(Object& parent);
  void remove_now();
  /// The two halves of a deletion, for objects that have something to do between them.
  void clean_up();
  void release_tree();
  /// Children that can be cleaned up at PASSIVE_LEVEL only are left to a worker when this is no such level.
  void leave_passive_children_to_worker();

  bool reusable_ = false;  // lives as long as the framework

 private:
  friend class Framework;
  enum class State : std::uint8_t { alive, waiting_for_worker, cleaned, destroyed };
  struct Context {
    PCWDF_OBJECT_CONTEXT_TYPE_INFO type = nullptr;  // null: callbacks without a context
    void* memory = nullptr;
    std::size_t size = 0;
    PFN_WDF_OBJECT_CONTEXT_CLEANUP cleanup = nullptr;
    PFN_WDF_OBJECT_CONTEXT_DESTROY destroy = nullptr;
    bool kept = false;  // belongs to every life of the object
  };

  bool tree_needs_passive() const;
  void destroy();
  void leave_parent();

  Framework& framework_;
  Driver* driver_;
  Object* parent_ = nullptr;
  std::vector<Object*> children_;  // oldest first
  std::vector<Context> contexts_;
  Handle* handle_;
  std::uint32_t references_ = 1;
  WDF_EXECUTION_LEVEL level_ = WdfExecutionLevelInheritFromParent;
  WDF_SYNCHRONIZATION_SCOPE scope_ = WdfSynchronizationScopeInheritFromParent;
  Kind kind_;
  State state_ = State::alive;
};

/// The framework of one partition: its handles, its loaded drivers, and the worker that deletes what must be deleted at
/// PASSIVE_LEVEL. Made with the first driver; ends with the partition.
class Framework {
 public:
  explicit Framework(os::Partition& partition);
  ~Framework();
  static Framework& of(os::Partition& partition);
  /// That of the executing software.
  static Framework& current() { return of(os::Partition::current()); }

  os::Partition& partition() const { return partition_; }
  /// A violation of the framework's rules. `bug_check` is 0x10D where Windows stops with it.
  void report(std::string text, BugCheck bug_check = BugCheck::wdf_violation, std::string_view subject = {}) const;
  bool require_irql_at_most(Irql highest, const char* call) const;

  /// The driver that a call from `module` without a handle is for; a finding, and null, when there is none.
  Driver* driver_of(const void* module, const char* call) const;
  void add(Driver& driver) { drivers_.push_back(&driver); }
  void drop(Driver& driver) { std::erase(drivers_, &driver); }
  /// Owns an object until the partition ends, whatever becomes of its handle.
  void keep(std::unique_ptr<Object> object) { kept_.push_back(std::move(object)); }

  /// The object of a handle of the given kind; a finding, and null, when it is no such handle.
  template <class T>
  T* object_of(const void* handle, const char* call) const {
    return static_cast<T*>(check(handle, T::of_kind, call));
  }
  /// The same for a call that belongs at `highest` or below: above it the call is a finding, and goes on.
  template <class T>
  T* object_of(const void* handle, const char* call, Irql highest) const {
    require_irql_at_most(highest, call);
    return object_of<T>(handle, call);
  }
  Object* any_object_of(const void* handle, const char* call) const;
  /// The object whose context this is; null when it is none.
  Object* owner_of_context(const void* context) const;
  /// Ends what is left of a driver that is gone, without callbacks, and tells it by kind: "WDFMEMORY 2".
  std::string abandon(const Driver& driver);

 private:
  friend class Object;
  Handle* issue(Object& object);
  void retire(Handle& handle);
  Object* check(const void* handle, Kind kind, const char* call) const;
  void delete_later(Object& object);
  void delete_waiting();

  os::Partition& partition_;
  std::vector<std::unique_ptr<Handle>> handles_;
  kernel::Fifo<Handle*> spare_;  // longest dead first
  std::vector<std::unique_ptr<Object>> kept_;
  std::vector<Driver*> drivers_;
  kernel::Fifo<Object*> doomed_;  // for the worker
  os::WorkItem deleting_;
};

/// Takes a callback's return at another IRQL than it was called at as a finding, and restores the level.
class SameIrql {
 public:
  explicit SameIrql(const char* callback) : cpu_irql_(hw::Processor::current()->irql()), callback_(callback) {}
  ~SameIrql();
  SameIrql(const SameIrql&) = delete;
  SameIrql& operator=(const SameIrql&) = delete;

 private:
  Irql cpu_irql_;
  const char* callback_;
};

/// The lock of a synchronization scope: a spin lock where callbacks come up to DISPATCH_LEVEL, else an event.
class CallbackLock {
 public:
  explicit CallbackLock(bool passive) : passive_(passive) { KeInitializeEvent(&free_, SynchronizationEvent, TRUE); }
  bool passive() const { return passive_; }
  bool held_here() const { return owner_ != nullptr && owner_ == hw::Processor::current()->occupant(); }
  void acquire();
  void release();

 private:
  bool passive_;
  KSPIN_LOCK spin_ = 0;
  KEVENT free_;
  KIRQL before_ = PASSIVE_LEVEL;
  const hw::Context* owner_ = nullptr;
};

/// Runs a callback of the driver under a lock, when there is one that the executing software does not hold already.
class Serialized {
 public:
  explicit Serialized(CallbackLock* lock) : lock_(lock != nullptr && !lock->held_here() ? lock : nullptr) {
    if (lock_ != nullptr) lock_->acquire();
  }
  ~Serialized() {
    if (lock_ != nullptr) lock_->release();
  }
  Serialized(const Serialized&) = delete;
  Serialized& operator=(const Serialized&) = delete;

 private:
  CallbackLock* lock_;
};

/// For an object that serializes its callbacks with its device or queue: the lock, null when callbacks there do not exclude
/// each other. A failure code when the lock's level is not `passive`.
/// Source: WdfDpcCreate, WdfTimerCreate, WdfWorkItemCreate: STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL.
NTSTATUS serialization_lock(Object& parent, bool passive, CallbackLock** lock);

/// The parent that attributes name, `fallback` when they name none; null, with the status, when it cannot be one.
Object* parent_of(const WDF_OBJECT_ATTRIBUTES* attributes, Object* fallback, const char* call, NTSTATUS* status);

/// What a creating call without a handle begins with: the driver whose code is in `module`, and the new object's parent.
struct Creation {
  Creation(const void* module, const WDF_OBJECT_ATTRIBUTES* attributes, Irql highest, const char* call);
  Framework& framework;
  Driver* driver;
  Object* parent = nullptr;  ///< null: the call fails with `status`
  NTSTATUS status = STATUS_INVALID_DEVICE_STATE;
};

/// The whole of such a call, for an object that needs no more than `rest` to be made.
template <class T, class H, class... Rest>
NTSTATUS create(const void* module, const WDF_OBJECT_ATTRIBUTES* attributes, Irql highest, const char* call, H* handle,
                const Rest&... rest) {
  *handle = nullptr;
  const Creation creation(module, attributes, highest, call);
  if (creation.parent == nullptr) return creation.status;
  auto* object = new T(creation.framework, creation.driver, rest...);
  return object->adopt(creation.parent, attributes, handle);
}

}  // namespace vmbsim::kmdf
