#pragma once
/// The runs of a campaign in one SQLite file: one file per shard, each written by one process.
///
/// Safe      journal_mode = TRUNCATE and synchronous = FULL: what was committed is there after a crash of the program, of the
///           machine, and on a network's file system. Each row has a digest of its own, for SQLite has none: a row of which
///           a bit was lost counts as not there.
/// One       A file holds rows of one campaign: one scenario, one version, one list of parameters.
/// Readable  by everybody's SQLite: the view `metrics` has one row per run and metric.
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/batch/record.hpp"
#include "vmbsim/problem.hpp"

namespace vmbsim::batch {

class Database;
class Statement;

/// What the rows of one store have in common.
struct Campaign {
  std::string scenario;  ///< its name
  std::string version;   ///< of the model
  std::string text;      ///< the resolved scenario that the parameters are set on top of
  Fingerprint identity;  ///< of that text and of the contents of the files that it names, wherever they are
  std::vector<std::string> parameters;
  /// Whether rows of both may stand side by side; else what is the difference, as the end of "the folder holds".
  std::optional<std::string> differs_from(const Campaign& other) const;
};

/// Of the layout of the file. A store of another one is refused.
inline constexpr int store_format = 3;

class Store {
 public:
  /// Opens what is there to read it.
  static std::variant<std::unique_ptr<Store>, Problem> open(const std::filesystem::path& file);
  /// Opens it to write, or makes it for `campaign`. A file that is damaged is replaced by what can still be read of it, and
  /// kept aside as FILE.damaged: `rescued` says so.
  static std::variant<std::unique_ptr<Store>, Problem> open(const std::filesystem::path& file, const Campaign& campaign,
                                                            std::optional<std::string>& rescued);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const Campaign& campaign() const { return campaign_; }
  /// Runs of the whole sweep, over all shards and filters, as it was when this was written to last; 0 where none was told.
  std::uint64_t planned() const;

  // The functions below tell a failure as a Problem; the store is then as it was after the last commit.

  /// Replaces a row of the same key. It is on the disk after the next commit.
  std::optional<Problem> add(const Record& record);
  std::optional<Problem> commit();
  std::optional<Problem> plan(std::uint64_t runs);

  struct Row {
    std::int64_t id;
    Record record;
  };
  enum class Depth : std::uint8_t {
    heads,  ///< without figures
    whole,
  };
  /// In no order that means anything.
  std::optional<Problem> each(Depth depth, const std::function<void(Row)>& take) const;
  std::variant<Record, Problem> at(std::int64_t id) const;
  /// Nothing where there is none of this key.
  std::variant<std::optional<Record>, Problem> find(const Key& key) const;

 private:
  explicit Store(std::filesystem::path file);
  void create(const Campaign& campaign);
  void read_campaign();
  std::int64_t set_of(const std::vector<report::Metric>& metrics);
  Record record_in(const Statement& row, Depth depth) const;
  void write(const Record& record);
  static std::optional<std::string> rescue(const std::filesystem::path& file, const Campaign& campaign);
  Problem problem(const std::string& text) const;

  struct MetricSet {
    std::vector<std::string> names;
    std::vector<report::Unit> units;
  };

  std::filesystem::path file_;
  std::unique_ptr<Database> database_;
  Campaign campaign_;
  std::map<std::int64_t, MetricSet> sets_;
  std::map<std::string, std::int64_t> set_ids_;  // by their names, in order
  bool writing_ = false;                         // a transaction is open
  bool journal_ = false;                         // it lies beside the file
};

}  // namespace vmbsim::batch
