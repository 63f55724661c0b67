#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>
#include <vector>

#include "models/scenario/fields.hpp"
#include "models/scenario/schema.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::scenario {
namespace {

std::int64_t guests_of(const Scenario& s, const std::string& vm) {
  for (const VmSpec& spec : s.vms)
    if (spec.name == vm) return spec.count;
  return 1;
}

/// Arrivals of an open loop in so many nanoseconds, on average.
double arrivals_in(const kernel::ArrivalProcess::Spec& spec, double length) {
  const auto at_rate = [&](const Rate& r) {
    return static_cast<double>(r.events) * length / static_cast<double>(r.per.count());
  };
  if (const auto* poisson = std::get_if<kernel::Poisson>(&spec)) return at_rate(poisson->rate);
  if (const auto* periodic = std::get_if<kernel::Periodic>(&spec)) return at_rate(periodic->rate);
  if (const auto* renewal = std::get_if<kernel::Renewal>(&spec))
    return length / static_cast<double>(renewal->gap.mean().count());
  const auto& mmpp = std::get<kernel::Mmpp>(spec);
  double arrivals = 0, cycle = 0;
  for (const auto& state : mmpp.states) {
    const auto stay = static_cast<double>(state.mean_stay.count());
    arrivals += static_cast<double>(state.rate.events) * stay / static_cast<double>(state.rate.per.count());
    cycle += stay;
  }
  return arrivals / cycle * length;
}

/// Nanoseconds that the guests of a template are there, all together, while the run goes on.
double time_there(const Scenario& s, const std::string& vm) {
  const Duration end = s.warm_up + s.run_for;
  double sum = 0;
  for (const Guest& guest : s.placed.guests) {
    if (s.vms[guest.vm].name != vm) continue;
    const Duration from = guest.arrives.value_or(Duration{0});
    const Duration to = std::min(guest.departs.value_or(end), end);
    if (to > from) sum += static_cast<double>((to - from).count());
  }
  return sum;
}

std::string load_line(const Scenario& s, const WorkloadSpec& w) {
  const std::int64_t guests = guests_of(s, w.vm);
  const std::string each = guests > 1 ? fmt::format(", in each of {} guests", guests) : "";
  switch (w.loop) {
    case WorkloadSpec::Loop::closed:
      return fmt::format("closed loop on {}, {} in flight{}", w.channel, w.queue_depth, each);
    case WorkloadSpec::Loop::trace: return fmt::format("trace on {}{}", w.channel, each);
    case WorkloadSpec::Loop::open: break;
  }
  std::string expected;
  if (s.run_for > Duration{0}) {
    const double packets = std::round(arrivals_in(w.arrivals, time_there(s, w.vm)));
    expected =
        fmt::format(", about {:.0f} {}{}", packets, packets == 1 ? "packet" : "packets", guests > 1 ? " in all" : "");
  }
  return fmt::format("open loop on {}{}{}", w.channel, each, expected);
}

/// Who comes later, and who finds no room.
std::string fleet_line(const Scenario& s) {
  const auto count = [&](auto condition) {
    return std::count_if(s.placed.guests.begin(), s.placed.guests.end(), condition);
  };
  const Duration end = s.run_for.count() == 0 ? longest_run : s.warm_up + s.run_for;
  const auto late = count([&](const Guest& guest) { return guest.arrives && *guest.arrives > end; });
  return fmt::format("  fleet     {} from the start, {} later, {} of them leave; for {} there is no room{}\n",
                     count([](const Guest& guest) { return !guest.arrives; }),
                     count([](const Guest& guest) { return guest.arrives.has_value(); }),
                     count([](const Guest& guest) { return guest.departs.has_value(); }), s.placed.refused.size(),
                     late == 0 ? "" : fmt::format("; {} of the later ones after the end of the run", late));
}

std::string end_line(const Scenario& s) {
  std::vector<std::string> ends;
  if (s.run_for > Duration{0})
    ends.push_back(config::to_text(s.run_for) + (s.warm_up_auto ? " after a warm-up that is found before the run"
                                                                : " after a warm-up of " + config::to_text(s.warm_up)));
  if (s.packets > 0) ends.push_back(config::counted(s.packets, "completion", "completions"));
  if (ends.empty()) ends.emplace_back("when the traces end");
  if (s.precision)
    ends.push_back(fmt::format("when a figure of {} is known to {:g} %", s.precision->channel,
                               100 * s.precision->target.relative_half_width));
  return fmt::format("{}", fmt::join(ends, ", or "));
}

}  // namespace

std::string expand(const Scenario& scenario) { return scenario.resolved; }

std::string describe(const Scenario& s) {
  std::uint64_t host_processors = 0;
  for (const Host& host : s.placed.hosts) host_processors += host.cpus;
  std::int64_t guests = 0, processors = 0, channels = 0, pairs = 0, memory = 0;
  for (const VmSpec& vm : s.vms) {
    guests += vm.count;
    processors += std::int64_t{vm.count} * vm.cpus;
  }
  for (const ChannelSpec& c : s.channels) {
    const std::int64_t instances = guests_of(s, c.vm);
    channels += instances;
    pairs += instances * (std::int64_t{c.subchannels} + 1);
    memory += instances * ring_memory(c).count;
  }
  std::string out = s.name + ": fine\n";
  out += fmt::format("  guests    {} with {}; the {} {}\n", guests,
                     config::counted(static_cast<std::uint64_t>(processors), "processor", "processors"),
                     s.placed.hosts.size() == 1 ? "host has" : fmt::format("{} hosts have", s.placed.hosts.size()),
                     host_processors);
  if (has_fleet(s)) out += fleet_line(s);
  out += fmt::format("  channels  {}: {}, {:.2f} MiB of rings\n", channels,
                     config::counted(static_cast<std::uint64_t>(2 * pairs), "ring", "rings"),
                     static_cast<double>(memory) / (1 << 20));
  for (const VmSpec& vm : s.vms)
    if (vm.count != 0 &&
        std::none_of(s.channels.begin(), s.channels.end(), [&](const ChannelSpec& c) { return c.vm == vm.name; }))
      out += fmt::format("  idle      {}: {} without a channel; they take room and do nothing\n", vm.name,
                         config::counted(vm.count, "guest", "guests"));
  for (const DiskSpec& disk : s.disks)
    if (std::none_of(s.channels.begin(), s.channels.end(),
                     [&](const ChannelSpec& c) { return c.device.disk == disk.name; }))
      out += fmt::format("  idle      {}: a [[disk]] that no channel's device names\n", disk.name);
  for (const WorkloadSpec& w : s.workloads) out += fmt::format("  load      {}: {}\n", w.name, load_line(s, w));
  out += fmt::format("  ends      {}\n", end_line(s));
  if (sweep::Points points(s.sweep); !s.sweep.empty() && !points.prepare())
    out += fmt::format("  sweep     {} x {}; run takes the scenario as it stands\n",
                       config::counted(points.size(), "point", "points"),
                       config::counted(s.sweep.repeat, "seed", "seeds"));
  if (!s.objective.empty()) out += "  objective plan looks for the load that keeps it; run does not use it\n";
  if (!s.report.rows.empty() || !s.report.against.empty())
    out += "  report    batch shows it when it is through; run does not use it\n";
  return out;
}

}  // namespace vmbsim::scenario
