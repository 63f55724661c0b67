#pragma once
/// A framework driver for tests: its callbacks write their names into a log and return what the test wishes.
///
///   FrameworkDriver driver;
///   driver.returns["PrepareHardware"] = STATUS_UNSUCCESSFUL;
///   driver.in_thread([&] { CHECK_FALSE(NT_SUCCESS(driver.bring_up())); });
///   CHECK(driver.log() == "DeviceAdd PrepareHardware ReleaseHardware device:cleanup device:destroy");
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "models/kmdf/io_request.hpp"
#include "models/kmdf/pnp.hpp"
#include "tests/support/channel_pair.hpp"
#include "wdf.h"

typedef struct _TEST_CONTEXT {
  const char* Name;
  ULONG Number;
} TEST_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(TEST_CONTEXT, TestContext)

namespace vmbsim::testing {

class FrameworkDriver : public TwoPartitions {
 public:
  explicit FrameworkDriver(const Config& config = {}) : TwoPartitions(config) { current_ = this; }
  ~FrameworkDriver() { current_ = nullptr; }

  // ---- What the driver does; a test changes it before bring_up() ----

  std::map<std::string, NTSTATUS> returns;              ///< by callback; success where there is none
  std::map<std::string, std::function<void()>> inside;  ///< runs in the callback, after its name is noted
  std::function<void(PWDFDEVICE_INIT)> configure;       ///< in EvtDriverDeviceAdd, before WdfDeviceCreate
  std::function<void()> created;                        ///< after it
  WDF_OBJECT_ATTRIBUTES device_attributes = noting();
  bool creates_driver = true;
  NTSTATUS entry_returns = STATUS_SUCCESS;

  // ---- What there is ----

  kmdf::PnpManager pnp{guest};
  kmcl::Device pdo{"device", guest, bus};
  kmdf::LoadedDriver* loaded = nullptr;
  kmdf::DeviceNode* node = nullptr;
  WDFDRIVER driver = nullptr;
  WDFDEVICE device = nullptr;

  /// Runs `body` in a thread of the guest, to quiescence; it must come to its end.
  void in_thread(std::function<void()> body) {
    const Running& thread = start(guest, 0, std::move(body));
    quiesce();
    REQUIRE(thread.ended);
  }
  NTSTATUS load() {
    NTSTATUS status = STATUS_SUCCESS;
    loaded = &pnp.load("test", entry, &status);
    return status;
  }
  /// Loads the driver, adds its device and starts it.
  NTSTATUS bring_up() {
    NTSTATUS status = load();
    if (!NT_SUCCESS(status)) return status;
    node = loaded->add_device(pdo, &status);
    return node != nullptr ? node->start() : status;
  }
  void note(const std::string& what) { log_ += (log_.empty() ? "" : " ") + what; }
  /// What was noted since the last call.
  std::string log() { return std::exchange(log_, {}); }

  /// Attributes whose callbacks note "name:cleanup" and "name:destroy"; named() gives the name.
  static WDF_OBJECT_ATTRIBUTES noting(WDFOBJECT parent = nullptr) {
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, TEST_CONTEXT);
    attributes.ParentObject = parent;
    attributes.EvtCleanupCallback = [](WDFOBJECT object) { current_->tell(object, "cleanup"); };
    attributes.EvtDestroyCallback = [](WDFOBJECT object) { current_->tell(object, "destroy"); };
    return attributes;
  }
  template <class H>
  static H named(H handle, const char* name) {
    TestContext(handle)->Name = name;
    return handle;
  }
  static FrameworkDriver& current() { return *current_; }

 private:
  void tell(WDFOBJECT object, const char* what) {
    const char* name = TestContext(object)->Name;
    note(std::string(name != nullptr ? name : "object") + ":" + what);
  }
  static NTSTATUS told(const char* callback) {
    current_->note(callback);
    if (const auto body = current_->inside.find(callback); body != current_->inside.end()) body->second();
    const auto status = current_->returns.find(callback);
    return status != current_->returns.end() ? status->second : STATUS_SUCCESS;
  }

  static NTSTATUS entry(PDRIVER_OBJECT object, PUNICODE_STRING path) {
    FrameworkDriver& self = *current_;
    if (!self.creates_driver) return self.entry_returns;
    WDF_DRIVER_CONFIG config;
    WDF_DRIVER_CONFIG_INIT(&config, device_add);
    config.EvtDriverUnload = [](WDFDRIVER) { told("Unload"); };
    WDF_OBJECT_ATTRIBUTES attributes = noting();
    const NTSTATUS status = WdfDriverCreate(object, path, &attributes, &config, &self.driver);
    if (NT_SUCCESS(status)) named(self.driver, "driver");
    return NT_SUCCESS(status) ? self.entry_returns : status;
  }

  static NTSTATUS device_add(WDFDRIVER, PWDFDEVICE_INIT init) {
    FrameworkDriver& self = *current_;
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = [](WDFDEVICE, WDFCMRESLIST, WDFCMRESLIST) { return told("PrepareHardware"); };
    callbacks.EvtDeviceReleaseHardware = [](WDFDEVICE, WDFCMRESLIST) { return told("ReleaseHardware"); };
    callbacks.EvtDeviceD0Entry = [](WDFDEVICE, WDF_POWER_DEVICE_STATE) { return told("D0Entry"); };
    callbacks.EvtDeviceD0EntryPostInterruptsEnabled = [](WDFDEVICE, WDF_POWER_DEVICE_STATE) {
      return told("PostInterruptsEnabled");
    };
    callbacks.EvtDeviceD0ExitPreInterruptsDisabled = [](WDFDEVICE, WDF_POWER_DEVICE_STATE) {
      return told("PreInterruptsDisabled");
    };
    callbacks.EvtDeviceD0Exit = [](WDFDEVICE, WDF_POWER_DEVICE_STATE) { return told("D0Exit"); };
    callbacks.EvtDeviceSelfManagedIoInit = [](WDFDEVICE) { return told("IoInit"); };
    callbacks.EvtDeviceSelfManagedIoSuspend = [](WDFDEVICE) { return told("IoSuspend"); };
    callbacks.EvtDeviceSelfManagedIoRestart = [](WDFDEVICE) { return told("IoRestart"); };
    callbacks.EvtDeviceSelfManagedIoFlush = [](WDFDEVICE) { told("IoFlush"); };
    callbacks.EvtDeviceSelfManagedIoCleanup = [](WDFDEVICE) { told("IoCleanup"); };
    callbacks.EvtDeviceSurpriseRemoval = [](WDFDEVICE) { told("SurpriseRemoval"); };
    callbacks.EvtDeviceQueryRemove = [](WDFDEVICE) { return told("QueryRemove"); };
    WdfDeviceInitSetPnpPowerEventCallbacks(init, &callbacks);
    if (self.configure) self.configure(init);
    const NTSTATUS status = WdfDeviceCreate(&init, &self.device_attributes, &self.device);
    if (!NT_SUCCESS(status)) return status;
    named(self.device, "device");
    if (self.created) self.created();
    return told("DeviceAdd");
  }

  inline static FrameworkDriver* current_ = nullptr;
  std::string log_;
};

}  // namespace vmbsim::testing
