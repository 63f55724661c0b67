#pragma once
/// Visits the keys of a document: every key becomes its value, its resolved text, or a problem.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "models/scenario/checks.hpp"
#include "models/scenario/fields.hpp"
#include "sim/config/document.hpp"

namespace vmbsim::scenario {

class Reader final : public Visitor, public Reading {
 public:
  struct Config {
    bool files = true;            ///< false: no file is touched, and a key that needs one is a problem
    std::string driver_folder{};  ///< of the program's own driver libraries; empty: it has none
    DriverCheck driver_check{};   ///< may be empty
    bool incomplete = false;      ///< a part of the document could not be read: what is missing is no problem
  };

  Reader(const config::Document& document, Problems& problems, Config config);

  /// Problems for the keys nobody asked for. To be called once, after the visit.
  void finish();
  /// After finish(): the paths of the keys that a misspelt one probably means. What they hold is not missing.
  const std::set<std::string>& misspelt() const { return misspelt_; }
  /// Absolute paths of the files that values name.
  const std::set<std::string>& files() const { return files_; }
  /// The document with every default written out.
  const std::string& resolved() const { return resolved_; }

  void value(const Field& field, const Parse& parse) override;
  void table(const TableField& field, const std::function<void()>& inside) override;
  void list(const TableField& field, bool one_by_default, const std::function<void()>& each) override;
  void entries(const TableField& field, const ParseEntry& parse) override;
  bool has(const char* key) const override;
  Place place() const override;

  void wrong(const config::Node& node, const std::string& what) override;
  Place place(const config::Node& node) const override;
  std::optional<std::string> existing_file(const config::Node& node, const char* what) override;
  std::optional<std::string> text_of(const config::Node& node, const std::string& path, std::int64_t limit) override;
  void add(Problems problems) override;
  std::optional<std::string> driver_library(const config::Node& node) override;
  std::optional<std::vector<Duration>> samples(const config::Node& file, const config::Node& column,
                                               Duration unit) override;
  std::optional<std::map<std::string, std::string>> profile(const config::Node& node) override;
  std::string profile_name(const config::Node& node) override;

 private:
  /// A required key that is not there. It is no problem of its own where another key is its misspelling.
  struct Missing {
    std::string key;
    config::Origin at;
    std::string text;
    std::vector<const char*> decided_by;
  };
  /// A problem that is none of its own where a key that decides about it is misspelt or could not be read.
  struct Judgement {
    config::Origin at;
    std::string text;
    std::vector<std::string> decided_by;  // paths
  };
  /// One table that is being visited.
  struct Frame {
    const config::Node* table;
    std::string path;                     // `channel.ring`; empty for the whole document
    std::string title;                    // `[channel.ring]`, as the file shows it
    const char* absent;                   // its key where it is left out, else nullptr
    std::vector<const char*> decided_by;  // the keys beside it that decide whether it counts
    std::vector<std::string> known;       // the keys that were asked for
    std::vector<Missing> missing;
  };

  const config::Node* ask(const char* key);
  template <class AnyField>
  bool refuse_irrelevant(const config::Node* node, const AnyField& field);
  void open(const config::Node& table, const TableField& field, bool in_list, bool absent);
  void close();
  void read_entries(const config::Node& table, const std::string& prefix, const ParseEntry& parse,
                    std::set<std::string>& seen);
  std::string path_of(const std::string& key) const;
  void problem(config::Origin at, std::string text);
  void misplaced(const config::Entry& table, const std::string& meant);

  const config::Document& document_;
  Problems& problems_;
  Config config_;
  std::vector<Frame> frames_;
  std::string key_;                    // of the value that is being read
  const config::Node* top_ = nullptr;  // and its node
  std::set<std::string> misspelt_;
  std::set<std::string> misplaced_;  // keys of a table that stands beside the one it means
  std::set<std::string> unread_;     // keys whose value is a problem
  std::vector<Judgement> irrelevant_;
  std::vector<Judgement> missing_;
  std::set<std::string> files_;
  std::string resolved_;
};

}  // namespace vmbsim::scenario
