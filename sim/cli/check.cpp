#include "sim/cli/loading.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/verbs.hpp"

namespace vmbsim::cli {

int check(const std::vector<std::string>& scenarios) {
  int status = fine;
  for (const std::string& path : scenarios) {
    const Inputs inputs = load_inputs(path, {}, {});
    if (inputs.scenario) {
      status = say(path + ": " + scenario::describe(*inputs.scenario), status);
      if (status == broken) return status;
    } else {
      print(inputs.problems);
      status = bad_input;
    }
  }
  return status;
}

}  // namespace vmbsim::cli
