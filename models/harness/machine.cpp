#include "models/harness/machine.hpp"

#include <algorithm>

#include "models/harness/table.hpp"

namespace vmbsim::harness {

using kernel::ChoicePoint;

Machine::Machine(Config config) : config_(config), table_(table_of(*this)) {
  // The run itself: whoever sets up and ends it.
  contexts_.emplace_back(stacks_, *this);
}

Machine::~Machine() {
  for (Actor& actor : contexts_) actor.fiber.abandon();
}

const explore::Outcome& Machine::run(Entry entry, kernel::ChoiceSource& choices, explore::StepListener* listener) {
  clear();
  ++runs_;
  entry_ = entry;
  choices_ = &choices;
  listener_ = listener;
  Actor& host = contexts_.front();
  host.fiber.start([](void* self) { static_cast<Machine*>(self)->whole_run(); }, this);
  host.fiber.resume();
  if (!host.fiber.finished()) host.fiber.abandon();  // a finding, or a mishap
  finish();
  return outcome_;
}

void Machine::clear() {
  for (std::size_t i = 0; i < acting_; ++i)
    if (!contexts_[i].fiber.finished()) contexts_[i].fiber.abandon();
  tally_.clear(outcome_.features);
  outcome_.end = explore::End::finished;
  outcome_.findings.clear();
  outcome_.steps = outcome_.switches = outcome_.preemptions = 0;
  outcome_.held_back = false;
  outcome_.waiting.clear();
  outcome_.goals.clear();
  outcome_.reached.clear();
  memory_.clear();
  locks_.clear();
  over_ = in_condition_ = turns_ = yielded_ = false;
  in_harness_ = false;
  in_heap_ = false;
  steps_ = turn_power_ = 0;
  stop_at_ = never;
  made_ = acting_ = 0;
  numbered_.assign(1, nullptr);
  running_cpus_ = clock_cpus_ = 0;
  ring_.clear();
  ids_ = 0;
  eager_.clear();
  eager_done_ = 0;
  last_place_ = last_actor_ = 0;
  subject_ = nullptr;
  last_context_ = handed_ = stepped_ = nullptr;
  left_ = nullptr;
  can_go_.clear();
  owned_.clear();
  at_end_.clear();
  promises_.clear();
  dangers_.clear();

  Actor& host = contexts_.front();
  acting_ = 1;
  host.life = Actor::Life::ready;
  host.irql = host.entered = Irql::passive;
  host.id = 0xffffffff;
  host.cpu = 0;
  host.after = -1;
  host.count = 0;
  host.held.clear();
  host.clock.clear();
  host.ordered.clear();
  host.clock.tick(0);
  host.seen.clear();
  host.fenced.clear();
  current_ = &host;
  host.object = &new_object(VMBSIM_THREAD, "the set-up", nullptr);
  queues_ = new_object(VMBSIM_DPC, "the DPC queues", nullptr).number;
}

/// On a fibre of its own: set-up and end are the harness's code, too.
void Machine::whole_run() {
  phase_ = Phase::set_up;
  outside([this] { entry_(&table_); });
  if (!over_) {
    settle();
    phase_ = Phase::running;
    go_on();
  }
  if (!over_) judge_rest();
  if (!over_) {
    current_ = &contexts_.front();
    for (std::size_t i = 1; i < acting_; ++i) current_->clock.join(contexts_[i].clock);
    current_->object->name = "the end";
    phase_ = Phase::ending;
    judge_end();
  }
}

/// After the set-up: everybody gets a number and a processor, and runs up to the first operation.
void Machine::settle() {
  for (std::size_t i = 1; i < acting_; ++i)
    if (contexts_[i].sort == Actor::Sort::thread) ring_.push_back(&contexts_[i]);
  for (Actor* thread : ring_)
    if (thread->cpu == 0xffffffff) {  // one of its own: the first that nobody else asked for
      std::uint32_t free = 0;
      const auto taken = [&](const Actor* other) { return other->cpu == free; };
      while (std::any_of(ring_.begin(), ring_.end(), taken)) ++free;
      thread->cpu = free;
    }
  for (const Actor* thread : ring_) ++processor(thread->cpu).threads;
  for (std::size_t i = 1; i < acting_; ++i)
    if (contexts_[i].sort != Actor::Sort::thread) ring_.push_back(&contexts_[i]);
  for (Actor* actor : ring_) {
    actor->place = ids_;
    actor->id = ids_++;
  }
  if (running_cpus_ == 0) processor(0);
  // Contexts that run on no processor of the harness, such as timers, get one each, numbered after the others.
  clock_cpus_ = static_cast<std::uint32_t>(running_cpus_);
  for (Actor* actor : ring_)
    if (actor->sort == Actor::Sort::timer || actor->sort == Actor::Sort::work_item) actor->cpu = clock_cpus_++;
  for (const Actor* actor : ring_) processor(actor->cpu);
  for (Actor* actor : ring_) actor->home = &cpus_[actor->cpu];
  if (config_.memory == explore::MemoryModel::tso) {
    for (std::size_t i = 0; i < running_cpus_; ++i) cpus_[i].buffer_actor = ids_++;
  } else if (config_.memory == explore::MemoryModel::pso) {
    for (std::size_t i = 0; i < made_; ++i)
      if (objects_[i].sort == VMBSIM_WORD) {
        objects_[i].buffers = ids_;
        ids_ += static_cast<std::uint32_t>(running_cpus_);
      }
  }
  numbering_.begin({.ids = ids_,
                    .objects = static_cast<std::uint32_t>(numbered_.size()),
                    .cpus = static_cast<std::uint32_t>(running_cpus_),
                    .stride = stride_of_ids()},
                   ring_.size());
  for (Actor* actor : ring_)
    if (actor->sort == Actor::Sort::thread) begin_context(*actor);
}

/// Numbers of actors for one thing that is made while the run goes on: itself, and the store buffers that come with it.
std::uint32_t Machine::stride_of_ids() const {
  switch (config_.memory) {
    case explore::MemoryModel::sc: return 1;
    case explore::MemoryModel::tso: return 2;
    case explore::MemoryModel::pso: break;
  }
  return 1 + static_cast<std::uint32_t>(running_cpus_);
}

/// Until everything has come to rest, or the run is over.
void Machine::go_on() {
  Actor* actor = next();
  while (actor != nullptr) {
    current_ = actor;
    handed_ = nullptr;
    actor->fiber.resume();
    current_ = &contexts_.front();
    const bool asks = actor->fiber.finished() || handed_ == current_;
    actor = asks ? next() : handed_;
  }
}

/// Who goes on now; null at rest, or when the run is over.
Actor* Machine::next() {
  while (!over_) {
    if (eager_done_ < eager_.size()) {
      Actor* actor = eager_[eager_done_];
      if (++eager_done_ == eager_.size()) {
        eager_.clear();
        eager_done_ = 0;
      }
      return actor;
    }
    if (!ask()) return nullptr;
  }
  return nullptr;
}

/// In a context that stands before its request.
void Machine::switch_from(Actor& self) {
  if (steps_ >=
      config_.most_steps) {  // states are compared then, and those of a context are whole when it is suspended
    handed_ = &contexts_.front();
    return self.fiber.suspend();
  }
  Actor* then = next();
  if (then == &self) return;
  handed_ = then;
  self.fiber.suspend();
}

// ---- The question ----

/// One step, by whoever is chosen; false at rest.
bool Machine::ask() {
  offer_all();
  if (each_.empty()) return false;
  std::uint32_t taken = 0;
  if (steps_ >= config_.most_steps) {
    taken = take_turns();
    if (over_) return true;
  } else {
    taken = choices_->choose({.point = ChoicePoint::cpu,
                              .alternatives = static_cast<std::uint32_t>(each_.size()),
                              .actor = last_actor_,
                              .object = each_.front().operation.object,
                              .preempts = steps_ > 0 && each_.front().actor == last_actor_,
                              .each = each_});
    if (taken == kernel::ChoiceSource::abandon) {
      outcome_.end = explore::End::abandoned;
      over_ = true;
      return true;
    }
    VMBSIM_ASSERT(taken < each_.size(), "a choice is one of its alternatives");
  }
  take(taken);
  return true;
}

/// All next steps, in the order of a non-preemptive round robin from the context of the last one; a processor's stores stand
/// before whoever of it comes first.
void Machine::offer_all() {
  each_.clear();
  who_.clear();
  const std::size_t all = ring_.size();
  const bool buffered = config_.memory != explore::MemoryModel::sc;
  for (std::size_t i = 0, place = last_place_; i < all; ++i, place = place + 1 == all ? 0 : place + 1) {
    Actor& actor = *ring_[place];
    if (buffered) {
      Processor& cpu = *actor.home;
      if (!cpu.buffer.empty() && std::none_of(who_.begin(), who_.end(), [&](const Candidate& candidate) {
            return candidate.actor == nullptr && candidate.cpu == actor.cpu;
          }))
        offer_flushes(cpu);
    }
    if (!offered(actor)) continue;
    each_.push_back(actor.next);
    who_.push_back({&actor});
    kernel::Alternative& step = each_.back();
    step.after = actor.after;
    if (actor.life != Actor::Life::ready) continue;
    const Processor& cpu = *actor.home;
    if (actor.request.operation == VMBSIM_JOIN) {
      const Actor& other = *actor.request.object->actor;
      step.after = std::max({step.after, other.ended, other.flushed});
    }
    if (cpu.threads > 1 && actor.sort == Actor::Sort::thread && cpu.latest != nullptr && cpu.latest != &actor)
      step.kind = ChoicePoint::thread;
  }
  if (yielded_) [[unlikely]] {
    count_yields();
    hold_back_yielded();
  }
}

void Machine::offer_flushes(Processor& cpu) {
  const std::uint32_t ready = cpu.buffer.ready();
  for (std::uint32_t which = 0; which < ready; ++which) {
    const hw::StoreBuffer::Store& store = cpu.buffer.ready_at(which);
    const std::uint32_t word = store.word;
    const vmbsim_object& object = *numbered_[word];
    const auto beside = std::find_if(cpu.beside.begin(), cpu.beside.end(),
                                     [word](const Processor::Beside& each) { return each.word == word; });
    const bool per_word = config_.memory == explore::MemoryModel::pso;
    each_.push_back({.actor = per_word ? object.buffers + cpu.number : cpu.buffer_actor,
                     .processor = cpu.number,
                     .kind = ChoicePoint::flush,
                     .operation = {.object = word, .access = kernel::Access::write, .waits = store.epoch != 0},
                     .after = beside->step});
    who_.push_back({nullptr, cpu.number, which});
  }
}

bool Machine::offered(const Actor& actor) const {
  switch (actor.life) {
    case Actor::Life::ready: return may_go_on(actor);
    case Actor::Life::starting: return may_start(actor);
    default: return false;
  }
}

bool Machine::may_start(const Actor& actor) const {
  const Processor& cpu = *actor.home;
  switch (actor.sort) {
    case Actor::Sort::interrupt: return cpu.irql() < actor.object->irql;
    case Actor::Sort::dpc: return cpu.irql() < Irql::dispatch && cpu.dpcs.front() == &actor;
    default: return true;
  }
}

bool Machine::may_go_on(const Actor& actor) const {
  const Processor& cpu = *actor.home;
  if (!cpu.nested.empty() ? cpu.nested.back() != &actor : cpu.raised != nullptr && cpu.raised != &actor) return false;
  const Request& request = actor.request;
  if (request.drains && !cpu.buffer.empty()) return false;
  switch (request.operation) {
    case VMBSIM_ACQUIRE:
    case VMBSIM_ACQUIRE_AT_DPC_LEVEL:
    case VMBSIM_ACQUIRE_SHARED: return may_acquire(*request.object, actor);
    case VMBSIM_JOIN: {
      const Actor& other = *request.object->actor;
      return other.life == Actor::Life::finished &&
             std::none_of(other.home->beside.begin(), other.home->beside.end(),
                          [&other](const Processor::Beside& store) { return store.by == &other; });
    }
    case VMBSIM_LOAD:
      if (request.holds == nullptr) return true;
      return const_cast<Machine*>(this)->holds(actor);
    default: return true;
  }
}

/// The condition of an await, which is the harness's code and makes no step.
bool Machine::holds(const Actor& actor) {
  const Request& request = actor.request;
  const std::uint64_t value = visible(*request.object, actor);
  const Actor* const subject = subject_;
  subject_ = &actor;
  in_condition_ = true;
  const bool answer = outside([&] { return request.holds(request.context, value) != 0; });
  in_condition_ = false;
  subject_ = subject;
  return answer;
}

/// A lock that is freed, or that its owner may not take again, lets it in, so that the mistake is found.
bool Machine::may_acquire(const vmbsim_object& object, const Actor& actor) const {
  if (!object.alive) return true;
  switch (object.sort) {
    case VMBSIM_SEMAPHORE:
    case VMBSIM_KERNEL_SEMAPHORE: return object.value > 0;
    case VMBSIM_RUNDOWN: return true;
    case VMBSIM_RESOURCE:
      if (actor.request.operation == VMBSIM_ACQUIRE_SHARED) return object.owner == nullptr || object.owner == &actor;
      return object.owner == &actor || (object.owner == nullptr && object.sharers.empty());
    default: return object.owner == nullptr || object.owner == &actor;
  }
}

/// Past the limit: the next one in turn, whatever the source would say. Whoever needed only fairness comes to an end now.
std::uint32_t Machine::take_turns() {
  const std::uint64_t turns = steps_ - config_.most_steps;
  if (!turns_) {
    turns_ = true;
    turn_power_ = 1;
    turn_digest_ = 0;
  }
  if (turns % (ring_.size() + 1) == 0) {
    const std::uint64_t digest = state_digest();
    if (digest == turn_digest_) {
      outcome_.end = explore::End::cut;
      fail("LIVELOCK", BugCheck::none,
           "the same state again and again, though everybody takes turns: " + story_of(*last_context_) +
               " and others make no progress");
      return 0;
    }
    if (turns >= turn_power_) {
      turn_power_ = 2 * turns + 1;
      turn_digest_ = digest;
    }
  }
  if (turns >= 10 * config_.most_steps) {
    outcome_.end = explore::End::cut;
    fail("LIVELOCK", BugCheck::none,
         "suspected: no end after " + std::to_string(steps_) + " steps, though everybody takes turns");
    return 0;
  }
  return each_.front().actor == last_actor_ && each_.size() > 1 ? 1 : 0;
}

// ---- Taking a step ----

/// What lay in memory that was freed: the object that is to run, or the DPC of a timer that is to expire.
const vmbsim_object* Machine::freed_before_start(const Actor& actor) {
  const vmbsim_object& object = *actor.object;
  if (!object.alive) return &object;
  return object.dpc != nullptr && !object.dpc->alive ? object.dpc : nullptr;
}

void Machine::take(std::uint32_t taken) {
  const Candidate candidate = who_[taken];
  const kernel::Alternative step = each_[taken];
  if (candidate.actor == nullptr) return flush(candidate, step);

  Actor& actor = *candidate.actor;
  if (last_context_ != nullptr && last_context_ != &actor) {
    ++outcome_.switches;
    for (const Candidate& other : who_)
      if (other.actor == last_context_) {
        ++outcome_.preemptions;
        tally_.cover((std::uint64_t{last_context_->request.line} << 40) ^ (std::uint64_t{actor.request.line} << 16) ^ 1,
                     outcome_.features);
      }
  }
  last_context_ = &actor;
  Processor& cpu = *actor.home;
  if (actor.sort == Actor::Sort::thread) cpu.latest = &actor;
  stepped_ = &actor;
  actor.clock.tick(actor.index);
  last_actor_ = step.actor;
  last_place_ = actor.place;

  const bool starts = actor.life == Actor::Life::starting;
  actor.value = 0;
  if (const vmbsim_object* const freed = starts ? freed_before_start(actor) : nullptr) {
    subject_ = &actor;
    fail("USE_AFTER_FREE", BugCheck::timer_or_dpc_invalid,
         std::string(freed->name) + " is to run after its memory was freed");
    subject_ = nullptr;
  } else if (starts && actor.sort == Actor::Sort::timer) {
    // The clock's interrupt: the timer is no longer set, and its DPC is queued.
    actor.life = Actor::Life::idle;
    actor.object->begun = false;
    learns(actor, *actor.object);
    makes_known(actor, *actor.object->dpc);
    subject_ = &actor;
    queue_dpc(*actor.object->dpc, static_cast<std::uint32_t>(actor.object->value));
    subject_ = nullptr;
  } else if (starts) {
    begin_context(actor);
  } else {
    subject_ = &actor;
    perform(actor);
    subject_ = nullptr;
  }
  ++actor.count;
  count_step(step, actor.value, &actor, cpu);
  actor.after = -1;
  if (starts || over_) return;
  if (actor.life == Actor::Life::ready) eager_.push_back(&actor);
}

void Machine::flush(const Candidate& candidate, const kernel::Alternative& made) {
  Processor& cpu = cpus_[candidate.cpu];
  const hw::StoreBuffer::Store store = cpu.buffer.drain_one(candidate.which);
  const auto beside = std::find_if(cpu.beside.begin(), cpu.beside.end(),
                                   [&](const Processor::Beside& each) { return each.word == store.word; });
  vmbsim_object& object = *numbered_[store.word];
  object.value = store.value;
  object.released = beside->released;
  if (!cpu.beside.empty() && beside != cpu.beside.begin())
    tally_.cover(0x70617373ull ^ (std::uint64_t{store.word} << 8), outcome_.features);  // it passed an older store
  beside->by->flushed = static_cast<std::int64_t>(steps_);
  cpu.beside.erase(beside);
  last_actor_ = made.actor;
  stepped_ = nullptr;
  count_step(made, store.value, nullptr, cpu);
}

void Machine::count_step(const kernel::Alternative& step, std::uint64_t value, Actor* actor, Processor& cpu) {
  const auto operation = static_cast<std::uint32_t>(actor == nullptr ? 0x100 : actor->request.operation);
  std::uint64_t told = value;
  std::uint64_t after = 0;
  if (step.operation.object != 0) {
    vmbsim_object& object = *numbered_[step.operation.object];
    if (object.is_pointer) told = 0;  // addresses are nobody's business
    const bool reads = step.operation.access == kernel::Access::read;
    const bool changes = !reads && step.operation.access != kernel::Access::none;
    // A store into the own buffer follows nothing.
    if (reads || changes) after = object.changes * 1'000'003 + (changes ? object.looks : 0);
    const std::uint32_t site = (operation << 20) ^ (actor == nullptr ? 0 : actor->request.line);
    if (changes || (reads && object.last_changed))
      if (object.last_actor != step.actor && object.last_actor != 0xffffffff)
        tally_.cover((std::uint64_t{object.last_site} << 32) ^ (std::uint64_t{object.number} << 48) ^ site,
                     outcome_.features);
    if (changes) {
      ++object.changes;
      object.looks = 0;
    } else if (reads) {
      ++object.looks;
    }
    object.last_site = site;
    object.last_actor = step.actor;
    object.last_changed = changes;
  }
  if (step.operation.other != 0) {
    vmbsim_object& other = *numbered_[step.operation.other];
    after = after * 31 + other.changes++;
  }
  std::uint64_t who = std::uint64_t{step.actor} << 40;
  if (actor != nullptr) who ^= (actor->count << 20) ^ cpu.steps++;  // contexts of one processor never commute
  tally_.add_to_class(who, step.operation.object, after);
  tally_.add(step.actor, step.operation.object, operation, told);
  if (listener_ != nullptr) {
    const bool starts = step.kind != kernel::ChoicePoint::cpu;  // the request is that of whoever has come so far
    std::string text = actor == nullptr ? "visible: " + value_text(*numbered_[step.operation.object], value)
                       : !starts        ? text_of(actor->request, value)
                       : actor->sort == Actor::Sort::timer ? "expires"
                                                           : "starts";
    listener_->on_step({.number = steps_,
                        .actor = step.actor,
                        .processor = cpu.number,
                        .irql = static_cast<std::uint8_t>(cpu.irql()),
                        .operation = step.operation,
                        .value = told,
                        .text = std::move(text),
                        .time_ns = static_cast<std::int64_t>(steps_)});
  }
  ++steps_;
}

// ---- Contexts ----

void Machine::body_of(void* argument) {
  Actor& actor = *static_cast<Actor*>(argument);
  vmbsim_object& object = *actor.object;
  actor.machine.outside([&] { object.routine(object.context); });
  actor.machine.end_of(actor);
}

/// Runs up to its first operation before the next question.
void Machine::begin_context(Actor& actor) {
  Processor& cpu = *actor.home;
  switch (actor.sort) {
    case Actor::Sort::interrupt:
      actor.object->begun = false;
      actor.irql = actor.object->irql;
      cpu.nested.push_back(&actor);
      actor.clock.join(cpu.below);
      break;
    case Actor::Sort::dpc:
      cpu.dpcs.erase(cpu.dpcs.begin());
      actor.object->actor = nullptr;
      actor.irql = Irql::dispatch;
      cpu.nested.push_back(&actor);
      actor.clock.join(cpu.below);
      break;
    case Actor::Sort::work_item: actor.object->actor = nullptr; [[fallthrough]];
    default: actor.irql = Irql::passive;
  }
  actor.entered = actor.irql;
  actor.life = Actor::Life::ready;
  actor.request = {};
  learns(actor, *actor.object);
  if (!actor.fiber.finished()) actor.fiber.abandon();
  actor.fiber.start(&Machine::body_of, &actor);
  eager_.push_back(&actor);
}

/// On the context's own fibre, which ends after it.
void Machine::end_of(Actor& actor) {
  if (actor.irql != actor.entered)
    fail("IRQL",
         actor.sort == Actor::Sort::work_item ? BugCheck::worker_thread_returned_at_bad_irql
                                              : BugCheck::irql_unexpected_value,
         actor.object->name + std::string(" began at ") + name_of(actor.entered) + " and ends at " +
             name_of(actor.irql));
  else if (!actor.held.empty())
    fail("LOCK", BugCheck::none, actor.object->name + std::string(" ends and still holds ") + actor.held.back()->name);
  Processor& cpu = *actor.home;
  makes_known(actor, *actor.object);
  if (actor.sort == Actor::Sort::interrupt || actor.sort == Actor::Sort::dpc) {
    cpu.nested.pop_back();
    cpu.below.join(actor.clock);
  }
  actor.life = actor.sort == Actor::Sort::thread ? Actor::Life::finished : Actor::Life::idle;
  actor.ended = static_cast<std::int64_t>(steps_) - 1;
  if (actor.sort == Actor::Sort::interrupt && actor.object->begun)
    prepare_start(actor, static_cast<std::int64_t>(steps_) - 1);
}

// ---- The end ----

namespace {

Finding finding_of(const Rule& rule, BugCheck code, std::uint64_t step, std::string where, const char* call,
                   const std::string& text) {
  return {.rule = rule.id,
          .severity = rule.severity,
          .bug_check = code,
          .time = SimTime{Duration{static_cast<std::int64_t>(step)}},
          .where = std::move(where),
          .call = call,
          .text = text,
          .source = rule.source};
}

}  // namespace

void Machine::fail(RuleId rule, BugCheck code, const std::string& text, const char* call) {
  VMBSIM_ASSERT(!in_harness_, "what is told of a run is not kept in the run's memory");
  const Actor& who = subject_ != nullptr ? *subject_ : *current_;
  outcome_.findings.push_back(finding_of(*rule, code, steps_, story_of(who), call, text));
  over_ = true;
}

void Machine::add_finding(RuleId rule, BugCheck code, const std::string& text, const std::string& place) {
  outcome_.findings.insert(
      outcome_.findings.begin(),
      finding_of(*rule, code, steps_, (left_ == nullptr ? "the harness" : story_of(*left_)) + place, "", text));
}

void Machine::note_order(const observe::LockGraph::Cycle& cycle) {
  std::string text;
  const auto name = [this, &cycle](std::size_t place) {
    return std::string(numbered_[cycle.locks[place % cycle.locks.size()]]->name);
  };
  if (cycle.danger == observe::LockGraph::Danger::order) {
    text = "different contexts take locks in a ring";
    for (std::size_t i = 0; i < cycle.locks.size(); ++i)
      text += (i == 0 ? ": " : "; ") + std::string(contexts_[cycle.contexts[i]].object->name) + " takes " +
              name(i + 1) + " while it holds " + name(i);
    text += ". An order by words, by what a mutex guards or by a processor is not seen: let an Event or a join tell it";
  } else {
    text = "an interrupt takes a lock that is held elsewhere at an IRQL that lets it in: ";
    for (std::size_t i = 0; i < cycle.locks.size(); ++i) text += (i == 0 ? "" : ", then ") + name(i);
  }
  dangers_.push_back(finding_of(*RuleId("LOCK_ORDER"), BugCheck::driver_verifier_detected_violation, steps_,
                                story_of(*subject_), "", text));
}

void Machine::stop_harness(bool later) {
  if (later && (!in_harness_ || in_heap_)) stop_at_ = progress();
  if (!in_harness_ || (later && in_heap_)) return;
  in_harness_ = false;
  over_ = true;
  handed_ = nullptr;
  left_ = &maker();
  const std::span<const std::byte> stack = current_->fiber.live();
  left_stack_end_ = reinterpret_cast<std::uintptr_t>(stack.data() + stack.size());
  current_->fiber.suspend();
}

/// A run that is over before its end: who could not go on at the last question.
void Machine::note_held_up() {
  for (const Actor* actor : ring_) {
    if (actor->life != Actor::Life::ready && actor->life != Actor::Life::starting) continue;
    const auto may_go = [actor](const Candidate& candidate) { return candidate.actor == actor; };
    if (std::any_of(who_.begin(), who_.end(), may_go)) continue;
    if (std::find(eager_.begin(), eager_.end(), actor) != eager_.end()) continue;
    outcome_.waiting.push_back(actor->next);
    outcome_.waiting.back().after = actor->after;
  }
}

bool Machine::below_stack(std::uintptr_t address) const {
  constexpr std::uintptr_t guard_bytes = 4096;
  const std::uintptr_t lowest = left_stack_end_ - kernel::StackPool::stack_bytes;
  return address < lowest && address + guard_bytes >= lowest;
}

void Machine::finish() {
  phase_ = Phase::idle;
  if (over_) note_held_up();
  // Of a run that was given up nobody knows what it would have come to.
  if (outcome_.end != explore::End::abandoned && outcome_.findings.empty())
    for (Finding& danger : dangers_) outcome_.findings.push_back(std::move(danger));
  outcome_.steps = steps_;
  outcome_.trace_class = tally_.trace_class();
  outcome_.fingerprint = tally_.fingerprint();
}

}  // namespace vmbsim::harness
