#include "sim/batch/record.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace vmbsim;
using namespace vmbsim::batch;

namespace {

Figures some() {
  Figures figures;
  figures.met = false;
  figures.fingerprint = {0xFFFFFFFFFFFFFFFF, 3};
  figures.metrics = {{"run.events", 12, report::Unit::count},
                     {"channel.disk.latency.p99", 0.1, report::Unit::nanoseconds, {0.05, 0.3}},
                     {"channel.disk.batch.mean", nothing_measured, report::Unit::count}};
  Histogram latency;
  for (std::int64_t i = 1; i < 1'000'000'000'000; i *= 3) latency.add(Duration{i});
  latency.add(Duration{std::numeric_limits<std::int64_t>::max()});
  figures.histograms = {{"channel.disk.latency", latency}, {"workload.load.response", {}}};
  return figures;
}

}  // namespace

TEST_CASE("what a run answers comes back as it was, to the last bit") {
  const Figures before = some();
  const auto after = figures_in(encoded(before));
  REQUIRE(after.has_value());
  CHECK(after->met == before.met);
  CHECK(after->fingerprint == before.fingerprint);
  REQUIRE(after->metrics.size() == 3);
  CHECK(after->metrics[1].name == "channel.disk.latency.p99");
  CHECK(after->metrics[1].value == 0.1);
  CHECK(after->metrics[1].unit == report::Unit::nanoseconds);
  CHECK(after->metrics[1].interval.low == 0.05);
  CHECK(after->metrics[1].interval.high == 0.3);
  CHECK_FALSE(after->metrics[0].interval.known());
  CHECK(std::isnan(after->metrics[2].value));
  CHECK(after->histograms == before.histograms);
}

TEST_CASE("an answer that was cut short or changed is none, and harms nobody") {
  const std::string good = encoded(some());
  for (std::size_t i = 0; i < good.size(); ++i) CHECK_FALSE(figures_in(good.substr(0, i)).has_value());
  CHECK_FALSE(figures_in(good + "x").has_value());
  for (std::size_t i = 0; i < good.size(); ++i)
    for (const int bit : {0, 3, 7}) {
      std::string changed = good;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      (void)figures_in(changed);
    }
}

TEST_CASE("a histogram of ten thousand samples takes less than two KiB") {
  Histogram latency;
  std::uint64_t x = 1;
  for (int i = 0; i < 10'000; ++i) {
    x = x * 6364136223846793005 + 1442695040888963407;
    latency.add(Duration{static_cast<std::int64_t>(50'000 + (x >> 45))});
  }
  const std::string bytes = packed({{"channel.disk.latency", latency}});
  CHECK(bytes.size() < 2048);
  CHECK(unpacked(bytes)->front().histogram == latency);
}

TEST_CASE("the words for what became of a run read back") {
  for (std::size_t i = 0; i < status_count; ++i) {
    const auto status = static_cast<Status>(i);
    CHECK(status_of(name_of(status)) == status);
  }
  CHECK_FALSE(status_of("dead").has_value());
}
