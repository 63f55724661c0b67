#pragma once
/// Pipe mode: each packet is a datagram behind a header of 8 bytes, what it is and its size in bytes.
/// Source   EMCL, VmbusPacketFormat.h (the header); OpenVMM, vmbus_async (the limit).
#include <cstdint>

namespace vmbsim::kmcl {

inline constexpr std::uint32_t pipe_header_size = 8;
inline constexpr std::uint32_t pipe_data = 1;
inline constexpr std::uint32_t largest_datagram = 16384;

}  // namespace vmbsim::kmcl
