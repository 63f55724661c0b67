#pragma once
/// A driver's callback while it runs: it returns at the IRQL it was called at, with no spin lock that it took.
///
///   { const Callback running(*this, "EvtVmbChannelOpened"); status = callbacks_.EvtChannelOpened(handle()); }
#include "models/kmcl/endpoint.hpp"

namespace vmbsim::kmcl {

class Callback {
 public:
  Callback(const Endpoint& endpoint, const char* name)
      : endpoint_(endpoint), name_(name), irql_(here().irql()), locks_(here().occupant()->spin_locks()) {}
  ~Callback() {
    hw::Processor& cpu = here();  // a thread may have been moved
    if (cpu.irql() != irql_ || cpu.occupant()->spin_locks() != locks_) [[unlikely]]
      endpoint_.put_back(name_, irql_, locks_);
  }
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;

 private:
  static hw::Processor& here() { return *hw::Processor::current(); }

  const Endpoint& endpoint_;
  const char* name_;
  Irql irql_;
  int locks_;
};

}  // namespace vmbsim::kmcl
