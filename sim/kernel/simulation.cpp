#include "sim/kernel/simulation.hpp"

#include <algorithm>

namespace vmbsim::kernel {

Simulation::Simulation(Seed seed, EventListener* listener, ChoiceSource* choices)
    : choices_(choices), listener_(listener), seed_(seed) {}

/// Events of one instant are in order of scheduling unless a source says otherwise. Those of one actor keep their order.
void Simulation::choose_among_ties() {
  if (events() >= most_events_) end();
  constexpr std::uint32_t most = 4;
  const std::uint32_t answer = choose(ChoicePoint::tie, calendar_.ties(most));
  if (answer != 0) calendar_.bring_forward(answer);
}

void Simulation::run_one() {
  if (choices_ != nullptr) [[unlikely]]
    choose_among_ties();
  const Calendar::Due due = calendar_.pop();
  VMBSIM_ASSERT(due.time >= now_, "time never runs backwards");
  now_ = due.time;
  log(due.actor);
  due.handler(due.object);
  if (!soon_.empty()) run_consequences();
}

void Simulation::run_consequences() {
  std::size_t i = 0;
  std::uint64_t ran = 0;
  SimTime instant = now_;
  while (i < soon_.size()) {  // a consequence may have consequences
    if (stopping_) {          // the rest comes first when the run goes on
      soon_.erase(soon_.begin(), soon_.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
    if (now_ != instant) {
      instant = now_;
      ran = 0;
    }
    if (++ran > most_at_one_instant) {
      soon_.clear();
      return end_livelock();
    }
    const Consequence next = soon_[i++];
    if (i == soon_.size()) {  // the last one known may let time pass again
      soon_.clear();
      i = 0;
      update_limit();
    }
    next.handler(next.object);
  }
}

void Simulation::begin_run(SimTime end) {
  VMBSIM_ASSERT(!ended_, "what has ended does not go on");
  stopping_ = false;
  end_ = std::min(end, last_moment);
  if (!soon_.empty()) run_consequences();  // of what was set up before the clock ran
  update_limit();
}

void Simulation::run_until(SimTime end) {
  begin_run(end);
  while (!stopping_ && !calendar_.empty() && calendar_.next_time() <= end_) run_one();
  if (!stopping_ && end != end_of_time) now_ = end;
}

void Simulation::run_due(SimTime time) {
  VMBSIM_ASSERT(time >= now_, "time never runs backwards");
  while (!stopping_ && !calendar_.empty() && calendar_.next_time() <= time) run_one();
  if (!stopping_ && now_ < time) now_ = time;
}

void Simulation::end_livelock() {
  livelocked_ = true;
  stop();
}

/// A page at a time, so that an event costs nothing more.
void Simulation::look_for_livelock() {
  const std::int64_t last = page_.back().time_ns;
  pages_at_instant_ = page_.front().time_ns == last && page_before_ns_ == last ? pages_at_instant_ + 1 : 0;
  page_before_ns_ = last;
  if (pages_at_instant_ * page_.size() > most_at_one_instant) end_livelock();
}

void Simulation::flush_log() {
  if (noted_ != 0 && fill_ != 0) {  // what was noted after the last line belongs to it
    page_[fill_ - 1].detail += static_cast<std::uint32_t>(noted_ ^ (noted_ >> 32));
    noted_ = 0;
  }
  events_ += fill_;
  if (listener_ != nullptr && fill_ != 0) listener_->on_events({page_.data(), fill_});
  fill_ = 0;
}

}  // namespace vmbsim::kernel
