#pragma once
/// A resource: takes work and says when it is done. Disks, servers and whatever several machines share stand behind this.
#include <cstdint>
#include <vector>

#include "sim/kernel/simulation.hpp"
#include "vmbsim/bytes.hpp"
#include "vmbsim/time.hpp"
#include "vmbsim/wide.hpp"

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

/// What a hunt knows a resource by, as one who asks and as what is asked about.
struct Known {
  std::uint32_t actor = 0;
  std::uint32_t object = 0;
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
  /// Share of its servers' time that went into works from when measuring began until `now`; not a number where it has no
  /// number of servers, or no time passed.
  double utilisation(SimTime now) const;
  /// Who is told of work from now on; null: nobody.
  void tell(WorkListener* listener) { listener_ = listener; }
  void known_as(const Known& known) { known_ = known; }
  /// Counters count from here on.
  void start_measuring(SimTime now) {
    counters_ = {};
    counters_.peak_in_flight = in_flight();
    measured_from_ = serving_since_ = now;
    served_ = 0;
  }

 protected:
  const Known& known() const { return known_; }
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
  /// How many works can be served at a time; 0: any number, or nobody can say. What is shared is one server.
  void set_servers(std::uint32_t servers) { servers_ = servers; }
  /// From `now` on so many servers are at work.
  void count_serving(SimTime now, std::uint64_t serving) {
    served_ += static_cast<Wide>((now - serving_since_).count()) * serving_;
    serving_since_ = now;
    serving_ = serving;
  }

 private:
  Counters counters_;
  std::uint32_t servers_ = 0;
  std::uint64_t serving_ = 0;
  SimTime measured_from_ = start_of_time;
  SimTime serving_since_ = start_of_time;
  Wide served_ = 0;  // nanoseconds until then, of all servers together
  WorkListener* listener_ = nullptr;
  Known known_;
};

/// Calls `done` of works that complete at one instant, and empties the list. They come in order of submission; where there
/// are several, ChoicePoint::device_tie picks which of those left is next.
void finish_together(kernel::Simulation& world, std::vector<Work*>& works, const Known& who);

}  // namespace vmbsim::device
