#pragma once
/// Numbers of what is made while a run goes on. Whoever comes first must not decide who is who: equal things have equal numbers
/// in runs that differ in the order of independent steps only, or no reduction could tell them apart. So makers count for
/// themselves: the nth thing of a maker has the same number however much the others make.
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
  /// `first`: what the set-up has left free. `contexts`: those that it made; others share one count.
  void begin(const First& first, std::size_t contexts) {
    first_ = first;
    contexts_ = contexts;
    made_.assign(2 * contexts + 1, {});
  }

  /// A context that the context at `place` makes: with its store buffer's id behind it.
  std::uint32_t id_by(std::size_t place) { return first_.ids + first_.stride * next(maker(place), &Made::contexts); }
  /// One more context for a routine that the context at `place` is the first one for.
  std::uint32_t id_of_instance(std::size_t place) {
    return first_.ids + first_.stride * next(place < contexts_ ? contexts_ + place : 2 * contexts_, &Made::contexts);
  }
  std::uint32_t object_by(std::size_t place) { return first_.objects + next(maker(place), &Made::objects); }
  std::uint32_t cpu_by(std::size_t place) { return first_.cpus + next(maker(place), &Made::cpus); }
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
  std::size_t maker(std::size_t place) const { return place < contexts_ ? place : 2 * contexts_; }
  std::uint32_t next(std::size_t slot, std::uint32_t Made::*count) {
    return static_cast<std::uint32_t>(slot + made_.size() * (made_[slot].*count)++);
  }

  First first_;
  std::size_t contexts_ = 0;
  std::vector<Made> made_;
};

}  // namespace vmbsim::harness
