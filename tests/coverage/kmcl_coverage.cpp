// Prints each documented name of KMCL with a test that covers it and how many more do; status 1 when one has none.
#include <cstdio>

#include "tests/coverage/coverage.hpp"

int main() {
  using namespace vmbsim::coverage;
  const std::vector<Test> tests = tests_of_behaviour();
  int status = 0;
  for (const Name& name : documented_names()) {
    const std::vector<const Test*> found = covering(name, tests);
    std::string test = "NOT COVERED";
    if (found.empty())
      status = 1;
    else
      test = found[0]->file + ": " + found[0]->name;
    if (found.size() > 1) test += " (and " + std::to_string(found.size() - 1) + " more)";
    std::printf("%-15s  %-58s  %s\n", name.kind.c_str(), name.name.c_str(), test.c_str());
  }
  return status;
}
