// Drivers and what every object has: the functions of wdfdriver.h and wdfobject.h.
#include "models/kmdf/driver.hpp"

#include <fmt/format.h>

#include "models/kmdf/pnp.hpp"
#include "models/kmdf/queue.hpp"

namespace vmbsim::kmdf {

namespace {
constexpr ULONG default_tag = 0x76724446;  // "FDrv": Windows takes the first letters of the driver's name

/// An object that is nothing but its contexts.
class General final : public Object {
 public:
  General(Framework& framework, Driver* driver) : Object(framework, Kind::general, driver) {}
};
}  // namespace

Driver::Driver(Framework& driver_framework, const void* module, DRIVER_OBJECT& object, const WDF_DRIVER_CONFIG& config)
    : Object(driver_framework, Kind::driver, this), module_(module), object_(object), config_(config) {
  reusable_ = true;  // leaked objects still name it
  if (config_.DriverPoolTag == 0) config_.DriverPoolTag = default_tag;
}

void Driver::finish() {
  framework().drop(*this);
  end();
}

}  // namespace vmbsim::kmdf

using namespace vmbsim;
using kmdf::Framework;
using kmdf::Kind;
using kmdf::Object;

extern "C" {

NTSTATUS VmbsimWdfDriverCreate(const VOID* Module, PDRIVER_OBJECT DriverObject, PCUNICODE_STRING,
                               PWDF_OBJECT_ATTRIBUTES DriverAttributes, PWDF_DRIVER_CONFIG DriverConfig,
                               WDFDRIVER* Driver) {
  Framework& framework = Framework::current();
  if (Driver != nullptr) *Driver = nullptr;
  if (!framework.require_irql_at_most(Irql::passive, "WdfDriverCreate")) return STATUS_INVALID_DEVICE_STATE;
  auto& loaded = *static_cast<kmdf::LoadedDriver*>(DriverObject->Simulator);
  if (loaded.framework_driver != nullptr) return STATUS_DRIVER_INTERNAL_ERROR;
  if (DriverConfig->Size != sizeof *DriverConfig) return STATUS_INFO_LENGTH_MISMATCH;
  if (DriverAttributes != nullptr && DriverAttributes->ParentObject != nullptr)
    return STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED;
  auto owned = std::make_unique<kmdf::Driver>(framework, Module, *DriverObject, *DriverConfig);
  kmdf::Driver& driver = *owned;
  framework.keep(std::move(owned));
  const NTSTATUS status = driver.adopt(nullptr, DriverAttributes);
  if (!NT_SUCCESS(status)) return status;
  framework.add(driver);
  loaded.framework_driver = &driver;
  if (Driver != nullptr) *Driver = driver.handle_as<WDFDRIVER>();
  return STATUS_SUCCESS;
}

WDFDRIVER VmbsimWdfGetDriver(const VOID* Module) {
  const kmdf::Driver* driver = Framework::current().driver_of(Module, "WdfGetDriver");
  return driver != nullptr ? driver->handle_as<WDFDRIVER>() : nullptr;
}

PDRIVER_OBJECT WdfDriverWdmGetDriverObject(WDFDRIVER Driver) {
  const auto* driver = Framework::current().object_of<kmdf::Driver>(Driver, "WdfDriverWdmGetDriverObject");
  return driver != nullptr ? &driver->object() : nullptr;
}

PWSTR WdfDriverGetRegistryPath(WDFDRIVER Driver) {
  const auto* driver = Framework::current().object_of<kmdf::Driver>(Driver, "WdfDriverGetRegistryPath", Irql::passive);
  return driver != nullptr ? driver->object().DriverExtension->ServiceKeyName.Buffer : nullptr;
}

// ---- Every object ----

NTSTATUS VmbsimWdfObjectCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, WDFOBJECT* Object) {
  return kmdf::create<kmdf::General>(Module, Attributes, Irql::dispatch, "WdfObjectCreate", Object);
}

PVOID WdfObjectGetTypedContextWorker(WDFOBJECT Handle, PCWDF_OBJECT_CONTEXT_TYPE_INFO TypeInfo) {
  const Object* object = Framework::current().any_object_of(Handle, "WdfObjectGetTypedContext");
  return object != nullptr ? object->context(TypeInfo) : nullptr;
}

WDFOBJECT WdfObjectContextGetObject(PVOID ContextPointer) {
  const Object* object = Framework::current().owner_of_context(ContextPointer);
  if (object != nullptr) return object->handle();
  Framework::current().report("WdfObjectContextGetObject called with a pointer that is no object's context");
  return nullptr;
}

NTSTATUS WdfObjectAllocateContext(WDFOBJECT Handle, PWDF_OBJECT_ATTRIBUTES ContextAttributes, PVOID* Context) {
  Framework& framework = Framework::current();
  framework.require_irql_at_most(Irql::dispatch, "WdfObjectAllocateContext");
  Object* object = framework.any_object_of(Handle, "WdfObjectAllocateContext");
  if (object == nullptr) return STATUS_INVALID_HANDLE;
  if (ContextAttributes == nullptr || ContextAttributes->ContextTypeInfo == nullptr) return STATUS_INVALID_PARAMETER;
  if (object->being_deleted()) return STATUS_DELETE_PENDING;
  return object->add_context(*ContextAttributes, Context);
}

VOID WdfObjectReferenceActual(WDFOBJECT Handle, PVOID, LONG, PCSTR) {
  Framework& framework = Framework::current();
  framework.require_irql_at_most(Irql::dispatch, "WdfObjectReference");
  if (Object* object = framework.any_object_of(Handle, "WdfObjectReference")) object->reference();
}

VOID WdfObjectDereferenceActual(WDFOBJECT Handle, PVOID, LONG, PCSTR) {
  Framework& framework = Framework::current();
  framework.require_irql_at_most(Irql::dispatch, "WdfObjectDereference");
  if (Object* object = framework.any_object_of(Handle, "WdfObjectDereference"))
    object->dereference("WdfObjectDereference");
}

VOID WdfObjectDelete(WDFOBJECT Object) {
  Framework& framework = Framework::current();
  framework.require_irql_at_most(Irql::dispatch, "WdfObjectDelete");
  kmdf::Object* object = framework.any_object_of(Object, "WdfObjectDelete");
  if (object == nullptr) return;
  bool by_driver = true;  // Source: WdfObjectDelete, remarks: objects that only the framework deletes
  switch (object->kind()) {
    case Kind::driver:
    case Kind::device:
    case Kind::resource_list:
    case Kind::request: by_driver = false; break;
    case Kind::queue: {
      auto& queue = static_cast<kmdf::Queue&>(*object);
      by_driver = !queue.device().dispatches_to(queue);
      break;
    }
    case Kind::memory: by_driver = static_cast<kmdf::Memory&>(*object).source() != kmdf::Memory::Source::request; break;
    case Kind::io_target: by_driver = &static_cast<kmdf::IoTarget&>(*object).device.io_target() != object; break;
    default: break;
  }
  if (!by_driver)
    return framework.report(
        fmt::format("WdfObjectDelete called for a {} that only the framework deletes", name_of(object->kind())));
  if (object->being_deleted())
    return framework.report(
        fmt::format("WdfObjectDelete called for a {} that is being deleted", name_of(object->kind())));
  object->remove();
}

}  // extern "C"
