#pragma once
/// Handles of a guest's VMBus: by them a server endpoint says which guest its channel is offered to.
///
/// On Windows the virtual machine's worker process opens one and hands it to a driver, which converts it. Here the scenario
/// opens one per guest, and whoever has it may convert it: a partition has no processes.
/// Source   KMCL DDI, VmbConvertVmbusHandleToKernelHandle and VmbServerChannelInitSetVmbusHandle.
#include "models/vmbus/bus.hpp"
#include "wdm.h"

namespace vmbsim::kmcl {

/// What a handle points to; lies in the host's pool, so that a handle that is none is recognised. ZwClose closes it.
struct VmbusHandle {
  vmbus::Bus* bus = nullptr;
  bool kernel = false;  ///< made by VmbConvertVmbusHandleToKernelHandle

  /// A user-mode handle of `bus`, as the worker process of its guest would open it; null when `host` has no memory left.
  static HANDLE open(os::Partition& host, vmbus::Bus& bus);
  /// Null for what is no handle of this kind (any more).
  static VmbusHandle* find(os::Partition& host, HANDLE handle);
};

}  // namespace vmbsim::kmcl
