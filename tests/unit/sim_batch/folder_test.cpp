#include "sim/batch/folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/batch/database.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/sim_batch/study.hpp"

using namespace vmbsim;
using namespace vmbsim::batch;
using namespace vmbsim::testing;

namespace {

std::map<std::string, PlannedRun> by_key(const Study& study) {
  std::map<std::string, PlannedRun> runs;
  for (std::uint64_t i = 0; i < study.size(); ++i) {
    const PlannedRun run = study.plan().at(i);
    runs.emplace(run.key.text(), run);
  }
  return runs;
}

/// A store of one point, spelled so, with runs of these seeds.
void store_point(const std::filesystem::path& folder, const std::vector<std::string>& spelled,
                 const std::vector<std::uint64_t>& seeds) {
  std::filesystem::create_directories(folder);
  std::optional<std::string> rescued;
  auto opened = Store::open(
      store_of(folder, 0, 1),
      {.scenario = "s", .version = "1.0", .text = "", .identity = {1, 2}, .parameters = {"ring", "load"}}, rescued);
  REQUIRE(std::holds_alternative<std::unique_ptr<Store>>(opened));
  Store& store = *std::get<std::unique_ptr<Store>>(opened);
  for (const std::uint64_t seed : seeds) {
    Record record;
    record.key = {1, seed};
    record.parameters = spelled;
    record.seed = Seed{seed};
    record.status = Status::met;
    Histogram latency;
    for (std::uint64_t i = 0; i < 50; ++i) latency.add(Duration{static_cast<std::int64_t>(i * seed)});
    record.figures.histograms = {{"latency", latency}};
    REQUIRE_FALSE(store.add(record).has_value());
  }
  REQUIRE_FALSE(store.commit().has_value());
}

}  // namespace

TEST_CASE("every row of a long table has its run's parameters, and every figure reads back to the bit") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path());
  const auto planned = by_key(study);
  const std::string text = table(scratch.path(), long_table);
  config::CsvReader csv(text, "long.csv");
  std::size_t rows = 0;
  while (csv.next()) {
    const PlannedRun& run = planned.at(cell(csv, "key"));
    CHECK(cell(csv, "scenario") == "study");
    CHECK(cell(csv, "load.depth") == run.point.settings[0].value);
    CHECK(cell(csv, "ring") == sweep::plain_text(run.point.settings[1].value));
    CHECK(cell(csv, "seed") == std::to_string(run.seed.value));
    const report::Metric metric = Study::figures(run).metrics[rows++ % 3];
    CHECK(cell(csv, "metric") == metric.name);
    CHECK(cell(csv, "unit") == report::name_of(metric.unit));
    const std::string value = cell(csv, "value");
    if (std::isnan(metric.value))
      CHECK(value.empty());
    else
      CHECK(std::stod(value) == metric.value);
  }
  CHECK(csv.take_problems().empty());
  CHECK(rows == 3 * study.size());
}

TEST_CASE("a wide table has a row per run and a column per metric, by parameters as numbers and then by seed") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path());
  const auto planned = by_key(study);
  const std::string text = table(scratch.path(), wide_table);
  config::CsvReader csv(text, "wide.csv");
  std::string order;
  while (csv.next()) {
    const PlannedRun& run = planned.at(cell(csv, "key"));
    const Figures figures = Study::figures(run);
    CHECK(cell(csv, "status") == (figures.met ? "met" : "unmet"));
    CHECK(cell(csv, "fingerprint") == figures.fingerprint.text());
    CHECK(std::stod(cell(csv, "channel.a,b.latency.mean")) == figures.metrics[1].value);
    if (cell(csv, "ring") == "4KiB") order += cell(csv, "load.depth") + "/" + cell(csv, "seed") + " ";
  }
  CHECK(csv.take_problems().empty());
  CHECK(order == "1/7 1/8 1/9 1/10 2/7 2/8 2/9 2/10 16/7 16/8 16/9 16/10 ");
}

TEST_CASE("pooled percentiles are those of all samples of a point's runs together") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path());
  Histogram together;
  for (std::uint64_t i = 0; i < 4; ++i) together.merge(Study::figures(study.plan().at(i)).histograms.front().histogram);
  const std::string text = table(scratch.path(), pooled_table);
  config::CsvReader csv(text, "pooled.csv");
  REQUIRE(csv.next());
  CHECK(cell(csv, "runs") == "4");
  CHECK(cell(csv, "latency") == "channel.a,b.latency");
  CHECK(cell(csv, "count") == "200");
  CHECK(std::stod(cell(csv, "p99_ns")) == together.quantile_ns(0.99));
  CHECK(cell(csv, "max_ns") == std::to_string(together.max().count()));
  std::size_t points = 1;
  while (csv.next()) ++points;
  CHECK(points == 6);
}

TEST_CASE("a point that shards spell in several ways is one point, spelled alike in whatever order they are merged") {
  const ScratchFolder scratch;
  const std::vector<std::filesystem::path> shards{scratch.path() / "a", scratch.path() / "b", scratch.path() / "c"};
  store_point(shards[0], {"\"16 pages\"", "\"8000/s\""}, {1, 2});
  store_point(shards[1], {"\"65536B\"", "\"8/ms\""}, {2, 3});
  store_point(shards[2], {"\"64KiB\"", "\"8k/s\""}, {4});
  REQUIRE(std::holds_alternative<Merged>(merge(shards, scratch.path() / "all")));
  REQUIRE(std::holds_alternative<Merged>(merge({shards[2], shards[1]}, scratch.path() / "some")));
  REQUIRE(std::holds_alternative<Merged>(merge({shards[0]}, scratch.path() / "some")));
  CHECK(exports(scratch.path() / "some") == exports(scratch.path() / "all"));
  const std::string text = table(scratch.path() / "some", pooled_table);
  CHECK_THAT(text, Catch::Contains("\ns,64KiB,8/ms,4,latency,200,"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("a table stops where its reader has had enough") {
  const Study study(500);
  const ScratchFolder scratch;
  study.run(scratch.path(), [](Batch::Config& config) { config.runner.jobs = 2; });
  const auto runs = Runs::read({scratch.path()});
  int pieces = 0;
  const auto wrong = long_table(std::get<Runs>(runs), [&](const std::string&) { return ++pieces < 2; });
  CHECK_FALSE(wrong.has_value());
  CHECK(pieces == 3);  // the last one ends the table
}

TEST_CASE("a folder is not merged into itself, under whatever name, and keeps what it holds") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path() / "p");
  const std::string before = exports(scratch.path() / "p");
  for (const auto& to : {scratch.path() / "p", scratch.path() / "." / "p" / ".." / "p"}) {
    const auto merged = merge({scratch.path() / "p"}, to);
    REQUIRE(std::holds_alternative<Problem>(merged));
    CHECK(std::get<Problem>(merged).text ==
          "is one of the folders that are merged; right would be a folder of its own");
  }
  CHECK(stores_in(scratch.path() / "p").size() == 1);
  CHECK(exports(scratch.path() / "p") == before);
}

TEST_CASE("a batch and a merge leave their stores and nothing of SQLite's beside them") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path() / "p");
  REQUIRE(std::holds_alternative<Merged>(merge({scratch.path() / "p"}, scratch.path() / "all")));
  for (const char* folder : {"p", "all"})
    for (const auto& entry : std::filesystem::directory_iterator(scratch.path() / folder)) {
      CAPTURE(entry.path().string());
      CHECK(entry.path().string().find("-journal") == std::string::npos);
    }
  CHECK(exports(scratch.path() / "all") == exports(scratch.path() / "p"));
}

TEST_CASE("two points that come to one scenario are a problem, not one run") {
  sweep::Sweep sweep;
  sweep.axes = {{{"a"}, {"1", "2", "3"}, {"s.toml", 2, 1}, {{"s.toml", 3, 1}, {"s.toml", 3, 4}, {"s.toml", 3, 7}}}};
  sweep::Points points(sweep);
  REQUIRE_FALSE(points.prepare().has_value());
  const auto plan = Plan::make(sweep, points, Seed{1}, "1.0", [](const sweep::Point& point) {
    return digest_of(point.settings[0].value == "3" ? "1" : point.settings[0].value);
  });
  REQUIRE(std::holds_alternative<Problem>(plan));
  CHECK(std::get<Problem>(plan).line() ==
        "s.toml:3:7: [sweep]: the points a=1 and a=3 come to the same scenario; right would be one of them");
}

TEST_CASE("a folder that is none, or holds no runs, is told") {
  const ScratchFolder scratch;
  const auto none = Runs::read({scratch.path() / "o"});
  REQUIRE(std::holds_alternative<Problem>(none));
  CHECK(std::get<Problem>(none).text == "holds no runs of a batch");
}

TEST_CASE("everybody's SQLite sees one row per run and metric") {
  const Study study;
  const ScratchFolder scratch;
  study.run(scratch.path());
  const Database database(store_of(scratch.path(), 0, 1), Database::Mode::read);
  Statement rows(database,
                 "SELECT count(*), sum(value) FROM metrics WHERE metric = 'run.events' AND "
                 "json_extract(parameters, '$[0]') = '16'");
  REQUIRE(rows.next());
  CHECK(rows.integer(0) == 8);
  CHECK(rows.integer(1) == 2 * 16 * (7 + 8 + 9 + 10));
}
