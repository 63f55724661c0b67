#pragma once
/// Reads a Perfetto trace as a stranger would: with protoc and a schema, not with the code that wrote it.
#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/command.hpp"
#include "tests/support/scratch_folder.hpp"

namespace vmbsim::testing {

/// Whether protoc is there; a test without it is skipped.
inline bool has_protoc() { return run_command("command -v protoc").status == 0; }

/// protoc's text of a trace. `schema` is the folder of perfetto.proto.
inline std::string decoded(const std::string& bytes, const std::string& schema) {
  const ScratchFolder scratch;
  const std::string file = (scratch.path() / "trace").string();
  std::ofstream(file, std::ios::binary) << bytes;
  const Outcome out =
      run_command("protoc --decode=Trace -I " + quoted(schema) + " perfetto.proto < " + quoted(file) + " 2>&1");
  return out.status == 0 ? out.output : "protoc: " + out.output;
}

struct TraceEvent {
  std::int64_t time = 0;
  std::string type;   ///< "SLICE_BEGIN", "SLICE_END", "INSTANT", "COUNTER"
  std::string track;  ///< its name
  std::string name;
  std::int64_t value = 0;
  std::uint64_t flow = 0;
};

/// A decoded trace as a list of events, in the order of the file.
inline std::vector<TraceEvent> events_of(const std::string& text) {
  std::map<std::string, std::string> names;
  std::map<std::string, std::string> tracks;
  std::vector<TraceEvent> events;
  std::istringstream lines(text);
  std::map<std::string, std::string> fields;
  std::string inside;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(' ');
    const std::string word = line.substr(begin, line.find_first_of(" :", begin) - begin);
    const std::size_t colon = line.find(": ");
    std::string value = colon == std::string::npos ? "" : line.substr(colon + 2);
    if (value.size() > 1 && value.front() == '"') value = value.substr(1, value.size() - 2);
    if (line.back() == '{') {
      if (begin == 0) fields.clear();
      inside = word;
    } else if (word != "}") {
      fields[word] = value;
    } else if (inside == "event_names") {
      names[fields["iid"]] = fields["name"];
    }
    if (line != "}") continue;
    if (fields.contains("uuid")) tracks[fields["uuid"]] = fields["name"];
    if (!fields.contains("type")) continue;
    events.push_back({.time = std::stoll(fields["timestamp"]),
                      .type = fields["type"].substr(5),
                      .track = tracks[fields["track_uuid"]],
                      .name = fields.contains("name_iid") ? names[fields["name_iid"]] : "",
                      .value = fields.contains("counter_value") ? std::stoll(fields["counter_value"]) : 0,
                      .flow = fields.contains("flow_ids") ? std::stoull(fields["flow_ids"]) : 0});
  }
  return events;
}

/// What is wrong with the nesting of slices: the first track whose slices end before they begin, are left open, or go back in
/// time; empty: nothing.
inline std::string wrong_nesting(const std::vector<TraceEvent>& events) {
  std::map<std::string, int> depth;
  std::map<std::string, std::int64_t> latest;
  for (const TraceEvent& event : events) {
    if (event.time < latest[event.track]) return event.track + " goes back in time";
    latest[event.track] = event.time;
    if (event.type == "SLICE_BEGIN") ++depth[event.track];
    if (event.type == "SLICE_END" && --depth[event.track] < 0) return event.track + " ends what did not begin";
  }
  return "";
}

}  // namespace vmbsim::testing
