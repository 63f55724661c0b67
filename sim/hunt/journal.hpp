#pragma once
/// hunt.journal in a campaign's folder: what is done, one line per slice, so that a hunt that was killed goes on where it was.
///
/// A line is written at once and ends with a checksum. The last line may be cut short by whatever killed the hunt: it is then
/// taken away. Lines may stand in any order, so the journals of parts of a campaign are merged by taking all lines.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sim/hunt/slice.hpp"
#include "vmbsim/problem.hpp"

namespace vmbsim::hunt {

/// What makes a journal line this slice's.
struct SliceKey {
  std::uint64_t number, first, place, runs;
  std::string strategy;
  explicit SliceKey(const Slice& slice)
      : number(slice.number),
        first(slice.first),
        place(slice.places.front()),
        runs(slice.places.size()),
        strategy(slice.strategy) {}
  SliceKey(std::uint64_t n, std::uint64_t f, std::uint64_t p, std::uint64_t r, std::string s)
      : number(n), first(f), place(p), runs(r), strategy(std::move(s)) {}
  friend auto operator<=>(const SliceKey&, const SliceKey&) = default;
};

/// What two hunts share when they are parts of one campaign: names and values.
using Identity = std::vector<std::pair<std::string, std::string>>;

class Journal {
 public:
  explicit Journal(Identity identity) : identity_(std::move(identity)) {}
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Keeps it in `folder`, which is made. A journal that is there is read; one of another campaign is a problem.
  std::optional<Problem> open(const std::filesystem::path& folder);
  /// Takes what another folder's journal has, too.
  std::optional<Problem> take(const std::filesystem::path& folder);

  /// Null when it is not done yet.
  const SliceResult* find(const Slice& slice) const;
  /// Remembers a slice that is done. False when it cannot be written; errno tells why.
  bool add(const Slice& slice, const SliceResult& result);
  std::size_t done() const { return results_.size(); }

  /// Puts a folder that holds a hunt's journal aside, as FOLDER.1 or the next number that is free, and answers that name; empty
  /// when there is none to put aside. One that a hunt still writes to is a problem.
  static std::variant<std::filesystem::path, Problem> put_aside(const std::filesystem::path& folder);

 private:
  std::optional<Problem> read(const std::filesystem::path& path, std::size_t& good_bytes);
  bool write(const std::string& line);
  bool write(const SliceKey& key, const SliceResult& result);

  Identity identity_;
  std::map<SliceKey, SliceResult> results_;
  int file_ = -1;
};

}  // namespace vmbsim::hunt
