// One row per way to get a scenario wrong, with the exact message: what is wrong, and what would be right.
#include <catch2/catch.hpp>

#include "tests/unit/models_scenario/texts.hpp"

using namespace vmbsim;
using namespace vmbsim::scenario;
using namespace vmbsim::scenario::test;

namespace {
const std::string time_right = "write it as in \"5us\" (units: ns, us, ms, s)";
}

TEST_CASE("a wrong value says what would be right") {
  struct Row {
    const char* assignment;
    std::string problem;
  };
  for (
      const Row& row : {
          Row{"schema=2", "schema = 2: this vmbsim reads version 1; right would be schema = 1"},
          Row{"schema=1.0", "schema = 1.0: this vmbsim reads version 1; right would be schema = 1"},
          Row{"name=7", "name = 7: wrong type: a whole number; right would be text in quotes"},
          Row{"seed=-1", "seed = -1: out of range; right would be 0 to 9223372036854775807"},
          Row{"seed=abc", "seed = \"abc\": wrong type: text; right would be a whole number, without quotes"},
          Row{"seed=1.5", "seed = 1.5: wrong type: a decimal number; right would be a whole number, without quotes"},
          Row{"run_for=10", "run_for = 10: missing unit; " + time_right},
          Row{"run_for=10.5", "run_for = 10.5: missing unit; " + time_right},
          Row{"run_for=-5", "run_for = -5: a duration cannot be negative"},
          Row{"run_for=0ns", "run_for = \"0ns\": out of range; right would be 1ns to 315360000s"},
          Row{"run_for=true", "run_for = true: wrong type: true or false; right would be a duration, as in \"5us\""},
          Row{"run_for=nan", "run_for = nan: wrong type: a decimal number; right would be a duration, as in \"5us\""},
          Row{"run_for=999999999s", "run_for = \"999999999s\": out of range; right would be 1ns to 315360000s"},
          Row{"run_for=99999999999999s", "run_for = \"99999999999999s\": too large for a duration"},
          Row{"packets=0", "packets = 0: out of range; right would be 1 to 1000000000000"},
          Row{"machine=3", "machine: wrong type: a whole number; right would be a table, [machine]"},
          Row{"machine.guest_cpus=0", "guest_cpus = 0: out of range; right would be 1 to 2048"},
          Row{"machine.gest_cpus=1", "unknown key \"gest_cpus\" in [machine] (did you mean \"guest_cpus\"?)"},
          Row{"machine.banana=1", "unknown key \"banana\" in [machine]; known: guest_cpus, host_cpus, platform, host"},
          Row{"waorkload=1", "unknown key \"waorkload\" (did you mean \"workload\"?)"},
          Row{"vm=1", "vm: wrong type: a whole number; right would be tables, each headed [[vm]]"},
          Row{"latency.profile=typcal",
              "profile = \"typcal\": unknown (did you mean \"typical\"?); right would be one of: typical, zero, or a "
              "file of costs"},
          Row{"latency.profile=x.toml", "profile = \"x.toml\": this text is read without files"},
          Row{"latency.isr=1", "isr = 1: missing unit; " + time_right},
          Row{"latency.isr=48h", "isr = \"48h\": unknown unit \"h\"; " + time_right},
          Row{"latency.isr=100000s", "isr = \"100000s\": out of range; right would be 0ns to 86400s"},
          Row{"latency.isr={}",
              "isr = {}: 0 keys; right would be one key of: exponential, uniform, lognormal, empirical"},
          Row{"latency.isr={ exponentail = \"1us\" }",
              "isr = { exponentail = \"1us\" }: unknown form \"exponentail\" (did you mean \"exponential\"?); right "
              "would be one key "
              "of: exponential, uniform, lognormal, empirical"},
          Row{"latency.isr={ exponential = \"0ns\" }", "isr: \"0ns\": out of range; right would be 1ns to 86400s"},
          Row{"latency.isr={ uniform = [\"1us\"] }",
              "isr: [\"1us\"]: right would be two durations, as in uniform = [\"900ns\", \"1500ns\"]"},
          Row{"latency.isr={ uniform = [\"2us\", \"1us\"] }",
              "isr: [\"2us\", \"1us\"]: the first duration is above the second; swap them"},
          Row{"latency.isr={ lognormal = { median = \"1us\" } }", "isr: { median = \"1us\" }: \"p99\" is missing"},
          Row{"latency.isr={ lognormal = { median = \"2us\", p99 = \"1us\" } }",
              "isr: { median = \"2us\", p99 = \"1us\" }: p99 is below the median; swap them"},
          Row{"latency.isr={ lognormal = { median = \"1us\", p99 = \"2us\", p9 = 1 } }",
              "isr: 1: unknown key \"p9\" (did you mean \"p99\"?); known: median, p99"},
          Row{"latency.isr={ empirical = { file = \"a.csv\", column = \"x\" } }",
              "isr: \"a.csv\": this text is read without files"},
          Row{"channel.disk.name=a b",
              "name = \"a b\": not a name; right would be up to 64 letters, digits, '-' and '_'"},
          Row{"channel.disk.driver=tape", "driver = \"tape\": unknown; right would be one of: echo, storage, network"},
          Row{"channel.disk.driver=my/driver.so", "driver = \"my/driver.so\": this text is read without files"},
          Row{"channel.disk.driver=storge",
              "driver = \"storge\": unknown (did you mean \"storage\"?); right would be one of: echo, storage, "
              "network"},
          Row{"channel.disk.driver=echo", "device: has no effect here; it is for driver = \"storage\" or \"network\""},
          Row{"channel.disk.ring.to_host=5KiB",
              "to_host = \"5KiB\": not a whole number of 4 KiB pages; the next larger is \"2 pages\""},
          Row{"channel.disk.ring.to_host=0 pages",
              "to_host = \"0 pages\": out of range; right would be 1 to 65536 pages"},
          Row{"channel.disk.batching.mask=1",
              "mask = 1: wrong type: a whole number; right would be true or false, without quotes"},
          Row{"channel.disk.device.service=trace",
              "workload \"load\": its channel's device has service = \"trace\", but this workload is no trace"},
          Row{"channel.disk.device={ parallel = 2 }", "[channel.device]: service is missing"},
          Row{"channel.disk.device={ disk = \"server\" }",
              "disk = \"server\": there is no such [[disk]]; a disk of the platform is called \"host:disk\""},
          Row{"channel.disk.vm=gest", "vm = \"gest\": there is no such [[vm]] (did you mean \"guest\"?)"},
          Row{"workload.load.vm=web", "vm = \"web\": channel \"disk\" belongs to vm \"guest\""},
          Row{"workload.load.loop=opne",
              "loop = \"opne\": unknown (did you mean \"open\"?); right would be one of: open, closed, trace"},
          Row{"workload.load.loop=open", "[[workload]]: arrivals is missing"},
          Row{"workload.load.arrivals={ poisson = \"1/s\" }",
              "arrivals: has no effect here; it is for loop = \"open\""},
          Row{"workload.load.trace={ file = \"x\" }", "trace: has no effect here; it is for loop = \"trace\""},
          Row{"workload.load.request=0B", "request = \"0B\": out of range; right would be 1B to 1GiB"},
          Row{"workload.load.request=4096",
              "request = 4096: missing unit; write it as in \"64KiB\" (units: B, KiB, MiB, GiB, pages)"},
          Row{"workload.load.request=[]",
              "request = []: right would be a size, or a mix as in [{ size = \"4KiB\", weight = 3 }, ...]"},
          Row{"workload.load.request=[{ size = \"4KiB\" }]", "request: { size = \"4KiB\" }: \"weight\" is missing"},
          Row{"workload.load.request=1GiB",
              "request is too large: a request of 1GiB takes a packet of 2097264 B, and a packet has at most 524280 B"},
          Row{"workload.load.read_fraction=70", "read_fraction = 70: out of range; right would be 0 to 1"},
          Row{"workload.load.read_fraction=nan", "read_fraction = nan: out of range; right would be 0 to 1"},
          Row{"workload.load.read_fraction=0.33333",
              "read_fraction = 0.33333: finer than a thousandth; right would be 0.333"},
          Row{"sweep.combine=cross", "combine = \"cross\": unknown; right would be one of: product, zip"},
          Row{"sweep.axis=[{ key = \"a\", values = 3 }]",
              "values = 3: right would be a list of values, as in [1, 8, 32]"},
          Row{"objective=3", "objective: wrong type: a whole number; right would be a table, [objective]"},
          Row{"objective.vary=3", "vary = 3: wrong type: a whole number; right would be text in quotes"},
          Row{"objective.laod=< 2ms",
              "laod = \"< 2ms\": unknown metric; metrics begin with one of: run, channel, workload, processor, device"},
          Row{"objective.\"channel.disk.latency.p99\"=2",
              "channel.disk.latency.p99 = 2: wrong type: a whole number; right would be text in quotes"},
          Row{"objective.\"channel.disk.latency.p98\"=< 2ms",
              "channel.disk.latency.p98 = \"< 2ms\": unknown metric \"latency.p98\" (did you mean \"latency.p90\"?)"},
          Row{"report.row=[\"throughput\"]", "unknown key \"row\" in [report] (did you mean \"rows\"?)"},
          Row{"report.rows=[\"throughput\", \"troughput\"]",
              "rows: \"troughput\": unknown metric (did you mean \"throughput\"?); right would be one of a channel or "
              "a "
              "workload, as in \"latency.p99\", or a full name"},
          Row{"report.rows=channel.dsik.sent",
              "rows = \"channel.dsik.sent\": there is no channel \"dsik\" (did you mean \"disk\"?)"},
          Row{"report.against=seed", "against = \"seed\": no key is swept; give [sweep] an axis over it"},
          Row{"report.against=7", "against = 7: wrong type: a whole number; right would be text in quotes"},
          Row{"report.rows=[1]", "rows: 1: wrong type: a whole number; right would be text, or a list of texts"},
          Row{"expect.\"channel.disk.latency.p99\"=2ms",
              "channel.disk.latency.p99 = \"2ms\": right would be a relation and a value, as in \"< 2ms\" (relations: "
              "<, <=, >, >=, =)"},
          Row{"expect.\"channel.disk.latency.p99\"=<< 2ms",
              "channel.disk.latency.p99 = \"<< 2ms\": unknown relation \"<<\"; right would be a relation and a value, "
              "as in \"< 2ms\" (relations: <, <=, >, >=, =)"},
          Row{"expect.\"channel.disk\"=< 2ms",
              "channel.disk = \"< 2ms\": a metric is missing; a channel has sent, completed, outstanding, measured and "
              "more"},
          Row{"expect.\"channel.disk.latency.p99\"=< 2",
              "channel.disk.latency.p99 = \"< 2\": missing unit; " + time_right},
          Row{"expect.\"channel.dsik.latency.p99\"=< 2ms",
              "channel.dsik.latency.p99 = \"< 2ms\": there is no channel \"dsik\" (did you mean \"disk\"?)"},
          Row{"expect.\"chanel.disk.sent\"== 1",
              "chanel.disk.sent = \"= 1\": unknown metric (did you mean \"channel\"?); metrics begin with one of: run, "
              "channel, "
              "workload, processor, device"},
          Row{"expect.\"channel.disk.sent\"=< 1us",
              "channel.disk.sent = \"< 1us\": not a number; this metric has no unit, write it as in \"<= 0.8\""},
          Row{"expect.\"workload.load.respnse.p50\"=< 1us",
              "workload.load.respnse.p50 = \"< 1us\": unknown metric \"respnse.p50\" (did you mean \"response.p50\"?)"},
          Row{"expect.\"channel.disk.stage.to_hots.queue.mean\"=< 1us",
              "channel.disk.stage.to_hots.queue.mean = \"< 1us\": unknown metric \"stage.to_hots.queue.mean\" (did you "
              "mean \"stage.to_host.queue.mean\"?)"},
          Row{"expect.\"processor.hots.cpu0.dpc\"=< 1",
              "processor.hots.cpu0.dpc = \"< 1\": there is no processor \"hots.cpu0\" (did you mean \"host.cpu0\"?)"},
          Row{"expect.\"processor.host.cpu00.dpc\"=< 1",
              "processor.host.cpu00.dpc = \"< 1\": there is no processor \"host.cpu00\" (did you mean \"host.cpu0\"?)"},
          Row{"expect.\"processor.host\"=< 1",
              "processor.host = \"< 1\": there is no processor \"host\"; there are: host.cpu0, guest.cpu0"},
          Row{"expect.\"processor.host.cpu0.dcp\"=< 1",
              "processor.host.cpu0.dcp = \"< 1\": unknown metric \"dcp\" (did you mean \"dpc\"?)"},
          Row{"expect.\"device.disc.operations\"=> 1",
              "device.disc.operations = \"> 1\": there is no device \"disc\" (did you mean \"disk\"?)"},
          Row{"expect.\"workload.laod.completed\"=> 1",
              "workload.laod.completed = \"> 1\": there is no workload \"laod\" (did you mean \"load\"?)"},
          Row{"expect.\"channel\"=< 1us",
              "channel = \"< 1us\": unknown metric (did you mean \"channel\"?); metrics begin with one of: run, "
              "channel, workload, "
              "processor, device"},
      }) {
    INFO(row.assignment);
    const std::string found = problems_after({row.assignment});
    CHECK((found.empty() ? "fine\n" : found) == row.problem + "\n");
  }
}

TEST_CASE("names and totals are checked over the whole file") {
  struct Row {
    const char* situation;
    std::string text;
    std::string problem;
  };
  const std::string channel = "[[channel]]\nname = \"disk\"\ndriver = \"echo\"\n";
  for (const Row& row : {
           Row{"two channels of one name", with("", channel),
               "name = \"disk\": another [[channel]] has this name; it stands at line 7\n"},
           Row{"channels of two guests that have one name",
               "schema = 1\nname = \"s\"\nrun_for = \"1ms\"\n[[vm]]\nname = \"a\"\n[[vm]]\nname = \"b\"\n"
               "[[channel]]\nname = \"c\"\nvm = \"a\"\ndriver = \"echo\"\n[[channel]]\nname = \"c\"\nvm = \"b\"\n"
               "driver = \"echo\"\n[[workload]]\nname = \"l\"\nchannel = \"c\"\nvm = \"b\"\n",
               "name = \"c\": another [[channel]] has this name; it stands at line 9; names are unique over all [[vm]]\n"},
           Row{"two guests of one name", with("", "[[vm]]\nname = \"a\"\n[[vm]]\nname = \"a\"\n"),
               "[[channel]]: vm is missing\nname = \"a\": another [[vm]] has this name; it stands at line 16\n"},
           Row{"two workloads of one name", with("", "[[workload]]\nname = \"load\"\nchannel = \"disk\"\n"),
               "name = \"load\": another [[workload]] has this name; it stands at line 12\n"},
           Row{"several guests, and no word which", with("", "[[vm]]\nname = \"a\"\n[[vm]]\nname = \"b\"\n"),
               "[[channel]]: vm is missing\n"},
           Row{"no guest at all", with("", "[[vm]]\nname = \"a\"\ncount = 0\n"),
               "there is no guest; give [fleet] a count or arrivals, or a [[vm]] a count\n"},
           Row{"nothing at all", "",
               "schema is missing\nname is missing\nthere is no [[channel]], so there is nothing to simulate\n"},
           Row{"a table where a list is due", with("", "[vm]\nname = \"a\"\n"),
               "vm: wrong type: a table; right would be tables, each headed [[vm]]\n"},
           Row{"more rings than memory",
               with("",
                    "[[vm]]\nname = \"a\"\ncount = 10000\n[[channel]]\nname = \"big\"\ndriver = \"echo\"\nring.to_host "
                    "= \"16MiB\"\n"
                    "[[workload]]\nname = \"w\"\nchannel = \"big\"\n"),
               "the rings up to this channel take more than 16GiB; fewer guests, subchannels or ring pages would be "
               "right\n"},
           Row{"more processors than are simulated", with("", "[[vm]]\nname = \"a\"\ncount = 10000\ncpus = 2048\n"),
               "20480001 processors; at most 100000 are simulated\n"},
           Row{"an echo that does not fit",
               with("",
                    "[[channel]]\nname = \"e\"\ndriver = \"echo\"\nring.to_guest = \"1 pages\"\n"
                    "[[workload]]\nname = \"w\"\nchannel = \"e\"\nrequest = \"4KiB\"\n"),
               "to_guest = \"1 page\": too small: a request of 4KiB takes a packet of 4120 B and 8 B stay free; right "
               "would be at "
               "least \"2 pages\"\n"},
           Row{"reads of an echo",
               with("",
                    "[[channel]]\nname = \"e\"\ndriver = \"echo\"\n[[workload]]\nname = \"w\"\nchannel = \"e\"\n"
                    "read_fraction = 0.5\n"),
               "read_fraction: has no effect here; it is for an open or closed loop on a channel that reads and "
               "writes\n"},
           Row{"a metric demanded twice", with("", "[expect]\n\"run.events\" = \"> 1\"\nrun.events = \"> 2\"\n"),
               "\"run.events\" stands here twice, once in quotes and once without\n"},
           Row{"an include", with("include = [\"x\"]"),
               "include: this text is read without files, so it cannot include any\n"},
       }) {
    INFO(row.situation);
    CHECK(texts_of(load_text(row.text).problems) == row.problem);
  }
}

TEST_CASE("a misspelt key that is required is one problem, and so is what hangs on it") {
  struct Row {
    const char* right;
    const char* wrong;
    std::string problem;
  };
  for (const Row& row : {
           Row{"schema ", "shema ", "unknown key \"shema\" (did you mean \"schema\"?)\n"},
           Row{"run_for", "run_fro", "unknown key \"run_fro\" (did you mean \"run_for\"?)\n"},
           Row{"run_for = \"10ms\"", "pakets = 10", "unknown key \"pakets\" (did you mean \"packets\"?)\n"},
           Row{"[[channel]]", "[[chanel]]", "unknown key \"chanel\" (did you mean \"channel\"?)\n"},
           Row{"[[workload]]", "[[worklod]]", "unknown key \"worklod\" (did you mean \"workload\"?)\n"},
           Row{"channel = ", "chanel = ", "unknown key \"chanel\" in [[workload]] (did you mean \"channel\"?)\n"},
           Row{"name   = ", "nmae   = ", "unknown key \"nmae\" in [[channel]] (did you mean \"name\"?)\n"},
           Row{"device = ", "devcie = ", "unknown key \"devcie\" in [[channel]] (did you mean \"device\"?)\n"},
           Row{"service", "sevice", "unknown key \"sevice\" in [channel.device] (did you mean \"service\"?)\n"},
           Row{"\"80us\"", "{ lognormal = { median = \"1us\", p9 = \"2us\" } }",
               "service: \"2us\": unknown key \"p9\" (did you mean \"p99\"?); known: median, p99\n"},
           // What is near no key is a problem beside what is missing.
           Row{"service", "banana",
               "[channel.device]: service is missing\nunknown key \"banana\" in [channel.device]; known: service, "
               "parallel, disk, peer, completion\n"},
       }) {
    INFO(row.wrong);
    std::string text = smallest + "[expect]\n\"channel.disk.latency.p99\" = \"< 2ms\"\n";
    const std::size_t at = text.find(row.right);
    REQUIRE(at != std::string::npos);
    CHECK(texts_of(load_text(text.replace(at, std::string(row.right).size(), row.wrong)).problems) == row.problem);
  }
}

TEST_CASE("what hangs on a value that could not be read, or on a name that is wrong, is no further problem") {
  struct Row {
    std::string text;
    std::string problem;
  };
  const std::string expect = "[expect]\n\"workload.load.completed\" = \"> 1\"\n\"channel.disk.completed\" = \"> 1\"\n";
  const auto changed = [&](const std::string& right, const std::string& wrong, const std::string& more = {}) {
    std::string text = smallest + more + expect;
    const std::size_t at = text.find(right);
    REQUIRE(at != std::string::npos);
    return text.replace(at, right.size(), wrong);
  };
  const std::string device = "device = { service = \"80us\" }";
  const std::string unread = ": this text is read without files\n";
  for (const Row& row : {
           Row{changed("driver = \"storage\"", "driver = \"libnothere.so\""), "driver = \"libnothere.so\"" + unread},
           Row{changed("driver = \"storage\"\n" + device,
                       "driver = \"echo\"\nguest_endpoint = { driver = \"libnothere.so\" }", "read_fraction = 0.5\n"),
               "driver = \"libnothere.so\"" + unread},
           Row{changed(device, "host_endpoint = { driver = \"libnothere.so\" }"),
               "driver = \"libnothere.so\"" + unread},
           Row{changed(device, "host_endpoint = { driver = \"libnothere.so\" }\nsave = { at = \"1ms\" }"),
               "driver = \"libnothere.so\"" + unread},
           Row{changed("channel = \"disk\"", "channel = \"disc\""),
               "channel = \"disc\": there is no such [[channel]] (did you mean \"disk\"?)\n"},
           Row{changed(device, "", "[channels.device]\nservice = \"80us\"\n"),
               "unknown key \"channels\" (did you mean \"channel\"?)\n"},
           Row{changed("[[channel]]", "[channel]"),
               "channel: wrong type: a table; right would be tables, each headed [[channel]]\n"},
           Row{changed("[[workload]]", "[workload]"),
               "workload: wrong type: a table; right would be tables, each headed [[workload]]\n"},
           Row{changed("[expect]", "[expect]\n\"workload.second.completed\" = \"> 1\"",
                       "[[workload]]\nname = \"load\"\nchannel = \"disk\"\n"),
               "name = \"load\": another [[workload]] has this name; it stands at line 11\n"},
           Row{changed("[[workload]]", "[[channel]]\nname = \"disk\"\ndriver = \"echo\"\n[[workload]]",
                       "[[workload]]\nname = \"other\"\nchannel = \"second\"\n"),
               "name = \"disk\": another [[channel]] has this name; it stands at line 6\n"},
       }) {
    INFO(row.text);
    CHECK(texts_of(load_text(row.text).problems) == row.problem);
  }
  // Another entry's mistake excuses none.
  CHECK(texts_of(load_text(changed(device, "", "[channels.ring]\nto_host = \"1 page\"\n")).problems) ==
        "[channel.device]: service is missing\nunknown key \"channels\" (did you mean \"channel\"?)\n");
}

TEST_CASE("what a report is drawn against is a swept key") {
  const auto against = [](const std::string& key) {
    return texts_of(load_text(with("",
                                   "[sweep]\n[[sweep.axis]]\nkey = \"workload.load.queue_depth\"\nvalues = [1]\n"
                                   "[report]\nrows = [\"latency.p99\", \"response.p50\", \"run.events\"]\n"
                                   "against = \"" +
                                       key + "\"\n"))
                        .problems);
  };
  CHECK(against("workload.load.queue_depth") == "");
  CHECK(against("workload.load.queue_dept") ==
        "against = \"workload.load.queue_dept\": this key is not swept (did you mean "
        "\"workload.load.queue_depth\"?)\n");
}

TEST_CASE("a ring holds its largest packet exactly, and not one byte less") {
  // Source: OpenVMM, vmbus_ring: 8 bytes always stay free; a packet is descriptor, payload and an 8-byte trailer.
  const auto echo = [](const std::string& request) {
    return texts_of(load_text(with("",
                                   "[[channel]]\nname = \"e\"\ndriver = \"echo\"\nring.to_host = \"1 pages\"\n"
                                   "[[workload]]\nname = \"w\"\nchannel = \"e\"\nrequest = \"" +
                                       request + "\"\n"))
                        .problems);
  };
  CHECK(echo("4064B") == "");  // 16 + 4064 + 8 = 4088 = 4096 - 8
  CHECK_THAT(echo("4065B"), Catch::Contains("takes a packet of 4096 B"));
  // 16 + 8 + 8 + 8 * (pages + 1) + 64 + 8 = 4088 at 497 pages.
  CHECK(problems_after({"channel.disk.ring.to_host=1 pages", "workload.load.request=497 pages"}) == "");
  CHECK_THAT(problems_after({"channel.disk.ring.to_host=1 pages", "workload.load.request=498 pages"}),
             Catch::Contains("takes a packet of 4096 B"));
}

TEST_CASE("a result file holds ten million intervals, and not one more") {
  CHECK(problems_after({"run_for=10ms", "record.intervals=1ns"}) == "");
  CHECK(problems_after({"run_for=10000001ns", "record.intervals=1ns"}) ==
        "more than 10000000 intervals over all channels; a longer one would be right\n");
}

TEST_CASE("a file with very many entries is refused before they are compared") {
  std::string many = smallest;
  for (int i = 0; i < 5000; ++i) many += "[[workload]]\nname = \"w" + std::to_string(i) + "\"\nchannel = \"disk\"\n";
  CHECK_THAT(texts_of(load_text(many).problems),
             Catch::Contains("workload: 5001 entries; right would be at most 4096"));
}

TEST_CASE("a misspelt key is one problem: what it decides is not judged") {
  struct Row {
    std::vector<std::string> overrides;
    const char* problem;
  };
  for (const Row& row :
       {Row{{"workload.load.lop=open", "workload.load.arrivals={periodic=\"1/ms\"}"},
            "unknown key \"lop\" in [[workload]] (did you mean \"loop\"?)\n"},
        Row{{"machine.plattform=default", "machine.host=server", "vm=[{name=\"guest\",host=\"server\"}]"},
            "unknown key \"plattform\" in [machine] (did you mean \"platform\"?)\n"},
        Row{{"machin.platform=default", "vm=[{name=\"guest\",host=\"server\"}]"},
            "unknown key \"machin\" (did you mean \"machine\"?)\n"},
        Row{{"channel.disk.device={dsik=\"server:ssd\"}"},
            "unknown key \"dsik\" in [channel.device] (did you mean \"disk\"?)\n"},
        Row{{"channel.disk.driver=echo", "channel.disk.host_endpoint.drivr=own.so"},
            "unknown key \"drivr\" in [channel.host_endpoint] (did you mean \"driver\"?)\n"}}) {
    INFO(row.problem);
    CHECK(problems_after(row.overrides) == row.problem);
  }
  // One that decides nothing, and one that is there beside its misspelling, hide no other mistake.
  CHECK(problems_after({"workload.load.nmae=x", "workload.load.arrivals={periodic=\"1/ms\"}"}) ==
        "unknown key \"nmae\" in [[workload]] (did you mean \"name\"?)\n"
        "arrivals: has no effect here; it is for loop = \"open\"\n");
  CHECK(problems_after(
            {"workload.load.loop=closed", "workload.load.lop=open", "workload.load.arrivals={periodic=\"1/ms\"}"}) ==
        "unknown key \"lop\" in [[workload]] (did you mean \"loop\"?)\n"
        "arrivals: has no effect here; it is for loop = \"open\"\n");
}

TEST_CASE("a recorded load whose loop is misspelt is not asked when it ends") {
  std::string text = smallest;
  text.replace(text.find("run_for = \"10ms\"\n"), 17, "");
  CHECK(texts_of(load_text(text + "lop = \"trace\"\n").problems) ==
        "unknown key \"lop\" in [[workload]] (did you mean \"loop\"?)\n");
}

TEST_CASE("all problems come at once, in the order of the file") {
  const Loaded result = load_text(R"(schema = 1
name = 3
run_for = "10"
[[channel]]
name = "disk"
driver = "storage"
subchanels = 2
[channel.device]
service = "80"
[[workload]]
name = "load"
channel = "dsik"
)");
  std::vector<std::uint32_t> lines;
  for (const Problem& p : result.problems) lines.push_back(p.place.line);
  CHECK(lines == std::vector<std::uint32_t>{2, 3, 7, 9, 12});
  CHECK_FALSE(result.scenario.has_value());
}

TEST_CASE("after a file that could not be read, what is missing is no further problem") {
  const Folder folder;
  const std::string file = folder.write("s.toml", "include = [\"gone.toml\"]\nseed = \"x\"\n");
  const Loaded result = load(file);
  REQUIRE(result.problems.size() == 2);
  CHECK(result.problems[0].place.line == 1);
  CHECK(result.problems[1].text == "seed = \"x\": wrong type: text; right would be a whole number, without quotes");
}

TEST_CASE("a profile file names every cost and nothing else") {
  const Folder folder;
  folder.write("mine.toml", "schema = 1\nname = \"mine\"\n[latency]\nisr = \"1\"\nsingal_host = \"1us\"\n");
  const Loaded result = load(folder.write("s.toml", with("", "[latency]\nprofile = \"mine.toml\"\n")));
  CHECK(result.problems.size() == 15);  // 13 costs are missing, one has no unit, one is misspelt
  for (const Problem& p : result.problems) CHECK(p.place.file == folder.path("mine.toml"));
  CHECK_THAT(texts_of(result.problems),
             Catch::Contains("unknown key \"singal_host\" in [latency] (did you mean \"signal_host\"?)"));
}
