#include "sim/hunt/portfolio.hpp"

#include <algorithm>

#include "sim/explore/strategies.hpp"
#include "vmbsim/assert.hpp"

namespace vmbsim::hunt {

namespace {

constexpr std::uint64_t whole = 1000;                  // all shares together
constexpr std::uint64_t least = whole / 20;            // of a strategy
constexpr std::uint64_t early = 1000;                  // runs
constexpr std::uint64_t early_favour = whole * 2 / 5;  // of the first one named, on top of what everybody gets
constexpr std::uint64_t favour = whole / 5;            // of the second and third one, later
constexpr std::uint64_t first_epoch = 64;              // runs
constexpr std::uint64_t longest_epoch = 1 << 18;
constexpr std::uint64_t steps_per_epoch = 1 << 25;  // about: some seconds of one processor
constexpr std::uint64_t slices_per_epoch = 16;
constexpr std::uint64_t shortest_slice = 16;
constexpr std::uint64_t runs_before_division = 4000;  // of a tree: a search that is through by then needs no company
constexpr std::size_t most_trees = 16;                // of a strategy: what many workers can share
constexpr std::size_t trees_of_parts = 64;            // the same in a campaign in parts, where it is divided once

/// Whether the search that is named behind the first one has that run of the first epoch. Few bugs are left after six, and those
/// that a search shows in its first three orders need not wait; the last runs are for proofs.
constexpr bool is_searched(std::uint64_t place) { return (place >= 6 && place < 9) || place >= 46; }

}  // namespace

// A part of a campaign does not know who is over for the others.
bool Portfolio::takes_part(const Lane& lane) const {
  return part_ || (!lane.over && (!left_over_ || explore::can_split(lane.strategy)));
}

std::vector<std::uint64_t> Portfolio::shares() const {
  std::uint64_t alive = 0;
  std::uint64_t rates = 0;
  for (const Lane& lane : lanes_) {
    if (!takes_part(lane)) continue;
    ++alive;
    rates += lane.rate;
  }
  std::vector<std::uint64_t> shares(lanes_.size());
  if (alive == 0) return shares;
  const std::uint64_t sure = std::min(least, whole / alive);
  std::uint64_t rest = whole - sure * alive;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!takes_part(lanes_[i])) continue;
    const bool first = i == 0;
    const bool next = i == 1 || i == 2;
    const std::uint64_t wanted = places_ < early ? (first ? early_favour : 0) : (next ? favour : 0);
    const std::uint64_t more = std::min(wanted, rest);
    shares[i] = sure + more;
    rest -= more;
  }
  // A part of a campaign does not know what the others covered: there the rest is everybody's.
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!takes_part(lanes_[i])) continue;
    shares[i] += part_ || rates == 0 ? rest / alive : rest * lanes_[i].rate / rates;
  }
  return shares;
}

bool Portfolio::over() const {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.over; });
}

std::uint64_t Portfolio::runs() const {
  std::uint64_t sum = 0;
  for (const Lane& lane : lanes_) sum += lane.made();
  return sum;
}

bool Portfolio::mine(std::size_t number, std::size_t tree, std::uint64_t slice) const {
  if (!part_) return true;
  const Lane& lane = lanes_[number];
  if (lane.independent) return slice % part_->count == part_->index;
  if (lane.trees.size() > 1) return tree % part_->count == part_->index;
  // What cannot be divided stays with one part; what is not divided yet is everybody's.
  return explore::can_split(lane.strategy) || number % part_->count == part_->index;
}

// Nothing of it is left for this part.
bool Portfolio::through(std::size_t number) const {
  const Lane& lane = lanes_[number];
  if (lane.independent) return lane.over;
  for (std::size_t tree = 0; tree < lane.trees.size(); ++tree)
    if (!lane.trees[tree].over && mine(number, tree, 0)) return false;
  return true;
}

std::uint64_t Portfolio::epoch_runs(std::uint64_t most_runs) const {
  const std::uint64_t made = runs();
  std::uint64_t steps = 0;
  for (const Lane& lane : lanes_) steps += lane.steps;
  std::uint64_t wanted = std::min(first_epoch << std::min<std::uint64_t>(epoch_, 20), longest_epoch);
  // A part of a campaign has not seen all steps, and must plan the same all the same.
  if (!part_ && made != 0) wanted = std::min(wanted, std::max(first_epoch, steps_per_epoch / (steps / made + 1)));
  const std::uint64_t used = part_ ? places_ : made;
  return std::min(wanted, most_runs - std::min(most_runs, used));
}

void Portfolio::divide(Lane& lane) const {
  const bool once = part_.has_value();
  if (!explore::can_split(lane.strategy) || lane.made() < runs_before_division) return;
  if (once && (lane.trees.size() > 1 || lane.over)) return;
  const auto alive = static_cast<std::size_t>(
      std::count_if(lane.trees.begin(), lane.trees.end(), [](const Tree& tree) { return !tree.over; }));
  const std::size_t wanted = once ? trees_of_parts : most_trees;
  if (alive == 0 || alive * 2 > wanted) return;
  std::vector<Tree> divided;
  for (Tree& tree : lane.trees) {
    if (tree.over) {
      divided.push_back(std::move(tree));
      continue;
    }
    for (std::string& state : explore::split(lane.strategy, tree.state, wanted / alive))
      divided.push_back({.state = std::move(state), .covered = tree.covered});
  }
  lane.trees = std::move(divided);
}

// Slices are numbered whether they are needed or not: parts of a campaign do not know which trees of the others are over.
void Portfolio::add_slices(std::vector<Slice>& slices, std::size_t lane_number,
                           const std::vector<std::uint64_t>& places, std::uint64_t length) {
  Lane& lane = lanes_[lane_number];
  const auto add = [&](std::uint64_t first, std::vector<std::uint64_t> of, std::size_t tree) {
    const std::uint64_t number = slices_++;
    if (of.empty() || lane.trees[tree].over) return;
    slices.push_back({.number = number,
                      .lane = lane_number,
                      .tree = tree,
                      .strategy = lane.strategy,
                      .first = first,
                      .places = std::move(of),
                      .state = lane.trees[tree].state,
                      .knobs = {}});
  };
  if (lane.independent) {
    for (std::uint64_t from = 0; from < places.size(); from += length) {
      const std::uint64_t to = std::min<std::uint64_t>(from + length, places.size());
      add(lane.next + from,
          {places.begin() + static_cast<std::ptrdiff_t>(from), places.begin() + static_cast<std::ptrdiff_t>(to)}, 0);
    }
  } else {
    // Places go round the trees, so that no tree's finds come late.
    std::vector<std::size_t> takers;
    for (std::size_t tree = 0; tree < lane.trees.size(); ++tree)
      if (part_ || !lane.trees[tree].over) takers.push_back(tree);
    std::uint64_t first = lane.next;
    for (std::size_t turn = 0; turn < takers.size(); ++turn) {
      std::vector<std::uint64_t> of;
      for (std::size_t i = turn; i < places.size(); i += takers.size()) of.push_back(places[i]);
      const std::uint64_t runs = of.size();
      add(first, std::move(of), takers[turn]);
      first += runs;
    }
  }
  lane.next += places.size();
}

std::vector<Slice> Portfolio::plan(std::uint64_t most_runs) {
  if (part_ && part_->count == 1 && places_ >= most_runs) {
    part_.reset();
    left_over_ = true;
  }
  const std::vector<std::uint64_t> share = shares();
  std::uint64_t all = 0;
  for (const std::uint64_t one : share) all += one;
  for (Lane& lane : lanes_) divide(lane);
  bool idle = true;
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) idle = idle && through(lane);
  const std::uint64_t runs = epoch_runs(most_runs);
  if (runs == 0 || all == 0 || idle) return {};

  // Smooth weighted round robin: who is owed most is next.
  std::vector<std::vector<std::uint64_t>> places(lanes_.size());
  std::vector<std::int64_t> owed(lanes_.size());
  for (std::uint64_t i = 0; i < runs; ++i) {
    for (std::size_t lane = 0; lane < owed.size(); ++lane) owed[lane] += static_cast<std::int64_t>(share[lane]);
    const std::uint64_t place = places_ + i;
    const bool ahead = place < first_epoch && share.front() != 0;
    const bool searched = lanes_.size() > 1 && explore::proves(lanes_[1].strategy) && is_searched(place);
    const auto next = ahead ? owed.begin() + (searched ? 1 : 0) : std::max_element(owed.begin(), owed.end());
    *next -= static_cast<std::int64_t>(all);
    places[static_cast<std::size_t>(next - owed.begin())].push_back(place);
  }
  places_ += runs;
  ++epoch_;

  std::vector<Slice> slices;
  const std::uint64_t length = std::max(shortest_slice, (runs + slices_per_epoch - 1) / slices_per_epoch);
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) add_slices(slices, lane, places[lane], length);
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
    lane.lost += result.lost;
    lane.yielded += result.yielded;
    lane.steps += result.steps;
    steps[slices[i].lane] += result.steps;
    Tree& tree = lane.trees[slices[i].tree];
    if (!result.covered.empty()) tree.covered = result.covered;
    if (!lane.independent) {
      tree.state = result.state;
      tree.over = result.state.empty();
    }
    tree.exhausted = tree.exhausted || result.exhausted;
    tree.over = tree.over || tree.exhausted;
    for (const std::uint32_t feature : result.features) met[slices[i].lane].set(feature);
  }
  for (Lane& lane : lanes_) {
    const auto all = [&](auto is) { return std::all_of(lane.trees.begin(), lane.trees.end(), is); };
    lane.over = all([](const Tree& tree) { return tree.over; });
    lane.exhausted = all([](const Tree& tree) { return tree.exhausted; });
    const std::string& covered = lane.trees.front().covered;
    lane.covered = all([&](const Tree& tree) { return tree.covered == covered; }) ? covered : "";
  }
  for (std::size_t i = 0; i < lanes_.size() && !part_; ++i) {
    const std::uint64_t fresh = met[i].count();
    lanes_[i].rate = (lanes_[i].rate + (steps[i] == 0 ? 0 : fresh * 1'000'000'000 / steps[i])) / 2;
  }
  for (const Coverage& one : met) known |= one;
}

}  // namespace vmbsim::hunt
