#include "sim/explore/legs.hpp"

#include <algorithm>

#include "sim/explore/dependence.hpp"

namespace vmbsim::explore {
namespace {

using kernel::Alternative;

template <class T>
T& at(std::vector<T>& of, std::size_t index) {
  if (index >= of.size()) of.resize(index + 1);
  return of[index];
}

void add_step(Legs& legs, std::uint32_t actor, std::uint32_t until) {
  if (legs.empty() || legs.back().actor != actor)
    legs.push_back({actor, until});
  else
    legs.back().until = until;
}

/// Which steps come before which in every run that ends alike.
class Order {
 public:
  explicit Order(const std::vector<Alternative>& steps) : steps_(steps), before_(steps.size()), needed_(steps.size()) {
    for (std::uint32_t i = 0; i < steps.size(); ++i) {
      for (const std::vector<std::uint32_t>& earlier : of_actor_) {
        // Of each actor the last one is enough: its steps are in order among themselves.
        const auto last = std::find_if(earlier.rbegin(), earlier.rend(),
                                       [&](std::uint32_t j) { return dependent(steps[j], steps[i]); });
        if (last != earlier.rend()) before_[i].push_back(*last);
      }
      if (steps[i].after >= 0) before_[i].push_back(static_cast<std::uint32_t>(steps[i].after));
      at(of_actor_, steps[i].actor).push_back(i);
    }
  }

  void need_all() { std::fill(needed_.begin(), needed_.end(), true); }
  /// The last step, and what it hangs on.
  void need_last() {
    needed_.back() = true;
    for (std::size_t i = steps_.size(); i-- > 0;)
      if (needed_[i])
        for (const std::uint32_t j : before_[i]) needed_[j] = true;
  }

  /// Who can make a needed step before anybody else has.
  std::vector<std::uint32_t> beginners() const {
    std::vector<std::uint32_t> all;
    for (std::uint32_t actor = 0; actor < of_actor_.size(); ++actor)
      if (!of_actor_[actor].empty() && needed_[of_actor_[actor][0]] && before_[of_actor_[actor][0]].empty())
        all.push_back(actor);
    return all;
  }

  Legs walk(std::uint32_t beginner, bool longest) {
    std::vector<std::size_t> next(of_actor_.size());  // of each actor's steps
    done_.assign(steps_.size(), false);
    Legs legs;
    for (std::uint32_t actor = beginner; actor != nobody; actor = next_actor(next, actor, longest)) {
      const std::vector<std::uint32_t>& own = of_actor_[actor];
      std::size_t& at_step = next[actor];
      for (; at_step < own.size() && needed_[own[at_step]] && ready(own[at_step], actor); ++at_step) {
        done_[own[at_step]] = true;
        add_step(legs, actor, static_cast<std::uint32_t>(at_step + 1));
      }
    }
    return legs;
  }

 private:
  static constexpr std::uint32_t nobody = 0xffffffff;

  // Once its actor's own steps are made.
  bool ready(std::uint32_t step, std::uint32_t actor) const {
    return std::all_of(before_[step].begin(), before_[step].end(),
                       [&](std::uint32_t j) { return done_[j] || steps_[j].actor == actor; });
  }

  // A processor and its store buffer are the same to whoever counts switches.
  std::uint32_t next_actor(const std::vector<std::size_t>& next, std::uint32_t last, bool longest) const {
    const std::uint32_t processor = steps_[of_actor_[last].front()].processor;
    std::uint32_t best = nobody;
    std::size_t best_worth = 0;
    for (std::uint32_t actor = 0; actor < of_actor_.size(); ++actor) {
      const std::vector<std::uint32_t>& own = of_actor_[actor];
      std::size_t can = next[actor];
      while (can < own.size() && needed_[own[can]] && ready(own[can], actor)) ++can;
      if (can == next[actor]) continue;
      std::size_t worth = longest ? can - next[actor] : steps_.size() - own[next[actor]];
      if (steps_[own.front()].processor == processor) worth += steps_.size();
      if (worth <= best_worth) continue;
      best = actor;
      best_worth = worth;
    }
    return best;
  }

  const std::vector<Alternative>& steps_;
  std::vector<std::vector<std::uint32_t>> before_;    // by step: steps
  std::vector<std::vector<std::uint32_t>> of_actor_;  // steps
  std::vector<bool> needed_;
  std::vector<bool> done_;
};

}  // namespace

std::uint32_t Watched::choose(const kernel::Choice& choice) {
  const std::uint32_t taken = source_.choose(choice);
  if (taken == abandon) return taken;
  if (choice.each.empty())
    at(walked_.asides, choice.actor).push_back(taken);
  else
    walked_.steps.push_back(choice.each[taken]);
  return taken;
}

std::uint32_t Led::choose(const kernel::Choice& choice) {
  if (choice.each.empty()) {
    const std::uint32_t nth = at(asked_, choice.actor)++;
    if (choice.actor >= asides_.size() || nth >= asides_[choice.actor].size()) return 0;
    return std::min(asides_[choice.actor][nth], choice.alternatives - 1);
  }
  std::uint32_t taken = 0;
  for (; leg_ < legs_.size(); ++leg_) {
    const Leg& leg = legs_[leg_];
    if (at(made_, leg.actor) >= leg.until) continue;
    const auto own = std::find_if(choice.each.begin(), choice.each.end(),
                                  [&](const Alternative& one) { return one.actor == leg.actor; });
    if (own == choice.each.end()) continue;
    taken = static_cast<std::uint32_t>(own - choice.each.begin());
    break;
  }
  ++at(made_, choice.each[taken].actor);
  return taken;
}

Legs legs_of(const std::vector<Alternative>& steps) {
  Legs legs;
  std::vector<std::uint32_t> made;
  for (const Alternative& step : steps) add_step(legs, step.actor, ++at(made, step.actor));
  return legs;
}

std::vector<Legs> calmer_legs(const std::vector<Alternative>& steps) {
  std::vector<Legs> all;
  if (steps.empty() || steps.size() > most_steps_in_order) return all;
  constexpr std::size_t most_beginners = 8;
  Order order(steps);
  order.need_last();
  for (const bool every : {false, true}) {
    if (every) order.need_all();
    std::vector<std::uint32_t> beginners = order.beginners();
    beginners.resize(std::min(beginners.size(), most_beginners));
    for (const std::uint32_t beginner : beginners)
      for (const bool longest : {true, false}) all.push_back(order.walk(beginner, longest));
  }
  return all;
}

}  // namespace vmbsim::explore
