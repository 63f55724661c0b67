#pragma once
/// The steps of a replayed run as a Perfetto trace: a track per actor below its processor's, a slice per step, flows between
/// conflicting steps of different actors, and each processor's IRQL.
#include <map>
#include <string>

#include "sim/explore/program.hpp"
#include "sim/observe/perfetto.hpp"

namespace vmbsim::hunt {

class Timeline final : public explore::StepListener {
 public:
  explicit Timeline(const explore::Program& program) : program_(program) {}
  void on_step(const explore::Step& step) override;
  /// The file's bytes.
  std::string finish() { return trace_.bytes(); }

 private:
  struct Processor {
    observe::PerfettoTrace::Track track;
    observe::PerfettoTrace::Track irql;
    int level = -1;
  };
  Processor& processor(std::uint32_t number);
  std::uint64_t flow_into(const explore::Step& step);

  const explore::Program& program_;
  observe::PerfettoTrace trace_;
  std::map<std::uint32_t, Processor> processors_;
  std::map<std::uint32_t, observe::PerfettoTrace::Track> actors_;
  std::map<std::uint32_t, std::uint64_t> written_by_;  // object -> flow of the last step that changed it
  std::uint64_t flows_ = 0;
};

}  // namespace vmbsim::hunt
