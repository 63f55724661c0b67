#pragma once
/// Who knows what of whom among the processors of a hunted world: what one has written and nothing orders, another may not use.
///
///   const Stamp written = order.stamp(0);       // processor 0 writes plain memory
///   order.releases(word, 0); order.acquires(word, 1);
///   if (!order.knows(1, written)) race();
///
/// Threads   are known by the processor they run on: whatever runs there one after the other is ordered.
/// Kernel    calls, interrupts and switches order more than they must, so that nothing is called a race that is none.
/// Source    C++20, [intro.races]; Flanagan and Freund, "FastTrack", PLDI 2009.
#include <cstdint>
#include <vector>

#include "sim/observe/vector_clock.hpp"

namespace vmbsim::hw {

class HappensBefore {
 public:
  using Clock = observe::Clock;
  /// A moment of a processor; count 0: nobody's.
  struct Stamp {
    std::uint32_t processor = 0;
    std::uint32_t count = 0;
  };

  void add_processor() { processors_.emplace_back().known.tick(static_cast<std::uint32_t>(processors_.size() - 1)); }
  Stamp stamp(std::uint32_t processor) const { return {processor, processors_[processor].known.of(processor)}; }
  bool knows(std::uint32_t processor, const Stamp& stamp) const {
    return processors_[processor].known.of(stamp.processor) >= stamp.count;
  }

  /// A load that found a store; what a relaxed one found counts from the next barrier on.
  void loads(std::uint32_t processor, const Clock& released, bool acquire) {
    Known& here = processors_[processor];
    (acquire ? here.known : here.seen).join(released);
  }
  /// What a store makes known.
  Clock stores(std::uint32_t processor, bool release) {
    Known& here = processors_[processor];
    Clock told = release ? here.known : here.fenced;
    here.known.tick(processor);
    return told;
  }
  void barrier(std::uint32_t processor) {
    Known& here = processors_[processor];
    here.known.join(here.seen);
    here.fenced = here.known;
    here.known.tick(processor);
  }
  void acquires(std::uint32_t processor, const Clock& lock) { processors_[processor].known.join(lock); }
  void releases(std::uint32_t processor, Clock& lock) {
    lock.join(processors_[processor].known);
    processors_[processor].known.tick(processor);
  }
  /// To and from whoever else calls the kernel.
  void tells_kernel(std::uint32_t processor) { releases(processor, kernel_); }
  void asks_kernel(std::uint32_t processor) { acquires(processor, kernel_); }

 private:
  struct Known {
    Clock known;
    Clock seen;    // by relaxed loads
    Clock fenced;  // at the latest barrier
  };
  std::vector<Known> processors_;
  Clock kernel_;
};

}  // namespace vmbsim::hw
