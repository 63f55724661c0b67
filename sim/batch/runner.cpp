#include "sim/batch/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "sim/batch/folder.hpp"
#include "sim/config/file.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::batch {
namespace {

namespace fs = std::filesystem;
using How = workers::Crew::Ended::How;

constexpr std::int64_t commit_every_ms = 250;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Runner::Runner(Config config) : config_(std::move(config)), crew_(config_.jobs, config_.limits) {}
Runner::~Runner() = default;

std::optional<Problem> Runner::prepare() {
  if (config_.folder.empty()) return std::nullopt;
  std::error_code error;
  fs::create_directories(config_.folder / "logs", error);
  if (error) return config::problem_with(config_.folder.string(), "cannot be made a folder: " + error.message());
  const fs::path file = store_of(config_.folder, config_.shard.index, config_.shard.count);
  if (auto held = lock_.take(fs::path(file).replace_extension(".lock"))) return held;
  std::optional<std::string> rescued;
  auto opened = Store::open(file, config_.campaign, rescued);
  if (auto* wrong = std::get_if<Problem>(&opened)) return *wrong;
  store_ = std::get<std::unique_ptr<Store>>(std::move(opened));
  if (rescued) config_.tell(*rescued);
  return read_folder();
}

/// What is done, by whichever shard: a campaign may be divided otherwise than it was.
std::optional<Problem> Runner::read_folder() {
  const auto take = [&](const Store::Row& row) {
    if (done(row.record.status)) done_.push_back(row.record.key);
  };
  if (auto wrong = store_->each(Store::Depth::heads, take)) return wrong;
  const fs::path own = store_of(config_.folder, config_.shard.index, config_.shard.count);
  for (const fs::path& file : stores_in(config_.folder)) {
    if (file == own) continue;
    const auto other = Store::open(file);
    if (const auto* wrong = std::get_if<Problem>(&other)) {
      config_.tell(wrong->line());
      continue;
    }
    const Store& store = *std::get<std::unique_ptr<Store>>(other);
    if (const auto difference = store.campaign().differs_from(config_.campaign))
      return config::problem_with(file.string(),
                                  "holds " + *difference + "; name another folder with --out, or remove this one");
    if (const auto wrong = store.each(Store::Depth::heads, take)) config_.tell(wrong->line());
  }
  std::sort(done_.begin(), done_.end());
  done_.erase(std::unique(done_.begin(), done_.end()), done_.end());
  return std::nullopt;
}

std::optional<Problem> Runner::plan(std::uint64_t runs) {
  return store_ == nullptr ? std::nullopt : store_->plan(runs);
}

bool Runner::done_before(const Key& key) const { return std::binary_search(done_.begin(), done_.end(), key); }

std::variant<std::optional<Record>, Problem> Runner::recalled(const Key& key) const {
  if (!done_before(key)) return std::nullopt;
  auto found = store_->find(key);
  // What failed here may be done in the store of another shard.
  if (const auto* record = std::get_if<std::optional<Record>>(&found);
      record != nullptr && *record && !done((*record)->status))
    return std::nullopt;
  return found;
}

void Runner::start(Job job, std::uint32_t number) {
  auto log =
      std::make_unique<Log>(config_.folder.empty() ? fs::path() : config_.folder / "logs" / (job.key.text() + ".log"));
  const std::uint64_t id = job.number;
  const Attempt& attempt = at_work_.emplace(id, Attempt{std::move(job), number, std::move(log)}).first->second;
  crew_.start(
      id, [&](workers::BlackBox&) { return encoded(attempt.job.figures()); }, attempt.log->path());
}

Record Runner::record_of(const Attempt& attempt, workers::Crew::Ended& ended) const {
  Record record;
  record.key = attempt.job.key;
  record.parameters = attempt.job.parameters;
  record.seed = attempt.job.seed;
  record.attempts = attempt.number;
  record.processor_us = ended.processor_ns / 1000;
  const std::string said = ended.how == How::told ? "" : attempt.log->last_line();
  switch (ended.how) {
    case How::told:
      if (auto figures = figures_in(ended.text)) {
        record.status = figures->met ? Status::met : Status::unmet;
        record.figures = std::move(*figures);
      } else {
        record.status = Status::failed;
        record.reason = "its answer cannot be read";
      }
      break;
    case How::died:
      record.status = Status::crashed;
      record.reason = fmt::format("signal {}: {}{}{}", ended.signal, ::strsignal(ended.signal),
                                  said.empty() ? "" : "; it said last: ", said);
      break;
    case How::over_time:
    case How::endless:
    case How::asleep:
      record.status = Status::over_time;
      record.reason = fmt::format("beyond {}", config::to_text(std::chrono::milliseconds(config_.limits.time_ms)));
      break;
    case How::over_memory:
      record.status = Status::over_memory;
      record.reason = fmt::format("beyond {}: it held {:.1f} MiB", config::to_text(Bytes{config_.limits.memory_bytes}),
                                  static_cast<double>(ended.peak_bytes) / (1 << 20));
      break;
    case How::left:
      record.status = Status::failed;
      record.reason = said.empty() ? "it left without an answer" : said;
      break;
  }
  return record;
}

void Runner::on_ended(workers::Crew::Ended& ended, const Work& work, Summary& summary) {
  auto over = at_work_.extract(ended.id);
  Attempt& attempt = over.mapped();
  if (ended.how == How::died && attempt.number <= config_.retries) {
    again_.push_back(std::move(attempt));
    return;
  }
  const Record record = record_of(attempt, ended);
  ++(done(record.status) ? summary.standing.done : summary.standing.failed);
  if (record.status == Status::unmet) ++summary.unmet;
  if (!done(record.status) && summary.failure.empty())
    summary.failure = fmt::format("{}: {}", name_of(record.status), record.reason);
  if (store_ != nullptr && !summary.unwritten) summary.unwritten = store_->add(record);
  if (work.took) work.took(attempt.job.number, record);
}

void Runner::commit(Summary& summary) {
  if (store_ != nullptr && !summary.unwritten) summary.unwritten = store_->commit();
}

Summary Runner::run(const Work& work) {
  Summary summary;
  summary.standing = work.standing;
  summary.standing.done += summary.standing.before;
  Progress progress(work.progress);
  const std::int64_t started = now_ms();
  std::int64_t committed = started;
  for (bool all_begun = false;;) {
    if (config_.stop_asked()) summary.end = Summary::End::stopped;
    if (summary.unwritten) summary.end = Summary::End::unwritten;
    if (summary.end != Summary::End::complete) break;
    while (!crew_.full()) {
      if (!again_.empty()) {
        Attempt before = std::move(again_.front());
        again_.pop_front();
        before.log.reset();  // the next attempt has the same file
        start(std::move(before.job), before.number + 1);
        continue;
      }
      auto job = all_begun ? std::nullopt : work.next();
      all_begun = !job;
      if (all_begun) break;
      start(std::move(*job), 1);
    }
    if (crew_.empty()) break;
    summary.standing.running = at_work_.size();
    summary.standing.elapsed_ms = now_ms() - started;
    progress.show(summary.standing);
    if (auto ended = crew_.wait(100)) on_ended(*ended, work, summary);
    if (now_ms() - committed >= commit_every_ms) {
      committed = now_ms();
      commit(summary);
    }
  }
  crew_.dismiss();
  at_work_.clear();
  again_.clear();
  commit(summary);
  if (summary.unwritten) summary.end = Summary::End::unwritten;
  summary.standing.running = 0;
  summary.standing.elapsed_ms = now_ms() - started;
  progress.finish(summary.standing);
  return summary;
}

}  // namespace vmbsim::batch
