#include "sim/report/table.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "sim/config/suggestions.hpp"
#include "sim/report/breakdown.hpp"
#include "sim/report/columns.hpp"
#include "sim/report/grouping.hpp"
#include "sim/report/metrics.hpp"
#include "sim/report/quantity.hpp"

namespace vmbsim::report {
namespace {

constexpr std::size_t instances_shown = 8;
constexpr std::size_t findings_shown = 10;
constexpr std::size_t debug_lines_shown = 5;
constexpr std::size_t bar_width = 24;

/// Text in the making: sections, and tables whose first column is left aligned and the others right.
class Page {
 public:
  explicit Page(Paint paint) : paint_(paint) {}

  void line(const std::string& text) { text_ += text + "\n"; }
  void section(const std::string& name) { text_ += "\n" + bold(name) + "\n"; }

  /// The first row is the heading.
  void table(const std::vector<Row>& rows) {
    text_ += "\n";
    const std::vector<std::string> lines = aligned(rows);
    for (const std::string& text : lines) line(&text == &lines.front() ? bold(text) : text);
  }

  std::string bold(const std::string& text) const { return painted("1", text); }
  std::string good(const std::string& text) const { return painted("32", text); }
  std::string bad(const std::string& text) const { return painted("31", text); }
  std::string take() { return std::move(text_); }

 private:
  std::string painted(const char* code, const std::string& text) const {
    return paint_ == Paint::plain ? text : fmt::format("\033[{}m{}\033[0m", code, text);
  }

  Paint paint_;
  std::string text_;
};

/// The rows of a table over things that come in many instances.
template <class Item, class MakeRow>
std::vector<Row> rows_of(const std::vector<Item>& items, Row heading, MakeRow make_row) {
  std::vector<Row> rows{std::move(heading)};
  for (const Group<Item>& together : group(items)) {
    const std::size_t shown = std::min(together.items.size(), instances_shown);
    for (std::size_t i = 0; i < shown; ++i) rows.push_back(make_row(*together.items[i]));
    if (together.items.size() == 1) continue;
    Item all = merged(together);
    all.name += fmt::format(" ({})", together.items.size());
    rows.push_back(make_row(all));
  }
  return rows;
}

Row channel_row(const ChannelResult& channel) {
  const Spread latency = spread(channel.latency, channel.latency.mean_ns());
  return {channel.name,
          count_text(channel.measured),
          rate_text(channel.throughput_per_s),
          metric_text(channel.bytes_per_s, Unit::bytes_per_second),
          duration_text(latency.mean),
          duration_text(latency.p50),
          duration_text(latency.p90),
          duration_text(latency.p99),
          duration_text(latency.p999),
          duration_text(latency.max)};
}

/// "19.8 .. 20.2 us": both ends in the unit of the upper one.
std::string interval_text(const Interval& interval, Unit unit) {
  if (!interval.known()) return "-";
  const std::string high = metric_text(interval.high, unit);
  const std::string low = metric_text(interval.low, unit);
  const auto unit_of = [](const std::string& text) { return text.substr(std::min(text.find(' '), text.size())); };
  const bool same = unit_of(low) == unit_of(high);
  return fmt::format("{} .. {}", same ? low.substr(0, low.find(' ')) : low, high);
}

Row interval_row(const ChannelResult& channel) {
  const ChannelIntervals& known = channel.intervals;
  Row row{channel.name, interval_text(known.throughput_per_s, Unit::per_second)};
  for (const Interval* latency : {&known.mean, &known.p50, &known.p90, &known.p99, &known.p999})
    row.push_back(interval_text(*latency, Unit::nanoseconds));
  return row;
}

/// Of the channels that ran long enough to know.
void write_intervals(Page& page, const RunResult& result) {
  std::vector<Row> rows{
      {fmt::format("{:.0f} % sure", 100 * interval_confidence), "throughput", "mean", "p50", "p90", "p99", "p99.9"}};
  for (const Group<ChannelResult>& together : group(result.channels))
    for (std::size_t i = 0; i < std::min(together.items.size(), instances_shown); ++i)
      if (together.items[i]->intervals.mean.known()) rows.push_back(interval_row(*together.items[i]));
  if (rows.size() == 1) return;
  page.table(rows);
  const bool dashes = std::any_of(rows.begin(), rows.end(),
                                  [](const Row& row) { return std::find(row.begin(), row.end(), "-") != row.end(); });
  if (dashes) page.line("-: one run of this length cannot tell; a longer one can, or several (batch)");
}

Row traffic_row(const ChannelResult& channel) {
  return {channel.name,
          count_text(channel.batches),
          three_digits(ratio(number(channel.batched_packets), number(channel.batches))),
          metric_text(batch_max(channel), Unit::count),
          count_text(channel.signals_sent),
          count_text(channel.signals_suppressed),
          count_text(channel.interrupts),
          three_digits(ratio(number(channel.interrupts), number(channel.measured)))};
}

Row ring_row(const std::string& name, const RingResult& ring) {
  return {name,
          bytes_text(number(ring.size)),
          bytes_text(number(ring.peak)),
          percent_text(ratio(number(ring.peak), number(ring.size))),
          count_text(ring.full_events),
          bytes_text(number(ring.left))};
}

Row processor_row(const ProcessorResult& processor) {
  Row row{processor.name};
  for (const Share& share : shares(processor)) row.push_back(percent_text(share.fraction));
  return row;
}

Row device_row(const DeviceResult& device) {
  return {device.name, count_text(device.operations), bytes_text(number(device.bytes)),
          count_text(device.peak_in_flight), percent_text(device.utilisation)};
}

void add_traffic(Row& row, const TrafficResult& traffic) {
  const Spread latency = spread(traffic.latency, traffic.latency.mean_ns());
  for (const std::string& text : {rate_text(traffic.throughput_per_s), duration_text(latency.mean),
                                  duration_text(latency.p50), duration_text(latency.p99)})
    row.push_back(text);
}

Row host_row(const HostResult& host) {
  Row row{host.name, count_text(host.guests), count_text(host.peak_guests)};
  add_traffic(row, host.traffic);
  row.push_back(metric_text(busy(host.processors), Unit::fraction));
  row.push_back(metric_text(host.busiest_disk, Unit::fraction));
  row.push_back(three_digits(host.guest_processors));  // how many of them
  return row;
}

Row template_row(const TemplateResult& of) {
  Row row{of.name, count_text(of.guests), count_text(of.refused), count_text(of.departed)};
  add_traffic(row, of.traffic);
  return row;
}

void write_fleet(Page& page, const FleetResult& fleet) {
  page.table(rows_of(fleet.hosts,
                     {"host", "guests", "peak guests", "throughput", "mean", "p50", "p99", "root cpus busy",
                      "busiest disk busy", "guest cpus busy"},
                     host_row));
  std::vector<Row> rows{{"template", "guests", "refused", "departed", "throughput", "mean", "p50", "p99"}};
  for (const TemplateResult& of : fleet.templates) rows.push_back(template_row(of));
  TemplateResult sum = together(fleet.templates);
  sum.name = "all";
  if (fleet.templates.size() > 1) rows.push_back(template_row(sum));
  page.table(rows);
}

Row workload_row(const WorkloadResult& workload) {
  const Spread response = spread(workload.response, workload.response.mean_ns());
  return {workload.name,
          count_text(workload.offered),
          count_text(workload.completed),
          duration_text(response.mean),
          duration_text(response.p50),
          duration_text(response.p99),
          duration_text(response.max)};
}

/// Three decimals of ns, us or ms: one unit for a whole column, so that its figures add up as they stand.
struct Scale {
  Grain grain;
  const char* unit;
};
Scale scale_for(double mean_ns) {
  if (mean_ns < 1e4) return {Grain::picosecond, "ns"};
  if (mean_ns < 1e7) return {Grain::nanosecond, "us"};
  return {Grain::microsecond, "ms"};
}

void write_stages(Page& page, const ChannelResult& channel) {
  if (channel.measured == 0) return;
  const Scale scale = scale_for(channel.latency.mean_ns());
  const Breakdown means = breakdown(channel, scale.grain);
  const auto mean_text = [&](std::uint64_t grains) {
    return fmt::format("{}.{:03} {}", grains / 1000, grains % 1000, scale.unit);
  };
  const std::string latency = mean_text(means.latency);
  page.section("where the time went: " + channel.name);
  for (std::size_t i = 0; i < stage_count; ++i) {
    const double share = means.latency == 0 ? 0 : number(means.stages[i]) / number(means.latency);
    const std::string bar(static_cast<std::size_t>(share * bar_width + 0.5), '#');
    page.line(fmt::format("{:<18}  {:>{}}  {:>7}{}{}", stage_names[i], mean_text(means.stages[i]), latency.size(),
                          percent_text(share), bar.empty() ? "" : "  ", bar));
  }
  page.line(fmt::format("{:<18}  {}  {:>7}", "sum: mean latency", latency, percent_text(1)));
}

void write_channels(Page& page, const RunResult& result) {
  if (result.channels.empty()) return;
  page.table(rows_of(result.channels,
                     {"channel", "completed", "throughput", "data", "mean", "p50", "p90", "p99", "p99.9", "max"},
                     channel_row));
  write_intervals(page, result);
  for (const Group<ChannelResult>& together : group(result.channels)) write_stages(page, merged(together));
  page.table(rows_of(result.channels,
                     {"channel", "batches", "mean", "max", "signals", "suppressed", "interrupts", "per packet"},
                     traffic_row));

  std::vector<Row> rings{{"ring", "size", "peak", "filled", "full events", "left"}};
  const std::vector<Row> to_host = rows_of(result.channels, {}, [](const ChannelResult& channel) {
    return ring_row(channel.name + " to_host", channel.to_host);
  });
  const std::vector<Row> to_guest = rows_of(result.channels, {}, [](const ChannelResult& channel) {
    return ring_row(channel.name + " to_guest", channel.to_guest);
  });
  for (std::size_t i = 1; i < to_host.size(); ++i) {
    rings.push_back(to_host[i]);
    rings.push_back(to_guest[i]);
  }
  page.table(rings);
}

void write_expectations(Page& page, const RunResult& result) {
  if (result.expectations.empty()) return;
  page.section("expectations");
  for (const ExpectationResult& expectation : result.expectations) {
    const std::string name = expectation.text.substr(0, expectation.text.find(' '));
    const std::optional<Metric> metric = find_metric(result, name);
    const std::string actual = std::isnan(expectation.actual)
                                   ? "nothing was measured"
                                   : "is " + metric_text(expectation.actual, metric ? metric->unit : Unit::count);
    page.line(fmt::format("  {}  {}  ({})", expectation.met ? page.good("met   ") : page.bad("missed"),
                          expectation.text, actual));
  }
}

/// " (K51 2,000 times, the first 16 are kept)": of the rules that were broken more often than findings are kept.
std::string rules_cut_short(const RunResult& result) {
  std::string text;
  for (const FindingCount& rule : result.finding_counts) {
    const auto kept = static_cast<std::uint64_t>(
        std::count_if(result.findings.begin(), result.findings.end(),
                      [&rule](const Finding& finding) { return finding.rule == rule.rule; }));
    if (kept < rule.times)
      text += fmt::format("{}{} {} times, the first {} are kept", text.empty() ? " (" : "; ", rule.rule,
                          count_text(rule.times), kept);
  }
  return text.empty() ? text : text + ")";
}

void write_findings(Page& page, const RunResult& result) {
  if (result.findings.empty()) return;
  const std::uint64_t warnings = result.count(Severity::warning);
  const std::uint64_t all = warnings + result.count(Severity::error);
  std::string heading = "findings: " + count_text(all);
  if (warnings != 0)
    heading +=
        fmt::format(", {} of them {}", count_text(warnings), config::word_for(warnings, "a warning", "warnings"));
  page.section(heading + rules_cut_short(result));
  const std::size_t shown = std::min(result.findings.size(), findings_shown);
  for (std::size_t i = 0; i < shown; ++i) {
    const Finding& finding = result.findings[i];
    std::string rule = finding.rule;
    if (finding.bug_check != BugCheck::none)
      rule += fmt::format(" (bug check 0x{:02X})", static_cast<std::uint32_t>(finding.bug_check));
    const bool error = finding.severity == Severity::error;
    const bool says_call = finding.call.empty() || finding.text.find(finding.call) != std::string::npos;
    page.line(fmt::format("  {}{}  at {} ns{}{}: {}{}", error ? page.bad(rule) : rule, error ? "" : " (warning)",
                          nanoseconds(finding.time), finding.where.empty() ? "" : ", ", finding.where,
                          says_call ? "" : finding.call + ": ", finding.text));
    if (!finding.source.empty()) page.line(fmt::format("    {}", finding.source));
  }
  if (shown < result.findings.size())
    page.line(fmt::format("  and {} more; summary.json has {}", count_text(all - shown),
                          all == result.findings.size() ? "them all" : "those that are kept"));
}

void write_debug_output(Page& page, const RunResult& result) {
  const std::size_t kept = result.debug_output.size();
  if (kept == 0) return;
  std::string heading = fmt::format("debug output: {} {}", count_text(result.debug_lines),
                                    config::word_for(result.debug_lines, "line", "lines"));
  if (kept != result.debug_lines) heading += fmt::format(", {} of them kept", count_text(kept));
  page.section(heading);
  const std::size_t shown = std::min(kept, debug_lines_shown);
  for (std::size_t i = 0; i < shown; ++i) page.line("  " + result.debug_output[i]);
  if (shown < kept) page.line(fmt::format("  and {} more; debug.txt has them all", count_text(kept - shown)));
}

}  // namespace

std::string title(const RunResult& result) {
  return fmt::format("{}  seed {}  vmbsim {}", result.scenario, result.seed.value, result.version);
}

std::string table(const RunResult& result, Paint paint) {
  Page page(paint);
  page.line(page.bold(title(result)));
  page.line(fmt::format("{} {} in {} of simulated time, {} of it measured; {} {}", count_text(result.transactions),
                        config::word_for(result.transactions, "transaction", "transactions"),
                        duration_text(number(result.simulated)), duration_text(number(result.measured)),
                        count_text(result.events), config::word_for(result.events, "event", "events")));
  if (result.warm_up)
    page.line(fmt::format("warm-up of {} found by MSER-5{}", duration_text(number(result.warm_up->length)),
                          result.warm_up->settled ? "" : ", but not every channel had settled: run longer"));
  page.line("fingerprint " + result.fingerprint.text());

  if (result.fleet) write_fleet(page, *result.fleet);
  write_channels(page, result);
  if (!result.processors.empty())
    page.table(rows_of(result.processors, {"processor", "isr", "dpc", "thread", "spin", "idle"}, processor_row));
  if (!result.devices.empty())
    page.table(rows_of(result.devices, {"device", "operations", "data", "peak in flight", "busy"}, device_row));
  if (!result.workloads.empty())
    page.table(
        rows_of(result.workloads, {"workload", "offered", "completed", "mean", "p50", "p99", "max"}, workload_row));
  write_expectations(page, result);
  write_findings(page, result);
  write_debug_output(page, result);
  page.line(fmt::format("\n{} of wall time", duration_text(result.wall_s * 1e9)));
  return page.take();
}

}  // namespace vmbsim::report
