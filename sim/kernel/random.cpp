#include "sim/kernel/random.hpp"

namespace vmbsim::kernel {
namespace {

// The multipliers and the Weyl steps of the key schedule: Salmon et al., section 3.3 and the tables of Random123.
constexpr std::uint64_t multiplier_0 = 0xd2511f53;
constexpr std::uint64_t multiplier_1 = 0xcd9e8d57;
constexpr std::uint32_t key_step_0 = 0x9e3779b9;  // golden ratio
constexpr std::uint32_t key_step_1 = 0xbb67ae85;  // square root of 3, less 1
constexpr int rounds = 10;

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

struct Block {
  std::uint32_t word_0, word_1, word_2, word_3;
};

inline Block encipher(Block block, std::uint32_t key_0, std::uint32_t key_1) {
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t product_0 = multiplier_0 * block.word_0;
    const std::uint64_t product_1 = multiplier_1 * block.word_2;
    block = {high(product_1) ^ block.word_1 ^ key_0, low(product_1), high(product_0) ^ block.word_3 ^ key_1,
             low(product_0)};
    key_0 += key_step_0;
    key_1 += key_step_1;
  }
  return block;
}

constexpr std::uint64_t fnv_1a(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

constexpr std::uint64_t stream_of(std::string_view component, std::string_view purpose) {
  std::uint64_t h = fnv_1a(fnv_1a(fnv_1a(0xcbf29ce484222325, component), "\xff"), purpose);
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
  h = (h ^ (h >> 27)) * 0x94d049bb133111eb;
  return h ^ (h >> 31);
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32_10(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  const Block block = encipher({counter[0], counter[1], counter[2], counter[3]}, key[0], key[1]);
  return {block.word_0, block.word_1, block.word_2, block.word_3};
}

Stream::Stream(Seed seed, std::string_view component, std::string_view purpose)
    : key_{low(seed.value), high(seed.value)}, stream_(stream_of(component, purpose)) {}

void Stream::refill() {
  for (std::size_t i = 0; i < buffer_.size(); i += 2) {
    const Block block = encipher({low(block_), high(block_), low(stream_), high(stream_)}, key_[0], key_[1]);
    buffer_[i] = block.word_0 | std::uint64_t{block.word_1} << 32;
    buffer_[i + 1] = block.word_2 | std::uint64_t{block.word_3} << 32;
    ++block_;
  }
  position_ = 0;
}

}  // namespace vmbsim::kernel
