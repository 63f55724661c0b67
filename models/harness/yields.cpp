// Fairness towards whom contexts that yield wait for: other contexts, and stores that are not visible yet.
#include <algorithm>

#include "models/harness/machine.hpp"

namespace vmbsim::harness {

namespace {

bool has(const std::vector<std::uint32_t>& actors, std::uint32_t one) {
  return std::find(actors.begin(), actors.end(), one) != actors.end();
}

template <class Which>
void drop(std::vector<std::uint32_t>& actors, Which which) {
  actors.erase(std::remove_if(actors.begin(), actors.end(), which), actors.end());
}

}  // namespace

/// After each step: whom a yield owes something now. A first yield owes nobody, so that a loop that waits for too short a time
/// is seen to; from the second on those go first whom the time between the two has passed over, be it a processor's buffer.
/// Source   Musuvathi and Qadeer, "Fair stateless model checking", PLDI 2008, algorithm 1: E and D without S, S, and P.
void Machine::count_yields() {
  could_.swap(can_go_);
  can_go_.clear();
  for (const kernel::Alternative& each : each_) can_go_.push_back(each.actor);
  for (std::size_t i = 1; i < acting_; ++i) {
    Actor& actor = contexts_[i];
    Window& window = actor.window;
    const bool went = stepped_ == &actor;
    if (window.open) {
      drop(window.could, [&](std::uint32_t one) { return !has(can_go_, one); });
      if (went)
        for (const std::uint32_t one : could_)
          if (!has(can_go_, one) && !has(window.gone, one) && !has(window.prevented, one))
            window.prevented.push_back(one);
    }
    const auto is_it = [this](std::uint32_t one) { return one == last_actor_; };
    drop(actor.owed, is_it);
    if (window.open && !has(window.gone, last_actor_)) {
      drop(window.could, is_it);
      drop(window.prevented, is_it);
      window.gone.push_back(last_actor_);
    }
    if (!window.closes) continue;
    if (window.open)
      for (const std::vector<std::uint32_t>* passed_over : {&window.could, &window.prevented})
        for (const std::uint32_t one : *passed_over)
          if (!has(actor.owed, one)) actor.owed.push_back(one);
    window.open = true;
    window.closes = false;
    window.could = can_go_;
    window.prevented.clear();
    window.gone.clear();
  }
}

/// Those whom somebody owes something go first, if they can go now.
void Machine::hold_back_yielded() {
  const auto waits = [this](const Candidate& candidate) {
    if (candidate.actor == nullptr) return false;
    const std::vector<std::uint32_t>& owed = candidate.actor->owed;
    return std::any_of(owed.begin(), owed.end(), [this](std::uint32_t one) { return has(can_go_, one); });
  };
  std::size_t kept = 0;
  for (std::size_t i = 0; i < who_.size(); ++i)
    if (!waits(who_[i])) {
      who_[kept] = who_[i];
      each_[kept++] = each_[i];
    }
  outcome_.held_back = outcome_.held_back || kept < who_.size();
  who_.resize(kept);
  each_.resize(kept);
}

}  // namespace vmbsim::harness
