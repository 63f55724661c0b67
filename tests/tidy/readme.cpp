#include "tests/tidy/readme.hpp"

namespace vmbsim::tidy {
namespace {

bool is_fence(const std::string& line) { return line.rfind("```", 0) == 0; }

bool same(const std::string& promised, const std::string& printed) {
  const auto is_wall_time = [](const std::string& line) { return line.find(" of wall time") != std::string::npos; };
  return promised == printed || (is_wall_time(promised) && is_wall_time(printed));
}

bool keeps_from(const std::vector<std::string>& promised, std::size_t p, const std::vector<std::string>& printed,
                std::size_t i) {
  if (p == promised.size()) return i == printed.size();
  if (promised[p] == "...") {
    for (std::size_t skip = i; skip <= printed.size(); ++skip)
      if (keeps_from(promised, p + 1, printed, skip)) return true;
    return false;
  }
  return i < printed.size() && same(promised[p], printed[i]) && keeps_from(promised, p + 1, printed, i + 1);
}

}  // namespace

std::vector<Promise> promises_in(const std::vector<std::string>& document) {
  std::vector<Promise> promises;
  for (std::size_t i = 0; i + 1 < document.size(); ++i) {
    if (document[i] != "<!-- checked -->" || !is_fence(document[i + 1])) continue;
    for (i += 2; i < document.size() && !is_fence(document[i]); ++i) {
      if (document[i].rfind("$ ", 0) == 0)
        promises.push_back({i + 1, document[i].substr(2), {}});
      else if (!promises.empty())
        promises.back().output.push_back(document[i]);
    }
  }
  return promises;
}

std::vector<Snippet> snippets_in(const std::vector<std::string>& document, const std::string& language) {
  std::vector<Snippet> snippets;
  const std::string fence = "```" + language;
  for (std::size_t i = 0; i < document.size(); ++i) {
    if (!is_fence(document[i])) continue;
    const bool wanted = document[i] == fence || document[i].rfind(fence + " ", 0) == 0;
    Snippet snippet{i + 2, wanted && document[i].size() > fence.size() ? document[i].substr(fence.size() + 1) : "", ""};
    for (++i; i < document.size() && !is_fence(document[i]); ++i) snippet.text += document[i] + "\n";
    if (wanted) snippets.push_back(std::move(snippet));
  }
  return snippets;
}

bool keeps(const std::vector<std::string>& promised, const std::vector<std::string>& printed) {
  return keeps_from(promised, 0, printed, 0);
}

}  // namespace vmbsim::tidy
