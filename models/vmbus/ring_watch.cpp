#include "models/vmbus/ring_watch.hpp"

#include <utility>

namespace vmbsim::vmbus {

namespace {

std::uint64_t mixed(std::uint64_t digest, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) digest = (digest ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3u;  // FNV-1a
  return digest;
}

constexpr std::uint64_t nothing = 0xcbf29ce484222325u;

}  // namespace

RingWatch::RingWatch(Config config) : config_(std::move(config)) {
  constexpr std::array<std::pair<ControlWord, const char*>, 5> named{{{ControlWord::in, "In"},
                                                                      {ControlWord::out, "Out"},
                                                                      {ControlWord::interrupt_mask, "InterruptMask"},
                                                                      {ControlWord::pending_send, "PendingSendSize"},
                                                                      {ControlWord::feature_bits, "FeatureBits"}}};
  for (const auto& [word, name] : named)
    words_[place_of(word)] = config_.exploration.new_word(
        config_.name + " " + name, reinterpret_cast<std::uint32_t*>(config_.page + static_cast<std::uint32_t>(word)));
}

std::uint32_t RingWatch::load(ControlWord word, bool acquire) {
  const std::uint32_t number = words_[place_of(word)];
  const std::uint32_t value = config_.exploration.load_word(number, acquire);
  if (word == ControlWord::pending_send) wish_seen_ = config_.exploration.visible_stores(number);
  return value;
}

void RingWatch::store(ControlWord word, std::uint32_t value, bool release) {
  config_.exploration.store_word(words_[place_of(word)], value, release);
}

void RingWatch::race(const char* what) { config_.findings.add("RACE", BugCheck::none, config_.name, what); }

void RingWatch::staged(std::uint64_t transaction_id, std::uint32_t on_ring, std::span<const std::byte> header,
                       std::span<const std::byte> payload) {
  put_in_ += on_ring;
  bool ordered = true;  // after the reading of all that is written over
  while (!outside_.empty() && outside_.front().begin + config_.size < put_in_)
    ordered = config_.exploration.knows(outside_.pop().read) && ordered;
  if (!ordered) race("nothing orders the reading of a packet before a new one is written over it");
  inside_.push({transaction_id, mixed(mixed(nothing, header), payload),
                static_cast<std::uint32_t>(header.size() + payload.size()), on_ring, config_.exploration.stamp()});
}

void RingWatch::taken(std::uint64_t transaction_id, std::span<const std::byte> payload) {
  if (inside_.empty()) return;  // nobody of ours put it in
  const Inside was = inside_.pop();
  outside_.push({taken_out_, config_.exploration.stamp()});
  taken_out_ += was.on_ring;
  if (!config_.exploration.knows(was.written)) race("a packet is read, and nothing orders its writing before that");
  if (was.transaction_id == transaction_id && was.bytes <= payload.size() &&
      was.digest == mixed(nothing, payload.first(was.bytes)))
    return;
  config_.findings.add("BYTES", BugCheck::none, config_.name,
                       "transaction " + std::to_string(transaction_id) + " comes out of the ring where transaction " +
                           std::to_string(was.transaction_id) + " went in, or with other bytes");
}

void RingWatch::committed(bool signals, std::uint32_t in, std::uint32_t used, bool masked) {
  cover(used, masked, signals, true);
  if (!signals) return;
  if (wish_answered_ == wish_seen_ && answered_at_in_ == in)
    config_.findings.add("SIGNAL", BugCheck::none, config_.name,
                         "a second signal for one wish for room: the other end counts it as unexpected");
  wish_answered_ = wish_seen_;
  answered_at_in_ = in;
}

void RingWatch::published(bool signals, std::uint32_t used) { cover(used, false, signals, false); }

/// What a ring is like where a signal is decided about: how full, masked, wished for, signalled, by whom.
void RingWatch::cover(std::uint32_t used, bool masked, bool signals, bool reader) const {
  const std::uint32_t most = config_.size - 8;
  const std::uint32_t fill = used == 0          ? 0
                             : used < 64        ? 1
                             : used < most / 2  ? 2
                             : used < most - 64 ? 3
                             : used < most      ? 4
                                                : 5;
  config_.exploration.cover(0x1000 + (fill << 4 | std::uint32_t{masked} << 3 |
                                      std::uint32_t{wish_seen_ != wish_answered_} << 2 | std::uint32_t{signals} << 1 |
                                      std::uint32_t{reader}));
}

}  // namespace vmbsim::vmbus
