// Any sequence of legal calls is told of no mistake and ends with nothing under way; one illegal call among them is told once.
// Source: the rules are those of include/vmbsim/rules.hpp, each with its own.
#include <catch2/catch.hpp>

#include "tests/property/kmcl_player.hpp"

namespace vmbsim::testing::sequences {
namespace {

#ifdef VMBSIM_LONG_TESTS
constexpr int sequence_count = 100'000;
#else
constexpr int sequence_count = 5'000;
#endif

TEST_CASE("drivers that keep the rules are told of no mistake, and everything they began comes to its end") {
  const auto result = checked("legal sequences", sequence_count, [] {
    const Sequence sequence = *legal_sequences();
    Player player(sequence.machines);
    Model model;
    for (const Command& command : sequence.commands) {
      player.play(command, model);
      model.apply(command);
    }
    player.wind_down(model);
    RC_ASSERT(player.wrong() == "");
    RC_ASSERT(player.findings() == "");
  });
  std::ostringstream told;
  rc::detail::printResultMessage(result, told);
  INFO(told.str());
  CHECK(result.is<rc::detail::SuccessResult>());
}

}  // namespace
}  // namespace vmbsim::testing::sequences
