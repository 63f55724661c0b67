#include <fmt/format.h>

#include "sim/batch/folder.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/config/suggestions.hpp"

namespace vmbsim::cli {

int merge(const std::vector<std::string>& folders, const std::string& out) {
  const auto merged = batch::merge({folders.begin(), folders.end()}, out);
  if (const auto* wrong = std::get_if<Problem>(&merged)) {
    print({*wrong});
    return bad_input;
  }
  const auto& sum = std::get<batch::Merged>(merged);
  std::string text = fmt::format("{} in {}", config::counted(sum.runs, "run", "runs"), out);
  if (sum.failed > 0) text += fmt::format(", {} of them failed", sum.failed);
  if (sum.runs < sum.planned) text += fmt::format("; {} of the sweep are missing", sum.planned - sum.runs);
  return say(text + "\n", sum.failed > 0 || sum.runs < sum.planned ? unmet : fine);
}

}  // namespace vmbsim::cli
