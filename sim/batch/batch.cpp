#include "sim/batch/batch.hpp"

#include <utility>

namespace vmbsim::batch {

Batch::Batch(Config config) : config_(std::move(config)), runner_(config_.runner) {}

std::optional<Problem> Batch::prepare() {
  if (auto wrong = runner_.prepare()) return wrong;
  const Shard& shard = config_.runner.shard;
  for (std::uint64_t i = shard.index; i < config_.plan.size(); i += shard.count) {
    ++standing_.planned;
    if (runner_.done_before(config_.plan.key_at(i))) ++standing_.before;
  }
  return runner_.plan(config_.plan.whole());
}

std::uint64_t Batch::not_done(std::uint64_t i) const {
  while (i < config_.plan.size() && runner_.done_before(config_.plan.key_at(i))) i += config_.runner.shard.count;
  return i;
}

Summary Batch::run() {
  std::uint64_t at = config_.runner.shard.index;
  const auto next = [&]() -> std::optional<Job> {
    at = not_done(at);
    if (at >= config_.plan.size()) return std::nullopt;
    const std::uint64_t number = std::exchange(at, at + config_.runner.shard.count);
    PlannedRun run = config_.plan.at(number);
    Job job{.number = number,
            .key = run.key,
            .parameters = values_of(config_.runner.campaign.parameters, run.point),
            .seed = run.seed,
            .figures = {}};
    job.figures = [this, run = std::move(run)] { return config_.run(run); };
    return job;
  };
  return runner_.run({.next = next, .standing = standing_, .progress = config_.progress});
}

}  // namespace vmbsim::batch
