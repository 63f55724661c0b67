/// Partial order sampling: every pending step has a priority that was drawn for it; the highest is made, and the steps that
/// race with it draw anew, so that the order of each two racing steps is open again.
/// Source   Yuan, Yang, Gu, "Partial order aware concurrency sampling", CAV'18.
#include "sim/explore/dependence.hpp"
#include "sim/explore/makers.hpp"
#include "sim/explore/sampler.hpp"

namespace vmbsim::explore {
namespace {

class PartialOrderSampling final : public Sampler {
 public:
  explicit PartialOrderSampling(Seed seed) : Sampler(seed, "pos") {}

  bool begin(std::uint64_t run) override {
    priorities_.assign(priorities_.size(), 0);
    return Sampler::begin(run);
  }

  std::uint32_t choose(const kernel::Choice& choice) override {
    if (choice.each.empty()) return aside(choice);
    is_order(choice);
    std::uint32_t taken = 0;
    std::uint64_t most = 0;
    for (std::uint32_t k = 0; k < choice.alternatives; ++k) {
      const std::uint32_t actor = choice.each[k].actor;
      if (actor >= priorities_.size()) priorities_.resize(actor + 1);
      if (priorities_[actor] == 0) priorities_[actor] = stream().next() | 1;
      if (priorities_[actor] > most) {
        most = priorities_[actor];
        taken = k;
      }
    }
    for (const kernel::Alternative& one : choice.each)  // the step that is made included
      if (dependent(one, choice.each[taken])) priorities_[one.actor] = 0;
    return taken;
  }

 private:
  std::vector<std::uint64_t> priorities_;  // by actor, of its pending step; 0: to be drawn
};

}  // namespace

std::unique_ptr<Strategy> make_pos(Seed seed) { return std::make_unique<PartialOrderSampling>(seed); }

}  // namespace vmbsim::explore
