#include "models/kmcl/vmbus_handle.hpp"

#include <new>

#include "vmbuskernelmodeclientlibapi.h"

namespace vmbsim::kmcl {

namespace {
constexpr std::uint64_t handle_mark = 0x53554256'4C444E48;  // tells a handle from another pool block of its size

HANDLE make(os::Partition& host, vmbus::Bus& bus, bool kernel) {
  void* memory = host.pool().allocate(sizeof(VmbusHandle), false);
  if (memory == nullptr) return nullptr;
  return new (memory) VmbusHandle{&bus, kernel, handle_mark};
}
}  // namespace

HANDLE VmbusHandle::open(os::Partition& host, vmbus::Bus& bus) { return make(host, bus, false); }

VmbusHandle* VmbusHandle::find(os::Partition& host, HANDLE handle) {
  const auto size = host.pool().size_of(handle);
  if (!size || *size != sizeof(VmbusHandle)) return nullptr;
  auto* found = static_cast<VmbusHandle*>(handle);
  return found->mark == handle_mark ? found : nullptr;
}

bool VmbusHandle::close(os::Partition& host, HANDLE handle) {
  VmbusHandle* found = find(host, handle);
  if (found == nullptr) return false;
  found->mark = 0;
  return host.pool().free(found);
}

}  // namespace vmbsim::kmcl

extern "C" NTSTATUS VmbConvertVmbusHandleToKernelHandle(HANDLE VmbusHandle, PHANDLE KernelHandle) {
  using Handle = vmbsim::kmcl::VmbusHandle;
  vmbsim::os::Partition& host = vmbsim::os::Partition::current();
  *KernelHandle = nullptr;
  const Handle* user = Handle::find(host, VmbusHandle);
  if (user == nullptr || user->kernel) {
    host.findings().add("K24", vmbsim::BugCheck::none, {},
                        "VmbConvertVmbusHandleToKernelHandle called for what is no user-mode handle of a VMBus");
    return STATUS_INVALID_HANDLE;
  }
  *KernelHandle = vmbsim::kmcl::make(host, *user->bus, true);
  return *KernelHandle != nullptr ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
