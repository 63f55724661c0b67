#pragma once
/// Tables in text: rows of named columns, numbers exact, every problem with its place.
///
///   CsvReader csv(text, "disk.csv");
///   const auto time = csv.column({"Init Time"});           // a missing column becomes a problem
///   while (time && csv.next()) {
///     if (const auto at = csv.duration(*time)) use(*at);    // a bad cell becomes a problem
///   }
///   const Problems problems = csv.take_problems();
///
/// Rules    RFC 4180 quoting; rows end in LF, CRLF or CR; blank lines are skipped; a row with more or fewer cells than
///          the header is a problem and is skipped. A UTF-8 byte order mark is dropped; UTF-16, gzip and binary data
///          are refused with what to do about it.
/// Numbers  are decimal or 0x hexadecimal and never pass through floating point. The thousands mark may be the other of
///          `.` and `,`, a space (plain, no-break or narrow) or an apostrophe.
/// Units    stand in the header: `Init Time (s)`. Times (s) (ms) (us) (ns), sizes (B) (KB) (MB); as in Windows
///          Performance Analyzer, 1 KB is 1024 B.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmbsim/bytes.hpp"
#include "vmbsim/problem.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::config {

/// Problems up to a limit; those beyond it are only counted, and named in one last line.
class CappedProblems {
 public:
  explicit CappedProblems(std::size_t limit) : limit_(limit) {}
  /// False once the limit is reached: finding out the place of one more problem is wasted work.
  bool room() const { return kept_.size() < limit_; }
  void add(Place place, std::string text);
  /// Everything so far, closed by "and N more" where some were not kept.
  Problems take();

 private:
  std::size_t limit_;
  std::size_t dropped_ = 0;
  Problems kept_;
};

struct CsvOptions {
  char delimiter = 0;                   ///< 0: the one of `,` `;` and tab that the first line holds most of
  char decimal = 0;                     ///< `.` or `,`; 0: what the first rows show, else `,` in a `;` file, else `.`
  char thousands = 0;                   ///< 0: whichever of `.` and `,` is not the decimal mark
  std::vector<std::string> names = {};  ///< of a file without a header line; empty: the first line is the header
  std::size_t max_problems = 20;
};

struct CsvColumn {
  enum class Quantity : std::uint8_t { plain, time, size };
  std::size_t index = 0;
  std::string name;  ///< as the header says it, unit included
  Quantity quantity = Quantity::plain;
  std::int64_t unit = 1;  ///< nanoseconds or bytes that 1 in this column stands for
};

/// One pass over a text. The text must outlive the reader; the reader owns everything else.
class CsvReader {
 public:
  static constexpr std::size_t max_columns = 1024;

  CsvReader(std::string_view text, std::string file, CsvOptions options = {});
  ~CsvReader();
  CsvReader(const CsvReader&) = delete;
  CsvReader& operator=(const CsvReader&) = delete;

  /// Empty when the file could not be read at all; take_problems() says why.
  const std::vector<CsvColumn>& columns() const { return columns_; }
  char delimiter() const { return options_.delimiter; }
  char decimal() const { return options_.decimal; }

  /// The column of that name, upper or lower case, with or without its unit; nothing if there is none.
  std::optional<CsvColumn> find(std::string_view name) const;
  /// The first of `names` that is there. None is a problem that lists the columns there are, nearest first; so is a
  /// name that stands twice in the header.
  std::optional<CsvColumn> column(std::initializer_list<std::string_view> names);
  /// The same of a column that may be missing.
  std::optional<CsvColumn> column_if_any(std::initializer_list<std::string_view> names);
  /// A column that none of `known` names becomes a problem at its place, with the nearest of them. True: there is none.
  bool refuse_others(const std::vector<std::string>& known);

  /// Takes the next row that has as many cells as the header. False at the end.
  bool next();
  /// How many rows next() has given out.
  std::size_t rows() const { return rows_; }

  // The cells of the current row.
  std::string_view text(const CsvColumn& column) const;
  /// A whole number of at most 2^63-1 either way.
  std::optional<std::int64_t> integer(const CsvColumn& column);
  /// Nanoseconds, to the nearest where the text is finer (half away from zero). `unit` counts where the header has none.
  std::optional<Duration> duration(const CsvColumn& column, Duration unit = Duration{1});
  /// Bytes, which must come out whole. A header without a unit means bytes.
  std::optional<Bytes> size(const CsvColumn& column);

  /// Where that cell of the current row begins. Columns count characters, not bytes.
  Place place(const CsvColumn& column) const;
  /// Adds a problem at that cell of the current row.
  void complain(const CsvColumn& column, std::string text);
  /// Adds a problem at the column's name in the header.
  void complain_header(const CsvColumn& column, std::string text);
  /// Adds a problem of the file as a whole.
  void complain_file(std::string text);
  Problems take_problems() { return problems_.take(); }

 private:
  class Rows;
  std::optional<std::string> why_options_clash() const;
  std::string no_column(std::string_view name) const;
  void read_header();
  void find_decimal_mark();
  std::optional<std::int64_t> scaled(const CsvColumn& column, std::int64_t unit, bool whole, std::string_view what);
  void check() const;

  std::string_view text_;
  std::string file_;
  CsvOptions options_;
  CappedProblems problems_;
  std::unique_ptr<Rows> rows_of_text_;
  std::vector<CsvColumn> columns_;
  std::size_t header_at_ = 0;
  std::uint32_t header_line_ = 1;
  std::size_t rows_ = 0;
};

/// Why `text` is no text to read: empty, compressed, UTF-16 or binary, and what to do about it. Nothing if it is.
std::optional<std::string> why_unreadable(std::string_view text);

/// A cell as it may stand in a message: in quotes, control characters and broken UTF-8 made visible, shortened.
std::string quoted(std::string_view cell);

}  // namespace vmbsim::config
