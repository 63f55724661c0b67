// Driver libraries as users meet them: what they do wrong is a finding or a problem, never the end of vmbsim.
#include <catch2/catch.hpp>

#include "tests/cli/user.hpp"

using namespace vmbsim::testing;

namespace {

/// Eight echoes through the host driver of that name, built beside the tests.
std::string echo_through(const std::string& library) {
  return R"(schema = 1
name = "through"
packets = 8
[latency]
profile = "zero"
[[channel]]
name = "echo"
driver = "echo"
host_endpoint = { driver = ")" +
         std::string(DRIVER_FOLDER) + "/lib" + library + R"(.so" }
[[workload]]
name = "load"
channel = "echo"
loop = "closed"
think_time = "1us"
request = "64B"
)";
}

Answer run(const std::string& library) {
  const User user;
  user.writes("s.toml", echo_through(library));
  return user.types("vmbsim run s.toml");
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a host driver in C serves the built-in guest driver, and leaves nothing behind") {
  const Answer answer = run("host_good");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 0);
  CHECK(holds(answer.out, "8 transactions"));
}

TEST_CASE("two runs of one driver library are the same run: its statics begin anew") {
  CHECK(run("host_good").fingerprint() == run("host_good").fingerprint());
}

TEST_CASE("a driver's mistake is a finding that ends the run, with the bug check and the place") {
  // Source of the bug checks: WDK, bug check codes: 0xD1 a bad address at DISPATCH_LEVEL, 0x19 a damaged pool header.
  const auto [library, words] = GENERATE(table<std::string, std::string>({
      {"host_crash", "CRASH (bug check 0xD1)"},
      {"host_exit", "EXIT"},
      {"host_loop", "ENDLESS (bug check 0x133)"},
      {"host_pool", "0x19"},
      {"host_leak", "LEAK"},
      {"host_twice", "K51"},
      {"host_entry", "DRIVER"},
      {"host_keep", "K02"},
  }));
  const Answer answer = run(library);
  INFO(library << ": " << answer.out << answer.err);
  CHECK(answer.status == 1);
  CHECK(holds(answer.out, words));
}

TEST_CASE("a scenario says what becomes of a rule's findings") {
  const auto run_with = [](const std::string& setting) {
    const User user;
    user.writes("s.toml", echo_through("host_twice") + "[verifier]\n" + setting + "\n");
    return user.types("vmbsim run s.toml");
  };
  const Answer warning = run_with("K51 = \"warning\"");
  INFO(warning.out << warning.err);
  CHECK(warning.status == 0);
  CHECK(holds(warning.out, "K51 (warning)"));
  CHECK(holds(warning.out, "KMCL DDI, VmbChannelPacketComplete"));
  const Answer off = run_with("K51 = \"off\"");
  CHECK(off.status == 0);
  CHECK_FALSE(holds(off.out, "K51"));
  const Answer unknown = run_with("K511 = \"off\"");
  CHECK(unknown.status == 2);
  CHECK(holds(unknown.err, "K51"));
  const Answer wrong = run_with("K51 = \"fatal\"");
  CHECK(wrong.status == 2);
  CHECK(holds(wrong.err, "error"));
}

TEST_CASE("a driver that asks the time for ever lets none pass, and is stopped") {
  const Answer answer = run("host_poll");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 1);
  CHECK((holds(answer.out, "LIVELOCK") || holds(answer.out, "ENDLESS")));
}

TEST_CASE("a guest driver that refuses to be loaded answers nothing, and the run says so") {
  const User user;
  std::string text = echo_through("host_entry");
  text.replace(text.find("host_endpoint"), 13, "guest_endpoint");
  user.writes("s.toml", text);
  const Answer answer = user.types("vmbsim run s.toml");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 1);
  CHECK(holds(answer.out, "DRIVER"));
  CHECK(holds(answer.out, "STUCK"));
}

TEST_CASE("a bug check ends the run: nothing is unloaded behind it, and nothing is called stuck") {
  // Source: WDK, KeBugCheckEx: the whole system goes down, its drivers are not called again.
  const Answer answer = run("host_bugcheck");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 1);
  CHECK(holds(answer.out, "BUGCHECK (bug check 0xE2)"));
  CHECK_FALSE(holds(answer.out, "STUCK"));
  CHECK(holds(answer.out, "findings: 1\n"));
}

TEST_CASE("a driver that cannot be unloaded: what waits for ever is told") {
  // Source: KMCL DDI, VmbChannelDisable: returns after all packets of the channel were completed.
  const Answer answer = run("host_hold");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 1);
  CHECK(holds(answer.out, "could not be unloaded"));
  CHECK(holds(answer.out, "K32"));
}

TEST_CASE("what a driver printed is shown, and is a result file") {
  const User user;
  user.writes("s.toml", echo_through("host_print"));
  const Answer answer = user.types("vmbsim run s.toml --out o");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 0);
  CHECK(holds(answer.out, "debug output: "));
  CHECK(holds(answer.out, ": packet 1 of 64 bytes\n"));
  CHECK(holds(user.reads("o/debug.txt"), ": packet 8 of 64 bytes\n"));
}

TEST_CASE("the place that crashed is named as addr2line takes it") {
  const Answer answer = run("host_crash");
  INFO(answer.out);
  CHECK(holds(answer.out, "at address 0x8"));
  CHECK(holds(answer.out, "crashed in libhost_crash.so+0x"));
  CHECK(holds(answer.out, "host.cpu0 at dispatch"));
}

TEST_CASE("a driver that trusts its allocations crashes where one of them fails, and one that looks does not") {
  // Source: WDK, ExAllocatePool2: NULL when there is no memory.
  const auto hunts = [](const std::string& library, const std::string& faults) {
    const User user;
    user.writes("s.toml", echo_through(library) + "[hunt]\nfaults = [" + faults + "]\n");
    CHECK(user.types("vmbsim run s.toml").status == 0);
    const Answer answer = user.types("vmbsim hunt s.toml --runs 200 --keep-going");
    INFO(answer.out << answer.err);
    const bool crashed = holds(answer.out, "CRASH (bug check 0xD1): a driver's code crashed in lib" + library);
    if (crashed) CHECK(user.types("vmbsim replay s-CRASH*.repro --times 3").status == 1);
    return crashed;
  };
  CHECK(hunts("host_unchecked", "\"allocation\""));
  CHECK_FALSE(hunts("host_checked", "\"allocation\""));
  CHECK_FALSE(hunts("host_unchecked", ""));
}

TEST_CASE(
    "a host's driver is unloaded when the guests have gone: nobody sends to it any more, however they are delayed") {
  const User user;
  user.writes("s.toml", echo_through("host_good"));
  const Answer answer = user.types("vmbsim hunt s.toml --runs 400");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 0);
}

TEST_CASE("what is no driver library of this version is a problem with its place, found by check") {
  const auto [library, words] = GENERATE(table<std::string, std::string>({
      {"no_entry", "has no DriverEntry"},
      {"unstamped", "was not built by vmbsim_add_driver"},
      {"old", "was built for vmbsim 0.0.1"},
      {"crashes_at_once", "crashes or exits while it is loaded"},
      {"not_there", "there is no such driver library"},
  }));
  const User user;
  user.writes("s.toml", echo_through(library));
  const Answer answer = user.types("vmbsim check s.toml");
  INFO(answer.err);
  CHECK(answer.status == 2);
  CHECK(answer.err.rfind("s.toml:9:", 0) == 0);
  CHECK(holds(answer.err, words));
}

TEST_CASE("a driver has one channel, and no subchannels") {
  const User user;
  std::string text = echo_through("host_good");
  text.insert(text.find("host_endpoint"), "subchannels = 2\n");
  user.writes("s.toml", text);
  const Answer answer = user.types("vmbsim check s.toml");
  CHECK(answer.status == 2);
  CHECK(holds(answer.err, "s.toml:9:"));
}

TEST_CASE("a driver that fails every request ends the run that waits for some to succeed") {
  const User user;
  std::string text = echo_through("host_good");
  text.replace(text.find("[[workload]]"), 0, "guest_endpoint = { driver = \"libecho_guest.so\" }\n");
  user.writes("s.toml", text);
  const Answer answer = user.types("vmbsim run s.toml --set workload.load.request=64KiB");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 1);
  CHECK(holds(answer.out, "IO  at"));
  CHECK(holds(answer.out, "0xc0000206"));
}
