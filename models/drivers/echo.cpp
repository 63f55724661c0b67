#include "models/drivers/echo.hpp"

#include "models/drivers/server_channel.hpp"
#include "models/os/partition.hpp"
#include "models/vmbus/ring.hpp"
#include "ntddk.h"

namespace vmbsim::drivers {

namespace {
Bytes packet_of(const Request& request) { return vmbus::in_band_size(request.size); }

Bytes twice_the_rings(const ClientChannels::Config& config) {
  const Pages pair{config.to_host.count + config.to_guest.count};
  return {2 * pair.bytes().count * static_cast<std::int64_t>(config.devices.size())};
}
}  // namespace

EchoClient::EchoClient(Config config)
    : most_under_way_(twice_the_rings(config.channels)),
      message_(config.channels.maximum_packet_size, std::byte{0xE0}),
      channels_(std::move(config.channels)),
      process_time_(std::move(config.process_time)),
      stream_(config.stream) {}

void EchoClient::start() {
  locks_.resize(channels_.count());
  mutexes_.resize(channels_.count());
  for (KMUTEX& mutex : mutexes_) KeInitializeMutex(&mutex, 0);
  channels_.start();
}

/// Planted bugs: who submits holds what belongs to its channel, and asks for what belongs to the next one.
void EchoClient::cross_locks() {
  using faults::Planted;
  const os::Partition& here = os::Partition::current();
  const std::size_t own = channels_.here(), next = (own + 1) % channels_.count();
  if (here.planted(Planted::spin_locks_crossed)) {
    KIRQL before = PASSIVE_LEVEL;
    KeAcquireSpinLock(&locks_[own], &before);
    if (!KeTryToAcquireSpinLockAtDpcLevel(&locks_[next])) KeAcquireSpinLockAtDpcLevel(&locks_[next]);
    KeReleaseSpinLockFromDpcLevel(&locks_[next]);
    KeReleaseSpinLock(&locks_[own], before);
  }
  if (here.planted(Planted::mutexes_crossed)) {
    KeWaitForSingleObject(&mutexes_[own], Executive, KernelMode, FALSE, nullptr);
    KeWaitForSingleObject(&mutexes_[next], Executive, KernelMode, FALSE, nullptr);
    KeReleaseMutex(&mutexes_[next], FALSE);
    KeReleaseMutex(&mutexes_[own], FALSE);
  }
}

void EchoClient::submit(Request& request) {
  if (os::Partition::current().exploration() != nullptr && KeGetCurrentIrql() == PASSIVE_LEVEL) [[unlikely]]
    cross_locks();
  if (!waiting_.empty() || !send(request)) waiting_.push(request);
}

/// False, before any time has passed, when enough is under way or the guest has no memory for it.
bool EchoClient::send(Request& request) {
  const Bytes with_it = under_way_ + packet_of(request);
  if (under_way_ != Bytes{} && with_it > most_under_way_) return false;
  VMBPACKET packet = VmbPacketAllocate(channels_[channels_.here()]);
  if (packet == nullptr) return false;
  under_way_ = with_it;
  const auto length = static_cast<std::size_t>(request.size.count);
  VmbPacketSetPointer(packet, &request);
  request.driver = this;
  VmbPacketSetCompletionRoutine(packet, on_completed);
  const NTSTATUS status = VmbPacketSend(packet, message_.data(), static_cast<UINT32>(length), nullptr,
                                        VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
  VMBSIM_ASSERT(NT_SUCCESS(status), "an echo request within the channel's limits is taken");
  return true;
}

void EchoClient::on_completed(VMBPACKET packet, NTSTATUS, PVOID, UINT32) {
  auto& request = *static_cast<Request*>(VmbPacketGetPointer(packet));
  auto& self = *static_cast<EchoClient*>(request.driver);
  VmbPacketFree(packet);
  self.under_way_ = self.under_way_ - packet_of(request);
  os::Partition::current().spend(self.process_time_, self.stream_);
  request.done(request);
  while (!self.waiting_.empty()) {
    Request& next = self.waiting_.pop();  // sending takes time, in which another completion may look here
    if (self.send(next)) continue;
    self.waiting_.push_front(next);
    return;
  }
}

void EchoServer::start() {
  offer_channel({.device = config_.device,
                 .pointer = this,
                 .maximum_packet_size = config_.maximum_packet_size,
                 .passive = config_.passive,
                 .quota = config_.quota,
                 .on_packet = on_packet});
}

void EchoServer::on_packet(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length, UINT32) {
  auto& self = *static_cast<EchoServer*>(VmbChannelGetPointer(channel));
  os::Partition::current().spend(self.config_.process_time, self.config_.stream);
  VmbChannelPacketComplete(packet, buffer, length);
}

}  // namespace vmbsim::drivers
