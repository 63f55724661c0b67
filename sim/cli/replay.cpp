#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "sim/cli/output.hpp"
#include "sim/cli/targets.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/cli/version.hpp"
#include "sim/config/file.hpp"
#include "sim/hunt/inquest.hpp"
#include "sim/hunt/replaying.hpp"
#include "sim/report/writer.hpp"

namespace vmbsim::cli {

namespace {

namespace fs = std::filesystem;

int refuse(const std::string& file, const std::string& text) {
  print({config::problem_with(file, text)});
  return bad_input;
}

/// The target where the repro says it is: as seen from here, or from the repro's folder or one around it, from where the hunt was
/// started; else beside the repro, or among the harnesses of vmbsim's own. Nothing: nowhere of these.
std::optional<std::string> find_target(const std::string& repro_file, const hunt::Repro& repro) {
  std::error_code failed;
  if (fs::exists(repro.path, failed)) return repro.path;
  const fs::path folder = fs::absolute(repro_file, failed).parent_path();
  for (fs::path around = folder;; around = around.parent_path()) {
    if (fs::exists(around / repro.path, failed)) return (around / repro.path).string();
    if (around == around.parent_path()) break;
  }
  const fs::path beside = folder / fs::path(repro.path).filename();
  if (fs::exists(beside, failed)) return beside.string();
  return own_harness(beside.filename().string());
}

/// Where a run's digests first leave the recorded ones: they agreed up to half of that question.
std::string first_difference(const hunt::Repro& repro, const hunt::Replayed& again) {
  const std::size_t both = std::min(repro.digests.size(), again.digests.size());
  for (std::size_t i = 0; i < both; ++i)
    if (repro.digests[i] != again.digests[i])
      return fmt::format("between choice {} and choice {}: expected digest {:08x}, found {:08x}",
                         i == 0 ? 0 : std::size_t{1} << (i - 1), (std::size_t{1} << i) - 1, repro.digests[i],
                         again.digests[i]);
  if (repro.questions != again.questions)
    return fmt::format("at its end: expected {} choices, found {}", repro.questions, again.questions);
  if (repro.fingerprint && *repro.fingerprint != again.fingerprint)
    return fmt::format("outside of its choices: expected fingerprint {}, found {}", repro.fingerprint->text(),
                       again.fingerprint.text());
  return {};
}

std::string divergence(const hunt::Repro& repro, const hunt::Replayed& again) {
  if (!again.mismatch.empty()) return again.mismatch;
  return again.lost ? std::string() : first_difference(repro, again);
}

std::optional<Problem> write_files(const ReplayArguments& arguments, const hunt::Replayed& again) {
  if (!arguments.trace.empty())
    if (auto failed = report::write_whole(arguments.trace, again.trace)) return failed;
  if (!arguments.dot.empty())
    if (auto failed = report::write_whole(arguments.dot, again.dot)) return failed;
  return std::nullopt;
}

/// `followed` is the target that a repro was followed in; null: it was replayed.
std::string told(const hunt::Repro& repro, const hunt::Replayed& again, const hunt::Target* followed) {
  std::string text;
  for (const Finding& finding : again.findings) {
    text += fmt::format("{}: {}\n", finding.rule, finding.text);
    if (!finding.where.empty()) text += fmt::format("  where   {}\n", finding.where);
    if (!finding.call.empty()) text += fmt::format("  call    {}\n", finding.call);
  }
  if (again.findings.empty()) text += "nothing was found this time\n";
  if (followed != nullptr)
    text +=
        fmt::format("followed {} of {} departures in {}{}\n", again.followed, repro.deviations.size(), followed->path(),
                    followed->content() == repro.content ? ", which is the one that it was found in"
                                                         : "; what came of it is approximate");
  if (!again.story.empty()) text += "\n" + again.story;
  return text;
}

}  // namespace

int replay(const ReplayArguments& arguments) {
  const auto content = config::read_file(arguments.repro, hunt::Repro::largest);
  if (const auto* error = std::get_if<config::FileError>(&content)) return refuse(arguments.repro, error->text);
  Problems problems;
  const auto repro = hunt::read_repro(std::get<std::string>(content), arguments.repro, problems);
  if (!repro) {
    print(problems);
    return bad_input;
  }
  if (repro->version != version && !arguments.follow)
    return refuse(arguments.repro,
                  fmt::format("was recorded by vmbsim {}; this is vmbsim {}; --follow tries all the same",
                              repro->version, version));
  const std::optional<std::string> found =
      !arguments.target.empty() ? std::optional(arguments.target) : find_target(arguments.repro, *repro);
  if (!found)
    return refuse(
        arguments.repro,
        fmt::format("is of the {} {}, which is neither there, nor beside this file or above it; --target FILE "
                    "says where it is",
                    repro->kind, repro->path));
  const std::string& path = *found;
  const LoadedTarget loaded = load_target(path, {});
  if (loaded.target == nullptr) {
    print(loaded.problems);
    return bad_input;
  }
  if (loaded.target->kind() != repro->kind)
    return refuse(arguments.repro, fmt::format("is of a {}; {} is a {}", repro->kind, path, loaded.target->kind()));
  if (loaded.target->content() != repro->content && !arguments.follow)
    return refuse(arguments.repro,
                  fmt::format("is of {} {} with content {}; {} has content {}; --follow tries all the same",
                              repro->kind, repro->path, repro->content, path, loaded.target->content()));
  const auto mode = arguments.follow ? explore::Replay::Mode::follow : explore::Replay::Mode::exact;
  const hunt::Wish again_and_again{.mode = mode, .actors = repro->actors};
  hunt::Wish wish = again_and_again;
  wish.story = true;
  wish.dot = !arguments.dot.empty();
  wish.trace = !arguments.trace.empty();
  hunt::Replayed again;
  for (unsigned time = 1; time <= arguments.times; ++time) {
    again = hunt::replay(*loaded.target, repro->setting, repro->deviations, time == 1 ? wish : again_and_again,
                         arguments.patience_s);
    if (!again.unmade.empty()) return refuse(path, again.unmade);
    const std::string where = arguments.follow ? std::string() : divergence(*repro, again);
    if (!where.empty()) return refuse(arguments.repro, "the run goes another way " + where);
    if (!arguments.follow && (again.findings.empty() || again.findings.front().rule != repro->rule))
      return refuse(arguments.repro, "the run goes the same way and does not break " + repro->rule);
    if (time != 1) continue;
    if (const auto failed = write_files(arguments, again)) {
      print({*failed});
      return broken;
    }
    const int status = say(told(*repro, again, arguments.follow ? loaded.target.get() : nullptr), fine);
    if (status != fine) return status;
  }
  if (arguments.times > 1) {
    const int status = say(fmt::format("\nthe same {} times, each in a process of its own\n", arguments.times), fine);
    if (status != fine) return status;
  }
  return again.findings.empty() ? fine : unmet;
}

}  // namespace vmbsim::cli
