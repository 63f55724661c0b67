#pragma once
/// A pair of ends on machines that are drawn: costs, processors, rings, batching, quotas.
#include "sim/kernel/random.hpp"
#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {

/// Answers every choice at random, from a seed.
class RandomChoices final : public kernel::ChoiceSource {
 public:
  explicit RandomChoices(std::uint64_t seed) : stream_(Seed{seed}, "test", "choices") {}
  std::uint32_t choose(const kernel::Choice& choice) override { return draw(choice.alternatives); }
  std::uint32_t draw(std::uint32_t below) { return static_cast<std::uint32_t>(stream_.next() % below); }

 private:
  kernel::Stream stream_;
};

/// Costs of every kind, all different, so that everything can meet everything.
inline hw::Costs varied_costs(RandomChoices& random) {
  const auto some = [&](int most_ns) { return Duration{random.draw(static_cast<std::uint32_t>(most_ns))}; };
  return costs_of({{&hw::Costs::signal_host, some(5000)},
                   {&hw::Costs::signal_guest, some(5000)},
                   {&hw::Costs::idle_wake, some(3000)},
                   {&hw::Costs::control_message, some(20000)},
                   {&hw::Costs::hypercall, some(2000)},
                   {&hw::Costs::isr, some(1000)},
                   {&hw::Costs::dpc_dispatch, some(500)},
                   {&hw::Costs::worker_wake, some(5000)},
                   {&hw::Costs::thread_switch, some(2000)},
                   {&hw::Costs::packet_send, some(1000)},
                   {&hw::Costs::packet_receive, some(1000)},
                   {&hw::Costs::packet_complete, some(1000)},
                   {&hw::Costs::copy_per_kib, some(500)},
                   {&hw::Costs::map_per_page, some(100)}});
}

inline PairConfig drawn_pair(RandomChoices& random, std::uint64_t seed) {
  PairConfig config;
  config.machines = {.costs = random.draw(4) == 0 ? hw::Costs{} : varied_costs(random),
                     .host_cpus = 1 + random.draw(3),
                     .guest_cpus = 1 + random.draw(3),
                     .seed = Seed{seed},
                     .choices = &random};
  config.maximum_packet = 1500;
  config.to_host = {1 + random.draw(2)};
  config.to_guest = {1 + random.draw(2)};
  config.host_target = random.draw(config.machines.host_cpus);
  config.guest_target = random.draw(config.machines.guest_cpus);
  config.batching = {.mode = static_cast<kmcl::Batching::Mode>(random.draw(3)),
                     .max_packets = 1 + random.draw(4),
                     .mask = random.draw(2) != 0};
  config.host_passive = random.draw(3) == 0;
  config.guest_passive = random.draw(3) == 0;
  config.host_quota = random.draw(2) * (1 + random.draw(5));
  config.guest_quota = random.draw(2) * (1 + random.draw(5));
  config.quiet = true;
  return config;
}

}  // namespace vmbsim::testing
