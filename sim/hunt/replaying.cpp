#include "sim/hunt/replaying.hpp"

#include <cstring>

#include "sim/hunt/recorder.hpp"
#include "sim/hunt/story.hpp"
#include "sim/hunt/timeline.hpp"
#include "sim/hunt/words.hpp"

namespace vmbsim::hunt {

using workers::BlackBox;
using workers::Crew;

namespace {

constexpr std::size_t most_told = 16;  // findings

/// Digests what passes; leaves the run at a question whose number is known to be its last.
class Witness final : public kernel::ChoiceSource {
 public:
  Witness(kernel::ChoiceSource& source, std::uint64_t leave_at) : source_(source), left_(leave_at) {}
  std::uint32_t choose(const kernel::Choice& choice) override {
    if (left_ != 0 && --left_ == 0 && !choice.each.empty()) return abandon;
    const std::uint32_t taken = source_.choose(choice);
    if (choice.alternatives > 1 && taken != abandon) digest.add(choice, taken);
    return taken;
  }
  AnswerDigest digest;

 private:
  kernel::ChoiceSource& source_;
  std::uint64_t left_;  // questions until it leaves; 0: never
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

Replayed run(explore::Program& program, const explore::Deviations& list, const Wish& wish, BlackBox& box,
             std::uint64_t leave_at) {
  explore::Replay source(list, wish.mode);
  source.begin();
  Witness witness(source, leave_at);
  Recorder recorder(box);
  recorder.begin(witness, 0);
  Story story(program, recorder);
  Timeline timeline(program);
  Listeners listeners;
  if (wish.story || wish.dot) listeners.add(story);
  if (wish.trace) listeners.add(timeline);
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
  if (const auto mismatch = source.mismatch()) told.mismatch = mismatch->text();
  told.followed = source.followed();
  if (wish.story) told.story = story.columns();
  if (wish.dot) told.dot = story.dot(outcome.waiting);
  if (wish.trace) told.trace = timeline.finish();
  return told;
}

std::string text_of(const Replayed& told) {
  Line line;
  line.add(told.unmade).add(told.findings.size());
  for (const Finding& finding : told.findings) line.add(finding);
  line.add(static_cast<unsigned>(told.end)).add(told.fingerprint).add(told.questions).add(told.steps);
  line.add(told.switches).add(told.preemptions).add(told.digests.size());
  for (const std::uint32_t digest : told.digests) line.add(digest);
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
  for (std::size_t left = reader.count(64); left != 0; --left)
    told.digests.push_back(static_cast<std::uint32_t>(reader.number()));
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
      finding.rule = "ENDLESS";
      finding.text = "the run uses processor time and makes no step";
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
  return run(program, list, wish, box, 0);
}

Replayed replay(const Target& target, const Setting& setting, const explore::Deviations& list, const Wish& wish,
                unsigned patience_s) {
  const auto in_own_process = [&](const Wish& wanted, std::uint64_t leave_at) {
    return workers::in_child(
        [&](BlackBox& box) {
          Replayed told;
          const auto program = target.make(setting, told.unmade);
          if (program == nullptr) return text_of(told);
          // Only a time-abstract program can be left.
          if (leave_at != 0 && !program->time_abstract()) leave_at = 0;
          return text_of(run(*program, list, wanted, box, leave_at));
        },
        patience_s);
  };
  Crew::Ended ended = in_own_process(wish, 0);
  Replayed told;
  if (ended.how == Crew::Ended::How::told && read(ended.text, told)) return told;
  const Finding finding = finding_of(ended);
  // Again, up to the last question before its end: what can be told, is told by that.
  const std::uint64_t questions = ended.box->ticks() - 1;  // its first tick is the run's beginning
  const explore::Deviations taken = ended.box->notes<explore::Deviation>();
  if (wish.story || wish.dot || wish.trace) {
    const Crew::Ended before = in_own_process(wish, questions);
    if (before.how != Crew::Ended::How::told || !read(before.text, told)) told = {};
  }
  told.findings = {finding};
  told.lost = true;
  told.taken = taken;
  told.mismatch.clear();
  return told;
}

}  // namespace vmbsim::hunt
