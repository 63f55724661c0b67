// What a hunt looks for: each oracle has a mutant that it catches in some order, and a twin that it lets pass in all of them.
#include <catch2/catch.hpp>
#include <mutex>

#include "tests/support/harness_case.hpp"

using namespace vmbsim;
using namespace vmbsim::hunt;
using testing::all_orders;
using testing::MemoryModel;
using testing::Seen;

namespace {

template <bool same_order>
void two_locks() {
  struct Locks {
    Mutex a{"a"}, b{"b"};
  };
  auto& locks = make<Locks>();
  thread("first", [&] {
    locks.a.lock();
    locks.b.lock();
    locks.b.unlock();
    locks.a.unlock();
  });
  thread("second", [&] {
    Mutex& outer = same_order ? locks.a : locks.b;
    Mutex& inner = same_order ? locks.b : locks.a;
    outer.lock();
    inner.lock();
    inner.unlock();
    outer.unlock();
  });
}

template <bool under_lock>
void sleeper() {
  struct Room {
    Mutex mutex{"mutex"};
    ConditionVariable door{"door"};
    Shared<bool> open{"open"};
  };
  auto& room = make<Room>();
  thread("sleeper", [&] {
    if (under_lock) room.mutex.lock();
    const bool open = room.open.load();
    if (!under_lock) room.mutex.lock();
    if (!open) room.door.wait(room.mutex);
    room.mutex.unlock();
  });
  thread("waker", [&] {
    room.mutex.lock();
    room.open.store(true);
    room.door.notify_one();
    room.mutex.unlock();
  });
}

template <bool ordered>
void publish() {
  struct Letter {
    Data<int> text{"text"};
    Shared<int> sent{"sent"};
  };
  auto& letter = make<Letter>();
  thread("writer", [&] {
    letter.text.write(7);
    letter.sent.store(1, ordered ? Order(release) : relaxed);
  });
  thread("reader", [&] {
    if (letter.sent.load(ordered ? acquire : relaxed) == 1) check(letter.text.read() == 7, "it has arrived");
  });
}

template <bool fenced>
void doorbell() {
  struct Ring {
    Shared<int> in{"in"}, mask{"mask", 1};
    Event door{"door", Event::synchronization};
  };
  auto& ring = make<Ring>();
  thread("producer", [&] {
    ring.in.store(1, relaxed);
    if (fenced) fence();
    if (ring.mask.load(relaxed) == 0) ring.door.set();
  });
  thread("consumer", [&] {
    ring.mask.store(0, relaxed);
    fence();
    if (ring.in.load(acquire) == 0) ring.door.wait();
  });
}

struct Node {
  Shared<int> value{"value"};
};

template <bool waits>
void freeing() {
  struct Place {
    Node* node = allocate<Node>("node");
    Event done{"done", Event::notification};
  };
  auto& place = make<Place>();
  thread("user", [&] {
    place.node->value.store(1);
    place.done.set();
  });
  thread("freer", [&] {
    if (waits) place.done.wait();
    release(place.node);
  });
}

template <int releases>
void leaving() {
  thread("taker", [] {
    Node* node = allocate<Node>("node");
    for (int i = 0; i < releases; ++i) release(node);
  });
}

template <bool raises>
void shared_with_isr() {
  struct Device {
    SpinLock lock{"lock"};
    Interrupt line{"line", 0, Irql::device, [this] {
                     lock.acquire_at_dpc_level();
                     lock.release_from_dpc_level();
                   }};
    InterruptSpinLock synchronised{line, "synchronised"};
  };
  auto& device = make<Device>();
  thread("driver",
         [&] {
           if (raises) {
             const Irql before = raise_irql(Irql::device);
             device.lock.acquire_at_dpc_level();
             device.lock.release_from_dpc_level();
             lower_irql(before);
           } else {
             device.lock.acquire();
             device.lock.release();
           }
         },
         {.cpu = 0});
  thread("hardware", [&] { device.line.request(); });
}

template <bool by_event>
void crossed_in_turn() {
  auto& a = make<Mutex>("a");
  auto& b = make<Mutex>("b");
  auto& word = make<Shared<int>>("done");
  auto& event = make<Event>("done too", Event::notification);
  thread("first", [&] {
    const std::scoped_lock both{a};
    const std::scoped_lock inner{b};
    by_event ? static_cast<void>(event.set()) : word.store(1);
  });
  thread("second", [&] {
    by_event ? event.wait() : static_cast<void>(word.await([](int done) { return done == 1; }));
    const std::scoped_lock both{b};
    const std::scoped_lock inner{a};
  });
}

template <bool polite>
void spinning() {
  auto& flag = make<Shared<int>>("flag");
  thread("spinner", [&] {
    while (flag.load() == 0) yield();
  });
  thread("setter", [&] {
    if (polite) flag.store(1);
  });
}

}  // namespace

TEST_CASE("contexts that wait for each other are a deadlock, and one order of locks has none") {
  const Seen ring = all_orders(&two_locks<false>);
  CHECK(ring.found() == "DEADLOCK, LOCK_ORDER");
  CHECK(all_orders(&two_locks<true>).found() == "");
}

TEST_CASE("that locks are crossed one after the other is seen by an event, and asked for where a word does it") {
  CHECK(all_orders(&crossed_in_turn<true>).found() == "");
  const Seen by_word = all_orders(&crossed_in_turn<false>);
  CHECK(by_word.found() == "LOCK_ORDER");
  CHECK(by_word.text.find("let an Event or a join tell it") != std::string::npos);
}

TEST_CASE("a flag that is tested outside of the lock loses a wake-up") {
  const Seen lost = all_orders(&sleeper<false>);
  CHECK(lost.found() == "LOST_WAKEUP");
  CHECK(lost.text == "sleeper waits for door, and nobody is left who could let it go on");
  CHECK(all_orders(&sleeper<true>).found() == "");
}

TEST_CASE("two accesses that nothing orders are a data race") {
  const Seen race = all_orders(&publish<false>);
  CHECK(race.found() == "RACE");
  CHECK(race.text.find("nothing orders two accesses to text: writer wrote it in line ") == 0);
  CHECK(all_orders(&publish<true>).found() == "");
  CHECK(all_orders(&publish<true>, MemoryModel::tso).found() == "");
  CHECK(all_orders(&publish<true>, MemoryModel::pso).found() == "");
}

TEST_CASE("an exchange that fails publishes nothing, and a write fence acquires nothing") {
  const Seen failed = all_orders([] {
    auto& text = make<Data<int>>("text");
    auto& word = make<Shared<int>>("word");
    auto& sent = make<Shared<int>>("sent");
    thread("writer", [&] {
      text.write(7);
      int other = 5;
      word.compare_exchange(other, 6);
      sent.store(1, relaxed);
    });
    thread("reader", [&] {
      if (sent.load(relaxed) != 1) return;
      word.load();
      text.read();
    });
  });
  CHECK(failed.found() == "RACE");
  static bool full = false;
  const auto fenced = [](bool is_full) {
    full = is_full;
    return all_orders([] {
      auto& text = make<Data<int>>("text");
      auto& sent = make<Shared<int>>("sent");
      thread("writer", [&] {
        text.write(7);
        sent.store(1, vmbsim::hunt::release);
      });
      thread("reader", [&] {
        if (sent.load(relaxed) != 1) return;
        full ? fence() : write_fence();
        text.read();
      });
    });
  };
  CHECK(fenced(false).found() == "RACE");
  CHECK(fenced(true).found() == "");
}

TEST_CASE("the doorbell is lost without the writer's fence on a machine with store buffers, and only there") {
  CHECK(all_orders(&doorbell<false>, MemoryModel::sc).found() == "");
  CHECK(all_orders(&doorbell<false>, MemoryModel::tso).found() == "LOST_WAKEUP");
  CHECK(all_orders(&doorbell<true>, MemoryModel::tso).found() == "");
  CHECK(all_orders(&doorbell<true>, MemoryModel::pso).found() == "");
}

TEST_CASE("memory is used before it is freed, freed once and not forgotten") {
  CHECK(all_orders(&freeing<false>).found() == "USE_AFTER_FREE");
  CHECK(all_orders(&freeing<true>).found() == "");
  CHECK(all_orders(&leaving<0>).found() == "LEAK");
  CHECK(all_orders(&leaving<1>).found() == "");
  CHECK(all_orders(&leaving<2>).found() == "DOUBLE_FREE");
}

TEST_CASE("what is queued, set, held or waited for is not freed") {
  struct Device {
    Dpc dpc{"dpc", [] {}};
    Timer timer{"timer"};
    KernelSemaphore room{"room", 0, 1};
    Event door{"door", Event::notification};
    Mutex mutex{"mutex"};
  };
  const Seen queued = all_orders([] {
    thread("a", [] {
      auto* device = allocate<Device>("device");
      device->dpc.insert();
      release(device);
    });
  });
  CHECK(queued.found() == "USE_AFTER_FREE");
  CHECK(queued.bug_check == BugCheck::timer_or_dpc_invalid);
  CHECK(queued.text == "dpc is freed while it is queued");
  const Seen set = all_orders([] {
    auto& dpc = make<Dpc>("outer", [] {});
    thread("a", [&] {
      auto* device = allocate<Device>("device");
      device->timer.set(dpc);
      release(device);
    });
  });
  CHECK(set.text == "timer is freed while it is set");
  const Seen dangling = all_orders([] {
    auto& timer = make<Timer>("outer");
    thread("a", [&] {
      auto* device = allocate<Device>("device");
      timer.set(device->dpc);
      release(device);
    });
  });
  CHECK(dangling.found() == "USE_AFTER_FREE");
  CHECK(dangling.text == "dpc is to run after its memory was freed");
  const Seen held = all_orders([] {
    thread("a", [] {
      auto* device = allocate<Device>("device");
      device->mutex.lock();
      release(device);
    });
  });
  CHECK(held.text == "mutex is freed while it is held");
  const Seen taken_too_late = all_orders([] {
    auto& device = make<Shared<Device*>>("device", allocate<Device>("device"));
    auto& freed = make<Shared<bool>>("freed");
    thread("a", [&] {
      release(device.load());
      freed.store(true);
    });
    thread("b", [&] {
      freed.await([](bool is) { return is; });
      device.load()->room.acquire();
    });
  });
  CHECK(taken_too_late.found() == "USE_AFTER_FREE");
  const Seen polite = all_orders([] {
    thread("a",
           [] {
             auto* device = allocate<Device>("device");
             device->dpc.insert();
             device->dpc.remove();
             release(device);
           },
           {.cpu = 0});
  });
  CHECK(polite.found() == "");
}

TEST_CASE("a lock that an ISR takes deadlocks whoever it interrupts, unless the IRQL keeps it out") {
  const Seen taken = all_orders(&shared_with_isr<false>);
  CHECK(taken.found() == "DEADLOCK, LOCK_ORDER");
  CHECK(taken.bug_check == BugCheck::driver_verifier_detected_violation);
  CHECK(all_orders(&shared_with_isr<true>).found() == "");
}

TEST_CASE("a loop that yields ends as soon as others let it, and is a livelock where nobody does") {
  CHECK(all_orders(&spinning<true>).found() == "");
  const Seen stuck = all_orders(&spinning<false>, {.most_steps = 100}, 1);
  CHECK(stuck.found() == "LIVELOCK");
  CHECK(stuck.text.find("the same state again and again") == 0);
}

TEST_CASE("a program that is only long is no livelock") {
  const Seen seen = all_orders(
      [] {
        auto& word = make<Shared<int>>("word");
        thread("a", [&] {
          for (int i = 0; i < 900; ++i) word.store(0);
        });
      },
      {.most_steps = 100}, 1);
  CHECK(seen.found() == "");
}

TEST_CASE("the condition of an await looks at its word, and does nothing else") {
  const Seen steps = all_orders([] {
    auto& word = make<Shared<int>>("word");
    thread("a", [&] { word.await([&](int) { return word.load() == 0; }); });
  });
  CHECK(steps.found() == "HARNESS");
  CHECK(steps.text == "the condition of an await looks at its word, and does nothing else");
  const Seen checks = all_orders([] {
    auto& word = make<Shared<int>>("word");
    thread("a", [&] {
      word.await([](int value) {
        check(value == 0, "still");
        return value == 0;
      });
    });
    thread("b", [&] { word.store(1); });
  });
  CHECK(checks.found() == "CHECK");
}

TEST_CASE("a machine has so many processors and no more") {
  CHECK(all_orders([] { thread("a", [] {}, {.cpu = 2'000'000'000}); }).found() == "HARNESS");
  CHECK(all_orders([] { thread("a", [] {}, {.cpu = -2}); }).found() == "HARNESS");
  CHECK(all_orders([] { processors(1'000'000); }).found() == "HARNESS");
  CHECK(all_orders([] {
          auto& dpc = make<Dpc>("dpc", [] {});
          thread("a", [&] { dpc.insert_on(4'000'000); });
        }).found() == "HARNESS");
}

TEST_CASE("what is promised holds at the end, and what may happen is told") {
  CHECK(all_orders([] { eventually([] { return false; }, "peace"); }).text == "peace");
  CHECK(all_orders([] { eventually([] { return true; }, "peace"); }).found() == "");
  const Seen seen = all_orders([] {
    auto& word = make<Shared<int>>("word");
    thread("a", [&] { word.store(1); });
    thread("b", [&] { sometimes(word.load() == 1, "it was first"); });
  });
  CHECK(seen.reached == std::set<std::string>{"it was first"});
}

TEST_CASE("a goal that no run met is known by its name all the same") {
  const Seen seen = all_orders([] {
    auto& word = make<Shared<int>>("word");
    thread("a", [&] { word.store(1); });
    thread("b", [&] {
      const int value = word.load();
      sometimes(value == 1, "one");
      sometimes(value == 2, "two");
    });
  });
  CHECK(seen.goals == std::set<std::string>{"one", "two"});
  CHECK(seen.reached == std::set<std::string>{"one"});
}

TEST_CASE("a daemon may still wait when everything is over") {
  const auto waiting = [](bool daemon) {
    auto& never = make<Event>("never", Event::notification);
    thread("waiter", [&] { never.wait(); }, {.daemon = daemon});
  };
  static bool is_daemon = true;
  static const auto body = waiting;
  CHECK(all_orders([] { body(is_daemon); }).found() == "");
  is_daemon = false;
  CHECK(all_orders([] { body(is_daemon); }).found() == "LOST_WAKEUP");
}

TEST_CASE("input and faults are open, and 0 in a plain run") {
  const Seen seen = all_orders([] {
    thread("driver", [] {
      const std::uint32_t size = choose(3, "size");
      const bool failed = fault("allocation");
      check(size < 3, "in range");
      sometimes(size == 2 && failed, "both");
    });
  });
  CHECK(seen.runs == 6);
  CHECK(seen.reached.size() == 1);
}
