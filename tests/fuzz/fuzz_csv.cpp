// Any bytes as a table and as a trace of every format. Byte 0 chooses the format, byte 1 the options; the text follows.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "models/workload/trace_reader.hpp"
#include "sim/config/csv_reader.hpp"
#include "vmbsim/assert.hpp"

using namespace vmbsim;

namespace {

constexpr char delimiters[] = {0, ',', ';', '\t', ' ', '"', '\n', 'x'};
constexpr char marks[] = {0, '.', ',', '\''};

void check_problems(const Problems& problems) {
  VMBSIM_ASSERT(problems.size() <= 21, "at most twenty problems are told, and how many more there are");
  for (const Problem& problem : problems) {
    VMBSIM_ASSERT(!problem.text.empty(), "a problem says what is wrong");
    for (const char c : problem.line()) VMBSIM_ASSERT(c >= ' ' || c < 0, "a problem is one printable line");
  }
}

void read_table(std::string_view text, std::uint8_t choice) {
  config::CsvOptions options;
  options.delimiter = delimiters[choice & 7];
  options.decimal = marks[choice >> 3 & 3];
  options.thousands = marks[choice >> 5 & 3];
  if (choice & 0x80) options.names = {"time", "size (KB)"};
  config::CsvReader csv(text, "fuzz.csv", options);
  csv.column({"Init Time", "time"});
  while (csv.next())
    for (const config::CsvColumn& column : csv.columns()) {
      const Place place = csv.place(column);
      VMBSIM_ASSERT(place.line >= 1 && place.column >= 1, "a cell has a place");
      csv.integer(column);
      csv.duration(column);
      csv.size(column);
    }
  check_problems(csv.take_problems());
}

void read_trace(std::string_view text, std::uint8_t format, std::uint8_t choice) {
  workload::TraceOptions options;
  options.format = static_cast<workload::TraceFormat>(format & 3);
  options.sort = choice & 1;
  options.time_scale = choice & 2 ? 0.3 : choice & 4 ? 1e12 : 1;
  options.unit = Duration{choice & 8 ? 1'000'000'000 : 1};
  options.arrival = "arrival";
  if (choice & 16) options.size = "size";
  if (choice & 16) options.kind = "kind";
  if (choice & 32) options.offset = "offset";
  if (choice & 32) options.service = "service";
  const workload::TraceText read = workload::read_trace(text, "fuzz.csv", options);
  check_problems(read.problems);
  VMBSIM_ASSERT(read.problems.empty() != read.trace.empty(), "there is a trace or there are problems");
  Duration last{};
  for (const workload::TraceRecord& record : read.trace) {
    VMBSIM_ASSERT(record.arrival >= last, "a trace is in order");
    VMBSIM_ASSERT(record.offset >= 0 && record.service >= Duration{-1}, "a record holds what a device could do");
    VMBSIM_ASSERT((record.size.count == 0) == (record.kind == workload::TraceRecord::Kind::flush),
                  "only a flush is empty");
    last = record.arrival;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 2), size - 2);
  read_table(text, data[1]);
  read_trace(text, data[0], data[1]);
  return 0;
}
