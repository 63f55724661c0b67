// The command line: which verb, with which arguments. What they do is in the verbs' own files.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "sim/cli/verbs.hpp"
#include "sim/cli/version.hpp"

namespace {

using namespace vmbsim;

std::string joined(int count, char** words) {
  std::string line = "vmbsim";
  for (int i = 1; i < count; ++i) line += std::string(" ") + words[i];
  return line;
}

/// A bad command line is bad input like any other: one line, status 2.
int refuse(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  std::fprintf(stderr, "command line:1:0: %s; see vmbsim --help\n", error.what());
  return cli::bad_input;
}

}  // namespace

int main(int count, char** words) {
  CLI::App app("vmbsim: a deterministic simulator of Hyper-V VMBus as KMCL drivers see it");
  app.set_version_flag("--version", std::string(cli::version));
  app.require_subcommand(1);
  int status = cli::fine;
  std::uint64_t seed = 0;

  cli::RunArguments run;
  run.command = joined(count, words);
  CLI::App* run_verb = app.add_subcommand("run", "run one scenario and show what happened");
  run_verb->add_option("SCENARIO", run.scenario, "scenario file (TOML)")->required();
  run_verb->add_option("--set", run.overrides, "KEY=VALUE on top of the file, e.g. workload.foreground.queue_depth=8")
      ->type_size(1)->allow_extra_args(false);
  CLI::Option* run_seed = run_verb->add_option("--seed", seed, "seed instead of the file's");
  run_verb->add_option("--out", run.out, "folder for summary.json, summary.csv and manifest.toml");
  run_verb->callback([&] {
    if (run_seed->count() != 0) run.seed = Seed{seed};
    status = cli::run(run);
  });

  std::vector<std::string> checked;
  CLI::App* check_verb = app.add_subcommand("check", "tell every problem of scenario files; nothing is run");
  check_verb->add_option("SCENARIO", checked, "scenario files")->required();
  check_verb->callback([&] { status = cli::check(checked); });

  std::string expanded;
  std::vector<std::string> overrides;
  CLI::App* expand_verb = app.add_subcommand("expand", "print a scenario with nothing left out");
  expand_verb->add_option("SCENARIO", expanded, "scenario file")->required();
  expand_verb->add_option("--set", overrides, "KEY=VALUE on top of the file")->type_size(1)->allow_extra_args(false);
  CLI::Option* expand_seed = expand_verb->add_option("--seed", seed, "seed instead of the file's");
  expand_verb->callback([&] {
    status = cli::expand(expanded, overrides, expand_seed->count() != 0 ? std::optional(Seed{seed}) : std::nullopt);
  });

  CLI::App* schema_verb = app.add_subcommand("schema", "print the JSON Schema of scenario files, for editors");
  schema_verb->callback([&] { status = cli::schema(); });

  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vmbsim: %s\n", error.what());
    return cli::broken;
  }
  return status;
}
