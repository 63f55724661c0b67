// Any sequence of legal calls is told of no mistake and ends with nothing under way; one illegal call among them is told once.
// Source: the rules are those of include/vmbsim/rules.hpp, each with its own.
#include <catch2/catch.hpp>

#include "tests/property/kmcl_mistakes.hpp"
#include "tests/support/drawn_cases.hpp"
#include "vmbsim/rules.hpp"

namespace vmbsim::testing::sequences {
namespace {

#ifdef VMBSIM_LONG_TESTS
constexpr int sequence_count = 100'000;
#else
constexpr int sequence_count = 5'000;
#endif

/// A sequence and one mistake, by its place in the table, before the command number `at`.
struct Broken {
  Sequence sequence;
  std::size_t at = 0;
  std::size_t mistake = 0;

  bool possible() const { return mistakes()[mistake].possible(after(sequence, at)); }
};

std::ostream& operator<<(std::ostream& to, const Broken& broken) {
  return to << broken.sequence << "\n  and " << mistakes()[broken.mistake].rule << " before command " << broken.at;
}

/// Draws a mistake and a moment in which it can be made; the sequence without one gets another.
Broken drawn_broken(rc::Random random, int size) {
  for (;;) {
    Broken broken{.sequence = drawn_sequence(random.split(), size)};
    Dice dice(random.split());
    for (int attempt = 0; attempt < 8; ++attempt) {
      broken.at = dice.below(broken.sequence.commands.size() + 1);
      broken.mistake = dice.below(mistakes().size());
      if (broken.possible()) return broken;
    }
  }
}

/// The same mistake in a simpler sequence.
rc::Seq<Broken> simpler_broken(const Broken& broken) {
  const auto before = [broken](const Sequence& left) {
    const std::size_t removed = broken.sequence.commands.size() - left.commands.size();
    return Broken{left, broken.at > removed ? broken.at - removed : 0, broken.mistake};
  };
  const auto behind = [broken](const Sequence& left) {
    return Broken{left, std::min(broken.at, left.commands.size()), broken.mistake};
  };
  return rc::seq::filter(
      rc::seq::concat(rc::seq::map(simpler(broken.sequence), before), rc::seq::map(simpler(broken.sequence), behind)),
      [](const Broken& candidate) { return candidate.possible(); });
}

rc::Gen<Broken> broken_sequences() {
  return [](const rc::Random& random, int size) {
    return rc::shrinkable::shrinkRecur(drawn_broken(random, size), &simpler_broken);
  };
}

/// Plays it, with a mistake before command number `at`.
void play(Player& player, const Sequence& sequence, std::size_t at, const Mistake* mistake) {
  Model model;
  for (std::size_t i = 0; i <= sequence.commands.size(); ++i) {
    if (mistake != nullptr && i == at) mistake->make(player, model);
    if (i == sequence.commands.size()) break;
    player.play(sequence.commands[i], model);
    model.apply(sequence.commands[i]);
  }
  player.wind_down(model);
}

TEST_CASE("drivers that keep the rules are told of no mistake, and everything they began comes to its end") {
  told(checked("legal sequences", sequence_count, [] {
    const Sequence sequence = *legal_sequences();
    Player player(sequence.machines);
    play(player, sequence, 0, nullptr);
    RC_ASSERT(player.wrong() == "");
    RC_ASSERT(player.findings() == "");
  }));
}

TEST_CASE("one illegal call among legal ones is told once, by its rule, and the run goes on as if it had not been") {
  std::vector<int> made(mistakes().size());
  told(checked("one mistake", sequence_count, [&made] {
    const Broken broken = *broken_sequences();
    ++made[broken.mistake];
    const Mistake& mistake = mistakes()[broken.mistake];
    Player player(broken.sequence.machines);
    play(player, broken.sequence, broken.at, &mistake);
    RC_LOG() << player.findings();
    RC_ASSERT(player.wrong() == "");
    RC_ASSERT(player.broken_rules() == std::string(mistake.rule));
  }));
  for (std::size_t i = 0; i < made.size(); ++i) {
    CAPTURE(i, mistakes()[i].rule);
    CHECK(made[i] > 0);
  }
}

TEST_CASE("every rule of the library that a call can break is among the mistakes") {
  std::set<std::string> made;
  for (const Mistake& mistake : mistakes()) made.insert(mistake.rule);
  for (const Unbroken& unbroken : unbroken_rules()) {
    INFO(unbroken.rule << ": " << unbroken.why);
    CHECK(made.insert(unbroken.rule).second);
  }
  for (const Rule& rule : rules) {
    if (rule.kind != Rule::Kind::violation || rule.id[0] != 'K') continue;
    INFO(rule.id << ": " << rule.sentence);
    CHECK(made.count(rule.id) == 1);
  }
}

}  // namespace
}  // namespace vmbsim::testing::sequences
