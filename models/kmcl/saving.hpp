#pragma once
/// What a server endpoint remembers between VmbChannelSaveBegin and VmbChannelSaveEnd.
#include <cstdint>
#include <optional>
#include <vector>

#include "models/kmcl/packet.hpp"

namespace vmbsim::kmcl {

/// One chunk to be saved, in the order in which they are brought back: the channel itself, transactions that await an answer,
/// then what waits for room in the ring.
struct SaveItem {
  enum class Kind : std::uint32_t { channel = 1, sent, queued, completion, parsed };
  Kind kind = Kind::channel;
  Packet* packet = nullptr;            ///< sent, queued
  const Received* received = nullptr;  ///< completion: its answer; parsed: taken out of the ring and not delivered yet
};

struct SaveContext {
  std::vector<SaveItem> items;
  std::size_t next = 0;
  std::optional<std::uint32_t> driver_bytes;  ///< of the next item, once its driver was asked
};

}  // namespace vmbsim::kmcl
