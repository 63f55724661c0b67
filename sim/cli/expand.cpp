#include <cstdio>

#include "sim/cli/loading.hpp"
#include "sim/cli/verbs.hpp"

namespace vmbsim::cli {

int expand(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed) {
  const Inputs inputs = load_inputs(path, overrides, seed);
  if (!inputs.scenario) {
    print(inputs.problems);
    return bad_input;
  }
  std::fputs(inputs.scenario->resolved.c_str(), stdout);
  return fine;
}

int schema() {
  std::printf("%s\n", scenario::json_schema().c_str());
  return fine;
}

}  // namespace vmbsim::cli
