#pragma once
/// What is known of a run that ended its process: its last steps and the digests of its answers, in memory that the process
/// shares with its parent. Made by the parent, written by the child, read by the parent.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/explore/program.hpp"
#include "sim/hunt/repro.hpp"
#include "sim/hunt/story.hpp"

namespace vmbsim::hunt {

class Tape final : public explore::StepListener {
 public:
  static constexpr std::size_t most_steps = Story::most_steps;

  Tape();
  ~Tape() override;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  // ---- From the child ----

  /// A run of the program begins.
  void begin(const explore::Program& program, const Recorder& recorder);
  void on_step(const explore::Step& step) override;
  /// So many questions were answered.
  void note(const AnswerDigest& digest);

  // ---- From the parent ----

  std::uint64_t steps() const;
  std::uint64_t questions() const;
  std::vector<std::uint32_t> digests() const;
  /// Tells a listener its steps again, to a story whether each of them departs.
  void tell(explore::StepListener& listener) const;
  void tell(Story& story) const;
  /// Stands for the program that is gone: its names as the steps said them.
  std::unique_ptr<explore::Program> names() const;

 private:
  struct Record;
  struct Page;
  explore::Step step_of(const Record& record) const;
  std::vector<const Record*> records() const;

  Page* page_;
  const explore::Program* program_ = nullptr;
  const Recorder* recorder_ = nullptr;
};

}  // namespace vmbsim::hunt
