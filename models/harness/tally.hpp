#pragma once
/// What a run is known by: the digest of all its steps, its class of equivalent runs, and what it covered.
#include <xxhash.h>

#include <array>
#include <cstdint>
#include <vector>

#include "vmbsim/ids.hpp"

namespace vmbsim::harness {

class Tally {
 public:
  Tally() : state_(XXH3_createState()), covered_(65'536 / 64) {}
  ~Tally() { XXH3_freeState(state_); }
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  void clear(std::vector<std::uint32_t>& features) {
    for (const std::uint32_t feature : features) covered_[feature / 64] = 0;
    features.clear();
    used_ = 0;
    paged_ = false;
    trace_class_ = 0;
  }

  /// One step, for the digest.
  void add(std::uint32_t actor, std::uint32_t object, std::uint32_t what, std::uint64_t value) {
    page_[used_] = {(std::uint64_t{actor} << 32) | object, (std::uint64_t{what} << 32) ^ value};
    if (++used_ == page_.size()) turn_page();
  }
  /// One step, for the class: who it was by how many steps, on what, and how many changes of that it followed.
  void add_to_class(std::uint64_t who, std::uint64_t object, std::uint64_t after) {
    trace_class_ += mix(mix(who + 0x9e3779b97f4a7c15u) ^ mix(object * 0xd1342543de82ef95u + after));
  }
  /// Something that happened, for whoever wants to see it all.
  void cover(std::uint64_t what, std::vector<std::uint32_t>& features) {
    const auto feature = static_cast<std::uint32_t>(mix(what) >> 48);
    std::uint64_t& word = covered_[feature / 64];
    const std::uint64_t bit = std::uint64_t{1} << (feature % 64);
    if ((word & bit) != 0) return;
    word |= bit;
    features.push_back(feature);
  }

  std::uint64_t trace_class() const { return trace_class_ == 0 ? 1 : trace_class_; }
  Fingerprint fingerprint() {
    XXH128_hash_t digest;
    if (!paged_) {
      digest = XXH3_128bits(page_.data(), used_ * sizeof(Record));
    } else {
      XXH3_128bits_update(state_, page_.data(), used_ * sizeof(Record));
      digest = XXH3_128bits_digest(state_);
    }
    return {digest.high64, digest.low64};
  }

  /// The finalizer of SplitMix64.
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }

 private:
  struct Record {
    std::uint64_t where;
    std::uint64_t what;
  };
  void turn_page() {
    if (!paged_) XXH3_128bits_reset(state_);
    paged_ = true;
    XXH3_128bits_update(state_, page_.data(), used_ * sizeof(Record));
    used_ = 0;
  }

  XXH3_state_t* state_;
  std::array<Record, 512> page_;
  std::size_t used_ = 0;
  bool paged_ = false;
  std::uint64_t trace_class_ = 0;
  std::vector<std::uint64_t> covered_;  // a bit per feature
};

}  // namespace vmbsim::harness
