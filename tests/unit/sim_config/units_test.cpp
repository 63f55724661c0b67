// Every unit a scenario may use, exact, and every way to get one wrong. Source: the scenario contract: a duration, size or
// rate is text with a unit; time is integer nanoseconds.
#include <catch2/catch.hpp>

#include "sim/config/units.hpp"
#include "vmbsim/wide.hpp"

using namespace vmbsim;
using namespace vmbsim::config;

namespace {

template <class T>
std::string error_of(const Parsed<T>& parsed) {
  const auto* error = std::get_if<UnitError>(&parsed);
  return error ? error->text : "fine";
}

const std::string time_right = "write it as in \"5us\" (units: ns, us, ms, s)";

}  // namespace

TEST_CASE("a duration is read to the exact nanosecond") {
  struct Row {
    const char* text;
    std::int64_t ns;
  };
  for (const Row& row :
       {Row{"0ns", 0}, Row{"1ns", 1}, Row{"1.5us", 1500}, Row{"1.500us", 1500}, Row{"5us", 5000}, Row{"5 us", 5000},
        Row{"5µs", 5000}, Row{"5μs", 5000}, Row{"0.001us", 1}, Row{"20ms", 20'000'000}, Row{"2s", 2'000'000'000},
        Row{"0.000000001s", 1}, Row{"9223372036854775807ns", INT64_MAX}, Row{"9223372036.854775807s", INT64_MAX},
        Row{"007us", 7000}}) {
    INFO(row.text);
    const auto parsed = parse_duration(row.text);
    REQUIRE(error_of(parsed) == "fine");
    CHECK(std::get<Duration>(parsed).count() == row.ns);
  }
}

TEST_CASE("a duration that is none says what would be right") {
  struct Row {
    const char* text;
    std::string error;
  };
  for (const Row& row :
       {Row{"5", "missing unit; " + time_right}, Row{"5.5", "missing unit; " + time_right},
        Row{"", "not a duration; " + time_right}, Row{"us", "not a duration; " + time_right},
        Row{"5.us", "not a duration; " + time_right}, Row{"five us", "not a duration; " + time_right},
        Row{"5 lightyears", "unknown unit \"lightyears\"; " + time_right},
        Row{"1e3us", "unknown unit \"e3us\"; " + time_right}, Row{"5us ", "unknown unit \"us \"; " + time_right},
        Row{"-5us", "a duration cannot be negative"}, Row{"0.3ns", "finer than 1 ns"},
        Row{"1.0005us", "finer than 1 ns"}, Row{"9223372036854775808ns", "too large for a duration"},
        Row{"9223372037s", "too large for a duration"}, Row{"99999999999999999999999999s", "too large for a duration"},
        Row{"0.1234567890123456s", "more than 15 decimals; " + time_right}}) {
    INFO(row.text);
    CHECK(error_of(parse_duration(row.text)) == row.error);
  }
}

TEST_CASE("a size counts bytes, a ring counts whole pages") {
  struct Row {
    const char* text;
    std::int64_t bytes;
  };
  for (const Row& row : {Row{"600B", 600}, Row{"64KiB", 65'536}, Row{"1.5KiB", 1536}, Row{"2MiB", 2 << 20},
                         Row{"1GiB", 1 << 30}, Row{"32 pages", 131'072}, Row{"1 page", 4096}}) {
    INFO(row.text);
    CHECK(std::get<Bytes>(parse_bytes(row.text)) == Bytes{row.bytes});
  }
  CHECK(std::get<Pages>(parse_pages("32 pages")) == Pages{32});
  CHECK(std::get<Pages>(parse_pages("64KiB")) == Pages{16});
  CHECK(error_of(parse_pages("5KiB")) == "not a whole number of 4 KiB pages; the next larger is \"2 pages\"");
  CHECK(error_of(parse_pages("32")) == "missing unit; write it as in \"32 pages\" (units: pages, KiB, MiB, GiB)");
  CHECK(error_of(parse_bytes("0.3B")) == "finer than 1 B");
  CHECK(error_of(parse_bytes("9GiGiB")) ==
        "unknown unit \"GiGiB\"; write it as in \"64KiB\" (units: B, KiB, MiB, GiB, pages)");
  CHECK(error_of(parse_bytes("9007199254740993GiB")) == "too large for a size");
}

TEST_CASE("a rate is an exact ratio") {
  struct Row {
    const char* text;
    std::int64_t events;
    Duration per;
  };
  for (const Row& row :
       {Row{"20000/s", 20'000, 1s}, Row{"20/ms", 20, 1ms}, Row{"1/us", 1, 1us}, Row{"20k/s", 20'000, 1s},
        Row{"1.5M/s", 15'000'000, 10s}, Row{"0.5/s", 5, 10s}, Row{"1/min", 1, 60s}, Row{"7/h", 7, 3600s}}) {
    INFO(row.text);
    const auto parsed = parse_rate(row.text);
    REQUIRE(error_of(parsed) == "fine");
    CHECK(std::get<Rate>(parsed).events == row.events);
    CHECK(std::get<Rate>(parsed).per == row.per);
  }
  const std::string right = "write it as in \"20000/s\" (units: /us, /ms, /s, /min, /h)";
  CHECK(error_of(parse_rate("20000")) == "missing unit; " + right);
  CHECK(error_of(parse_rate("0/s")) == "a rate must be above 0; " + right);
  CHECK(error_of(parse_rate("20000/fortnight")) == "unknown unit \"/fortnight\"; " + right);
  CHECK(error_of(parse_rate("2000M/s")) == "faster than one per nanosecond");
  CHECK(error_of(parse_rate("0.000000000000001/h")) == "too slow or too exact for a rate");
}

TEST_CASE("a bandwidth has decimal and binary units") {
  CHECK(std::get<Bandwidth>(parse_bandwidth("100MiB/s")).bytes_per_s == 104'857'600);
  CHECK(std::get<Bandwidth>(parse_bandwidth("1.5GB/s")).bytes_per_s == 1'500'000'000);
  CHECK(error_of(parse_bandwidth("100MiB")) ==
        "unknown unit \"MiB\"; write it as in \"100MiB/s\" (units: B/s, KiB/s, MiB/s, GiB/s, kB/s, MB/s, GB/s)");
}

TEST_CASE("a count is a whole number that fits") {
  CHECK(std::get<std::int64_t>(parse_count("9223372036854775807")) == INT64_MAX);
  CHECK(error_of(parse_count("9223372036854775808")) == "too large");
  CHECK(error_of(parse_count("")) == "not a whole number");
  CHECK(error_of(parse_count("3.0")) == "not a whole number");
}

TEST_CASE("what is written reads back to the same value") {
  for (const std::int64_t ns :
       {INT64_C(0), INT64_C(1), INT64_C(1500), INT64_C(20'000'000), INT64_C(3'000'000'000), INT64_MAX}) {
    const Duration value{ns};
    CHECK(std::get<Duration>(parse_duration(to_text(value))) == value);
  }
  for (const std::int64_t count : {INT64_C(0), INT64_C(600), INT64_C(4096), INT64_C(1) << 40}) {
    const Bytes value{count};
    CHECK(std::get<Bytes>(parse_bytes(to_text(value))) == value);
  }
  for (const char* text : {"20000/s", "0.5/s", "1/us", "1/min", "7/h", "0.3/h", "33.33/ms", "999999999/s"}) {
    INFO(text);
    const auto once = std::get<Rate>(parse_rate(text));
    const auto again = std::get<Rate>(parse_rate(to_text(once)));
    CHECK(static_cast<Wide>(once.events) * static_cast<Wide>(again.per.count()) ==
          static_cast<Wide>(again.events) * static_cast<Wide>(once.per.count()));
  }
}

TEST_CASE("written values use the largest unit that leaves a whole number") {
  CHECK(to_text(Duration{1500}) == "1500ns");
  CHECK(to_text(Duration{2'000'000}) == "2ms");
  CHECK(to_text(Duration{0}) == "0ns");
  CHECK(to_text(Bytes{4096}) == "4KiB");
  CHECK(to_text(Pages{1}) == "1 page");
  CHECK(to_text(Pages{2}) == "2 pages");
  CHECK(to_text(Pages{0}) == "0 pages");
  CHECK(to_text(Rate{20'000, 1s}) == "20000/s");
  CHECK(to_text(Rate{5, 10s}) == "0.5/s");
}
