#pragma once
/// The latency profiles that are part of the program: the files of scenarios/profiles, embedded when it is built, so that
/// `profile = "typical"` means the same from any folder.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmbsim::scenario {

/// The text of scenarios/profiles/<name>.toml, or nothing.
std::optional<std::string_view> embedded_profile(std::string_view name);
std::vector<std::string> embedded_profile_names();

}  // namespace vmbsim::scenario
