#pragma once
/// Every figure of a result under one flat name: the rows of summary.csv, and what `[expect]` and `[objective]` may name.
///
///   run.transactions                         count
///   channel.disk.latency.p99                 ns
///   channel.disk.stage.to_host.queue.mean    ns
///   channel.web[*].disk.throughput           per_s      all instances of a template together
///   channel.disk.ring.to_host.left           bytes    in the ring when the run ended
///   workload.foreground.response.p50         ns
///   processor.host.cpu0.dpc                  fraction
///   device.disk0.utilisation                 fraction
///   host.node[2].processor.busy              fraction   of a fleet: one host and its guests
///   template.web.refused                     count      of a fleet: the guests of one template
///   fleet.worst_host.latency.p99             ns
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vmbsim/result.hpp"

namespace vmbsim::report {

/// Units, as the `unit` column spells them.
enum class Unit { nanoseconds, bytes, bytes_per_second, per_second, fraction, count };
std::string_view name_of(Unit unit);

struct Metric {
  std::string name;
  double value = 0;  ///< nothing_measured where there were no samples
  Unit unit = Unit::count;
  Interval interval{};  ///< where a run knows how sure it is of the value: interval_confidence
};

/// All metrics in the order of the journey: run, channels, workloads, processors, devices; then of a fleet its hosts, its
/// templates and what they are together. Where a template has several instances, one more set named `[*]` follows them. The
/// wall clock is not among them.
std::vector<Metric> metrics(const RunResult& result);

/// Nothing when the result has no such metric.
std::optional<Metric> find_metric(const RunResult& result, std::string_view name);
std::optional<double> metric_value(const RunResult& result, std::string_view name);

/// What a metric is the mean or a percentile of: `channel.x.latency.p99`, `workload.x.response.mean`, `fleet.latency.p50`.
struct TimesFigure {
  std::string times;            ///< `channel.x.latency`
  std::optional<double> share;  ///< of the percentile; nothing: the mean
};
/// Every such figure's name, and its share.
inline constexpr std::pair<std::string_view, std::optional<double>> figures_of_times[] = {
    {"mean", std::nullopt}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
/// Nothing when it is neither.
std::optional<TimesFigure> times_figure(std::string_view metric);

struct Times {
  Histogram histogram;
  std::optional<double> share;
};
/// Nothing when it is neither, or the result has no such metric.
std::optional<Times> metric_times(const RunResult& result, std::string_view name);
std::vector<std::string> metric_names(const RunResult& result);

/// Guests of a fleet that found no place.
inline constexpr const char* refused_metric = "fleet.refused";

/// A value with its unit, for people: "1.25 us", "64 KiB", "12.5 %"; a dash for none.
std::string metric_text(double value, Unit unit);

/// A figure to reckon with; of times nanoseconds.
inline double number(std::uint64_t count) { return static_cast<double>(count); }
inline double number(Duration duration) { return static_cast<double>(duration.count()); }
inline double number(Bytes bytes) { return static_cast<double>(bytes.count); }

/// Numerator over denominator, nothing_measured where there is nothing to divide by.
double ratio(double numerator, double denominator);

/// What a processor's time went to, as a fraction of all of it; nothing_measured where no time passed.
struct Share {
  const char* activity;
  double fraction;
};
std::array<Share, 5> shares(const ProcessorResult& processor);

/// The fraction that is not idle.
double busy(const ProcessorResult& processor);

/// The largest batch, nothing_measured without batches.
double batch_max(const ChannelResult& channel);

/// What is told of a distribution of times, in nanoseconds; all nothing_measured without samples.
struct Spread {
  double mean, p50, p90, p99, p999, max;
};
/// `mean` as it was rounded elsewhere.
Spread spread(const Histogram& times, double mean);

/// The mean of `sum` picoseconds per transaction that breakdown() answered, in nanoseconds.
double mean_ns(const ChannelResult& channel, std::uint64_t picoseconds);

}  // namespace vmbsim::report
