#include "sim/batch/store.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "sim/batch/database.hpp"
#include "sim/config/file.hpp"

namespace vmbsim::batch {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* layout = R"sql(
CREATE TABLE campaign (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE metric_sets (id INTEGER PRIMARY KEY, names TEXT NOT NULL, units TEXT NOT NULL);
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,
  parameters TEXT NOT NULL,
  seed INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  metric_set INTEGER,
  metric_values TEXT NOT NULL,
  metric_intervals TEXT NOT NULL,
  histograms BLOB NOT NULL,
  attempts INTEGER NOT NULL,
  processor_us INTEGER NOT NULL,
  digest INTEGER NOT NULL);
CREATE VIEW metrics AS
  SELECT lower(hex(runs.key)) AS key, runs.parameters AS parameters, runs.seed AS seed, name.value AS metric,
         json_extract(runs.metric_values, '$[' || name.key || ']') AS value,
         json_extract(metric_sets.units, '$[' || name.key || ']') AS unit
  FROM runs JOIN metric_sets ON metric_sets.id = runs.metric_set, json_each(metric_sets.names) AS name;
)sql";

constexpr const char* all_columns =
    "id, key, parameters, seed, status, reason, fingerprint, metric_set, metric_values, metric_intervals, "
    "histograms, attempts, processor_us, digest";

std::string bytes_of(const Key& key) {
  std::string bytes;
  for (const std::uint64_t half : {key.high, key.low})
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(half >> shift);
  return bytes;
}

Key key_in(std::string_view bytes) {
  std::uint64_t halves[2] = {};
  for (std::size_t i = 0; i < bytes.size() && i < 16; ++i)
    halves[i / 8] = halves[i / 8] << 8 | static_cast<unsigned char>(bytes[i]);
  return {halves[0], halves[1]};
}

Fingerprint fingerprint_in(std::string_view text) {
  std::uint64_t halves[2] = {};
  for (std::size_t i = 0; i < text.size() && i < 32; ++i) {
    const char c = text[i];
    halves[i / 16] = halves[i / 16] << 4 | static_cast<std::uint64_t>(c >= 'a' ? c - 'a' + 10 : c - '0');
  }
  return {halves[0], halves[1]};
}

std::optional<report::Unit> unit_of(std::string_view name) {
  using report::Unit;
  for (const Unit unit :
       {Unit::nanoseconds, Unit::bytes, Unit::bytes_per_second, Unit::per_second, Unit::fraction, Unit::count})
    if (name == report::name_of(unit)) return unit;
  return std::nullopt;
}

std::string values_text(const std::vector<report::Metric>& metrics) {
  std::string text = "[";
  for (const report::Metric& metric : metrics) {
    if (text.size() > 1) text += ',';
    if (std::isfinite(metric.value))
      fmt::format_to(std::back_inserter(text), "{}", metric.value);
    else
      text += "null";
  }
  return text + "]";
}

/// Of those that have any: "[4,1.25e4,1.5e4,9,...]", the number of a metric and the ends of its interval.
std::string intervals_text(const std::vector<report::Metric>& metrics) {
  std::string text = "[";
  for (std::size_t i = 0; i < metrics.size(); ++i)
    if (const Interval& known = metrics[i].interval; std::isfinite(known.low) && std::isfinite(known.high))
      fmt::format_to(std::back_inserter(text), "{}{},{},{}", text.size() > 1 ? "," : "", i, known.low, known.high);
  return text + "]";
}

/// A row as it is stored.
struct Cells {
  std::string key, parameters, status, reason, fingerprint, values, intervals, histograms;
  std::int64_t seed = 0, set = 0, attempts = 0, processor_us = 0;

  std::int64_t digest() const {
    std::string all = fmt::format("{} {} {} {}", seed, set, attempts, processor_us);
    for (const std::string* cell :
         {&key, &parameters, &status, &reason, &fingerprint, &values, &intervals, &histograms})
      (all += fmt::format("\n{} ", cell->size())) += *cell;
    return static_cast<std::int64_t>(XXH3_64bits(all.data(), all.size()));
  }
};

/// Whether it is what intervals_text() writes of so many metrics.
bool are_intervals(const Json& list, std::size_t metrics) {
  if (!list.is_array() || list.size() % 3 != 0) return false;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (i % 3 == 0 ? !list[i].is_number_unsigned() || list[i].get<std::size_t>() >= metrics : !list[i].is_number())
      return false;
  return true;
}

[[noreturn]] void damaged() { throw DatabaseError(SQLITE_CORRUPT, "a row is not what was written"); }

Cells cells_in(const Statement& row) {
  Cells cells;
  cells.key = row.bytes(1);
  cells.parameters = row.bytes(2);
  cells.seed = row.integer(3);
  cells.status = row.bytes(4);
  cells.reason = row.bytes(5);
  cells.fingerprint = row.bytes(6);
  cells.set = row.integer(7);
  cells.values = row.bytes(8);
  cells.intervals = row.bytes(9);
  cells.histograms = row.bytes(10);
  cells.attempts = row.integer(11);
  cells.processor_us = row.integer(12);
  if (cells.digest() != row.integer(13)) damaged();
  return cells;
}

}  // namespace

std::optional<std::string> Campaign::differs_from(const Campaign& other) const {
  if (version != other.version) return fmt::format("runs of version {}, and this is {}", version, other.version);
  if (scenario != other.scenario)
    return fmt::format("runs of the scenario \"{}\", and this is \"{}\"", scenario, other.scenario);
  if (parameters != other.parameters) return "runs of a sweep over other keys";
  if (identity != other.identity) return "runs of this scenario with other settings, or other contents of its files";
  return std::nullopt;
}

Store::Store(fs::path file) : file_(std::move(file)) {}
Store::~Store() {
  if (!journal_ || writing_) return;
  try {
    database_->run("PRAGMA journal_mode = DELETE");  // which removes the empty file
  } catch (const DatabaseError&) {}                  // somebody reads just now; an empty journal harms nobody
}

Problem Store::problem(const std::string& text) const { return config::problem_with(file_.string(), text); }

void Store::create(const Campaign& campaign) {
  database_->run("BEGIN IMMEDIATE");
  database_->run(layout);
  Statement insert(*database_, "INSERT INTO campaign VALUES (?, ?)");
  const auto set = [&](const char* name, const std::string& value) {
    insert.bind(0, std::string_view(name));
    insert.bind(1, std::string_view(value));
    insert.next();
    insert.reset();
  };
  set("scenario", campaign.scenario);
  set("version", campaign.version);
  set("text", campaign.text);
  set("identity", campaign.identity.text());
  set("parameters", Json(campaign.parameters).dump());
  set("planned", "0");
  database_->run(fmt::format("PRAGMA user_version = {}", store_format).c_str());
  database_->run("COMMIT");
  campaign_ = campaign;
}

void Store::read_campaign() {
  Statement rows(*database_, "SELECT name, value FROM campaign");
  while (rows.next()) {
    const std::string_view name = rows.bytes(0);
    const std::string value(rows.bytes(1));
    if (name == "scenario") campaign_.scenario = value;
    if (name == "version") campaign_.version = value;
    if (name == "text") campaign_.text = value;
    if (name == "identity") campaign_.identity = fingerprint_in(value);
    if (name != "parameters") continue;
    const Json list = Json::parse(value, nullptr, false);
    if (!list.is_array()) damaged();
    for (const Json& parameter : list)
      campaign_.parameters.push_back(parameter.is_string() ? parameter.get<std::string>() : "");
  }
  Statement sets(*database_, "SELECT id, names, units FROM metric_sets");
  while (sets.next()) {
    const std::string names_text(sets.bytes(1));
    const Json names = Json::parse(names_text, nullptr, false);
    const Json units = Json::parse(sets.bytes(2), nullptr, false);
    if (!names.is_array() || !units.is_array() || names.size() != units.size()) damaged();
    MetricSet set;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto unit = units[i].is_string() ? unit_of(units[i].get<std::string>()) : std::nullopt;
      if (!names[i].is_string() || !unit) damaged();
      set.names.push_back(names[i].get<std::string>());
      set.units.push_back(*unit);
    }
    set_ids_[names_text] = sets.integer(0);
    sets_[sets.integer(0)] = std::move(set);
  }
}

namespace {

/// The format of a file; 0 of an empty one.
std::int64_t format_of(const Database& database) {
  Statement version(database, "PRAGMA user_version");
  version.next();
  return version.integer(0);
}

std::string other_format(std::int64_t format) {
  return fmt::format("is a store of format {}, and this vmbsim reads format {}", format, store_format);
}

}  // namespace

std::variant<std::unique_ptr<Store>, Problem> Store::open(const fs::path& file) {
  std::unique_ptr<Store> store(new Store(file));
  try {
    store->database_ = std::make_unique<Database>(file, Database::Mode::read);
    if (const std::int64_t format = format_of(*store->database_); format != store_format)
      return store->problem(other_format(format));
    store->read_campaign();
  } catch (const DatabaseError& error) { return store->problem(std::string("cannot be read: ") + error.what()); }
  return store;
}

std::variant<std::unique_ptr<Store>, Problem> Store::open(const fs::path& file, const Campaign& campaign,
                                                          std::optional<std::string>& rescued) {
  std::unique_ptr<Store> store(new Store(file));
  for (int attempt = 0;; ++attempt) {
    try {
      store->database_ = std::make_unique<Database>(file, Database::Mode::write);
      const Database& database = *store->database_;
      store->database_->run("PRAGMA journal_mode = TRUNCATE");
      store->journal_ = true;
      store->database_->run("PRAGMA synchronous = FULL");
      const std::int64_t format = format_of(database);
      if (format == 0) {
        Statement tables(database, "SELECT count(*) FROM sqlite_master");
        tables.next();
        if (tables.integer(0) != 0) return store->problem("is a database of somebody else");
        store->create(campaign);
        return store;
      }
      if (format != store_format) return store->problem(other_format(format));
      store->read_campaign();
      if (const auto difference = store->campaign_.differs_from(campaign))
        return store->problem("holds " + *difference + "; name another folder with --out, or remove this one");
      Statement check(database, "PRAGMA quick_check(1)");
      if (check.next() && check.bytes(0) != "ok") damaged();
      Statement rows(database, fmt::format("SELECT {} FROM runs", all_columns).c_str());
      while (rows.next()) cells_in(rows);
      return store;
    } catch (const DatabaseError& error) {
      store = std::unique_ptr<Store>(new Store(file));
      if (!error.damaged() || attempt > 0) return store->problem(std::string("cannot be opened: ") + error.what());
      try {
        rescued = rescue(file, campaign);
      } catch (const DatabaseError& failed) {
        return store->problem(std::string("is damaged, and cannot be replaced: ") + failed.what());
      }
    }
  }
}

/// What can be read of a damaged file becomes a new one.
std::optional<std::string> Store::rescue(const fs::path& file, const Campaign& campaign) {
  const fs::path aside = file.string() + ".damaged";
  const fs::path fresh = file.string() + ".rescued";
  std::error_code ignored;
  for (const char* left : {"", "-journal"}) fs::remove(fresh.string() + left, ignored);
  std::uint64_t kept = 0;
  {
    Store to(fresh);
    to.database_ = std::make_unique<Database>(fresh, Database::Mode::write);
    to.create(campaign);
    to.database_->run("BEGIN IMMEDIATE");
    try {
      Store from(file);
      from.database_ = std::make_unique<Database>(file, Database::Mode::write);
      from.read_campaign();
      // Rows have small numbers, for none is ever removed; a page that cannot be read hides some of them.
      constexpr std::int64_t smallest_row = 64;
      const auto most = static_cast<std::int64_t>(fs::file_size(file)) / smallest_row;
      Statement row(*from.database_, fmt::format("SELECT {} FROM runs WHERE id = ?", all_columns).c_str());
      for (std::int64_t id = 1; id <= most && !from.campaign_.differs_from(campaign); ++id) {
        row.reset();
        row.bind(0, id);
        try {
          if (!row.next()) continue;
          to.write(from.record_in(row, Depth::whole));
          ++kept;
        } catch (const DatabaseError& error) {
          if (!error.damaged()) throw;
        }
      }
    } catch (const DatabaseError& error) {
      if (!error.damaged() && error.code() != SQLITE_ERROR) throw;
    }
    to.database_->run("COMMIT");
  }
  fs::rename(file, aside, ignored);
  fs::remove(file.string() + "-journal", ignored);
  fs::rename(fresh, file, ignored);
  return fmt::format("{} was damaged: {} runs could be read, the others are run again; the old file is kept as {}",
                     file.string(), kept, aside.filename().string());
}

std::uint64_t Store::planned() const {
  try {
    Statement row(*database_, "SELECT value FROM campaign WHERE name = 'planned'");
    return row.next() ? static_cast<std::uint64_t>(row.integer(0)) : 0;
  } catch (const DatabaseError&) { return 0; }
}

std::optional<Problem> Store::plan(std::uint64_t runs) {
  try {
    Statement update(*database_, "UPDATE campaign SET value = ? WHERE name = 'planned'");
    update.bind(0, std::string_view(std::to_string(runs)));
    update.next();
  } catch (const DatabaseError& error) { return problem(std::string("cannot be written: ") + error.what()); }
  return std::nullopt;
}

std::int64_t Store::set_of(const std::vector<report::Metric>& metrics) {
  MetricSet set;
  for (const report::Metric& metric : metrics) {
    set.names.push_back(metric.name);
    set.units.push_back(metric.unit);
  }
  const std::string names = Json(set.names).dump();
  if (const auto known = set_ids_.find(names); known != set_ids_.end()) return known->second;
  Json units = Json::array();
  for (const report::Unit unit : set.units) units.push_back(report::name_of(unit));
  Statement insert(*database_, "INSERT INTO metric_sets (names, units) VALUES (?, ?)");
  insert.bind(0, std::string_view(names));
  insert.bind(1, std::string_view(units.dump()));
  insert.next();
  const std::int64_t id = sqlite3_last_insert_rowid(database_->handle());
  set_ids_[names] = id;
  sets_[id] = std::move(set);
  return id;
}

void Store::write(const Record& record) {
  Cells cells;
  cells.key = bytes_of(record.key);
  cells.parameters = Json(record.parameters).dump();
  cells.seed = static_cast<std::int64_t>(record.seed.value);
  cells.status = name_of(record.status);
  cells.reason = record.reason;
  cells.fingerprint = record.figures.fingerprint.text();
  cells.set = set_of(record.figures.metrics);
  cells.values = values_text(record.figures.metrics);
  cells.intervals = intervals_text(record.figures.metrics);
  cells.histograms = packed(record.figures.histograms);
  cells.attempts = record.attempts;
  cells.processor_us = record.processor_us;
  Statement insert(*database_,
                   "INSERT OR REPLACE INTO runs (key, parameters, seed, status, reason, fingerprint, metric_set, "
                   "metric_values, metric_intervals, histograms, attempts, processor_us, digest) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.bind_bytes(0, cells.key);
  insert.bind(1, std::string_view(cells.parameters));
  insert.bind(2, cells.seed);
  insert.bind(3, std::string_view(cells.status));
  insert.bind(4, std::string_view(cells.reason));
  insert.bind(5, std::string_view(cells.fingerprint));
  insert.bind(6, cells.set);
  insert.bind(7, std::string_view(cells.values));
  insert.bind(8, std::string_view(cells.intervals));
  insert.bind_bytes(9, cells.histograms);
  insert.bind(10, cells.attempts);
  insert.bind(11, cells.processor_us);
  insert.bind(12, cells.digest());
  insert.next();
}

std::optional<Problem> Store::add(const Record& record) {
  try {
    if (!writing_) database_->run("BEGIN IMMEDIATE");
    writing_ = true;
    write(record);
  } catch (const DatabaseError& error) { return problem(std::string("cannot be written: ") + error.what()); }
  return std::nullopt;
}

std::optional<Problem> Store::commit() {
  if (!writing_) return std::nullopt;
  writing_ = false;
  try {
    database_->run("COMMIT");
  } catch (const DatabaseError& error) { return problem(std::string("cannot be written: ") + error.what()); }
  return std::nullopt;
}

Record Store::record_in(const Statement& row, Depth depth) const {
  const Cells cells = cells_in(row);
  Record record;
  record.key = key_in(cells.key);
  const Json parameters = Json::parse(cells.parameters, nullptr, false);
  const auto status = status_of(cells.status);
  if (!parameters.is_array() || !status) damaged();
  for (const Json& value : parameters) record.parameters.push_back(value.is_string() ? value.get<std::string>() : "");
  record.parameters.resize(campaign_.parameters.size());
  record.seed = {static_cast<std::uint64_t>(cells.seed)};
  record.status = *status;
  record.reason = cells.reason;
  record.attempts = static_cast<std::uint32_t>(cells.attempts);
  record.processor_us = cells.processor_us;
  record.figures.met = *status == Status::met;
  record.figures.fingerprint = fingerprint_in(cells.fingerprint);
  if (depth == Depth::heads) return record;
  const auto set = sets_.find(cells.set);
  const Json values = Json::parse(cells.values, nullptr, false);
  const Json intervals = Json::parse(cells.intervals, nullptr, false);
  auto histograms = unpacked(cells.histograms);
  if (set == sets_.end() || !values.is_array() || values.size() != set->second.names.size() || !histograms ||
      !are_intervals(intervals, values.size()))
    damaged();
  for (std::size_t i = 0; i < values.size(); ++i)
    record.figures.metrics.push_back({set->second.names[i],
                                      values[i].is_number() ? values[i].get<double>() : nothing_measured,
                                      set->second.units[i]});
  for (std::size_t i = 0; i < intervals.size(); i += 3)
    record.figures.metrics[intervals[i].get<std::size_t>()].interval = {intervals[i + 1].get<double>(),
                                                                        intervals[i + 2].get<double>()};
  record.figures.histograms = std::move(*histograms);
  return record;
}

std::optional<Problem> Store::each(Depth depth, const std::function<void(Row)>& take) const {
  try {
    Statement rows(*database_, fmt::format("SELECT {} FROM runs", all_columns).c_str());
    while (rows.next()) take({rows.integer(0), record_in(rows, depth)});
  } catch (const DatabaseError& error) {
    return problem(error.damaged() ? "is damaged; batch on its folder repairs it"
                                   : std::string("cannot be read: ") + error.what());
  }
  return std::nullopt;
}

std::variant<Record, Problem> Store::at(std::int64_t id) const {
  try {
    Statement row(*database_, fmt::format("SELECT {} FROM runs WHERE id = ?", all_columns).c_str());
    row.bind(0, id);
    if (row.next()) return record_in(row, Depth::whole);
    return problem("changed while it was read");
  } catch (const DatabaseError& error) { return problem(std::string("cannot be read: ") + error.what()); }
}

std::variant<std::optional<Record>, Problem> Store::find(const Key& key) const {
  try {
    Statement row(*database_, fmt::format("SELECT {} FROM runs WHERE key = ?", all_columns).c_str());
    const std::string bytes = bytes_of(key);
    row.bind_bytes(0, bytes);
    return row.next() ? std::optional(record_in(row, Depth::whole)) : std::nullopt;
  } catch (const DatabaseError& error) { return problem(std::string("cannot be read: ") + error.what()); }
}

}  // namespace vmbsim::batch
