#pragma once
/// A batch: every run of a plan in a process of its own, a few at a time, its answer in a store. Run it again, and it goes on.
///
///   Batch batch(config);
///   if (auto problem = batch.prepare()) ...   // the lock, the store, what is done
///   const Summary summary = batch.run();
///
/// Kept      Finished runs are committed four times a second and at the end: a batch that is killed loses at most the runs of
///           the last quarter of a second, and does them again.
/// Same      What the store holds in the end depends on the plan alone: not on jobs, shards, interruptions or their order.
/// Failed    A run whose process crashes is tried again; one beyond its limits, or without an answer, is not. Failed runs are
///           tried again when the batch is run again.
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/batch/cluster.hpp"
#include "sim/batch/lock.hpp"
#include "sim/batch/plan.hpp"
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

class Batch {
 public:
  struct Config {
    const Plan& plan;
    Campaign campaign;
    std::filesystem::path folder;
    /// Called in the run's own process. Throws what makes the run fail; what it prints goes to its log.
    std::function<Figures(const PlannedRun&)> run;
    Shard shard{};
    unsigned jobs = 1;
    workers::Limits limits{};
    unsigned retries = 1;  ///< of a crash
    ProgressForm progress = ProgressForm::none;
    std::function<bool()> stop_asked;
    std::function<void(const std::string&)> tell;  ///< a line for the user that is no failure
  };
  explicit Batch(Config config);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  std::optional<Problem> prepare();
  Summary run();

 private:
  struct Attempt {
    std::uint64_t run;
    std::uint32_t number;  // from 1
  };
  std::optional<Problem> read_folder();
  bool known(const Key& key) const;
  void skip_known();
  void start(const Attempt& attempt);
  void on_ended(workers::Crew::Ended& ended);
  void keep(const Record& record);
  void commit();
  std::filesystem::path log_of(const Key& key) const;
  std::int64_t elapsed_ms() const;

  Config config_;
  Lock lock_;
  std::unique_ptr<Store> store_;
  std::vector<Key> known_;     // done before, ascending
  std::uint64_t next_ = 0;     // run of the plan
  std::deque<Attempt> again_;  // crashed, to be tried once more
  std::map<std::uint64_t, Attempt> at_work_;
  workers::Crew crew_;
  Summary summary_;
  std::int64_t started_ms_ = 0;
  std::int64_t committed_ms_ = 0;
};

}  // namespace vmbsim::batch
