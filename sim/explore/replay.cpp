#include "sim/explore/replay.hpp"

#include <algorithm>

namespace vmbsim::explore {
namespace {

std::string described(const Deviation& one) {
  return std::string(name_of(one.point)) + ", answer " + std::to_string(one.taken) + " of " +
         std::to_string(one.alternatives) + " by actor " + std::to_string(one.actor);
}

Deviation record_of(const kernel::Choice& choice, std::uint32_t taken, std::uint64_t index, std::uint64_t nth) {
  const bool told = !choice.each.empty();
  return {.index = index,
          .taken = taken,
          .alternatives = choice.alternatives,
          .point = told ? choice.each[taken].kind : choice.point,
          .hash = hash_of(choice, taken),
          .actor = told ? choice.each[taken].actor : choice.actor,
          .nth = nth};
}

ActorName named(std::uint32_t actor, const NameOf& name_of) {
  ActorName name{actor, 0, name_of(actor)};
  for (std::uint32_t before = 0; before < actor; ++before) name.order += name_of(before) == name.name;
  return name;
}

}  // namespace

std::vector<ActorName> names_in(const Deviations& list, const NameOf& name_of) {
  std::map<std::uint32_t, ActorName> names;
  for (const Deviation& one : list)
    if (!names.contains(one.actor)) names[one.actor] = named(one.actor, name_of);
  std::vector<ActorName> all;
  for (const auto& [actor, name] : names) all.push_back(name);
  return all;
}

std::string Mismatch::text() const {
  const std::string text = "at choice " + std::to_string(index) + ": expected " + described(expected);
  if (!found) return text + ", but there is no such choice";
  if (described(*found) == described(expected)) return text + ", found another operation there";
  return text + ", found " + described(*found);
}

void Replay::begin() {
  index_ = 0;
  next_ = 0;
  followed_ = 0;
  mismatch_.reset();
  asked_.clear();
  known_.clear();
  drift_ = later_;
}

std::uint64_t& Replay::asked(std::uint32_t recorded) {
  if (recorded >= asked_.size()) asked_.resize(recorded + 1);
  return asked_[recorded];
}

// Whoever the recorded run does not name gets a number of nobody there.
std::uint32_t Replay::recorded(std::uint32_t actor) {
  if (recorded_.empty()) return actor;
  const auto [known, fresh] = known_.try_emplace(actor, recorded_.back().actor + 1);
  if (fresh) {
    const ActorName now = named(actor, name_of_);
    for (const ActorName& one : recorded_)
      if (one.name == now.name && one.order == now.order) known->second = one.actor;
  }
  return known->second;
}

std::uint32_t Replay::choose(const kernel::Choice& choice) {
  if (choice.alternatives == 1) return 0;
  const std::uint32_t taken = mode_ == Mode::exact   ? exactly(choice)
                              : mode_ == Mode::loose ? loosely(choice)
                                                     : nearby(choice);
  if (taken != abandon) ++asked(recorded(choice.each.empty() ? choice.actor : choice.each[taken].actor));
  ++index_;
  return taken;
}

std::uint32_t Replay::loosely(const kernel::Choice& choice) {
  if (next_ == list_.size() || list_[next_].index != index_) return 0;
  const std::uint32_t taken = list_[next_++].taken;
  if (taken >= choice.alternatives) return 0;
  ++followed_;
  return taken;
}

std::uint32_t Replay::exactly(const kernel::Choice& choice) {
  if (mismatch_ || next_ == list_.size() || list_[next_].index != index_) return 0;
  const Deviation& wanted = list_[next_++];
  Mismatch difference{index_, wanted, std::nullopt};
  if (wanted.taken < choice.alternatives) {
    const std::uint32_t actor = choice.each.empty() ? choice.actor : choice.each[wanted.taken].actor;
    difference.found = record_of(choice, wanted.taken, index_, asked(actor));
    if (*difference.found == wanted) {
      ++followed_;
      return wanted.taken;
    }
  }
  mismatch_ = difference;
  return choice.each.empty() ? 0 : abandon;
}

// The next deviation fits where its actor has been asked as often as it had been, not before its place in the list as far as
// that has moved. One whose actor is past that time is lost.
std::uint32_t Replay::nearby(const kernel::Choice& choice) {
  while (next_ < list_.size() && asked(list_[next_].actor) > list_[next_].nth) ++next_;
  if (next_ == list_.size()) return 0;
  const Deviation& wanted = list_[next_];
  if (asked(wanted.actor) != wanted.nth) return 0;
  std::uint32_t taken = 0;
  if (choice.each.empty()) {
    if (recorded(choice.actor) == wanted.actor && choice.point == wanted.point)
      taken = std::min(wanted.taken, choice.alternatives - 1);
  } else if (static_cast<std::int64_t>(index_) >= static_cast<std::int64_t>(wanted.index) + drift_) {
    const auto own = std::find_if(choice.each.begin(), choice.each.end(), [&](const kernel::Alternative& one) {
      return recorded(one.actor) == wanted.actor && one.kind == wanted.point;
    });
    if (own != choice.each.end()) taken = static_cast<std::uint32_t>(own - choice.each.begin());
  }
  if (taken == 0) return 0;
  drift_ = static_cast<std::int64_t>(index_) - static_cast<std::int64_t>(wanted.index);
  ++followed_;
  ++next_;
  return taken;
}

std::optional<Mismatch> Replay::mismatch() const {
  if (mismatch_ || mode_ != Mode::exact || next_ == list_.size()) return mismatch_;
  return Mismatch{list_[next_].index, list_[next_], std::nullopt};
}

}  // namespace vmbsim::explore
