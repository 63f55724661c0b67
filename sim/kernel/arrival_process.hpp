#pragma once
/// When the next request arrives: Poisson, periodic, general renewal and Markov-modulated (MMPP) processes.
#include <variant>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "vmbsim/rate.hpp"

namespace vmbsim::kernel {

/// Independent exponential gaps.
struct Poisson { Rate rate; };
/// Equal gaps. Gaps that are not whole nanoseconds are spread so that the long-run rate is exact.
struct Periodic { Rate rate; };
/// Independent gaps from any distribution.
struct Renewal { Distribution gap; };
/// Markov-modulated Poisson process: while in state i arrivals are Poisson with `rate`, the stay in a state is exponential
/// with `mean_stay`, and the next state is the following one in the list (the last is followed by the first).
/// Source: Fischer and Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", 1993.
struct Mmpp {
  struct State { Rate rate; Duration mean_stay; };
  std::vector<State> states;  ///< at least one
};

/// A sequence of arrival times. Draws only from its own stream.
class ArrivalProcess {
 public:
  using Spec = std::variant<Poisson, Periodic, Renewal, Mmpp>;
  ArrivalProcess(Spec spec, Stream stream);
  /// The gap from the previous arrival (or from the start) to the next. At least 0.
  Duration next_gap();

 private:
  Spec spec_;
  Stream stream_;
  std::size_t state_ = 0;            // Mmpp: current state
  Duration stay_left_{};             // Mmpp: time left in it
  bool started_ = false;
  std::int64_t remainder_ = 0;       // Periodic: fraction of a nanosecond carried over, in units of 1/events
};

}  // namespace vmbsim::kernel
