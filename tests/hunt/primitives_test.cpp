// Every primitive does what its documentation says.
#include <catch2/catch.hpp>

#include <mutex>

#include "tests/support/harness_case.hpp"

using namespace vmbsim;
using namespace vmbsim::hunt;
using testing::all_orders;
using testing::MemoryModel;
using testing::Seen;

namespace {

/// One context does something, and nothing is wrong with it, or the one rule is broken.
struct Row {
  const char* source;
  void (*body)();
  const char* rule;
  BugCheck code = BugCheck::none;
};
void (*body_now)() = nullptr;

Seen alone(void (*body)()) {
  body_now = body;
  return all_orders([] { thread("driver", [] { body_now(); }, {.cpu = 0}); });
}

}  // namespace

TEST_CASE("calls of one context are legal, or findings with the bug check that Windows has") {
  for (const Row& row : {
           Row{"C++20, [atomics.types.operations]",
               [] {
                 Shared<int> word("word", 5);
                 check(word.fetch_add(3) == 5 && word.load() == 8, "add");
                 check(word.fetch_sub(10) == 8 && word.load() == -2, "negative");
                 check(word.exchange(12) == -2, "exchange");
                 check(word.fetch_and(6) == 12 && word.fetch_or(1) == 4 && word.fetch_xor(7) == 5, "bits");
                 int expected = 3;
                 check(!word.compare_exchange(expected, 9) && expected == 2, "refused");
                 check(word.compare_exchange(expected, 9) && word == 9, "exchanged");
                 word = 4;
                 word += 2;
                 check(++word == 7 && word++ == 7 && word-- == 8 && word.peek() == 7, "operators");
               },
               ""},
           Row{"C++20, [thread.mutex.class]",
               [] {
                 Mutex mutex("mutex");
                 {
                   std::scoped_lock lock(mutex);
                   check(mutex.try_lock() == false, "it is held");
                 }
                 check(mutex.try_lock(), "it is free");
                 mutex.unlock();
               },
               ""},
           Row{"C++20, [thread.mutex.class]",
               [] {
                 Mutex mutex("mutex");
                 mutex.lock();
                 mutex.lock();
               },
               "LOCK", BugCheck::driver_verifier_detected_violation},
           Row{"C++20, [thread.mutex.class]",
               [] {
                 Mutex mutex("mutex");
                 mutex.unlock();
               },
               "LOCK", BugCheck::thread_not_mutex_owner},
           Row{"C++20, [thread.sema.cnt]",
               [] {
                 Semaphore semaphore("semaphore", 1);
                 semaphore.acquire();
                 check(!semaphore.try_acquire(), "none is left");
                 semaphore.release(2);
                 semaphore.acquire();
                 check(semaphore.try_acquire(), "one is left");
               },
               ""},
           Row{"WDK, KeAcquireSpinLock",
               [] {
                 SpinLock lock("lock");
                 lock.acquire();
                 check(current_irql() == Irql::dispatch, "it raises");
                 lock.release();
                 check(current_irql() == Irql::passive, "it puts back");
               },
               ""},
           Row{"WDK, Bug Check 0xF",
               [] {
                 SpinLock lock("lock");
                 lock.acquire();
                 lock.acquire();
               },
               "LOCK", BugCheck::spin_lock_already_owned},
           Row{"WDK, Bug Check 0x10",
               [] {
                 SpinLock lock("lock");
                 lock.release();
               },
               "LOCK", BugCheck::spin_lock_not_owned},
           Row{"WDK, KeAcquireSpinLockAtDpcLevel",
               [] {
                 SpinLock lock("lock");
                 lock.acquire_at_dpc_level();
               },
               "IRQL", BugCheck::irql_not_dispatch_level},
           Row{"WDK, Managing Hardware Priorities",
               [] {
                 SpinLock lock("lock");
                 lock.acquire();
               },
               "IRQL", BugCheck::irql_unexpected_value},
           Row{"WDK, KeRaiseIrql",
               [] {
                 raise_irql(Irql::dispatch);
                 raise_irql(Irql::passive);
               },
               "IRQL", BugCheck::irql_not_greater_or_equal},
           Row{"WDK, KeLowerIrql", [] { lower_irql(Irql::dispatch); }, "IRQL", BugCheck::irql_not_less_or_equal},
           Row{"WDK, KeWaitForSingleObject",
               [] {
                 Event event("event", Event::notification, true);
                 raise_irql(Irql::dispatch);
                 event.wait();
               },
               "IRQL", BugCheck::irql_not_less_or_equal},
           Row{"WDK, KeInitializeEvent: a notification event stays signalled",
               [] {
                 Event event("event", Event::notification, true);
                 event.wait();
                 event.wait();
                 check(event.set() && event.reset(), "it was signalled");
                 event.clear();
                 check(!event.set(), "it was not");
               },
               ""},
           Row{"WDK, KeInitializeEvent: a synchronization event releases one wait",
               [] {
                 Event event("event", Event::synchronization);
                 check(!event.set(), "it was not signalled");
                 event.wait();
                 check(!event.reset(), "the wait has reset it");
               },
               ""},
           Row{"WDK, KeReleaseMutex: its owner may take it again",
               [] {
                 KernelMutex mutex("mutex");
                 mutex.acquire();
                 mutex.acquire();
                 mutex.release();
                 mutex.release();
               },
               ""},
           Row{"WDK, KeReleaseMutex",
               [] {
                 KernelMutex mutex("mutex");
                 mutex.release();
               },
               "LOCK", BugCheck::thread_not_mutex_owner},
           Row{"WDK, ExAcquireFastMutex",
               [] {
                 FastMutex mutex("mutex");
                 mutex.acquire();
                 check(current_irql() == Irql::apc && !mutex.try_acquire(), "it raises");
                 mutex.release();
                 check(current_irql() == Irql::passive, "it puts back");
               },
               ""},
           Row{"WDK, KeReleaseSemaphore",
               [] {
                 KernelSemaphore semaphore("semaphore", 1, 2);
                 semaphore.release();
                 semaphore.release();
               },
               "EXCEPTION", BugCheck::kmode_exception_not_handled},
           Row{"WDK, Introduction to ERESOURCE Routines",
               [] {
                 Resource resource("resource");
                 resource.acquire_exclusive();
                 resource.acquire_shared();
                 resource.release();
                 resource.release();
               },
               ""},
           Row{"WDK, Run-Down Protection",
               [] {
                 Rundown rundown("rundown");
                 check(rundown.acquire(), "before the wait");
                 rundown.release();
                 rundown.wait();
                 check(!rundown.acquire(), "after it");
               },
               ""},
           Row{"WDK, ExReleaseRundownProtection",
               [] {
                 Rundown rundown("rundown");
                 rundown.release();
               },
               "RUNDOWN"},
           Row{"C++20, [thread.condition.condvar]",
               [] {
                 Mutex mutex("mutex");
                 ConditionVariable condition("condition");
                 condition.wait(mutex);
               },
               "LOCK"},
       }) {
    INFO(row.source);
    const Seen seen = alone(row.body);
    INFO(seen.text);
    CHECK(seen.found() == row.rule);
    CHECK(seen.bug_check == row.code);
  }
}

// Source: WDK, KeSetEvent: waiters are released at the call, so what happens to the event afterwards does not concern them.
TEST_CASE("an event that is set and cleared at once has released who waited") {
  const Seen seen = all_orders([] {
    auto& event = make<Event>("event", Event::notification);
    auto& waits = make<Shared<int>>("waits");
    thread("waiter",
           [&] {
             waits.store(1);
             event.wait();
           },
           {.daemon = true});
    thread("setter", [&] {
      event.set();
      event.clear();
      sometimes(waits.peek() == 1, "set while it waits");
    });
  });
  CHECK(seen.found() == "");
  CHECK(seen.reached.size() == 1);
}

// Source: WDK, KeInsertQueueDpc: FALSE when the DPC is queued already; it leaves the queue before it runs.
TEST_CASE("a DPC is queued once, runs at DISPATCH_LEVEL and may be queued again while it runs") {
  const Seen seen = all_orders([] {
    struct Device {
      Shared<int> passes{"passes"};
      Dpc dpc{"dpc", [this] {
                check(current_irql() == Irql::dispatch && current_processor() == 0, "where it runs");
                passes.fetch_add(1);
              }};
    };
    auto& device = make<Device>();
    thread("driver",
           [&] {
             const bool first = device.dpc.insert();
             const bool second = device.dpc.insert();
             check(first, "the queue was empty");
             sometimes(second, "it had run in between");
             sometimes(!second, "it had not");
           },
           {.cpu = 0});
    at_end([&] { check(device.passes.peek() >= 1, "it ran"); });
  });
  CHECK(seen.found() == "");
  CHECK(seen.reached.size() == 2);
}

namespace {

template <bool raises>
void two_on_one_processor() {
  struct State {
    Shared<int> inside{"inside"};
    Dpc dpc{"dpc", [this] { check(inside.load() == 0, "kept out"); }};
  };
  auto& state = make<State>();
  for (const char* name : {"one", "two"})
    thread(name,
           [&] {
             state.dpc.insert();
             const Irql before = raises ? raise_irql(Irql::dispatch) : Irql::passive;
             check(state.inside.fetch_add(1) == 0, "alone");
             state.inside.fetch_sub(1);
             if (raises) lower_irql(before);
           },
           {.cpu = 0});
}

}  // namespace

// Source: WDK, Managing Hardware Priorities: no DPC begins on a processor at DISPATCH_LEVEL, and threads take turns below it.
TEST_CASE("a raised thread keeps the DPCs and threads of its processor out, and one that is not raised does not") {
  CHECK(all_orders(&two_on_one_processor<true>).found() == "");
  CHECK(all_orders(&two_on_one_processor<false>).found() == "CHECK");
}

// Source: WDK, KeCancelTimer, KeRemoveQueueDpc, IoQueueWorkItem.
TEST_CASE("timers expire at any later step or are cancelled, and work items run at PASSIVE_LEVEL") {
  const Seen seen = all_orders([] {
    struct Device {
      Shared<int> ran{"ran"};
      WorkItem work{"work", [this] {
                      check(current_irql() == Irql::passive, "in a thread");
                      ran.fetch_add(1);
                    }};
      Dpc dpc{"dpc", [this] { work.queue(); }};
      Timer timer{"timer"};
    };
    auto& device = make<Device>();
    thread("driver", [&] {
      check(!device.timer.set(device.dpc), "it was not set");
      const bool cancelled = device.timer.cancel();
      sometimes(cancelled, "in time");
      sometimes(!cancelled, "too late");
      sometimes(!cancelled && device.dpc.remove(), "its DPC still waited");
    });
  });
  CHECK(seen.found() == "");
  CHECK(seen.reached.size() == 3);
}

TEST_CASE("a work item is not queued while it is queued") {
  const Seen seen = all_orders([] {
    auto& work = make<WorkItem>("work", [] {});
    thread("driver", [&] {
      work.queue();
      work.queue();
    });
  });
  CHECK(seen.found() == "WORK");
  CHECK(seen.bug_check == BugCheck::worker_invalid);
}

TEST_CASE("whoever joins a thread knows what it did, and so does a thread what went before it") {
  const Seen seen = all_orders([] {
    auto& data = make<Data<int>>("data");
    thread("parent", [&] {
      data.write(1);
      Thread child = thread("child", [&] { data.write(data.read() + 1); });
      child.join();
      check(data.read() == 2, "both");
    });
  });
  CHECK(seen.found() == "");
}

TEST_CASE("a spin-wait costs one step however long it takes") {
  const Seen seen = all_orders([] {
    auto& flag = make<Shared<int>>("flag");
    thread("waiter", [&] { check(flag.await([](int value) { return value >= 2; }) == 2, "two"); });
    thread("setter", [&] {
      flag.store(1);
      flag.store(2);
    });
  });
  CHECK(seen.found() == "");
  CHECK(seen.runs == 1);
  CHECK(seen.most_steps == 3);
}

TEST_CASE("a waiter of several is released by a choice of its own") {
  const Seen seen = all_orders([] {
    auto& event = make<Event>("event", Event::synchronization);
    auto& first = make<Shared<int>>("first");
    for (const int who : {1, 2})
      thread("waiter",
             [&, who] {
               event.wait();
               int nobody = 0;
               first.compare_exchange(nobody, who);
             },
             {.daemon = true});
    thread("setter", [&] { event.set(); });
    at_end([&] { sometimes(first.peek() == 2, "the second one"); });
  });
  CHECK(seen.found() == "");
  CHECK(seen.reached.size() == 1);
}
