#pragma once
/// What survives a worker: a piece of memory that it shares with its parent and writes as it goes, so that whatever ends it, the
/// parent knows which run that was and what it noted of it.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

namespace vmbsim::workers {

class BlackBox {
 public:
  /// Bytes of notes that are kept of one run. The memory is the system's until it is written.
  static constexpr std::size_t capacity = 1 << 26;

  BlackBox();
  ~BlackBox();
  BlackBox(const BlackBox&) = delete;
  BlackBox& operator=(const BlackBox&) = delete;

  // ---- From the worker ----

  /// Run number `run` of the worker's (from 0) begins.
  void begin(std::uint64_t run) {
    page_->notes.store(0, std::memory_order_relaxed);
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
  /// One worker notes records of one type; those beyond the capacity are not kept.
  template <class Record>
  void note(const Record& record) {
    static_assert(std::is_trivially_copyable_v<Record>);
    const std::uint64_t at = page_->notes.load(std::memory_order_relaxed);
    if (at < capacity / sizeof(Record)) std::memcpy(list() + at * sizeof(Record), &record, sizeof(Record));
    page_->notes.store(at + 1, std::memory_order_release);
  }

  bool asked_to_stop() const { return page_->stop.load(std::memory_order_relaxed); }

  // ---- From the parent ----

  void clear();
  /// Whoever works for long looks at it now and then, and hands over what there is.
  void ask_to_stop() { page_->stop.store(true, std::memory_order_relaxed); }
  std::uint64_t run() const { return page_->run.load(std::memory_order_relaxed); }
  bool running() const { return page_->running.load(std::memory_order_acquire); }
  std::uint64_t runs() const { return page_->runs.load(std::memory_order_relaxed); }
  std::uint64_t steps() const { return page_->steps.load(std::memory_order_relaxed); }
  std::uint64_t ticks() const { return page_->ticks.load(std::memory_order_relaxed); }
  /// What was noted of the run that is going on, or was when the worker ended.
  template <class Record>
  std::vector<Record> notes() const {
    std::uint64_t many = page_->notes.load(std::memory_order_acquire);
    if (many > capacity / sizeof(Record)) many = capacity / sizeof(Record);
    std::vector<Record> records(static_cast<std::size_t>(many));
    if (many != 0) std::memcpy(records.data(), list(), records.size() * sizeof(Record));
    return records;
  }

 private:
  struct Page {
    std::atomic<std::uint64_t> run, runs, steps, ticks, notes;
    std::atomic<bool> running, stop;
  };
  char* list() const;

  Page* page_;
};

}  // namespace vmbsim::workers
