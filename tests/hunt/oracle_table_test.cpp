// Every oracle of a hunt in one table: what only it catches, and a twin that differs as little as may be and is not blamed.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "models/scenario/hunted.hpp"
#include "tests/hunt/sources.hpp"
#include "tests/support/harness_case.hpp"
#include "tests/support/runs.hpp"
#include "vmbsim/rules.hpp"

using namespace vmbsim;
using namespace vmbsim::hunt;
using testing::all_orders;
using testing::MemoryModel;

namespace {

/// A harness in all its orders, in some memory model; `plain`: in its plain run alone, for what shows before it goes wrong.
struct Row {
  const char* rule;
  const char* what;
  void (*mutant)();
  void (*twin)();
  MemoryModel memory = MemoryModel::sc;
  bool plain = false;
};

/// One takes `a` and then `b`, and somebody else, when `then` lets it, `b` and then `a`.
template <class Lock>
struct Crossed {
  Lock a{"a"}, b{"b"}, gate{"gate"};
  Event over{"over", Event::notification};
  void up() {
    a.lock();
    b.lock();
    b.unlock();
    a.unlock();
  }
  void down() {
    b.lock();
    a.lock();
    a.unlock();
    b.unlock();
  }
};

template <bool joins>
void crossed_by_threads() {
  auto& locks = make<Crossed<Mutex>>();
  Thread first = thread("first", [&] { locks.up(); });
  thread("second", [&locks, first]() mutable {
    if (joins) first.join();
    locks.down();
  });
}

template <bool by_event>
void crossed_apart() {
  auto& locks = make<Crossed<SpinLock>>();
  thread("first", [&] {
    if (!by_event) locks.gate.lock();
    locks.up();
    if (!by_event) locks.gate.unlock();
    if (by_event) locks.over.set();
  });
  thread("second", [&] {
    if (by_event) locks.over.wait();
    if (!by_event) locks.gate.lock();
    locks.down();
    if (!by_event) locks.gate.unlock();
  });
}

/// What the work item leaves, the DPC that it queues finds in order; the thread that does not wait for either crosses both.
template <bool queued>
void crossed_by_routines() {
  auto& locks = make<Crossed<SpinLock>>();
  auto& dpc = make<Dpc>("dpc", [&] { locks.down(); });
  auto& work = make<WorkItem>("work", [&] {
    locks.up();
    if (queued) dpc.insert();
  });
  thread("driver", [&] {
    work.queue();
    if (!queued) dpc.insert();
  });
}

template <bool after>
void crossed_twice() {
  // The first time everything is in order; what comes later is not, though the same contexts hold the same locks.
  auto& locks = make<Crossed<Mutex>>();
  thread("first", [&] {
    locks.up();
    locks.over.set();
    if (after) locks.up();
  });
  thread("second", [&] {
    locks.over.wait();
    locks.down();
  });
}

template <bool both>
void joining() {
  auto& others = make<Shared<int>>("others");
  static Thread* first;
  static Thread* second;
  first = &make<Thread>(thread("first", [&] {
    others.store(1);
    if (both) second->join();
  }));
  second = &make<Thread>(thread("second", [] { first->join(); }));
}

template <bool fenced>
void doorbell() {
  auto& in = make<Shared<int>>("in");
  auto& mask = make<Shared<int>>("mask", 1);
  auto& door = make<Event>("door", Event::synchronization);
  thread("producer", [&] {
    in.store(1, relaxed);
    if (fenced) fence();
    if (mask.load(relaxed) == 0) door.set();
  });
  thread("consumer", [&] {
    mask.store(0, relaxed);
    fence();
    if (in.load(acquire) == 0) door.wait();
  });
}

template <bool locked>
void counting() {
  auto& mutex = make<Mutex>("mutex");
  auto& count = make<Data<int>>("count");
  for (const char* name : {"a", "b"})
    thread(name, [&] {
      if (locked) mutex.lock();
      count.write(count.read() + 1);
      if (locked) mutex.unlock();
    });
}

template <bool waits>
void freeing() {
  auto& done = make<Event>("done", Event::notification);
  auto* const word = allocate<Shared<int>>("word", "word");
  thread("user", [&, word] {
    word->store(1);
    done.set();
  });
  thread("freer", [&, word] {
    if (waits) done.wait();
    release(word);
  });
}

template <int times>
void leaving() {
  thread("taker", [] {
    auto* const word = allocate<Shared<int>>("word", "word");
    for (int i = 0; i < times; ++i) release(word);
  });
}

template <bool atomic>
void adding() {
  auto& count = make<Shared<int>>("count");
  for (const char* name : {"a", "b"})
    thread(name, [&] {
      if (atomic)
        count.fetch_add(1);
      else
        count.store(count.load() + 1);
    });
  at_end([&] { check(count.peek() == 2, "both were counted"); });
}

template <bool kept>
void promising() {
  auto& word = make<Shared<int>>("word");
  eventually([&] { return word.peek() == 1; }, "somebody sets it");
  thread("setter", [&] { word.store(kept ? 1 : 2); });
}

template <bool set>
void spinning() {
  auto& flag = make<Shared<int>>("flag");
  thread("spinner", [&] {
    while (flag.load() == 0) yield();
  });
  thread("setter", [&] {
    if (set) flag.store(1);
  });
}

/// Both wait for what lies in the other's store buffer: nobody but the buffers can go on for good.
template <bool both>
void spinning_on_stores() {
  auto& here = make<Shared<int>>("here");
  auto& there = make<Shared<int>>("there");
  thread("a", [&] {
    here.store(1, relaxed);
    while (there.load(relaxed) == 0) yield();
  });
  thread("b", [&] {
    if (both) there.store(1, relaxed);
    while (here.load(relaxed) == 0) yield();
  });
}

template <bool raised>
void at_dpc_level() {
  auto& lock = make<SpinLock>("lock");
  thread("driver", [&] {
    const Irql before = raised ? raise_irql(Irql::dispatch) : current_irql();
    lock.acquire_at_dpc_level();
    lock.release_from_dpc_level();
    if (raised) lower_irql(before);
  });
}

template <bool owner>
void unlocking() {
  auto& mutex = make<KernelMutex>("mutex");
  thread("driver", [&] {
    if (owner) mutex.acquire();
    mutex.release();
  });
}

template <bool acquired>
void running_down() {
  auto& rundown = make<Rundown>("rundown");
  thread("driver", [&] {
    if (acquired) static_cast<void>(rundown.acquire());
    rundown.release();
  });
}

template <std::uint64_t limit>
void over_the_limit() {
  auto& semaphore = make<KernelSemaphore>("semaphore", std::uint64_t{1}, limit);
  thread("driver", [&] { semaphore.release(); });
}

template <bool twice>
void queueing() {
  auto& ran = make<Event>("ran", Event::notification);
  auto& work = make<WorkItem>("work", [&] { ran.set(); });
  thread("driver", [&] {
    work.queue();
    if (!twice) ran.wait();
    work.queue();
  });
}

template <bool own>
void releasing() {
  static int nobodys;
  thread("driver", [] { release(own ? allocate<int>("mine") : &nobodys); });
}

template <bool alone>
void waiting() {
  auto& event = make<Event>("event", Event::notification);
  thread("setter", [&] { event.set(); });
  if (alone)
    event.wait();
  else
    thread("waiter", [&] { event.wait(); });
}

constexpr Row table[] = {
    {"DEADLOCK", "two threads join each other", &joining<true>, &joining<false>},
    {"LOCK_ORDER", "locks crossed by threads of which one may join the other", &crossed_by_threads<false>,
     &crossed_by_threads<true>, MemoryModel::sc, true},
    {"LOCK_ORDER", "the same by one that waits for the other's event", &crossed_by_threads<false>, &crossed_apart<true>,
     MemoryModel::sc, true},
    {"LOCK_ORDER", "the same under a lock of both", &crossed_by_threads<false>, &crossed_apart<false>, MemoryModel::sc,
     true},
    {"LOCK_ORDER", "locks crossed by a DPC that comes when the other is through", &crossed_by_routines<false>,
     &crossed_by_routines<true>, MemoryModel::sc, true},
    {"LOCK_ORDER", "locks crossed again after everything was in order", &crossed_twice<true>, &crossed_twice<false>,
     MemoryModel::sc, true},
    {"LOST_WAKEUP", "a doorbell without the writer's fence", &doorbell<false>, &doorbell<true>, MemoryModel::tso},
    {"RACE", "a plain counter without its lock", &counting<false>, &counting<true>},
    {"USE_AFTER_FREE", "memory freed without waiting for its user", &freeing<false>, &freeing<true>},
    {"LEAK", "memory that nobody frees", &leaving<0>, &leaving<1>},
    {"DOUBLE_FREE", "memory freed twice", &leaving<2>, &leaving<1>},
    {"CHECK", "a counter that is read and written in two steps", &adding<false>, &adding<true>},
    {"EVENTUALLY", "a promise that nobody keeps", &promising<false>, &promising<true>},
    {"LIVELOCK", "a loop for what nobody does", &spinning<false>, &spinning<true>, MemoryModel::sc, true},
    {"LIVELOCK", "two loops, of which one is for a store that nobody makes", &spinning_on_stores<false>,
     &spinning_on_stores<true>, MemoryModel::tso, true},
    {"LIVELOCK", "the same with a buffer for each word", &spinning_on_stores<false>, &spinning_on_stores<true>,
     MemoryModel::pso, true},
    {"IRQL", "a spin lock at DPC level, below it", &at_dpc_level<false>, &at_dpc_level<true>},
    {"LOCK", "a mutex released by who does not hold it", &unlocking<false>, &unlocking<true>},
    {"RUNDOWN", "rundown protection released and not acquired", &running_down<false>, &running_down<true>},
    {"EXCEPTION", "a semaphore released beyond its limit", &over_the_limit<1>, &over_the_limit<2>},
    {"WORK", "a work item queued while it may be queued", &queueing<true>, &queueing<false>},
    {"POOL", "memory released that nobody allocated", &releasing<false>, &releasing<true>},
    {"HARNESS", "a wait in the set-up", &waiting<true>, &waiting<false>},
};

/// A library: what it does to whoever runs it.
struct Misdeed {
  const char* rule;
  const char* library;
};
constexpr Misdeed misdeeds[] = {{"CRASH", "segfault"}, {"ABORT", "aborts"}, {"EXIT", "exits"}, {"ENDLESS", "endless"}};

/// A bug planted in the simulated rings, in KMCL or in a driver; the twin is the same scenario without it.
struct Plant {
  const char* rule;
  const char* bug;
};
constexpr Plant plants[] = {
    {"WAKEUP", "one-packet-per-pass"},     {"FIFO", "newest-first"},        {"ONCE", "completion-twice"},
    {"SIGNAL", "space-signal-every-read"}, {"BYTES", "tail-lost-at-wrap"},  {"RACE", "publish-without-release"},
    {"LOCK_ORDER", "spin-locks-crossed"},  {"DEADLOCK", "mutexes-crossed"},
};

std::string rules_of(void (*harness)(), const Row& row) {
  const harness::Config config{.memory = row.memory, .most_steps = row.plain ? 200u : 100'000u};
  return all_orders(harness, config, row.plain ? 1 : 1'000'000).found();
}

std::string rule_of_library(const char* name) {
  std::string why;
  const auto program = harness::Harness::load(std::string(VMBSIM_TEST_HARNESSES "/") + name + ".so", {}, why);
  INFO(why);
  REQUIRE(program != nullptr);
  kernel::DefaultChoices plain;
  const explore::Outcome& outcome = program->run(plain);
  return outcome.found() ? outcome.findings.front().rule : "";
}

std::string scenario_with(const char* bug) {
  for (const auto& entry : std::filesystem::directory_iterator(VMBSIM_SOURCE "/scenarios/hunts/vmbus"))
    if (entry.path().extension() == ".toml" &&
        testing::scenario_in(entry.path().string()).hunt.planted == faults::find_planted(bug)->bug)
      return entry.path().string();
  return {};
}

/// The rule of the first finding in so many runs that depart here and there.
std::string first_rule(const scenario::Scenario& scenario, std::uint64_t runs) {
  scenario::Hunted program(scenario, {});
  for (std::uint64_t run = 0; run < runs; ++run) {
    testing::RandomSource source(run, run % 2 == 0 ? 5 : 20);
    const explore::Outcome& outcome = program.run(source);
    if (outcome.found()) return outcome.findings.front().rule;
  }
  return {};
}

}  // namespace

TEST_CASE("each oracle catches what no other one does, and lets its twin pass") {
  for (const Row& row : table) {
    INFO(row.rule << ": " << row.what << ", " << name_of(row.memory));
    CHECK(rules_of(row.mutant, row) == row.rule);
    CHECK(rules_of(row.twin, row) == "");
  }
}

TEST_CASE("a store that a loop waits for becomes visible, however long others could go first") {
  for (const MemoryModel memory : {MemoryModel::tso, MemoryModel::pso}) {
    constexpr std::uint64_t most = 200'000;
    const testing::Seen seen = all_orders(&spinning_on_stores<true>, {.memory = memory, .most_steps = 200}, most);
    CHECK(seen.found() == "");
    CHECK(seen.runs < most);
    CHECK(seen.most_steps < 60);
  }
}

TEST_CASE("what a library does to its process is known by one rule, and what behaves by none") {
  for (const Misdeed& row : misdeeds) CHECK(rule_of_library(row.library) == row.rule);
  CHECK(rule_of_library("frees") == "");
}

TEST_CASE("each oracle of scenarios catches a planted bug, and lets the scenario without it pass") {
  for (const Plant& row : plants) {
    INFO(row.rule << ": " << row.bug);
    const std::string file = scenario_with(row.bug);
    CHECK(first_rule(testing::scenario_in(file), 1000) == row.rule);
    CHECK(first_rule(testing::scenario_in(file, {"hunt.plant=\"\""}), 40) == "");
  }
}

TEST_CASE("no oracle is without a row") {
  std::set<std::string> rows;
  for (const Row& row : table) rows.insert(row.rule);
  for (const Misdeed& row : misdeeds) rows.insert(row.rule);
  for (const Plant& row : plants) rows.insert(row.rule);
  // What a driver is blamed for in plain runs, too, has its tests in tests/spec, beside the functions that it is about.
  const std::set<std::string> of_plain_runs{
      "ARRIVALS", "GPADL", "PIPE", "RING",   "SYNC",     "VMBUS", "ASSERT", "BUGCHECK", "DPC",  "IO",          "MDL",
      "PAGED",    "STALL", "WAIT", "THREAD", "WATCHDOG", "WDF",   "DRIVER", "RECORD",   "SAVE", "END_OF_TIME", "STUCK"};
  for (const Rule& rule : rule_table::rules) {
    const std::string id = rule.id;
    const bool of_kmcl = id.front() == 'K';
    CAPTURE(id);
    CHECK(rows.contains(id) + of_plain_runs.contains(id) + of_kmcl == 1);
  }
}
