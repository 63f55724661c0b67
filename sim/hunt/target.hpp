#pragma once
/// What a hunt looks for bugs in: something that makes a program, in whatever process runs it.
#include <memory>
#include <string>
#include <vector>

#include "sim/explore/program.hpp"
#include "sim/kernel/random.hpp"
#include "vmbsim/ids.hpp"

namespace vmbsim::hunt {

/// How a target's program is made. Part of every repro.
struct Setting {
  explore::MemoryModel memory = explore::MemoryModel::sc;
  std::vector<std::string> knobs;  ///< "KEY=VALUE" on top of a scenario, in order; a harness has none
  friend bool operator==(const Setting&, const Setting&) = default;
};

/// A smaller setting that may show the same finding.
struct Reduction {
  std::string text;                ///< "one channel fewer"
  std::vector<std::string> knobs;  ///< added to those there are
};

class Target {
 public:
  virtual ~Target() = default;
  /// "scenario" or "harness".
  virtual std::string kind() const = 0;
  /// The file, as it was named.
  virtual std::string path() const = 0;
  /// 16 hexadecimal digits over what it is made of: equal for equal content, wherever it lies and whoever built it.
  virtual std::string content() const = 0;
  /// Null when it cannot be made with this setting; `why` then tells.
  virtual std::unique_ptr<explore::Program> make(const Setting& setting, std::string& why) const = 0;
  /// Knobs of a swarm, drawn; none for harnesses. A setting with all of them may be one that cannot be made.
  virtual std::vector<std::string> swarm(kernel::Stream&) const { return {}; }
  /// Smaller settings to try, most promising first.
  virtual std::vector<Reduction> reductions(const Setting&) const { return {}; }
};

}  // namespace vmbsim::hunt
