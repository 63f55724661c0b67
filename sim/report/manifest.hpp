#pragma once
/// manifest.toml: all that is needed to run a result again.
#include <string>
#include <utility>
#include <vector>

#include "vmbsim/ids.hpp"

namespace vmbsim::report {

struct Manifest {
  // How it was run. Two results that differ only here are results of the same scenario.
  std::string version;
  std::string commit;
  std::string compiler;
  std::string flags;
  std::vector<std::pair<std::string, std::string>> packages;  ///< name, version
  std::string command;
  // What was run.
  std::string scenario;  ///< its name
  Seed seed;
  std::string text;  ///< the resolved scenario, as TOML
};

/// TOML: the keys of the first part, then one `[scenario]` table with the second.
std::string manifest_toml(const Manifest& manifest);

/// The `[scenario]` table alone: equal for two manifests if and only if they describe the same scenario and seed.
std::string identity(const Manifest& manifest);
/// The same table, cut from the text of a manifest; empty when there is none.
std::string identity_in(const std::string& manifest_text);
/// The first line in which two identities differ, with the table that it stands in: "[channel.device] parallel = 1 there, parallel =
/// 2 here". Precondition: they do.
std::string first_difference(const std::string& there, const std::string& here);

}  // namespace vmbsim::report
