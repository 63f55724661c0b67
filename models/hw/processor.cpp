#include "models/hw/processor.hpp"

#include <algorithm>
#include <utility>

namespace vmbsim::hw {

constinit thread_local Processor* Processor::current_ = nullptr;

void Context::start(Irql irql, kernel::Fiber::Body body, void* argument) {
  fiber_.start(body, argument);
  irql_ = entered_at_ = irql;
  pause_ = Pause::ready;
  remaining_ = Duration{};
}

Processor::Processor(Config config)
    : name_(std::move(config.name)),
      id_(config.id),
      world_(config.world),
      stacks_(config.stacks),
      executive_(config.executive),
      idle_wake_(config.idle_wake),
      patience_(config.patience),
      exploration_(config.exploration),
      number_(exploration_ == nullptr ? 0 : exploration_->new_processor(name_)),
      idle_wake_stream_(config.world.stream(name_, "idle wake")),
      actor_(config.world.new_actor()) {}

// ---- Called by the context that executes here ----

void Processor::consume_in_calendar(Duration span) {
  VMBSIM_ASSERT(current_ == this, "only a context on the processor consumes its time");
  Context& self = *occupant_;
  self.pause_ = Context::Pause::consuming;
  self.wake_time_ = world_.now() + span;
  self.wake_ = world_.at<&Processor::on_wake>(self.wake_time_, actor_, *this);
  leave(self);
}

void Processor::set_irql(Irql irql) {
  VMBSIM_ASSERT(current_ == this, "only a context on the processor sets its IRQL");
  Context& self = *occupant_;
  const bool lowered = irql < self.irql_;
  if (lowered && irql < Irql::dispatch && self.irql_ >= Irql::dispatch)
    ask_patience(self);
  else if (irql >= Irql::dispatch && self.irql_ < Irql::dispatch)
    self.raised_since_ = world_.now();
  self.irql_ = irql;
  tell_change();
  if (!lowered || !held_back(irql)) return;
  interrupt_occupant();
  leave(self);
}

void Processor::wait() {
  VMBSIM_ASSERT(current_ == this, "only a context on the processor gives it up");
  Context& self = *occupant_;
  VMBSIM_ASSERT(self.activity_ == Activity::thread && self.irql_ < Irql::dispatch,
                "only a thread below DISPATCH_LEVEL waits");
  self.pause_ = Context::Pause::waiting;
  occupant_ = nullptr;
  leave(self);
}

void Processor::spin() {
  VMBSIM_ASSERT(current_ == this, "only a context on the processor spins there");
  Context& self = *occupant_;
  self.pause_ = Context::Pause::spinning;
  account(Activity::spin);
  leave(self);
}

void Processor::stall(Duration span) {
  VMBSIM_ASSERT(current_ == this, "a processor is descheduled while its context executes");
  occupant_->pause_ = Context::Pause::stalled;
  stalled_ = true;
  world_.after<&Processor::on_stall_over>(span, actor_, *this);
  leave(*occupant_);
}

void Processor::abandon() {
  occupant_->pause_ = Context::Pause::abandoned;
  world_.stop();
  leave(*occupant_);
  impossible("an abandoned context never goes on", "Processor::abandon");
}

/// A context that asks and asks at one instant would never let time pass.
void Processor::give_up() {
  world_.end_livelock();
  abandon();
}

// ---- Called from anywhere ----

void Processor::request_interrupt(InterruptLine& line) {
  if (line.pending) return;
  line.pending = true;
  if (exploration_ != nullptr) [[unlikely]] {
    const Duration late = exploration_->late(kernel::ChoicePoint::interrupt, number_);
    if (late.count() != 0) {
      line.late_for = this;
      world_.after(
          late, actor_,
          [](void* object) {
            auto& arrived = *static_cast<InterruptLine*>(object);
            arrived.late_for->interrupt_arrives(arrived);
          },
          &line);
      return;
    }
  }
  interrupt_arrives(line);
}

void Processor::interrupt_arrives(InterruptLine& line) {
  pending_.push_back(&line);
  reconsider();
}

void Processor::reconsider() {
  attention_ = true;
  if (current_ == this) {  // a software interrupt: the context stops right here, or when it lowers its IRQL
    Context& self = *occupant_;
    if (!held_back(self.irql_)) return;
    interrupt_occupant();
    leave(self);
    return;
  }
  if (scheduled_ || waking_ || stalled_) return;
  scheduled_ = true;
  world_.soon([](void* self) { static_cast<Processor*>(self)->on_reconsider(); }, this);
}

void Processor::let_spinner_look() {
  VMBSIM_ASSERT(spinning(), "only a spinner that is not interrupted looks at its lock");
  go_on(*occupant_);
  settle();
}

bool Processor::interrupted_here(const Context* context) const {
  return std::find(interrupted_.begin(), interrupted_.end(), context) != interrupted_.end();
}

// ---- Events ----

void Processor::on_wake() {
  occupant_->pause_ = Context::Pause::ready;
  run(*occupant_);
  settle();
}

void Processor::on_reconsider() {
  scheduled_ = false;
  if (waking_ || stalled_) return;
  if (occupant_ == nullptr && !pending_.empty()) {
    const Duration delay = idle_wake_.sample(idle_wake_stream_);
    if (delay.count() > 0) {
      waking_ = true;
      world_.after<&Processor::on_awake>(delay, actor_, *this);
      return;
    }
  }
  if (occupant_ != nullptr) {
    if (!held_back(occupant_->irql_)) return;
    interrupt_occupant();
  }
  settle();
}

void Processor::on_awake() {
  waking_ = false;
  settle();
}

void Processor::on_stall_over() {
  stalled_ = false;
  occupant_->pause_ = Context::Pause::ready;
  if (held_back(occupant_->irql_))
    interrupt_occupant();
  else
    run(*occupant_);
  settle();
}

// ---- The decision ----

void Processor::interrupt_occupant() {
  Context& context = *occupant_;
  if (context.pause_ == Context::Pause::consuming) {
    context.remaining_ = context.wake_time_ - world_.now();
    world_.cancel(context.wake_);
    context.pause_ = Context::Pause::ready;
  }
  interrupted_.push_back(&context);
  occupant_ = nullptr;
}

bool Processor::held_back(Irql level) const {
  return highest_pending(level) != nullptr ||
         (level < Irql::dispatch && (attention_ || executive_.dpcs_requested(id_, false)));
}

void Processor::fill() {
  if (exploration_ != nullptr) [[unlikely]]
    exploration_->switches(number_);  // an interrupt, a DPC pass and a switch all serialise
  while (occupant_ == nullptr) {
    Context* next = interrupted_.empty() ? nullptr : interrupted_.back();
    const Irql level = next == nullptr ? Irql::passive : next->irql_;
    if (start_pending_interrupt(level)) continue;
    if (level < Irql::dispatch && executive_.dpcs_requested(id_, false)) {
      run_dpc_pass();
      continue;
    }
    if (next != nullptr) interrupted_.pop_back();
    // A DPC or an ISR that lowered its IRQL too far is no thread: it stays where it is.
    if (level < Irql::dispatch && (next == nullptr || next->activity_ == Activity::thread)) {
      attention_ = false;
      next = executive_.next_thread(id_, next);
    }
    if (next != nullptr) {
      go_on(*next);
    } else if (executive_.dpcs_requested(id_, true)) {
      run_dpc_pass();  // the idle loop drains what nobody hurried
    } else {
      account(Activity::idle);
      return;
    }
  }
}

void Processor::run_dpc_pass() {
  Context& pass = fresh(Activity::dpc);
  pass.raised_since_ = world_.now();
  pass.start(
      Irql::dispatch,
      [](void* self) {
        auto& cpu = *static_cast<Processor*>(self);
        cpu.executive_.drain_dpcs(cpu.id_);
      },
      this);
  run(pass);
}

bool Processor::start_pending_interrupt(Irql level) {
  InterruptLine* line = highest_pending(level);
  if (line == nullptr) return false;
  pending_.erase(std::find(pending_.begin(), pending_.end(), line));
  line->pending = false;
  ++interrupts_;
  Context& isr = fresh(Activity::isr);
  isr.raised_since_ = world_.now();
  in_service_ = line;
  isr.start(
      line->irql,
      [](void* self) {
        const InterruptLine& served = *static_cast<Processor*>(self)->in_service_;
        served.routine(served.object);
      },
      this);
  run(isr);
  return true;
}

InterruptLine* Processor::highest_pending(Irql above) const {
  InterruptLine* highest = nullptr;
  for (InterruptLine* line : pending_)
    if (line->irql > above && (highest == nullptr || line->irql > highest->irql)) highest = line;
  return highest;
}

void Processor::go_on(Context& context) {
  if (context.remaining_.count() > 0) {
    occupant_ = &context;
    account(context.activity_);
    context.pause_ = Context::Pause::consuming;
    context.wake_time_ = world_.now() + context.remaining_;
    context.remaining_ = Duration{};
    context.wake_ = world_.at<&Processor::on_wake>(context.wake_time_, actor_, *this);
    return;
  }
  context.pause_ = Context::Pause::ready;
  run(context);
}

void Processor::run(Context& context) {
  VMBSIM_ASSERT(current_ == nullptr, "contexts are entered from events only");
  occupant_ = &context;
  account(context.activity_);
  current_ = this;
  steps_ = 0;
  context.fiber_.resume();
  current_ = nullptr;
  if (!context.fiber_.finished()) return;
  VMBSIM_ASSERT(occupant_ == &context, "a context ends on the processor it occupies");
  occupant_ = nullptr;
  tell_change();
  switch (context.activity_) {
    case Activity::isr:
      ask_patience(context);
      context.fiber_.rest();
      spare_isr_.push_back(&context);
      break;
    case Activity::dpc:
      ask_patience(context);
      context.fiber_.rest();
      spare_dpc_.push_back(&context);
      break;
    default: executive_.thread_ended(context); break;
  }
}

void Processor::account(Activity next) {
  spent_[static_cast<std::size_t>(activity_)] += world_.now() - since_;
  since_ = world_.now();
  activity_ = next;
  tell_change();
}

std::array<Duration, activity_count> Processor::accounted() const {
  auto spent = spent_;
  spent[static_cast<std::size_t>(activity_)] += world_.now() - since_;
  return spent;
}

Context& Processor::fresh(Activity activity) {
  auto& spare = activity == Activity::isr ? spare_isr_ : spare_dpc_;
  if (spare.empty()) {
    owned_.push_back(std::make_unique<Context>(stacks_, activity));
    spare.push_back(owned_.back().get());
  }
  Context& context = *spare.back();
  spare.pop_back();
  return context;
}

}  // namespace vmbsim::hw
