#include "sim/report/metrics.hpp"

#include <cmath>

#include "sim/report/breakdown.hpp"
#include "sim/report/grouping.hpp"
#include "sim/report/quantity.hpp"

namespace vmbsim::report {
namespace {

/// Collects the metrics of one thing under its prefix.
class Rows {
 public:
  Rows(std::vector<Metric>& out, std::string prefix) : out_(out), prefix_(std::move(prefix)) {}

  void add(std::string_view name, double value, Unit unit, Interval interval = {}) {
    out_.push_back({prefix_ + "." + std::string(name), value, unit, interval});
  }
  void count(std::string_view name, std::uint64_t value) { add(name, number(value), Unit::count); }

  void histogram(const std::string& name, const Spread& times, const ChannelIntervals& known = {}) {
    add(name + ".mean", times.mean, Unit::nanoseconds, known.mean);
    add(name + ".p50", times.p50, Unit::nanoseconds, known.p50);
    add(name + ".p90", times.p90, Unit::nanoseconds, known.p90);
    add(name + ".p99", times.p99, Unit::nanoseconds, known.p99);
    add(name + ".p999", times.p999, Unit::nanoseconds, known.p999);
    add(name + ".max", times.max, Unit::nanoseconds);
  }

  void ring(const std::string& name, const RingResult& ring) {
    add(name + ".size", number(ring.size), Unit::bytes);
    add(name + ".peak", number(ring.peak), Unit::bytes);
    count(name + ".full_events", ring.full_events);
    add(name + ".left", number(ring.left), Unit::bytes);
  }

 private:
  std::vector<Metric>& out_;
  std::string prefix_;
};

void add(std::vector<Metric>& out, const ChannelResult& channel) {
  Rows rows(out, "channel." + channel.name);
  const Breakdown means = breakdown(channel, Grain::picosecond);
  rows.count("sent", channel.sent);
  rows.count("completed", channel.completed);
  rows.count("outstanding", channel.outstanding);
  rows.count("measured", channel.measured);
  rows.add("throughput", channel.throughput_per_s, Unit::per_second, channel.intervals.throughput_per_s);
  rows.add("bandwidth", channel.bytes_per_s, Unit::bytes_per_second);
  rows.histogram("latency", spread(channel.latency, mean_ns(channel, means.latency)), channel.intervals);
  for (std::size_t i = 0; i < stage_count; ++i)
    rows.add("stage." + std::string(stage_names[i]) + ".mean", mean_ns(channel, means.stages[i]), Unit::nanoseconds);
  rows.count("batches", channel.batches);
  rows.add("batch.mean", ratio(number(channel.batched_packets), number(channel.batches)), Unit::count);
  rows.add("batch.max", batch_max(channel), Unit::count);
  rows.count("signals.sent", channel.signals_sent);
  rows.count("signals.suppressed", channel.signals_suppressed);
  rows.count("interrupts", channel.interrupts);
  rows.add("interrupts_per_packet", ratio(number(channel.interrupts), number(channel.measured)), Unit::count);
  rows.ring("ring.to_host", channel.to_host);
  rows.ring("ring.to_guest", channel.to_guest);
}

void add(std::vector<Metric>& out, const WorkloadResult& workload) {
  Rows rows(out, "workload." + workload.name);
  rows.count("offered", workload.offered);
  rows.count("completed", workload.completed);
  rows.histogram("response", spread(workload.response, workload.response.mean_ns()));
}

void add(std::vector<Metric>& out, const ProcessorResult& processor) {
  Rows rows(out, "processor." + processor.name);
  for (const Share& share : shares(processor)) rows.add(share.activity, share.fraction, Unit::fraction);
}

void add(std::vector<Metric>& out, const DeviceResult& device) {
  Rows rows(out, "device." + device.name);
  rows.count("operations", device.operations);
  rows.add("bytes", number(device.bytes), Unit::bytes);
  rows.count("peak_in_flight", device.peak_in_flight);
  rows.add("utilisation", device.utilisation, Unit::fraction);
}

void add(Rows& rows, const TrafficResult& traffic) {
  rows.add("throughput", traffic.throughput_per_s, Unit::per_second);
  rows.add("bandwidth", traffic.bytes_per_s, Unit::bytes_per_second);
  rows.histogram("latency", spread(traffic.latency, traffic.latency.mean_ns()));
}

void add(std::vector<Metric>& out, const HostResult& host) {
  Rows rows(out, "host." + host.name);
  rows.count("guests", host.guests);
  rows.count("peak_guests", host.peak_guests);
  add(rows, host.traffic);
  for (const Share& share : shares(host.processors))
    rows.add("processor." + std::string(share.activity), share.fraction, Unit::fraction);
  rows.add("processor.busy", busy(host.processors), Unit::fraction);
  rows.add("guest_processors", host.guest_processors, Unit::count);
  rows.add("disk.busy", host.busiest_disk, Unit::fraction);
}

void add(std::vector<Metric>& out, const TemplateResult& of) {
  Rows rows(out, "template." + of.name);
  rows.count("guests", of.guests);
  rows.count("refused", of.refused);
  rows.count("departed", of.departed);
  add(rows, of.traffic);
}

void add_fleet(std::vector<Metric>& out, const FleetResult& fleet, const std::vector<DeviceResult>& devices) {
  const TemplateResult sum = together(fleet.templates);
  Rows rows(out, "fleet");
  rows.count("hosts", fleet.hosts.size());
  rows.count("guests", sum.guests);
  rows.count("peak_guests", fleet.peak_guests);
  rows.count("refused", sum.refused);
  rows.count("departed", sum.departed);
  add(rows, sum.traffic);
  double p99 = nothing_measured, processors = nothing_measured, device = nothing_measured;
  const auto raise = [](double& most, double value) { most = value <= most || std::isnan(value) ? most : value; };
  for (const HostResult& host : fleet.hosts) {
    raise(p99, spread(host.traffic.latency, 0).p99);
    raise(processors, busy(host.processors));
  }
  for (const DeviceResult& one : devices) raise(device, one.utilisation);
  rows.add("worst_host.latency.p99", p99, Unit::nanoseconds);
  rows.add("busiest_host.processor.busy", processors, Unit::fraction);
  rows.add("busiest_device.utilisation", device, Unit::fraction);
}

template <class Item>
void add_all(std::vector<Metric>& out, const std::vector<Item>& items) {
  for (const Item& item : items) add(out, item);
  for (const Group<Item>& together : group(items))
    if (together.items.size() > 1) add(out, merged(together));
}

}  // namespace

std::string_view name_of(Unit unit) {
  switch (unit) {
    case Unit::nanoseconds: return "ns";
    case Unit::bytes: return "bytes";
    case Unit::bytes_per_second: return "bytes_per_s";
    case Unit::per_second: return "per_s";
    case Unit::fraction: return "fraction";
    case Unit::count: return "count";
  }
  return "count";
}

std::vector<Metric> metrics(const RunResult& result) {
  std::vector<Metric> all;
  Rows run(all, "run");
  run.add("simulated", number(result.simulated), Unit::nanoseconds);
  run.add("measured", number(result.measured), Unit::nanoseconds);
  run.count("events", result.events);
  run.count("transactions", result.transactions);
  run.count("findings", result.count(Severity::error));
  run.count("warnings", result.count(Severity::warning));
  add_all(all, result.channels);
  add_all(all, result.workloads);
  add_all(all, result.processors);
  add_all(all, result.devices);
  if (!result.fleet) return all;
  add_all(all, result.fleet->hosts);
  for (const TemplateResult& of : result.fleet->templates) add(all, of);
  add_fleet(all, *result.fleet, result.devices);
  return all;
}

std::optional<Metric> find_metric(const RunResult& result, std::string_view name) {
  for (Metric& metric : metrics(result))
    if (metric.name == name) return std::move(metric);
  return std::nullopt;
}

std::optional<double> metric_value(const RunResult& result, std::string_view name) {
  const std::optional<Metric> metric = find_metric(result, name);
  if (!metric) return std::nullopt;
  return metric->value;
}

std::optional<TimesFigure> times_figure(std::string_view metric) {
  const std::size_t dot = metric.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view times = metric.substr(0, dot);
  const auto ends_with = [&](std::string_view end) {
    return times.size() > end.size() && times.substr(times.size() - end.size()) == end;
  };
  const auto begins_with = [&](std::string_view front) { return metric.substr(0, front.size()) == front; };
  const bool latency = begins_with("channel.") || begins_with("host.") || begins_with("template.");
  if (!(latency && ends_with(".latency")) && times != "fleet.latency" &&
      !(begins_with("workload.") && ends_with(".response")))
    return std::nullopt;
  for (const auto& [figure, share] : figures_of_times)
    if (metric.substr(dot + 1) == figure) return TimesFigure{std::string(times), share};
  return std::nullopt;
}

std::optional<Times> metric_times(const RunResult& result, std::string_view name) {
  const auto figure = times_figure(name);
  if (!figure) return std::nullopt;
  std::optional<Times> found;
  const auto look = [&](const auto& items, const std::string& front, const char* times, auto member) {
    const auto take = [&](const auto& item) {
      if (figure->times == front + item.name + times) found = Times{item.*member, figure->share};
    };
    for (const auto& item : items) take(item);
    for (const auto& together : group(items))
      if (together.items.size() > 1) take(merged(together));
  };
  look(result.channels, "channel.", ".latency", &ChannelResult::latency);
  look(result.workloads, "workload.", ".response", &WorkloadResult::response);
  if (!result.fleet) return found;
  const auto look_at_traffic = [&](const std::string& front, const TrafficResult& traffic) {
    if (figure->times == front + ".latency") found = Times{traffic.latency, figure->share};
  };
  for (const HostResult& host : result.fleet->hosts) look_at_traffic("host." + host.name, host.traffic);
  for (const Group<HostResult>& all : group(result.fleet->hosts))
    if (all.items.size() > 1) look_at_traffic("host." + all.name, merged(all).traffic);
  for (const TemplateResult& of : result.fleet->templates) look_at_traffic("template." + of.name, of.traffic);
  look_at_traffic("fleet", together(result.fleet->templates).traffic);
  return found;
}

std::vector<std::string> metric_names(const RunResult& result) {
  std::vector<std::string> names;
  for (Metric& metric : metrics(result)) names.push_back(std::move(metric.name));
  return names;
}

std::string metric_text(double value, Unit unit) {
  if (std::isnan(value)) return "-";
  switch (unit) {
    case Unit::nanoseconds: return duration_text(value);
    case Unit::bytes: return bytes_text(value);
    case Unit::bytes_per_second: return bytes_text(value) + "/s";
    case Unit::per_second: return rate_text(value);
    case Unit::fraction: return percent_text(value);
    case Unit::count: break;
  }
  const bool whole = value >= 0 && value < 1e15 && value == std::floor(value);
  return whole ? count_text(static_cast<std::uint64_t>(value)) : three_digits(value);
}

double ratio(double numerator, double denominator) {
  return denominator == 0 ? nothing_measured : numerator / denominator;
}

std::array<Share, 5> shares(const ProcessorResult& processor) {
  const double whole = number(processor.isr + processor.dpc + processor.thread + processor.spin + processor.idle);
  return {{{"isr", ratio(number(processor.isr), whole)},
           {"dpc", ratio(number(processor.dpc), whole)},
           {"thread", ratio(number(processor.thread), whole)},
           {"spin", ratio(number(processor.spin), whole)},
           {"idle", ratio(number(processor.idle), whole)}}};
}

double busy(const ProcessorResult& processor) {
  const Duration work = processor.isr + processor.dpc + processor.thread + processor.spin;
  return ratio(number(work), number(work + processor.idle));
}

Spread spread(const Histogram& times, double mean) {
  constexpr double none = nothing_measured;
  if (times.count() == 0) return {none, none, none, none, none, none};
  return {mean,
          number(times.quantile(50, 100)),
          number(times.quantile(90, 100)),
          number(times.quantile(99, 100)),
          number(times.quantile(999, 1000)),
          number(times.max())};
}

double batch_max(const ChannelResult& channel) {
  return channel.batches == 0 ? nothing_measured : number(channel.batch_max);
}

double mean_ns(const ChannelResult& channel, std::uint64_t picoseconds) {
  return channel.measured == 0 ? nothing_measured : number(picoseconds) / 1000;
}

}  // namespace vmbsim::report
