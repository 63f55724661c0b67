#include <catch2/catch.hpp>
#include <string>

#include "tests/cli/user.hpp"

using namespace vmbsim::testing;
using Catch::Matchers::Contains;

namespace {

/// A run that takes hours, on a processor alone and on a platform.
std::string endless(bool platform) {
  const std::string end = "[[workload]]\nname = \"load\"\nchannel = \"disk\"\n";
  const std::string begin = "schema = 1\nname = \"endless\"\nrun_for = \"315360000s\"\n[[channel]]\nname = \"disk\"\n";
  if (!platform) return begin + "driver = \"echo\"\n" + end;
  return begin + "driver = \"storage\"\ndevice.disk = \"server:ssd0\"\n" + end +
         "[machine]\nplatform = \"default\"\nhost = \"server\"\n";
}

/// Starts the run, lets it work for a moment, sends the signal and waits.
std::string then_signal(const char* signal) {
  return std::string("\"$VMBSIM\" run s.toml --out o & run=$!; sleep 0.5; kill -") + signal + " $run; wait $run";
}

}  // namespace

TEST_CASE("a run that is stopped leaves no file and says with which status", "[signals]") {
  const bool platform = GENERATE(false, true);
  CAPTURE(platform);
  const User user;
  user.writes("s.toml", endless(platform));
  const Answer terminated = user.types(then_signal("TERM"));
  CHECK(terminated.status == 143);
  CHECK(terminated.out.empty());
  CHECK_THAT(terminated.err, Contains("vmbsim: stopped by SIGTERM; nothing was written\n"));
  CHECK(user.lists("o").empty());
  CHECK(user.types(then_signal("HUP")).status == 129);
  CHECK(user.lists("o").empty());
}

TEST_CASE("results are on the disk before the table is, so a reader that goes away costs nothing") {
  const User user;
  user.writes("s.toml", small_scenario);
  const Answer answer = user.types("{ vmbsim run s.toml --out o; echo $? >status; } | true");
  CHECK(user.reads("status") == "0\n");
  CHECK(user.has("o/summary.json"));
  CHECK(answer.err.empty());
  CHECK(user.types("{ vmbsim schema; echo $? >status; } | head -c 1").out == "{");
  CHECK(user.reads("status") == "0\n");
}

TEST_CASE("what cannot be written to stdout is an error") {
  const char* const verb = GENERATE("run s.toml", "check s.toml", "expand s.toml", "schema", "--help", "--version");
  const User user;
  user.writes("s.toml", small_scenario);
  const Answer full = user.types(std::string("vmbsim ") + verb + " >/dev/full");
  CAPTURE(verb);
  CHECK(full.status == 3);
  CHECK(full.err == "vmbsim: stdout cannot be written: No space left on device\n");
  CHECK(user.types(std::string("vmbsim ") + verb + " >&-").status == 3);
}

TEST_CASE("a disk that fills up while results are written leaves none of them") {
  const User user;
  user.writes("s.toml", small_scenario);
  const Answer answer = user.types("ulimit -f 2; vmbsim run s.toml --out o");
  CHECK(answer.status == 3);
  CHECK_THAT(answer.out, Contains("fingerprint"));
  CHECK_THAT(answer.err, Contains("cannot be written: File too large"));
  CHECK(user.lists("o").empty());
}

TEST_CASE("a folder that cannot take results is found before the run") {
  const User user;
  user.writes("s.toml", endless(false));
  user.writes("file", "mine");
  CHECK(user.types("vmbsim run s.toml --out file").err == "file: cannot be made a folder: Not a directory\n");
  CHECK(user.types("vmbsim run s.toml --out file/below").status == 3);
  CHECK(user.reads("file") == "mine");
  const Answer nowhere = user.types("vmbsim run s.toml --out /proc/self");
  CHECK(nowhere.status == 3);
  CHECK(nowhere.out.empty());
  CHECK_THAT(nowhere.err, Contains("cannot be created: "));
  CHECK(user.types("vmbsim run s.toml --out /proc/nowhere").status == 3);
}

TEST_CASE("completions that simulated time is too short for are a finding, told with how many there were") {
  const User user;
  user.writes("slow.xml",
              "<?xml version=\"1.0\"?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
              "<platform version=\"4.1\"><zone id=\"z\" routing=\"Full\"><host id=\"a\" speed=\"1Gf\">\n"
              "<disk id=\"d\" read_bw=\"0.000001Bps\" write_bw=\"0.000001Bps\"/></host></zone></platform>\n");
  const std::string begin = "schema = 1\nname = \"slow\"\npackets = 200000\n[[channel]]\nname = \"disk\"\n";
  const std::string end = "[[workload]]\nname = \"load\"\nchannel = \"disk\"\n";
  struct Row {
    std::string scenario;
    const char* completions;
  };
  // 9.2e9 s hold 2.2 times the 4.096e9 s of a read at 1e-6 B/s, and 106481 days
  const auto row = GENERATE_COPY(Row{begin + "driver = \"storage\"\ndevice.disk = \"a:d\"\n" + end +
                                         "[machine]\nplatform = \"slow.xml\"\nhost = \"a\"\n",
                                     "2"},
                                 Row{begin + "driver = \"storage\"\ndevice.service = \"86400s\"\n" + end, "106481"},
                                 Row{begin + "driver = \"echo\"\n" + end + "think_time = \"86400s\"\n", "106482"});
  user.writes("s.toml", row.scenario);
  const Answer answer = user.types("vmbsim run s.toml");
  CAPTURE(answer.err);
  CHECK(answer.status == 1);
  CHECK_THAT(answer.out, Contains("END_OF_TIME"));
  CHECK_THAT(answer.out, Contains(std::string("packets = 200000 is not reached: ") + row.completions + " came back"));
}

TEST_CASE("reads that take no time on a way without cost are a livelock, told in seconds") {
  const User user;
  user.writes("fast.xml",
              "<?xml version=\"1.0\"?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
              "<platform version=\"4.1\"><zone id=\"z\" routing=\"Full\"><host id=\"a\" speed=\"1Gf\">\n"
              "<disk id=\"d\" read_bw=\"1e13Bps\" write_bw=\"1e13Bps\"/></host></zone></platform>\n");
  user.writes("s.toml",
              "schema = 1\nname = \"fast\"\nrun_for = \"1s\"\nlatency.profile = \"zero\"\n"
              "[machine]\nplatform = \"fast.xml\"\nhost = \"a\"\n[[channel]]\nname = \"disk\"\ndriver = \"storage\"\n"
              "device.disk = \"a:d\"\n[[workload]]\nname = \"load\"\nchannel = \"disk\"\n");
  const Answer answer = user.types("vmbsim run s.toml");
  CHECK(answer.status == 1);
  CHECK_THAT(answer.out, Contains("LIVELOCK  at 0 ns: time stands still"));
}
