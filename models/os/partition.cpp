#include "models/os/partition.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/os/thread.hpp"

namespace vmbsim::os {

namespace {
/// Address space of one partition's memory; committed only where touched.
constexpr Pages memory_size{std::int64_t{4} * 1024 * 1024 * 1024 / page_size};
/// A driver that prints for every packet must not eat the machine's memory.
constexpr std::size_t debug_lines_kept = 10'000;
}  // namespace

Partition::Partition(Config config)
    : name_(std::move(config.name)),
      world_(config.world),
      stacks_(config.stacks),
      costs_(config.costs),
      findings_(config.findings),
      exploration_(config.exploration),
      speed_permille_(config.speed_permille),
      memory_({.size = memory_size}),
      actor_(config.world.new_actor()) {
  VMBSIM_ASSERT(config.cpus > 0, "a partition has a processor");
  cpus_.reserve(config.cpus);
  for (std::uint32_t i = 0; i < config.cpus; ++i) {
    const std::string cpu_name = fmt::format("{}.cpu{}", name_, i);
    Cpu& cpu = cpus_.emplace_back(Cpu{.processor = nullptr,
                                      .dpcs = {},
                                      .threaded_dpcs = {},
                                      .tick = {},
                                      .quantum = {},
                                      .thread_time = {},
                                      .costs = world_.stream(cpu_name, "costs"),
                                      .id = CpuId{i},
                                      .partition = this});
    InitializeListHead(&cpu.dpcs);
    InitializeListHead(&cpu.threaded_dpcs);
    cpu.processor = std::make_unique<hw::Processor>(hw::Processor::Config{.name = cpu_name,
                                                                          .id = CpuId{i},
                                                                          .world = world_,
                                                                          .stacks = stacks_,
                                                                          .executive = *this,
                                                                          .idle_wake = costs_.idle_wake,
                                                                          .patience = watchdog_patience,
                                                                          .exploration = exploration_});
  }
  work_queues_[0].priority = Thread::priority_delayed;
  work_queues_[1].priority = Thread::priority_critical;
  for (WorkQueue& queue : work_queues_) queue.partition = this;
  InitializeListHead(&timers_);
}

Partition::~Partition() = default;

void Partition::debug_print(const char* text) {
  if (++debug_lines_ > debug_lines_kept) return;
  debug_output_.push_back(
      {world_.now(), fmt::format("{}ns {}: {}", nanoseconds(world_.now()), hw::Processor::current()->name(), text)});
}

void Partition::bug_check() {
  bug_checked_ = true;
  world_.stop();
}

void Partition::report_irql(Irql highest, const char* call, BugCheck bug_check) {
  findings_.add("IRQL", bug_check, {},
                fmt::format("{} called at {} level; it is legal up to {} level", call,
                            name_of(hw::Processor::current()->irql()), name_of(highest)),
                call);
}

}  // namespace vmbsim::os
