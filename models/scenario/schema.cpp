#include "models/scenario/schema.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "models/scenario/reader.hpp"
#include "sim/config/overrides.hpp"

namespace vmbsim::scenario {
namespace {

void override_all(config::Document& document, const LoadOptions& options, Problems& problems) {
  for (std::size_t i = 0; i < options.overrides.size(); ++i)
    config::apply_override(document, i + 1, options.overrides[i], problems);
  if (!options.seed) return;
  if (options.seed->value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    Problem& problem = problems.emplace_back();
    problem.place.file = "--seed";
    problem.text = std::to_string(options.seed->value) + ": out of range; right would be 0 to " +
                   std::to_string(std::numeric_limits<std::int64_t>::max());
    return;
  }
  Problems none;
  config::apply_override(document, 0, "seed=" + std::to_string(options.seed->value), none);
}

/// What says how a scenario is run, and not what happens in it.
void leave_one_run(config::Document& document) {
  std::erase_if(document.root.entries, [](const config::Entry& entry) { return is_beside_the_run(entry.key); });
}

/// By place; the main file is where the first key of the document stands.
void sort_by_place(Problems& problems, const std::string& main) {
  std::stable_sort(problems.begin(), problems.end(), [&](const Problem& a, const Problem& b) {
    return std::forward_as_tuple(a.place.file != main, a.place.file, a.place.line, a.place.column) <
           std::forward_as_tuple(b.place.file != main, b.place.file, b.place.line, b.place.column);
  });
}

Loaded read(config::Document document, const std::string& file, const LoadOptions& options, Problems problems,
            bool files) {
  const bool incomplete = !problems.empty();
  override_all(document, options, problems);
  if (options.one_run) leave_one_run(document);
  Scenario scenario;
  scenario.file = file;
  Reader reader(document, problems, {files, options.driver_folder, options.driver_check, incomplete});
  fields(reader, scenario);
  reader.finish();
  if (!incomplete) check(scenario, document, reader.misspelt(), {options.host_check, options.route_check}, problems);
  sort_by_place(problems, file);
  if (!problems.empty()) return {std::nullopt, std::move(problems)};
  scenario.files.assign(reader.files().begin(), reader.files().end());
  scenario.resolved = reader.resolved();
  return {std::move(scenario), {}};
}

}  // namespace

Loaded load(const std::string& path, const LoadOptions& options) {
  Problems problems;
  config::Document document = config::load_document(path, problems);
  return read(std::move(document), path, options, std::move(problems), true);
}

Loaded load_text(std::string_view text, const LoadOptions& options) {
  Problems problems;
  const std::string file = "text";
  config::Document document = config::parse_document(text, file, problems);
  return read(std::move(document), file, options, std::move(problems), false);
}

}  // namespace vmbsim::scenario
