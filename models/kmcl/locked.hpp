#pragma once
/// Holding a spin lock for the length of a scope, as KMCL's own code does.
#include "models/os/partition.hpp"

namespace vmbsim::kmcl {

/// A stretch of software at DISPATCH_LEVEL that holds a spin lock.
class Locked {
 public:
  Locked(os::Partition& partition, KSPIN_LOCK& lock)
      : partition_(partition), lock_(lock), cpu_(*hw::Processor::current()), before_(cpu_.irql()) {
    if (before_ < Irql::dispatch) cpu_.set_irql(Irql::dispatch);
    partition_.acquire(lock_);
  }
  ~Locked() {
    partition_.release(lock_);
    if (before_ < Irql::dispatch) cpu_.set_irql(before_);
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  os::Partition& partition_;
  KSPIN_LOCK& lock_;
  hw::Processor& cpu_;
  Irql before_;
};

}  // namespace vmbsim::kmcl
