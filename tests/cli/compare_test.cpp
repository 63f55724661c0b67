// `vmbsim compare`: two campaigns of one question, with and without a planted regression.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/user.hpp"

using namespace vmbsim::testing;

namespace {

const char* const study = R"(schema = 1
name = "study"
warm_up = "20ms"
packets = 1000
latency = { profile = "zero" }

[[channel]]
name = "disk"
driver = "storage"
device = { service = { exponential = "100us" } }

[[workload]]
name = "load"
channel = "disk"
loop = "open"
arrivals = { poisson = "4000/s" }

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
  CHECK_THAT(answer.out, Catch::Contains("worse    channel.disk.device.parallel=2: channel.disk.latency.mean"));
  CHECK_THAT(answer.out, Catch::Contains("worse    channel.disk.device.parallel=1: channel.disk.latency.mean"));
  CHECK_THAT(answer.out, Catch::Contains("95 % sure of +"));
  CHECK(nlohmann::json::parse(user.reads("c.json"))["regressed"] == true);
  CHECK_THAT(user.reads("j.xml"), Catch::Contains("<failure message=\"channel.disk.latency.mean"));
  CHECK(user.types("vmbsim compare before after --tolerance 1000").status == 0);
  CHECK(user.types("vmbsim compare after before").status == 0);
}

TEST_CASE("a campaign beside itself shows nothing") {
  const User user;
  user.writes("s.toml", study);
  REQUIRE(user.types("vmbsim batch s.toml --out a").status == 0);
  const Answer answer = user.types("vmbsim compare a a");
  CHECK(answer.status == 0);
  CHECK_THAT(answer.out, Catch::Contains(" compared: 0 changed, 0 worse by more than 5 %"));
}

TEST_CASE("a folder without a campaign cannot be compared") {
  const User user;
  const Answer answer = user.types("mkdir empty; vmbsim compare empty nowhere");
  CHECK(answer.status == 2);
  CHECK_THAT(answer.err, Catch::Contains("empty"));
  CHECK_THAT(answer.err, Catch::Contains("nowhere"));
}
