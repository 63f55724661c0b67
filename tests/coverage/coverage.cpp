#include "tests/coverage/coverage.hpp"

#include <algorithm>
#include <cctype>

#include "tests/coverage/documented_decisions.h"
#include "tests/coverage/documented_kmcl.h"

namespace vmbsim::coverage {

namespace {

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// What the literals of `TEST_CASE("...", "[tags]")` say before the first comma between them, and after it.
struct Title {
  std::string name;
  std::string tags;
};
Title title(const std::string& head) {
  Title title;
  std::string* text = &title.name;
  bool inside = false;
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '"') {
      inside = !inside;
    } else if (inside) {
      if (head[i] == '\\') ++i;
      *text += head[i];
    } else if (head[i] == ',') {
      text = &title.tags;
    }
  }
  return title;
}

/// A definition at the left margin: its head up to the opening brace, and the rest.
struct Piece {
  std::string head;
  std::string body;
};

std::vector<Piece> pieces_of(const tidy::SourceFile& file) {
  std::vector<Piece> pieces;
  enum class Where { outside, head, body } where = Where::outside;
  for (const std::string& raw : file.lines) {
    const std::string line = tidy::without_comment(raw);
    const bool at_margin = !line.empty() && line[0] != ' ' && line[0] != '#' && line[0] != '}';
    if (where == Where::outside && at_margin && line.rfind("namespace", 0) != 0 && line.rfind("using", 0) != 0) {
      where = Where::head;
      pieces.emplace_back();
    }
    if (where == Where::outside || line.empty()) continue;
    (where == Where::head ? pieces.back().head : pieces.back().body) += line + "\n";
    if (where == Where::head && line.back() == '{')
      where = Where::body;
    else if (where == Where::head && (line.back() == ';' || line.back() == '}'))
      where = Where::outside;  // all on one line
    else if (where == Where::body && line[0] == '}')
      where = Where::outside;
  }
  return pieces;
}

struct Helper {
  std::string name;
  std::string text;
};

/// The word before the first parenthesis, brace or equals sign.
std::string name_of_helper(const std::string& head) {
  std::size_t end = head.find_first_of("({=;");
  while (end != std::string::npos && end > 0 && head[end - 1] == ' ') --end;
  if (end == std::string::npos) return {};
  std::size_t begin = end;
  while (begin > 0 && in_word(head[begin - 1])) --begin;
  return head.substr(begin, end - begin);
}

/// `body` and the helpers that it uses, and what those use.
std::string with_helpers(std::string body, const std::vector<Helper>& helpers) {
  std::vector<bool> in(helpers.size());
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < helpers.size(); ++i) {
      if (in[i] || helpers[i].name.empty() || !names(body, helpers[i].name)) continue;
      in[i] = more = true;
      body += helpers[i].text;
    }
  }
  return body;
}

}  // namespace

std::vector<Name> documented_names() {
  std::vector<Name> names;
#define CLIENT(name, ...) names.push_back({"function", #name, {#name}});
#define SERVER(name, ...) names.push_back({"server function", #name, {#name}});
#define CALLBACK(WORDS, name, ...) names.push_back({"callback", #name, {#name, "EVT_VMB_" #WORDS, "PFN_VMB_" #WORDS}});
#define VALUE(name, number) names.push_back({"value", #name, {#name}});
#define STATUS(name, number) names.push_back({"status", #name, {#name}});
  KMCL_CLIENT_FUNCTIONS(CLIENT)
  KMCL_SERVER_FUNCTIONS(SERVER)
  names.push_back(
      {"inline function", "VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT", {"VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT"}});
  KMCL_CALLBACKS(CALLBACK)
  KMCL_VALUES(VALUE)
  KMCL_STATUSES(STATUS)
  return names;
}

std::vector<Sentence> documented_sentences() {
  std::vector<Sentence> sentences;
#define SENTENCE(tag, text) sentences.push_back({#tag, text});
  KMCL_TRANSITIONS(SENTENCE)
  KMCL_DECISIONS(SENTENCE)
  return sentences;
}

std::vector<Test> tests_in(const std::vector<tidy::SourceFile>& files) {
  std::vector<Test> tests;
  for (const tidy::SourceFile& file : files) {
    std::vector<Test> of_file;
    std::vector<Helper> helpers;
    for (const Piece& piece : pieces_of(file)) {
      if (piece.head.rfind("TEST_CASE(", 0) == 0) {
        Title said = title(piece.head);
        of_file.push_back({file.path, std::move(said.name), std::move(said.tags), piece.body});
      } else {
        helpers.push_back({name_of_helper(piece.head), piece.head + "\n" + piece.body});
      }
    }
    for (Test& test : of_file) {
      test.body = with_helpers(std::move(test.body), helpers);
      tests.push_back(std::move(test));
    }
  }
  return tests;
}

std::vector<Test> tests_of_behaviour() {
  std::vector<tidy::SourceFile> files = tidy::files_under("tests/spec", {".cpp"});
  for (tidy::SourceFile& file : tidy::files_under("tests/property", {".cpp"})) files.push_back(std::move(file));
  return tests_in(files);
}

bool names(const std::string& text, const std::string& word) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !in_word(text[at - 1])) && (end == text.size() || !in_word(text[end]))) return true;
  }
  return false;
}

std::vector<const Test*> covering(const Name& name, const std::vector<Test>& tests) {
  std::vector<const Test*> found;
  for (const Test& test : tests)
    if (std::any_of(name.words.begin(), name.words.end(),
                    [&](const std::string& word) { return names(test.body, word); }))
      found.push_back(&test);
  return found;
}

std::vector<const Test*> showing(const Sentence& sentence, const std::vector<Test>& tests) {
  std::vector<const Test*> found;
  for (const Test& test : tests)
    if (test.tags.find("[" + sentence.tag + "]") != std::string::npos) found.push_back(&test);
  return found;
}

}  // namespace vmbsim::coverage
