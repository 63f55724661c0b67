#include "models/device/processor_sharing.hpp"

#include <algorithm>

namespace vmbsim::device {
namespace {
constexpr Wide nano_bytes_per_byte = 1'000'000'000;  // capacity in B/s is capacity in nano-bytes per nanosecond
}

ProcessorSharing::ProcessorSharing(kernel::Simulation& world, Config config)
    : world_(world), config_(config), actor_(world.new_actor()) {
  VMBSIM_ASSERT(config.bytes_per_second > 0 && config.latency.count() >= 0, "a shared capacity is positive");
  set_servers(1);
}

void ProcessorSharing::submit(Work& work) {
  VMBSIM_ASSERT(work.done != nullptr && work.size.count >= 0, "a work has a size and somebody who waits for it");
  if (config_.latency.count() == 0) {
    enter(work, ++submitted_);
    arm_finish();
  } else {
    waiting_.push_back({saturating_add(world_.now(), config_.latency), ++submitted_, &work});
    std::push_heap(waiting_.begin(), waiting_.end(), later);
    arm_latency();
  }
  count_submitted(work);
}

void ProcessorSharing::enter(Work& work, std::uint64_t order) {
  advance();
  sharing_.push_back({attained_ + static_cast<Wide>(work.size.count) * nano_bytes_per_byte, order, &work});
  std::push_heap(sharing_.begin(), sharing_.end(), needs_more);
  count_serving(world_.now(), 1);
}

void ProcessorSharing::advance() {
  const SimTime now = world_.now();
  if (sharing_.empty()) {
    attained_ = 0;
    if (now != at_) carry_ = 0;  // a work that comes as the last one goes continues the busy period
  } else {
    const Wide pool = carry_ + static_cast<Wide>(config_.bytes_per_second) * static_cast<Wide>((now - at_).count());
    attained_ += pool / sharing_.size();
    carry_ = pool % sharing_.size();
  }
  at_ = now;
}

void ProcessorSharing::arm_latency() {
  if (waiting_.empty() || waiting_.front().until >= latency_armed_) return;
  latency_armed_ = waiting_.front().until;  // the latency is one for all, so the first to come is the first to leave
  latency_timer_ = world_.at<&ProcessorSharing::on_latency_over>(latency_armed_, actor_, *this);
}

void ProcessorSharing::on_latency_over() {
  latency_armed_ = end_of_time;
  while (!waiting_.empty() && waiting_.front().until <= world_.now()) {
    std::pop_heap(waiting_.begin(), waiting_.end(), later);
    enter(*waiting_.back().work, waiting_.back().order);
    waiting_.pop_back();
  }
  arm_latency();
  arm_finish();
}

void ProcessorSharing::arm_finish() {
  SimTime due = end_of_time;
  if (!sharing_.empty()) {
    const Wide each = sharing_.front().finish > attained_ ? sharing_.front().finish - attained_ : 0;
    const Wide needed = each * sharing_.size();
    const Wide capacity = static_cast<Wide>(config_.bytes_per_second);
    const Wide wait = needed > carry_ ? (needed - carry_ + capacity - 1) / capacity : 0;
    const Wide limit = static_cast<Wide>((end_of_time - at_).count());
    due = at_ + Duration{static_cast<std::int64_t>(std::min(wait, limit))};
  }
  if (due == finish_armed_) return;
  if (finish_armed_ != end_of_time) world_.cancel(finish_timer_);
  finish_armed_ = due;
  if (due != end_of_time) finish_timer_ = world_.at<&ProcessorSharing::on_finish>(due, actor_, *this);
}

void ProcessorSharing::on_finish() {
  finish_armed_ = end_of_time;
  advance();
  while (!sharing_.empty() && sharing_.front().finish <= attained_) {
    std::pop_heap(sharing_.begin(), sharing_.end(), needs_more);
    const Sharing finished = sharing_.back();
    sharing_.pop_back();
    carry_ += attained_ - finished.finish;  // it did not need all of its last nanosecond
    finished_.push_back(finished);
    if (!sharing_.empty() && sharing_.front().finish > attained_) advance();  // hands the carry to those that go on
  }
  std::sort(finished_.begin(), finished_.end(), [](const Sharing& a, const Sharing& b) { return a.order < b.order; });
  for (const Sharing& finished : finished_) {
    count_done(*finished.work);
    finishing_.push_back(finished.work);
  }
  finished_.clear();
  count_serving(world_.now(), sharing_.empty() ? 0 : 1);
  arm_finish();
  finish_together(world_, finishing_, known());
}

}  // namespace vmbsim::device
