#pragma once
/// CONTRACT ONLY: one direction of a channel as a byte ring in guest memory; writer and reader are its two ends.
#include <cstdint>
#include <optional>
#include <span>

#include "vmbsim/bytes.hpp"

namespace vmbsim::vmbus {

/// Descriptor types. Source: vmbus.md section 1, packet framing.
enum class PacketType : std::uint16_t { in_band = 6, transfer_pages = 7, gpa_direct = 9, cancel = 0xA, completion = 0xB };

/// One GPA range of a GPA-direct packet: `byte_count` bytes from `byte_offset` of the first page on.
struct GpaRange {
  std::uint32_t byte_count = 0;
  std::uint32_t byte_offset = 0;
  std::span<const std::uint64_t> pfns;
};

/// A packet to be written. Spans stay the caller's.
struct OutgoingPacket {
  PacketType type = PacketType::in_band;
  bool completion_requested = false;
  std::uint64_t transaction_id = 0;
  std::span<const GpaRange> ranges;         ///< gpa_direct only
  std::span<const std::byte> header;        ///< KMCL's or a pipe's own bytes before the payload; often empty
  std::span<const std::byte> payload;
};

/// A packet that was read and validated. The spans point into a private copy that lives until the next read.
struct IncomingPacket {
  PacketType type{};
  bool completion_requested = false;
  std::uint64_t transaction_id = 0;
  std::span<const std::byte> extension;     ///< bytes between the 16-byte descriptor and the payload (ranges, as on the ring)
  std::span<const std::byte> payload;       ///< padded to a multiple of 8, as the wire carries it
};

}  // namespace vmbsim::vmbus
