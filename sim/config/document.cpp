#include "sim/config/document.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <variant>

#include "sim/config/file.hpp"
#include "sim/config/toml_text.hpp"

namespace vmbsim::config {
namespace {

/// Lays `over` on `base`: see "Includes" in the header.
void merge(Node& base, Node&& over) {
  if (base.is(Node::Kind::table) && over.is(Node::Kind::table)) {
    std::map<std::string, std::size_t> index;  // a file may hold a hundred thousand keys, so no search for each
    for (std::size_t i = 0; i < base.entries.size(); ++i) index[base.entries[i].key] = i;
    for (Entry& entry : over.entries) {
      const auto there = index.find(entry.key);
      if (there != index.end())
        merge(base.entries[there->second].value, std::move(entry.value));
      else
        base.entries.push_back(std::move(entry));
    }
    base.at = over.at;
  } else if (base.is_list_of_tables() && over.is_list_of_tables()) {
    std::move(over.items.begin(), over.items.end(), std::back_inserter(base.items));
  } else {
    base = std::move(over);
  }
}

/// Reads one file after another; `path_` are the files that are being read now, outermost first.
class Loader {
 public:
  explicit Loader(Problems& problems) : problems_(problems) {}

  Document take() { return std::move(document_); }

  void load(const std::string& path) {
    const std::uint32_t file = document_.add_file(path);
    if (auto root = read(path, {file, 0, 0}, file)) document_.root = std::move(*root);
  }

  void load_text(std::string_view text, std::string name) {
    const std::uint32_t file = document_.add_file(std::move(name));
    auto root = parse_toml(text, document_, file, problems_);
    if (!root) return;
    if (const Node* include = root->find("include"))
      problem(include->at, "include: this text is read without files, so it cannot include any");
    document_.root = std::move(*root);
    forget_include(document_.root);
  }

 private:
  void problem(Origin at, std::string text) { problems_.push_back({document_.place(at), std::move(text)}); }

  static void forget_include(Node& root) {
    std::erase_if(root.entries, [](const Entry& entry) { return entry.key == "include"; });
  }

  /// `named_at`: who wants the file, for the message when it is not there.
  std::optional<Node> read(const std::string& path, Origin named_at, std::uint32_t file) {
    auto text = read_file(path, largest_file);
    if (const auto* wrong = std::get_if<FileError>(&text)) {
      const bool included = named_at.line != 0;
      problem(named_at, included ? "include: \"" + path + "\": " + wrong->text : wrong->text);
      return std::nullopt;
    }
    auto root = parse_toml(std::get<std::string>(text), document_, file, problems_);
    if (!root) return std::nullopt;
    reading_.push_back(absolute_path(path));
    Node merged;
    merged.at = root->at;
    if (const Node* include = root->find("include")) include_all(*include, path, merged);
    reading_.pop_back();
    forget_include(*root);
    merge(merged, std::move(*root));
    return merged;
  }

  void include_all(const Node& include, const std::string& from, Node& base) {
    if (!include.is(Node::Kind::list)) {
      problem(include.at, std::string("include: wrong type: ") + name_of(include.kind) +
                              "; right would be a list of file names, as in [\"base.toml\"]");
      return;
    }
    for (const Node& item : include.items) {
      if (!item.is(Node::Kind::text)) {
        problem(item.at, std::string("include: wrong type: ") + name_of(item.kind) + "; right would be a file name");
        continue;
      }
      const std::string path = relative_to(from, item.text);
      if (std::find(reading_.begin(), reading_.end(), absolute_path(path)) != reading_.end()) {
        problem(item.at, "include: \"" + item.text + "\" includes itself" + way_back(absolute_path(path)));
        continue;
      }
      if (document_.files() >= most_files) {
        problem(item.at, "include: more than " + std::to_string(most_files) + " files");
        return;
      }
      if (auto root = read(path, item.at, document_.add_file(path))) merge(base, std::move(*root));
    }
  }

  /// The files between the two mentions, by their names alone.
  std::string way_back(const std::string& path) const {
    const auto name = [](const std::string& p) { return p.substr(p.find_last_of('/') + 1); };
    std::string out;
    const auto first = std::find(reading_.begin(), reading_.end(), path);
    for (auto at = first; at != reading_.end(); ++at) out += name(*at) + " -> ";
    return ": " + out + name(path);
  }

  Problems& problems_;
  Document document_;
  std::vector<std::string> reading_;
};

}  // namespace

bool Node::is_list_of_tables() const {
  return kind == Kind::list && !items.empty() &&
         std::all_of(items.begin(), items.end(), [](const Node& item) { return item.is(Kind::table); });
}

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

Node* Node::find(std::string_view key) {
  for (Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

const char* name_of(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::table: return "a table";
    case Node::Kind::list: return "a list";
    case Node::Kind::text: return "text";
    case Node::Kind::integer: return "a whole number";
    case Node::Kind::real: return "a decimal number";
    case Node::Kind::boolean: return "true or false";
    case Node::Kind::date: return "a date";
  }
  return "a value";
}

std::uint32_t Document::add_file(std::string name) {
  files_.push_back(std::move(name));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

Document load_document(const std::string& path, Problems& problems) {
  Loader loader(problems);
  loader.load(path);
  return loader.take();
}

Document parse_document(std::string_view text, std::string file, Problems& problems) {
  Loader loader(problems);
  loader.load_text(text, std::move(file));
  return loader.take();
}

}  // namespace vmbsim::config
