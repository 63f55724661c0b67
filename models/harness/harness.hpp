#pragma once
/// A harness as a program that a hunt explores.
///
///   std::string why;
///   auto harness = Harness::load("liblost_doorbell.so", {.memory = explore::MemoryModel::tso}, why);
///   const explore::Outcome& outcome = harness->run(choices);
///
/// Isolation  Every run finds the library's statics as they were loaded, with the memory that its initialisers took; and what the
///            library's own code allocates in a run, by new or C's functions, ends with it. What other libraries allocate for it is
///            the process's.
/// Mishaps    CRASH, ABORT, EXIT and ENDLESS are findings: a harness does not take the process along.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/harness/machine.hpp"
#include "sim/explore/program.hpp"
#include "sim/foreign/library.hpp"

namespace vmbsim::harness {

/// What a file says of itself.
struct Card {
  std::string wrong;    ///< why it is no harness that this version can run; empty: it is one
  std::string sources;  ///< 16 hexadecimal digits over what it was built from; empty: it does not say
};
/// Looks at it in a child process, for the initialisers of a library are not ours.
Card card_of_harness(const std::string& file);

class Harness final : public explore::Program {
 public:
  /// Null, with the reason in `why`, where card_of_harness() would tell one.
  static std::unique_ptr<Harness> load(const std::string& file, Config config, std::string& why);
  /// A set-up that is part of this program.
  Harness(std::string name, Machine::Entry entry, Config config);
  ~Harness() override;

  const explore::Outcome& run(kernel::ChoiceSource& choices, explore::StepListener* listener = nullptr) override;
  bool time_abstract() const override { return true; }
  std::string actor_name(std::uint32_t actor) const override { return machine_.actor_name(actor); }
  std::string object_name(std::uint32_t object) const override { return machine_.object_name(object); }

  const std::string& name() const { return name_; }

 private:
  struct Statics {
    std::byte* begin;
    std::vector<std::byte> loaded;
  };
  void remember_statics(std::span<const std::byte> heap);
  void tell_mishap();

  std::string name_;
  Machine::Entry entry_;
  std::unique_ptr<foreign::Library> library_;
  std::vector<Statics> statics_;
  Machine machine_;
};

}  // namespace vmbsim::harness
