#pragma once
/// Harnesses that a test writes where it needs them.
///
///   const Seen seen = all_orders([] { auto& word = make<Shared<int>>("word"); thread("a", [&] { word.store(1); }); });
///   CHECK(seen.rules == "");
#include <cstdint>
#include <set>
#include <string>

#include "models/harness/harness.hpp"
#include "tests/support/every_order.hpp"
#include "vmbsim/hunt.hpp"

namespace vmbsim::testing {

using explore::MemoryModel;

namespace detail {
inline void (*set_up)() = nullptr;
inline void enter(const vmbsim_hunt* hunt) {
  hunt::detail::now = hunt;
  set_up();
}
}  // namespace detail

/// Whatever all orders of a harness showed.
struct Seen {
  std::uint64_t runs = 0;
  std::set<std::string> rules;      ///< of findings
  std::string text;                 ///< of the first one
  std::set<std::string> goals;      ///< of `sometimes`
  std::set<std::string> reached;    ///< those that were met
  std::set<std::uint64_t> classes;  ///< of equivalent runs
  std::set<Fingerprint> fingerprints;
  std::uint64_t most_steps = 0;
  std::uint64_t by_preemptions[8] = {};  ///< runs with so many
  std::uint64_t by_delays[16] = {};
  BugCheck bug_check{};

  /// "", or the rules that were broken: "CHECK, RACE".
  std::string found() const {
    std::string all;
    for (const std::string& rule : rules) all += (all.empty() ? "" : ", ") + rule;
    return all;
  }
};

/// All orders of a harness. `set_up` captures nothing.
inline Seen all_orders(void (*set_up)(), harness::Config config = {}, std::uint64_t most = 1'000'000) {
  detail::set_up = set_up;
  harness::Harness program("test", &detail::enter, config);
  Seen seen;
  seen.runs = every_order(
      program,
      [&seen](const explore::Outcome& outcome, const EveryOrder& source) {
        for (const Finding& finding : outcome.findings) {
          if (seen.rules.empty()) {
            seen.text = finding.text;
            seen.bug_check = finding.bug_check;
          }
          seen.rules.insert(finding.rule);
        }
        seen.goals.insert(outcome.goals.begin(), outcome.goals.end());
        seen.reached.insert(outcome.reached.begin(), outcome.reached.end());
        seen.classes.insert(outcome.trace_class);
        seen.fingerprints.insert(outcome.fingerprint);
        seen.most_steps = std::max(seen.most_steps, outcome.steps);
        if (source.preemptions() < 8) ++seen.by_preemptions[source.preemptions()];
        if (source.delays() < 16) ++seen.by_delays[source.delays()];
      },
      most);
  return seen;
}
inline Seen all_orders(void (*set_up)(), MemoryModel memory) {
  return all_orders(set_up, harness::Config{.memory = memory});
}

}  // namespace vmbsim::testing
