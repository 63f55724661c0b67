#pragma once
/// The simulation: one clock, one calendar, one door for chance and one for choice.
///
///   Simulation world(Seed{42});
///   world.after(5us, actor, &on_timer, &device);
///   world.run_until(SimTime{1s});
///
/// Order of events: by time, then by order of scheduling; where the real machine promises no order, a ChoicePoint decides.
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "sim/kernel/calendar.hpp"
#include "sim/kernel/choice.hpp"
#include "sim/kernel/random.hpp"
#include "vmbsim/assert.hpp"
#include "vmbsim/ids.hpp"
#include "vmbsim/time.hpp"

namespace vmbsim::kernel {

/// One line of the run's log: who acted when. Sixteen bytes without padding, so that a page of them can be digested.
struct EventRecord {
  std::int64_t time_ns;
  std::uint32_t actor;
  std::uint32_t detail;  ///< of what was noted since the line before; 0: nothing
};

/// Reads the run's log, a page at a time and in order. The kernel does not know what for (a fingerprint, a trace).
class EventListener {
 public:
  virtual ~EventListener() = default;
  virtual void on_events(std::span<const EventRecord> page) = 0;
};

class Simulation {
 public:
  explicit Simulation(Seed seed, EventListener* listener = nullptr, ChoiceSource* choices = nullptr);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  SimTime now() const { return now_; }
  Seed seed() const { return seed_; }
  Stream stream(std::string_view component, std::string_view purpose) const { return {seed_, component, purpose}; }
  ActorId new_actor() { return ActorId{++actors_}; }

  /// Schedules an event. `time` must not lie in the past.
  EventHandle at(SimTime time, ActorId actor, Handler handler, void* object) {
    VMBSIM_ASSERT(time >= now_, "an event is never scheduled in the past");
    return calendar_.schedule(time, actor, handler, object);
  }
  EventHandle after(Duration delay, ActorId actor, Handler handler, void* object) {
    return at(saturating_add(now_, delay), actor, handler, object);
  }
  /// The same for a member function: `world.after<&Disk::on_done>(5us, actor, disk)`.
  template <auto Member, class T>
  EventHandle at(SimTime time, ActorId actor, T& object) {
    return at(
        time, actor, [](void* self) { (static_cast<T*>(self)->*Member)(); }, &object);
  }
  template <auto Member, class T>
  EventHandle after(Duration delay, ActorId actor, T& object) {
    return at<Member>(saturating_add(now_, delay), actor, object);
  }
  bool cancel(EventHandle handle) { return calendar_.cancel(handle); }
  bool pending(EventHandle handle) const { return calendar_.pending(handle); }

  /// Runs `handler` right after the current event's handler returns, at the same instant and before any other event: for the
  /// consequences of an event that must not happen in the middle of it.
  void soon(Handler handler, void* object) {
    soon_.push_back({handler, object});
    limit_ = now_;
  }

  /// Moves the clock by `span` without visiting the calendar, when nothing could happen meanwhile: no event is due up to
  /// and including now + span, and the run's limit and the horizon lie beyond it. Logs it as an event of `actor`.
  bool try_advance(Duration span, ActorId actor) {
    const SimTime target = now_ + span;
    if (target >= limit_ || target >= calendar_.next_time()) return false;
    now_ = target;
    log(actor);
    return true;
  }

  /// An outside engine that may complete something at an unknown time sets the horizon: try_advance stays below it.
  void set_horizon(SimTime horizon) {
    horizon_ = horizon;
    update_limit();
  }

  /// n answers, 0 the default. Free when there is nothing to choose.
  std::uint32_t choose(ChoicePoint point, std::uint32_t alternatives, std::uint32_t actor = 0,
                       std::uint32_t object = 0) {
    if (alternatives < 2 || choices_ == nullptr) return 0;
    const std::uint32_t answer =
        choices_->choose({.point = point, .alternatives = alternatives, .actor = actor, .object = object});
    VMBSIM_ASSERT(answer < alternatives, "a choice source answers below the number of alternatives");
    if (answer != 0) note(answer);  // a run without deviations is the plain one
    return answer;
  }

  /// Says what must not differ between two runs that count as equal, beside who acted when: a packet's bytes, a status. It goes
  /// with the next line of the log, in the order of the calls.
  void note(std::uint64_t value) { noted_ = (noted_ ^ value) * 0x9e3779b97f4a7c15u + 1; }

  /// Writes one line to the run's log at the current time.
  void log(ActorId actor) {
    page_[fill_++] = {nanoseconds(now_), actor.value, static_cast<std::uint32_t>(noted_ ^ (noted_ >> 32))};
    noted_ = 0;
    if (fill_ < page_.size()) return;
    look_for_livelock();
    flush_log();
  }

  /// Runs every event up to and including `end`, none after `last_moment`; the clock then stands at `end` unless stop() was
  /// called or `end` is end_of_time.
  void run_until(SimTime end);
  /// Ends run_until after the current event or consequence; consequences that are left come first when the run goes on. The
  /// clock stays where it is.
  void stop() {
    stopping_ = true;
    limit_ = now_;
  }
  bool stopping() const { return stopping_; }
  /// stop(), for good: nothing goes on, not even the context that executes. It leaves where it would pass time next, be it
  /// none, so that no more happens at this instant either.
  void end() {
    stop();
    ended_ = true;
  }
  bool ended() const { return ended_; }
  /// Where answers come from a source the run ends, for good, once it has had so many events: it may never come to rest.
  void limit_events(std::uint64_t most) { most_events_ = most; }
  /// What comes after the end: a machine that is shut down in order, for example. The log is told nothing that counts.
  void go_on_after_end() { ended_ = false; }

  /// Events, or consequences of one, at one instant after which a run is taken for one that never lets time pass, and stopped.
  static constexpr std::uint64_t most_at_one_instant = 4'000'000;
  bool livelocked() const { return livelocked_; }
  /// Ends the run as one that never lets time pass: for whoever counts steps that are no events.
  void end_livelock();

  /// For an outside engine that leads: time of the next event, and running what is due at `time` (and what that brings at
  /// the same instant). The clock moves to `time`.
  SimTime next_time() const { return calendar_.next_time(); }
  void run_due(SimTime time);
  /// Before the first run_due of a run that ends at `end`: what run_until(end) does before its first event.
  void begin_run(SimTime end);

  std::uint64_t events() const { return events_ + fill_; }  ///< calendar events run and spans passed without one
  std::uint64_t pending_events() const { return calendar_.size(); }
  /// Hands the partly filled page to the listener. Call once, at the end.
  void flush_log();

 private:
  struct Consequence {
    Handler handler;
    void* object;
  };

  void run_one();
  void choose_among_ties();
  void run_consequences();
  void look_for_livelock();
  void update_limit() { limit_ = stopping_ || !soon_.empty() ? now_ : end_ < horizon_ ? end_ : horizon_; }

  SimTime now_{};
  SimTime limit_ = end_of_time;  // try_advance stays below
  SimTime end_ = end_of_time;
  SimTime horizon_ = end_of_time;
  Calendar calendar_;
  ChoiceSource* choices_;
  EventListener* listener_;
  std::vector<Consequence> soon_;
  std::uint64_t events_ = 0;
  std::uint64_t most_events_ = ~std::uint64_t{0};
  std::uint64_t pages_at_instant_ = 0;  // full pages of the log in a row that lie within one instant
  std::int64_t page_before_ns_ = -1;    // the last time in the page before
  std::uint64_t noted_ = 0;             // since the last line
  std::uint32_t fill_ = 0;
  std::uint32_t actors_ = 0;
  bool stopping_ = false;
  bool ended_ = false;
  bool livelocked_ = false;
  Seed seed_;
  std::array<EventRecord, 256> page_;
};

}  // namespace vmbsim::kernel
