#include "tests/support/queueing.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "sim/kernel/exact_math.hpp"
#include "sim/kernel/random.hpp"
#include "tests/support/goodness_of_fit.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

class Exponential {
 public:
  Exponential(double rate, const char* purpose, std::uint64_t seed = 1)
      : rate_(rate), stream_(Seed{seed}, "queue", purpose) {}
  double operator()() { return kernel::exponential_quantile(stream_.next()) / rate_; }

 private:
  double rate_;
  kernel::Stream stream_;
};

/// Sojourn times of a queue that serves in order of arrival, the first 10,000 customers left out.
/// Source: Lindley's recursion, for several servers that of Kiefer and Wolfowitz.
template <class Service>
std::vector<double> simulated(double arrival_rate, Service service, int servers, int customers,
                              std::uint64_t seed = 1) {
  Exponential gap(arrival_rate, "gaps", seed);
  std::vector<double> free_at(static_cast<std::size_t>(servers));  // of each server
  std::vector<double> sojourns;
  double now = 0;
  for (int i = -10'000; i < customers; ++i) {
    now += gap();
    double& server = *std::min_element(free_at.begin(), free_at.end());
    server = std::max(server, now) + service();
    if (i >= 0) sojourns.push_back(server - now);
  }
  return sojourns;
}

/// The fraction of correlated values up to a limit.
MeanEstimate fraction_up_to(const std::vector<double>& values, double limit) {
  std::vector<double> hits;
  for (const double x : values) hits.push_back(x <= limit ? 1 : 0);
  return batch_means(hits, 100);
}

/// Erlang's alternating series for P(wait <= t) in M/D/1, good while its terms stay small (Erlang, 1909; Crommelin, 1932).
double erlang_series(double arrival_rate, double service, double t) {
  long double sum = 0;
  for (int k = 0; k <= static_cast<int>(t / service); ++k) {
    const long double x = static_cast<long double>(arrival_rate) * (k * static_cast<long double>(service) - t);
    long double term = std::exp(-x);
    for (int j = 1; j <= k; ++j) term *= x / j;
    sum += term;
  }
  return static_cast<double>((1 - static_cast<long double>(arrival_rate) * service) * sum);
}

}  // namespace

// Source: Kleinrock, section 3.2: mean 1/(m - l), exponential sojourn times.
TEST_CASE("with one server m/m/c is m/m/1") {
  const MarkovQueue queue{0.8, 1};
  CHECK(queue.probability_of_waiting() == Approx(0.8));
  CHECK(queue.mean_sojourn() == Approx(5));
  CHECK(queue.mean_in_system() == Approx(4));
  CHECK(queue.sojourn_quantile(0.5) == Approx(5 * std::log(2.0)));
  CHECK(queue.sojourn_quantile(0.999) == Approx(5 * std::log(1000.0)));
}

// Worked by hand: C(2 servers, 1 erlang) = (1/2 * 2) / (1 + 1 + 1/2 * 2) = 1/3; C(3, 2) = (8/6 * 3) / (1 + 2 + 2 + 4) = 4/9.
TEST_CASE("erlang c is right for two and three servers") {
  CHECK(MarkovQueue{1, 1, 2}.probability_of_waiting() == Approx(1.0 / 3));
  CHECK(MarkovQueue{2, 1, 3}.probability_of_waiting() == Approx(4.0 / 9));
  CHECK(MarkovQueue{2, 1, 3}.mean_sojourn() == Approx(1 + 4.0 / 9));
}

TEST_CASE("the sojourn law of m/m/c is a law with its mean, also where its two rates coincide") {
  // A server is spare in rate exactly when servers * m - l = m.
  for (const MarkovQueue& queue :
       {MarkovQueue{1, 1, 2}, MarkovQueue{1.9, 1, 2}, MarkovQueue{7, 1, 10}, MarkovQueue{0.3, 1, 4}}) {
    CHECK(queue.sojourn_cdf(0) == Approx(0).margin(1e-12));
    const double step = 1e-3;
    double mean = 0;  // the integral of the tail
    for (double t = step / 2; t < 400; t += step) mean += (1 - queue.sojourn_cdf(t)) * step;
    CHECK(mean == Approx(queue.mean_sojourn()).epsilon(1e-5));
    CHECK(queue.sojourn_cdf(queue.sojourn_quantile(0.99)) == Approx(0.99));
  }
}

TEST_CASE("m/g/1 is m/m/1 for exponential service, and waits half as long for constant service") {
  CHECK(GeneralQueue{0.8, 1, 1}.mean_sojourn() == Approx(MarkovQueue{0.8, 1}.mean_sojourn()));
  CHECK(GeneralQueue{0.8, 1, 0}.mean_wait() == Approx(GeneralQueue{0.8, 1, 1}.mean_wait() / 2));
  CHECK(ConstantServiceQueue(0.8, 1).mean_sojourn() == Approx(3));  // 1 + 0.8 / (2 * 0.2)
}

TEST_CASE("waiting times of m/d/1 agree with erlang's series where that still has digits") {
  for (const double load : {0.1, 0.5, 0.9}) {
    const ConstantServiceQueue queue(load / 3, 3);
    for (const double services : {0.0, 0.3, 1.0, 2.5, 7.0, 9.99})
      CHECK(queue.wait_cdf(3 * services) == Approx(erlang_series(load / 3, 3, 3 * services)).epsilon(1e-9));
  }
}

TEST_CASE("the waiting law of m/d/1 is a law with its mean, far into the tail") {
  for (const double load : {0.5, 0.9, 0.95}) {
    const ConstantServiceQueue queue(load, 1);
    double mean_wait = 0;
    double before = 0;
    const double step = 1.0 / 16;
    for (double t = step / 2; t < (load > 0.9 ? 300 : 120); t += step) {
      const double p = queue.wait_cdf(t);
      REQUIRE((p >= before - 1e-12 && p <= 1 + 1e-12));
      before = p;
      mean_wait += (1 - p) * step;
    }
    CHECK(1 + mean_wait == Approx(queue.mean_sojourn()).epsilon(1e-3));
    CHECK(queue.sojourn_cdf(queue.sojourn_quantile(0.999)) == Approx(0.999));
  }
}

// At load 0.5 half the customers of M/D/1 do not wait, hence 60 % and not the median, which lies on that step.
// Fractions over correlated customers, with standard errors from 100 batches. Fails by luck with probability about 1e-5
// for each figure (the t law of 99 degrees of freedom).
TEST_CASE("lindley's recursion agrees with the quantiles and means of every queue") {
  constexpr int n = 1'000'000;
  for (const double load : {0.5, 0.8, 0.9}) {
    INFO("load " << load);
    struct Row {
      const char* what;
      std::vector<double> sojourns;
      double mean, p60, p99;
    };
    const MarkovQueue one{load, 1};
    const MarkovQueue four{4 * load, 1, 4};
    const ConstantServiceQueue constant(load, 1);
    for (const Row& row :
         {Row{"M/M/1", simulated(load, Exponential(1, "services"), 1, n), one.mean_sojourn(), one.sojourn_quantile(0.6),
              one.sojourn_quantile(0.99)},
          Row{"M/M/4", simulated(4 * load, Exponential(1, "services"), 4, n), four.mean_sojourn(),
              four.sojourn_quantile(0.6), four.sojourn_quantile(0.99)},
          Row{"M/D/1",
              simulated(
                  load, [] { return 1.0; }, 1, n),
              constant.mean_sojourn(), constant.sojourn_quantile(0.6), constant.sojourn_quantile(0.99)}}) {
      INFO(row.what);
      const MeanEstimate mean = batch_means(row.sojourns, 100);
      CHECK(std::abs(mean.mean - row.mean) < limit_of_z * mean.standard_error);
      const MeanEstimate up_to_p60 = fraction_up_to(row.sojourns, row.p60);
      CHECK(std::abs(up_to_p60.mean - 0.6) < limit_of_z * up_to_p60.standard_error);
      const MeanEstimate up_to_p99 = fraction_up_to(row.sojourns, row.p99);
      CHECK(std::abs(up_to_p99.mean - 0.99) < limit_of_z * up_to_p99.standard_error);
    }
  }
}

// The standard deviation of 1000 means has itself a relative standard error of 1/sqrt(2000). Fails by luck with
// probability 1e-6 for each load.
TEST_CASE("means of repeated m/m/1 runs scatter as far as their standard error says") {
  for (const double load : {0.3, 0.7}) {
    INFO("load " << load);
    const MarkovQueue queue{load, 1};
    std::vector<double> means;
    for (std::uint64_t run = 1; run <= 1000; ++run)
      means.push_back(batch_means(simulated(load, Exponential(1, "services", run), 1, 10'000, run), 2).mean);
    const MeanEstimate spread = batch_means(means, means.size());
    const double deviation = spread.standard_error * std::sqrt(1000.0);
    CHECK(std::abs(deviation / standard_error_of_mean_sojourn(queue, 10'000) - 1) < limit_of_z / std::sqrt(2000.0));
    CHECK(std::abs(spread.mean - queue.mean_sojourn()) < limit_of_z * spread.standard_error);
  }
}

// Load 0.9, 1 %: ((1.9 / 0.1^2) / (1 / 0.1) / 0.01)^2 = 1900^2.
TEST_CASE("the customers needed grow with the load and with the square of the precision") {
  CHECK(customers_for_relative_error({0.9, 1}, 0.01) == Approx(3'610'000));
  CHECK(customers_for_relative_error({0.9, 1}, 0.001) == Approx(361'000'000));
  CHECK(customers_for_relative_error({9e-4, 1e-3}, 0.01) == Approx(3'610'000));  // whatever the unit of time
}

TEST_CASE("batch means are the mean and the scatter of the batches") {
  const std::vector<double> values{1, 3, 5, 7, 100};  // two batches of 2: means 2 and 6; the last value fills none
  const MeanEstimate estimate = batch_means(values, 2);
  CHECK(estimate.mean == Approx(4));
  CHECK(estimate.standard_error == Approx(2));  // sqrt(((2-4)^2 + (6-4)^2) / 1 / 2)
}
