#include "sim/report/table.hpp"

#include <catch2/catch.hpp>

#include "sim/report/metrics.hpp"
#include "tests/support/approved.hpp"
#include "tests/unit/sim_report/hand_made.hpp"

using namespace vmbsim;
using namespace vmbsim::report;

namespace {
std::string here(const char* name) { return std::string(HERE) + "/" + name; }
}  // namespace

TEST_CASE("the table of one channel is approved") {
  const std::string text = table(testing::hand_made());
  CHECK(text == testing::approved(here("one-channel.approved.txt"), text));
}

TEST_CASE("of twelve guests the first eight are shown, then all of them as one") {
  const std::string text = table(testing::many_guests(12));
  CHECK(text == testing::approved(here("twelve-guests.approved.txt"), text));
  CHECK(text.find("web[7].disk") != std::string::npos);
  CHECK(text.find("web[8].disk") == std::string::npos);
  CHECK(text.find("web[*].disk (12)") != std::string::npos);
}

TEST_CASE("the first line of any run names the scenario, the seed and the version") {
  CHECK(table(testing::hand_made()).rfind("hand-made  seed 42  vmbsim 0.1.0\n", 0) == 0);
}

TEST_CASE("plain text has no escape codes, coloured text is the same text with them") {
  const std::string plain = table(testing::hand_made(), Paint::plain);
  CHECK(plain.find('\033') == std::string::npos);
  std::string stripped;
  const std::string coloured = table(testing::hand_made(), Paint::colour);
  CHECK(coloured != plain);
  for (std::size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\033')
      i = coloured.find('m', i);
    else
      stripped += coloured[i];
  }
  CHECK(stripped == plain);
}

TEST_CASE("an empty result is a short table") {
  CHECK(table(RunResult{}) ==
        "  seed 0  vmbsim \n"
        "0 transactions in 0 ns of simulated time, 0 ns of it measured; 0 events\n"
        "fingerprint 00000000000000000000000000000000\n"
        "\n0 ns of wall time\n");
}

TEST_CASE("of many findings the first ten are shown") {
  RunResult result = testing::hand_made();
  result.findings.resize(1);
  for (int i = 0; i < 1234; ++i) result.findings.push_back(result.findings.front());
  result.finding_counts = {{"K50", Severity::error, 1235}};
  const std::string text = table(result);
  CHECK(text.find("findings: 1,235\n") != std::string::npos);
  CHECK(text.find("and 1,225 more; summary.json has them all\n") != std::string::npos);
}

TEST_CASE("findings that are not kept are counted, and the table says of which rule") {
  RunResult result = testing::hand_made();
  result.findings.resize(1);
  result.findings.resize(16, result.findings.front());
  result.finding_counts = {{"K50", Severity::error, 2000}};
  const std::string text = table(result);
  CHECK(text.find("findings: 2,000 (K50 2,000 times, the first 16 are kept)\n") != std::string::npos);
  CHECK(text.find("and 1,990 more; summary.json has those that are kept\n") != std::string::npos);
  CHECK(find_metric(result, "run.findings")->value == 2000);
}

TEST_CASE("what drivers printed is counted, and its beginning is shown") {
  RunResult result = testing::hand_made();
  result.debug_output.assign(7, "5ns guest.cpu0: opened");
  result.debug_lines = 1207;
  const std::string text = table(result);
  CHECK(text.find("debug output: 1,207 lines, 7 of them kept\n  5ns guest.cpu0: opened\n") != std::string::npos);
  CHECK(text.find("  and 2 more; debug.txt has them all\n") != std::string::npos);
}
