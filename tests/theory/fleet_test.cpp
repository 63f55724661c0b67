// Guests of several hosts that meet at one disk are one queue of the textbooks: a sum of Poisson streams is one.
// Source: Kleinrock, "Queueing Systems", volume 1, sections 2.4 and 3.2.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/support/queueing.hpp"
#include "tests/support/runs.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;

namespace {

/// `guests` over four hosts, all of them together at `load` of one disk with 100 us a request.
RunResult at_one_disk(std::uint32_t guests, double load, const std::string& service, const std::string& shared_by) {
  const double per_guest = 10'000 * load * (shared_by == "host" ? 4 : 1) / guests;
  return run(scenario_of(fmt::format(R"(schema = 1
name = "san"
packets = 400_000
warm_up = "1s"
latency = {{ profile = "zero" }}
[[host]]
name = "node"
count = 4
[[disk]]
name = "san"
service = {}
shared_by = "{}"
[[vm]]
name = "web"
weight = 1
[fleet]
count = {}
[[channel]]
name = "disk"
driver = "storage"
device = {{ disk = "san" }}
[[workload]]
name = "load"
channel = "disk"
loop = "open"
arrivals = {{ poisson = "{:.3f}/s" }}
)",
                                     service, shared_by, guests, per_guest)));
}

double mean_of(const RunResult& result) { return result.fleet->templates[0].traffic.latency.mean_ns(); }
double p99_of(const RunResult& result) {
  return static_cast<double>(result.fleet->templates[0].traffic.latency.quantile(99, 100).count());
}

}  // namespace

TEST_CASE("guests of four hosts at one exponential disk are an M/M/1 queue") {
  for (std::uint32_t guests : {4u, 20u}) {
    const RunResult result = at_one_disk(guests, 0.7, "{ exponential = \"100us\" }", "all");
    const MarkovQueue queue{0.7e-5, 1e-5};
    CHECK(mean_of(result) == Approx(queue.mean_sojourn()).epsilon(0.03));
    CHECK(p99_of(result) == Approx(queue.sojourn_quantile(0.99)).epsilon(0.04));
    CHECK(result.devices.at(0).name == "san");
    CHECK(result.devices.at(0).utilisation == Approx(0.7).epsilon(0.02));
  }
}

TEST_CASE("guests of four hosts at one disk of fixed service are an M/D/1 queue") {
  const RunResult result = at_one_disk(12, 0.8, "\"100us\"", "all");
  const ConstantServiceQueue queue(0.8e-5, 1e5);
  CHECK(mean_of(result) == Approx(queue.mean_sojourn()).epsilon(0.03));
  CHECK(p99_of(result) == Approx(queue.sojourn_quantile(0.99)).epsilon(0.05));
}

TEST_CASE("a disk in every host makes four queues of them") {
  const RunResult result = at_one_disk(12, 0.7, "{ exponential = \"100us\" }", "host");
  const MarkovQueue queue{0.7e-5, 1e-5};
  CHECK(result.devices.size() == 4);
  for (const HostResult& host : result.fleet->hosts) {
    CHECK(host.traffic.latency.mean_ns() == Approx(queue.mean_sojourn()).epsilon(0.06));
    CHECK(host.busiest_disk == Approx(0.7).epsilon(0.03));
  }
}
