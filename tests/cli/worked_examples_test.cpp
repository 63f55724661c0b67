// The worked examples of scenarios/drivers: they keep every rule, and their guide pages show what is found when one is broken.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "tests/cli/user.hpp"
#include "tests/support/approved.hpp"

using namespace vmbsim::testing;

namespace {

const std::string examples = std::string(VMBSIM_SOURCE_DIR) + "/scenarios/drivers/";

/// What `run` leaves in summary.json; nothing must be wrong with the run.
nlohmann::json summary_of(const std::string& scenario, const std::string& changes = "") {
  const User user;
  const Answer answer = user.types("vmbsim run " + examples + scenario + " " + changes + " --out out");
  INFO(answer.out << answer.err);
  REQUIRE(answer.status == 0);
  return nlohmann::json::parse(user.reads("out/summary.json"));
}

/// The parts of a summary that tell what happened, without when.
nlohmann::json without_times(const nlohmann::json& summary) {
  nlohmann::json kept;
  kept["transactions"] = summary.at("transactions");
  for (const auto& channel : summary.at("channels"))
    kept["channels"].push_back({channel.at("sent"), channel.at("completed"), channel.at("outstanding")});
  for (const auto& workload : summary.at("workloads"))
    kept["workloads"].push_back({workload.at("offered"), workload.at("completed")});
  kept["findings"] = summary.at("findings");
  return kept;
}

/// The first finding of a broken example, as the table of results shows it.
std::string first_finding(const std::string& out) {
  std::istringstream lines(out);
  std::string line;
  while (std::getline(lines, line))
    if (line.rfind("findings: ", 0) == 0) {
      std::getline(lines, line);
      return line;
    }
  return {};
}

/// Times are the model's; a page need not be written anew because a cost changed.
std::string without_instants(const std::string& text) {
  return std::regex_replace(text, std::regex("at [0-9]+ ns"), "at N ns");
}

/// The line that a guide page shows for a mistake; approving puts `now` there.
std::string shown_for(const std::string& page, std::string mistake, const std::string& now) {
  for (char& letter : mistake) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  std::string text = text_of(page);
  const std::string fence = "```text\n";
  const std::size_t start = text.find(fence, text.find("`-DBREAK_" + mistake + "`")) + fence.size();
  const std::size_t end = text.find('\n', start);
  const std::string shown = text.substr(start, end - start);
  if (!approving() || without_instants(shown) == without_instants(now)) return shown;
  std::ofstream(page, std::ios::binary) << text.replace(start, shown.size(), now);
  return now;
}

}  // namespace

TEST_CASE(
    "a storage channel that is saved with packets in flight and restored ends as the undisturbed one, but for time") {
  // KMCL DDI, VmbChannelSaveBegin, VmbChannelRestoreFromBuffer: what is under way survives.
  const nlohmann::json undisturbed = summary_of("storage-c/scenario.toml");
  const nlohmann::json saved = summary_of("storage-c/saved.toml");
  CHECK(without_times(saved) == without_times(undisturbed));
  CHECK(saved.at("fingerprint") != undisturbed.at("fingerprint"));
  CHECK(saved.at("simulated_ns") > undisturbed.at("simulated_ns"));
}

TEST_CASE("whenever a storage channel is saved, nothing is lost and nothing comes twice") {
  // The guest's driver fails every request once a notice of the host's is missing or comes twice.
  const nlohmann::json undisturbed = without_times(summary_of("storage-c/scenario.toml", "--set packets=3000"));
  for (int at = 300; at <= 2500; at += 73) {
    CAPTURE(at);
    const std::string when =
        "--set packets=3000 --set expect={} --set channel.disk.save.at=" + std::to_string(at) + "us";
    CHECK(without_times(summary_of("storage-c/saved.toml", when)) == undisturbed);
  }
}

TEST_CASE("while a storage channel is saved its requests wait") {
  const nlohmann::json caught =
      summary_of("storage-c/saved.toml", "--set run_for=21ms --set expect={} --set channel.disk.save.restore_after=1s");
  CHECK(caught.at("channels")[0].at("outstanding") == 64);
}

TEST_CASE("a broken example is found out in the words of its guide page") {
  struct Row {
    const char* scenario;
    const char* pair;
    const char* channel;
    const char* end;  ///< that is broken
    const char* mistake;
    const char* changes = "";  ///< further --set
  };
  const auto row = GENERATE(values<Row>({
      {"echo-c/scenario.toml", "echo", "echo", "guest", "leak_packet"},
      {"echo-c/scenario.toml", "echo", "echo", "host", "wait_in_callback"},
      {"storage-c/scenario.toml", "storage", "disk", "host", "complete_twice"},
      {"storage-c/scenario.toml", "storage", "disk", "host", "wait_in_dpc"},
      {"storage-c/saved.toml", "storage", "disk", "host", "save_without_size"},
      {"network-c/scenario.toml", "network", "net", "host", "map_in_dpc"},
      {"network-c/scenario.toml", "network", "net", "guest", "no_wait",
       "--set run_for=5ms --set workload.callers.think_time=1us "},  // they fail at once, so time must pass
      {"network-c/scenario.toml", "network", "net", "guest", "keep_sections"},
      {"network-c/scenario.toml", "network", "net", "guest", "keep_gpadl"},
  }));
  const User user;
  const std::string key = std::string("channel.") + row.channel + "." + row.end + "_endpoint.driver";
  const std::string library = std::string(DRIVER_FOLDER) + "/lib" + row.pair + "_" + row.mistake + ".so";
  const Answer answer = user.types("vmbsim run " + examples + row.scenario + " " + row.changes +
                                   "--set expect={} --set '" + key + "=\"" + library + "\"'");
  INFO(library << ": " << answer.out << answer.err);
  CHECK(answer.status == 1);
  const std::string finding = first_finding(answer.out);
  REQUIRE_FALSE(finding.empty());
  std::string example = row.scenario;
  example.resize(example.find('/'));
  const std::string page = examples + example + "/README.md";
  CHECK(without_instants(shown_for(page, row.mistake, finding)) == without_instants(finding));
}
