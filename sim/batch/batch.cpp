#include "sim/batch/batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <system_error>

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

/// The last line of a log: what a run said before it left.
std::string last_line(const fs::path& log) {
  std::ifstream in(log);
  std::string line, last;
  while (std::getline(in, line))
    if (!line.empty()) last = line;
  return last;
}

}  // namespace

Batch::Batch(Config config) : config_(std::move(config)), crew_(config_.jobs, config_.limits) {}
Batch::~Batch() = default;

fs::path Batch::log_of(const Key& key) const { return config_.folder / "logs" / (key.text() + ".log"); }

std::int64_t Batch::elapsed_ms() const { return now_ms() - started_ms_; }

std::optional<Problem> Batch::prepare() {
  started_ms_ = committed_ms_ = now_ms();
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
  if (auto wrong = read_folder()) return wrong;
  return store_->plan(config_.plan.size());
}

/// What is done, by whichever shard: a batch may be divided otherwise than it was.
std::optional<Problem> Batch::read_folder() {
  const auto take = [&](const Store::Row& row) {
    if (done(row.record.status)) known_.push_back(row.record.key);
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
  std::sort(known_.begin(), known_.end());
  known_.erase(std::unique(known_.begin(), known_.end()), known_.end());
  next_ = config_.shard.index;
  for (std::uint64_t i = next_; i < config_.plan.size(); i += config_.shard.count) {
    ++summary_.standing.planned;
    if (known(config_.plan.key_at(i))) ++summary_.standing.before;
  }
  summary_.standing.done = summary_.standing.before;
  return std::nullopt;
}

bool Batch::known(const Key& key) const { return std::binary_search(known_.begin(), known_.end(), key); }

void Batch::skip_known() {
  while (next_ < config_.plan.size() && known(config_.plan.key_at(next_))) next_ += config_.shard.count;
}

void Batch::start(const Attempt& attempt) {
  const PlannedRun run = config_.plan.at(attempt.run);
  at_work_[attempt.run] = attempt;
  crew_.start(
      attempt.run, [&](workers::BlackBox&) { return encoded(config_.run(run)); }, log_of(run.key));
}

void Batch::on_ended(workers::Crew::Ended& ended) {
  const Attempt attempt = at_work_.at(ended.id);
  at_work_.erase(ended.id);
  const PlannedRun run = config_.plan.at(attempt.run);
  const fs::path log = log_of(run.key);
  Record record;
  record.key = run.key;
  record.parameters = values_of(config_.campaign.parameters, run.point);
  record.seed = run.seed;
  record.attempts = attempt.number;
  record.processor_us = ended.processor_ns / 1000;
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
      if (attempt.number <= config_.retries) {
        again_.push_back({attempt.run, attempt.number + 1});
        return;
      }
      record.status = Status::crashed;
      record.reason = fmt::format("signal {}: {}", ended.signal, ::strsignal(ended.signal));
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
      record.reason = last_line(log);
      break;
  }
  std::error_code ignored;
  if (fs::file_size(log, ignored) == 0) fs::remove(log, ignored);
  keep(record);
}

void Batch::keep(const Record& record) {
  ++(done(record.status) ? summary_.standing.done : summary_.standing.failed);
  if (record.status == Status::unmet) ++summary_.unmet;
  if (!done(record.status) && summary_.failure.empty())
    summary_.failure = fmt::format("{}: {}", name_of(record.status), record.reason);
  if (!summary_.unwritten) summary_.unwritten = store_->add(record);
}

void Batch::commit() {
  committed_ms_ = now_ms();
  if (!summary_.unwritten) summary_.unwritten = store_->commit();
}

Summary Batch::run() {
  Progress progress(config_.progress);
  for (;;) {
    if (config_.stop_asked()) summary_.end = Summary::End::stopped;
    if (summary_.unwritten) summary_.end = Summary::End::unwritten;
    if (summary_.end != Summary::End::complete) break;
    for (skip_known(); !crew_.full(); skip_known()) {
      if (!again_.empty()) {
        const Attempt attempt = again_.front();
        again_.pop_front();
        start(attempt);
      } else if (next_ < config_.plan.size()) {
        start({next_, 1});
        next_ += config_.shard.count;
      } else {
        break;
      }
    }
    if (crew_.empty()) break;
    summary_.standing.running = at_work_.size();
    summary_.standing.elapsed_ms = elapsed_ms();
    progress.show(summary_.standing);
    if (auto ended = crew_.wait(100)) on_ended(*ended);
    if (now_ms() - committed_ms_ >= commit_every_ms) commit();
  }
  crew_.dismiss();
  commit();
  if (summary_.unwritten) summary_.end = Summary::End::unwritten;
  summary_.standing.running = 0;
  summary_.standing.elapsed_ms = elapsed_ms();
  progress.finish(summary_.standing);
  return summary_;
}

}  // namespace vmbsim::batch
