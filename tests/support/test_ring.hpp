#pragma once
/// A ring with both its ends, and the hand of a peer that writes what it likes into its memory.
#include <cstring>
#include <vector>

#include "models/vmbus/ring.hpp"

namespace vmbsim::vmbus {

struct TestRing {
  explicit TestRing(Pages data)
      : words(static_cast<std::size_t>(RingMemory::pages(data).bytes().count) / 8),
        memory(*RingMemory::in(std::as_writable_bytes(std::span(words)))),
        writer(memory),
        reader(memory) {}
  TestRing(const TestRing&) = delete;

  std::byte* at(std::size_t offset) { return reinterpret_cast<std::byte*>(words.data()) + offset; }
  std::uint32_t word(ControlWord which) { return get<std::uint32_t>(static_cast<std::size_t>(which)); }
  void set_word(ControlWord which, std::uint32_t value) { put(static_cast<std::size_t>(which), value); }
  /// Reads and writes the data area.
  template <class T>
  T data(std::size_t offset) {
    return get<T>(4096 + offset);
  }
  template <class T>
  void set_data(std::size_t offset, T value) {
    put(4096 + offset, value);
  }

  std::vector<std::uint64_t> words;
  RingMemory memory;
  RingWriter writer;
  RingReader reader;

 private:
  template <class T>
  T get(std::size_t offset) {
    T value;
    std::memcpy(&value, at(offset), sizeof value);
    return value;
  }
  template <class T>
  void put(std::size_t offset, T value) {
    std::memcpy(at(offset), &value, sizeof value);
  }
};

/// An in-band packet that takes `on_ring` bytes: a multiple of 8, 24 or more.
inline OutgoingPacket packet_of(std::uint32_t on_ring, std::uint64_t id = 0) {
  static const std::vector<std::byte> bytes(1 << 20);
  OutgoingPacket packet;
  packet.transaction_id = id;
  packet.payload = std::span(bytes).first(on_ring - 24);
  return packet;
}

/// Reads up to `most` packets; how many there were.
inline int read_some(RingReader& reader, int most) {
  int count = 0;
  while (count < most && std::holds_alternative<IncomingPacket>(reader.read())) ++count;
  return count;
}

}  // namespace vmbsim::vmbus
