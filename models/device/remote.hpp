#pragma once
/// A device of another machine, reached over a network: what a host sees of a disk in a storage area network.
///
///   Remote san(san_disk, {.there = switch_to_san, .back = switch_from_san});
///   san.submit(work);
///
/// Rules    A request goes there with the data that it writes; the device works; the answer comes back with the data that was
///          read. Each of the three shares with whoever else is on that way or that device, and takes its own time there.
/// Sizes    A request has 64 B, an answer 16 B, beside the data. Source: NVM Express Base Specification 2.0, submission queue
///          entry and completion queue entry, which NVMe over Fabrics carries in its capsules.
#include <memory>
#include <vector>

#include "models/device/resource.hpp"

namespace vmbsim::device {

class Remote final : public Resource {
 public:
  static constexpr Bytes request_size{64};
  static constexpr Bytes answer_size{16};
  /// The two directions of a route.
  struct Route {
    Resource& there;
    Resource& back;
  };

  Remote(Resource& device, Route route) : device_(device), route_(route) {}

  void submit(Work& work) override;
  std::uint64_t in_flight() const override { return in_flight_; }

 private:
  /// One work on its way.
  struct Journey {
    Work step;  // the part of it that is being done
    Work* work = nullptr;
    Remote* remote = nullptr;
    Journey* next = nullptr;
  };
  void go(Journey& journey, Resource& over, Operation operation, Bytes size, void (*then)(Work&));
  static void on_there(Work& step);
  static void on_served(Work& step);
  static void on_back(Work& step);

  Resource& device_;
  Route route_;
  std::vector<std::unique_ptr<Journey>> journeys_;
  Journey* free_ = nullptr;
  std::uint64_t in_flight_ = 0;
};

}  // namespace vmbsim::device
