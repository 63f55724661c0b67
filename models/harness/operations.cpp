// What a step does, operation by operation.
#include <algorithm>

#include "models/harness/machine.hpp"

namespace vmbsim::harness {

namespace {

constexpr bool acquires(std::uint32_t order) {
  return order == VMBSIM_ACQUIRE_ORDER || order == VMBSIM_ACQ_REL || order == VMBSIM_SEQ_CST;
}
constexpr bool releases(std::uint32_t order) {
  return order == VMBSIM_RELEASE_ORDER || order == VMBSIM_ACQ_REL || order == VMBSIM_SEQ_CST;
}
constexpr std::uint64_t cut_to(std::uint64_t value, std::uint32_t bytes) {
  return bytes >= 8 ? value : value & ((std::uint64_t{1} << (8 * bytes)) - 1);
}

}  // namespace

void Machine::perform(Actor& self) {
  const Request& request = self.request;
  self.result = 0;
  if (request.object != nullptr && !request.object->alive) [[unlikely]] {
    const std::string name = request.object->name;
    if (request.operation == VMBSIM_DESTROY)
      return fail("DOUBLE_FREE", BugCheck::bad_pool_caller, name + " is freed twice", "release");
    return fail("USE_AFTER_FREE", BugCheck::page_fault_in_freed_special_pool,
                name + " is used after its memory was freed: " + text_of(request, 0));
  }
  switch (request.operation) {
    case VMBSIM_LOAD:
    case VMBSIM_STORE:
    case VMBSIM_EXCHANGE:
    case VMBSIM_ADD:
    case VMBSIM_AND:
    case VMBSIM_OR:
    case VMBSIM_XOR:
    case VMBSIM_COMPARE_EXCHANGE: return perform_on_word(self);
    case VMBSIM_READ:
    case VMBSIM_WRITE: return perform_on_data(self);
    case VMBSIM_FENCE: self.clock.join(self.seen); [[fallthrough]];
    case VMBSIM_WRITE_FENCE: self.fenced = self.clock; return;  // it orders stores, and acquires nothing
    case VMBSIM_ACQUIRE:
    case VMBSIM_TRY_ACQUIRE:
    case VMBSIM_ACQUIRE_SHARED:
    case VMBSIM_ACQUIRE_AT_DPC_LEVEL: return perform_acquire(self);
    case VMBSIM_RELEASE:
    case VMBSIM_RELEASE_FROM_DPC_LEVEL: return perform_release(self);
    case VMBSIM_RAISE:
    case VMBSIM_LOWER: return perform_on_irql(self);
    case VMBSIM_YIELD: self.window.closes = yielded_ = true; return;
    case VMBSIM_JOIN: return learns(self, *request.object);
    case VMBSIM_DESTROY: return perform_destroy(*request.object);
    case VMBSIM_WAIT:
    case VMBSIM_SET:
    case VMBSIM_CLEAR:
    case VMBSIM_RESET:
    case VMBSIM_NOTIFY_ONE:
    case VMBSIM_NOTIFY_ALL: return perform_on_dispatcher(self);
    default: return perform_on_queue(self);
  }
}

/// Source   Driver Verifier, bug checks 0xC7 and 0xC4: memory is freed with something in it that is queued, set, held or
///          waited for.
void Machine::perform_destroy(vmbsim_object& object) {
  const bool runs = object.sort == VMBSIM_DPC || object.sort == VMBSIM_WORK_ITEM;
  const char* use = nullptr;
  if (runs && object.actor != nullptr) use = "queued";
  if (object.sort == VMBSIM_TIMER && object.begun) use = "set";
  if (object.owner != nullptr || !object.sharers.empty()) use = "held";
  if (!object.waiters.empty()) use = "waited for";
  if (use != nullptr)
    return fail("USE_AFTER_FREE",
                runs || object.sort == VMBSIM_TIMER ? BugCheck::timer_or_dpc_invalid
                                                    : BugCheck::driver_verifier_detected_violation,
                std::string(object.name) + " is freed while it is " + use);
  object.alive = false;
  object.line = subject_->request.line;
}

// ---- Words ----

std::uint64_t Machine::visible(const vmbsim_object& word, const Actor& self) const {
  if (config_.memory == explore::MemoryModel::sc || phase_ != Phase::running) return word.value;
  return cpus_[self.cpu].buffer.forward(word.number).value_or(word.value);
}

void Machine::perform_on_word(Actor& self) {
  const Request& request = self.request;
  vmbsim_object& word = *request.object;
  if (request.operation == VMBSIM_LOAD) {
    self.result = self.value = visible(word, self);
    if (config_.memory != explore::MemoryModel::sc && phase_ == Phase::running &&
        cpus_[self.cpu].buffer.forward(word.number))
      tally_.cover(0x6f776eull ^ (std::uint64_t{word.number} << 24) ^ request.line, outcome_.features);
    (acquires(request.order) || request.holds != nullptr ? self.clock : self.seen).join(word.released);
    return;
  }
  if (request.operation == VMBSIM_STORE) {
    self.value = cut_to(request.a, word.bytes);
    const Clock& known = releases(request.order) ? self.clock : self.fenced;
    if (config_.memory == explore::MemoryModel::sc || request.order == VMBSIM_SEQ_CST || phase_ != Phase::running) {
      word.value = self.value;
      word.released = known;
      return;
    }
    Processor& cpu = cpus_[self.cpu];
    if (releases(request.order)) cpu.buffer.write_fence();
    cpu.buffer.push(word.number, self.value);
    cpu.beside.push_back({word.number, known, static_cast<std::int64_t>(steps_), &self});
    return;
  }
  // An interlocked operation: its processor's stores are visible.
  const std::uint64_t before = word.value;
  std::uint64_t after = before;
  bool writes = true;
  switch (request.operation) {
    case VMBSIM_EXCHANGE: after = request.a; break;
    case VMBSIM_ADD: after = before + request.a; break;
    case VMBSIM_AND: after = before & request.a; break;
    case VMBSIM_OR: after = before | request.a; break;
    case VMBSIM_XOR: after = before ^ request.a; break;
    default:
      writes = before == cut_to(request.a, word.bytes);
      if (writes) after = request.b;
  }
  word.value = cut_to(after, word.bytes);
  self.result = before;
  self.value = word.value;
  (acquires(request.order) ? self.clock : self.seen).join(word.released);
  if (writes) word.released.join(releases(request.order) ? self.clock : self.fenced);
}

void Machine::perform_on_data(Actor& self) {
  const Request& request = self.request;
  vmbsim_object& data = *request.object;
  const Access now{self.index, self.clock.of(self.index), request.line, steps_};
  check_race(self, data.write, true);
  if (request.operation == VMBSIM_READ) {
    self.result = self.value = data.value;
    const auto mine = std::find_if(data.reads.begin(), data.reads.end(),
                                   [&](const Access& each) { return each.context == self.index; });
    if (mine == data.reads.end())
      data.reads.push_back(now);
    else
      *mine = now;
    return;
  }
  for (const Access& read : data.reads) check_race(self, read, false);
  data.value = self.value = cut_to(request.a, data.bytes);
  data.write = now;
  data.reads.clear();
}

/// Source   C++20, [intro.races]: two conflicting accesses of which neither happens before the other.
void Machine::check_race(Actor& self, const Access& before, bool wrote) {
  if (before.count == 0 || before.context == self.index || self.clock.of(before.context) >= before.count || over_)
    return;
  const auto place = [](std::uint32_t line) { return line == 0 ? std::string() : " in line " + std::to_string(line); };
  const Request& request = self.request;
  fail("RACE", BugCheck::none,
       std::string("nothing orders two accesses to ") + request.object->name + ": " +
           contexts_[before.context].object->name + (wrote ? " wrote it" : " read it") + place(before.line) +
           " (step " + std::to_string(before.step) + "), " + self.object->name +
           (request.operation == VMBSIM_WRITE ? " writes it" : " reads it") + place(request.line) + " (step " +
           std::to_string(steps_) + ")");
}

// ---- IRQL ----

void Machine::set_irql(Actor& self, Irql irql) {
  Processor& cpu = processor(self.cpu);
  if (irql > self.irql && irql >= Irql::dispatch) self.clock.join(cpu.below);
  if (irql < self.irql && self.irql >= Irql::dispatch) cpu.below.join(self.clock);
  self.irql = irql;
  if (self.sort == Actor::Sort::thread || self.sort == Actor::Sort::work_item) {
    if (irql >= Irql::dispatch)
      cpu.raised = &self;
    else if (cpu.raised == &self)
      cpu.raised = nullptr;
  }
}

/// False, with a finding, when the context runs above `most`.
bool Machine::demand_irql(const Actor& self, Irql most, BugCheck code) {
  if (self.irql <= most) return true;
  fail("IRQL", code,
       text_of(self.request, 0) + " at " + name_of(self.irql) + ", which is legal up to " + name_of(most));
  return false;
}

/// Source   WDK, KeRaiseIrql and KeLowerIrql.
void Machine::perform_on_irql(Actor& self) {
  const Irql irql = static_cast<Irql>(self.request.a);
  self.result = self.value = static_cast<std::uint64_t>(self.irql);
  if (self.request.operation == VMBSIM_RAISE && irql < self.irql)
    return fail("IRQL", BugCheck::irql_not_greater_or_equal,
                std::string("KeRaiseIrql to ") + name_of(irql) + " at " + name_of(self.irql));
  if (self.request.operation == VMBSIM_LOWER && irql > self.irql)
    return fail("IRQL", BugCheck::irql_not_less_or_equal,
                std::string("KeLowerIrql to ") + name_of(irql) + " at " + name_of(self.irql));
  if (irql < self.entered)
    return fail("IRQL", BugCheck::irql_unexpected_value,
                std::string("a context that began at ") + name_of(self.entered) + " lowers to " + name_of(irql));
  set_irql(self, irql);
}

// ---- Locks ----

/// For whoever acquires the object, waits for it or is made to run by it.
void Machine::makes_known(const Actor& self, vmbsim_object& object) {
  object.released.join(self.clock);
  object.ordered.join(self.ordered);
  object.ordered.raise(self.index, self.clock.of(self.index));
}

void Machine::learns(Actor& self, const vmbsim_object& object) {
  self.clock.join(object.released);
  self.ordered.join(object.ordered);
}

void Machine::take_lock(Actor& self, vmbsim_object& lock, Irql held_at, bool waits) {
  self.clock.join(lock.released);
  self.held.push_back(&lock);
  if (held_at != self.irql) set_irql(self, held_at);
  const auto danger = locks_.acquire(self.index, lock.number,
                                     {.waits = waits,
                                      .held_at = static_cast<std::uint8_t>(self.irql),
                                      .entered_at = static_cast<std::uint8_t>(self.entered),
                                      .now = self.clock.of(self.index),
                                      .known = &self.ordered});
  if (danger) note_order(*danger);
}

void Machine::drop_lock(Actor& self, vmbsim_object& lock) {
  lock.released.join(self.clock);
  locks_.release(self.index, lock.number);
  const auto last = std::find(self.held.rbegin(), self.held.rend(), &lock);
  if (last != self.held.rend()) self.held.erase(std::next(last).base());
}

/// Sources  C++20, [thread.mutex.class]; WDK, KeAcquireSpinLock, KeAcquireSpinLockAtDpcLevel, KeAcquireInterruptSpinLock,
///          ExAcquireFastMutex, ExAcquireResourceExclusiveLite, KeWaitForSingleObject, ExAcquireRundownProtection.
void Machine::perform_acquire(Actor& self) {
  const Request& request = self.request;
  vmbsim_object& lock = *request.object;
  const bool tries = request.operation == VMBSIM_TRY_ACQUIRE;
  const BugCheck waits_high =
      self.entered >= Irql::dispatch ? BugCheck::attempted_switch_from_dpc : BugCheck::irql_not_less_or_equal;
  Irql held_at = self.irql;
  BugCheck again = BugCheck::driver_verifier_detected_violation;
  switch (lock.sort) {
    case VMBSIM_RUNDOWN:
      self.result = self.value = lock.begun ? 0 : 1;
      if (!lock.begun) ++lock.value;
      learns(self, lock);
      return;
    case VMBSIM_SEMAPHORE:
    case VMBSIM_KERNEL_SEMAPHORE:
      if (!tries && !demand_irql(self, Irql::apc, waits_high)) return;
      self.result = lock.value > 0 ? 1 : 0;
      if (lock.value > 0) --lock.value;
      self.value = lock.value;
      learns(self, lock);
      return;
    case VMBSIM_SPIN_LOCK:
      again = BugCheck::spin_lock_already_owned;
      if (request.operation == VMBSIM_ACQUIRE_AT_DPC_LEVEL) {
        if (self.irql < Irql::dispatch)
          return fail("IRQL", BugCheck::irql_not_dispatch_level,
                      text_of(request, 0) + " at " + name_of(self.irql) + ", which is legal from dispatch on");
      } else {
        if (!demand_irql(self, Irql::dispatch, BugCheck::irql_not_less_or_equal)) return;
        held_at = Irql::dispatch;
      }
      break;
    case VMBSIM_INTERRUPT_SPIN_LOCK:
      again = BugCheck::spin_lock_already_owned;
      if (!demand_irql(self, lock.irql, BugCheck::irql_not_less_or_equal)) return;
      held_at = lock.irql;
      break;
    case VMBSIM_FAST_MUTEX:
      if (!demand_irql(self, Irql::apc, waits_high)) return;
      held_at = Irql::apc;
      break;
    default:
      if (!demand_irql(self, Irql::apc, waits_high)) return;
  }
  self.value = 1;
  if (lock.sort == VMBSIM_RESOURCE && request.operation == VMBSIM_ACQUIRE_SHARED) {
    const bool first = std::find(lock.sharers.begin(), lock.sharers.end(), &self) == lock.sharers.end();
    lock.sharers.push_back(&self);
    self.clock.join(lock.released);
    if (first && lock.owner != &self) take_lock(self, lock, held_at, true);
    return;
  }
  if (lock.owner == &self) {
    if (lock.sort == VMBSIM_KERNEL_MUTEX || lock.sort == VMBSIM_RESOURCE) {
      ++lock.depth;
      return;
    }
    if (!tries)
      return fail("LOCK", again, self.object->name + std::string(" takes ") + lock.name + ", which it holds already");
  }
  if (lock.owner != nullptr) {  // a try
    self.value = 0;
    return;
  }
  lock.before = self.irql;
  lock.owner = &self;
  lock.depth = 1;
  self.result = 1;
  take_lock(self, lock, held_at, !tries);
}

/// Sources  as above; WDK, KeReleaseSpinLock, KeReleaseMutex, KeReleaseSemaphore.
void Machine::perform_release(Actor& self) {
  const Request& request = self.request;
  vmbsim_object& lock = *request.object;
  switch (lock.sort) {
    case VMBSIM_RUNDOWN:
      if (lock.value == 0)
        return fail("RUNDOWN", BugCheck::none, std::string(lock.name) + " is released more often than it was acquired");
      makes_known(self, lock);
      if (--lock.value == 0 && lock.begun) release_all(lock);
      return;
    case VMBSIM_SEMAPHORE:
    case VMBSIM_KERNEL_SEMAPHORE:
      if (!demand_irql(self, Irql::dispatch, BugCheck::irql_not_less_or_equal)) return;
      if (lock.sort == VMBSIM_KERNEL_SEMAPHORE && lock.value + request.a > lock.limit)
        return fail("EXCEPTION", BugCheck::kmode_exception_not_handled,
                    std::string(lock.name) + " is released beyond its limit: STATUS_SEMAPHORE_LIMIT_EXCEEDED");
      lock.value += request.a;
      self.value = lock.value;
      makes_known(self, lock);
      return;
    case VMBSIM_RESOURCE:
      if (lock.owner != &self) {
        const auto share = std::find(lock.sharers.begin(), lock.sharers.end(), &self);
        if (share == lock.sharers.end()) break;
        lock.sharers.erase(share);
        lock.released.join(self.clock);
        if (std::find(lock.sharers.begin(), lock.sharers.end(), &self) == lock.sharers.end()) drop_lock(self, lock);
        return;
      }
      [[fallthrough]];
    case VMBSIM_KERNEL_MUTEX:
      if (lock.owner == &self && --lock.depth > 0) return;
      break;
    default: break;
  }
  const bool spins = lock.sort == VMBSIM_SPIN_LOCK || lock.sort == VMBSIM_INTERRUPT_SPIN_LOCK;
  if (lock.owner != &self)
    return fail("LOCK", spins ? BugCheck::spin_lock_not_owned : BugCheck::thread_not_mutex_owner,
                self.object->name + std::string(" releases ") + lock.name + ", which it does not hold");
  if (spins && self.irql < Irql::dispatch)
    return fail("IRQL", BugCheck::irql_not_dispatch_level,
                std::string(lock.name) + " is released at " + name_of(self.irql));
  lock.owner = nullptr;
  drop_lock(self, lock);
  const bool raised = lock.sort == VMBSIM_SPIN_LOCK
                          ? request.operation == VMBSIM_RELEASE
                          : lock.sort == VMBSIM_INTERRUPT_SPIN_LOCK || lock.sort == VMBSIM_FAST_MUTEX;
  if (raised) set_irql(self, lock.before);
}

// ---- Events and condition variables ----

void Machine::block(Actor& self, vmbsim_object& object) {
  self.life = Actor::Life::blocked;
  object.waiters.push_back(&self);
}

void Machine::release_waiter(vmbsim_object& object, std::size_t which) {
  Actor& waiter = *object.waiters[which];
  object.waiters.erase(object.waiters.begin() + static_cast<std::ptrdiff_t>(which));
  waiter.life = Actor::Life::ready;
  learns(waiter, object);
  waiter.after = static_cast<std::int64_t>(steps_);
  eager_.push_back(&waiter);
}

void Machine::release_all(vmbsim_object& object) {
  while (!object.waiters.empty()) release_waiter(object, 0);
}

/// Sources  WDK, KeSetEvent, KeClearEvent, KeResetEvent, KeWaitForSingleObject, ExWaitForRundownProtectionRelease;
///          C++20, [thread.condition.condvar].
void Machine::perform_on_dispatcher(Actor& self) {
  const Request& request = self.request;
  vmbsim_object& object = *request.object;
  const auto release_one = [&] {
    std::size_t which = 0;
    if (object.waiters.size() > 1 && !turns_)
      which = answer({.point = kernel::ChoicePoint::wake,
                      .alternatives = static_cast<std::uint32_t>(object.waiters.size()),
                      .actor = self.id,
                      .object = object.number});
    release_waiter(object, which);
  };
  if (request.operation == VMBSIM_WAIT) {
    if (!demand_irql(
            self, Irql::apc,
            self.entered >= Irql::dispatch ? BugCheck::attempted_switch_from_dpc : BugCheck::irql_not_less_or_equal))
      return;
    if (object.sort == VMBSIM_CONDITION) {
      vmbsim_object& mutex = *reinterpret_cast<vmbsim_object*>(request.a);
      if (mutex.owner != &self)
        return fail("LOCK", BugCheck::none,
                    self.object->name + std::string(" waits for ") + object.name + " without holding " + mutex.name);
      mutex.owner = nullptr;
      drop_lock(self, mutex);
      return block(self, object);
    }
    if (object.sort == VMBSIM_RUNDOWN) {
      object.begun = true;
      if (object.value > 0) return block(self, object);
    } else {
      if (object.value == 0) return block(self, object);
      if (object.synchronization) object.value = 0;
    }
    return learns(self, object);
  }
  if (object.sort == VMBSIM_EVENT && !demand_irql(self, Irql::dispatch, BugCheck::irql_not_less_or_equal)) return;
  self.result = self.value = object.value;
  switch (request.operation) {
    case VMBSIM_SET:
      makes_known(self, object);
      if (object.synchronization && !object.waiters.empty()) {
        release_one();
      } else {
        object.value = 1;
        release_all(object);
      }
      return;
    case VMBSIM_NOTIFY_ONE:
      makes_known(self, object);
      if (!object.waiters.empty()) release_one();
      return;
    case VMBSIM_NOTIFY_ALL: makes_known(self, object); return release_all(object);
    default: object.value = 0;  // clear, reset
  }
}

// ---- DPCs, work items, timers, interrupts ----

void Machine::queue_dpc(vmbsim_object& dpc, std::uint32_t cpu) {
  if (dpc.actor != nullptr) return;  // queued already
  Actor& actor = dpc_instance(dpc, cpu);
  dpc.actor = &actor;
  learns(actor, dpc);
  processor(cpu).dpcs.push_back(&actor);
  prepare_start(actor, static_cast<std::int64_t>(steps_));
}

/// Sources  WDK, KeInsertQueueDpc, KeRemoveQueueDpc, IoQueueWorkItem, KeSetTimer, KeCancelTimer.
void Machine::perform_on_queue(Actor& self) {
  const Request& request = self.request;
  vmbsim_object& object = *request.object;
  makes_known(self, object);
  switch (request.operation) {
    case VMBSIM_INSERT:
      self.result = object.actor == nullptr ? 1 : 0;
      if (request.a != 0 && !demand_processor(request.a - 1)) return;
      queue_dpc(object, request.a == 0 ? self.cpu : static_cast<std::uint32_t>(request.a - 1));
      break;
    case VMBSIM_REMOVE:
      self.result = object.actor != nullptr ? 1 : 0;
      if (Actor* queued = object.actor) {
        std::vector<Actor*>& dpcs = cpus_[queued->cpu].dpcs;
        dpcs.erase(std::find(dpcs.begin(), dpcs.end(), queued));
        queued->life = Actor::Life::idle;
        object.actor = nullptr;
      }
      break;
    case VMBSIM_QUEUE: {
      if (!demand_irql(self, Irql::dispatch, BugCheck::irql_not_less_or_equal)) return;
      if (object.actor != nullptr)
        return fail("WORK", BugCheck::worker_invalid, std::string(object.name) + " is queued while it is queued");
      Actor& worker = work_instance(object);
      object.actor = &worker;
      prepare_start(worker, static_cast<std::int64_t>(steps_));
      break;
    }
    case VMBSIM_ARM:
      if (!demand_irql(self, Irql::dispatch, BugCheck::irql_not_less_or_equal)) return;
      self.result = object.begun ? 1 : 0;
      object.begun = true;
      object.dpc = reinterpret_cast<vmbsim_object*>(request.a);
      object.value = self.cpu;
      prepare_start(*object.actor, static_cast<std::int64_t>(steps_));
      break;
    case VMBSIM_CANCEL:
      if (!demand_irql(self, Irql::dispatch, BugCheck::irql_not_less_or_equal)) return;
      self.result = object.begun ? 1 : 0;
      object.begun = false;
      object.actor->life = Actor::Life::idle;
      break;
    case VMBSIM_REQUEST:
      object.begun = true;
      if (object.actor->life == Actor::Life::idle) prepare_start(*object.actor, static_cast<std::int64_t>(steps_));
      break;
    default: impossible("the table has no such operation", "Machine::perform_on_queue");
  }
  self.value = self.result;
}

}  // namespace vmbsim::harness
