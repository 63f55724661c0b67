#pragma once
/// A resource: takes work and says when it is done. Disks, servers and whatever several machines share stand behind this.
#include <cstdint>
#include <vector>

#include "sim/kernel/simulation.hpp"
#include "vmbsim/bytes.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::device {

enum class Operation : std::uint8_t { read, write, flush };

/// One piece of work. It stays the caller's; its address is its identity until done.
struct Work {
  Operation operation = Operation::read;
  Bytes size;            ///< >= 0
  Duration service{-1};  ///< the recorded service time; negative: the resource draws its own
  void (*done)(Work&) =
      nullptr;            ///< called as an event, in zero simulated time, exactly once; may submit the work again
  void* owner = nullptr;  ///< for `done`
  Work* next = nullptr;   ///< for whoever holds it: resources queue through it, owners may after `done`
};

class Resource;

/// What a resource did since measuring began.
struct Counters {
  std::uint64_t operations = 0;      ///< works done
  Bytes bytes;                       ///< their sizes
  std::uint64_t peak_in_flight = 0;  ///< most works submitted and not done at a time
};

/// Is told of work at its two ends: for a timeline.
class WorkListener {
 public:
  virtual ~WorkListener() = default;
  virtual void on_submitted(const Resource& resource, const Work& work) = 0;
  virtual void on_done(const Resource& resource, const Work& work) = 0;
};

class Resource {
 public:
  Resource() = default;
  Resource(const Resource&) = delete;
  Resource& operator=(const Resource&) = delete;
  virtual ~Resource() = default;

  /// Starts or queues the work; `done` comes as a later event, never from inside this call.
  virtual void submit(Work& work) = 0;
  /// Work submitted and not done.
  virtual std::uint64_t in_flight() const = 0;
  const Counters& counters() const { return counters_; }
  /// Who is told of work from now on; null: nobody.
  void tell(WorkListener* listener) { listener_ = listener; }
  /// Counters count from here on.
  void start_measuring() {
    counters_ = {};
    counters_.peak_in_flight = in_flight();
  }

 protected:
  /// Every implementation counts at its two doors: on submit, and just before `done`.
  void count_submitted(const Work& work) {
    if (in_flight() > counters_.peak_in_flight) counters_.peak_in_flight = in_flight();
    if (listener_ != nullptr) [[unlikely]]
      listener_->on_submitted(*this, work);
  }
  void count_done(const Work& work) {
    ++counters_.operations;
    counters_.bytes += work.size;
    if (listener_ != nullptr) [[unlikely]]
      listener_->on_done(*this, work);
  }

 private:
  Counters counters_;
  WorkListener* listener_ = nullptr;
};

/// Calls `done` of works that complete at one instant, and empties the list. They come in order of submission; where there
/// are several, ChoicePoint::device_tie picks which of those left is next.
void finish_together(kernel::Simulation& world, std::vector<Work*>& works);

}  // namespace vmbsim::device
