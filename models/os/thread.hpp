#pragma once
/// The insides of threads that only this folder needs: waits and system workers.
#include "models/os/partition.hpp"

namespace vmbsim::os {

struct Wait;

/// One object of a wait; linked in the object's WaitListHead.
struct WaitBlock {
  LIST_ENTRY link;
  DISPATCHER_HEADER* object;
  Wait* wait;
};

/// One thread waiting for one object, for any or for all of several, or for time to pass.
struct Wait {
  Thread* thread;
  std::span<WaitBlock> blocks{};
  bool all = false;
  bool released = false;
  NTSTATUS status = STATUS_SUCCESS;
  kernel::EventHandle timeout{};
};

/// A system worker thread and the queue it serves.
struct Partition::Worker {
  Partition& partition;
  WorkQueue& queue;
  Thread* thread = nullptr;
  kernel::Stream costs;
};

/// Keeps the executing processor from switching threads while several things change together.
class NoSwitch {
 public:
  NoSwitch() : cpu_(hw::Processor::current()), before_(cpu_ != nullptr ? cpu_->irql() : Irql::high) {
    if (before_ < Irql::dispatch) cpu_->set_irql(Irql::dispatch);
  }
  ~NoSwitch() {
    if (before_ < Irql::dispatch) hw::Processor::current()->set_irql(before_);
  }
  NoSwitch(const NoSwitch&) = delete;
  NoSwitch& operator=(const NoSwitch&) = delete;

 private:
  hw::Processor* cpu_;
  Irql before_;
};

}  // namespace vmbsim::os
