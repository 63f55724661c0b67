#include "models/drivers/storage.hpp"

#include <algorithm>
#include <bit>

#include "models/drivers/server_channel.hpp"
#include "models/os/partition.hpp"
#include "ntddk.h"

namespace vmbsim::drivers {

namespace {
constexpr ULONG pool_tag = 0x726f7453;  // "Stor"

ClientChannels::Config with_sizes(ClientChannels::Config config, Bytes maximum_request) {
  config.maximum_packet_size = sizeof(StorageRequest);
  config.maximum_external_data = static_cast<std::uint32_t>(maximum_request.count);
  return config;
}
}  // namespace

// ---- Guest ----

StorageClient::StorageClient(Config config)
    : channels_(with_sizes(std::move(config.channels), config.maximum_request)),
      process_time_(std::move(config.process_time)),
      stream_(config.stream) {}

/// Null when the guest has no memory left.
StorageClient::Slot* StorageClient::free_slot(Bytes size) {
  const auto pages = static_cast<std::uint64_t>(std::max<std::int64_t>(pages_for(size).count, 1));
  const auto kind = static_cast<std::size_t>(std::countr_zero(std::bit_ceil(pages)));
  if (Slot* slot = free_.at(kind)) {
    free_[kind] = slot->next;
    return slot;
  }
  const SIZE_T bytes = static_cast<SIZE_T>(page_size) << kind;
  auto* slot = static_cast<Slot*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(Slot), pool_tag));
  PVOID buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, bytes, pool_tag);
  PMDL mdl = buffer != nullptr ? IoAllocateMdl(buffer, static_cast<ULONG>(bytes), FALSE, FALSE, nullptr) : nullptr;
  if (slot == nullptr || mdl == nullptr) {
    if (buffer != nullptr) ExFreePoolWithTag(buffer, pool_tag);
    if (slot != nullptr) ExFreePoolWithTag(slot, pool_tag);
    return nullptr;
  }
  MmBuildMdlForNonPagedPool(mdl);
  slot->client = this;
  slot->buffer = buffer;
  slot->mdl = mdl;
  slot->kind = kind;
  return slot;
}

void StorageClient::submit(Request& request) {
  if (!waiting_.empty() || !send(request)) waiting_.push(request);
}

/// False, before any time has passed, when the guest has no memory for it.
bool StorageClient::send(Request& request) {
  Slot* const found = free_slot(request.size);
  if (found == nullptr) return false;
  Slot& slot = *found;
  slot.request = &request;
  slot.message.Operation = static_cast<UINT32>(request.operation);
  slot.message.Length = static_cast<UINT32>(request.size.count);
  slot.message.Offset = static_cast<UINT64>(request.offset);
  slot.message.ServiceTime = request.service.count();
  VMBPACKET packet = VmbPacketAllocate(channels_[channels_.here()]);
  if (packet == nullptr) {
    slot.next = free_[slot.kind];
    free_[slot.kind] = &slot;
    return false;
  }
  VmbPacketSetPointer(packet, &slot);
  VmbPacketSetCompletionRoutine(packet, on_completed);
  const UINT32 flags = VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
  const NTSTATUS status = request.size.count == 0
                              ? VmbPacketSend(packet, &slot.message, sizeof slot.message, nullptr, flags)
                              : VmbPacketSendWithExternalMdl(packet, &slot.message, sizeof slot.message, slot.mdl, 0,
                                                             slot.message.Length, flags);
  VMBSIM_ASSERT(NT_SUCCESS(status), "a storage request within the channel's limits is taken");
  return true;
}

void StorageClient::on_completed(VMBPACKET packet, NTSTATUS, PVOID, UINT32) {
  auto& slot = *static_cast<Slot*>(VmbPacketGetPointer(packet));
  StorageClient& self = *slot.client;
  Request& request = *slot.request;
  VmbPacketFree(packet);
  slot.next = self.free_[slot.kind];
  self.free_[slot.kind] = &slot;
  os::Partition::current().spend(self.process_time_, self.stream_);
  request.done(request);
  while (!self.waiting_.empty()) {
    Request& next = self.waiting_.pop();  // sending takes time, in which another completion may look here
    if (self.send(next)) continue;
    self.waiting_.push_front(next);
    return;
  }
}

// ---- Host ----

StorageServer::StorageServer(Config config) : config_(std::move(config)) {}

void StorageServer::start() {
  if (config_.complete_in_worker) work_ = IoAllocateWorkItem(&config_.device.object);
  offer_channel({.device = config_.device,
                 .pointer = this,
                 .maximum_packet_size = sizeof(StorageRequest),
                 .maximum_external_data = static_cast<UINT32>(config_.maximum_request.count),
                 .passive = config_.passive,
                 .quota = config_.quota,
                 .on_packet = on_packet});
}

/// The guest may be hostile: nothing in the message is believed before it was checked.
void StorageServer::on_packet(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length,
                              UINT32 flags) {
  auto& self = *static_cast<StorageServer*>(VmbChannelGetPointer(channel));
  os::Partition::current().spend(self.config_.process_time, self.config_.stream);
  if (length < sizeof(StorageRequest)) return reply(packet, STATUS_INVALID_PARAMETER, 0);
  const auto& request = *static_cast<const StorageRequest*>(buffer);
  const bool external = (flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA) != 0;
  if (request.Operation > StorageFlush || (request.Operation == StorageFlush) == external)
    return reply(packet, STATUS_INVALID_PARAMETER, 0);
  if (external) {
    PMDL mdl = nullptr;
    const NTSTATUS status = VmbChannelPacketGetExternalData(packet, 0, &mdl);
    if (status == STATUS_PENDING) return;  // presented again
    if (status != STATUS_SUCCESS || MmGetMdlByteCount(mdl) < request.Length)
      return reply(packet, STATUS_INVALID_PARAMETER, 0);
  }
  if (self.free_ == nullptr) {
    self.jobs_.push_back(std::make_unique<Job>());
    self.free_ = self.jobs_.back().get();
    self.free_->server = &self;
  }
  Job& job = *self.free_;
  self.free_ = job.next;
  job.packet = packet;
  job.io.completed = on_disk_done;
  job.io.owner = &job;
  job.io.work.operation = static_cast<device::Operation>(request.Operation);
  job.io.work.size = Bytes{external ? request.Length : 0};
  job.io.work.service = self.config_.recorded_service ? Duration{request.ServiceTime} : Duration{-1};
  self.config_.disk.start(job.io);
}

void StorageServer::on_disk_done(DeviceAdapter::Io& io) {
  auto& job = *static_cast<Job*>(io.owner);
  StorageServer& self = *job.server;
  if (!self.config_.complete_in_worker) return self.finish(job);
  job.next = nullptr;
  (self.first_finished_ == nullptr ? self.first_finished_ : self.last_finished_->next) = &job;
  self.last_finished_ = &job;
  if (self.work_queued_) return;
  self.work_queued_ = true;
  IoQueueWorkItem(
      self.work_, [](PDEVICE_OBJECT, PVOID context) { static_cast<StorageServer*>(context)->complete_finished(); },
      DelayedWorkQueue, &self);
}

void StorageServer::complete_finished() {
  while (first_finished_ != nullptr) {
    Job& job = *first_finished_;
    first_finished_ = job.next;
    finish(job);
  }
  work_queued_ = false;
}

void StorageServer::finish(Job& job) {
  VMBPACKETCOMPLETION packet = job.packet;
  const auto length = static_cast<UINT32>(job.io.work.size.count);
  job.next = free_;
  free_ = &job;
  reply(packet, STATUS_SUCCESS, length);
}

void StorageServer::reply(VMBPACKETCOMPLETION packet, NTSTATUS status, UINT32 length) {
  StorageReply answer{};
  answer.Status = status;
  answer.Length = length;
  VmbChannelPacketComplete(packet, &answer, sizeof answer);
}

}  // namespace vmbsim::drivers
