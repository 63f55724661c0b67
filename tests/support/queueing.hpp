#pragma once
/// Closed forms of queueing theory, to hold simulated queues against.
///
/// Rates and times may be in any unit as long as it is the same one. All queues serve in order of arrival, have unlimited
/// room and are stable: arrival_rate * mean service < servers. The sojourn time is waiting plus service.
/// Sources: Kleinrock, "Queueing Systems", vol. 1, 1975 (M/M/1, M/M/c, M/G/1); Tijms, "A First Course in Stochastic
/// Models", 2003 (M/D/1, waiting times of M/M/c); those of single formulas stand beside them.
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

#include "vmbsim/assert.hpp"

namespace vmbsim::testing {

/// The smallest t >= 0 with cdf(t) >= p, to a relative 1e-12, by bisection. `cdf` rises to 1; 0 <= p < 1; `scale` is a
/// time of the right order.
template <class Cdf>
double quantile_of(Cdf cdf, double p, double scale) {
  if (cdf(0) >= p) return 0;
  double low = 0;
  double high = scale;
  while (cdf(high) < p) {
    low = high;
    high *= 2;
  }
  while (high - low > high * 1e-12) {
    const double middle = low + (high - low) / 2;
    (cdf(middle) < p ? low : high) = middle;
  }
  return high;
}

/// M/M/1 and M/M/c: Poisson arrivals, exponential service, `servers` servers. Kleinrock, sections 3.2 and 3.5.
struct MarkovQueue {
  double arrival_rate;
  double service_rate;  ///< of one server
  int servers = 1;

  double load() const { return arrival_rate / (service_rate * servers); }

  /// Erlang's C: the probability that an arrival has to wait. Through Erlang's B, whose recursion only adds positive terms.
  double probability_of_waiting() const {
    const double offered = arrival_rate / service_rate;
    double b = 1;
    for (int c = 1; c <= servers; ++c) b = offered * b / (c + offered * b);
    return b / (1 - load() * (1 - b));
  }
  double mean_sojourn() const { return probability_of_waiting() / spare_rate() + 1 / service_rate; }
  double mean_in_system() const { return arrival_rate * mean_sojourn(); }  ///< Little's law

  /// P(sojourn <= t). The wait is 0, or exponential with the spare rate when all servers are busy; service follows it.
  double sojourn_cdf(double t) const {
    const double wait = probability_of_waiting();
    const double spare = spare_rate();
    const double service_alone = std::exp(-service_rate * t);
    const bool equal_rates = std::abs(spare / service_rate - 1) < 1e-9;
    const double after_wait =
        equal_rates ? (1 + service_rate * t) * service_alone
                    : (spare * service_alone - service_rate * std::exp(-spare * t)) / (spare - service_rate);
    return 1 - (1 - wait) * service_alone - wait * after_wait;
  }
  double sojourn_quantile(double p) const {
    return quantile_of([this](double t) { return sojourn_cdf(t); }, p, mean_sojourn());
  }

 private:
  double spare_rate() const { return service_rate * servers - arrival_rate; }
};

/// M/G/1 by its first two moments. Pollaczek and Khinchine; Kleinrock, section 5.6.
struct GeneralQueue {
  double arrival_rate;
  double mean_service;
  double squared_variation;  ///< variance of the service time over its mean squared: 1 exponential, 0 constant

  double load() const { return arrival_rate * mean_service; }
  double mean_wait() const { return load() * mean_service * (1 + squared_variation) / (2 * (1 - load())); }
  double mean_sojourn() const { return mean_wait() + mean_service; }
};

/// M/D/1: Poisson arrivals, constant service.
class ConstantServiceQueue {
 public:
  ConstantServiceQueue(double arrival_rate, double service) : arrival_rate_(arrival_rate), service_(service) {}

  double load() const { return arrival_rate_ * service_; }
  double mean_sojourn() const { return GeneralQueue{arrival_rate_, service_, 0}.mean_sojourn(); }

  /// P(wait <= t). Erlang's series alternates and loses all digits soon after t = 10 services; this sum has positive terms
  /// only. For (k-1) D <= t < k D and u = k D - t it is the sum over j < k of P(at most k-j in system) e^(-lu) (lu)^j / j!.
  /// Source: Franx, "A simple solution for the M/D/c waiting time distribution", Operations Research Letters 29, 2001.
  double wait_cdf(double t) const {
    const auto k = static_cast<std::size_t>(t / service_) + 1;
    const double expected = arrival_rate_ * (static_cast<double>(k) * service_ - t);
    const std::vector<double> at_most = cumulative_in_system(k);
    double sum = 0;
    for (std::size_t j = 0; j < k; ++j) sum += at_most[k - j] * poisson(j, expected);
    return sum;
  }
  double sojourn_cdf(double t) const { return t < service_ ? 0 : wait_cdf(t - service_); }
  double sojourn_quantile(double p) const {
    return service_ + quantile_of([this](double t) { return wait_cdf(t); }, p, service_);
  }

 private:
  static double poisson(std::size_t j, double expected) {
    if (expected == 0) return j == 0 ? 1 : 0;
    const auto n = static_cast<double>(j);
    return std::exp(n * std::log(expected) - expected - std::lgamma(n + 1));
  }

  /// P(at most n in system), n = 0 .. last. Steps over a service balance: down from n+1 only when nobody arrives, up over
  /// n when more arrive than lead there; again positive terms only. Tijms, section 9.2 (the regenerative recursion).
  std::vector<double> cumulative_in_system(std::size_t last) const {
    std::vector<double> more_than(last + 1);  // P(more than n arrive during a service), summed from the far end
    double tail = 0;
    for (std::size_t n = last + 60; n-- > 0;) {
      tail += poisson(n + 1, load());
      if (n <= last) more_than[n] = tail;
    }
    std::vector<double> in_system{1 - load()};
    for (std::size_t n = 0; n < last; ++n) {
      double up = in_system[0] * more_than[n];
      for (std::size_t i = 1; i <= n; ++i) up += in_system[i] * more_than[n - i + 1];
      in_system.push_back(up / poisson(0, load()));
    }
    std::partial_sum(in_system.begin(), in_system.end(), in_system.begin());
    return in_system;
  }

  double arrival_rate_;
  double service_;
};

/// How far the mean sojourn time over n customers of a simulated M/M/1 queue scatters around the true one: its standard
/// deviation, for large n. Sojourn times are correlated, so it is larger than that of independent ones.
///
/// n times the variance tends to (1 + load)^2 / (service_rate^2 (1 - load)^4): from the Poisson equation of the number in
/// system with the cost "one per customer and time, less the mean sojourn per arrival".
/// Source of the method: Whitt, "Planning queueing simulations", Management Science 35(11), 1989.
inline double standard_error_of_mean_sojourn(const MarkovQueue& queue, double customers) {
  VMBSIM_ASSERT(queue.servers == 1, "the formula is that of one server");
  const double load = queue.load();
  return (1 + load) / (queue.service_rate * (1 - load) * (1 - load)) / std::sqrt(customers);
}

/// The number of customers after which the mean sojourn time has that standard error, relative to itself.
inline double customers_for_relative_error(const MarkovQueue& queue, double relative_error) {
  const double of_one = standard_error_of_mean_sojourn(queue, 1) / queue.mean_sojourn() / relative_error;
  return of_one * of_one;
}

struct MeanEstimate {
  double mean, standard_error;
};

/// Mean and standard error of correlated values by batch means: consecutive batches, long enough, are nearly independent.
/// Values that do not fill a batch are left out. At least 2 batches of at least 1 value.
/// Source: Law and Kelton, "Simulation Modeling and Analysis", section 9.5.3.
inline MeanEstimate batch_means(std::span<const double> values, std::size_t batches) {
  VMBSIM_ASSERT(batches >= 2 && values.size() >= batches, "a variance needs two batches");
  const std::size_t size = values.size() / batches;
  std::vector<double> means;
  for (std::size_t b = 0; b < batches; ++b) {
    const auto batch = values.subspan(b * size, size);
    means.push_back(std::accumulate(batch.begin(), batch.end(), 0.0) / static_cast<double>(size));
  }
  const auto n = static_cast<double>(batches);
  const double mean = std::accumulate(means.begin(), means.end(), 0.0) / n;
  double squares = 0;
  for (const double m : means) squares += (m - mean) * (m - mean);
  return {mean, std::sqrt(squares / (n - 1) / n)};
}

}  // namespace vmbsim::testing
