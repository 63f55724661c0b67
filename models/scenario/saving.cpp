#include "models/scenario/saving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace vmbsim::scenario {

ChannelSaving::ChannelSaving(Config config) : config_(std::move(config)), actor_(config_.host.world().new_actor()) {
  KeInitializeEvent(&done_, SynchronizationEvent, FALSE);
}

void ChannelSaving::schedule() { config_.host.world().after<&ChannelSaving::on_time>(config_.spec.at, actor_, *this); }

void ChannelSaving::on_time() {
  config_.host.create_thread(
      config_.name + ".save", os::Thread::priority_normal, CpuId{0}, false,
      [](void* self) { static_cast<ChannelSaving*>(self)->run(); }, this);
}

void ChannelSaving::run() {
  port_ = config_.server.port();
  if (port_ == nullptr) return;  // it never came up, which was found then
  config_.bus.save();
  if (control(config_.spec.save_code, "save")) {
    LARGE_INTEGER span;
    span.QuadPart = -(config_.spec.restore_after.count() / 100);
    KeDelayExecutionThread(KernelMode, FALSE, &span);
    control(config_.spec.restore_code, "restore");
  }
  config_.bus.resume();
}

/// One device control: what is saved goes in, what the driver returns is saved. False, and told, when it failed.
bool ChannelSaving::control(std::uint32_t code, const char* verb) {
  kmdf::IoRequest io;
  io.type = WdfRequestTypeDeviceControl;
  io.io_control_code = code;
  io.input_size = Bytes{static_cast<std::int64_t>(image_.size())};
  if (image_.empty()) io.size = largest_image;
  io.owner = this;
  io.done = [](kmdf::IoRequest& over) {
    auto& self = *static_cast<ChannelSaving*>(over.owner);
    if (NT_SUCCESS(over.status) && over.information <= static_cast<ULONG_PTR>(over.size.count)) {
      const auto* bytes = static_cast<const std::byte*>(over.buffer);
      self.image_.assign(bytes, bytes + over.information);
    }
    KeSetEvent(&self.done_, IO_NO_INCREMENT, FALSE);
  };
  if (!port_->prepare(io)) {
    tell(verb, STATUS_INSUFFICIENT_RESOURCES);
    return false;
  }
  if (!image_.empty()) std::memcpy(io.buffer, image_.data(), image_.size());
  const bool taken = port_->submit(io);
  VMBSIM_ASSERT(taken, "a prepared request is taken");
  KeWaitForSingleObject(&done_, Executive, KernelMode, FALSE, nullptr);
  if (NT_SUCCESS(io.status)) return true;
  tell(verb, io.status);
  return false;
}

void ChannelSaving::tell(const char* verb, NTSTATUS status) {
  config_.host.findings().add("SAVE", BugCheck::none, config_.name,
                              fmt::format("the host's driver failed to {} its channel with {:#010x}", verb,
                                          static_cast<std::uint32_t>(status)));
}

}  // namespace vmbsim::scenario
