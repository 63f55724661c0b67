#include "models/device/remote.hpp"

namespace vmbsim::device {

void Remote::submit(Work& work) {
  VMBSIM_ASSERT(work.done != nullptr && work.size.count >= 0, "a work has a size and somebody who waits for it");
  if (free_ == nullptr) {
    journeys_.push_back(std::make_unique<Journey>());
    free_ = journeys_.back().get();
    free_->remote = this;
  }
  Journey& journey = *free_;
  free_ = journey.next;
  journey.work = &work;
  journey.step.owner = &journey;
  ++in_flight_;
  count_submitted(work);
  const Bytes written = work.operation == Operation::write ? work.size : Bytes{0};
  go(journey, route_.there, Operation::write, request_size + written, on_there);
}

void Remote::go(Journey& journey, Resource& over, Operation operation, Bytes size, void (*then)(Work&)) {
  journey.step.operation = operation;
  journey.step.size = size;
  journey.step.service = &over == &device_ ? journey.work->service : Duration{-1};
  journey.step.done = then;
  over.submit(journey.step);
}

void Remote::on_there(Work& step) {
  auto& journey = *static_cast<Journey*>(step.owner);
  journey.remote->go(journey, journey.remote->device_, journey.work->operation, journey.work->size, on_served);
}

void Remote::on_served(Work& step) {
  auto& journey = *static_cast<Journey*>(step.owner);
  const Bytes read = journey.work->operation == Operation::read ? journey.work->size : Bytes{0};
  journey.remote->go(journey, journey.remote->route_.back, Operation::write, answer_size + read, on_back);
}

void Remote::on_back(Work& step) {
  auto& journey = *static_cast<Journey*>(step.owner);
  Remote& self = *journey.remote;
  Work& work = *journey.work;
  journey.next = self.free_;
  self.free_ = &journey;
  --self.in_flight_;
  self.count_done(work);
  work.done(work);
}

}  // namespace vmbsim::device
