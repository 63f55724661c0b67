/// Guided by coverage: keeps the schedules that covered something new, and runs small changes of them.
///
/// Kept     at most 256 lists of deviations, each with what it did (not what was planned); a newcomer takes a place by chance.
/// Changes  a deviation more, one fewer, one moved, one answered otherwise, the end of another list; a few at a time. One run
///          in eight starts from nothing.
/// Source   the mutations of AFL and libFuzzer on inputs, here on schedules.
#include <algorithm>
#include <bitset>

#include "sim/explore/makers.hpp"
#include "sim/explore/sampler.hpp"
#include "sim/explore/state_text.hpp"

namespace vmbsim::explore {
namespace {

class Mutate final : public Sampler {
 public:
  explicit Mutate(Seed seed) : Sampler(seed, "mutate") {}

  bool begin(std::uint64_t run) override {
    Sampler::begin(run);
    index_ = 0;
    next_ = 0;
    plan_.clear();
    if (run == 0) return true;
    if (!kept_.empty() && !stream().chance(1, 8)) plan_ = kept_[stream().below(kept_.size())];
    for (std::uint64_t changes = 1 + stream().below(4); changes != 0; --changes) change();
    std::stable_sort(plan_.begin(), plan_.end(), [](const Answer& a, const Answer& b) { return a.index < b.index; });
    return true;
  }

  std::uint32_t choose(const kernel::Choice& choice) override {
    if (choice.alternatives == 1) return 0;
    const std::uint64_t index = index_++;
    while (next_ < plan_.size() && plan_[next_].index < index) ++next_;
    if (next_ == plan_.size() || plan_[next_].index != index) return 0;
    return 1 + static_cast<std::uint32_t>(plan_[next_].value % (choice.alternatives - 1));
  }

  void end(const Outcome& outcome, const Deviations& taken) override {
    questions_ = std::max(questions_, index_);
    bool is_new = false;
    for (const std::uint32_t feature : outcome.features) {
      is_new = is_new || !covered_[feature % covered_.size()];
      covered_[feature % covered_.size()] = true;
    }
    if (!is_new) return;
    std::vector<Answer> list;
    for (const Deviation& one : taken) list.push_back({one.index, one.taken - 1});
    if (kept_.size() < most_kept)
      kept_.push_back(std::move(list));
    else
      kept_[stream().below(most_kept)] = std::move(list);
  }

  bool independent_runs() const override { return false; }

  std::string save() const override {
    StateWriter writer;
    writer.add(questions_).add(kept_.size());
    for (const std::vector<Answer>& list : kept_) {
      writer.add(list.size());
      for (const Answer& one : list) writer.add(one.index).add(one.value);
    }
    writer.add(covered_.count());
    for (std::size_t feature = 0; feature < covered_.size(); ++feature)
      if (covered_[feature]) writer.add(feature);
    return writer.take();
  }
  void restore(std::string_view state) override {
    if (state.empty()) return;
    StateReader reader(state);
    const std::uint64_t questions = reader.number();
    std::vector<std::vector<Answer>> kept(reader.count());
    for (std::vector<Answer>& list : kept) {
      list.resize(reader.count());
      for (Answer& one : list) {
        one.index = reader.number();
        one.value = reader.number();
      }
    }
    std::bitset<65536> covered;
    for (std::size_t left = reader.count(); left != 0; --left) covered[reader.number() % covered.size()] = true;
    if (!reader.ok()) return;
    questions_ = questions;
    kept_ = std::move(kept);
    covered_ = covered;
  }

 private:
  static constexpr std::size_t most_kept = 256;

  struct Answer {
    std::uint64_t index;  ///< of the question
    std::uint64_t value;  ///< the answer other than the default is this one, modulo how many there are
  };

  void change() {
    const std::uint64_t questions = std::max<std::uint64_t>(questions_, 1);
    if (plan_.empty() || stream().below(3) == 0) {
      plan_.push_back({stream().below(questions), stream().below(64)});
      return;
    }
    const auto at = static_cast<std::ptrdiff_t>(stream().below(plan_.size()));
    Answer& one = plan_[static_cast<std::size_t>(at)];
    switch (stream().below(4)) {
      case 0: plan_.erase(plan_.begin() + at); break;
      case 1: {
        const std::uint64_t by = std::uint64_t{1} << stream().below(6);
        one.index = stream().below(2) == 0 ? one.index + by : one.index - std::min(one.index, by);
        break;
      }
      case 2: one.value = stream().below(64); break;
      default: {
        if (kept_.empty()) break;
        const std::vector<Answer>& other = kept_[stream().below(kept_.size())];
        const std::uint64_t from = one.index;
        plan_.erase(std::remove_if(plan_.begin(), plan_.end(), [&](const Answer& a) { return a.index > from; }),
                    plan_.end());
        for (const Answer& a : other)
          if (a.index > from) plan_.push_back(a);
      }
    }
  }

  std::vector<Answer> plan_;  // of this run, by index
  std::size_t next_ = 0;      // of plan_
  std::uint64_t index_ = 0;
  std::uint64_t questions_ = 0;  // most that a run asked
  std::vector<std::vector<Answer>> kept_;
  std::bitset<65536> covered_;
};

}  // namespace

std::unique_ptr<Strategy> make_mutate(Seed seed) { return std::make_unique<Mutate>(seed); }

}  // namespace vmbsim::explore
