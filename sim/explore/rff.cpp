/// Reads-from fuzzing: leads each run towards orders of conflicting accesses that no run has shown yet.
///
/// Site     where an actor stands, as far as its earlier steps tell: actors that do the same have the same sites, however many
///          they are.
/// Plan     how a run is led: every pending step has a priority, drawn for its site or for its actor (and again when it loses a
///          race, as in partial order sampling), or looks go first, or who made the fewest steps; in some runs nobody makes two
///          steps where others can; one to four sites are held until nothing else can go on; buffered stores may be held, too.
/// Look     who only reads goes first, then who reads and changes in one step or takes a lock, and plain stores come last: so
///          everybody acts on what others are about to change.
/// Order    that a step at one site followed one at another site, of another actor, on an object of both and next to it there:
///          what a read reads from, who changes it after whom, who takes a lock after whom.
/// First    everybody keeps step with everybody: plain stores wait for all else, buffered ones until nothing else can go on,
///          and then the youngest of the processor that is furthest behind. More bugs show in that run than in any other.
///          The next eleven are looks with held sites, in three of them an actor goes on while it can: most bugs are found by
///          then. After that most plans go by sites.
/// Foresee  what each actor did in the run before is taken for what it will do: several plans are drawn and played through on
///          that, and the run follows the one that promises most: orders, and pairs of orders, that are rare or new, and sites
///          that were not held yet. More plans are weighed in the first runs, which find most of the bugs.
/// Torn     is a run in which two actors come after each other: none with one of the two before the other is its equal. It
///          counts eight times, as what happens one after the other seldom breaks.
/// Doubt    what was promised counts as seen even when the run did not keep it. So a promise that never holds is not followed
///          for ever.
/// Size     a bug that hangs on d orders between sites needs a number of runs that grows with d, not with the number of
///          actors or the length of the run.
/// Source   Wolff, Shi, Duck, Mathur, Roychoudhury, "Greybox fuzzing for concurrency testing", ASPLOS'24 (reads-from pairs of
///          abstract events as feedback and as aim); Chistikov, Majumdar, Niksic, "Hitting families of schedules for
///          asynchronous programs", CAV'16 (few schedules show all orders of d events); Yuan, Yang, Gu, "Partial order aware
///          concurrency sampling", CAV'18; Joshi, Park, Sen, Naik, "CalFuzzer", CAV'09 (holding before a conflicting access);
///          Lu, Tucek, Qin, Zhou, "AVIO: detecting atomicity violations via access interleaving invariants", ASPLOS'06 (torn).
#include <algorithm>
#include <limits>
#include <utility>

#include "sim/explore/dependence.hpp"
#include "sim/explore/makers.hpp"
#include "sim/explore/sampler.hpp"
#include "sim/explore/state_text.hpp"

namespace vmbsim::explore {
namespace {

using kernel::Access;
using kernel::Alternative;
using kernel::ChoicePoint;

constexpr std::uint64_t odd = 0x9e3779b97f4a7c15u;  // spreads small numbers

template <class T>
T& at(std::vector<T>& of, std::size_t index) {
  if (index >= of.size()) of.resize(index + 1);
  return of[index];
}

struct Plan {
  enum class By : std::uint8_t {
    site,   ///< each site has a priority
    actor,  ///< each actor has one, and another one when its next step lost a race
    turn,   ///< who made the fewest steps goes first
    look,   ///< who only looks goes before who changes, plain stores are last; among equals by `next`, then as by actor
    step,   ///< plain stores are last; the fewest steps go first, among equals the last actor again, then the oldest
  };
  enum class Next : std::uint8_t { anybody, another, same };  // than the actor of the last step
  By by = By::site;
  Next next = Next::anybody;  ///< decides before sites, actors and turns do
  bool stores_late = false;   ///< buffered stores become visible when nothing else can go on
  std::uint64_t salt = 0;     ///< what all priorities follow from, whoever asks first
  std::vector<std::uint64_t> held;
};

/// A run so far, made or foreseen: where everybody stands, and which orders came about.
class Walk {
 public:
  void begin() {
    actors_.assign(actors_.size(), {});
    objects_.assign(objects_.size(), {});
    follows_.assign(follows_.size(), 0);
    orders_.clear();
    steps_on_.assign(steps_on_.size(), 0);
    last_ = 0;
    torn_ = false;
  }

  std::uint64_t site_of(const Alternative& step) const {
    const kernel::Operation& operation = step.operation;
    const std::uint64_t before = step.actor < actors_.size() ? actors_[step.actor].site : 0;
    const std::uint64_t what = (std::uint64_t{operation.object} << 8) + static_cast<std::uint64_t>(operation.access);
    return mixed(before * 31 + what * odd + (is_flush(step) ? 1 : 0));
  }

  /// Greater goes first.
  std::pair<std::uint64_t, std::uint64_t> priority(const Plan& plan, const Alternative& step) {
    const std::uint64_t site = site_of(step);
    const auto held = std::find(plan.held.begin(), plan.held.end(), site);
    const Actor& actor = at(actors_, step.actor);
    const std::uint64_t among_equals = mixed(plan.salt + (std::uint64_t{step.actor} << 32) + actor.steps);
    if (held != plan.held.end()) return {static_cast<std::uint64_t>(held - plan.held.begin()), among_equals};
    if (plan.stores_late && is_flush(step))
      return {least_free - 1, plan.by == Plan::By::step ? need_of(step) : among_equals};
    return {(drawn(plan, step, site, actor) >> 1) + least_free, among_equals};
  }

  std::uint32_t choose(const Plan& plan, std::span<const Alternative> each) {
    std::uint32_t taken = 0;
    auto highest = priority(plan, each[0]);
    for (std::uint32_t k = 1; k < each.size(); ++k)
      if (const auto own = priority(plan, each[k]); own > highest) {
        highest = own;
        taken = k;
      }
    return taken;
  }

  /// `step` of `each` is taken.
  void take(const Plan& plan, std::span<const Alternative> each, const Alternative& step) {
    const std::uint64_t site = site_of(step);
    if (plan.by == Plan::By::actor || plan.by == Plan::By::look)
      for (const Alternative& one : each)
        if (dependent(one, step)) ++at(actors_, one.actor).lost;
    note(step.operation.object, step, site);
    note(step.operation.other, step, site);
    Actor& actor = at(actors_, step.actor);
    if (!is_flush(step)) {
      actor.site = site;
      ++at(steps_on_, step.processor);
    }
    ++actor.steps;
    last_ = step.actor + 1;
  }

  std::uint32_t steps_of(std::uint32_t actor) const { return actor < actors_.size() ? actors_[actor].steps : 0; }
  std::vector<std::uint64_t>& orders() { return orders_; }
  /// Two actors came after each other: had one of the two ended before the other began, no such run would be.
  bool torn() const { return torn_; }

 private:
  static constexpr std::uint64_t least_free = 16;  // priorities below are those of held sites

  struct Actor {
    std::uint64_t site = 0;  ///< of its last step
    std::uint32_t steps = 0;
    std::uint32_t lost = 0;  ///< steps that raced with one of its pending steps, or were its own
  };
  struct Last {
    std::uint64_t site = 0;
    std::uint32_t actor = 0;  ///< and one; 0: nobody
  };
  struct Object {
    Last change;
    Last look;  ///< since then
  };

  // Of a buffered store. A processor that has been left behind waits for its stores, as a rule: what it does then still misses
  // those of the others. Where stores overtake each other the youngest does.
  std::uint64_t need_of(const Alternative& flush) {
    constexpr std::uint64_t most = (1 << 20) - 1;
    return (most - std::min<std::uint64_t>(at(steps_on_, flush.processor), most)) << 40 |
           static_cast<std::uint64_t>(flush.after + 1);
  }

  // Looks decide first, then who went last, then the rest; in step, what Plan::By says.
  std::uint64_t drawn(const Plan& plan, const Alternative& step, std::uint64_t site, const Actor& actor) const {
    const bool same = step.actor + 1 == last_;
    const bool fits = plan.next != Plan::Next::anybody && same == (plan.next == Plan::Next::same);
    const std::uint64_t first = fits ? std::uint64_t{1} << 61 : 0;
    const std::uint64_t by_actor = mixed(plan.salt + (std::uint64_t{step.actor} << 32) + actor.lost * odd) >> 3;
    switch (plan.by) {
      case Plan::By::site: return first + (mixed(plan.salt + site) >> 3);
      case Plan::By::actor: return first + by_actor;
      case Plan::By::turn: return first + (std::uint64_t{1} << 60) - 2 * std::uint64_t{actor.steps};  // halved later
      case Plan::By::look: return (urgency_of(step.operation.access) << 62) + first + by_actor;
      case Plan::By::step: {
        const std::uint64_t ahead = 2 * std::uint64_t{actor.steps} + (same ? 0 : 1);
        const std::uint64_t age = std::min<std::uint64_t>(step.actor, 0xffff);
        const std::uint64_t stores_last = step.operation.access == Access::write ? 0 : std::uint64_t{1} << 62;
        return stores_last + (std::uint64_t{1} << 60) - (ahead << 20) - 2 * age;  // halved later
      }
    }
    return 0;
  }

  static std::uint64_t urgency_of(Access access) {
    if (access == Access::none || access == Access::read) return 2;
    return access == Access::write ? 0 : 1;
  }

  // Actors whose numbers are 64 apart are taken for each other.
  void add_order(std::uint64_t id, std::uint32_t from, std::uint32_t to) {
    orders_.push_back(id);
    if (from == 0) return;
    at(follows_, to) |= std::uint64_t{1} << from % 64;
    torn_ = torn_ || (at(follows_, from) >> to % 64 & 1) != 0;
  }

  void note(std::uint32_t number, const Alternative& step, std::uint64_t site) {
    if (number == 0 || step.operation.access == Access::none) return;
    Object& object = at(objects_, number);
    const std::uint32_t actor = step.actor + 1;
    if (object.change.actor != actor) add_order(mixed(object.change.site * 3 + site), object.change.actor, actor);
    if (step.operation.access == Access::read) {
      object.look = {site, actor};
      return;
    }
    if (object.look.actor != 0 && object.look.actor != actor)
      add_order(mixed(object.look.site * 5 + site), object.look.actor, actor);
    object = {{site, actor}, {}};
  }

  std::vector<Actor> actors_;
  std::vector<Object> objects_;
  std::vector<std::uint64_t> orders_;
  std::vector<std::uint32_t> steps_on_;  // each processor, becoming visible of stores aside
  std::vector<std::uint64_t> follows_;   // by actor and one: of whom a step came next before one of its own, a bit each
  std::uint32_t last_ = 0;               // actor of the last step, and one
  bool torn_ = false;
};

/// What each actor did in the last run.
class Course {
 public:
  void begin() { made_.clear(); }
  void add(const Alternative& step, std::uint32_t nth) {
    if (made_.size() < most_steps) made_.push_back({step, nth});
  }
  void end() {
    for (auto& steps : steps_) steps.clear();
    length_ = made_.size();
    for (const auto& [step, nth] : made_) {
      Step known{step, {}, false};
      const bool starts =
          step.kind == ChoicePoint::dpc || step.kind == ChoicePoint::interrupt || step.kind == ChoicePoint::worker;
      if ((starts || is_flush(step)) && step.after >= 0 && static_cast<std::size_t>(step.after) < made_.size()) {
        const auto& [cause, cause_nth] = made_[static_cast<std::size_t>(step.after)];
        known.cause = {cause.actor, cause_nth};
        known.caused = true;
      }
      at(steps_, step.actor).push_back(known);
    }
  }

  /// Plays a plan through. Who waits for an event or a word is not known: only locks, interrupts and what starts whom bind.
  void play(const Plan& plan, Walk& walk) {
    walk.begin();
    owners_.assign(owners_.size(), 0);
    for (auto& nested : nested_) nested.clear();
    for (std::size_t left = length_; left != 0; --left) {
      each_.clear();
      for (std::uint32_t actor = 0; actor < steps_.size(); ++actor)
        if (const Step* step = next(actor, walk)) each_.push_back(step->step);
      if (each_.empty()) return;
      const Alternative step = each_[walk.choose(plan, each_)];
      if (step.operation.access == Access::acquire) at(owners_, step.operation.object) = step.actor + 1;
      if (step.operation.access == Access::release) at(owners_, step.operation.object) = 0;
      walk.take(plan, each_, step);
      if (is_flush(step)) continue;
      std::vector<Level>& nested = at(nested_, step.processor);
      if (step.kind == ChoicePoint::dpc || step.kind == ChoicePoint::interrupt)
        nested.push_back({step.actor, step.kind == ChoicePoint::interrupt});
      if (!nested.empty() && nested.back().actor == step.actor &&
          walk.steps_of(step.actor) == steps_[step.actor].size())
        nested.pop_back();
    }
  }

  /// Steps times actors: what playing costs.
  std::size_t effort() const { return length_ * std::max<std::size_t>(steps_.size(), 1); }

  void save(StateWriter& writer) const {
    writer.add(length_).add(steps_.size());
    for (const auto& steps : steps_) {
      writer.add(steps.size());
      for (const Step& one : steps) writer.add(one.step).add(one.caused).add(one.cause.actor).add(one.cause.nth);
    }
  }
  void restore(StateReader& reader) {
    length_ = reader.number();
    steps_.resize(reader.count());
    for (auto& steps : steps_) {
      steps.resize(reader.count());
      for (Step& one : steps) {
        one.step = reader.alternative();
        one.caused = reader.number() != 0;
        one.cause.actor = reader.number_32();
        one.cause.nth = reader.number_32();
      }
    }
  }

  static constexpr std::size_t most_steps = 4096;

 private:
  struct Cause {
    std::uint32_t actor = 0;
    std::uint32_t nth = 0;
  };
  struct Step {
    Alternative step{};
    Cause cause;
    bool caused = false;
  };
  struct Level {
    std::uint32_t actor;
    bool interrupt;
  };

  // Null: nothing, or not now.
  const Step* next(std::uint32_t actor, const Walk& walk) {
    const std::uint32_t nth = walk.steps_of(actor);
    if (nth >= steps_[actor].size()) return nullptr;
    const Step& step = steps_[actor][nth];
    if (step.caused && walk.steps_of(step.cause.actor) <= step.cause.nth) return nullptr;
    if (step.step.operation.access == Access::acquire && at(owners_, step.step.operation.object) != 0) return nullptr;
    if (is_flush(step.step)) return &step;
    const std::vector<Level>& nested = at(nested_, step.step.processor);
    if (nested.empty() || nested.back().actor == actor) return &step;
    const bool interrupts = step.step.kind == ChoicePoint::interrupt && !nested.back().interrupt;
    return interrupts ? &step : nullptr;
  }

  std::vector<std::pair<Alternative, std::uint32_t>> made_;  // steps of the run under way
  std::size_t length_ = 0;
  std::vector<std::vector<Step>> steps_;    // by actor
  std::vector<std::uint32_t> owners_;       // by object: actor and one
  std::vector<std::vector<Level>> nested_;  // by processor
  std::vector<Alternative> each_;
};

class ReadsFrom final : public Sampler {
 public:
  explicit ReadsFrom(Seed seed) : Sampler(seed, "rff"), runs_with_(1 << 16) {}

  bool begin(std::uint64_t run) override {
    Sampler::begin(run);
    made_.begin();
    course_.begin();
    steps_ = 0;
    promised_.clear();
    run_ = run;
    plan_ = draw();
    if (course_.effort() == 0) {  // nothing to foresee anything with: the first run
      plan_.by = Plan::By::step;
      plan_.next = Plan::Next::anybody;
      plan_.stores_late = true;
      return true;
    }
    std::uint64_t most = 0;
    Plan best;
    const std::size_t more = run < first_runs ? 3 : 1;
    const std::size_t plans = std::clamp<std::size_t>(more * most_effort / course_.effort(), 2, more * most_plans);
    for (std::size_t left = plans; left != 0; --left) {
      course_.play(plan_, foreseen_);
      features_of(foreseen_, plan_);
      if (const std::uint64_t worth = worth_of_features() * (foreseen_.torn() ? 8 : 1); worth >= most) {
        most = worth;
        best = plan_;
        promised_ = features_;
      }
      if (left != 1) plan_ = draw();
    }
    plan_ = std::move(best);
    return true;
  }

  std::uint32_t choose(const kernel::Choice& choice) override {
    if (choice.each.empty()) return aside(choice);
    is_order(choice);
    const bool led = ++steps_ <= Course::most_steps;  // who spins waits for others
    const std::uint32_t taken =
        led ? made_.choose(plan_, choice.each) : static_cast<std::uint32_t>(stream().below(choice.alternatives));
    const Alternative& step = choice.each[taken];
    if (led) {
      learn(made_.site_of(step), step);
      course_.add(step, made_.steps_of(step.actor));
      made_.take(plan_, choice.each, step);
    }
    return taken;
  }

  void end(const Outcome&, const Deviations&) override {
    course_.end();
    features_of(made_, plan_);
    for (const std::uint16_t feature : promised_) features_.push_back(feature);
    std::sort(features_.begin(), features_.end());
    features_.erase(std::unique(features_.begin(), features_.end()), features_.end());
    for (const std::uint16_t feature : features_)
      if (runs_with_[feature] != std::numeric_limits<std::uint8_t>::max()) ++runs_with_[feature];
  }

  bool independent_runs() const override { return false; }

  std::string save() const override {
    StateWriter writer;
    course_.save(writer);
    writer.add(sites_.size());
    for (const Site& site : sites_) {
      writer.add(site.id).add(site.operation.object).add(site.operation.other);
      writer.add(static_cast<std::uint64_t>(site.operation.access)).add(site.actor).add(site.of_many).add(site.races);
    }
    std::uint64_t kept = 0;
    for (const std::uint8_t runs : runs_with_) kept += runs != 0 ? 1 : 0;
    writer.add(kept);
    std::size_t before = 0;
    for (std::size_t feature = 0; feature < runs_with_.size(); ++feature) {
      if (runs_with_[feature] == 0) continue;
      writer.add(feature - before).add(runs_with_[feature]);
      before = feature;
    }
    return writer.take();
  }

  void restore(std::string_view state) override {
    if (state.empty()) return;
    StateReader reader(state);
    Course course;
    course.restore(reader);
    std::vector<Site> sites(reader.count());
    for (Site& site : sites) {
      site.id = reader.number();
      site.operation.object = reader.number_32();
      site.operation.other = reader.number_32();
      site.operation.access = static_cast<Access>(reader.number_32());
      site.actor = reader.number_32();
      site.of_many = reader.number() != 0;
      site.races = reader.number() != 0;
    }
    std::vector<std::uint8_t> runs_with(runs_with_.size());
    std::size_t feature = 0;
    for (std::size_t left = reader.count(); left != 0; --left) {
      feature = (feature + reader.number()) % runs_with.size();
      runs_with[feature] = static_cast<std::uint8_t>(reader.number());
    }
    if (!reader.ok()) return;
    course_ = std::move(course);
    sites_ = std::move(sites);
    racing_ = static_cast<std::uint64_t>(
        std::count_if(sites_.begin(), sites_.end(), [](const Site& site) { return site.races; }));
    runs_with_ = std::move(runs_with);
  }

 private:
  static constexpr std::uint64_t going_on_runs = 4;
  static constexpr std::uint64_t look_runs = 12;
  static constexpr std::uint64_t first_runs = 64;
  static constexpr std::size_t most_effort = 400'000;  // of playing the plans of one run
  static constexpr std::size_t most_plans = 16;        // of one run
  static constexpr std::size_t most_sites = 1024;
  static constexpr std::size_t paired = 16;  // orders of a run that make pairs, always the same ones

  struct Site {
    std::uint64_t id = 0;
    kernel::Operation operation;
    std::uint32_t actor = 0;
    bool of_many = false;  ///< another actor had it, too
    bool races = false;    ///< it conflicts with a site of another actor
  };

  Plan draw() {
    Plan plan;
    if (run_ < look_runs) {
      plan.by = Plan::By::look;
      if (run_ < going_on_runs) plan.next = Plan::Next::same;
    } else {
      const std::uint64_t kind = stream().below(run_ < first_runs ? 36 : 8);  // one goes by turn, two by actor
      plan.by = kind == 0 ? Plan::By::turn : kind <= 2 ? Plan::By::actor : Plan::By::site;
      if (stream().below(3) == 0) plan.next = Plan::Next::another;
    }
    plan.stores_late = stream().below(2) == 0;
    plan.salt = stream().next();
    if (racing_ == 0) return plan;
    std::size_t held = 1;
    while (held < 4 && stream().below(3) == 0) ++held;
    for (; held != 0; --held) plan.held.push_back(racing_site(stream().below(racing_)));
    return plan;
  }

  std::uint64_t racing_site(std::uint64_t nth) const {
    for (const Site& site : sites_)
      if (site.races && nth-- == 0) return site.id;
    return 0;
  }

  void learn(std::uint64_t id, const Alternative& step) {
    auto own = std::lower_bound(sites_.begin(), sites_.end(), id,
                                [](const Site& site, std::uint64_t i) { return site.id < i; });
    if (own != sites_.end() && own->id == id) {
      if (own->of_many || own->actor == step.actor) return;
      own->of_many = true;
    } else {
      if (sites_.size() == most_sites) return;
      own = sites_.insert(own, {id, step.operation, step.actor, false, false});
    }
    for (Site& other : sites_) {
      const bool apart = other.actor != own->actor || other.of_many || own->of_many;
      if (!apart || !conflicts(other.operation, own->operation)) continue;
      if (!other.races) ++racing_;
      other.races = true;
      if (!own->races) ++racing_;
      own->races = true;
    }
  }

  // The orders of a run, the pairs of them, what its plan held, and all orders together as the last one.
  void features_of(Walk& walk, const Plan& plan) {
    std::vector<std::uint64_t>& orders = walk.orders();
    std::uint64_t all = 0;
    for (const std::uint64_t order : orders) all += mixed(order);
    std::sort(orders.begin(), orders.end());
    orders.erase(std::unique(orders.begin(), orders.end()), orders.end());
    features_.clear();
    for (const std::uint64_t order : orders) features_.push_back(static_cast<std::uint16_t>(order));
    const std::size_t first = std::min(orders.size(), paired);
    for (std::size_t a = 0; a < first; ++a)
      for (std::size_t b = a + 1; b < first; ++b)
        features_.push_back(static_cast<std::uint16_t>(mixed(orders[a] * 7 + orders[b])));
    for (const std::uint64_t site : plan.held) features_.push_back(static_cast<std::uint16_t>(mixed(site * 11)));
    features_.push_back(static_cast<std::uint16_t>(mixed(all)));
  }

  std::uint64_t worth_of_features() const {
    std::uint64_t worth = 0;
    for (const std::uint16_t feature : features_) {
      const std::uint64_t runs = runs_with_[feature];
      worth += runs == 0 ? 1 << 16 : (1 << 14) / (1 + runs);
    }
    return runs_with_[features_.back()] == 0 ? worth : worth / 100;
  }

  Plan plan_;
  std::uint64_t run_ = 0;
  Walk made_;
  Walk foreseen_;
  Course course_;
  std::uint64_t steps_ = 0;   // of this run
  std::vector<Site> sites_;   // by id
  std::uint64_t racing_ = 0;  // of sites_
  std::vector<std::uint16_t> features_;
  std::vector<std::uint16_t> promised_;
  std::vector<std::uint8_t> runs_with_;  // by feature: that showed it or promised to; 255: or more
};

}  // namespace

std::unique_ptr<Strategy> make_rff(Seed seed) { return std::make_unique<ReadsFrom>(seed); }

}  // namespace vmbsim::explore
