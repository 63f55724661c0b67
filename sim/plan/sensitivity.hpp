#pragma once
/// Which inputs an answer hangs on.
///
/// One at a time: each input alone, down and up, from where the answer was found. Morris: random walks through the whole space
/// in which one input changes at each step, so that what inputs do to each other shows, too.
/// Source: Morris, "Factorial sampling plans for preliminary computational experiments", Technometrics 33, 1991; Campolongo,
/// Cariboni, Saltelli, "An effective screening design for sensitivity analysis of large models", Environmental Modelling &
/// Software 22, 2007 (the mean of absolute effects).
#include <cstdint>
#include <functional>
#include <vector>

#include "vmbsim/ids.hpp"

namespace vmbsim::plan {

/// Inputs as levels: 0 is the lowest that is looked at, 1 the highest, 0.5 where the answer was found.
using Levels = std::vector<double>;
/// The response at many points, in their order.
using Respond = std::function<std::vector<double>(const std::vector<Levels>&)>;

struct Effect {
  std::size_t input = 0;
  double down = 0;     ///< response at level 0 less that in the middle
  double up = 0;       ///< response at level 1 less that in the middle
  double mean = 0;     ///< Morris: of absolute effects of the whole range
  double scatter = 0;  ///< Morris: standard deviation of the effects: not linear, or together with others
};

/// Effects of all inputs, those with the largest Morris mean first, equal ones in the order of inputs. A response that is not a
/// number, for there was none, says nothing of the steps that lead there and away: an input's mean and scatter are of its other
/// steps, and where none is left they are not numbers and the input comes last.
/// 2 k + 1 points one at a time, the middle first, and (k + 1) * walks of Morris.
std::vector<Effect> effects(std::size_t inputs, std::size_t walks, Seed seed, const Respond& respond);

/// Which of those points has one input alone at level 0, and which at level 1.
inline std::size_t point_below(std::size_t input) { return 1 + 2 * input; }
inline std::size_t point_above(std::size_t input) { return 2 + 2 * input; }

}  // namespace vmbsim::plan
