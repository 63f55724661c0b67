#include <fmt/format.h>

#include "sim/batch/folder.hpp"
#include "sim/cli/output.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/plan/compare.hpp"
#include "sim/report/writer.hpp"

namespace vmbsim::cli {

namespace {

/// "vm.web.count=4 workload.load.queue_depth=8"; empty without parameters.
std::string point_of(const batch::Campaign& campaign, const batch::Record& record) {
  std::string text;
  for (std::size_t i = 0; i < record.parameters.size(); ++i)
    if (!record.parameters[i].empty())
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", campaign.parameters[i], record.parameters[i]);
  return text;
}

std::variant<plan::Side, Problem> side_of(const std::string& folder) {
  auto read = batch::Runs::read({folder});
  if (auto* wrong = std::get_if<Problem>(&read)) return std::move(*wrong);
  const auto& runs = std::get<batch::Runs>(read);
  plan::Side side;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!batch::done(runs.head(i).status)) continue;
    auto at = runs.at(i);
    if (auto* wrong = std::get_if<Problem>(&at)) return std::move(*wrong);
    const auto& record = std::get<batch::Record>(at);
    plan::Measured measured;
    measured.seed = record.seed.value;
    for (const report::Metric& metric : record.figures.metrics)
      if (plan::compared_by_default(metric.name)) {
        measured.figures[metric.name] = metric.value;
        side.units[metric.name] = metric.unit;
      }
    side.points[point_of(runs.campaign(), record)].push_back(std::move(measured));
  }
  if (!side.points.empty()) return side;
  Problem none;
  none.place.file = folder;
  none.text = "holds no run that came to its end";
  return none;
}

}  // namespace

int compare(const CompareArguments& arguments) {
  std::vector<plan::Side> sides;
  Problems problems;
  for (const std::string& folder : {arguments.before, arguments.after}) {
    auto side = side_of(folder);
    if (auto* wrong = std::get_if<Problem>(&side))
      problems.push_back(std::move(*wrong));
    else
      sides.push_back(std::get<plan::Side>(std::move(side)));
  }
  if (!problems.empty()) {
    print(problems);
    return bad_input;
  }
  const plan::Tolerance tolerance{.relative = arguments.tolerance / 100, .confidence = arguments.confidence / 100};
  const plan::Comparison found = plan::compare(sides[0], sides[1], tolerance);
  const int status = say(plan::comparison_text(found, tolerance), found.regressed() ? unmet : fine);
  for (const auto& [file, text] : {std::pair{arguments.json, plan::comparison_json(found, tolerance)},
                                   std::pair{arguments.junit, plan::comparison_junit(found, tolerance)}}) {
    if (file.empty()) continue;
    if (const auto unwritten = report::write_whole(file, text)) {
      print({*unwritten});
      return broken;
    }
  }
  return status;
}

}  // namespace vmbsim::cli
