// How a channel comes and goes: the transition table of the KMCL state model.
// Source: KMCL DDI: VmbChannelEnable, VmbChannelDisable, VmbChannelStart, VmbChannelPause and the five EVT_VMB_CHANNEL_* state
// callbacks. Order of one round: Opened, Started, queue on, PostStarted ... Suspend, drain, Closed.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "models/kmcl/callback.hpp"
#include "models/kmcl/endpoint.hpp"
#include "models/kmcl/locked.hpp"
#include "models/kmcl/pipe.hpp"

namespace vmbsim::kmcl {

// ---- Asking, from anywhere ----

void Endpoint::ask(Step step) {
  steps_.push(step);
  if (!stepping_ && !step_work_.queued) partition().queue_work(step_work_, CriticalWorkQueue);
}

void Endpoint::ask_and_wait(Step step, const char* call) {
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::attempted_switch_from_dpc)) return;
  const os::Thread* here = partition().current_thread();
  if (stepping_ && here == stepping_thread_)  // it would wait for itself
    return misused(step == Step::disable ? RuleId("K19") : RuleId("K18"), call,
                   "inside a state-change callback of its channel");
  if (pass_running_ && here == pass_thread_) return misused("K19", call, "inside a packet callback of its channel");
  KEVENT answered;
  KeInitializeEvent(&answered, NotificationEvent, FALSE);
  callers_.push_back({step, &answered});
  ask(step);
  partition().wait(answered.Header, nullptr);
}

void Endpoint::answer_callers(Step step) {
  // Answering may let other threads run, who ask again; so each caller is taken off the list before it is told.
  const auto asked = [step](const Caller& caller) { return caller.step == step; };
  std::vector<Caller> answered;
  std::copy_if(callers_.begin(), callers_.end(), std::back_inserter(answered), asked);
  std::erase_if(callers_, asked);
  for (const Caller& caller : answered) partition().set_event(*caller.answered);
}

NTSTATUS Endpoint::enable() {
  constexpr const char* call = "VmbChannelEnable";
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  if (!disabled()) {
    misused("K15", call, "for a channel that is not disabled");
    return STATUS_INVALID_DEVICE_STATE;
  }
  unheeded_ = {.enable = true};
  if (server_ && device_.needs_vmbus_handle && !has_vmbus_handle_) {
    report("K25", call, "several guests run, and no VmbServerChannelInitSetVmbusHandle said which is meant");
    return STATUS_INVALID_DEVICE_STATE;
  }
  rescinded_ = disabling_ = went_by_itself_ = after_close_ = refused_ = frozen_ = false;
  if (server_) {
    offer_ = bus().offer(target_, *this, details());
    if (offer_ == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
    active_ = false;
    connection_ = Connection::enabled;
  } else {
    active_ = !pause_on_enable_;
    pause_on_enable_ = false;
    connection_ = Connection::enabled;
    bus().connect(wanted(), *this);
  }
  unheeded_.enable = false;
  return STATUS_SUCCESS;
}

// A peer's close may disable a client's channel at any moment, so a call that comes too late for that is no mistake.

void Endpoint::disable() {
  if (disabled()) {
    if (!went_by_itself_) misused("K17", "VmbChannelDisable", "for a disabled channel");
    went_by_itself_ = false;
    return;
  }
  ask_and_wait(Step::disable, "VmbChannelDisable");
}

void Endpoint::start() {
  constexpr const char* call = "VmbChannelStart";
  if (unheeded_.enable) return misused("K16", call, "though VmbChannelEnable failed");
  if (disabled()) {
    if (!went_by_itself_) return misused("K17", call, "for a disabled channel");
    if (after_close_)  // else it was closed before it was open, which no callback told
      misused("K21", call, "for a channel that has closed, and was not enabled again");
    return;
  }
  if (std::exchange(unheeded_.restore, false)) misused("K16", call, "though not all of the saved state was restored");
  ask_and_wait(Step::start, call);
}

void Endpoint::pause() {
  if (disabled()) {
    pause_on_enable_ = true;
    return;
  }
  ask_and_wait(Step::pause, "VmbChannelPause");
}

// ---- News from the bus ----

void Endpoint::on_open(vmbus::Channel& channel) {
  offered_channel_ = &channel;
  ask(Step::open);
}
void Endpoint::on_close() { ask(Step::close); }
void Endpoint::on_offer() { ask(Step::offer); }
void Endpoint::on_gpadl_created(vmbus::GpadlHandle handle) {
  ask(handle == vmbus::GpadlHandle{} ? Step::gpadl_refused : Step::gpadl_created);
}
void Endpoint::on_open_result(bool opened) { ask(opened ? Step::opened : Step::open_refused); }
void Endpoint::on_gpadl_torn_down() { ask(Step::torn_down); }
void Endpoint::on_rescind() { ask(Step::rescind); }

// ---- Taking the steps, in a system worker thread at PASSIVE_LEVEL ----

void Endpoint::run_steps() {
  if (stepping_) return;  // another worker is at it, and takes these too
  stepping_ = true;
  stepping_thread_ = partition().current_thread();
  while (!steps_.empty()) take(steps_.pop());
  stepping_ = false;
}

void Endpoint::take(Step step) {
  if (hw::Exploration* exploration = partition().exploration()) [[unlikely]]
    exploration->cover(0x2000 + (static_cast<std::uint32_t>(server_) << 8 |
                                 static_cast<std::uint32_t>(connection_) << 5 | static_cast<std::uint32_t>(step)));
  switch (step) {
    // Server
    case Step::open:
      if (offered_channel_ == nullptr || connection_ != Connection::enabled) return;
      attach(*offered_channel_);
      if (!call_opened()) {
        take_back_memory();
        detach();
        bus().answer_open(*offer_, false);
        return;
      }
      connection_ = Connection::open;
      bus().answer_open(*offer_, true);
      if (active_) start_traffic();
      return;
    case Step::close:
      if (connection_ == Connection::open) begin_close();
      return;

    // Client
    case Step::offer:
      if (connection_ != Connection::enabled) return;
      offer_ = bus().offer_of(*this);
      if (offer_ == nullptr) return;  // of an earlier round
      if (device_.policies.pnp_failure != STATUS_SUCCESS) return fail_to_connect(device_.policies.pnp_failure);
      if (offer_->details().pipe != pipe())
        report("PIPE", "VmbChannelInitSetFlags", "one end of the channel is in pipe mode and the other is not");
      connection_ = Connection::opening;
      if (!allocate_rings()) take(Step::gpadl_refused);
      return;
    case Step::gpadl_created:
      rings_shared_ = true;
      if (rescinded_ || disabling_) {
        connection_ = Connection::closing;
        return bus().tear_down_gpadl(*offer_);
      }
      port_ = bus().guest().open(
          bus().connection(), device_.target, offer_->relid(),
          [](void* self) { static_cast<Endpoint*>(self)->on_interrupt(); }, this);
      bus().open(*offer_, outgoing_pages_, incoming_pages_, port_);
      return;
    case Step::gpadl_refused:
      report("GPADL", "VmbChannelEnable",
             "the rings cannot be shared: the guest's memory or its GPADL limit is used up");
      free_rings();
      if (through_pnp_ && !rescinded_ && !disabling_) return fail_to_connect(STATUS_DEVICE_NOT_CONNECTED);
      bus().disconnect(*this);
      return become_disabled();
    case Step::opened:
      attach(*offer_->channel());
      if (!call_opened()) disabling_ = true;  // a client whose Opened failed ends disabled
      connection_ = Connection::open;
      if (rescinded_ || disabling_) return begin_close();
      if (active_) start_traffic();
      return;
    case Step::open_refused:
      connection_ = Connection::closing;
      refused_ = true;
      return bus().tear_down_gpadl(*offer_);
    case Step::torn_down: return finish_client_close();
    case Step::rescind: return take_rescind();

    // Both
    case Step::drained:
      if (outstanding_ != 0) return;  // delivered again since
      if (draining_) continue_close();
      if (pausing_ && all_over()) {
        pausing_ = false;
        answer_callers(Step::pause);
      }
      return;
    case Step::start:
      if (!active_ && connection_ != Connection::disabled) {
        active_ = true;
        if (pausing_) {  // the pause that still waits is overtaken
          pausing_ = false;
          answer_callers(Step::pause);
        }
        if (connection_ == Connection::open) start_traffic();
      }
      return answer_callers(Step::start);
    case Step::pause:
      if (pausing_) return;  // answered together
      if (!active_ || connection_ != Connection::open) {
        active_ = false;
        return answer_callers(Step::pause);
      }
      active_ = false;
      pausing_ = true;
      suspend_traffic();
      if (all_over()) take(Step::drained);
      return;
    case Step::disable:
      if (connection_ == Connection::disabled) return answer_callers(Step::disable);
      disabling_ = true;
      if (server_) bus().rescind(*offer_);
      if (connection_ == Connection::open) return begin_close();
      if (connection_ == Connection::enabled) {
        if (!server_) bus().disconnect(*this);
        if (server_ && offered_channel_ != nullptr) bus().server_closed(*offer_);
        become_disabled();
      }
      return;  // while opening or closing: what is under way leads there
  }
}

void Endpoint::attach(vmbus::Channel& channel) {
  deaf_ = failed_ = stalled_ = corruption_told_ = after_close_ = false;
  channel_ = &channel;
  in_ = server_ ? &channel.to_host : &channel.to_guest;
  out_ = server_ ? &channel.to_guest : &channel.to_host;
  in_->go_on();
  out_->go_on();
  const Pages external{maximum_external_data_ == 0 ? 0 : pages_for({maximum_external_data_}).count};
  most_description_ = vmbus::gpa_direct_size(external, {}).count + 16 * std::int64_t{maximum_chain_length_} + 8 +
                      static_cast<std::int64_t>(pipe_header_size);
  if (server_) {
    port_ = bus().host().open(
        bus().connection(), device_.target, offer_->relid(),
        [](void* self) { static_cast<Endpoint*>(self)->on_interrupt(); }, this);
    channel.host_port = port_;
  }
}

/// The counters outlive the channel.
void Endpoint::detach() {
  stop_passes();
  Locked sending(partition(), lock_);
  counters_ = counters();
  counters_.outgoing_used = {};
  if (out_ != nullptr) {  // whoever takes a saved channel up counts from here
    out_->counters = {};
    out_->writer.start_measuring();
  }
  partition().world().cancel(late_signal_);
  latency_ = 0;
  late_signal_for_data_ = false;
  if (channel_ != nullptr) (server_ ? channel_->host_port : channel_->guest_port) = {};
  (server_ ? bus().host() : bus().guest()).close(port_);
  channel_ = offered_channel_ = nullptr;
  in_ = out_ = nullptr;
  partition().remove_dpc(dpc_);
}

/// From here on nobody looks at the rings, whatever interrupts.
void Endpoint::stop_passes() {
  deaf_ = true;
  while (pass_running_) partition().wait(pass_over_.Header, nullptr);
}

/// On an orderly close the other end has answered what it was given before it let go. Those answers are in the ring.
void Endpoint::take_last_answers() {
  if (channel_ == nullptr || deaf_ || frozen_) return;
  stop_passes();
  drain(true);
}

/// A state callback without an answer; drivers leave out those they do not need.
void Endpoint::call_back(EVT_VMB_CHANNEL_CLOSED* callback, const char* name) {
  VMBSIM_ASSERT(hw::Processor::current()->irql() == Irql::passive, "state callbacks run at PASSIVE_LEVEL");
  if (callback == nullptr) return;
  const Callback running(*this, name);
  callback(handle());
}

bool Endpoint::call_opened() {
  opening_ = true;
  opened_ = callbacks_.EvtChannelOpened == nullptr;
  if (!opened_) {
    const Callback running(*this, "EvtChannelOpened");
    opened_ = NT_SUCCESS(callbacks_.EvtChannelOpened(handle()));
  }
  opening_ = false;
  return opened_;
}

/// The end of a round: what the driver must have given back by the end of EvtChannelClosed is taken from it.
void Endpoint::call_closed() {
  closing_ = true;
  if (opened_) call_back(callbacks_.EvtChannelClosed, "EvtChannelClosed");
  closing_ = opened_ = false;
  after_close_ = true;
  suspended_ = false;
  take_back_memory();
}

/// The device was found, and is given back. The channel stays enabled and not open, until the driver disables it.
void Endpoint::fail_to_connect(NTSTATUS status) {
  bus().disconnect(*this);
  offer_ = nullptr;
  connection_ = Connection::enabled;
  if (pnp_failure_ == nullptr) return;
  const Callback running(*this, "EvtChannelPnpFailure");
  pnp_failure_(handle(), status);
}

void Endpoint::start_traffic() {
  partition().visible(hw::Site::life_cycle, this);
  suspended_ = false;
  call_back(callbacks_.EvtChannelStarted, "EvtChannelStarted");
  queue_on_ = true;
  frozen_ = false;
  stalled_ = false;  // nothing is outstanding that could end it
  while (!held_.empty()) {
    const Outgoing item = held_.pop();
    if (partition().exploration() != nullptr) [[unlikely]]
      draw_ticket(item);  // answers that were sent meanwhile have not waited for it
    waiting_.push(item);
  }
  if (!planted(faults::Planted::no_look_at_start)) schedule_pass();
  call_back(callbacks_.EvtChannelPostStarted, "EvtChannelPostStarted");
  if (device_.on_started != nullptr) device_.on_started(device_.on_started_object);
}

/// From here on no packet callback runs or starts; what is delivered already must still be completed.
void Endpoint::suspend_traffic() {
  queue_on_ = false;
  while (pass_running_) partition().wait(pass_over_.Header, nullptr);
  if (deferred_ != nullptr && deferred_->outstanding) {  // counts as not delivered: it will be presented again
    deferred_->outstanding = false;
    --outstanding_;
  }
  suspended_ = true;
  call_back(callbacks_.EvtChannelSuspend, "EvtChannelSuspend");
}

void Endpoint::begin_close() {
  partition().visible(hw::Site::life_cycle, this);
  connection_ = Connection::closing;
  if (queue_on_) suspend_traffic();
  if (rescinded_) {  // the host is gone: nobody will answer
    stop_passes();
    retire_outgoing();
  }
  draining_ = true;
  if (outstanding_ == 0) continue_close();
}

void Endpoint::continue_close() {
  draining_ = false;
  if (server_) return finish_server_close();
  bus().close(*offer_);
  bus().tear_down_gpadl(*offer_);
}

void Endpoint::finish_server_close() {
  take_last_answers();
  stop_passes();
  retire_outgoing();
  call_closed();
  detach();
  bus().server_closed(*offer_);
  connection_ = Connection::enabled;
  if (disabling_) become_disabled();
}

void Endpoint::finish_client_close() {
  rings_shared_ = false;
  take_last_answers();
  stop_passes();
  retire_outgoing();
  const bool was_open = opened_;
  call_closed();
  detach();
  free_rings();
  if (refused_ && through_pnp_ && !rescinded_ && !disabling_) {
    refused_ = false;
    return fail_to_connect(STATUS_DEVICE_NOT_CONNECTED);
  }
  if (!rescinded_) {
    bus().disconnect(*this);
    return become_disabled();
  }
  bus().release(*offer_);
  if (was_open || disabling_) return become_disabled();
  rescinded_ = false;  // rescinded before it was open: go on waiting for an offer
  offer_ = nullptr;
  connection_ = Connection::enabled;
  bus().connect(wanted(), *this);
}

void Endpoint::take_rescind() {
  const vmbus::Offer* rescinded = bus().offer_of(*this);
  if (rescinded == nullptr || !rescinded->rescinded()) return;  // of an earlier round
  rescinded_ = true;
  switch (connection_) {
    case Connection::open: return begin_close();
    case Connection::opening:
      connection_ = Connection::closing;
      if (rings_shared_) bus().tear_down_gpadl(*offer_);  // an open under way gets no answer any more
      return;
    case Connection::enabled:  // the offer was taken up, its step not yet
      bus().release(*bus().offer_of(*this));
      rescinded_ = false;
      return bus().connect(wanted(), *this);
    case Connection::closing:
    case Connection::disabled: return;
  }
}

/// Ends every transaction that nobody will answer and everything that waits for room. Source: no public cancel exists, so KMCL
/// itself completes them; the status is the one a synchronous request gets when its channel shuts down.
void Endpoint::retire_outgoing() {
  std::vector<Packet*> packets;
  {
    Locked sending(partition(), lock_);  // a packet that is being copied is in no list
    if (channel_ != nullptr) {           // what travels outlives its transaction
      out_->forget(vmbus::Lane::Kind::request);
      in_->forget(vmbus::Lane::Kind::completion);
    }
    for (Packet*& chain : transactions_) {
      for (Packet* packet = chain; packet != nullptr; packet = packet->next) packets.push_back(packet);
      chain = nullptr;
    }
    transaction_count_ = 0;
    if (server_ && !packets.empty())
      report("K33", "EvtChannelSuspend",
             fmt::format("the server left its transactions to the library ({})", packets.size()));
    std::sort(packets.begin(), packets.end(),
              [](const Packet* a, const Packet* b) { return a->transaction_id < b->transaction_id; });
    for (kernel::Fifo<Outgoing>* queue : {&waiting_, &held_})  // what a routine sends now is held for another round
      while (!queue->empty()) {
        const Outgoing item = queue->pop();
        if (item.completion != nullptr)
          recycle(*item.completion);
        else
          packets.push_back(item.packet);
      }
  }
  while (!over_.empty()) {
    const Over sent = over_.pop();
    finish(*sent.packet, sent.status, nullptr, 0);
  }
  if (!planted(faults::Planted::dropped_at_close))
    for (Packet* packet : packets) finish(*packet, STATUS_DEVICE_REMOVED, nullptr, 0);
  if (deferred_ != nullptr) recycle(*deferred_);
}

void Endpoint::become_disabled() {
  connection_ = Connection::disabled;
  disabling_ = false;
  offer_ = nullptr;
  offered_channel_ = nullptr;
  end_synchronous();
  went_by_itself_ =
      std::none_of(callers_.begin(), callers_.end(), [](const Caller& c) { return c.step == Step::disable; });
  answer_callers(Step::disable);
  answer_callers(Step::start);
  answer_callers(Step::pause);
}

/// Grows the rings until the largest packet fits, and shares their memory.
bool Endpoint::allocate_rings() {
  const Bytes inline_bytes{std::int64_t{maximum_packet_size_} + (pipe() ? pipe_header_size : 0)};
  Bytes largest_out = vmbus::in_band_size(inline_bytes);
  if (maximum_external_data_ != 0) {
    const Pages pages{pages_for({maximum_external_data_}).count + maximum_chain_length_};
    largest_out = vmbus::gpa_direct_size(pages, inline_bytes) + Bytes{8 * (std::int64_t{maximum_chain_length_} - 1)};
  }
  const Bytes largest_in = vmbus::in_band_size(inline_bytes);
  const auto sized = [](Pages asked, Bytes largest) {
    const Pages least = vmbus::smallest_ring_for(largest);
    if (asked.count != 0) return std::max(asked, least);
    return std::max(Pages{4}, vmbus::smallest_ring_for({largest.count * 16}));
  };
  const auto asked = [](Pages by_driver, Pages by_device) { return by_driver.count != 0 ? by_driver : by_device; };
  outgoing_pages_ = sized(asked(outgoing_pages_, device_.outgoing), largest_out);
  incoming_pages_ = sized(asked(incoming_pages_, device_.incoming), largest_in);
  ring_pages_ = {vmbus::RingMemory::pages(outgoing_pages_).count + vmbus::RingMemory::pages(incoming_pages_).count};
  ring_frames_ = partition().memory().allocate_zeroed(ring_pages_);
  if (!ring_frames_) return false;
  vmbus::Gpadl description{.byte_offset = {}, .length = ring_pages_.bytes(), .pfns = {}};
  for (std::int64_t i = 0; i < ring_pages_.count; ++i)
    description.pfns.push_back(*ring_frames_ + static_cast<std::uint64_t>(i));
  bus().create_gpadl(*offer_, std::move(description));
  return true;
}

void Endpoint::free_rings() {
  if (ring_frames_) partition().memory().free(*ring_frames_, ring_pages_);
  ring_frames_.reset();
}

}  // namespace vmbsim::kmcl
