#pragma once
/// What the layers above a guest's driver hand down, and the port they hand it to.
#include <cstdint>

#include "models/device/resource.hpp"
#include "vmbsim/bytes.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::drivers {

/// One request. It stays the caller's until `done`.
struct Request {
  device::Operation operation = device::Operation::read;
  Bytes size;
  std::int64_t offset = 0;
  Duration service{-1};  ///< the device's time as recorded; negative: the device draws its own
  SimTime arrived{};
  void (*done)(Request&) =
      nullptr;              ///< in the driver's completion routine, at or below DISPATCH_LEVEL; may submit again
  void* owner = nullptr;    ///< for `done`
  void* driver = nullptr;   ///< for the driver while it has the request
  Request* next = nullptr;  ///< for whoever holds it
};

/// Requests that wait for memory, first come, first served.
class RequestQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  void push(Request& request) {
    request.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &request;
    last_ = &request;
  }
  void push_front(Request& request) {
    if (first_ == nullptr) last_ = &request;
    request.next = first_;
    first_ = &request;
  }
  Request& pop() {
    Request& request = *first_;
    first_ = request.next;
    return request;
  }

 private:
  Request* first_ = nullptr;
  Request* last_ = nullptr;
};

/// The top of a guest's driver.
class RequestPort {
 public:
  virtual ~RequestPort() = default;
  /// Takes a request, in a context of the guest at or below DISPATCH_LEVEL.
  virtual void submit(Request& request) = 0;
};

/// A driver that is brought up before a run begins.
class Driver {
 public:
  virtual ~Driver() = default;
  /// Creates and enables its channels: in a thread of its partition, at PASSIVE_LEVEL.
  virtual void start() = 0;
  /// Closes them, likewise, when nothing is under way on them. A host's stay offered.
  virtual void stop() {}
};

/// Told when a guest's driver has its channels open and started.
class ReadyListener {
 public:
  virtual ~ReadyListener() = default;
  virtual void on_ready() = 0;
};

}  // namespace vmbsim::drivers
