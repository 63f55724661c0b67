#pragma once
/// A running digest of numbers, for tests that pin the bits of a long sequence in one constant.
#include <cstdint>

namespace vmbsim::testing {

/// 64-bit FNV-1a over the little-endian bytes of each number.
class Digest {
 public:
  void add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) value_ = (value_ ^ ((number >> shift) & 0xff)) * 0x100000001b3;
  }
  void add(std::int64_t number) { add(static_cast<std::uint64_t>(number)); }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace vmbsim::testing
