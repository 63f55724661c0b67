#include <algorithm>
#include <utility>

#include "models/scenario/world_parts.hpp"

namespace vmbsim::scenario {

namespace {

void add_endpoint(ChannelResult& result, const kmcl::Device& device, RingResult& outgoing_ring, bool host) {
  const auto add = [&](const kmcl::Endpoint::Counters& counters) {
    if (host) {
      result.batches += counters.batches;
      result.batched_packets += counters.batched_packets;
      result.batch_max = std::max(result.batch_max, counters.batch_max);
    }
    result.interrupts += counters.interrupts;
    result.signals_sent += counters.outgoing.data_signals + counters.outgoing.space_signals;
    result.signals_suppressed += counters.outgoing.suppressed;
    outgoing_ring.size = std::max(outgoing_ring.size, counters.outgoing_size);
    outgoing_ring.peak = std::max(outgoing_ring.peak, counters.outgoing_peak);
    outgoing_ring.left += counters.outgoing_used;
    outgoing_ring.full_events += counters.outgoing_full;
  };
  for (const auto* endpoints :
       {&device.cleaned, &device.channels})  // a driver may have had several, one after the other
    for (const auto& owned : *endpoints) add(static_cast<const kmcl::Endpoint*>(owned.get())->counters());
}

void add_processors(std::vector<ProcessorResult>& all, os::Partition& partition) {
  for (std::uint32_t i = 0; i < partition.cpu_count(); ++i) {
    const hw::Processor& cpu = partition.cpu(CpuId{i});
    const auto spent = cpu.accounted();
    const auto of = [&](hw::Activity activity) { return spent[static_cast<std::size_t>(activity)]; };
    all.push_back({.name = cpu.name(),
                   .isr = of(hw::Activity::isr),
                   .dpc = of(hw::Activity::dpc),
                   .thread = of(hw::Activity::thread),
                   .spin = of(hw::Activity::spin),
                   .idle = of(hw::Activity::idle)});
  }
}

}  // namespace

/// Where the time of all processors went since the start of the run.
std::vector<ProcessorResult> World::Parts::processors() {
  std::vector<ProcessorResult> all;
  for (const auto& host : hosts) add_processors(all, host->partition);
  for (const auto& guest : guests) add_processors(all, guest->partition);
  return all;
}

void World::Parts::tell_devices(RunResult& all) {
  const auto add = [&](const std::string& name, const std::string& host, const device::FifoServers& servers) {
    const device::Counters& counters = servers.counters();
    all.devices.push_back({.name = name,
                           .operations = counters.operations,
                           .bytes = counters.bytes,
                           .peak_in_flight = counters.peak_in_flight,
                           .utilisation = servers.utilisation(world.now()),
                           .host = host});
  };
  for (const ChannelInstance& channel : channels)
    if (channel.servers != nullptr) add(channel.name, channel.guest->host.spec.name, *channel.servers);
  for (const SharedDisk& disk : disks) add(disk.name, disk.host ? hosts[*disk.host]->spec.name : "", *disk.servers);
  if (platform == nullptr) return;
  for (DeviceResult& device : platform->devices(world.now())) {
    const std::size_t colon = device.name.find(':');
    for (const auto& host : hosts)
      if (colon != std::string::npos && device.name.compare(0, colon, host->spec.on) == 0)
        device.host = host->spec.name;
    all.devices.push_back(std::move(device));
  }
}

/// Sums over the guests of each host and of each template.
void World::Parts::tell_fleet(RunResult& all) {
  const Duration ran = world.now() - started;  // arrivals count from there
  const auto there = [&](Duration at) { return at <= ran; };
  FleetResult& fleet = all.fleet.emplace();
  for (const auto& host : hosts) {
    HostResult& one = fleet.hosts.emplace_back();
    one.name = host->spec.name;
  }
  for (const VmSpec& vm : scenario.vms) fleet.templates.emplace_back().name = vm.name;

  // Guests come in the order of their arrival; who leaves at the instant of an arrival has left before it.
  std::multimap<Duration, std::size_t> leaving;
  std::vector<std::uint64_t> present(hosts.size());
  std::uint64_t all_present = 0;
  for (const auto& guest : guests) {
    const Guest& life = guest->spec;
    const Duration arrived = life.arrives.value_or(Duration{0});
    if (!there(arrived)) continue;
    for (; !leaving.empty() && leaving.begin()->first <= arrived; leaving.erase(leaving.begin())) {
      --present[leaving.begin()->second];
      --all_present;
    }
    if (life.departs) leaving.emplace(*life.departs, life.host);
    HostResult& host = fleet.hosts[life.host];
    ++host.guests;
    host.peak_guests = std::max(host.peak_guests, ++present[life.host]);
    fleet.peak_guests = std::max(fleet.peak_guests, ++all_present);
    TemplateResult& of = fleet.templates[life.vm];
    ++of.guests;
    if (life.departs && there(*life.departs)) ++of.departed;
  }
  for (const Refusal& refusal : scenario.placed.refused)
    if (there(refusal.at)) ++fleet.templates[refusal.vm].refused;

  std::size_t at = 0;
  for (const ChannelInstance& channel : channels) {
    const ChannelResult& one = all.channels[at++];
    for (TrafficResult* sum :
         {&fleet.hosts[channel.guest->spec.host].traffic, &fleet.templates[channel.guest->spec.vm].traffic}) {
      sum->latency.merge(one.latency);
      sum->throughput_per_s += one.throughput_per_s;
      sum->bytes_per_s += one.bytes_per_s;
    }
  }
  auto cpu = all.processors.begin();
  for (std::size_t i = 0; i < hosts.size(); ++i)
    for (std::uint32_t n = 0; n < hosts[i]->partition.cpu_count(); ++n, ++cpu) {
      ProcessorResult& sum = fleet.hosts[i].processors;
      sum.isr += cpu->isr;
      sum.dpc += cpu->dpc;
      sum.thread += cpu->thread;
      sum.spin += cpu->spin;
      sum.idle += cpu->idle;
    }
  std::vector<Duration> busy(hosts.size());
  for (const auto& guest : guests)
    for (std::uint32_t n = 0; n < guest->partition.cpu_count(); ++n, ++cpu)
      busy[guest->spec.host] += cpu->isr + cpu->dpc + cpu->thread + cpu->spin;
  for (std::size_t i = 0; i < hosts.size(); ++i)
    fleet.hosts[i].guest_processors =
        all.measured.count() == 0 ? nothing_measured
                                  : static_cast<double>(busy[i].count()) / static_cast<double>(all.measured.count());
  for (const DeviceResult& device : all.devices)
    for (HostResult& host : fleet.hosts)
      if (!device.host.empty() && device.host == host.name && !(device.utilisation <= host.busiest_disk))
        host.busiest_disk = device.utilisation;
}

RunResult World::Parts::result() {
  RunResult all;
  all.scenario = scenario.name;
  all.seed = scenario.seed;
  all.fingerprint = digest.value();
  all.simulated = world.now() - start_of_time;
  all.measured = world.now() - measured_from;
  all.events = world.events();
  for (const ChannelInstance& channel : channels) {
    ChannelResult one;
    one.name = channel.name;
    channel.recorder->report(one, all.measured);
    for (const auto& device : channel.guest_devices) add_endpoint(one, *device, one.to_host, false);
    for (const auto& device : channel.host_devices) add_endpoint(one, *device, one.to_guest, true);
    all.transactions += one.completed;
    all.packets.insert(all.packets.end(), channel.recorder->packets.begin(), channel.recorder->packets.end());
    all.intervals.insert(all.intervals.end(), channel.recorder->intervals.begin(), channel.recorder->intervals.end());
    all.channels.push_back(std::move(one));
  }
  tell_devices(all);
  for (const LoadInstance& load : loads)
    all.workloads.push_back({.name = load.load->name(),
                             .channel = load.channel->name,
                             .offered = load.load->offered(),
                             .completed = load.load->completed(),
                             .response = load.load->response()});
  all.processors = processors();
  for (std::size_t i = 0; i < before.size(); ++i) {
    ProcessorResult& cpu = all.processors[i];
    cpu.isr -= before[i].isr;
    cpu.dpc -= before[i].dpc;
    cpu.thread -= before[i].thread;
    cpu.spin -= before[i].spin;
    cpu.idle -= before[i].idle;
  }
  if (has_fleet(scenario)) tell_fleet(all);
  return all;
}

}  // namespace vmbsim::scenario
