#pragma once
/// A piece of a campaign that one worker does: some runs of one strategy, one after the other.
#include <atomic>
#include <bitset>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/explore/deviations.hpp"
#include "sim/explore/program.hpp"
#include "sim/explore/strategy.hpp"
#include "sim/hunt/sketch.hpp"
#include "sim/hunt/target.hpp"
#include "sim/hunt/words.hpp"
#include "sim/workers/black_box.hpp"

namespace vmbsim::hunt {

/// Numbers of Outcome::features that were met.
using Coverage = std::bitset<65536>;

struct Slice {
  std::uint64_t number = 0;  ///< in the campaign
  std::size_t lane = 0;      ///< which strategy of the portfolio
  std::size_t tree = 0;      ///< which part of that strategy's search
  std::string strategy;
  std::uint64_t first = 0;            ///< first run, counted within the lane
  std::vector<std::uint64_t> places;  ///< of each run in the campaign: what "first" means between lanes
  std::string state;                  ///< the strategy's, from the slice before
  std::vector<std::string> knobs;     ///< what the swarm drew for it, on top of the campaign's
};

/// A run that broke something.
struct Find {
  std::uint64_t place = 0;  ///< in the campaign
  std::string strategy;
  std::uint64_t run = 0;  ///< of the strategy
  Setting setting;
  Finding finding;  ///< the first one
  Fingerprint fingerprint;
  explore::Deviations deviations;
  bool lost = false;  ///< the worker died, so that there is no fingerprint
};

/// The rule of runs that do not come to their next step. Each of them costs the time that it takes to notice.
inline constexpr std::string_view endless = "ENDLESS";

/// What makes two findings the same mistake: rule, call and text, with every number, decimal or from 0x on, taken for any other.
/// By it a hunt tells its finds apart, and whatever makes a find small keeps it.
std::string mistake_of(const Finding& finding);
/// Whether a mistake, named so, is that a run does not come to its next step.
bool is_hang(const std::string& mistake);

struct SliceResult {
  std::uint64_t number = 0;
  std::uint64_t runs = 0;       ///< that went to an end of their own
  std::uint64_t abandoned = 0;  ///< that the strategy gave up, having seen what follows
  std::uint64_t cut = 0;        ///< that reached the limit of steps
  std::uint64_t lost = 0;       ///< that ended their process
  std::uint64_t yielded = 0;    ///< of all these, in which a yield kept somebody from going
  std::uint64_t steps = 0;
  bool exhausted = false;               ///< the strategy has nothing left
  bool complete = true;                 ///< false: ended early because an earlier find is known
  std::vector<std::uint32_t> features;  ///< that nobody knew before
  Sketch classes;
  std::set<std::string> goals;    ///< `sometimes` goals that a run came by, met or not
  std::set<std::string> reached;  ///< those of them that were met
  std::vector<Find> finds;        ///< by place; of equal ones the first
  std::string state;              ///< the strategy's
  std::string covered;            ///< what it has seen completely, as a certificate puts it

  /// Of every kind.
  std::uint64_t made() const { return runs + abandoned + cut + lost; }
  std::string text() const;
  static std::optional<SliceResult> read(Reader& reader);
};

void add(Line& line, const Find& find);
Find read_find(Reader& reader);

/// What all slices of a campaign share.
struct SliceContext {
  const Target& target;
  const Setting& setting;
  Seed seed;
  bool keep_going;        ///< else a slice ends at its first find
  const Coverage& known;  ///< before it began
  unsigned patience_s;    ///< processor time, or sleep, without progress after which a run is endless
  const std::atomic<std::uint64_t>& earliest;  ///< place of the earliest find of all: later runs do not matter
};

/// Makes the program with all of a setting's knobs, or without the last ones where they do not go together: those that are not
/// among the first `said` were drawn. Null, with the reason in `why`, when it cannot be made with the said ones either.
std::unique_ptr<explore::Program> make_drawn(const Target& target, Setting& setting, std::size_t said,
                                             std::string& why);

/// Does it, in the process that calls.
SliceResult do_slice(const SliceContext& context, const Slice& slice, workers::BlackBox& box);

}  // namespace vmbsim::hunt
