#include "sim/hunt/critical.hpp"

#include <fmt/format.h>

#include "sim/explore/replay.hpp"
#include "sim/hunt/recorder.hpp"
#include "sim/hunt/replaying.hpp"
#include "sim/kernel/random.hpp"

namespace vmbsim::hunt {

namespace {

constexpr std::uint32_t continuations = 24;       // per place
constexpr std::uint32_t few_continuations = 6;    // of runs that take long
constexpr std::uint64_t long_run = 20'000;        // steps
constexpr std::uint64_t departures_in_time = 16;  // where time orders the actors, one answer in so many is random

const char* verb_of(kernel::Access access) {
  switch (access) {
    case kernel::Access::none: return "goes on";
    case kernel::Access::read: return "reads";
    case kernel::Access::write: return "writes";
    case kernel::Access::update: return "updates";
    case kernel::Access::acquire: return "acquires";
    case kernel::Access::release: return "releases";
  }
  return "goes on";
}

/// The recorded run up to a question, then chance.
class Continuation final : public kernel::ChoiceSource {
 public:
  Continuation(const explore::Deviations& list, std::uint64_t from, kernel::Stream stream,
               const explore::Program& program)
      : replay_(list), from_(from), stream_(stream), program_(program) {
    replay_.begin();
  }

  std::uint32_t choose(const kernel::Choice& choice) override {
    if (choice.alternatives < 2) return 0;
    const std::uint64_t index = index_++;
    if (index < from_) return replay_.choose(choice);
    const bool sure = choice.each.empty() && stream_.below(departures_in_time) != 0;
    const auto taken = sure ? 0 : static_cast<std::uint32_t>(stream_.below(choice.alternatives));
    if (index == from_) first_text_ = described(choice, taken);
    return taken;
  }
  /// What it answered first after the recorded part.
  const std::string& first_text() const { return first_text_; }

  std::string described(const kernel::Choice& choice, std::uint32_t taken) const {
    if (choice.each.empty())
      return fmt::format("{}: answer {} of {} ({})", program_.actor_name(choice.actor), taken, choice.alternatives,
                         name_of(choice.point));
    const kernel::Alternative& one = choice.each[taken];
    std::string text = fmt::format("{} {}", program_.actor_name(one.actor), verb_of(one.operation.access));
    if (one.operation.object != 0) text += " " + program_.object_name(one.operation.object);
    return text;
  }

 private:
  explore::Replay replay_;
  std::uint64_t from_;
  kernel::Stream stream_;
  const explore::Program& program_;
  std::uint64_t index_ = 0;
  std::string first_text_;
};

/// Tells what the recorded run answered at one question.
class Told final : public kernel::ChoiceSource {
 public:
  Told(const explore::Deviations& list, std::uint64_t at, const Continuation& words)
      : replay_(list), at_(at), words_(words) {
    replay_.begin();
  }
  std::uint32_t choose(const kernel::Choice& choice) override {
    if (choice.alternatives < 2) return 0;
    const std::uint32_t taken = replay_.choose(choice);
    if (index_++ == at_ && taken != abandon) text = words_.described(choice, taken);
    return taken;
  }
  std::string text;

 private:
  explore::Replay replay_;
  std::uint64_t at_;
  const Continuation& words_;
  std::uint64_t index_ = 0;
};

}  // namespace

std::optional<Critical> critical_choice(explore::Program& program, const explore::Deviations& list,
                                        std::uint64_t questions, const std::string& mistake, Seed seed,
                                        workers::BlackBox& box, const std::function<bool()>& over) {
  Recorder recorder(box);
  const bool hangs = is_hang(mistake);
  std::uint32_t tries = hangs ? few_continuations : continuations;
  bool cut = false;
  Critical critical;
  // How many continuations from `from` fail; one that passed is remembered. Where it only matters whether one passes, those
  // that hang are too long to try the others, too.
  const auto failing = [&](std::uint64_t from, bool to_count) {
    std::uint32_t failed = 0;
    for (std::uint32_t i = 0; i < tries; ++i) {
      if ((cut = cut || over())) break;
      Continuation source(list, from, kernel::Stream(seed, "critical", fmt::format("{} {}", from, i)), program);
      recorder.begin(source, 0);
      const explore::Outcome& outcome = program.run(recorder);
      recorder.end(outcome.steps);
      if (outcome.steps > long_run) tries = few_continuations;
      const bool fails = shows(mistake, outcome.findings);
      failed += fails ? 1 : 0;
      if (!outcome.found() && !source.first_text().empty()) critical.passes = source.first_text();
      if (hangs && !fails && !to_count) break;
    }
    return failed;
  };
  std::uint64_t good = 0;         // some continuation from here passes
  std::uint64_t bad = questions;  // none does
  if (questions == 0 || failing(0, false) == tries) return std::nullopt;
  while (bad - good > 1 && !cut) {
    const std::uint64_t middle = good + (bad - good) / 2;
    (failing(middle, false) < tries ? good : bad) = middle;
  }
  critical.passes.clear();
  critical.question = good;
  critical.failed = failing(good, true);
  critical.tried = tries;
  if (cut || over() || critical.passes.empty()) return std::nullopt;
  const Continuation words(list, good, kernel::Stream(seed, "critical", "words"), program);
  Told told(list, good, words);
  recorder.begin(told, 0);
  recorder.end(program.run(recorder).steps);
  critical.fails = told.text;
  if (critical.fails == critical.passes) return std::nullopt;
  return critical;
}

}  // namespace vmbsim::hunt
