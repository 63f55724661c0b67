#pragma once
/// Child processes that work on their own and answer with a text, a few at a time.
///
///   Crew crew(4, 10);
///   crew.start(7, [&](BlackBox& box) { return work(box); });
///   while (auto ended = crew.wait(200)) ...
///
/// Isolation  A child is a copy of this process without standard streams. It ends with its parent, however that ends.
/// Endless    a child that uses up `patience` seconds of processor time without a tick of its black box is killed.
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/hunt/black_box.hpp"

namespace vmbsim::hunt {

class Crew {
 public:
  Crew(unsigned places, unsigned patience_s) : places_(places), patience_s_(patience_s) {}
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  using Work = std::function<std::string(BlackBox&)>;
  struct Ended {
    enum class How : std::uint8_t {
      told,     ///< `text` is the answer
      died,     ///< by `signal`
      left,     ///< by exit, or an exception that nobody caught
      endless,  ///< no progress
    };
    std::uint64_t id = 0;
    How how = How::left;
    int signal = 0;
    std::string text;
    std::unique_ptr<BlackBox> box;
  };

  bool full() const { return workers_.size() >= places_; }
  bool empty() const { return workers_.empty(); }
  /// Must not be full. Asserts that the system gives a process.
  void start(std::uint64_t id, const Work& work);
  /// The next child that ends within `milliseconds`; nothing when none does, or a signal came.
  std::optional<Ended> wait(int milliseconds);
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
    std::uint64_t ticks = 0;
    std::int64_t quiet_since_ns = 0;  // of the child's processor time
  };
  bool stuck(Worker& worker) const;
  Ended finish(std::size_t at, bool killed);

  unsigned places_;
  unsigned patience_s_;
  std::vector<Worker> workers_;
};

/// One child for one piece of work.
Crew::Ended in_child(const Crew::Work& work, unsigned patience_s);

}  // namespace vmbsim::hunt
