#pragma once
/// A batch: every run of a plan that is this shard's. Run it again, and it goes on.
///
///   Batch batch(config);
///   if (auto problem = batch.prepare()) ...   // the lock, the store, what is done
///   const Summary summary = batch.run();
///
/// What the store holds in the end depends on the plan alone, however the batch was divided. Failed runs are tried again when
/// the batch is run again.
#include <cstdint>
#include <functional>
#include <optional>

#include "sim/batch/plan.hpp"
#include "sim/batch/runner.hpp"

namespace vmbsim::batch {

class Batch {
 public:
  struct Config {
    const Plan& plan;
    std::function<Figures(const PlannedRun&)> run;  ///< as Job::figures
    Runner::Config runner;
    ProgressForm progress = ProgressForm::none;
  };
  explicit Batch(Config config);

  std::optional<Problem> prepare();
  Summary run();

 private:
  /// What comes next of this shard's runs that are not done, from run `i` of the plan on.
  std::uint64_t not_done(std::uint64_t i) const;

  Config config_;
  Runner runner_;
  Standing standing_;
};

}  // namespace vmbsim::batch
