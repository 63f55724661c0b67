// The way in: one pass drains the incoming ring, in ring order, and hands over one packet at a time.
// Source: KMCL DDI: EVT_VMB_CHANNEL_PROCESS_PACKET, EVT_VMB_CHANNEL_PROCESSING_COMPLETE, VmbChannelPacketComplete,
// VmbChannelPacketDeferToPassive, VmbChannelPacketFail, VmbChannelPacketGetExternalData, VmbChannelSetTransactionQuota.
// EMCL: a pass drains until the ring stays empty, publishes Out once per batch, then moves what waits for room.
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "models/kmcl/callback.hpp"
#include "models/kmcl/dead_bytes.hpp"
#include "models/kmcl/descriptor_lists.hpp"
#include "models/kmcl/endpoint.hpp"
#include "models/kmcl/pipe.hpp"

namespace vmbsim::kmcl {

namespace {

bool has_external_data(const Received& received) {
  return received.packet.type == vmbus::PacketType::gpa_direct ||
         received.packet.type == vmbus::PacketType::transfer_pages;
}

/// What the pages hold that a chain of lists describes.
std::uint64_t digest_of(const MDL& first) {
  constexpr auto page = static_cast<std::uint64_t>(page_size);
  std::uint64_t digest = 0;
  for (const MDL* list = &first; list != nullptr; list = list->Next) {
    const hw::GuestMemory& memory = *reinterpret_cast<hw::GuestMemory*>(list->Process);
    std::uint64_t offset = list->ByteOffset;
    for (std::uint64_t left = list->ByteCount; left != 0;) {
      const std::uint64_t bytes = std::min(left, page - offset % page);
      const auto part = memory.bytes(MmGetMdlPfnArray(list)[offset / page], {static_cast<std::int64_t>(offset % page)},
                                     {static_cast<std::int64_t>(bytes)});
      if (part) digest = XXH3_64bits_withSeed(part->data(), part->size(), digest);
      offset += bytes;
      left -= bytes;
    }
  }
  return digest;
}

}  // namespace

// ---- When a pass runs ----

/// In the interrupt routine, at device level. One interrupt means: look at both rings.
void Endpoint::on_interrupt() {
  if (channel_ == nullptr) return;  // it came before the open's result, or after the close
  ++counters_.interrupts;
  in_->interrupted(partition().world().now());
  if (device_.batching.mask) in_->reader.mask();
  partition().insert_dpc(dpc_, nullptr, nullptr);
}

void Endpoint::schedule_pass() {
  if (passive_required_)
    queue_worker_pass();
  else
    partition().insert_dpc(dpc_, nullptr, nullptr);
}

void Endpoint::queue_worker_pass() {
  if (!pass_work_.queued) partition().queue_work(pass_work_, DelayedWorkQueue);
}

void Endpoint::pass(bool passive) {
  if (channel_ == nullptr || deaf_ || frozen_) return;
  if (pass_running_) {  // one at a time; the running one looks again
    pass_again_ = true;
    return;
  }
  VMBSIM_ASSERT(hw::Processor::current()->irql() == (passive ? Irql::passive : Irql::dispatch),
                "packet callbacks run at PASSIVE_LEVEL in a worker, at DISPATCH_LEVEL in the DPC");
  pass_running_ = true;
  pass_thread_ = passive ? partition().current_thread() : nullptr;
  pass_over_.Header.SignalState = 0;
  in_->dispatched(partition().world().now(), passive || !passive_required_);
  Outcome outcome;
  do {
    pass_again_ = false;
    const std::uint64_t before = counters_.batched_packets;
    outcome = drain(passive);
    if (counters_.batched_packets != before || !planted(faults::Planted::answers_wait_for_packets)) flush();
    if (outcome == Outcome::drained && in_->reader.masked() && in_->reader.unmask()) pass_again_ = true;
  } while (pass_again_ && outcome == Outcome::drained);
  if (planted(faults::Planted::flag_cleared_after_scan)) (server_ ? bus().host() : bus().guest()).clear(port_);
  pass_running_ = false;
  pass_thread_ = nullptr;
  partition().set_event(pass_over_);
  if (outcome == Outcome::limit || (pass_again_ && outcome == Outcome::stopped)) {
    if (passive)
      queue_worker_pass();
    else
      partition().insert_dpc(dpc_, nullptr, nullptr);
  }
  if (outcome == Outcome::needs_worker) queue_worker_pass();
}

/// Why the packet at the head of the parsing queue cannot be presented again yet.
std::optional<Endpoint::Outcome> Endpoint::what_holds_up(bool passive) const {
  if (deferred_->pages_pending) return Outcome::stopped;  // until they are in
  if (!passive && (deferred_->deferred || passive_required_)) return Outcome::needs_worker;
  return std::nullopt;
}

/// Batches until the ring is empty or something stops delivery.
Endpoint::Outcome Endpoint::drain(bool passive) {
  const Batching& batching = device_.batching;
  const bool one = batching.mode == Batching::Mode::none || planted(faults::Planted::one_packet_per_pass);
  const std::uint32_t batch_limit = one ? 1 : ~0u;
  std::uint32_t pass_left = batching.mode == Batching::Mode::limit ? batching.max_packets : ~0u;
  for (;;) {
    std::uint32_t delivered = 0;
    const bool passive_required = passive_required_;  // a change takes effect with the next batch
    Outcome outcome = Outcome::drained;
    if (deferred_ != nullptr && queue_on_) {
      if (const std::optional<Outcome> held_up = what_holds_up(passive)) return *held_up;
      Received& again = *deferred_;
      deferred_ = nullptr;
      ++delivered;
      deliver(again, true);
    }
    while (delivered < batch_limit) {
      if (deferred_ != nullptr && queue_on_) {
        outcome = deferred_->deferred ? Outcome::needs_worker : Outcome::stopped;
        break;
      }
      const vmbus::ReadAnswer answer = in_->reader.peek();
      if (std::holds_alternative<vmbus::Empty>(answer)) break;
      if (const auto* corrupt = std::get_if<vmbus::Corrupt>(&answer)) {
        report_corrupt("incoming", *corrupt);
        failed_ = true;
        outcome = Outcome::stopped;
        break;
      }
      const vmbus::IncomingPacket& packet = std::get<vmbus::IncomingPacket>(answer);
      if (packet.type == vmbus::PacketType::completion) {
        take_completion(packet);
        continue;
      }
      if (packet.type == vmbus::PacketType::cancel) {  // no callback exists that could tell the driver
        pay(partition().costs().packet_receive, packet.payload.size());
        in_->reader.take();
        static_cast<void>(in_->left(partition().world().now()));
        static_cast<void>(length_of(packet));
        continue;
      }
      if (!queue_on_ || failed_) {
        outcome = Outcome::stopped;
        break;
      }
      if (quota_ != 0 && outstanding_ >= quota_) stalled_ = true;
      if (stalled_) {  // a larger quota does not end it
        outcome = Outcome::stopped;
        break;
      }
      if (passive_required && !passive) {
        outcome = Outcome::needs_worker;
        break;
      }
      if (pass_left == 0) {
        outcome = Outcome::limit;
        break;
      }
      --pass_left;
      pay(partition().costs().packet_receive, packet.payload.size());
      Received& received = fresh_received(packet);
      received.packet.payload = received.packet.payload.first(length_of(packet));
      in_->reader.take();
      received.journey = in_->left(partition().world().now());
      if (pipe() && !strip_pipe_header(received)) {
        recycle(received);
        failed_ = true;
        outcome = Outcome::stopped;
        break;
      }
      ++delivered;
      deliver(received, false);
    }
    const bool took = in_->reader.taken().count != 0;
    if (took && in_->reader.commit() == vmbus::SignalNeeded::yes) signal_peer(false);
    if (delivered != 0) {
      ++counters_.batches;
      counters_.batched_packets += delivered;
      counters_.batch_max = std::max<std::uint64_t>(counters_.batch_max, delivered);
      if (processing_complete_ != nullptr) {
        const Callback running(*this, "EvtVmbChannelProcessingComplete");
        processing_complete_(handle(), delivered);
      }
    }
    if (planted(faults::Planted::one_packet_per_pass)) return outcome;
    // Whoever took something looks once more; a packet presented again took nothing, but may have used up its batch.
    if (outcome != Outcome::drained || (!took && delivered == 0)) return outcome;
  }
}

void Endpoint::take_completion(const vmbus::IncomingPacket& answer) {
  pay(partition().costs().packet_receive, answer.payload.size());
  in_->reader.take();
  const vmbus::Journey* rode = in_->left(partition().world().now());
  Packet* transaction = recall(answer.transaction_id);
  if (transaction == nullptr && partition().exploration() != nullptr && answer.transaction_id != 0 &&
      answer.transaction_id <= last_transaction_id_)
    return report("ONCE", {}, fmt::format("transaction {} is completed again", answer.transaction_id));
  if (transaction == nullptr)
    return report("RING", {},
                  fmt::format("a completion for transaction {}, which is not under way", answer.transaction_id));
  if (device_.journeys != nullptr && rode == &transaction->journey) device_.journeys->returned(*rode);
  // The reader's copy holds until this pass reads on, and there is no other pass.
  finish(*transaction, STATUS_SUCCESS, answer.payload.data(), length_of(answer));
}

/// Bytes of the payload: as the wire says, in units of 8, unless both ends keep its own length.
std::uint32_t Endpoint::length_of(const vmbus::IncomingPacket& packet) {
  const auto on_wire = static_cast<std::uint32_t>(packet.payload.size());
  if (in_->lengths.empty()) return on_wire;
  const std::uint32_t exact = in_->lengths.pop();
  return vmbus::padded({exact}).count == on_wire ? exact
                                                 : on_wire;  // the memory is the guest's, who may put in its own
}

/// A pipe's packet is a datagram behind a header that says how long it is. False when the other end wrote something else.
bool Endpoint::strip_pipe_header(Received& received) {
  std::span<const std::byte>& payload = received.packet.payload;
  std::uint32_t header[2] = {};
  if (payload.size() >= sizeof header) std::memcpy(header, payload.data(), sizeof header);
  const bool sound = received.packet.type == vmbus::PacketType::in_band && header[0] == pipe_data &&
                     header[1] <= largest_datagram && payload.size() >= sizeof header + header[1];
  if (!sound) {
    report("PIPE", {}, "the other end wrote into a pipe what is no datagram");
    return false;
  }
  received.packet.payload = payload.subspan(sizeof header, header[1]);
  return true;
}

void Endpoint::deliver(Received& received, bool again) {
  if (!again || !received.outstanding) {
    received.outstanding = true;
    ++outstanding_;
  }
  VMBSIM_ASSERT(!suspended_, "no packet is delivered between EvtChannelSuspend and EvtChannelStarted");
  received.deferred = false;
  received.in_callback = true;
  current_ = &received;
  const std::span<const std::byte> payload = received.packet.payload;
  const UINT32 flags = has_external_data(received) ? VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA : 0;
  if (process_packet_ == nullptr) return complete(received, nullptr, 0);  // nobody wants it
  {
    const Callback running(*this, "EvtVmbChannelProcessPacket");
    process_packet_(handle(), received.handle(), const_cast<std::byte*>(payload.data()),
                    static_cast<UINT32>(payload.size()), flags);
  }
  if (current_ == &received) received.in_callback = false;  // still alive: completed ones leave `current_`
  current_ = nullptr;
}

// ---- What a driver does with a packet ----

void Endpoint::complete(Received& received, const void* answer, std::uint32_t length) {
  constexpr const char* call = "VmbChannelPacketComplete";
  if (!received.outstanding) return misused("K51", call, "for a packet that is not outstanding");
  if (received.deferred) return misused("K50", call, "for a packet that was deferred and will be presented again");
  if (received.pages_pending)
    return misused("K56", call, "for a packet whose external data is pending: it will be presented again");
  if (!partition().require_irql_at_most(Irql::dispatch, call, BugCheck::irql_not_less_or_equal)) return;
  if (partition().watches_buffers) {
    partition().touch(answer, length, call);
    if (holds_dead_bytes(answer, length, server_))
      report("K59", call, "the answer lies in, or was copied from, a packet that was completed before");
  }
  if (received.lists_made) look_at_lists(received);
  if (partition().exploration() != nullptr) [[unlikely]] {
    disturb();
    if (length > 8 && fails(faults::Fault::short_completion)) length /= 2;
  }
  received.outstanding = false;
  received.in_callback = false;
  if (current_ == &received) current_ = nullptr;
  if (in_->forgotten(vmbus::Lane::Kind::request)) received.journey = nullptr;
  if (received.journey != nullptr) received.journey->end(Stage::service, partition().world().now());
  if (received.packet.completion_requested) {
    if (received.bytes.size() < length) {  // then the answer is no part of it
      received.packet.payload = {};
      received.bytes.resize(length);
    }
    if (length != 0) std::memmove(received.bytes.data(), answer, length);  // often a part of the packet itself
    received.answer_length = length;
    put({.completion = &received}, partition().costs().packet_complete);
  } else {
    partition().consume(partition().costs().packet_complete.sample(costs_));
    recycle(received);
  }
  --outstanding_;                           // not before its answer is on the way: a close waits for that
  if (stalled_ && outstanding_ < quota_) {  // nothing but a completion ends a stall
    stalled_ = false;
    schedule_pass();
  }
  if ((draining_ && outstanding_ == 0) || (pausing_ && all_over())) ask(Step::drained);
}

/// Faults: what the host may do to an open channel at any moment, each once.
void Endpoint::disturb() {
  if (!server_ || connection_ != Connection::open) return;
  const auto happens = [this](faults::Fault fault) {
    if (disturbed_.has(fault) || !fails(fault)) return false;
    disturbed_.add(fault);
    return true;
  };
  if (happens(faults::Fault::suspend)) {
    ask(Step::pause);
    ask(Step::start);
  }
  if (happens(faults::Fault::rescind)) ask(Step::disable);
}

void Endpoint::defer_to_passive(Received& received) {
  constexpr const char* call = "VmbChannelPacketDeferToPassive";
  if (!received.in_callback || received.deferred)
    return misused("K52", call, "outside the packet's ProcessPacket callback");
  if (hw::Processor::current()->irql() == Irql::passive)
    misused("K53", call, "at PASSIVE_LEVEL: the packet comes back at the same level");
  received.deferred = true;
  deferred_ = &received;
}

void Endpoint::fail(Received& received) {
  if (!received.in_callback || received.deferred)
    return misused("K54", "VmbChannelPacketFail", "outside the packet's ProcessPacket callback");
  failed_ = true;  // until the channel is closed
  received.outstanding = false;
  --outstanding_;
  current_ = nullptr;
  recycle(received);
  if ((draining_ && outstanding_ == 0) || (pausing_ && all_over())) ask(Step::drained);
}

NTSTATUS Endpoint::external_data(Received& received, std::uint32_t flags, PMDL* mdl) {
  constexpr const char* call = "VmbChannelPacketGetExternalData";
  if (!partition().require_irql_at_most(Irql::dispatch, call, BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  if (!has_external_data(received) || !received.outstanding) {
    misused("K55", call, "for a packet without external data");
    return STATUS_INVALID_PARAMETER;
  }
  if ((flags & ~std::uint32_t{VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS}) != 0) {
    misused("K57", call, fmt::format("with unknown flag bits: {:#x}", flags));
    return STATUS_INVALID_PARAMETER;
  }
  const bool may_be_pending = device_.policies.pending_permille != 0 || partition().exploration() != nullptr;
  if (may_be_pending && !page_in(received)) return STATUS_PENDING;
  DescriptorLists lists(received.mdls);
  if (received.packet.type == vmbus::PacketType::transfer_pages) {
    if (!transferred(received, lists)) return STATUS_INVALID_PARAMETER;
  } else {
    vmbus::GpaRangeCursor ranges(received.packet);
    lists.reserve(ranges.count(), ranges.most_pfns());
    hw::GuestMemory& memory = bus().guest().partition().memory();  // whose pages they are
    while (const auto range = ranges.next()) lists.add(*range, memory);
  }
  partition().consume(partition().costs().map_per_page.sample(costs_) * static_cast<std::int64_t>(lists.pages()));
  *mdl = lists.first();
  received.lists_made = partition().watches_buffers;
  received.read_only = received.lists_made && (flags & VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY) != 0;
  if (received.read_only) received.digest = digest_of(**mdl);
  return STATUS_SUCCESS;
}

/// The lists of a packet that is being completed: unmapped by now, unwritten where that was promised, and dead from here on.
void Endpoint::look_at_lists(Received& received) const {
  constexpr const char* call = "VmbChannelPacketComplete";
  auto* first = reinterpret_cast<PMDL>(received.mdls.data());
  if (received.read_only && digest_of(*first) != received.digest)
    report("K60", call, "external data that was mapped to be read has changed");
  for (PMDL list = first; list != nullptr; list = list->Next) {
    if ((list->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) != 0) misused("K58", call, "before the external data was unmapped");
    list->MdlFlags = 0;
  }
  received.lists_made = false;
}

/// True when the external data is resident. Else it is being brought in, and the packet is presented again when it is.
bool Endpoint::page_in(Received& received) {
  const Policies& policies = device_.policies;
  if (received.pages_resident || received.packet.type != vmbus::PacketType::gpa_direct) return true;
  if (received.pages_pending) return false;
  const bool fault = received.in_callback && fails(faults::Fault::pending_data);
  if (!received.in_callback ||
      (!fault && (policies.pending_permille == 0 || coins().below(1000) >= policies.pending_permille))) {
    received.pages_resident = true;
    return true;
  }
  received.pages_pending = true;
  deferred_ = &received;
  if (!late_actor_) late_actor_ = partition().world().new_actor();
  paging_ = partition().world().after<&Endpoint::on_paged_in>(
      fault ? std::max(policies.page_in, Duration{1us}) : policies.page_in, *late_actor_, *this);
  return false;
}

void Endpoint::on_paged_in() {
  deferred_->pages_pending = false;
  deferred_->pages_resident = true;
  if (channel_ != nullptr) schedule_pass();
}

// ---- Objects of delivered packets ----

Received& Endpoint::fresh_received(const vmbus::IncomingPacket& packet) {
  Received* received = spare_received_;
  if (received != nullptr) {
    spare_received_ = received->next;
  } else {
    received_.push_back(std::make_unique<Received>());
    received = received_.back().get();
    received->endpoint = this;
    received->client_context.resize(client_context_size_);
  }
  if (received->dead_bytes != nullptr && !holds_dead_bytes(received->dead_bytes, sizeof(std::uint64_t), server_))
      [[unlikely]]
    report("K59", {}, "a packet's buffer was written to after VmbChannelPacketComplete");
  const std::size_t extension = packet.extension.size();
  const std::size_t payload = packet.payload.size();
  if (received->bytes.size() < extension + payload) received->bytes.resize(extension + payload);
  if (extension != 0) std::memcpy(received->bytes.data(), packet.extension.data(), extension);
  if (payload != 0) std::memcpy(received->bytes.data() + extension, packet.payload.data(), payload);
  received->packet = packet;
  received->packet.extension = {received->bytes.data(), extension};
  received->packet.payload = {received->bytes.data() + extension, payload};
  received->deferred = received->pages_pending = received->pages_resident = false;
  received->answer_length = 0;
  return *received;
}

void Endpoint::recycle(Received& received) {
  if (deferred_ == &received) {
    deferred_ = nullptr;
    partition().world().cancel(paging_);
  }
  received.outstanding = false;
  received.lists_made = false;
  received.journey = nullptr;
  received.dead_bytes = nullptr;
  if (partition().watches_buffers && received.packet.payload.size() >= sizeof(std::uint64_t)) {
    received.dead_bytes = const_cast<std::byte*>(received.packet.payload.data());
    mark_dead(received.dead_bytes, server_);
  }
  received.use = next_use(received.use);
  if (received.use == 0) return;  // worn out
  received.next = spare_received_;
  spare_received_ = &received;
}

}  // namespace vmbsim::kmcl
