#include "vmbsim/histogram.hpp"

#include <algorithm>
#include <cstdint>

namespace vmbsim {

namespace {

struct Ends {
  double from, to;
};

/// Where the samples of a bucket from `lower` to below `next` may lie: none is beyond the extremes of all.
Ends held_between(std::uint64_t lower, std::uint64_t next, std::int64_t min, std::int64_t max) {
  return {static_cast<double>(std::max(lower, static_cast<std::uint64_t>(min))),
          static_cast<double>(std::min(next, static_cast<std::uint64_t>(max)))};
}

}  // namespace

std::uint64_t Histogram::lower_bound(std::size_t index) {
  if (index < 256) return index;
  const std::size_t shift = index / 128 - 1;
  VMBSIM_ASSERT(shift <= 57, "a bucket holds 64-bit values");
  return std::uint64_t{128 + index % 128} << shift;
}

void Histogram::grow(std::size_t index) { buckets_.resize((index / 128 + 1) * 128); }

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ += other.sum_;
}

void Histogram::clear() {
  buckets_.clear();
  count_ = 0;
  sum_ = 0;
  min_ = 0;
  max_ = 0;
}

double Histogram::mean_ns() const {
  if (count_ == 0) return 0;
  const auto whole = static_cast<std::uint64_t>(sum_ / count_);
  const auto rest = static_cast<std::uint64_t>(sum_ % count_);
  return static_cast<double>(whole) + static_cast<double>(rest) / static_cast<double>(count_);
}

Duration Histogram::quantile(std::uint64_t numerator, std::uint64_t denominator) const {
  VMBSIM_ASSERT(denominator > 0 && numerator <= denominator, "a quantile lies between 0 and 1");
  if (count_ == 0) return 0ns;
  const Wide wanted = (Wide{count_} * numerator + denominator - 1) / denominator;  // at most count_
  const std::uint64_t rank = std::max<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1);
  std::uint64_t seen = 0;
  std::size_t index = 0;
  while ((seen += buckets_[index]) < rank) ++index;
  return std::min(Duration{static_cast<std::int64_t>(upper_bound(index))}, max());
}

double Histogram::quantile_ns(double share) const {
  VMBSIM_ASSERT(share >= 0 && share <= 1, "a quantile lies between 0 and 1");
  if (count_ == 0) return 0;
  const double rank = share * static_cast<double>(count_);
  double seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0) continue;
    const auto in_it = static_cast<double>(buckets_[i]);
    if (seen + in_it >= rank) {
      const auto [from, to] = held_between(lower_bound(i), lower_bound(i + 1), min_, max_);
      return from + (to - from) * std::max(rank - seen, 0.0) / in_it;
    }
    seen += in_it;
  }
  return static_cast<double>(max_);
}

double Histogram::share_up_to(double ns) const {
  if (count_ == 0 || ns < static_cast<double>(min_)) return 0;
  if (ns >= static_cast<double>(max_)) return 1;
  double seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0) continue;
    const auto [from, to] = held_between(lower_bound(i), lower_bound(i + 1), min_, max_);
    if (ns < from) break;
    seen += static_cast<double>(buckets_[i]) * std::min((ns - from) / (to - from), 1.0);
  }
  return seen / static_cast<double>(count_);
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> filled;
  for (std::size_t i = 0; i < buckets_.size(); ++i)
    if (buckets_[i] != 0) filled.push_back({Duration{static_cast<std::int64_t>(upper_bound(i))}, buckets_[i]});
  return filled;
}

std::optional<Histogram> Histogram::restore(std::span<const Bucket> buckets, Wide sum_ns, Duration min, Duration max) {
  Histogram restored;
  if (buckets.empty()) return sum_ns == 0 && min == 0ns && max == 0ns ? std::optional{restored} : std::nullopt;
  if (min < 0ns || min > max) return std::nullopt;
  const auto lowest = static_cast<std::uint64_t>(min.count());
  const auto highest = static_cast<std::uint64_t>(max.count());
  Wide least = 0;  // the sum if every sample lay at the lower end of its bucket
  Wide most = 0;   // and at the upper end
  Duration before{-1};
  for (const Bucket& bucket : buckets) {
    if (bucket.upper <= before || bucket.count == 0 || bucket.count > UINT64_MAX - restored.count_) return std::nullopt;
    before = bucket.upper;
    const auto bound = static_cast<std::uint64_t>(bucket.upper.count());
    const std::size_t index = index_of(bound);
    if (upper_bound(index) != bound) return std::nullopt;
    if (index >= restored.buckets_.size()) restored.grow(index);
    restored.buckets_[index] = bucket.count;
    restored.count_ += bucket.count;
    least += Wide{bucket.count} * std::max(lower_bound(index), lowest);
    most += Wide{bucket.count} * std::min(upper_bound(index), highest);
  }
  const std::size_t first = index_of(static_cast<std::uint64_t>(buckets.front().upper.count()));
  const std::size_t last = index_of(static_cast<std::uint64_t>(buckets.back().upper.count()));
  if (index_of(lowest) != first || index_of(highest) != last || (restored.count_ == 1 && min != max))
    return std::nullopt;
  // One sample is the minimum and one the maximum.
  least += highest - std::max(lower_bound(last), lowest);
  most -= std::min(upper_bound(first), highest) - lowest;
  if (sum_ns < least || sum_ns > most) return std::nullopt;
  restored.sum_ = sum_ns;
  restored.min_ = min.count();
  restored.max_ = max.count();
  return restored;
}

}  // namespace vmbsim
