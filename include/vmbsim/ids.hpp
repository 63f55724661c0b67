#pragma once
/// Small strong types that name things: indices that cannot be mistaken for one another, seeds, fingerprints.
#include <compare>
#include <cstdint>
#include <string>

namespace vmbsim {

/// An index that cannot be mistaken for another index.
template <class Tag>
struct Id {
  std::uint32_t value{};
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

/// A component of the simulated world as the fingerprint and the timeline know it. Handed out in order of construction.
using ActorId = Id<struct ActorTag>;
/// A virtual processor of one partition, counted from 0.
using CpuId = Id<struct CpuTag>;

/// What the whole run's chance is drawn from.
struct Seed {
  std::uint64_t value{};
  friend constexpr auto operator<=>(const Seed&, const Seed&) = default;
};

/// 128-bit digest over all events of a run. Equal fingerprints: the same run.
struct Fingerprint {
  std::uint64_t high{};
  std::uint64_t low{};
  friend constexpr auto operator<=>(const Fingerprint&, const Fingerprint&) = default;
  /// 32 lower-case hexadecimal digits.
  std::string text() const {
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (std::uint64_t half : {high, low})
      for (int shift = 60; shift >= 0; shift -= 4) out += digits[(half >> shift) & 15];
    return out;
  }
};

}  // namespace vmbsim
