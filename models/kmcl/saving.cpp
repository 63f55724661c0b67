// Saving a server's channel with its packets in flight, and bringing them back in another one.
// Source: KMCL DDI, VmbChannelSaveBegin and its siblings, VmbChannelRestoreFromBuffer, VmbPacketRestore,
// EVT_VMB_CHANNEL_SAVE_PACKET, EVT_VMB_CHANNEL_RESTORE_PACKET. Where they are silent: a channel is saved while it is paused or
// not open, and restored between VmbChannelEnable and VmbChannelStart; one chunk per packet and one for the channel.
#include "models/kmcl/saving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "models/kmcl/callback.hpp"
#include "models/kmcl/endpoint.hpp"
#include "models/kmcl/locked.hpp"

namespace vmbsim::kmcl {

namespace {

/// What every chunk begins with; KMCL's part and the driver's follow.
struct ChunkHeader {
  std::uint32_t mark = 0;
  std::uint32_t kind = 0;
  std::uint32_t more = 0;  // chunks behind this one were saved too
  std::uint32_t library_bytes = 0;
  std::uint32_t driver_bytes = 0;
  std::uint32_t reserved = 0;
};
constexpr std::uint32_t chunk_mark = 0x4B435356;

/// KMCL's part of a packet; inline data follows where the packet is not in the ring yet.
struct SavedPacket {
  std::uint64_t transaction_id = 0;
  std::uint32_t flags = 0;
  std::uint32_t in_ring = 0;
  std::uint32_t length = 0;
  std::uint32_t type = 0;  // of a parsed packet
  std::uint32_t extension = 0;
  std::uint32_t reserved = 0;
};

template <class T>
void append(std::vector<std::byte>& to, const T* from, std::size_t count) {
  const auto* bytes = reinterpret_cast<const std::byte*>(from);
  to.insert(to.end(), bytes, bytes + count * sizeof(T));
}

/// KMCL's own part of a chunk.
std::vector<std::byte> library_part(const SaveItem& item, std::uint64_t last_transaction_id) {
  std::vector<std::byte> bytes;
  SavedPacket saved;
  switch (item.kind) {
    case SaveItem::Kind::channel: append(bytes, &last_transaction_id, 1); break;
    case SaveItem::Kind::sent:
    case SaveItem::Kind::queued:
      saved = {.transaction_id = item.packet->transaction_id,
               .flags = item.packet->flags,
               .in_ring = item.kind == SaveItem::Kind::sent ? 1u : 0u,
               .length = item.kind == SaveItem::Kind::sent ? 0 : item.packet->length};
      append(bytes, &saved, 1);
      append(bytes, item.packet->buffer, saved.length);
      break;
    case SaveItem::Kind::completion:
      saved = {.transaction_id = item.received->packet.transaction_id, .length = item.received->answer_length};
      append(bytes, &saved, 1);
      append(bytes, item.received->bytes.data(), saved.length);
      break;
    case SaveItem::Kind::parsed: {
      const vmbus::IncomingPacket& packet = item.received->packet;
      saved = {.transaction_id = packet.transaction_id,
               .flags = packet.completion_requested ? 1u : 0u,
               .length = static_cast<std::uint32_t>(packet.payload.size()),
               .type = static_cast<std::uint32_t>(packet.type),
               .extension = static_cast<std::uint32_t>(packet.extension.size())};
      append(bytes, &saved, 1);
      append(bytes, packet.extension.data(), packet.extension.size());
      append(bytes, packet.payload.data(), packet.payload.size());
      break;
    }
  }
  return bytes;
}

}  // namespace

NTSTATUS Endpoint::set_save_restore(PFN_VMB_CHANNEL_SAVE_PACKET for_saving,
                                    PFN_VMB_CHANNEL_RESTORE_PACKET for_restoring) {
  save_packet_ = for_saving;
  restore_packet_ = for_restoring;
  return STATUS_SUCCESS;
}

// ---- Saving ----

NTSTATUS Endpoint::save_begin() {
  constexpr const char* call = "VmbChannelSaveBegin";
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  if (!server_call(call)) return STATUS_INVALID_PARAMETER_1;
  if (saving_ != nullptr) {
    misused("K107", call, "twice without VmbChannelSaveEnd");
    return STATUS_INVALID_DEVICE_STATE;
  }
  const bool paused = connection_ == Connection::open && !active_ && !pausing_;
  unheeded_.save_begin = !paused && connection_ != Connection::enabled;
  if (unheeded_.save_begin) return STATUS_INVALID_DEVICE_STATE;
  frozen_ = true;  // what is in the rings is the guest's memory and saved with it
  while (pass_running_) partition().wait(pass_over_.Header, nullptr);

  saving_ = std::make_unique<SaveContext>();
  std::vector<SaveItem>& items = saving_->items;
  for (Packet* chain : transactions_)
    for (Packet* packet = chain; packet != nullptr; packet = packet->next)
      items.push_back({.kind = SaveItem::Kind::sent, .packet = packet});
  std::sort(items.begin(), items.end(),
            [](const SaveItem& a, const SaveItem& b) { return a.packet->transaction_id < b.packet->transaction_id; });
  items.insert(items.begin(), SaveItem{});
  if (deferred_ != nullptr) items.push_back({.kind = SaveItem::Kind::parsed, .received = deferred_});
  for (kernel::Fifo<Outgoing>* queue : {&waiting_, &held_})
    for (std::size_t i = 0; i < queue->size(); ++i) {
      const Outgoing& item = (*queue)[i];
      if (item.packet != nullptr)
        items.push_back({.kind = SaveItem::Kind::queued, .packet = item.packet});
      else
        items.push_back({.kind = SaveItem::Kind::completion, .received = item.completion});
    }
  return STATUS_SUCCESS;
}

/// Tells a save function that has no save to go on with; what begins one is not looked at by every driver.
void Endpoint::no_save(const char* call) const {
  if (unheeded_.save_begin)
    misused("K16", call, "though VmbChannelSaveBegin failed");
  else
    misused("K107", call, "without VmbChannelSaveBegin");
}

NTSTATUS Endpoint::save_packet(Packet& packet, std::byte* room, std::uint32_t size, std::uint32_t& needed) {
  const Callback running(*this, "EvtVmbChannelSavePacket");
  return save_packet_(handle(), packet.handle(), room, size, &needed);
}

/// How much the driver wants to save with a packet. It must not write: it was given no room.
NTSTATUS Endpoint::ask_driver(const SaveItem& item, std::uint32_t& bytes) {
  bytes = 0;
  if (item.packet == nullptr) return STATUS_SUCCESS;
  if (save_packet_ == nullptr) return STATUS_NOT_SUPPORTED;
  std::array<std::byte, 16> untouched;
  untouched.fill(std::byte{0xA5});
  std::array<std::byte, 16> room = untouched;
  const NTSTATUS status = save_packet(*item.packet, room.data(), 0, bytes);
  if (room != untouched)
    report("K108", "EvtVmbChannelSavePacket", "EvtVmbChannelSavePacket wrote into a buffer of 0 bytes");
  if (NT_SUCCESS(status)) {
    bytes = 0;
    return STATUS_SUCCESS;
  }
  if (bytes != 0) return STATUS_SUCCESS;
  report("K108", "EvtVmbChannelSavePacket", "EvtVmbChannelSavePacket failed for 0 bytes and did not set BytesNeeded");
  return status;
}

NTSTATUS Endpoint::save_continue(std::byte* buffer, std::uint32_t size, std::uint32_t& filled,
                                 std::uint32_t& required) {
  filled = required = 0;
  constexpr const char* call = "VmbChannelSaveContinue";
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  if (saving_ == nullptr) {
    no_save(call);
    return STATUS_INVALID_DEVICE_STATE;
  }
  partition().touch(buffer, size, call);
  for (; saving_->next < saving_->items.size(); ++saving_->next) {
    const SaveItem& item = saving_->items[saving_->next];
    if (!saving_->driver_bytes) {
      std::uint32_t wanted = 0;
      const NTSTATUS status = ask_driver(item, wanted);
      if (!NT_SUCCESS(status)) return status;
      saving_->driver_bytes = wanted;
    }
    const std::vector<std::byte> library = library_part(item, last_transaction_id_);
    ChunkHeader header{.mark = chunk_mark,
                       .kind = static_cast<std::uint32_t>(item.kind),
                       .more = saving_->next + 1 < saving_->items.size() ? 1u : 0u,
                       .library_bytes = static_cast<std::uint32_t>(library.size()),
                       .driver_bytes = *saving_->driver_bytes};
    const std::uint64_t chunk = sizeof header + library.size() + header.driver_bytes;
    if (chunk > size - filled) {
      required = static_cast<std::uint32_t>(chunk);
      return filled != 0 ? STATUS_BUFFER_OVERFLOW : STATUS_BUFFER_TOO_SMALL;
    }
    std::byte* place = buffer + filled;
    if (header.driver_bytes != 0) {
      UINT32 needed = 0;
      const NTSTATUS status =
          save_packet(*item.packet, place + sizeof header + library.size(), header.driver_bytes, needed);
      if (!NT_SUCCESS(status)) return status;
    }
    std::memcpy(place, &header, sizeof header);
    std::memcpy(place + sizeof header, library.data(), library.size());
    filled += static_cast<std::uint32_t>(chunk);
    saving_->driver_bytes.reset();
  }
  return STATUS_SUCCESS;
}

void Endpoint::save_end() {
  constexpr const char* call = "VmbChannelSaveEnd";
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::irql_not_less_or_equal)) return;
  if (saving_ == nullptr) return no_save(call);
  saving_.reset();
}

// ---- Restoring ----

NTSTATUS Endpoint::restore(const std::byte* buffer, std::uint32_t size) {
  constexpr const char* call = "VmbChannelRestoreFromBuffer";
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  if (!server_call(call)) return STATUS_INVALID_PARAMETER_1;
  if (active_ || (connection_ != Connection::enabled && connection_ != Connection::open))
    return STATUS_INVALID_DEVICE_STATE;
  partition().touch(buffer, size, call);
  unheeded_.restore = true;  // until all of it is back
  bool more = true;
  while (size != 0) {
    ChunkHeader header;
    if (size < sizeof header) return not_whole();
    std::memcpy(&header, buffer, sizeof header);
    const std::uint64_t chunk = sizeof header + std::uint64_t{header.library_bytes} + header.driver_bytes;
    if (header.mark != chunk_mark || chunk > size) return not_whole();
    const NTSTATUS status =
        restore_chunk(static_cast<SaveItem::Kind>(header.kind), {buffer + sizeof header, header.library_bytes},
                      {buffer + sizeof header + header.library_bytes, header.driver_bytes});
    if (!NT_SUCCESS(status)) return status;
    more = header.more != 0;
    buffer += chunk;
    size -= static_cast<std::uint32_t>(chunk);
  }
  unheeded_.restore = more;
  return more ? STATUS_MORE_PROCESSING_REQUIRED : STATUS_SUCCESS;
}

NTSTATUS Endpoint::not_whole() {
  misused("K109", "VmbChannelRestoreFromBuffer", "with other than whole chunks that VmbChannelSaveContinue wrote");
  return STATUS_INVALID_PARAMETER_2;
}

NTSTATUS Endpoint::restore_chunk(SaveItem::Kind kind, std::span<const std::byte> library,
                                 std::span<const std::byte> driver) {
  if (kind == SaveItem::Kind::channel) {
    if (library.size() != sizeof last_transaction_id_) return not_whole();
    std::memcpy(&last_transaction_id_, library.data(), sizeof last_transaction_id_);
    return STATUS_SUCCESS;
  }
  if (library.size() < sizeof(SavedPacket)) return not_whole();
  SavedPacket saved;
  std::memcpy(&saved, library.data(), sizeof saved);
  const std::span<const std::byte> data = library.subspan(sizeof saved);
  if (data.size() != std::uint64_t{saved.extension} + saved.length) return not_whole();
  switch (kind) {
    case SaveItem::Kind::sent:
    case SaveItem::Kind::queued: break;
    case SaveItem::Kind::completion: {
      Received& received = fresh_received({.type = vmbus::PacketType::in_band,
                                           .transaction_id = saved.transaction_id,
                                           .extension = {},
                                           .payload = data});
      received.answer_length = saved.length;
      held_.push({.completion = &received});
      return STATUS_SUCCESS;
    }
    case SaveItem::Kind::parsed: {
      if (deferred_ != nullptr) return not_whole();
      deferred_ = &fresh_received({.type = static_cast<vmbus::PacketType>(saved.type),
                                   .completion_requested = saved.flags != 0,
                                   .transaction_id = saved.transaction_id,
                                   .extension = data.first(saved.extension),
                                   .payload = data.subspan(saved.extension)});
      return STATUS_SUCCESS;
    }
    default: return not_whole();
  }
  if (restore_packet_ == nullptr) return STATUS_NOT_SUPPORTED;
  // The callback may write to what it is given, so it gets its own copy.
  std::vector<std::byte> mine(library.begin(), library.end());
  std::vector<std::byte> theirs(driver.begin(), driver.end());
  restored_ = nullptr;
  restoring_ = true;
  constexpr const char* callback = "EvtVmbChannelRestorePacket";
  const NTSTATUS status = [&] {
    const Callback running(*this, callback);
    return restore_packet_(handle(), mine.data(), static_cast<UINT32>(mine.size()), theirs.data(),
                           static_cast<UINT32>(theirs.size()));
  }();
  restoring_ = false;
  if (!NT_SUCCESS(status)) return status;
  if (restored_ == nullptr) {
    report("K110", callback, "EvtVmbChannelRestorePacket succeeded without VmbPacketRestore");
    return STATUS_INVALID_DEVICE_STATE;
  }
  // The channel the answer would have come over is no more.
  if ((server_flags_ & VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL) != 0 && saved.in_ring != 0) {
    recall(restored_->transaction_id);
    finish(*restored_, STATUS_DEVICE_REMOVED, nullptr, 0);
  }
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::restore_packet(Packet& packet, const std::byte* buffer, std::uint32_t size) {
  if (!restoring_ || restored_ != nullptr || !packet.allocated || packet.state != Packet::State::idle) {
    misused("K110", "VmbPacketRestore", "for a packet that is not new, or outside EvtVmbChannelRestorePacket");
    return STATUS_INVALID_DEVICE_STATE;
  }
  SavedPacket saved;
  if (size < sizeof saved) return STATUS_INVALID_PARAMETER_3;
  std::memcpy(&saved, buffer, sizeof saved);
  if (saved.length != size - sizeof saved) return STATUS_INVALID_PARAMETER_3;
  if (saved.length > maximum_packet_size_) return STATUS_INVALID_PARAMETER_2;  // saved by a channel with larger packets
  packet.flags = saved.flags;
  packet.transaction_id = saved.transaction_id;
  packet.length = saved.length;
  packet.journey.begin(partition().world().now());
  keep_inline(packet, buffer + sizeof saved);
  if (saved.in_ring != 0) {
    packet.state = Packet::State::sent;
    ++under_way_;
    remember(packet);
  } else {
    packet.state = Packet::State::queued;
    ++under_way_;
    held_.push({.packet = &packet});
  }
  restored_ = &packet;
  return STATUS_SUCCESS;
}

}  // namespace vmbsim::kmcl
