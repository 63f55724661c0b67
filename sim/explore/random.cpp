/// The random walk: at each step any of the actors that can go on, all equally likely.
#include "sim/explore/makers.hpp"
#include "sim/explore/sampler.hpp"

namespace vmbsim::explore {
namespace {

class RandomWalk final : public Sampler {
 public:
  explicit RandomWalk(Seed seed) : Sampler(seed, "random") {}

  std::uint32_t choose(const kernel::Choice& choice) override {
    if (!is_order(choice)) return aside(choice);
    return static_cast<std::uint32_t>(stream().below(choice.alternatives));
  }
};

}  // namespace

std::unique_ptr<Strategy> make_random(Seed seed) { return std::make_unique<RandomWalk>(seed); }

}  // namespace vmbsim::explore
