#include "sim/report/quantity.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace vmbsim::report;

TEST_CASE("a duration is read in the unit that leaves three digits") {
  struct Row {
    double ns;
    const char* text;
  };
  for (const Row& row : {Row{0, "0 ns"}, Row{700, "700 ns"}, Row{96.54, "96.5 ns"}, Row{999.4, "999 ns"},
                         Row{999.6, "1.00 us"}, Row{1250, "1.25 us"}, Row{9996, "10.0 us"}, Row{99960, "100 us"},
                         Row{999600, "1.00 ms"}, Row{96.5e6, "96.5 ms"}, Row{12e9, "12.0 s"}, Row{86400e9, "86400 s"}})
    CHECK(duration_text(row.ns) == row.text);
}

TEST_CASE("memory is counted in powers of 1024") {
  struct Row {
    double bytes;
    const char* text;
  };
  for (const Row& row : {Row{0, "0 B"}, Row{64, "64 B"}, Row{1023, "1023 B"}, Row{1024, "1.00 KiB"},
                         Row{1280, "1.25 KiB"}, Row{131072, "128 KiB"}, Row{3.0 * 1024 * 1024 * 1024, "3.00 GiB"}})
    CHECK(bytes_text(row.bytes) == row.text);
}

TEST_CASE("a rate is counted in thousands") {
  CHECK(rate_text(950) == "950 /s");
  CHECK(rate_text(20000) == "20.0 k/s");
  CHECK(rate_text(1.25e6) == "1.25 M/s");
}

TEST_CASE("a count is exact and grouped by thousands") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1000) == "1,000");
  CHECK(count_text(1234567) == "1,234,567");
  CHECK(count_text(std::numeric_limits<std::uint64_t>::max()) == "18,446,744,073,709,551,615");
}

TEST_CASE("what is not a number is a dash") {
  CHECK(duration_text(std::numeric_limits<double>::quiet_NaN()) == "-");
  CHECK(percent_text(std::numeric_limits<double>::infinity()) == "-");
  CHECK(percent_text(0.125) == "12.5 %");
}
