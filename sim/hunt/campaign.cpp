#include "sim/hunt/campaign.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <new>

#include "sim/explore/strategies.hpp"
#include "sim/hunt/replaying.hpp"
#include "sim/kernel/random.hpp"
#include "vmbsim/assert.hpp"

namespace vmbsim::hunt {

using workers::BlackBox;
using workers::Crew;

namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

std::vector<Lane> lanes_of(const Campaign::Config& config) {
  std::vector<Lane> lanes;
  for (const std::string& name : config.strategies) {
    const auto strategy = explore::make_strategy(name, config.seed);
    VMBSIM_ASSERT(strategy != nullptr, "a campaign is given strategies that exist");
    lanes.push_back({.strategy = name, .independent = strategy->independent_runs(), .covered = {}});
  }
  return lanes;
}

std::optional<Problem> unusable(const Target& target, const std::string& why) {
  std::optional<Problem> problem(std::in_place);
  problem->place.file = target.path();
  problem->text = why;
  return problem;
}

}  // namespace

Campaign::Campaign(Config config)
    : config_(std::move(config)),
      journal_(identity()),
      portfolio_(lanes_of(config_), config_.part),
      crew_(config_.jobs, {.patience_s = config_.patience_s}) {
  void* const memory = ::mmap(nullptr, sizeof *earliest_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  VMBSIM_ASSERT(memory != MAP_FAILED, "there is memory for one number");
  earliest_ = new (memory) std::atomic<std::uint64_t>(never);
}

Campaign::~Campaign() { ::munmap(earliest_, sizeof *earliest_); }

Identity Campaign::identity() const {
  const auto joined = [](const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& one : all) text += (text.empty() ? "" : " ") + one;
    return text;
  };
  // Of the target its content counts and the name helps; where it lies is nobody's business.
  const std::string file = std::filesystem::path(config_.target.path()).filename().string();
  return {{"target", config_.target.kind() + " " + file + " (content " + config_.target.content() + ")"},
          {"vmbsim", config_.version},
          {"seed", std::to_string(config_.seed.value)},
          {"memory", name_of(config_.setting.memory)},
          {"strategies", joined(config_.strategies)},
          {"--set", joined(config_.setting.knobs)},
          {"finds", config_.keep_going ? "all" : "the first"},
          {"swarm", config_.swarm ? "yes" : "no"},
          {"parts", config_.part ? "some" : "one"}};
}

std::optional<Problem> Campaign::prepare() {
  const Crew::Ended probe = workers::in_child(
      [&](BlackBox&) {
        std::string why;
        const auto program = config_.target.make(config_.setting, why);
        Line line;
        line.add(program != nullptr ? 1 : 0).add(program != nullptr && program->time_abstract() ? 1 : 0).add(why);
        return line.text();
      },
      config_.patience_s);
  Reader reader(probe.text);
  const bool made = reader.number() != 0;
  time_abstract_ = reader.number() != 0;
  const std::string why = reader.word();
  if (probe.how != Crew::Ended::How::told) return unusable(config_.target, "loading it ends the process or never ends");
  if (!made) return unusable(config_.target, why);
  if (!config_.folder.empty())
    if (auto bad = journal_.open(config_.folder)) return bad;
  for (const auto& folder : config_.merged)
    if (auto bad = journal_.take(folder)) return bad;
  return std::nullopt;
}

// ---- Slices ----

/// Every second slice draws its knobs, but for searches, which go on in the same program. Source: Groce et al., "Swarm testing", ISSTA'12.
void Campaign::draw_knobs(Slice& slice) const {
  if (!config_.swarm || slice.number % 2 == 0 || !portfolio_.lanes()[slice.lane].independent) return;
  kernel::Stream stream(config_.seed, "swarm", std::to_string(slice.number));
  slice.knobs = config_.target.swarm(stream);
}

void Campaign::start(const Piece& piece) {
  Slice slice = *tasks_[piece.task].slice;
  slice.first += piece.from;
  slice.places.assign(slice.places.begin() + static_cast<std::ptrdiff_t>(piece.from),
                      slice.places.begin() + static_cast<std::ptrdiff_t>(piece.to));
  const std::uint64_t id = pieces_++;
  at_work_.emplace(id, piece);
  crew_.start(id, [this, &slice](BlackBox& box) {
    const SliceContext context{.target = config_.target,
                               .setting = config_.setting,
                               .seed = config_.seed,
                               .keep_going = config_.keep_going,
                               .known = known_,
                               .patience_s = config_.patience_s,
                               .earliest = *earliest_};
    return do_slice(context, slice, box).text();
  });
}

void Campaign::note_finds(const std::vector<Find>& finds) {
  for (const Find& find : finds) {
    if (find.place < earliest_->load()) earliest_->store(find.place);
    const auto [at, fresh] = finds_.emplace(mistake_of(find.finding), find);
    if (!fresh && find.place < at->second.place) at->second = find;
  }
}

void Campaign::on_piece_done(Task& task) {
  if (--task.pieces_left != 0) return;
  SliceResult& result = task.gathered;
  std::sort(result.finds.begin(), result.finds.end(), [](const Find& a, const Find& b) { return a.place < b.place; });
  note_finds(result.finds);
  steps_ += result.steps;
  runs_ += result.made();
  if (result.complete && !journal_.add(*task.slice, result)) unwritten_ = true;
}

void Campaign::on_told(const Piece& piece, SliceResult result) {
  Task& task = tasks_[piece.task];
  SliceResult& all = task.gathered;
  all.number = task.slice->number;
  all.runs += result.runs;
  all.abandoned += result.abandoned;
  all.cut += result.cut;
  all.lost += result.lost;
  all.yielded += result.yielded;
  all.steps += result.steps;
  all.exhausted = all.exhausted || result.exhausted;
  all.complete = all.complete && result.complete;
  all.features.insert(all.features.end(), result.features.begin(), result.features.end());
  all.classes.merge(result.classes);
  all.goals.merge(result.goals);
  all.reached.merge(result.reached);
  for (Find& find : result.finds) all.finds.push_back(std::move(find));
  if (piece.to == task.slice->places.size()) {
    all.state = std::move(result.state);
    all.covered = std::move(result.covered);
  }
  on_piece_done(task);
}

/// What the slice's runs were made with.
Setting Campaign::setting_of(const Slice& slice) const {
  Setting setting = config_.setting;
  if (slice.knobs.empty()) return setting;
  setting.knobs.insert(setting.knobs.end(), slice.knobs.begin(), slice.knobs.end());
  const Crew::Ended ended = workers::in_child(
      [&](BlackBox&) {
        std::string why;
        Setting made = setting;
        make_drawn(config_.target, made, config_.setting.knobs.size(), why);
        return std::to_string(made.knobs.size());
      },
      config_.patience_s);
  Reader reader(ended.text);
  setting.knobs.resize(reader.count(setting.knobs.size()));
  return setting;
}

/// The worker's run is a find; what it had done before is done again without that run.
void Campaign::on_lost(const Piece& piece, const Crew::Ended& ended) {
  Task& task = tasks_[piece.task];
  const Slice& slice = *task.slice;
  const std::uint64_t at = std::min(piece.from + ended.box->run(), piece.to - 1);
  task.gathered.number = slice.number;
  ++task.gathered.lost;
  task.gathered.finds.push_back({.place = slice.places[at],
                                 .strategy = slice.strategy,
                                 .run = slice.first + at,
                                 .setting = setting_of(slice),
                                 .finding = finding_of(ended),
                                 .fingerprint = {},
                                 .deviations = ended.box->notes<explore::Deviation>(),
                                 .lost = true});
  if (config_.keep_going) {
    const auto again = [&](std::uint64_t from, std::uint64_t to) {
      if (from == to) return;
      waiting_.push_back({piece.task, from, to});
      ++task.pieces_left;
    };
    again(piece.from, at);
    // A strategy whose state was lost with the worker ends here.
    if (portfolio_.lanes()[slice.lane].independent) again(at + 1, piece.to);
  }
  on_piece_done(task);
}

void Campaign::on_ended(Crew::Ended& ended) {
  const auto at = at_work_.find(ended.id);
  const Piece piece = at->second;
  at_work_.erase(at);
  if (ended.how == Crew::Ended::How::told) {
    Reader reader(ended.text);
    if (auto result = SliceResult::read(reader)) {
      on_told(piece, std::move(*result));
      return;
    }
    ended.how = Crew::Ended::How::left;  // a stray exit in the middle of its answer
  }
  on_lost(piece, ended);
}

/// False when it was stopped.
bool Campaign::do_epoch(const std::vector<Slice>& slices, std::vector<const SliceResult*>& results) {
  tasks_.clear();
  waiting_.clear();
  tasks_.resize(slices.size());
  for (std::size_t i = 0; i < slices.size(); ++i) {
    tasks_[i].slice = &slices[i];
    if (const SliceResult* known = journal_.find(slices[i])) {
      note_finds(known->finds);
      steps_ += known->steps;
      runs_ += known->made();
      continue;
    }
    if (!portfolio_.mine(slices[i])) continue;
    tasks_[i].pieces_left = 1;
    waiting_.push_back({i, 0, slices[i].places.size()});
  }
  std::size_t next = 0;
  while (next < waiting_.size() || !crew_.empty()) {
    if (config_.stop_asked() || unwritten_) {
      crew_.dismiss();
      at_work_.clear();
      return false;
    }
    while (next < waiting_.size() && !crew_.full()) {
      const Piece piece = waiting_[next++];
      const bool too_late = !config_.keep_going && tasks_[piece.task].slice->places[piece.from] > earliest_->load();
      if (!too_late) start(piece);
    }
    if (crew_.empty()) continue;
    if (auto ended = crew_.wait(200)) on_ended(*ended);
    show();
  }
  for (std::size_t i = 0; i < slices.size(); ++i) results[i] = journal_.find(slices[i]);
  return !unwritten_;
}

// ---- The verdict ----

void Campaign::show() {
  if (!config_.on_progress) return;
  config_.on_progress({.runs = runs_ + crew_.runs(),
                       .steps = steps_ + crew_.steps(),
                       .covered = known_.count(),
                       .unseen_ppm = classes_.unseen_ppm(),
                       .finds = finds_.size()});
}

/// Runs of this campaign, or this part of it, from its first up to the find. A search that came to its end used fewer places
/// than it was given; everybody else used up those before the find.
std::uint64_t Campaign::runs_up_to(const Find& find, const std::vector<Slice>& slices) const {
  std::uint64_t sum = portfolio_.runs() + 1;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    const SliceResult* const known = journal_.find(slices[i]);
    if (known == nullptr && !portfolio_.mine(slices[i])) continue;
    const SliceResult& result = known != nullptr ? *known : tasks_[i].gathered;
    const std::vector<std::uint64_t>& places = slices[i].places;
    const auto before =
        static_cast<std::uint64_t>(std::lower_bound(places.begin(), places.end(), find.place) - places.begin());
    sum += result.exhausted ? std::min(before, result.made()) : before;
  }
  return sum;
}

Verdict Campaign::run() {
  Verdict verdict;
  verdict.time_abstract = time_abstract_;
  for (;;) {
    std::vector<Slice> slices = portfolio_.plan(config_.runs);
    if (slices.empty()) {
      verdict.end = portfolio_.over() ? Verdict::End::covered : Verdict::End::limit;
      break;
    }
    for (Slice& slice : slices) draw_knobs(slice);
    std::vector<const SliceResult*> results(slices.size());
    if (!do_epoch(slices, results)) {
      verdict.end = unwritten_ ? Verdict::End::unwritten : Verdict::End::stopped;
      break;
    }
    if (!finds_.empty() && !config_.keep_going) {
      verdict.end = Verdict::End::found;
      const auto first = std::min_element(finds_.begin(), finds_.end(),
                                          [](const auto& a, const auto& b) { return a.second.place < b.second.place; });
      verdict.runs = runs_up_to(first->second, slices);
      break;
    }
    portfolio_.learn(slices, results, known_);
    for (const SliceResult* result : results) {
      if (result == nullptr) continue;
      classes_.merge(result->classes);
      goals_.insert(result->goals.begin(), result->goals.end());
      reached_.insert(result->reached.begin(), result->reached.end());
    }
    for (const Lane& lane : portfolio_.lanes())
      if (lane.exhausted && lane.cut == 0 && lane.lost == 0 && !lane.covered.empty() && time_abstract_ &&
          explore::proves(lane.strategy)) {
        verdict.proof = lane.strategy;
        verdict.fair_yields = lane.yielded != 0;
      }
    if (!verdict.proof.empty()) {
      verdict.end = finds_.empty() ? Verdict::End::proved : Verdict::End::covered;
      break;
    }
  }
  for (const auto& [key, find] : finds_) verdict.finds.push_back(find);
  std::sort(verdict.finds.begin(), verdict.finds.end(), [](const Find& a, const Find& b) { return a.place < b.place; });
  if (verdict.end == Verdict::End::found) verdict.finds.resize(1);
  verdict.lanes = portfolio_.lanes();
  for (const Lane& lane : verdict.lanes) verdict.steps += lane.steps;
  if (verdict.end != Verdict::End::found) verdict.runs = portfolio_.runs();
  verdict.covered = known_.count();
  verdict.unseen_ppm = classes_.unseen_ppm();
  verdict.reached = reached_;
  std::set_difference(goals_.begin(), goals_.end(), reached_.begin(), reached_.end(),
                      std::inserter(verdict.never_met, verdict.never_met.end()));
  return verdict;
}

}  // namespace vmbsim::hunt
