// The way out: packets and completions into the outgoing ring, first come, first served.
// Source: KMCL DDI: VmbPacketSend and its siblings, EVT_VMB_PACKET_COMPLETION_ROUTINE. EMCL: a full ring queues the packet, and
// the pass that the peer's signal causes moves it on. Unlike EMCL, a packet never overtakes those that wait.
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "models/kmcl/callback.hpp"
#include "models/kmcl/dead_bytes.hpp"
#include "models/kmcl/endpoint.hpp"
#include "models/kmcl/locked.hpp"
#include "models/kmcl/pipe.hpp"

namespace vmbsim::kmcl {

namespace {

bool resident(const MDL& list) { return (list.MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL)) != 0; }

std::byte* inline_copy(Packet& packet) { return reinterpret_cast<std::byte*>(&packet + 1); }

/// The WDK's page frame numbers are the hardware's under another name.
const hw::Pfn* frames(const PFN_NUMBER* pfns) {
  static_assert(sizeof(PFN_NUMBER) == sizeof(hw::Pfn));
  return reinterpret_cast<const hw::Pfn*>(pfns);
}

}  // namespace

Duration Endpoint::copy_time(std::size_t bytes) {
  const Duration per_kib = partition().costs().copy_per_kib.sample(costs_);
  return Duration{per_kib.count() * static_cast<std::int64_t>(bytes) / 1024};
}

/// What taking a packet costs and what copying its bytes costs, drawn in this order on every compiler.
void Endpoint::pay(const kernel::Distribution& cost, std::size_t bytes) {
  const Duration handling = cost.sample(costs_);
  partition().consume(handling + copy_time(bytes));
}

NTSTATUS Endpoint::send(Packet& packet) {
  if (packet.length > maximum_packet_size_) {
    report("K70", packet.call,
           fmt::format("inline data of {} B is more than the maximum packet size of {} B", packet.length,
                       maximum_packet_size_));
    return STATUS_INVALID_PARAMETER_3;
  }
  if (!packet.allocated && packet.routine == nullptr) {
    report("K72", packet.call, "a packet of the driver's own memory was sent without a completion routine");
    return STATUS_INVALID_PARAMETER_1;
  }
  if ((packet.flags & ~std::uint32_t{VMBUS_CHANNEL_FORMAT_FLAGS}) != 0) {
    report("K84", packet.call, fmt::format("unknown flag bits in a send: {:#x}", packet.flags));
    return STATUS_INVALID_PARAMETER;
  }
  if (pipe() && (packet.waits_for_completion() || packet.mdl != nullptr || packet.pfns != nullptr ||
                 packet.length > largest_datagram)) {
    report("PIPE", packet.call,
           "a pipe carries datagrams of at most 16384 bytes: no transactions and no external data");
    return STATUS_INVALID_PARAMETER;
  }
  if (suspended_) [[unlikely]]
    misused("K31", packet.call, "between EvtChannelSuspend and EvtChannelStarted");
  if (after_close_ && device_.policies.refuse_after_close) return STATUS_INVALID_DEVICE_STATE;
  if (packet.mdl != nullptr && !packet.waits_for_completion())
    report("K80", packet.call,
           "external data is sent without WAIT_FOR_COMPLETION: nobody tells when its pages are free");
  packet.journey.begin(partition().world().now());
  if (packet.mdl != nullptr || packet.pfns != nullptr) {
    if (server_) {
      report("K85", packet.call,
             "external data can be sent by the guest only: a host never describes its memory to a guest");
      return STATUS_INVALID_PARAMETER;
    }
    packet.ranges = ranges_of(packet);
    if (packet.ranges.empty()) return STATUS_INVALID_PARAMETER;
    for (const vmbus::GpaRange& range : packet.ranges) packet.journey.data += Bytes{range.byte_count};
    if (packet.journey.data.count > maximum_external_data_) {
      report("K71", packet.call,
             fmt::format("external data of {} B is more than the channel's maximum of {} B", packet.journey.data.count,
                         maximum_external_data_));
      return STATUS_INVALID_PARAMETER;
    }
  }
  const bool paged = (packet.flags & VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER) != 0;
  if (partition().watches_buffers) {
    partition().touch(packet.buffer, packet.length, packet.call);
    if (holds_dead_bytes(packet.buffer, packet.length, server_))
      report("K59", packet.call, "what is sent lies in, or was copied from, a packet that was completed before");
    for (const MDL* list = packet.mdl; list != nullptr; list = list->Next)
      if (!resident(*list)) report("K86", packet.call, "external data whose pages are not locked");
    if (!paged && partition().pool().pageable(packet.buffer, packet.length))
      report("K83", packet.call, "an inline buffer in paged pool is sent without PAGED_BUFFER",
             BugCheck::driver_irql_not_less_or_equal);
  }
  if (paged) {
    const Irql irql = hw::Processor::current()->irql();
    if (irql > Irql::apc)
      report("K83", packet.call,
             fmt::format("a send with PAGED_BUFFER at {} level; it is legal up to apc level", name_of(irql)),
             BugCheck::irql_not_less_or_equal);
    keep_inline(packet, packet.buffer);  // before anything raises the IRQL
    partition().consume(copy_time(packet.length));
  }
  packet.state = Packet::State::queued;
  ++under_way_;
  packet.transaction_id = packet.waits_for_completion() ? ++last_transaction_id_ : 0;
  if (device_.journeys != nullptr && packet.waits_for_completion() && !packet.only_tried)
    device_.journeys->begun(packet.journey);
  return put({.packet = &packet}, partition().costs().packet_send);
}

/// Whether the routine of a packet that needs no answer and has entered the ring runs in a pass.
bool Endpoint::completes_later() {
  if (fails(faults::Fault::pending_completion)) return true;
  switch (device_.policies.routine_of_sent) {
    case Policies::RoutineOfSent::inside_send: return false;
    case Policies::RoutineOfSent::in_a_pass: return true;
    case Policies::RoutineOfSent::either: break;
  }
  const std::uint64_t coin = coins().below(2);
  return (coin ^ partition().world().choose(kernel::ChoicePoint::data, 2)) == 1;
}

kernel::Stream& Endpoint::coins() {
  if (!coins_) coins_ = partition().world().stream(device_.name, server_ ? "host policies" : "guest policies");
  return *coins_;
}

/// The packet's inline data, in memory of the packet's own.
void Endpoint::keep_inline(Packet& packet, const std::byte* from) {
  if (packet.length != 0) std::memcpy(inline_copy(packet), from, packet.length);
  packet.buffer = inline_copy(packet);
}

/// Into the ring if there is room and nobody waits; else behind the others.
NTSTATUS Endpoint::put(const Outgoing& item, const kernel::Distribution& cost) {
  bool announce = false;
  partition().visible(hw::Site::send, this);
  // Once it is in the ring, an answer may come and the driver use the packet again before this call returns.
  bool over_when_sent = item.packet != nullptr && !item.packet->waits_for_completion();
  {
    Locked locked(partition(), lock_);
    // Where there is room for anything, handling and copying are one span of time; else a copy is paid for when it is made.
    const bool roomy =
        channel_ != nullptr && out_->writer.free().count >= most_description_ + static_cast<std::int64_t>(item.bytes());
    if (roomy)
      pay(cost, item.bytes());
    else
      partition().consume(cost.sample(costs_));
    // Not before: a channel that has started meanwhile puts first what it held.
    if (partition().exploration() != nullptr) [[unlikely]]
      draw_ticket(item);
    const bool only_tried = item.packet != nullptr && item.packet->only_tried;
    if (channel_ == nullptr || (item.packet != nullptr && !queue_on_)) {
      if (only_tried) return STATUS_BUFFER_OVERFLOW;
      if (item.packet != nullptr)
        held_.push(item);
      else
        recycle(*item.completion);  // nobody is left to be told
      return STATUS_SUCCESS;
    }
    const bool overtakes = device_.policies.overtaking || planted(faults::Planted::small_packet_overtakes);
    if (!waiting_.empty() && !overtakes) {
      if (only_tried) return STATUS_BUFFER_OVERFLOW;
      waiting_.push(item);
      return STATUS_SUCCESS;
    }
    if (partition().exploration() != nullptr) [[unlikely]] {
      if (!only_tried && fails(faults::Fault::ring_full)) {
        waiting_.push(item);
        schedule_pass();
        return STATUS_SUCCESS;
      }
      if (item.packet != nullptr && fails(faults::Fault::cancel)) put_cancel_before();
    }
    const vmbus::StageAnswer answer = stage(item);
    if (std::holds_alternative<vmbus::TooLarge>(answer)) {
      refuse(item);
      return STATUS_INVALID_PARAMETER_3;
    }
    if (!std::holds_alternative<vmbus::Staged>(answer)) {
      if (only_tried) return STATUS_BUFFER_OVERFLOW;
      waiting_.push(item);
      return STATUS_SUCCESS;
    }
    if (!roomy) partition().consume(copy_time(item.bytes()));
    entered_ring(item);
    if (!waiting_.empty() && !planted(faults::Planted::small_packet_overtakes)) wish_again();
    announce = out_->writer.commit() == vmbus::SignalNeeded::yes;
    if (!announce) ++out_->counters.suppressed;
    if (over_when_sent && completes_later()) {
      over_when_sent = false;
      over_.push({item.packet, STATUS_SUCCESS});
      partition().insert_dpc(dpc_, nullptr, nullptr);
    }
  }
  if (announce) signal_peer(true);
  if (over_when_sent) finish(*item.packet, STATUS_SUCCESS, nullptr, 0);  // complete as soon as it is in the ring
  return STATUS_SUCCESS;
}

/// A packet that went ahead of others took their wish for room off the record.
void Endpoint::wish_again() {
  while (!waiting_.empty()) {
    const Outgoing item = waiting_.front();
    if (!std::holds_alternative<vmbus::Staged>(stage(item))) return;
    waiting_.pop();
    entered_ring(item);
    if (item.packet != nullptr && !item.packet->waits_for_completion()) {
      over_.push({item.packet, STATUS_SUCCESS});
      partition().insert_dpc(dpc_, nullptr, nullptr);
    }
  }
}

void Endpoint::report_corrupt(const char* which, const vmbus::Corrupt& what) {
  if (corruption_told_) return;
  corruption_told_ = true;
  report("RING", {}, fmt::format("the {} ring is corrupt: {} at offset {}", which, name_of(what.what), what.offset));
}

/// What could never fit would block all that comes behind it.
void Endpoint::refuse(const Outgoing& item) {
  report("K70", item.packet != nullptr ? item.packet->call : "VmbChannelPacketComplete",
         "a packet is larger than the outgoing ring can ever hold");
  if (item.packet != nullptr)
    no_longer_under_way(*item.packet);
  else
    recycle(*item.completion);
}

/// Moves what waits into the ring until it is full again: one commit, one decision about the signal.
void Endpoint::flush() {
  if (waiting_.empty() && over_.empty()) return;
  bool announce = false;
  {
    Locked locked(partition(), lock_);
    bool staged = false;
    if (planted(faults::Planted::newest_first))
      for (std::size_t older = waiting_.size(); older > 1; --older) waiting_.push(waiting_.pop());
    while (!waiting_.empty() && channel_ != nullptr) {
      const Outgoing item = waiting_.front();
      const vmbus::StageAnswer answer = stage(item);
      if (std::holds_alternative<vmbus::TooLarge>(answer)) {
        waiting_.pop();
        refuse(item);
        if (item.packet != nullptr) over_.push({item.packet, STATUS_INVALID_PARAMETER_3});
        continue;
      }
      if (!std::holds_alternative<vmbus::Staged>(answer)) break;
      if (planted(faults::Planted::completion_twice) && waiting_.size() > 1) put_again(item);
      waiting_.pop();
      staged = true;
      partition().consume(copy_time(item.bytes()));
      entered_ring(item);
      if (item.packet != nullptr && !item.packet->waits_for_completion()) over_.push({item.packet, STATUS_SUCCESS});
    }
    if (staged) {
      announce = out_->writer.commit() == vmbus::SignalNeeded::yes;
      if (!announce) ++out_->counters.suppressed;
    }
  }
  if (announce) signal_peer(true);
  while (!over_.empty()) {
    const Over next = over_.pop();
    finish(*next.packet, next.status, nullptr, 0);
  }
}

vmbus::StageAnswer Endpoint::stage(const Outgoing& item) {
  vmbus::OutgoingPacket packet;
  if (item.completion != nullptr) {
    packet.type = vmbus::PacketType::completion;
    packet.transaction_id = item.completion->packet.transaction_id;
    packet.payload = {item.completion->bytes.data(), item.completion->answer_length};
  } else {
    Packet& sent = *item.packet;
    packet.completion_requested = sent.waits_for_completion();
    packet.transaction_id = sent.transaction_id;
    packet.payload = {sent.buffer, sent.length};
    const std::uint32_t header[2] = {pipe_data, sent.length};
    if (pipe()) {
      packet.header = std::as_bytes(std::span(header));
      return stage(packet);
    }
    if (sent.mdl != nullptr || sent.pfns != nullptr) {
      packet.type = vmbus::PacketType::gpa_direct;
      packet.ranges = sent.ranges;
    }
  }
  return stage(packet);
}

vmbus::StageAnswer Endpoint::stage(const vmbus::OutgoingPacket& packet) {
  const vmbus::StageAnswer answer = out_->writer.stage(packet);
  if (device_.policies.exact_length && std::holds_alternative<vmbus::Staged>(answer))
    out_->lengths.push(static_cast<std::uint32_t>(packet.payload.size()));
  if (const auto* corrupt = std::get_if<vmbus::Corrupt>(&answer)) report_corrupt("outgoing", *corrupt);
  return answer;
}

/// In a hunt whatever is sent gets a number, by which it must enter the ring.
void Endpoint::draw_ticket(const Outgoing& item) {
  (item.packet != nullptr ? item.packet->ticket : item.completion->ticket) = ++last_ticket_;
}

void Endpoint::look_at_ticket(const Outgoing& item) {
  const std::uint64_t ticket = item.packet != nullptr ? item.packet->ticket : item.completion->ticket;
  if (ticket < last_entered_ && !device_.policies.overtaking)
    report("FIFO", item.packet != nullptr ? item.packet->call : "VmbChannelPacketComplete",
           "a packet enters the ring after one that was sent later");
  last_entered_ = std::max(last_entered_, ticket);
}

/// A fault: the receiver finds a cancel packet that means nothing to it.
void Endpoint::put_cancel_before() {
  vmbus::OutgoingPacket cancel;
  cancel.type = vmbus::PacketType::cancel;
  if (std::holds_alternative<vmbus::Staged>(stage(cancel)))
    out_->entered(nullptr, vmbus::Lane::Kind::request, partition().world().now());
}

/// A planted bug: an answer that waited with others goes into the ring twice.
void Endpoint::put_again(const Outgoing& item) {
  if (item.completion == nullptr) return;
  vmbus::OutgoingPacket again;
  again.type = vmbus::PacketType::completion;
  again.transaction_id = item.completion->packet.transaction_id;
  if (std::holds_alternative<vmbus::Staged>(stage(again)))
    out_->entered(nullptr, vmbus::Lane::Kind::completion, partition().world().now());
}

void Endpoint::no_longer_under_way(Packet& packet) {
  if (packet.state != Packet::State::idle) --under_way_;
  packet.state = Packet::State::idle;
}

/// The bytes are in the ring; the transaction is on its way.
void Endpoint::entered_ring(const Outgoing& item) {
  if (partition().exploration() != nullptr) [[unlikely]]
    look_at_ticket(item);
  const SimTime now = partition().world().now();
  note(item);
  if (item.completion != nullptr) {
    out_->entered(item.completion->journey, vmbus::Lane::Kind::completion, now);
    recycle(*item.completion);
    return;
  }
  Packet& packet = *item.packet;
  packet.state = Packet::State::sent;
  if (packet.waits_for_completion()) {
    remember(packet);
    out_->entered(&packet.journey, vmbus::Lane::Kind::request, now);
  } else {
    out_->entered(nullptr, vmbus::Lane::Kind::request, now);
  }
}

/// What the run's fingerprint knows of a packet beside the time it was sent at.
void Endpoint::note(const Outgoing& item) {
  const bool answers = item.completion != nullptr;
  const std::uint64_t id = answers ? item.completion->packet.transaction_id : item.packet->transaction_id;
  const std::uint64_t external = answers ? 0 : static_cast<std::uint64_t>(item.packet->journey.data.count);
  const std::byte* bytes = answers ? item.completion->bytes.data() : item.packet->buffer;
  const std::size_t length = item.bytes();
  kernel::Simulation& world = partition().world();
  world.note((external << 32) + id);
  world.note(XXH3_64bits(bytes, length));
}

/// One GPA range per descriptor list of the chain, within [offset, offset + length) of it; or the whole PFN array. The ranges
/// lie in the packet's own memory.
std::span<const vmbus::GpaRange> Endpoint::ranges_of(Packet& packet) {
  auto* ranges = reinterpret_cast<vmbus::GpaRange*>(inline_copy(packet) + ((maximum_packet_size_ + 7) & ~7u));
  if (packet.pfns != nullptr) {
    ranges[0] = {.byte_count = packet.pfn_count * static_cast<std::uint32_t>(page_size),
                 .byte_offset = 0,
                 .pfns = {frames(packet.pfns), packet.pfn_count}};
    return {ranges, packet.pfn_count == 0 ? 0u : 1u};
  }
  const bool forced = (packet.flags & VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH) != 0 && packet.mdl_length != 0;
  std::size_t count = 0;
  std::uint64_t skip = packet.mdl_offset;
  std::uint64_t left = packet.mdl_length == 0 ? ~std::uint64_t{0} : packet.mdl_length;
  for (const MDL* mdl = packet.mdl; mdl != nullptr && left != 0; mdl = mdl->Next) {
    if (skip >= mdl->ByteCount && !forced) {
      skip -= mdl->ByteCount;
      continue;
    }
    const std::uint64_t start = mdl->ByteOffset + skip;
    const std::uint64_t end = std::uint64_t{mdl->ByteOffset} + mdl->ByteCount;
    const std::uint64_t limit = forced ? ROUND_TO_PAGES(end) : end;
    if (start >= limit) break;
    const std::uint64_t bytes = std::min(left, limit - start);
    if (count == std::max(maximum_chain_length_, 1u)) {
      report("K71", packet.call, "external data has more descriptor lists than the channel was set up for");
      return {};
    }
    const auto offset = static_cast<std::uint32_t>(start % static_cast<std::uint64_t>(page_size));
    const PFN_NUMBER* pfns = MmGetMdlPfnArray(mdl) + start / static_cast<std::uint64_t>(page_size);
    ranges[count++] = {.byte_count = static_cast<std::uint32_t>(bytes),
                       .byte_offset = offset,
                       .pfns = {frames(pfns), vmbus::pages_touched(offset, static_cast<std::uint32_t>(bytes))}};
    left -= bytes;
    skip = 0;
    if (forced) break;  // only the first list of a chain is used
  }
  if (packet.mdl_length != 0 && left != 0) {
    report(forced ? RuleId("K81") : RuleId("K82"), packet.call, "offset and length lie outside the external data");
    return {};
  }
  return {ranges, count};
}

void Endpoint::signal_peer(bool for_data) {
  os::Partition& here = partition();
  here.visible(hw::Site::signal, this);
  if (latency_ != 0) {  // a bit in the monitor page instead of a hypercall; a bit that is set needs no other
    late_signal_for_data_ = late_signal_for_data_ || for_data;
    if (here.world().pending(late_signal_)) return;
    late_signal_ =
        here.world().after<&Endpoint::deliver_late_signal>(Duration{std::int64_t{latency_} * 100}, *late_actor_, *this);
    return;
  }
  here.spend(here.costs().hypercall, signal_costs_);
  if (channel_ == nullptr) return;  // closed while the hypercall ran
  ++(for_data ? out_->counters.data_signals : out_->counters.space_signals);
  if (for_data) out_->signalled(here.world().now());
  if (server_)
    bus().guest().signal(channel_->guest_port, here.costs().signal_guest.sample(signal_costs_));
  else
    bus().host().signal(channel_->host_port, here.costs().signal_host.sample(signal_costs_));
}

/// The hypervisor looks at the monitor page: it knows nothing of the packets, so one signal is for all of them.
void Endpoint::deliver_late_signal() {
  const bool for_data = late_signal_for_data_;
  late_signal_for_data_ = false;
  if (channel_ == nullptr) return;
  ++(for_data ? out_->counters.data_signals : out_->counters.space_signals);
  if (for_data) out_->signalled(partition().world().now());
  bus().host().signal(channel_->host_port, partition().costs().signal_host.sample(signal_costs_));
}

NTSTATUS Endpoint::set_interrupt_latency(std::uint16_t latency, std::uint16_t& before) {
  constexpr const char* call = "VmbChannelSetInterruptLatency";
  before = latency_;
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  if (server_ || !(opening_ || opened_ || closing_)) {
    misused("K22", call, "by a host, or not between EvtChannelOpened and EvtChannelClosed");
    return STATUS_INVALID_DEVICE_STATE;
  }
  if (!late_actor_) late_actor_ = partition().world().new_actor();
  latency_ = latency;
  return STATUS_SUCCESS;
}

// ---- Transactions under way ----

void Endpoint::remember(Packet& packet) {
  if (++transaction_count_ > transactions_.size()) {
    std::vector<Packet*> larger(transactions_.size() * 2);
    for (Packet* chain : transactions_)
      while (chain != nullptr) {
        Packet* next = chain->next;
        Packet*& place = larger[chain->transaction_id & (larger.size() - 1)];
        chain->next = place;
        place = chain;
        chain = next;
      }
    transactions_ = std::move(larger);
  }
  Packet*& place = transactions_[packet.transaction_id & (transactions_.size() - 1)];
  packet.next = place;
  place = &packet;
}

Packet* Endpoint::recall(std::uint64_t transaction_id) {
  for (Packet** link = &transactions_[transaction_id & (transactions_.size() - 1)]; *link != nullptr;
       link = &(*link)->next)
    if ((*link)->transaction_id == transaction_id) {
      Packet* packet = *link;
      *link = packet->next;
      --transaction_count_;
      return packet;
    }
  return nullptr;
}

/// What a pause waits for: packets that were delivered, and, where the policy says so, those that were sent.
bool Endpoint::all_over() const {
  if (outstanding_ != 0) return false;
  return !device_.policies.pause_waits_for_sent || (transaction_count_ == 0 && waiting_.empty());
}

/// A list that lies in pool is still there to be looked at, even when it was freed.
void Endpoint::look_at_pages(const Packet& packet) const {
  if (!partition().pool().owns(packet.mdl) || resident(*packet.mdl)) return;
  report("K86", packet.call, "external data was unlocked, or its list freed, before the packet was complete");
}

/// The transaction is over: the packet is the driver's again.
void Endpoint::finish(Packet& packet, NTSTATUS status, const std::byte* answer, std::uint32_t length) {
  no_longer_under_way(packet);
  partition().world().note(static_cast<std::uint32_t>(status));
  if (pausing_ && device_.policies.pause_waits_for_sent && all_over()) ask(Step::drained);
  if (packet.mdl != nullptr && partition().watches_buffers) look_at_pages(packet);
  if (packet.routine == nullptr) return free_packet(packet);
  const Callback running(*this, "EvtVmbPacketCompletionRoutine");
  packet.routine(packet.handle(), status, const_cast<std::byte*>(answer), length);
}

}  // namespace vmbsim::kmcl
