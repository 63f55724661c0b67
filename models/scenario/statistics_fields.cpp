#include "models/scenario/statistics_fields.hpp"

#include <iterator>
#include <string_view>
#include <utility>

#include "models/scenario/expectations.hpp"
#include "models/scenario/parsers.hpp"
#include "sim/config/toml_text.hpp"

namespace vmbsim::scenario {
namespace {

constexpr std::pair<std::string_view, stats::Figure> figures[] = {
    {".throughput", stats::Figure::throughput}, {".latency.mean", stats::Figure::mean},
    {".latency.p50", stats::Figure::p50},       {".latency.p90", stats::Figure::p90},
    {".latency.p99", stats::Figure::p99},       {".latency.p999", stats::Figure::p999}};

Parse parse_figure(const Scenario& s, PrecisionSpec& out, bool judged) {
  return [&s, &out, judged](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    std::string metric;
    auto text = parse_text(metric)(node, reading);
    if (!text || !judged) return text;
    if (const auto wrong = wrong_metric(s, metric)) {
      reading.wrong(node, wrong->text);
      return std::nullopt;
    }
    constexpr std::string_view kind = "channel.";
    for (const auto& [suffix, figure] : figures) {
      if (metric.rfind(kind, 0) != 0 || metric.size() < kind.size() + suffix.size()) continue;
      const std::size_t end = metric.size() - suffix.size();
      if (std::string_view(metric).substr(end) != suffix || metric.find('*') != std::string::npos) continue;
      out.channel = metric.substr(kind.size(), end - kind.size());
      out.target.figure = figure;
      return text;
    }
    reading.wrong(
        node,
        "no run knows how sure this is; right would be one channel's throughput, latency.mean or a percentile "
        "of its latency, as in \"channel.disk.latency.p99\"");
    return std::nullopt;
  };
}

/// A percentile is known to the bucket of its histogram, which is up to 0.8 % wide: no run would ever be sure of less.
Parse parse_half_width(stats::Stopping::Config& target) {
  return [&target](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    constexpr double least_of_percentile = 0.01;
    auto text = parse_share(target.relative_half_width)(node, reading);
    const bool percentile = target.figure != stats::Figure::throughput && target.figure != stats::Figure::mean;
    if (!text || !percentile || target.relative_half_width >= least_of_percentile) return text;
    reading.wrong(node, "no histogram tells a percentile that well; right would be 0.01 or more, or the mean");
    return std::nullopt;
  };
}

}  // namespace

Parse parse_share(double& out) {
  return [&out](const config::Node& node, Reading& reading) -> std::optional<std::string> {
    const bool whole = node.is(config::Node::Kind::integer);
    if (const double value = whole ? static_cast<double>(node.integer) : node.real;
        (whole || node.is(config::Node::Kind::real)) && !(value >= 0.001 && value <= 0.999)) {
      reading.wrong(node, "out of range; right would be 0.001 to 0.999");
      return std::nullopt;
    }
    std::uint32_t permille = 0;
    auto text = parse_fraction(permille)(node, reading);
    if (text) out = permille / 1000.0;
    return text;
  };
}

void warm_up_field(Visitor& v, Scenario& s) {
  v.value({.key = "warm_up",
           .shape = Shape::warm_up,
           .doc = "Simulated span that figures leave out; \"auto\": found by MSER-5 in a run before this one.",
           .preset = "\"0ns\""},
          [&s](const config::Node& node, Reading& reading) -> std::optional<std::string> {
            s.warm_up_auto = node.is(config::Node::Kind::text) && node.text == "auto";
            if (s.warm_up_auto) return config::toml_quoted(node.text);
            return parse_duration(s.warm_up, 0ns, longest_run)(node, reading);
          });
}

void precision_fields(Visitor& v, Scenario& s, bool judged) {
  PrecisionSpec& precision = s.precision.emplace();
  v.value({.key = "metric",
           .shape = Shape::figure,
           .doc = "One channel's throughput, latency.mean, latency.p50, p90, p99 or p999.",
           .required = true},
          parse_figure(s, precision, judged));
  v.value({.key = "relative_half_width",
           .shape = Shape::real,
           .doc = "Half of its confidence interval, as a part of it, at which the run ends.",
           .preset = "0.05"},
          parse_half_width(precision.target));
  v.value({.key = "confidence",
           .shape = Shape::real,
           .doc = "Share of runs whose interval holds the true value.",
           .preset = "0.95"},
          parse_share(precision.target.confidence));
}

}  // namespace vmbsim::scenario
