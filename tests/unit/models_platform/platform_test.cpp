#include "models/platform/platform.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/unit/models_platform/in_a_process.hpp"

using namespace vmbsim;
using namespace vmbsim::platform;

namespace {

const std::string good = R"(<?xml version="1.0"?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <zone id="rack" routing="Full">
    <host id="node1" speed="2Gf" core="8">
      <disk id="ssd0" read_bw="2GBps" write_bw="1GBps"/>
    </host>
    <host id="node2" speed="1500Mf" core="4"/>
    <host id="lost" speed="1Gf"/>
    <link id="wire" bandwidth="10Gbps" latency="5us"/>
    <route src="node1" dst="node2"><link_ctn id="wire"/></route>
  </zone>
</platform>
)";

std::string with(const std::string& old, const std::string& replacement) {
  std::string text = good;
  REQUIRE(text.find(old) != std::string::npos);
  return text.replace(text.find(old), old.size(), replacement);
}

/// The problems of a platform file, one per line, the file's name left out.
std::string problems_of(const std::string& text) {
  char name[] = "/tmp/vmbsim-platform-XXXXXX";
  const int fd = ::mkstemp(name);
  REQUIRE(fd >= 0);
  ::close(fd);
  std::ofstream(name) << text;
  Problems problems;
  CHECK_FALSE(inspect(name, problems).has_value());
  ::unlink(name);
  std::string lines;
  for (const Problem& problem : problems) {
    CHECK(problem.place.file == name);
    lines +=
        std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column) + ": " + problem.text + "\n";
  }
  return lines;
}

}  // namespace

TEST_CASE("what is wrong with a platform file is told with its place") {
  struct Row {
    const char* situation;
    std::string text;
    const char* expected;
  };
  for (const Row& row :
       {Row{"not XML", "not XML", "1:5: SimGrid refuses this platform"},
        Row{"empty", "", "1:1: SimGrid refuses this platform"}, Row{"cut off", good.substr(0, 230), "6:"},
        Row{"wrong end tag", with("</host>", "</hst>"), "7:7: SimGrid refuses"},
        Row{"unknown attribute", with("speed=\"2Gf\"", "spd=\"2Gf\""), "5:"},
        Row{"unknown unit", with("2GBps", "2GXps"), "6:33: SimGrid refuses this platform: unknown unit: GXps"},
        Row{"not a number", with("core=\"8\"", "core=\"x8\""), "5:40: SimGrid refuses this platform: x8 is not an int"},
        Row{"unknown link", with("link_ctn id=\"wire\"", "link_ctn id=\"wre\""),
            "11:49: SimGrid refuses this platform: Link not found: wre"},
        Row{"the same host twice", with("\"node2\" speed", "\"node1\" speed"),
            "5:14: SimGrid refuses this platform: Refusing to create a second host named 'node1'"},
        Row{"negative bandwidth", with("2GBps", "-2GBps"), "6:16: disk \"node1:ssd0\" needs bandwidths above 0"},
        Row{"a host that fails", with("core=\"8\"", "core=\"8\" state_file=\"f\""), "5:43: resources that switch off"},
        Row{"a host that slows down", with("core=\"8\"", "core=\"8\" speed_file=\"f\""), "5:43: the speed of a host"},
        Row{"a missing profile", with("latency=\"5us\"", "latency=\"5us\" bandwidth_file=\"nowhere\""), "SimGrid"},
        Row{"no host",
            "<?xml version=\"1.0\"?><!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\"><platform "
            "version=\"4.1\"><zone id=\"z\" routing=\"None\"/></platform>",
            "1:1: a platform needs at least one <host>"}}) {
    INFO(row.situation);
    CHECK_THAT(problems_of(row.text), Catch::Matchers::Contains(row.expected));
  }
}

TEST_CASE("a platform file that is not there is a problem") {
  Problems problems;
  CHECK_FALSE(inspect("/nowhere/platform.xml", problems).has_value());
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place.file == "/nowhere/platform.xml");
}

TEST_CASE("the embedded platform has a server with two disks, and a peer") {
  Problems problems;
  const auto inventory = inspect("default", problems);
  REQUIRE(inventory);
  CHECK(problems.empty());
  REQUIRE(inventory->hosts.size() == 2);
  const HostSpec* server = inventory->host("server", {}, problems);
  REQUIRE(server != nullptr);
  CHECK(server->cores == 16);
  CHECK(server->scaled(7us) == 7us);
  CHECK(server->disks.size() == 2);
  CHECK(inventory->has_disk("server:ssd1", {}, problems));
}

TEST_CASE("a host or a disk that is not there is answered with those that are") {
  Problems problems;
  const auto inventory = inspect("default", problems);
  REQUIRE(inventory);
  const Place asked{"scenario.toml", 7, 9};
  CHECK(inventory->host("serve", asked, problems) == nullptr);
  CHECK_FALSE(inventory->has_disk("server:ssd2", asked, problems));
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].line() ==
        "scenario.toml:7:9: the platform has no host \"serve\" (did you mean \"server\"?); its hosts: peer, server");
  CHECK_THAT(problems[1].line(),
             Catch::Matchers::StartsWith("scenario.toml:7:9: the platform has no disk \"server:ssd2\""));
  CHECK_THAT(problems[1].line(), Catch::Matchers::EndsWith("its disks: server:ssd0, server:ssd1"));
}

TEST_CASE("costs scale with the speed of a host, 1 Gf being the reference") {
  CHECK(HostSpec{"h", 1, 1e9, {}}.scaled(1001ns) == 1001ns);
  CHECK(HostSpec{"h", 1, 2e9, {}}.scaled(1001ns) == 501ns);  // to the nearest nanosecond
  CHECK(HostSpec{"h", 1, 5e8, {}}.scaled(1001ns) == 2002ns);
  CHECK(HostSpec{"h", 1, 3e9, {}}.scaled(1000ns) == 333ns);
}

TEST_CASE("a process has one platform, and says so when asked for a second") {
  CHECK(in_a_process([] {
          Problems problems;
          {
            const auto first = Platform::load("default", problems);
            if (first == nullptr) return std::string("no first");
            if (Platform::load("default", problems) != nullptr) return std::string("a second");
          }
          if (Platform::load("default", problems) != nullptr) return std::string("a second, later");
          return std::to_string(problems.size()) + " " + problems.back().text;
        }) == "2 this process has a SimGrid platform already, and one is the most it can have");
}

TEST_CASE("a link needs two hosts and a route") {
  char name[] = "/tmp/vmbsim-platform-XXXXXX";
  ::close(::mkstemp(name));
  std::ofstream(name) << good;
  CHECK(in_a_process([&] {
          Problems problems;
          const auto platform = Platform::load(name, problems);
          std::ostringstream out;
          out << (platform->link("node1", "node2", {}, problems) != nullptr);
          out << (platform->link("node1", "node2", {}, problems) == platform->link("node1", "node2", {}, problems));
          out << (platform->link("node1", "node1", {}, problems) == nullptr);
          out << (platform->link("node1", "lost", {}, problems) == nullptr);
          out << (platform->link("nodel", "node2", {}, problems) == nullptr);
          for (const Problem& problem : problems) out << "\n" << problem.text;
          return out.str();
        }) ==
        "11111\nthe platform has no route from \"node1\" to \"node1\"\nthe platform has no route from \"node1\" to "
        "\"lost\"\n"
        "the platform has no host \"nodel\" (did you mean \"node1\"?); its hosts: lost, node1, node2");
  ::unlink(name);
}
