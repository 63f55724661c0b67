#pragma once
/// Child processes that work on their own and answer with a text, a few at a time.
///
///   Crew crew(4, {.patience_s = 10});
///   crew.start(7, [&](BlackBox& box) { return work(box); });
///   while (auto ended = crew.wait(200)) ...
///
/// Isolation  A child is a copy of this process; its standard streams lead nowhere, or to its log. It ends with its parent,
///            however that ends. Signals that ask to stop are the parent's business.
/// Limits     A child beyond one of them is killed. They are looked at some twenty times a second; its memory once more when
///            it has ended by itself, so that a short run is judged as a long one is. Patience is with the child alone: what it
///            waits for a processor or a disk, or is stopped for, does not count. When it is at its end the child is told
///            first (foreign::send_stuck): it may know whose code keeps it, and go on without.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/workers/black_box.hpp"

namespace vmbsim::workers {

/// What a child may take; 0: as much as it wants.
struct Limits {
  unsigned patience_s = 0;        ///< processor time, and time asleep, without a tick of its black box
  std::int64_t time_ms = 0;       ///< from its start, by the wall clock
  std::int64_t memory_bytes = 0;  ///< resident, what it shares with its parent included
};

class Crew {
 public:
  Crew(unsigned places, Limits limits) : places_(places), limits_(limits) {}
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  using Work = std::function<std::string(BlackBox&)>;
  struct Ended {
    enum class How : std::uint8_t {
      told,         ///< `text` is the answer
      died,         ///< by `signal`
      left,         ///< by exit, or an exception that nobody caught
      endless,      ///< no progress in its processor time
      asleep,       ///< no progress, for it sleeps
      over_time,    ///< killed: beyond its time
      over_memory,  ///< killed, or its answer left aside: beyond its memory
    };
    std::uint64_t id = 0;
    How how = How::left;
    int signal = 0;
    std::int64_t quiet_ns = 0;      ///< the longest from one tick to the next, as patience counts it: seen every 50 ms, or less often
    std::int64_t wall_ns = 0;       ///< from start to end
    std::int64_t processor_ns = 0;  ///< that it and its children kept processors busy
    std::int64_t peak_bytes = 0;    ///< most memory it held
    std::string text;
    std::unique_ptr<BlackBox> box;
  };

  bool full() const { return workers_.size() >= places_; }
  bool empty() const { return workers_.empty(); }
  /// Must not be full. Asserts that the system gives a process. `log` takes what the child prints; empty: nothing does.
  void start(std::uint64_t id, const Work& work, const std::filesystem::path& log = {});
  /// The next child that ends within `milliseconds`, 1 or more; nothing when none does, or a signal came.
  std::optional<Ended> wait(int milliseconds);
  /// Tells all of them, through their black boxes.
  void ask_to_stop();
  /// Ends all of them at once; their work is lost.
  void dismiss();
  /// Steps and runs of those that work now.
  std::uint64_t steps() const;
  std::uint64_t runs() const;

 private:
  struct Worker {
    std::uint64_t id;
    pid_t process;
    int from;
    std::unique_ptr<BlackBox> box;
    std::string text;
    std::int64_t started_ns;
    std::uint64_t ticks = 0;
    std::int64_t used_ns = 0;                   // of the child's processor time, at the last look
    std::int64_t busy_ns = 0;                   // since the last tick
    std::int64_t asleep_ns = 0;                 // the same
    std::int64_t quiet_ns = 0;                  // most of both that a tick ended
    std::optional<Ended::How> told_stuck = {};  // that it is stuck, and how
  };
  std::optional<Ended::How> stuck(Worker& worker, std::int64_t now_ns) const;
  std::optional<Ended::How> beyond(Worker& worker, std::int64_t now_ns) const;
  std::optional<Ended> look();
  Ended finish(std::size_t at, std::optional<Ended::How> killed);

  unsigned places_;
  Limits limits_;
  std::vector<Worker> workers_;
  std::int64_t looked_ns_ = 0;  // when the limits were looked at last
};

/// Processors that this process may use, 1 to 256: a cluster gives it fewer than the machine has.
unsigned processors();

/// One child for one piece of work. `waiting`, of a worker that waits for it, ticks meanwhile: the child is watched over here.
/// Once `stop_asked` says so the child is asked to stop.
Crew::Ended in_child(const Crew::Work& work, unsigned patience_s, BlackBox* waiting = nullptr,
                     const std::function<bool()>& stop_asked = {});

}  // namespace vmbsim::workers
