#pragma once
/// Writing harnesses in C++: small concurrent programs of which `vmbsim hunt` tries every order that matters.
///
///   #include "vmbsim/hunt.hpp"
///   using namespace vmbsim::hunt;
///
///   VMBSIM_HARNESS("lost update") {                       // the set-up: no steps, nothing runs yet
///     auto& count = make<Shared<int>>("count");           // lives to the end of the run
///     for (const char* name : {"a", "b"})
///       thread(name, [&] { count.store(count.load() + 1); });
///     at_end([&] { check(count.peek() == 2, "both were counted"); });
///   }
///
/// Steps     Every call on an object is one visible operation, and any other may come before it. peek, check, sometimes, choose,
///           fault, allocate, own and what stands in the set-up are none.
/// Rules     A call that Windows or C++ forbids ends the run with a finding.
/// Lifetime  What a run makes ends with it. A harness may have statics: every run finds them as they were loaded, with the memory
///           that they own. What a run makes of a static in a function is not destroyed.
/// Heap      What the harness's own code takes, by new or C's malloc, calloc, realloc, aligned_alloc, posix_memalign, strdup and
///           strndup, is the run's: freed twice, or written afterwards, is a finding, and so is at the end what no static leads to
///           any more. So is what C++20's std::string takes. What other libraries take for it is the process's: getline's lines,
///           the list of a path's parts.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "vmbsim/hunt.h"
#include "vmbsim/irql.hpp"

namespace vmbsim::hunt {

using vmbsim::Irql;

/// C++'s memory orders. Source: C++20, [atomics.order].
enum Order : std::uint32_t {
  relaxed = VMBSIM_RELAXED,
  acquire = VMBSIM_ACQUIRE_ORDER,
  acq_rel = VMBSIM_ACQ_REL,
  seq_cst = VMBSIM_SEQ_CST,
};

/// The line of a call, for the story of a run; 0 where the language has no place for it.
using Line = std::uint32_t;
#define VMBSIM_HERE std::uint32_t line = static_cast<std::uint32_t>(__builtin_LINE())

namespace detail {

/// The table of this library: set before each run. Hidden, so that no two libraries share it.
[[gnu::visibility("hidden")]] inline const vmbsim_hunt* now = nullptr;

inline std::uint64_t operate(int operation, vmbsim_object* object, std::uint64_t a = 0, std::uint64_t b = 0,
                             Line line = 0, Order order = seq_cst) {
  return now->operate(now->machine, operation, object, a, b, order | (line << 8));
}

template <class F>
void call(void* closure) {
  (*static_cast<F*>(closure))();
}
template <class T>
void destroy(void* object) {
  static_cast<T*>(object)->~T();
}

/// Moves something to memory of the run, which also destroys it.
template <class T, class... Args>
T* make(const char* name, Args&&... args) {
  void* memory = now->allocate(now->machine, sizeof(T), name, VMBSIM_MEMORY_OF_RUN);
  T* made = ::new (memory) T(std::forward<Args>(args)...);
  if constexpr (!std::is_trivially_destructible_v<T>) now->own(now->machine, &destroy<T>, made);
  return made;
}

/// An object of the machine: its name on the other side of the table.
class Handle {
 public:
  Handle(int sort, const std::string& name, std::uint64_t a = 0, std::uint64_t b = 0)
      : object_(now->create(now->machine, sort, name.c_str(), this, a, b)) {}
  template <class F>
  Handle(int sort, const std::string& name, F&& routine, std::uint64_t a, std::uint64_t b) {
    using Closure = std::decay_t<F>;
    Closure* closure = make<Closure>("closure", std::forward<F>(routine));
    object_ = now->create_routine(now->machine, sort, name.c_str(), &call<Closure>, closure, this, a, b);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { operate(VMBSIM_DESTROY, object_); }

  vmbsim_object* object() const { return object_; }

 protected:
  std::uint64_t act(int operation, Line line = 0, std::uint64_t a = 0, std::uint64_t b = 0,
                    Order order = seq_cst) const {
    return operate(operation, object_, a, b, line, order);
  }

 private:
  vmbsim_object* object_;
};

template <class T>
constexpr std::uint64_t shape_of() {
  return sizeof(T) | (std::is_signed_v<T> ? 256u : 0u) | (std::is_pointer_v<T> ? 512u : 0u);
}
template <class T>
std::uint64_t bits(T value) {
  std::uint64_t out = 0;
  std::memcpy(&out, &value, sizeof value);
  return out;
}
template <class T>
T value(std::uint64_t bits) {
  T out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
}

/// A value with the line it stands in: what an operator takes.
template <class T>
struct At {
  At(T given, VMBSIM_HERE) : value(given), where(line) {}
  T value;
  Line where;
};

}  // namespace detail

/// The order `release`, and the call release(p) that frees what allocate() gave.
struct Release {
  constexpr operator Order() const { return static_cast<Order>(VMBSIM_RELEASE_ORDER); }
  /// One step, and one for each object of this header inside. Freed twice, or used afterwards: a finding.
  template <class T>
  void operator()(T* memory, VMBSIM_HERE) const {
    detail::now->release(detail::now->machine, memory, line);
    memory->~T();
    detail::now->bury(detail::now->machine, memory);
  }
};
inline constexpr Release release{};

// ---- Words ----

/// A word that contexts share, as std::atomic<T>. T: an integer, an enumeration, bool or a pointer.
/// Source   C++20, [atomics.types.generic]; the weak orders come from the hunt's memory model.
template <class T>
class Shared : public detail::Handle {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8, "a shared word has at most eight bytes");

 public:
  explicit Shared(const std::string& name, T initial = T{})
      : Handle(VMBSIM_WORD, name, detail::bits(initial), detail::shape_of<T>()) {}

  T load(Order order = seq_cst, VMBSIM_HERE) const { return detail::value<T>(act(VMBSIM_LOAD, line, 0, 0, order)); }
  void store(T value, Order order = seq_cst, VMBSIM_HERE) { act(VMBSIM_STORE, line, detail::bits(value), 0, order); }
  T exchange(T value, Order order = seq_cst, VMBSIM_HERE) { return update(VMBSIM_EXCHANGE, value, order, line); }
  T fetch_add(T value, Order order = seq_cst, VMBSIM_HERE) { return update(VMBSIM_ADD, value, order, line); }
  T fetch_sub(T value, Order order = seq_cst, VMBSIM_HERE) {
    return update(VMBSIM_ADD, static_cast<T>(T{} - value), order, line);
  }
  T fetch_and(T value, Order order = seq_cst, VMBSIM_HERE) { return update(VMBSIM_AND, value, order, line); }
  T fetch_or(T value, Order order = seq_cst, VMBSIM_HERE) { return update(VMBSIM_OR, value, order, line); }
  T fetch_xor(T value, Order order = seq_cst, VMBSIM_HERE) { return update(VMBSIM_XOR, value, order, line); }
  /// Never fails spuriously.
  bool compare_exchange(T& expected, T desired, Order order = seq_cst, VMBSIM_HERE) {
    const T before =
        detail::value<T>(act(VMBSIM_COMPARE_EXCHANGE, line, detail::bits(expected), detail::bits(desired), order));
    const bool done = detail::bits(before) == detail::bits(expected);
    expected = before;
    return done;
  }
  /// A spin-wait: goes on once `holds(value)` is true of what this processor sees. One step, however long it takes.
  template <class Predicate>
  T await(Predicate holds, VMBSIM_HERE) const {
    const auto condition = [](void* context, std::uint64_t value) -> int {
      return (*static_cast<Predicate*>(context))(detail::value<T>(value)) ? 1 : 0;
    };
    return detail::value<T>(detail::now->await(detail::now->machine, object(), condition, &holds, line));
  }
  /// What memory holds now; no step.
  T peek() const { return detail::value<T>(detail::now->peek(detail::now->machine, object())); }

  operator T() const { return load(seq_cst, 0); }
  T operator=(detail::At<T> at) {
    store(at.value, seq_cst, at.where);
    return at.value;
  }
  T operator+=(detail::At<T> at) { return static_cast<T>(fetch_add(at.value, seq_cst, at.where) + at.value); }
  T operator-=(detail::At<T> at) { return static_cast<T>(fetch_sub(at.value, seq_cst, at.where) - at.value); }
  T operator++() { return static_cast<T>(fetch_add(T{1}, seq_cst, 0) + T{1}); }
  T operator--() { return static_cast<T>(fetch_sub(T{1}, seq_cst, 0) - T{1}); }
  T operator++(int) { return fetch_add(T{1}, seq_cst, 0); }
  T operator--(int) { return fetch_sub(T{1}, seq_cst, 0); }

 private:
  T update(int operation, T value, Order order, Line line) {
    return detail::value<T>(act(operation, line, detail::bits(value), 0, order));
  }
};

/// A plain variable: two accesses that nothing orders, one of them a write, are a data race. Source: C++20, [intro.races].
template <class T>
class Data : public detail::Handle {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8, "a plain variable has at most eight bytes");

 public:
  explicit Data(const std::string& name, T initial = T{})
      : Handle(VMBSIM_DATA, name, detail::bits(initial), detail::shape_of<T>()) {}
  T read(VMBSIM_HERE) const { return detail::value<T>(act(VMBSIM_READ, line)); }
  void write(T value, VMBSIM_HERE) { act(VMBSIM_WRITE, line, detail::bits(value)); }
  T peek() const { return detail::value<T>(detail::now->peek(detail::now->machine, object())); }

  operator T() const { return read(0); }
  T operator=(detail::At<T> at) {
    write(at.value, at.where);
    return at.value;
  }
  T operator+=(detail::At<T> at) { return *this = detail::At<T>(static_cast<T>(read(at.where) + at.value), at.where); }
  T operator++() { return *this = detail::At<T>(static_cast<T>(read(0) + T{1}), 0); }
};

/// A full fence: a step that waits until the processor's stores are visible. Source: C++20, [atomics.fences]; Intel, MFENCE.
inline void fence(VMBSIM_HERE) { detail::operate(VMBSIM_FENCE, nullptr, 0, 0, line); }
/// A fence between stores. Source: SPARC V9, STBAR.
inline void write_fence(VMBSIM_HERE) { detail::operate(VMBSIM_WRITE_FENCE, nullptr, 0, 0, line); }

// ---- C++'s primitives ----

/// std::mutex; for std::scoped_lock and std::unique_lock too. Source: C++20, [thread.mutex.class].
class Mutex : public detail::Handle {
 public:
  explicit Mutex(const std::string& name) : Handle(VMBSIM_MUTEX, name) {}
  void lock() { act(VMBSIM_ACQUIRE); }
  void unlock() { act(VMBSIM_RELEASE); }
  bool try_lock() { return act(VMBSIM_TRY_ACQUIRE) != 0; }
};

/// std::condition_variable, without spurious wake-ups. Source: C++20, [thread.condition.condvar].
class ConditionVariable : public detail::Handle {
 public:
  explicit ConditionVariable(const std::string& name) : Handle(VMBSIM_CONDITION, name) {}
  /// Two steps: it lets go of the mutex and waits; it takes the mutex again.
  void wait(Mutex& mutex, VMBSIM_HERE) {
    act(VMBSIM_WAIT, line, reinterpret_cast<std::uintptr_t>(mutex.object()));
    mutex.lock();
  }
  template <class Predicate>
  void wait(Mutex& mutex, Predicate holds, VMBSIM_HERE) {
    while (!holds()) wait(mutex, line);
  }
  void notify_one(VMBSIM_HERE) { act(VMBSIM_NOTIFY_ONE, line); }
  void notify_all(VMBSIM_HERE) { act(VMBSIM_NOTIFY_ALL, line); }
};

/// std::counting_semaphore. Source: C++20, [thread.sema.cnt].
class Semaphore : public detail::Handle {
 public:
  Semaphore(const std::string& name, std::uint64_t count) : Handle(VMBSIM_SEMAPHORE, name, count) {}
  void acquire(VMBSIM_HERE) { act(VMBSIM_ACQUIRE, line); }
  bool try_acquire(VMBSIM_HERE) { return act(VMBSIM_TRY_ACQUIRE, line) != 0; }
  void release(std::uint64_t count = 1, VMBSIM_HERE) { act(VMBSIM_RELEASE, line, count); }
};

// ---- Windows' primitives ----

/// KSPIN_LOCK. Source: WDK, KeAcquireSpinLock and KeReleaseSpinLock.
class SpinLock : public detail::Handle {
 public:
  explicit SpinLock(const std::string& name) : Handle(VMBSIM_SPIN_LOCK, name) {}
  void acquire(VMBSIM_HERE) { act(VMBSIM_ACQUIRE, line); }  ///< raises to DISPATCH_LEVEL
  void release(VMBSIM_HERE) { act(VMBSIM_RELEASE, line); }  ///< and puts back the IRQL of before
  void acquire_at_dpc_level(VMBSIM_HERE) { act(VMBSIM_ACQUIRE_AT_DPC_LEVEL, line); }
  void release_from_dpc_level(VMBSIM_HERE) { act(VMBSIM_RELEASE_FROM_DPC_LEVEL, line); }
  bool try_acquire(VMBSIM_HERE) { return act(VMBSIM_TRY_ACQUIRE, line) != 0; }
  void lock() { act(VMBSIM_ACQUIRE); }
  void unlock() { act(VMBSIM_RELEASE); }
};

/// KEVENT. Source: WDK, KeSetEvent, KeClearEvent, KeResetEvent and KeWaitForSingleObject.
class Event : public detail::Handle {
 public:
  enum Type : std::uint8_t { notification, synchronization };
  Event(const std::string& name, Type type, bool initial = false)
      : Handle(VMBSIM_EVENT, name, initial ? 1 : 0, type == synchronization ? 1 : 0) {}
  bool set(VMBSIM_HERE) { return act(VMBSIM_SET, line) != 0; }  ///< whether it was signalled before
  void clear(VMBSIM_HERE) { act(VMBSIM_CLEAR, line); }
  bool reset(VMBSIM_HERE) { return act(VMBSIM_RESET, line) != 0; }
  void wait(VMBSIM_HERE) { act(VMBSIM_WAIT, line); }
};

/// KMUTEX, whose owner may take it again. Source: WDK, KeReleaseMutex.
class KernelMutex : public detail::Handle {
 public:
  explicit KernelMutex(const std::string& name) : Handle(VMBSIM_KERNEL_MUTEX, name) {}
  void acquire(VMBSIM_HERE) { act(VMBSIM_ACQUIRE, line); }
  void release(VMBSIM_HERE) { act(VMBSIM_RELEASE, line); }
};

/// FAST_MUTEX, which raises to APC_LEVEL. Source: WDK, ExAcquireFastMutex.
class FastMutex : public detail::Handle {
 public:
  explicit FastMutex(const std::string& name) : Handle(VMBSIM_FAST_MUTEX, name) {}
  void acquire(VMBSIM_HERE) { act(VMBSIM_ACQUIRE, line); }
  void release(VMBSIM_HERE) { act(VMBSIM_RELEASE, line); }
  bool try_acquire(VMBSIM_HERE) { return act(VMBSIM_TRY_ACQUIRE, line) != 0; }
};

/// KSEMAPHORE. Source: WDK, KeReleaseSemaphore.
class KernelSemaphore : public detail::Handle {
 public:
  KernelSemaphore(const std::string& name, std::uint64_t count, std::uint64_t limit)
      : Handle(VMBSIM_KERNEL_SEMAPHORE, name, count, limit) {}
  void acquire(VMBSIM_HERE) { act(VMBSIM_ACQUIRE, line); }
  void release(std::uint64_t count = 1, VMBSIM_HERE) { act(VMBSIM_RELEASE, line, count); }
};

/// ERESOURCE: one exclusive owner, or many shared ones. Source: WDK, Introduction to ERESOURCE Routines.
class Resource : public detail::Handle {
 public:
  explicit Resource(const std::string& name) : Handle(VMBSIM_RESOURCE, name) {}
  void acquire_shared(VMBSIM_HERE) { act(VMBSIM_ACQUIRE_SHARED, line); }
  void acquire_exclusive(VMBSIM_HERE) { act(VMBSIM_ACQUIRE, line); }
  void release(VMBSIM_HERE) { act(VMBSIM_RELEASE, line); }
};

/// EX_RUNDOWN_REF. Source: WDK, Run-Down Protection.
class Rundown : public detail::Handle {
 public:
  explicit Rundown(const std::string& name) : Handle(VMBSIM_RUNDOWN, name) {}
  bool acquire(VMBSIM_HERE) { return act(VMBSIM_ACQUIRE, line) != 0; }  ///< false once a wait has begun
  void release(VMBSIM_HERE) { act(VMBSIM_RELEASE, line); }
  void wait(VMBSIM_HERE) { act(VMBSIM_WAIT, line); }  ///< until every protection is released
};

/// KDPC. Its routine runs at DISPATCH_LEVEL, to completion, on the processor whose queue it is in.
/// Source   WDK, KeInsertQueueDpc, KeRemoveQueueDpc and KeSetTargetProcessorDpc.
class Dpc : public detail::Handle {
 public:
  template <class F>
  Dpc(const std::string& name, F&& routine) : Handle(VMBSIM_DPC, name, std::forward<F>(routine), 0, 0) {}
  bool insert(VMBSIM_HERE) { return act(VMBSIM_INSERT, line) != 0; }  ///< false when it is queued already
  bool insert_on(std::uint32_t cpu, VMBSIM_HERE) { return act(VMBSIM_INSERT, line, cpu + 1) != 0; }
  bool remove(VMBSIM_HERE) { return act(VMBSIM_REMOVE, line) != 0; }  ///< true when it was queued
};

/// An I/O work item: its routine runs at PASSIVE_LEVEL in a thread of the system. Source: WDK, IoQueueWorkItem.
class WorkItem : public detail::Handle {
 public:
  template <class F>
  WorkItem(const std::string& name, F&& routine) : Handle(VMBSIM_WORK_ITEM, name, std::forward<F>(routine), 0, 0) {}
  void queue(VMBSIM_HERE) { act(VMBSIM_QUEUE, line); }
};

/// KTIMER: once set it expires at any later step, and queues its DPC. Source: WDK, KeSetTimer and KeCancelTimer.
class Timer : public detail::Handle {
 public:
  explicit Timer(const std::string& name) : Handle(VMBSIM_TIMER, name) {}
  bool set(Dpc& dpc, VMBSIM_HERE) {  ///< true when it was set already
    return act(VMBSIM_ARM, line, reinterpret_cast<std::uintptr_t>(dpc.object())) != 0;
  }
  bool cancel(VMBSIM_HERE) { return act(VMBSIM_CANCEL, line) != 0; }  ///< true when it was set
};

/// A device's interrupt on one processor. Source: WDK, IoConnectInterruptEx.
class Interrupt : public detail::Handle {
 public:
  template <class F>
  Interrupt(const std::string& name, std::uint32_t cpu, Irql irql, F&& isr)
      : Handle(VMBSIM_INTERRUPT, name, std::forward<F>(isr), cpu, static_cast<std::uint64_t>(irql)), irql_(irql) {}
  void request(VMBSIM_HERE) { act(VMBSIM_REQUEST, line); }
  Irql irql() const { return irql_; }

 private:
  Irql irql_;
};

/// The spin lock that a driver shares with an ISR. Source: WDK, KeAcquireInterruptSpinLock.
class InterruptSpinLock : public detail::Handle {
 public:
  explicit InterruptSpinLock(const Interrupt& interrupt, const std::string& name = "interrupt lock")
      : Handle(VMBSIM_INTERRUPT_SPIN_LOCK, name, static_cast<std::uint64_t>(interrupt.irql())) {}
  void acquire(VMBSIM_HERE) { act(VMBSIM_ACQUIRE, line); }
  void release(VMBSIM_HERE) { act(VMBSIM_RELEASE, line); }
};

/// The IRQL before. Source: WDK, KeRaiseIrql.
inline Irql raise_irql(Irql irql, VMBSIM_HERE) {
  return static_cast<Irql>(detail::operate(VMBSIM_RAISE, nullptr, static_cast<std::uint64_t>(irql), 0, line));
}
/// Source: WDK, KeLowerIrql.
inline void lower_irql(Irql irql, VMBSIM_HERE) {
  detail::operate(VMBSIM_LOWER, nullptr, static_cast<std::uint64_t>(irql), 0, line);
}
inline Irql current_irql() { return static_cast<Irql>(detail::now->current_irql(detail::now->machine)); }
inline std::uint32_t current_processor() { return detail::now->current_processor(detail::now->machine); }

// ---- Threads and processors ----

struct ThreadOptions {
  int cpu = -1;         ///< -1: a processor of its own; threads of one processor take turns below DISPATCH_LEVEL
  bool daemon = false;  ///< may still wait when everything else is over
};

class Thread {
 public:
  explicit Thread(vmbsim_object* object) : object_(object) {}
  void join(VMBSIM_HERE) { detail::operate(VMBSIM_JOIN, object_, 0, 0, line); }

 private:
  vmbsim_object* object_;
};

/// Runs `body` in a context of its own. Called by a running context it is a step only where stores wait to become visible.
template <class F>
Thread thread(const std::string& name, F&& body, ThreadOptions options = {}) {
  using Closure = std::decay_t<F>;
  Closure* closure = detail::make<Closure>("closure", std::forward<F>(body));
  return Thread(detail::now->create_routine(detail::now->machine, VMBSIM_THREAD, name.c_str(), &detail::call<Closure>,
                                            closure, nullptr, static_cast<std::uint64_t>(options.cpu + 1),
                                            options.daemon));
}
/// At least that many processors. In the set-up.
inline void processors(std::uint32_t least) { detail::now->processors(detail::now->machine, least); }
/// For loops that wait for another context: who yields twice lets those go first that could have gone in between.
inline void yield(VMBSIM_HERE) { detail::operate(VMBSIM_YIELD, nullptr, 0, 0, line); }

// ---- Memory ----

/// An object that lives to the end of the run.
template <class T, class... Args>
T& make(Args&&... args) {
  return *detail::make<T>("make", std::forward<Args>(args)...);
}
/// Pool memory, which release(p) frees once. Never: a finding at the run's end.
template <class T, class... Args>
T* allocate(const char* name, Args&&... args) {
  return ::new (detail::now->allocate(detail::now->machine, sizeof(T), name, VMBSIM_MEMORY_POOL))
      T(std::forward<Args>(args)...);
}

// ---- What must hold, and what is open ----

inline void check(bool holds, const char* text, VMBSIM_HERE) {
  detail::now->check(detail::now->machine, holds, text, line);
}
/// `holds()` when everything has come to rest.
template <class Predicate>
void eventually(Predicate holds, const char* text) {
  Predicate* kept = detail::make<Predicate>("predicate", std::move(holds));
  detail::now->eventually(
      detail::now->machine,
      [](void* context, std::uint64_t) -> int { return (*static_cast<Predicate*>(context))() ? 1 : 0; }, kept, text);
}
/// Should be true in some run: a campaign that never met it says so.
inline void sometimes(bool holds, const char* text) { detail::now->sometimes(detail::now->machine, holds, text); }
/// After everything has come to rest; no steps.
template <class F>
void at_end(F&& body) {
  using Closure = std::decay_t<F>;
  detail::now->at_end(detail::now->machine, &detail::call<Closure>,
                      detail::make<Closure>("closure", std::forward<F>(body)));
}
/// Input that is open: 0 .. alternatives-1, and 0 in a plain run.
inline std::uint32_t choose(std::uint32_t alternatives, const char* name) {
  return detail::now->choose(detail::now->machine, alternatives, name, 0);
}
/// Whether something fails here; never in a plain run.
inline bool fault(const char* name) { return detail::now->choose(detail::now->machine, 2, name, 1) != 0; }

#undef VMBSIM_HERE

}  // namespace vmbsim::hunt

/// VMBSIM_HARNESS("name") { the set-up }: one in a library.
#define VMBSIM_HARNESS(name)                                                         \
  extern "C" {                                                                       \
  [[gnu::visibility("default")]] extern const std::uint32_t vmbsim_harness_abi;      \
  [[gnu::visibility("default")]] extern const char vmbsim_harness_name[];            \
  const std::uint32_t vmbsim_harness_abi = VMBSIM_HUNT_ABI;                          \
  const char vmbsim_harness_name[] = name;                                           \
  [[gnu::visibility("default")]] void vmbsim_harness_enter(const vmbsim_hunt* hunt); \
  }                                                                                  \
  static void vmbsim_harness_set_up();                                               \
  void vmbsim_harness_enter(const vmbsim_hunt* hunt) {                               \
    ::vmbsim::hunt::detail::now = hunt;                                              \
    vmbsim_harness_set_up();                                                         \
  }                                                                                  \
  static void vmbsim_harness_set_up()
