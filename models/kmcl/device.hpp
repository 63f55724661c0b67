#pragma once
/// What stands behind the device object that a driver hands to VmbChannelAllocate.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/vmbus/bus.hpp"
#include "ntddk.h"

namespace vmbsim::kmcl {

/// How KMCL takes packets out of the incoming ring. Windows does not publish its policy, so it is the scenario's.
struct Batching {
  enum class Mode : std::uint8_t {
    none,
    drain,
    limit
  };  ///< one packet a batch; until empty; at most max_packets a pass
  Mode mode = Mode::drain;
  std::uint32_t max_packets = 64;  ///< `limit` only; then the DPC is queued again
  bool mask = false;               ///< hold InterruptMask while a pass drains
};

/// What KMCL does where its documents leave a choice, or describe what only some machines do. The scenario decides; the
/// defaults are the plainest reading.
struct Policies {
  /// When the completion routine of a packet sent without WAIT_FOR_COMPLETION runs, if there was room at once.
  enum class RoutineOfSent : std::uint8_t {
    inside_send,  ///< before the send returns
    in_a_pass,    ///< in the channel's next pass, at DISPATCH_LEVEL
    either        ///< drawn for each packet: drivers must survive both
  };
  RoutineOfSent routine_of_sent = RoutineOfSent::inside_send;
  /// A send on a channel that has closed fails with STATUS_INVALID_DEVICE_STATE; else it is queued for the next round.
  bool refuse_after_close = false;
  /// Receivers see a payload's own length; else what the wire says, which is rounded up to 8. Needs both ends.
  bool exact_length = false;
  /// VmbChannelPause also waits until the packets that were sent are complete.
  bool pause_waits_for_sent = false;
  /// A packet that fits goes ahead of those that wait for room, as in EMCL.
  bool overtaking = false;
  /// Of so many in 1000 packets the external data is not resident when VmbChannelPacketGetExternalData first asks.
  std::uint32_t pending_permille = 0;
  Duration page_in{};  ///< until it is
  /// Client: connecting fails with this after the device was found; STATUS_SUCCESS: it does not.
  NTSTATUS pnp_failure = STATUS_SUCCESS;
};

/// One end of a device on the bus: the guest's PDO of an offer, or the host's device that makes the offer. Which processors
/// are interrupted is no public API of KMCL, so it is decided here.
struct Device {
  Device(std::string device_name, os::Partition& device_partition, vmbus::Bus& device_bus)
      : name(std::move(device_name)), partition(device_partition), bus(device_bus) {
    object.Simulator = this;
  }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  static Device& of(const DEVICE_OBJECT& object) { return *static_cast<Device*>(object.Simulator); }

  std::string name;  ///< of the channel instance, for findings and streams
  os::Partition& partition;
  vmbus::Bus& bus;
  vmbus::OfferId id;  ///< guest: the offer that made the PDO; host: its subchannel index counts
  CpuId target{};     ///< processor of this end that is interrupted
  Pages incoming{},
      outgoing{};        ///< guest: of the rings where the driver names no count; 0: as many as its packets need
  std::uint8_t vtl = 0;  ///< guest: virtual trust level that its drivers run in
  /// Host: an endpoint must say by VmbServerChannelInitSetVmbusHandle which guest it is for; `bus` is then of no account.
  bool needs_vmbus_handle = false;
  Batching batching;
  Policies policies;
  vmbus::JourneyLog* journeys = nullptr;  ///< who reads the journeys of transactions begun here
  void (*on_started)(void* object) =
      nullptr;  ///< called whenever traffic has started on one of its channels, after PostStarted
  void* on_started_object = nullptr;
  DEVICE_OBJECT object{};
  std::vector<std::shared_ptr<void>> channels;  ///< allocated for it and not cleaned up yet
  std::vector<std::shared_ptr<void>> cleaned;   ///< a DPC or a worker may still be on its way out of them
};

}  // namespace vmbsim::kmcl
