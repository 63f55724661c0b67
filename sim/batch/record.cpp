#include "sim/batch/record.hpp"

#include <array>
#include <bit>

namespace vmbsim::batch {
namespace {

constexpr std::array<const char*, status_count> status_names{"met",       "unmet",       "crashed",
                                                             "over-time", "over-memory", "failed"};

class Writer {
 public:
  void number(std::uint64_t value) {
    while (value >= 128) {
      out_ += static_cast<char>(value | 128);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }
  void text(std::string_view value) {
    number(value.size());
    out_ += value;
  }
  void wide(Wide value) {
    number(static_cast<std::uint64_t>(value >> 64));
    number(static_cast<std::uint64_t>(value));
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Reads what Writer wrote; of anything else `good` becomes false, and numbers 0.
class Scanner {
 public:
  explicit Scanner(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 127U} << shift;
      if (byte < 128) return value;
    }
    good_ = false;
    return 0;
  }
  std::string_view text() {
    const std::uint64_t size = number();
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  Wide wide() {
    const Wide high = number();
    return high << 64 | number();
  }
  bool good() const { return good_; }
  bool at_end() const { return good_ && rest_.empty(); }
  /// How many things of at least one byte may follow.
  std::uint64_t many() {
    const std::uint64_t count = number();
    if (count > rest_.size()) good_ = false;
    return good_ ? count : 0;
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

const char* name_of(Status status) { return status_names[static_cast<std::size_t>(status)]; }

std::optional<Status> status_of(std::string_view name) {
  for (std::size_t i = 0; i < status_names.size(); ++i)
    if (name == status_names[i]) return static_cast<Status>(i);
  return std::nullopt;
}

std::string packed(const std::vector<NamedHistogram>& histograms) {
  Writer out;
  out.number(histograms.size());
  for (const NamedHistogram& named : histograms) {
    out.text(named.name);
    out.wide(named.histogram.sum_ns());
    out.number(static_cast<std::uint64_t>(named.histogram.min().count()));
    out.number(static_cast<std::uint64_t>(named.histogram.max().count()));
    const auto buckets = named.histogram.buckets();
    out.number(buckets.size());
    std::int64_t before = 0;
    for (const Histogram::Bucket& bucket : buckets) {
      out.number(static_cast<std::uint64_t>(bucket.upper.count() - before));
      out.number(bucket.count);
      before = bucket.upper.count();
    }
  }
  return out.take();
}

std::optional<std::vector<NamedHistogram>> unpacked(std::string_view bytes) {
  Scanner in(bytes);
  std::vector<NamedHistogram> histograms(in.many());
  for (NamedHistogram& named : histograms) {
    named.name = in.text();
    const Wide sum = in.wide();
    const Duration min{static_cast<std::int64_t>(in.number())};
    const Duration max{static_cast<std::int64_t>(in.number())};
    std::vector<Histogram::Bucket> buckets(in.many());
    std::uint64_t upper = 0;
    for (Histogram::Bucket& bucket : buckets) {
      upper += in.number();
      bucket = {Duration{static_cast<std::int64_t>(upper)}, in.number()};
    }
    if (!in.good()) return std::nullopt;
    auto histogram = Histogram::restore(buckets, sum, min, max);
    if (!histogram) return std::nullopt;
    named.histogram = std::move(*histogram);
  }
  if (!in.at_end()) return std::nullopt;
  return histograms;
}

std::string encoded(const Figures& figures) {
  Writer out;
  out.number(figures.met ? 1 : 0);
  out.number(figures.fingerprint.high);
  out.number(figures.fingerprint.low);
  out.number(figures.metrics.size());
  for (const report::Metric& metric : figures.metrics) {
    out.text(metric.name);
    out.number(std::bit_cast<std::uint64_t>(metric.value));
    out.number(static_cast<std::uint64_t>(metric.unit));
    out.number(metric.interval.known() ? 1 : 0);
    if (!metric.interval.known()) continue;
    for (const double end : {metric.interval.low, metric.interval.high}) out.number(std::bit_cast<std::uint64_t>(end));
  }
  out.text(packed(figures.histograms));
  return out.take();
}

std::optional<Figures> figures_in(std::string_view text) {
  Scanner in(text);
  Figures figures;
  figures.met = in.number() != 0;
  figures.fingerprint.high = in.number();
  figures.fingerprint.low = in.number();
  figures.metrics.resize(in.many());
  for (report::Metric& metric : figures.metrics) {
    metric.name = in.text();
    metric.value = std::bit_cast<double>(in.number());
    const std::uint64_t unit = in.number();
    if (unit > static_cast<std::uint64_t>(report::Unit::count)) return std::nullopt;
    metric.unit = static_cast<report::Unit>(unit);
    if (in.number() != 0)
      for (double* end : {&metric.interval.low, &metric.interval.high}) *end = std::bit_cast<double>(in.number());
  }
  auto histograms = unpacked(in.text());
  if (!in.at_end() || !histograms) return std::nullopt;
  figures.histograms = std::move(*histograms);
  return figures;
}

}  // namespace vmbsim::batch
