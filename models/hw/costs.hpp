#pragma once
/// What things cost: the latency profile as values. Every entry is a distribution of simulated time.
#include "sim/kernel/distribution.hpp"

namespace vmbsim::hw {

/// Latencies pass while nobody computes; costs burn the time of the processor that pays them. A scenario's `[latency]`
/// section names them exactly as they are named here. Profile "zero" leaves all of them at 0.
struct Costs {
  using D = kernel::Distribution;

  // Latencies
  D signal_host;      ///< guest's hypercall to the interrupt at a host processor
  D signal_guest;     ///< host's signal to the interrupt at a running guest processor
  D idle_wake;        ///< added to an interrupt that finds its processor idle (a halted one must be woken first)
  D control_message;  ///< one channel-protocol message between guest and host

  // Costs of the processor
  D hypercall;        ///< HvSignalEvent, paid by the sender
  D isr;              ///< the VMBus interrupt routine, from vector to end of interrupt
  D dpc_dispatch;     ///< from the drop below DISPATCH_LEVEL to the first instruction of a DPC
  D worker_wake;      ///< from queueing a work item to its routine's start, on the worker's processor
  D thread_switch;    ///< one switch to another thread
  D packet_send;      ///< VmbPacketSend and its siblings, without the copy
  D packet_receive;   ///< taking one packet out of a ring and preparing its delivery, without the copy
  D packet_complete;  ///< VmbChannelPacketComplete, without the copy
  D copy_per_kib;     ///< moving 1 KiB into or out of a ring
  D map_per_page;     ///< VmbChannelPacketGetExternalData, for each page described
  D device_isr;       ///< the interrupt routine of a host device
};

}  // namespace vmbsim::hw
