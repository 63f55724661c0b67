#pragma once
/// The two objects a driver holds: VMBPACKET, what it sends, and VMBPACKETCOMPLETION, what it was handed.
#include <cstdint>
#include <span>
#include <vector>

#include "models/kmcl/handle.hpp"
#include "models/vmbus/journey.hpp"
#include "models/vmbus/ring.hpp"
#include "vmbuskernelmodeclientlibapi.h"

namespace vmbsim::kmcl {

class Endpoint;

/// Sender's side of a transaction. Lies in the memory of VmbChannelSizeofPacket bytes that the driver or the channel's
/// lookaside list provides: this header, room for a copy of the inline data, room for one range per MDL of a chain.
struct Packet {
  enum class State : std::uint8_t { idle, queued, sent };

  static Packet& of(VMBPACKET handle) { return object_of<Packet>(handle); }
  VMBPACKET handle() const { return reinterpret_cast<VMBPACKET>(use); }

  std::uintptr_t use = 0;  // the handle that means it
  Endpoint* endpoint = nullptr;
  void* pointer = nullptr;                              // VmbPacketSetPointer
  PFN_VMB_PACKET_COMPLETION_ROUTINE routine = nullptr;  // null: free an allocated packet
  bool allocated = false;                               // by VmbPacketAllocate
  State state = State::idle;
  bool only_tried = false;     // not queued where there is no room
  bool synchronous = false;    // of a synchronous request: KMCL's own
  const char* call = nullptr;  // that sent it
  std::uint32_t flags = 0;
  const std::byte* buffer = nullptr;  // inline data; the driver's until completion, or the copy
  std::uint32_t length = 0;
  PMDL mdl = nullptr;  // external data, one of the two forms
  std::uint32_t mdl_offset = 0;
  std::uint32_t mdl_length = 0;
  const PFN_NUMBER* pfns = nullptr;
  std::uint32_t pfn_count = 0;
  std::span<const vmbus::GpaRange> ranges;  // of the external data; in the packet's own memory
  std::uint64_t transaction_id = 0;
  std::uint64_t ticket = 0;  // its place among all that was sent, while a hunt looks
  Packet* next = nullptr;    // in the table of transactions, or in the lookaside list
  vmbus::Journey journey;

  bool waits_for_completion() const { return (flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION) != 0; }
};

/// Receiver's side of one delivered packet: lives from ProcessPacket to VmbChannelPacketComplete (and on, while its
/// completion packet waits for room in the ring).
struct Received {
  static Received& of(VMBPACKETCOMPLETION handle) { return object_of<Received>(handle); }
  VMBPACKETCOMPLETION handle() const { return reinterpret_cast<VMBPACKETCOMPLETION>(use); }

  std::uintptr_t use = first_use(this);  // the handle that means it
  Endpoint* endpoint = nullptr;
  vmbus::IncomingPacket packet;     // its spans lie in `bytes`
  std::vector<std::byte> bytes;     // extension, then payload; later the answer
  std::vector<std::uint64_t> mdls;  // descriptor lists made by GetExternalData
  std::vector<std::byte> client_context;
  std::byte* dead_bytes = nullptr;  // inline data of the use before this one, marked
  std::uint64_t digest = 0;
  bool lists_made = false;   // of its external data
  bool read_only = false;    // which is not to be written
  bool outstanding = false;  // handed to the driver and not completed
  bool in_callback = false;  // ProcessPacket for it is running
  bool deferred = false;
  bool pages_pending = false;  // its external data is being brought in
  bool pages_resident = false;
  std::uint32_t answer_length = 0;
  std::uint64_t ticket = 0;  // as a Packet's
  vmbus::Journey* journey = nullptr;
  Received* next = nullptr;  // in the spare list
};

}  // namespace vmbsim::kmcl
