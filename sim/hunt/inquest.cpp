#include "sim/hunt/inquest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sim/explore/shrink.hpp"
#include "sim/explore/strategies.hpp"
#include "sim/hunt/recorder.hpp"
#include "sim/hunt/words.hpp"

namespace vmbsim::hunt {

using workers::BlackBox;
using workers::Crew;
using workers::in_child;

namespace {

/// How long a find may be made small: until somebody asks to stop, and one that hangs for a time at most.
class Allowance {
 public:
  Allowance(const InquestConfig& config, const std::string& mistake)
      : stop_asked_(config.stop_asked),
        end_(is_hang(mistake) ? Clock::now() + std::chrono::seconds(config.shrink_s) : Clock::time_point::max()) {}

  bool spent() const { return Clock::now() >= end_; }
  bool over() const { return spent() || stop_asked_(); }
  /// In a child, whose parent asks whether to stop.
  bool over(const BlackBox& box) const { return spent() || box.asked_to_stop(); }

 private:
  using Clock = std::chrono::steady_clock;  // one for all processes
  const std::function<bool()>& stop_asked_;
  Clock::time_point end_;
};

/// A smaller schedule, and what it took.
struct Small {
  explore::Deviations deviations;
  std::uint64_t reruns = 0;
  bool minimal = false;
};

using Rerun = std::function<Replayed(const explore::Deviations&)>;
using LedRerun = std::function<Replayed(kernel::ChoiceSource&)>;

/// `led` may be empty.
Small make_small(const explore::Deviations& list, const std::string& mistake, std::uint64_t most_reruns,
                 const Rerun& rerun, const LedRerun& led, const std::function<bool()>& over) {
  const auto shown = [&mistake](Replayed again) -> std::optional<explore::Shown> {
    if (!shows(mistake, again.findings)) return std::nullopt;
    return explore::Shown{std::move(again.taken), again.switches};
  };
  explore::ShowsLed shows_led;
  if (led) shows_led = [&](kernel::ChoiceSource& source) { return shown(led(source)); };
  const explore::Shrunk shrunk = explore::shrink(
      list, [&](const explore::Deviations& candidate) { return shown(rerun(candidate)); }, most_reruns, shows_led,
      over);
  return {shrunk.deviations, shrunk.reruns, shrunk.minimal};
}

/// In one process for all re-runs, which is fast; in one for each where a run may end its own.
Small make_small(const InquestConfig& config, const Allowance& allowance, const Setting& setting, const Find& find,
                 const explore::Deviations& list) {
  const std::string mistake = mistake_of(find.finding);
  const Wish loose{.mode = explore::Replay::Mode::loose};
  if (!find.lost) {
    const Crew::Ended ended = in_child(
        [&](BlackBox& box) {
          std::string why;
          const auto program = config.target.make(setting, why);
          if (program == nullptr || program->needs_process_per_run()) return std::string();
          const Small small = make_small(
              list, mistake, config.most_reruns,
              [&](const explore::Deviations& one) { return replay_here(*program, one, loose, box); },
              [&](kernel::ChoiceSource& source) { return run_here(*program, source, box); },
              [&] { return allowance.over(box); });
          Line line;
          line.add(small.deviations).add(small.reruns).add(small.minimal ? 1 : 0);
          return line.text();
        },
        config.patience_s, nullptr, config.stop_asked);
    Reader reader(ended.text);
    Small small;
    small.deviations = reader.deviations();
    small.reruns = reader.number();
    small.minimal = reader.number() != 0;
    if (ended.how == Crew::Ended::How::told && reader.done()) return small;
  }
  return make_small(
      list, mistake, config.most_reruns,
      [&](const explore::Deviations& one) { return replay(config.target, setting, one, loose, config.patience_s); }, {},
      [&] { return allowance.over(); });
}

/// The last knob of a key counts: one that was added before goes.
void replace(std::vector<std::string>& knobs, const std::string& knob, std::size_t said) {
  const std::string key = knob.substr(0, knob.find('=') + 1);
  const auto first = knobs.begin() + static_cast<std::ptrdiff_t>(std::min(said, knobs.size()));
  knobs.erase(std::remove_if(first, knobs.end(), [&key](const std::string& one) { return one.starts_with(key); }),
              knobs.end());
  knobs.push_back(knob);
}

constexpr std::uint64_t most_tries = 100;  // of a stronger memory model

/// Looks for the same mistake in a few runs of another setting; its deviations when there is one.
std::optional<explore::Deviations> seen_with(const InquestConfig& config, const Allowance& allowance,
                                             const Setting& setting, const std::string& mistake,
                                             std::uint64_t& reruns) {
  const Crew::Ended ended = in_child(
      [&](BlackBox& box) {
        std::string why;
        const auto program = config.target.make(setting, why);
        if (program == nullptr || program->needs_process_per_run()) return std::string();
        const auto strategy = explore::make_strategy(explore::portfolio(program->time_abstract()).front(), config.seed);
        Recorder recorder(box);
        bool seen = false;
        std::uint64_t run = 0;
        while (!seen && run < most_tries && !allowance.over(box) && strategy->begin(run)) {
          recorder.begin(*strategy, run++);
          const explore::Outcome& outcome = program->run(recorder);
          recorder.end(outcome.steps);
          seen = shows(mistake, outcome.findings);
          strategy->end(outcome, recorder.taken());
        }
        Line line;
        line.add(run).add(seen ? 1 : 0).add(recorder.taken());
        return line.text();
      },
      config.patience_s, nullptr, config.stop_asked);
  Reader reader(ended.text);
  reruns += reader.number();
  const bool seen = reader.number() != 0;
  explore::Deviations list = reader.deviations();
  if (ended.how != Crew::Ended::How::told || !reader.done() || !seen) return std::nullopt;
  return list;
}

/// As far as the mistake stays: takes the strongest memory model, leaves out what a swarm drew, then takes every reduction of the
/// setting until none is left.
void reduce_setting(const InquestConfig& config, const Allowance& allowance, const std::string& mistake,
                    Setting& setting, explore::Deviations& list, std::uint64_t& reruns) {
  const auto over = [&] { return reruns >= config.most_reruns || allowance.over(); };
  const auto take = [&](Setting candidate) {
    if (candidate == setting || over()) return false;
    ++reruns;
    Replayed again = replay(config.target, candidate, list, {.mode = explore::Replay::Mode::follow}, config.patience_s);
    if (!again.unmade.empty() || !shows(mistake, again.findings)) return false;
    setting = std::move(candidate);
    list = std::move(again.taken);
    return true;
  };
  for (const explore::MemoryModel stronger : {explore::MemoryModel::sc, explore::MemoryModel::tso}) {
    if (stronger >= setting.memory || over()) break;
    Setting candidate = setting;
    candidate.memory = stronger;
    if (auto seen = seen_with(config, allowance, candidate, mistake, reruns)) {
      setting = std::move(candidate);
      list = std::move(*seen);
      break;
    }
  }
  for (std::size_t at = setting.knobs.size(); at-- > config.said_knobs;) {
    Setting without = setting;
    without.knobs.erase(without.knobs.begin() + static_cast<std::ptrdiff_t>(at));
    take(std::move(without));
  }
  for (bool smaller = true; smaller && !over();) {
    smaller = false;
    for (const Reduction& reduction : config.target.reductions(setting)) {
      Setting candidate = setting;
      for (const std::string& knob : reduction.knobs) replace(candidate.knobs, knob, config.said_knobs);
      if ((smaller = take(std::move(candidate)))) break;
    }
  }
}

std::optional<Critical> critical_of(const InquestConfig& config, const Allowance& allowance, const Repro& repro,
                                    const std::string& mistake) {
  const Crew::Ended ended = in_child(
      [&](BlackBox& box) {
        std::string why;
        const auto program = config.target.make(repro.setting, why);
        if (program == nullptr || program->needs_process_per_run()) return std::string();
        const auto critical = critical_choice(*program, repro.deviations, repro.questions, mistake, config.seed, box,
                                              [&] { return allowance.over(box); });
        if (!critical) return std::string();
        Line line;
        line.add(critical->question).add(critical->failed).add(critical->tried);
        line.add(critical->fails).add(critical->passes);
        return line.text();
      },
      config.patience_s, nullptr, config.stop_asked);
  Reader reader(ended.text);
  Critical critical;
  critical.question = reader.number();
  critical.failed = static_cast<std::uint32_t>(reader.number());
  critical.tried = static_cast<std::uint32_t>(reader.number());
  critical.fails = reader.word();
  critical.passes = reader.word();
  if (ended.how != Crew::Ended::How::told || !reader.done()) return std::nullopt;
  return critical;
}

/// `first` is the find, replayed. Nothing when the hunt's own patience does not see the mistake in what was made small.
std::optional<Case> investigate_with(const InquestConfig& config, unsigned patience_of_hunt_s,
                                     const Allowance& allowance, const Find& find, const Replayed& first) {
  Case found;
  Setting setting = find.setting;
  explore::Deviations list = find.deviations;
  const std::string mistake = mistake_of(find.finding);
  found.comes_again = shows(mistake, first.findings);
  found.switches_before = first.switches;
  found.deviations_before = list.size();
  found.found_under = find.setting.memory;
  const auto told = [&](const explore::Deviations& schedule) {
    found.last = replay(config.target, setting, schedule, {.story = true, .dot = true}, patience_of_hunt_s);
    return shows(mistake, found.last.findings) && found.last.mismatch.empty();
  };
  const bool smaller = found.comes_again && !config.stop_asked();
  bool seen = false;
  if (smaller) {
    reduce_setting(config, allowance, mistake, setting, list, found.reruns);
    Small small = make_small(config, allowance, setting, find, list);
    found.reruns += small.reruns;
    if ((seen = told(small.deviations))) {
      list = std::move(small.deviations);
      found.minimal = small.minimal;
    }
  }
  if (!seen) seen = told(list);
  if (config.patience_s < patience_of_hunt_s && !seen) return std::nullopt;
  const Finding& finding = found.last.findings.empty() ? find.finding : found.last.findings.front();
  found.repro = {.version = config.version,
                 .kind = config.target.kind(),
                 .path = config.target.path(),
                 .content = config.target.content(),
                 .setting = std::move(setting),
                 .seed = config.seed,
                 .strategy = find.strategy,
                 .run = find.run,
                 .rule = finding.rule,
                 .text = finding.text,
                 .fingerprint = {},
                 .questions = found.last.questions,
                 .digests = found.last.digests,
                 .actors = found.last.actors,
                 .deviations = std::move(list)};
  if (!found.last.lost) found.repro.fingerprint = found.last.fingerprint;
  if (found.comes_again && !found.last.lost && !config.stop_asked())
    found.critical = critical_of(config, allowance, found.repro, mistake);
  if (smaller && allowance.spent() && !(found.minimal && (found.critical || found.last.lost)))
    found.given_up_s = config.shrink_s;
  return found;
}

}  // namespace

Case investigate(const InquestConfig& config, const Find& find) {
  const Replayed first = replay(config.target, find.setting, find.deviations, {}, config.patience_s);
  const std::string mistake = mistake_of(find.finding);
  const Allowance allowance(config, mistake);
  // Each run that hangs takes all the patience there is. A second will do, with twice as much as the slowest step took.
  InquestConfig hasty = config;
  hasty.patience_s = 1 + static_cast<unsigned>(std::min(2 * first.quiet_ns / 1'000'000'000, std::int64_t{86'400}));
  if (is_hang(mistake) && shows(mistake, first.findings) && hasty.patience_s < config.patience_s)
    if (auto found = investigate_with(hasty, config.patience_s, allowance, find, first)) return std::move(*found);
  return std::move(*investigate_with(config, config.patience_s, allowance, find, first));
}

std::string explanation(const Case& found, const std::string& repro_file) {
  std::string text;
  const Repro& repro = found.repro;
  for (const Finding& finding : found.last.findings) {
    text += fmt::format("{}", finding.rule);
    if (finding.bug_check != BugCheck::none)
      text += fmt::format(" (bug check 0x{:X})", static_cast<std::uint32_t>(finding.bug_check));
    text += fmt::format(": {}\n", finding.text);
    if (!finding.where.empty()) text += fmt::format("  where   {}\n", finding.where);
    if (!finding.call.empty()) text += fmt::format("  call    {}\n", finding.call);
    text += fmt::format("  source  {}\n", finding.source);
  }
  if (!found.comes_again)
    text += "The find does not come again in a fresh process: something outside of the program's answers decides.\n";
  text += fmt::format("\nFound by {} in its run {}, memory {}.", repro.strategy, repro.run + 1,
                      name_of(found.found_under));  // people count from one
  if (repro.setting.memory != found.found_under)
    text += fmt::format(" It shows under {0} as well: the repro and what is told here are of a run under {0}.",
                        name_of(repro.setting.memory));
  if (found.reruns != 0) {
    text += fmt::format(" Made small in {} re-runs: {} -> {} departures from the default", found.reruns,
                        found.deviations_before, repro.deviations.size());
    if (found.switches_before != 0)  // a machine with time does not count them
      text += fmt::format(", {} -> {} context switches", found.switches_before, found.last.switches);
    text += found.minimal ? "." : " (there was more to try).";
  }
  text += "\n";
  if (found.given_up_s != 0)
    text += fmt::format(
        "{} to the end: each re-run of what hangs takes the time that it takes to notice, and this was given up after "
        "{} s; --shrink-time gives it more.\n",
        found.minimal ? "The critical choice was not looked for" : "It was not made small", found.given_up_s);
  for (const std::string& knob : repro.setting.knobs) text += fmt::format("  with    {}\n", knob);
  if (!found.last.story.empty())
    text +=
        "\nWhat happened (> departs from the default, * is where the first rule was broken, [] is the IRQL where it is "
        "above passive):\n" +
        found.last.story;
  if (found.critical)
    text += fmt::format(
        "\nThe critical choice is number {}: of {} random continuations from there {} fail like this.\n  with this "
        "order it fails: {}\n  with this one it can pass: {}\n",
        found.critical->question, found.critical->tried, found.critical->failed, found.critical->fails,
        found.critical->passes);
  return text + fmt::format("\nSee it again: vmbsim replay {}\n", repro_file);
}

}  // namespace vmbsim::hunt
