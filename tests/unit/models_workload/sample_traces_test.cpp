// The traces in scenarios/traces: what their generator promises.
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "models/workload/trace_reader.hpp"

using namespace vmbsim;
using namespace vmbsim::workload;

namespace {

std::string sample(const std::string& name) {
  std::ifstream file(VMBSIM_SAMPLE_TRACES "/" + name, std::ios::binary);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("the sample export is one second of mixed requests of 4 to 64 KiB") {
  TraceOptions options;
  options.format = TraceFormat::wpa_disk_io;
  const TraceText trace = read_trace(sample("office-disk.csv"), "office-disk.csv", options);
  CHECK(trace.problems.empty());
  REQUIRE(trace.trace.size() == 2000);
  CHECK(trace.trace.back().arrival > 900ms);
  CHECK(trace.trace.back().arrival < 1100ms);
  std::ptrdiff_t flushes = 0;
  for (const TraceRecord& record : trace.trace) {
    if (record.kind == TraceRecord::Kind::flush) {
      ++flushes;
      continue;
    }
    CHECK(record.size >= 4_KiB);
    CHECK(record.size <= 64_KiB);
    CHECK(record.service >= 60us);
    CHECK(record.service <= 400us);
  }
  CHECK(flushes > 0);
}

TEST_CASE("the plain sample says the same as the sample export") {
  TraceOptions wpa;
  wpa.format = TraceFormat::wpa_disk_io;
  TraceOptions plain;
  plain.arrival = "arrival";
  plain.size = "size";
  plain.kind = "kind";
  plain.offset = "offset";
  plain.service = "service";
  plain.unit = 1us;
  const TraceText a = read_trace(sample("office-disk.csv"), "office-disk.csv", wpa);
  const TraceText b = read_trace(sample("office-disk-plain.csv"), "office-disk-plain.csv", plain);
  CHECK(b.problems.empty());
  REQUIRE(b.trace.size() == 200);
  REQUIRE(a.trace.size() >= b.trace.size());
  CHECK(std::equal(b.trace.begin(), b.trace.end(), a.trace.begin(), [](const TraceRecord& x, const TraceRecord& y) {
    return x.arrival == y.arrival && x.size == y.size && x.offset == y.offset && x.service == y.service &&
           x.kind == y.kind;
  }));
}
