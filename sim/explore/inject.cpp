/// Injects delays and faults in many places of a run, most of them where it seldom comes by: for programs with time.
///
/// Place    who asks about what. The first two questions of a place are answered otherwise with probability 1/2, the nth with
///          1/n, later ones with 1/8: what happens once in a run is held up as often as what happens in every packet.
/// Faults   in every second run, so that an order is not hidden behind a failure.
/// Stores   wait in their buffers in three runs of four, wherever there are buffers. As they do not wait long, a third of such
///          runs injects no long delays, and a third delays one actor only: half of what it meets still has its own pace.
/// Source   Li, Lu, Musuvathi, Nath, Padhye, "Efficient scalable thread-safety-violation detection", SOSP'19 (delays whose
///          probability decays with each one at the same place); Musuvathi et al., "Finding and reproducing Heisenbugs", OSDI'08.
#include <algorithm>
#include <array>
#include <cstdint>

#include "sim/explore/makers.hpp"
#include "sim/explore/sampler.hpp"

namespace vmbsim::explore {
namespace {

using kernel::ChoicePoint;

class Inject final : public Sampler {
 public:
  explicit Inject(Seed seed) : Sampler(seed, "inject") {}

  bool begin(std::uint64_t run) override {
    Sampler::begin(run);
    met_.fill(0);
    faults_ = run % 2 == 0;
    stores_wait_ = stream().below(4) != 0;
    aim_ = static_cast<Aim>(stream().below(3));
    buffers_ = false;
    return true;
  }

  std::uint32_t choose(const kernel::Choice& choice) override {
    if (choice.alternatives == 1) return 0;
    const std::uint64_t often = times_met(choice);
    switch (choice.point) {
      case ChoicePoint::data: return aside(choice);
      case ChoicePoint::fault:
        if (!faults_) return 0;
        break;
      case ChoicePoint::flush:
        if (!choice.each.empty()) break;
        if (!buffers_) {
          only_ = choice.actor;
          buffers_ = stream().chance(1, 2);
        }
        return stores_wait_ ? any_but_default(choice) : 0;
      default: break;
    }
    const bool aimed = buffers_ && stores_wait_ && choice.point != ChoicePoint::fault;
    if (aimed && aim_ == Aim::one_actor && choice.actor != only_) return 0;
    if (!stream().chance(1, std::clamp<std::uint64_t>(often, 2, 8))) return 0;
    if (aimed && aim_ == Aim::short_delays)
      return 1 + static_cast<std::uint32_t>(stream().below((choice.alternatives + 1) / 2));
    return any_but_default(choice);
  }

 private:
  enum class Aim : std::uint8_t { everything, short_delays, one_actor };

  // With this question; places that share a number share their counts.
  std::uint64_t times_met(const kernel::Choice& choice) {
    const kernel::Alternative* const own = choice.each.empty() ? nullptr : &choice.each[0];
    const std::uint64_t actor = own == nullptr ? choice.actor : own->actor;
    const std::uint64_t object = own == nullptr ? choice.object : own->operation.object;
    std::uint16_t& met =
        met_[mixed((actor << 40) + (object << 8) + static_cast<std::uint64_t>(choice.point)) % met_.size()];
    if (met < 0xffff) ++met;
    return met;
  }

  std::array<std::uint16_t, 8192> met_{};  // by place
  bool faults_ = false;
  bool stores_wait_ = false;
  bool buffers_ = false;  // there are: an actor that has one is chosen
  Aim aim_ = Aim::everything;
  std::uint32_t only_ = 0;  // actor
};

}  // namespace

std::unique_ptr<Strategy> make_inject(Seed seed) { return std::make_unique<Inject>(seed); }

}  // namespace vmbsim::explore
