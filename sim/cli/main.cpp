// The command line: which verb, with which arguments. What they do is in the verbs' own files.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <limits>
#include <new>

#include "sim/cli/output.hpp"
#include "sim/cli/signals.hpp"
#include "sim/cli/verbs.hpp"
#include "sim/cli/version.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/explore/strategies.hpp"

namespace {

using namespace vmbsim;

/// In single quotes where a shell would make something else of it.
std::string quoted_for_shell(const std::string& word) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("_-+=.,:/@%", c) != nullptr;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// What was typed, to be typed again.
std::string joined(int count, char** words) {
  std::string line = "vmbsim";
  for (int i = 1; i < count; ++i) line += " " + quoted_for_shell(words[i]);
  return line;
}

/// A bad command line is bad input like any other: one line, status 2.
int refuse(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_name() == "CallForHelp") return cli::say(app.help(), cli::fine);
  if (error.get_name() == "CallForVersion") return cli::say(error.what() + std::string("\n"), cli::fine);
  std::string text = error.what();
  if (app.get_subcommands().empty()) {
    std::vector<std::string> verbs;
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
      verbs.push_back(verb->get_name());
    const std::vector<std::string> words = app.remaining();
    text = words.empty() ? "what is to be done is missing" : "unknown verb \"" + words.front() + "\"";
    text += config::did_you_mean_or(words.empty() ? "" : words.front(), verbs, "; right would be one of: ");
  }
  std::fprintf(stderr, "command line: %s; see vmbsim --help\n", text.c_str());
  return cli::bad_input;
}

/// CLI11 would take a number that is too large for the largest one.
std::string is_seed(const std::string& text) {
  std::int64_t seed = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error == std::errc{} && end == text.data() + text.size() && seed >= 0) return "";
  return "\"" + text + "\" is no seed; right would be a whole number from 0 to " +
         std::to_string(std::numeric_limits<std::int64_t>::max());
}

void add_overrides(CLI::App* verb, std::vector<std::string>& overrides) {
  verb->add_option("--set", overrides, "one value on top of the file, e.g. workload.foreground.queue_depth=8")
      ->type_size(1)
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
}

void add_patience(CLI::App* verb, unsigned& seconds) {
  verb->add_option("--patience", seconds,
                   "seconds of processor time, or of sleep, after which a run without a step is endless; left out: 10")
      ->check(CLI::Range(1u, 86400u))
      ->type_name("N");
}

void add_limits(CLI::App* verb, cli::RunLimits& limits) {
  verb->add_option("--time-limit", limits.time, "of one run, as in 60s")->type_name("TIME");
  verb->add_option("--memory-limit", limits.memory, "of one run, as in 2GiB")->type_name("SIZE");
  verb->add_option("--retries", limits.retries, "further attempts at a run that crashes; left out: 1")
      ->check(CLI::Range(0U, 100U))
      ->type_name("N");
}

std::string not_empty(const std::string& name) { return name.empty() ? "a name is missing" : ""; }

int answer(int count, char** words) {
  cli::prepare_signals();
  CLI::App app("vmbsim: a deterministic simulator of Hyper-V VMBus as KMCL drivers see it", "vmbsim");
  app.set_version_flag("--version", std::string(cli::version));
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 fine; 1 an expectation was not met or a rule was broken;\n"
      "2 bad input; 3 an error inside vmbsim, or results that could not be written");
  int status = cli::fine;
  std::int64_t seed = 0;
  const auto given = [&seed](const CLI::Option* option) {
    return option->count() != 0 ? std::optional(Seed{static_cast<std::uint64_t>(seed)}) : std::nullopt;
  };

  cli::RunArguments run;
  const std::string command = joined(count, words);
  run.command = command;
  CLI::App* run_verb = app.add_subcommand("run", "run one scenario and show what happened");
  run_verb->add_option("SCENARIO", run.scenario, "scenario file (TOML)")->required();
  add_overrides(run_verb, run.overrides);
  CLI::Option* run_seed =
      run_verb->add_option("--seed", seed, "seed instead of the file's")->check(is_seed)->type_name("N");
  run_verb
      ->add_option("--out", run.out, "folder for summary.json, summary.csv, manifest.toml and what [record] asks for")
      ->check(not_empty)
      ->type_name("DIR");
  run_verb->add_option("--trace", run.trace, "file for a timeline of the run; ui.perfetto.dev shows it")
      ->check(not_empty)
      ->type_name("FILE.pftrace");
  run_verb->callback([&] {
    run.seed = given(run_seed);
    status = cli::run(run);
  });

  cli::HuntArguments hunt;
  CLI::App* hunt_verb =
      app.add_subcommand("hunt", "look for an order of things in which a rule is broken, or prove that none is");
  hunt_verb
      ->add_option("TARGET", hunt.target,
                   "scenario file (TOML), or harness: its library (.so), or the source that it was built from")
      ->required();
  std::string strategies = "Strategies:\n";
  for (const explore::NamedStrategy& one : explore::strategies())
    strategies += "  " + std::string(one.name) + std::string(12 - std::strlen(one.name), ' ') + one.summary + "\n";
  hunt_verb->footer(strategies + "\n" + hunt_verb->get_footer());
  hunt_verb->add_option("--set", hunt.overrides, "one value on top of the scenario")
      ->type_size(1)
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  hunt_verb->add_option("--strategy", hunt.strategies, "how to look, instead of several ways that share the runs")
      ->delimiter(',')
      ->type_name("NAME");
  hunt_verb->add_option("--runs", hunt.runs, "at most so many")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000'000'000}))
      ->type_name("N");
  CLI::Option* hunt_seed =
      hunt_verb->add_option("--seed", seed, "another one, another hunt")->check(is_seed)->type_name("N");
  hunt_verb->add_option("--memory", hunt.memory, "how loads and stores of shared words are ordered")
      ->check(CLI::IsMember({"sc", "tso", "pso"}))
      ->type_name("sc|tso|pso");
  hunt_verb->add_option("--jobs", hunt.jobs, "processes; the result does not depend on it")
      ->check(CLI::Range(1u, 256u))
      ->type_name("N");
  CLI::Option* hunt_out =
      hunt_verb
          ->add_option(
              "--out", hunt.out,
              "folder for the journal, hunt.json, repros, their stories (.txt) and graphs (.dot); a hunt that was "
              "stopped goes on there; without it only repros are written, here")
          ->check(not_empty)
          ->type_name("DIR");
  hunt_verb
      ->add_flag("--restart", hunt.restart,
                 "begin anew: what the folder holds of an earlier hunt becomes DIR.1, DIR.2, ...")
      ->needs(hunt_out);
  hunt_verb->add_option("--shard", hunt.shard, "only part i of N, for several machines")->type_name("i/N");
  hunt_verb->add_option("--merge", hunt.merged, "folder of a part whose results are taken")
      ->type_size(1)
      ->allow_extra_args(false)
      ->type_name("DIR");
  hunt_verb->add_flag("--keep-going", hunt.keep_going, "collect different finds until the runs are used up");
  add_patience(hunt_verb, hunt.patience_s);
  hunt_verb
      ->add_option("--shrink-time", hunt.shrink_s,
                   "seconds after which a find that hangs is not made smaller any more, nor its critical choice looked "
                   "for; left out: 60")
      ->check(CLI::Range(1u, 86400u))
      ->type_name("N");
  hunt_verb->callback([&] {
    hunt.seed = given(hunt_seed);
    status = cli::hunt(hunt);
  });

  cli::ReplayArguments replay;
  CLI::App* replay_verb = app.add_subcommand("replay", "run what a hunt found once more, and tell the story");
  replay_verb->add_option("REPRO", replay.repro, "the file that the hunt wrote")->required();
  replay_verb->add_option("--target", replay.target, "the file it is of, where that has moved")->type_name("FILE");
  replay_verb->add_flag("--follow", replay.follow,
                        "the target has changed: go along as far as it can be told what was meant");
  replay_verb->add_option("--trace", replay.trace, "file for a timeline; ui.perfetto.dev shows it")
      ->check(not_empty)
      ->type_name("FILE.pftrace");
  replay_verb->add_option("--dot", replay.dot, "file for a graph of what had to come before what")
      ->check(not_empty)
      ->type_name("FILE.dot");
  replay_verb->add_option("--times", replay.times, "so many times, each in a process of its own")
      ->check(CLI::Range(1u, 1'000'000u))
      ->type_name("N");
  add_patience(replay_verb, replay.patience_s);
  replay_verb->callback([&] { status = cli::replay(replay); });

  cli::PlanArguments plan;
  plan.command = command;
  CLI::App* plan_verb = app.add_subcommand("plan", "find the largest load that keeps the scenario's [objective]");
  plan_verb->add_option("SCENARIO", plan.scenario, "scenario file (TOML)")->required();
  plan_verb->add_option("--set", plan.overrides, "one value on top of the file")
      ->type_size(1)
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  CLI::Option* plan_seed =
      plan_verb->add_option("--seed", seed, "seed of the first run at every load")->check(is_seed)->type_name("N");
  plan_verb->add_option("--jobs", plan.jobs, "processes; the answer does not depend on it")
      ->check(CLI::Range(1u, 256u))
      ->type_name("N");
  plan_verb->add_option("--out", plan.out, "folder for plan.json and the runs; a plan that was stopped goes on")
      ->check(not_empty)
      ->type_name("DIR");
  add_limits(plan_verb, plan.limits);
  CLI::Option* sensitivity =
      plan_verb->add_flag("--sensitivity", plan.sensitivity, "also tell which inputs the answer hangs on most");
  plan_verb
      ->add_option(
          "--sensitivity-inputs", plan.sensitivity_inputs,
          "of them the first so many, at 18 runs each: those of the objective's channels and their loads, guests and "
          "devices, then those of others, of the platform's file and of the machine")
      ->check(CLI::Range(1, 10000))
      ->needs(sensitivity)
      ->type_name("N");
  plan_verb->callback([&] {
    plan.seed = given(plan_seed);
    status = cli::plan(plan);
  });

  cli::CompareArguments compare;
  CLI::App* compare_verb = app.add_subcommand(
      "compare",
      "tell what changed between two campaigns; exit status 1 when something got worse, 2 when nothing can be judged");
  compare_verb->add_option("BEFORE", compare.before, "folder of a campaign")->required();
  compare_verb->add_option("AFTER", compare.after, "folder of another")->required();
  compare_verb
      ->add_option("--metric", compare.metrics,
                   "this one, as export --long names it, instead of channels' throughput and latency, workloads' "
                   "response, refused "
                   "guests and findings")
      ->type_size(1)
      ->allow_extra_args(false)
      ->type_name("NAME");
  compare_verb->add_option("--tolerance", compare.tolerance, "percent that a figure may get worse")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("PERCENT");
  compare_verb->add_option("--confidence", compare.confidence, "percent: how sure all answers together are to be")
      ->check(CLI::Range(50.0, 99.999))
      ->type_name("PERCENT");
  compare_verb->add_flag("--all", compare.all, "a line for every change, not one for a metric and its worst point");
  compare_verb->add_option("--junit", compare.junit, "file for a test case per figure")
      ->check(not_empty)
      ->type_name("FILE.xml");
  compare_verb->add_option("--json", compare.json, "file for every figure")->check(not_empty)->type_name("FILE.json");
  compare_verb->callback([&] { status = cli::compare(compare); });

  std::vector<std::string> checked;
  CLI::App* check_verb =
      app.add_subcommand("check", "tell every problem of scenario files, and what the runs of a study take");
  check_verb->add_option("SCENARIO", checked, "scenario files")->required();
  check_verb->callback([&] { status = cli::check(checked); });

  std::string expanded;
  std::vector<std::string> overrides;
  CLI::App* expand_verb = app.add_subcommand("expand", "print a scenario with nothing left out");
  expand_verb->add_option("SCENARIO", expanded, "scenario file")->required();
  add_overrides(expand_verb, overrides);
  CLI::Option* expand_seed =
      expand_verb->add_option("--seed", seed, "seed instead of the file's")->check(is_seed)->type_name("N");
  expand_verb->callback([&] { status = cli::expand(expanded, overrides, given(expand_seed)); });

  CLI::App* schema_verb = app.add_subcommand("schema", "print the JSON Schema of scenario files, for editors");
  schema_verb->callback([&] { status = cli::schema(); });

  cli::BatchArguments batch;
  batch.command = command;
  CLI::App* batch_verb = app.add_subcommand("batch", "run every point of a scenario's [sweep]; run again, it goes on");
  batch_verb->add_option("SCENARIO", batch.scenario, "scenario file")->required();
  add_overrides(batch_verb, batch.overrides);
  batch_verb
      ->add_option("--only", batch.only,
                   "runs with this value of a swept key alone; of one key several are alternatives")
      ->type_size(1)
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  CLI::Option* batch_seed =
      batch_verb->add_option("--seed", seed, "seed instead of the file's")->check(is_seed)->type_name("N");
  batch_verb->add_option("--out", batch.out, "folder of the campaign; left out: SCENARIO's name with .campaign")
      ->check(not_empty)
      ->type_name("DIR");
  batch_verb->add_option("--jobs", batch.jobs, "runs at the same time; left out: one per processor")
      ->check(CLI::Range(1U, 1024U))
      ->type_name("N");
  batch_verb
      ->add_option("--shard", batch.shard, "this part of N alone, from 1; auto: as Slurm, SGE or MPI say, auto/N: PBS")
      ->type_name("I/N|auto");
  batch_verb->add_option("--progress", batch.progress, "auto, plain, json or none")->type_name("FORM");
  add_limits(batch_verb, batch.limits);
  batch_verb->callback([&] {
    batch.seed = given(batch_seed);
    status = cli::batch(batch);
  });

  std::vector<std::string> folders;
  std::string merged;
  CLI::App* merge_verb = app.add_subcommand("merge", "put the runs of one campaign's folders into one");
  merge_verb->add_option("DIR", folders, "folders of batches")->required();
  merge_verb->add_option("--out", merged, "folder for all of them")->required()->check(not_empty)->type_name("DIR");
  merge_verb->callback([&] { status = cli::merge(folders, merged); });

  std::string exported;
  CLI::App* export_verb = app.add_subcommand("export", "print the runs of a campaign as CSV");
  export_verb->add_option("DIR", exported, "folder of a batch")->required();
  cli::Table table = cli::Table::by_metric;
  CLI::Option_group* tables = export_verb->add_option_group("TABLE", "which rows");
  const auto add_table = [&](const char* flag, cli::Table which, const char* rows) {
    tables->add_flag_callback(
        flag, [&table, which] { table = which; }, rows);
  };
  add_table("--long", cli::Table::by_metric, "one per run and metric");
  add_table("--wide", cli::Table::by_run, "one per run");
  add_table("--pooled", cli::Table::by_point, "one per point and latency, over all samples of its runs");
  tables->require_option(1);
  export_verb->callback([&] { status = cli::export_table(exported, table); });

  cli::SlurmArguments slurm;
  CLI::App* slurm_verb = app.add_subcommand("slurm-script", "print a file for sbatch that runs a batch as an array");
  slurm_verb->add_option("SCENARIO", slurm.scenario, "scenario file")->required();
  slurm_verb->add_option("--tasks", slurm.tasks, "tasks of the array")
      ->required()
      ->check(CLI::Range(1U, 100000U))
      ->type_name("N");
  slurm_verb->add_option("--jobs", slurm.cpus, "processors of each task")->check(CLI::Range(1U, 1024U))->type_name("N");
  slurm_verb->add_option("--out", slurm.out, "folder of the campaign, seen by all nodes")
      ->check(not_empty)
      ->type_name("DIR");
  add_overrides(slurm_verb, slurm.overrides);
  slurm_verb->callback([&] { status = cli::slurm_script(slurm); });

  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) { return refuse(app, error); }
  return status;
}

}  // namespace

int main(int count, char** words) {
  try {
    return answer(count, words);
  } catch (const std::bad_alloc&) {
    std::fputs("vmbsim: out of memory\n", stderr);
  } catch (const std::exception& error) { std::fprintf(stderr, "vmbsim: %s\n", error.what()); } catch (...) {
    std::fputs("vmbsim: an error of an unknown kind\n", stderr);
  }
  return cli::broken;
}
