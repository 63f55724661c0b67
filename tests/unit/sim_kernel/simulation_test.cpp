#include "sim/kernel/simulation.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <string>
#include <vector>

namespace vmbsim::kernel {
namespace {

/// Keeps the whole log.
class Log final : public EventListener {
 public:
  void on_events(std::span<const EventRecord> page) override {
    records.insert(records.end(), page.begin(), page.end());
  }
  std::vector<EventRecord> records;
};

/// An event that does what the test says.
struct Step {
  std::function<void()> action;
  void run() { action(); }
};

SimTime at(Duration since_start) { return start_of_time + since_start; }

}  // namespace

TEST_CASE("events run by time, and at one time in the order in which they were scheduled") {
  Log log;
  Simulation world(Seed{1}, &log);
  std::string order;
  Step a{[&] { order += 'a'; }}, b{[&] { order += 'b'; }}, c{[&] { order += 'c'; }};
  Step now_first{[&] {
    order += '(';
    world.after<&Step::run>(0ns, world.new_actor(), c);  // behind what is already due at this instant
    order += ')';
  }};
  const ActorId actor = world.new_actor();
  world.at<&Step::run>(at(2us), actor, b);
  world.at<&Step::run>(at(1us), actor, now_first);
  world.at<&Step::run>(at(1us), actor, a);
  world.run_until(at(1ms));
  REQUIRE(order == "()acb");
  REQUIRE(world.events() == 4);
  world.flush_log();
  REQUIRE(log.records.size() == 4);
  REQUIRE(log.records[0].time_ns == 1000);
  REQUIRE(log.records[0].actor == actor.value);
  REQUIRE(log.records[2].actor != actor.value);
  REQUIRE(log.records[3].time_ns == 2000);
}

TEST_CASE("run_until includes its end and leaves the clock there") {
  Simulation world(Seed{1});
  int runs = 0;
  Step step{[&] { ++runs; }};
  world.at<&Step::run>(at(10us), ActorId{1}, step);
  world.at<&Step::run>(at(10001ns), ActorId{1}, step);
  world.run_until(at(10us));
  REQUIRE(runs == 1);
  REQUIRE(world.now() == at(10us));
  REQUIRE(world.pending_events() == 1);
  world.run_until(at(20us));
  REQUIRE(runs == 2);
  REQUIRE(world.now() == at(20us));
  REQUIRE(world.next_time() == end_of_time);
}

TEST_CASE("run_until does not pass its end although the event due before it was cancelled") {
  Simulation world(Seed{1});
  int runs = 0;
  Step step{[&] { ++runs; }};
  const EventHandle early = world.at<&Step::run>(at(1us), ActorId{1}, step);
  world.at<&Step::run>(at(1s), ActorId{1}, step);
  REQUIRE(world.cancel(early));
  world.run_until(at(1ms));
  REQUIRE(runs == 0);
  REQUIRE(world.now() == at(1ms));
  world.at<&Step::run>(at(2ms), ActorId{1}, step);
  world.run_until(at(3ms));
  REQUIRE(runs == 1);
}

TEST_CASE("stop ends a chain of consequences too, and the next run begins with what was left of it") {
  Simulation world(Seed{1});
  int runs = 0;
  Step step{[&] {
    if (++runs < 100) world.soon([](void* self) { static_cast<Step*>(self)->run(); }, &step);
    if (runs == 3) world.stop();
  }};
  world.at<&Step::run>(at(5us), ActorId{1}, step);
  world.run_until(at(1ms));
  REQUIRE(runs == 3);
  world.run_until(at(1ms));
  REQUIRE(runs == 100);
}

TEST_CASE("stop ends the run after the current event, and the next run goes on from there") {
  Simulation world(Seed{1});
  int runs = 0;
  Step step{[&] {
    ++runs;
    world.stop();
    REQUIRE(world.stopping());
    REQUIRE_FALSE(world.try_advance(1ns, ActorId{1}));
  }};
  world.at<&Step::run>(at(5us), ActorId{1}, step);
  world.at<&Step::run>(at(5us), ActorId{1}, step);
  world.run_until(at(1ms));
  REQUIRE(runs == 1);
  REQUIRE(world.now() == at(5us));
  world.run_until(at(1ms));
  REQUIRE(runs == 2);
  REQUIRE(world.now() == at(5us));
  world.run_until(at(1ms));
  REQUIRE(world.now() == at(1ms));
}

TEST_CASE("a handler may cancel an event of its own instant, but not itself") {
  Simulation world(Seed{1});
  int cancelled_runs = 0;
  Step victim_step{[&] { ++cancelled_runs; }};
  EventHandle self, victim;
  bool cancelled = false, cancelled_self = true;
  Step killer{[&] {
    cancelled = world.cancel(victim);
    cancelled_self = world.pending(self) || world.cancel(self);
  }};
  self = world.at<&Step::run>(at(1us), ActorId{1}, killer);
  victim = world.at<&Step::run>(at(1us), ActorId{1}, victim_step);
  world.run_until(at(2us));
  REQUIRE(cancelled);
  REQUIRE_FALSE(cancelled_self);
  REQUIRE(cancelled_runs == 0);
}

TEST_CASE("the clock moves without an event only when nothing can happen meanwhile") {
  Log log;
  Simulation world(Seed{1}, &log);
  Step nothing{[] {}};
  Step span{[&] {
    REQUIRE(world.try_advance(8us, ActorId{7}));  // to 9 us, the next event is at 10
    REQUIRE(world.now() == at(9us));
    REQUIRE_FALSE(world.try_advance(1us, ActorId{7}));  // an event due at that very instant goes first
    REQUIRE_FALSE(world.try_advance(2us, ActorId{7}));
    REQUIRE(world.now() == at(9us));
  }};
  Step limits{[&] {
    REQUIRE_FALSE(world.try_advance(100us, ActorId{7}));  // beyond the run's end
    world.set_horizon(at(20us));
    REQUIRE_FALSE(world.try_advance(10us, ActorId{7}));  // the horizon itself is out of reach
    REQUIRE(world.try_advance(9us, ActorId{7}));
    world.set_horizon(end_of_time);
    REQUIRE(world.try_advance(2us, ActorId{7}));
  }};
  world.at<&Step::run>(at(1us), ActorId{1}, span);
  world.at<&Step::run>(at(10us), ActorId{2}, limits);
  world.run_until(at(50us));
  world.flush_log();
  std::vector<std::pair<std::int64_t, std::uint32_t>> seen;  // one record each, whether an event told it or not
  for (const EventRecord& record : log.records) seen.emplace_back(record.time_ns, record.actor);
  REQUIRE(seen == std::vector<std::pair<std::int64_t, std::uint32_t>>{
                      {1000, 1}, {9000, 7}, {10'000, 2}, {19'000, 7}, {21'000, 7}});
  REQUIRE(world.events() == 5);
}

TEST_CASE("an engine that leads runs what is due at its time and what that brings at the same instant") {
  Simulation world(Seed{1});
  std::string order;
  Step second{[&] { order += '2'; }};
  Step first{[&] {
    order += '1';
    world.after<&Step::run>(0ns, ActorId{1}, second);
    world.after<&Step::run>(1ns, ActorId{1}, second);
  }};
  world.at<&Step::run>(at(3us), ActorId{1}, first);
  world.begin_run(end_of_time);
  world.run_due(at(2us));
  REQUIRE(order.empty());
  REQUIRE(world.now() == at(2us));
  world.run_due(world.next_time());
  REQUIRE(order == "12");
  REQUIRE(world.now() == at(3us));
  REQUIRE(world.next_time() == at(3001ns));
}

TEST_CASE("a delay that would overflow ends at the end of time") {
  Simulation world(Seed{1});
  Step nothing{[] {}};
  world.run_until(at(1h));
  world.after<&Step::run>(Duration::max(), ActorId{1}, nothing);
  REQUIRE(world.next_time() == end_of_time);
  REQUIRE(world.pending_events() == 1);
}

TEST_CASE("a run in which time stands still is stopped, whether by events or by their consequences") {
  const bool by_events = GENERATE(true, false);
  Simulation world(Seed{1});
  std::uint64_t ran = 0;
  Step again{[&] {
    ++ran;
    if (by_events)
      world.after<&Step::run>(0ns, ActorId{1}, again);
    else
      world.soon([](void* self) { static_cast<Step*>(self)->run(); }, &again);
  }};
  world.after<&Step::run>(5us, ActorId{1}, again);
  world.run_until(at(1s));
  CHECK(world.livelocked());
  CHECK(world.now() == at(5us));
  CHECK(ran >= Simulation::most_at_one_instant);
  CHECK(ran < Simulation::most_at_one_instant + 1000);
}

TEST_CASE("any number of events is right as long as time passes, however many share an instant") {
  Simulation world(Seed{1});
  std::uint64_t left = 2 * Simulation::most_at_one_instant;
  Step each{[&] {
    if (--left != 0) world.after<&Step::run>(left % 256 == 0 ? 1ns : 0ns, ActorId{1}, each);
  }};
  world.after<&Step::run>(0ns, ActorId{1}, each);
  world.run_until(at(1s));
  CHECK(left == 0);
  CHECK(!world.livelocked());
}

}  // namespace vmbsim::kernel
