#include "models/scenario/reader.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "models/scenario/profiles.hpp"
#include "sim/config/csv_reader.hpp"
#include "sim/config/file.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/toml_text.hpp"
#include "vmbsim/assert.hpp"

namespace vmbsim::scenario {
namespace {

using config::Node;

constexpr std::int64_t largest_sample_file = std::int64_t{256} << 20;
constexpr std::size_t most_entries = 4096;  // of a [[list]]; the checks compare every entry with every other
constexpr std::size_t most_samples = 10'000'000;

/// A value as it may stand in a message.
std::string shown(const Node& node) {
  constexpr std::size_t longest = 60;
  std::string text = config::value_text(node);
  if (text.size() <= longest) return text;
  std::size_t cut = longest;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;  // not inside a UTF-8 sequence
  return text.substr(0, cut) + "...";
}

bool is_path(const std::string& profile) {
  return profile.find('/') != std::string::npos ||
         (profile.size() > 5 && profile.compare(profile.size() - 5, 5, ".toml") == 0);
}

}  // namespace

Reader::Reader(const config::Document& document, Problems& problems, Config config)
    : document_(document), problems_(problems), config_(std::move(config)) {
  frames_.push_back({&document.root, "", "", nullptr, {}, {}, {}});
}

void Reader::problem(config::Origin at, std::string text) {
  problems_.push_back({document_.place(at), std::move(text)});
}

const Node* Reader::ask(const char* key) {
  frames_.back().known.emplace_back(key);
  return frames_.back().table->find(key);
}

template <class AnyField>
bool Reader::refuse_irrelevant(const Node* node, const AnyField& field) {
  if (field.relevant) return false;
  if (!node) return true;
  Judgement& refused = irrelevant_.emplace_back();
  refused.at = node->at;
  refused.text = std::string(field.key) + ": has no effect here; it is for " + field.only_for;
  for (const char* key : field.decided_by) {
    refused.decided_by.emplace_back(key);
    refused.decided_by.push_back(path_of(key));
  }
  return true;
}

std::string Reader::path_of(const std::string& key) const {
  return frames_.back().path.empty() ? key : frames_.back().path + "." + key;
}

void Reader::value(const Field& field, const Parse& parse) {
  const Node* node = ask(field.key);
  if (refuse_irrelevant(node, field)) return;
  std::optional<Node> preset;
  if (!node && field.preset) {
    preset = config::parse_toml_value(*field.preset);
    VMBSIM_ASSERT(preset.has_value(), "a preset is TOML text");
    node = &*preset;
  }
  if (!node) {
    if (!field.required || config_.incomplete) return;
    Frame& frame = frames_.back();
    frame.missing.push_back({field.key, frame.table->at,
                             (frame.title.empty() ? "" : frame.title + ": ") + field.key + " is missing",
                             field.decided_by});
    return;
  }
  key_ = field.key;
  top_ = node;
  const auto text = parse(*node, *this);
  top_ = nullptr;
  if (text)
    resolved_ += config::key_text(field.key) + " = " + *text + "\n";
  else
    unread_.insert(path_of(field.key));
}

void Reader::open(const Node& table, const TableField& field, bool in_list, bool absent) {
  const std::string path = path_of(field.key);
  const std::string title = in_list ? "[[" + path + "]]" : "[" + path + "]";
  resolved_ += "\n" + title + "\n";
  frames_.push_back({&table, path, title, absent ? field.key : nullptr, field.decided_by, {}, {}});
}

void Reader::close() {
  const Frame frame = frames_.back();
  std::set<std::string> meant;
  for (const config::Entry& entry : frame.table->entries) {
    if (std::find(frame.known.begin(), frame.known.end(), entry.key) != frame.known.end()) continue;
    problem(entry.at, "unknown key \"" + entry.key + "\"" + (frame.title.empty() ? "" : " in " + frame.title) +
                          config::did_you_mean_or(entry.key, frame.known, "; known: "));
    const auto nearest = config::nearest(entry.key, frame.known);
    if (!nearest) continue;
    if (has(nearest->c_str())) {
      misplaced(entry, path_of(*nearest));
      continue;
    }
    meant.insert(*nearest);
    misspelt_.insert(path_of(*nearest));
  }
  frames_.pop_back();
  const auto is_meant = [&](const std::string& key) { return meant.count(key) != 0; };
  for (const Missing& missing : frame.missing) {
    if (is_meant(missing.key) || std::any_of(missing.decided_by.begin(), missing.decided_by.end(), is_meant)) continue;
    if (frame.absent != nullptr) {  // the table's own key may be the misspelt one
      frames_.back().missing.push_back({frame.absent, missing.at, missing.text, frame.decided_by});
      continue;
    }
    const std::string prefix = frame.path.empty() ? "" : frame.path + ".";
    Judgement& judged = missing_.emplace_back(Judgement{missing.at, missing.text, {prefix + missing.key}});
    for (const char* key : missing.decided_by) judged.decided_by.push_back(prefix + key);
  }
}

/// `[channels.device]` beside a `[[channel]]` means its device.
void Reader::misplaced(const config::Entry& table, const std::string& meant) {
  for (const config::Entry& inner : table.value.entries) {
    misplaced_.insert(meant + "." + inner.key);
    misspelt_.insert(meant + "." + inner.key);
  }
}

void Reader::finish() {
  close();
  // What is misspelt in a table was settled when that was closed: one entry of a list excuses no other.
  const auto tell = [this](const std::vector<Judgement>& judged, const std::set<std::string>& misnamed) {
    for (const Judgement& one : judged)
      if (std::none_of(one.decided_by.begin(), one.decided_by.end(),
                       [&](const std::string& path) { return misnamed.count(path) != 0 || unread_.count(path) != 0; }))
        problem(one.at, one.text);
  };
  tell(missing_, misplaced_);
  tell(irrelevant_, misspelt_);
}

void Reader::table(const TableField& field, const std::function<void()>& inside) {
  const Node* node = ask(field.key);
  if (refuse_irrelevant(node, field)) return;
  if (!node && field.optional) return;
  if (node && !node->is(Node::Kind::table)) {
    problem(node->at, std::string(field.key) + ": wrong type: " + config::name_of(node->kind) +
                          "; right would be a table, [" + path_of(field.key) + "]");
    node = nullptr;
    if (field.optional) return;
  }
  const bool left_out = node == nullptr;
  Node absent;
  if (left_out) {
    absent.at = frames_.back().table->at;
    node = &absent;
  }
  open(*node, field, false, left_out);
  inside();
  close();
}

void Reader::list(const TableField& field, bool one_by_default, const std::function<void()>& each) {
  const Node* node = ask(field.key);
  if (node && !node->is_list_of_tables()) {
    problem(node->at,
            std::string(field.key) + ": wrong type: " +
                (node->is(Node::Kind::list) ? "a list of something else than tables" : config::name_of(node->kind)) +
                "; right would be tables, each headed [[" + path_of(field.key) + "]]");
    return;
  }
  if (!node) {
    if (!one_by_default) return;
    Node absent;
    absent.at = frames_.back().table->at;
    open(absent, field, true, true);
    each();
    close();
    return;
  }
  if (node->items.size() > most_entries) {
    problem(node->at, std::string(field.key) + ": " + std::to_string(node->items.size()) +
                          " entries; right would be at most " + std::to_string(most_entries));
    return;
  }
  for (const Node& item : node->items) {
    open(item, field, true, false);
    each();
    close();
  }
}

void Reader::entries(const TableField& field, const ParseEntry& parse) {
  const Node* node = ask(field.key);
  if (!node) return;
  if (!node->is(Node::Kind::table)) {
    problem(node->at, std::string(field.key) + ": wrong type: " + config::name_of(node->kind) +
                          "; right would be a table, [" + path_of(field.key) + "]");
    return;
  }
  resolved_ += "\n[" + path_of(field.key) + "]\n";
  std::set<std::string> seen;
  read_entries(*node, "", parse, seen);
}

void Reader::read_entries(const Node& table, const std::string& prefix, const ParseEntry& parse,
                          std::set<std::string>& seen) {
  for (const config::Entry& entry : table.entries) {
    const std::string key = prefix + entry.key;
    if (entry.value.is(Node::Kind::table) && !entry.value.entries.empty()) {
      read_entries(entry.value, key + ".", parse, seen);
      continue;
    }
    if (!seen.insert(key).second) {
      problem(entry.at, "\"" + key + "\" stands here twice, once in quotes and once without");
      continue;
    }
    key_ = key;
    top_ = &entry.value;
    if (const auto text = parse(key, entry.value, *this)) resolved_ += config::toml_quoted(key) + " = " + *text + "\n";
    top_ = nullptr;
  }
}

bool Reader::has(const char* key) const { return frames_.back().table->find(key) != nullptr; }

Place Reader::place() const { return document_.place(frames_.back().table->at); }

Place Reader::place(const Node& node) const { return document_.place(node.at); }

void Reader::wrong(const Node& node, const std::string& what) {
  problem(node.at, key_ + (&node == top_ ? " = " : ": ") + shown(node) + ": " + what);
}

std::optional<std::string> Reader::existing_file(const Node& node, const char* what) {
  if (!node.is(Node::Kind::text)) {
    wrong(node, std::string("wrong type: ") + config::name_of(node.kind) + "; right would be a file name in quotes");
    return std::nullopt;
  }
  if (!config_.files) {
    wrong(node, "this text is read without files");
    return std::nullopt;
  }
  const std::string path = config::relative_to(document_.file(node.at), node.text);
  if (config::file_exists(path)) return *files_.insert(config::absolute_path(path)).first;
  wrong(node, std::string("there is no such ") + what + " file; file names are relative to the file that says them");
  return std::nullopt;
}

std::optional<std::string> Reader::text_of(const Node& node, const std::string& path, std::int64_t limit) {
  auto text = config::read_file(path, limit);
  if (const auto* failed = std::get_if<config::FileError>(&text)) {
    wrong(node, failed->text);
    return std::nullopt;
  }
  return std::get<std::string>(std::move(text));
}

void Reader::add(Problems problems) { std::move(problems.begin(), problems.end(), std::back_inserter(problems_)); }

std::optional<std::string> Reader::driver_library(const Node& node) {
  if (!config_.files) {
    wrong(node, "this text is read without files");
    return std::nullopt;
  }
  std::string path = config::relative_to(document_.file(node.at), node.text);
  const bool bare = node.text.find('/') == std::string::npos;
  if (bare && !config::file_exists(path) && !config_.driver_folder.empty())
    path = config_.driver_folder + "/" + node.text;
  if (!config::file_exists(path)) {
    wrong(node, "there is no such driver library; file names are relative to the file that says them" +
                    std::string(bare ? ", and a name alone is also looked for among the program's own drivers" : ""));
    return std::nullopt;
  }
  path = config::absolute_path(path);
  const auto what_is_wrong = config_.driver_check ? config_.driver_check(path) : std::nullopt;
  if (!what_is_wrong) return *files_.insert(path).first;
  wrong(node, "the library " + *what_is_wrong);
  return std::nullopt;
}

std::optional<std::vector<Duration>> Reader::samples(const Node& file, const Node& column, Duration unit) {
  const std::string path = config::relative_to(document_.file(file.at), file.text);
  const auto text = config::read_file(path, largest_sample_file);
  if (const auto* failed = std::get_if<config::FileError>(&text)) {
    wrong(file, failed->text);
    return std::nullopt;
  }
  files_.insert(config::absolute_path(path));
  config::CsvReader csv(std::get<std::string>(text), path);
  std::vector<Duration> out;
  if (const auto found = csv.column({column.text})) {
    while (csv.next()) {
      const auto sample = csv.duration(*found, unit);
      if (!sample) continue;
      if (*sample < Duration{0} || *sample > longest_cost) {
        csv.complain(*found, "out of range; right would be 0ns to 24h");
        continue;
      }
      if (out.size() == most_samples) {
        csv.complain_file("more than " + std::to_string(most_samples) + " samples");
        break;
      }
      out.push_back(*sample);
    }
    if (out.empty()) csv.complain_file("no samples in column \"" + column.text + "\"");
  }
  Problems found = csv.take_problems();
  if (found.empty()) return out;
  std::move(found.begin(), found.end(), std::back_inserter(problems_));
  return std::nullopt;
}

std::string Reader::profile_name(const Node& node) {
  if (!is_path(node.text)) return node.text;
  return config_.files ? config::absolute_path(config::relative_to(document_.file(node.at), node.text)) : node.text;
}

std::optional<std::map<std::string, std::string>> Reader::profile(const Node& node) {
  Problems problems;
  config::Document document;
  Config reading;
  reading.files = config_.files;
  if (is_path(node.text)) {
    const auto path = existing_file(node, "profile");
    if (!path) return std::nullopt;
    document = config::load_document(config::relative_to(document_.file(node.at), node.text), problems);
  } else if (const auto text = embedded_profile(node.text)) {
    document = config::parse_document(*text, "scenarios/profiles/" + node.text + ".toml", problems);
  } else {
    const auto names = embedded_profile_names();
    wrong(node, "unknown" + config::did_you_mean(node.text, names) +
                    "; right would be one of: " + config::listed(names) + ", or a file of costs");
    return std::nullopt;
  }
  std::map<std::string, std::string> costs;
  if (problems.empty()) {
    Reader reader(document, problems, reading);
    profile_fields(reader, costs);
    reader.finish();
    files_.insert(reader.files().begin(), reader.files().end());
  }
  if (problems.empty()) return costs;
  std::move(problems.begin(), problems.end(), std::back_inserter(problems_));
  return std::nullopt;
}

}  // namespace vmbsim::scenario
