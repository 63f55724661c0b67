#include "models/workload/trace_reader.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <string>
#include <vector>

using namespace vmbsim;
using namespace vmbsim::workload;
using Kind = TraceRecord::Kind;

namespace {

TraceText read(const std::string& text, TraceOptions options) { return read_trace(text, "t.csv", options); }

TraceOptions format(TraceFormat format) {
  TraceOptions options;
  options.format = format;
  return options;
}

TraceOptions columns() {
  TraceOptions options;
  options.arrival = "at";
  options.size = "bytes";
  options.kind = "op";
  return options;
}

std::vector<std::string> lines(const Problems& problems) {
  std::vector<std::string> out;
  for (const Problem& problem : problems) out.push_back(problem.line());
  return out;
}

/// A record as text: arrival, kind, size, offset, service.
std::vector<std::string> told(const Trace& trace) {
  std::vector<std::string> out;
  for (const TraceRecord& r : trace)
    out.push_back(std::to_string(r.arrival.count()) + " " +
                  (r.kind == Kind::read    ? "read"
                   : r.kind == Kind::write ? "write"
                                           : "flush") +
                  " " + std::to_string(r.size.count) + " @" + std::to_string(r.offset) + " " +
                  std::to_string(r.service.count()));
  return out;
}

std::vector<std::int64_t> arrivals(const Trace& trace) {
  std::vector<std::int64_t> out;
  for (const TraceRecord& record : trace) out.push_back(record.arrival.count());
  return out;
}

const std::string german =
    "\xEF\xBB\xBFIO Type;Priority;Process (Name);Init Time (s);Disk Service Time (\xC2\xB5s);Size (B);Min Offset\r\n"
    "Read;Normal;System;1,500000000;87,200;512;0x0000000000000200\r\n"
    "Write;Normal;a.exe;1,500090700;1.360,300;1.048.576;0x0000002CEA59C000\r\n"
    "Flush;Normal;a.exe;1,600000000;45,700;0;0xFFFFFFFFFFFFFFFF\r\n";
const std::vector<std::string> the_three = {"0 read 512 @512 87200", "90700 write 1048576 @192910311424 1360300",
                                            "100000000 flush 0 @0 45700"};

}  // namespace

TEST_CASE("an export of Windows Performance Analyzer reads the same in every language") {
  const std::string english =
      "Disk,IO Type,Size (B),Init Time (s),Disk Service Time (\xC2\xB5s),Min Offset\n"
      "1,Read,512,1.500000000,87.200,0x0000000000000200\n"
      "1,Write,\"1,048,576\",1.500090700,\"1,360.300\",0x0000002CEA59C000\n"
      "1,Flush,0,1.600000000,45.700,0xFFFFFFFFFFFFFFFF\n";
  const std::string french =
      "Init Time (s);Size (KB);IO Type;Disk Service Time (ms);Min Offset\n"
      "1,500000000;0,5;Read;0,0872;0x200\n"
      "1,500090700;1\xC2\xA0"
      "024;Write;1,3603;0x2CEA59C000\n"
      "1,600000000;0;Flush;0,0457;0xFFFFFFFFFFFFFFFF\n";
  const std::string plain =
      "init_ns,complete_ns,disk_service_ns,io_type,size_bytes,offset_bytes\n"
      "1500000000,1500087200,87200,Read,512,512\n"
      "1500090700,1501451000,1360300,Write,1048576,192910311424\n"
      "1600000000,1600045700,45700,Flush,0,18446744073709551615\n";
  for (const std::string& text : {german, english, french, plain}) {
    INFO(text);
    const TraceText trace = read(text, format(TraceFormat::wpa_disk_io));
    CHECK(lines(trace.problems).empty());
    CHECK(told(trace.trace) == the_three);
  }
}

TEST_CASE("a Windows export may lack service times and offsets, but no unit") {
  const TraceText bare = read("Init Time (s),IO Type,Size (B)\n0.5,Read,512\n", format(TraceFormat::wpa_disk_io));
  CHECK(lines(bare.problems).empty());
  CHECK(told(bare.trace) == std::vector<std::string>{"0 read 512 @0 -1"});
  const TraceText unitless = read("IO Type,Init Time,Size (B)\nRead,0.5,512\n", format(TraceFormat::wpa_disk_io));
  CHECK(
      lines(unitless.problems) ==
      std::vector<std::string>{"t.csv:1:9: column \"Init Time\" names no unit; one of: (s), (ms), (\xC2\xB5s), (ns)"});
}

TEST_CASE("a table sorted by another column is refused with what to sort by, or sorted when asked") {
  const std::string text = "init_ns,io_type,size_bytes\n100,Read,1\n300,Read,2\n200,Read,3\n300,Read,4\n";
  TraceOptions options = format(TraceFormat::wpa_disk_io);
  const TraceText refused = read(text, options);
  CHECK(refused.trace.empty());
  CHECK(
      lines(refused.problems) ==
      std::vector<std::string>{
          "t.csv:4:1: the arrival goes back from 300 ns to 200 ns; sort the file by \"init_ns\", or say sort = true"});
  options.sort = true;
  const TraceText sorted = read(text, options);
  CHECK(lines(sorted.problems).empty());
  CHECK(told(sorted.trace) ==
        std::vector<std::string>{"0 read 1 @0 -1", "100 read 3 @0 -1", "200 read 2 @0 -1", "200 read 4 @0 -1"});
}

TEST_CASE("requests that arrive together stay in the order of the file when sorted") {
  TraceOptions options = columns();
  options.sort = true;
  std::string text = "at,bytes,op\n";
  for (int i = 1; i <= 100; ++i) text += std::to_string(i % 2) + "," + std::to_string(i) + ",R\n";
  const TraceText sorted = read(text, options);
  REQUIRE(sorted.trace.size() == 100);
  for (std::size_t i = 0; i < 100; ++i)
    CHECK(sorted.trace[i].size.count == static_cast<std::int64_t>(i < 50 ? 2 * i + 2 : 2 * (i - 50) + 1));
}

TEST_CASE("a request may have 1 byte or 1 GiB") {
  const TraceText trace = read("at,bytes,op\n0,1,R\n1,1073741824,W\n", columns());
  CHECK(lines(trace.problems).empty());
  CHECK(trace.trace.size() == 2);
}

// Source: SNIA IOTTA, MSR Cambridge block I/O traces: seven columns, both times in 100 ns.
TEST_CASE("MSR traces count FILETIME ticks of 100 ns, which do not fit in nanoseconds themselves") {
  const TraceText trace = read(
      "128166372003061629,usr,0,Read,7014609920,24576,41286\n"
      "128166372016382155,usr,0,Write,2517139456,4096,703\n",
      format(TraceFormat::msr));
  CHECK(lines(trace.problems).empty());
  CHECK(told(trace.trace) ==
        std::vector<std::string>{"0 read 24576 @7014609920 4128600", "1332052600 write 4096 @2517139456 70300"});
}

// Source: fio HOWTO, "Trace file format v2" and "v3"; fio iolog.c: log_io_u (timestamps by utime_since_now).
TEST_CASE("fio logs tell their times by waits in version 2 and by timestamps in version 3, both in microseconds") {
  const TraceText two = read(
      "fio version 2 iolog\n/dev/sdb add\n/dev/sdb open\n/dev/sdb read 0 4096\n/dev/sdb wait 150 0\n"
      "/dev/sdb write 8192 512\n/dev/sdb wait 20 0\n/dev/sdb sync 0 0\n/dev/sdb close\n",
      format(TraceFormat::fio_iolog));
  CHECK(lines(two.problems).empty());
  CHECK(told(two.trace) ==
        std::vector<std::string>{"0 read 4096 @0 -1", "150000 write 512 @8192 -1", "170000 flush 0 @0 -1"});
  const TraceText three = read(
      "fio version 3 iolog\r\n2 nvme add\r\n872 nvme open\r\n878 nvme write 0 16384\r\n"
      "888 nvme datasync 4096 512\r\n10001677 nvme close\r\n",
      format(TraceFormat::fio_iolog));
  CHECK(lines(three.problems).empty());
  CHECK(told(three.trace) == std::vector<std::string>{"0 write 16384 @0 -1", "10000 flush 0 @0 -1"});
}

TEST_CASE("every broken line of a fio log is named") {
  const TraceText trace = read(
      "fio version 3 iolog\n1 f raed 0 512\n2 f wait 9 0\n3 f trim 0 512\n4 f read x 512\n5 f opne\n"
      "6 f read\t0\n7 f read 0 0\n",
      format(TraceFormat::fio_iolog));
  CHECK(lines(trace.problems) ==
        std::vector<std::string>{
            "t.csv:2:5: unknown action \"raed\" (did you mean \"read\"?); one of: read, write, sync, datasync, wait",
            "t.csv:3:5: version 3 has no wait; its lines begin with a timestamp",
            "t.csv:4:5: a trim has no counterpart here; leave trims out of the log",
            "t.csv:5:10: \"x\" is not a whole number that fits in 63 bits",
            "t.csv:6:5: unknown action \"opne\" (did you mean \"open\"?); one of: add, open, close",
            "t.csv:7:1: the line has 4 words; an I/O has 5: timestamp file action offset length",
            "t.csv:8:12: a request of 0 bytes; 1 byte to 1 GiB is possible"});
  CHECK(lines(read("0,0,4096\n", format(TraceFormat::fio_iolog)).problems) ==
        std::vector<std::string>{
            "t.csv:1:1: the first line is \"0,0,4096\"; \"fio version 2 iolog\" or \"fio version 3 iolog\" "
            "is needed (version 1 logs carry no times)"});
}

TEST_CASE("a table of one's own needs an arrival column and takes the others as named") {
  TraceOptions options = columns();
  CHECK(told(read("op,bytes,at\nW,512,7\nread,1,9\n", options).trace) ==
        std::vector<std::string>{"0 write 512 @0 -1", "2 read 1 @0 -1"});
  options.unit = Duration{1000};
  CHECK(arrivals(read("op,bytes,at\nW,512,7\nread,1,9.5\n", options).trace) == std::vector<std::int64_t>{0, 2500});
  TraceOptions only_arrivals;
  only_arrivals.arrival = "timestamp";
  only_arrivals.size_if_absent = Bytes{8192};
  CHECK(
      told(read("timestamp,tokens\n2023-11-16 18:15:46.6805900,374\n2023-11-17T00:00:00Z,44\n", only_arrivals).trace) ==
      std::vector<std::string>{"0 read 8192 @0 -1", "20653319410000 read 8192 @0 -1"});
}

TEST_CASE("a unit in the header wins over none, and contradicts another") {
  TraceOptions options;
  options.arrival = "at";
  CHECK(arrivals(read("at (ms)\n1\n3\n", options).trace) == std::vector<std::int64_t>{0, 2'000'000});
  options.unit = Duration{1000};
  CHECK(lines(read("at (ms)\n1\n3\n", options).problems) ==
        std::vector<std::string>{
            "t.csv:1:1: column \"at (ms)\" names its own unit, and `unit` says 1000 ns; leave one out"});
}

TEST_CASE("what no device could do is a problem at its place") {
  struct Row {
    std::string row;
    std::string says;
  };
  TraceOptions options = columns();
  options.offset = "offset";
  options.service = "service";
  for (const Row& row :
       {Row{"-5,512,R,0,1", "t.csv:2:1: the arrival is negative"},
        Row{"5,0,R,0,1", "t.csv:2:3: a request of 0 bytes; 1 byte to 1 GiB is possible"},
        Row{"5,1073741825,R,0,1", "t.csv:2:3: a request of 1073741825 bytes; 1 byte to 1 GiB is possible"},
        Row{"5,-1,W,0,1", "t.csv:2:3: a request of -1 bytes; 1 byte to 1 GiB is possible"},
        Row{"5,512,Wirte,0,1",
            "t.csv:2:7: unknown kind \"Wirte\" (did you mean \"Write\"?); one of: Read, Write, Flush"},
        Row{"5,512,R,-8,1", "t.csv:2:9: the offset -8 is negative"},
        Row{"5,512,R,8,-1", "t.csv:2:11: the service time is negative"},
        Row{",512,R,8,1", "t.csv:2:1: \"at\" is empty; a number is needed"}}) {
    const TraceText trace = read("at,bytes,op,offset,service\n" + row.row + "\n", options);
    CHECK(trace.trace.empty());
    CHECK(lines(trace.problems) == std::vector<std::string>{row.says});
  }
}

TEST_CASE("a file without I/O is a problem") {
  CHECK(lines(read("at,bytes,op\n", columns()).problems) ==
        std::vector<std::string>{"t.csv: the file holds no I/O"});
  CHECK(lines(read("", columns()).problems) == std::vector<std::string>{"t.csv: the file is empty"});
  CHECK(lines(read("fio version 2 iolog\nf add\n", format(TraceFormat::fio_iolog)).problems) ==
        std::vector<std::string>{"t.csv: the file holds no I/O"});
}

TEST_CASE("every missing column is named at once") {
  CHECK(read("Init Tme (s),Type,Bytes\n1,Read,1\n", format(TraceFormat::wpa_disk_io)).problems.size() == 3);
}

TEST_CASE("scaled arrivals are exact to the nanosecond, however large") {
  struct Row {
    double scale;
    std::int64_t arrival;
    std::int64_t scaled;
  };
  for (const Row& row :
       {Row{1.0, 315'360'000'000'000'000, 315'360'000'000'000'000}, Row{2.0, 3, 6}, Row{0.5, 3, 2}, Row{0.5, 1, 1},
        Row{0.25, 1, 0}, Row{0.1, 9'007'199'254'740'993, 900'719'925'474'099},
        Row{3.0, 100'000'000'000'000'001, 300'000'000'000'000'003}, Row{1e-300, 9'000'000'000'000'000'000, 0}}) {
    INFO(row.scale << " x " << row.arrival);
    TraceOptions options = columns();
    options.time_scale = row.scale;
    const TraceText trace = read("at,bytes,op\n0,1,R\n" + std::to_string(row.arrival) + ",1,R\n", options);
    CHECK(lines(trace.problems).empty());
    CHECK(arrivals(trace.trace) == std::vector<std::int64_t>{0, row.scaled});
  }
}

TEST_CASE("a scale that is not above zero, or too large, is a problem") {
  for (const double scale :
       {0.0, -1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    TraceOptions options = columns();
    options.time_scale = scale;
    CHECK(lines(read("at,bytes,op\n0,1,R\n", options).problems) ==
          std::vector<std::string>{"t.csv: time_scale must be above 0"});
  }
  TraceOptions options = columns();
  options.time_scale = 1e300;
  CHECK(lines(read("at,bytes,op\n0,1,R\n1,1,R\n", options).problems) ==
        std::vector<std::string>{"t.csv: the trace, as scaled, is longer than 10 years"});
}
