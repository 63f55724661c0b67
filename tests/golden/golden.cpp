// golden VMBSIM TABLE SCENARIO: runs one scenario and compares what became of it with its row of the table; what `expand`
// makes of the scenario must be the same run.
//
// With VMBSIM_APPROVE in the environment the row is written instead, and rows whose scenario is gone are dropped.
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/support/approved.hpp"
#include "tests/support/command.hpp"
#include "tests/support/scratch_folder.hpp"

using namespace vmbsim::testing;

namespace {

constexpr const char* header = "scenario,seed,fingerprint,transactions,events";

/// The rows of the table by scenario, each as its whole line.
std::map<std::string, std::string> read_table(const std::string& path) {
  std::map<std::string, std::string> rows;
  std::istringstream lines(text_of(path));
  for (std::string line; std::getline(lines, line);)
    if (line != header) rows[line.substr(0, line.find(','))] = line;
  return rows;
}

void write_table(const std::string& path, const std::map<std::string, std::string>& rows) {
  std::ofstream table(path, std::ios::binary);
  table << header << '\n';
  for (const auto& [scenario, row] : rows)
    if (std::filesystem::exists(scenario)) table << row << '\n';
  if (!table.flush()) throw std::runtime_error(path + " cannot be written");
}

/// What the command printed; it must end with status 0.
std::string output_of(const std::string& command) {
  const Outcome outcome = run_command(command);
  if (outcome.status == 0) return outcome.output;
  std::cout << outcome.output;
  throw std::runtime_error(command + " ends with status " + std::to_string(outcome.status));
}

/// The figures of one row, all but the name. Nothing in the tour breaks a rule or misses what it expects.
std::string run_scenario(const std::string& vmbsim, const std::string& scenario, const std::filesystem::path& out) {
  const Outcome outcome = run_command(quoted(vmbsim) + " run " + quoted(scenario) + " --out " + quoted(out.string()));
  if (outcome.status != 0) {
    std::cout << outcome.output;
    throw std::runtime_error(scenario + " ends with status " + std::to_string(outcome.status));
  }
  const auto summary = nlohmann::json::parse(text_of(out / "summary.json"));
  std::ostringstream row;
  row << summary.at("seed").get<std::uint64_t>() << ',' << summary.at("fingerprint").get<std::string>() << ','
      << summary.at("transactions").get<std::uint64_t>() << ',' << summary.at("events").get<std::uint64_t>();
  return row.str();
}

/// `expand` prints a scenario that is the same run, and that has nothing left to expand.
bool expands_to_itself(const std::string& vmbsim, const std::string& scenario, const std::string& figures,
                       const std::filesystem::path& scratch) {
  const std::string expanded = (scratch / "expanded.toml").string();
  const std::string text = output_of(quoted(vmbsim) + " expand " + quoted(scenario));
  std::ofstream(expanded, std::ios::binary) << text;
  const std::string again = output_of(quoted(vmbsim) + " expand " + quoted(expanded));
  if (text != again) {
    std::cout << scenario << ": expanding what expand printed changes it\n--- once\n" << text << "--- twice\n" << again;
    return false;
  }
  const std::string expanded_figures = run_scenario(vmbsim, expanded, scratch / "expanded");
  if (figures == expanded_figures) return true;
  std::cout << scenario
            << ": what expand prints is another run: seed, fingerprint, transactions, events\n  as written   "
            << figures << "\n  as expanded  " << expanded_figures << '\n';
  return false;
}

int check(const std::string& vmbsim, const std::string& table, const std::string& scenario) {
  const ScratchFolder scratch;
  const std::string figures = run_scenario(vmbsim, scenario, scratch.path() / "result");
  if (!expands_to_itself(vmbsim, scenario, figures, scratch.path())) return 1;
  const std::string actual = scenario + ',' + figures;
  std::map<std::string, std::string> rows = read_table(table);
  if (std::getenv("VMBSIM_APPROVE") != nullptr) {
    rows[scenario] = actual;
    write_table(table, rows);
    return 0;
  }
  if (rows[scenario] == actual) return 0;
  std::cout << "the simulated result changed; ./dev approve accepts it, CHANGELOG.md says why\n"
            << "            " << header << "\n  expected  " << (rows[scenario].empty() ? "no row" : rows[scenario])
            << "\n  actual    " << actual << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "golden VMBSIM TABLE SCENARIO\n";
    return 2;
  }
  try {
    return check(argv[1], argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::cout << error.what() << '\n';
    return 1;
  }
}
