#include "sim/report/metrics.hpp"

#include <catch2/catch.hpp>

#include <set>

#include "sim/report/grouping.hpp"
#include "tests/unit/sim_report/hand_made.hpp"

using namespace vmbsim;
using namespace vmbsim::report;

TEST_CASE("every figure has a flat name and a unit") {
  struct Row {
    const char* name;
    double value;
    const char* unit;
  };
  const RunResult result = testing::hand_made();
  for (const Row& row :
       {Row{"run.simulated", 2e6, "ns"}, Row{"run.transactions", 3, "count"}, Row{"run.findings", 2, "count"},
        Row{"channel.disk.throughput", 3000, "per_s"}, Row{"channel.disk.bandwidth", 12288000, "bytes_per_s"},
        Row{"channel.disk.latency.mean", 21666.667, "ns"}, Row{"channel.disk.latency.max", 35000, "ns"},
        Row{"channel.disk.stage.to_host.queue.mean", 833.334, "ns"},
        Row{"channel.disk.stage.service.mean", 13333.333, "ns"}, Row{"channel.disk.batch.mean", 1.5, "count"},
        Row{"channel.disk.interrupts_per_packet", 5.0 / 3, "count"},
        Row{"channel.disk.ring.to_host.peak", 6144, "bytes"}, Row{"channel.disk.ring.to_host.full_events", 2, "count"},
        Row{"channel.disk.ring.to_host.left", 80, "bytes"}, Row{"workload.foreground.response.max", 36000, "ns"},
        Row{"processor.host.cpu0.dpc", 0.15, "fraction"}, Row{"processor.host.cpu1.spin", 0.25, "fraction"},
        Row{"device.disk0.peak_in_flight", 2, "count"}, Row{"device.disk0.utilisation", 0.25, "fraction"}}) {
    INFO(row.name);
    const std::optional<Metric> metric = find_metric(result, row.name);
    REQUIRE(metric);
    CHECK(metric->value == row.value);
    CHECK(name_of(metric->unit) == row.unit);
  }
}

TEST_CASE("quantiles are the histogram's own") {
  const RunResult result = testing::hand_made();
  CHECK(metric_value(result, "channel.disk.latency.p50") ==
        static_cast<double>(result.channels[0].latency.quantile(50, 100).count()));
  CHECK(metric_value(result, "channel.disk.latency.p999") == 35000);
}

TEST_CASE("an unknown metric is no value, and no two metrics share a name") {
  const RunResult result = testing::many_guests(3);
  CHECK_FALSE(metric_value(result, "channel.tape.latency.p99"));
  CHECK_FALSE(metric_value(result, ""));
  const std::vector<std::string> names = metric_names(result);
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
}

TEST_CASE("the instances of a template are also counted together") {
  const RunResult result = testing::many_guests(3);
  CHECK(metric_value(result, "channel.web[1].disk.completed") == 3);
  CHECK(metric_value(result, "channel.web[*].disk.completed") == 9);
  CHECK(metric_value(result, "channel.web[*].disk.throughput") == 9000);
  CHECK(metric_value(result, "channel.web[*].disk.latency.mean") == 21666.667);
  CHECK(metric_value(result, "channel.web[*].disk.ring.to_host.peak") == 6144);
  CHECK(metric_value(result, "channel.web[*].disk.ring.to_host.left") == 240);
  CHECK(metric_value(result, "workload.web[*].foreground.offered") == 12);
  CHECK(metric_value(result, "processor.web[*].cpu*.dpc") == 0.25);
  CHECK_FALSE(metric_value(testing::many_guests(1), "channel.web[*].disk.completed"));
}

TEST_CASE("a template's name forgets which instance it was") {
  struct Row {
    const char* instance;
    const char* name;
  };
  for (const Row& row : {Row{"disk", "disk"}, Row{"web[12].disk", "web[*].disk"}, Row{"host.cpu3", "host.cpu*"},
                         Row{"web[2].cpu10", "web[*].cpu*"}, Row{"disk2", "disk2"}, Row{"odd[x].disk", "odd[x].disk"},
                         Row{"odd[].disk", "odd[].disk"}, Row{"open[3", "open[3"}, Row{"", ""}})
    CHECK(template_name(row.instance) == row.name);
}
