#include <fmt/format.h>

#include <algorithm>

#include "models/scenario/world_parts.hpp"

namespace vmbsim::scenario {

namespace {

kmcl::Batching batching_of(const BatchingSpec& spec) {
  return {.mode = static_cast<kmcl::Batching::Mode>(spec.mode), .max_packets = spec.max_packets, .mask = spec.mask};
}

std::string guest_name(const VmSpec& vm, std::uint32_t index) {
  return vm.count == 1 ? vm.name : fmt::format("{}[{}]", vm.name, index);
}

/// Of what a guest has: a channel, a load.
std::string instance_name(const VmSpec& vm, std::uint32_t index, const std::string& name) {
  return vm.count == 1 ? name : guest_name(vm, index) + "." + name;
}

}  // namespace

World::Parts::Parts(const Scenario& s, const Traces& traces, platform::Platform* shared, kernel::ChoiceSource* choices,
                    Timeline* kept, explore::StepListener* listener)
    : scenario(s),
      platform(shared),
      timeline(kept),
      world(s.seed, &digest, choices),
      exploration(choices == nullptr
                      ? nullptr
                      : std::make_unique<hw::Exploration>(world,
                                                          hw::Exploration::Config{.stalls = s.hunt.stalls,
                                                                                  .memory = s.hunt.memory,
                                                                                  .latency = s.hunt.latency,
                                                                                  .faults = s.hunt.faults,
                                                                                  .planted = s.hunt.planted},
                                                          listener)),
      findings(world),
      limit{s.packets},
      all_traces(traces) {
  for (const VerifierSpec& one : scenario.verifier) findings.set_severity(*one.rule, one.severity);
  if (exploration != nullptr) world.limit_events(scenario.hunt.events);
  build_hosts();
  if (platform != nullptr) platform->attach(world);
  build_guests();
  build_channels();
  build_loads(traces);
  if (timeline != nullptr) start_timeline();
  if (exploration == nullptr) return;
  for (const ChannelInstance& channel : channels)
    if (channel.resource != nullptr) {
      const hw::Exploration::Device device = exploration->new_device(channel.resource_name);
      channel.resource->known_as({device.actor, device.object});
    }
}

void World::Parts::start_timeline() {
  timeline->start(world);
  const auto watch = [this](os::Partition& partition) {
    for (std::uint32_t i = 0; i < partition.cpu_count(); ++i) timeline->watch(partition.cpu(CpuId{i}));
  };
  for (const auto& host : hosts) watch(host->partition);
  for (const auto& guest : guests) watch(guest->partition);
  for (const ChannelInstance& channel : channels) timeline->add_channel(channel.name);
  for (const ChannelInstance& channel : channels)
    if (channel.resource != nullptr) timeline->watch(*channel.resource, channel.resource_name);
}

std::int64_t World::Parts::speed_of(const std::string& platform_host) const {
  if (platform == nullptr || platform_host.empty()) return 1000;
  for (const platform::HostSpec& candidate : platform->inventory().hosts)
    if (candidate.name == platform_host) return static_cast<std::int64_t>(candidate.flops / 1e6 + 0.5);
  impossible("a scenario that passed its checks names hosts that exist", "speed_of");
}

os::Partition::Config World::Parts::partition_config(std::string name, std::uint32_t cpus,
                                                     const std::string& platform_host) {
  return {.name = std::move(name),
          .cpus = cpus,
          .world = world,
          .stacks = stacks,
          .costs = scenario.costs,
          .findings = findings,
          .speed_permille = speed_of(platform_host),
          .exploration = exploration.get()};
}

void World::Parts::build_hosts() {
  for (const Host& host : scenario.placed.hosts)
    hosts.push_back(std::make_unique<HostMachine>(*this, host, partition_config(host.name, host.cpus, host.on)));
}

void World::Parts::build_guests() {
  for (const Guest& guest : scenario.placed.guests) {
    const VmSpec& vm = scenario.vms[guest.vm];
    HostMachine& host = *hosts[guest.host];
    // A lone host carries guests of any speed; among several a guest has that of its own.
    const std::string& carrier = scenario.placed.by_name || vm.host.empty() ? host.spec.on : vm.host;
    guests.push_back(std::make_unique<GuestMachine>(*this, guest, host,
                                                    partition_config(guest_name(vm, guest.index), vm.cpus, carrier)));
    if (guest.arrives || guest.departs) guests.back()->actor = world.new_actor();
  }
}

void World::Parts::build_channels() {
  for (const ChannelSpec& spec : scenario.channels)
    for (const auto& guest : guests)
      if (scenario.vms[guest->spec.vm].name == spec.vm)
        build_channel(spec, *guest, instance_name(scenario.vms[guest->spec.vm], guest->spec.index, spec.name));
}

/// The largest request that any load has for a channel.
Bytes World::Parts::largest_request(const ChannelSpec& spec) const {
  Bytes largest{8};
  for (const WorkloadSpec& load : scenario.workloads) {
    if (load.channel != spec.name) continue;
    for (const WorkloadSpec::RequestSize& size : load.request) largest = std::max(largest, size.size);
    if (load.loop == WorkloadSpec::Loop::trace)
      for (const workload::TraceRecord& record : *all_traces.at(load.name)) largest = std::max(largest, record.size);
  }
  return largest;
}

std::optional<stats::Stopping::Config> World::Parts::precision_of(const std::string& channel) const {
  if (!scenario.precision || scenario.precision->channel != channel) return std::nullopt;
  return scenario.precision->target;
}

void World::Parts::build_channel(const ChannelSpec& spec, GuestMachine& guest, std::string name) {
  os::Partition& host = guest.host.partition;
  ChannelInstance& channel = channels.emplace_back();
  guest.channels.push_back(&channel);
  channel.name = std::move(name);
  channel.spec = &spec;
  channel.guest = &guest;
  channel.recorder =
      std::make_unique<Recorder>(Recorder::Config{.channel = static_cast<std::uint32_t>(channels.size() - 1),
                                                  .packets = scenario.record.packets,
                                                  .interval = scenario.record.interval,
                                                  .world = world,
                                                  .limit = limit,
                                                  .rows = rows,
                                                  .timeline = timeline,
                                                  .precision = precision_of(channel.name)});
  drivers::ClientChannels::Config client{.devices = {},
                                         .to_host = spec.to_host,
                                         .to_guest = spec.to_guest,
                                         .maximum_packet_size = 0,
                                         .maximum_external_data = 0,
                                         .passive = spec.guest_endpoint.processing == Processing::passive,
                                         .quota = spec.guest_endpoint.transaction_quota,
                                         .ready = &guest};
  const GUID type = interface_type(spec);
  GUID instance{};
  instance.Data1 = static_cast<ULONG>(channels.size());
  for (std::uint16_t sub = 0; sub <= spec.subchannels; ++sub) {
    const std::string device_name = sub == 0 ? channel.name : fmt::format("{}.{}", channel.name, sub);
    channel.host_devices.push_back(std::make_unique<kmcl::Device>(device_name, host, guest.bus));
    channel.guest_devices.push_back(std::make_unique<kmcl::Device>(device_name, guest.partition, guest.bus));
    kmcl::Device& at_host = *channel.host_devices.back();
    kmcl::Device& at_guest = *channel.guest_devices.back();
    at_host.id = at_guest.id = {.type = type, .instance = instance, .subchannel = sub};
    at_host.target = CpuId{guest.host.turn++ % host.cpu_count()};
    at_guest.target = CpuId{spec.placement == Placement::spread ? sub % guest.partition.cpu_count() : 0};
    at_host.batching = at_guest.batching = batching_of(spec.batching);
    at_host.policies = at_guest.policies = spec.policies;
    at_guest.vtl = spec.guest_endpoint.vtl;
    at_guest.outgoing = spec.to_host;
    at_guest.incoming = spec.to_guest;
    at_guest.journeys = channel.recorder.get();
    client.devices.push_back(&at_guest);
  }
  ++guest.not_ready;
  if (!guest.spec.arrives) ++not_ready;
  if (!spec.host_endpoint.library.empty()) {
    auto server = std::make_unique<drivers::LibraryServer>(libraries.in(host, spec.host_endpoint.library),
                                                           *channel.host_devices.front());
    if (spec.save)
      channel.saving = std::make_unique<ChannelSaving>(ChannelSaving::Config{
          .spec = *spec.save, .name = channel.name, .host = host, .bus = guest.bus, .server = *server});
    channel.host_drivers.push_back(std::move(server));
  } else {
    build_device(channel);
    channel.host_drivers = built_in_servers({.spec = spec,
                                             .host = host,
                                             .devices = channel.host_devices,
                                             .resource = channel.resource,
                                             .adapters = channel.adapters},
                                            largest_request(spec));
  }
  build_client(channel, std::move(client));
}

/// What does the work: servers of the channel's own, or what it shares with others.
void World::Parts::build_device(ChannelInstance& channel) {
  if (!channel.spec->has_device()) return;
  const DeviceSpec& spec = channel.spec->device;
  const HostMachine& host = channel.guest->host;
  if (!spec.peer.empty()) {
    Problems none;
    channel.resource_name = host.spec.on + " to " + spec.peer;
    channel.resource = platform->link(host.spec.on, spec.peer, {}, none);
    VMBSIM_ASSERT(channel.resource != nullptr, "a scenario that passed its checks names routes that exist");
  } else if (spec.disk.empty()) {
    channel.resource_name = channel.name;
    channel.servers = std::make_unique<device::FifoServers>(
        world, channel.name, device::FifoServers::Config{.servers = spec.parallel, .service = spec.service});
    channel.resource = channel.servers.get();
  } else if (spec.disk.find(':') != std::string::npos) {
    channel.resource = &platform_disk(spec.disk, host.spec.on, channel.resource_name);
  } else {
    for (const DiskSpec& disk : scenario.disks)
      if (disk.name == spec.disk)
        channel.resource = &shared_disk(disk, channel.guest->spec.host, channel.resource_name);
    VMBSIM_ASSERT(channel.resource != nullptr, "a scenario that passed its checks names disks that exist");
  }
}

/// The one of a host, or the one there is.
device::Resource& World::Parts::shared_disk(const DiskSpec& spec, std::size_t host, std::string& name) {
  name = spec.of_every_host ? hosts[host]->spec.name + ":" + spec.name : spec.name;
  for (const SharedDisk& known : disks)
    if (known.name == name) return *known.servers;
  SharedDisk& disk = disks.emplace_back();
  disk.name = name;
  if (spec.of_every_host) disk.host = host;
  disk.servers = std::make_unique<device::FifoServers>(
      world, name, device::FifoServers::Config{.servers = spec.parallel, .service = spec.service});
  return *disk.servers;
}

/// As the host `from` of the platform sees it: its own, or that of another one over the links between the two.
device::Resource& World::Parts::platform_disk(const std::string& wanted, const std::string& from, std::string& name) {
  Problems none;
  const std::string owner = wanted[0] == '*' ? from : wanted.substr(0, wanted.find(':'));
  const std::string disk_name = owner + wanted.substr(wanted.find(':'));
  device::Resource* disk = platform->disk(disk_name, {}, none);
  VMBSIM_ASSERT(disk != nullptr, "a scenario that passed its checks names disks that exist");
  name = disk_name;
  if (owner == from) return *disk;
  name += " from " + from;
  std::unique_ptr<device::Remote>& remote = remotes[name];
  if (remote == nullptr) {
    device::Resource* there = platform->link(from, owner, {}, none);
    device::Resource* back = platform->link(owner, from, {}, none);
    VMBSIM_ASSERT(there != nullptr && back != nullptr, "a scenario that passed its checks names routes that exist");
    remote = std::make_unique<device::Remote>(*disk, device::Remote::Route{*there, *back});
  }
  return *remote;
}

void World::Parts::build_client(ChannelInstance& channel, drivers::ClientChannels::Config client) {
  const ChannelSpec& spec = *channel.spec;
  GuestMachine& guest = *channel.guest;
  if (!spec.guest_endpoint.library.empty()) {
    auto driver = std::make_unique<drivers::LibraryClient>(
        drivers::LibraryClient::Config{.library = libraries.in(guest.partition, spec.guest_endpoint.library),
                                       .device = *client.devices.front(),
                                       .ready = guest,
                                       .most_failed = scenario.packets});
    channel.port = channel.guest_library = driver.get();
    channel.guest_driver = std::move(driver);
    return;
  }
  BuiltInClient made =
      built_in_client(spec, std::move(client), largest_request(spec), world.stream(channel.name, "guest driver"));
  channel.port = made.port;
  channel.guest_driver = std::move(made.driver);
}

void World::Parts::build_loads(const Traces& traces) {
  for (const WorkloadSpec& spec : scenario.workloads)
    for (ChannelInstance& channel : channels) {
      if (channel.spec->name != spec.channel) continue;
      const std::string suffix = channel.name.substr(0, channel.name.size() - channel.spec->name.size());
      workload::Load::Config config{.name = suffix + spec.name,
                                    .loop = static_cast<workload::Load::Loop>(spec.loop),
                                    .arrivals = spec.arrivals,
                                    .queue_depth = spec.queue_depth,
                                    .think_time = spec.think_time,
                                    .sizes = {},
                                    .read_permille = spec.read_permille,
                                    .trace = nullptr,
                                    .cpus = {},
                                    .guest = channel.guest->partition,
                                    .port = *channel.port,
                                    .on_over = {}};
      for (const WorkloadSpec::RequestSize& size : spec.request) config.sizes.push_back({size.size, size.weight});
      for (std::uint32_t i = 0; i < channel.guest_devices.size(); ++i)  // wherever the interrupts go
        config.cpus.push_back(CpuId{i % channel.guest->partition.cpu_count()});
      const bool recorded = spec.loop == WorkloadSpec::Loop::trace;
      if (recorded) {
        config.trace = traces.at(spec.name);
        ++recorded_loads;
      }
      if (recorded || channel.guest->spec.departs)
        config.on_over = [this, recorded, guest = channel.guest] {
          if (recorded && --recorded_loads == 0 && scenario.run_for.count() == 0 && scenario.packets == 0) world.end();
          guest->load_is_over();
        };
      loads.push_back({std::make_unique<workload::Load>(std::move(config)), &channel});
      channel.guest->loads.push_back(loads.back().load.get());
    }
}

}  // namespace vmbsim::scenario
