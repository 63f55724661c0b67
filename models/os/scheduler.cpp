// Threads: who runs, for how long, and the system worker threads.
// Source: WDK, "System worker threads"; Windows Internals, part 1, chapter 4 (priorities, quantum).
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "models/os/thread.hpp"

namespace vmbsim::os {

namespace {
/// The quantum of a client Windows. Source: Windows Internals, part 1, chapter 4.
constexpr Duration quantum = 2 * os::clock_tick;
/// Worker threads of a queue: one per processor, but a few even on one processor, because a work item may block.
/// Source: WDK, "System worker threads"; the number is assumed.
constexpr std::uint32_t least_workers = 4;
/// A queue of which no item was taken for this long gets one more worker thread, up to so many more.
/// Source: Windows Internals, part 1, "System worker threads".
constexpr Duration balance_period{1'000'000'000};
constexpr std::uint32_t most_dynamic_workers = 16;
}  // namespace

Thread::Thread(Partition& partition, kernel::StackPool& stacks, std::string name, int priority, CpuId ideal, bool bound,
               Body body, void* argument)
    : partition_(partition),
      name_(std::move(name)),
      context_(std::in_place, stacks, hw::Activity::thread, this),
      priority_(priority),
      ideal_(ideal),
      bound_(bound),
      body_(body),
      argument_(argument),
      quantum_left_(quantum) {
  object_.header.Type = object_type::thread;
  InitializeListHead(&object_.header.WaitListHead);
  object_.thread = this;
  InitializeListHead(&mutexes_);
}

Thread& Partition::create_thread(std::string name, int priority, CpuId ideal, bool bound, Thread::Body body,
                                 void* argument) {
  VMBSIM_ASSERT(priority >= 0 && priority < 32, "thread priorities are 0 to 31");
  for (Thread* ended : ended_) {
    ended->context_.reset();
    if (ended->references_ == 0) erase(*ended);
  }
  ended_.clear();
  threads_.push_back(
      std::unique_ptr<Thread>(new Thread(*this, stacks_, std::move(name), priority, ideal, bound, body, argument)));
  Thread& thread = *threads_.back();
  thread.context_->start(
      Irql::passive,
      [](void* object) {
        auto& self = *static_cast<Thread*>(object);
        self.body_(self.argument_);
        self.partition_.require_clean_end();
      },
      &thread);
  make_ready(thread);
  return thread;
}

Thread& Partition::thread_of(hw::Context& context) const { return *static_cast<Thread*>(context.owner()); }

Thread* Partition::current_thread() {
  hw::Context* occupant = hw::Processor::current()->occupant();
  return occupant->activity() == hw::Activity::thread ? &thread_of(*occupant) : nullptr;
}

void Partition::thread_ended(hw::Context& context) {
  Thread& thread = thread_of(context);
  thread.state_ = Thread::State::ended;
  for (Cpu& cpu : cpus_)
    if (cpu.last_thread == &thread) {
      charge_quantum(cpu);
      cpu.last_thread = nullptr;
    }
  ended_.push_back(&thread);
}

/// What a thread must have given back before it ends; afterwards whoever waits for its end goes on.
void Partition::require_clean_end() {
  if (!require_irql_at_most(Irql::passive, "the end of a thread", BugCheck::irql_unexpected_value))
    hw::Processor::current()->set_irql(Irql::passive);
  Thread& thread = *current_thread();
  if (thread.regions_ != 0)
    findings_.add("THREAD", BugCheck::kernel_apc_pending_during_exit, {},
                  "a thread ended while it owned a mutex or was in a critical region");
  const NoSwitch until_done;
  while (!IsListEmpty(&thread.mutexes_)) {
    KMUTANT& mutex = *CONTAINING_RECORD(RemoveHeadList(&thread.mutexes_), KMUTANT, MutantListEntry);
    mutex.OwnerThread = nullptr;
    mutex.Abandoned = TRUE;
    mutex.Header.SignalState = 1;
    satisfy(mutex.Header);
  }
  thread.object_.header.SignalState = 1;
  satisfy(thread.object_.header);
}

void Partition::end_current_thread() {
  require_clean_end();
  thread_ended(*hw::Processor::current()->occupant());
  hw::Processor::current()->wait();  // nobody makes it ready again
  impossible("an ended thread does not run", "Partition::end_current_thread");
}

HANDLE Partition::create_system_thread(Thread::Body body, void* argument) {
  Thread& thread = create_thread(fmt::format("{}.thread", name_), Thread::priority_normal,
                                 hw::Processor::current()->id(), false, body, argument);
  thread.drivers_own_ = true;
  thread.references_ = 1;
  last_handle_ += 4;
  const auto handle = reinterpret_cast<HANDLE>(last_handle_);
  handles_.emplace(handle, &thread);
  return handle;
}

Thread* Partition::thread_of(HANDLE handle) const {
  const auto found = handles_.find(handle);
  return found == handles_.end() ? nullptr : found->second;
}

bool Partition::close(HANDLE handle) {
  const auto found = handles_.find(handle);
  if (found == handles_.end()) {
    const auto block = pool_.find(handle);
    return block && block->tag == MemoryPool::handle_tag && pool_.free(handle);
  }
  Thread& thread = *found->second;
  handles_.erase(found);
  if (--thread.references_ == 0 && !thread.context_) erase(thread);
  return true;
}

void Partition::erase(const Thread& thread) {
  threads_.erase(
      std::find_if(threads_.begin(), threads_.end(), [&thread](const auto& each) { return each.get() == &thread; }));
}

std::optional<std::uint32_t> Partition::dereference(Thread& thread) {
  const auto handles = static_cast<std::uint32_t>(
      std::count_if(handles_.begin(), handles_.end(), [&thread](const auto& each) { return each.second == &thread; }));
  if (thread.references_ == handles) return std::nullopt;  // what is left belongs to handles
  const std::uint32_t left = --thread.references_;
  if (left == 0 && !thread.context_) erase(thread);
  return left;
}

void Partition::set_priority(Thread& thread, int priority) {
  VMBSIM_ASSERT(priority >= 0 && priority < 32, "thread priorities are 0 to 31");
  if (thread.priority_ == priority || thread.state_ == Thread::State::ended) return;
  const bool lowered = priority < thread.priority_;
  if (thread.state_ != Thread::State::ready) {
    thread.priority_ = priority;
    if (!lowered || thread.state_ != Thread::State::running) return;
    for (Cpu& cpu : cpus_)  // somebody who waits may come first now
      if (cpu.last_thread == &thread) cpu.processor->reconsider();
    return;
  }
  auto& before = ready_[static_cast<std::size_t>(thread.priority_)];
  std::erase(before, &thread);
  if (before.empty()) ready_mask_ &= ~(1u << thread.priority_);
  thread.priority_ = priority;
  ready_[static_cast<std::size_t>(priority)].push_back(&thread);
  ready_mask_ |= 1u << priority;
  find_processor(thread);
}

void Partition::make_ready(Thread& thread) {
  leave_behind();
  thread.state_ = Thread::State::ready;
  thread.quantum_left_ = quantum;  // assumed: a wait earns a new one
  hw::Processor::make_ready(*thread.context_);
  const auto level = static_cast<std::size_t>(thread.priority_);
  ready_[level].push_back(&thread);
  ready_mask_ |= 1u << level;
  find_processor(thread);
}

void Partition::find_processor(Thread& thread) {
  Cpu& ideal = cpus_[thread.ideal_.value];
  if (ideal.processor->idle()) return ideal.processor->reconsider();
  if (!thread.bound_)
    for (Cpu& cpu : cpus_)
      if (cpu.processor->idle()) return cpu.processor->reconsider();
  // Nobody is idle: the ideal processor decides between its occupant and the newcomer when its IRQL allows. The others may
  // take it when a quantum ends there.
  for (Cpu& cpu : cpus_)
    if (!thread.bound_ || &cpu == &ideal) start_sharing(cpu);
  ideal.processor->reconsider();
}

Thread* Partition::best_ready(CpuId cpu, int above_priority) {
  for (std::uint32_t mask = ready_mask_; mask != 0;) {
    const int level = static_cast<int>(std::bit_width(mask)) - 1;
    if (level <= above_priority) return nullptr;
    auto& queue = ready_[static_cast<std::size_t>(level)];
    const auto may_run = [cpu](const Thread* t) { return !t->bound_ || t->ideal_ == cpu; };
    const auto candidates = static_cast<std::uint32_t>(std::count_if(queue.begin(), queue.end(), may_run));
    if (candidates != 0) {
      std::uint32_t skip = world_.choose(kernel::ChoicePoint::thread, candidates, cpus_[cpu.value].processor->number());
      auto chosen = std::find_if(queue.begin(), queue.end(), may_run);
      while (skip-- != 0) chosen = std::find_if(chosen + 1, queue.end(), may_run);
      Thread* thread = *chosen;
      queue.erase(chosen);
      if (queue.empty()) ready_mask_ &= ~(1u << level);
      return thread;
    }
    mask &= ~(1u << level);
  }
  return nullptr;
}

hw::Context* Partition::next_thread(CpuId id, hw::Context* occupant) {
  Cpu& cpu = cpus_[id.value];
  charge_quantum(cpu);
  cpu.quantum_over = false;
  Thread* current = occupant != nullptr ? &thread_of(*occupant) : nullptr;
  const bool spent = current != nullptr && current->quantum_left_ <= Duration{};
  const int floor = current == nullptr ? -1 : spent ? current->priority_ - 1 : current->priority_;
  Thread* next = best_ready(id, floor);
  if (spent) current->quantum_left_ = quantum;
  if (next == nullptr) {
    if (current != nullptr) arm_quantum(cpu);
    return occupant;
  }
  if (current != nullptr) {  // preempted ones come first among their equals, those that used up their quantum last
    current->state_ = Thread::State::ready;
    auto& queue = ready_[static_cast<std::size_t>(current->priority_)];
    if (spent)
      queue.push_back(current);
    else
      queue.insert(queue.begin(), current);
    ready_mask_ |= 1u << current->priority_;
  }
  next->state_ = Thread::State::running;
  world_.cancel(cpu.quantum);
  if (cpu.last_thread != next) next->context_->owe(scaled(costs_.thread_switch.sample(cpu.costs)));
  cpu.last_thread = next;
  arm_quantum(cpu);
  for (std::uint32_t mask = ready_mask_; mask != 0; mask &= mask - 1)  // whoever is left may suit an idle processor
    for (Thread* waiting : ready_[static_cast<std::size_t>(std::countr_zero(mask))])
      for (Cpu& other : cpus_)
        if (&other != &cpu && other.processor->idle() && (!waiting->bound_ || waiting->ideal_ == other.id))
          other.processor->reconsider();
  return &*next->context_;
}

/// Takes what the last dispatched thread used of this processor, and only that, from its quantum.
void Partition::charge_quantum(Cpu& cpu) {
  const auto spent = cpu.processor->accounted();
  // Spinning above DISPATCH_LEVEL, which is not the thread's, is rare enough to be charged to it as well.
  const Duration used =
      spent[static_cast<std::size_t>(hw::Activity::thread)] + spent[static_cast<std::size_t>(hw::Activity::spin)];
  if (cpu.last_thread != nullptr) cpu.last_thread->quantum_left_ -= used - cpu.thread_time;
  cpu.thread_time = used;
}

/// Somebody waits now: the running thread, which had one quantum after the other, has what is left of its last.
void Partition::start_sharing(Cpu& cpu) {
  Thread* running = cpu.last_thread;
  if (running == nullptr || running->state_ != Thread::State::running || cpu.quantum_over ||
      world_.pending(cpu.quantum))
    return;
  charge_quantum(cpu);
  while (running->quantum_left_ <= Duration{}) running->quantum_left_ += quantum;
  arm_quantum(cpu);
}

/// A quantum ends by an event only where somebody waits for it.
void Partition::arm_quantum(Cpu& cpu) {
  const Thread& running = *cpu.last_thread;
  if (world_.pending(cpu.quantum) || ready_mask_ >> running.priority_ == 0) return;
  cpu.quantum = world_.after(
      running.quantum_left_, actor_,
      [](void* object) {
        auto& ended = *static_cast<Cpu*>(object);
        ended.quantum_over = true;
        ended.processor->reconsider();
      },
      &cpu);
}

// ---- System worker threads ----

void Partition::queue_work(WorkItem& item, WORK_QUEUE_TYPE type) {
  VMBSIM_ASSERT(!item.queued, "a work item is queued once at a time");
  item.queued = true;
  leave_behind();
  WorkQueue& queue = work_queues_[type == DelayedWorkQueue ? 0 : 1];
  queue.items.push_back(&item);
  if (!queue.idle.empty()) {  // the worker of this processor if it is free, else whoever came to rest last
    const hw::Processor* here = hw::Processor::current();
    auto chosen = queue.idle.end() - 1;
    if (here != nullptr && &here->executive() == this)
      for (auto worker = queue.idle.begin(); worker != queue.idle.end(); ++worker)
        if ((*worker)->thread->ideal_ == here->id()) chosen = worker;
    Worker* worker = *chosen;
    queue.idle.erase(chosen);
    make_ready(*worker->thread);
  } else if (queue.threads < std::max(cpu_count(), least_workers)) {  // made when first needed
    add_worker(queue);
  } else {
    look_after(queue);
  }
}

void Partition::remove_work(WorkItem& item) {
  for (WorkQueue& queue : work_queues_) std::erase(queue.items, &item);
  item.queued = false;
}

void Partition::add_worker(WorkQueue& queue) {
  const std::uint32_t index = queue.threads++;
  std::string worker_name = fmt::format("{}.wrk{}.{}", name_, queue.priority, index);
  workers_.push_back(std::make_unique<Worker>(Worker{*this, queue, nullptr, world_.stream(worker_name, "costs")}));
  create_thread(
      std::move(worker_name), queue.priority, CpuId{index % cpu_count()}, false,
      [](void* object) {
        auto& self = *static_cast<Worker*>(object);
        self.partition.work(self);
      },
      workers_.back().get());
}

/// While items wait behind busy workers the balance manager looks once a period whether any of them comes to an end.
void Partition::look_after(WorkQueue& queue) {
  if (world_.pending(queue.look)) return;
  queue.taken_at_look = queue.taken;
  queue.look = world_.after(
      balance_period, actor_,
      [](void* object) {
        auto& watched = *static_cast<WorkQueue*>(object);
        watched.partition->on_look(watched);
      },
      &queue);
}

void Partition::on_look(WorkQueue& queue) {
  if (queue.items.empty()) return;
  const bool stuck = queue.taken == queue.taken_at_look;
  if (stuck && queue.threads < std::max(cpu_count(), least_workers) + most_dynamic_workers) add_worker(queue);
  look_after(queue);
}

void Partition::work(Worker& worker) {
  worker.thread = current_thread();
  for (;;) {
    spend(costs_.worker_wake, worker.costs);
    for (;;) {
      if (exploration_ != nullptr) [[unlikely]]
        exploration_->before_work(*hw::Processor::current());
      auto& items = worker.queue.items;
      if (items.empty()) {
        if (exploration_ != nullptr) [[unlikely]]
          exploration_->takes_work(*hw::Processor::current(), nullptr);
        break;
      }
      const std::uint32_t choice = world_.choose(kernel::ChoicePoint::worker, static_cast<std::uint32_t>(items.size()),
                                                 hw::Processor::current()->number());
      WorkItem& item = *items[choice];
      items.erase(items.begin() + choice);
      if (exploration_ != nullptr) [[unlikely]]
        exploration_->takes_work(*hw::Processor::current(), &item);
      ++worker.queue.taken;
      item.queued = false;  // before the routine: it may queue itself again
      item.routine(item.context);
      if (hw::Processor::current()->irql() != Irql::passive) {
        findings_.add("IRQL", BugCheck::worker_thread_returned_at_bad_irql, {},
                      "a work item returned above PASSIVE_LEVEL");
        hw::Processor::current()->set_irql(Irql::passive);
      }
    }
    worker.queue.idle.push_back(&worker);
    worker.thread->state_ = Thread::State::waiting;
    hw::Processor::current()->wait();
  }
}

}  // namespace vmbsim::os
