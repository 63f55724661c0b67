#pragma once
/// Mistakes that a driver may make among legal calls: each breaks one rule of the library once and leaves the channel as it was.
#include <span>

#include "tests/property/kmcl_player.hpp"

namespace vmbsim::testing::sequences {

struct Mistake {
  const char* rule;
  /// Whether it can be made in this state.
  bool (*possible)(const Model& model);
  void (*make)(Player& player, const Model& model);
};

std::span<const Mistake> mistakes();

/// Rules that no single call among legal ones can break, and why not.
struct Unbroken {
  const char* rule;
  const char* why;
};
std::span<const Unbroken> unbroken_rules();

}  // namespace vmbsim::testing::sequences
