#include <catch2/catch.hpp>

#include <toml++/toml.h>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/report/csv.hpp"
#include "sim/report/json.hpp"
#include "sim/report/manifest.hpp"
#include "sim/report/metrics.hpp"
#include "tests/support/approved.hpp"
#include "tests/unit/sim_report/hand_made.hpp"

using namespace vmbsim;
using namespace vmbsim::report;

namespace {

std::string here(const char* name) { return std::string(HERE) + "/" + name; }

// RFC 4180, section 2: fields in quotes may hold commas, line ends and doubled quotes.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool in_quotes = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_quotes && c == '"' && i + 1 < text.size() && text[i + 1] == '"')
      rows.back().back() += text[++i];
    else if (c == '"')
      in_quotes = !in_quotes;
    else if (c == ',' && !in_quotes)
      rows.back().emplace_back();
    else if (c == '\n' && !in_quotes)
      rows.push_back({""});
    else
      rows.back().back() += c;
  }
  rows.pop_back();
  return rows;
}

Manifest manifest() {
  Manifest manifest;
  manifest.version = "0.1.0";
  manifest.commit = "abc\"def";
  manifest.compiler = "gcc 12.2.0";
  manifest.flags = "-O3";
  manifest.packages = {{"fmt", "9.1.0"}, {"simgrid", "3.32"}};
  manifest.command = "vmbsim run \"a\\b.toml\"\n";
  manifest.scenario = "hand-made";
  manifest.seed = Seed{18446744073709551615u};
  manifest.text = "schema = 1\nname = \"hand-made\"\n";
  return manifest;
}

}  // namespace

TEST_CASE("the summary for programs is approved") {
  CHECK(summary_json(testing::hand_made()) ==
        testing::approved(here("summary.approved.json"), summary_json(testing::hand_made())));
}

TEST_CASE("the summary for spreadsheets is approved") {
  CHECK(summary_csv(testing::hand_made()) ==
        testing::approved(here("summary.approved.csv"), summary_csv(testing::hand_made())));
}

TEST_CASE("the manifest is approved") {
  CHECK(manifest_toml(manifest()) == testing::approved(here("manifest.approved.toml"), manifest_toml(manifest())));
}

TEST_CASE("summary.json holds what was measured, in the contract's words") {
  const auto json = nlohmann::json::parse(summary_json(testing::hand_made()));
  CHECK(json["fingerprint"] == "0123456789abcdeffedcba9876543210");
  CHECK(json["seed"] == 42);
  CHECK(json["channels"][0]["latency_ns"]["max"] == 35000);
  CHECK(json["channels"][0]["signals"]["suppressed"] == 1);
  CHECK(json["channels"][0]["ring"]["to_host"]["full_events"] == 2);
  CHECK(json["channels"][0]["ring"]["to_host"]["left_bytes"] == 80);
  CHECK(json["processors"][1]["utilisation"]["spin"] == 0.25);
  CHECK(json["findings"][0]["bug_check"] == "0x0A");
  CHECK_FALSE(json["findings"][1].contains("bug_check"));
  CHECK(json["expectations"][1]["met"] == false);
}

TEST_CASE("the stages of summary.json follow the journey and add up to the mean latency") {
  const auto json = nlohmann::ordered_json::parse(summary_json(testing::hand_made()));
  const auto& channel = json["channels"][0];
  std::int64_t sum = 0;
  std::size_t i = 0;
  for (const auto& [name, mean] : channel["stages_ns"].items()) {
    CHECK(name == stage_names[i++]);
    sum += std::llround(mean.get<double>() * 1000);
  }
  CHECK(i == stage_count);
  CHECK(sum == std::llround(channel["latency_ns"]["mean"].get<double>() * 1000));
}

TEST_CASE("a result without a single completion is still a complete summary") {
  RunResult result;
  result.channels.resize(1);
  result.processors.resize(1);
  result.workloads.resize(1);
  const auto json = nlohmann::json::parse(summary_json(result));
  CHECK(json["channels"][0]["completed"] == 0);
  CHECK(parse_csv(summary_csv(result)).size() == metrics(result).size() + 1);
}

TEST_CASE("a figure of nothing is null in summary.json and empty in summary.csv, never 0") {
  RunResult result;
  result.channels.resize(1);
  result.channels[0].name = "disk";
  result.channels[0].throughput_per_s = nothing_measured;
  result.processors = {{.name = "host.cpu0"}};
  result.workloads.resize(1);
  result.workloads[0].name = "load";
  result.expectations = {{"channel.disk.latency.p99 < 1ns", nothing_measured, false}};
  const auto json = nlohmann::json::parse(summary_json(result));
  const auto& channel = json["channels"][0];
  for (const auto* spread : {&channel["latency_ns"], &json["workloads"][0]["response_ns"]}) {
    REQUIRE(spread->size() == 6);
    for (const auto& figure : *spread) CHECK(figure.is_null());
  }
  REQUIRE(channel["stages_ns"].size() == stage_count);
  for (const auto& stage : channel["stages_ns"]) CHECK(stage.is_null());
  CHECK(channel["throughput_per_s"].is_null());
  CHECK(channel["batches"]["count"] == 0);
  CHECK(channel["batches"]["mean"].is_null());
  CHECK(channel["batches"]["max"].is_null());
  CHECK(json["processors"][0]["utilisation"]["idle"].is_null());
  CHECK(json["expectations"][0]["actual"].is_null());

  std::size_t empty = 0;
  for (const auto& row : parse_csv(summary_csv(result))) {
    if (row[2] == "channel.disk.latency.p99" || row[2] == "channel.disk.interrupts_per_packet") CHECK(row[3].empty());
    if (row[2] == "channel.disk.completed") CHECK(row[3] == "0");
    empty += row[3].empty() ? 1 : 0;
  }
  CHECK(empty ==
        6 + stage_count + 6 + 1 + 2 + 1 + 5);  // latency, stages, response, throughput, batches, per packet, cpu
}

TEST_CASE("two runs differ in wall_s of summary.json and nowhere else") {
  RunResult slow = testing::hand_made();
  slow.wall_s = 99;
  CHECK(summary_csv(slow) == summary_csv(testing::hand_made()));
  auto a = nlohmann::json::parse(summary_json(slow));
  auto b = nlohmann::json::parse(summary_json(testing::hand_made()));
  CHECK(a != b);
  a.erase("wall_s");
  b.erase("wall_s");
  CHECK(a == b);
}

TEST_CASE("summary.csv reads back as the metrics it was made from") {
  RunResult result = testing::hand_made();
  result.scenario = "odd, \"name\"\nwith a line";
  const auto rows = parse_csv(summary_csv(result));
  const auto all = metrics(result);
  REQUIRE(rows.size() == all.size() + 1);
  CHECK(rows[0] == std::vector<std::string>{"scenario", "seed", "metric", "value", "unit", "low", "high"});
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(rows[i + 1].size() == 7);
    CHECK(rows[i + 1][0] == result.scenario);
    CHECK(rows[i + 1][1] == "42");
    CHECK(rows[i + 1][2] == all[i].name);
    CHECK(std::stod(rows[i + 1][3]) == all[i].value);
    CHECK(rows[i + 1][4] == name_of(all[i].unit));
    CHECK(rows[i + 1][5].empty() != all[i].interval.known());
    if (all[i].interval.known()) {
      CHECK(std::stod(rows[i + 1][5]) == all[i].interval.low);
      CHECK(std::stod(rows[i + 1][6]) == all[i].interval.high);
    }
  }
}

TEST_CASE("packets.csv has one row per transaction and its stages add up") {
  CHECK(packets_csv(testing::hand_made()) ==
        "channel,submitted_ns,to_host.queue_ns,to_host.signal_ns,to_host.interrupt_ns,to_host.dispatch_ns,"
        "to_host.drain_ns,service_ns,to_guest.queue_ns,to_guest.signal_ns,to_guest.interrupt_ns,"
        "to_guest.dispatch_ns,to_guest.drain_ns,latency_ns\n"
        "disk,1000000,500,500,500,500,500,5000,500,500,500,500,500,10000\n");
}

TEST_CASE("intervals.csv has one row per interval and channel") {
  CHECK(intervals_csv(testing::hand_made()) ==
        "channel,end_ns,completed,latency_mean_ns,latency_p99_ns\n"
        "disk,2000000,3,21666.666666666668,35000\n");
}

TEST_CASE("an interval in which nothing completed has no latency") {
  RunResult result = testing::hand_made();
  result.intervals = {{SimTime{2ms}, 0, 0, 0, {}}};
  CHECK(intervals_csv(result) == "channel,end_ns,completed,latency_mean_ns,latency_p99_ns\ndisk,2000000,0,,\n");
}

TEST_CASE("a name that is no UTF-8 does not cost the result") {
  RunResult result = testing::hand_made();
  result.scenario = "\xff\xfe";
  CHECK(nlohmann::json::accept(summary_json(result)));
}

TEST_CASE("whatever text a scenario holds, the manifest gives it back") {
  for (const std::string text : {"name = \"a\"\n", "", "a = '''b'''\n", "ends in a quote'", "tab\there",
                                 "bell\a and \\ and \"\"\" and \r\n", "\n[scenario]\nseed = 7\n"}) {
    Manifest odd = manifest();
    odd.text = text;
    INFO(text);
    const auto parsed = toml::parse(manifest_toml(odd));
    CHECK(parsed["scenario"]["text"].value<std::string>() == text);
    CHECK(parsed["scenario"]["seed"].value<std::string>() == "18446744073709551615");
    CHECK(parsed["commit"].value<std::string>() == odd.commit);
    CHECK(parsed["command"].value<std::string>() == odd.command);
    CHECK(parsed["packages"]["simgrid"].value<std::string>() == "3.32");
    CHECK(identity_in(manifest_toml(odd)) == identity(odd));
  }
}
