#pragma once
/// A driver's callback while it runs: it returns at the IRQL it was called at, with no spin lock that it took.
///
///   { const Callback running(*this, "EvtVmbChannelOpened"); status = callbacks_.EvtChannelOpened(handle()); }
#include "models/kmcl/endpoint.hpp"

namespace vmbsim::kmcl {

class Callback {
 public:
  Callback(const Endpoint& endpoint, const char* name)
      : endpoint_(endpoint),
        name_(name),
        context_(*hw::Processor::current()->occupant()),
        irql_(context_.irql()),
        locks_(context_.spin_locks()) {}
  ~Callback() {
    if (context_.irql() != irql_ || context_.spin_locks() != locks_) [[unlikely]]
      endpoint_.put_back(name_, irql_, locks_);
  }
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;

 private:
  const Endpoint& endpoint_;
  const char* name_;
  hw::Context& context_;  // a thread keeps it when it moves
  Irql irql_;
  int locks_;
};

}  // namespace vmbsim::kmcl
