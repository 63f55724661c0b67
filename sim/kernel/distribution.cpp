#include "sim/kernel/distribution.hpp"

#include <algorithm>
#include <utility>

#include "sim/kernel/exact_math.hpp"

namespace vmbsim::kernel {
namespace {

constexpr double z99 = 2.3263478740408408;  // the normal quantile of 99 %
constexpr std::int64_t lowest_draw = std::int64_t{1} << 63;

Duration held(Duration value) { return std::min(value, Duration{longest_sample}); }

double lognormal_value(std::int64_t median, double sigma, std::int64_t draw) {
  return static_cast<double>(median) * exact_exp(sigma * normal_quantile(draw));
}

}  // namespace

Distribution Distribution::fixed(Duration value) {
  VMBSIM_ASSERT(value >= 0ns, "a duration drawn is never negative");
  Distribution d;
  d.a_ = held(value).count();
  return d;
}

Distribution Distribution::exponential(Duration mean) {
  VMBSIM_ASSERT(mean > 0ns, "an exponential distribution has a positive mean");
  Distribution d;
  d.kind_ = Kind::exponential;
  d.a_ = held(mean).count();
  return d;
}

Distribution Distribution::uniform(Duration low, Duration high) {
  VMBSIM_ASSERT(low >= 0ns && low <= high, "a uniform distribution runs from low to high");
  Distribution d;
  d.kind_ = Kind::uniform;
  d.a_ = held(low).count();
  d.b_ = held(high).count();
  return d;
}

Distribution Distribution::lognormal(Duration median, Duration p99) {
  VMBSIM_ASSERT(median > 0ns && median <= p99, "a lognormal distribution has 0 < median <= p99");
  Distribution d;
  d.kind_ = Kind::lognormal;
  d.a_ = held(median).count();
  d.sigma_ = exact_log(static_cast<double>(held(p99).count()) / static_cast<double>(d.a_)) / z99;
  return d;
}

Distribution Distribution::empirical(std::vector<Duration> samples) {
  VMBSIM_ASSERT(!samples.empty(), "an empirical distribution has samples");
  VMBSIM_ASSERT(std::ranges::all_of(samples, [](Duration x) { return x >= 0ns; }),
                "a duration drawn is never negative");
  for (Duration& x : samples) x = held(x);
  Distribution d;
  d.kind_ = Kind::empirical;
  d.samples_ = std::make_shared<const std::vector<Duration>>(std::move(samples));
  return d;
}

Duration Distribution::sample_varying(Stream& stream) const {
  switch (kind_) {
    case Kind::fixed: break;
    case Kind::exponential:
      return Duration{to_nanoseconds(static_cast<double>(a_) * exponential_quantile(stream.next()))};
    case Kind::uniform: {
      const auto span = static_cast<std::uint64_t>(b_ - a_) + 1;
      return Duration{a_ + static_cast<std::int64_t>(stream.below(span))};
    }
    case Kind::lognormal:
      return Duration{to_nanoseconds(lognormal_value(a_, sigma_, static_cast<std::int64_t>(stream.next())))};
    case Kind::empirical: return (*samples_)[stream.below(samples_->size())];
  }
  return Duration{a_};
}

Duration Distribution::mean() const {
  switch (kind_) {
    case Kind::fixed:
    case Kind::exponential: break;
    case Kind::uniform: return Duration{a_ + (b_ - a_ + 1) / 2};
    case Kind::lognormal: return Duration{to_nanoseconds(static_cast<double>(a_) * exact_exp(sigma_ * sigma_ / 2))};
    case Kind::empirical: {
      Wide sum = 0;
      for (const Duration x : *samples_) sum += static_cast<std::uint64_t>(x.count());
      const Wide n = samples_->size();
      return Duration{static_cast<std::int64_t>((sum + n / 2) / n)};
    }
  }
  return Duration{a_};
}

Duration Distribution::lowest() const {
  switch (kind_) {
    case Kind::fixed:
    case Kind::uniform: break;
    case Kind::exponential: return 0ns;
    case Kind::lognormal: return Duration{to_nanoseconds(lognormal_value(a_, sigma_, lowest_draw))};
    case Kind::empirical: return *std::ranges::min_element(*samples_);
  }
  return Duration{a_};
}

}  // namespace vmbsim::kernel
