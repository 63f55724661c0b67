// The table that [report] asks for, and what runs of one point are together.
#include "sim/batch/overview.hpp"

#include "sim/batch/points.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/sim_batch/study.hpp"

using namespace vmbsim;
using namespace vmbsim::batch;
using namespace vmbsim::testing;

namespace {

/// Guests in place of a depth: one is named alone, several are instances of a template.
Figures guests(const PlannedRun& run) {
  Figures figures;
  const auto count = static_cast<int>(sweep::quantity_of(run.point.settings[0].value).number);
  for (int guest = 0; guest < count; ++guest) {
    const std::string name = count == 1 ? "channel.disk" : "channel.web[" + std::to_string(guest) + "].disk";
    Histogram latency;
    for (int i = 0; i < 100; ++i) latency.add(Duration{1000 * count});
    figures.metrics.push_back({name + ".latency.p50", 1000.0 * count, report::Unit::nanoseconds});
    figures.histograms.push_back({name + ".latency", latency});
  }
  if (count > 1) figures.metrics.push_back({"channel.web[*].disk.latency.p50", 0, report::Unit::nanoseconds});
  figures.metrics.push_back({"run.events", 10.0 * count, report::Unit::count});
  return figures;
}

Overview all_of(const std::filesystem::path& folder, const Asked& asked) {
  const auto runs = Runs::read({folder});
  return std::get<Overview>(overview_of(std::get<Runs>(runs), asked));
}

std::string overview(const std::filesystem::path& folder, const Asked& asked) { return all_of(folder, asked).tables; }

}  // namespace

TEST_CASE("a report has a row per metric, a column per value, and a table for each value of the others") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path(), [](Batch::Config& config) { config.run = guests; });
  const std::string table =
      "load.depth                             1        2       16\n"
      "run.events                            10       20      160\n"
      "channel.web[*].disk.latency.p50  1.00 us  2.00 us  16.0 us\n";
  const std::string text = overview(scratch.path(), {{"run.events", "latency.p50", "throughput"}, "load.depth"});
  CHECK(text == "ring = 4KiB\n" + table + "\nring = a, \"b\"\n" + table);
}

TEST_CASE("a report of runs that failed says so") {
  const Study study(1);
  const ScratchFolder scratch;
  study.run(scratch.path(), [](Batch::Config& config) {
    config.run = [](const PlannedRun&) -> Figures { throw std::runtime_error("no"); };
  });
  CHECK(overview(scratch.path(), {{"run.events"}, "load.depth"}) ==
        "ring = 4KiB\nno run has these figures\n\nring = a, \"b\"\nno run has these figures\n");
}

TEST_CASE("a report without a key to hold it against has a table for each point") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path(), [](Batch::Config& config) { config.run = guests; });
  CHECK_THAT(overview(scratch.path(), {{"run.events"}, ""}),
             Catch::Matchers::StartsWith("load.depth = 1, ring = 4KiB\nrun.events  10\n\n"));
}

TEST_CASE(
    "guests that found no place stand below what was asked for, and are told with the points where there were any") {
  const Study study;
  const ScratchFolder scratch;
  const auto refused = [](double at_16) {
    return [at_16](Batch::Config& config) {
      config.run = [at_16](const PlannedRun& run) {
        Figures figures = guests(run);
        const double depth = sweep::quantity_of(run.point.settings[0].value).number;
        figures.metrics.push_back({"fleet.refused", depth > 8 ? at_16 : depth > 1 ? 1 : 0, report::Unit::count});
        return figures;
      };
    };
  };
  study.run(scratch.path() / "some", refused(57));
  CHECK_THAT(overview(scratch.path() / "some", {{"run.events"}, "load.depth"}),
             Catch::Matchers::StartsWith("ring = 4KiB\n"
                                         "load.depth               1   2   16\n"
                                         "run.events              10  20  160\n"
                                         "guests without a place   0   1   57\n"));
  CHECK(overview(scratch.path() / "some", {{"fleet.refused"}, "load.depth"}).find("without") == std::string::npos);
  const auto told = [&](const char* folder) {
    const Overview found = all_of(scratch.path() / folder, {});
    CHECK(found.tables.empty());
    CHECK(found.refused == all_of(scratch.path() / folder, {{"run.events"}, "load.depth"}).refused);
    return found.refused;
  };
  CHECK(told("some") ==
        "57 guests found no place at load.depth=16 ring=\"4KiB\"\n"
        "57 guests found no place at load.depth=16 ring=\"a, \\\"b\\\"\"\n"
        "1 guest found no place at load.depth=2 ring=\"4KiB\"\n"
        "1 guest found no place at load.depth=2 ring=\"a, \\\"b\\\"\"\n");
  study.run(scratch.path() / "all", [](Batch::Config& config) {
    config.run = [](const PlannedRun& run) {
      Figures figures = guests(run);
      figures.metrics.push_back({"fleet.refused", 3, report::Unit::count});
      return figures;
    };
  });
  CHECK_THAT(told("all"), Catch::Matchers::EndsWith("\nand at 1 more point as many or fewer\n"));
  study.run(scratch.path() / "none", [](Batch::Config& config) { config.run = guests; });
  CHECK(told("none").empty());
}

TEST_CASE("a point tells its seeds, what failed of it, and every latency of a template's instances together") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path(), [](Batch::Config& config) {
    config.run = [](const PlannedRun& run) {
      if (run.seed.value == 9) throw std::runtime_error("no");
      return guests(run);
    };
  });
  const auto runs = Runs::read({scratch.path()});
  const auto all = [](const std::string&) { return true; };
  std::vector<PointRuns> points;
  each_point(std::get<Runs>(runs), {.metric = all, .latency = all}, [&](const PointRuns& point) {
    points.push_back(point);
    return points.size() < 3;
  });
  REQUIRE(points.size() == 3);
  CHECK(points[2].parameters.front() == "2");
  CHECK(points[2].seeds == std::vector<Seed>{{7}, {8}, {10}});
  CHECK(points[2].failed == 1);
  REQUIRE(points[2].latencies.size() == 3);
  CHECK(points[2].latencies.back().name == "channel.web[*].disk.latency");
  CHECK(points[2].latencies.back().pool.all().count() == 600);
  CHECK(points[0].latencies.size() == 1);
}

TEST_CASE("pooled rows have intervals of the mean and of percentiles that enough samples lie beyond") {
  const Study study(8);
  const ScratchFolder scratch;
  study.run(scratch.path());
  const std::string text = table(scratch.path(), pooled_table);
  config::CsvReader csv(text, "pooled.csv");
  REQUIRE(csv.next());
  const auto number = [&](const char* column) { return std::stod(cell(csv, column)); };
  CHECK(number("mean_low_ns") < number("mean_ns"));
  CHECK(number("mean_high_ns") > number("mean_ns"));
  CHECK(number("p50_low_ns") < number("p50_ns"));
  for (const std::string figure : {"mean", "p50"}) {
    CHECK(number((figure + "_low_ns").c_str()) <= number((figure + "_ns").c_str()));
    CHECK(number((figure + "_high_ns").c_str()) >= number((figure + "_ns").c_str()));
  }
  // 40 of 400 samples lie beyond the one: at the largest likely variance of eight runs they are worth 12. Beyond the other lie four.
  CHECK(cell(csv, "p90_low_ns").empty());
  CHECK(cell(csv, "p99_low_ns").empty());
}
