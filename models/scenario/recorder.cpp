#include "models/scenario/recorder.hpp"

namespace vmbsim::scenario {

void Recorder::returned(const vmbus::Journey& journey) {
  ++completed_;
  if (config_.timeline != nullptr) [[unlikely]]
    config_.timeline->on_returned(config_.channel, journey);
  if (!measuring_) return;
  if (config_.interval.count() != 0) {
    close_intervals(config_.world.now());
    interval_latency_.add(journey.latency());
  }
  latency_.add(journey.latency());
  if (seen_.observed(latency_, config_.world.now())) [[unlikely]]
    look_at_precision();
  data_ += journey.data;
  for (std::size_t i = 0; i < stage_count; ++i) {
    const Duration stage = journey.stage(i);
    VMBSIM_ASSERT(stage.count() >= 0, "no stage of a journey ends before it began");
    stage_sum_ns_[i] += static_cast<Wide>(stage.count());
  }
  if (config_.packets && config_.rows.take(config_.world)) {
    PacketRow row{.channel = config_.channel, .submitted = journey.submitted, .stages = {}};
    for (std::size_t i = 0; i < stage_count; ++i) row.stages[i] = journey.stage(i);
    packets.push_back(row);
  }
  config_.limit.completed(config_.world);
}

void Recorder::start_measuring() {
  measuring_ = true;
  seen_.start(config_.world.now());
  interval_end_ = config_.world.now() + config_.interval;
}

void Recorder::look_at_precision() {
  if (stopping_ && stopping_->enough(seen_, latency_)) config_.world.end();
}

void Recorder::close_intervals(SimTime until) {
  for (; interval_end_ <= until; interval_end_ += config_.interval) {
    if (!config_.rows.take(config_.world)) return;
    intervals.push_back({.end = interval_end_,
                         .channel = config_.channel,
                         .completed = interval_latency_.count(),
                         .latency_mean_ns = interval_latency_.mean_ns(),
                         .latency_p99 = interval_latency_.quantile(99, 100)});
    interval_latency_.clear();
  }
}

void Recorder::finish() {
  if (!measuring_ || config_.interval.count() == 0) return;
  close_intervals(config_.world.now());
  if (interval_latency_.count() == 0 || !config_.rows.take(config_.world)) return;
  intervals.push_back({.end = config_.world.now(),
                       .channel = config_.channel,
                       .completed = interval_latency_.count(),
                       .latency_mean_ns = interval_latency_.mean_ns(),
                       .latency_p99 = interval_latency_.quantile(99, 100)});
}

void Recorder::report(ChannelResult& result, Duration measured) const {
  result.sent = sent_;
  result.completed = completed_;
  result.outstanding = outstanding();
  result.measured = latency_.count();
  result.latency = latency_;
  result.beginning = seen_.beginning();
  result.intervals = seen_.intervals(latency_, measured, interval_confidence);
  result.stage_sum_ns = stage_sum_ns_;
  const double seconds = static_cast<double>(measured.count()) / 1e9;
  const auto rate = [&](double count) { return measured.count() == 0 ? nothing_measured : count / seconds; };
  result.throughput_per_s = rate(static_cast<double>(latency_.count()));
  result.bytes_per_s = rate(static_cast<double>(data_.count));
}

}  // namespace vmbsim::scenario
