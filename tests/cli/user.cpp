#include "tests/cli/user.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/support/approved.hpp"
#include "tests/support/command.hpp"

namespace vmbsim::testing {

const char* const small_scenario = R"(schema = 1
name = "small"
packets = 8
[[channel]]
name = "pipe"
driver = "echo"
[[workload]]
name = "load"
channel = "pipe"
)";

std::string shipped(const std::string& scenario) { return quoted(VMBSIM_SOURCE_DIR "/scenarios/" + scenario); }

std::string Answer::fingerprint() const {
  const std::string title = "\nfingerprint ";
  const std::size_t begin = out.find(title);
  return begin == std::string::npos ? "" : out.substr(begin + title.size(), 32);
}

Answer User::types(const std::string& line) const {
  const std::string heard = folder() + "/.stderr";
  const Outcome outcome =
      run_command("cd " + quoted(folder()) + " && exec 2>" + quoted(heard) + "; VMBSIM=" + quoted(VMBSIM_BINARY) +
                  "; vmbsim() { \"$VMBSIM\" \"$@\"; }; " + line);
  Answer answer{outcome.status, outcome.output, text_of(heard)};
  std::filesystem::remove(heard);
  const std::string prefix = folder() + "/";
  for (std::size_t at; (at = answer.err.find(prefix)) != std::string::npos;) answer.err.erase(at, prefix.size());
  return answer;
}

void User::writes(const std::string& file, const std::string& text) const {
  std::ofstream(scratch_.path() / file, std::ios::binary) << text;
}

std::string User::reads(const std::string& file) const { return text_of(scratch_.path() / file); }

bool User::has(const std::string& file) const { return std::filesystem::exists(scratch_.path() / file); }

std::string User::lists(const std::string& folder) const {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(scratch_.path() / folder))
    names.push_back(entry.path().filename().string() + "\n");
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += name;
  return text;
}

const char* const single_server = R"(
[latency]
profile = "zero"

[[channel]]
name = "disk"
driver = "storage"
device = { service = { exponential = "100us" } }

[[workload]]
name = "load"
channel = "disk"
loop = "open"
arrivals = { poisson = "4000/s" }
)";

}  // namespace vmbsim::testing
