#include <catch2/catch.hpp>

#include "tests/cli/user.hpp"

using namespace vmbsim::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

TEST_CASE(
    "a run that is fine ends with status 0, its first line names scenario, seed and version, and stderr is silent") {
  const User user;
  user.writes("s.toml", small_scenario);
  const Answer answer = user.types("vmbsim run s.toml");
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out, StartsWith("small  seed 1  vmbsim 0.1.0\n"));
  CHECK(answer.err.empty());
}

TEST_CASE("a missed expectation and a finding end with status 1, and the results are told all the same") {
  const User user;
  user.writes("s.toml", small_scenario);
  const Answer missed = user.types("vmbsim run s.toml --set 'expect.\"channel.pipe.latency.mean\"=< 1us'");
  CHECK(missed.status == 1);
  CHECK_THAT(missed.out, Contains("expect"));
  CHECK(!missed.fingerprint().empty());
  const Answer found = user.types("vmbsim run s.toml --set packets=1000000000 --set latency.profile=zero");
  CHECK(found.status == 1);
  CHECK_THAT(found.out, Contains("LIVELOCK  at 0 ns: time stands still"));
}

TEST_CASE("an expectation of what nobody measured is missed, whichever way it asks") {
  const User user;
  user.writes("s.toml", small_scenario);
  for (const char* demand : {"< 1s", ">= 0ns", "= 0ns"}) {
    const Answer answer = user.types(
        "vmbsim run s.toml --set run_for=1ns --set 'expect.\"channel.pipe.latency.p99\"=" + std::string(demand) + "'");
    CAPTURE(demand, answer.err);
    CHECK(answer.status == 1);
    CHECK_THAT(answer.out,
               Contains("missed  channel.pipe.latency.p99 " + std::string(demand) + "  (nothing was measured)"));
  }
}

TEST_CASE("an expectation of something that the run will not have is told before the run, with status 2") {
  const User user;
  user.writes("s.toml", std::string(small_scenario) + "[expect]\n\"processor.host.cpu9.dpc\" = \"< 1\"\n");
  for (const char* command : {"vmbsim check s.toml", "vmbsim run s.toml"}) {
    INFO(command);
    const Answer answer = user.types(command);
    CHECK(answer.status == 2);
    CHECK(answer.out == "");
    CHECK(answer.err ==
          "s.toml:11:29: processor.host.cpu9.dpc = \"< 1\": there is no processor \"host.cpu9\" (did you mean "
          "\"host.cpu0\"?)\n");
  }
}

TEST_CASE("a bad command line is one line on stderr and status 2") {
  struct Row {
    const char* arguments;
    const char* text;
  };
  const auto row = GENERATE(
      Row{"",
          "what is to be done is missing; right would be one of: run, hunt, replay, plan, compare, check, expand, "
          "schema, batch, merge, export, slurm-script; see vmbsim --help"},
      Row{"rnu s.toml", "unknown verb \"rnu\" (did you mean \"run\"?); see vmbsim --help"},
      Row{"run", "SCENARIO is required; see vmbsim --help"}, Row{"check", "SCENARIO is required; see vmbsim --help"},
      Row{"expand", "SCENARIO is required; see vmbsim --help"},
      Row{"run s.toml t.toml", "The following argument was not expected: t.toml; see vmbsim --help"},
      Row{"schema s.toml", "The following argument was not expected: s.toml; see vmbsim --help"},
      Row{"run s.toml --nosuch", "The following argument was not expected: --nosuch; see vmbsim --help"},
      Row{"run s.toml --set", "--set: 1 required KEY=VALUE missing; see vmbsim --help"},
      Row{"run s.toml --out ''", "--out: a name is missing; see vmbsim --help"},
      Row{"run s.toml --out a --out b", "--out: At Most 1 required but received 2; see vmbsim --help"},
      Row{"run s.toml --seed 1 --seed 2", "--seed: At Most 1 required but received 2; see vmbsim --help"},
      Row{"run s.toml --seed -1",
          "--seed: \"-1\" is no seed; right would be a whole number from 0 to 9223372036854775807; see vmbsim --help"},
      Row{"run s.toml --seed 9223372036854775808",
          "--seed: \"9223372036854775808\" is no seed; right would be a whole number from 0 to 9223372036854775807; "
          "see vmbsim "
          "--help"},
      Row{"run s.toml --seed 1x",
          "--seed: \"1x\" is no seed; right would be a whole number from 0 to 9223372036854775807; see vmbsim --help"});
  const User user;
  user.writes("s.toml", small_scenario);
  const Answer answer = user.types(std::string("vmbsim ") + row.arguments);
  CAPTURE(row.arguments);
  CHECK(answer.status == 2);
  CHECK(answer.out.empty());
  CHECK(answer.err == std::string("command line: ") + row.text + "\n");
}

TEST_CASE("an override reaches every kind of key, and changes the run as the same line in the file does") {
  const std::string text = R"(schema = 1
name = "kinds"
run_for = "2ms"
[machine]
guest_cpus = 2
[[channel]]
name = "pipe"
driver = "echo"
[[channel]]
name = "disk"
driver = "storage"
device.service = "100us"
[[workload]]
name = "caller"
channel = "pipe"
think_time = "50us"
[[workload]]
name = "reader"
channel = "disk"
)";
  struct Row {
    const char* set;       // as the user types it
    const char* replaced;  // what the same change is in the file
    const char* by;
  };
  const auto row = GENERATE(
      Row{"workload.reader.queue_depth=8", "channel = \"disk\"", "channel = \"disk\"\nqueue_depth = 8"},
      Row{"workload.1.queue_depth=8", "channel = \"disk\"", "channel = \"disk\"\nqueue_depth = 8"},
      Row{"channel.disk.subchannels=2", "driver = \"storage\"", "driver = \"storage\"\nsubchannels = 2"},
      Row{"channel.disk.ring.to_host=4 pages", "driver = \"storage\"",
          "driver = \"storage\"\nring.to_host = \"4 pages\""},
      Row{"channel.disk.device.service={ exponential = \"50us\" }", "\"100us\"", "{ exponential = \"50us\" }"},
      Row{"latency.signal_host=7us", "[machine]", "[latency]\nsignal_host = \"7us\"\n[machine]"},
      Row{"latency.profile=zero", "[machine]", "[latency]\nprofile = \"zero\"\n[machine]"},
      Row{"workload.reader.request=[{ size = \"4KiB\", weight = 1 }, { size = \"8KiB\", weight = 2 }]",
          "channel = \"disk\"",
          "channel = \"disk\"\nrequest = [{ size = \"4KiB\", weight = 1 }, { size = \"8KiB\", weight = 2 }]"},
      Row{"workload.reader.read_fraction=0.5", "channel = \"disk\"", "channel = \"disk\"\nread_fraction = 0.5"},
      Row{"machine.host_cpus=2", "[machine]", "[machine]\nhost_cpus = 2"}, Row{"run_for=3ms", "\"2ms\"", "\"3ms\""},
      Row{"seed=9", "schema = 1", "schema = 1\nseed = 9"}, Row{"name=other", "\"kinds\"", "\"other\""});
  std::string changed = text;
  changed.replace(changed.find(row.replaced), std::string(row.replaced).size(), row.by);
  const User user;
  user.writes("written.toml", text);
  user.writes("changed.toml", changed);
  CAPTURE(row.set);
  const Answer expanded = user.types(std::string("vmbsim expand written.toml --set '") + row.set + "'");
  CHECK(expanded.status == 0);
  CHECK(expanded.out == user.types("vmbsim expand changed.toml").out);
  CHECK(expanded.out != user.types("vmbsim expand written.toml").out);
  const Answer ran = user.types(std::string("vmbsim run written.toml --set '") + row.set + "'");
  CHECK(ran.status == 0);
  CHECK(ran.fingerprint() == user.types("vmbsim run changed.toml").fingerprint());
}

TEST_CASE("an override of no such place is refused with its number and column") {
  struct Row {
    const char* sets;
    const char* text;
  };
  const auto row = GENERATE(
      Row{"--set foo", "--set:1:1: \"foo\" is no override; write it as in workload.foreground.queue_depth=8\n"},
      Row{"--set =3", "--set:1:1: \"=3\" is no override; write it as in workload.foreground.queue_depth=8\n"},
      Row{"--set packets=4 --set workload.laod.queue_depth=2",
          "--set:2:10: there is no entry \"laod\" (did you mean \"load\"?)\n"},
      Row{"--set workload.7.queue_depth=2", "--set:1:10: there is no entry \"7\"; there are: load\n"},
      Row{"--set workload.load.queue_depth=",
          "--set:1:27: queue_depth = \"\": wrong type: text; right would be a whole number, "
          "without quotes\n"},
      Row{"--set workload.load.queue_dept=2",
          "--set:1:15: unknown key \"queue_dept\" in [[workload]] (did you mean "
          "\"queue_depth\"?)\n"});
  const User user;
  user.writes("s.toml", small_scenario);
  const Answer answer = user.types(std::string("vmbsim run s.toml ") + row.sets);
  CAPTURE(row.sets);
  CHECK(answer.status == 2);
  CHECK(answer.out.empty());
  CHECK(answer.err == row.text);
}

TEST_CASE("the seed of the command line wins over the file and over --set, and every seed is another run") {
  const User user;
  user.writes("s.toml", std::string(small_scenario) + "think_time = { exponential = \"10us\" }\n");
  const std::string seven = user.types("vmbsim run s.toml --seed 7").fingerprint();
  CHECK(user.types("vmbsim run s.toml --set seed=8 --seed 7").fingerprint() == seven);
  CHECK(user.types("vmbsim run s.toml --set seed=7").fingerprint() == seven);
  CHECK(user.types("vmbsim run s.toml").fingerprint() != seven);
  CHECK_THAT(user.types("vmbsim run s.toml --seed 9223372036854775807").out,
             StartsWith("small  seed 9223372036854775807  "));
}

TEST_CASE("check tells the problems of every file it is given, and what each good one amounts to") {
  const User user;
  user.writes("good.toml", small_scenario);
  user.writes("bad.toml", std::string(small_scenario) + "queue_dept = 3\n");
  const Answer answer = user.types("vmbsim check good.toml bad.toml none.toml good.toml");
  CHECK(answer.status == 2);
  CHECK(answer.err ==
        "bad.toml:10:1: unknown key \"queue_dept\" in [[workload]] (did you mean \"queue_depth\"?)\n"
        "none.toml: there is no such file\n");
  const std::string fine = "good.toml: small: fine\n";
  CHECK_THAT(answer.out, StartsWith(fine));
  CHECK(answer.out.find(fine, 1) != std::string::npos);
}

TEST_CASE("the run is the same from another folder, in another locale, from a pipe, and as expanded") {
  const User user;
  const std::string here = user.types("vmbsim run " + shipped("first/10-recorded.toml")).fingerprint();
  REQUIRE(!here.empty());
  CHECK(user.types("cd / && vmbsim run " + shipped("first/10-recorded.toml")).fingerprint() == here);
  CHECK(user.types("cd " + shipped("first") + " && vmbsim run 10-recorded.toml").fingerprint() == here);
  CHECK(
      user.types("LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 vmbsim run " + shipped("first/10-recorded.toml")).fingerprint() ==
      here);
  CHECK(user.types("vmbsim expand " + shipped("first/10-recorded.toml") + " | vmbsim run /dev/stdin").fingerprint() ==
        here);
}

TEST_CASE("run says that it leaves a sweep aside") {
  const User user;
  user.writes("s.toml", std::string(small_scenario) + "[[sweep.axis]]\nkey = \"packets\"\nvalues = [1, 2]\n");
  const Answer answer = user.types("vmbsim run s.toml");
  CHECK(answer.status == 0);
  CHECK(answer.err == "vmbsim: [sweep] is left aside; the file is run as it stands; vmbsim batch runs its points\n");
  CHECK(user.types("vmbsim run /dev/stdin <s.toml").fingerprint() == answer.fingerprint());
  CHECK(user.types("cat s.toml | vmbsim run /dev/stdin").fingerprint() == answer.fingerprint());
}

TEST_CASE("run says that [record] writes nothing without a folder") {
  const User user;
  user.writes("s.toml", std::string(small_scenario) + "[record]\npackets = true\n");
  const Answer answer = user.types("vmbsim run s.toml");
  CHECK(answer.status == 0);
  CHECK(answer.err == "vmbsim: [record] writes its files into the folder that --out names; there is none\n");
  CHECK(user.types("vmbsim run s.toml --out o").err.empty());
}

TEST_CASE("help and version go to stdout") {
  const User user;
  CHECK(user.types("vmbsim --version").out == "0.1.0\n");
  const Answer help = user.types("vmbsim run --help");
  CHECK(help.status == 0);
  CHECK(help.err.empty());
  CHECK_THAT(help.out, Contains("Usage: vmbsim run [OPTIONS] SCENARIO") && Contains("--set KEY=VALUE") &&
                           Contains("--seed N") && Contains("--out DIR"));
}
