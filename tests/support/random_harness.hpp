#pragma once
/// Small harnesses that rapidcheck draws: threads that share processors or do not, and what they queue.
///
///   const Drawn drawn = *arbitrary_harness();
///   set_up(drawn);                  // in a harness's entry
///   last_end_state()                // after a run: the final words and everything that each context read
#include <rapidcheck.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "vmbsim/hunt.hpp"

namespace vmbsim::testing {

enum class Do : std::uint8_t {
  load,
  store,
  store_release,
  store_seq_cst,
  add,
  fence,
  write_fence,
  lock,
  unlock,
  spin,
  unspin,
  take,
  give,
  wait,
  set,
  clear,
  raise,
  lower,
  insert,
  insert_on,
  remove,
  queue,
  arm,
  cancel,
  request,
  spawn,
  join,
  make,
  try_lock,
  try_spin,
  try_take,
  yield,
};
inline constexpr const char* names_of_operations[] = {
    "load",    "store", "store_release", "store_seq_cst", "add",      "fence",    "write_fence", "lock",
    "unlock",  "spin",  "unspin",        "take",          "give",     "wait",     "set",         "clear",
    "raise",   "lower", "insert",        "insert_on",     "remove",   "queue",    "arm",         "cancel",
    "request", "spawn", "join",          "make",          "try_lock", "try_spin", "try_take",    "yield"};

struct Step {
  Do what;
  std::uint8_t which;  ///< of two words, two locks, two DPCs
  friend bool operator==(const Step&, const Step&) = default;
};
inline std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << names_of_operations[static_cast<std::size_t>(step.what)] << ' ' << int{step.which};
}

struct Drawn {
  struct Body {
    int cpu = -1;
    std::vector<Step> steps;
    friend std::ostream& operator<<(std::ostream& out, const Body& body) {
      out << "{cpu " << body.cpu << ":";
      for (const Step& step : body.steps) out << ' ' << step << ';';
      return out << "}";
    }
  };
  std::vector<Body> threads;
  std::vector<Step> dpcs[2];
  std::vector<Step> work;
  std::vector<Step> isr;
  std::vector<Step> child;  ///< of the thread that a thread makes, once each
  friend std::ostream& operator<<(std::ostream& out, const Drawn& drawn) {
    for (const Body& thread : drawn.threads) out << "thread " << thread << "\n";
    for (int i = 0; i < 2; ++i) out << "dpc" << i << ' ' << Body{0, drawn.dpcs[i]} << "\n";
    return out << "work " << Body{-1, drawn.work} << "\nisr " << Body{0, drawn.isr} << "\nchild "
               << Body{-1, drawn.child} << "\n";
  }
};

/// What a family of harnesses is made of.
struct Family {
  std::vector<Do> of_threads = {};
  std::vector<Do> of_dpcs = {};
  std::vector<Do> of_work = {};
  std::vector<Do> of_isr = {};
  std::vector<Do> of_children = {};
  std::size_t most_steps = 5;
};

inline rc::Gen<std::vector<Step>> arbitrary_steps(const std::vector<Do>& of, std::size_t most) {
  if (of.empty()) return rc::gen::just(std::vector<Step>{});
  const auto step = rc::gen::build<Step>(rc::gen::set(&Step::what, rc::gen::elementOf(of)),
                                         rc::gen::set(&Step::which, rc::gen::inRange<std::uint8_t>(0, 2)));
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(0, most + 1),
                         [step](std::size_t count) { return rc::gen::container<std::vector<Step>>(count, step); });
}

inline rc::Gen<Drawn> arbitrary_harness(const Family& family) {
  const auto thread = rc::gen::build<Drawn::Body>(
      rc::gen::set(&Drawn::Body::cpu, rc::gen::inRange(-1, 2)),
      rc::gen::set(&Drawn::Body::steps, arbitrary_steps(family.of_threads, family.most_steps)));
  return rc::gen::map(
      rc::gen::tuple(
          rc::gen::mapcat(
              rc::gen::inRange<std::size_t>(2, 4),
              [thread](std::size_t count) { return rc::gen::container<std::vector<Drawn::Body>>(count, thread); }),
          arbitrary_steps(family.of_dpcs, 2), arbitrary_steps(family.of_dpcs, 2), arbitrary_steps(family.of_work, 2),
          arbitrary_steps(family.of_isr, 2), arbitrary_steps(family.of_children, 3)),
      [](const auto& parts) {
        const auto& [threads, first, second, work, isr, child] = parts;
        return Drawn{threads, {first, second}, work, isr, child};
      });
}

/// A drawn harness in a run.
class DrawnHarness {
 public:
  explicit DrawnHarness(const Drawn& drawn, std::uint64_t& end) : drawn_(drawn), end_(end) {
    for (const Drawn::Body& body : drawn_.threads) {
      const std::uint64_t number = ++threads_;
      hunt::thread("thread", [this, &body, number] { go(body.steps, number, Kind::thread); },
                   {.cpu = body.cpu, .daemon = true});
    }
    hunt::at_end([this] {
      std::uint64_t state = sum_;
      for (const hunt::Shared<int>& word : words_) state = mix(state ^ static_cast<std::uint64_t>(word.peek()));
      end_ = state;
    });
  }

 private:
  enum class Kind : std::uint8_t { thread, child, work, dpc, isr };

  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return (x ^ (x >> 31)) + 0x9e3779b97f4a7c15u;
  }

  /// What cannot be done where it stands is left out. Each context adds up what it saw by itself: runs of one routine are alike.
  void go(const std::vector<Step>& steps, std::uint64_t who, Kind kind) {
    std::uint64_t seen = mix(who);
    bool locked[2] = {}, spun[2] = {}, raised = false, yielded = false;
    Irql below = Irql::passive;
    hunt::Thread* child = nullptr;
    const bool high = kind == Kind::dpc || kind == Kind::isr;
    const auto passive = [&] { return !high && !raised && !spun[0] && !spun[1]; };
    const auto note = [&seen](std::uint64_t value) { seen = mix(seen ^ value); };
    const auto unspin = [&](int i) {
      if (!spun[i]) return;
      spun[i] = false;
      kind == Kind::dpc ? spins_[i].release_from_dpc_level() : spins_[i].release();
    };
    for (const Step& step : steps) {
      const int i = step.which;
      switch (step.what) {
        case Do::load: note(static_cast<std::uint64_t>(words_[i].load(hunt::relaxed))); break;
        case Do::store: words_[i].store(static_cast<int>(who), hunt::relaxed); break;
        case Do::store_release: words_[i].store(static_cast<int>(who), hunt::release); break;
        case Do::store_seq_cst: words_[i].store(static_cast<int>(who)); break;
        case Do::add: note(static_cast<std::uint64_t>(words_[i].fetch_add(8))); break;
        case Do::fence: hunt::fence(); break;
        case Do::write_fence: hunt::write_fence(); break;
        case Do::lock:
          if (!passive() || locked[i]) break;
          mutexes_[i].lock();
          locked[i] = true;
          break;
        case Do::unlock:
          if (!locked[i]) break;
          mutexes_[i].unlock();
          locked[i] = false;
          break;
        case Do::spin:
          if (kind == Kind::isr || spun[0] || spun[1] || raised) break;
          kind == Kind::dpc ? spins_[i].acquire_at_dpc_level() : spins_[i].acquire();
          spun[i] = true;
          break;
        case Do::unspin: unspin(i); break;
        case Do::take:
          if (passive()) gate_.acquire();
          break;
        case Do::try_lock:
          if (!passive() || locked[i]) break;
          locked[i] = mutexes_[i].try_lock();
          note(locked[i]);
          break;
        case Do::try_spin:
          if (high || spun[0] || spun[1] || raised) break;
          spun[i] = spins_[i].try_acquire();
          note(spun[i]);
          break;
        case Do::try_take:
          if (passive()) note(gate_.try_acquire());
          break;
        case Do::yield:
          if (!yielded) hunt::yield();
          yielded = true;
          break;
        case Do::give:
          if (kind != Kind::isr) gate_.release();
          break;
        case Do::wait:
          if (passive()) doors_[i].wait();
          break;
        case Do::set:
          if (kind != Kind::isr) note(doors_[i].set());
          break;
        case Do::clear:
          if (kind != Kind::isr) doors_[i].clear();
          break;
        case Do::raise:
          if (!passive()) break;
          below = hunt::raise_irql(Irql::dispatch);
          raised = true;
          break;
        case Do::lower:
          if (raised) hunt::lower_irql(below);
          raised = false;
          break;
        case Do::insert: note(dpcs_[i].insert()); break;
        case Do::insert_on: note(dpcs_[0].insert_on(step.which)); break;
        case Do::remove: note(dpcs_[i].remove()); break;
        case Do::queue:
          if (kind != Kind::isr) work_.queue();
          break;
        case Do::arm:
          if (kind != Kind::isr) note(timer_.set(dpcs_[i]));
          break;
        case Do::cancel:
          if (kind != Kind::isr) note(timer_.cancel());
          break;
        case Do::request: line_.request(); break;
        case Do::spawn:
          if (kind != Kind::thread || child != nullptr) break;
          child = &hunt::make<hunt::Thread>(hunt::thread(
              "child", [this, who] { go(drawn_.child, who + 16, Kind::child); }, {.cpu = -1, .daemon = true}));
          break;
        case Do::join:
          if (child != nullptr && passive()) child->join();
          break;
        case Do::make: {
          auto& own = hunt::make<hunt::Shared<int>>("own");
          own.store(1, hunt::relaxed);
          note(static_cast<std::uint64_t>(words_[i].load(hunt::relaxed)));
          own.fetch_add(1);
          break;
        }
      }
    }
    unspin(0);
    unspin(1);
    if (raised) hunt::lower_irql(below);
    for (int i = 0; i < 2; ++i)
      if (locked[i]) mutexes_[i].unlock();
    sum_ += mix(seen);
  }

  const Drawn& drawn_;
  std::uint64_t& end_;
  std::uint64_t threads_ = 0;
  std::uint64_t sum_ = 0;
  hunt::Shared<int> words_[2]{hunt::Shared<int>("x"), hunt::Shared<int>("y")};
  hunt::Mutex mutexes_[2]{hunt::Mutex("m"), hunt::Mutex("n")};
  hunt::SpinLock spins_[2]{hunt::SpinLock("s"), hunt::SpinLock("t")};
  hunt::Semaphore gate_{"gate", 1};
  hunt::Event doors_[2]{{"door", hunt::Event::synchronization}, {"gong", hunt::Event::notification}};
  hunt::Dpc dpcs_[2]{{"dpc0", [this] { go(drawn_.dpcs[0], 5, Kind::dpc); }},
                     {"dpc1", [this] { go(drawn_.dpcs[1], 6, Kind::dpc); }}};
  hunt::WorkItem work_{"work", [this] { go(drawn_.work, 7, Kind::work); }};
  hunt::Timer timer_{"timer"};
  hunt::Interrupt line_{"line", 0, Irql::device, [this] { go(drawn_.isr, 9, Kind::isr); }};
};

}  // namespace vmbsim::testing
