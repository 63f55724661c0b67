#pragma once
/// Clients of a resource that remember when their works were done.
#include <deque>
#include <utility>
#include <vector>

#include "models/device/resource.hpp"

namespace vmbsim::device {

/// Submits works at given times and notes (label, time) of every completion, in order.
class Clients {
 public:
  using Log = std::vector<std::pair<int, std::int64_t>>;

  Clients(kernel::Simulation& world, Resource& resource)
      : world_(world), resource_(resource), actor_(world.new_actor()) {}

  void submit_at(Duration time, int label, Bytes size, Duration service = Duration{-1},
                 Operation operation = Operation::read) {
    Request& request = requests_.emplace_back(Request{*this, label, {}});
    request.work.operation = operation;
    request.work.size = size;
    request.work.service = service;
    request.work.owner = &request;
    request.work.done = [](Work& work) {
      auto& done = *static_cast<Request*>(work.owner);
      done.clients.log_.emplace_back(done.label, nanoseconds(done.clients.world_.now()));
    };
    world_.at(
        SimTime{time}, actor_,
        [](void* object) {
          auto& due = *static_cast<Request*>(object);
          due.clients.resource_.submit(due.work);
        },
        &request);
  }
  const Log& log() const { return log_; }

 private:
  struct Request {
    Clients& clients;
    int label;
    Work work;
  };
  kernel::Simulation& world_;
  Resource& resource_;
  ActorId actor_;
  std::deque<Request> requests_;
  Log log_;
};

/// A closed loop: `depth` works, each submitted again from inside its own `done`, `operations` in all.
class ClosedLoop {
 public:
  ClosedLoop(kernel::Simulation& world, Resource& resource, std::uint32_t depth, std::uint64_t operations, Bytes size)
      : world_(world), resource_(resource), left_(operations), works_(depth) {
    for (Work& work : works_) {
      work.size = size;
      work.owner = this;
      work.done = [](Work& done) { static_cast<ClosedLoop*>(done.owner)->next(done); };
    }
  }
  void start() {
    for (Work& work : works_) next(work);
  }
  SimTime last() const { return last_; }
  std::vector<Work>& works() { return works_; }

 private:
  void next(Work& work) {
    last_ = world_.now();
    if (left_ == 0) return;
    --left_;
    resource_.submit(work);
  }
  kernel::Simulation& world_;
  Resource& resource_;
  std::uint64_t left_;
  std::vector<Work> works_;
  SimTime last_{};
};

}  // namespace vmbsim::device
