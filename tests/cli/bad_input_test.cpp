// Every input here is wrong. The answer must be status 2, nothing on stdout, each problem on a line of its own with its
// place, and soon. What the lines say is in bad_input.approved.txt, to be read as a user would.
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "tests/cli/user.hpp"
#include "tests/support/approved.hpp"

using namespace vmbsim::testing;

namespace {

struct Case {
  std::string what;
  std::string text;    ///< of s.toml
  std::string file{};  ///< a second file: its name
  std::string content{};
};

const std::string base = R"(schema = 1
name = "base"
run_for = "1ms"
[[channel]]
name = "disk"
driver = "storage"
device.service = "100us"
[[workload]]
name = "load"
channel = "disk"
)";

/// The base scenario with one piece of it replaced.
std::string with(const std::string& piece, const std::string& by) {
  std::string text = base;
  const std::size_t at = text.find(piece);
  REQUIRE(at != std::string::npos);
  return text.replace(at, piece.size(), by);
}
std::string plus(const std::string& lines) { return base + lines + "\n"; }
std::string service(const std::string& law) { return with("\"100us\"", law); }
std::string arrivals(const std::string& process) { return plus("loop = \"open\"\narrivals = " + process); }
std::string echo(const std::string& ring) {
  return with("\"storage\"\ndevice.service = \"100us\"", "\"echo\"\n" + ring);
}

/// A load from t.csv.
Case trace(const std::string& what, const std::string& content,
           const std::string& format = "\"csv\", arrival = \"t\", size = \"s\"", std::string text = base) {
  text.erase(text.find("run_for = \"1ms\"\n"), 16);
  return {what, text + "loop = \"trace\"\ntrace = { file = \"t.csv\", format = " + format + " }\n", "t.csv", content};
}

const std::string xml_head =
    "<?xml version=\"1.0\"?>\n<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n<platform "
    "version=\"4.1\">\n";
Case platform(const std::string& what, const std::string& content) {
  return {what, plus("[machine]\nplatform = \"p.xml\"\nhost = \"server\""), "p.xml", content};
}
std::string zone(const std::string& hosts) {
  return xml_head + "<zone id=\"z\" routing=\"Full\">\n" + hosts + "\n</zone>\n</platform>\n";
}

std::string times(std::size_t n, const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += text;
  return out;
}

std::string every_byte() {
  std::string out;
  for (int c = 0; c < 256; ++c) out += static_cast<char>(c);
  return out;
}

std::vector<Case> cases() {
  return {
      // Text that is no scenario
      {"an empty file", ""},
      {"binary junk", times(64, every_byte())},
      {"a byte that is no UTF-8", plus("# \xff")},
      {"a zero byte", base + std::string(1, '\0')},
      {"a file of 8 MiB", plus("#" + std::string(8 << 20, 'x'))},
      {"a hundred thousand open brackets", plus("request = " + std::string(100'000, '['))},
      {"fifty thousand dots in a key", times(50'000, "a.") + "a = 1\n" + base},
      {"a line that ends too soon", plus("queue_depth =")},
      {"a key twice", plus("queue_depth = 1\nqueue_depth = 2")},
      // Keys
      {"an unknown key", with("run_for", "run_fro")},
      {"an unknown key in a list", plus("queue_dept = 4")},
      {"an unknown table", plus("[mchine]\nguest_cpus = 1")},
      {"a missing key", with("driver = \"storage\"\n", "")},
      {"a key that has no effect", plus("loop = \"open\"\narrivals = { poisson = \"1/s\" }\nqueue_depth = 3")},
      {"another version of the format", with("schema = 1", "schema = 2")},
      {"a title of two lines", with("\"base\"", "\"a\\nb\"")},
      {"an empty title", with("\"base\"", "\"\"")},
      {"a name with a dot", with("\"load\"", "\"a.b\"")},
      {"two channels of one name", plus("[[channel]]\nname = \"disk\"\ndriver = \"echo\"")},
      // Durations, sizes, rates, numbers
      {"a missing unit", with("\"1ms\"", "\"1\"")},
      {"a bare number", with("\"1ms\"", "1")},
      {"an unknown unit", with("\"1ms\"", "\"100 years\"")},
      {"a duration of no sense", with("\"1ms\"", "\"99999999999999999999s\"")},
      {"a negative duration", with("\"1ms\"", "\"-1ms\"")},
      {"a run of nothing", with("\"1ms\"", "\"0ms\"")},
      {"a fraction of a nanosecond", with("\"1ms\"", "\"1.0000001ms\"")},
      {"text for a number", plus("queue_depth = \"8\"")},
      {"a list for a number", plus("[machine]\nguest_cpus = [1]")},
      {"queue depth 0", plus("queue_depth = 0")},
      {"queue depth 4 billion", plus("queue_depth = 4000000000")},
      {"10^18 guests", plus("[[vm]]\nname = \"web\"\ncount = 1000000000000000000")},
      {"10^19 guests", plus("[[vm]]\nname = \"web\"\ncount = 10000000000000000000")},
      {"a million guests", plus("[[vm]]\nname = \"web\"\ncount = 1000000")},
      {"no processor", plus("[machine]\nguest_cpus = 0")},
      {"2^32 + 1 processors", plus("[machine]\nguest_cpus = 4294967297")},
      {"half a percent too many reads", plus("read_fraction = 1.005")},
      {"reads that are not a number", plus("read_fraction = nan")},
      {"a request of nothing", plus("request = \"0B\"")},
      {"a request too large for a packet", plus("request = \"512MiB\"")},
      // Rings
      {"a ring of no pages", echo("ring.to_host = \"0 pages\"")},
      {"a ring of 16 GiB", echo("ring.to_host = \"16GiB\"")},
      {"a ring of a page and a half", echo("ring.to_host = \"6KiB\"")},
      {"a ring too small for its packets", echo("ring.to_host = \"1 page\"") + "request = \"8KiB\"\n"},
      {"rings larger than memory",
       with("device", "subchannels = 1024\ndevice") + "[[vm]]\nname = \"web\"\ncount = 10000\n"},
      // What belongs together
      {"a channel nobody drives", plus("[[channel]]\nname = \"lost\"\ndriver = \"echo\"")},
      {"a load on no channel", with("channel = \"disk\"", "channel = \"disc\"")},
      {"a driver there is not", with("\"storage\"", "\"tape\"")},
      {"a run without an end", with("run_for = \"1ms\"\n", "")},
      {"an expectation of nothing", plus("[expect]\n\"channel.disk.latency.p98\" = \"< 1us\"")},
      {"an expectation without a relation", plus("[expect]\n\"channel.disk.latency.p99\" = \"1us\"")},
      {"more intervals than memory holds", with("1ms", "1s") + "[record]\nintervals = \"1ns\"\n"},
      {"a sweep over a key that is not there",
       plus("[[sweep.axis]]\nkey = \"workload.load.queue_dept\"\nvalues = [1, 2]")},
      {"a sweep to a value that is out of range",
       plus("[[sweep.axis]]\nkey = \"workload.load.queue_depth\"\nvalues = [1, 0]")},
      {"a sweep to a ring that is too small",
       plus("request = \"4MiB\"\n[[sweep.axis]]\nkey = \"channel.disk.ring.to_host\"\nvalues = [\"32 pages\", \"1 "
            "page\"]")},
      {"a sweep side by side of two lengths",
       plus("[sweep]\ncombine = \"zip\"\n"
            "[[sweep.axis]]\nkey = \"seed\"\nvalues = [1, 2]\n"
            "[[sweep.axis]]\nkey = \"workload.load.queue_depth\"\nvalues = [1]")},
      // Distributions and arrivals
      {"a service of no time unit", service("\"fast\"")},
      {"an exponential of mean 0", service("{ exponential = \"0us\" }")},
      {"a range upside down", service("{ uniform = [\"5us\", \"1us\"] }")},
      {"a p99 below the median", service("{ lognormal = { median = \"5us\", p99 = \"1us\" } }")},
      {"an unknown distribution", service("{ weibull = \"1us\" }")},
      {"samples from nowhere", service("{ empirical = { file = \"none.csv\", column = \"x\" } }")},
      {"recorded service without a record", service("\"trace\"")},
      {"arrivals without a rate", plus("loop = \"open\"")},
      {"arrivals that never come", arrivals("{ poisson = \"0/s\" }")},
      {"arrivals faster than time", arrivals("{ poisson = \"1000000000000/s\" }")},
      {"arrivals all at one instant", arrivals("{ renewal = \"0ns\" }")},
      {"modulated arrivals that never come", arrivals("{ mmpp = [{ rate = \"0/s\", stay = \"1ms\" }] }")},
      {"modulated arrivals that hardly ever come",
       arrivals("{ mmpp = [{ rate = \"1/h\", stay = \"1ns\" }, { rate = \"1/h\", stay = \"1ns\" }] }")},
      // Files
      {"an include of nothing", with("run_for", "include = [\"none.toml\"]\nrun_for")},
      {"an include of itself", with("run_for", "include = [\"s.toml\"]\nrun_for")},
      {"an include of a cycle", with("run_for", "include = [\"t.toml\"]\nrun_for"), "t.toml",
       "include = [\"s.toml\"]\n"},
      {"an include of an endless device", with("run_for", "include = [\"/dev/zero\"]\nrun_for")},
      {"an include of a folder", with("run_for", "include = [\"/\"]\nrun_for")},
      {"a profile that is not there", plus("[latency]\nprofile = \"tipical\"")},
      {"a profile file that is not there", plus("[latency]\nprofile = \"none.toml\"")},
      {"a cost below 0", plus("[latency]\nisr = \"-1us\"")},
      // Traces
      {"a trace that is not there", plus("loop = \"trace\"\ntrace = { file = \"none.csv\", format = \"msr\" }")},
      {"an endless trace", plus("loop = \"trace\"\ntrace = { file = \"/dev/zero\", format = \"msr\" }")},
      trace("an empty trace", ""),
      trace("a trace of a header", "t,s\n"),
      trace("a trace of binary junk", times(64, every_byte())),
      trace("a trace without its columns", "a,b\n1,4096\n"),
      trace("a trace with a column twice", "t,t,s\n1,2,4096\n"),
      trace("a ragged trace", "t,s\n1,4096\n2\n3,4096,5\n"),
      trace("a trace that goes back in time", "t,s\n5,4096\n2,4096\n"),
      trace("a trace before time", "t,s\n-1,4096\n"),
      trace("a trace longer than any run", "t,s\n1,4096\n9223372036854775806,4096\n"),
      trace("a trace of words", "t,s\nsoon,4096\n"),
      trace("a trace of a number too large", "t,s\n1,99999999999999999999999\n"),
      trace("a trace of empty requests", "t,s\n1,0\n"),
      trace("a trace with a quotation that never ends", "t,s\n1,\"4096\n2,4096\n"),
      trace("a trace of a row of 100,000 cells", "t,s\n" + std::string(100'000, ',') + "\n"),
      trace("a trace of a cell of 3 MB", "t,s\n1," + std::string(3'000'000, '9') + "\n"),
      trace("a trace of another kind", "t,s\n1,4096\n", "\"fio-iolog\""),
      trace("a trace too large for its ring", "t,s\n1,4096\n2,8000000\n", "\"csv\", arrival = \"t\", size = \"s\"",
            with("device", "ring.to_host = \"1 page\"\ndevice")),
      trace("a trace too large for a packet", "t,s\n1,1073741824\n"),
      trace("a trace too large for its answers", "t,s\n1,8192\n", "\"csv\", arrival = \"t\", size = \"s\"",
            echo("ring.to_guest = \"1 page\"")),
      // Platforms
      {"a platform that is not there", plus("[machine]\nplatform = \"none.xml\"\nhost = \"server\"")},
      {"a platform without a host named", plus("[machine]\nplatform = \"default\"")},
      {"a host that the platform has not", plus("[machine]\nplatform = \"default\"\nhost = \"servr\"")},
      {"a disk that the platform has not", with("device.service = \"100us\"", "device.disk = \"server:ssd9\"") +
                                               "[machine]\nplatform = \"default\"\nhost = \"server\"\n"},
      {"a disk without a platform", with("device.service = \"100us\"", "device.disk = \"server:ssd0\"")},
      {"a disk without its host", with("device.service = \"100us\"", "device.disk = \"ssd0\"") +
                                      "[machine]\nplatform = \"default\"\nhost = \"server\"\n"},
      platform("an empty platform file", ""),
      platform("a platform file that is no XML", "\x01\x02<<<>>>"),
      platform("a platform file cut short", xml_head + "<zone id=\"z\""),
      platform("a platform file of another host", zone("<host id=\"other\" speed=\"1Gf\"/>")),
      platform("a platform file with a host twice",
               zone("<host id=\"server\" speed=\"1Gf\"/>\n<host id=\"server\" speed=\"1Gf\"/>")),
      platform("a host of no speed", zone("<host id=\"server\" speed=\"0f\"/>")),
      platform("a host of a speed beyond reason", zone("<host id=\"server\" speed=\"1e300f\"/>")),
      platform("a host too slow to count", zone("<host id=\"server\" speed=\"1f\"/>")),
      platform("a host of -3 cores", zone("<host id=\"server\" speed=\"1Gf\" core=\"-3\"/>")),
  };
}

/// The first lines, and how many there are.
std::string shown(const std::string& lines) {
  constexpr std::size_t most = 4;
  std::string text;
  std::size_t count = 0;
  for (std::size_t begin = 0, end; (end = lines.find('\n', begin)) != std::string::npos; begin = end + 1)
    if (++count <= most) text += "  " + lines.substr(begin, end + 1 - begin);
  if (count > most) text += "  ... " + std::to_string(count) + " lines\n";
  return text;
}

}  // namespace

TEST_CASE("every bad input is refused in the words written down") {
  std::string words;
  for (const Case& one : cases()) {
    INFO(one.what);
    const User user;
    user.writes("s.toml", one.text);
    if (!one.file.empty()) user.writes(one.file, one.content);
    const auto begin = std::chrono::steady_clock::now();
    const Answer answer = user.types("ulimit -t 30; vmbsim run s.toml --out o");
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{30});
    CHECK(answer.status == 2);
    CHECK(answer.out.empty());
    words += one.what + "\n" + shown(answer.err);
  }
  CHECK(words == approved(VMBSIM_SOURCE_DIR "/tests/cli/bad_input.approved.txt", words));
}

TEST_CASE("columns in another order, a mark at the beginning and DOS line ends are no trouble in a trace") {
  const User user;
  const Case plain = trace("", "t,s\n1,4096\n20000,8192\n");
  user.writes("s.toml", plain.text);
  user.writes("t.csv", plain.content);
  const Answer expected = user.types("vmbsim run s.toml");
  REQUIRE(expected.status == 0);
  for (const char* content : {"s,t\n4096,1\n8192,20000\n", "\xef\xbb\xbft,s\r\n1,4096\r\n20000,8192\r\n"}) {
    user.writes("t.csv", content);
    CHECK(user.types("vmbsim run s.toml").fingerprint() == expected.fingerprint());
  }
}

TEST_CASE("absurd numbers that mean something are simulated in no time") {
  const std::string text = GENERATE_COPY(
      arrivals("{ poisson = \"1/s\" }"), with("1ms", "315360000s") + "think_time = \"86400s\"\n",
      with("device", "ring.to_host = \"1 page\"\nring.to_guest = \"1 page\"\ndevice") + "queue_depth = 65536\n",
      plus("[latency]\nisr = \"86400s\"\nhypercall = \"86400s\"\npacket_send = \"86400s\""),
      service("{ lognormal = { median = \"1ns\", p99 = \"86400s\" } }"));
  const User user;
  user.writes("s.toml", text);
  CAPTURE(text);
  const Answer answer = user.types("ulimit -t 60; vmbsim run s.toml");
  const bool day_long_isr = text.find("isr = ") != std::string::npos;
  CHECK(answer.status == (day_long_isr ? 1 : 0));
  CHECK((answer.out.find("WATCHDOG") != std::string::npos) == day_long_isr);
}
