#include "sim/hunt/slice.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "sim/explore/strategies.hpp"
#include "sim/hunt/recorder.hpp"
#include "sim/hunt/replaying.hpp"

namespace vmbsim::hunt {

using workers::BlackBox;
using workers::Crew;

namespace {

constexpr std::size_t most_finds = 64;  // of a slice, different ones
constexpr std::size_t most_listed = 1 << 20;

/// What one run told, with what the recorder saw: as much as a slice wants to know of it.
struct Told {
  explore::Outcome outcome;
  explore::Deviations taken;
};

/// The whole of a slice as it goes on.
class Worker {
 public:
  Worker(const SliceContext& context, const Slice& slice, BlackBox& box)
      : context_(context),
        slice_(slice),
        setting_(context.setting),
        box_(box),
        recorder_(box),
        strategy_(explore::make_strategy(slice.strategy, context.seed)) {
    std::string why;
    setting_.knobs.insert(setting_.knobs.end(), slice.knobs.begin(), slice.knobs.end());
    program_ = make_drawn(context.target, setting_, context.setting.knobs.size(), why);
    if (program_ == nullptr) throw std::runtime_error(why);
    if (!slice.state.empty()) strategy_->restore(slice.state);
    result_.number = slice.number;
  }

  SliceResult work() {
    for (std::uint64_t i = 0; i < slice_.places.size() && !over_; ++i) {
      if (!context_.keep_going && slice_.places[i] > context_.earliest.load(std::memory_order_relaxed)) {
        result_.complete = false;
        break;
      }
      if (program_->needs_process_per_run())
        run_elsewhere(i);
      else
        run_here(i, recorder_);
    }
    if (!strategy_->independent_runs() && !lost_state_) {
      result_.state = strategy_->save();
      // The last run may have been the last there is.
      if (!over_ && result_.complete && !strategy_->begin(slice_.first + slice_.places.size()))
        result_.exhausted = true;
    }
    result_.covered = strategy_->covered();
    return std::move(result_);
  }

 private:
  void run_here(std::uint64_t i, Recorder& recorder) {
    if (!strategy_->begin(slice_.first + i)) {
      over_ = result_.exhausted = true;
      return;
    }
    recorder.begin(*strategy_, i);
    const explore::Outcome& outcome = program_->run(recorder);
    recorder.end(outcome.steps);
    strategy_->end(outcome, recorder.taken());
    note(i, outcome, recorder.taken());
  }

  /// The run happens in a copy of this process, from which come its slice of one run and the strategy's new state.
  void run_elsewhere(std::uint64_t i) {
    box_.begin(i);
    const std::uint64_t steps_before = result_.steps;
    const Crew::Ended ended = workers::in_child(
        [&](BlackBox& box) {
          Recorder recorder(box);
          run_here(i, recorder);
          Line line;
          line.add(result_.text()).add(strategy_->save());
          return line.text();
        },
        context_.patience_s, &box_);
    Reader reader(ended.text);
    const std::string text = reader.word();
    Reader inner(text);
    auto result = SliceResult::read(inner);
    const std::string state = reader.word();
    if (ended.how != Crew::Ended::How::told || !result || !reader.done()) return note_lost(i, ended);
    over_ = result->exhausted || (!context_.keep_going && !result->finds.empty());
    result_ = std::move(*result);
    if (!state.empty()) strategy_->restore(state);
    box_.end(result_.steps - steps_before);
  }

  /// The run ended its process: it is a find. A strategy whose state went with it has no more runs.
  void note_lost(std::uint64_t i, const Crew::Ended& ended) {
    ++result_.lost;
    add_find({.place = slice_.places[i],
              .strategy = slice_.strategy,
              .run = slice_.first + i,
              .setting = setting_,
              .finding = finding_of(ended),
              .fingerprint = {},
              .deviations = ended.box->notes<explore::Deviation>(),
              .lost = true});
    lost_state_ = !strategy_->independent_runs();
    over_ = over_ || lost_state_;
    box_.end(0);
  }

  void add_find(Find find) {
    if (!context_.keep_going) over_ = true;
    if (result_.finds.size() >= most_finds || !mistakes_.insert(mistake_of(find.finding)).second) return;
    result_.finds.push_back(std::move(find));
  }

  void note(std::uint64_t i, const explore::Outcome& outcome, const explore::Deviations& taken) {
    result_.steps += outcome.steps;
    result_.yielded += outcome.held_back ? 1 : 0;
    switch (outcome.end) {
      case explore::End::finished: ++result_.runs; break;
      case explore::End::abandoned: ++result_.abandoned; break;
      case explore::End::cut: ++result_.cut; break;
    }
    for (const std::uint32_t feature : outcome.features) {
      if (context_.known.test(feature) || met_.test(feature)) continue;
      met_.set(feature);
      result_.features.push_back(feature);
    }
    if (outcome.trace_class != 0) result_.classes.add(outcome.trace_class);
    for (const std::string& goal : outcome.goals) result_.goals.insert(goal);
    for (const std::string& goal : outcome.reached) result_.reached.insert(goal);
    if (!outcome.found()) return;
    add_find({.place = slice_.places[i],
              .strategy = slice_.strategy,
              .run = slice_.first + i,
              .setting = setting_,
              .finding = outcome.findings.front(),
              .fingerprint = outcome.fingerprint,
              .deviations = taken});
  }

  const SliceContext& context_;
  const Slice& slice_;
  Setting setting_;
  BlackBox& box_;
  Recorder recorder_;
  std::unique_ptr<explore::Strategy> strategy_;
  std::unique_ptr<explore::Program> program_;
  SliceResult result_;
  Coverage met_;
  std::set<std::string> mistakes_;
  bool over_ = false;
  bool lost_state_ = false;
};

}  // namespace

std::string mistake_of(const Finding& finding) {
  constexpr std::string_view decimal = "0123456789";
  constexpr std::string_view hexadecimal = "0123456789abcdefABCDEF";
  std::string mistake = finding.rule + '\n' + finding.call + '\n';
  std::string_view rest = finding.text;
  while (!rest.empty()) {
    const bool prefixed = rest.starts_with("0x") || rest.starts_with("0X");
    const std::size_t number =
        std::min(prefixed ? rest.find_first_not_of(hexadecimal, 2) : rest.find_first_not_of(decimal), rest.size());
    mistake += number == 0 ? rest.front() : '0';
    rest.remove_prefix(std::max<std::size_t>(number, 1));
  }
  return mistake;
}

bool is_hang(const std::string& mistake) { return mistake.starts_with(std::string(endless) + '\n'); }

void add(Line& line, const Find& find) {
  line.add(find.place).add(find.strategy).add(find.run).add(static_cast<unsigned>(find.setting.memory));
  line.add(find.setting.knobs.size());
  for (const std::string& knob : find.setting.knobs) line.add(knob);
  line.add(find.finding).add(find.fingerprint).add(find.deviations).add(find.lost ? 1 : 0);
}

Find read_find(Reader& reader) {
  Find find;
  find.place = reader.number();
  find.strategy = reader.word();
  find.run = reader.number();
  find.setting.memory = static_cast<explore::MemoryModel>(reader.number());
  for (std::size_t left = reader.count(most_listed); left != 0; --left) find.setting.knobs.push_back(reader.word());
  find.finding = reader.finding();
  find.fingerprint = reader.digest();
  find.deviations = reader.deviations();
  find.lost = reader.number() != 0;
  return find;
}

std::string SliceResult::text() const {
  Line line;
  line.add(number)
      .add(runs)
      .add(abandoned)
      .add(cut)
      .add(lost)
      .add(yielded)
      .add(steps)
      .add(exhausted ? 1 : 0)
      .add(complete ? 1 : 0);
  line.add(features.size());
  for (const std::uint32_t feature : features) line.add(feature);
  line.add(classes.classes().size());
  for (const auto& [trace_class, times] : classes.classes()) line.add(trace_class).add(times);
  for (const std::set<std::string>* names : {&goals, &reached}) {
    line.add(names->size());
    for (const std::string& goal : *names) line.add(goal);
  }
  line.add(finds.size());
  for (const Find& find : finds) add(line, find);
  line.add(state).add(covered);
  return line.text();
}

std::optional<SliceResult> SliceResult::read(Reader& reader) {
  SliceResult result;
  result.number = reader.number();
  result.runs = reader.number();
  result.abandoned = reader.number();
  result.cut = reader.number();
  result.lost = reader.number();
  result.yielded = reader.number();
  result.steps = reader.number();
  result.exhausted = reader.number() != 0;
  result.complete = reader.number() != 0;
  for (std::size_t left = reader.count(Coverage{}.size()); left != 0; --left) {
    const std::uint64_t feature = reader.number();
    if (feature >= Coverage{}.size()) return std::nullopt;
    result.features.push_back(static_cast<std::uint32_t>(feature));
  }
  for (std::size_t left = reader.count(Sketch::capacity); left != 0; --left) {
    const std::uint64_t trace_class = reader.number();
    result.classes.add(trace_class, reader.number());
  }
  for (std::set<std::string>* names : {&result.goals, &result.reached})
    for (std::size_t left = reader.count(most_listed); left != 0; --left) names->insert(reader.word());
  for (std::size_t left = reader.count(most_finds); left != 0; --left) result.finds.push_back(read_find(reader));
  result.state = reader.word();
  result.covered = reader.word();
  if (!reader.done()) return std::nullopt;
  return result;
}

std::unique_ptr<explore::Program> make_drawn(const Target& target, Setting& setting, std::size_t said,
                                             std::string& why) {
  auto program = target.make(setting, why);
  while (program == nullptr && setting.knobs.size() > said) {
    setting.knobs.pop_back();
    program = target.make(setting, why);
  }
  return program;
}

SliceResult do_slice(const SliceContext& context, const Slice& slice, BlackBox& box) {
  return Worker(context, slice, box).work();
}

}  // namespace vmbsim::hunt
