#pragma once
/// Memory of one run, or of a library's initialisers: taken at once, dropped at the run's end, never used twice in between, so that a block that was freed is
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
    plain,  ///< its new and delete, malloc and free
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

  /// Where most processes have nothing, so that a harness that orders addresses finds the same order again.
  static constexpr std::uintptr_t usual_place = 0x5000'0000'0000;
  explicit Memory(std::uintptr_t place = usual_place);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Zeroed, aligned for any type, or to that power of two. Null when there is not so much left.
  void* allocate(std::size_t bytes, const char* name, Purpose purpose, std::uint32_t owner, std::size_t alignment = 1);
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
