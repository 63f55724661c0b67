#include "sim/config/units.hpp"

#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/config/suggestions.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim::config {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

struct Unit {
  std::string_view name;
  std::int64_t factor;
  bool listed = true;  // false: understood, but messages do not teach it
};

/// A decimal number as digits / 10^places, and the unit behind it.
struct Decimal {
  std::int64_t digits = 0;
  int places = 0;
  std::string_view unit;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::int64_t power_of_ten(int places) {
  std::int64_t power = 1;
  while (places-- > 0) power *= 10;
  return power;
}

/// What a quantity is called in messages, an example of it, and its units.
struct Kind {
  const char* what;
  const char* example;
  const Unit* units;
  std::size_t unit_count;
};

std::string right(const Kind& kind) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kind.unit_count; ++i)
    if (kind.units[i].listed) names.emplace_back(kind.units[i].name);
  return std::string("write it as in \"") + kind.example + "\" (units: " + listed(names) + ")";
}

/// Splits `text`. Trailing zeros of the fraction do not count, so "1.500us" and "1.5us" are the same number.
std::variant<Decimal, UnitError> split(std::string_view text, const Kind& kind) {
  const auto not_a = [&] { return UnitError{std::string("not a ") + kind.what + "; " + right(kind)}; };
  if (!text.empty() && text[0] == '-') return UnitError{std::string("a ") + kind.what + " cannot be negative"};
  std::size_t at = 0;
  while (at < text.size() && is_digit(text[at])) ++at;
  const std::string_view whole = text.substr(0, at);
  std::string_view fraction;
  if (at < text.size() && text[at] == '.') {
    const std::size_t from = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    fraction = text.substr(from, at - from);
    if (fraction.empty()) return not_a();
  }
  if (whole.empty()) return not_a();
  while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
  if (fraction.size() > 15) return UnitError{"more than 15 decimals; " + right(kind)};
  Decimal out;
  out.places = static_cast<int>(fraction.size());
  for (const std::string_view part : {whole, fraction})
    for (const char c : part) {
      const std::int64_t digit = c - '0';
      if (out.digits > (largest - digit) / 10) return UnitError{std::string("too large for a ") + kind.what};
      out.digits = out.digits * 10 + digit;
    }
  if (at < text.size() && text[at] == ' ') ++at;
  out.unit = text.substr(at);
  return out;
}

/// The value in the smallest unit, exactly.
Parsed<std::int64_t> parse(std::string_view text, const Kind& kind, const char* finest) {
  const auto parts = split(text, kind);
  if (const auto* wrong = std::get_if<UnitError>(&parts)) return *wrong;
  const Decimal& number = std::get<Decimal>(parts);
  if (number.unit.empty()) return UnitError{"missing unit; " + right(kind)};
  for (std::size_t i = 0; i < kind.unit_count; ++i) {
    if (kind.units[i].name != number.unit) continue;
    const Wide product = static_cast<Wide>(number.digits) * static_cast<Wide>(kind.units[i].factor);
    const Wide scale = static_cast<Wide>(power_of_ten(number.places));
    if (product % scale != 0) return UnitError{std::string("finer than ") + finest};
    if (product / scale > static_cast<Wide>(largest)) return UnitError{std::string("too large for a ") + kind.what};
    return static_cast<std::int64_t>(product / scale);
  }
  return UnitError{"unknown unit \"" + std::string(number.unit) + "\"; " + right(kind)};
}

constexpr Unit time_units[] = {
    {"ns", 1},           {"us", 1'000}, {"ms", 1'000'000}, {"s", 1'000'000'000}, {"µs", 1'000, false},
    {"μs", 1'000, false}};  // the micro sign and the Greek letter
constexpr Kind time_kind{"duration", "5us", time_units, std::size(time_units)};

constexpr Unit size_units[] = {{"B", 1},         {"KiB", 1 << 10},     {"MiB", 1 << 20},
                               {"GiB", 1 << 30}, {"pages", page_size}, {"page", page_size, false}};
constexpr Kind size_kind{"size", "64KiB", size_units, std::size(size_units)};

constexpr Unit page_units[] = {{"pages", page_size}, {"KiB", 1 << 10}, {"MiB", 1 << 20},
                               {"GiB", 1 << 30},     {"B", 1, false},  {"page", page_size, false}};
constexpr Kind page_kind{"size", "32 pages", page_units, std::size(page_units)};

constexpr Unit bandwidth_units[] = {{"B/s", 1},      {"KiB/s", 1 << 10},  {"MiB/s", 1 << 20},     {"GiB/s", 1 << 30},
                                    {"kB/s", 1'000}, {"MB/s", 1'000'000}, {"GB/s", 1'000'000'000}};
constexpr Kind bandwidth_kind{"bandwidth", "100MiB/s", bandwidth_units, std::size(bandwidth_units)};

// Of a rate: nanoseconds in the period.
constexpr Unit rate_units[] = {
    {"/us", 1'000}, {"/ms", 1'000'000}, {"/s", 1'000'000'000}, {"/min", 60'000'000'000}, {"/h", 3'600'000'000'000}};
constexpr Kind rate_kind{"rate", "20000/s", rate_units, std::size(rate_units)};

template <class T>
Parsed<T> in(const Parsed<std::int64_t>& parsed) {
  if (const auto* wrong = std::get_if<UnitError>(&parsed)) return *wrong;
  return T{std::get<std::int64_t>(parsed)};
}

std::string with_largest_unit(std::int64_t value, std::initializer_list<Unit> largest_first) {
  for (const Unit& unit : largest_first)
    if (value % unit.factor == 0 && (value != 0 || unit.factor == 1))
      return std::to_string(value / unit.factor) + std::string(unit.name);
  return std::to_string(value);
}

}  // namespace

Parsed<Duration> parse_duration(std::string_view text) { return in<Duration>(parse(text, time_kind, "1 ns")); }
Parsed<Bytes> parse_bytes(std::string_view text) { return in<Bytes>(parse(text, size_kind, "1 B")); }
Parsed<Bandwidth> parse_bandwidth(std::string_view text) { return in<Bandwidth>(parse(text, bandwidth_kind, "1 B/s")); }

Parsed<Pages> parse_pages(std::string_view text) {
  const auto bytes = parse(text, page_kind, "1 B");
  if (const auto* wrong = std::get_if<UnitError>(&bytes)) return *wrong;
  const std::int64_t count = std::get<std::int64_t>(bytes);
  if (count % page_size != 0)
    return UnitError{"not a whole number of 4 KiB pages; the next larger is \"" +
                     to_text(Pages{count / page_size + 1}) + '"'};
  return Pages{count / page_size};
}

Parsed<Rate> parse_rate(std::string_view text) {
  const auto parts = split(text, rate_kind);
  if (const auto* wrong = std::get_if<UnitError>(&parts)) return *wrong;
  Decimal number = std::get<Decimal>(parts);
  if (number.unit.empty()) return UnitError{"missing unit; " + right(rate_kind)};
  std::int64_t times = 1;
  if (number.unit[0] == 'k' || number.unit[0] == 'M') {
    times = number.unit[0] == 'k' ? 1'000 : 1'000'000;
    number.unit.remove_prefix(1);
  }
  for (const Unit& unit : rate_units) {
    if (unit.name != number.unit) continue;
    if (number.digits == 0) return UnitError{"a rate must be above 0; " + right(rate_kind)};
    Wide events = static_cast<Wide>(number.digits) * static_cast<Wide>(times);
    Wide per = static_cast<Wide>(unit.factor) * static_cast<Wide>(power_of_ten(number.places));
    if (events > per) return UnitError{"faster than one per nanosecond"};
    constexpr Wide most = static_cast<Wide>(largest) / 4;  // leaves room for the arithmetic on rates
    if (per > most) {
      Wide divisor = events, rest = per;
      while (rest != 0) std::tie(divisor, rest) = std::pair{rest, divisor % rest};
      events /= divisor;
      per /= divisor;
    }
    if (per > most) return UnitError{"too slow or too exact for a rate"};
    return Rate{static_cast<std::int64_t>(events), Duration{static_cast<std::int64_t>(per)}};
  }
  return UnitError{"unknown unit \"" + std::string(number.unit) + "\"; " + right(rate_kind)};
}

Parsed<std::int64_t> parse_count(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty()) return UnitError{"not a whole number"};
  for (const char c : text) {
    if (!is_digit(c)) return UnitError{"not a whole number"};
    const std::int64_t digit = c - '0';
    if (value > (largest - digit) / 10) return UnitError{"too large"};
    value = value * 10 + digit;
  }
  return value;
}

std::string to_text(Duration value) {
  return with_largest_unit(value.count(), {{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}});
}

std::string to_text(Bytes value) {
  return with_largest_unit(value.count, {{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}});
}

std::string to_text(Pages value) { return counted(static_cast<std::uint64_t>(value.count), "page", "pages"); }

std::string to_text(const Rate& value) {
  // events / per with per in nanoseconds: every period of rate_units times a power of ten is reached by widening.
  const Wide events = static_cast<Wide>(value.events);
  const Wide per = static_cast<Wide>(value.per.count());
  for (const std::size_t unit : {2u, 1u, 0u, 3u, 4u}) {  // per second first
    Wide scale = 1;
    for (int places = 0; places <= 15; ++places, scale *= 10) {
      const Wide product = events * static_cast<Wide>(rate_units[unit].factor) * scale;
      if (product / scale / static_cast<Wide>(rate_units[unit].factor) != events) break;
      if (product % per != 0) continue;
      const Wide digits = product / per;
      if (digits > static_cast<Wide>(largest)) break;
      std::string text = std::to_string(static_cast<std::int64_t>(digits));
      if (places > 0) {
        const auto keep = static_cast<std::size_t>(places);
        if (text.size() <= keep) text.insert(0, keep + 1 - text.size(), '0');
        text.insert(text.size() - keep, ".");
      }
      return text + std::string(rate_units[unit].name);
    }
  }
  return std::to_string(value.events) + "/s";
}

}  // namespace vmbsim::config
