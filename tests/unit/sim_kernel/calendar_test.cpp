#include "sim/kernel/calendar.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <map>
#include <new>
#include <random>
#include <string>
#include <utility>
#include <vector>

// ---- Every allocation of this program is counted -----------------------------------------------------------------------

namespace {
std::size_t allocations = 0;      // calls so far
std::size_t allocated_bytes = 0;  // asked for so far, whether or not given back
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  allocated_bytes += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  allocated_bytes += size;
  const auto align = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace vmbsim::kernel {
namespace {

void nothing(void*) {}

SimTime at(std::int64_t ns) { return SimTime{Duration{ns}}; }

/// The calendar beside a model that cannot be wrong: a map ordered by time and by order of scheduling.
class Shadowed {
 public:
  explicit Shadowed(std::uint64_t seed) : random_(seed) {}

  std::int64_t now() const { return now_; }
  bool empty() const { return model_.empty(); }
  std::uint64_t draw() { return random_(); }

  void schedule(std::int64_t ns) {
    const EventHandle handle = calendar_.schedule(at(ns), ActorId{sequence_}, &nothing, this);
    model_.emplace(std::pair{ns, sequence_}, handle);
    handles_.push_back({handle, {ns, sequence_}});
    ++sequence_;
    compare();
  }
  /// Cancels a handle of the past or the present, whichever the draw hits.
  void cancel_any() {
    if (handles_.empty()) return;
    const std::size_t i = draw() % handles_.size();
    cancel(handles_[i].first, handles_[i].second);
    handles_[i] = handles_.back();
    if (draw() % 4 != 0) handles_.pop_back();  // now and then a used-up handle stays and is cancelled again
  }
  void cancel_next() {
    if (!model_.empty()) cancel(model_.begin()->second, model_.begin()->first);
  }
  void cancel_last() {
    if (!model_.empty()) cancel(model_.rbegin()->second, model_.rbegin()->first);
  }
  void pop() {
    const Calendar::Due due = calendar_.pop();
    const auto first = model_.begin();
    REQUIRE(nanoseconds(due.time) == first->first.first);
    REQUIRE(due.actor.value == first->first.second);
    REQUIRE(due.object == this);
    REQUIRE(due.handler == &nothing);
    REQUIRE_FALSE(calendar_.pending(first->second));
    now_ = first->first.first;
    model_.erase(first);
    compare();
  }

 private:
  using Key = std::pair<std::int64_t, std::uint32_t>;

  void cancel(EventHandle handle, Key key) {
    const bool pending = model_.erase(key) != 0;
    REQUIRE(calendar_.pending(handle) == pending);
    REQUIRE(calendar_.cancel(handle) == pending);
    REQUIRE_FALSE(calendar_.pending(handle));
    compare();
  }
  void compare() const {
    REQUIRE(calendar_.size() == model_.size());
    REQUIRE(calendar_.empty() == model_.empty());
    REQUIRE(calendar_.next_time() == (model_.empty() ? end_of_time : at(model_.begin()->first.first)));
  }

  Calendar calendar_;
  std::map<Key, EventHandle> model_;
  std::vector<std::pair<EventHandle, Key>> handles_;
  std::mt19937_64 random_;
  std::int64_t now_ = 0;
  std::uint32_t sequence_ = 0;
};

/// How far ahead events are scheduled.
enum class Shape { zero, equal, short_spread, cluster, microsecond, bimodal, every_magnitude, huge };

std::int64_t delay(Shape shape, std::uint64_t draw) {
  const auto below = [](std::uint64_t number, std::int64_t bound) {
    return static_cast<std::int64_t>(number % static_cast<std::uint64_t>(bound));
  };
  switch (shape) {
    case Shape::zero: return 0;
    case Shape::equal: return 4096;
    case Shape::short_spread: return below(draw, 3);
    case Shape::cluster: return 1'000'000 * below(draw >> 32, 4) + below(draw, 8);
    case Shape::microsecond: return below(draw, 1000);
    case Shape::bimodal: return draw % 2 == 0 ? 1'000 : 1'000'000'000 + below(draw >> 8, 64);
    case Shape::every_magnitude: return static_cast<std::int64_t>((draw >> 6) >> (draw % 58));
    case Shape::huge: return below(draw, 1'000'000'000'000'000'000);
  }
  return 0;
}

constexpr std::int64_t latest = 8'000'000'000'000'000'000;  // leaves room for any delay

}  // namespace

TEST_CASE("events come in order of time, and at one time in order of scheduling, whatever is cancelled meanwhile") {
  const auto shape = GENERATE(Shape::zero, Shape::equal, Shape::short_spread, Shape::cluster, Shape::microsecond,
                              Shape::bimodal, Shape::every_magnitude, Shape::huge);
  const std::uint64_t population = GENERATE(as<std::uint64_t>{}, 3, 40, 100, 300, 3000);
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Shadowed calendar(seed * 1000 + population);
    const std::uint64_t cancels = seed % 3;  // in eighths of all operations
    const auto schedule_one = [&] {
      const Shape now_and_then = calendar.draw() % 16 == 0 ? Shape::every_magnitude : shape;
      std::int64_t ns = calendar.now() + delay(shape == Shape::bimodal ? shape : now_and_then, calendar.draw());
      calendar.schedule(ns < calendar.now() || ns > latest ? calendar.now() : ns);
    };
    for (std::uint64_t i = 0; i != population; ++i) schedule_one();
    for (int operation = 0; operation != 3000; ++operation) {
      const std::uint64_t draw = calendar.draw() % 16;
      if (draw < 2 * cancels) {
        switch (calendar.draw() % 8) {
          case 0: calendar.cancel_next(); break;
          case 1: calendar.cancel_last(); break;
          default: calendar.cancel_any();
        }
      } else if (draw < 12 && !calendar.empty()) {
        calendar.pop();
        schedule_one();
        if (draw == 11 && !calendar.empty()) calendar.pop();
      } else {
        schedule_one();
      }
    }
    while (!calendar.empty()) calendar.pop();
  }
}

TEST_CASE("events of one instant keep their order even when they were scheduled from far and from near") {
  Calendar calendar;
  const std::int64_t instant = 123'456'789'012;
  std::uint32_t next = 0;
  const auto add = [&](int count) {
    for (int i = 0; i != count; ++i) calendar.schedule(at(instant), ActorId{next++}, &nothing, nullptr);
  };
  add(500);
  for (std::int64_t left = instant; left > 0; left /= 3) {  // ever nearer, each step opening smaller buckets
    calendar.schedule(at(instant - left), ActorId{~0u}, &nothing, nullptr);
    REQUIRE(calendar.pop().time == at(instant - left));
    add(static_cast<int>(left % 150));
  }
  for (std::uint32_t expected = 0; expected != next; ++expected) {
    const Calendar::Due due = calendar.pop();
    REQUIRE(due.time == at(instant));
    REQUIRE(due.actor.value == expected);
    if (expected % 7 == 0 && next < 20'000) add(1);  // and from the instant itself
  }
  REQUIRE(calendar.empty());
}

TEST_CASE("a handle names its event until it has run or was cancelled, and never another") {
  Calendar calendar;
  REQUIRE_FALSE(calendar.cancel(EventHandle{}));
  REQUIRE_FALSE(calendar.pending(EventHandle{}));
  REQUIRE_FALSE(calendar.cancel(EventHandle{12'345'678, 1}));

  const EventHandle first = calendar.schedule(at(10), ActorId{1}, &nothing, nullptr);
  const EventHandle second = calendar.schedule(at(20), ActorId{2}, &nothing, nullptr);
  REQUIRE(calendar.pending(first));
  REQUIRE(calendar.cancel(first));
  REQUIRE_FALSE(calendar.cancel(first));
  REQUIRE_FALSE(calendar.pending(first));
  REQUIRE(calendar.next_time() == at(20));

  const EventHandle third = calendar.schedule(at(15), ActorId{3}, &nothing, nullptr);
  REQUIRE(third.slot == first.slot);  // the slot is used again
  REQUIRE_FALSE(calendar.pending(first));
  REQUIRE_FALSE(calendar.cancel(first));
  REQUIRE(calendar.pop().actor == ActorId{3});
  REQUIRE_FALSE(calendar.cancel(third));
  REQUIRE(calendar.pending(second));
  REQUIRE(calendar.pop().actor == ActorId{2});
  REQUIRE_FALSE(calendar.cancel(second));
}

TEST_CASE("an empty calendar has nothing before the end of time, where an event may still stand") {
  Calendar calendar;
  REQUIRE(calendar.empty());
  REQUIRE(calendar.next_time() == end_of_time);
  const EventHandle last = calendar.schedule(end_of_time, ActorId{1}, &nothing, nullptr);
  REQUIRE(calendar.size() == 1);
  REQUIRE(calendar.next_time() == end_of_time);
  REQUIRE(calendar.cancel(last));
  REQUIRE(calendar.empty());
  calendar.schedule(end_of_time, ActorId{2}, &nothing, nullptr);
  calendar.schedule(at(0), ActorId{3}, &nothing, nullptr);
  REQUIRE(calendar.pop().actor == ActorId{3});
  REQUIRE(calendar.pop().actor == ActorId{2});
}

TEST_CASE("the next time stays exact while the next event is cancelled over and over") {
  const bool all_at_once = GENERATE(true, false);
  Calendar calendar;
  std::vector<std::pair<std::int64_t, EventHandle>> events;
  for (std::int64_t i = 0; i != 50'000; ++i) {
    const std::int64_t ns = 1'000'000'000'000 + (all_at_once ? 0 : i * 5);
    events.emplace_back(ns, calendar.schedule(at(ns), ActorId{0}, &nothing, nullptr));
  }
  bool exact = true;
  for (const auto& [ns, handle] : events) {
    exact = exact && calendar.next_time() == at(ns);
    calendar.cancel(handle);
  }
  REQUIRE(exact);
  REQUIRE(calendar.empty());
  REQUIRE(calendar.next_time() == end_of_time);
}

TEST_CASE("a steady population allocates nothing") {
  const std::size_t population = GENERATE(as<std::size_t>{}, 1, 30, 100, 10'000);
  const std::int64_t longest = GENERATE(1'000, 2'000'000);
  Calendar calendar;
  std::mt19937_64 random(7);
  std::vector<EventHandle> timeouts(population);
  const auto gap = [&] { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(longest)); };
  for (EventHandle& timeout : timeouts) {
    calendar.schedule(at(gap()), ActorId{1}, &nothing, nullptr);
    timeout = calendar.schedule(at(10 * longest), ActorId{2}, &nothing, nullptr);
  }
  const auto run = [&](std::size_t events) {
    for (std::size_t i = 0; i != events; ++i) {
      const std::int64_t now = nanoseconds(calendar.pop().time);
      calendar.schedule(at(now + gap()), ActorId{1}, &nothing, nullptr);
      EventHandle& timeout = timeouts[i % timeouts.size()];
      calendar.cancel(timeout);
      timeout = calendar.schedule(at(now + 10 * longest), ActorId{2}, &nothing, nullptr);
    }
  };
  run(20 * population + 10'000);
  const std::size_t before = allocations;
  run(20 * population + 10'000);
  REQUIRE(allocations == before);
}

TEST_CASE("a million pending events take at most 64 bytes each") {
  constexpr std::size_t million = 1'000'000;
  const std::size_t before = allocated_bytes;
  const auto calendar = std::make_unique<Calendar>();
  std::mt19937_64 random(7);
  for (std::size_t i = 0; i != million; ++i)
    calendar->schedule(at(static_cast<std::int64_t>(random() % 2'000'000)), ActorId{1}, &nothing, nullptr);
  for (std::size_t i = 0; i != 2 * million; ++i) {
    const std::int64_t now = nanoseconds(calendar->pop().time);
    calendar->schedule(at(now + static_cast<std::int64_t>(random() % 2'000'000)), ActorId{1}, &nothing, nullptr);
  }
  REQUIRE(calendar->size() == million);
  REQUIRE(allocated_bytes - before <= 64 * million);  // everything ever asked for, so an upper bound
}

}  // namespace vmbsim::kernel
