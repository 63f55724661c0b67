#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sim/cli/output.hpp"
#include "sim/cli/signals.hpp"
#include "sim/cli/targets.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/cli/version.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/explore/strategies.hpp"
#include "sim/hunt/campaign.hpp"
#include "sim/hunt/inquest.hpp"
#include "sim/report/writer.hpp"

namespace vmbsim::cli {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::uint64_t usual_runs = 100'000;

Problem command_line(const std::string& text) {
  Problem problem;
  problem.place.file = "command line";
  problem.text = text;
  return problem;
}

/// "2/3" is the second of three parts.
std::optional<hunt::Part> part_of(const HuntArguments& arguments, Problems& problems) {
  const std::string& text = arguments.shard;
  // What is merged are parts, and together they are all of it.
  if (text.empty()) return arguments.merged.empty() ? std::nullopt : std::optional(hunt::Part{});
  unsigned index = 0;
  unsigned count = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%u/%u%c", &index, &count, &rest) == 2 && index >= 1 && index <= count &&
      count <= 100'000)
    return hunt::Part{index - 1, count};
  problems.push_back(command_line("--shard: \"" + text + "\" is no part; right would be 1/4 to 4/4, for example"));
  return std::nullopt;
}

void check_strategies(const std::vector<std::string>& names, Problems& problems) {
  std::string all;
  for (const explore::NamedStrategy& one : explore::strategies())
    all += (all.empty() ? "" : ", ") + std::string(one.name);
  for (const std::string& name : names)
    if (explore::make_strategy(name, Seed{}) == nullptr)
      problems.push_back(command_line("--strategy: \"" + name + "\" is no strategy; right would be one of: " + all));
}

explore::MemoryModel memory_of(const std::string& name, explore::MemoryModel otherwise) {
  for (const auto model : {explore::MemoryModel::sc, explore::MemoryModel::tso, explore::MemoryModel::pso})
    if (name == name_of(model)) return model;
  return otherwise;
}

/// A line that lives on a terminal, and a line now and then elsewhere.
class LiveLine {
 public:
  LiveLine() : terminal_(::isatty(STDERR_FILENO) != 0), started_(Clock::now()), shown_(started_) {}
  ~LiveLine() {
    if (drawn_) std::fputs("\r\x1b[K", stderr);
  }
  LiveLine(const LiveLine&) = delete;
  LiveLine& operator=(const LiveLine&) = delete;

  void show(const hunt::Progress& now) {
    const auto time = Clock::now();
    if (time - shown_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10'000))) return;
    shown_ = time;
    const double seconds = std::chrono::duration<double>(time - started_).count();
    std::string line = fmt::format("{} schedules, {:.0f}/s, {:.2f} M steps/s, {} covered", now.runs,
                                   static_cast<double>(now.runs) / seconds,
                                   static_cast<double>(now.steps) / seconds / 1e6, now.covered);
    if (now.unseen_ppm) line += fmt::format(", unseen about {:.3g} %", static_cast<double>(*now.unseen_ppm) / 1e4);
    line += fmt::format(", {} found", now.finds);
    fmt::print(stderr, "{}{}{}", terminal_ ? "\r\x1b[K" : "vmbsim: ", line, terminal_ ? "" : "\n");
    std::fflush(stderr);
    drawn_ = terminal_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool terminal_;
  bool drawn_ = false;
  Clock::time_point started_;
  Clock::time_point shown_;
};

std::string counted_lanes(const hunt::Verdict& verdict) {
  std::string text;
  for (const hunt::Lane& lane : verdict.lanes) {
    if (lane.made() == 0) continue;
    text += fmt::format("  {:<12}{:>10} runs", lane.strategy, lane.runs);
    if (lane.abandoned != 0) text += fmt::format(", {} given up as seen before", lane.abandoned);
    if (lane.lost != 0) text += fmt::format(", {} that ended their process", lane.lost);
    if (lane.cut != 0) text += fmt::format(", {} cut at the limit of steps", lane.cut);
    if (lane.yielded != 0) text += fmt::format(", {} in which a yield kept somebody back", lane.yielded);
    if (!lane.covered.empty()) text += "; covered: " + lane.covered + (lane.yielded != 0 ? ", under fair yields" : "");
    text += "\n";
  }
  return text;
}

/// Searches that came to their end, and would have covered every schedule if none of their runs had yielded.
std::string kept_from_a_proof_by_yields(const hunt::Verdict& verdict) {
  std::string names;
  for (const hunt::Lane& lane : verdict.lanes)
    if (lane.exhausted && lane.covered.empty() && lane.yielded != 0 && lane.cut == 0 && lane.lost == 0)
      names += (names.empty() ? "" : " and ") + lane.strategy;
  return names;
}

/// What may be relied on when nothing was found.
std::string certificate(const hunt::Verdict& verdict, const hunt::Campaign::Config& config) {
  const explore::MemoryModel memory = config.setting.memory;
  const bool one_of_many = config.part && config.part->count > 1;
  const std::string yields = kept_from_a_proof_by_yields(verdict);
  std::string text;
  switch (verdict.end) {
    case hunt::Verdict::End::proved:
      text = fmt::format(
          "proof: no schedule breaks a rule\n  searched    completely, by {}\n  memory      {}\n"
          "  time        abstract: every order that the program's own synchronisation allows\n{}",
          verdict.proof, name_of(memory),
          verdict.fair_yields
              ? "  yields      fair: whoever yields twice lets those go first that could have gone in between\n"
              : "");
      break;
    case hunt::Verdict::End::covered:
      text = fmt::format("no proof: nothing found in {}; every strategy is through with what it covers{}\n",
                         config::counted(verdict.runs, "run", "runs"),
                         !verdict.time_abstract ? ", and time orders a scenario's actors"
                         : yields.empty()       ? ""
                                                : ", and yields leave out the rest");
      break;
    default:
      text = fmt::format("no proof: nothing found in {}{}\n", config::counted(verdict.runs, "run", "runs"),
                         one_of_many ? " of one part; --merge puts the parts together" : "");
      break;
  }
  text += counted_lanes(verdict);
  if (!yields.empty() && verdict.end != hunt::Verdict::End::proved)
    text += fmt::format(
        "  yields      keep {} from a proof: whom a yield holds back hangs on the order of steps that are independent "
        "otherwise, and one order of them stands for all; --strategy dfs goes through every order\n",
        yields);
  // Where every search is over, no run is left that could do something else.
  if (verdict.unseen_ppm && verdict.end != hunt::Verdict::End::proved && verdict.end != hunt::Verdict::End::covered)
    text += fmt::format("  unseen      about {:.3g} % of what such runs do (Good-Turing)\n",
                        static_cast<double>(*verdict.unseen_ppm) / 1e4);
  return text;
}

/// What `[hunt] expect` comes to.
std::string expectation(const hunt::Verdict& verdict, const std::string& rule) {
  if (verdict.finds.empty()) return fmt::format("expected {}, which was not found\n", rule);
  const bool met = std::any_of(verdict.finds.begin(), verdict.finds.end(),
                               [&rule](const hunt::Find& find) { return find.finding.rule == rule; });
  return met ? fmt::format("\n{} is what was expected\n", rule)
             : fmt::format("\nexpected {}, and found something else\n", rule);
}

const char* name_of_end(hunt::Verdict::End end) {
  switch (end) {
    case hunt::Verdict::End::found: return "found";
    case hunt::Verdict::End::proved: return "proved";
    case hunt::Verdict::End::covered: return "covered";
    case hunt::Verdict::End::limit: return "limit";
    case hunt::Verdict::End::stopped: return "stopped";
    case hunt::Verdict::End::unwritten: return "unwritten";
  }
  return "?";
}

/// What a repro says of its find, and its file.
struct HandedOver {
  std::string file, rule, text;
};

Json json_of(const hunt::Campaign::Config& config, const hunt::Verdict& verdict,
             const std::vector<HandedOver>& handed_over, const std::string& expected) {
  Json lanes = Json::array();
  for (const hunt::Lane& lane : verdict.lanes)
    lanes.push_back({{"strategy", lane.strategy},
                     {"runs", lane.runs},
                     {"given_up", lane.abandoned},
                     {"cut", lane.cut},
                     {"lost", lane.lost},
                     {"yielded", lane.yielded},
                     {"steps", lane.steps},
                     {"exhausted", lane.exhausted},
                     {"covered", lane.covered}});
  Json finds = Json::array();
  for (std::size_t i = 0; i < verdict.finds.size(); ++i) {
    const hunt::Find& find = verdict.finds[i];
    const HandedOver told =
        i < handed_over.size() ? handed_over[i] : HandedOver{"", find.finding.rule, find.finding.text};
    finds.push_back({{"run", find.place},
                     {"rule", told.rule},
                     {"text", told.text},
                     {"strategy", find.strategy},
                     {"strategy_run", find.run},
                     {"repro", told.file}});
  }
  return {{"schema", 1},
          {"version", config.version},
          {"target", config.target.path()},
          {"kind", config.target.kind()},
          {"content", config.target.content()},
          {"seed", config.seed.value},
          {"memory", name_of(config.setting.memory)},
          {"time_abstract", verdict.time_abstract},
          {"end", name_of_end(verdict.end)},
          {"proof", verdict.proof},
          {"runs", verdict.runs},
          {"steps", verdict.steps},
          {"covered", verdict.covered},
          {"unseen_ppm", verdict.unseen_ppm ? Json(*verdict.unseen_ppm) : Json(nullptr)},
          {"reached", verdict.reached},
          {"never_met", verdict.never_met},
          {"expected", expected.empty() ? Json(nullptr) : Json(expected)},
          {"strategies", lanes},
          {"finds", finds}};
}

/// Where the files about a find go: "lost-doorbell-LOST_WAKEUP", in the campaign's folder or in the current one.
std::string stem_of(const HuntArguments& arguments, const hunt::Find& find, std::size_t number) {
  std::string stem = fs::path(arguments.target).stem().string() + "-" + find.finding.rule;
  if (number != 0) stem += "-" + std::to_string(number + 1);
  return (fs::path(arguments.out) / stem).string();
}

/// Makes each find small and writes what belongs to it. Adds to the story and to what was handed over.
std::optional<Problem> hand_over(const HuntArguments& arguments, const hunt::InquestConfig& config,
                                 const std::vector<hunt::Find>& finds, std::string& story,
                                 std::vector<HandedOver>& handed_over) {
  for (std::size_t i = 0; i < finds.size(); ++i) {
    const hunt::Case found = hunt::investigate(config, finds[i]);
    const std::string stem = stem_of(arguments, finds[i], i);
    const std::string text = hunt::explanation(found, stem + ".repro");
    const Unstoppable until_written;
    if (auto failed = report::write_whole(stem + ".repro", hunt::to_text(found.repro))) return failed;
    handed_over.push_back({fs::path(stem + ".repro").filename().string(), found.repro.rule, found.repro.text});
    if (!arguments.out.empty()) {
      if (auto failed = report::write_whole(stem + ".txt", text)) return failed;
      if (!found.last.dot.empty())
        if (auto failed = report::write_whole(stem + ".dot", found.last.dot)) return failed;
    }
    story += (i == 0 ? "" : "\n----\n\n") + text;
  }
  return std::nullopt;
}

}  // namespace

int hunt(const HuntArguments& arguments) {
  LoadedTarget loaded = load_target(arguments.target, arguments.overrides);
  Problems& problems = loaded.problems;
  const std::optional<hunt::Part> part = part_of(arguments, problems);
  if (loaded.target == nullptr || !problems.empty()) {
    print(problems);
    return bad_input;
  }
  const std::vector<std::string> strategies = !arguments.strategies.empty() ? arguments.strategies
                                              : !loaded.defaults.strategies.empty()
                                                  ? loaded.defaults.strategies
                                                  : explore::portfolio(loaded.target->kind() == "harness");
  check_strategies(strategies, problems);
  if (!problems.empty()) {
    print(problems);
    return bad_input;
  }
  LiveLine live;
  const StopRequest stoppable;
  const hunt::Campaign::Config config{
      .target = *loaded.target,
      .setting = {memory_of(arguments.memory, loaded.defaults.memory), arguments.overrides},
      .seed = arguments.seed.value_or(loaded.defaults.seed),
      .strategies = strategies,
      .runs = arguments.runs.value_or(loaded.defaults.runs != 0 ? loaded.defaults.runs : usual_runs),
      .jobs = arguments.jobs != 0 ? arguments.jobs : workers::processors(),
      .keep_going = arguments.keep_going,
      .part = part,
      .swarm = true,
      .version = version,
      .folder = arguments.out,
      .merged = {arguments.merged.begin(), arguments.merged.end()},
      .patience_s = arguments.patience_s,
      .on_progress = [&live](const hunt::Progress& now) { live.show(now); },
      .stop_asked = [] { return StopRequest::made(); }};
  if (arguments.restart) {
    const auto aside = hunt::Journal::put_aside(arguments.out);
    if (const Problem* const problem = std::get_if<Problem>(&aside)) {
      print({*problem});
      return bad_input;
    }
    if (const fs::path& kept = std::get<fs::path>(aside); !kept.empty())
      std::fprintf(stderr, "vmbsim: what %s held of an earlier hunt is in %s now\n", arguments.out.c_str(),
                   kept.c_str());
  }
  hunt::Campaign campaign(config);
  if (const auto problem = campaign.prepare()) {
    print({*problem});
    return bad_input;
  }
  if (say(fmt::format("hunt in {}, seed {}, memory {}, vmbsim {}\n", loaded.target->path(), config.seed.value,
                      name_of(config.setting.memory), version),
          fine) != fine)
    return broken;
  const hunt::Verdict verdict = campaign.run();
  if (verdict.end == hunt::Verdict::End::unwritten) {
    std::fprintf(stderr, "%s: the journal cannot be written\n", arguments.out.c_str());
    return broken;
  }
  std::string text;
  std::vector<HandedOver> handed_over;
  if (!verdict.finds.empty() && verdict.end != hunt::Verdict::End::stopped) {
    const hunt::InquestConfig inquest{.target = *loaded.target,
                                      .seed = config.seed,
                                      .version = version,
                                      .said_knobs = config.setting.knobs.size(),
                                      .patience_s = arguments.patience_s,
                                      .shrink_s = arguments.shrink_s,
                                      .stop_asked = config.stop_asked};
    text = fmt::format("found in run {}\n\n",
                       verdict.end == hunt::Verdict::End::found ? verdict.runs : verdict.finds.front().place + 1);
    if (const auto failed = hand_over(arguments, inquest, verdict.finds, text, handed_over)) {
      print({*failed});
      return broken;
    }
  }
  if (!arguments.out.empty()) {
    const Unstoppable until_written;
    const std::string json = json_of(config, verdict, handed_over, loaded.defaults.expect)
                                 .dump(2, ' ', false, Json::error_handler_t::replace) +
                             "\n";
    if (const auto failed = report::write_whole(fs::path(arguments.out) / "hunt.json", json)) {
      print({*failed});
      return broken;
    }
  }
  if (verdict.end == hunt::Verdict::End::stopped) {
    std::fputs(arguments.out.empty() ? "vmbsim: stopped; nothing was kept, for there is no --out\n"
                                     : "vmbsim: stopped; the same command goes on where it was\n",
               stderr);
    return stopped;
  }
  if (verdict.finds.empty()) text += certificate(verdict, config);
  if (verdict.end != hunt::Verdict::End::found)
    for (const std::string& goal : verdict.never_met) text += fmt::format("never met: {}\n", goal);
  const bool one_of_many = part && part->count > 1;  // the find may be another's
  const bool as_hoped = loaded.defaults.expect.empty() || one_of_many;
  if (!as_hoped) text += expectation(verdict, loaded.defaults.expect);
  return say(text, verdict.finds.empty() && as_hoped ? fine : unmet);
}

}  // namespace vmbsim::cli
