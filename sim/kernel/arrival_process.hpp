#pragma once
/// When the next request arrives: Poisson, periodic, general renewal and Markov-modulated (MMPP) processes.
///
/// Poisson and MMPP arrivals are points on a continuous axis, each rounded down to whole nanoseconds: a gap carries the
/// fraction left by the one before, so the long-run rate is exact for any rate, also where the mean gap is not whole.
#include <variant>
#include <vector>

#include "sim/kernel/distribution.hpp"
#include "sim/kernel/exact_math.hpp"
#include "vmbsim/rate.hpp"

namespace vmbsim::kernel {

/// Independent exponential gaps.
struct Poisson {
  Rate rate;
};
/// Equal gaps. Gaps that are not whole nanoseconds are spread so that the long-run rate is exact.
struct Periodic {
  Rate rate;
};
/// Independent gaps from any distribution.
struct Renewal {
  Distribution gap;
};
/// Markov-modulated Poisson process: while in state i arrivals are Poisson with `rate`, the stay in a state is exponential
/// with `mean_stay`, and the next state is the following one in the list (the last is followed by the first). It starts
/// with a fresh stay in the first state. A rate of 0 events makes a silent state; at least one state is not silent.
/// Source: Fischer and Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", 1993.
struct Mmpp {
  struct State {
    Rate rate;
    Duration mean_stay;
  };
  std::vector<State> states;  ///< at least one
  /// How often the state changes between two arrivals, on average; infinite when every state is silent. Drawing a gap
  /// costs that many steps: at most most_changes_per_arrival are allowed.
  double changes_per_arrival() const;
  static constexpr double most_changes_per_arrival = 1e4;
};

/// A sequence of arrival times. Draws only from its own stream.
class ArrivalProcess {
 public:
  using Spec = std::variant<Poisson, Periodic, Renewal, Mmpp>;
  ArrivalProcess(Spec spec, Stream stream);
  /// The gap from the previous arrival (or from the start) to the next. At least 0, at most 2^62 ns.
  Duration next_gap();

 private:
  double exponential(double mean) { return mean * exponential_quantile(stream_.next()); }
  Duration whole_gap(double gap);
  Duration next_gap(const Poisson&);
  Duration next_gap(const Periodic& periodic);
  Duration next_gap(const Renewal& renewal);
  Duration next_gap(const Mmpp& mmpp);
  void enter(const Mmpp& mmpp, std::size_t state);

  Spec spec_;
  Stream stream_;
  double mean_gap_ = 0;         // Poisson, Mmpp: in the current state, in ns; not drawn from in a silent state
  double fraction_ = 0;         // Poisson, Mmpp: of a nanosecond, below 1, by which the last arrival was rounded down
  std::size_t state_ = 0;       // Mmpp: current state
  double stay_left_ = 0;        // Mmpp: time left in it, in ns
  std::int64_t remainder_ = 0;  // Periodic: fraction of a nanosecond carried over, in units of 1/events
};

}  // namespace vmbsim::kernel
