#include "models/drivers/network.hpp"

#include <algorithm>
#include <cstring>

#include "models/drivers/server_channel.hpp"
#include "models/os/partition.hpp"
#include "models/vmbus/ring.hpp"
#include "ntddk.h"

namespace vmbsim::drivers {

namespace {
constexpr ULONG pool_tag = 0x7774654E;  // "Netw"

ClientChannels::Config with_sizes(ClientChannels::Config config) {
  config.maximum_packet_size = sizeof(NetworkMessage);
  config.maximum_external_data = NetworkMaximumFrame;
  return config;
}

/// Processor time of a copy between a frame and its section.
void pay_copy(std::size_t bytes, kernel::Stream& stream) {
  os::Partition& here = os::Partition::current();
  here.consume(Duration{here.costs().copy_per_kib.sample(stream).count() * static_cast<std::int64_t>(bytes) / 1024});
}

/// Reads a message that may be too short, or may come from a hostile end: once, and into our own memory.
template <class Message>
bool take(Message& message, const void* bytes, std::size_t length) {
  if (length < sizeof message) return false;
  std::memcpy(&message, bytes, sizeof message);
  return true;
}
}  // namespace

// ---- Guest ----

NetworkClient::NetworkClient(Config config)
    : channels_([&] {
        config.channels.user = this;
        return with_sizes(config.channels);
      }()),
      ring_(config.channels.to_host.bytes()),
      process_time_(std::move(config.process_time)),
      stream_(config.stream),
      queues_(config.channels.devices.size()) {}

/// The buffers are the primary's; subchannels use them too.
NTSTATUS NetworkClient::on_opened(std::size_t number, VMBCHANNEL channel) {
  if (number != 0) return STATUS_SUCCESS;
  const auto share = [channel](std::byte*& buffer, UINT32 bytes, UINT32& gpadl) {
    buffer = static_cast<std::byte*>(ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, bytes, pool_tag));
    if (buffer == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
    return VmbChannelCreateGpadlFromBuffer(channel, 0, buffer, bytes, &gpadl);
  };
  NTSTATUS status = share(receive_buffer_, NetworkReceiveBufferBytes, receive_gpadl_);
  if (NT_SUCCESS(status)) status = share(send_buffer_, NetworkSendBufferBytes, send_gpadl_);
  if (!NT_SUCCESS(status)) on_closed(number, channel);
  return status;
}

void NetworkClient::on_closed(std::size_t number, VMBCHANNEL channel) {
  if (number != 0) return;
  const auto unshare = [channel](std::byte*& buffer, UINT32& gpadl) {
    if (gpadl != 0) VmbChannelDeleteGpadl(channel, gpadl);
    if (buffer != nullptr) ExFreePoolWithTag(buffer, pool_tag);
    gpadl = 0;
    buffer = nullptr;
  };
  unshare(receive_buffer_, receive_gpadl_);
  unshare(send_buffer_, send_gpadl_);
  free_sections_.clear();
}

/// Source: Linux, netvsc.c: netvsc_connect_vsp: version, receive buffer, send buffer.
void NetworkClient::on_started(std::size_t number, VMBCHANNEL channel) {
  if (number != 0) return;
  NetworkMessage message{};
  message.Type = NetworkInitialize;
  message.Version = NetworkVersion;
  if (!NT_SUCCESS(ask(channel, message).Status)) return;
  message = {};
  message.Type = NetworkShareReceiveBuffer;
  message.GpadlHandle = receive_gpadl_;
  message.BufferBytes = NetworkReceiveBufferBytes;
  if (!NT_SUCCESS(ask(channel, message).Status)) return;
  message.Type = NetworkShareSendBuffer;
  message.GpadlHandle = send_gpadl_;
  message.BufferBytes = NetworkSendBufferBytes;
  const NetworkReply reply = ask(channel, message);
  if (!NT_SUCCESS(reply.Status) || reply.SectionBytes != NetworkSendSectionBytes) return;
  const UINT32 count = std::min(reply.SectionCount, NetworkSendBufferBytes / NetworkSendSectionBytes);
  for (UINT32 i = count; i > 0; --i) free_sections_.push_back(i - 1);
}

NetworkReply NetworkClient::ask(VMBCHANNEL channel, const NetworkMessage& question) {
  NetworkMessage message = question;
  NetworkReply reply{};
  UINT32 length = sizeof reply;
  const NTSTATUS status =
      VmbChannelSendSynchronousRequest(channel, &message, sizeof message, nullptr,
                                       VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION, &reply, &length, nullptr);
  if (!NT_SUCCESS(status) || length < sizeof reply) reply.Status = STATUS_UNSUCCESSFUL;
  return reply;
}

void NetworkClient::submit(Request& request) {
  const std::size_t number = channels_.here();
  Queue& queue = queues_[number];
  if (queue.stopped || !queue.waiting.empty() || !send(number, request)) queue.waiting.push(request);
}

/// False, before any time has passed, when the guest has no memory for it.
bool NetworkClient::send(std::size_t number, Request& request) {
  const bool reads = request.operation == device::Operation::read;
  const auto size = static_cast<UINT32>(request.size.count);
  VMBPACKET packet = VmbPacketAllocate(channels_[number]);
  if (packet == nullptr) return false;
  if (free_ == nullptr) {
    slots_.push_back(std::make_unique<Slot>(Slot{.client = this, .cookie = slots_.size(), .message = {}}));
    free_ = slots_.back().get();
  }
  Slot& slot = *free_;
  const NetworkFrameHeader header{.Cookie = slot.cookie,
                                  .ServiceTime = request.service.count(),
                                  .FrameBytes = reads ? NetworkMinimumFrame : std::max(size, NetworkMinimumFrame),
                                  .ReplyBytes = reads ? std::max(size, NetworkMinimumFrame) : 0};
  if (!place_frame(slot, header)) {
    VmbPacketFree(packet);
    return false;
  }
  free_ = slot.next;
  slot.request = &request;
  slot.queue = number;
  slot.awaited = reads ? 2 : 1;

  const bool external = slot.message.SectionIndex == NetworkNoSection;
  slot.packet = external ? vmbus::gpa_direct_size(pages_for({header.FrameBytes}), {sizeof(NetworkMessage)})
                         : vmbus::in_band_size({sizeof(NetworkMessage)});
  Queue& queue = queues_[number];
  queue.in_ring += slot.packet;
  ++queue.unanswered;
  queue.stopped = (ring_ - queue.in_ring).count * 10 < ring_.count;
  if (!external) pay_copy(header.FrameBytes, stream_);

  VmbPacketSetPointer(packet, &slot);
  VmbPacketSetCompletionRoutine(packet, on_sent);
  const UINT32 flags = VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
  const NTSTATUS status = external ? VmbPacketSendWithExternalMdl(packet, &slot.message, sizeof slot.message, slot.mdl,
                                                                  0, header.FrameBytes, flags)
                                   : VmbPacketSend(packet, &slot.message, sizeof slot.message, nullptr, flags);
  VMBSIM_ASSERT(NT_SUCCESS(status), "a network frame within the channel's limits is taken");
  return true;
}

/// Writes the frame where the host finds it. False when there is no memory.
bool NetworkClient::place_frame(Slot& slot, const NetworkFrameHeader& header) {
  slot.message = {};
  slot.message.Type = NetworkSendFrame;
  slot.message.FrameBytes = header.FrameBytes;
  if (header.FrameBytes <= NetworkSendSectionBytes && !free_sections_.empty()) {
    const UINT32 section = free_sections_.back();
    free_sections_.pop_back();
    slot.message.SectionIndex = section;
    std::memcpy(send_buffer_ + std::size_t{section} * NetworkSendSectionBytes, &header, sizeof header);
    return true;
  }
  if (slot.buffer == nullptr && !give_buffer(slot)) return false;
  slot.message.SectionIndex = NetworkNoSection;
  std::memcpy(slot.buffer, &header, sizeof header);
  return true;
}

bool NetworkClient::give_buffer(Slot& slot) {
  PVOID buffer = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, NetworkMaximumFrame, pool_tag);
  PMDL mdl = buffer != nullptr ? IoAllocateMdl(buffer, NetworkMaximumFrame, FALSE, FALSE, nullptr) : nullptr;
  if (mdl == nullptr) {
    if (buffer != nullptr) ExFreePoolWithTag(buffer, pool_tag);
    return false;
  }
  MmBuildMdlForNonPagedPool(mdl);
  slot.buffer = buffer;
  slot.mdl = mdl;
  return true;
}

void NetworkClient::on_sent(VMBPACKET packet, NTSTATUS, PVOID, UINT32) {
  auto& slot = *static_cast<Slot*>(VmbPacketGetPointer(packet));
  NetworkClient& self = *slot.client;
  const std::size_t number = slot.queue;
  VmbPacketFree(packet);
  if (slot.message.SectionIndex != NetworkNoSection) self.free_sections_.push_back(slot.message.SectionIndex);
  Queue& queue = self.queues_[number];
  queue.in_ring = queue.in_ring - slot.packet;
  --queue.unanswered;
  if (queue.stopped && (queue.unanswered == 0 || (self.ring_ - queue.in_ring).count * 5 > self.ring_.count))
    queue.stopped = false;
  self.one_part_over(slot);
  self.run_queue(number);
}

void NetworkClient::one_part_over(Slot& slot) {
  if (--slot.awaited != 0) return;
  Request& request = *slot.request;
  slot.request = nullptr;
  slot.next = free_;
  free_ = &slot;
  os::Partition::current().spend(process_time_, stream_);
  request.done(request);
}

void NetworkClient::run_queue(std::size_t number) {
  Queue& queue = queues_[number];
  while (!queue.stopped && !queue.waiting.empty()) {
    Request& next = queue.waiting.pop();  // sending takes time, in which another completion may look here
    if (send(number, next)) continue;
    queue.waiting.push_front(next);
    return;
  }
}

void NetworkClient::on_packet(std::size_t, VMBPACKETCOMPLETION packet, std::span<const std::byte> message) {
  NetworkReply reply{};
  reply.Status = STATUS_SUCCESS;
  Slot* slot = nullptr;
  NetworkFrameHeader header;
  NetworkReceive frame{};
  constexpr std::size_t least = offsetof(NetworkReceive, Ranges) + sizeof(NetworkRange);
  if (message.size() >= least) std::memcpy(&frame, message.data(), std::min(message.size(), sizeof frame));
  const NetworkRange first = frame.Ranges[0];
  if (frame.Type == NetworkReceiveFrame && first.ByteCount >= sizeof header &&
      first.ByteOffset <= NetworkReceiveBufferBytes - sizeof header) {
    std::memcpy(&header, receive_buffer_ + first.ByteOffset, sizeof header);
    if (header.Cookie < slots_.size()) slot = slots_[header.Cookie].get();
  }
  if (slot == nullptr || slot->request == nullptr) reply.Status = STATUS_INVALID_PARAMETER;
  VmbChannelPacketComplete(packet, &reply, sizeof reply);  // gives the sections back
  if (NT_SUCCESS(reply.Status)) one_part_over(*slot);
}

// ---- Host ----

NetworkServer::NetworkServer(Config config) : config_(std::move(config)) {
  for (Port& port : config_.ports) queues_.push_back({.server = this, .port = &port});
}

void NetworkServer::start() {
  for (Queue& queue : queues_)
    queue.channel = offer_channel({.device = queue.port->device,
                                   .pointer = &queue,
                                   .maximum_packet_size = sizeof(NetworkReceive),
                                   .maximum_external_data = NetworkMaximumFrame,
                                   .passive = config_.passive,
                                   .quota = config_.quota,
                                   .on_packet = on_packet,
                                   .on_started = [](VMBCHANNEL channel) { of(channel).suspended = false; },
                                   .on_suspend = [](VMBCHANNEL channel) { of(channel).suspended = true; },
                                   .on_closed = on_closed});
}

/// Every frame is answered by now; what waits for sections finds no guest any more.
void NetworkServer::on_closed(VMBCHANNEL channel) {
  Queue& queue = of(channel);
  NetworkServer& self = *queue.server;
  if (&queue != &self.queues_.front()) return;
  while (Job* job = self.first_waiting_) {
    self.first_waiting_ = job->next;
    self.recycle(*job);
  }
  self.unshare(channel, self.send_);
  self.unshare(channel, self.receive_);
  self.free_sections_.clear();
}

/// The guest may be hostile: nothing in the message is believed before it was checked.
void NetworkServer::on_packet(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length,
                              UINT32 flags) {
  Queue& queue = of(channel);
  NetworkServer& self = *queue.server;
  NetworkReply reply{};
  NetworkMessage message;
  reply.Status = STATUS_INVALID_PARAMETER;
  if (!take(message, buffer, length)) return VmbChannelPacketComplete(packet, &reply, sizeof reply);
  if (message.Type != NetworkSendFrame) {
    // Mapping the guest's buffers needs PASSIVE_LEVEL. Source: KMCL DDI, VmbChannelMapGpadl.
    if (KeGetCurrentIrql() != PASSIVE_LEVEL) return VmbChannelPacketDeferToPassive(packet);
    if (&queue == &self.queues_.front()) reply = self.on_control(channel, message);
    return VmbChannelPacketComplete(packet, &reply, sizeof reply);
  }
  const bool external = (flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA) != 0;
  NetworkFrameHeader header;
  reply.Status = self.read_header(packet, message, external, header);
  if (reply.Status == STATUS_PENDING) return;  // presented again
  os::Partition::current().spend(self.config_.process_time, queue.port->stream);
  if (reply.Status != STATUS_SUCCESS) return VmbChannelPacketComplete(packet, &reply, sizeof reply);
  Job& job = self.fresh_job();
  job.queue = &queue;
  job.packet = packet;
  job.frame = header;
  job.io.completed = on_wire_done;
  job.io.owner = &job;
  job.io.work.operation = header.ReplyBytes == 0 ? device::Operation::write : device::Operation::read;
  job.io.work.size = Bytes{std::max(header.FrameBytes, header.ReplyBytes)};
  job.io.work.service = self.config_.recorded_service ? Duration{header.ServiceTime} : Duration{-1};
  queue.port->adapter.start(job.io);
}

NetworkReply NetworkServer::on_control(VMBCHANNEL channel, const NetworkMessage& message) {
  NetworkReply reply{};
  reply.Version = NetworkVersion;
  switch (message.Type) {
    case NetworkInitialize:
      reply.Status = message.Version == NetworkVersion ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
      break;
    case NetworkShareReceiveBuffer:
      reply.Status = share(channel, receive_, message, NetworkReceiveSectionBytes);
      reply.SectionBytes = NetworkReceiveSectionBytes;
      reply.SectionCount = receive_.section_count;
      if (!NT_SUCCESS(reply.Status)) break;
      for (UINT32 i = receive_.section_count; i > 0; --i) free_sections_.push_back(i - 1);
      break;
    case NetworkShareSendBuffer:
      reply.Status = share(channel, send_, message, NetworkSendSectionBytes);
      reply.SectionBytes = NetworkSendSectionBytes;
      reply.SectionCount = send_.section_count;
      break;
    default: reply.Status = STATUS_INVALID_PARAMETER;
  }
  return reply;
}

NTSTATUS NetworkServer::share(VMBCHANNEL channel, Buffer& buffer, const NetworkMessage& message, UINT32 section_bytes) {
  if (buffer.bytes != nullptr) return STATUS_INVALID_DEVICE_STATE;
  PMDL mdl = nullptr;
  NTSTATUS status = VmbChannelMapGpadl(channel, 0, message.GpadlHandle, &mdl);
  if (status != STATUS_SUCCESS) return status;
  buffer.gpadl = message.GpadlHandle;
  // The guest's word for the size is not taken: what is described is.
  if (MmGetMdlByteCount(mdl) >= message.BufferBytes && message.BufferBytes >= section_bytes)
    buffer.bytes = static_cast<std::byte*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
  buffer.section_count = message.BufferBytes / section_bytes;
  if (buffer.bytes != nullptr) return STATUS_SUCCESS;
  unshare(channel, buffer);
  return STATUS_INVALID_PARAMETER;
}

void NetworkServer::unshare(VMBCHANNEL channel, Buffer& buffer) {
  if (buffer.gpadl != 0) VmbChannelUnmapGpadl(channel, buffer.gpadl);
  buffer = {};
}

/// Takes the frame's first bytes from where the message says it is.
NTSTATUS NetworkServer::read_header(VMBPACKETCOMPLETION packet, const NetworkMessage& message, bool external,
                                    NetworkFrameHeader& header) {
  const bool section = message.SectionIndex != NetworkNoSection;
  if (section == external || receive_.bytes == nullptr) return STATUS_INVALID_PARAMETER;
  if (section) {
    if (message.SectionIndex >= send_.section_count || message.FrameBytes > NetworkSendSectionBytes)
      return STATUS_INVALID_PARAMETER;
    const bool whole =
        take(header, send_.bytes + std::size_t{message.SectionIndex} * NetworkSendSectionBytes, message.FrameBytes);
    if (!whole) return STATUS_INVALID_PARAMETER;
  } else {
    PMDL mdl = nullptr;
    const NTSTATUS status =
        VmbChannelPacketGetExternalData(packet, VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY, &mdl);
    if (status != STATUS_SUCCESS) return status;
    const PVOID bytes = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority | MdlMappingNoWrite);
    if (bytes == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
    const bool whole = MmGetMdlByteCount(mdl) >= message.FrameBytes && take(header, bytes, message.FrameBytes);
    MmUnmapLockedPages(bytes, mdl);
    if (!whole) return STATUS_INVALID_PARAMETER;
  }
  const bool right = header.FrameBytes == message.FrameBytes && header.ReplyBytes <= NetworkMaximumFrame &&
                     (header.ReplyBytes == 0 || header.ReplyBytes >= NetworkMinimumFrame);
  return right ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NetworkServer::Job& NetworkServer::fresh_job() {
  if (free_ == nullptr) {
    jobs_.push_back(std::make_unique<Job>());
    free_ = jobs_.back().get();
    free_->sections.reserve(NetworkMaximumRanges);
  }
  Job& job = *free_;
  free_ = job.next;
  return job;
}

void NetworkServer::recycle(Job& job) {
  job.next = free_;
  free_ = &job;
}

void NetworkServer::on_wire_done(DeviceAdapter::Io& io) {
  auto& job = *static_cast<Job*>(io.owner);
  NetworkServer& self = *job.queue->server;
  NetworkReply reply{};
  reply.Status = STATUS_SUCCESS;
  VMBPACKETCOMPLETION packet = job.packet;
  if (job.frame.ReplyBytes == 0) {
    self.recycle(job);
    return VmbChannelPacketComplete(packet, &reply, sizeof reply);
  }
  job.next = nullptr;
  (self.first_waiting_ == nullptr ? self.first_waiting_ : self.last_waiting_->next) = &job;
  self.last_waiting_ = &job;
  VmbChannelPacketComplete(packet, &reply, sizeof reply);
  self.deliver_waiting();
}

void NetworkServer::deliver_waiting() {
  while (Job* job = first_waiting_) {
    first_waiting_ = job->next;  // sending takes time, in which another processor may look here
    if (deliver(*job)) continue;
    job->next = first_waiting_;
    if (first_waiting_ == nullptr) last_waiting_ = job;
    first_waiting_ = job;
    return;
  }
}

/// False, before any time has passed, when there are not enough sections or no packet. From EvtChannelSuspend on nothing may be
/// sent: then the frame is dropped, as networks do.
bool NetworkServer::deliver(Job& job) {
  if (job.queue->suspended) {
    recycle(job);
    return true;
  }
  const UINT32 length = job.frame.ReplyBytes;
  const UINT32 count = (length + NetworkReceiveSectionBytes - 1) / NetworkReceiveSectionBytes;
  if (free_sections_.size() < count) return false;
  VMBPACKET packet = VmbPacketAllocate(job.queue->channel);
  if (packet == nullptr) return false;
  job.sections.assign(free_sections_.end() - static_cast<std::ptrdiff_t>(count), free_sections_.end());
  free_sections_.resize(free_sections_.size() - count);
  job.message.Type = NetworkReceiveFrame;
  job.message.RangeCount = count;
  for (UINT32 i = 0; i < count; ++i)
    job.message.Ranges[i] = {
        .ByteOffset = job.sections[i] * NetworkReceiveSectionBytes,
        .ByteCount = std::min(length - i * NetworkReceiveSectionBytes, NetworkReceiveSectionBytes)};
  NetworkFrameHeader header = job.frame;
  header.FrameBytes = length;
  header.ReplyBytes = 0;
  std::memcpy(receive_.bytes + job.message.Ranges[0].ByteOffset, &header, sizeof header);
  pay_copy(length, job.queue->port->stream);
  VmbPacketSetPointer(packet, &job);
  VmbPacketSetCompletionRoutine(packet, on_received);
  const auto bytes = static_cast<UINT32>(offsetof(NetworkReceive, Ranges) + count * sizeof(NetworkRange));
  const NTSTATUS status =
      VmbPacketSend(packet, &job.message, bytes, nullptr, VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
  VMBSIM_ASSERT(NT_SUCCESS(status), "a received frame within the channel's limits is taken");
  return true;
}

/// The guest has given the sections back.
void NetworkServer::on_received(VMBPACKET packet, NTSTATUS, PVOID, UINT32) {
  auto& job = *static_cast<Job*>(VmbPacketGetPointer(packet));
  NetworkServer& self = *job.queue->server;
  VmbPacketFree(packet);
  self.free_sections_.insert(self.free_sections_.end(), job.sections.rbegin(), job.sections.rend());
  self.recycle(job);
  self.deliver_waiting();
}

}  // namespace vmbsim::drivers
