#include "sim/cli/loading.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/verbs.hpp"

namespace vmbsim::cli {

int expand(const std::string& path, const std::vector<std::string>& overrides, std::optional<Seed> seed) {
  const Inputs inputs = load_inputs(path, overrides, seed);
  if (!inputs.scenario) {
    print(inputs.problems);
    return bad_input;
  }
  return say(inputs.scenario->resolved, fine);
}

int schema() { return say(scenario::json_schema() + "\n", fine); }

}  // namespace vmbsim::cli
