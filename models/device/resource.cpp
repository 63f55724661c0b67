#include "models/device/resource.hpp"

#include <cstddef>

namespace vmbsim::device {

void finish_together(kernel::Simulation& world, std::vector<Work*>& works) {
  while (!works.empty()) {
    const auto left = static_cast<std::uint32_t>(works.size());
    const auto chosen =
        works.begin() + static_cast<std::ptrdiff_t>(world.choose(kernel::ChoicePoint::device_tie, left));
    Work& work = **chosen;
    works.erase(chosen);
    work.done(work);
  }
}

}  // namespace vmbsim::device
