#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/user.hpp"
#include "tests/support/command.hpp"
#include "tests/support/perfetto.hpp"

using namespace vmbsim::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::string harness(const std::string& name) { return quoted(std::string(HARNESSES) + "/" + name + ".so"); }

}  // namespace

TEST_CASE("a hunt finds the lost update, says the story, and the file that it writes replays") {
  const User user;
  const Answer hunt = user.types("vmbsim hunt " + harness("lost_update") + " --seed 3");
  CAPTURE(hunt.err);
  CHECK(hunt.status == 1);
  CHECK_THAT(hunt.out, StartsWith("hunt in ") && Contains("seed 3") && Contains("vmbsim "));
  CHECK_THAT(hunt.out,
             Contains("CHECK") && Contains("The critical choice") && Contains("vmbsim replay lost_update-CHECK.repro"));
  REQUIRE(user.has("lost_update-CHECK.repro"));
  CHECK(user.reads("lost_update-CHECK.repro").size() < 1024);

  const Answer replay = user.types("vmbsim replay lost_update-CHECK.repro --times 100 --trace t.pftrace --dot g.dot");
  CAPTURE(replay.err);
  CHECK(replay.status == 1);
  CHECK_THAT(replay.out, Contains("both were counted") && Contains("the same 100 times"));
  CHECK_THAT(user.reads("g.dot"), StartsWith("digraph run {") && Contains("style = dashed"));
  if (!has_protoc()) {
    WARN("skipped: no protoc");
    return;
  }
  const auto events = events_of(decoded(user.reads("t.pftrace"), VMBSIM_SOURCE_DIR "/tests/support"));
  CHECK(wrong_nesting(events).empty());
  CHECK(events.size() >= 8);
}

TEST_CASE("the verdict of a hunt does not depend on the number of its processes") {
  const User user;
  const std::string hunt =
      "vmbsim hunt " + harness("lost_update") + " --strategy random --runs 300 --keep-going --out ";
  const Answer one = user.types(hunt + "one --jobs 1");
  CHECK(one.status == 1);
  CHECK(user.types(hunt + "four --jobs 4").status == 1);
  CHECK(user.reads("one/hunt.json") == user.reads("four/hunt.json"));
  CHECK(user.reads("one/lost_update-CHECK.repro") == user.reads("four/lost_update-CHECK.repro"));
  const auto json = nlohmann::json::parse(user.reads("one/hunt.json"));
  CHECK(json["runs"] == 300);
  CHECK(json["finds"][0]["rule"] == "CHECK");
}

TEST_CASE("hunts refuse what they cannot take") {
  const User user;
  user.writes("s.toml", small_scenario);
  user.writes("x.so", "no library");
  CHECK(user.types("vmbsim hunt x.so").status == 2);
  CHECK_THAT(user.types("vmbsim hunt missing.so").err, Contains("missing.so: "));
  CHECK_THAT(user.types("vmbsim hunt s.toml --strategy guess").err,
             Contains("\"guess\" is no strategy; right would be one of: random"));
  CHECK_THAT(user.types("vmbsim hunt s.toml --shard 5/4").err, Contains("\"5/4\" is no part"));
  CHECK(user.types("vmbsim hunt s.toml --memory rmo").status == 2);
  CHECK(user.types("vmbsim hunt s.toml --runs 99999999999999999999").status == 2);
  user.types("mkdir folder.so; mkfifo pipe.so");
  CHECK(user.types("vmbsim hunt ./folder.so").err == "./folder.so: this is a folder, not a file\n");
  CHECK(user.types("vmbsim hunt ./pipe.so").err == "./pipe.so: this is a pipe, not a file\n");
  CHECK_THAT(user.types("vmbsim hunt " + harness("lost_update") + " --set a=1").err, Contains("a harness has no keys"));
}

TEST_CASE("the help of hunts names every strategy") {
  const User user;
  CHECK_THAT(user.types("vmbsim hunt --help").out, Contains("\n  odpor       ") && Contains("\n  pct3        "));
}

TEST_CASE("a healthy scenario is hunted in to the end of its runs") {
  const User user;
  user.writes("s.toml", small_scenario);
  const Answer hunt = user.types("vmbsim hunt s.toml --runs 64 --out o");
  CAPTURE(hunt.out, hunt.err);
  CHECK(hunt.status == 0);
  CHECK_THAT(hunt.out, Contains("no proof: nothing found in 64 runs\n") && Contains("  unseen "));
  const Answer again = user.types("vmbsim hunt s.toml --runs 64 --out o");
  CHECK(again.out == hunt.out);
  const Answer other = user.types("vmbsim hunt s.toml --runs 64 --seed 9 --out o");
  CHECK(other.status == 2);
  CHECK_THAT(other.err, Contains("belongs to another hunt: seed 1 there, 9 here; name another folder, or") &&
                            Contains("--restart"));
  const std::string before = user.reads("o/hunt.json");
  const Answer anew = user.types("vmbsim hunt s.toml --runs 64 --seed 9 --out o --restart");
  CHECK(anew.status == 0);
  CHECK(anew.err == "vmbsim: what o held of an earlier hunt is in o.1 now\n");
  CHECK(user.reads("o.1/hunt.json") == before);
  CHECK(user.reads("o/hunt.json") != before);
  CHECK(user.types("vmbsim hunt s.toml --restart").status == 2);  // of what?
  CHECK_THAT(user.types("cd o && \"$VMBSIM\" hunt ../s.toml --out . --restart").err, Contains("from within"));
}

TEST_CASE("a harness that sleeps is a find with its schedule, and the hunt ends") {
  const User user;
  const Answer hunt = user.types("vmbsim hunt " + harness("sleeps") + " --strategy dfs --patience 1 --shrink-time 1");
  CAPTURE(hunt.out, hunt.err);
  CHECK(hunt.status == 1);
  CHECK_THAT(hunt.out,
             Contains("the harness sleeps, or waits for the system, as a std mutex does, without coming to a step; "
                      "threads that wait for one another do so by the locks and events of vmbsim/hunt.hpp") &&
                 Contains("store word = 2") && Contains("  where   cpu"));
  // Any order sleeps, and a re-run takes longer than the time that there is.
  CHECK_THAT(hunt.out, Contains("\nThe critical choice was not looked for to the end: ") &&
                           Contains("given up after 1 s; --shrink-time gives it more.\n"));
  CHECK(user.has("sleeps-ENDLESS.repro"));
}

TEST_CASE("a loop is told with its thread, though it is seldom met in the harness's own code") {
  const User user;
  for (const std::string loop :
       {"for (;;) delete new int;", "for (;;) std::ostringstream() << std::string(100, '.') << 5;",
        "word.await([](int seen) { for (volatile int i = seen;;) i = i; return true; });"}) {
    user.writes("loops.cpp", R"(#include "vmbsim/hunt.hpp"
#include <sstream>
#include <string>
using namespace vmbsim::hunt;
VMBSIM_HARNESS("loops") {
  auto& word = make<Shared<int>>("word");
  thread("good", [&] { word.store(1); });
  thread("bad", [&] { )" + loop + R"( });
}
)");
    REQUIRE(user.types(std::string(CXX " -std=c++20 -shared -fPIC -I ") + quoted(VMBSIM_SOURCE_DIR "/include") +
                       " loops.cpp -o loops.so")
                .status == 0);
    const Answer hunt = user.types("vmbsim hunt ./loops.so --strategy dfs --patience 1 --shrink-time 1");
    CAPTURE(loop, hunt.out, hunt.err);
    CHECK_THAT(hunt.out, Contains("ENDLESS (bug check 0x133): the harness runs and runs without coming to a step\n"
                                  "  where   cpu1 at passive, bad") &&
                             !Contains("does not come again"));
  }
}

TEST_CASE("a step may take as long as --patience says") {
  const User user;
  user.writes("slow.cpp", R"(#include "vmbsim/hunt.hpp"
#include <ctime>
using namespace vmbsim::hunt;
VMBSIM_HARNESS("slow") {
  auto& word = make<Shared<int>>("word");
  thread("one", [&] {
    word.store(1);
    for (const auto begin = std::clock(); std::clock() - begin < 6.5 * CLOCKS_PER_SEC;)
      for (volatile int i = 0; i < 10'000'000;) i = i + 1;
    word.store(2);
  });
}
)");
  REQUIRE(user.types(std::string(CXX " -std=c++20 -shared -fPIC -I ") + quoted(VMBSIM_SOURCE_DIR "/include") +
                     " slow.cpp -o slow.so")
              .status == 0);
  const Answer hunt = user.types("vmbsim hunt ./slow.so --strategy random --runs 1");
  CAPTURE(hunt.out, hunt.err);
  CHECK(hunt.status == 0);
}

TEST_CASE("a harness's source means the library beside it, then vmbsim's own, and is told how it is built") {
  const User user;
  const std::string lost_update = user.reads(VMBSIM_SOURCE_DIR "/tests/hunt/harnesses/lost_update.cpp");
  user.types("mkdir mine");
  user.writes("mine/other.cpp", lost_update);
  const Answer unbuilt = user.types("vmbsim hunt mine/other.cpp");
  CHECK(unbuilt.status == 2);
  CHECK_THAT(unbuilt.err, StartsWith("mine/other.cpp: is not built yet: g++ -std=c++20 -shared -fPIC -I ") &&
                              Contains(" mine/other.cpp -o mine/other.so makes its library"));
  // The line is one to type.
  const std::size_t from = unbuilt.err.find("g++ ");
  const std::string line = unbuilt.err.substr(from, unbuilt.err.find(" makes its") - from);
  REQUIRE(user.types(line).status == 0);
  const Answer found = user.types("vmbsim hunt mine/other.cpp --strategy dfs");
  CAPTURE(found.out, found.err);
  CHECK(found.status == 1);
  CHECK_THAT(found.out, StartsWith("hunt in mine/other.so, "));
  CHECK(found.err.empty());
  user.types("touch -d '1 hour' mine/other.cpp");
  CHECK_THAT(user.types("vmbsim hunt mine/other.cpp --strategy dfs").err,
             Contains("mine/other.cpp is newer than mine/other.so"));
  // One of vmbsim's own, whose source is elsewhere; one that nobody knows.
  CHECK_THAT(user.types("vmbsim hunt " + shipped("hunts/classic/account.cpp") + " --runs 1").out,
             Contains("/hunts/account.so"));
  const std::string kinds =
      ": there is no such file; right would be a scenario (.toml), a harness's library (.so), or the source that it "
      "was "
      "built from (.cpp, .c)";
  CHECK(user.types("vmbsim hunt nowhere.cpp").err == "nowhere.cpp" + kinds + "\n");
  CHECK(user.types("vmbsim hunt nowhere/x.so").err == "nowhere/x.so" + kinds + "\n");
  for (const std::string name : {"lost-doorbell", "lost-dorbell.cpp", "hunts/lost-doorbel.so"})
    CHECK(user.types("vmbsim hunt " + name).err ==
          name + kinds + "; vmbsim has a harness lost-doorbell.so of its own: vmbsim hunt lost-doorbell.so\n");
  CHECK(user.types("vmbsim hunt mine/othr.cpp").err ==
        "mine/othr.cpp" + kinds + "; did you mean \"mine/other.cpp\"?\n");
}

TEST_CASE("verbs that run scenarios say of a harness what takes it") {
  const User user;
  user.writes("x.cpp", "// a harness");
  for (const std::string verb : {"run", "check", "plan", "batch", "expand"})
    CHECK(user.types("vmbsim " + verb + " x.cpp").err ==
          "x.cpp: names a harness, and this takes a scenario (.toml): vmbsim hunt takes either\n");
}

TEST_CASE("a repro is replayed from wherever its target can be found, and says how to name it elsewhere") {
  const User user;
  user.types("mkdir -p work/built work/deep/down away && cp " + harness("lost_update") + " work/built/x.so");
  REQUIRE(user.types("cd work && \"$VMBSIM\" hunt built/x.so --strategy dfs --out found").status == 1);
  const std::string replay = "\"$VMBSIM\" replay ";
  CHECK(user.types("cd work && " + replay + "found/x-CHECK.repro").status == 1);
  CHECK(user.types(replay + "work/found/x-CHECK.repro").status == 1);
  CHECK(user.types("cd work/deep/down && " + replay + "../../found/x-CHECK.repro").status == 1);
  user.types("cp work/found/x-CHECK.repro away");
  const Answer lost = user.types(replay + "away/x-CHECK.repro");
  CHECK(lost.status == 2);
  CHECK(lost.err ==
        "away/x-CHECK.repro: is of the harness built/x.so, which is neither there, nor beside this file or above it; "
        "--target FILE says where it is\n");
  CHECK(user.types(replay + "away/x-CHECK.repro --target work/built/x.so").status == 1);
  user.types("cp work/built/x.so away");
  CHECK(user.types(replay + "away/x-CHECK.repro").status == 1);
}

TEST_CASE("a repro that is corrupt, of another version or of another binary is refused") {
  const User user;
  user.types("cp " + harness("lost_update") + " x.so");
  REQUIRE(user.types("vmbsim hunt x.so --strategy dfs").status == 1);
  const std::string repro = user.reads("x-CHECK.repro");
  user.writes("cut.repro", repro.substr(0, repro.size() / 2));
  CHECK(user.types("vmbsim replay cut.repro").status == 2);
  CHECK(user.types("vmbsim replay missing.repro").status == 2);
  CHECK(user.types("vmbsim replay x-CHECK.repro").status == 1);
  user.types("cp " + harness("in_c") + " x.so");
  const Answer other = user.types("vmbsim replay x-CHECK.repro");
  CHECK(other.status == 2);
  CHECK_THAT(other.err, Contains("with content ") && Contains("has content "));
}

TEST_CASE("a repro replays on every build of the same sources, and on no other") {
  const User user;
  REQUIRE(user.types("vmbsim hunt " + harness("lost_update") + " --strategy dfs").status == 1);
  CHECK(user.types("! cmp -s " + harness("lost_update") + " " + harness("lost_update_unoptimised")).status == 0);
  const Answer again =
      user.types("vmbsim replay lost_update-CHECK.repro --target " + harness("lost_update_unoptimised"));
  CAPTURE(again.err);
  CHECK(again.status == 1);
  CHECK_THAT(again.out, Contains("both were counted"));
  const Answer other = user.types("vmbsim replay lost_update-CHECK.repro --target " + harness("lost_update_defined"));
  CHECK(other.status == 2);
  CHECK_THAT(other.err, Contains("with content ") && Contains("has content "));
}

TEST_CASE("a harness that was built by hand is known by its library") {
  const User user;
  const std::string build = std::string(CXX " -std=c++20 -Wall -Wextra -Werror -shared -fPIC -I ") +
                            quoted(VMBSIM_SOURCE_DIR "/include") + " " +
                            quoted(VMBSIM_SOURCE_DIR "/tests/hunt/harnesses/lost_update.cpp") + " -o x.so";
  REQUIRE(user.types(build + " -O1").status == 0);
  REQUIRE(user.types("vmbsim hunt ./x.so --strategy dfs").status == 1);
  CHECK(user.types("vmbsim replay x-CHECK.repro").status == 1);
  REQUIRE(user.types(build + " -O0").status == 0);
  CHECK(user.types("vmbsim replay x-CHECK.repro").status == 2);
  CHECK(user.types("vmbsim replay x-CHECK.repro --follow").status == 1);
}

TEST_CASE("a repro is followed to the threads that it names, wherever others were put") {
  const User user;
  const auto built = [&user](const std::string& before) {
    user.writes("x.cpp", R"(#include "vmbsim/hunt.hpp"
using namespace vmbsim::hunt;
VMBSIM_HARNESS("x") {
  auto& count = make<Shared<int>>("count");
)" + before + R"(
  for (const char* name : {"a", "b"}) thread(name, [&] { count.store(count.load() + 1); });
  at_end([&] { check(count.peek() == 2, "both were counted"); });
}
)");
    return user.types(std::string(CXX " -std=c++20 -shared -fPIC -I ") + quoted(VMBSIM_SOURCE_DIR "/include") +
                      " x.cpp -o x.so")
               .status == 0;
  };
  REQUIRE(built(""));
  REQUIRE(user.types("vmbsim hunt x.so --strategy dfs").status == 1);
  CHECK_THAT(user.reads("x-CHECK.repro"), Contains("\nactor 1 0 b\n"));
  REQUIRE(built(R"(auto& never = make<Semaphore>("never", 0);
  for (int i = 0; i < 3; ++i) thread("another", [&] { never.acquire(); }, {.daemon = true});)"));
  const Answer again = user.types("vmbsim replay x-CHECK.repro --follow");
  CAPTURE(again.out, again.err);
  CHECK(again.status == 1);
  CHECK_THAT(again.out,
             StartsWith("CHECK: both were counted") && Contains("followed 1 of 1 departures in x.so; what came"));
}

TEST_CASE("a planted bug is expected, and a hunt that does not find it fails") {
  const User user;
  const std::string hunt = "vmbsim hunt " + shipped("hunts/vmbus/one-packet-a-pass.toml") + " --strategy random ";
  const Answer found = user.types(hunt + "--runs 2000 --out o");
  CAPTURE(found.out, found.err);
  CHECK(found.status == 1);
  CHECK_THAT(found.out, Contains("is what was expected"));
  const auto json = nlohmann::json::parse(user.reads("o/hunt.json"));
  CHECK(json["expected"] == json["finds"][0]["rule"]);
  // The run goes on after the finding, and its story ends there.
  CHECK_THAT(found.out, Contains("\n*") && Contains("time in us"));
  const Answer none = user.types(hunt + "--runs 1 --set hunt.events=20");
  CHECK(none.status == 1);
  CHECK_THAT(none.out, Contains("expected " + json["expected"].get<std::string>() + ", which was not found"));
  const Answer other = user.types(hunt + "--runs 2000 --set hunt.expect='\"K59\"'");
  CHECK(other.status == 1);
  CHECK_THAT(other.out, Contains("expected K59, and found something else"));
  // Nothing is planted in the twin, and nothing expected of it.
  CHECK(user.types(hunt + "--runs 20 --set hunt.plant='\"\"'").status == 0);
}

TEST_CASE("the driver in the README of hunts is built and hunted in as it stands there") {
  const User user;
  const std::string page = user.reads(VMBSIM_SOURCE_DIR "/scenarios/hunts/README.md");
  const auto block = [&page](std::size_t from, const std::string& fence) {
    const std::size_t begin = page.find(fence, from) + fence.size();
    return std::pair(page.substr(begin, page.find("```\n", begin) - begin), begin);
  };
  const auto [source, at] = block(page.find("`requests.cpp`: "), "```cpp\n");
  user.writes("requests.cpp", source);
  std::istringstream commands(block(at, "```sh\n").first);
  std::string out;
  for (std::string line; std::getline(commands, line);) {
    const std::string command = line.substr(0, line.find("  #"));
    const auto with = [&](const std::string& typed, const std::string& here) {
      const std::size_t place = command.find(typed);
      return place == std::string::npos ? std::string()
                                        : command.substr(0, place) + here + command.substr(place + typed.size());
    };
    std::string here = with("-I include", "-Wall -Wextra -Werror -I " + quoted(VMBSIM_SOURCE_DIR "/include"));
    if (here.empty()) here = with("build/release/vmbsim", "vmbsim");
    INFO(here);
    const Answer answer = user.types(here);
    INFO(answer.out << answer.err);
    const std::size_t said = line.find("status ");
    if (said != std::string::npos) CHECK(answer.status == line[said + 7] - '0');
    out += answer.out;
  }
  CHECK_THAT(out, Contains("LOST_WAKEUP: reader waits for arrived, and nobody is left") &&
                      Contains("dpc: set arrived [dispatch]") && Contains("proof: no schedule breaks a rule"));
}

TEST_CASE("goals that no run meets are named") {
  const User user;
  user.writes("goals.cpp", R"(#include "vmbsim/hunt.hpp"
using namespace vmbsim::hunt;
VMBSIM_HARNESS("goals") {
  auto& word = make<Shared<int>>("word");
  thread("a", [&] { word.store(1); });
  thread("b", [&] {
    const int seen = word.load();
    sometimes(seen == 1, "b comes second");
    sometimes(seen == 2, "b sees two");
  });
}
)");
  REQUIRE(user.types(std::string(CXX " -std=c++20 -shared -fPIC -I ") + quoted(VMBSIM_SOURCE_DIR "/include") +
                     " goals.cpp -o goals.so")
              .status == 0);
  const Answer hunt = user.types("vmbsim hunt ./goals.so --out o");
  CAPTURE(hunt.out, hunt.err);
  CHECK(hunt.status == 0);
  CHECK_THAT(hunt.out, Contains("never met: b sees two") && !Contains("never met: b comes second"));
  const auto json = nlohmann::json::parse(user.reads("o/hunt.json"));
  CHECK(json["reached"] == std::vector<std::string>{"b comes second"});
  CHECK(json["never_met"] == std::vector<std::string>{"b sees two"});
}

TEST_CASE("where yields keep a search from a proof, the hunt says so, and which search finds the bug") {
  const User user;
  user.writes("gives_up.cpp", R"(#include "vmbsim/hunt.hpp"
using namespace vmbsim::hunt;
VMBSIM_HARNESS("gives up") {
  auto& ready = make<Shared<int>>("ready");
  auto& done = make<Shared<int>>("done");
  thread("a", [&] { ready.store(1, relaxed); done.store(1, relaxed); });
  thread("b", [&] {
    for (int i = 0; i < 3; ++i) {
      if (ready.load(relaxed)) return;
      yield();
    }
    check(MAY_GIVE_UP, "b gave up");
  });
}
)");
  const std::string build =
      std::string(CXX " -std=c++20 -shared -fPIC -I ") + quoted(VMBSIM_SOURCE_DIR "/include") + " gives_up.cpp";
  REQUIRE(user.types(build + " -DMAY_GIVE_UP=0 -o gives_up.so").status == 0);
  REQUIRE(user.types(build + " -DMAY_GIVE_UP=1 -o healthy.so").status == 0);
  const std::string hunt = "vmbsim hunt ./gives_up.so --memory tso --strategy ";
  for (const std::string strategy : {"dpor", "odpor"}) {
    const Answer answer = user.types(hunt + strategy);
    CAPTURE(answer.out, answer.err);
    CHECK(answer.status == 0);
    CHECK_THAT(answer.out, Contains("no proof: ") && Contains("with what it covers, and yields leave out the rest\n") &&
                               Contains("\n  yields      keep " + strategy + " from a proof: ") &&
                               Contains("--strategy dfs goes through every order\n") && !Contains("unseen"));
  }
  // Runs that are drawn leave something unseen; a search that covers all needs no hint.
  const std::string healthy = "vmbsim hunt ./healthy.so --memory tso --strategy dpor";
  CHECK_THAT(user.types(healthy + " --strategy random --runs 20").out,
             Contains("keep dpor from a proof") && Contains("  unseen "));
  CHECK_THAT(user.types(healthy + " --strategy dfs --runs 10000").out,
             StartsWith("hunt in ./healthy.so") && Contains("\nproof: ") && !Contains("from a proof"));
  CHECK_THAT(user.types(hunt + "dfs").out, Contains("CHECK: b gave up"));
}

TEST_CASE("two checks that fail are two finds, and hunt.json says of each what its repro shows") {
  const User user;
  user.writes("two.cpp", R"(#include "vmbsim/hunt.hpp"
#include <string>
using namespace vmbsim::hunt;
VMBSIM_HARNESS("two") {
  auto& count = make<Shared<int>>("count");
  for (const char* name : {"a", "b", "c"}) thread(name, [&] {
    for (int turn = 0; turn < 2; ++turn) count.store(count.load() + 1);
  });
  at_end([&] {
    const int counted = count.peek();
    const std::string text = "a turn of each is left: " + std::to_string(counted);
    check(counted > 2, "hardly any is left");
    check(counted == 6, text.c_str());
  });
}
)");
  REQUIRE(user.types(std::string(CXX " -std=c++20 -shared -fPIC -I ") + quoted(VMBSIM_SOURCE_DIR "/include") +
                     " two.cpp -o two.so")
              .status == 0);
  const Answer hunt = user.types("vmbsim hunt ./two.so --keep-going --runs 3000 --memory tso --out o");
  CAPTURE(hunt.out, hunt.err);
  CHECK(hunt.status == 1);
  const auto finds = nlohmann::json::parse(user.reads("o/hunt.json"))["finds"];
  REQUIRE(finds.size() == 2);
  CHECK(finds[0]["text"] != finds[1]["text"]);
  for (const auto& find : finds) {
    const Answer replay = user.types("vmbsim replay o/" + find["repro"].get<std::string>() + " --target ./two.so");
    CHECK(replay.status == 1);
    CHECK_THAT(replay.out, StartsWith("CHECK: " + find["text"].get<std::string>() + "\n"));
  }
}

TEST_CASE("a hunt that is stopped or killed goes on where it was, to the same result") {
  const User user;
  user.writes("s.toml", small_scenario);
  const std::string hunt = "\"$VMBSIM\" hunt s.toml --runs 3000 --strategy random --jobs 2 --out ";
  REQUIRE(user.types(hunt + "whole").status == 0);
  // Not after a while, but when so many lines of the journal are written: a busy machine takes its time.
  const auto interrupted = [&](const std::string& signal, int lines) {
    return user.types(hunt + "o & hunt=$!; until [ $(cat o/hunt.journal 2>/dev/null | wc -l) -ge " +
                      std::to_string(lines) + " ]; do sleep 0.01; done; kill -" + signal + " $hunt; wait $hunt");
  };
  const Answer stopped = interrupted("TERM", 3);
  CHECK(stopped.status == 143);
  CHECK_THAT(stopped.err, Contains("the same command goes on where it was"));
  CHECK(interrupted("KILL", 30).status == 137);
  CHECK(user.types(hunt + "o").status == 0);
  CHECK(user.reads("o/hunt.json") == user.reads("whole/hunt.json"));
}
