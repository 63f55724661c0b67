#pragma once
/// Guest memory that one end described to the other: guest physical address descriptor lists, by handle.
///
///   GpadlTable table({});
///   const auto answer = table.create(GpadlHandle{1}, {.length = 64_KiB, .pfns = pfns});
///   if (const auto* handle = std::get_if<GpadlHandle>(&answer)) open_channel(*handle);
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "models/hw/guest_memory.hpp"
#include "vmbsim/bytes.hpp"

namespace vmbsim::vmbus {

/// What a GPADL is called in the channel protocol. 0 names none.
struct GpadlHandle {
  std::uint32_t value{};
  friend constexpr auto operator<=>(const GpadlHandle&, const GpadlHandle&) = default;
};

/// A piece of guest memory: `length` bytes from `byte_offset` of the first page on, page by page. Like a descriptor list it
/// may be a chain of such ranges.
struct Gpadl {
  Bytes byte_offset;             ///< below 4096
  Bytes length;                  ///< at least 1
  std::vector<hw::Pfn> pfns;     ///< one for each page that is touched, at most 0xFFFFF
  std::vector<Gpadl> chained{};  ///< the ranges behind this one; they chain nothing themselves
  bool read_only = false;        ///< its owner says that nobody will write to it
};

/// The GPADLs of one partition.
///
/// Rules    The partition numbers its GPADLs itself; a handle may be used again once it was torn down. What is shared in all has
///          a limit; beyond it the host refuses, and a refusal is an ordinary answer.
/// Source   Linux, Documentation/virt/hyperv/vmbus.rst: about 1280 MiB per guest since Windows Server 2019, 384 MiB before.
///          EMCL: 20-bit PFN count of a GPA range.
class GpadlTable {
 public:
  struct Config {
    Bytes limit{std::int64_t{1280} << 20};  ///< shared at one time
  };

  /// The limit would be exceeded.
  struct OverLimit {
    Bytes missing;
    friend bool operator==(const OverLimit&, const OverLimit&) = default;
  };
  /// The handle is 0 or in use, or the description contradicts itself: page count and length, an offset of a page or more, no
  /// bytes, too many pages.
  struct Malformed {
    friend bool operator==(const Malformed&, const Malformed&) = default;
  };
  using CreateAnswer = std::variant<GpadlHandle, OverLimit, Malformed>;

  explicit GpadlTable(Config config) : config_(config) {}

  [[nodiscard]] CreateAnswer create(GpadlHandle handle, Gpadl description);
  /// Null for a handle that names nothing (any more). Valid until it is torn down.
  [[nodiscard]] const Gpadl* find(GpadlHandle handle) const;
  /// False for a handle that names nothing (any more).
  [[nodiscard]] bool tear_down(GpadlHandle handle);

  Bytes shared() const { return shared_; }  ///< whole pages, over all GPADLs
  std::size_t count() const { return gpadls_.size(); }

 private:
  Config config_;
  Bytes shared_{};
  std::map<GpadlHandle, Gpadl> gpadls_;
};

/// The described bytes, from `offset` on, as one piece of `memory`. Nothing where they lie outside it, or where the frames do
/// not follow one another as GuestMemory hands them out.
[[nodiscard]] std::optional<std::span<std::byte>> map(hw::GuestMemory& memory, const Gpadl& gpadl, Bytes offset,
                                                      Bytes length);

}  // namespace vmbsim::vmbus
