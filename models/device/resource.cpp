#include "models/device/resource.hpp"

#include <cstddef>
#include <limits>

namespace vmbsim::device {

double Resource::utilisation(SimTime now) const {
  const double all = static_cast<double>((now - measured_from_).count()) * servers_;
  const Wide served = served_ + static_cast<Wide>((now - serving_since_).count()) * serving_;
  return all > 0 ? static_cast<double>(served) / all : std::numeric_limits<double>::quiet_NaN();
}

void finish_together(kernel::Simulation& world, std::vector<Work*>& works, const Known& who) {
  while (!works.empty()) {
    const auto left = static_cast<std::uint32_t>(works.size());
    const auto chosen = works.begin() + static_cast<std::ptrdiff_t>(
                                            world.choose(kernel::ChoicePoint::device_tie, left, who.actor, who.object));
    Work& work = **chosen;
    works.erase(chosen);
    work.done(work);
  }
}

}  // namespace vmbsim::device
