#pragma once
/// Whether two things differ: differences with intervals, probabilities, and what is left of them when many are asked.
#include "sim/stats/pool.hpp"

namespace vmbsim::stats {

/// A difference of two figures, second less first.
struct Difference {
  Estimate estimate;  ///< by chance alone
  /// How far the difference of the samples themselves may lie from the estimate's mean, below it and above, where figures are
  /// known within bounds: no number of runs makes that less.
  Interval open{0, 0};
  double freedom = 0;  ///< of Student's t; 0: nothing tells change from chance
  /// Of one at least as large where there is none; two-sided, of the smallest one that is open.
  double probability = 1;

  /// Where the difference lies, by chance and by what is open.
  Interval interval() const;
};

/// Of groups that belong together pair by pair, as runs with the same seed do: what they share cancels. As many values in one as
/// in the other. Values that are told in steps differ by at least as much as that rounding alone would make them: pairs of which
/// few samples decide are often equal by chance, and two equal pairs do not show that all are.
/// Sources: Law, "Simulation Modeling and Analysis", 5th ed., sections 10.2.1 and 11.2 (common random numbers); Sheppard, "On the
/// calculation of the most probable values of frequency-constants", Proceedings of the London Mathematical Society 29, 1898 (a
/// step adds a twelfth of its square to the variance).
Difference paired_difference(const Sample& first, const Sample& second, double confidence);

/// Of two independent groups that may vary differently, or few runs that know their own error; steps as above.
/// Source: Welch, Biometrika 34, 1947.
Difference difference(const Sample& first, const Sample& second, double confidence);

/// Probabilities of several questions, corrected so that none at all is wrongly below a level with that probability: compare
/// each with the level. In the order of `probabilities`.
/// Source: Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
std::vector<double> holm(std::span<const double> probabilities);

}  // namespace vmbsim::stats
