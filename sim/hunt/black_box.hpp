#pragma once
/// What survives a worker: a piece of memory that it shares with its parent and writes as it goes, so that whatever ends it, the
/// parent knows which run that was and which answers it was given.
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sim/explore/deviations.hpp"

namespace vmbsim::hunt {

class BlackBox {
 public:
  /// Answers that are kept of one run. The memory is the system's until it is written.
  static constexpr std::size_t capacity = 1 << 20;

  BlackBox();
  ~BlackBox();
  BlackBox(const BlackBox&) = delete;
  BlackBox& operator=(const BlackBox&) = delete;

  // ---- From the worker ----

  /// Run number `run` of the slice (from 0) begins.
  void begin(std::uint64_t run) {
    page_->deviations.store(0, std::memory_order_relaxed);
    page_->run.store(run, std::memory_order_relaxed);
    page_->running.store(true, std::memory_order_release);
    tick();
  }
  void end(std::uint64_t steps) {
    page_->running.store(false, std::memory_order_relaxed);
    page_->steps.store(page_->steps.load(std::memory_order_relaxed) + steps, std::memory_order_relaxed);
    page_->runs.store(page_->runs.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// Something happened: the run makes progress.
  void tick() { page_->ticks.store(page_->ticks.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  void note(const explore::Deviation& deviation) {
    const std::uint64_t at = page_->deviations.load(std::memory_order_relaxed);
    if (at < capacity) list()[at] = deviation;
    page_->deviations.store(at + 1, std::memory_order_release);
  }

  // ---- From the parent ----

  void clear();
  std::uint64_t run() const { return page_->run.load(std::memory_order_relaxed); }
  bool running() const { return page_->running.load(std::memory_order_acquire); }
  std::uint64_t runs() const { return page_->runs.load(std::memory_order_relaxed); }
  std::uint64_t steps() const { return page_->steps.load(std::memory_order_relaxed); }
  std::uint64_t ticks() const { return page_->ticks.load(std::memory_order_relaxed); }
  /// The answers of the run that is going on, or was when the worker ended.
  explore::Deviations deviations() const;

 private:
  struct Page {
    std::atomic<std::uint64_t> run, runs, steps, ticks, deviations;
    std::atomic<bool> running;
  };
  explore::Deviation* list() const;

  Page* page_;
};

}  // namespace vmbsim::hunt
