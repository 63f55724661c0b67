#include "models/workload/trace_reader.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "sim/config/csv_reader.hpp"
#include "sim/config/suggestions.hpp"
#include "vmbsim/assert.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim::workload {
namespace {

using config::CappedProblems;
using config::CsvColumn;
using config::CsvReader;
using config::quoted;
using Kind = TraceRecord::Kind;

constexpr std::int64_t largest_request = std::int64_t{1} << 30;
constexpr Duration longest_trace = std::chrono::hours{24 * 365 * 10};  // the longest run
constexpr Duration filetime_tick{100};
constexpr std::size_t max_problems = 20;

/// `ns * scale` rounded to the nearest, half up: exact, because a double is an integer times a power of two.
std::optional<Duration> scaled(Duration ns, double scale) {
  if (scale == 1) return ns;
  constexpr int mantissa_bits = std::numeric_limits<double>::digits;
  constexpr auto most = static_cast<Wide>(std::numeric_limits<std::int64_t>::max());
  int exponent = 0;
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(scale, &exponent), mantissa_bits));
  exponent -= mantissa_bits;
  Wide product = static_cast<Wide>(ns.count()) * mantissa;  // below 2^116
  if (exponent >= 0) {
    if (product > 0 && (exponent >= 63 || product > (most >> exponent))) return std::nullopt;
    product <<= std::min(exponent, 63);
  } else if (exponent <= -128) {
    product = 0;
  } else {
    product = (product >> -exponent) + ((product >> (-exponent - 1)) & 1);
  }
  if (product > most) return std::nullopt;
  return Duration{static_cast<std::int64_t>(product)};
}

std::optional<Kind> kind_of(std::string_view word) {
  constexpr std::pair<std::string_view, Kind> words[] = {{"read", Kind::read},   {"r", Kind::read},
                                                         {"write", Kind::write}, {"w", Kind::write},
                                                         {"flush", Kind::flush}, {"f", Kind::flush}};
  for (const auto& [known, kind] : words) {
    const bool same = word.size() == known.size() && std::equal(word.begin(), word.end(), known.begin(),
                                                                [](char a, char b) { return (a | 0x20) == b; });
    if (same) return kind;
  }
  return std::nullopt;
}

std::string unknown(std::string_view what, std::string_view word, const std::vector<std::string>& known) {
  return fmt::format("unknown {} {}{}; one of: {}", what, quoted(word), config::did_you_mean(word, known),
                     config::listed(known));
}

Problem of_the_file(const std::string& file, const char* text) {
  Problem problem;
  problem.place.file = file;
  problem.text = text;
  return problem;
}

/// Which cell of a record is at fault.
enum class Cell : std::uint8_t { arrival, size, offset };
struct Fault {
  Cell cell;
  std::string text;
};

/// Collects records and holds them to the rules; times count in `tick` until the end, so that FILETIME dates fit.
class Recording {
 public:
  Recording(const TraceOptions& options, Duration tick, std::string arrival_name)
      : options_(options), tick_(tick), arrival_name_(std::move(arrival_name)) {}

  /// Everything that is wrong with one record; empty: it was taken.
  std::vector<Fault> add(std::int64_t ticks, TraceRecord record) {
    std::vector<Fault> faults;
    if (record.kind == Kind::flush) {
      record.size = Bytes{0};
      record.offset = 0;
    } else if (record.size.count <= 0 || record.size.count > largest_request) {
      faults.push_back(
          {Cell::size, fmt::format("a request of {} bytes; 1 byte to 1 GiB is possible", record.size.count)});
    }
    if (record.offset < 0) faults.push_back({Cell::offset, fmt::format("the offset {} is negative", record.offset)});
    if (ticks < 0)
      faults.push_back({Cell::arrival, "the arrival is negative"});
    else if (ticks < latest_ && !options_.sort)
      faults.push_back({Cell::arrival, goes_back(ticks)});
    latest_ = ticks;
    if (faults.empty()) timed_.push_back({ticks, record});
    return faults;
  }

  Trace finish(const std::string& file, Problems& problems) && {
    if (timed_.empty() && problems.empty()) problems.push_back(of_the_file(file, "the file holds no I/O"));
    if (!problems.empty()) return {};
    if (options_.sort)
      std::stable_sort(timed_.begin(), timed_.end(), [](const auto& a, const auto& b) { return a.ticks < b.ticks; });
    Trace trace;
    trace.reserve(timed_.size());
    for (const Timed& timed : timed_) {
      std::int64_t ns = 0;
      const bool fits = !__builtin_mul_overflow(timed.ticks - timed_.front().ticks, tick_.count(), &ns);
      const auto arrival = fits ? scaled(Duration{ns}, options_.time_scale) : std::nullopt;
      if (!arrival || *arrival > longest_trace) {
        problems.push_back(of_the_file(file, "the trace, as scaled, is longer than 10 years"));
        return {};
      }
      trace.push_back(timed.record);
      trace.back().arrival = *arrival;
    }
    check(trace);
    return trace;
  }

 private:
  struct Timed {
    std::int64_t ticks;
    TraceRecord record;
  };

  std::string goes_back(std::int64_t ticks) const {
    const std::string unit = tick_ == Duration{1} ? "ns" : fmt::format("x {} ns", tick_.count());
    return fmt::format("the arrival goes back from {} {} to {} {}; sort the file by {}, or say sort = true", latest_,
                       unit, ticks, unit, arrival_name_);
  }
  static void check(const Trace& trace) {
    VMBSIM_ASSERT(trace.front().arrival == Duration{0}, "a trace begins with its first record");
    VMBSIM_ASSERT(
        std::is_sorted(trace.begin(), trace.end(), [](const auto& a, const auto& b) { return a.arrival < b.arrival; }),
        "a trace is in order of arrival");
  }

  const TraceOptions& options_;
  Duration tick_;
  std::string arrival_name_;
  std::int64_t latest_ = 0;
  std::vector<Timed> timed_;
};

// --- Tables: wpa-disk-io, msr, csv -------------------------------------------------------------------------------

/// Nanoseconds since 1970 of `2023-11-16 18:15:46.6805900` (or with a T, or with a Z). Nothing where it is none such.
std::optional<std::int64_t> date_and_time(std::string_view text) {
  constexpr std::string_view shape = "dddd-dd-dd dd:dd:dd";
  if (text.size() > shape.size() && (text.back() == 'Z' || text.back() == 'z')) text.remove_suffix(1);
  if (text.size() < shape.size() || text.size() > shape.size() + 10) return std::nullopt;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool separates_time = shape[i] == ' ' && (text[i] == 'T' || text[i] == 't');
    if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != shape[i] && !separates_time) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t digits) {
    int value = 0;
    for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
    return value;
  };
  const std::chrono::year_month_day date(std::chrono::year(number(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(number(8, 2))));
  const int hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  constexpr std::chrono::year first(1970), last(2261);  // what 63 bits of nanoseconds hold
  if (!date.ok() || date.year() < first || date.year() > last || hour > 23 || minute > 59 || second > 59)
    return std::nullopt;
  std::string_view fraction = text.substr(shape.size());
  if (!fraction.empty() && (fraction.front() != '.' || fraction.size() == 1)) return std::nullopt;
  if (!fraction.empty()) fraction.remove_prefix(1);
  std::int64_t ns = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    if (i < fraction.size() && !is_digit(fraction[i])) return std::nullopt;
    ns = ns * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1'000'000'000 + ns;
}

/// The table of one format: where its columns are and what they count in. The arrival counts in `tick`.
struct Table {
  std::optional<CsvColumn> arrival, size, kind, offset, service;
  Duration tick{1};
  Duration unit{1};  // of times whose header names none
  Bytes size_if_absent{0};
  bool dates = false;  // the arrival may be a date and time
};

std::optional<std::int64_t> arrival_of(CsvReader& csv, const Table& table) {
  if (table.tick != Duration{1}) return csv.integer(*table.arrival);
  if (table.dates)
    if (const auto date = date_and_time(csv.text(*table.arrival))) return date;
  const auto time = csv.duration(*table.arrival, table.unit);
  return time ? std::optional(time->count()) : std::nullopt;
}

std::optional<Kind> kind_of_row(CsvReader& csv, const Table& table) {
  if (!table.kind) return Kind::read;
  const auto kind = kind_of(csv.text(*table.kind));
  if (!kind) csv.complain(*table.kind, unknown("kind", csv.text(*table.kind), {"Read", "Write", "Flush"}));
  return kind;
}

/// The current row, its arrival aside. Nothing where a cell does not read; the problem is then noted.
std::optional<TraceRecord> record_of(CsvReader& csv, const Table& table) {
  const auto kind = kind_of_row(csv, table);
  if (!kind) return std::nullopt;
  TraceRecord record;
  record.kind = *kind;
  record.size = table.size_if_absent;
  bool good = true;
  if (table.size && *kind != Kind::flush) {
    const auto size = csv.size(*table.size);
    good = size.has_value();
    record.size = size.value_or(Bytes{});
  }
  if (table.offset && *kind != Kind::flush) {
    const auto offset = csv.integer(*table.offset);
    good = good && offset.has_value();
    record.offset = offset.value_or(0);
  }
  if (table.service && !csv.text(*table.service).empty()) {
    const auto service = csv.duration(*table.service, table.unit);
    good = good && service.has_value();
    record.service = service.value_or(Duration{});
    if (service && *service < Duration{0}) {
      csv.complain(*table.service, "the service time is negative");
      good = false;
    }
  }
  return good ? std::optional(record) : std::nullopt;
}

const CsvColumn& column_of(const Table& table, Cell cell) {
  switch (cell) {
    case Cell::size: return table.size ? *table.size : *table.arrival;
    case Cell::offset: return *table.offset;
    case Cell::arrival: break;
  }
  return *table.arrival;
}

TraceText read_table(CsvReader& csv, const Table& table, const std::string& file, const TraceOptions& options) {
  TraceText out;
  if (table.arrival) {
    Recording recording(options, table.tick, quoted(table.arrival->name));
    while (csv.next()) {
      const auto arrival = arrival_of(csv, table);
      const auto record = record_of(csv, table);
      if (!arrival || !record) continue;
      for (Fault& fault : recording.add(*arrival, *record))
        csv.complain(column_of(table, fault.cell), std::move(fault.text));
    }
    out.problems = csv.take_problems();
    out.trace = std::move(recording).finish(file, out.problems);
  } else {
    out.problems = csv.take_problems();
  }
  return out;
}

config::CsvOptions csv_options(const TraceOptions& options) {
  config::CsvOptions csv;
  csv.delimiter = options.delimiter;
  csv.decimal = options.decimal;
  csv.thousands = options.thousands;
  csv.max_problems = max_problems;
  return csv;
}

/// The column, which must be one of times; a header that names no unit would leave a factor of a million open.
std::optional<CsvColumn> time_column(CsvReader& csv, std::optional<CsvColumn> column) {
  if (!column || column->quantity == CsvColumn::Quantity::time) return column;
  csv.complain_header(
      *column, fmt::format("column {} names no unit; one of: (s), (ms), (\xC2\xB5s), (ns)", quoted(column->name)));
  return std::nullopt;
}

TraceText read_wpa(std::string_view text, const std::string& file, const TraceOptions& options) {
  CsvReader csv(text, file, csv_options(options));
  Table table;
  const bool plain = csv.find("init_ns").has_value();
  if (plain) {
    table.arrival = csv.column({"init_ns"});
    table.service = csv.find("disk_service_ns");
  } else {
    table.arrival = time_column(csv, csv.column({"Init Time"}));
    table.service = csv.find("Disk Service Time");
    if (table.service) table.service = time_column(csv, table.service);
  }
  table.kind = csv.column({plain ? "io_type" : "IO Type"});
  table.size = csv.column({plain ? "size_bytes" : "Size"});
  table.offset = csv.find(plain ? "offset_bytes" : "Min Offset");
  if (!table.kind || !table.size) table.arrival.reset();
  return read_table(csv, table, file, options);
}

TraceText read_msr(std::string_view text, const std::string& file, const TraceOptions& options) {
  config::CsvOptions settings = csv_options(options);
  if (settings.delimiter == 0) settings.delimiter = ',';
  settings.names = {"Timestamp", "Hostname", "DiskNumber", "Type", "Offset", "Size", "ResponseTime"};
  CsvReader csv(text, file, settings);
  Table table;
  table.arrival = csv.find("Timestamp");
  table.kind = csv.find("Type");
  table.offset = csv.find("Offset");
  table.size = csv.find("Size");
  table.service = csv.find("ResponseTime");
  table.tick = filetime_tick;
  table.unit = filetime_tick;
  return read_table(csv, table, file, options);
}

TraceText read_named_columns(std::string_view text, const std::string& file, const TraceOptions& options) {
  CsvReader csv(text, file, csv_options(options));
  Table table;
  table.unit = options.unit;
  table.size_if_absent = options.size_if_absent;
  table.dates = true;
  bool all_there = true;
  const auto named = [&](const std::string& name) -> std::optional<CsvColumn> {
    if (name.empty()) return std::nullopt;
    auto column = csv.column({name});
    all_there = all_there && column.has_value();
    return column;
  };
  const auto timed = [&](const std::string& name) {
    auto column = named(name);
    const bool clash = column && column->quantity == CsvColumn::Quantity::time && options.unit != Duration{1} &&
                       options.unit.count() != column->unit;
    if (clash)
      csv.complain_header(*column, fmt::format("column {} names its own unit, and `unit` says {} ns; leave one out",
                                               quoted(column->name), options.unit.count()));
    return column;
  };
  table.arrival = timed(options.arrival);
  table.size = named(options.size);
  table.kind = named(options.kind);
  table.offset = named(options.offset);
  table.service = timed(options.service);
  if (options.arrival.empty()) csv.complain_file("`arrival` must name the column of arrival times");
  if (!all_there) table.arrival.reset();
  return read_table(csv, table, file, options);
}

// --- fio iolog ---------------------------------------------------------------------------------------------------

/// One line as words between blanks.
struct Words {
  std::vector<std::string_view> words;
  std::string_view line;
  std::uint32_t number = 0;

  Place place(const std::string& file, std::size_t word) const {
    std::uint32_t column = 1;
    if (word < words.size())
      for (const char* c = line.data(); c != words[word].data(); ++c)
        column += (static_cast<unsigned char>(*c) & 0xC0) != 0x80;
    return {file, number, column};
  }
};

void split(std::string_view line, Words& out) {
  constexpr std::string_view blanks = " \t\r";
  out.words.clear();
  out.line = line;
  ++out.number;
  for (std::size_t at = line.find_first_not_of(blanks); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
    out.words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(blanks, end);
  }
}

class FioLog {
 public:
  FioLog(const std::string& file, const TraceOptions& options)
      : file_(file), problems_(max_problems), recording_(options, Duration{1000}, "timestamp") {}

  TraceText read(std::string_view text) {
    if (const auto why = config::why_unreadable(text))
      problems_.add({file_, 0, 0}, *why);
    else
      read_lines(text);
    TraceText out;
    out.problems = problems_.take();
    out.trace = std::move(recording_).finish(file_, out.problems);
    return out;
  }

 private:
  void read_lines(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      split(text.substr(0, end), line_);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line_.words.empty()) continue;
      if (version_ > 0)
        read_line();
      else if (!read_version())
        return;
    }
  }

  bool read_version() {
    const auto& words = line_.words;
    const bool header = words.size() == 4 && words[0] == "fio" && words[1] == "version" && words[3] == "iolog";
    if (header && words[2] == "2") version_ = 2;
    if (header && words[2] == "3") version_ = 3;
    if (version_ == 0)
      complain(0, fmt::format(
                      "the first line is {}; \"fio version 2 iolog\" or \"fio version 3 iolog\" is needed (version 1 "
                      "logs carry no times)",
                      quoted(line_.line)));
    return version_ > 0;
  }

  /// `[timestamp] file action [offset length]`: two words are about the file, four are an I/O.
  void read_line() {
    const std::size_t file_word = version_ == 3 ? 1 : 0;
    if (line_.words.size() == file_word + 2) return read_file_action(file_word + 1);
    if (line_.words.size() == file_word + 4) return read_io(file_word + 1);
    complain(0, fmt::format("the line has {} words; an I/O has {}: {}file action offset length", line_.words.size(),
                            file_word + 4, version_ == 3 ? "timestamp " : ""));
  }

  void read_file_action(std::size_t action) {
    const std::string_view word = line_.words[action];
    if (word == "add" || word == "open" || word == "close") return;
    complain(action, unknown("action", word, {"add", "open", "close"}));
  }

  void read_io(std::size_t action) {
    const std::string_view word = line_.words[action];
    const auto offset = number(action + 1);
    const auto length = number(action + 2);
    const auto time = version_ == 3 ? number(0) : std::optional(clock_);
    if (!offset || !length || !time) return;
    if (word == "wait") return wait(action, *offset);
    TraceRecord record;
    if (word == "read")
      record.kind = Kind::read;
    else if (word == "write")
      record.kind = Kind::write;
    else if (word == "sync" || word == "datasync")
      record.kind = Kind::flush;
    else
      return complain(action, unknown_action(word));
    record.size = Bytes{*length};
    record.offset = *offset;
    for (Fault& fault : recording_.add(*time, record)) {
      const std::size_t at = fault.cell == Cell::arrival ? 0 : fault.cell == Cell::offset ? action + 1 : action + 2;
      complain(at, std::move(fault.text));
    }
  }

  void wait(std::size_t action, std::int64_t microseconds) {
    if (version_ == 3) return complain(action, "version 3 has no wait; its lines begin with a timestamp");
    if (microseconds < 0) return complain(action + 1, "a wait is not negative");
    if (__builtin_add_overflow(clock_, microseconds, &clock_)) {
      clock_ = std::numeric_limits<std::int64_t>::max();
      complain(action + 1, "the waits add up to more than can be counted");
    }
  }

  static std::string unknown_action(std::string_view word) {
    if (word == "trim") return "a trim has no counterpart here; leave trims out of the log";
    return unknown("action", word, {"read", "write", "sync", "datasync", "wait"});
  }

  std::optional<std::int64_t> number(std::size_t word) {
    const std::string_view text = line_.words[word];
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
    complain(word, fmt::format("{} is not a whole number that fits in 63 bits", quoted(text)));
    return std::nullopt;
  }

  void complain(std::size_t word, std::string text) { problems_.add(line_.place(file_, word), std::move(text)); }

  const std::string& file_;
  CappedProblems problems_;
  Recording recording_;
  Words line_;
  int version_ = 0;
  std::int64_t clock_ = 0;  // microseconds; version 2: the waits so far
};

}  // namespace

TraceText read_trace(std::string_view text, const std::string& file, const TraceOptions& options) {
  if (!std::isfinite(options.time_scale) || options.time_scale <= 0)
    return {{}, {of_the_file(file, "time_scale must be above 0")}};
  if (options.unit <= Duration{0}) return {{}, {of_the_file(file, "unit must be above 0")}};
  switch (options.format) {
    case TraceFormat::wpa_disk_io: return read_wpa(text, file, options);
    case TraceFormat::msr: return read_msr(text, file, options);
    case TraceFormat::fio_iolog: return FioLog(file, options).read(text);
    case TraceFormat::csv: break;
  }
  return read_named_columns(text, file, options);
}

}  // namespace vmbsim::workload
