// Making objects and contexts, and the calls that are no steps.
#include <algorithm>
#include <cstring>

#include "models/harness/machine.hpp"

namespace vmbsim::harness {

namespace {
Numbering::Who who(const Actor& actor) { return {actor.place, actor.id}; }
}  // namespace

vmbsim_object& Machine::new_object(int sort, const char* name, const void* place) {
  if (made_ == objects_.size()) objects_.emplace_back();
  vmbsim_object& object = objects_[made_++];
  object.number =
      phase_ == Phase::running ? numbering_.object_by(who(maker())) : static_cast<std::uint32_t>(numbered_.size());
  if (numbered_.size() <= object.number) numbered_.resize(object.number + 1);
  numbered_[object.number] = &object;
  object.sort = sort;
  object.name = memory_.keep(name);
  object.line = 0;
  object.alive = true;
  const Memory::Block* block = place == nullptr ? nullptr : memory_.block_at(place);
  object.in_pool = block != nullptr && block->purpose != Memory::Purpose::run;
  object.value = object.limit = 0;
  object.bytes = 8;
  object.is_signed = object.is_pointer = false;
  object.buffers = 0;
  object.write = {};
  object.reads.clear();
  object.owner = nullptr;
  object.depth = 0;
  object.sharers.clear();
  object.waiters.clear();
  object.irql = object.before = Irql::passive;
  object.begun = object.synchronization = false;
  object.routine = nullptr;
  object.context = nullptr;
  object.actor = nullptr;
  object.instances.clear();
  object.dpc = nullptr;
  object.released = maker().clock;
  object.ordered.clear();
  makes_known(maker(), object);
  object.changes = object.looks = 0;
  object.last_site = 0;
  object.last_actor = 0xffffffff;
  object.last_changed = false;
  if (config_.memory == explore::MemoryModel::pso && sort == VMBSIM_WORD && phase_ == Phase::running)
    object.buffers = numbering_.buffers_of(object.number);
  return object;
}

/// A context of the run. In the set-up its number comes later.
Actor& Machine::new_actor(Actor::Sort sort, vmbsim_object& object, std::uint32_t cpu) {
  std::uint32_t id = 0;
  if (phase_ == Phase::running)
    id = object.instances.empty() ? numbering_.id_by(who(maker()))
                                  : numbering_.id_of_instance(who(*object.instances.front()));
  if (acting_ == contexts_.size()) contexts_.emplace_back(stacks_, *this);
  Actor& actor = contexts_[acting_];
  actor.index = static_cast<std::uint32_t>(acting_++);
  actor.sort = sort;
  actor.life = Actor::Life::idle;
  actor.cpu = cpu;
  actor.irql = actor.entered = Irql::passive;
  actor.daemon = false;
  actor.queued = 0;
  actor.object = &object;
  actor.request = {};
  actor.next = {};
  actor.result = 0;
  actor.after = actor.ended = actor.flushed = -1;
  actor.count = 0;
  actor.held.clear();
  actor.owed.clear();
  actor.window.open = actor.window.closes = false;
  actor.clock = maker().clock;
  actor.ordered = maker().ordered;
  actor.ordered.raise(maker().index, maker().clock.of(maker().index));
  actor.seen.clear();
  actor.fenced.clear();
  if (!actor.fiber.finished()) actor.fiber.abandon();
  if (phase_ == Phase::running) {
    if (actor.cpu == 0xffffffff) {
      // Processors that stores wait in were numbered when the run began, so a context that came later shares the last one.
      actor.cpu = config_.memory == explore::MemoryModel::pso ? static_cast<std::uint32_t>(running_cpus_ - 1)
                                                              : numbering_.cpu_by(who(maker()));
      processor(actor.cpu).buffer_actor = id + 1;
    }
    actor.home = &processor(actor.cpu);
    actor.place = static_cast<std::uint32_t>(ring_.size());
    actor.id = id;
    ring_.push_back(&actor);
  }
  return actor;
}

// Who runs a routine must not hang on whether a run before was over by then: that is no step.

Actor& Machine::one_more(vmbsim_object& object, Actor::Sort sort, std::uint32_t cpu) {
  Actor& actor = new_actor(sort, object, cpu);
  object.instances.push_back(&actor);
  return actor;
}

/// Runs of a processor follow each other, so two contexts for each that take turns are enough: one may be queued while the
/// other still runs.
Actor& Machine::dpc_instance(vmbsim_object& dpc, std::uint32_t cpu) {
  Actor* first = dpc.instances.front();
  if (first->queued == 0 && first->life == Actor::Life::idle && dpc.instances.size() == 1) {
    first->cpu = cpu;  // its first time
    first->home = &processor(cpu);
  }
  Actor* idle = nullptr;
  std::uint32_t contexts = 0, times = 0;
  for (Actor* instance : dpc.instances)
    if (instance->cpu == cpu) {
      ++contexts;
      times += instance->queued;
      if (idle == nullptr || instance->queued < idle->queued) idle = instance;
    }
  if (contexts < 2 && times == contexts) idle = &one_more(dpc, Actor::Sort::dpc, cpu);
  ++idle->queued;
  return *idle;
}

/// A run that the one who queues knows to be over leaves its context to the next one.
Actor& Machine::work_instance(vmbsim_object& work) {
  Actor* idle = nullptr;
  for (Actor* instance : work.instances)
    if (idle == nullptr && maker().clock.of(instance->index) == instance->clock.of(instance->index) &&
        instance->life == Actor::Life::idle)
      idle = instance;
  return idle != nullptr ? *idle : one_more(work, Actor::Sort::work_item, 0xffffffff);
}

Processor& Machine::processor(std::uint32_t cpu) {
  while (running_cpus_ <= cpu) {
    if (running_cpus_ == cpus_.size()) cpus_.emplace_back(config_.memory);
    Processor& made = cpus_[running_cpus_];
    made.number = static_cast<std::uint32_t>(running_cpus_++);
    made.nested.clear();
    made.raised = made.latest = nullptr;
    made.threads = 0;
    made.dpcs.clear();
    made.buffer.clear();
    made.beside.clear();
    made.steps = 0;
    made.below.clear();
    made.buffer_actor = 0xffffffff;
  }
  return cpus_[cpu];
}

/// False, with a finding, when no machine has such a processor.
bool Machine::demand_processor(std::uint64_t cpu) {
  constexpr std::uint64_t most = 2048;  // Windows Server 2022: of a host
  if (cpu < most) return true;
  fail("HARNESS", BugCheck::none, "there are processors 0 to " + std::to_string(most - 1) + ", and no other");
  return false;
}

void Machine::add_processors(std::uint32_t least) {
  if (least > 0 && demand_processor(least - 1)) processor(least - 1);
}

vmbsim_object* Machine::create(int sort, const char* name, const void* place, std::uint64_t a, std::uint64_t b) {
  vmbsim_object& object = new_object(sort, name, place);
  object.value = a;
  switch (sort) {
    case VMBSIM_WORD:
    case VMBSIM_DATA:
      object.bytes = b & 0xff;
      object.is_signed = (b & 256) != 0;
      object.is_pointer = (b & 512) != 0;
      break;
    case VMBSIM_EVENT: object.synchronization = b != 0; break;
    case VMBSIM_KERNEL_SEMAPHORE: object.limit = b; break;
    case VMBSIM_INTERRUPT_SPIN_LOCK:
      object.irql = static_cast<Irql>(a);
      object.value = 0;
      break;
    case VMBSIM_TIMER: object.actor = &new_actor(Actor::Sort::timer, object, 0); break;
    default: break;
  }
  return &object;
}

vmbsim_object* Machine::create_routine(int sort, const char* name, vmbsim_routine routine, void* context,
                                       const void* place, std::uint64_t a, std::uint64_t b) {
  if (sort == VMBSIM_THREAD && phase_ == Phase::running && !current_->home->buffer.empty())
    operate({.operation = VMBSIM_FENCE});  // whoever makes a thread has made its stores visible
  const bool interrupt = sort == VMBSIM_INTERRUPT;
  if ((interrupt || (sort == VMBSIM_THREAD && a != 0)) && !demand_processor(interrupt ? a : a - 1)) return nullptr;
  vmbsim_object& object = new_object(sort, name, place);
  object.routine = routine;
  object.context = context;
  switch (sort) {
    case VMBSIM_THREAD: {
      if (a != 0) processor(static_cast<std::uint32_t>(a - 1));
      Actor& actor = new_actor(Actor::Sort::thread, object, a == 0 ? 0xffffffff : static_cast<std::uint32_t>(a - 1));
      object.actor = &actor;
      actor.daemon = b != 0;
      if (phase_ != Phase::running) break;
      ++cpus_[actor.cpu].threads;
      actor.after = static_cast<std::int64_t>(steps_) - 1;
      begin_context(actor);
      break;
    }
    case VMBSIM_INTERRUPT:
      processor(static_cast<std::uint32_t>(a));
      object.irql = static_cast<Irql>(b);
      object.actor = &new_actor(Actor::Sort::interrupt, object, static_cast<std::uint32_t>(a));
      break;
    default: one_more(object, sort == VMBSIM_DPC ? Actor::Sort::dpc : Actor::Sort::work_item, 0);
  }
  return &object;
}

// ---- Operations ----

namespace {

/// Whether an operation is one of its object's.
bool takes(const Request& request) {
  const int sort = request.object == nullptr ? -1 : request.object->sort;
  switch (request.operation) {
    case VMBSIM_LOAD:
    case VMBSIM_STORE:
    case VMBSIM_EXCHANGE:
    case VMBSIM_ADD:
    case VMBSIM_AND:
    case VMBSIM_OR:
    case VMBSIM_XOR:
    case VMBSIM_COMPARE_EXCHANGE: return sort == VMBSIM_WORD;
    case VMBSIM_READ:
    case VMBSIM_WRITE: return sort == VMBSIM_DATA;
    case VMBSIM_FENCE:
    case VMBSIM_WRITE_FENCE:
    case VMBSIM_RAISE:
    case VMBSIM_LOWER:
    case VMBSIM_YIELD: return true;
    case VMBSIM_ACQUIRE_SHARED: return sort == VMBSIM_RESOURCE;
    case VMBSIM_ACQUIRE_AT_DPC_LEVEL:
    case VMBSIM_RELEASE_FROM_DPC_LEVEL: return sort == VMBSIM_SPIN_LOCK;
    case VMBSIM_ACQUIRE:
    case VMBSIM_TRY_ACQUIRE:
    case VMBSIM_RELEASE:
      return sort == VMBSIM_MUTEX || (sort >= VMBSIM_SEMAPHORE && sort <= VMBSIM_RUNDOWN && sort != VMBSIM_EVENT);
    case VMBSIM_WAIT:
      return sort == VMBSIM_EVENT || sort == VMBSIM_RUNDOWN || (sort == VMBSIM_CONDITION && request.a != 0);
    case VMBSIM_SET:
    case VMBSIM_CLEAR:
    case VMBSIM_RESET: return sort == VMBSIM_EVENT;
    case VMBSIM_NOTIFY_ONE:
    case VMBSIM_NOTIFY_ALL: return sort == VMBSIM_CONDITION;
    case VMBSIM_INSERT:
    case VMBSIM_REMOVE: return sort == VMBSIM_DPC;
    case VMBSIM_QUEUE: return sort == VMBSIM_WORK_ITEM;
    case VMBSIM_ARM: return sort == VMBSIM_TIMER && request.a != 0;
    case VMBSIM_CANCEL: return sort == VMBSIM_TIMER;
    case VMBSIM_REQUEST: return sort == VMBSIM_INTERRUPT;
    case VMBSIM_JOIN: return sort == VMBSIM_THREAD;
    default: return request.object != nullptr;  // destroy
  }
}

}  // namespace

/// One visible operation of whoever runs now; its answer.
std::uint64_t Machine::operate(const Request& request) {
  Actor& self = *current_;
  self.request = request;
  vmbsim_object* object = request.object;
  if (request.operation < VMBSIM_LOAD || request.operation > VMBSIM_DESTROY || !takes(request)) {
    fail("HARNESS", BugCheck::none, "the table has no such operation for such an object");
    return 0;
  }
  if (request.operation == VMBSIM_DESTROY && !object->in_pool) {
    object->alive = false;
    return 0;
  }
  if (phase_ != Phase::running) {
    // The set-up and the end are alone: nothing is ordered, and nobody could be waited for.
    subject_ = &self;
    if (!over_) perform(self);
    subject_ = nullptr;
    if (self.life == Actor::Life::blocked) {
      self.life = Actor::Life::ready;
      fail("HARNESS", BugCheck::none, "waits for " + std::string(object->name) + " where nobody else runs");
    }
    return self.result;
  }
  prepare(self);
  switch_from(self);
  return self.result;
}

namespace {

/// What a request does to its object, as choices know it.
kernel::Access access_of(const Request& request, bool buffers) {
  using kernel::Access;
  switch (request.operation) {
    case VMBSIM_LOAD:
    case VMBSIM_READ: return Access::read;
    case VMBSIM_STORE: return buffers ? Access::none : Access::write;
    case VMBSIM_WRITE:
    case VMBSIM_DESTROY: return Access::write;
    case VMBSIM_ACQUIRE:
    case VMBSIM_ACQUIRE_SHARED:
    case VMBSIM_ACQUIRE_AT_DPC_LEVEL: return request.object->sort == VMBSIM_RUNDOWN ? Access::update : Access::acquire;
    case VMBSIM_RELEASE:
    case VMBSIM_RELEASE_FROM_DPC_LEVEL:
      return request.object->sort == VMBSIM_RUNDOWN ? Access::update : Access::release;
    case VMBSIM_FENCE:
    case VMBSIM_WRITE_FENCE:
    case VMBSIM_RAISE:
    case VMBSIM_LOWER:
    case VMBSIM_YIELD: return Access::none;
    default: return Access::update;
  }
}

}  // namespace

/// Says what a context is about to do.
void Machine::prepare(Actor& actor) {
  Request& request = actor.request;
  const bool buffered = config_.memory != explore::MemoryModel::sc;
  const bool buffers = buffered && request.operation == VMBSIM_STORE && request.order != VMBSIM_SEQ_CST;
  const bool plain = buffers || request.operation == VMBSIM_LOAD || request.operation == VMBSIM_READ ||
                     request.operation == VMBSIM_WRITE || request.operation == VMBSIM_YIELD ||
                     request.operation == VMBSIM_RAISE || request.operation == VMBSIM_LOWER;
  request.drains = buffered && !plain;
  kernel::Alternative& next = actor.next;
  next.actor = actor.id;
  next.processor = actor.cpu;
  next.kind = kernel::ChoicePoint::cpu;
  next.operation = {.object = request.object == nullptr ? 0 : request.object->number,
                    .other = 0,
                    .access = access_of(request, buffers),
                    .waits = request.drains || request.holds != nullptr || request.operation == VMBSIM_JOIN};
  switch (request.operation) {
    case VMBSIM_WAIT:
      if (request.object->sort == VMBSIM_CONDITION)
        next.operation.other = reinterpret_cast<const vmbsim_object*>(request.a)->number;
      break;
    case VMBSIM_INSERT:
    case VMBSIM_REMOVE: next.operation.other = queues_; break;
    case VMBSIM_ARM: next.operation.other = reinterpret_cast<const vmbsim_object*>(request.a)->number; break;
    default: break;
  }
}

/// The next step of whatever starts by itself.
void Machine::prepare_start(Actor& actor, std::int64_t after) {
  actor.life = Actor::Life::starting;
  actor.after = after;
  actor.request = {.operation = starts_running};
  kernel::ChoicePoint kind = kernel::ChoicePoint::worker;
  if (actor.sort == Actor::Sort::dpc) kind = kernel::ChoicePoint::dpc;
  if (actor.sort == Actor::Sort::interrupt || actor.sort == Actor::Sort::timer) kind = kernel::ChoicePoint::interrupt;
  actor.next = {.actor = actor.id,
                .processor = actor.cpu,
                .kind = kind,
                .operation = {.object = actor.object->number,
                              .other = actor.sort == Actor::Sort::dpc || actor.sort == Actor::Sort::timer ? queues_ : 0,
                              .access = kernel::Access::update}};
}

std::uint32_t Machine::choose(kernel::ChoicePoint point, std::uint32_t alternatives, const char* name) {
  if (alternatives < 2 || phase_ == Phase::idle || turns_) return 0;
  // A name stands for the object: the same question has the same number in every run.
  std::uint32_t number = 2'166'136'261u;
  for (const char* letter = name; *letter != 0; ++letter)
    number = (number ^ static_cast<unsigned char>(*letter)) * 16'777'619u;
  return answer({.point = point, .alternatives = alternatives, .actor = current_->id, .object = number});
}

std::uint32_t Machine::answer(const kernel::Choice& choice) {
  const std::uint32_t taken = choices_->choose(choice);
  VMBSIM_ASSERT(taken < choice.alternatives, "a choice is one of its alternatives");
  tally_.add(choice.actor, choice.object, 0x200 + static_cast<std::uint32_t>(choice.point), taken);
  tally_.add_to_class((std::uint64_t{choice.actor} << 40) ^ current_->count, choice.object, 0x1000 + taken);
  return taken;
}

void Machine::reach(const char* text, bool holds) {
  const auto note = [text](std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), text) == names.end()) names.emplace_back(text);
  };
  note(outcome_.goals);
  if (holds) note(outcome_.reached);
}

// ---- Memory ----

void* Machine::allocate(std::uint64_t bytes, const char* name, int purpose) {
  const bool pool = purpose == VMBSIM_MEMORY_POOL;
  void* memory =
      memory_.allocate(bytes, memory_.keep(name), pool ? Memory::Purpose::pool : Memory::Purpose::run, current_->index);
  if (memory == nullptr) {
    run_out_of_memory("allocate");
    return nullptr;
  }
  if (pool) {
    Memory::Block* block = memory_.block_at(memory);
    vmbsim_object& object = new_object(VMBSIM_DATA, name, nullptr);
    object.in_pool = true;
    block->number = object.number;
  }
  return memory;
}

void* Machine::take_memory(std::size_t bytes, const char* by, std::size_t alignment) {
  in_harness_ = false;
  void* memory = memory_.allocate(bytes, by, Memory::Purpose::plain, current_->index, alignment);
  return_to_harness();
  return memory;
}

void Machine::run_out_of_memory(const char* by) {
  const bool harness = in_harness_;
  in_harness_ = false;
  fail("LEAK", BugCheck::none, "the harness has taken all the memory that a run has", by);
  if (harness) go_back();
}

void Machine::free_memory(void* memory, const char* by) {
  const bool harness = in_harness_;
  in_harness_ = false;
  const bool in_c = std::strcmp(by, "delete") != 0;
  Memory::Block* block = memory_.block_at(memory);
  if (block == nullptr || block->begin != memory)
    fail("POOL", BugCheck::bad_pool_caller,
         in_c ? "memory is freed that malloc has not given" : "memory is deleted that new has not given", by);
  else if (block->freed)
    fail("DOUBLE_FREE", BugCheck::bad_pool_caller, in_c ? "memory is freed twice" : "memory is deleted twice", by);
  else {
    block->freed = true;
    memory_.bury(*block);
  }
  if (harness) go_back();
}

void Machine::release_memory(void* memory, std::uint32_t line) {
  Memory::Block* block = memory_.block_at(memory);
  if (block == nullptr || block->begin != memory || block->purpose != Memory::Purpose::pool) {
    fail("POOL", BugCheck::bad_pool_caller, "memory is released that allocate has not given", "release");
    return;
  }
  operate({.operation = VMBSIM_DESTROY, .object = numbered_[block->number], .line = line});
  if (!over_) memory_.block_at(memory)->freed = true;  // others may have allocated meanwhile
}

}  // namespace vmbsim::harness
