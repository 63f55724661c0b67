#include "sim/explore/dpor.hpp"

#include <algorithm>

#include "sim/explore/dependence.hpp"
#include "sim/explore/makers.hpp"
#include "sim/explore/state_text.hpp"

namespace vmbsim::explore {
namespace {

using kernel::Alternative;

bool has(const std::vector<std::uint32_t>& clock, std::uint32_t actor, std::size_t step) {
  return actor < clock.size() && clock[actor] > step;
}

void join(std::vector<std::uint32_t>& clock, const std::vector<std::uint32_t>& other) {
  if (clock.size() < other.size()) clock.resize(other.size());
  for (std::size_t actor = 0; actor < other.size(); ++actor) clock[actor] = std::max(clock[actor], other[actor]);
}

// The step that begins a routine: it can be taken away by a call.
bool starts(const Alternative& step) {
  using kernel::ChoicePoint;
  return step.kind == ChoicePoint::interrupt || step.kind == ChoicePoint::dpc || step.kind == ChoicePoint::worker;
}

// Whether the actor's next step can come first of all in the sequence, or commutes with all of it.
// `at`: where the sequence has it, or its end.
bool can_begin(const Alternative& step, const std::vector<Alternative>& way, std::size_t& at) {
  at = 0;
  while (at < way.size() && way[at].actor != step.actor) ++at;
  const Alternative& own = at < way.size() ? way[at] : step;
  for (std::size_t k = 0; k < at; ++k)
    if (dependent(way[k], own)) return false;
  return true;
}

}  // namespace

const Alternative* Dpor::Node::find(std::uint32_t actor) const {
  for (const Alternative& one : each)
    if (one.actor == actor) return &one;
  return nullptr;
}

bool Dpor::Node::sleeps(std::uint32_t actor) const {
  return std::any_of(sleep.begin(), sleep.end(), [&](const Alternative& one) { return one.actor == actor; });
}

void Dpor::Node::take(std::size_t alternative, std::vector<Branch> after) {
  taken = static_cast<std::uint32_t>(alternative);
  then = std::move(after);
}

// The first branch that can be taken; those before it are dropped: asleep, they lead to nothing new.
bool Dpor::Node::take_planned() {
  while (!planned.empty()) {
    Branch branch = std::move(planned.front());
    planned.erase(planned.begin());
    const Alternative* own = find(branch.step.actor);
    if (own == nullptr || sleeps(branch.step.actor)) continue;
    take(static_cast<std::size_t>(own - each.data()), std::move(branch.then));
    return true;
  }
  return false;
}

bool Dpor::begin(std::uint64_t) {
  depth_ = 0;
  order_.clear();
  lost_ = astray_ = false;
  return !over_;
}

Dpor::Node& Dpor::push() {
  if (used_ == nodes_.size()) nodes_.emplace_back();
  Node& node = nodes_[used_++];
  ++depth_;
  node.frozen = false;
  node.each.clear();
  node.sleep.clear();
  node.planned.clear();
  node.then.clear();
  return node;
}

std::uint32_t Dpor::ask_input(const kernel::Choice& choice) {
  if (choice.alternatives == 1) return 0;
  Node& node = push();
  node.input = true;
  node.taken = 0;
  node.end = choice.alternatives;
  return 0;
}

std::uint32_t Dpor::choose(const kernel::Choice& choice) {
  if (lost_) return 0;
  if (depth_ < used_) {
    if (choice.each.empty() && choice.alternatives == 1) return 0;
    const Node& node = nodes_[depth_];
    if (node.input != choice.each.empty() || node.taken >= choice.alternatives) {
      lost_ = true;
      return 0;
    }
    if (!node.input) order_.push_back(depth_);
    ++depth_;
    return node.taken;
  }
  if (choice.each.empty()) return ask_input(choice);
  Node& node = push();
  node.input = false;
  node.each.assign(choice.each.begin(), choice.each.end());
  starts_ = starts_ || std::any_of(node.each.begin(), node.each.end(), starts);
  if (!order_.empty()) follow(node_of(steps() - 1), node);
  astray_ = astray_ || std::any_of(node.planned.begin(), node.planned.end(),
                                   [&](const Branch& branch) { return node.find(branch.step.actor) == nullptr; });
  if (!node.take_planned()) {
    std::size_t free = 0;
    while (free < node.each.size() && node.sleeps(node.each[free].actor)) ++free;
    if (free == node.each.size()) {
      --used_;
      --depth_;
      return abandon;
    }
    node.take(free, {});
  }
  order_.push_back(used_ - 1);
  return node.taken;
}

void Dpor::follow(const Node& before, Node& node) {
  for (const Alternative& one : before.sleep)
    if (!dependent(one, before.step())) node.sleep.push_back(one);
  // A way was planned for the input of its time.
  if (order_.back() + 2 == used_) node.planned = std::move(node_of(steps() - 1).then);
}

// `visit(list, is_firm)` for each list that has the step, or is to get it.
template <class Visit>
void Dpor::visit_lists(const Alternative& step, Visit visit) {
  const auto visit_one = [&](Lists& lists, std::uint32_t which, bool firm) {
    if (lists.size() <= which) lists.resize(which + 1);
    std::vector<Accesses>& of_all = lists[which];
    auto own = std::find_if(of_all.begin(), of_all.end(), [&](const Accesses& one) { return one.actor == step.actor; });
    if (own == of_all.end()) own = of_all.insert(own, {step.actor, is_flush(step), {}, {}});
    visit(own->all);
    if (firm) visit(own->firm);
  };
  if (of_actor_.size() <= step.actor) of_actor_.resize(step.actor + 1);
  visit(of_actor_[step.actor]);
  const kernel::Operation& operation = step.operation;
  visit_one(of_processor_, step.processor, is_flush(step) ? operation.waits : drains(operation));
  if (operation.access == kernel::Access::none) return;
  const bool writes = operation.access != kernel::Access::read;
  if (operation.object != 0) visit_one(of_object_, operation.object, writes);
  if (operation.other != 0 && operation.other != operation.object) visit_one(of_object_, operation.other, writes);
}

void Dpor::list(std::size_t number) {
  visit_lists(node_of(number).step(),
              [number](auto& numbers) { numbers.push_back(static_cast<std::uint32_t>(number)); });
}

// The last one listed.
void Dpor::unlist(const Alternative& step) {
  visit_lists(step, [](auto& numbers) { numbers.pop_back(); });
}

// Into back_: the others' steps before `number` that the step may depend on, but for those it knows of.
void Dpor::look_back(const Alternative& step, std::size_t number, const Clock& known) {
  back_.clear();
  const auto add = [&](std::uint32_t actor, const std::vector<std::uint32_t>& numbers) {
    const std::uint32_t least = actor < known.size() ? known[actor] : 0;
    if (numbers.empty() || numbers.back() < least) return;
    const std::uint32_t* const end = numbers.data() + numbers.size();
    const std::uint32_t* const last = number > numbers.back() ? end : std::lower_bound(numbers.data(), end, number);
    const std::uint32_t* const first = least == 0 ? numbers.data() : std::lower_bound(numbers.data(), last, least);
    if (first != last) back_.push_back({actor, first, last});
  };
  const kernel::Operation& operation = step.operation;
  if (step.processor < of_processor_.size())
    for (const Accesses& one : of_processor_[step.processor]) {
      if (one.actor == step.actor || (one.flushes && !is_flush(step) && !drains(operation))) continue;
      const bool firm = is_flush(step) && !(one.flushes && operation.waits);
      add(one.actor, firm ? one.firm : one.all);
    }
  if (operation.access == kernel::Access::none) return;
  const bool reads = operation.access == kernel::Access::read;
  for (const std::uint32_t object : {operation.object, operation.other})
    if (object != 0 && object < of_object_.size())
      for (const Accesses& one : of_object_[object])
        if (one.actor != step.actor) add(one.actor, reads ? one.firm : one.all);
}

// The latest step of back_ before `before`, `before` when there is none. Without `all`, none that
// the clock knows.
std::size_t Dpor::next_back(std::size_t before, const Clock& clock, bool all) {
  std::size_t next = before;
  for (Back& one : back_) {
    if (one.begin == one.end || (!all && has(clock, one.actor, one.end[-1]))) continue;
    if (one.end[-1] >= before) one.end = std::lower_bound(one.begin, one.end, before);
    if (one.begin == one.end || (!all && has(clock, one.actor, one.end[-1]))) continue;
    if (next == before || one.end[-1] > next) next = one.end[-1];
  }
  return next;
}

// The clock of a step, and the races in which it is the second one. `number`: how many steps come before it.
void Dpor::analyse(const Alternative& step, std::size_t number, Clock& clock, Look look) {
  std::size_t pending = 0;  // first step at which the actor already stood before this one
  clock.clear();
  if (step.actor < of_actor_.size()) {
    const std::vector<std::uint32_t>& own = of_actor_[step.actor];
    const auto next = std::lower_bound(own.begin(), own.end(), number);
    if (next != own.begin()) {
      pending = *std::prev(next) + std::size_t{1};
      clock = node_of(pending - 1).clock;
    }
  }
  if (step.after >= 0 && static_cast<std::size_t>(step.after) < number) {
    join(clock, node_of(static_cast<std::size_t>(step.after)).clock);
    pending = std::max(pending, static_cast<std::size_t>(step.after) + 1);
  }
  const bool happened = look != Look::not_taken;
  const Clock known = clock;  // what the actor could not have come before anyway
  bool waited = false;
  look_back(step, number, known);
  for (std::size_t before = number, k = next_back(before, clock, false); k < before;
       before = k, k = next_back(before, clock, waited)) {
    const Node& node = node_of(k);
    const Alternative& first = node.step();
    const bool immediate = !has(clock, first.actor, k);
    if (immediate) join(clock, node.clock);
    if (look == Look::clock || (!immediate && !waited)) continue;
    const bool own_flush = first.processor == step.processor && is_flush(first) && !is_flush(step);
    if (own_flush && drains(step.operation)) {
      // Who has stored waits for it in every order; who came to wait for another's store may have come before that.
      const bool by_itself =
          first.after >= 0 && node_of(static_cast<std::size_t>(first.after)).step().actor == step.actor;
      waited = waited || !by_itself;
      continue;
    }
    if (k >= pending ? node.find(step.actor) != nullptr : !may_wait(step.operation)) {
      reverse({k, number, step, clock, immediate && happened});
      continue;
    }
    // Not possible before the first one, as far as one can tell.
    if (immediate && step.operation.access == kernel::Access::acquire && !waited) {
      const std::size_t taking = first.operation.access == kernel::Access::release ? taking_before(first, k) : steps();
      if (taking < steps()) {
        const Alternative& holder = node_of(taking).step();
        const bool certain = taking < pending || node_of(taking).find(step.actor) != nullptr;
        if (!has(known, holder.actor, taking)) reverse({taking, number, step, clock, certain && happened});
        // Something else kept the actor from the lock, too: a DPC on its processor, another holder.
        waited = !certain;
        continue;
      }
    }
    const Race race{k, number, step, clock, false};
    if (k < pending || lets(race)) {
      const bool buffer_only = k >= pending && !may_wait(step.operation) && immediate && happened;
      reverse({k, number, step, clock, buffer_only});
    }
    waited = true;
  }
  if (clock.size() <= step.actor) clock.resize(step.actor + 1);
  clock[step.actor] = static_cast<std::uint32_t>(number + 1);
}

// Whether steps that the first one does not force come before the second: they may be what makes it possible.
bool Dpor::lets(const Race& race) {
  collect(race, std::min(race.second, steps()));
  return std::any_of(way_.begin(), way_.end(),
                     [&](std::size_t k) { return has(race.clock, node_of(k).step().actor, k); });
}

// The step that took the lock which `release`, step `number`, gives back, a try of the same actor maybe; steps() when
// another actor's did.
std::size_t Dpor::taking_before(const Alternative& release, std::size_t number) {
  for (std::size_t k = number; k-- > 0;) {
    const Alternative& one = node_of(k).step();
    if (one.operation.object != release.operation.object) continue;
    const kernel::Access access = one.operation.access;
    if (access == kernel::Access::acquire) return one.actor == release.actor ? k : steps();
    if (access == kernel::Access::update && one.actor == release.actor) return k;
  }
  return steps();
}

void Dpor::reverse(const Race& race) {
  Node& node = node_of(race.first);
  if (node.frozen) return;
  if (kind_ == Kind::source || plain_)
    plant_one(node, race);
  else if (race.possible)
    plant_way(node, race);
  else
    uncertain_ = true;
}

// Into way_: the steps after the first one that it does not force, up to `end`.
void Dpor::collect(const Race& race, std::size_t end) {
  const std::uint32_t actor = node_of(race.first).step().actor;
  way_.clear();
  for (std::size_t k = race.first + 1; k < end; ++k)
    if (k != race.second && !has(node_of(k).clock, actor, race.first)) way_.push_back(k);
}

bool Dpor::is_initial(std::size_t position, const Race& race) const {
  const Clock& clock = position < way_.size() ? nodes_[order_[way_[position]]].clock : race.clock;
  for (std::size_t before = 0; before < position; ++before)
    if (has(clock, nodes_[order_[way_[before]]].step().actor, way_[before])) return false;
  return true;
}

// Algorithm 1: one step that can begin the way to the reversed order must be planned, done or asleep.
void Dpor::plant_one(Node& node, const Race& race) {
  collect(race, std::min(race.second, steps()));
  const Alternative* begin = nullptr;
  for (std::size_t position = 0; position <= way_.size(); ++position) {
    if (!is_initial(position, race)) continue;
    const std::uint32_t actor = position < way_.size() ? node_of(way_[position]).step().actor : race.step.actor;
    if (node.sleeps(actor)) return;
    for (const Branch& branch : node.planned)
      if (branch.step.actor == actor) return;
    if (begin == nullptr) begin = node.find(actor);
  }
  if (begin != nullptr) {
    node.planned.push_back({*begin, {}});
    return;
  }
  for (const Alternative& one : node.each) {
    const auto same = [&](const Branch& branch) { return branch.step.actor == one.actor; };
    if (one.actor != node.step().actor && !node.sleeps(one.actor) &&
        std::none_of(node.planned.begin(), node.planned.end(), same))
      node.planned.push_back({one, {}});
  }
}

// Algorithm 2: the whole way goes into the wake-up tree.
void Dpor::plant_way(Node& node, const Race& race) {
  collect(race, steps());
  Steps way;
  way.reserve(way_.size() + 1);
  for (const std::size_t k : way_) way.push_back(node_of(k).step());
  way.push_back(race.step);
  std::size_t at = 0;
  for (const Alternative& one : node.sleep)
    if (can_begin(one, way, at)) return;
  insert(node.planned, std::move(way));
}

void Dpor::insert(std::vector<Branch>& branches, Steps way) {
  std::vector<Branch>* level = &branches;
  for (bool down = true; down;) {
    down = false;
    for (Branch& branch : *level) {
      std::size_t at = 0;
      if (!can_begin(branch.step, way, at)) continue;
      if (at < way.size()) way.erase(way.begin() + static_cast<std::ptrdiff_t>(at));
      if (branch.then.empty() || way.empty()) return;  // that branch will come by
      level = &branch.then;
      down = true;
      break;
    }
  }
  for (const Alternative& step : way) {
    level->push_back({step, {}});
    level = &level->back().then;
  }
}

// A step that did not happen, for want of what another one took.
void Dpor::wait(const Alternative& step) { analyse(step, steps(), scratch_, Look::not_taken); }

void Dpor::find_races(const Outcome& outcome) {
  for (std::size_t step = fresh_; step < steps(); ++step) analyse(node_of(step).step(), step, scratch_, Look::races);
  for (const Alternative& step : outcome.waiting) wait(step);
  const bool at_rest = outcome.end == End::finished && !outcome.found();
  if (!at_rest || starts_) find_taken_away(at_rest);
}

// What was possible once and did not happen: another step, or a finding, took it away.
void Dpor::find_taken_away(bool at_rest) {
  open_.clear();
  for (std::size_t k = 0; k < steps(); ++k) {
    for (const Alternative& step : node_of(k).each) {
      if (open_.size() <= step.actor) open_.resize(step.actor + 1);
      std::optional<Alternative>& open = open_[step.actor];
      // Set again, queued again: the one before was cancelled or removed, at the latest by this.
      if (open && starts(step) && open->after != step.after)
        analyse(Alternative(*open), static_cast<std::size_t>(step.after) + 1, scratch_, Look::not_taken);
      open = step;
    }
    open_[node_of(k).step().actor].reset();
  }
  for (const std::optional<Alternative>& open : open_)
    if (open && (!at_rest || starts(*open))) wait(Alternative(*open));
}

void Dpor::end(const Outcome& outcome, const Deviations&) {
  // Whom a yield keeps back hangs on who went since the one before, in whatever order: such steps commute with nothing.
  cut_ = cut_ || lost_ || outcome.end == End::cut || outcome.held_back;
  if (!lost_) {
    for (std::size_t step = clocked_; step < steps(); ++step) {
      analyse(node_of(step).step(), step, node_of(step).clock, Look::clock);
      list(step);
    }
    clocked_ = steps();
    uncertain_ = kind_ == Kind::optimal && !plain_ &&
                 (astray_ || std::any_of(nodes_.begin(), nodes_.begin() + static_cast<std::ptrdiff_t>(used_),
                                         [](const Node& node) { return node.input; }));
    if (!uncertain_) find_races(outcome);
    if (uncertain_) {
      if (!begin_again()) return;
      find_races(outcome);
    }
  }
  advance();
}

// Where whole ways cannot be planned, all is done by source sets: a sleeping step vouches for whole ways only if all were
// planned so. True when this is the first run, so that nothing has to be made again.
bool Dpor::begin_again() {
  plain_ = true;
  if (begun_) {
    // What other parts have stays with them.
    while (used_ != 0 && !nodes_[used_ - 1].frozen) --used_;
    fresh_ = clocked_ = 0;
    for (Lists* lists : {&of_object_, &of_processor_}) lists->clear();
    of_actor_.clear();
    return false;
  }
  for (std::size_t k = 0; k < used_; ++k) nodes_[k].planned.clear();
  return true;
}

void Dpor::advance() {
  auto step =
      static_cast<std::size_t>(std::count_if(nodes_.begin(), nodes_.begin() + static_cast<std::ptrdiff_t>(used_),
                                             [](const Node& node) { return !node.input; }));
  while (used_ != 0) {
    Node& node = nodes_[used_ - 1];
    if (node.input) {
      if (++node.taken < node.end) break;
    } else {
      if (--step < clocked_) unlist(node.step());
      node.sleep.push_back(node.step());
      if (node.take_planned()) break;
    }
    --used_;
  }
  over_ = used_ == 0;
  begun_ = true;
  fresh_ = step;
  clocked_ = std::min(clocked_, step);
}

std::string Dpor::covered() const {
  return over_ && !cut_ ? "every schedule, up to the order of independent steps" : "";
}

std::string Dpor::save() const {
  StateWriter writer;
  const auto add_steps = [&](const Steps& list) {
    writer.add(list.size());
    for (const Alternative& step : list) writer.add(step);
  };
  const auto add_branches = [&](const auto& self, const std::vector<Branch>& list) -> void {
    writer.add(list.size());
    for (const Branch& branch : list) {
      writer.add(branch.step);
      self(self, branch.then);
    }
  };
  writer.add(static_cast<std::uint64_t>(kind_)).add(over_).add(cut_).add(begun_).add(plain_).add(fresh_).add(used_);
  for (std::size_t k = 0; k < used_; ++k) {
    const Node& node = nodes_[k];
    writer.add(node.input).add(node.taken).add(node.end).add(node.frozen);
    if (node.input) continue;
    add_steps(node.each);
    add_steps(node.sleep);
    add_branches(add_branches, node.planned);
    add_branches(add_branches, node.then);
  }
  return writer.take();
}

void Dpor::restore(std::string_view state) {
  if (state.empty()) return;
  StateReader reader(state);
  const auto read_steps = [&](Steps& list) {
    list.resize(reader.count());
    for (Alternative& step : list) step = reader.alternative();
  };
  const auto read_branches = [&](const auto& self, std::vector<Branch>& list) -> void {
    list.resize(reader.count());
    for (Branch& branch : list) {
      branch.step = reader.alternative();
      self(self, branch.then);
    }
  };
  Dpor read(static_cast<Kind>(reader.number_32()));
  read.over_ = reader.number() != 0;
  read.cut_ = reader.number() != 0;
  read.begun_ = reader.number() != 0;
  read.plain_ = reader.number() != 0;
  read.fresh_ = reader.number();
  read.nodes_.resize(reader.count());
  read.used_ = read.nodes_.size();
  bool sound = true;
  for (Node& node : read.nodes_) {
    node.input = reader.number() != 0;
    node.taken = reader.number_32();
    node.end = reader.number_32();
    node.frozen = reader.number() != 0;
    if (node.input) continue;
    read_steps(node.each);
    read_steps(node.sleep);
    read_branches(read_branches, node.planned);
    read_branches(read_branches, node.then);
    sound = sound && node.taken < node.each.size();
  }
  if (reader.ok() && sound && read.kind_ == kind_) *this = std::move(read);
}

// Hands the other answers of the node to new parts, at most `most` of them: the last one gets all that are left.
std::vector<Dpor> Dpor::divide(std::size_t at, std::size_t step, std::size_t most) {
  std::vector<Dpor> parts;
  Node own = nodes_[at];
  const auto part = [&](const Node& node) {
    Dpor one = *this;
    one.used_ = at + 1;
    one.nodes_.resize(at + 1);
    one.nodes_[at] = node;
    one.fresh_ = step;
    one.clocked_ = std::min(clocked_, step);
    one.plain_ = true;  // it begins with a step, not with a whole way
    parts.push_back(std::move(one));
  };
  Node& node = nodes_[at];
  if (node.input) {
    while (++own.taken < node.end) {
      own.end = parts.size() + 1 == most ? node.end : own.taken + 1;
      part(own);
      own.taken = own.end - 1;
    }
    node.end = node.taken + 1;
    node.frozen = true;
    return parts;
  }
  std::vector<Branch> others = node.planned;
  if (!node.frozen) {
    others.clear();
    for (const Alternative& one : node.each)
      if (one.actor != node.step().actor && !node.sleeps(one.actor)) others.push_back({one, {}});
  }
  node.frozen = true;
  node.planned.clear();
  own = node;
  own.sleep.push_back(node.step());
  for (std::size_t k = 0; k < others.size(); ++k) {
    if (parts.size() + 1 == most)
      own.planned.assign(others.begin() + static_cast<std::ptrdiff_t>(k), others.end());
    else
      own.planned = {others[k]};
    const std::size_t left = own.planned.size();
    Node first = own;
    if (!first.take_planned()) continue;
    part(first);
    if (left > 1) break;
    own.sleep.push_back(first.step());
  }
  return parts;
}

std::vector<std::string> Dpor::split(std::string_view state, std::size_t parts) {
  for (const Kind kind : {Kind::source, Kind::optimal}) {
    Dpor rest(kind);
    rest.restore(state);
    if (rest.used_ == 0) continue;
    std::vector<std::string> states;
    std::size_t step = 0;
    for (std::size_t at = 0; at < rest.used_ && states.size() + 1 < parts; ++at) {
      for (const Dpor& part : rest.divide(at, step, parts - 1 - states.size())) states.push_back(part.save());
      if (!rest.nodes_[at].input) ++step;
    }
    states.insert(states.begin(), rest.save());
    return states;
  }
  return {std::string(state)};
}

std::unique_ptr<Strategy> make_dpor(Seed) { return std::make_unique<Dpor>(Dpor::Kind::source); }
std::unique_ptr<Strategy> make_odpor(Seed) { return std::make_unique<Dpor>(Dpor::Kind::optimal); }

}  // namespace vmbsim::explore
