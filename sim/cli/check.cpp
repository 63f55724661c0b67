#include <cstdio>

#include "sim/cli/loading.hpp"
#include "sim/cli/verbs.hpp"

namespace vmbsim::cli {

int check(const std::vector<std::string>& scenarios) {
  int status = fine;
  for (const std::string& path : scenarios) {
    const Inputs inputs = load_inputs(path, {}, {});
    if (inputs.scenario) {
      std::printf("%s: %s", path.c_str(), scenario::describe(*inputs.scenario).c_str());
    } else {
      print(inputs.problems);
      status = bad_input;
    }
  }
  return status;
}

}  // namespace vmbsim::cli
