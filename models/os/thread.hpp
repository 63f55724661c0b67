#pragma once
/// The insides of threads that only this folder needs: waits and system workers.
#include "models/os/partition.hpp"

namespace vmbsim::os {

/// One thread waiting for one dispatcher object; linked in the object's WaitListHead, or nowhere while it only sleeps.
struct WaitBlock {
  LIST_ENTRY link;
  Thread* thread;
  NTSTATUS status = STATUS_SUCCESS;
  bool released = false;
  kernel::EventHandle timeout{};
};

/// A system worker thread and the queue it serves.
struct Partition::Worker {
  Partition& partition;
  WorkQueue& queue;
  Thread* thread = nullptr;
  kernel::Stream costs;
};

}  // namespace vmbsim::os
