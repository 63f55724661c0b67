#pragma once
/// What a world is made of. assembly.cpp builds it, world.cpp runs it, world_result.cpp tells what came of it.
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/device/fifo_servers.hpp"
#include "models/device/remote.hpp"
#include "models/kmcl/endpoint.hpp"
#include "models/scenario/built_in.hpp"
#include "models/scenario/libraries.hpp"
#include "models/scenario/recorder.hpp"
#include "models/scenario/saving.hpp"
#include "models/scenario/world.hpp"
#include "models/workload/load.hpp"
#include "sim/observe/fingerprint.hpp"

namespace vmbsim::scenario {

struct ChannelInstance;

/// One host: the kernel of its root partition and its interrupts.
struct HostMachine {
  HostMachine(World::Parts& parts, const Host& host, os::Partition::Config config)
      : world(parts), spec(host), partition(std::move(config)), synic(partition) {}
  World::Parts& world;
  const Host& spec;
  os::Partition partition;
  vmbus::Synic synic;
  std::uint32_t connections = 0;  // guests have one each
  std::uint32_t turn = 0;         // its processors take the channels in turn
};

/// One guest: its kernel, its interrupts, its end of a bus, and where it stands in its life.
struct GuestMachine final : drivers::ReadyListener {
  GuestMachine(World::Parts& parts, const Guest& guest, HostMachine& on, os::Partition::Config config)
      : world(parts),
        spec(guest),
        host(on),
        partition(std::move(config)),
        synic(partition),
        bus({.host = on.synic, .guest = synic, .connection = on.connections++}) {}

  /// A channel of it is open and started.
  void on_ready() override;
  void arrive();
  void depart();
  /// A load that was told to stop has its last answer.
  void load_is_over();

  enum class Stage : std::uint8_t { expected, starting, working, leaving, left };
  World::Parts& world;
  const Guest& spec;
  HostMachine& host;
  os::Partition partition;
  vmbus::Synic synic;
  vmbus::Bus bus;
  std::vector<ChannelInstance*> channels;
  std::vector<workload::Load*> loads;
  Stage stage = Stage::expected;
  std::size_t not_ready = 0;   // channels
  std::size_t busy_loads = 0;  // while it leaves
  bool depart_when_ready = false;
  ActorId actor{};  // of one that comes or goes
};

/// One channel instance: both drivers, the devices they sit on, and what stands behind.
struct ChannelInstance {
  std::string name;
  const ChannelSpec* spec = nullptr;
  GuestMachine* guest = nullptr;
  std::unique_ptr<Recorder> recorder;
  std::vector<std::unique_ptr<kmcl::Device>> host_devices;
  std::vector<std::unique_ptr<kmcl::Device>> guest_devices;
  std::unique_ptr<device::FifoServers> servers;  // its own, when nothing shared does the work
  device::Resource* resource = nullptr;          // these servers or what is shared; null for what has no device
  std::string resource_name;
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

/// A [[disk]], one for all hosts or that of one of them.
struct SharedDisk {
  std::string name;  // "san", "node[2]:ssd"
  std::optional<std::size_t> host;
  std::unique_ptr<device::FifoServers> servers;
};

struct World::Parts {
  Parts(const Scenario& s, const Traces& traces, platform::Platform* shared, kernel::ChoiceSource* choices,
        Timeline* timeline, explore::StepListener* listener);

  // Assembly, in this order
  std::int64_t speed_of(const std::string& platform_host) const;
  os::Partition::Config partition_config(std::string name, std::uint32_t cpus, const std::string& platform_host);
  void build_hosts();
  void build_guests();
  void build_channels();
  void build_channel(const ChannelSpec& spec, GuestMachine& guest, std::string name);
  void build_device(ChannelInstance& channel);
  device::Resource& shared_disk(const DiskSpec& spec, std::size_t host, std::string& name);
  device::Resource& platform_disk(const std::string& wanted, const std::string& from, std::string& name);
  void build_client(ChannelInstance& channel, drivers::ClientChannels::Config client);
  void build_loads(const Traces& traces);
  void start_timeline();
  Bytes largest_request(const ChannelSpec& spec) const;
  std::optional<stats::Stopping::Config> precision_of(const std::string& channel) const;

  // The run
  void boot();
  void start_guest(ChannelInstance& channel);
  void start_host_drivers(const std::vector<ChannelInstance*>& of);
  void ready(GuestMachine& guest);
  void start_loads(GuestMachine& guest);
  /// All channels of it are closed.
  void has_gone(const GuestMachine& guest);
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
  void find_useless_arrivals();
  void find_end_of_time(SimTime end);

  // What came of it
  std::vector<ProcessorResult> processors();
  void tell_devices(RunResult& all);
  void tell_fleet(RunResult& all);
  RunResult result();

  const Scenario& scenario;
  platform::Platform* platform;
  Timeline* timeline;
  observe::FingerprintDigest digest;
  kernel::Simulation world;
  std::unique_ptr<hw::Exploration> exploration;  // while hunted
  kernel::StackPool stacks;
  os::FindingLog findings;
  std::vector<std::unique_ptr<HostMachine>> hosts;
  Libraries libraries{world, findings};
  std::vector<std::unique_ptr<GuestMachine>> guests;
  std::vector<GuestMachine*> going;  // those that the end of the run waits for
  std::deque<SharedDisk> disks;
  std::map<std::string, std::unique_ptr<device::Remote>> remotes;  // by host and disk
  PacketLimit limit;
  RowLimit rows;
  std::deque<ChannelInstance> channels;
  std::vector<LoadInstance> loads;
  std::size_t not_ready = 0;  // channels of guests that are there from the start
  std::size_t recorded_loads = 0;
  const Traces& all_traces;
  bool measuring = false;
  bool waiting_told = false;
  SimTime started{};  // boot is over: arrivals and warm-up count from here
  SimTime measured_from{};
  std::vector<ProcessorResult> before;  // what the processors' time had gone to by then
};

}  // namespace vmbsim::scenario
