#include "sim/observe/perfetto.hpp"

#include <catch2/catch.hpp>

#include "tests/support/perfetto.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using observe::PerfettoTrace;

namespace {
SimTime at(std::int64_t ns) { return SimTime{Duration{ns}}; }
}  // namespace

TEST_CASE("a varint takes seven bits a byte, lowest first") {
  // Protocol Buffers, "Encoding": 150 is 96 01; field 8 as varint has tag 40 (hexadecimal).
  PerfettoTrace trace;
  const auto track = trace.track("t");
  trace.instant(track, at(150), 0);
  CHECK(trace.bytes().find("\x40\x96\x01") != std::string::npos);
}

TEST_CASE("another program reads slices, instants, counters and flows as they were told") {
  if (!has_protoc()) {
    WARN("skipped: no protoc");
    return;
  }
  PerfettoTrace trace;
  const auto cpu = trace.track("guest.cpu0");
  const auto irql = trace.counter("IRQL", cpu);
  const auto other = trace.track("host.cpu0");
  trace.begin(cpu, at(10), trace.name("thread"), 7);
  trace.begin(cpu, at(20), trace.name("DPC"));
  trace.end(cpu, at(30));
  trace.begin(cpu, at(30), trace.name("DPC"));
  trace.end(cpu, at(30));
  trace.end(cpu, at(40));
  trace.count(irql, at(20), -2);
  trace.instant(other, at(15), trace.name("arrives"), 7);
  const auto events = events_of(decoded(trace.bytes(), SUPPORT));
  REQUIRE(events.size() == 8);
  CHECK(wrong_nesting(events).empty());
  CHECK(events[0].name == "thread");
  CHECK(events[0].flow == 7);
  CHECK(events[1].track == "host.cpu0");  // by time, whatever the order of telling
  CHECK(events[1].flow == 7);
  CHECK(events[3].type == "COUNTER");
  CHECK(events[3].value == -2);
  // At one instant: the first DPC ends, then the second one begins.
  CHECK(events[4].type == "SLICE_END");
  CHECK(events[5].type == "SLICE_BEGIN");
  CHECK(events[6].type == "SLICE_END");
  CHECK(events[7].time == 40);
}
