#include "sim/hunt/repro.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "sim/hunt/words.hpp"

namespace vmbsim::hunt {

namespace {

constexpr std::string_view magic = "vmbsim repro ";

/// One line whatever it holds: it is read again as text.
std::string one_line(const std::string& text) {
  std::string line;
  for (const char c : text) line += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return line;
}

std::string hash_text(std::uint32_t value, int digits) {
  return hexadecimal(value).substr(static_cast<std::size_t>(16 - digits));
}

/// Reads the text line by line, and remembers where it is.
class Parser {
 public:
  Parser(std::string_view text, const std::string& file, Problems& problems)
      : text_(text), file_(file), problems_(problems) {}

  bool next() {
    if (begin_ >= text_.size()) return false;
    line_begin_ = begin_;
    ++number_;
    const std::size_t end = std::min(text_.find('\n', begin_), text_.size());
    rest_ = text_.substr(begin_, end - begin_);
    complete_ = end < text_.size();
    begin_ = end + 1;
    line_ = rest_;
    return true;
  }
  std::size_t line_begin() const { return line_begin_; }
  bool complete() const { return complete_; }
  bool failed() const { return failed_; }
  bool at_end() const { return begin_ >= text_.size(); }

  void complain(const std::string& text) {
    // One bad word makes those after it unreadable: a line has one problem.
    if (!failed_) problems_.push_back({Place{file_, std::max(number_, 1u), column_}, text});
    failed_ = true;
  }
  void fresh_line() {
    failed_ = false;
    column_ = 1;
  }

  std::string_view word(const char* what) {
    column_ = static_cast<std::uint32_t>(line_.size() - rest_.size() + 1);
    if (rest_.empty()) {
      complain(std::string(what) + " is missing");
      return {};
    }
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return found;
  }
  std::string_view all() {
    column_ = static_cast<std::uint32_t>(line_.size() - rest_.size() + 1);
    const std::string_view found = rest_;
    rest_ = {};
    return found;
  }
  bool more() const { return !rest_.empty(); }

  std::uint64_t number(const char* what, std::uint64_t most = std::numeric_limits<std::uint64_t>::max(),
                       std::uint64_t least = 0, int base = 10) {
    return value(word(what), what, most, least, base);
  }
  std::uint64_t value(std::string_view found, const char* what, std::uint64_t most, std::uint64_t least, int base) {
    std::uint64_t number = 0;
    const char* const end = found.data() + found.size();
    const auto [stopped, error] = std::from_chars(found.data(), end, number, base);
    if (error == std::errc{} && stopped == end && number >= least && number <= most) return number;
    complain("\"" + std::string(found) + "\" is no " + what + "; right would be a" +
             (base == 16 ? " hexadecimal" : "") + " number from " + std::to_string(least) + " to " +
             std::to_string(most));
    return least;
  }
  void keyword(const char* expected) {
    const std::string_view found = word(expected);
    if (!failed_ && found != expected)
      complain("\"" + std::string(found) + "\" stands where \"" + expected + "\" should");
  }
  void nothing_more() {
    if (!rest_.empty()) {
      all();
      complain("the line goes on where it should end");
    }
  }

 private:
  std::string_view text_;
  const std::string& file_;
  Problems& problems_;
  std::size_t begin_ = 0;
  std::size_t line_begin_ = 0;
  std::string_view line_;
  std::string_view rest_;
  std::uint32_t number_ = 0;
  std::uint32_t column_ = 1;
  bool complete_ = true;
  bool failed_ = false;
};

constexpr std::uint64_t most_32 = std::numeric_limits<std::uint32_t>::max();

void read_deviation(Parser& parser, Repro& repro) {
  explore::Deviation one{};
  std::string_view distance = parser.word("the distance to the deviation before");
  if (!parser.failed() && distance.front() != '+') return parser.complain("a distance begins with +");
  if (!distance.empty()) distance.remove_prefix(1);
  const bool first = repro.deviations.empty();
  const std::uint64_t before = first ? 0 : repro.deviations.back().index;
  const std::uint64_t by = parser.value(distance, "distance", std::uint64_t{1} << 62, first ? 0 : 1, 10);
  if (by > (std::uint64_t{1} << 62) - before) return parser.complain("no run has as many questions");
  one.index = before + by;
  parser.keyword("take");
  one.taken = static_cast<std::uint32_t>(parser.number("answer", most_32, 1));
  parser.keyword("of");
  one.alternatives = static_cast<std::uint32_t>(parser.number("number of answers", most_32, 2));
  if (!parser.failed() && one.taken >= one.alternatives)
    return parser.complain("answer " + std::to_string(one.taken) + " is not below the number of answers, " +
                           std::to_string(one.alternatives));
  const std::string_view point = parser.word("the kind of question");
  std::uint32_t kind = 0;
  while (kind < kernel::choice_point_count && point != name_of(static_cast<kernel::ChoicePoint>(kind))) ++kind;
  if (kind == kernel::choice_point_count)
    return parser.complain("\"" + std::string(point) + "\" is no kind of question");
  one.point = static_cast<kernel::ChoicePoint>(kind);
  parser.keyword("actor");
  one.actor = static_cast<std::uint32_t>(parser.number("actor", most_32));
  parser.keyword("nth");
  one.nth = parser.number("number of a question");
  parser.keyword("hash");
  one.hash = static_cast<std::uint16_t>(parser.number("hash", 0xffff, 0, 16));
  parser.nothing_more();
  if (!parser.failed()) repro.deviations.push_back(one);
}

void read_fingerprint(Parser& parser, Repro& repro) {
  const std::string_view text = parser.word("a fingerprint");
  if (text == "-") return;
  if (text.size() != 32) return parser.complain("a fingerprint has 32 hexadecimal digits");
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  repro.fingerprint = Fingerprint{parser.value(text.substr(0, 16), "fingerprint", most, 0, 16),
                                  parser.value(text.substr(16), "fingerprint", most, 0, 16)};
}

void read_memory(Parser& parser, Repro& repro) {
  const std::string_view name = parser.word("a memory model");
  for (const auto model : {explore::MemoryModel::sc, explore::MemoryModel::tso, explore::MemoryModel::pso})
    if (name == name_of(model)) {
      repro.setting.memory = model;
      return;
    }
  parser.complain("\"" + std::string(name) + "\" is no memory model; right would be sc, tso or pso");
}

void read_target(Parser& parser, Repro& repro) {
  repro.kind = parser.word("the kind of target");
  if (!parser.failed() && repro.kind != "scenario" && repro.kind != "harness")
    return parser.complain("\"" + repro.kind + "\" is no target; right would be scenario or harness");
  repro.content = parser.word("the digest of the target's content");
  if (!parser.failed()) parser.value(repro.content, "digest", std::numeric_limits<std::uint64_t>::max(), 0, 16);
  repro.path = parser.all();
  if (repro.path.empty()) parser.complain("the file is missing");
}

/// The lines that stand once, in this order.
constexpr std::array<const char*, 9> once = {"version", "target", "memory",      "seed",     "strategy",
                                             "rule",    "text",   "fingerprint", "questions"};

void read_line(Parser& parser, std::string_view key, Repro& repro) {
  if (key == "version") repro.version = parser.all();
  if (key == "target") read_target(parser, repro);
  if (key == "memory") read_memory(parser, repro);
  if (key == "seed") repro.seed = Seed{parser.number("seed")};
  if (key == "strategy") {
    repro.strategy = parser.word("a strategy");
    parser.keyword("run");
    repro.run = parser.number("run");
  }
  if (key == "rule") repro.rule = parser.word("a rule");
  if (key == "text") repro.text = parser.all();
  if (key == "fingerprint") read_fingerprint(parser, repro);
  if (key == "questions") repro.questions = parser.number("number of questions");
  if (key == "knob") repro.setting.knobs.emplace_back(parser.all());
  if (key == "digests")
    while (parser.more() && !parser.failed())
      repro.digests.push_back(static_cast<std::uint32_t>(parser.number("digest", most_32, 0, 16)));
  if (key == "actor") {
    const auto actor = static_cast<std::uint32_t>(parser.number("actor", most_32));
    const auto order = static_cast<std::uint32_t>(parser.number("order among those of one name", most_32));
    if (!repro.actors.empty() && actor <= repro.actors.back().actor) return parser.complain("actors stand by number");
    repro.actors.push_back({actor, order, std::string(parser.all())});
  }
  if (key == "at") return read_deviation(parser, repro);
  parser.nothing_more();
}

}  // namespace

std::string to_text(const Repro& repro) {
  std::string text = std::string(magic) + std::to_string(Repro::format) + "\n";
  const auto line = [&text](const char* key, const std::string& value) {
    text += key;
    text += " " + one_line(value) + "\n";
  };
  line("version", repro.version);
  line("target", repro.kind + " " + repro.content + " " + repro.path);
  line("memory", name_of(repro.setting.memory));
  line("seed", std::to_string(repro.seed.value));
  line("strategy", repro.strategy + " run " + std::to_string(repro.run));
  for (const std::string& knob : repro.setting.knobs) line("knob", knob);
  line("rule", repro.rule);
  line("text", repro.text);
  line("fingerprint", repro.fingerprint ? repro.fingerprint->text() : "-");
  line("questions", std::to_string(repro.questions));
  std::string digests;
  for (const std::uint32_t digest : repro.digests) digests += (digests.empty() ? "" : " ") + hash_text(digest, 8);
  if (!digests.empty()) line("digests", digests);
  for (const explore::ActorName& one : repro.actors)
    line("actor", std::to_string(one.actor) + " " + std::to_string(one.order) + " " + one.name);
  std::uint64_t before = 0;
  for (const explore::Deviation& one : repro.deviations) {
    line("at", "+" + std::to_string(one.index - before) + " take " + std::to_string(one.taken) + " of " +
                   std::to_string(one.alternatives) + " " + name_of(one.point) + " actor " + std::to_string(one.actor) +
                   " nth " + std::to_string(one.nth) + " hash " + hash_text(one.hash, 4));
    before = one.index;
  }
  return text + "checksum " + hexadecimal(checksum(text)) + "\n";
}

std::optional<Repro> read_repro(std::string_view text, const std::string& file, Problems& problems) {
  const std::size_t problems_before = problems.size();
  Parser parser(text, file, problems);
  if (!parser.next() || !text.starts_with(magic)) {
    parser.complain("is no repro: its first line would be \"vmbsim repro 1\"");
    return std::nullopt;
  }
  parser.word("vmbsim");
  parser.word("repro");
  const std::uint64_t format = parser.number("format of repros");
  if (!parser.failed() && format != Repro::format)
    parser.complain("is a repro of format " + std::to_string(format) + "; this vmbsim reads format " +
                    std::to_string(Repro::format));
  if (parser.failed()) return std::nullopt;

  Repro repro;
  std::size_t expected = 0;
  bool sealed = false;
  bool same = false;
  while (parser.next()) {
    parser.fresh_line();
    const std::string_view key = parser.word("a key");
    if (sealed) parser.complain("nothing comes after the checksum");
    if (key == "checksum") {
      sealed = true;
      const std::uint64_t found = parser.number("checksum", std::numeric_limits<std::uint64_t>::max(), 0, 16);
      same = found == checksum(text.substr(0, parser.line_begin()));
      continue;
    }
    const bool repeated = key == "knob" || key == "actor" || key == "at" || key == "digests";
    if (!repeated) {
      if (expected == once.size() || key != once[expected]) {
        parser.complain("\"" + std::string(key) + "\" is not expected here" +
                        (expected < once.size() ? std::string("; next comes ") + once[expected] : std::string()));
        break;
      }
      ++expected;
    }
    read_line(parser, key, repro);
  }
  const auto about_all = [&](const char* what) {
    Problem& problem = problems.emplace_back();
    problem.place.file = file;
    problem.text = what;
  };
  if (problems.size() == problems_before) {
    if (!sealed || !parser.complete())
      about_all("is cut short: its last line would be the checksum");
    else if (expected != once.size())
      about_all("lacks lines");
    else if (!same)
      about_all("its checksum is wrong: the file was changed or damaged");
  }
  if (problems.size() != problems_before) return std::nullopt;
  return repro;
}

}  // namespace vmbsim::hunt
