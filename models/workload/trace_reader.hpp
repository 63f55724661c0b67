#pragma once
/// Trace files as recorded loads: text and options in, records in order of arrival and problems out.
///
/// Formats
///   wpa_disk_io  "Disk Usage" table of Windows Performance Analyzer, exported as CSV in any language (`Init Time (s)`,
///                `Disk Service Time (µs)`, `IO Type`, `Size (B)`, `Min Offset`), or the same in plain columns (`init_ns`,
///                `disk_service_ns`, `io_type`, `size_bytes`, `offset_bytes`). Any order; service and offset may be absent.
///   msr          SNIA IOTTA block traces of MSR Cambridge: no header; Timestamp (FILETIME, 100 ns), Hostname, DiskNumber,
///                Type, Offset, Size, ResponseTime (100 ns).
///   fio_iolog    fio's write_iolog, version 2 and 3. Source: fio HOWTO, "Trace file format"; iolog.c: log_io_u,
///                read_iolog. Version 3 timestamps are microseconds. A version 2 `wait` is microseconds after the previous
///                one, as the HOWTO says (fio's own replay reads milliseconds since its start, and skips short waits);
///                version 3 forbids it. `sync` and `datasync` are flushes; the files of a log are one disk here.
///   csv          named columns; only the arrival must be there.
///
/// Rules    The first record arrives at 0. A read or write moves 1 B to 1 GiB. A flush has size 0 and offset 0, whatever the
///          file says (WPA says 0xFFFFFFFFFFFFFFFF). Arrivals that go back are a problem, because they are what a table
///          sorted by another column looks like; `sort` asks for a stable sort by arrival instead.
#include <cstdint>
#include <string>
#include <string_view>

#include "models/workload/trace.hpp"
#include "vmbsim/bytes.hpp"
#include "vmbsim/problem.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::workload {

enum class TraceFormat : std::uint8_t { wpa_disk_io, msr, fio_iolog, csv };

struct TraceOptions {
  TraceFormat format = TraceFormat::csv;
  /// Above 0. 2: arrivals come twice as far apart; service times stay. The product is exact, then rounded to the nanosecond.
  double time_scale = 1;
  bool sort = false;   ///< by arrival, equals in the order of the file
  char delimiter = 0;  ///< 0: found out, as the next two; see config::CsvOptions
  char decimal = 0;
  char thousands = 0;

  // `csv` only. Empty: the file has no such column.
  std::string arrival;  ///< a number, or a date and time such as 2023-11-16 18:15:46.6805900
  std::string size;
  std::string kind;  ///< Read, Write or Flush, or R, W, F; absent: all are reads
  std::string offset;
  std::string service;
  Duration unit{1};            ///< of arrival and service where their headers name none
  Bytes size_if_absent{4096};  ///< of every request where there is no size column
};

/// What a text said. The trace is to be used only where there are no problems; it then has at least one record.
struct TraceText {
  Trace trace;
  Problems problems;  ///< at most 20, and "and N more"
};

/// `file` is only a name for messages.
TraceText read_trace(std::string_view text, const std::string& file, const TraceOptions& options);

}  // namespace vmbsim::workload
