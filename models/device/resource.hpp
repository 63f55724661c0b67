#pragma once
/// A resource: takes work and says when it is done. Disks, servers and whatever several machines share stand behind this.
#include <cstdint>

#include "vmbsim/bytes.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::device {

enum class Operation : std::uint8_t { read, write, flush };

/// One piece of work. It stays the caller's; its address is its identity until done.
struct Work {
  Operation operation = Operation::read;
  Bytes size;
  Duration service{-1};            ///< the recorded service time; negative: the resource draws its own
  void (*done)(Work&) = nullptr;   ///< called as an event, in zero simulated time, exactly once
  void* owner = nullptr;           ///< for `done`
  Work* next = nullptr;            ///< for whoever holds it: resources queue through it, owners may after `done`
};

class Resource {
 public:
  virtual ~Resource() = default;
  /// Starts or queues the work; `done` comes as a later event, never from inside this call.
  virtual void submit(Work& work) = 0;
  /// Work submitted and not done.
  virtual std::uint64_t in_flight() const = 0;
};

}  // namespace vmbsim::device
