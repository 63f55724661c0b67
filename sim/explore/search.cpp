#include "sim/explore/search.hpp"

#include <algorithm>

#include "sim/explore/makers.hpp"
#include "sim/explore/state_text.hpp"

namespace vmbsim::explore {
namespace {

constexpr std::uint64_t most_faults = 2;

}  // namespace

std::uint64_t Search::cost(const kernel::Choice& choice, std::uint32_t taken) const {
  switch (bound_) {
    case Bound::none: return 0;
    case Bound::delays: return kernel::is_scheduling(choice.point) ? taken : 0;
    case Bound::preemptions:
      return kernel::is_scheduling(choice.point) && taken != 0 && (choice.each.empty() || choice.preempts) ? 1 : 0;
    case Bound::faults: return choice.point == kernel::ChoicePoint::fault && taken != 0 ? 1 : 0;
  }
  return 0;
}

// How many of the answers there is money for.
std::uint32_t Search::answers(const kernel::Choice& choice) {
  if (bound_ == Bound::none) return choice.alternatives;
  if (bound_ == Bound::faults && choice.point != kernel::ChoicePoint::fault) return 1;
  if (choice.point == kernel::ChoicePoint::latency) return 1;
  if (bound_ != Bound::faults && !kernel::is_scheduling(choice.point)) return timed_ ? 1 : choice.alternatives;
  const std::uint64_t left = limit_ - spent_;
  std::uint32_t affordable = 1;
  if (bound_ == Bound::delays)
    affordable = static_cast<std::uint32_t>(std::min<std::uint64_t>(choice.alternatives, left + 1));
  else if (left >= cost(choice, 1))
    affordable = choice.alternatives;
  pruned_ = pruned_ || affordable < choice.alternatives;
  return affordable;
}

bool Search::begin(std::uint64_t) {
  question_ = 0;
  level_ = 0;
  spent_ = 0;
  return !over_;
}

std::uint32_t Search::choose(const kernel::Choice& choice) {
  if (choice.alternatives == 1) return 0;
  if (choice.each.empty() && kernel::is_scheduling(choice.point)) timed_ = true;
  const std::uint64_t question = question_++;
  std::uint32_t taken = 0;
  if (level_ < path_.size()) {
    if (path_[level_].question == question) taken = std::min(path_[level_++].taken, choice.alternatives - 1);
  } else if (const std::uint32_t end = answers(choice); end > 1) {
    path_.push_back({question, 0, end});
    ++level_;
  }
  spent_ += cost(choice, taken);
  return taken;
}

void Search::end(const Outcome& outcome, const Deviations&) {
  cut_ = cut_ || outcome.end == End::cut;
  while (!path_.empty() && path_.back().taken + 1 == path_.back().end) path_.pop_back();
  if (!path_.empty()) {
    ++path_.back().taken;
  } else if (pruned_ && (bound_ != Bound::faults || limit_ < most_faults)) {
    ++limit_;
    pruned_ = false;
  } else {
    over_ = true;
  }
}

std::string Search::covered() const {
  if (cut_ || (!over_ && limit_ == 0)) return {};
  if (over_ && !pruned_)
    return bound_ == Bound::faults ? "every set of faults in the plain schedule" : "every schedule";
  const std::uint64_t bound = over_ ? limit_ : limit_ - 1;
  const char* unit = bound_ == Bound::delays ? " delays" : bound_ == Bound::faults ? " faults" : " pre-emptions";
  return "every schedule with at most " + std::to_string(bound) + unit;
}

std::string Search::save() const {
  StateWriter writer;
  writer.add(static_cast<std::uint64_t>(bound_)).add(limit_).add(pruned_).add(timed_).add(cut_).add(over_);
  writer.add(path_.size());
  std::uint64_t before = 0;
  for (const Level& level : path_) {
    writer.add(level.question - before).add(level.taken).add(level.end);
    before = level.question;
  }
  return writer.take();
}

void Search::restore(std::string_view state) {
  if (state.empty()) return;
  StateReader reader(state);
  Search read(static_cast<Bound>(reader.number_32()));
  read.limit_ = reader.number();
  read.pruned_ = reader.number() != 0;
  read.timed_ = reader.number() != 0;
  read.cut_ = reader.number() != 0;
  read.over_ = reader.number() != 0;
  read.path_.resize(reader.count());
  std::uint64_t before = 0;
  for (Level& level : read.path_) {
    level.question = before + reader.number();
    level.taken = reader.number_32();
    level.end = reader.number_32();
    before = level.question;
  }
  if (reader.ok() && read.bound_ == bound_) *this = std::move(read);
}

std::vector<std::string> Search::split(std::string_view state, std::size_t parts) {
  Search whole(Bound::none);
  whole.restore(state);
  std::vector<Search> all{whole};
  while (all.size() < parts) {
    // The part whose shallowest open question is the shallowest of all has the most left, as far as anybody can tell.
    std::size_t part = all.size();
    std::size_t level = 0;
    for (std::size_t p = 0; p < all.size(); ++p) {
      const std::vector<Level>& path = all[p].path_;
      const auto open =
          std::find_if(path.begin(), path.end(), [](const Level& one) { return one.taken + 1 < one.end; });
      if (open == path.end()) continue;
      const auto depth = static_cast<std::size_t>(open - path.begin());
      if (part == all.size() || depth < level) {
        part = p;
        level = depth;
      }
    }
    if (part == all.size()) break;
    Search rest = all[part];
    rest.path_.resize(level + 1);
    ++rest.path_[level].taken;
    all[part].path_[level].end = all[part].path_[level].taken + 1;
    all.push_back(std::move(rest));
  }
  std::vector<std::string> states;
  for (const Search& part : all) states.push_back(part.save());
  return states;
}

std::unique_ptr<Strategy> make_dfs(Seed) { return std::make_unique<Search>(Search::Bound::none); }
std::unique_ptr<Strategy> make_delay(Seed) { return std::make_unique<Search>(Search::Bound::delays); }
std::unique_ptr<Strategy> make_preemption(Seed) { return std::make_unique<Search>(Search::Bound::preemptions); }
std::unique_ptr<Strategy> make_faults(Seed) { return std::make_unique<Search>(Search::Bound::faults); }

}  // namespace vmbsim::explore
