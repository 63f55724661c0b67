/// Aims instead of drawing at every step. Half of the runs keep one actor after the other from running for 1, 2, 4 .. 1,024
/// steps; the other half hold an actor so long where it stands just before an access that conflicts with the access of
/// another one, made last or about to be made. In between a run is the plain one.
/// Source   rr, record: chaos mode (starvation by powers of two); Joshi, Park, Sen, Naik, "CalFuzzer: an extensible active
///          testing framework for concurrent programs", CAV'09 (breaking before a conflicting access).
#include "sim/explore/dependence.hpp"
#include "sim/explore/makers.hpp"
#include "sim/explore/sampler.hpp"

namespace vmbsim::explore {
namespace {

class Starve final : public Sampler {
 public:
  explicit Starve(Seed seed) : Sampler(seed, "starve") {}

  bool begin(std::uint64_t run) override {
    Sampler::begin(run);
    step_ = 0;
    held_until_.assign(held_until_.size(), 0);
    last_.assign(last_.size(), {});
    before_conflicts_ = stream().below(2) == 0;
    spread_ = std::uint64_t{2} << stream().below(8);
    next_hold_ = stream().below(spread_);
    return true;
  }

  std::uint32_t choose(const kernel::Choice& choice) override {
    if (choice.each.empty()) return aside(choice);
    std::uint32_t taken = 0;
    if (is_order(choice)) {
      if (before_conflicts_)
        hold_before_conflict(choice);
      else if (step_ >= next_hold_)
        hold(choice.each[stream().below(choice.alternatives)].actor);
      taken = first_free(choice);
    }
    ++step_;
    note(choice.each[taken]);
    return taken;
  }

 private:
  struct Last {
    std::uint32_t actor = 0;
    kernel::Operation operation;
  };

  void hold(std::uint32_t actor) {
    if (actor >= held_until_.size()) held_until_.resize(actor + 1);
    const std::uint64_t steps = std::uint64_t{1} << stream().below(11);
    held_until_[actor] = step_ + steps;
    next_hold_ = step_ + steps + stream().below(spread_);
  }

  void hold_before_conflict(const kernel::Choice& choice) {
    const kernel::Alternative& own = choice.each[first_free(choice)];
    bool conflict = own.operation.object < last_.size() && last_[own.operation.object].actor != own.actor &&
                    conflicts(last_[own.operation.object].operation, own.operation);
    for (const kernel::Alternative& one : choice.each)
      conflict = conflict || (one.actor != own.actor && conflicts(one.operation, own.operation));
    if (conflict && stream().chance(1, 4)) hold(own.actor);
  }

  std::uint32_t first_free(const kernel::Choice& choice) const {
    for (std::uint32_t k = 0; k < choice.alternatives; ++k) {
      const std::uint32_t actor = choice.each[k].actor;
      if (actor >= held_until_.size() || held_until_[actor] <= step_) return k;
    }
    return 0;
  }

  void note(const kernel::Alternative& taken) {
    if (taken.operation.object >= last_.size()) last_.resize(taken.operation.object + 1);
    last_[taken.operation.object] = {taken.actor, taken.operation};
  }

  std::uint64_t step_ = 0;
  bool before_conflicts_ = false;
  std::uint64_t spread_ = 0;               // most steps between two holds
  std::uint64_t next_hold_ = 0;            // step
  std::vector<std::uint64_t> held_until_;  // by actor: first step that it may make again
  std::vector<Last> last_;                 // by object
};

}  // namespace

std::unique_ptr<Strategy> make_starve(Seed seed) { return std::make_unique<Starve>(seed); }

}  // namespace vmbsim::explore
