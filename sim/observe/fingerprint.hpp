#pragma once
/// The run's 128-bit fingerprint: XXH3 over every record of its log, in fixed little-endian form.
#include <memory>

#include "sim/kernel/simulation.hpp"
#include "vmbsim/ids.hpp"

namespace vmbsim::observe {

class FingerprintDigest final : public kernel::EventListener {
 public:
  FingerprintDigest();
  ~FingerprintDigest() override;
  void on_events(std::span<const kernel::EventRecord> page) override;
  /// Over everything seen so far.
  Fingerprint value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vmbsim::observe
