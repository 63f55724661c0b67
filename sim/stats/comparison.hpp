#pragma once
/// Whether two things differ: differences with intervals, probabilities, and what is left of them when many are asked.
#include "sim/stats/pool.hpp"

namespace vmbsim::stats {

/// A difference of means, second less first.
struct Difference {
  Estimate estimate;
  double probability = 1;  ///< of one at least as large where there is none; two-sided
};

/// Of values that belong together pair by pair, as runs with the same seed do: what they share cancels. As many in one as in
/// the other.
/// Source: Law, "Simulation Modeling and Analysis", 5th ed., sections 10.2.1 and 11.2 (common random numbers).
Difference paired_difference(std::span<const double> first, std::span<const double> second, double confidence);

/// Of two independent groups that may vary differently. Source: Welch, Biometrika 34, 1947.
Difference difference(std::span<const double> first, std::span<const double> second, double confidence);

/// Probabilities of several questions, corrected so that none at all is wrongly below a level with that probability: compare
/// each with the level. In the order of `probabilities`.
/// Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
std::vector<double> holm(std::span<const double> probabilities);

}  // namespace vmbsim::stats
