// Partial-order reduction of harnesses sees every class that all orders have: with waits, deferred calls, interrupts, levels
// and store buffers.
#include <catch2/catch.hpp>

#include <algorithm>

#include "sim/explore/strategies.hpp"
#include "tests/support/harness_case.hpp"

using namespace vmbsim;
using namespace vmbsim::hunt;
using explore::MemoryModel;
using testing::all_orders;

namespace {

testing::Seen reduced_orders(void (*set_up)(), const char* name, MemoryModel memory) {
  testing::detail::set_up = set_up;
  harness::Harness program("test", &testing::detail::enter, {.memory = memory});
  testing::Seen seen;
  const auto strategy = explore::make_strategy(name, Seed{1});
  for (std::uint64_t run = 0; strategy->begin(run); ++run) {
    REQUIRE(run < 200'000);
    const explore::Outcome& outcome = program.run(*strategy);
    if (outcome.end == explore::End::finished) {
      ++seen.runs;
      seen.classes.insert(outcome.trace_class);
      for (const Finding& finding : outcome.findings) seen.rules.insert(finding.rule);
    }
    strategy->end(outcome, {});
  }
  return seen;
}

/// Whether a search by the strategy is complete.
bool covers(void (*set_up)(), const char* name) {
  testing::detail::set_up = set_up;
  harness::Harness program("test", &testing::detail::enter, {});
  const auto strategy = explore::make_strategy(name, Seed{1});
  for (std::uint64_t run = 0; strategy->begin(run); ++run) strategy->end(program.run(*strategy), {});
  return !strategy->covered().empty();
}

void nothing_is_lost(void (*set_up)(), const char* what) {
  for (const MemoryModel memory : {MemoryModel::sc, MemoryModel::tso, MemoryModel::pso}) {
    const testing::Seen every = all_orders(set_up, memory);
    for (const char* name : {"dpor", "odpor"}) {
      INFO(what << " under " << name_of(memory) << " with " << name);
      const testing::Seen reduced = reduced_orders(set_up, name, memory);
      CHECK(reduced.found() == every.found());
      CHECK(reduced.runs <= 2 * every.runs);  // twice: odpor may begin again where somebody waits for ever
      // A run that a finding ended is of a class of its own: how far the others were by then.
      if (every.found().empty()) {
        CHECK(reduced.classes.size() == every.classes.size());
        CHECK(
            std::includes(every.classes.begin(), every.classes.end(), reduced.classes.begin(), reduced.classes.end()));
      }
    }
  }
}

struct Two {
  Shared<int> x{"x"};
  Shared<int> y{"y"};
};

void store_buffering() {
  auto& two = make<Two>();
  thread("a", [&] {
    two.x.store(1, relaxed);
    two.y.load(relaxed);
  });
  thread("b", [&] {
    two.y.store(1, relaxed);
    two.x.load(relaxed);
  });
}

void messages() {
  auto& two = make<Two>();
  thread("a", [&] {
    two.x.store(1, relaxed);
    two.y.store(1, relaxed);
    fence();
    two.y.load(relaxed);
  });
  thread("b", [&] {
    two.y.load(relaxed);
    two.x.load(relaxed);
  });
}

void released() {
  auto& two = make<Two>();
  thread("a", [&] {
    two.x.store(1, relaxed);
    two.y.store(1, release);
    two.x.store(2, relaxed);
  });
  thread("b", [&] {
    two.y.load(acquire);
    two.x.load(acquire);
  });
}

void own_word() {
  auto& two = make<Two>();
  thread("a", [&] {
    two.x.store(1, relaxed);
    two.x.load(relaxed);
    two.y.load(relaxed);
  });
  thread("b", [&] {
    two.y.store(1, relaxed);
    two.x.store(2, relaxed);
  });
}

void tickets() {
  auto& door = make<Event>("door", Event::synchronization, true);
  auto& word = make<Shared<int>>("word");
  for (int i = 0; i < 3; ++i)
    thread("guest", [&] {
      word.load(relaxed);
      door.wait();
      word.fetch_add(1);
      door.set();
    });
}

void one_of_two_waits() {
  auto& door = make<Event>("door", Event::synchronization);
  auto& word = make<Shared<int>>("word");
  thread("host", [&] {
    word.store(1);
    door.set();
    word.store(2);
    door.set();
  });
  for (int i = 0; i < 2; ++i)
    thread("guest", [&] {
      door.wait();
      word.load();
    });
}

void lost_signal() {
  auto& door = make<Event>("door", Event::synchronization);
  auto& word = make<Shared<int>>("word");
  thread("host", [&] {
    word.store(1);
    door.set();
  });
  thread("guest", [&] {
    if (word.load() == 0) door.clear();
    door.wait();
  });
}

void deferred() {
  struct Machine {
    Shared<int> word{"word"};
    Dpc dpc{"dpc", [this] { word.fetch_add(1); }};
  };
  auto& machine = make<Machine>();
  thread("a", [&] {
    machine.dpc.insert();
    machine.word.load();
  });
  thread("b", [&] { machine.word.load(); });
}

void deferred_by_two() {
  struct Machine {
    Shared<int> word{"word"};
    SpinLock lock{"lock"};
    Dpc dpc{"dpc", [this] {
              lock.acquire_at_dpc_level();
              word.fetch_add(1);
              lock.release_from_dpc_level();
            }};
  };
  auto& machine = make<Machine>();
  thread("a", [&] {
    machine.dpc.insert();
    machine.lock.acquire();
    machine.word.load();
    machine.lock.release();
  });
  thread("b", [&] {
    machine.word.load();
    machine.dpc.insert();
  });
}

void interrupted() {
  struct Machine {
    Shared<int> word{"word"};
    Interrupt line{"line", 0, Irql::device, [this] {
                     word.store(1);
                     return true;
                   }};
  };
  auto& machine = make<Machine>();
  thread("a",
         [&] {
           machine.word.load();
           machine.word.fetch_add(1);
           machine.word.load();
         },
         {.cpu = 0});
  thread("b",
         [&] {
           machine.line.request();
           machine.word.load();
         },
         {.cpu = 1});
}

void shared_processor() {
  auto& two = make<Two>();
  auto& mutex = make<Mutex>("mutex");
  for (int i = 0; i < 2; ++i)
    thread("a",
           [&] {
             mutex.lock();
             two.x.fetch_add(1);
             mutex.unlock();
           },
           {.cpu = 0});
  thread("b",
         [&] {
           two.x.load();
           mutex.lock();
           mutex.unlock();
         },
         {.cpu = 1});
}

void condition() {
  struct Queue {
    Mutex mutex{"mutex"};
    ConditionVariable filled{"filled"};
    Shared<int> length{"length"};
  };
  auto& queue = make<Queue>();
  thread("producer", [&] {
    queue.mutex.lock();
    queue.length.store(1);
    queue.filled.notify_one();
    queue.mutex.unlock();
  });
  thread("consumer", [&] {
    queue.mutex.lock();
    while (queue.length.load() == 0) queue.filled.wait(queue.mutex);
    queue.mutex.unlock();
  });
}

void spinning() {
  auto& two = make<Two>();
  thread("a", [&] {
    two.x.store(1);
    two.y.store(1);
    two.x.store(2);
  });
  thread("b", [&] {
    two.y.await([](int y) { return y == 1; });
    two.x.load();
  });
  thread("c", [&] { two.x.await([](int x) { return x == 2; }); });
}

void try_after_lock() {
  auto& mutex = make<Mutex>("m");
  thread("a", [&] {
    mutex.lock();
    mutex.unlock();
    const bool got = mutex.try_lock();
    check(got, "nobody holds it");
    if (got) mutex.unlock();
  });
  thread("b", [&] {
    mutex.lock();
    mutex.unlock();
  });
}

void spin_lock_of_thread_and_dpc() {
  struct Locked {
    Shared<int> w{"w"}, z{"z"};
    SpinLock lock{"s"};
    Dpc dpc{"dpc", [this] {
              lock.acquire_at_dpc_level();
              z.store(3);
              lock.release_from_dpc_level();
            }};
  };
  auto& all = make<Locked>();
  thread("a",
         [&] {
           all.lock.acquire();
           const int seen = all.w.load();
           const int late = all.z.load();
           all.lock.release();
           check(seen == 0 || late != 0, "b, a, then the DPC");
         },
         {.cpu = 0});
  thread("b",
         [&] {
           all.dpc.insert_on(0);
           all.lock.acquire();
           all.w.store(1);
           all.lock.release();
         },
         {.cpu = 1});
}

void interrupt_lock_before_dpc() {
  struct Device {
    Shared<int> w{"w"}, z{"z"};
    Interrupt line{"line", 1, Irql::device, [this] {
                     const int late = z.load();
                     check(late != 0 || w.peek() != 11, "b, a, the interrupt, then the DPC");
                     return true;
                   }};
    InterruptSpinLock lock{line};
    Dpc dpc{"dpc", [this] {
              lock.acquire();
              z.store(3);
              lock.release();
            }};
  };
  auto& device = make<Device>();
  thread("a",
         [&] {
           device.lock.acquire();
           if (device.w.load() == 1) device.w.fetch_add(10);
           device.line.request();
           device.lock.release();
         },
         {.cpu = 0});
  thread("b",
         [&] {
           device.dpc.insert_on(0);
           device.lock.acquire();
           device.w.fetch_add(1);
           device.lock.release();
         },
         {.cpu = 1});
}

void two_dpcs_at_a_lock() {
  struct Device {
    Shared<int> w{"w"};
    Interrupt line{"line", 0, Irql::device, [] { return true; }};
    InterruptSpinLock lock{line};
    int by_first = 0, by_thread = 0;
    Dpc first{"first", [this] { by_first = w.fetch_add(1); }};
    Dpc second{"second", [this] {
                 lock.acquire();
                 w.store(2);
                 lock.release();
               }};
  };
  auto& device = make<Device>();
  thread("a",
         [&] {
           device.lock.acquire();
           device.w.store(3);
           device.second.insert();
           device.lock.release();
           device.lock.acquire();
           device.by_thread = device.w.load();
           device.lock.release();
         },
         {.cpu = 1});
  thread("b", [&] {
    device.lock.acquire();
    device.lock.release();
  });
  thread("c", [&] { device.first.insert(); }, {.cpu = 1});
  at_end([&] {
    check(device.by_thread != 4 || device.by_first != 3 || device.w.peek() != 2, "a's store, first, a's load, second");
  });
}

void yield_then_look() {
  auto& two = make<Two>();
  thread("a", [&] {
    two.x.load();
    two.y.store(1);
  });
  thread("b", [&] {
    yield();
    check(two.y.load() == 1, "y is set");
  });
}

void waits_too_short() {
  auto& two = make<Two>();
  thread("a", [&] {
    for (int i = 0; i < 1 && two.y.load() == 0; ++i) yield();
    check(two.x.load() == 1, "x is set after the wait");
  });
  thread("b", [&] {
    two.x.store(1);
    two.y.store(1);
  });
}

template <bool bounded>
void waits_for_word() {
  auto& word = make<Shared<int>>("word");
  thread("a", [&] {
    for (int i = 0; word.load() == 0 && (!bounded || i < 1); ++i) yield();
  });
  thread("b", [&] { word.store(1); });
}

void long_and_apart() {
  struct Both {
    Shared<int> words[2]{Shared<int>("x"), Shared<int>("y")};
    Shared<int> known{"known"};
  };
  auto& both = make<Both>();
  for (int i = 0; i < 2; ++i)
    thread("a", [&both, i] {
      for (int k = 0; k < 20'000; ++k) {
        both.words[i].store(k);
        both.known.load();
      }
    });
}

}  // namespace

TEST_CASE("reduction proves long runs whose threads do not meet in one run") {
  for (const char* name : {"dpor", "odpor"}) CHECK(reduced_orders(&long_and_apart, name, MemoryModel::sc).runs == 1);
}

TEST_CASE("reduction sees that a lock was free before a try took it") { nothing_is_lost(&try_after_lock, "try"); }

TEST_CASE("reduction sees a DPC come later than the thread of its processor that it kept from a lock") {
  nothing_is_lost(&spin_lock_of_thread_and_dpc, "spin lock");
  nothing_is_lost(&interrupt_lock_before_dpc, "interrupt lock");
  nothing_is_lost(&two_dpcs_at_a_lock, "two DPCs");
}

// Musuvathi and Qadeer, "Fair stateless model checking", PLDI 2008: nothing is owed before the second yield.
TEST_CASE("a first yield takes no schedule away") {
  nothing_is_lost(&yield_then_look, "yield, then look");
  CHECK(all_orders(&yield_then_look).found() == "CHECK");
  CHECK(all_orders(&waits_too_short).found() == "CHECK");
}

TEST_CASE("reduction proves nothing where a yield keeps somebody back") {
  for (const char* name : {"dpor", "odpor"}) {
    CHECK(covers(&waits_for_word<true>, name));
    CHECK_FALSE(covers(&waits_for_word<false>, name));
  }
  CHECK(covers(&waits_for_word<false>, "dfs"));
}

TEST_CASE("reduction loses no class of plain words") {
  nothing_is_lost(&store_buffering, "store buffering");
  nothing_is_lost(&messages, "messages");
  nothing_is_lost(&released, "released");
  nothing_is_lost(&own_word, "own word");
}

TEST_CASE("reduction loses no class of waits") {
  nothing_is_lost(&tickets, "tickets");
  nothing_is_lost(&one_of_two_waits, "one of two waits");
  nothing_is_lost(&lost_signal, "lost signal");
  nothing_is_lost(&condition, "condition");
  nothing_is_lost(&spinning, "spinning");
}

TEST_CASE("reduction loses no class of contexts that share a processor") {
  nothing_is_lost(&deferred, "deferred");
  nothing_is_lost(&deferred_by_two, "deferred by two");
  nothing_is_lost(&interrupted, "interrupted");
  nothing_is_lost(&shared_processor, "shared processor");
}
