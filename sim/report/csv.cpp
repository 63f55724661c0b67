#include "sim/report/csv.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <string_view>

#include "sim/report/metrics.hpp"
#include "vmbsim/assert.hpp"

namespace vmbsim::report {
namespace {

std::vector<std::string> channel_fields(const RunResult& result) {
  std::vector<std::string> fields;
  for (const ChannelResult& channel : result.channels) fields.push_back(csv_field(channel.name));
  return fields;
}

}  // namespace

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_figure(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }

std::string summary_csv(const RunResult& result) {
  std::string out = "scenario,seed,metric,value,unit,low,high\n";
  const std::string run = csv_field(result.scenario) + "," + std::to_string(result.seed.value);
  for (const Metric& metric : metrics(result))
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{}\n", run, csv_field(metric.name), csv_figure(metric.value),
                   name_of(metric.unit), csv_figure(metric.interval.low), csv_figure(metric.interval.high));
  return out;
}

std::string packets_csv(const RunResult& result) {
  std::string out = "channel,submitted_ns";
  for (const char* stage : stage_names) out += "," + std::string(stage) + "_ns";
  out += ",latency_ns\n";
  const std::vector<std::string> channels = channel_fields(result);
  for (const PacketRow& row : result.packets) {
    VMBSIM_ASSERT(row.channel < channels.size(), "a packet belongs to a channel of the result");
    fmt::format_to(std::back_inserter(out), "{},{}", channels[row.channel], nanoseconds(row.submitted));
    Duration latency{};
    for (Duration stage : row.stages) {
      fmt::format_to(std::back_inserter(out), ",{}", stage.count());
      latency += stage;
    }
    fmt::format_to(std::back_inserter(out), ",{}\n", latency.count());
  }
  return out;
}

std::string intervals_csv(const RunResult& result) {
  std::string out = "channel,end_ns,completed,latency_mean_ns,latency_p99_ns\n";
  const std::vector<std::string> channels = channel_fields(result);
  for (const IntervalRow& row : result.intervals) {
    VMBSIM_ASSERT(row.channel < channels.size(), "an interval belongs to a channel of the result");
    fmt::format_to(std::back_inserter(out), "{},{},{},", channels[row.channel], nanoseconds(row.end), row.completed);
    out += row.completed == 0 ? ",\n" : fmt::format("{},{}\n", row.latency_mean_ns, row.latency_p99.count());
  }
  return out;
}

}  // namespace vmbsim::report
