#pragma once
/// Dynamic partial-order reduction: of all schedules that differ in the order of independent steps only, one.
///
/// A run is analysed when it is over: two steps race when they do not commute and nothing in between forces their order. For
/// each race the search plants, at the place before the first of the two, the way to the reversed order. Steps whose
/// continuations were seen sleep until a step comes that does not commute with them; where all sleep, the run is abandoned.
/// source    plants the first step of the way, where no such step is planned: some runs are abandoned.
/// optimal   plants the whole way, as a branch of a wake-up tree: none is, while nothing but locks has to wait.
/// Locks     two takings of a lock race across the release between them.
/// Waits     where a step was not possible before the one it races with, the order may have been decided earlier: every
///           earlier step that it does not commute with counts as racing, one step of the way is planted, and where that step
///           is not possible either, every possible one.
/// Input     faults and input are tried in all their values, without reduction.
/// Fallback  no whole way can be planted through waits and input: a program that has them is explored by source sets, from
///           the beginning should they turn up late. So are the parts of a split search, the first one aside.
/// Proof     needs Operation::waits, Outcome::waiting and Alternative::after, and no run that was cut, or in which a yield kept
///           somebody back: fairness counts steps that commute otherwise.
/// Source    Abdulla, Aronsson, Jonsson, Sagonas, "Optimal dynamic partial order reduction", POPL'14, and "Source sets: a
///           foundation for optimal dynamic partial order reduction", JACM 64(4), 2017: algorithms 1 and 2.
#include <optional>
#include <string>
#include <vector>

#include "sim/explore/strategy.hpp"

namespace vmbsim::explore {

class Dpor final : public Strategy {
 public:
  enum class Kind : std::uint8_t { source, optimal };

  explicit Dpor(Kind kind) : kind_(kind) {}

  bool begin(std::uint64_t run) override;
  std::uint32_t choose(const kernel::Choice& choice) override;
  void end(const Outcome& outcome, const Deviations& taken) override;
  std::string save() const override;
  void restore(std::string_view state) override;
  std::string covered() const override;
  bool independent_runs() const override { return false; }

  /// Disjoint parts, at most `parts`: the runs that they do not abandon add up to those that `state` has left. What divides
  /// two parts is explored without reduction, but for sleeping steps.
  static std::vector<std::string> split(std::string_view state, std::size_t parts);

 private:
  using Steps = std::vector<kernel::Alternative>;
  using Clock = std::vector<std::uint32_t>;  // by actor: number + 1 of its last step that happened before

  /// A planned way on, and the ways on after it.
  struct Branch {
    kernel::Alternative step;
    std::vector<Branch> then;
  };

  /// A question of the run under way.
  struct Node {
    bool input = false;  ///< not about order: the answers taken .. end-1 remain
    std::uint32_t taken = 0;
    std::uint32_t end = 0;
    bool frozen = false;  ///< other parts have the other answers
    Steps each;
    Steps sleep;  ///< whose continuations were seen: inherited from the node before, then those taken here
    std::vector<Branch> planned;
    std::vector<Branch> then;  ///< planned after the answer under way
    Clock clock;               ///< of that answer

    const kernel::Alternative& step() const { return each[taken]; }
    const kernel::Alternative* find(std::uint32_t actor) const;
    bool sleeps(std::uint32_t actor) const;
    bool take_planned();
    void take(std::size_t alternative, std::vector<Branch> after);
  };

  /// Two steps that could change places.
  struct Race {
    std::size_t first;
    std::size_t second;               ///< for one that did not happen, how many steps come before it
    const kernel::Alternative& step;  ///< the second
    const Clock& clock;               ///< of the second
    bool possible;                    ///< the second one right before the first one, that is certain
  };

  /// The steps of one actor on one object or processor, by number.
  struct Accesses {
    std::uint32_t actor;
    bool flushes;  ///< the actor is a store buffer
    std::vector<std::uint32_t> all;
    std::vector<std::uint32_t> firm;  ///< no loads; on a processor: what does not commute with its store buffer
  };
  using Lists = std::vector<std::vector<Accesses>>;

  /// A list on the way back: begin .. end-1 are left.
  struct Back {
    std::uint32_t actor;
    const std::uint32_t* begin;
    const std::uint32_t* end;
  };

  Node& push();
  std::uint32_t ask_input(const kernel::Choice& choice);
  void follow(const Node& before, Node& node);
  Node& node_of(std::size_t step) { return nodes_[order_[step]]; }
  std::size_t steps() const { return order_.size(); }

  template <class Visit>
  void visit_lists(const kernel::Alternative& step, Visit visit);
  void list(std::size_t number);
  void unlist(const kernel::Alternative& step);
  void look_back(const kernel::Alternative& step, std::size_t number, const Clock& known);
  std::size_t next_back(std::size_t before, const Clock& clock, bool all);

  enum class Look : std::uint8_t {
    clock,      ///< of a step, and nothing else
    races,      ///< of a step
    not_taken,  ///< races of a step that was possible, or waited for, and did not happen there
  };
  void analyse(const kernel::Alternative& step, std::size_t number, Clock& clock, Look look);
  std::size_t taking_before(const kernel::Alternative& release, std::size_t number);
  void reverse(const Race& race);
  void plant_one(Node& node, const Race& race);
  void plant_way(Node& node, const Race& race);
  bool lets(const Race& race);
  void collect(const Race& race, std::size_t end);
  bool is_initial(std::size_t position, const Race& race) const;
  static void insert(std::vector<Branch>& branches, Steps way);
  void wait(const kernel::Alternative& step);
  void find_races(const Outcome& outcome);
  void find_taken_away(bool at_rest);
  bool begin_again();
  void advance();
  std::vector<Dpor> divide(std::size_t at, std::size_t step, std::size_t most);

  Kind kind_;
  bool over_ = false;
  bool cut_ = false;         // some run proves nothing
  bool begun_ = false;       // there was a run
  bool plain_ = false;       // source sets after all
  bool uncertain_ = false;   // a race of this run has no whole way
  bool astray_ = false;      // a way that was planned whole does not exist
  bool lost_ = false;        // the program did not ask what it had asked before
  bool starts_ = false;      // there are routines that begin, and so can be cancelled before they do
  std::vector<Node> nodes_;  // more than used_: their memory is used again
  std::size_t used_ = 0;
  std::vector<std::size_t> order_;  // of steps: their nodes
  std::size_t depth_ = 0;           // node that the run comes to next
  std::size_t fresh_ = 0;           // first step whose races are not known yet
  std::size_t clocked_ = 0;         // first step without a clock
  std::vector<std::size_t> way_;    // steps between two that race, without those that the first one forces; scratch
  std::vector<std::vector<std::uint32_t>> of_actor_;  // steps with a clock, by actor
  Lists of_object_;                                   // the same
  Lists of_processor_;
  std::vector<Back> back_;  // scratch
  Clock scratch_;
  std::vector<std::optional<kernel::Alternative>> open_;  // by actor: possible, and not taken since; scratch
};

}  // namespace vmbsim::explore
