// Prints each documented name, transition and decision of KMCL with a test that covers it and how many more do; status 1 when
// one has none.
#include <cstdio>

#include "tests/coverage/coverage.hpp"

namespace {

using vmbsim::coverage::Test;

bool print(const std::string& kind, const std::string& what, const std::vector<const Test*>& found) {
  std::string test = found.empty() ? "NOT COVERED" : found[0]->file + ": " + found[0]->name;
  if (found.size() > 1) test += " (and " + std::to_string(found.size() - 1) + " more)";
  std::printf("%-15s  %-58s  %s\n", kind.c_str(), what.c_str(), test.c_str());
  return !found.empty();
}

}  // namespace

int main() {
  using namespace vmbsim::coverage;
  const std::vector<Test> tests = tests_of_behaviour();
  bool all = true;
  for (const Name& name : documented_names()) all = print(name.kind, name.name, covering(name, tests)) && all;
  for (const Sentence& sentence : documented_sentences())
    all = print(sentence.tag, sentence.text, showing(sentence, tests)) && all;
  return all ? 0 : 1;
}
