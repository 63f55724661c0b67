#pragma once
/// Runs that somebody asks for, each in a process of its own, a few at a time, and what they gave in a store: what a batch and a
/// plan are made of.
///
///   Runner runner(config);
///   if (auto problem = runner.prepare()) ...   // the lock, the store, what is done
///   const Summary summary = runner.run(work);
///
/// Kept      Finished runs are committed four times a second and at the end: who is killed loses at most the runs of the last
///           quarter of a second, and does them again.
/// Same      What the store holds in the end depends on the jobs alone: not on how many work at once, on interruptions or their
///           order.
/// Failed    A run whose process crashes is tried again; one beyond its limits, or without an answer, is not. A failed run is
///           kept with its reason, and counts as not done. What a run prints goes to its log.
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sim/batch/cluster.hpp"
#include "sim/batch/lock.hpp"
#include "sim/batch/log.hpp"
#include "sim/batch/progress.hpp"
#include "sim/batch/store.hpp"
#include "sim/workers/crew.hpp"

namespace vmbsim::batch {

struct Summary {
  enum class End : std::uint8_t { complete, stopped, unwritten };
  End end = End::complete;
  Standing standing;
  std::uint64_t unmet = 0;           ///< of the runs that are done
  std::string failure;               ///< why the first run failed that did; empty: none did
  std::optional<Problem> unwritten;  ///< why
};

/// A run to be done.
struct Job {
  std::uint64_t number = 0;  ///< by which whoever asks knows it; no two of one Work have the same
  Key key;
  std::vector<std::string> parameters;  ///< as a Record has them
  Seed seed;
  /// Called in the run's own process. Throws what makes the run fail.
  std::function<Figures()> figures;
};

/// What is asked of a Runner.
struct Work {
  std::function<std::optional<Job>()> next;                         ///< nothing: that was the last
  std::function<void(std::uint64_t number, const Record&)> took{};  ///< called when a run is over; empty: nobody asks
  Standing standing{};  ///< planned, done before and failed before any begins
  ProgressForm progress = ProgressForm::none;
};

class Runner {
 public:
  struct Config {
    Campaign campaign;
    std::filesystem::path folder;  ///< of the store and the logs; empty: nothing is kept
    Shard shard{};                 ///< whose store it is
    unsigned jobs = 1;
    workers::Limits limits{};
    unsigned retries = 1;  ///< of a crash
    std::function<bool()> stop_asked;
    std::function<void(const std::string&)> tell;  ///< a line for the user that is no failure
  };
  explicit Runner(Config config);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  const Config& config() const { return config_; }

  /// To be called first: takes the lock, opens the store, and sees what the folder holds, of whichever shard. What is wrong.
  std::optional<Problem> prepare();
  /// Writes down how many runs the whole campaign has.
  std::optional<Problem> plan(std::uint64_t runs);
  /// Whether the folder had the run, done, when it was opened.
  bool done_before(const Key& key) const;
  /// What the run gave, where this shard's store had it, done, when it was opened.
  std::variant<std::optional<Record>, Problem> recalled(const Key& key) const;

  /// Does all of them, or as many as were finished when it was told to stop.
  Summary run(const Work& work);

 private:
  struct Attempt {
    Job job;
    std::uint32_t number;  // from 1
    std::unique_ptr<Log> log;
  };
  std::optional<Problem> read_folder();
  void start(Job job, std::uint32_t number);
  void on_ended(workers::Crew::Ended& ended, const Work& work, Summary& summary);
  Record record_of(const Attempt& attempt, workers::Crew::Ended& ended) const;
  void commit(Summary& summary);

  Config config_;
  Lock lock_;
  std::unique_ptr<Store> store_;
  std::vector<Key> done_;      // before, ascending
  std::deque<Attempt> again_;  // crashed, to be tried once more
  std::map<std::uint64_t, Attempt> at_work_;
  workers::Crew crew_;
};

}  // namespace vmbsim::batch
