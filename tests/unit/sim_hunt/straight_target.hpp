#pragma once
/// Straight-line programs as targets of hunts, some with the bad manners that real ones have.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>

#include "sim/hunt/campaign.hpp"
#include "sim/hunt/target.hpp"
#include "tests/support/straight_line.hpp"

namespace vmbsim::testing {

/// What happens in a run whose threads lost an update.
enum class Manners { finds, finds_in_time, crashes, leaves, leaves_in_time, hangs, sleeps, naps, plods, needs_process };

/// Tells a listener each step that is chosen.
class Telling final : public kernel::ChoiceSource {
 public:
  Telling(kernel::ChoiceSource& source, explore::StepListener* listener) : source_(source), listener_(listener) {}
  std::uint32_t choose(const kernel::Choice& choice) override {
    const std::uint32_t taken = source_.choose(choice);
    if (listener_ == nullptr || choice.each.empty() || taken == abandon) return taken;
    const kernel::Alternative& one = choice.each[taken];
    listener_->on_step({.number = steps_++,
                        .actor = one.actor,
                        .processor = one.actor,
                        .irql = 0,
                        .operation = one.operation,
                        .text = "word " + std::to_string(one.operation.object)});
    return taken;
  }

 private:
  kernel::ChoiceSource& source_;
  explore::StepListener* listener_;
  std::uint64_t steps_ = 0;
};

/// Takes its time for each answer that is no default.
class Plodding final : public kernel::ChoiceSource {
 public:
  explicit Plodding(kernel::ChoiceSource& source) : source_(source) {}
  std::uint32_t choose(const kernel::Choice& choice) override {
    const std::uint32_t taken = source_.choose(choice);
    if (taken != 0 && taken != abandon) ::usleep(1'200'000);
    return taken;
  }

 private:
  kernel::ChoiceSource& source_;
};

class BadMannered final : public explore::Program {
 public:
  BadMannered(StraightLine program, Manners manners) : program_(std::move(program)), manners_(manners) {}
  const explore::Outcome& run(kernel::ChoiceSource& choices, explore::StepListener* listener) override {
    Telling telling(choices, listener);
    Plodding plodding(telling);
    kernel::ChoiceSource* const source =
        manners_ == Manners::plods ? &plodding : static_cast<kernel::ChoiceSource*>(&telling);
    const explore::Outcome& outcome = program_.run(*source, nullptr);
    if (!outcome.found()) return outcome;
    if (manners_ == Manners::crashes) ::raise(SIGSEGV);
    if (manners_ == Manners::leaves || manners_ == Manners::leaves_in_time) ::_exit(7);
    if (manners_ == Manners::hangs)
      for (volatile int turn = 0;;) turn = turn + 1;
    if (manners_ == Manners::sleeps) ::pause();
    while (manners_ == Manners::naps) ::usleep(1000);
    return outcome;
  }
  bool time_abstract() const override {
    return manners_ != Manners::leaves_in_time && manners_ != Manners::finds_in_time;
  }
  bool needs_process_per_run() const override { return manners_ == Manners::needs_process; }
  std::string actor_name(std::uint32_t actor) const override { return program_.actor_name(actor); }
  std::string object_name(std::uint32_t object) const override { return program_.object_name(object); }

 private:
  StraightLine program_;
  Manners manners_;
};

/// Threads that read a word and write one more, `turns` times each; broken when `lost` updates or more are lost.
class StraightTarget final : public hunt::Target {
 public:
  StraightTarget(std::size_t threads, std::size_t turns, std::uint64_t lost, Manners manners = Manners::finds)
      : threads_(threads), turns_(turns), lost_(lost), manners_(manners) {}

  std::string kind() const override { return "harness"; }
  std::string path() const override { return "counting"; }
  std::string content() const override { return "00000000000c0de" + std::to_string(turns_ % 10); }
  std::unique_ptr<explore::Program> make(const hunt::Setting& setting, std::string& why) const override {
    if (!setting.knobs.empty()) {
      why = "counting has no knobs";
      return nullptr;
    }
    Thread thread;
    for (std::size_t i = 0; i < turns_; ++i) {
      thread.push_back(load(1));
      thread.push_back(store_next(1));
    }
    const std::uint64_t all = threads_ * turns_;
    const auto broken = [all, lost = lost_](const StraightLine::Final& end) { return end.words[1] + lost <= all; };
    return std::make_unique<BadMannered>(
        StraightLine(vmbsim::testing::threads(threads_, thread), setting.memory, broken), manners_);
  }

 private:
  std::size_t threads_;
  std::size_t turns_;
  std::uint64_t lost_;
  Manners manners_;
};

/// A campaign as most tests want it.
inline hunt::Campaign::Config campaign_of(const hunt::Target& target, std::vector<std::string> strategies,
                                          std::uint64_t runs) {
  return {.target = target,
          .setting = {},
          .seed = Seed{7},
          .strategies = std::move(strategies),
          .runs = runs,
          .jobs = 1,
          .keep_going = false,
          .part = {},
          .swarm = true,
          .version = "test",
          .folder = {},
          .merged = {},
          .patience_s = 1,
          .on_progress = {},
          .stop_asked = [] { return false; }};
}

/// All that a verdict says, as one text to compare.
inline std::string told(const hunt::Verdict& verdict) {
  hunt::Line line;
  line.add(static_cast<unsigned>(verdict.end)).add(verdict.proof).add(verdict.runs).add(verdict.steps);
  line.add(verdict.covered).add(verdict.unseen_ppm.value_or(0));
  for (const hunt::Find& find : verdict.finds) hunt::add(line, find);
  for (const hunt::Lane& lane : verdict.lanes)
    line.add(lane.strategy).add(lane.runs).add(lane.steps).add(lane.rate).add(lane.exhausted ? 1 : 0);
  return line.text();
}

inline hunt::Verdict verdict_of(const hunt::Campaign::Config& config) {
  hunt::Campaign campaign(config);
  if (const auto problem = campaign.prepare()) throw std::runtime_error(problem->line());
  return campaign.run();
}

}  // namespace vmbsim::testing
