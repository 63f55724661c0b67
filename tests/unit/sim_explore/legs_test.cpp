// A run's steps in an order with fewer switches, and runs that are led along legs.
#include "sim/explore/legs.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/exploring.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using explore::Leg;
using explore::Legs;
using explore::Walked;
using kernel::Access;
using kernel::Alternative;

namespace {

Alternative step(std::uint32_t actor, std::uint32_t object, Access access) {
  return {.actor = actor,
          .processor = actor,
          .kind = kernel::ChoicePoint::thread,
          .operation = {.object = object, .other = 0, .access = access, .waits = false}};
}

std::string text_of(const Legs& legs) {
  std::string text;
  for (const Leg& leg : legs) text += std::to_string(leg.actor) + ":" + std::to_string(leg.until) + " ";
  return text;
}

bool among(const std::vector<Legs>& all, const std::string& text) {
  return std::any_of(all.begin(), all.end(), [&](const Legs& legs) { return text_of(legs) == text; });
}

Walked walk_of(StraightLine program, kernel::ChoiceSource& source) {
  explore::Watched watched(source);
  program.run(watched);
  return watched.take();
}

}  // namespace

TEST_CASE("steps that do not depend on each other are put together by actor") {
  const std::vector<Alternative> steps{step(0, 1, Access::update), step(1, 2, Access::update),
                                       step(0, 1, Access::update), step(1, 2, Access::update)};
  CHECK(text_of(explore::legs_of(steps)) == "0:1 1:1 0:2 1:2 ");
  CHECK(among(explore::calmer_legs(steps), "0:2 1:2 "));
  CHECK(among(explore::calmer_legs(steps), "1:2 0:2 "));
}

TEST_CASE("steps that depend on each other stay in their order") {
  const std::vector<Alternative> steps{step(0, 1, Access::read), step(1, 1, Access::write), step(0, 1, Access::write)};
  for (const Legs& legs : explore::calmer_legs(steps)) CHECK(text_of(legs) == "0:1 1:1 0:2 ");
}

TEST_CASE("what the last step does not hang on is left out first") {
  const std::vector<Alternative> steps{step(2, 9, Access::update), step(0, 1, Access::write),
                                       step(2, 9, Access::update), step(1, 1, Access::read)};
  CHECK(text_of(explore::calmer_legs(steps).front()) == "0:1 1:1 ");
}

TEST_CASE("a run that is led along its own legs is the same run again, input included") {
  const StraightLine program(
      {{load(1), store_next(1), fails()}, {lock(2), add(1), unlock(2)}, {lock(2), input(2), unlock(2)}});
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto random = explore::make_strategy("random", Seed{seed});
    random->begin(0);
    const Walked walked = walk_of(program, *random);
    const Legs legs = explore::legs_of(walked.steps);
    explore::Led led(legs, walked.asides);
    const Walked again = walk_of(program, led);
    CHECK(text_of(explore::legs_of(again.steps)) == text_of(legs));
    CHECK(again.asides == walked.asides);
  }
}

TEST_CASE("a leg ends where its actor cannot go on") {
  const StraightLine program({{lock(1), add(2), unlock(1)}, {lock(1), add(2), unlock(1)}, {add(3)}});
  const Legs legs{{0, 1}, {1, 3}, {2, 1}, {0, 3}};
  const std::vector<std::vector<std::uint32_t>> no_asides;
  explore::Led led(legs, no_asides);
  CHECK(text_of(explore::legs_of(walk_of(program, led).steps)) == "0:1 2:1 0:3 1:3 ");
}
