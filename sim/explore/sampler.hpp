#pragma once
/// What the strategies that draw have in common: a stream of numbers per run, and the answers that are not about order.
#include <string_view>
#include <vector>

#include "sim/explore/mixed.hpp"
#include "sim/explore/strategy.hpp"
#include "sim/kernel/random.hpp"

namespace vmbsim::explore {

/// Run `run` draws the same numbers whoever executes it.
class Sampler : public Strategy {
 public:
  Sampler(Seed seed, std::string_view name) : seed_(seed), name_(name), stream_(seed, name, "run") {}

  bool begin(std::uint64_t run) override {
    stream_ = kernel::Stream(Seed{mixed(seed_.value + run * 0x9e3779b97f4a7c15u)}, name_, "run");
    abstract_ = false;
    gap_ = 0;
    return true;
  }
  void end(const Outcome&, const Deviations&) override {}

 protected:
  /// The run's own numbers.
  kernel::Stream& stream() { return stream_; }

  /// True when the question is about order among `each` of at least two: then the strategy answers. Else `aside` does.
  bool is_order(const kernel::Choice& choice) {
    if (choice.each.empty()) return false;
    abstract_ = true;
    return choice.alternatives > 1;
  }

  /// Input is drawn evenly. A time-abstract machine has a fault at one question in four. Where time orders the actors, a run
  /// departs from the plain one here and there: how often is drawn per run, from every eighth question to every 32,768th.
  /// Source of the quarter   FoundationDB, flow/include/flow/Buggify.h.
  std::uint32_t aside(const kernel::Choice& choice) {
    if (choice.alternatives == 1) return 0;
    if (choice.point == kernel::ChoicePoint::data)
      return static_cast<std::uint32_t>(stream_.below(choice.alternatives));
    if (abstract_)
      return choice.point == kernel::ChoicePoint::fault && stream_.chance(1, 4) ? any_but_default(choice) : 0;
    if (gap_ == 0) {
      spread_ = std::uint64_t{16} << stream_.below(13);
      gap_ = 1 + stream_.below(spread_);
    }
    if (--gap_ != 0) return 0;
    gap_ = 1 + stream_.below(spread_);
    return any_but_default(choice);
  }

  std::uint32_t any_but_default(const kernel::Choice& choice) {
    return 1 + static_cast<std::uint32_t>(stream_.below(choice.alternatives - 1));
  }

 private:
  Seed seed_;
  std::string_view name_;  // of a table that lives as long as the program
  kernel::Stream stream_;
  bool abstract_ = false;     // the run has asked for an order with its alternatives
  std::uint64_t gap_ = 0;     // questions until the next departure, that one included; 0: not drawn
  std::uint64_t spread_ = 0;  // twice the mean of gap_
};

}  // namespace vmbsim::explore
