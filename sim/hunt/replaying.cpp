#include "sim/hunt/replaying.hpp"

#include <cstring>
#include <limits>

#include "sim/hunt/recorder.hpp"
#include "sim/hunt/story.hpp"
#include "sim/hunt/tape.hpp"
#include "sim/hunt/timeline.hpp"
#include "sim/hunt/words.hpp"

namespace vmbsim::hunt {

using workers::BlackBox;
using workers::Crew;

namespace {

constexpr std::size_t most_told = 16;  // findings
constexpr std::int64_t no_end = std::numeric_limits<std::int64_t>::max();

/// Digests what passes.
class Witness final : public kernel::ChoiceSource {
 public:
  Witness(kernel::ChoiceSource& source, Tape* tape) : source_(source), tape_(tape) {}
  std::uint32_t choose(const kernel::Choice& choice) override {
    const std::uint32_t taken = source_.choose(choice);
    if (choice.alternatives > 1 && taken != abandon) {
      digest.add(choice, taken);
      if (tape_ != nullptr) tape_->note(digest);
    }
    return taken;
  }
  AnswerDigest digest;

 private:
  kernel::ChoiceSource& source_;
  Tape* tape_;
};

/// Tells several listeners.
class Listeners final : public explore::StepListener {
 public:
  void add(explore::StepListener& one) { all_.push_back(&one); }
  void on_step(const explore::Step& step) override {
    for (explore::StepListener* one : all_) one->on_step(step);
  }
  explore::StepListener* any() { return all_.empty() ? nullptr : this; }

 private:
  std::vector<explore::StepListener*> all_;
};

Replayed run(explore::Program& program, kernel::ChoiceSource& source, const Wish& wish, BlackBox& box, Tape* tape,
             std::int64_t until) {
  Witness witness(source, tape);
  Recorder recorder(box);
  recorder.begin(witness, 0);
  Story story(program, &recorder, until);
  Timeline timeline(program);
  Listeners listeners;
  if (wish.story || wish.dot) listeners.add(story);
  if (wish.trace) listeners.add(timeline);
  if (tape != nullptr && listeners.any() != nullptr) {
    tape->begin(program, recorder);
    listeners.add(*tape);
  }
  const explore::Outcome& outcome = program.run(recorder, listeners.any());
  recorder.end(outcome.steps);
  Replayed told;
  told.findings.assign(outcome.findings.begin(), outcome.findings.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                                outcome.findings.size(), most_told)));
  told.end = outcome.end;
  told.fingerprint = outcome.fingerprint;
  told.questions = recorder.questions();
  told.steps = outcome.steps;
  told.switches = outcome.switches;
  told.preemptions = outcome.preemptions;
  told.digests = witness.digest.digests();
  told.taken = recorder.taken();
  told.goes_beyond = story.goes_beyond(outcome.findings);
  if (wish.story) told.story = story.columns(outcome.findings);
  if (wish.dot) told.dot = story.dot(outcome.waiting);
  if (wish.trace) told.trace = timeline.finish();
  return told;
}

Replayed run(explore::Program& program, const explore::Deviations& list, const Wish& wish, BlackBox& box, Tape* tape,
             std::int64_t until) {
  explore::Replay source(list, wish.mode);
  const explore::NameOf name_of = [&program](std::uint32_t actor) { return program.actor_name(actor); };
  source.follow_names(wish.actors, name_of);
  source.begin();
  Replayed told = run(program, source, wish, box, tape, until);
  told.actors = explore::names_in(told.taken, name_of);
  if (const auto mismatch = source.mismatch()) told.mismatch = mismatch->text();
  told.followed = source.followed();
  return told;
}

std::string text_of(const Replayed& told) {
  Line line;
  line.add(told.unmade).add(told.findings.size());
  for (const Finding& finding : told.findings) line.add(finding);
  line.add(static_cast<unsigned>(told.end)).add(told.fingerprint).add(told.questions).add(told.steps);
  line.add(told.switches).add(told.preemptions).add(told.goes_beyond ? 1 : 0).add(told.digests.size());
  for (const std::uint32_t digest : told.digests) line.add(digest);
  line.add(told.actors.size());
  for (const explore::ActorName& one : told.actors) line.add(one.actor).add(one.order).add(one.name);
  line.add(told.taken).add(told.mismatch).add(told.followed).add(told.story).add(told.dot).add(told.trace);
  return line.text();
}

bool read(const std::string& text, Replayed& told) {
  Reader reader(text);
  told.unmade = reader.word();
  for (std::size_t left = reader.count(most_told); left != 0; --left) told.findings.push_back(reader.finding());
  told.end = static_cast<explore::End>(reader.number());
  told.fingerprint = reader.digest();
  told.questions = reader.number();
  told.steps = reader.number();
  told.switches = reader.number();
  told.preemptions = reader.number();
  told.goes_beyond = reader.number() != 0;
  for (std::size_t left = reader.count(64); left != 0; --left)
    told.digests.push_back(static_cast<std::uint32_t>(reader.number()));
  for (std::size_t left = reader.count(text.size()); left != 0; --left) {
    const auto actor = static_cast<std::uint32_t>(reader.number());
    const auto order = static_cast<std::uint32_t>(reader.number());
    told.actors.push_back({actor, order, reader.word()});
  }
  told.taken = reader.deviations();
  told.mismatch = reader.word();
  told.followed = static_cast<std::size_t>(reader.number());
  told.story = reader.word();
  told.dot = reader.word();
  told.trace = reader.word();
  return reader.done();
}

}  // namespace

Finding finding_of(const Crew::Ended& ended) {
  Finding finding;
  finding.source = "vmbsim";
  switch (ended.how) {
    case Crew::Ended::How::endless:
      finding.rule = endless;
      finding.text = "the run uses processor time and makes no step";
      break;
    case Crew::Ended::How::asleep:
      finding.rule = endless;
      finding.text = "the run sleeps, or waits for the system, and makes no step";
      break;
    case Crew::Ended::How::died:
      finding.rule = "CRASH";
      finding.text = std::string("the run ends its process by a signal: ") + ::strsignal(ended.signal);
      break;
    default:
      finding.rule = "EXIT";
      finding.text = "the run ends its process";
      break;
  }
  return finding;
}

Replayed replay_here(explore::Program& program, const explore::Deviations& list, const Wish& wish, BlackBox& box) {
  return run(program, list, wish, box, nullptr, no_end);
}

Replayed run_here(explore::Program& program, kernel::ChoiceSource& source, BlackBox& box) {
  return run(program, source, {}, box, nullptr, no_end);
}

namespace {

/// Steps after `until` are not told.
Replayed replay(const Target& target, const Setting& setting, const explore::Deviations& list, const Wish& wish,
                unsigned patience_s, std::int64_t until) {
  Tape tape;
  const Crew::Ended ended = workers::in_child(
      [&](BlackBox& box) {
        Replayed told;
        const auto program = target.make(setting, told.unmade);
        if (program == nullptr) return text_of(told);
        return text_of(run(*program, list, wish, box, &tape, until));
      },
      patience_s);
  Replayed told;
  const bool whole = ended.how == Crew::Ended::How::told && read(ended.text, told);
  if (!whole) told = {};
  told.quiet_ns = ended.quiet_ns;
  if (whole) return told;
  told.findings = {finding_of(ended)};
  told.lost = true;
  told.taken = ended.box->notes<explore::Deviation>();
  told.questions = tape.questions();
  told.digests = tape.digests();
  told.steps = tape.steps();
  const auto names = tape.names();
  told.actors = explore::names_in(told.taken, [&names](std::uint32_t actor) { return names->actor_name(actor); });
  if (wish.story || wish.dot) {
    Story story(*names, nullptr);
    tape.tell(story);
    if (wish.story) {
      Finding last = told.findings.front();
      last.time = SimTime::max();  // it did not come any further
      told.story = story.columns({last});
    }
    if (wish.dot) told.dot = story.dot({});
  }
  if (wish.trace) {
    Timeline timeline(*names);
    tape.tell(timeline);
    told.trace = timeline.finish();
  }
  return told;
}

}  // namespace

Replayed replay(const Target& target, const Setting& setting, const explore::Deviations& list, const Wish& wish,
                unsigned patience_s) {
  Replayed told = replay(target, setting, list, wish, patience_s, no_end);
  if (told.goes_beyond) told = replay(target, setting, list, wish, patience_s, nanoseconds(told.findings.front().time));
  return told;
}

}  // namespace vmbsim::hunt
