#pragma once
/// A scenario for every seed: any mix of guests, channels, rings, loads and costs that the reader accepts.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/kernel/random.hpp"
#include "tests/support/runs.hpp"

namespace vmbsim::testing {

/// Everything about one random scenario.
struct RandomScenario {
  std::uint64_t number = 0;
  bool drains = false;  ///< recorded loads that end; else open and closed ones that a limit stops
  std::string text;
  scenario::Scenario scenario;
  scenario::Traces traces;
};

class ScenarioWriter {
 public:
  explicit ScenarioWriter(std::uint64_t number) : number_(number), draw_(Seed{number}, "random scenario", "text") {}

  RandomScenario write() {
    drains_ = draw_.chance(1, 2);
    line("schema = 1\nname = \"random-{}\"\nseed = {}", number_, number_);
    if (drains_)
      line("run_for = \"1000s\"");
    else
      line("run_for = \"{}us\"\npackets = {}", 500 + draw_.below(8000), 1 + draw_.below(1500));
    if (!drains_ && draw_.chance(1, 2)) line("warm_up = \"{}us\"", draw_.below(1000));
    line("[machine]\nhost_cpus = {}", 1 + draw_.below(4));
    vms_ = 1 + draw_.below(3);
    for (std::uint64_t v = 0; v < vms_; ++v)
      line("[[vm]]\nname = \"vm{}\"\ncpus = {}\ncount = {}", v, 1 + draw_.below(4), draw_.chance(1, 4) ? 2 : 1);
    costs();
    const std::uint64_t channels = vms_ + draw_.below(3);
    for (std::uint64_t c = 0; c < channels; ++c) channel(c, c < vms_ ? c : draw_.below(vms_));
    if (!drains_ && draw_.chance(1, 3)) line("[record]\npackets = true\nintervals = \"{}us\"", 100 + draw_.below(1000));

    RandomScenario made{.number = number_, .drains = drains_, .text = text_, .scenario = {}, .traces = {}};
    made.scenario = scenario_of(text_);
    if (drains_) record(made);
    return made;
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    text_ += fmt::format(format, std::forward<Args>(args)...) + "\n";
  }
  const char* one_of(std::vector<const char*> words) { return words[draw_.below(words.size())]; }

  /// Nothing, what is typical, what is extreme.
  std::string cost() {
    switch (draw_.below(6)) {
      case 0: return "\"0ns\"";
      case 1: return fmt::format("\"{}ns\"", 1 + draw_.below(3));
      case 2: return fmt::format("\"{}ns\"", 100 + draw_.below(5000));
      case 3: return fmt::format("{{ exponential = \"{}ns\" }}", 100 + draw_.below(3000));
      case 4: return fmt::format("{{ uniform = [\"{}ns\", \"{}ns\"] }}", draw_.below(500), 500 + draw_.below(2000));
      default:
        return fmt::format("{{ lognormal = {{ median = \"{}us\", p99 = \"{}us\" }} }}", 1 + draw_.below(20),
                           30 + draw_.below(200));
    }
  }
  void costs() {
    const std::uint64_t kind = draw_.below(4);
    line("[latency]\nprofile = \"{}\"", kind == 0 ? "zero" : "typical");
    if (kind < 2) return;
    for (const char* name : {"signal_host", "signal_guest", "idle_wake", "control_message", "hypercall", "isr",
                             "dpc_dispatch", "worker_wake", "thread_switch", "packet_send", "packet_receive",
                             "packet_complete", "copy_per_kib", "map_per_page", "device_isr"})
      if (draw_.chance(1, 2)) line("{} = {}", name, cost());
  }
  void endpoint(const char* end) {
    line("[channel.{}]\nprocessing = \"{}\"\ntransaction_quota = {}\nprocess_time = {}", end,
         one_of({"dispatch", "passive"}), draw_.chance(1, 2) ? 0 : 1 + draw_.below(8), cost());
  }
  void channel(std::uint64_t index, std::uint64_t vm) {
    const bool storage = draw_.chance(1, 2);
    line("[[channel]]\nname = \"ch{}\"\nvm = \"vm{}\"\ndriver = \"{}\"\nsubchannels = {}\nplacement = \"{}\"", index,
         vm, storage ? "storage" : "echo", draw_.chance(1, 2) ? 0 : draw_.below(5), one_of({"spread", "first"}));
    const auto pages = [&] { return draw_.chance(1, 2) ? 1 : 1 + draw_.below(32); };
    line("[channel.ring]\nto_host = \"{} pages\"\nto_guest = \"{} pages\"", pages(), pages());
    line("[channel.batching]\nmode = \"{}\"\nmax_packets = {}\nmask = {}", one_of({"none", "drain", "limit"}),
         1 + draw_.below(6), draw_.chance(1, 2));
    endpoint("host_endpoint");
    endpoint("guest_endpoint");
    if (storage)
      line("[channel.device]\nservice = {}\nparallel = {}\ncompletion = \"{}\"", cost(), 1 + draw_.below(4),
           one_of({"dpc", "worker"}));
    const std::uint64_t loads = 1 + draw_.below(2);
    for (std::uint64_t l = 0; l < loads; ++l) load(index, l, storage);
  }
  /// The first load of the first channel is open, so that every scenario draws something.
  void load(std::uint64_t channel, std::uint64_t index, bool storage) {
    line("[[workload]]\nname = \"load{}-{}\"\nchannel = \"ch{}\"", channel, index, channel);
    if (drains_ || draw_.chance(1, 2) || (channel == 0 && index == 0)) {
      line("loop = \"open\"\narrivals = {{ poisson = \"{}/s\" }}", 1000 * (1 + draw_.below(100)));
    } else {
      line("loop = \"closed\"\nqueue_depth = {}", 1 + draw_.below(64));
      line("think_time = {}", cost());
    }
    const auto size = [&]() -> std::uint64_t {
      if (!storage) return 1 + draw_.below(draw_.chance(1, 2) ? 64 : 3900);
      return draw_.chance(1, 2) ? 4096 : 1 + draw_.below(1024 * 1024);
    };
    if (draw_.chance(1, 2))
      line("request = \"{}B\"", size());
    else
      line("request = [{{ size = \"{}B\", weight = {} }}, {{ size = \"{}B\", weight = {} }}]", size(),
           1 + draw_.below(9), size(), 1 + draw_.below(9));
    if (storage) line("read_fraction = 0.{}", draw_.below(10));
  }

  /// Turns every open load into a recorded one: bursts and gaps, kinds and sizes as drawn here.
  void record(RandomScenario& made) {
    for (scenario::WorkloadSpec& load : made.scenario.workloads) {
      const bool storage =
          made.scenario.channels[static_cast<std::size_t>(load.channel.back() - '0')].driver == "storage";
      auto trace = std::make_shared<workload::Trace>();
      Duration at{};
      for (std::uint64_t left = 1 + draw_.below(300); left != 0; --left) {
        using Kind = workload::TraceRecord::Kind;
        const bool flush = storage && draw_.chance(1, 10);
        const Bytes size = load.request[draw_.below(load.request.size())].size;
        trace->push_back({.arrival = at,
                          .size = flush ? Bytes{} : size,
                          .kind = flush                ? Kind::flush
                                  : draw_.chance(1, 2) ? Kind::write
                                                       : Kind::read});
        if (draw_.chance(2, 3)) at += Duration{static_cast<std::int64_t>(draw_.below(40'000))};
      }
      load.loop = scenario::WorkloadSpec::Loop::trace;
      load.trace.file = load.name;
      made.traces[load.name] = std::move(trace);
    }
  }

  std::uint64_t number_;
  kernel::Stream draw_;
  std::string text_;
  std::uint64_t vms_ = 1;
  bool drains_ = false;
};

inline RandomScenario random_scenario(std::uint64_t number) { return ScenarioWriter(number).write(); }

}  // namespace vmbsim::testing
