#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "sim/explore/strategies.hpp"
#include "tests/support/scratch_folder.hpp"
#include "tests/unit/sim_hunt/straight_target.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using hunt::Campaign;
using hunt::Verdict;
using End = hunt::Verdict::End;

namespace {

const std::vector<std::string> mixed{"random", "delay", "preemption"};

}  // namespace

TEST_CASE("a hunt finds the lost update and tells the run that lost it") {
  const StraightTarget target(2, 1, 1);
  const Verdict verdict = verdict_of(campaign_of(target, mixed, 10'000));
  REQUIRE(verdict.end == End::found);
  REQUIRE(verdict.finds.size() == 1);
  CHECK(verdict.finds[0].finding.rule == "CHECK");
  CHECK_FALSE(verdict.finds[0].deviations.empty());
  CHECK(verdict.runs == verdict.finds[0].place + 1);
}

TEST_CASE("a complete search that ends is a proof, with as many runs as there are interleavings") {
  const StraightTarget target(3, 1, 9);  // nothing can lose nine of three updates
  const Verdict verdict = verdict_of(campaign_of(target, {"dfs"}, 10'000));
  CHECK(verdict.end == End::proved);
  CHECK(verdict.proof == "dfs");
  CHECK(verdict.time_abstract);
  CHECK(verdict.runs == 90);  // 6! / 2!^3
}

TEST_CASE("a complete search that is given just as many runs as it has is a proof, and with one fewer it is none") {
  const StraightTarget target(3, 1, 9);
  const std::string strategy = GENERATE("dfs", "dpor", "odpor");
  CAPTURE(strategy);
  const std::uint64_t all = verdict_of(campaign_of(target, {strategy}, 10'000)).runs;
  CHECK(verdict_of(campaign_of(target, {strategy}, all)).end == End::proved);
  CHECK(verdict_of(campaign_of(target, {strategy}, all - 1)).end == End::limit);
}

TEST_CASE("a hunt that reaches its limit of runs proves nothing") {
  const StraightTarget target(3, 2, 9);
  const Verdict verdict = verdict_of(campaign_of(target, {"random"}, 500));
  CHECK(verdict.end == End::limit);
  CHECK(verdict.proof.empty());
  CHECK(verdict.runs == 500);
  CHECK(verdict.unseen_ppm.has_value());
}

TEST_CASE("the verdict does not depend on the number of workers") {
  const bool keep_going = GENERATE(false, true);
  const StraightTarget target(2, 5, 8);  // racy_2x5: rare
  Campaign::Config config = campaign_of(target, mixed, 3'000);
  config.keep_going = keep_going;
  const std::string alone = told(verdict_of(config));
  for (const unsigned jobs : {2u, 4u}) {
    config.jobs = jobs;
    CHECK(told(verdict_of(config)) == alone);
  }
}

TEST_CASE("parts of a campaign, merged in any order, are the whole") {
  const StraightTarget target(3, 3, 9);
  Campaign::Config config = campaign_of(target, mixed, 2'000);
  config.keep_going = true;
  config.part = hunt::Part{0, 1};
  const std::string whole = told(verdict_of(config));

  const ScratchFolder scratch;
  std::vector<std::filesystem::path> folders;
  for (std::uint32_t i = 0; i < 3; ++i) {
    config.part = hunt::Part{i, 3};
    config.folder = scratch.path() / std::to_string(i);
    folders.push_back(config.folder);
    CHECK(told(verdict_of(config)) != whole);
  }
  config.part = hunt::Part{0, 1};
  config.folder.clear();
  config.merged = {folders[2], folders[0], folders[1]};
  CHECK(told(verdict_of(config)) == whole);
}

TEST_CASE("a search that its workers share makes as many runs as it does alone, and proves as much") {
  // 12! / (4!)^3 interleavings of three threads that read and write twice.
  const StraightTarget target(3, 2, 99);
  const std::string strategy = GENERATE("dfs", "dpor", "odpor");
  CAPTURE(strategy);
  const auto serial = explore::make_strategy(strategy, Seed{7});
  std::string why;
  const auto program = target.make({}, why);
  std::uint64_t alone = 0;
  while (serial->begin(0)) {
    const explore::Outcome& outcome = program->run(*serial);
    alone += outcome.end == explore::End::finished;
    serial->end(outcome, {});
  }
  if (strategy == "dfs") CHECK(alone == 34'650);
  CHECK(alone > 4096);  // else it is not divided

  Campaign::Config config = campaign_of(target, {strategy}, 200'000);
  const Verdict one = verdict_of(config);
  REQUIRE(one.end == End::proved);
  CHECK(one.lanes[0].trees.size() > 1);
  CHECK(one.lanes[0].runs == alone);
  CHECK(one.lanes[0].covered == serial->covered());
  config.jobs = 3;
  CHECK(told(verdict_of(config)) == told(one));

  // What some parts of it leave of the runs others use: no more are needed than there are.
  for (const std::uint64_t most : {one.runs, std::uint64_t{200'000}}) {
    config.runs = most;
    const Verdict again = verdict_of(config);
    CHECK(again.end == End::proved);
    CHECK(again.runs == one.runs);
  }

  // Three machines, none of which proves anything by itself.
  const ScratchFolder scratch;
  std::vector<std::filesystem::path> folders;
  for (std::uint32_t i = 0; i < 3; ++i) {
    config.part = hunt::Part{i, 3};
    config.folder = scratch.path() / std::to_string(i);
    folders.push_back(config.folder);
    const Verdict part = verdict_of(config);
    CHECK(part.end == End::limit);
    CHECK(part.lanes[0].runs < alone);
  }
  config.part = hunt::Part{0, 1};
  config.folder.clear();
  config.merged = folders;
  const Verdict merged = verdict_of(config);
  CHECK(merged.end == End::proved);
  CHECK(merged.runs == one.runs);
  CHECK(merged.lanes[0].runs == alone);
  CHECK(merged.lanes[0].covered == serial->covered());
}

TEST_CASE("the first find of a search that is shared is the same with any number of workers") {
  const StraightTarget target(3, 3, 7);  // the last writes of two threads undo seven: far from the plain run
  Campaign::Config config = campaign_of(target, {"dfs"}, 2'000'000);
  const Verdict one = verdict_of(config);
  REQUIRE(one.end == End::found);
  CHECK(one.lanes[0].trees.size() > 1);
  config.jobs = 4;
  CHECK(told(verdict_of(config)) == told(one));
}

TEST_CASE("a hunt that was killed at any moment goes on where it was, to the same verdict") {
  const StraightTarget target(3, 4, 99);
  Campaign::Config config = campaign_of(target, {"random", "delay", "dfs"}, 60'000);
  config.jobs = 2;
  const std::string whole = told(verdict_of(config));
  const ScratchFolder scratch;
  config.folder = scratch.path() / "hunt";
  int killed = 0;
  for (const unsigned after_ms : {15, 40, 5, 70, 30}) {
    const pid_t child = ::fork();
    if (child == 0) {
      verdict_of(config);
      ::_exit(0);
    }
    ::usleep(after_ms * 1000);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    killed += WIFSIGNALED(status);
  }
  CHECK(killed > 0);
  CHECK(told(verdict_of(config)) == whole);
  // and once more, from the journal alone
  CHECK(told(verdict_of(config)) == whole);
}

TEST_CASE("a journal's cut last line is done again, a changed line is refused") {
  const StraightTarget target(3, 2, 9);
  Campaign::Config config = campaign_of(target, {"random"}, 500);
  const std::string whole = told(verdict_of(config));
  const ScratchFolder scratch;
  config.folder = scratch.path();
  CHECK(told(verdict_of(config)) == whole);
  const auto journal = scratch.path() / "hunt.journal";
  std::filesystem::resize_file(journal, std::filesystem::file_size(journal) - 9);
  CHECK(told(verdict_of(config)) == whole);
  {
    std::fstream file(journal, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(journal) / 2));
    file.put('?');
  }
  Campaign again(config);
  const auto problem = again.prepare();
  REQUIRE(problem);
  CHECK_THAT(problem->line(), Catch::Contains("hunt.journal:") && Catch::Contains("checksum"));
}

TEST_CASE("a folder of another hunt is refused, with what is different, and put aside by whoever begins anew") {
  const StraightTarget target(3, 2, 9);
  const ScratchFolder scratch;
  Campaign::Config config = campaign_of(target, {"random"}, 100);
  config.folder = scratch.path();
  verdict_of(config);
  config.seed = Seed{8};
  const auto problem_with = [](const Campaign::Config& one) { return Campaign(one).prepare().value().text; };
  CHECK(problem_with(config) ==
        "belongs to another hunt: seed 7 there, 8 here; name another folder, or begin anew with --restart, which keeps "
        "this one aside");
  const StraightTarget edited(3, 3, 9);
  Campaign::Config of_edited = campaign_of(edited, {"random"}, 100);
  of_edited.folder = config.folder;
  CHECK_THAT(problem_with(of_edited),
             Catch::StartsWith("belongs to another hunt: target harness counting (content 00000000000c0de2) there, "
                               "harness counting (content 00000000000c0de3) here; name"));
}

TEST_CASE("a hunt's folder is put aside beside itself, and never another one in its place") {
  const StraightTarget target(3, 2, 9);
  const ScratchFolder scratch;
  Campaign::Config config = campaign_of(target, {"random"}, 100);
  config.folder = scratch.path() / "found";
  const auto aside = [&] { return hunt::Journal::put_aside(config.folder); };
  CHECK(std::get<0>(aside()).empty());  // nothing to put aside
  for (const char* name : {"found.1", "found.2"}) {
    verdict_of(config);
    CHECK(std::get<0>(aside()) == scratch.path() / name);
    CHECK_FALSE(std::filesystem::exists(config.folder));
    CHECK(std::filesystem::exists(scratch.path() / name / "hunt.journal"));
  }
  Campaign running(config);
  REQUIRE_FALSE(running.prepare());
  CHECK_THAT(std::get<1>(aside()).text, Catch::Contains("is being written by another hunt"));
}

TEST_CASE("a run that takes its process along is a find with its schedule") {
  struct Row {
    Manners manners;
    const char* rule;
  };
  const auto row =
      GENERATE(Row{Manners::crashes, "CRASH"}, Row{Manners::leaves, "EXIT"}, Row{Manners::hangs, "ENDLESS"},
               Row{Manners::sleeps, "ENDLESS"}, Row{Manners::naps, "ENDLESS"});
  const bool keep_going = GENERATE(false, true);
  CAPTURE(row.rule, keep_going);
  const StraightTarget well(2, 1, 1);
  const StraightTarget bad(2, 1, 1, row.manners);
  Campaign::Config config = campaign_of(bad, {"dfs"}, 64);
  config.keep_going = keep_going;
  const Verdict verdict = verdict_of(config);
  REQUIRE(verdict.finds.size() == 1);
  CHECK(verdict.finds[0].lost);
  CHECK(verdict.finds[0].finding.rule == row.rule);
  const Verdict same = verdict_of(campaign_of(well, {"dfs"}, 64));
  REQUIRE(same.finds.size() == 1);
  CHECK(verdict.finds[0].deviations == same.finds[0].deviations);
  CHECK(verdict.finds[0].place == same.finds[0].place);
}

TEST_CASE(
    "a run that sleeps is told from one that computes for ever, and nothing of the machine's time is in the find") {
  const StraightTarget sleeps(2, 1, 1, Manners::sleeps);
  Campaign::Config config = campaign_of(sleeps, {"random"}, 40);
  const Verdict once = verdict_of(config);
  REQUIRE(once.finds.size() == 1);
  CHECK(once.finds[0].finding.text == "the run sleeps, or waits for the system, and makes no step");
  config.jobs = 3;
  CHECK(told(verdict_of(config)) == told(once));
  const StraightTarget computes(2, 1, 1, Manners::hangs);
  CHECK(verdict_of(campaign_of(computes, {"random"}, 40)).finds.at(0).finding.text ==
        "the run uses processor time and makes no step");
}

TEST_CASE("runs after a lost one go on where strategies do not depend on it") {
  const StraightTarget well(2, 1, 1);
  const StraightTarget bad(2, 1, 1, Manners::leaves);
  Campaign::Config config = campaign_of(bad, {"random"}, 40);
  config.keep_going = true;
  const Verdict verdict = verdict_of(config);
  Campaign::Config of_well = campaign_of(well, {"random"}, 40);
  of_well.keep_going = true;
  const Verdict all = verdict_of(of_well);
  CHECK(verdict.runs == 40);
  CHECK(verdict.lanes[0].lost > 0);
  CHECK(verdict.lanes[0].runs == 40 - verdict.lanes[0].lost);
  CHECK(all.lanes[0].runs == 40);
}

TEST_CASE("a program that needs a process per run gets one, to the same verdict") {
  const StraightTarget together(2, 2, 2);
  const StraightTarget apart(2, 2, 2, Manners::needs_process);
  for (const char* strategy : {"dfs", "random"})
    CHECK(told(verdict_of(campaign_of(apart, {strategy}, 200))) ==
          told(verdict_of(campaign_of(together, {strategy}, 200))));
}

TEST_CASE("a target that cannot be made is a problem before anything runs") {
  const StraightTarget target(2, 1, 1);
  Campaign::Config config = campaign_of(target, {"random"}, 10);
  config.setting.knobs = {"a=b"};
  Campaign campaign(config);
  const auto problem = campaign.prepare();
  REQUIRE(problem);
  CHECK(problem->line() == "counting: counting has no knobs");
}

TEST_CASE("a hunt that is asked to stop keeps what was done") {
  const StraightTarget target(3, 4, 99);
  const ScratchFolder scratch;
  Campaign::Config config = campaign_of(target, {"random"}, 20'000);
  const std::string whole = told(verdict_of(config));
  config.folder = scratch.path();
  int asked = 0;
  config.stop_asked = [&asked] { return ++asked > 40; };
  CHECK(verdict_of(config).end == End::stopped);
  config.stop_asked = [] { return false; };
  CHECK(told(verdict_of(config)) == whole);
}
