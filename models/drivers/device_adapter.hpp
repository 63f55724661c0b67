#pragma once
/// The host's lower driver of a device: starts work on it and says, from a DPC, when it is done.
///
/// A completion raises the device's interrupt at the processor the adapter is wired to; the interrupt routine queues a DPC; the
/// DPC hands back, in order, all that is done by then.
/// Source   WDK, "Servicing interrupts": an ISR does as little as it can and queues a DpcForIsr; storport and NDIS miniports
///          complete in a DPC.
#include <string>

#include "models/device/resource.hpp"
#include "models/os/partition.hpp"

namespace vmbsim::drivers {

class DeviceAdapter {
 public:
  DeviceAdapter(os::Partition& host, CpuId cpu, device::Resource& device, const std::string& name);
  DeviceAdapter(const DeviceAdapter&) = delete;
  DeviceAdapter& operator=(const DeviceAdapter&) = delete;

  /// One I/O. `completed` runs at DISPATCH_LEVEL in the adapter's DPC.
  struct Io {
    device::Work work;
    void (*completed)(Io&) = nullptr;
    void* owner = nullptr;
  };
  void start(Io& io);

 private:
  static void on_done(device::Work& work);
  void on_interrupt();
  void on_dpc();

  os::Partition& host_;
  hw::Processor& processor_;
  device::Resource& device_;
  kernel::Stream costs_;
  hw::InterruptLine line_;
  KDPC dpc_{};
  device::Work* first_done_ = nullptr;  // in order of completion, linked through Work::next
  device::Work* last_done_ = nullptr;
};

}  // namespace vmbsim::drivers
