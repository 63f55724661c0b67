#include "models/kmcl/endpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/kmcl/saving.hpp"
#include "models/kmcl/shared_memory.hpp"
#include "models/kmcl/vmbus_handle.hpp"

namespace vmbsim::kmcl {

namespace {
constexpr std::uint32_t known_channel_flags = VMBUS_CHANNEL_INIT_FLAGS;
/// Bytes of the packet object besides the driver's inline data. Only its lower bound is documented: more than one pointer.
constexpr std::uint32_t packet_overhead = sizeof(Packet);
constexpr std::uint32_t packet_tag = 0x50626d56;  // "VmbP"
}  // namespace

Endpoint::Endpoint(Device& device, bool server)
    : device_(device),
      server_(server),
      bus_(&device.bus),
      costs_(device.partition.world().stream(device.name, server ? "host endpoint costs" : "guest endpoint costs")),
      signal_costs_(device.partition.world().stream(device.name, server ? "host signals" : "guest signals")) {
  target_ = device.id;
  callbacks_.Version = 1;
  callbacks_.Size = sizeof callbacks_;
  transactions_.resize(64);
  KeInitializeDpc(
      &dpc_, [](KDPC*, void* self, void*, void*) { static_cast<Endpoint*>(self)->pass(false); }, this);
  dpc_.Importance = MediumHighImportance;
  dpc_.Number = static_cast<USHORT>(os::Partition::targeted_dpc + device.target.value);
  KeInitializeEvent(&pass_over_, NotificationEvent, TRUE);
  KeInitializeEvent(&memory_settled_, NotificationEvent, FALSE);
  pass_work_ = {.routine = [](void* self) { static_cast<Endpoint*>(self)->pass(true); }, .context = this};
  step_work_ = {.routine = [](void* self) { static_cast<Endpoint*>(self)->run_steps(); }, .context = this};
  if (hw::Exploration* const exploration = partition().exploration()) {
    exploration->call(this, device.name);
    exploration->call(&dpc_, device.name);
    exploration->call(&lock_, device.name + "'s lock");
    exploration->call(&pass_work_, device.name + "'s packets");
    exploration->call(&step_work_, device.name + "'s state");
  }
}

Endpoint::~Endpoint() {
  for (Packet* list : {spare_packets_, worn_out_packets_})
    while (list != nullptr) partition().pool().free(std::exchange(list, list->next));
}

// ---- Configuration ----

NTSTATUS Endpoint::set_maximum_packet_size(std::uint32_t bytes) {
  if (bytes == 0) return STATUS_INVALID_PARAMETER_2;
  maximum_packet_size_ = bytes;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_maximum_external_data(std::uint32_t bytes, std::uint32_t chain_length) {
  if (bytes == 0) return STATUS_INVALID_PARAMETER_2;
  if (chain_length == 0) return STATUS_INVALID_PARAMETER_3;
  maximum_external_data_ = bytes;
  maximum_chain_length_ = chain_length;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_client_context_size(std::uint32_t bytes) {
  client_context_size_ = bytes;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_process_packet_callbacks(PFN_VMB_CHANNEL_PROCESS_PACKET process,
                                                PFN_VMB_CHANNEL_PROCESSING_COMPLETE batch_over) {
  process_packet_ = process;
  processing_complete_ = batch_over;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_state_change_callbacks(const VMB_CHANNEL_STATE_CHANGE_CALLBACKS& callbacks) {
  if (callbacks.Version != 1 || callbacks.Size != sizeof callbacks) return STATUS_INVALID_PARAMETER_2;
  callbacks_ = callbacks;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_friendly_name(const UNICODE_STRING& name) {
  friendly_name_.clear();
  for (std::size_t i = 0; i < name.Length / sizeof(WCHAR); ++i) friendly_name_ += static_cast<char16_t>(name.Buffer[i]);
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_flags(std::uint32_t flags) {
  if ((flags & ~known_channel_flags) != 0) return STATUS_INVALID_PARAMETER_2;
  flags_ = flags;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_ring_pages(std::uint32_t incoming, std::uint32_t outgoing) {
  if (server_) {
    misused("K13", "VmbClientChannelInitSetRingBufferPageCount", "for a server endpoint");
    return STATUS_INVALID_PARAMETER_1;
  }
  incoming_pages_ = {incoming};
  outgoing_pages_ = {outgoing};
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_target_interface(const GUID& type, const GUID& instance) {
  target_.type = type;
  target_.instance = instance;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_target_pnp(const GUID& type, const GUID* instance, PFN_VMB_CHANNEL_PNP_FAILURE failed) {
  target_.type = type;
  target_.instance = instance != nullptr ? *instance : GUID{};
  any_instance_ = instance == nullptr;
  through_pnp_ = true;
  pnp_failure_ = failed;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_server_flags(std::uint32_t flags) {
  if ((flags & ~std::uint32_t{VMBUS_SERVER_CHANNEL_INIT_FLAGS}) != 0) return STATUS_INVALID_PARAMETER_2;
  server_flags_ = flags;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_mmio_megabytes(std::uint16_t needed, std::uint16_t optional) {
  if (needed == 0 && optional == 0) return STATUS_INVALID_PARAMETER;
  mmio_megabytes_ = std::uint32_t{needed} + optional;  // a simulated guest always has room for both
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_target_vtl(std::uint8_t vtl) {
  constexpr std::uint8_t highest = 2;  // OpenVMM, hvdef: levels 0 to 2
  if (vtl > highest) return STATUS_INVALID_PARAMETER_2;
  target_vtl_ = vtl;
  return STATUS_SUCCESS;
}

NTSTATUS Endpoint::set_vmbus_handle(HANDLE handle) {
  const VmbusHandle* vmbus = VmbusHandle::find(partition(), handle);
  if (vmbus == nullptr || !vmbus->kernel) {
    misused("K25", "VmbServerChannelInitSetVmbusHandle",
            "with a handle that is not from VmbConvertVmbusHandleToKernelHandle");
    return STATUS_INVALID_PARAMETER_2;
  }
  bus_ = vmbus->bus;
  has_vmbus_handle_ = true;
  return STATUS_SUCCESS;
}

/// Pipe mode: asked for at this end, or part of what this end offers.
vmbus::OfferDetails Endpoint::details() const {
  return {.name = device_.name,
          .flags = server_flags_,
          .pipe = pipe(),
          .target_vtl = target_vtl_,
          .mmio_megabytes = mmio_megabytes_};
}

vmbus::Wanted Endpoint::wanted() const { return {.id = target_, .any_instance = any_instance_, .vtl = device_.vtl}; }

/// What a client that takes any instance found; before that its GUID is all zero.
GUID Endpoint::interface_instance() const { return offer_ != nullptr ? offer_->id().instance : target_.instance; }

void Endpoint::mmio_space(std::uint64_t& address, std::uint64_t& size) const {
  address = size = 0;
  if (!opened_) return misused("K23", "VmbChannelGetMmioSpace", "before EvtChannelOpened has returned");
  address = offer_->mmio_address();
  size = std::uint64_t{offer_->details().mmio_megabytes} << 20;
}

void Endpoint::require_passive(bool required) { passive_required_ = required; }

// ---- Packet objects ----

std::uint32_t Endpoint::sizeof_packet() const {
  return packet_overhead + ((maximum_packet_size_ + 7) & ~7u) +
         std::max(maximum_chain_length_, 1u) * static_cast<std::uint32_t>(sizeof(vmbus::GpaRange));
}

Packet* Endpoint::allocate_packet() {
  Packet* packet = spare_packets_;
  if (packet != nullptr) {
    spare_packets_ = packet->next;
  } else {
    if (partition().refuses(sizeof_packet(), packet_tag)) return nullptr;
    packet = static_cast<Packet*>(partition().pool().allocate(sizeof_packet(), false));
    if (packet == nullptr) return nullptr;
    packet->use = first_use(packet);
  }
  const std::uintptr_t use = packet->use;
  new (packet) Packet{};
  packet->use = use;
  packet->endpoint = this;
  packet->allocated = true;
  ++packets_out_;
  return packet;
}

NTSTATUS Endpoint::initialize_packet(void* memory, std::uint32_t bytes) {
  constexpr const char* call = "VmbPacketInitialize";
  if (!names_own_memory(memory)) {
    misused("K74", call, "for a packet that VmbPacketAllocate gave");
    return STATUS_INVALID_PARAMETER_2;
  }
  if (bytes <= maximum_packet_size_ + sizeof(void*) || bytes < sizeof_packet()) return STATUS_INVALID_PARAMETER_3;
  // The memory may hold anything; what looks like a packet of this channel is one.
  if (const auto& before = *static_cast<const Packet*>(memory);
      before.use == handle_bits(memory) && before.endpoint == this && before.state != Packet::State::idle) {
    misused("K75", call, "for a packet that is under way");
    return STATUS_INVALID_PARAMETER_2;
  }
  auto* packet = new (memory) Packet{};
  packet->use = handle_bits(memory);
  packet->endpoint = this;
  return STATUS_SUCCESS;
}

void Endpoint::free_packet(Packet& packet) {
  if (!packet.allocated) return misused("K74", "VmbPacketFree", "for a packet that VmbPacketAllocate did not give");
  if (packet.state != Packet::State::idle) return misused("K75", "VmbPacketFree", "for a packet that is under way");
  packet.allocated = false;
  --packets_out_;
  packet.use = next_use(packet.use);
  Packet*& list = packet.use != 0 ? spare_packets_ : worn_out_packets_;
  packet.next = list;
  list = &packet;
}

void Endpoint::clean_up() {
  constexpr const char* call = "VmbChannelCleanup";
  std::uint64_t idle = packets_out_;
  for (std::size_t i = 0; i < held_.size(); ++i)
    if (held_[i].packet != nullptr && held_[i].packet->allocated) --idle;
  if (!held_.empty()) misused("K78", call, fmt::format("while packets wait to be sent ({})", held_.size()));
  if (idle != 0) misused("K77", call, fmt::format("before packets were freed ({})", idle));
  cleaned_up_ = true;
  std::vector<std::shared_ptr<void>>& channels = device_.channels;
  const auto mine =
      std::find_if(channels.begin(), channels.end(), [this](const auto& owned) { return owned.get() == this; });
  device_.cleaned.push_back(std::move(*mine));
  channels.erase(mine);
}

// ---- Rules ----

void Endpoint::misused(RuleId rule, const char* call, std::string_view how) const {
  report(rule, call, fmt::format("{} called {}", call, how));
}

bool Endpoint::server_call(const char* call) const {
  if (!server_) misused("K14", call, "for a client endpoint");
  return server_;
}

bool Endpoint::client_call(const char* call) const {
  if (server_) misused("K14", call, "for a server endpoint");
  return !server_;
}

void Endpoint::put_back(const char* callback, Irql irql, int locks) const {
  hw::Processor& cpu = *hw::Processor::current();
  if (cpu.occupant()->spin_locks() > locks)
    report("K38", callback, fmt::format("{} returned with a spin lock that it took", callback));
  cpu.occupant()->spin_locks() = locks;
  if (cpu.irql() == irql) return;
  report(
      "K38", callback,
      fmt::format("{} returned at {} level; it was called at {} level", callback, name_of(cpu.irql()), name_of(irql)),
      BugCheck::irql_unexpected_value);
  cpu.set_irql(irql);
}

void Endpoint::report_waiting(const Device& device) {
  for (const auto& owned : device.channels) {
    const auto& self = *static_cast<const Endpoint*>(owned.get());
    if ((self.draining_ || self.pausing_) && self.outstanding_ != 0)
      self.report("K32", "EvtChannelSuspend",
                  fmt::format("the channel waits for delivered packets that nobody completes ({})", self.outstanding_));
    if (self.disabled() && !self.held_.empty())
      self.report("K91", "VmbPacketSend",
                  fmt::format("packets were queued on a channel that is not enabled ({})", self.held_.size()));
    for (const auto& shared : self.shared_)
      if (shared->deleted_by != nullptr)
        self.report(
            "K105", shared->deleted_by,
            fmt::format("the deletion of GPADL {} waits for the server, which has it mapped", shared->handle.value));
  }
}

bool Endpoint::report_lost(const Device& device) {
  bool lost = false;
  for (const auto& owned : device.channels) {
    const auto& self = *static_cast<const Endpoint*>(owned.get());
    const auto tell = [&](RuleId rule, std::string text) {
      self.report(rule, {}, std::string(self.server_ ? "host: " : "guest: ") + std::move(text));
      lost = true;
    };
    std::uint64_t known = self.transaction_count_ + self.over_.size();
    for (const kernel::Fifo<Outgoing>* queue : {&self.waiting_, &self.held_})
      for (std::size_t i = 0; i < queue->size(); ++i) known += (*queue)[i].packet != nullptr;
    if (self.under_way_ > known)
      tell("ONCE", fmt::format("packets are under way that nobody will complete ({})", self.under_way_ - known));
    if (self.channel_ == nullptr || self.deaf_ || self.frozen_) continue;
    const bool somebody_looks = self.pass_running_ || self.dpc_.DpcData != nullptr || self.pass_work_.queued;
    const bool may_look = self.queue_on_ && !self.failed_ && !self.stalled_ && self.deferred_ == nullptr;
    if (may_look && !somebody_looks && !self.in_->reader.empty())
      tell("WAKEUP", "packets lie in the incoming ring, and nobody is going to look");
    if (somebody_looks || self.waiting_.empty()) continue;
    if (self.out_->writer.has_its_wish())
      tell("WAKEUP", "packets wait for room in the outgoing ring, it is there, and nobody is going to say so");
    else if (!self.out_->writer.blocked())
      tell("WAKEUP", "packets wait for room in the outgoing ring, and the other end does not know of it");
  }
  return lost;
}

void Endpoint::report_left(const Device& device) {
  for (const auto& owned : device.channels)
    static_cast<const Endpoint*>(owned.get())
        ->report("K02", "VmbChannelAllocate", "a channel was not cleaned up before its driver was unloaded");
}

// ---- Results ----

Endpoint::Counters Endpoint::counters() const {
  Counters all = counters_;
  if (out_ == nullptr) return all;
  all.outgoing.packets += out_->counters.packets;
  all.outgoing.data_signals += out_->counters.data_signals;
  all.outgoing.space_signals += out_->counters.space_signals;
  all.outgoing.suppressed += out_->counters.suppressed;
  all.outgoing_size = out_->writer.memory().size();
  all.outgoing_peak = std::max(all.outgoing_peak, out_->writer.peak());
  all.outgoing_used = out_->writer.used();
  all.outgoing_full += out_->writer.full_events();
  return all;
}

void Endpoint::start_measuring() {
  counters_ = {};
  if (out_ == nullptr) return;
  out_->counters = {};
  out_->writer.start_measuring();
}

}  // namespace vmbsim::kmcl
