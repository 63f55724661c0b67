#pragma once
/// Scenario text to scenario values, with every problem at once.
///
///   Loaded loaded = load("disk.toml", {.overrides = {"workload.foreground.queue_depth=8"}, .seed = Seed{44}});
///   if (!loaded.scenario) for (const Problem& p : loaded.problems) std::cerr << p.line() << '\n';
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/scenario/checks.hpp"
#include "models/scenario/scenario.hpp"

namespace vmbsim::scenario {

struct LoadOptions {
  std::vector<std::string> overrides{};  ///< `key.path=value` each, applied in order; see sim/config/overrides.hpp
  std::optional<Seed> seed{};            ///< wins over the file and the overrides; at most 2^63 - 1
  bool one_run = false;         ///< as one run of a batch: without [sweep], [objective], [plan], [report] and [hunt]
  HostCheck host_check{};       ///< asked for every host and disk of a platform
  RouteCheck route_check{};     ///< asked for every way over its links
  DriverCheck driver_check{};   ///< asked for every driver library, by its absolute path
  std::string driver_folder{};  ///< where the program keeps its own driver libraries; empty: nowhere
};

/// A scenario, or at least one problem. Problems are in the order of their places, those of the main file first.
struct Loaded {
  std::optional<Scenario> scenario;
  Problems problems;
};

/// Reads `path`, what it includes, its profile and its empirical samples. Of trace and platform files it only checks that
/// they are there.
Loaded load(const std::string& path, const LoadOptions& options = {});

/// The same for a text in memory. Touches no file: whatever needs one is a problem.
Loaded load_text(std::string_view text, const LoadOptions& options = {});

/// The resolved scenario as TOML: every default, the profile's numbers, absolute paths. Reads back to the same values.
std::string expand(const Scenario& scenario);

/// JSON Schema (draft 4) of a scenario file, for editors.
std::string json_schema();

/// What the scenario amounts to, a few lines: guests, channels, rings and their memory, loads and expected packets.
std::string describe(const Scenario& scenario);

}  // namespace vmbsim::scenario
