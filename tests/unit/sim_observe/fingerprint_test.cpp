#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "sim/observe/fingerprint.hpp"

using namespace vmbsim;
using kernel::EventRecord;
using observe::FingerprintDigest;

namespace {

std::vector<EventRecord> a_thousand_records() {
  std::vector<EventRecord> records;
  for (std::uint32_t i = 0; i < 1000; ++i)
    records.push_back({std::int64_t{i} * i * 1'000'003, i % 7 + 1, i % 3 == 0 ? 1u : 0u});
  return records;
}

Fingerprint fingerprint_of(std::span<const EventRecord> records, std::size_t page = 256) {
  FingerprintDigest digest;
  while (!records.empty()) {
    const std::size_t n = std::min(page, records.size());
    digest.on_events(records.first(n));
    records = records.subspan(n);
  }
  return digest.value();
}

}  // namespace

// Source for the empty run: XXH3-128 of no bytes with seed 0, xxHash's published test vectors. The second was computed in
// one call of the library over the records' 16,000 bytes, packed in another language.
TEST_CASE("the fingerprint is the xxh3 of the run's log") {
  CHECK(fingerprint_of({}).text() == "99aa06d3014798d86001c324468d497f");
  CHECK(fingerprint_of(a_thousand_records()).text() == "f9693645927534df9e96c8e44bbde881");
}

TEST_CASE("page boundaries do not matter to the fingerprint") {
  const auto records = a_thousand_records();
  for (const std::size_t page : {1u, 7u, 255u, 256u, 1000u})
    CHECK(fingerprint_of(records, page) == fingerprint_of(records));
}

TEST_CASE("one changed bit anywhere in a record changes the fingerprint") {
  auto records = a_thousand_records();
  std::set<Fingerprint> seen{fingerprint_of(records)};
  for (const std::size_t at : {std::size_t{0}, std::size_t{500}, std::size_t{999}}) {
    const EventRecord original = records[at];
    for (int bit = 0; bit < 64; ++bit) {
      records[at].time_ns ^= static_cast<std::int64_t>(std::uint64_t{1} << bit);
      seen.insert(fingerprint_of(records));
      records[at] = original;
    }
    for (int bit = 0; bit < 32; ++bit) {
      records[at].actor ^= std::uint32_t{1} << bit;
      seen.insert(fingerprint_of(records));
      records[at] = original;
      records[at].detail ^= std::uint32_t{1} << bit;
      seen.insert(fingerprint_of(records));
      records[at] = original;
    }
  }
  CHECK(seen.size() == 1 + 3 * 128);
}

TEST_CASE("the order of two records and a missing one are seen") {
  const auto records = a_thousand_records();
  auto swapped = records;
  std::swap(swapped[10], swapped[11]);
  CHECK(fingerprint_of(swapped) != fingerprint_of(records));
  CHECK(fingerprint_of(std::span(records).first(999)) != fingerprint_of(records));
}

TEST_CASE("reading the fingerprint does not end it") {
  const auto records = a_thousand_records();
  FingerprintDigest digest;
  digest.on_events(std::span(records).first(400));
  CHECK(digest.value() == fingerprint_of(std::span(records).first(400)));
  digest.on_events(std::span(records).subspan(400));
  CHECK(digest.value() == fingerprint_of(records));
}

// Source: Simulation::flush_log, "hands the partly filled page to the listener".
TEST_CASE("a simulation hands every record of its run to the fingerprint") {
  const auto run = [](int events, FingerprintDigest& digest) {
    kernel::Simulation world(Seed{1}, &digest);
    const ActorId actor = world.new_actor();
    for (int i = 1; i <= events; ++i)
      world.at(
          SimTime{i * 1us}, actor, [](void*) {}, nullptr);
    world.run_until(SimTime{1s});
    world.flush_log();
  };
  FingerprintDigest digest;
  run(700, digest);
  std::vector<EventRecord> expected;
  for (std::int64_t i = 1; i <= 700; ++i) expected.push_back({i * 1000, 1, 0});
  CHECK(digest.value() == fingerprint_of(expected));
}
