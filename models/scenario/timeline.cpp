#include "models/scenario/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/os/partition.hpp"

namespace vmbsim::scenario {

namespace {

std::string name_of_context(const hw::Context& context) {
  switch (context.activity()) {
    case hw::Activity::isr: return "ISR";
    case hw::Activity::dpc: return "DPC";
    default: return static_cast<const os::Thread*>(context.owner())->name();
  }
}

const char* name_of_work(device::Operation operation) {
  switch (operation) {
    case device::Operation::read: return "read";
    case device::Operation::write: return "write";
    case device::Operation::flush: return "flush";
  }
  return "work";
}

}  // namespace

void Timeline::watch(hw::Processor& cpu) {
  Cpu& shown = cpu_of(cpu);
  shown.track = trace_.track(cpu.name());
  shown.irql_track = trace_.counter(cpu.name() + " IRQL", shown.track);
  cpu.tell(this);
}

void Timeline::add_channel(const std::string& name) {
  channels_.push_back({.name = name, .parent = trace_.track("channel " + name), .tracks = {}, .free_from = {}});
}

void Timeline::watch(device::Resource& resource, const std::string& name) {
  const auto [at, fresh] = devices_.try_emplace(&resource);
  if (!fresh) return;
  at->second.name = name;
  at->second.parent = trace_.track("device " + name);
  resource.tell(this);
}

// ---- Processors ----

/// Slices end from the top down to where both agree, and begin from there up.
void Timeline::on_change(const hw::Processor& cpu) {
  Cpu& shown = cpu_of(cpu);
  const SimTime now = world_->now();
  std::vector<const hw::Context*> contexts;
  cpu.each_started([&contexts](const hw::Context& context) { contexts.push_back(&context); });
  // The occupant is told first, then the interrupted ones from the outermost on.
  if (cpu.occupant() != nullptr) std::rotate(contexts.begin(), contexts.begin() + 1, contexts.end());
  std::vector<const void*> stack(contexts.begin(), contexts.end());
  if (cpu.spinning()) stack.push_back(nullptr);
  std::size_t same = 0;
  while (same < stack.size() && same < shown.stack.size() && stack[same] == shown.stack[same]) ++same;
  for (std::size_t i = shown.stack.size(); i > same; --i) trace_.end(shown.track, now);
  for (std::size_t i = same; i < stack.size(); ++i)
    trace_.begin(shown.track, now, trace_.name(i < contexts.size() ? name_of_context(*contexts[i]) : "spin"));
  shown.stack = std::move(stack);
  const int irql = static_cast<int>(cpu.irql());
  if (irql == shown.irql) return;
  shown.irql = irql;
  trace_.count(shown.irql_track, now, irql);
}

// ---- What overlaps ----

std::size_t Timeline::take_line(Lines& lines, SimTime from) {
  const auto free = std::find_if(lines.free_from.begin(), lines.free_from.end(),
                                 [from](SimTime since) { return since <= from && since != end_of_time; });
  const auto line = static_cast<std::size_t>(free - lines.free_from.begin());
  if (free == lines.free_from.end()) {
    lines.tracks.push_back(trace_.track(fmt::format("{} {}", lines.name, line), lines.parent));
    lines.free_from.push_back(end_of_time);
  }
  lines.free_from[line] = end_of_time;
  return line;
}

void Timeline::on_submitted(const device::Resource& resource, const device::Work& work) {
  Lines& lines = devices_[&resource];
  const std::size_t line = at_work_[&work] = take_line(lines, world_->now());
  trace_.begin(lines.tracks[line], world_->now(), trace_.name(name_of_work(work.operation)));
}

void Timeline::on_done(const device::Resource& resource, const device::Work& work) {
  const auto known = at_work_.find(&work);
  if (known == at_work_.end()) return;
  Lines& lines = devices_[&resource];
  trace_.end(lines.tracks[known->second], world_->now());
  lines.free_from[known->second] = world_->now();
  at_work_.erase(known);
}

void Timeline::mark(std::uint32_t channel, const vmbus::Journey& journey, observe::PerfettoTrace::Name name) {
  const hw::Processor* cpu = hw::Processor::current();
  if (cpu != nullptr) trace_.instant(cpu_of(*cpu).track, world_->now(), name, flow_of(channel, journey));
}

void Timeline::on_begun(std::uint32_t channel, const vmbus::Journey& journey) {
  mark(channel, journey, trace_.name("send"));
}

/// The journey knows all its times, so the whole slice is told at its end.
void Timeline::on_returned(std::uint32_t channel, const vmbus::Journey& journey) {
  Lines& lines = channels_[channel];
  const std::size_t line = take_line(lines, journey.submitted);
  const Track track = lines.tracks[line];
  trace_.begin(track, journey.submitted, trace_.name("transaction"), flow_of(channel, journey));
  SimTime from = journey.submitted;
  for (std::size_t i = 0; i < stage_count; ++i) {
    const SimTime to = journey.ended[i];
    if (to != from) {
      trace_.begin(track, from, trace_.name(stage_names[i]));
      trace_.end(track, to);
    }
    from = to;
  }
  trace_.end(track, from);
  lines.free_from[line] = from;
  mark(channel, journey, trace_.name("completion"));
}

}  // namespace vmbsim::scenario
