#pragma once
/// A find as a small file that anybody can replay: what was run, where it departed from the defaults, and what came of it.
///
///   vmbsim repro 1                               the format
///   version 1.2.0                                of vmbsim
///   target harness 3f9a... lost-doorbell.so      kind, digest of its content, file
///   memory tso
///   seed 42                                      of the campaign
///   strategy pct3 run 17                         who found it
///   knob channel.disk.ring.to_host=8 KiB         on top of the scenario; any number
///   rule LOST_WAKEUP
///   text ...                                     the finding's sentence
///   fingerprint 0123...                          of the whole run; - when the run ends its process
///   questions 57                                 that had two or more answers
///   digests 9a3c0f11 ...                         over questions and answers, after 1, 2, 4, 8 ... of them
///   actor 3 0 producer                           number, how-manieth of the name from 0, name: of each that is below
///   at +12 take 1 of 2 flush actor 3 nth 4 hash 9f3a
///   checksum 0123456789abcdef
///
/// Sparse   `+12` is the distance to the deviation before, the first one's to question 0; questions not named take answer 0.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/explore/deviations.hpp"
#include "sim/explore/replay.hpp"
#include "sim/hunt/target.hpp"
#include "vmbsim/ids.hpp"
#include "vmbsim/problem.hpp"

namespace vmbsim::hunt {

struct Repro {
  static constexpr std::uint32_t format = 1;
  static constexpr std::size_t largest = 16 << 20;  ///< bytes of a file

  std::string version;  ///< of vmbsim
  std::string kind;     ///< "scenario" or "harness"
  std::string path;
  std::string content;  ///< Target::content()
  Setting setting;
  Seed seed;
  std::string strategy;
  std::uint64_t run = 0;  ///< of the strategy
  std::string rule;
  std::string text;
  std::optional<Fingerprint> fingerprint;  ///< nothing when the run ends its process
  std::uint64_t questions = 0;
  std::vector<std::uint32_t> digests;
  std::vector<explore::ActorName> actors;  ///< of the deviations, by number; older files have none
  explore::Deviations deviations;
  friend bool operator==(const Repro&, const Repro&) = default;
};

std::string to_text(const Repro& repro);

/// Reads a file's text. Nothing when there are problems; each has its place. Another format is one problem that names both.
std::optional<Repro> read_repro(std::string_view text, const std::string& file, Problems& problems);

/// Digests a run's questions and answers on their way. Two runs that agree in a digest agreed in every answer before it.
class AnswerDigest {
 public:
  void add(const kernel::Choice& choice, std::uint32_t taken) {
    const std::uint64_t word = (std::uint64_t{choice.alternatives} << 40) ^ (std::uint64_t{taken} << 16) ^
                               (std::uint64_t{static_cast<std::uint8_t>(choice.point)} << 56) ^
                               explore::hash_of(choice, taken);
    mixed_ = (mixed_ ^ word) * 0x9e3779b97f4a7c15u;
    mixed_ ^= mixed_ >> 29;
    ++questions_;
    if ((questions_ & (questions_ - 1)) == 0) digests_.push_back(static_cast<std::uint32_t>(mixed_ >> 32));
  }
  std::uint64_t questions() const { return questions_; }
  const std::vector<std::uint32_t>& digests() const { return digests_; }

 private:
  std::uint64_t mixed_ = 0;
  std::uint64_t questions_ = 0;
  std::vector<std::uint32_t> digests_;
};

}  // namespace vmbsim::hunt
