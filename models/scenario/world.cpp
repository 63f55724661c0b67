#include "models/scenario/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "models/device/fifo_servers.hpp"
#include "models/kmcl/endpoint.hpp"
#include "models/scenario/built_in.hpp"
#include "models/scenario/libraries.hpp"
#include "models/scenario/recorder.hpp"
#include "models/scenario/saving.hpp"
#include "models/workload/load.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/observe/fingerprint.hpp"

namespace vmbsim::scenario {

namespace {

/// One guest: its kernel, its interrupts, its end of a bus.
struct Guest {
  Guest(os::Partition::Config config, vmbus::Synic& host, std::uint32_t connection)
      : partition(std::move(config)), synic(partition), bus({.host = host, .guest = synic, .connection = connection}) {}
  os::Partition partition;
  vmbus::Synic synic;
  vmbus::Bus bus;
};

/// One channel instance: both drivers, the devices they sit on, and what stands behind.
struct ChannelInstance {
  std::string name;
  const ChannelSpec* spec = nullptr;
  Guest* guest = nullptr;
  std::unique_ptr<Recorder> recorder;
  std::vector<std::unique_ptr<kmcl::Device>> host_devices;
  std::vector<std::unique_ptr<kmcl::Device>> guest_devices;
  std::unique_ptr<device::FifoServers> servers;  // when no platform disk does the work
  device::Resource* resource = nullptr;          // these servers or that disk; null for what has no device
  std::vector<std::unique_ptr<drivers::DeviceAdapter>>
      adapters;  // one queue per channel, where that channel's requests come in
  std::vector<std::unique_ptr<drivers::Driver>> host_drivers;
  std::unique_ptr<drivers::Driver> guest_driver;
  drivers::LibraryClient* guest_library = nullptr;  // that driver, where it is one
  drivers::RequestPort* port = nullptr;
  std::unique_ptr<ChannelSaving> saving;
  bool guest_started = false;  // its driver; false where the host's offered nothing
};

struct LoadInstance {
  std::unique_ptr<workload::Load> load;
  ChannelInstance* channel = nullptr;
};

kmcl::Batching batching_of(const BatchingSpec& spec) {
  return {.mode = static_cast<kmcl::Batching::Mode>(spec.mode), .max_packets = spec.max_packets, .mask = spec.mask};
}

std::string instance_name(const VmSpec& vm, std::uint32_t index, const std::string& name) {
  return vm.count == 1 ? name : fmt::format("{}[{}].{}", vm.name, index, name);
}

}  // namespace

struct World::Parts final : drivers::ReadyListener {
  Parts(const Scenario& s, const Traces& traces, platform::Platform* shared, kernel::ChoiceSource* choices,
        Timeline* timeline, explore::StepListener* listener);

  // Assembly, in this order
  std::int64_t speed_of(const std::string& host_name) const;
  void build_guests();
  void build_channels();
  void build_channel(const ChannelSpec& spec, Guest& guest, std::string name);
  void build_device(ChannelInstance& channel);
  void build_client(ChannelInstance& channel, drivers::ClientChannels::Config client);
  void build_loads(const Traces& traces);
  void start_timeline();
  Bytes largest_request(const ChannelSpec& spec) const;
  std::optional<stats::Stopping::Config> precision_of(const std::string& channel) const;

  // The run
  void boot();
  void start_guest(ChannelInstance& channel);
  void start_guests_of_libraries();
  void on_ready() override;
  void start_measuring();
  void advance(SimTime end);
  bool nothing_left() const;
  void run_loads();
  void shut_down_libraries();
  void report_waiting();
  void collect_debug_output(RunResult& result) const;
  bool find_reason();
  bool taken_away(const ChannelInstance& channel) const;
  void find_stuck();
  void find_end_of_time(SimTime end);
  std::vector<ProcessorResult> processors();
  RunResult result();

  const Scenario& scenario;
  platform::Platform* platform;
  Timeline* timeline;
  observe::FingerprintDigest digest;
  kernel::Simulation world;
  std::unique_ptr<hw::Exploration> exploration;  // while hunted
  kernel::StackPool stacks;
  os::FindingLog findings;
  os::Partition host;
  vmbus::Synic host_synic;
  Libraries libraries{world, findings};
  std::vector<std::vector<std::unique_ptr<Guest>>> guests;  // by template, then by index
  PacketLimit limit;
  RowLimit rows;
  std::deque<ChannelInstance> channels;
  std::vector<LoadInstance> loads;
  std::size_t not_ready = 0;
  std::size_t recorded_loads = 0;
  std::uint32_t host_turn = 0;  // host processors take the channels in turn
  const Traces& all_traces;
  bool measuring = false;
  bool waiting_told = false;
  SimTime measured_from{};
  std::vector<ProcessorResult> before;  // what the processors' time had gone to by then
};

// ---- Assembly ----

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
      host({.name = "host",
            .cpus = s.machine.host_cpus,
            .world = world,
            .stacks = stacks,
            .costs = s.costs,
            .findings = findings,
            .speed_permille = speed_of(s.machine.host),
            .exploration = exploration.get()}),
      host_synic(host),
      limit{s.packets},
      all_traces(traces) {
  for (const VerifierSpec& one : scenario.verifier) findings.set_severity(*one.rule, one.severity);
  if (exploration != nullptr) world.limit_events(scenario.hunt.events);
  if (platform != nullptr) platform->attach(world);
  build_guests();
  build_channels();
  build_loads(traces);
  if (timeline != nullptr) start_timeline();
}

void World::Parts::start_timeline() {
  timeline->start(world);
  const auto watch = [this](os::Partition& partition) {
    for (std::uint32_t i = 0; i < partition.cpu_count(); ++i) timeline->watch(partition.cpu(CpuId{i}));
  };
  watch(host);
  for (const auto& of_template : guests)
    for (const auto& guest : of_template) watch(guest->partition);
  for (const ChannelInstance& channel : channels) timeline->add_channel(channel.name);
  for (const ChannelInstance& channel : channels)
    if (channel.resource != nullptr)
      timeline->watch(*channel.resource, channel.servers != nullptr ? channel.name : channel.spec->device.disk);
}

std::int64_t World::Parts::speed_of(const std::string& host_name) const {
  if (platform == nullptr || host_name.empty()) return 1000;
  for (const platform::HostSpec& candidate : platform->inventory().hosts)
    if (candidate.name == host_name) return static_cast<std::int64_t>(candidate.flops / 1e6 + 0.5);
  impossible("a scenario that passed its checks names hosts that exist", "speed_of");
}

void World::Parts::build_guests() {
  std::uint32_t connection = 0;
  for (const VmSpec& vm : scenario.vms) {
    auto& of_template = guests.emplace_back();
    for (std::uint32_t i = 0; i < vm.count; ++i)
      of_template.push_back(std::make_unique<Guest>(
          os::Partition::Config{.name = vm.count == 1 ? vm.name : fmt::format("{}[{}]", vm.name, i),
                                .cpus = vm.cpus,
                                .world = world,
                                .stacks = stacks,
                                .costs = scenario.costs,
                                .findings = findings,
                                .speed_permille = speed_of(vm.host),
                                .exploration = exploration.get()},
          host_synic, connection++));
  }
}

void World::Parts::build_channels() {
  for (const ChannelSpec& spec : scenario.channels)
    for (std::size_t v = 0; v < scenario.vms.size(); ++v)
      if (scenario.vms[v].name == spec.vm)
        for (std::uint32_t i = 0; i < scenario.vms[v].count; ++i)
          build_channel(spec, *guests[v][i], instance_name(scenario.vms[v], i, spec.name));
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

void World::Parts::build_channel(const ChannelSpec& spec, Guest& guest, std::string name) {
  ChannelInstance& channel = channels.emplace_back();
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
                                         .ready = this};
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
    at_host.target = CpuId{host_turn++ % scenario.machine.host_cpus};
    at_guest.target = CpuId{spec.placement == Placement::spread ? sub % guest.partition.cpu_count() : 0};
    at_host.batching = at_guest.batching = batching_of(spec.batching);
    at_host.policies = at_guest.policies = spec.policies;
    at_guest.vtl = spec.guest_endpoint.vtl;
    at_guest.outgoing = spec.to_host;
    at_guest.incoming = spec.to_guest;
    at_guest.journeys = channel.recorder.get();
    client.devices.push_back(&at_guest);
  }
  ++not_ready;
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

/// What does the work: a disk of the platform, or servers of the channel's own.
void World::Parts::build_device(ChannelInstance& channel) {
  if (!channel.spec->has_device()) return;
  const DeviceSpec& spec = channel.spec->device;
  if (!spec.disk.empty()) {
    Problems none;
    channel.resource = platform->disk(spec.disk, {}, none);
    VMBSIM_ASSERT(channel.resource != nullptr, "a scenario that passed its checks names disks that exist");
    return;
  }
  channel.servers = std::make_unique<device::FifoServers>(
      world, channel.name, device::FifoServers::Config{.servers = spec.parallel, .service = spec.service});
  channel.resource = channel.servers.get();
}

void World::Parts::build_client(ChannelInstance& channel, drivers::ClientChannels::Config client) {
  const ChannelSpec& spec = *channel.spec;
  Guest& guest = *channel.guest;
  if (!spec.guest_endpoint.library.empty()) {
    auto driver = std::make_unique<drivers::LibraryClient>(
        drivers::LibraryClient::Config{.library = libraries.in(guest.partition, spec.guest_endpoint.library),
                                       .device = *client.devices.front(),
                                       .ready = *this,
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
      if (spec.loop == WorkloadSpec::Loop::trace) {
        config.trace = traces.at(spec.name);
        ++recorded_loads;
        config.on_over = [this] {
          if (--recorded_loads == 0 && scenario.run_for.count() == 0 && scenario.packets == 0) world.end();
        };
      }
      loads.push_back({std::make_unique<workload::Load>(std::move(config)), &channel});
    }
}

// ---- The run ----

void World::Parts::start_guest(ChannelInstance& channel) {
  channel.guest_started = true;
  channel.guest->partition.create_thread(
      channel.name + ".start", os::Thread::priority_normal, CpuId{0}, false,
      [](void* driver) { static_cast<drivers::Driver*>(driver)->start(); }, channel.guest_driver.get());
}

/// The guest sees the device that a library's driver offers, whatever GUIDs it has.
void World::Parts::start_guests_of_libraries() {
  for (ChannelInstance& channel : channels) {
    if (channel.spec->host_endpoint.library.empty()) continue;
    const auto& allocated = channel.host_devices.front()->channels;
    if (allocated.empty()) {
      findings.add("DRIVER", BugCheck::none, channel.name,
                   "the host's driver has allocated no channel, so the guest gets no device");
      continue;
    }
    channel.guest_devices.front()->id = static_cast<const kmcl::Endpoint*>(allocated.front().get())->target();
    start_guest(channel);
  }
}

/// Every partition starts its drivers in one thread, as its PnP manager would: the host's offers first.
void World::Parts::boot() {
  host.create_thread(
      "host.start", os::Thread::priority_normal, CpuId{0}, false,
      [](void* self) {
        Parts& parts = *static_cast<Parts*>(self);
        for (ChannelInstance& channel : parts.channels)
          for (const auto& driver : channel.host_drivers) driver->start();
        parts.start_guests_of_libraries();
      },
      this);
  for (ChannelInstance& channel : channels)
    if (channel.spec->host_endpoint.library.empty()) start_guest(channel);
  advance(end_of_time);
  if (not_ready != 0 && !libraries.system_down() && !world.ended())
    findings.add("STUCK", BugCheck::none, {},
                 fmt::format("nothing is left to happen, but {} of {} {} not started", not_ready,
                             config::counted(channels.size(), "channel", "channels"),
                             config::word_for(not_ready, "has", "have")));
}

void World::Parts::on_ready() {
  if (--not_ready == 0) world.stop();
}

/// No event is left to run and no device at work.
bool World::Parts::nothing_left() const {
  return !world.stopping() && world.pending_events() == 0 &&
         std::all_of(channels.begin(), channels.end(), [](const ChannelInstance& channel) {
           return channel.resource == nullptr || channel.resource->in_flight() == 0;
         });
}

/// What waits for a driver now that nothing is left to happen waits for ever.
void World::Parts::report_waiting() {
  if (waiting_told) return;
  const std::size_t told = findings.all().size();
  for (const ChannelInstance& channel : channels)
    for (const auto* devices : {&channel.host_devices, &channel.guest_devices})
      for (const auto& device : *devices) kmcl::Endpoint::report_waiting(*device);
  waiting_told = findings.all().size() != told;
}

/// Why nothing is left to happen, where that can be told: a ring of waiters, or an end of a ring that nobody wakes.
bool World::Parts::find_reason() {
  bool found = host.find_deadlock();
  for (const auto& of_template : guests)
    for (const auto& guest : of_template) found = guest->partition.find_deadlock() || found;
  for (const ChannelInstance& channel : channels)
    for (const auto* devices : {&channel.host_devices, &channel.guest_devices})
      for (const auto& device : *devices) found = kmcl::Endpoint::report_lost(*device) || found;
  return found;
}

/// A fault ended the channel: nobody can answer what is sent on it.
bool World::Parts::taken_away(const ChannelInstance& channel) const {
  return std::any_of(channel.host_devices.begin(), channel.host_devices.end(), [](const auto& device) {
    return std::any_of(device->channels.begin(), device->channels.end(),
                       [](const auto& owned) { return static_cast<const kmcl::Endpoint*>(owned.get())->disabled(); });
  });
}

void World::Parts::find_stuck() {
  if (!nothing_left()) return;
  report_waiting();
  if (find_reason()) return;
  for (const ChannelInstance& channel : channels) {
    if (exploration != nullptr && taken_away(channel)) continue;
    std::uint64_t unanswered = 0;
    for (const LoadInstance& load : loads)
      if (load.channel == &channel) unanswered += load.load->offered() - load.load->completed();
    if (unanswered == 0) continue;
    const std::uint64_t outstanding = channel.recorder->outstanding();
    const std::uint64_t unsent = unanswered - outstanding;
    findings.add(
        "STUCK", BugCheck::none, channel.name,
        fmt::format("nothing is left to happen, but {} {} not answered: {} {} outstanding, {} {} not sent",
                    config::counted(unanswered, "request", "requests"), config::word_for(unanswered, "is", "are"),
                    config::counted(outstanding, "transaction", "transactions"),
                    config::word_for(outstanding, "is", "are"), config::counted(unsent, "request", "requests"),
                    config::word_for(unsent, "was", "were")));
  }
}

/// A run that waits for completions, and simulated time is too short for them.
void World::Parts::find_end_of_time(SimTime end) {
  if (end != end_of_time || world.stopping() || nothing_left()) return;
  findings.add("END_OF_TIME", BugCheck::none, {},
               fmt::format("the next event lies beyond the end of simulated time, 291 years, and {}",
                           scenario.packets == 0 ? std::string("the recorded loads are not over")
                                                 : fmt::format("packets = {} is not reached: {} came back",
                                                               scenario.packets, scenario.packets - limit.left)));
}

/// What happened until now is left out of all figures but those that must add up: transactions and requests, what the rings
/// hold.
void World::Parts::start_measuring() {
  for (ChannelInstance& channel : channels) {
    channel.recorder->start_measuring();
    for (const auto* devices : {&channel.host_devices, &channel.guest_devices})
      for (const auto& device : *devices)
        for (const auto* endpoints : {&device->channels, &device->cleaned})
          for (const auto& owned : *endpoints) static_cast<kmcl::Endpoint*>(owned.get())->start_measuring();
    if (channel.servers != nullptr) channel.servers->start_measuring(world.now());
  }
  if (platform != nullptr) platform->start_measuring(world.now());
  for (const LoadInstance& load : loads) load.load->start_measuring();
  before = processors();
  measured_from = world.now();
  measuring = true;
}

void World::Parts::advance(SimTime end) {
  if (platform != nullptr)
    platform->run(world, end);
  else
    world.run_until(end);
  libraries.tell_mishap();
  if (world.livelocked())
    findings.add(
        "LIVELOCK", BugCheck::none, {},
        fmt::format(
            "time stands still: more than {} events at this instant; give something on the way a cost, a device "
            "a service or a load a think_time",
            kernel::Simulation::most_at_one_instant));
}

World::World(const Scenario& scenario, const Traces& traces, platform::Platform* platform,
             kernel::ChoiceSource* choices, Timeline* timeline, explore::StepListener* listener)
    : parts_(std::make_unique<Parts>(scenario, traces, platform, choices, timeline, listener)) {}
World::~World() = default;

const hw::Exploration* World::exploration() const { return parts_->exploration.get(); }

/// Warm-up and run.
void World::Parts::run_loads() {
  for (const LoadInstance& load : loads)
    if (load.channel->guest_started) load.load->start();  // a driver that is not there takes no requests
  for (const ChannelInstance& channel : channels)
    if (channel.saving != nullptr) channel.saving->schedule();
  if (scenario.warm_up.count() == 0)
    start_measuring();
  else
    world.after<&Parts::start_measuring>(scenario.warm_up, ActorId{}, *this);
  const SimTime end = scenario.run_for.count() == 0
                          ? end_of_time
                          : saturating_add(saturating_add(world.now(), scenario.warm_up), scenario.run_for);
  advance(end);
  find_stuck();
  find_end_of_time(end);
  host.find_held_processors();
  for (const auto& of_template : guests)
    for (const auto& guest : of_template) guest->partition.find_held_processors();
}

/// After the figures were taken: the drivers of libraries are unloaded, and what they leave behind is found.
void World::Parts::shut_down_libraries() {
  if (!libraries.system_down() && !world.livelocked()) {
    for (ChannelInstance& channel : channels) {
      if (channel.guest_library != nullptr) channel.guest_library->stop();
      for (const auto& device : channel.guest_devices) device->journeys = nullptr;
    }
    world.go_on_after_end();
    const bool unloaded = libraries.unload([this](Duration most) { advance(saturating_add(world.now(), most)); });
    if (!libraries.system_down() && !unloaded) report_waiting();
  }
  libraries.end_watch();
}

/// Of all partitions; at one instant the host's come first.
void World::Parts::collect_debug_output(RunResult& result) const {
  std::vector<const os::Partition::DebugLine*> lines;
  const auto add = [&](const os::Partition& partition) {
    for (const auto& line : partition.debug_output()) lines.push_back(&line);
    result.debug_lines += partition.debug_lines();
  };
  add(host);
  for (const auto& of_template : guests)
    for (const auto& guest : of_template) add(guest->partition);
  std::stable_sort(lines.begin(), lines.end(), [](const auto* a, const auto* b) { return a->time < b->time; });
  for (const auto* line : lines)
    result.debug_output.push_back(line->text.substr(0, line->text.find_last_not_of("\r\n") + 1));
}

RunResult World::run() {
  Parts& p = *parts_;
  p.libraries.watch();
  p.boot();
  if (!p.libraries.system_down() && !p.world.ended()) p.run_loads();
  if (!p.measuring) p.start_measuring();  // ended before: nothing was measured
  for (ChannelInstance& channel : p.channels) channel.recorder->finish();
  if (p.rows.exceeded)
    p.findings.add("RECORD", BugCheck::none, {},
                   fmt::format("[record] asks for more than {} rows; the run ended there", most_recorded_rows));
  p.world.flush_log();
  RunResult result = p.result();
  p.shut_down_libraries();
  result.findings = p.findings.all();
  result.finding_counts = p.findings.counts();
  p.collect_debug_output(result);
  return result;
}

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
  add_processors(all, host);
  for (const auto& of_template : guests)
    for (const auto& guest : of_template) add_processors(all, guest->partition);
  return all;
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
    if (channel.servers != nullptr) {
      const device::Counters& counters = channel.servers->counters();
      all.devices.push_back({.name = channel.name,
                             .operations = counters.operations,
                             .bytes = counters.bytes,
                             .peak_in_flight = counters.peak_in_flight,
                             .utilisation = channel.servers->utilisation(world.now())});
    }
  }
  if (platform != nullptr)
    for (DeviceResult& device : platform->devices(world.now())) all.devices.push_back(std::move(device));
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
  return all;
}

}  // namespace vmbsim::scenario
