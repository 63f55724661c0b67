#include "models/drivers/device_adapter.hpp"

namespace vmbsim::drivers {

DeviceAdapter::DeviceAdapter(os::Partition& host, CpuId cpu, device::Resource& device, const std::string& name)
    : host_(host), processor_(host.cpu(cpu)), device_(device), costs_(host.world().stream(name, "device interrupt")) {
  line_ = {.irql = Irql::device,
           .routine = [](void* self) { static_cast<DeviceAdapter*>(self)->on_interrupt(); },
           .object = this};
  KeInitializeDpc(
      &dpc_, [](KDPC*, void* self, void*, void*) { static_cast<DeviceAdapter*>(self)->on_dpc(); }, this);
  if (hw::Exploration* const exploration = host.exploration()) exploration->call(&dpc_, name + "'s device");
}

void DeviceAdapter::start(Io& io) {
  io.work.owner = this;
  io.work.done = on_done;
  device_.submit(io.work);
}

void DeviceAdapter::on_done(device::Work& work) {
  auto& self = *static_cast<DeviceAdapter*>(work.owner);
  work.next = nullptr;
  (self.first_done_ == nullptr ? self.first_done_ : self.last_done_->next) = &work;
  self.last_done_ = &work;
  self.processor_.request_interrupt(self.line_);
}

void DeviceAdapter::on_interrupt() {
  host_.spend(host_.costs().device_isr, costs_);
  host_.insert_dpc(dpc_, nullptr, nullptr);
}

void DeviceAdapter::on_dpc() {
  while (first_done_ != nullptr) {
    device::Work& work = *first_done_;
    first_done_ = work.next;
    Io& io = *CONTAINING_RECORD(&work, Io, work);
    io.completed(io);
  }
}

}  // namespace vmbsim::drivers
