// Recorded on real machines; run by real_traces, which says where the files are.
#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "models/workload/trace_reader.hpp"

using namespace vmbsim;
using namespace vmbsim::workload;

namespace {

std::string file_named_by(const char* variable) {
  const char* path = std::getenv(variable);
  REQUIRE(path != nullptr);
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TraceText read_wpa(const std::string& text) {
  TraceOptions options;
  options.format = TraceFormat::wpa_disk_io;
  return read_trace(text, "trace.csv", options);
}

std::ptrdiff_t count(const Trace& trace, TraceRecord::Kind kind) {
  return std::count_if(trace.begin(), trace.end(), [&](const TraceRecord& record) { return record.kind == kind; });
}

bool same(const TraceRecord& a, const TraceRecord& b) {
  return a.arrival == b.arrival && a.size == b.size && a.offset == b.offset && a.service == b.service &&
         a.kind == b.kind;
}

}  // namespace

// Source of the counts: the description that comes with the trace.
TEST_CASE("a hundred thousand recorded I/Os are all there") {
  const TraceText trace = read_wpa(file_named_by("VMBSIM_PLAIN_TRACE"));
  CHECK(trace.problems.empty());
  REQUIRE(trace.trace.size() == 100'000);
  CHECK(count(trace.trace, TraceRecord::Kind::read) == 89'476);
  CHECK(count(trace.trace, TraceRecord::Kind::write) == 10'236);
  CHECK(count(trace.trace, TraceRecord::Kind::flush) == 288);
}

TEST_CASE("the raw export of a non-English machine says the same as its conversion") {
  const TraceText raw = read_wpa(file_named_by("VMBSIM_RAW_TRACE"));
  const TraceText plain = read_wpa(file_named_by("VMBSIM_PLAIN_TRACE"));
  CHECK(raw.problems.empty());
  REQUIRE(raw.trace.size() == 2'000);
  REQUIRE(plain.trace.size() >= raw.trace.size());
  CHECK(std::equal(raw.trace.begin(), raw.trace.end(), plain.trace.begin(), same));
}
