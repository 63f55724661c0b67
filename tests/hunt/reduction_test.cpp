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

}  // namespace

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
