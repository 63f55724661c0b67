#include "sim/kernel/arrival_process.hpp"

#include <limits>
#include <utility>

namespace vmbsim::kernel {
namespace {

bool positive(Rate rate) { return rate.events > 0 && rate.per > 0ns; }

}  // namespace

double Mmpp::changes_per_arrival() const {
  double arrivals = 0;  // in one round through the states
  for (const State& state : states) arrivals += static_cast<double>(state.mean_stay.count()) / state.rate.mean_gap_ns();
  return arrivals > 0 ? static_cast<double>(states.size()) / arrivals : std::numeric_limits<double>::infinity();
}

ArrivalProcess::ArrivalProcess(Spec spec, Stream stream) : spec_(std::move(spec)), stream_(stream) {
  if (const auto* poisson = std::get_if<Poisson>(&spec_)) {
    VMBSIM_ASSERT(positive(poisson->rate), "arrivals have a positive rate");
    mean_gap_ = poisson->rate.mean_gap_ns();
  } else if (const auto* periodic = std::get_if<Periodic>(&spec_)) {
    VMBSIM_ASSERT(positive(periodic->rate), "arrivals have a positive rate");
  } else if (const auto* mmpp = std::get_if<Mmpp>(&spec_)) {
    for (const Mmpp::State& state : mmpp->states)
      VMBSIM_ASSERT(state.mean_stay > 0ns && state.rate.events >= 0 && state.rate.per > 0ns,
                    "a state has a positive stay and a rate");
    VMBSIM_ASSERT(mmpp->changes_per_arrival() <= Mmpp::most_changes_per_arrival,
                  "arrivals are not vanishingly rare among the changes of state");
    enter(*mmpp, 0);
  }
}

Duration ArrivalProcess::next_gap() {
  return std::visit([this](const auto& spec) { return next_gap(spec); }, spec_);
}

Duration ArrivalProcess::whole_gap(double gap) {
  const double exact = gap + fraction_;
  if (exact >= static_cast<double>(longest_sample)) {
    fraction_ = 0;
    return Duration{longest_sample};
  }
  const auto whole = static_cast<std::int64_t>(exact);
  fraction_ = exact - static_cast<double>(whole);
  return Duration{whole};
}

Duration ArrivalProcess::next_gap(const Poisson&) { return whole_gap(exponential(mean_gap_)); }

Duration ArrivalProcess::next_gap(const Periodic& periodic) {
  const std::int64_t events = periodic.rate.events;
  std::int64_t gap = periodic.rate.per.count() / events;
  const std::int64_t rest = periodic.rate.per.count() % events;
  if (remainder_ >= events - rest) {  // remainder + rest >= events, without overflow
    remainder_ -= events - rest;
    ++gap;
  } else {
    remainder_ += rest;
  }
  return Duration{gap};
}

Duration ArrivalProcess::next_gap(const Renewal& renewal) { return renewal.gap.sample(stream_); }

// Exponential variables have no memory: a gap that would outlast the stay is forgotten and drawn anew in the next state.
Duration ArrivalProcess::next_gap(const Mmpp& mmpp) {
  double passed = 0;
  for (;;) {
    if (mmpp.states[state_].rate.events > 0) {
      const double gap = exponential(mean_gap_);
      if (gap <= stay_left_) {
        stay_left_ -= gap;
        return whole_gap(passed + gap);
      }
    }
    passed += stay_left_;
    enter(mmpp, state_ + 1 == mmpp.states.size() ? 0 : state_ + 1);
  }
}

void ArrivalProcess::enter(const Mmpp& mmpp, std::size_t state) {
  state_ = state;
  mean_gap_ = mmpp.states[state].rate.mean_gap_ns();
  stay_left_ = exponential(static_cast<double>(mmpp.states[state].mean_stay.count()));
}

}  // namespace vmbsim::kernel
