/// Probabilistic concurrency testing: the actor of the highest priority runs; priorities are drawn, and at depth - 1 places
/// among the k of a run the actor that would run falls below all others. A bug that needs `depth` orders between two steps
/// each, among n actors, is found with a probability of at least 1 / (n k^(depth-1)).
///
/// Places   questions about order with two or more alternatives. Their number k is the most that the first runs had.
/// Fair     behind the k-th any actor is taken: who spins there waits for others.
/// Time     where time orders the actors, a run departs from the plain one at `depth` places.
/// Source   Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with probabilistic guarantees of finding
///          bugs", ASPLOS'10; PSharp, issue 212 (input is no place); Shuttle, pull request 18 (fairness).
#include <algorithm>

#include "sim/explore/makers.hpp"
#include "sim/explore/sampler.hpp"
#include "sim/explore/state_text.hpp"

namespace vmbsim::explore {
namespace {

template <std::uint32_t depth>
class Pct final : public Sampler {
 public:
  explicit Pct(Seed seed) : Sampler(seed, "pct") {}

  bool begin(std::uint64_t run) override {
    Sampler::begin(run);
    place_ = 0;
    next_ = 0;
    priorities_.assign(priorities_.size(), 0);
    places_ = learnt_ == runs_to_learn ? std::max<std::uint64_t>(most_, 1) : std::uint64_t{8} << stream().below(8);
    changes_.clear();
    for (std::uint32_t i = 1; i < depth; ++i) changes_.push_back(stream().below(places_));
    departure_ = stream().below(places_);
    std::sort(changes_.begin(), changes_.end());
    return true;
  }

  std::uint32_t choose(const kernel::Choice& choice) override {
    if (!is_order(choice)) {
      if (!choice.each.empty() || choice.alternatives == 1 || !kernel::is_scheduling(choice.point))
        return aside(choice);
      bool departs = place_ == departure_;
      while (is_change()) departs = true;
      ++place_;
      return departs ? any_but_default(choice) : 0;
    }
    if (place_ >= places_) {
      ++place_;
      return static_cast<std::uint32_t>(stream().below(choice.alternatives));
    }
    std::uint32_t highest = best(choice);
    while (is_change()) {
      priority(choice.each[highest].actor) = depth - next_;
      highest = best(choice);
    }
    ++place_;
    return highest;
  }

  void end(const Outcome& outcome, const Deviations&) override {
    if (learnt_ == runs_to_learn || outcome.end == End::abandoned) return;
    ++learnt_;
    most_ = std::max(most_, place_);
  }

  bool independent_runs() const override { return learnt_ == runs_to_learn; }
  std::string save() const override { return StateWriter().add(learnt_).add(most_).take(); }
  void restore(std::string_view state) override {
    if (state.empty()) return;
    StateReader reader(state);
    const std::uint64_t learnt = reader.number();
    const std::uint64_t most = reader.number();
    if (!reader.ok()) return;
    learnt_ = learnt;
    most_ = most;
  }

 private:
  static constexpr std::uint64_t runs_to_learn = 4;               // with a k that is drawn
  static constexpr std::uint64_t drawn = std::uint64_t{1} << 63;  // above those that fell

  // The places of changes_ that have come, and are used up by asking.
  bool is_change() {
    if (next_ == changes_.size() || changes_[next_] != place_) return false;
    ++next_;
    return true;
  }

  std::uint64_t& priority(std::uint32_t actor) {
    if (actor >= priorities_.size()) priorities_.resize(actor + 1);
    return priorities_[actor];
  }
  std::uint32_t best(const kernel::Choice& choice) {
    std::uint32_t highest = 0;
    std::uint64_t most = 0;
    for (std::uint32_t k = 0; k < choice.alternatives; ++k) {
      std::uint64_t& own = priority(choice.each[k].actor);
      if (own == 0) own = stream().next() | drawn;
      if (own > most) {
        most = own;
        highest = k;
      }
    }
    return highest;
  }

  std::uint64_t learnt_ = 0;  // runs
  std::uint64_t most_ = 0;    // places that one of them had
  std::uint64_t places_ = 0;  // k of this run
  std::uint64_t place_ = 0;
  std::vector<std::uint64_t> changes_;     // places, ascending
  std::uint64_t departure_ = 0;            // one place more, where no priorities are drawn
  std::uint32_t next_ = 0;                 // of changes_
  std::vector<std::uint64_t> priorities_;  // by actor; 0: not drawn
};

}  // namespace

std::unique_ptr<Strategy> make_pct1(Seed seed) { return std::make_unique<Pct<1>>(seed); }
std::unique_ptr<Strategy> make_pct2(Seed seed) { return std::make_unique<Pct<2>>(seed); }
std::unique_ptr<Strategy> make_pct3(Seed seed) { return std::make_unique<Pct<3>>(seed); }
std::unique_ptr<Strategy> make_pct4(Seed seed) { return std::make_unique<Pct<4>>(seed); }
std::unique_ptr<Strategy> make_pct5(Seed seed) { return std::make_unique<Pct<5>>(seed); }

}  // namespace vmbsim::explore
