#pragma once
/// The five 32-bit words of a ring's control page, by their place.
#include <cstdint>

namespace vmbsim::vmbus {

/// Byte offsets of the words in the control page; the enumerator's comment says who writes it.
/// Source: EMCL, VMRCB; OpenVMM, vmbus_ring: control page offsets; Linux, struct hv_ring_buffer.
enum class ControlWord : std::uint32_t {
  in = 0x00,              ///< writer: offset in the data area where the next packet will be written
  out = 0x04,             ///< reader: offset of the next packet to be read
  interrupt_mask = 0x08,  ///< reader: not 0: do not signal me for new packets
  pending_send = 0x0C,    ///< writer: not 0: signal me when that many bytes are free
  feature_bits = 0x40,    ///< writer: bit 0: I publish pending_send, and heed it on the opposite ring
};

inline constexpr std::uint32_t feature_pending_send = 1;

}  // namespace vmbsim::vmbus
