#include "models/kmcl/vmbus_handle.hpp"

#include <new>

#include "vmbuskernelmodeclientlibapi.h"

namespace vmbsim::kmcl {

namespace {
constexpr os::MemoryPool::Tag tag = os::MemoryPool::handle_tag;

HANDLE make(os::Partition& host, vmbus::Bus& bus, bool kernel) {
  void* memory = host.pool().allocate(sizeof(VmbusHandle), false, tag);
  if (memory == nullptr) return nullptr;
  return new (memory) VmbusHandle{&bus, kernel};
}
}  // namespace

HANDLE VmbusHandle::open(os::Partition& host, vmbus::Bus& bus) { return make(host, bus, false); }

VmbusHandle* VmbusHandle::find(os::Partition& host, HANDLE handle) {
  const auto block = host.pool().find(handle);
  if (!block || block->tag != tag || block->size != sizeof(VmbusHandle)) return nullptr;
  return static_cast<VmbusHandle*>(handle);
}

}  // namespace vmbsim::kmcl

extern "C" NTSTATUS VmbConvertVmbusHandleToKernelHandle(HANDLE VmbusHandle, PHANDLE KernelHandle) {
  using Handle = vmbsim::kmcl::VmbusHandle;
  vmbsim::os::Partition& host = vmbsim::os::Partition::current();
  *KernelHandle = nullptr;
  if (!host.require_irql_at_most(vmbsim::Irql::passive, __func__, vmbsim::BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  const Handle* user = Handle::find(host, VmbusHandle);
  if (user == nullptr || user->kernel) {
    host.findings().add("K24", vmbsim::BugCheck::none, {},
                        "VmbConvertVmbusHandleToKernelHandle called for what is no user-mode handle of a VMBus",
                        __func__);
    return STATUS_INVALID_HANDLE;
  }
  *KernelHandle = vmbsim::kmcl::make(host, *user->bus, true);
  return *KernelHandle != nullptr ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
