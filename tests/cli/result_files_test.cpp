// What `run --out` leaves behind, read by other programs' eyes: JSON by a JSON library, TOML by a TOML library.
#include <toml++/toml.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/cli/user.hpp"

using namespace vmbsim::testing;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace {

std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> out;
  std::istringstream text(line);
  for (std::string cell; std::getline(text, cell, ',');) out.push_back(cell);
  return out;
}

/// The text without the one figure that is the wall clock's.
std::string without_wall(const std::string& summary) {
  json document = json::parse(summary);
  document.erase("wall_s");
  return document.dump();
}

const char* const three_files = "manifest.toml\nsummary.csv\nsummary.json\n";

}  // namespace

TEST_CASE("summary.json has every promised key, of its type") {
  const User user;
  user.writes("s.toml", std::string(small_scenario) +
                            "[[channel]]\nname = \"disk\"\ndriver = \"storage\"\n"
                            "device.service = \"20us\"\n[[vm]]\nname = \"web\"\ncount = 2\n"
                            "[[workload]]\nname = \"reader\"\nchannel = \"disk\"\n");
  REQUIRE(user.types("vmbsim run s.toml --out o").status == 0);
  const json summary = json::parse(user.reads("o/summary.json"));
  CHECK(summary.at("schema") == 1);
  CHECK(summary.at("scenario") == "small");
  CHECK(summary.at("seed") == 1);
  CHECK(summary.at("version") == "0.1.0");
  CHECK(summary.at("fingerprint").get<std::string>().size() == 32);
  for (const char* key : {"simulated_ns", "events", "transactions"}) CHECK(summary.at(key).is_number_unsigned());
  CHECK(summary.at("wall_s").is_number_float());
  std::vector<std::string> names;
  for (const json& channel : summary.at("channels")) {
    names.push_back(channel.at("name"));
    for (const char* key : {"sent", "completed", "outstanding", "interrupts"})
      CHECK(channel.at(key).is_number_unsigned());
    CHECK(channel.at("throughput_per_s").is_number());
    for (const char* key : {"mean", "p50", "p90", "p99", "p999", "max"})
      CHECK(channel.at("latency_ns").at(key).is_number());
    double sum = 0;
    for (const json& stage : channel.at("stages_ns")) sum += stage.get<double>();
    CHECK(sum == Approx(channel.at("latency_ns").at("mean").get<double>()).margin(0.01));
    for (const char* key : {"count", "mean", "max"}) CHECK(channel.at("batches").at(key).is_number());
    for (const char* key : {"sent", "suppressed"}) CHECK(channel.at("signals").at(key).is_number_unsigned());
    for (const char* ring : {"to_host", "to_guest"})
      for (const char* key : {"peak_bytes", "full_events", "left_bytes"})
        CHECK(channel.at("ring").at(ring).at(key).is_number_unsigned());
  }
  CHECK(names == std::vector<std::string>{"web[0].pipe", "web[1].pipe", "web[0].disk", "web[1].disk"});
  REQUIRE(summary.at("processors").size() == 3);
  for (const json& processor : summary.at("processors")) {
    CHECK(processor.at("name").is_string());
    double all = 0;
    for (const auto& [activity, share] : processor.at("utilisation").items()) all += share.get<double>();
    for (const char* key : {"isr", "dpc", "thread", "idle"}) CHECK(processor.at("utilisation").at(key).is_number());
    CHECK(all == Approx(1));
  }
  CHECK(summary.at("findings").is_array());
}

TEST_CASE("a finding says its rule, its time, its place and what happened") {
  const User user;
  user.writes("s.toml", small_scenario);
  REQUIRE(user.types("vmbsim run s.toml --out o --set packets=1000000000 --set latency.profile=zero").status == 1);
  const json finding = json::parse(user.reads("o/summary.json")).at("findings").at(0);
  CHECK(finding.at("rule") == "LIVELOCK");
  CHECK(finding.at("time_ns") == 0);
  CHECK(finding.at("where").is_string());
  CHECK_THAT(finding.at("text").get<std::string>(), StartsWith("time stands still: "));
}

TEST_CASE("summary.csv is tidy: one header, one row per metric, as many cells everywhere") {
  const User user;
  user.writes("s.toml", small_scenario);
  REQUIRE(user.types("vmbsim run s.toml --out o").status == 0);
  std::istringstream lines(user.reads("o/summary.csv"));
  std::string line;
  std::getline(lines, line);
  CHECK(line == "scenario,seed,metric,value,unit,low,high");
  std::vector<std::string> metrics;
  while (std::getline(lines, line)) {
    const std::vector<std::string> row = cells(line);
    CAPTURE(line);
    REQUIRE(std::count(line.begin(), line.end(), ',') == 6);
    CHECK(row[0] == "small");
    CHECK(row[1] == "1");
    CHECK_NOTHROW(std::stod(row[3]));
    CHECK(std::find(metrics.begin(), metrics.end(), row[2]) == metrics.end());
    metrics.push_back(row[2]);
  }
  CHECK(metrics.size() > 30);
}

TEST_CASE("[record] brings packets.csv with a row per transaction, and intervals.csv with a row per interval") {
  const User user;
  user.writes("s.toml", std::string(small_scenario) + "[record]\npackets = true\nintervals = \"50us\"\n");
  REQUIRE(user.types("vmbsim run s.toml --out o").status == 0);
  CHECK(user.lists("o") == "intervals.csv\nmanifest.toml\npackets.csv\nsummary.csv\nsummary.json\n");
  const std::string packets = user.reads("o/packets.csv");
  CHECK(std::count(packets.begin(), packets.end(), '\n') == 1 + 8);
  const std::string intervals = user.reads("o/intervals.csv");
  const json summary = json::parse(user.reads("o/summary.json"));
  const auto whole = summary.at("measured_ns").get<std::int64_t>() / 50'000;
  CHECK(std::count(intervals.begin(), intervals.end(), '\n') >= 1 + whole);
  CHECK(std::count(intervals.begin(), intervals.end(), '\n') <= 2 + whole);
}

TEST_CASE("more rows than memory holds end the run with a finding") {
  const User user;
  user.writes("s.toml", std::string(small_scenario) + "think_time = \"86400s\"\n[record]\nintervals = \"1ns\"\n");
  const Answer answer = user.types("vmbsim run s.toml");
  CHECK(answer.status == 1);
  CHECK_THAT(answer.out, Catch::Matchers::Contains("[record] asks for more than 10000000 rows; the run ended there"));
}

TEST_CASE("the scenario in a manifest runs again to the same fingerprint") {
  const std::string scenario = GENERATE("first/08-mixed-load.toml", "first/10-recorded.toml",
                                        "features/include-and-change.toml", "features/platform-shared-disk.toml");
  CAPTURE(scenario);
  const User user;
  const Answer first = user.types("vmbsim run " + shipped(scenario) + " --seed 11 --out o");
  REQUIRE(first.status <= 1);
  const toml::table manifest = toml::parse(user.reads("o/manifest.toml"));
  for (const char* key : {"version", "commit", "compiler", "flags", "command"}) CHECK(manifest[key].is_string());
  CHECK(manifest["scenario"]["seed"].value<std::string>() == "11");
  user.writes("again.toml", manifest["scenario"]["text"].value<std::string>().value_or(""));
  const Answer again = user.types("vmbsim run again.toml --out p");
  CHECK(again.status == first.status);
  CHECK(again.fingerprint() == first.fingerprint());
  CHECK(without_wall(user.reads("o/summary.json")) == without_wall(user.reads("p/summary.json")));
  CHECK(user.reads("o/summary.csv") == user.reads("p/summary.csv"));
}

TEST_CASE("the same run may be written twice into its folder; another scenario, seed or setting may not") {
  const User user;
  user.writes("s.toml", small_scenario);
  REQUIRE(user.types("vmbsim run s.toml --out deep/er/o").status == 0);
  const std::string before = user.reads("deep/er/o/summary.json");
  CHECK(user.types("vmbsim run s.toml --out deep/er/o").status == 0);
  CHECK(without_wall(user.reads("deep/er/o/summary.json")) == without_wall(before));
  const std::string kept = user.reads("deep/er/o/summary.json");
  user.writes("other.toml", std::string(small_scenario) + "queue_depth = 2\n");
  struct Row {
    const char* line;
    const char* difference;
  };
  for (const Row& row : {Row{"s.toml --seed 2", "seed = \"1\" there, seed = \"2\" here"},
                         Row{"s.toml --set packets=9", "packets = 8 there, packets = 9 here"},
                         Row{"other.toml", "[[workload]] queue_depth = 1 there, queue_depth = 2 here"}}) {
    const Answer answer = user.types(std::string("vmbsim run ") + row.line + " --out deep/er/o");
    CAPTURE(row.line);
    CHECK(answer.status == 2);
    CHECK(answer.out.empty());
    CHECK(answer.err == std::string("deep/er/o/manifest.toml: belongs to another scenario, seed or setting: ") +
                            row.difference + "; name another folder with --out, or remove this one\n");
  }
  CHECK(user.reads("deep/er/o/summary.json") == kept);
  CHECK(user.lists("deep/er/o") == three_files);
}

TEST_CASE("a file of the user's own under a result's name is not overwritten") {
  const User user;
  user.writes("s.toml", small_scenario);
  user.types("mkdir o");
  user.writes("o/summary.csv", "mine");
  CHECK(user.types("vmbsim run s.toml --out o").status == 2);
  CHECK(user.reads("o/summary.csv") == "mine");
  CHECK(user.lists("o") == "summary.csv\n");
}
