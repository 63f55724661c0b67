#pragma once
/// Values as one line of words: what workers send to their parent and what a hunt's journal keeps.
///
///   Line line; line.add("slice").add(7).add("a b");        // slice 7 a%20b
///   Reader reader(line.text()); reader.word(); reader.number(); reader.word();
///
/// A word's bytes outside of 0x21 to 0x7e, and %, are written as %XX; an empty word as a single %.
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/explore/deviations.hpp"
#include "vmbsim/finding.hpp"
#include "vmbsim/ids.hpp"

namespace vmbsim::hunt {

class Line {
 public:
  Line& add(std::string_view word);
  template <std::integral Number>
  Line& add(Number number) {
    return add(std::string_view(std::to_string(number)));
  }
  Line& add(const Fingerprint& digest) { return add(digest.high).add(digest.low); }
  Line& add(const explore::Deviations& list);
  Line& add(const Finding& finding);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Reads what Line wrote. Anything else makes it bad, and bad readers read zeros and empty words.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::string word();
  std::uint64_t number();
  /// A number of things that follow: at most `most`.
  std::size_t count(std::size_t most);
  Fingerprint digest();
  explore::Deviations deviations();
  Finding finding();

  bool bad() const { return bad_; }
  /// Everything was read, and all of it was good.
  bool done() const { return !bad_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool bad_ = false;
};

/// 64 bits over a text, the same on every machine: FNV-1a and the finalizer of SplitMix64.
std::uint64_t checksum(std::string_view text);
/// 16 hexadecimal digits.
std::string hexadecimal(std::uint64_t number);

}  // namespace vmbsim::hunt
