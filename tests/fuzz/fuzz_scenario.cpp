// Any bytes as a scenario: it loads or there are problems, and what loads is the same after being written out and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "models/scenario/schema.hpp"
#include "vmbsim/assert.hpp"

using namespace vmbsim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const scenario::Loaded loaded = scenario::load_text(text);
  VMBSIM_ASSERT(loaded.scenario.has_value() == loaded.problems.empty(), "a scenario loads, or there are problems");
  for (const Problem& problem : loaded.problems) {
    VMBSIM_ASSERT(!problem.text.empty(), "a problem says what is wrong");
    VMBSIM_ASSERT(problem.line().find('\n') == std::string::npos, "a problem is one line");
  }
  if (!loaded.scenario) return 0;
  VMBSIM_ASSERT(!scenario::describe(*loaded.scenario).empty(), "a scenario can be told");
  const std::string resolved = scenario::expand(*loaded.scenario);
  const scenario::Loaded again = scenario::load_text(resolved);
  VMBSIM_ASSERT(again.scenario.has_value(), "a scenario that was written out loads");
  VMBSIM_ASSERT(scenario::expand(*again.scenario) == resolved, "a scenario that was written out says the same");
  return 0;
}
