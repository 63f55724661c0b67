#include "sim/observe/perfetto.hpp"

#include <algorithm>

#include "vmbsim/assert.hpp"

namespace vmbsim::observe {

namespace {

// Numbers of fields. A message is named in front.
constexpr std::uint32_t trace_packet = 1;
constexpr std::uint32_t packet_timestamp = 8;
constexpr std::uint32_t packet_sequence_id = 10;
constexpr std::uint32_t packet_track_event = 11;
constexpr std::uint32_t packet_interned_data = 12;
constexpr std::uint32_t packet_sequence_flags = 13;
constexpr std::uint32_t packet_track_descriptor = 60;
constexpr std::uint32_t event_type = 9;
constexpr std::uint32_t event_name_iid = 10;
constexpr std::uint32_t event_track_uuid = 11;
constexpr std::uint32_t event_counter_value = 30;
constexpr std::uint32_t event_flow_ids = 47;
constexpr std::uint32_t interned_event_names = 2;
constexpr std::uint32_t name_iid = 1;
constexpr std::uint32_t name_text = 2;
constexpr std::uint32_t descriptor_uuid = 1;
constexpr std::uint32_t descriptor_name = 2;
constexpr std::uint32_t descriptor_parent = 5;
constexpr std::uint32_t descriptor_counter = 8;

constexpr std::uint64_t only_sequence = 1;
constexpr std::uint64_t state_cleared = 1;
constexpr std::uint64_t needs_state = 2;

/// Protobuf's wire format. Source: Protocol Buffers, "Encoding".
class Message {
 public:
  Message& number(std::uint32_t field, std::uint64_t value) {
    varint(std::uint64_t{field} << 3);
    varint(value);
    return *this;
  }
  Message& fixed64(std::uint32_t field, std::uint64_t value) {
    varint((std::uint64_t{field} << 3) | 1);
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(value >> (8 * i));
    return *this;
  }
  Message& text(std::uint32_t field, std::string_view value) {
    varint((std::uint64_t{field} << 3) | 2);
    varint(value.size());
    bytes_ += value;
    return *this;
  }
  Message& message(std::uint32_t field, const Message& inner) { return text(field, inner.bytes_); }
  void clear() { bytes_.clear(); }
  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 128; value >>= 7) bytes_ += static_cast<char>(value | 128);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

}  // namespace

PerfettoTrace::Track PerfettoTrace::add_track(std::string_view name, Track parent, bool counter) {
  VMBSIM_ASSERT(parent <= tracks_.size(), "a track lies under one that is there");
  tracks_.push_back({std::string(name), parent, counter});
  return static_cast<Track>(tracks_.size());
}

PerfettoTrace::Name PerfettoTrace::name(std::string_view text) {
  const auto known = names_.find(text);
  if (known != names_.end()) return known->second;
  return names_.emplace(text, static_cast<Name>(names_.size() + 1)).first->second;
}

void PerfettoTrace::add(Type type, Track track, SimTime at, Name name, std::uint64_t value) {
  VMBSIM_ASSERT(track != 0 && track <= tracks_.size(), "an event lies on a track that is there");
  std::uint32_t& unkept = tracks_[track - 1].unkept;
  if (type == Type::end && unkept != 0) {
    --unkept;
    return;
  }
  if (events_.size() >= most_events && type != Type::end) {
    full_ = true;
    unkept += type == Type::begin;
    return;
  }
  events_.push_back({nanoseconds(at), value, track, name, type});
}

std::string PerfettoTrace::bytes() const {
  std::string out;
  Message packet;
  const auto write = [&out, &packet] {
    Message whole;
    out += whole.message(trace_packet, packet).bytes();
    packet.clear();
  };
  Message names;
  for (const auto& [text, number] : names_)
    names.message(interned_event_names, Message().number(name_iid, number).text(name_text, text));
  packet.number(packet_sequence_id, only_sequence).number(packet_sequence_flags, state_cleared);
  packet.message(packet_interned_data, names);
  write();
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    Message descriptor;
    descriptor.number(descriptor_uuid, i + 1).text(descriptor_name, tracks_[i].name);
    if (tracks_[i].parent != 0) descriptor.number(descriptor_parent, tracks_[i].parent);
    if (tracks_[i].counter) descriptor.message(descriptor_counter, Message());
    packet.number(packet_sequence_id, only_sequence).message(packet_track_descriptor, descriptor);
    write();
  }
  std::vector<Event> events = events_;
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.time_ns < b.time_ns; });
  Message event;
  for (const Event& one : events) {
    event.clear();
    event.number(event_type, static_cast<std::uint64_t>(one.type)).number(event_track_uuid, one.track);
    if (one.name != 0) event.number(event_name_iid, one.name);
    if (one.type == Type::counter)
      event.number(event_counter_value, one.value);
    else if (one.value != 0)
      event.fixed64(event_flow_ids, one.value);
    packet.number(packet_timestamp, static_cast<std::uint64_t>(one.time_ns))
        .number(packet_sequence_id, only_sequence)
        .number(packet_sequence_flags, needs_state)
        .message(packet_track_event, event);
    write();
  }
  return out;
}

}  // namespace vmbsim::observe
