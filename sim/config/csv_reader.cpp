#include "sim/config/csv_reader.hpp"

#include <csv.h>
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include "sim/config/suggestions.hpp"
#include "vmbsim/assert.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim::config {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t rows_that_show_the_decimal_mark = 200;
constexpr std::size_t columns_a_message_lists = 16;
constexpr std::size_t cell_growth = 1 << 16;  // libcsv copies a cell anew whenever it has grown by this

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// --- Numbers -----------------------------------------------------------------------------------------------------

struct Marks {
  char decimal;
  char thousands;
};

/// A decimal number as written: (whole + fraction / 10^decimals), negative or not.
struct Number {
  bool negative = false;
  Wide whole = 0;     // at most 2^64-1
  Wide fraction = 0;  // at most 18 digits; those behind them are dropped
  std::uint32_t decimals = 0;
};
using NumberOrFault = std::variant<Number, std::string>;

constexpr Wide ten_to(std::uint32_t exponent) {
  Wide power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

/// How many bytes of `text` are one thousands mark; 0: none.
std::size_t group_mark(std::string_view text, char thousands) {
  if (text.front() == thousands || text.front() == ' ' || text.front() == '\'') return 1;
  for (const std::string_view mark : {"\xC2\xA0", "\xE2\x80\xAF", "\xE2\x80\x99"})  // U+00A0, U+202F, U+2019
    if (text.substr(0, mark.size()) == mark) return mark.size();
  return 0;
}

bool add_digit(Wide& value, unsigned base, unsigned digit) {
  value = value * base + digit;
  return value <= std::numeric_limits<std::uint64_t>::max();
}

NumberOrFault parse_hexadecimal(std::string_view digits) {
  if (digits.empty()) return "0x needs at least one hexadecimal digit";
  Number number;
  for (const char c : digits) {
    const char d = lower(c);
    if (!is_digit(d) && (d < 'a' || d > 'f')) return "is not a hexadecimal number";
    if (!add_digit(number.whole, 16, static_cast<unsigned>(is_digit(d) ? d - '0' : d - 'a' + 10)))
      return "is too large a number";
  }
  return number;
}

/// The whole part up to the decimal mark, in groups of two or three digits (of three before the decimal mark).
std::optional<std::string> parse_whole(std::string_view& text, Marks marks, Number& number) {
  std::size_t group = 0;  // digits since the last thousands mark
  bool grouped = false;
  while (!text.empty() && text.front() != marks.decimal) {
    if (is_digit(text.front())) {
      if (!add_digit(number.whole, 10, static_cast<unsigned>(text.front() - '0'))) return "is too large a number";
      ++group;
      text.remove_prefix(1);
    } else if (const std::size_t mark = group_mark(text, marks.thousands); mark > 0) {
      if (group == 0 || group > 3 || (grouped && group < 2)) return "has a thousands mark in a strange place";
      grouped = true;
      group = 0;
      text.remove_prefix(mark);
    } else {
      return "is not a number";
    }
  }
  if (grouped && group != 3) return "has a thousands mark that three digits do not follow";
  if (!grouped && group == 0) return "is not a number";
  return std::nullopt;
}

std::optional<std::string> parse_fraction(std::string_view digits, Number& number) {
  if (digits.empty()) return "needs a digit behind the decimal mark";
  for (const char c : digits) {
    if (!is_digit(c)) return "is not a number";
    if (number.decimals == 18) continue;
    number.fraction = number.fraction * 10 + static_cast<unsigned>(c - '0');
    ++number.decimals;
  }
  return std::nullopt;
}

NumberOrFault parse_number(std::string_view text, Marks marks) {
  if (text.empty()) return "is empty; a number is needed";
  Number number;
  if (text.front() == '-') {
    number.negative = true;
    text.remove_prefix(1);
  }
  if (text.size() >= 2 && text[0] == '0' && lower(text[1]) == 'x') {
    NumberOrFault hexadecimal = parse_hexadecimal(text.substr(2));
    if (auto* value = std::get_if<Number>(&hexadecimal)) value->negative = number.negative;
    return hexadecimal;
  }
  if (auto fault = parse_whole(text, marks, number)) return *fault;
  if (text.empty()) return number;
  if (auto fault = parse_fraction(text.substr(1), number)) return *fault;
  return number;
}

/// Which of `.` and `,` is the decimal mark of a cell that leaves no doubt; 0 in doubt.
char decimal_mark_of(std::string_view cell) {
  if (!cell.empty() && cell.front() == '-') cell.remove_prefix(1);
  std::size_t points = 0, commas = 0;
  for (const char c : cell) {
    points += c == '.';
    commas += c == ',';
    if (!is_digit(c) && c != '.' && c != ',') return 0;
  }
  if (points + commas == 0 || !is_digit(cell.front()) || !is_digit(cell.back())) return 0;
  const std::size_t first = cell.find_first_of(".,");
  const std::size_t last = cell.find_last_of(".,");
  const char last_mark = cell[last];
  const char other = last_mark == '.' ? ',' : '.';
  if (points > 0 && commas > 0)  // 1.360,300
    return (last_mark == '.' ? points : commas) == 1 ? last_mark : '\0';
  if (points + commas > 1) {  // 1.048.576
    std::size_t group = 0;
    for (const char c : cell.substr(first + 1)) {
      if (is_digit(c))
        ++group;
      else if (std::exchange(group, 0) != 3)
        return 0;
    }
    return group == 3 && first <= 3 ? other : '\0';
  }
  const bool could_be_thousands = cell.size() - last == 4 && first <= 3 && cell.front() != '0';
  return could_be_thousands ? '\0' : last_mark;  // 1.079 may be either, 1,079943800 only one
}

// --- Headers -----------------------------------------------------------------------------------------------------

struct Unit {
  std::string_view text;
  CsvColumn::Quantity quantity;
  std::int64_t unit;
};

// The micro sign is U+00B5 in Windows' own code pages, U+03BC in Greek text, and the bare byte in a file that was never
// converted to UTF-8.
constexpr Unit units[] = {
    {"s", CsvColumn::Quantity::time, 1'000'000'000},
    {"ms", CsvColumn::Quantity::time, 1'000'000},
    {"us", CsvColumn::Quantity::time, 1'000},
    {"\xC2\xB5s", CsvColumn::Quantity::time, 1'000},
    {"\xCE\xBCs", CsvColumn::Quantity::time, 1'000},
    {"\xB5s", CsvColumn::Quantity::time, 1'000},
    {"ns", CsvColumn::Quantity::time, 1},
    {"b", CsvColumn::Quantity::size, 1},
    {"kb", CsvColumn::Quantity::size, 1024},
    {"mb", CsvColumn::Quantity::size, 1024 * 1024},
};

/// The unit in the parentheses that end a header: `Init Time (s)`. Nullptr where there is none.
const Unit* unit_of(std::string_view header) {
  if (header.empty() || header.back() != ')') return nullptr;
  const std::size_t open = header.rfind('(');
  if (open == std::string_view::npos) return nullptr;
  const std::string inside = lower(trimmed(header.substr(open + 1, header.size() - open - 2)));
  for (const Unit& unit : units)
    if (inside == unit.text) return &unit;
  return nullptr;
}

std::string_view without_unit(std::string_view header) {
  return unit_of(header) ? trimmed(header.substr(0, header.rfind('('))) : header;
}

bool names_it(const CsvColumn& column, std::string_view name) {
  const std::string wanted = lower(name);
  return wanted == lower(column.name) || wanted == lower(without_unit(column.name));
}

CsvColumn column_of(std::string_view header, std::size_t index) {
  CsvColumn column;
  column.index = index;
  column.name = std::string(trimmed(header));
  if (const Unit* unit = unit_of(column.name)) {
    column.quantity = unit->quantity;
    column.unit = unit->unit;
  }
  return column;
}

/// The delimiter that the first line with anything on it holds most of, quoted text aside; `,` where it holds none.
char delimiter_of(std::string_view text) {
  std::size_t commas = 0, semicolons = 0, tabs = 0;
  bool inside_quotes = false, anything = false;
  for (const char c : text) {
    if (c == '"') inside_quotes = !inside_quotes;
    if (inside_quotes) continue;
    if ((c == '\n' || c == '\r') && anything) break;
    anything = anything || (c != ' ' && c != '\n' && c != '\r' && c != '\t');
    commas += c == ',';
    semicolons += c == ';';
    tabs += c == '\t';
  }
  if (semicolons > commas && semicolons >= tabs) return ';';
  return tabs > commas ? '\t' : ',';
}

}  // namespace

void CappedProblems::add(Place place, std::string text) {
  if (room())
    kept_.push_back({std::move(place), std::move(text)});
  else
    ++dropped_;
}

Problems CappedProblems::take() {
  Problems all = std::exchange(kept_, {});
  if (const std::size_t more = std::exchange(dropped_, 0); more > 0)
    all.push_back({Place{all.empty() ? std::string() : all.back().place.file, 0, 0}, fmt::format("and {} more", more)});
  return all;
}

std::optional<std::string> why_unreadable(std::string_view text) {
  const auto starts_with = [&](std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; };
  if (trimmed(text).empty()) return "the file is empty";
  if (starts_with("\x1F\x8B")) return "the file is compressed (gzip); unpack it first: gzip -dk FILE";
  if (starts_with("\xFF\xFE") || starts_with("\xFE\xFF"))
    return "the file is UTF-16; save it as UTF-8 (iconv -f UTF-16 -t UTF-8)";
  if (text.find('\0') != std::string_view::npos)
    return "the file holds zero bytes, so it is binary, or UTF-16 without a mark; text in UTF-8 is needed";
  return std::nullopt;
}

std::string quoted(std::string_view cell) {
  constexpr std::size_t longest = 40;
  return '"' + printable(cell, longest) + '"';
}

/// The text as rows. libcsv says nothing about places, so it is fed one line at a time: a row ends within a line, and the
/// place of a cell inside its row is found by reading that row again, which happens only for a problem.
class CsvReader::Rows {
 public:
  enum class Outcome : std::uint8_t { row, end, broken };

  Rows(std::string_view text, char delimiter, std::size_t at) : text_(text), at_(at), delimiter_(delimiter) {
    start(parser_);
  }
  ~Rows() { csv_free(&parser_); }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  Outcome next() {
    cells_.clear();
    ends_.clear();
    row_done_ = false;
    bool begun = false;
    while (at_ < text_.size()) {
      const std::string_view line = line_at(at_);
      if (!begun) {
        row_at_ = at_;
        row_line_ = line_;
        begun = !is_blank(line);
      }
      const std::size_t taken = csv_parse(&parser_, line.data(), line.size(), &Rows::on_cell, &Rows::on_row, this);
      if (taken != line.size()) {
        broken_at_ = at_ + taken;
        broken_why_ = csv_error(&parser_) == CSV_EPARSE
                          ? "a quotation mark stands inside a cell; double it, and put the whole cell in quotes"
                          : "the row is too large for memory";
        return Outcome::broken;
      }
      at_ += line.size();
      ++line_;
      if (row_done_) return Outcome::row;
    }
    if (csv_fini(&parser_, &Rows::on_cell, &Rows::on_row, this) != 0) {
      broken_at_ = cell_at(row_at_, ends_.size());
      broken_why_ = "this cell opens a quotation that is never closed";
      return Outcome::broken;
    }
    return row_done_ ? Outcome::row : Outcome::end;
  }

  std::size_t size() const { return ends_.size(); }
  std::string_view cell(std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(cells_).substr(begin, ends_[index] - begin);
  }
  std::size_t row_at() const { return row_at_; }
  std::uint32_t row_line() const { return row_line_; }
  /// Where the text could not be read on, and why.
  std::size_t broken_at() const { return broken_at_; }
  const char* broken_why() const { return broken_why_; }

  /// Where cell `index` of the row that begins at `row_at` starts: reads the row again, byte by byte. Past the last cell:
  /// the row's end.
  std::size_t cell_at(std::size_t row_at, std::size_t index) const {
    csv_parser parser;
    start(parser);
    struct Seen {
      std::size_t cells = 0;
      bool row = false;
    } seen;
    std::size_t at = row_at;
    while (at < text_.size() && seen.cells < index && !seen.row) {
      const std::size_t taken = csv_parse(
          &parser, text_.data() + at, 1, [](void*, std::size_t, void* s) { ++static_cast<Seen*>(s)->cells; },
          [](int, void* s) { static_cast<Seen*>(s)->row = true; }, &seen);
      if (taken != 1) break;
      ++at;
    }
    csv_free(&parser);
    if (seen.row && at > row_at) return at - 1;  // on the line end, where the missing cell should have been
    while (at < text_.size() && is_space(text_[at])) ++at;
    return at;
  }

  /// The place of byte `at`, counted from the row that begins at `row_at` on line `line`.
  Place place(const std::string& file, std::size_t row_at, std::uint32_t line, std::size_t at) const {
    std::size_t line_begin = row_at;
    while (line_begin < at) {
      const std::size_t length = line_at(line_begin).size();
      if (line_begin + length > at || line_begin + length >= text_.size()) break;
      line_begin += length;
      ++line;
    }
    std::uint32_t column = 1;
    for (std::size_t i = line_begin; i < at; ++i) column += (static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80;
    return {file, line, column};
  }

 private:
  void start(csv_parser& parser) const {
    const int failed = csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    VMBSIM_ASSERT(failed == 0, "libcsv starts with any valid options");
    csv_set_blk_size(&parser, cell_growth);
    csv_set_delim(&parser, static_cast<unsigned char>(delimiter_));
  }
  bool is_space(char c) const { return (c == ' ' || c == '\t') && c != delimiter_; }
  bool is_blank(std::string_view line) const {
    return std::all_of(line.begin(), line.end(), [&](char c) { return is_space(c) || c == '\r' || c == '\n'; });
  }
  /// The line from `at` on, its end included: LF, CRLF or CR.
  std::string_view line_at(std::size_t at) const {
    const std::size_t end = text_.find_first_of("\r\n", at);
    if (end == std::string_view::npos) return text_.substr(at);
    const bool pair = text_[end] == '\r' && end + 1 < text_.size() && text_[end + 1] == '\n';
    return text_.substr(at, end + (pair ? 2 : 1) - at);
  }
  static void on_cell(void* bytes, std::size_t size, void* rows) {
    auto& self = *static_cast<Rows*>(rows);
    if (size > 0) self.cells_.append(static_cast<const char*>(bytes), size);
    self.ends_.push_back(self.cells_.size());
  }
  static void on_row(int, void* rows) { static_cast<Rows*>(rows)->row_done_ = true; }

  std::string_view text_;
  std::size_t at_;
  char delimiter_;
  csv_parser parser_{};
  std::uint32_t line_ = 1;
  std::size_t row_at_ = 0;
  std::uint32_t row_line_ = 1;
  bool row_done_ = false;
  std::size_t broken_at_ = 0;
  const char* broken_why_ = "";
  std::string cells_;              // of the current row, one behind the other
  std::vector<std::size_t> ends_;  // where each cell of cells_ ends
};

CsvReader::CsvReader(std::string_view text, std::string file, CsvOptions options)
    : text_(text), file_(std::move(file)), options_(std::move(options)), problems_(options_.max_problems) {
  const std::size_t begin = text_.substr(0, byte_order_mark.size()) == byte_order_mark ? byte_order_mark.size() : 0;
  text_.remove_prefix(begin);
  if (options_.delimiter == 0) options_.delimiter = delimiter_of(text_);
  rows_of_text_ = std::make_unique<Rows>(text_, options_.delimiter, 0);
  auto why = why_unreadable(text_);
  if (!why) why = why_options_clash();
  if (why) {
    complain_file(*why);
    return;
  }
  read_header();
  find_decimal_mark();
  check();
}

CsvReader::~CsvReader() = default;

std::optional<std::string> CsvReader::why_options_clash() const {
  if (options_.delimiter == '"' || options_.delimiter == '\r' || options_.delimiter == '\n')
    return "a quotation mark or a line end cannot be the delimiter";
  if (options_.decimal != 0 && options_.decimal != '.' && options_.decimal != ',') return "the decimal mark is . or ,";
  if (is_digit(options_.thousands) || options_.thousands == '-')
    return "a digit or a sign cannot be the thousands mark";
  if (options_.decimal != 0 && options_.decimal == options_.thousands)
    return fmt::format("'{}' cannot be both the decimal and the thousands mark", options_.decimal);
  return std::nullopt;
}

void CsvReader::read_header() {
  if (!options_.names.empty()) {
    for (std::size_t i = 0; i < options_.names.size(); ++i) columns_.push_back(column_of(options_.names[i], i));
    return;
  }
  Rows& rows = *rows_of_text_;
  const Rows::Outcome outcome = rows.next();
  header_at_ = rows.row_at();
  header_line_ = rows.row_line();
  if (outcome != Rows::Outcome::row) {
    const Place place = rows.place(file_, header_at_, header_line_, rows.broken_at());
    return problems_.add(place, rows.broken_why());
  }
  if (rows.size() > max_columns)
    return problems_.add({file_, header_line_, 1},
                         fmt::format("the first line has {} columns, more than {}; is it a table with a header?",
                                     rows.size(), max_columns));
  for (std::size_t i = 0; i < rows.size(); ++i) columns_.push_back(column_of(rows.cell(i), i));
}

void CsvReader::find_decimal_mark() {
  if (options_.decimal == 0 && options_.thousands == '.') options_.decimal = ',';
  if (options_.decimal == 0 && options_.thousands == ',') options_.decimal = '.';
  if (options_.decimal == 0) {
    Rows ahead(text_, options_.delimiter, 0);
    if (options_.names.empty()) ahead.next();
    for (std::size_t row = 0; row < rows_that_show_the_decimal_mark && options_.decimal == 0; ++row) {
      if (ahead.next() != Rows::Outcome::row) break;
      for (std::size_t i = 0; i < ahead.size() && options_.decimal == 0; ++i)
        options_.decimal = decimal_mark_of(ahead.cell(i));
    }
  }
  if (options_.decimal == 0) options_.decimal = options_.delimiter == ';' ? ',' : '.';
  if (options_.thousands == 0) options_.thousands = options_.decimal == '.' ? ',' : '.';
}

std::optional<CsvColumn> CsvReader::find(std::string_view name) const {
  for (const CsvColumn& column : columns_)
    if (names_it(column, name)) return column;
  return std::nullopt;
}

std::optional<CsvColumn> CsvReader::column_if_any(std::initializer_list<std::string_view> names) {
  VMBSIM_ASSERT(names.size() > 0, "a column is asked for by name");
  for (const std::string_view name : names) {
    auto found = find(name);
    if (!found) continue;
    const auto twice =
        std::count_if(columns_.begin(), columns_.end(), [&](const auto& c) { return names_it(c, name); });
    if (twice == 1) return found;
    complain_header(*found, fmt::format("{} columns are called {}; rename all but one", twice, quoted(name)));
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<CsvColumn> CsvReader::column(std::initializer_list<std::string_view> names) {
  if (columns_.empty()) return std::nullopt;  // said once already
  auto found = column_if_any(names);
  if (!found && std::none_of(names.begin(), names.end(), [&](std::string_view name) { return find(name); }))
    problems_.add({file_, header_line_, 1}, no_column(*names.begin()));
  return found;
}

bool CsvReader::refuse_others(const std::vector<std::string>& known) {
  bool none = true;
  for (const CsvColumn& column : columns_) {
    const auto is = [](const CsvColumn& one) {
      return [&one](const std::string& name) { return names_it(one, name); };
    };
    if (std::any_of(known.begin(), known.end(), is(column))) continue;
    none = false;
    const std::string name = lower(without_unit(column.name));
    const CsvColumn bare = column_of(name.substr(0, name.find('(')), column.index);
    if (std::any_of(known.begin(), known.end(), is(bare)))
      complain_header(column, fmt::format("{} has no unit that is known; right would be one of: (s), (ms), (us), (ns)",
                                          quoted(column.name)));
    else
      complain_header(column, fmt::format("the column {} is unknown{}", quoted(column.name),
                                          did_you_mean_or(name, known, "; known are: ")));
  }
  return none;
}

std::string CsvReader::no_column(std::string_view name) const {
  std::vector<std::string> words, there;
  for (const CsvColumn& column : columns_) {
    words.push_back(lower(without_unit(column.name)));
    there.push_back(quoted(column.name));
  }
  if (const auto best = nearest(lower(name), words)) {
    const auto at = std::find(words.begin(), words.end(), *best) - words.begin();
    std::rotate(there.begin(), there.begin() + at, there.begin() + at + 1);
  }
  if (there.size() > columns_a_message_lists) {
    there.resize(columns_a_message_lists);
    there.push_back("...");
  }
  return fmt::format("there is no column {}; there are, nearest first: {}", quoted(name), listed(there));
}

bool CsvReader::next() {
  if (columns_.empty()) return false;
  Rows& rows = *rows_of_text_;
  while (true) {
    const Rows::Outcome outcome = rows.next();
    if (outcome == Rows::Outcome::end) return false;
    if (outcome == Rows::Outcome::broken) {
      problems_.add(rows.place(file_, rows.row_at(), rows.row_line(), rows.broken_at()), rows.broken_why());
      columns_.clear();  // nothing behind a broken quotation can be told apart
      return false;
    }
    if (rows.size() == columns_.size()) {
      ++rows_;
      check();
      return true;
    }
    std::string text =
        fmt::format("the row has {}, and there {} {}", counted(rows.size(), "cell", "cells"),
                    word_for(columns_.size(), "is", "are"), counted(columns_.size(), "column", "columns"));
    if (!problems_.room()) {
      problems_.add({}, std::move(text));
      continue;
    }
    const std::size_t at = rows.cell_at(rows.row_at(), std::min(rows.size(), columns_.size()));
    problems_.add(rows.place(file_, rows.row_at(), rows.row_line(), at), std::move(text));
  }
}

std::string_view CsvReader::text(const CsvColumn& column) const {
  VMBSIM_ASSERT(column.index < rows_of_text_->size(), "a cell is read from a row that has it");
  return rows_of_text_->cell(column.index);
}

std::optional<std::int64_t> CsvReader::scaled(const CsvColumn& column, std::int64_t unit, bool whole,
                                              std::string_view what) {
  VMBSIM_ASSERT(unit > 0, "a unit is a positive amount");
  const std::string_view cell = trimmed(text(column));
  const NumberOrFault parsed = parse_number(cell, {options_.decimal, options_.thousands});
  if (const auto* fault = std::get_if<std::string>(&parsed)) {
    complain(column, fmt::format("{}{}{} {}", quoted(column.name), cell.empty() ? "" : " ",
                                 cell.empty() ? "" : quoted(cell), *fault));
    return std::nullopt;
  }
  const Number& number = std::get<Number>(parsed);
  const auto scale = static_cast<Wide>(unit);
  const Wide part = ten_to(number.decimals);
  const Wide fraction = number.fraction * scale;
  if (whole && fraction % part != 0) {
    complain(column, fmt::format("{} {} must be a whole number of {}", quoted(column.name), quoted(cell), what));
    return std::nullopt;
  }
  const Wide amount = number.whole * scale + (fraction + part / 2) / part;
  constexpr auto most = static_cast<Wide>(std::numeric_limits<std::int64_t>::max());
  if (amount > most) {
    complain(column, fmt::format("{} {} is too large: the most is {} {}", quoted(column.name), quoted(cell),
                                 std::numeric_limits<std::int64_t>::max(), what));
    return std::nullopt;
  }
  const auto value = static_cast<std::int64_t>(amount);
  return number.negative ? -value : value;
}

std::optional<std::int64_t> CsvReader::integer(const CsvColumn& column) { return scaled(column, 1, true, "ones"); }

std::optional<Duration> CsvReader::duration(const CsvColumn& column, Duration unit) {
  const bool own_unit = column.quantity == CsvColumn::Quantity::time;
  const auto ns = scaled(column, own_unit ? column.unit : unit.count(), false, "nanoseconds");
  return ns ? std::optional(Duration{*ns}) : std::nullopt;
}

std::optional<Bytes> CsvReader::size(const CsvColumn& column) {
  const bool own_unit = column.quantity == CsvColumn::Quantity::size;
  const auto bytes = scaled(column, own_unit ? column.unit : 1, true, "bytes");
  return bytes ? std::optional(Bytes{*bytes}) : std::nullopt;
}

Place CsvReader::place(const CsvColumn& column) const {
  const Rows& rows = *rows_of_text_;
  return rows.place(file_, rows.row_at(), rows.row_line(), rows.cell_at(rows.row_at(), column.index));
}

void CsvReader::complain(const CsvColumn& column, std::string text) {
  problems_.add(problems_.room() ? place(column) : Place{}, std::move(text));
}

void CsvReader::complain_header(const CsvColumn& column, std::string text) {
  const Rows& rows = *rows_of_text_;
  const bool there = options_.names.empty();
  problems_.add(
      there ? rows.place(file_, header_at_, header_line_, rows.cell_at(header_at_, column.index)) : Place{file_, 0, 0},
      std::move(text));
}

void CsvReader::complain_file(std::string text) { problems_.add({file_, 0, 0}, std::move(text)); }

void CsvReader::check() const {
  VMBSIM_ASSERT(rows_ == 0 || rows_of_text_->size() == columns_.size(), "a row that was given out has every column");
  VMBSIM_ASSERT(columns_.empty() || options_.decimal != options_.thousands, "a mark means one thing");
}

}  // namespace vmbsim::config
