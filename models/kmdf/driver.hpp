#pragma once
/// A framework driver: WDFDRIVER. Source: WDK, WdfDriverCreate, WDF_DRIVER_CONFIG.
#include "models/kmdf/object.hpp"

namespace vmbsim::kmdf {

class Driver final : public Object {
 public:
  static constexpr Kind of_kind = Kind::driver;

  Driver(Framework& framework, const void* module, DRIVER_OBJECT& object, const WDF_DRIVER_CONFIG& config);

  /// Tells the library that the driver's code is in.
  const void* module() const { return module_; }
  DRIVER_OBJECT& object() const { return object_; }
  const WDF_DRIVER_CONFIG& config() const { return config_; }
  ULONG pool_tag() const { return config_.DriverPoolTag; }

 private:
  void finish() override;

  const void* module_;
  DRIVER_OBJECT& object_;
  WDF_DRIVER_CONFIG config_;
};

}  // namespace vmbsim::kmdf
