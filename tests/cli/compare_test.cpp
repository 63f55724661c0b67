// `vmbsim compare`: two campaigns of one question, with and without a planted regression.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/user.hpp"

using namespace vmbsim::testing;

namespace {

const std::string study = std::string(R"(schema = 1
name = "study"
warm_up = "20ms"
packets = 1000
)") + single_server + R"(
[sweep]
repeat = 4

[[sweep.axis]]
key = ["channel.disk.device.parallel"]
values = [1, 2]
)";

}  // namespace

TEST_CASE("compare finds what got worse, where and by how much, and ends with status 1") {
  const User user;
  user.writes("s.toml", study);
  REQUIRE(user.types("vmbsim batch s.toml --out before").status == 0);
  REQUIRE(
      user.types("vmbsim batch s.toml --out after --set 'channel.disk.device.service.exponential=\"120us\"'").status ==
      0);
  const Answer answer = user.types("vmbsim compare before after --junit j.xml --json c.json");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 1);
  CHECK_THAT(answer.out, Catch::Contains("worse    2 of 2 points, most at channel.disk.device.parallel="));
  CHECK_THAT(answer.out,
             Catch::Contains("95 % sure of +") && Catch::Contains(" could not have been seen in half of the others"));
  const Answer every = user.types("vmbsim compare before after --all");
  CHECK_THAT(every.out, Catch::Contains("worse    channel.disk.device.parallel=2: channel.disk.latency.mean"));
  CHECK_THAT(every.out, Catch::Contains("worse    channel.disk.device.parallel=1: channel.disk.latency.mean"));
  CHECK(nlohmann::json::parse(user.reads("c.json"))["regressed"] == true);
  CHECK_THAT(user.reads("j.xml"), Catch::Contains("<failure message=\"channel.disk.latency.mean"));
  CHECK(user.types("vmbsim compare before after --tolerance 1000").status == 0);
  CHECK(user.types("vmbsim compare after before").status == 0);
}

TEST_CASE("a regression of one channel of many is found, named and counted once, also where a fleet hides it") {
  const User user;
  std::string text = R"(schema = 1
name = "many"
warm_up = "2ms"
run_for = "40ms"
[fleet]
count = 4
[[host]]
name = "node"
count = 2
[[vm]]
name = "web"
weight = 1
)";
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    const std::string channel(name);
    text += "[[channel]]\nname = \"" + channel + "\"\nvm = \"web\"\ndriver = \"storage\"\n" +
            "device.service = { exponential = \"40us\" }\n[[workload]]\nname = \"on_" + channel + "\"\nchannel = \"" +
            channel + "\"\nloop = \"open\"\narrivals = { poisson = \"8000/s\" }\nrequest = \"4KiB\"\n";
  }
  user.writes("s.toml", text + "[sweep]\nrepeat = 6\n");
  REQUIRE(user.types("vmbsim batch s.toml --out before").status == 0);
  REQUIRE(user.types("vmbsim batch s.toml --out after --set 'channel.e.device.service.exponential=\"48us\"'").status ==
          0);
  const Answer answer = user.types("vmbsim compare before after --json c.json");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 1);
  const auto found = nlohmann::json::parse(user.reads("c.json"));
  bool mean = false;
  for (const auto& change : found["changes"]) {
    const std::string metric = change["metric"];
    CHECK((metric.rfind("channel.", 0) == 0 || metric.rfind("workload.", 0) == 0 || metric == "run.findings" ||
           metric == "fleet.refused"));
    CHECK(metric.find(".max") == std::string::npos);
    if (change["worse"]) {
      CHECK((metric.rfind("channel.web[*].e.", 0) == 0 || metric.rfind("workload.web[*].on_e.", 0) == 0));
      mean = mean || metric == "channel.web[*].e.latency.mean";
    }
  }
  CHECK(mean);
  CHECK(found["maxima"].size() == 16);
  CHECK_THAT(answer.out, Catch::Contains("\nof 16 maxima, which single packets decide and nobody judges, most moved "));
  // Of all channels together the change is a fifth of an eighth of the way.
  CHECK(user.types("vmbsim compare before after --metric fleet.latency.mean").status == 0);
}

TEST_CASE("a campaign beside itself shows nothing") {
  const User user;
  user.writes("s.toml", study);
  REQUIRE(user.types("vmbsim batch s.toml --out a").status == 0);
  const Answer answer = user.types("vmbsim compare a a");
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out, Catch::Contains(" compared: 0 changed, 0 worse by more than 5 %"));
}

TEST_CASE("a percentile that moved by less than the tolerance fails no gate, though its bucket moved by more") {
  const User user;
  user.writes("s.toml", R"(schema = 1
name = "storage"
warm_up = "1ms"
packets = 2000
[[channel]]
name = "disk"
driver = "storage"
device = { service = { exponential = "80us" } }
[[workload]]
name = "load"
channel = "disk"
[sweep]
repeat = 5
)");
  REQUIRE(user.types("vmbsim batch s.toml --out a").status == 0);
  REQUIRE(user.types("vmbsim batch s.toml --set 'channel.disk.device.service.exponential=\"81us\"' --out b").status ==
          0);
  const Answer answer = user.types("vmbsim compare a b --tolerance 1 --json c.json");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 0);
  const auto found = nlohmann::json::parse(user.reads("c.json"));
  REQUIRE(found["changes"].size() > 8);
  for (const auto& change : found["changes"])
    if (const std::string metric = change["metric"]; metric.ends_with(".p99"))
      CHECK(change["difference"][1].get<double>() - change["difference"][0].get<double>() >
            2000);  // ns: a bucket there
}

TEST_CASE("a gate over one run a side fails what is clearly worse, and says so where it cannot judge") {
  const User user;
  user.writes("s.toml", study.substr(0, study.find("\n[sweep]")) +
                            "\n[[sweep.axis]]\nkey = \"channel.disk.device.parallel\"\nvalues = [1]\n");
  const std::string slower = " --set 'channel.disk.device.service.exponential=\"900us\"' --out ";
  REQUIRE(user.types("vmbsim batch s.toml --out a --set packets=20000").status == 0);
  REQUIRE(user.types("vmbsim batch s.toml --set packets=20000" + slower + "b").status == 0);
  const Answer worse = user.types("vmbsim compare a b");
  INFO(worse.out << worse.err);
  CHECK(worse.status == 1);
  CHECK_THAT(worse.out,
             Catch::Contains("worse    ") && Catch::Contains("1 point with fewer than 5 runs on a side, judged by "));
  REQUIRE(user.types("vmbsim batch s.toml --out c --set packets=60").status == 0);
  REQUIRE(user.types("vmbsim batch s.toml --set packets=60" + slower + "d").status == 0);
  const Answer untold = user.types("vmbsim compare c d --junit j.xml --json c.json");
  INFO(untold.out << untold.err);
  CHECK(untold.status == 2);
  CHECK(
      untold.err ==
      "d: cannot be judged against c: one run on a side is too short to know its own error; right would be repeat = 5 "
      "in [sweep], or longer runs\n");
  CHECK(nlohmann::json::parse(user.reads("c.json"))["undecided"] == true);
  CHECK_THAT(user.reads("j.xml"), Catch::Contains("<skipped message="));
}

TEST_CASE("a service that takes twice as long fails the gate, be it repeated once, twice, three times or five times") {
  const User user;
  std::string text = study;
  user.writes("s.toml", text.replace(text.find("values = [1, 2]"), 15, "values = [1, 2, 4, 6, 8]"));
  for (const char* repeat : {"1", "2", "3", "5"}) {
    const std::string batch = std::string("vmbsim batch s.toml --set sweep.repeat=") + repeat + " --out ";
    REQUIRE(user.types(batch + "a" + repeat).status == 0);
    REQUIRE(user.types(batch + "b" + repeat + " --set 'channel.disk.device.service.exponential=\"160us\"'").status ==
            0);
    const Answer answer = user.types(std::string("vmbsim compare a") + repeat + " b" + repeat);
    INFO(answer.out << answer.err);
    CHECK(answer.status == 1);
  }
}

TEST_CASE("points are the same whatever the spelling of their values and the order of their keys") {
  const User user;
  const auto axis = [](const char* key, const char* values) {
    return std::string("\n[[sweep.axis]]\nkey = \"") + key + "\"\nvalues = " + values + "\n";
  };
  const std::string front = study.substr(0, study.find("\n[[sweep.axis]]"));
  const char* ring = "channel.disk.ring.to_host";
  const char* device = "channel.disk.device.parallel";
  user.writes("a.toml", front + axis(ring, "[\"16 pages\", \"32 pages\"]") + axis(device, "[1]"));
  user.writes("b.toml", front + axis(device, "[1]") + axis(ring, "[\"64KiB\", \"128KiB\"]"));
  for (const char* name : {"a", "b"})
    REQUIRE(user.types(std::string("vmbsim batch ") + name + ".toml --out " + name).status == 0);
  const Answer answer = user.types("vmbsim compare a b --json c.json");
  INFO(answer.out << answer.err);
  CHECK(answer.status == 0);
  const auto found = nlohmann::json::parse(user.reads("c.json"));
  CHECK(found["matched"] == 2);
  CHECK(found["only_after"].empty());
  CHECK(found["changes"][0]["point"] == "channel.disk.ring.to_host=\"16 pages\" channel.disk.device.parallel=1");
}

TEST_CASE("what is measured no more is a regression, and where nothing was measured there is nothing to compare") {
  const User user;
  std::string short_study = study;
  const std::string packets = "packets = 1000";
  user.writes("s.toml", short_study.replace(short_study.find(packets), packets.size(), "run_for = \"20ms\""));
  user.types("vmbsim batch s.toml --out a");
  user.types("vmbsim batch s.toml --set 'channel.disk.device.service.exponential=\"10s\"' --out b");
  const Answer lost = user.types("vmbsim compare a b --metric channel.disk.latency.mean --json c.json --junit j.xml");
  CHECK(lost.status == 1);
  CHECK_THAT(lost.out, Catch::Contains("channel.disk.latency.mean") && Catch::Contains("-> nothing measured"));
  CHECK_FALSE(nlohmann::json::parse(user.reads("c.json"))["lost"].empty());
  CHECK_THAT(user.reads("j.xml"), Catch::Contains("<failure message=\"channel.disk.latency.mean"));
  const Answer nothing = user.types("vmbsim compare b b --metric channel.disk.latency.mean");
  CHECK(nothing.status == 2);
  CHECK(nothing.err == "b: has no figure in common with b: there is nothing to compare\n");
}

TEST_CASE("a folder without a campaign cannot be compared") {
  const User user;
  const Answer answer = user.types("mkdir empty; vmbsim compare empty nowhere");
  CHECK(answer.status == 2);
  CHECK_THAT(answer.err, Catch::Contains("empty"));
  CHECK_THAT(answer.err, Catch::Contains("nowhere"));
}

TEST_CASE("compare looks at the metrics that it is told, and at points that both campaigns have") {
  const User user;
  user.writes("s.toml", study);
  REQUIRE(user.types("vmbsim batch s.toml --out before --only channel.disk.device.parallel=1").status == 0);
  REQUIRE(user.types("vmbsim batch s.toml --out after").status == 0);
  const Answer one = user.types("vmbsim compare before after --metric device.disk.utilisation --json c.json");
  CHECK(one.status == 0);
  CHECK(one.out ==
        "only in the second: channel.disk.device.parallel=2\n1 figure compared: 0 changed, 0 worse by more than 5 %\n");
  CHECK(nlohmann::json::parse(user.reads("c.json"))["changes"][0]["metric"] == "device.disk.utilisation");
  const Answer unknown = user.types("vmbsim compare before after --metric channel.disk.latency.p9");
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err,
             Catch::StartsWith("--metric: \"channel.disk.latency.p9\" is no metric of before (did you mean ") &&
                 Catch::EndsWith("; export --long lists them\n"));
  CHECK(user.types("vmbsim compare before after --metric latency.p99").err ==
        "--metric: \"latency.p99\" is no metric of before; a name begins with what it is of: "
        "channel.disk.latency.p99\n");
  REQUIRE(user.types("vmbsim batch s.toml --out other --only channel.disk.device.parallel=2").status == 0);
  const Answer nothing = user.types("vmbsim compare before other");
  CHECK(nothing.status == 2);
  CHECK(nothing.err == "other: has no point in common with before: there is nothing to compare\n");
}

TEST_CASE("a campaign whose runs fail is worse than one whose runs do not") {
  const User user;
  user.writes("s.toml", study);
  REQUIRE(user.types("vmbsim batch s.toml --out before").status == 0);
  REQUIRE(user.types("vmbsim batch s.toml --out after --set packets=100000000 --time-limit 20ms").status == 1);
  const Answer answer = user.types("vmbsim compare before after --junit j.xml");
  CHECK(answer.status == 1);
  CHECK_THAT(answer.out, Catch::Contains("worse    channel.disk.device.parallel=1: 4 runs failed, before 0\n"));
  CHECK_THAT(user.reads("j.xml"),
             Catch::Contains("<testcase classname=\"channel.disk.device.parallel=1\" name=\"runs\""));
}
