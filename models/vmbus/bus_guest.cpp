// What the guest's bus driver does about the host's messages: answers in the message DPC, offers and rescinds in a worker.
// Source: Linux, vmbus_on_msg_dpc and channel_message_table, which tells what may not block.
#include <algorithm>
#include <string>
#include <utility>

#include "models/vmbus/bus.hpp"

namespace vmbsim::vmbus {

void Bus::at_guest(MessageBytes message) {
  const auto type = static_cast<MessageType>(type_of(message).value_or(0));
  const bool blocks =
      type == MessageType::offer || type == MessageType::rescind || type == MessageType::all_offers_delivered;
  if (!blocks) return handle_at_guest(message);
  leave_to_worker(std::move(message));
}

void Bus::leave_to_worker(MessageBytes message) {
  for_worker_.push(std::move(message));
  if (!worker_running_ && !worker_.queued) config_.guest.partition().queue_work(worker_, CriticalWorkQueue);
}

void Bus::run_guest_worker() {
  if (worker_running_) return;
  worker_running_ = true;
  while (!for_worker_.empty()) handle_at_guest(for_worker_.pop());
  worker_running_ = false;
}

void Bus::handle_at_guest(std::span<const std::byte> message) {
  const std::uint32_t type = type_of(message).value_or(0);
  switch (static_cast<MessageType>(type)) {
    case MessageType::version_response: return deliver("guest", message, &Bus::guest_version_response);
    case MessageType::offer: return deliver("guest", message, &Bus::guest_offer);
    case MessageType::all_offers_delivered: all_offers_delivered_ = contact_ == Contact::made; return;
    case MessageType::rescind: return deliver("guest", message, &Bus::guest_rescind);
    case MessageType::open_result: return deliver("guest", message, &Bus::guest_open_result);
    case MessageType::gpadl_created: return deliver("guest", message, &Bus::guest_gpadl_created);
    case MessageType::gpadl_torn_down: return deliver("guest", message, &Bus::guest_gpadl_torn_down);
    case MessageType::modify_channel_response: return deliver("guest", message, &Bus::guest_modify_channel_response);
    case MessageType::unload_complete: return guest_unload_complete();
    default: return finding("guest", "message " + std::to_string(type) + " is none that a host sends");
  }
}

// ---- Contact ----

void Bus::ask_for_version() {
  if (contact_ != Contact::asking) {
    contact_ = Contact::asking;
    const auto first = std::find(versions.begin(), versions.end(), config_.guest_version);
    version_tried_ = static_cast<std::size_t>(first - versions.begin());
  }
  InitiateContact message{.version = static_cast<std::uint32_t>(versions[version_tried_])};
  if (versions[version_tried_] >= Version::v5_0) message.target_sint = MessageSlot::vmbus_source;
  to_host_.send(message_of(message));
}

void Bus::guest_version_response(const VersionResponse& message) {
  if (contact_ != Contact::asking) return finding("guest", "a version is answered that nobody asked for");
  if (message.supported != 0 && message.state == 0) {
    contact_ = Contact::made;
    version_ = versions[version_tried_];
    return to_host_.send(message_of(MessageType::request_offers));
  }
  if (++version_tried_ < versions.size()) return ask_for_version();
  contact_ = Contact::none;
  finding("guest", "the host speaks no version that the guest knows");
}

void Bus::guest_unload_complete() {
  if (contact_ != Contact::ending) return finding("guest", "unload complete, but nobody unloads");
  contact_ = Contact::none;
  if (!waiting_.empty()) ask_for_version();
}

// ---- Offers ----

void Bus::guest_offer(const OfferMessage& message) {
  Offer* offer = by_relid(message.relid);
  const OfferId said{
      .type = message.interface_type, .instance = message.interface_instance, .subchannel = message.subchannel};
  if (contact_ != Contact::made || offer == nullptr || offer->heard_ || !(offer->id_ == said))
    return finding("guest", "relid " + std::to_string(message.relid) + " is offered, which is in use or out of range");
  offer->heard_ = true;
  match(*offer);
}

void Bus::guest_rescind(const RescindMessage& message) {
  Offer* offer = by_relid(message.relid);
  if (offer == nullptr || !offer->heard_ || offer->rescind_heard_)
    return finding("guest", "relid " + std::to_string(message.relid) + " is rescinded, which was not offered");
  offer->rescind_heard_ = true;
  if (offer->client_ != nullptr)
    offer->client_->on_rescind();
  else
    release(*offer);
}

// ---- Answers ----

void Bus::guest_open_result(const OpenResult& message) {
  Offer* offer = by_relid(message.relid);
  if (offer != nullptr && offer->rescind_heard_ && !offer->opening_) return;  // the two have met
  if (offer == nullptr || !offer->opening_ || message.open_id != offer->last_open_id_ || offer->channels_.empty())
    return finding("guest", "an open of relid " + std::to_string(message.relid) + " is answered that nobody sent");
  offer->opening_ = false;
  offer->open_ = message.status == status_success;
  if (offer->client_ != nullptr) offer->client_->on_open_result(offer->open_);
}

void Bus::guest_gpadl_created(const GpadlCreated& message) {
  const GpadlHandle handle{message.gpadl};
  const auto found = guest_gpadls_.find(handle);
  if (found == guest_gpadls_.end() || found->second.created)
    return finding("guest", "GPADL " + std::to_string(message.gpadl) + " is answered that nobody sent");
  const bool created = message.status == status_success;
  const GuestGpadl record = found->second;
  found->second.created = true;
  if (!created) {
    if (record.offer != nullptr && record.offer->rings_ == handle) record.offer->rings_ = {};
    guest_gpadls_.erase(found);
  }
  const GpadlHandle told = created ? handle : GpadlHandle{};
  if (record.owner != nullptr)
    record.owner->on_created(told);
  else if (record.offer != nullptr && record.offer->client_ != nullptr)
    record.offer->client_->on_gpadl_created(told);
}

void Bus::guest_gpadl_torn_down(const GpadlTornDown& message) {
  const auto found = guest_gpadls_.find(GpadlHandle{message.gpadl});
  if (found == guest_gpadls_.end() || !found->second.teardown)
    return finding("guest", "GPADL " + std::to_string(message.gpadl) + " is torn down, which nobody asked for");
  const GuestGpadl record = found->second;
  guest_gpadls_.erase(found);
  if (record.owner != nullptr)
    record.owner->on_torn_down();
  else if (record.offer != nullptr && record.offer->client_ != nullptr)
    record.offer->client_->on_gpadl_torn_down();
}

void Bus::guest_modify_channel_response(const ModifyChannelResponse& message) {
  const Offer* offer = by_relid(message.relid);
  if (offer != nullptr && offer->client_ != nullptr) offer->client_->on_modified(message.status == status_success);
}

// ---- GPADLs ----

void Bus::send_gpadl(Offer& offer, const Gpadl& description, GpadlOwner* owner, GpadlHandle handle) {
  guest_gpadls_[handle] = {.offer = &offer, .owner = owner, .read_only = description.read_only};
  auto messages = gpadl_messages(offer.relid_, handle, description);
  if (!messages)  // the bus driver refuses it itself, without asking the host
    return leave_to_worker(
        message_of(GpadlCreated{.relid = offer.relid_, .gpadl = handle.value, .status = status_invalid_parameter}));
  for (MessageBytes& message : *messages) to_host_.send(std::move(message));
}

void Bus::send_teardown(Offer& offer, GpadlHandle handle) {
  const auto record = guest_gpadls_.find(handle);
  VMBSIM_ASSERT(record != guest_gpadls_.end() && !record->second.teardown,
                "memory is taken back that was shared, once");
  record->second.teardown = true;
  to_host_.send(message_of(GpadlTeardown{.relid = offer.relid_, .gpadl = handle.value}));
}

}  // namespace vmbsim::vmbus
