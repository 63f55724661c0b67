#pragma once
/// A scenario as plain values: what scenario text means once every key was read and every number has its unit.
///
/// Text becomes these values in schema.cpp; world.cpp turns the values into wired objects. Nothing reads a setting later.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/faults/faults.hpp"
#include "models/faults/planted.hpp"
#include "models/hw/costs.hpp"
#include "models/kmcl/device.hpp"
#include "models/scenario/fleet.hpp"
#include "sim/explore/program.hpp"
#include "sim/kernel/arrival_process.hpp"
#include "sim/kernel/distribution.hpp"
#include "sim/report/metrics.hpp"
#include "sim/stats/observations.hpp"
#include "sim/sweep/sweep.hpp"
#include "vmbsim/bytes.hpp"
#include "vmbsim/ids.hpp"
#include "vmbsim/problem.hpp"
#include "vmbsim/rules.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::scenario {

/// `[machine]`
struct MachineSpec {
  std::uint32_t guest_cpus = 1;  ///< of every guest that does not say its own
  std::uint32_t host_cpus = 1;
  std::string platform;  ///< absolute path of a SimGrid platform file, "default" for the embedded one, empty for none
  std::string host;      ///< host of the platform that is the root partition; empty where `[[host]]` says which are
};

/// `processing` of an endpoint: where packet callbacks run.
enum class Processing : std::uint8_t { dispatch, passive };

/// `[channel.host_endpoint]`, `[channel.guest_endpoint]`
struct EndpointSpec {
  std::string library;  ///< absolute path of the driver's own library; empty: the built-in driver
  Processing processing = Processing::dispatch;
  std::uint32_t transaction_quota = 0;  ///< 0: unlimited
  kernel::Distribution process_time;    ///< processor time the driver spends on each packet
  std::uint8_t vtl = 0;                 ///< guest: virtual trust level that its drivers run in
};

/// `[channel.batching]`: how one dispatch pass takes packets.
struct BatchingSpec {
  enum class Mode : std::uint8_t {
    none,
    drain,
    limit
  };  ///< one packet a batch; until empty; at most max_packets a pass
  Mode mode = Mode::drain;
  std::uint32_t max_packets = 64;  ///< `limit` only
  bool mask = false;               ///< hold InterruptMask while a pass drains
};

/// `[channel.device]`: what stands behind the host's driver: the disk of a storage channel, the wire of a network channel.
struct DeviceSpec {
  enum class Completion : std::uint8_t { dpc, worker };
  kernel::Distribution service;     ///< time one server needs for a request
  std::uint32_t parallel = 1;       ///< servers
  bool service_from_trace = false;  ///< `service = "trace"`: each request brings its own
  std::string disk;                 ///< `"host:disk"` of the platform, `"*:disk"`: of the host that carries the guest;
      ///< a name: that `[[disk]]`; empty: the closed-form servers above, one channel's own
  std::string peer;                         ///< host of the platform that frames go to; empty: the servers above
  Completion completion = Completion::dpc;  ///< where the host driver completes the packet
};

/// `[channel.save]`: the host's end is saved and restored while the guest runs on.
struct SaveSpec {
  Duration at{};                   ///< from the start of the run, warm-up included
  Duration restore_after{};        ///< from the end of the save
  std::uint32_t save_code = 0;     ///< device control of the host's driver that returns what it saved
  std::uint32_t restore_code = 0;  ///< and that takes it back
};

/// Which guest processors the channel and its subchannels interrupt.
enum class Placement : std::uint8_t { spread, first };  ///< channel i at processor i (modulo cpus); all at processor 0

/// `[[channel]]`
struct ChannelSpec {
  std::string name;
  std::string vm;      ///< name of its VmSpec
  std::string driver;  ///< "echo", "storage", "network": the built-in pair; "library": none, both ends are libraries
  std::uint32_t subchannels = 0;
  Placement placement = Placement::spread;
  Pages to_host{32};  ///< data pages of each ring
  Pages to_guest{32};
  BatchingSpec batching;
  EndpointSpec host_endpoint;
  EndpointSpec guest_endpoint;
  DeviceSpec device;
  std::optional<SaveSpec> save;
  kmcl::Policies policies;

  /// The host's driver is a built-in one with a device behind it. True also while the driver is not known.
  bool has_device() const { return host_endpoint.library.empty() && driver != "echo"; }
};

/// `trace = { file, format, ... }`
struct TraceSpec {
  enum class Format : std::uint8_t { wpa_disk_io, msr, fio_iolog, csv };
  std::string file;  ///< absolute
  Format format = Format::csv;
  double time_scale = 1;                             ///< 2: arrivals come twice as far apart
  bool sort = false;                                 ///< by arrival; without it arrivals that go back are a problem
  char delimiter = 0;                                ///< 0: found out from the header line
  char decimal = 0;                                  ///< 0: found out
  char thousands = 0;                                ///< 0: found out
  std::string arrival, size, kind, offset, service;  ///< column names, `csv` only; empty: not there
  Duration unit{1};                                  ///< of arrival and service columns, `csv` only
  Place place;                                       ///< where the scenario names it
};

/// `[[workload]]`
struct WorkloadSpec {
  enum class Loop : std::uint8_t { open, closed, trace };
  std::string name;
  std::string channel;
  std::string vm;
  Loop loop = Loop::closed;
  kernel::ArrivalProcess::Spec arrivals = kernel::Poisson{};
  std::uint32_t queue_depth = 1;
  kernel::Distribution think_time;
  struct RequestSize {
    Bytes size;
    std::uint32_t weight;
  };
  std::vector<RequestSize> request;    ///< at least one, several are mixed by weight; of a trace only the size of
                                       ///< every request where `csv` has no size column, else empty
  std::uint32_t read_permille = 1000;  ///< `read_fraction`, in thousandths
  TraceSpec trace;
};

/// One line of `[expect]` or `[objective]`: `"channel.disk.latency.p99" = "< 2ms"`.
struct Expectation {
  enum class Relation : std::uint8_t { below, at_most, above, at_least, equals };
  std::string metric;   ///< as in the `metric` column of summary.csv
  std::string written;  ///< the same as the scenario has it: "[*]" also of a guest that is the only one
  Relation relation = Relation::below;
  double value = 0;  ///< in the metric's own unit (ns, bytes, per second, plain)
  report::Unit unit = report::Unit::count;
  std::string text;  ///< as written
  Place place;
};

/// `[precision]`: the run ends when a figure of one channel is known well enough, before its other limits are reached.
struct PrecisionSpec {
  std::string channel;  ///< instance
  stats::Stopping::Config target;
};

/// Rows that `[record]` may bring in one run: what one computer's memory holds.
inline constexpr std::int64_t most_recorded_rows = 10'000'000;

/// `[record]`
struct RecordSpec {
  bool packets = false;  ///< packets.csv: one row per transaction
  Duration interval{};   ///< intervals.csv: one row per interval; 0: none
  bool trace = false;    ///< trace.pftrace: the run as a timeline
};

/// `[plan]`: what is asked for under `[objective]`, and how sure the answer is to be.
struct PlanSpec {
  /// One thing that may vary, in steps from one end to the other.
  struct Axis {
    std::vector<std::string> keys;  ///< paths as `--set` takes them; all get the same value
    double from = 0;
    double to = 0;
    double step = 1;
    std::string unit;      ///< as written behind the numbers, "/s", " pages"; empty: plain numbers
    bool whole = true;     ///< plain numbers without a fraction
    bool maximise = true;  ///< else the smallest is asked for
    Place key_place, from_place, to_place;

    std::size_t last() const;                    ///< index of the last value
    double number(std::size_t index) const;      ///< index 0 is what keeps the objective most easily
    std::string value(std::size_t index) const;  ///< as a person reads it: "12", "4000/s"
    std::string toml(std::size_t index) const;   ///< as `--set` takes it
  };
  std::vector<Axis> axes;  ///< the first is searched, of the others every value is taken
  double confidence = 0.95;
  std::uint32_t first_runs = 5;   ///< at every value
  std::uint32_t most_runs = 100;  ///< at one that is close
};

/// `[verifier]`: one rule, and what becomes of its findings.
struct VerifierSpec {
  const Rule* rule;
  Severity severity;
};

/// `[report]`
struct ReportSpec {
  std::vector<std::string> rows;  ///< metrics: "latency.p99" of every channel or workload, or one by its full name
  std::string against;            ///< a key of the sweep; empty: none
};

/// `[hunt]`: what a hunt may vary and what it looks for. A plain run does not read it.
struct HuntSpec {
  explore::MemoryModel memory = explore::MemoryModel::sc;  ///< of ring control words
  /// Spans for which a processor may be descheduled before a visible operation, or an interrupt held back.
  std::vector<Duration> stalls{1us, 4us, 16us, 64us, 256us};
  bool latency = false;  ///< costs and latencies are chosen as well
  faults::Faults faults = faults::Faults::to_be_survived();
  faults::Planted planted = faults::Planted::none;
  std::uint64_t runs = 10'000;          ///< at most
  std::uint64_t events = 1'000'000;     ///< of one run, at most: a load may go on when its channel does not
  std::vector<std::string> strategies;  ///< empty: the portfolio
  std::string expect;                   ///< id of the rule whose finding the hunt must end with; empty: none
};

struct Scenario {
  std::string name;
  std::string file;  ///< as given on the command line
  Seed seed{1};
  Duration warm_up{};
  bool warm_up_auto = false;  ///< `warm_up = "auto"`: to be found, by find_warm_up(), before the run
  Duration run_for{};         ///< measured span after the warm-up; 0: until `packets` completions or the trace's end
  std::uint64_t packets = 0;  ///< stop after that many completions; 0: no such limit
  MachineSpec machine;
  std::vector<HostSpec> hosts;  ///< at least one
  std::vector<VmSpec> vms;      ///< at least one; `count` of each is what `placed` made of it
  std::vector<DiskSpec> disks;
  FleetSpec fleet;
  Fleet placed;  ///< who lives where, and when
  hw::Costs costs;
  std::string profile = "typical";
  std::vector<ChannelSpec> channels;
  std::vector<WorkloadSpec> workloads;
  std::vector<Expectation> expect;
  std::vector<VerifierSpec> verifier;
  std::optional<PrecisionSpec> precision;
  RecordSpec record;
  HuntSpec hunt;
  sweep::Sweep sweep;                  ///< what a batch runs; `run` takes the scenario as it stands
  std::vector<Expectation> objective;  ///< what `plan` must keep
  PlanSpec plan;
  ReportSpec report;
  std::vector<std::string> files;  ///< absolute, ascending: what it reads beside itself; the resolved text names them
  std::string resolved;            ///< this scenario as TOML with nothing left out; reads back to the same values
};

/// Whether results tell of hosts, of templates and of the fleet.
inline bool has_fleet(const Scenario& s) { return s.placed.by_name || s.fleet.written; }

}  // namespace vmbsim::scenario
