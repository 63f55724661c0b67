#include "sim/hunt/recorder.hpp"

#include <algorithm>

namespace vmbsim::hunt {

void Recorder::begin(kernel::ChoiceSource& source, std::uint64_t run) {
  source_ = &source;
  index_ = 0;
  taken_.clear();
  std::fill(nth_.begin(), nth_.end(), 0);
  box_.begin(run);
}

}  // namespace vmbsim::hunt
