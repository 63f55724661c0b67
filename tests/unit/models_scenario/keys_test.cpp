// Every key of a scenario file: what it means as a value, and what it is when it is left out.
// Source: the scenario contract, and the sketch of a scenario file in it.
#include <catch2/catch.hpp>

#include "tests/unit/models_scenario/texts.hpp"

using namespace vmbsim;
using namespace vmbsim::scenario;
using namespace vmbsim::scenario::test;

namespace {

Duration mean_of(const kernel::Distribution& d) { return d.mean(); }

TEST_CASE("what KMCL does where its documents leave a choice is a channel's, at both its ends") {
  const kmcl::Policies p =
      loaded({"channel.disk.policies.routine_of_sent=either", "channel.disk.policies.refuse_after_close=true",
              "channel.disk.policies.exact_length=true", "channel.disk.policies.pause_waits_for_sent=true",
              "channel.disk.policies.overtaking=true", "channel.disk.policies.pending_fraction=0.25",
              "channel.disk.policies.page_in=30us"})
          .channels[0]
          .policies;
  CHECK(p.routine_of_sent == kmcl::Policies::RoutineOfSent::either);
  CHECK((p.refuse_after_close && p.exact_length && p.pause_waits_for_sent && p.overtaking));
  CHECK(p.pending_permille == 250);
  CHECK(p.page_in == 30us);
  CHECK(loaded({"channel.disk.guest_endpoint.vtl=2"}).channels[0].guest_endpoint.vtl == 2);
  CHECK_THAT(problems_after({"channel.disk.guest_endpoint.vtl=3"}), Catch::Contains("right would be 0 to 2"));
}

TEST_CASE("a channel is saved at a time, through two codes of its host's driver") {
  const Folder folder;
  folder.write("mine.so", "");
  const LoadOptions options{.driver_check = [](const std::string&) -> std::optional<std::string> { return {}; }};
  const auto text = [](const std::string& at, const std::string& host) {
    return with("", "[[channel]]\nname = \"saved\"\ndriver = \"echo\"\n" + host + "save = { at = \"" + at +
                        "\", restore_after = \"2ms\", save_code = 0x222000, restore_code = 8 }\n"
                        "[[workload]]\nname = \"more\"\nchannel = \"saved\"\n");
  };
  const std::string library = "host_endpoint = { driver = \"mine.so\" }\n";
  const Loaded fine = load(folder.write("s.toml", text("5ms", library)), options);
  REQUIRE(texts_of(fine.problems) == "");
  REQUIRE(fine.scenario->channels[1].save.has_value());
  CHECK(fine.scenario->channels[1].save->at == 5ms);
  CHECK(fine.scenario->channels[1].save->restore_after == 2ms);
  CHECK(fine.scenario->channels[1].save->save_code == 0x222000);
  CHECK(fine.scenario->channels[1].save->restore_code == 8);
  CHECK_FALSE(fine.scenario->channels[0].save.has_value());
  CHECK_THAT(texts_of(load(folder.write("s.toml", text("5ms", "")), options).problems),
             Catch::Contains("save: has no effect here; it is for a host endpoint that is a driver library"));
  CHECK_THAT(texts_of(load(folder.write("s.toml", text("10ms", library)), options).problems),
             Catch::Contains("the run is over by then"));
}

}  // namespace

TEST_CASE("what is left out has a default") {
  const Scenario s = loaded({});
  CHECK(s.name == "smallest");
  CHECK(s.seed.value == 1);
  CHECK(s.warm_up == 0ns);
  CHECK(s.run_for == 10ms);
  CHECK(s.packets == 0);
  CHECK(s.machine.guest_cpus == 1);
  CHECK(s.machine.host_cpus == 1);
  CHECK(s.machine.platform.empty());
  REQUIRE(s.vms.size() == 1);
  CHECK(s.vms[0].name == "guest");
  CHECK(s.vms[0].cpus == 1);
  CHECK(s.vms[0].count == 1);
  CHECK(s.profile == "typical");
  REQUIRE(s.channels.size() == 1);
  const ChannelSpec& c = s.channels[0];
  CHECK(c.vm == "guest");
  CHECK(c.subchannels == 0);
  CHECK(c.placement == Placement::spread);
  CHECK(c.to_host == Pages{32});
  CHECK(c.to_guest == Pages{32});
  CHECK(c.batching.mode == BatchingSpec::Mode::drain);
  CHECK(c.batching.max_packets == 64);
  CHECK_FALSE(c.batching.mask);
  CHECK(c.host_endpoint.processing == Processing::dispatch);
  CHECK(c.host_endpoint.transaction_quota == 0);
  CHECK(mean_of(c.host_endpoint.process_time) == 0ns);
  CHECK(mean_of(c.device.service) == 80us);
  CHECK(c.device.parallel == 1);
  CHECK(c.device.completion == DeviceSpec::Completion::dpc);
  REQUIRE(s.workloads.size() == 1);
  const WorkloadSpec& w = s.workloads[0];
  CHECK(w.vm == "guest");
  CHECK(w.loop == WorkloadSpec::Loop::closed);
  CHECK(w.queue_depth == 1);
  CHECK(mean_of(w.think_time) == 0ns);
  REQUIRE(w.request.size() == 1);
  CHECK(w.request[0].size == 4_KiB);
  CHECK(w.read_permille == 1000);
  CHECK(s.expect.empty());
  CHECK_FALSE(s.record.packets);
  CHECK(s.record.interval == 0ns);
  CHECK(s.sweep.axes.empty());
}

TEST_CASE("every plain key changes its value") {
  const auto channel = [](const Scenario& s) -> const ChannelSpec& { return s.channels[0]; };
  const auto workload = [](const Scenario& s) -> const WorkloadSpec& { return s.workloads[0]; };
  CHECK(loaded({"name=other"}).name == "other");
  CHECK(loaded({"seed=7"}).seed.value == 7);
  CHECK(loaded({"warm_up=5ms"}).warm_up == 5ms);
  CHECK(loaded({"run_for=1.5s"}).run_for == 1500ms);
  CHECK(loaded({"packets=9"}).packets == 9);
  CHECK(loaded({"machine.guest_cpus=8"}).vms[0].cpus == 8);
  CHECK(loaded({"machine.host_cpus=4"}).machine.host_cpus == 4);
  CHECK(mean_of(loaded({"latency.signal_host=700ns"}).costs.signal_host) == 700ns);
  CHECK(mean_of(loaded({"latency.profile=zero"}).costs.worker_wake) == 0ns);
  CHECK(channel(loaded({"channel.disk.subchannels=4"})).subchannels == 4);
  CHECK(channel(loaded({"channel.disk.placement=first"})).placement == Placement::first);
  CHECK(channel(loaded({"channel.disk.ring.to_host=4 pages"})).to_host == Pages{4});
  CHECK(channel(loaded({"channel.disk.ring.to_guest=64KiB"})).to_guest == Pages{16});
  CHECK(channel(loaded({"channel.disk.batching.mode=none"})).batching.mode == BatchingSpec::Mode::none);
  CHECK(channel(loaded({"channel.disk.batching.mode=limit"})).batching.mode == BatchingSpec::Mode::limit);
  CHECK(channel(loaded({"channel.disk.batching.max_packets=5"})).batching.max_packets == 5);
  CHECK(channel(loaded({"channel.disk.batching.mask=true"})).batching.mask);
  CHECK(channel(loaded({"channel.disk.host_endpoint.processing=passive"})).host_endpoint.processing ==
        Processing::passive);
  CHECK(channel(loaded({"channel.disk.guest_endpoint.processing=passive"})).guest_endpoint.processing ==
        Processing::passive);
  CHECK(channel(loaded({"channel.disk.host_endpoint.transaction_quota=3"})).host_endpoint.transaction_quota == 3);
  CHECK(mean_of(channel(loaded({"channel.disk.guest_endpoint.process_time=2us"})).guest_endpoint.process_time) == 2us);
  CHECK(channel(loaded({"channel.disk.device.parallel=8"})).device.parallel == 8);
  CHECK(channel(loaded({"channel.disk.device.completion=worker"})).device.completion == DeviceSpec::Completion::worker);
  CHECK(workload(loaded({"workload.load.queue_depth=32"})).queue_depth == 32);
  CHECK(mean_of(workload(loaded({"workload.load.think_time=1ms"})).think_time) == 1ms);
  CHECK(workload(loaded({"workload.load.request=64KiB"})).request[0].size == 64_KiB);
  CHECK(workload(loaded({"workload.load.read_fraction=0.7"})).read_permille == 700);
  CHECK(workload(loaded({"workload.load.read_fraction=0"})).read_permille == 0);
  CHECK(loaded({"record.packets=true"}).record.packets);
  CHECK(loaded({"record.intervals=10us"}).record.interval == 10us);
}

TEST_CASE("every cost of the profile can be named alone") {
  const Scenario zero = loaded({"latency.profile=zero"});
  for (const auto& [key, member] : std::vector<std::pair<std::string, kernel::Distribution hw::Costs::*>>{
           {"signal_host", &hw::Costs::signal_host},
           {"signal_guest", &hw::Costs::signal_guest},
           {"idle_wake", &hw::Costs::idle_wake},
           {"control_message", &hw::Costs::control_message},
           {"hypercall", &hw::Costs::hypercall},
           {"isr", &hw::Costs::isr},
           {"dpc_dispatch", &hw::Costs::dpc_dispatch},
           {"worker_wake", &hw::Costs::worker_wake},
           {"thread_switch", &hw::Costs::thread_switch},
           {"packet_send", &hw::Costs::packet_send},
           {"packet_receive", &hw::Costs::packet_receive},
           {"packet_complete", &hw::Costs::packet_complete},
           {"copy_per_kib", &hw::Costs::copy_per_kib},
           {"map_per_page", &hw::Costs::map_per_page},
           {"device_isr", &hw::Costs::device_isr}}) {
    INFO(key);
    CHECK((zero.costs.*member).mean() == 0ns);
    CHECK((loaded({"latency.profile=zero", "latency." + key + "=7ns"}).costs.*member).mean() == 7ns);
    CHECK((loaded({}).costs.*member).mean() > 0ns);
  }
}

TEST_CASE("a cost can be a distribution") {
  struct Row {
    const char* text;
    Duration mean;
    Duration lowest;
  };
  for (const Row& row : {Row{"{ exponential = \"10us\" }", 10us, 0ns},
                         Row{"{ uniform = [\"1us\", \"3us\"] }", 2us, 1us}, Row{"\"5us\"", 5us, 5us}}) {
    INFO(row.text);
    const auto cost = loaded({std::string("latency.isr=") + row.text}).costs.isr;
    CHECK(cost.mean() == row.mean);
    CHECK(cost.lowest() == row.lowest);
  }
  const auto lognormal = loaded({"latency.isr={ lognormal = { median = \"80us\", p99 = \"400us\" } }"}).costs.isr;
  CHECK_FALSE(lognormal.is_fixed());
  CHECK(lognormal.mean() > 80us);
}

TEST_CASE("empirical samples come from a column of a file") {
  const Folder folder;
  folder.write("service.csv", "op,service (us)\nr,1\nr,2\nr,6\n");
  const std::string file = folder.write(
      "s.toml", with("", "[latency]\nisr = { empirical = { file = \"service.csv\", column = \"service\" } }\n"));
  const Loaded result = load(file);
  REQUIRE(texts_of(result.problems) == "");
  CHECK(result.scenario->costs.isr.mean() == 3us);
  CHECK_THAT(expand(*result.scenario), Catch::Contains(folder.path("service.csv")));
  folder.write("service.csv", "op,service\nr,1\nr,oops\nr,-5\n");
  const Loaded bad = load(file);
  REQUIRE(bad.problems.size() == 2);
  CHECK(bad.problems[0].place.file == folder.path("service.csv"));
  CHECK(bad.problems[0].place.line == 3);
  CHECK(bad.problems[1].place.line == 4);
}

TEST_CASE("arrivals are a process") {
  const auto arrivals = [](const std::string& text) {
    return loaded({"workload.load.loop=open", "workload.load.arrivals=" + text}).workloads[0].arrivals;
  };
  CHECK(std::get<kernel::Poisson>(arrivals("{ poisson = \"20000/s\" }")).rate.events == 20'000);
  CHECK(std::get<kernel::Periodic>(arrivals("{ periodic = \"1/ms\" }")).rate.per == 1ms);
  CHECK(std::get<kernel::Renewal>(arrivals("{ renewal = { uniform = [\"0us\", \"4us\"] } }")).gap.mean() == 2us);
  const auto mmpp = std::get<kernel::Mmpp>(
      arrivals("{ mmpp = [{ rate = \"1000/s\", stay = \"10ms\" }, { rate = \"5/s\", stay = \"1s\" }] }"));
  REQUIRE(mmpp.states.size() == 2);
  CHECK(mmpp.states[1].mean_stay == 1s);
}

TEST_CASE("a request can be a mix of sizes") {
  const Scenario s =
      loaded({"workload.load.request=[{ size = \"4KiB\", weight = 3 }, { size = \"64KiB\", weight = 1 }]"});
  REQUIRE(s.workloads[0].request.size() == 2);
  CHECK(s.workloads[0].request[0].weight == 3);
  CHECK(s.workloads[0].request[1].size == 64_KiB);
}

TEST_CASE("guests are templates, and channels and workloads name theirs") {
  const Loaded result = load_text(R"(schema = 1
name = "two templates"
packets = 10
[machine]
guest_cpus = 2
[[vm]]
name = "web"
count = 3
[[vm]]
name = "db"
cpus = 8
[[channel]]
name = "net"
vm = "web"
driver = "echo"
[[channel]]
name = "disk"
vm = "db"
driver = "storage"
device = { service = "10us" }
[[workload]]
name = "a"
channel = "net"
[[workload]]
name = "b"
channel = "disk"
vm = "db"
[expect]
"channel.web[2].net.latency.p99" = "< 2ms"
"channel.web[*].net.throughput" = ">= 1000/s"
"channel.disk.bandwidth" = "> 1MiB/s"
"processor.host.cpu0.idle" = ">= 0.25"
"run.findings" = "= 0"
"channel.db[*].disk.sent" = "> 0"
"processor.db[0].cpu7.dpc" = "< 0.5"
)");
  REQUIRE(texts_of(result.problems) == "");
  const Scenario& s = *result.scenario;
  CHECK(s.vms[0].cpus == 2);
  CHECK(s.vms[0].count == 3);
  CHECK(s.vms[1].cpus == 8);
  CHECK(s.channels[1].vm == "db");
  CHECK(s.workloads[0].vm == "web");
  REQUIRE(s.expect.size() == 7);
  CHECK(s.expect[5].metric == "channel.disk.sent");  // all guests of a template that makes one
  CHECK(s.expect[6].metric == "processor.db.cpu7.dpc");
  CHECK(s.expect[0].metric == "channel.web[2].net.latency.p99");
  CHECK(s.expect[0].value == 2e6);
  CHECK(s.expect[0].relation == Expectation::Relation::below);
  CHECK(s.expect[0].place.line == 29);
  CHECK(s.expect[1].value == 1000);
  CHECK(s.expect[1].relation == Expectation::Relation::at_least);
  CHECK(s.expect[2].value == 1048576);
  CHECK(s.expect[3].value == 0.25);
  CHECK(s.expect[4].relation == Expectation::Relation::equals);
}

TEST_CASE("a trace names its file, its format and its columns") {
  const Folder folder;
  folder.write("io.csv", "t,bytes\n0,512\n");
  const auto scenario = [&](const std::string& trace, const std::string& more = "") {
    return load(folder.write("s.toml",
                             "schema = 1\nname = \"t\"\n[[channel]]\nname = \"disk\"\ndriver = \"storage\"\n"
                             "device = { service = \"1us\" }\n[[workload]]\nname = \"w\"\nchannel = \"disk\"\n"
                             "loop = \"trace\"\n" +
                                 more + "\ntrace = { file = \"io.csv\", " + trace + " }\n"));
  };
  const Loaded full = scenario(
      "format = \"csv\", arrival = \"t\", size = \"bytes\", kind = \"k\", offset = \"o\", service = \"s\", "
      "unit = \"us\", time_scale = 2, sort = true, delimiter = \"tab\", decimal = \",\"");
  REQUIRE(texts_of(full.problems) == "");
  const TraceSpec& t = full.scenario->workloads[0].trace;
  CHECK(t.file == folder.path("io.csv"));
  CHECK(t.format == TraceSpec::Format::csv);
  CHECK(t.arrival == "t");
  CHECK(t.size == "bytes");
  CHECK(t.service == "s");
  CHECK(t.unit == 1us);
  CHECK(t.time_scale == 2);
  CHECK(t.sort);
  CHECK(t.delimiter == '\t');
  CHECK(t.decimal == ',');
  CHECK(full.scenario->workloads[0].request.empty());
  CHECK(scenario("format = \"msr\"").scenario->workloads[0].trace.format == TraceSpec::Format::msr);
  CHECK(scenario("format = \"fio-iolog\"").scenario->workloads[0].trace.format == TraceSpec::Format::fio_iolog);
  CHECK(scenario("format = \"wpa-disk-io\"").scenario->workloads[0].trace.format == TraceSpec::Format::wpa_disk_io);
  CHECK(scenario("format = \"csv\", arrival = \"t\"", "request = \"8KiB\"").scenario->workloads[0].request[0].size ==
        8_KiB);

  CHECK_THAT(texts_of(scenario("format = \"csv\", size = \"bytes\"").problems), Catch::Contains("arrival is missing"));
  CHECK(texts_of(scenario("format = \"msr\", arrival = \"t\"").problems) ==
        "arrival: has no effect here; it is for format = \"csv\"\n");
  CHECK(texts_of(scenario("format = \"msr\"", "request = \"8KiB\"").problems) ==
        "request: has no effect here; the trace brings the sizes\n");
  CHECK(texts_of(scenario("format = \"csv\", arrival = \"t\"").problems) ==
        "the trace names no size column, so request must say the one size of all, as in \"4KiB\"\n");
  CHECK(texts_of(scenario("format = \"msr\", delimiter = \"ab\"").problems) ==
        "delimiter = \"ab\": right would be one character other than a quote, or \"tab\"\n");
  CHECK_THAT(texts_of(scenario("format = \"csv\", arrival = \"t\", size = \"b\", unit = \"days\"").problems),
             Catch::Contains("not a unit of time"));
}

TEST_CASE("a sweep, an objective and a report are kept") {
  const Loaded result = load_text(with("", R"([sweep]
combine = "zip"
repeat = 5
[[sweep.axis]]
key = "workload.load.queue_depth"
values = [1, 8]
[objective]
"channel.disk.latency.p99" = "< 2ms"
[report]
rows = ["latency.p99"]
against = "workload.load.queue_depth"
)"));
  REQUIRE(texts_of(result.problems) == "");
  const Scenario& s = *result.scenario;
  CHECK(s.sweep.combine == sweep::Sweep::Combine::zip);
  CHECK(s.sweep.repeat == 5);
  REQUIRE(s.sweep.axes.size() == 1);
  CHECK(s.sweep.axes[0].keys == std::vector<std::string>{"workload.load.queue_depth"});
  CHECK(s.sweep.axes[0].values == std::vector<std::string>{"1", "8"});
  REQUIRE(s.objective.size() == 1);
  CHECK(s.objective[0].metric == "channel.disk.latency.p99");
  CHECK(s.objective[0].value == 2e6);
  CHECK(s.report.against == "workload.load.queue_depth");
}

TEST_CASE("a platform carries the machine, and its hosts are asked for") {
  const auto only_known = [](const std::string& platform, const std::string& host) -> std::optional<std::string> {
    CHECK(platform == "default");
    return host == "server" || host == "server:ssd" ? std::nullopt
                                                    : std::optional<std::string>("there is no such host");
  };
  LoadOptions options{.overrides = {"machine.platform=default", "machine.host=server"}, .host_check = only_known};
  const Loaded fine = load_text(smallest, options);
  REQUIRE(texts_of(fine.problems) == "");
  CHECK(fine.scenario->machine.platform == "default");
  CHECK(fine.scenario->vms[0].host == "server");
  options.overrides[1] = "machine.host=sevrer";
  CHECK(texts_of(load_text(smallest, options).problems) == "host = \"sevrer\": there is no such host\n");
  CHECK(problems_after({"machine.platform=default"}) == "[machine]: host is missing\n");
  CHECK(problems_after({"machine.host=server"}) == "host: has no effect here; it is for a machine with a platform\n");
}

TEST_CASE("driver libraries are asked for, and what is wrong with one stands at its key") {
  const Folder folder;
  const std::string library = folder.write("mine.so", "");
  std::string old;
  LoadOptions options;
  options.driver_check = [&](const std::string& file) -> std::optional<std::string> {
    return file == old ? std::optional<std::string>("is an old one") : std::nullopt;
  };
  const std::string file = folder.write("s.toml", with("",
                                                       "[[channel]]\nname = \"own\"\ndriver = \"echo\"\n"
                                                       "host_endpoint = { driver = \"mine.so\" }\n"
                                                       "[[workload]]\nname = \"drive\"\nchannel = \"own\"\n"));
  const Loaded fine = load(file, options);
  REQUIRE(texts_of(fine.problems) == "");
  CHECK(fine.scenario->channels[1].host_endpoint.library == library);
  old = library;
  CHECK(texts_of(load(file, options).problems) == "driver = \"mine.so\": the library is an old one\n");
  CHECK(load(file).scenario.has_value());  // nobody to ask
}

TEST_CASE("the seed of the command line wins") {
  CHECK(load_text(smallest, {.overrides = {"seed=3"}, .seed = Seed{44}}).scenario->seed.value == 44);
  const Loaded large = load_text(smallest, {.seed = Seed{UINT64_MAX}});
  REQUIRE(large.problems.size() == 1);
  CHECK(large.problems[0].line() ==
        "--seed: 18446744073709551615: out of range; right would be 0 to 9223372036854775807");
}
