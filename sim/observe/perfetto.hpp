#pragma once
/// A timeline in Perfetto's protobuf format, made by an encoder of our own: tracks with nested slices, instants, counters, and
/// flows that tie slices of different tracks together. https://ui.perfetto.dev opens it.
///
///   PerfettoTrace trace;
///   const auto cpu = trace.track("guest.cpu0");
///   trace.begin(cpu, now, trace.name("DPC"));  ...  trace.end(cpu, later);
///   write(trace.bytes());
///
/// Order   Events may be told in any order of time between tracks. Those of one instant stay in the order they were told, so a
///         slice that ends where the next one begins does not hold it.
/// Limit   Of more than `most_events` events the first are kept; every slice that was begun is ended.
/// Source  Perfetto, protos/perfetto/trace: numbers of fields and values.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "vmbsim/time.hpp"

namespace vmbsim::observe {

class PerfettoTrace {
 public:
  static constexpr std::size_t most_events = 12'000'000;

  /// A line of the timeline; 0 stands for none.
  using Track = std::uint32_t;
  /// An interned name.
  using Name = std::uint32_t;

  Track track(std::string_view name, Track parent = 0) { return add_track(name, parent, false); }
  /// A track of numbers.
  Track counter(std::string_view name, Track parent = 0) { return add_track(name, parent, true); }
  /// The same text gives the same number.
  Name name(std::string_view text);

  /// `flow` ties all slices and instants with that number together, in order of time; 0: none.
  void begin(Track track, SimTime at, Name name, std::uint64_t flow = 0) { add(Type::begin, track, at, name, flow); }
  /// Ends the innermost slice of the track.
  void end(Track track, SimTime at) { add(Type::end, track, at, 0, 0); }
  void instant(Track track, SimTime at, Name name, std::uint64_t flow = 0) {
    add(Type::instant, track, at, name, flow);
  }
  void count(Track track, SimTime at, std::int64_t value) {
    add(Type::counter, track, at, 0, static_cast<std::uint64_t>(value));
  }

  /// True when there was more than could be kept.
  bool full() const { return full_; }
  /// The whole file.
  std::string bytes() const;

 private:
  enum class Type : std::uint8_t { begin = 1, end = 2, instant = 3, counter = 4 };  // the format's own numbers
  struct Event {
    std::int64_t time_ns;
    std::uint64_t value;  // flow, or what is counted
    Track track;
    Name name;
    Type type;
  };
  struct Description {
    std::string name;
    Track parent;
    bool counter;
    std::uint32_t unkept = 0;  // slices begun after the limit, and not ended
  };

  Track add_track(std::string_view name, Track parent, bool counter);
  void add(Type type, Track track, SimTime at, Name name, std::uint64_t value);

  std::vector<Description> tracks_;  // track 1 first
  std::map<std::string, Name, std::less<>> names_;
  std::vector<Event> events_;
  bool full_ = false;
};

}  // namespace vmbsim::observe
