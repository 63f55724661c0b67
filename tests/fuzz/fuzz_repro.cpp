// Any bytes as a repro file, and a good one with its checksum put right after it was changed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/hunt/repro.hpp"
#include "sim/hunt/words.hpp"
#include "vmbsim/assert.hpp"

using namespace vmbsim;

namespace {

void read(const std::string& text) {
  Problems problems;
  const auto repro = hunt::read_repro(text, "fuzz.repro", problems);
  VMBSIM_ASSERT(repro.has_value() == problems.empty(), "there is a repro or there are problems");
  for (const Problem& problem : problems)
    for (const char c : problem.line()) VMBSIM_ASSERT(c >= ' ' || c < 0, "a problem is one printable line");
  if (!repro) return;
  for (std::size_t i = 0; i < repro->deviations.size(); ++i) {
    const explore::Deviation& one = repro->deviations[i];
    VMBSIM_ASSERT(one.taken != 0 && one.taken < one.alternatives,
                  "a deviation is an answer there is, and not the default");
    VMBSIM_ASSERT(i == 0 || one.index > repro->deviations[i - 1].index, "deviations come in order");
  }
}

/// So that changes get past the checksum.
std::string sealed_again(const std::string& text) {
  const std::size_t last = text.rfind("checksum ");
  if (last == std::string::npos) return text;
  const std::string body = text.substr(0, last);
  return body + "checksum " + hunt::hexadecimal(hunt::checksum(body)) + "\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read(text);
  read(sealed_again(text));
  return 0;
}
