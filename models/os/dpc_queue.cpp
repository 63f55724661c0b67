// Deferred procedure calls.
// Source: WDK, "Organization of DPC queues": importance decides the place in the queue and whether draining starts at once.
#include <fmt/format.h>

#include "models/os/thread.hpp"

namespace vmbsim::os {

namespace {
/// A queue this deep is drained whatever the importance of its DPCs. Source: the WDK speaks of a system-chosen depth; assumed.
constexpr std::uint32_t hurry_depth = 4;

// Limits of the watchdog, in clock ticks. Source: WDK, "Bug Check 0x133 DPC_WATCHDOG_VIOLATION", its example dumps.
constexpr Duration routine_limit = 0x500 * clock_tick;  // one DPC or ISR: 20 s
constexpr Duration raised_limit = 0x1E00 * clock_tick;  // in one go at DISPATCH_LEVEL or above: 120 s

void insert_by_importance(LIST_ENTRY& queue, KDPC& dpc, bool other_end) {
  if ((dpc.Importance == HighImportance) != other_end)
    InsertHeadList(&queue, &dpc.DpcListEntry);
  else
    InsertTailList(&queue, &dpc.DpcListEntry);
}

}  // namespace

const Duration Partition::watchdog_patience = routine_limit;

// ---- The watchdog ----

void Partition::watch(const Cpu& cpu, const char* what, SimTime since, Duration limit) {
  const Duration span = world_.now() - since;
  if (span <= limit) return;
  const bool told_anyway = hw::Processor::current() == cpu.processor.get();
  findings_.add("WATCHDOG", BugCheck::dpc_watchdog_violation, told_anyway ? std::string_view{} : cpu.processor->name(),
                fmt::format("{} for {} ms; the watchdog allows {} s", what, span / 1ms, limit / 1s));
}

void Partition::raised_too_long(CpuId id, const hw::Context& context) {
  const Cpu& cpu = cpus_[id.value];
  if (context.activity() == hw::Activity::isr)
    watch(cpu, "one ISR ran", context.raised_since(), routine_limit);
  else
    watch(cpu, "the processor was held at DISPATCH_LEVEL or above", context.raised_since(), raised_limit);
}

void Partition::find_held_processors() {
  for (const Cpu& cpu : cpus_)
    cpu.processor->each_started([&](const hw::Context& context) {
      if (context.irql() < Irql::dispatch) return;
      if (context.activity() == hw::Activity::dpc) watch(cpu, "one DPC ran", cpu.dpc_since, routine_limit);
      raised_too_long(cpu.id, context);
    });
}

// ---- The queue ----

/// No driver knows what else is queued: in a hunt a DPC may come before or after the others all the same.
bool Partition::joins_other_end(const Cpu& cpu, const LIST_ENTRY& queue) const {
  return exploration_ != nullptr && !IsListEmpty(&queue) &&
         world_.choose(kernel::ChoicePoint::dpc, 2, cpu.processor->number(),
                       hw::Exploration::kind_of(hw::Site::insert_dpc)) != 0;
}

bool Partition::insert_dpc(KDPC& dpc, void* argument1, void* argument2, CpuId origin) {
  leave_behind();
  if (dpc.DpcData != nullptr) return false;  // queued at most once: the two causes merge
  const hw::Processor* here = hw::Processor::current();
  const bool local_caller = here != nullptr && &here->executive() == this;
  const std::uint32_t index = dpc.Number >= targeted_dpc ? static_cast<std::uint32_t>(dpc.Number - targeted_dpc)
                              : local_caller             ? here->id().value
                                                         : origin.value;
  VMBSIM_ASSERT(index < cpus_.size(), "a DPC is queued to a processor of its partition");
  Cpu& cpu = cpus_[index];
  dpc.SystemArgument1 = argument1;
  dpc.SystemArgument2 = argument2;
  dpc.DpcData = &cpu;
  if (dpc.Type == object_type::threaded_dpc) {
    insert_threaded_dpc(cpu, dpc);
    return true;
  }
  ++cpu.dpc_depth;
  insert_by_importance(cpu.dpcs, dpc, joins_other_end(cpu, cpu.dpcs));

  const bool local = !local_caller || here->id() == cpu.id;  // an event queues on behalf of the processor itself
  const bool at_once = dpc.Importance == HighImportance || dpc.Importance == MediumHighImportance ||
                       (dpc.Importance == MediumImportance && local) || cpu.dpc_depth >= hurry_depth;
  if (at_once) {
    if (exploration_ != nullptr && !local) [[unlikely]]
      request_dpcs_late(cpu);
    else
      request_dpcs(cpu);
  } else if (cpu.processor->idle()) {
    cpu.processor->reconsider();
  } else if (!world_.pending(cpu.tick)) {
    const auto now = world_.now().time_since_epoch();
    const SimTime next_tick{now - now % clock_tick + clock_tick};
    cpu.tick = world_.at(
        next_tick, actor_,
        [](void* object) {
          auto& ticked = *static_cast<Cpu*>(object);
          ticked.partition->on_clock_tick(ticked);
        },
        &cpu);
  }
  return true;
}

bool Partition::remove_dpc(KDPC& dpc) {
  if (dpc.DpcData == nullptr) return false;
  auto& cpu = *static_cast<Cpu*>(dpc.DpcData);
  RemoveEntryList(&dpc.DpcListEntry);
  if (dpc.Type != object_type::threaded_dpc) --cpu.dpc_depth;
  dpc.DpcData = nullptr;
  return true;
}

// ---- Threaded DPCs. Source: WDK, "Introduction to Threaded DPCs": PASSIVE_LEVEL, above every other thread. ----

void Partition::insert_threaded_dpc(Cpu& cpu, KDPC& dpc) {
  insert_by_importance(cpu.threaded_dpcs, dpc, joins_other_end(cpu, cpu.threaded_dpcs));
  if (cpu.dpc_thread != nullptr) {
    if (cpu.dpc_thread->state_ == Thread::State::waiting) make_ready(*cpu.dpc_thread);
    return;
  }
  const NoSwitch until_known;  // it comes before every other thread
  cpu.dpc_thread = &create_thread(
      cpu.processor->name() + ".dpc", Thread::priority_highest, cpu.id, true,
      [](void* object) {
        auto& own = *static_cast<Cpu*>(object);
        own.partition->run_threaded_dpcs(own);
      },
      &cpu);
  cpu.dpc_thread->runs_dpcs_ = true;
}

void Partition::run_threaded_dpcs(Cpu& cpu) {
  for (;;) {
    while (!IsListEmpty(&cpu.threaded_dpcs)) {
      KDPC& dpc = *CONTAINING_RECORD(RemoveHeadList(&cpu.threaded_dpcs), KDPC, DpcListEntry);
      dpc.DpcData = nullptr;
      spend(costs_.dpc_dispatch, cpu.costs);
      dpc.DeferredRoutine(&dpc, dpc.DeferredContext, dpc.SystemArgument1, dpc.SystemArgument2);
      if (cpu.processor->irql() != Irql::passive) {
        findings_.add("IRQL", BugCheck::irql_unexpected_value, {}, "a threaded DPC returned above PASSIVE_LEVEL");
        cpu.processor->set_irql(Irql::passive);
      }
    }
    cpu.dpc_thread->state_ = Thread::State::waiting;
    cpu.processor->wait();
  }
}

void Partition::request_dpcs(Cpu& cpu) {
  cpu.dpcs_requested = true;
  cpu.processor->reconsider();
}

/// Another processor learns of its DPCs by an interrupt, which may take its time.
void Partition::request_dpcs_late(Cpu& cpu) {
  const Duration late = exploration_->late(kernel::ChoicePoint::dpc, cpu.processor->number());
  if (late.count() == 0) return request_dpcs(cpu);
  world_.after(
      late, actor_,
      [](void* object) {
        auto& told = *static_cast<Cpu*>(object);
        told.partition->on_clock_tick(told);
      },
      &cpu);
}

void Partition::on_clock_tick(Cpu& cpu) {
  if (!IsListEmpty(&cpu.dpcs)) request_dpcs(cpu);
}

bool Partition::dpcs_requested(CpuId id, bool idle) const {
  const Cpu& cpu = cpus_[id.value];
  return cpu.dpcs_requested || (idle && cpu.dpc_depth != 0);
}

void Partition::drain_dpcs(CpuId id) {
  Cpu& cpu = cpus_[id.value];
  while (!IsListEmpty(&cpu.dpcs)) {
    KDPC& dpc = *CONTAINING_RECORD(RemoveHeadList(&cpu.dpcs), KDPC, DpcListEntry);
    --cpu.dpc_depth;
    dpc.DpcData = nullptr;  // may be queued again from now on, even by its own routine
    spend(costs_.dpc_dispatch, cpu.costs);
    if (exploration_ != nullptr) [[unlikely]]
      exploration_->before_dpc(*cpu.processor, &dpc);
    cpu.dpc_since = world_.now();
    dpc.DeferredRoutine(&dpc, dpc.DeferredContext, dpc.SystemArgument1, dpc.SystemArgument2);
    watch(cpu, "one DPC ran", cpu.dpc_since, routine_limit);
    if (cpu.processor->irql() != Irql::dispatch) {
      findings_.add("IRQL", BugCheck::irql_unexpected_value, {}, "a DPC returned at another IRQL than DISPATCH_LEVEL");
      cpu.processor->set_irql(Irql::dispatch);
    }
  }
  cpu.dpcs_requested = false;
}

}  // namespace vmbsim::os
