#include "sim/hunt/portfolio.hpp"

#include <algorithm>

#include "vmbsim/assert.hpp"

namespace vmbsim::hunt {

namespace {

constexpr std::uint64_t whole = 1000;        // all shares together
constexpr std::uint64_t least = whole / 20;  // of a strategy
constexpr std::size_t favourites = 3;        // lanes that are named first
constexpr std::uint64_t favour = whole / 6;  // of each of them, at most, on top of what everybody gets
constexpr std::uint64_t first_epoch = 64;    // runs
constexpr std::uint64_t longest_epoch = 1 << 18;
constexpr std::uint64_t steps_per_epoch = 1 << 25;  // about: some seconds of one processor
constexpr std::uint64_t slices_per_epoch = 16;
constexpr std::uint64_t shortest_slice = 16;

}  // namespace

std::vector<std::uint64_t> Portfolio::shares() const {
  std::uint64_t alive = 0;
  std::uint64_t rates = 0;
  for (const Lane& lane : lanes_) {
    if (lane.over) continue;
    ++alive;
    rates += lane.rate;
  }
  std::vector<std::uint64_t> shares(lanes_.size());
  if (alive == 0) return shares;
  const std::uint64_t sure = std::min(least, whole / alive);
  std::uint64_t rest = whole - sure * alive;
  std::size_t favoured = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].over) continue;
    shares[i] = sure;
    if (favoured++ >= favourites) continue;
    const std::uint64_t more = std::min(favour, rest);
    shares[i] += more;
    rest -= more;
  }
  // A part of a campaign does not know what the others covered: there the rest is everybody's.
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].over) continue;
    shares[i] += fixed_ || rates == 0 ? rest / alive : rest * lanes_[i].rate / rates;
  }
  return shares;
}

std::vector<Slice> Portfolio::plan(std::uint64_t most_runs) {
  std::uint64_t runs_so_far = 0;
  std::uint64_t steps_so_far = 0;
  for (const Lane& lane : lanes_) {
    runs_so_far += lane.runs + lane.abandoned + lane.cut;
    steps_so_far += lane.steps;
  }
  std::uint64_t runs = std::min(first_epoch << std::min<std::uint64_t>(epoch_, 20), longest_epoch);
  // A part of a campaign has not seen all steps, and must plan the same all the same.
  if (!fixed_ && runs_so_far != 0)
    runs = std::min(runs, std::max(first_epoch, steps_per_epoch / (steps_so_far / runs_so_far + 1)));
  runs = std::min(runs, most_runs - std::min(most_runs, places_));
  const std::vector<std::uint64_t> share = shares();
  std::uint64_t all = 0;
  for (const std::uint64_t one : share) all += one;
  if (runs == 0 || all == 0) return {};

  // Smooth weighted round robin: who is owed most is next.
  std::vector<std::vector<std::uint64_t>> places(lanes_.size());
  std::vector<std::int64_t> owed(lanes_.size());
  for (std::uint64_t i = 0; i < runs; ++i) {
    for (std::size_t lane = 0; lane < owed.size(); ++lane) owed[lane] += static_cast<std::int64_t>(share[lane]);
    const auto next = std::max_element(owed.begin(), owed.end());
    *next -= static_cast<std::int64_t>(all);
    places[static_cast<std::size_t>(next - owed.begin())].push_back(places_ + i);
  }
  places_ += runs;
  ++epoch_;

  std::vector<Slice> slices;
  const std::uint64_t length = std::max(shortest_slice, (runs + slices_per_epoch - 1) / slices_per_epoch);
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    const std::vector<std::uint64_t>& mine = places[lane];
    const std::uint64_t step = lanes_[lane].independent ? length : runs;
    for (std::uint64_t from = 0; from < mine.size(); from += step) {
      const std::uint64_t to = std::min<std::uint64_t>(from + step, mine.size());
      slices.push_back(
          {.number = slices_++,
           .lane = lane,
           .strategy = lanes_[lane].strategy,
           .first = lanes_[lane].next + from,
           .places = {mine.begin() + static_cast<std::ptrdiff_t>(from), mine.begin() + static_cast<std::ptrdiff_t>(to)},
           .state = lanes_[lane].state,
           .knobs = {}});
    }
    lanes_[lane].next += mine.size();
  }
  return slices;
}

void Portfolio::learn(const std::vector<Slice>& slices, const std::vector<const SliceResult*>& results,
                      Coverage& known) {
  VMBSIM_ASSERT(slices.size() == results.size(), "every slice of an epoch is told, done or not");
  std::vector<Coverage> met(lanes_.size());
  std::vector<std::uint64_t> steps(lanes_.size());
  for (std::size_t i = 0; i < slices.size(); ++i) {
    if (results[i] == nullptr) continue;
    const SliceResult& result = *results[i];
    Lane& lane = lanes_[slices[i].lane];
    lane.runs += result.runs;
    lane.abandoned += result.abandoned;
    lane.cut += result.cut;
    lane.steps += result.steps;
    steps[slices[i].lane] += result.steps;
    if (!result.covered.empty()) lane.covered = result.covered;
    if (!lane.independent) {
      lane.state = result.state;
      lane.over = lane.over || (result.state.empty() && !result.exhausted);
    }
    lane.exhausted = lane.exhausted || result.exhausted;
    lane.over = lane.over || lane.exhausted;
    for (const std::uint32_t feature : result.features) met[slices[i].lane].set(feature);
  }
  for (std::size_t i = 0; i < lanes_.size() && !fixed_; ++i) {
    const std::uint64_t fresh = met[i].count();
    lanes_[i].rate = (lanes_[i].rate + (steps[i] == 0 ? 0 : fresh * 1'000'000'000 / steps[i])) / 2;
  }
  for (const Coverage& one : met) known |= one;
}

}  // namespace vmbsim::hunt
