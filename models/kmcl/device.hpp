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
  Batching batching;
  vmbus::JourneyLog* journeys = nullptr;  ///< who reads the journeys of transactions begun here
  DEVICE_OBJECT object{};
  std::vector<std::shared_ptr<void>> channels;  ///< allocated for it and not cleaned up yet
  std::vector<std::shared_ptr<void>> cleaned;   ///< a DPC or a worker may still be on its way out of them
};

}  // namespace vmbsim::kmcl
