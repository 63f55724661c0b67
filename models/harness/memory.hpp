#pragma once
/// Memory of one run: taken at once, dropped at the run's end, never used twice in between, so that a block that was freed is
/// known for good. The same run gets the same addresses.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vmbsim::harness {

class Memory {
 public:
  enum class Purpose : std::uint8_t {
    run,    ///< nobody frees it
    pool,   ///< the harness's allocate() and release()
    plain,  ///< its new and delete
  };
  struct Block {
    std::byte* begin;
    std::size_t bytes;
    const char* name;
    Purpose purpose;
    std::uint32_t number;  ///< of the object that choices know it by; 0: none
    std::uint32_t owner;   ///< context that took it
    bool freed;
    bool buried;           ///< nothing changes it any more
    std::uint64_t digest;  ///< of what it held then
  };
  static constexpr std::size_t most_bytes = std::size_t{1} << 30;

  Memory();
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Zeroed, aligned for any type. Null when the run has used up what there is.
  void* allocate(std::size_t bytes, const char* name, Purpose purpose, std::uint32_t owner);
  /// A copy of a name, in memory of the run.
  const char* keep(const char* text);
  /// The block that begins at, or holds, an address; null where there is none.
  Block* block_at(const void* address);
  /// From here on a freed block keeps what it holds, or somebody writes where nobody may.
  void bury(Block& block);
  bool holds(const void* address) const {
    const auto* byte = static_cast<const std::byte*>(address);
    return byte >= base_ && byte < base_ + used_;
  }
  /// In order of allocation.
  std::span<const Block> blocks() const { return blocks_; }
  /// A freed block into which somebody wrote; null when there is none.
  const Block* written_after_free() const;
  std::span<const std::byte> used() const { return {base_, used_}; }
  /// Drops everything.
  void clear();

 private:
  std::byte* base_;
  std::size_t used_ = 0;
  std::vector<Block> blocks_;  // by address
};

}  // namespace vmbsim::harness
