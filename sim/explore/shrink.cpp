#include "sim/explore/shrink.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/explore/legs.hpp"
#include "sim/explore/replay.hpp"

namespace vmbsim::explore {
namespace {

class Shrinker {
 public:
  Shrinker(const Shows& shows, const ShowsLed& led, std::uint64_t budget, const std::function<bool()>& over)
      : shows_(shows), led_(led), budget_(budget), over_(over) {}

  Shrunk shrink(const Deviations& list) {
    const std::optional<Shown> first = ask(list);
    if (!first) return {list, 0, reruns_, false, false};
    best_ = *first;
    if (led_ && !best_.taken.empty()) straighten();
    leave_out_many();
    plainer_answers();
    leave_out_single();
    // A round ends with fewer deviations, or with as many and fewer switches: there are not many.
    for (bool better = true; better;) {
      better = fewer_switches();
      better = leave_out_single() || better;
    }
    return {best_.taken, best_.switches, reruns_, true, !refused_};
  }

 private:
  static constexpr std::size_t most_passed = 4;      // legs, by one that is moved
  static constexpr std::uint32_t most_answers = 16;  // of a deviation that is moved at the same time

  using Key = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

  // Known answers cost nothing. When the budget is used up nothing shows the finding any more.
  std::optional<Shown> ask(const Deviations& candidate) {
    Key key;
    for (const Deviation& one : candidate) key.emplace_back(one.index, one.taken);
    if (const auto known = asked_.find(key); known != asked_.end()) return known->second;
    if (reruns_ == budget_ || (reruns_ != 0 && over())) {
      refused_ = true;
      return std::nullopt;
    }
    ++reruns_;
    return asked_.emplace(std::move(key), shows_(candidate)).first->second;
  }

  // There is no budget left then.
  bool over() {
    if (over_ && over_()) budget_ = reruns_;
    return reruns_ >= budget_;
  }

  static std::uint64_t answers(const Deviations& list) {
    std::uint64_t sum = 0;
    for (const Deviation& one : list) sum += one.taken;
    return sum;
  }

  // Fewer deviations, whatever the switches.
  bool take_shorter(const Deviations& candidate) {
    std::optional<Shown> shown = ask(candidate);
    if (!shown || shown->taken.size() >= best_.taken.size()) return false;
    best_ = std::move(*shown);
    return true;
  }
  // Not more deviations; fewer switches, or as many and plainer.
  bool take_calmer(const Deviations& candidate) {
    std::optional<Shown> shown = ask(candidate);
    if (!shown || shown->taken.size() > best_.taken.size()) return false;
    if (rank(*shown) >= rank(best_)) return false;
    best_ = std::move(*shown);
    return true;
  }
  static std::tuple<std::uint64_t, std::size_t, std::uint64_t> rank(const Shown& one) {
    return {one.switches, one.taken.size(), answers(one.taken)};
  }

  // ---- Legs ----

  // Half of the budget at most: the deviations want theirs.
  bool may_lead() { return 2 * reruns_ < budget_ && !over(); }

  std::optional<Shown> lead(kernel::ChoiceSource& source, Walked& walked) {
    ++reruns_;
    Watched watched(source);
    std::optional<Shown> shown = led_(watched);
    walked = watched.take();
    return shown;
  }

  // Fewer switches, or as many and fewer deviations.
  bool take_led(const Legs& legs) {
    if (!may_lead() || !tried_.insert(key_of(legs)).second) return false;
    Led source(legs, walked_.asides);
    Walked walked;
    std::optional<Shown> shown = lead(source, walked);
    if (!shown || rank(*shown) >= rank(best_)) return false;
    best_ = std::move(*shown);
    walked_ = std::move(walked);
    return true;
  }

  static Key key_of(const Legs& legs) {
    Key key;
    for (const Leg& leg : legs) key.emplace_back(leg.actor, leg.until);
    return key;
  }

  void straighten() {
    Replay source(best_.taken, Replay::Mode::loose);
    source.begin();
    if (!lead(source, walked_)) return;
    while (!walked_.steps.empty() && may_lead()) {
      bool calmer = false;
      for (const Legs& legs : calmer_legs(walked_.steps)) calmer = take_led(legs) || calmer;
      if (!fewer_legs() && !move_leg() && !calmer) return;
    }
  }

  bool fewer_legs() {
    bool fewer = false;
    Legs legs = legs_of(walked_.steps);
    for (std::size_t many = std::max<std::size_t>(legs.size() / 2, 1); many != 0 && may_lead();
         many = many > 4 ? many / 2 : many - 1)
      for (std::size_t from = 0; from < legs.size() && may_lead();) {
        const std::size_t to = std::min(from + many, legs.size());
        if (take_led(put_off(legs, from, to)) || take_led(brought_forward(legs, from, to)) ||
            take_led(left_out(legs, from, to))) {
          fewer = true;
          legs = legs_of(walked_.steps);
        } else {
          from = many > 4 ? to : from + 1;
        }
      }
    return fewer;
  }

  bool move_leg() {
    const Legs legs = legs_of(walked_.steps);
    for (std::size_t leg = 0; leg < legs.size(); ++leg)
      for (std::size_t to = leg < most_passed ? 0 : leg - most_passed;
           to < legs.size() && to <= leg + most_passed && may_lead(); ++to)
        if (to != leg && take_led(leg_moved(legs, leg, to))) return true;
    return false;
  }

  static Legs leg_moved(Legs legs, std::size_t leg, std::size_t to) {
    const auto first = legs.begin() + static_cast<std::ptrdiff_t>(std::min(leg, to));
    const auto last = legs.begin() + static_cast<std::ptrdiff_t>(std::max(leg, to)) + 1;
    std::rotate(first, leg < to ? first + 1 : last - 1, last);
    return legs;
  }

  // What their actors would have done, they do in their next legs.
  static Legs put_off(const Legs& legs, std::size_t from, std::size_t to) {
    Legs rest(legs.begin(), legs.begin() + static_cast<std::ptrdiff_t>(from));
    rest.insert(rest.end(), legs.begin() + static_cast<std::ptrdiff_t>(to), legs.end());
    return rest;
  }

  // What their actors did later, they do so many steps earlier: a round of a loop less.
  static Legs left_out(const Legs& legs, std::size_t from, std::size_t to) {
    Legs rest = put_off(legs, from, to);
    for (std::size_t leg = from; leg < to; ++leg) {
      std::uint32_t before = 0;
      for (std::size_t earlier = 0; earlier < leg; ++earlier)
        if (legs[earlier].actor == legs[leg].actor) before = legs[earlier].until;
      for (std::size_t later = from; later < rest.size(); ++later)
        if (rest[later].actor == legs[leg].actor) rest[later].until -= legs[leg].until - before;
    }
    return rest;
  }

  // They last until where their actors' next legs end.
  static Legs brought_forward(Legs legs, std::size_t from, std::size_t to) {
    for (std::size_t leg = from; leg < to; ++leg) {
      const auto next = std::find_if(legs.begin() + static_cast<std::ptrdiff_t>(leg + 1), legs.end(),
                                     [&](const Leg& one) { return one.actor == legs[leg].actor; });
      if (next != legs.end()) legs[leg].until = next->until;
    }
    return legs;
  }

  // ---- Deviations ----

  static Deviations without(const Deviations& list, std::size_t from, std::size_t to) {
    Deviations rest(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(from));
    rest.insert(rest.end(), list.begin() + static_cast<std::ptrdiff_t>(to), list.end());
    return rest;
  }

  // Delta debugging: chunks, then ever smaller ones; first the chunk alone, then all but the chunk.
  void leave_out_many() {
    if (take_shorter({})) return;
    std::size_t chunks = 2;
    while (best_.taken.size() >= 2 && thrifty()) {
      chunks = std::min(chunks, best_.taken.size());
      bool reduced = false;
      for (const bool alone : {true, false})
        for (std::size_t chunk = 0; chunk < chunks && !reduced; ++chunk) {
          const Deviations& list = best_.taken;
          const std::size_t from = list.size() * chunk / chunks;
          const std::size_t to = list.size() * (chunk + 1) / chunks;
          const auto begin = list.begin();
          const Deviations candidate =
              alone ? Deviations(begin + static_cast<std::ptrdiff_t>(from), begin + static_cast<std::ptrdiff_t>(to))
                    : without(list, from, to);
          if (!take_shorter(candidate)) continue;
          reduced = true;
          chunks = alone ? 2 : std::max<std::size_t>(chunks - 1, 2);
        }
      if (reduced) continue;
      if (chunks == best_.taken.size()) return;
      chunks *= 2;
    }
  }

  bool leave_out_single() {
    bool shorter = false;
    refused_ = false;
    for (std::size_t k = 0; k < best_.taken.size();) {
      if (take_shorter(without(best_.taken, k, k + 1))) {
        shorter = true;
        k = 0;
      } else {
        ++k;
      }
    }
    return shorter;
  }

  void plainer_answers() {
    for (std::size_t k = 0; k < best_.taken.size(); ++k)
      for (std::uint32_t answer = 1; k < best_.taken.size() && answer < best_.taken[k].taken; ++answer) {
        Deviations candidate = best_.taken;
        candidate[k].taken = answer;
        if (take_calmer(candidate)) break;
      }
  }

  // What a last pass over the single deviations may need is kept for it.
  bool thrifty() const { return reruns_ + 2 * best_.taken.size() + 8 < budget_; }

  // Tries every small change, and begins again after each one that helps.
  bool fewer_switches() {
    bool calmer = false;
    while (one_change()) calmer = true;
    return calmer;
  }

  bool one_change() {
    const std::size_t size = best_.taken.size();
    for (std::size_t k = 0; k + 1 < size; ++k)
      for (std::size_t other = k + 1; other < size && thrifty(); ++other)
        if (take_calmer(without(without(best_.taken, other, other + 1), k, k + 1))) return true;
    for (std::size_t k = 0; k < size; ++k)
      for (std::uint32_t answer = 1; answer < best_.taken[k].alternatives && thrifty(); ++answer) {
        Deviations candidate = best_.taken;
        candidate[k].taken = answer;
        if (take_calmer(candidate)) return true;
      }
    for (const std::uint64_t by : {1u, 2u, 3u, 4u, 6u, 8u, 12u, 16u, 24u, 32u})
      for (std::size_t k = 0; k < size && thrifty(); ++k)
        for (const bool later : {true, false})
          for (const bool all : {false, true})
            if (moved(k, by, later, all)) return true;
    for (std::size_t many = size; many >= 2; --many)
      for (std::size_t k = 0; k + many <= size; ++k)
        if (one_instead(k, k + many)) return true;
    return false;
  }

  // One deviation in the place of several, anywhere among them.
  bool one_instead(std::size_t from, std::size_t to) {
    Deviations candidate = without(best_.taken, from + 1, to);
    Deviation& one = candidate[from];
    std::uint32_t answers = 0;
    for (std::size_t k = from; k < to; ++k) answers = std::max(answers, best_.taken[k].alternatives);
    const std::uint64_t first = best_.taken[from].index;
    const std::uint64_t last = best_.taken[to - 1].index;
    for (one.index = first; one.index <= last; ++one.index)
      for (one.taken = 1; one.taken < answers && thrifty(); ++one.taken)
        if (take_shorter(candidate)) return true;
    return false;
  }

  // Deviation k, or all from it on, `by` questions later or earlier, between its neighbours; and answered in every way.
  bool moved(std::size_t k, std::uint64_t by, bool later, bool all) {
    Deviations candidate = best_.taken;
    const std::size_t end = all ? candidate.size() : k + 1;
    const std::uint64_t index = candidate[k].index;
    if (!later && (index < by || (k > 0 && index - by <= candidate[k - 1].index))) return false;
    if (later && end < candidate.size() && index + by >= candidate[end].index) return false;
    for (std::size_t one = k; one < end; ++one)
      candidate[one].index = later ? candidate[one].index + by : candidate[one].index - by;
    if (take_calmer(candidate)) return true;
    const std::uint32_t answers = std::min(candidate[k].alternatives, most_answers);
    for (std::uint32_t answer = 1; !all && answer < answers; ++answer) {
      candidate[k].taken = answer;
      if (take_calmer(candidate)) return true;
    }
    return false;
  }

  const Shows& shows_;
  const ShowsLed& led_;
  std::uint64_t budget_;
  const std::function<bool()>& over_;
  std::uint64_t reruns_ = 0;
  bool refused_ = false;  // the last pass over single deviations was not complete
  Shown best_{};
  Walked walked_;        // the way of best_, while legs are tried
  std::set<Key> tried_;  // legs
  std::map<Key, std::optional<Shown>> asked_;
};

}  // namespace

Shrunk shrink(const Deviations& list, const Shows& shows, std::uint64_t budget, const ShowsLed& led,
              const std::function<bool()>& over) {
  return Shrinker(shows, led, budget, over).shrink(list);
}

}  // namespace vmbsim::explore
