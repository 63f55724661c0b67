#include "models/device/fifo_servers.hpp"

#include <algorithm>
#include <utility>

namespace vmbsim::device {

FifoServers::FifoServers(kernel::Simulation& world, std::string_view name, Config config)
    : world_(world), config_(std::move(config)), stream_(world.stream(name, "service")), actor_(world.new_actor()) {
  serving_.reserve(config_.servers);
  finishing_.reserve(config_.servers);
  set_servers(config_.servers);
}

void FifoServers::submit(Work& work) {
  VMBSIM_ASSERT(work.done != nullptr && work.size.count >= 0, "a work has a size and somebody who waits for it");
  if (config_.servers == 0 || serving_.size() < config_.servers) {
    start(work);
    count_serving(world_.now(), serving_.size());
    arm();
  } else {
    work.next = nullptr;
    (first_ == nullptr ? first_ : last_->next) = &work;
    last_ = &work;
    ++queued_;
  }
  count_submitted(work);
}

void FifoServers::start(Work& work) {
  const Duration service = work.service.count() >= 0 ? work.service : config_.service.sample(stream_);
  serving_.push_back({saturating_add(world_.now(), service), ++started_, &work});
  std::push_heap(serving_.begin(), serving_.end(), Later());
}

void FifoServers::arm() {
  if (serving_.empty() || serving_.front().finish >= armed_) return;
  if (armed_ != end_of_time) world_.cancel(timer_);
  armed_ = serving_.front().finish;
  timer_ = world_.at<&FifoServers::on_finish>(armed_, actor_, *this);
}

void FifoServers::on_finish() {
  armed_ = end_of_time;
  const SimTime now = world_.now();
  while (!serving_.empty() && serving_.front().finish <= now) {
    std::pop_heap(serving_.begin(), serving_.end(), Later());
    finishing_.push_back(serving_.back().work);
    serving_.pop_back();
  }
  while (first_ != nullptr && serving_.size() < config_.servers) {
    Work& work = *first_;
    first_ = work.next;
    --queued_;
    start(work);
  }
  count_serving(now, serving_.size());
  arm();
  for (const Work* work : finishing_) count_done(*work);
  finish_together(world_, finishing_, known());
}

}  // namespace vmbsim::device
