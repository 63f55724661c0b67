/// The uniform random walk: an actor is taken with a probability in proportion to the steps it has still to make, so that
/// every interleaving of actors that never wait for each other is equally likely. How many steps an actor makes is learnt from
/// the first runs.
/// Source   Zhao and others, "Selectively uniform concurrency testing", ASPLOS'25: URW.
#include <algorithm>

#include "sim/explore/makers.hpp"
#include "sim/explore/sampler.hpp"
#include "sim/explore/state_text.hpp"

namespace vmbsim::explore {
namespace {

class UniformWalk final : public Sampler {
 public:
  explicit UniformWalk(Seed seed) : Sampler(seed, "urw") {}

  bool begin(std::uint64_t run) override {
    done_.assign(done_.size(), 0);
    return Sampler::begin(run);
  }

  std::uint32_t choose(const kernel::Choice& choice) override {
    if (choice.each.empty()) return aside(choice);
    std::uint32_t taken = 0;
    if (is_order(choice)) {
      std::uint64_t all = 0;
      for (const kernel::Alternative& one : choice.each) all += weight(one.actor);
      std::uint64_t drawn = stream().below(all);
      while (drawn >= weight(choice.each[taken].actor)) drawn -= weight(choice.each[taken++].actor);
    }
    const std::uint32_t actor = choice.each[taken].actor;
    if (actor >= done_.size()) done_.resize(actor + 1);
    ++done_[actor];
    return taken;
  }

  void end(const Outcome& outcome, const Deviations&) override {
    if (learnt_ == runs_to_learn || outcome.end == End::abandoned) return;
    ++learnt_;
    if (steps_.size() < done_.size()) steps_.resize(done_.size());
    for (std::size_t actor = 0; actor < done_.size(); ++actor) steps_[actor] = std::max(steps_[actor], done_[actor]);
  }

  bool independent_runs() const override { return learnt_ == runs_to_learn; }

  std::string save() const override {
    StateWriter writer;
    writer.add(learnt_).add(steps_.size());
    for (const std::uint64_t steps : steps_) writer.add(steps);
    return writer.take();
  }
  void restore(std::string_view state) override {
    if (state.empty()) return;
    StateReader reader(state);
    const std::uint64_t learnt = reader.number();
    std::vector<std::uint64_t> all(reader.count());
    for (std::uint64_t& steps : all) steps = reader.number();
    if (!reader.ok()) return;
    learnt_ = learnt;
    steps_ = std::move(all);
  }

 private:
  static constexpr std::uint64_t runs_to_learn = 4;  // random walks

  // Who goes on longer than was learnt goes on at least once.
  std::uint64_t weight(std::uint32_t actor) const {
    if (learnt_ < runs_to_learn || actor >= steps_.size()) return 1;
    const std::uint64_t done = actor < done_.size() ? done_[actor] : 0;
    return steps_[actor] > done ? steps_[actor] - done : 1;
  }

  std::uint64_t learnt_ = 0;          // runs
  std::vector<std::uint64_t> steps_;  // by actor: most steps of a run
  std::vector<std::uint64_t> done_;   // by actor: in this run
};

}  // namespace

std::unique_ptr<Strategy> make_urw(Seed seed) { return std::make_unique<UniformWalk>(seed); }

}  // namespace vmbsim::explore
