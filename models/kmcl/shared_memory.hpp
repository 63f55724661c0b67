#pragma once
/// GPADLs as the two ends of a channel keep them.
#include <cstdint>
#include <vector>

#include "models/os/partition.hpp"
#include "models/vmbus/bus.hpp"

namespace vmbsim::kmcl {

/// The guest's side of one GPADL: told by the bus what became of it, while a thread waits for that.
struct SharedMemory final : vmbus::GpadlOwner {
  explicit SharedMemory(os::Partition& guest) : partition(guest) {
    KeInitializeEvent(&answered, SynchronizationEvent, FALSE);
  }
  void on_created(vmbus::GpadlHandle created) override {
    handle = created;
    partition.set_event(answered);
  }
  void on_torn_down() override { partition.set_event(answered); }

  os::Partition& partition;
  vmbus::GpadlHandle handle;
  vmbus::Gpadl description;          ///< for ranges of it, which transfer pages name
  bool busy = true;                  ///< being created or deleted
  const char* deleted_by = nullptr;  ///< call or callback at whose end it is to be gone
  KEVENT answered;
};

/// The host's side: the descriptor lists that it was given.
struct MappedMemory {
  vmbus::GpadlHandle handle;
  std::vector<std::uint64_t> words;
};

}  // namespace vmbsim::kmcl
