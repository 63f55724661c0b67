#include "sim/hunt/timeline.hpp"

#include <fmt/format.h>

namespace vmbsim::hunt {

namespace {
constexpr std::int64_t step_ns = 1000;  // how long a step looks where there is no time
}

Timeline::Processor& Timeline::processor(std::uint32_t number) {
  const auto known = processors_.find(number);
  if (known != processors_.end()) return known->second;
  const auto track = trace_.track(fmt::format("processor {}", number));
  return processors_.emplace(number, Processor{track, trace_.counter("IRQL", track)}).first->second;
}

/// A word's flow goes from the step that changed it to those that see it, until the next change.
std::uint64_t Timeline::flow_into(const explore::Step& step) {
  const std::uint32_t object = step.operation.object;
  if (object == 0 || step.operation.access == kernel::Access::none) return 0;
  if (step.operation.access != kernel::Access::read) return written_by_[object] = ++flows_;
  const auto written = written_by_.find(object);
  return written == written_by_.end() ? 0 : written->second;
}

void Timeline::on_step(const explore::Step& step) {
  Processor& there = processor(step.processor);
  const auto known = actors_.find(step.actor);
  const auto track =
      known != actors_.end()
          ? known->second
          : actors_.emplace(step.actor, trace_.track(program_.actor_name(step.actor), there.track)).first->second;
  const bool abstract = program_.time_abstract();
  const SimTime from{Duration{abstract ? static_cast<std::int64_t>(step.number) * step_ns : step.time_ns}};
  if (there.level != step.irql) {
    there.level = step.irql;
    trace_.count(there.irql, from, step.irql);
  }
  const auto name = trace_.name(step.text);
  const std::uint64_t flow = flow_into(step);
  if (!abstract) {
    trace_.instant(track, from, name, flow);
    return;
  }
  trace_.begin(track, from, name, flow);
  trace_.end(track, from + Duration{step_ns});
}

}  // namespace vmbsim::hunt
