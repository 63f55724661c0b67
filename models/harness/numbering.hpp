#pragma once
/// Numbers of what is made while a run goes on. Whoever comes first must not decide who is who: equal things have equal numbers
/// in runs that differ in the order of independent steps only, or no reduction could tell them apart. So makers count for
/// themselves: the nth thing of a maker has the same number however much the others make. A maker that was itself made while the
/// run goes on counts so, too; numbers of what those make who were made by such a one would have no end, and share one count.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vmbsim::harness {

class Numbering {
 public:
  struct First {
    std::uint32_t ids = 0;  ///< of actors
    std::uint32_t objects = 0;
    std::uint32_t cpus = 0;
    std::uint32_t stride = 1;  ///< ids that belong to one thing
  };
  /// A context: its place among all, and its id.
  struct Who {
    std::size_t place;
    std::uint32_t id;
  };
  /// `first`: what the set-up has left free. `contexts`: those that it made.
  void begin(const First& first, std::size_t contexts) {
    first_ = first;
    contexts_ = contexts;
    made_.assign(2 * contexts + kinds, {});
    later_.clear();
  }

  /// A context that `maker` makes: with its store buffer's id behind it.
  std::uint32_t id_by(const Who& maker) { return first_.ids + first_.stride * next(maker, false, &Made::contexts); }
  /// One more context for a routine that the context `one` is the first one for.
  std::uint32_t id_of_instance(const Who& one) { return first_.ids + first_.stride * next(one, true, &Made::contexts); }
  std::uint32_t object_by(const Who& maker) { return first_.objects + next(maker, false, &Made::objects); }
  std::uint32_t cpu_by(const Who& maker) { return first_.cpus + next(maker, false, &Made::cpus); }
  /// The first of the ids of a word's store buffers, by the word's number.
  std::uint32_t buffers_of(std::uint32_t object) const {
    return first_.ids + first_.stride * (object - first_.objects) + 1;
  }

 private:
  struct Made {
    std::uint32_t contexts = 0;
    std::uint32_t objects = 0;
    std::uint32_t cpus = 0;
  };
  // Numbers are dealt out round makers and routines of the set-up, and then these.
  enum Kind : std::size_t { by_later_ones, instances_of_later_ones, by_the_rest, kinds };

  std::uint32_t next(const Who& who, bool instance, std::uint32_t Made::*count) {
    const auto dealt = [this](std::size_t slot, std::uint64_t nth) {
      return static_cast<std::uint32_t>(slot + made_.size() * nth);
    };
    if (who.place < contexts_) {
      const std::size_t slot = who.place + (instance ? contexts_ : 0);
      return dealt(slot, (made_[slot].*count)++);
    }
    const std::uint64_t number = (who.id - first_.ids) / first_.stride;
    if (number % made_.size() < 2 * contexts_) {
      const std::size_t place = 2 * number + (instance ? 1 : 0);
      if (place >= later_.size()) later_.resize(place + 1);
      const std::uint64_t nth = (later_[place].*count)++;
      // Cantor's pairing: a number of its own for each pair.
      const std::uint64_t pair = (number + nth) * (number + nth + 1) / 2 + nth;
      if (pair < most_pairs) return dealt(2 * contexts_ + (instance ? instances_of_later_ones : by_later_ones), pair);
    }
    const std::size_t slot = 2 * contexts_ + by_the_rest;
    return dealt(slot, (made_[slot].*count)++);
  }

  static constexpr std::uint64_t most_pairs = 1 << 16;  // numbers are places in tables

  First first_;
  std::size_t contexts_ = 0;
  std::vector<Made> made_;
  std::vector<Made> later_;  // by the number of who was made while the run goes on, and whose routine that is
};

}  // namespace vmbsim::harness
