#pragma once
/// What one run of a batch leaves: its figures, its histograms, or why it has none.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report/metrics.hpp"
#include "vmbsim/histogram.hpp"
#include "vmbsim/ids.hpp"

namespace vmbsim::batch {

/// XXH3-128 over the resolved scenario, the contents of the files that it names, its seed and the version of the model.
using Key = Fingerprint;

/// A latency of all samples, so that percentiles of several runs come from all of theirs together.
struct NamedHistogram {
  std::string name;  ///< as its metrics without the last part: "channel.disk.latency"
  Histogram histogram;
  friend bool operator==(const NamedHistogram&, const NamedHistogram&) = default;
};

/// A run that came to its end.
struct Figures {
  bool met = true;  ///< every expectation, and no rule was broken
  Fingerprint fingerprint;
  std::vector<report::Metric> metrics;
  std::vector<NamedHistogram> histograms;
};

enum class Status : std::uint8_t {
  met,
  unmet,        ///< it has figures, but an expectation was not met or a rule was broken
  crashed,      ///< its process ended by a signal, at every attempt
  over_time,    ///< beyond the limit
  over_memory,  ///< beyond the limit
  failed,       ///< it could not be carried out; the reason says why
};
inline constexpr std::size_t status_count = 6;
/// "met", "unmet", "crashed", "over-time", "over-memory", "failed".
const char* name_of(Status status);
std::optional<Status> status_of(std::string_view name);
/// Whether the run has figures.
inline bool done(Status status) { return status == Status::met || status == Status::unmet; }

struct Record {
  Key key;
  std::vector<std::string> parameters;  ///< TOML text of each of the campaign's; empty: the run does not have it
  Seed seed;
  Status status = Status::met;
  std::string reason;  ///< where it failed
  Figures figures;     ///< where it is done
  std::uint32_t attempts = 1;
  std::int64_t processor_us = 0;  ///< processor time of the last attempt
};

/// A run's answer on its way from its process, and into the store.
std::string encoded(const Figures& figures);
/// Nothing when the text is no such answer.
std::optional<Figures> figures_in(std::string_view text);

/// The form in which the store keeps histograms: variable-length numbers, some 3 bytes per bucket that holds samples.
std::string packed(const std::vector<NamedHistogram>& histograms);
std::optional<std::vector<NamedHistogram>> unpacked(std::string_view bytes);

}  // namespace vmbsim::batch
