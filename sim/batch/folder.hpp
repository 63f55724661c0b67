#pragma once
/// What a campaign's folder holds: the stores of its shards as one list of runs.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/batch/store.hpp"

namespace vmbsim::batch {

/// `shard-1-of-1.sqlite` of shard 0 of 1.
std::filesystem::path store_of(const std::filesystem::path& folder, std::uint32_t shard, std::uint32_t shards);

/// The stores in a folder, by name; none where there is no folder.
std::vector<std::filesystem::path> stores_in(const std::filesystem::path& folder);

/// All runs of one or more folders of one campaign, each once: by their parameters, numbers as numbers, then by seed. A value
/// that they spell in several ways has one spelling here, the shortest, whatever the order of folders.
class Runs {
 public:
  /// A run that is done counts more than one that failed. Two different results of one run are a problem.
  static std::variant<Runs, Problem> read(const std::vector<std::filesystem::path>& folders);

  const Campaign& campaign() const { return stores_.front()->campaign(); }
  std::size_t size() const { return index_.size(); }
  /// Without figures.
  const Record& head(std::size_t i) const { return index_[i].record; }
  std::variant<Record, Problem> at(std::size_t i) const;
  /// Runs of the whole sweep, as the store says that knows of most; 0 where none was told.
  std::uint64_t planned() const;

 private:
  struct Entry {
    std::size_t store;
    std::int64_t row;
    Record record;
  };
  void spell_alike();
  std::optional<Problem> keep_one_of_each();
  std::vector<std::unique_ptr<Store>> stores_;
  std::vector<std::string> names_;  // of the stores, for messages
  std::vector<Entry> index_;
};

struct Merged {
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;   ///< of them
  std::uint64_t planned = 0;  ///< runs that the whole sweep has
};

/// Puts all runs of `folders` into one store in `to`, which is none of them; it is made, or added to when it holds the same
/// campaign.
/// What it then holds, or what is wrong.
std::variant<Merged, Problem> merge(const std::vector<std::filesystem::path>& folders, const std::filesystem::path& to);

}  // namespace vmbsim::batch
