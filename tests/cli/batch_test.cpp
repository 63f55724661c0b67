// Batches as their users meet them: sweeps, stops, shards, tables, and what is refused.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>

#include "tests/cli/user.hpp"

using namespace vmbsim::testing;
using Catch::Matchers::Contains;

namespace {

/// Twelve points of five runs, some milliseconds each.
const std::string study = R"(schema = 1
name = "study"
run_for = "2ms"
[[channel]]
name = "disk"
driver = "storage"
device.service = { exponential = "20us" }
[[workload]]
name = "load"
channel = "disk"
[sweep]
repeat = 5
where = ["workload.load.queue_depth * '4KiB' <= channel.disk.ring.to_host"]
[[sweep.variant]]
name = "slow"
set = { "channel.disk.device.parallel" = 1 }
[[sweep.variant]]
name = "fast"
set = { "channel.disk.device.parallel" = 8 }
[[sweep.axis]]
key = "workload.load.queue_depth"
range = { from = 1, to = 8, factor = 2 }
[[sweep.axis]]
key = "channel.disk.ring.to_host"
values = ["4 pages", "32 pages"]
)";

std::string tables(const std::string& folder) {
  return "vmbsim export " + folder + " --long && vmbsim export " + folder + " --wide && vmbsim export " + folder +
         " --pooled";
}

}  // namespace

TEST_CASE("a study runs with any number of jobs, or in shards, and exports the same bytes") {
  const User user;
  user.writes("study.toml", study);
  const Answer alone = user.types("vmbsim batch study.toml --jobs 1 --progress none");
  CHECK(alone.status == 0);
  CHECK_THAT(alone.out, Contains("70 of 70 runs done"));
  CHECK(alone.err.empty());
  const std::string expected = user.types(tables("study.campaign")).out;
  CHECK_THAT(expected, Contains("scenario,key,variant,channel.disk.device.parallel,workload.load.queue_depth,"
                                "channel.disk.ring.to_host,seed,metric,value,unit\n"));
  CHECK(user.types("vmbsim batch study.toml --jobs 8 --out eight --progress none").status == 0);
  CHECK(user.types(tables("eight")).out == expected);
  const Answer parts = user.types(
      "for i in 4 7 6 1 5 2 3; do vmbsim batch study.toml --shard $i/7 --out part$i --progress none || exit; done; "
      "vmbsim merge part6 part2 part4 part7 part1 part3 part5 --out all");
  CHECK(parts.status == 0);
  CHECK_THAT(parts.out, Contains("70 runs in all\n"));
  CHECK(user.types(tables("all")).out == expected);
  CHECK(user.types("vmbsim merge part6 part2 --out some").status == 1);
  const Answer array = user.types(
      "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=4 vmbsim batch study.toml --shard auto "
      "--out "
      "task --progress none; ls task/*.sqlite");
  CHECK_THAT(array.out, Contains("task/shard-3-of-4.sqlite"));
}

TEST_CASE("a run of a study is the run of its scenario with the same settings and seed") {
  const User user;
  user.writes("study.toml", study);
  const Answer batch = user.types(
      "vmbsim batch study.toml --only variant=fast --only workload.load.queue_depth=8 --progress none && vmbsim export "
      "study.campaign --wide");
  const Answer alone = user.types(
      "vmbsim run study.toml --seed 3 --set channel.disk.device.parallel=8 --set workload.load.queue_depth=8 --set "
      "'channel.disk.ring.to_host=32 pages'");
  CHECK(alone.status == 0);
  CHECK_THAT(batch.out, Contains("5 of 5 runs done") && Contains(alone.fingerprint()));
}

TEST_CASE("a study that is stopped keeps what is finished and goes on when it is run again", "[signals]") {
  const User user;
  user.writes("study.toml", study);
  const char* const signal = GENERATE("TERM", "INT");
  CAPTURE(signal);
  const Answer stopped = user.types(
      std::string(
          "(trap - INT; exec \"$VMBSIM\" batch study.toml --jobs 2 --set run_for=200ms --progress json) & run=$!; "
          "while ! ls study.campaign/*.sqlite >o 2>&1 || [ $(stat -c %s study.campaign/*.sqlite) -lt 60000 ]; do sleep "
          "0.02; done; sleep 0.3; kill -") +
      signal + " $run; wait $run");
  CHECK(stopped.status == 143);
  CHECK_THAT(stopped.out,
             Contains("stopped; run it again to go on: vmbsim batch study.toml --jobs 2 --set run_for=200ms"));
  CHECK_THAT(stopped.err, Contains("\"planned\":70"));
  const Answer rest = user.types("vmbsim batch study.toml --set run_for=200ms --progress none");
  CHECK(rest.status == 0);
  CHECK_THAT(rest.out, Contains("70 of 70 runs done (") && Contains(" before)"));
}

TEST_CASE("a study that was changed is not mixed with what was run before") {
  const User user;
  user.writes("study.toml", study);
  CHECK(user.types("vmbsim batch study.toml --progress none").status == 0);
  const Answer other = user.types("vmbsim batch study.toml --set run_for=3ms");
  CHECK(other.status == 2);
  CHECK_THAT(other.err,
             Contains("study.campaign/shard-1-of-1.sqlite: holds runs of this scenario with other settings, or "
                      "other contents of its files; name another folder with --out, or remove this one\n"));
  // More of the same is no other study.
  user.writes("more.toml", std::string(study).replace(study.find("repeat = 5"), 10, "repeat = 6"));
  const Answer more = user.types("vmbsim batch more.toml --out study.campaign --progress none");
  CHECK(more.status == 0);
  CHECK_THAT(more.out, Contains("84 of 84 runs done (70 before)"));
}

TEST_CASE("a study in another folder has the same keys, and one whose trace changed has others") {
  const User user;
  const std::string traced =
      "schema = 1\nname = \"t\"\n[[channel]]\nname = \"disk\"\ndriver = \"echo\"\n[[workload]]\n"
      "name = \"load\"\nchannel = \"disk\"\nloop = \"trace\"\n"
      "trace = { file = \"t.csv\", format = \"csv\", arrival = \"at\", size = \"size\" }\n"
      "[sweep]\nrepeat = 2\n";
  user.types("mkdir a b");
  for (const char* folder : {"a/", "b/"}) {
    user.writes(std::string(folder) + "t.toml", traced);
    user.writes(std::string(folder) + "t.csv", "at,size\n0,4096\n1000,4096\n");
  }
  const Answer first = user.types("vmbsim batch a/t.toml --out a/o --progress none");
  CHECK(first.status == 0);
  CHECK(first.err.empty());
  user.types("vmbsim batch b/t.toml --out b/o --progress none");
  CHECK(user.types("vmbsim export a/o --long").out == user.types("vmbsim export b/o --long").out);
  user.writes("a/t.csv", "at,size\n0,4096\n2000,4096\n");
  CHECK(user.types("vmbsim batch a/t.toml --out a/o --progress none").status == 2);
}

TEST_CASE("a study with an expectation that some run misses ends with status 1, and tells why in the run's log") {
  const User user;
  user.writes("study.toml", study + "[expect]\n\"channel.disk.latency.p99\" = \"< 40us\"\n");
  const Answer answer = user.types("vmbsim batch study.toml --only workload.load.queue_depth=1 --progress none");
  CHECK(answer.status == 1);
  CHECK_THAT(answer.out, Contains("with an expectation not met or a rule broken"));
  CHECK_THAT(user.types("cat study.campaign/logs/*").out, Contains("not met: channel.disk.latency.p99 < 40us (is "));
}

TEST_CASE("check tells how many runs a study has and what they take, from parts of some, and keeps nothing") {
  const User user;
  user.writes("study.toml", study);
  const Answer before = user.types("vmbsim check study.toml");
  CHECK(before.status == 0);
  CHECK_THAT(before.out, Contains("  sweep     14 points x 5 seeds; run takes the scenario as it stands\n"));
  CHECK_THAT(before.out, Contains("  batch     70 runs, about ") && Contains(" of store and about ") &&
                             Contains(" of one processor, as parts of 3 runs took\n"));
  CHECK(user.lists(".") == "study.toml\n");
  user.types("vmbsim batch study.toml --only variant=fast --progress none");
  CHECK_THAT(
      user.types("vmbsim check study.toml").out,
      Contains("  batch     70 runs, about ") && Contains(" of one processor, as the 35 runs in study.campaign took"));
}

TEST_CASE("check does not wait for long runs") {
  const User user;
  user.writes("long.toml", std::string(study).replace(study.find("run_for = \"2ms\""), 15, "run_for = \"36000s\""));
  const Answer answer = user.types("timeout 20 \"$VMBSIM\" check long.toml");
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out, Contains(" of store and about ") && Contains(" h of one processor"));
}

TEST_CASE("batch shows what [report] asks for at its end, and again when nothing is left to run") {
  const User user;
  user.writes("study.toml",
              study + "[report]\nrows = [\"throughput\", \"latency.p99\"]\nagainst = \"workload.load.queue_depth\"\n");
  const Answer answer = user.types("vmbsim batch study.toml --progress none --only variant=fast");
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out, Contains("\n\nof all 35 runs in study.campaign:\nvariant = fast, channel.disk.device.parallel "
                                  "= 8, channel.disk.ring.to_host = 4 pages\n"
                                  "workload.load.queue_depth "));
  CHECK_THAT(answer.out, Contains("\nchannel.disk.throughput  ") && Contains("\nchannel.disk.latency.p99  "));
  const Answer again = user.types("vmbsim batch study.toml --progress none --only variant=fast");
  const auto table = [](const Answer& a) { return a.out.substr(a.out.find("\n\n")); };
  CHECK(table(again) == table(answer));
}

TEST_CASE("what a report is of is said: of all in the folder, also after a part") {
  const User user;
  user.writes("study.toml", study + "[report]\nrows = [\"throughput\"]\n");
  REQUIRE(user.types("vmbsim batch study.toml --progress none").status == 0);
  const Answer part = user.types("vmbsim batch study.toml --progress none --only variant=fast");
  CHECK_THAT(part.out, Contains("35 of 35 runs done") && Contains("\nof all 70 runs in study.campaign:\nvariant = ") &&
                           Contains("variant = slow"));
}

TEST_CASE("a part of a sweep is merged as a part: what of the whole is missing is told") {
  const User user;
  user.writes("study.toml", study);
  REQUIRE(user.types("vmbsim batch study.toml --progress none --only variant=fast --out part").status == 0);
  const Answer part = user.types("vmbsim merge part --out some");
  CHECK(part.status == 1);
  CHECK(part.out == "35 runs in some; 35 of the sweep are missing\n");
  REQUIRE(user.types("vmbsim batch study.toml --progress none --out part").status == 0);
  REQUIRE(user.types("vmbsim batch study.toml --progress none --only variant=fast --out part").status == 0);
  const Answer whole = user.types("vmbsim merge part --out all");
  CHECK(whole.status == 0);
  CHECK(whole.out == "70 runs in all\n");
}

TEST_CASE("a task of a cluster that would have nothing to do is told") {
  const User user;
  user.writes("study.toml", study);
  const Answer many = user.types("vmbsim slurm-script study.toml --tasks 100");
  CHECK(many.status == 0);
  CHECK(many.err == "vmbsim: 100 tasks for 70 runs: 30 would have nothing to do; right would be --tasks 70 or fewer\n");
  CHECK(user.types("vmbsim slurm-script study.toml --tasks 70").err.empty());
}

// Each with its place: file:line:column.
TEST_CASE("a sweep that is no sweep is told where it stands") {
  const User user;
  const std::string head =
      "schema = 1\nname = \"s\"\nrun_for = \"1ms\"\n[[channel]]\nname = \"disk\"\ndriver = \"echo\"\n"
      "[[workload]]\nname = \"load\"\nchannel = \"disk\"\n[sweep]\n";  // ten lines
  struct Row {
    const char* sweep;
    const char* said;
  };
  for (const Row& row : {
           Row{"[[sweep.axis]]\nkey = \"workload.load.queue_dept\"\nvalues = [1]\n",
               "s.toml:11:1: [sweep]: the point workload.load.queue_dept=1: "},
           Row{"[[sweep.axis]]\nkey = \"workload.load.queue_depth\"\nvalues = []\n", "s.toml:13:10: "},
           Row{"where = [\"workload.load.queue_depth > 9\"]\n[[sweep.axis]]\nkey = \"workload.load.queue_depth\"\n"
               "values = [1, 2]\n",
               "s.toml:11:10: [sweep]: no point fulfils every constraint"},
           Row{"repeat = 100\n[[sweep.axis]]\nkey = \"workload.load.queue_depth\"\nrange = { from = 1, to = 1000, step "
               "= 1 "
               "}\n[[sweep.axis]]\nkey = \"channel.disk.ring.to_host\"\nrange = { from = \"4 pages\", to = \"103 "
               "pages\", "
               "step = \"1 pages\" }\n",
               "s.toml:12:1: [sweep]: 10000000 runs are more than 100000; sweep.most_runs raises the limit"},
           Row{"[[sweep.axis]]\nkey = \"workload.load.queue_depth\"\nrange = { from = 4, to = 1 }\n", "s.toml:13:"},
           Row{"[[sweep.axis]]\nkey = \"workload.load.queue_depth\"\nvalues = [1, 1]\n",
               "s.toml:13:14: [sweep]: the value 1 stands twice"},
           Row{"[[sweep.axis]]\nkey = \"channel.disk.ring.to_host\"\nvalues = [\"64KiB\", \"16 pages\"]\n",
               "s.toml:13:20: [sweep]: the value \"16 pages\" stands twice, once as \"64KiB\""},
           Row{"[[sweep.axis]]\nkey = \"workload.load.think_time\"\nvalues = [{ exponential = \"1ms\" }, { exponential "
               "= "
               "\"1000us\" }]\n",
               "s.toml:13:36: [sweep]: the points "},
           Row{"[[sweep.variant]]\nname = \"a\"\nset = { \"workload.load.queue_depth\" = 4 }\n[[sweep.variant]]\nname "
               "= "
               "\"b\"\nset = { \"workload.load.queue_depth\" = 4 }\n",
               "s.toml:14:1: [sweep]: the points variant=a, workload.load.queue_depth=4 and variant=b, "
               "workload.load.queue_depth=4 come to the same scenario; right would be one of them"},
           Row{"[[sweep.axis]]\nkey = \"sweep.repeat\"\nvalues = [1, 2]\n", "s.toml:12:7: key"},
           Row{"[[sweep.axis]]\nkey = [\"workload.load.queue_depth\", \"report.against\"]\nvalues = [1]\n",
               "s.toml:12:7: key"},
           Row{"[[sweep.variant]]\nname = \"a\"\nset = { \"plan.confidence\" = 0.9 }\n", "s.toml:13:"},
           Row{"repeat = 0\n", "s.toml:11:10: "},
           Row{"combine = \"sum\"\n", "s.toml:11:11: "},
       }) {
    CAPTURE(row.sweep);
    user.writes("s.toml", head + row.sweep);
    for (const char* verb : {"batch", "check", "slurm-script --tasks 2"}) {
      CAPTURE(verb);
      const Answer answer = user.types(std::string("vmbsim ") + verb + " s.toml");
      CHECK(answer.status == 2);
      CHECK_THAT(answer.err, Catch::Matchers::StartsWith(row.said));
      CHECK(std::count(answer.err.begin(), answer.err.end(), '\n') == 1);
    }
  }
  CHECK(user.lists(".") == "s.toml\n");
}

TEST_CASE("what a batch cannot do is told with status 2") {
  const User user;
  user.writes("study.toml", study);
  user.writes("wide.toml", study +
                               "[[sweep.axis]]\nkey = \"workload.load.think_time\"\nrange = { from = \"1us\", to = "
                               "\"10ms\", step = \"1us\" }\n");
  struct Row {
    const char* line;
    const char* said;
  };
  for (const Row& row :
       {Row{"batch study.toml --shard 8/7", "--shard: \"8/7\": there are 7 shards; right would be 1/7 to 7/7"},
        Row{"batch study.toml --shard auto",
            "--shard: \"auto\": nothing in the environment tells a task of Slurm, Grid Engine, PBS or MPI; right would "
            "be "
            "I/N here, as in 1/8, or auto in a job of an array"},
        Row{"batch study.toml --progress fast", "--progress: \"fast\": right would be one of"},
        Row{"batch study.toml --time-limit 5", "--time-limit: missing unit"},
        Row{"batch study.toml --memory-limit much", "--memory-limit: "},
        Row{"batch study.toml --only variant=quick", "--only: \"variant\" never is quick; it is: slow, fast"},
        Row{"batch wide.toml", "sweep.most_runs raises the limit"},
        Row{"check wide.toml", "sweep.most_runs raises the limit"}, Row{"batch study.toml --jobs 0", "--jobs"},
        Row{"batch no.toml", "no.toml"}, Row{"export nowhere --long", "nowhere: holds no runs of a batch"},
        Row{"export study.toml --long --wide", "command line: "},
        Row{"merge nowhere --out all", "nowhere: holds no runs of a batch"},
        Row{"merge . --out .", ".: is one of the folders that are merged; right would be a folder of its own"},
        Row{"slurm-script study.toml", "--tasks"},
        Row{"batch study.toml --set 'sweep.where=[\"a < 1\"]'", "\"a\" has no value at every point"},
        Row{"batch study.toml --set 'sweep.axis=[{ key = \"workload.load.queue_dept\", values = [1] }]' --set "
            "'sweep.where=[]'",
            "[sweep]: the point "}}) {
    CAPTURE(row.line);
    const Answer answer = user.types(std::string("vmbsim ") + row.line);
    CHECK(answer.status == 2);
    CHECK_THAT(answer.err, Contains(row.said));
    CHECK(answer.out.empty());
  }
  CHECK(user.lists(".") == "study.toml\nwide.toml\n");
}
