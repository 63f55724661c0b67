#include "sim/report/json.hpp"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/report/breakdown.hpp"
#include "sim/report/grouping.hpp"
#include "sim/report/metrics.hpp"

namespace vmbsim::report {
namespace {

using Json = nlohmann::ordered_json;

// What is not a number, because nothing was measured, is written as null.

Json whole(double figure) { return std::isnan(figure) ? Json(nullptr) : Json(static_cast<std::int64_t>(figure)); }

Json to_json(const Spread& times) {
  return {{"mean", times.mean},      {"p50", whole(times.p50)},   {"p90", whole(times.p90)},
          {"p99", whole(times.p99)}, {"p999", whole(times.p999)}, {"max", whole(times.max)}};
}

Json to_json(const Interval& interval) { return interval.known() ? Json{interval.low, interval.high} : Json(nullptr); }

Json to_json(const ChannelIntervals& intervals) {
  return {{"confidence", interval_confidence},
          {"throughput_per_s", to_json(intervals.throughput_per_s)},
          {"latency_ns",
           {{"mean", to_json(intervals.mean)},
            {"p50", to_json(intervals.p50)},
            {"p90", to_json(intervals.p90)},
            {"p99", to_json(intervals.p99)},
            {"p999", to_json(intervals.p999)}}}};
}

Json to_json(const RingResult& ring) {
  return {{"size_bytes", ring.size.count},
          {"peak_bytes", ring.peak.count},
          {"full_events", ring.full_events},
          {"left_bytes", ring.left.count}};
}

Json to_json(const ChannelResult& channel) {
  const Breakdown means = breakdown(channel, Grain::picosecond);
  Json stages = Json::object();
  for (std::size_t i = 0; i < stage_count; ++i) stages[stage_names[i]] = mean_ns(channel, means.stages[i]);
  return {{"name", channel.name},
          {"sent", channel.sent},
          {"completed", channel.completed},
          {"outstanding", channel.outstanding},
          {"measured", channel.measured},
          {"throughput_per_s", channel.throughput_per_s},
          {"bytes_per_s", channel.bytes_per_s},
          {"latency_ns", to_json(spread(channel.latency, mean_ns(channel, means.latency)))},
          {"intervals", to_json(channel.intervals)},
          {"stages_ns", stages},
          {"batches",
           {{"count", channel.batches},
            {"mean", ratio(number(channel.batched_packets), number(channel.batches))},
            {"max", whole(batch_max(channel))}}},
          {"signals", {{"sent", channel.signals_sent}, {"suppressed", channel.signals_suppressed}}},
          {"interrupts", channel.interrupts},
          {"ring", {{"to_host", to_json(channel.to_host)}, {"to_guest", to_json(channel.to_guest)}}}};
}

Json to_json(const WorkloadResult& workload) {
  return {{"name", workload.name},
          {"channel", workload.channel},
          {"offered", workload.offered},
          {"completed", workload.completed},
          {"response_ns", to_json(spread(workload.response, workload.response.mean_ns()))}};
}

Json utilisation_of(const ProcessorResult& processor) {
  Json utilisation = Json::object();
  for (const Share& share : shares(processor)) utilisation[share.activity] = share.fraction;
  return utilisation;
}

Json to_json(const ProcessorResult& processor) {
  return {{"name", processor.name}, {"utilisation", utilisation_of(processor)}};
}

Json to_json(const DeviceResult& device) {
  return {{"name", device.name},
          {"operations", device.operations},
          {"bytes", device.bytes.count},
          {"peak_in_flight", device.peak_in_flight},
          {"utilisation", device.utilisation}};
}

/// What all tell of their traffic, behind what each tells first.
Json with_traffic(Json first, const TrafficResult& traffic) {
  first["throughput_per_s"] = traffic.throughput_per_s;
  first["bytes_per_s"] = traffic.bytes_per_s;
  first["latency_ns"] = to_json(spread(traffic.latency, traffic.latency.mean_ns()));
  return first;
}

Json to_json(const HostResult& host) {
  Json out =
      with_traffic({{"name", host.name}, {"guests", host.guests}, {"peak_guests", host.peak_guests}}, host.traffic);
  out["utilisation"] = utilisation_of(host.processors);
  out["guest_processors"] = host.guest_processors;
  out["busiest_disk"] = host.busiest_disk;
  return out;
}

Json to_json(const TemplateResult& of) {
  return with_traffic({{"name", of.name}, {"guests", of.guests}, {"refused", of.refused}, {"departed", of.departed}},
                      of.traffic);
}

Json to_json(const Finding& finding) {
  Json out = Json::object();
  out["rule"] = finding.rule;
  out["severity"] = name_of(finding.severity);
  if (finding.bug_check != BugCheck::none)
    out["bug_check"] = fmt::format("0x{:02X}", static_cast<std::uint32_t>(finding.bug_check));
  out["time_ns"] = nanoseconds(finding.time);
  out["where"] = finding.where;
  if (!finding.call.empty()) out["call"] = finding.call;
  out["text"] = finding.text;
  out["source"] = finding.source;
  return out;
}

Json to_json(const ExpectationResult& expectation) {
  return {{"text", expectation.text}, {"actual", expectation.actual}, {"met", expectation.met}};
}

template <class Item>
Json list(const std::vector<Item>& items) {
  Json out = Json::array();
  for (const Item& item : items) out.push_back(to_json(item));
  return out;
}

}  // namespace

std::string summary_json(const RunResult& result) {
  Json counts = Json::object();
  for (const FindingCount& rule : result.finding_counts) counts[rule.rule] = rule.times;
  Json summary = {{"schema", 1},
                  {"scenario", result.scenario},
                  {"seed", result.seed.value},
                  {"version", result.version},
                  {"fingerprint", result.fingerprint.text()},
                  {"simulated_ns", result.simulated.count()},
                  {"measured_ns", result.measured.count()},
                  {"events", result.events},
                  {"transactions", result.transactions},
                  {"wall_s", result.wall_s},
                  {"channels", list(result.channels)},
                  {"workloads", list(result.workloads)},
                  {"processors", list(result.processors)},
                  {"devices", list(result.devices)},
                  {"findings", list(result.findings)},
                  {"finding_counts", counts},
                  {"expectations", list(result.expectations)}};
  if (result.fleet) {
    const TemplateResult sum = together(result.fleet->templates);
    summary["fleet"] = with_traffic({{"guests", sum.guests},
                                     {"peak_guests", result.fleet->peak_guests},
                                     {"refused", sum.refused},
                                     {"departed", sum.departed}},
                                    sum.traffic);
    summary["hosts"] = list(result.fleet->hosts);
    summary["templates"] = list(result.fleet->templates);
  }
  if (result.warm_up)
    summary["warm_up"] = {{"found_ns", result.warm_up->length.count()}, {"settled", result.warm_up->settled}};
  // A name may hold bytes that are no UTF-8; they become U+FFFD rather than an error at the end of a long run.
  return summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace vmbsim::report
