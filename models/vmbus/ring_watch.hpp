#pragma once
/// What a hunt sees of one ring: every access to its control words, and what goes in and comes out.
#include <array>
#include <cstdint>
#include <string>

#include "models/os/partition.hpp"
#include "models/vmbus/control_words.hpp"
#include "sim/kernel/fifo.hpp"

namespace vmbsim::vmbus {

class RingWatch {
 public:
  struct Config {
    hw::Exploration& exploration;
    os::FindingLog& findings;
    std::string name;  ///< "disk to host"
    std::byte* page;   ///< control page
    std::uint32_t size;
  };
  explicit RingWatch(Config config);
  RingWatch(const RingWatch&) = delete;
  RingWatch& operator=(const RingWatch&) = delete;

  std::uint32_t load(ControlWord word, bool acquire);
  void store(ControlWord word, std::uint32_t value, bool release);
  void barrier() const { config_.exploration.barrier(); }
  bool planted(faults::Planted bug) const { return config_.exploration.planted(bug); }

  /// A packet is in the data area, where it takes `on_ring` bytes; its payload lies in two pieces.
  void staged(std::uint64_t transaction_id, std::uint32_t on_ring, std::span<const std::byte> header,
              std::span<const std::byte> payload);
  /// The next packet was taken out; its payload may be padded.
  void taken(std::uint64_t transaction_id, std::span<const std::byte> payload);
  /// The reader decided about a signal for freed room, of `used` bytes that are left.
  void committed(bool signals, std::uint32_t in, std::uint32_t used, bool masked);
  /// The writer decided about a signal for a new packet.
  void published(bool signals, std::uint32_t used);

 private:
  static std::size_t place_of(ControlWord word) {
    return word == ControlWord::feature_bits ? 4 : static_cast<std::size_t>(word) / 4;
  }
  void cover(std::uint32_t used, bool masked, bool signals, bool reader) const;

  struct Inside {
    std::uint64_t transaction_id;
    std::uint64_t digest;
    std::uint32_t bytes;
    std::uint32_t on_ring;
    hw::HappensBefore::Stamp written;
  };
  /// A stretch of the data area that was read, by how many bytes had been put in before it since the beginning.
  struct Outside {
    std::uint64_t begin;
    hw::HappensBefore::Stamp read;
  };
  void race(const char* what);
  Config config_;
  std::array<std::uint32_t, 5> words_;
  kernel::Fifo<Inside> inside_;
  kernel::Fifo<Outside> outside_;  // read, and not written again since
  std::uint64_t put_in_ = 0;       // bytes since the beginning
  std::uint64_t taken_out_ = 0;
  std::uint64_t wish_seen_ = 0;       // by the reader: which of the stores of PendingSendSize
  std::uint64_t wish_answered_ = 0;   // by a signal
  std::uint32_t answered_at_in_ = 0;  // a batch that enters after the wish may use the room up again
};

}  // namespace vmbsim::vmbus
