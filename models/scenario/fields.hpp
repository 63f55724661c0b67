#pragma once
/// The table of all scenario keys. It is visited by whoever needs to know them: the reader (text to values, and the
/// resolved text), and the writer of the JSON Schema. A key exists if and only if it stands in fields.cpp.
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "sim/config/document.hpp"

namespace vmbsim::scenario {

/// What a value looks like, for editors.
enum class Shape : std::uint8_t {
  version,
  text,
  name,
  integer,
  real,
  boolean,
  choice,
  path,
  driver,
  duration,
  pages,
  size,
  distribution,
  service,
  arrivals,
  request,
  texts,
  values,
  range,
  settings,
  warm_up,
  figure,
  quantity,
};

/// One key with a value.
struct Field {
  const char* key;
  Shape shape;
  const char* doc;                      ///< one line for editors
  std::optional<std::string> preset{};  ///< TOML text that stands for the key where it is left out
  bool required = false;
  std::int64_t min = 0;  ///< integers only
  std::int64_t max = 0;
  std::vector<std::string> choices{};
  bool relevant = true;       ///< false: here the key would have no effect, and writing it is a problem
  const char* only_for = "";  ///< where it has one: `loop = "closed"`
  /// The keys that decide about `relevant` and `required`, beside it or from the top. Where one of them is misspelt or
  /// could not be read, that is the problem.
  std::vector<const char*> decided_by{};
};

/// What turning text into values may ask of the reader.
class Reading {
 public:
  virtual ~Reading() = default;
  /// Records a problem with the current key, at `node`.
  virtual void wrong(const config::Node& node, const std::string& what) = 0;
  /// Where a node stands.
  virtual Place place(const config::Node& node) const = 0;
  /// An existing file as an absolute path, or a problem. `what` is "trace", "platform".
  virtual std::optional<std::string> existing_file(const config::Node& node, const char* what) = 0;
  /// The bytes of such a file, of at most `limit`, or a problem.
  virtual std::optional<std::string> text_of(const config::Node& node, const std::string& path, std::int64_t limit) = 0;
  /// Problems with their own places.
  virtual void add(Problems problems) = 0;
  /// A driver library that can be loaded, as an absolute path, or a problem. A name without a folder is also looked for among
  /// the program's own drivers.
  virtual std::optional<std::string> driver_library(const config::Node& node) = 0;
  /// The durations of a CSV column, at least one, or problems.
  virtual std::optional<std::vector<Duration>> samples(const config::Node& file, const config::Node& column,
                                                       Duration unit) = 0;
  /// The costs of a profile as TOML text by name, or a problem.
  virtual std::optional<std::map<std::string, std::string>> profile(const config::Node& node) = 0;
  /// A profile as the resolved text names it: its name, or its absolute path.
  virtual std::string profile_name(const config::Node& node) = 0;
};

/// Takes a value from a node and answers with its canonical TOML text, or nothing after a problem.
using Parse = std::function<std::optional<std::string>(const config::Node&, Reading&)>;
/// The same for the entries of a table whose keys are free.
using ParseEntry = std::function<std::optional<std::string>(const std::string& key, const config::Node&, Reading&)>;

/// When a table counts.
struct TableField {
  const char* key;
  const char* doc;
  bool optional = false;  ///< left out: not visited at all; otherwise as if it stood there empty
  bool relevant = true;
  const char* only_for = "";
  std::vector<const char*> decided_by{};  ///< as in Field
};

class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void value(const Field& field, const Parse& parse) = 0;
  virtual void table(const TableField& field, const std::function<void()>& inside) = 0;
  /// `[[key]]`. `one_by_default`: a missing list counts as one empty entry.
  virtual void list(const TableField& field, bool one_by_default, const std::function<void()>& each) = 0;
  /// A table with free keys; `a.b = x` and `"a.b" = x` are the same.
  virtual void entries(const TableField& field, const ParseEntry& parse) = 0;
  /// Whether the current table holds `key`.
  virtual bool has(const char* key) const = 0;
  /// Where the current table stands.
  virtual Place place() const = 0;
};

/// All keys of a scenario file.
void fields(Visitor& v, Scenario& s);

/// Those of `[hunt]`.
void hunt_fields(Visitor& v, HuntSpec& hunt);

/// Whether a key of the top says how a scenario is run, searched or shown, and nothing of what happens in one run.
bool is_beside_the_run(std::string_view top);

/// Those of `[sweep]`.
void sweep_fields(Visitor& v, sweep::Sweep& sweep);
/// `key` of an axis, of a sweep or of a plan: the paths that take its values, one at least. `wrong_with` says what is wrong
/// with one of them; `place` gets where they stand.
using WrongWithKey = std::function<std::optional<std::string>(const std::string& key)>;
void axis_key_field(Visitor& v, std::vector<std::string>& keys, WrongWithKey wrong_with = {}, Place* place = nullptr);

/// All keys of a profile file, scenarios/profiles: every cost must be there.
void profile_fields(Visitor& v, std::map<std::string, std::string>& costs);

/// Processors of one partition.
inline constexpr std::int64_t most_cpus = 2048;
/// Longest duration of a cost, a service or a gap; the sum of many of them stays far from the end of time.
inline constexpr Duration longest_cost = std::chrono::hours{24};
/// Longest simulated span.
inline constexpr Duration longest_run = std::chrono::hours{24 * 365 * 10};

}  // namespace vmbsim::scenario
