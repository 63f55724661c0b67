#pragma once
/// Both ends of a channel in one object: two partitions, a bus, and two drivers given as a few functions.
///
///   ChannelPair pair({.to_host = {1}, .to_guest = {1}});
///   pair.host.packet = [&](Arrived& a) { VmbChannelPacketComplete(a.packet, nullptr, 0); };
///   pair.open();                                            // both ends enabled, the host started; to quiescence
///   pair.on_guest([&] { pair.guest.send(1, 64); });         // in a thread of the guest; true when the thread came to its end
///   CHECK(pair.order() == "host:Opened guest:Opened ... host:packet(1) guest:completed(1)");
///
/// A function that is left out does what a driver without that callback would: packets are answered with their own bytes,
/// completed packets are freed. Every callback is logged with time, processor and IRQL.
#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/kmcl/endpoint.hpp"
#include "ntddk.h"
#include "vmbuskernelmodeclientlibapi.h"

namespace vmbsim::testing {

/// Costs and latencies that never vary; those left out are 0.
inline hw::Costs costs_of(std::initializer_list<std::pair<kernel::Distribution hw::Costs::*, Duration>> values) {
  hw::Costs costs;
  for (const auto& [entry, value] : values) costs.*entry = kernel::Distribution::fixed(value);
  return costs;
}

inline constexpr UINT32 wait_flag = VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;

/// The machines: a host, a guest, and what lies between them.
struct TwoPartitions {
  struct Config {
    hw::Costs costs{};
    std::uint32_t host_cpus = 1;
    std::uint32_t guest_cpus = 1;
    Seed seed{1};
    kernel::ChoiceSource* choices = nullptr;
  };
  explicit TwoPartitions(const Config& config)
      : costs(config.costs),
        world(config.seed, nullptr, config.choices),
        findings(world),
        host({.name = "host",
              .cpus = config.host_cpus,
              .world = world,
              .stacks = stacks,
              .costs = costs,
              .findings = findings}),
        guest({.name = "guest",
               .cpus = config.guest_cpus,
               .world = world,
               .stacks = stacks,
               .costs = costs,
               .findings = findings}),
        host_synic(host),
        guest_synic(guest),
        bus({.host = host_synic, .guest = guest_synic, .connection = 0}) {
    host.watches_buffers = guest.watches_buffers = true;
  }

  /// Until nothing is left to happen; the clock stops at the last thing that did.
  void quiesce() {
    world.run_until(world.now());  // what is to happen at once is in no calendar
    while (world.next_time() != end_of_time) world.run_until(world.next_time());
  }
  void run_until(Duration time) { world.run_until(SimTime{time}); }

  /// A thread that runs `body`; whether it came to its end is known when the world is quiescent.
  struct Running {
    std::function<void()> body;
    bool ended = false;
  };
  Running& start(os::Partition& partition, std::uint32_t cpu, std::function<void()> body) {
    running.push_back({std::move(body)});
    partition.create_thread(
        "driver", os::Thread::priority_normal, CpuId{cpu}, true,
        [](void* self) {
          auto& mine = *static_cast<Running*>(self);
          mine.body();
          mine.ended = true;
        },
        &running.back());
    return running.back();
  }

  /// "K26: text" a line; empty when there is none.
  std::string found() const {
    std::string text;
    for (const Finding& finding : findings.all()) text += finding.rule + ": " + finding.text + "\n";
    return text;
  }

  hw::Costs costs;
  std::deque<Running> running;
  kernel::Simulation world;
  kernel::StackPool stacks;
  os::FindingLog findings;
  os::Partition host;
  os::Partition guest;
  vmbus::Synic host_synic;
  vmbus::Synic guest_synic;
  vmbus::Bus bus;
};

/// A packet as its receiver sees it.
struct Arrived {
  VMBPACKETCOMPLETION packet;
  std::uint64_t number;  ///< the first 8 bytes of it
  std::byte* buffer;
  UINT32 length;
  UINT32 flags;
};

/// A transaction as its sender sees its end.
struct Returned {
  VMBPACKET packet;
  std::uint64_t number;
  NTSTATUS status;
  std::vector<std::byte> answer;
  Irql irql;
  SimTime time;
  bool inside_send;  ///< the routine ran before the send returned
};

struct Callback {
  SimTime time;
  std::string processor;
  Irql irql;
  std::string what;  ///< "host:Opened", "guest:completed(3)"
};

struct PairConfig {
  TwoPartitions::Config machines{};
  UINT32 maximum_packet = 1024;
  UINT32 external_data = 0;
  UINT32 chain_length = 1;
  Pages to_host{1}, to_guest{1};
  std::uint32_t host_target = 0, guest_target = 0;
  kmcl::Batching batching{};
  bool host_passive = false, guest_passive = false;
  UINT32 host_quota = 0, guest_quota = 0;
  bool quiet = false;  ///< logs nothing
  std::uint16_t subchannel = 0;
  ULONG instance = 1;
  /// Further settings: of the device before the channel is allocated, of the channel before it is enabled.
  std::function<void(kmcl::Device&)> host_device{}, guest_device{};
  std::function<void(VMBCHANNEL)> host_channel{}, guest_channel{};
};

class ChannelPair;

/// One end and its driver.
class End {
 public:
  // ---- The driver: what it does when it is called ----
  std::function<NTSTATUS()> opened;
  std::function<void()> started, post_started, suspend, closed;
  std::function<void(Arrived&)> packet;
  std::function<void(UINT32)> batch_over;
  std::function<void(Returned&)> completed;

  // ---- What it does by itself; in a context of its partition ----

  NTSTATUS enable() { return VmbChannelEnable(channel); }
  /// Another channel object in place of one that was cleaned up, configured as that was.
  void allocate_again() { allocate(config_, server_); }
  /// Sends `length` bytes, at least 8, that begin with `number`. Numbers count from 1 and are used once each.
  NTSTATUS send(std::uint64_t number, UINT32 length = 8, UINT32 flags = wait_flag) {
    VMBPACKET object = new_packet(number, length);
    Slot& slot = *slots_[number - 1];
    slot.sending = true;
    const NTSTATUS status = VmbPacketSend(object, slot.bytes.data(), length, nullptr, flags);
    slot.sending = false;
    return status;
  }
  /// A packet that is ready to be sent, and the buffer that goes with it.
  VMBPACKET new_packet(std::uint64_t number, UINT32 length = 8) {
    VMBPACKET object = VmbPacketAllocate(channel);
    prepare(object, number, length);
    return object;
  }
  void prepare(VMBPACKET object, std::uint64_t number, UINT32 length = 8) {
    if (slots_.size() < number) slots_.resize(number);
    slots_[number - 1] = std::make_unique<Slot>();
    Slot& slot = *slots_[number - 1];
    slot.number = number;
    slot.bytes.resize(std::max<std::size_t>(length, 8), static_cast<std::byte>(number));
    std::memcpy(slot.bytes.data(), &number, 8);
    VmbPacketSetPointer(object, &slot);
    VmbPacketSetCompletionRoutine(object, on_completed);
  }
  std::vector<std::byte>& bytes_of(std::uint64_t number) { return slots_[number - 1]->bytes; }

  // ---- What came of it ----

  kmcl::Endpoint& endpoint() { return kmcl::Endpoint::of(channel); }
  kmcl::Endpoint::Counters counters() { return endpoint().counters(); }
  bool disabled() { return endpoint().disabled(); }

  kmcl::Device device;
  VMBCHANNEL channel = nullptr;
  std::vector<std::uint64_t> arrived;    ///< numbers, in order of delivery
  std::vector<UINT32> batches;           ///< what ProcessingComplete was told
  std::vector<Returned> returned;        ///< in order
  std::vector<vmbus::Journey> journeys;  ///< of transactions that were answered

 private:
  friend class ChannelPair;
  struct Slot {
    std::uint64_t number = 0;
    std::vector<std::byte> bytes;
    bool sending = false;
  };
  struct Log final : vmbus::JourneyLog {
    explicit Log(std::vector<vmbus::Journey>& to) : journeys(to) {}
    void begun(vmbus::Journey&) override {}
    void returned(const vmbus::Journey& journey) override { journeys.push_back(journey); }
    std::vector<vmbus::Journey>& journeys;
  };

  End(ChannelPair& pair, const char* name, os::Partition& partition, vmbus::Bus& bus)
      : device(std::string(name) + " end", partition, bus), pair_(pair), name_(name), log_(journeys) {}

  static End& of(VMBCHANNEL channel) { return *static_cast<End*>(VmbChannelGetPointer(channel)); }
  void note(const std::string& what);
  void allocate(const PairConfig& config, bool server);
  static void on_packet(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length, UINT32 flags);
  static void on_completed(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length);

  ChannelPair& pair_;
  std::string name_;
  Log log_;
  std::vector<std::unique_ptr<Slot>> slots_;  // by number
  PairConfig config_;
  bool server_ = false;
};

class ChannelPair {
 public:
  explicit ChannelPair(const PairConfig& config = {})
      : ChannelPair(std::make_unique<TwoPartitions>(config.machines), nullptr, config) {}
  /// Another channel of machines that exist.
  ChannelPair(TwoPartitions& shared, const PairConfig& config) : ChannelPair(nullptr, &shared, config) {}
  ChannelPair(const ChannelPair&) = delete;

  /// Enables both ends and starts the host's; to quiescence.
  void open() {
    on_host([this] {
      open_status = host.enable();
      VmbChannelStart(host.channel);
    });
    on_guest([this] { open_status |= guest.enable(); });
  }
  /// Runs `body` in a thread of that partition, then everything to quiescence. False: the thread is still blocked.
  bool on_host(std::function<void()> body, std::uint32_t cpu = 0) {
    return run(machines.start(machines.host, cpu, std::move(body)));
  }
  bool on_guest(std::function<void()> body, std::uint32_t cpu = 0) {
    return run(machines.start(machines.guest, cpu, std::move(body)));
  }

  /// The callbacks so far, "end:name" with a space between; with a name, those of that end without its name.
  std::string order(const std::string& of = {}) const {
    std::string text;
    for (const Callback& callback : log) {
      if (!of.empty() && callback.what.rfind(of + ":", 0) != 0) continue;
      text += (text.empty() ? "" : " ") + (of.empty() ? callback.what : callback.what.substr(of.size() + 1));
    }
    return text;
  }
  /// The same, one a line, as Machine's timelines: time, processor, IRQL, what.
  std::string timeline() const {
    std::string text;
    for (const Callback& callback : log)
      text += std::to_string(nanoseconds(callback.time)) + "ns " + callback.processor + " " + name_of(callback.irql) +
              " " + callback.what + "\n";
    return text;
  }
  void forget() { log.clear(); }
  std::string found() const { return machines.found(); }
  /// Nothing under way: both rings empty and every transaction over.
  bool rings_empty() {
    const vmbus::Offer* offer = machines.bus.offer_of(guest.endpoint());
    if (offer == nullptr || offer->channel() == nullptr) return true;
    return offer->channel()->to_host.writer.empty() && offer->channel()->to_guest.writer.empty();
  }
  vmbus::Channel& channel() { return *machines.bus.offer_of(guest.endpoint())->channel(); }

 private:
  std::unique_ptr<TwoPartitions> own_;
  ChannelPair(std::unique_ptr<TwoPartitions> own, TwoPartitions* shared, const PairConfig& config)
      : own_(std::move(own)),
        machines(shared != nullptr ? *shared : *own_),
        host(*this, "host", machines.host, machines.bus),
        guest(*this, "guest", machines.guest, machines.bus),
        quiet(config.quiet) {
    on_host([&] { host.allocate(config, true); });
    on_guest([&] { guest.allocate(config, false); });
  }
  bool run(TwoPartitions::Running& thread) {
    machines.quiesce();
    return thread.ended;
  }

 public:
  TwoPartitions& machines;
  End host;
  End guest;
  std::vector<Callback> log;
  NTSTATUS open_status = STATUS_SUCCESS;
  bool quiet;
};

/// One of the two ends, where a test is about either.
struct OneEnd {
  ChannelPair& pair;
  bool server;
  End& end() const { return server ? pair.host : pair.guest; }
  std::string order() const { return pair.order(server ? "host" : "guest"); }
  bool operator()(const std::function<void()>& body) const { return server ? pair.on_host(body) : pair.on_guest(body); }
};

inline void End::note(const std::string& what) {
  if (pair_.quiet) return;
  const hw::Processor& cpu = *hw::Processor::current();
  pair_.log.push_back({pair_.machines.world.now(), cpu.name(), cpu.irql(), name_ + ":" + what});
}

inline void End::allocate(const PairConfig& config, bool server) {
  if (&config != &config_) config_ = config;
  server_ = server;
  device.id = {
      .type = {0x11, 0x22, 0x33, {}}, .instance = {config.instance, 0, 0, {}}, .subchannel = config.subchannel};
  device.target = CpuId{server ? config.host_target : config.guest_target};
  device.batching = config.batching;
  if (!server) device.journeys = &log_;
  if (const auto& more = server ? config.host_device : config.guest_device) more(device);
  NTSTATUS status = VmbChannelAllocate(&device.object, server ? TRUE : FALSE, &channel);
  VmbChannelSetPointer(channel, this);
  status |= VmbChannelInitSetMaximumPacketSize(channel, config.maximum_packet);
  if (config.external_data != 0)
    status |= VmbChannelInitSetMaximumExternalData(channel, config.external_data, config.chain_length);
  status |= VmbChannelInitSetProcessPacketCallbacks(channel, on_packet, [](VMBCHANNEL at, UINT32 count) {
    End& self = of(at);
    self.note("batch(" + std::to_string(count) + ")");
    self.batches.push_back(count);
    if (self.batch_over) self.batch_over(count);
  });
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
  callbacks.EvtChannelOpened = [](VMBCHANNEL at) {
    End& self = of(at);
    self.note("Opened");
    return self.opened ? self.opened() : STATUS_SUCCESS;
  };
  callbacks.EvtChannelStarted = [](VMBCHANNEL at) {
    of(at).note("Started");
    if (of(at).started) of(at).started();
  };
  callbacks.EvtChannelPostStarted = [](VMBCHANNEL at) {
    of(at).note("PostStarted");
    if (of(at).post_started) of(at).post_started();
  };
  callbacks.EvtChannelSuspend = [](VMBCHANNEL at) {
    of(at).note("Suspend");
    if (of(at).suspend) of(at).suspend();
  };
  callbacks.EvtChannelClosed = [](VMBCHANNEL at) {
    of(at).note("Closed");
    if (of(at).closed) of(at).closed();
  };
  status |= VmbChannelInitSetStateChangeCallbacks(channel, &callbacks);
  if (server)
    status |= VmbServerChannelInitSetTargetInterfaceId(channel, device.id.type, device.id.instance);
  else
    status |= VmbClientChannelInitSetRingBufferPageCount(channel, static_cast<UINT32>(config.to_guest.count),
                                                         static_cast<UINT32>(config.to_host.count));
  if (server ? config.host_passive : config.guest_passive) VmbChannelSetIncomingProcessingAtPassive(channel, TRUE);
  const UINT32 quota = server ? config.host_quota : config.guest_quota;
  if (quota != 0) VmbChannelSetTransactionQuota(channel, quota);
  VMBSIM_ASSERT(status == STATUS_SUCCESS, "the drivers of a test configure their channel correctly");
  if (const auto& more = server ? config.host_channel : config.guest_channel) more(channel);
}

inline void End::on_packet(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length, UINT32 flags) {
  End& self = of(channel);
  Arrived a{.packet = packet, .number = 0, .buffer = static_cast<std::byte*>(buffer), .length = length, .flags = flags};
  if (length >= 8) std::memcpy(&a.number, buffer, 8);
  if (!self.pair_.quiet) self.note("packet(" + std::to_string(a.number) + ")");
  self.arrived.push_back(a.number);
  if (self.packet)
    self.packet(a);
  else
    VmbChannelPacketComplete(packet, buffer, length);
}

inline void End::on_completed(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length) {
  End& self = of(VmbPacketGetChannel(packet));
  const auto& slot = *static_cast<Slot*>(VmbPacketGetPointer(packet));
  const auto* answer = static_cast<const std::byte*>(buffer);
  Returned r{.packet = packet,
             .number = slot.number,
             .status = status,
             .answer = {answer, answer + length},
             .irql = hw::Processor::current()->irql(),
             .time = self.pair_.machines.world.now(),
             .inside_send = slot.sending};
  if (!self.pair_.quiet)
    self.note((status == STATUS_SUCCESS ? "completed(" : "removed(") + std::to_string(slot.number) + ")");
  self.returned.push_back(r);
  if (self.completed)
    self.completed(r);
  else
    VmbPacketFree(packet);
}

}  // namespace vmbsim::testing
