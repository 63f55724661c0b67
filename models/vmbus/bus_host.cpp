// What the host does about the guest's messages, in its message DPC. The guest is believed nothing.
// Source: OpenVMM, vmbus_server: channels.rs; the statuses' meaning: Linux, vmbus_open and vmbus_establish_gpadl.
#include <algorithm>
#include <string>
#include <utility>

#include "models/vmbus/bus.hpp"
#include "vmbuskernelmodeclientlibapi.h"

namespace vmbsim::vmbus {

namespace {
std::string relid_text(std::uint32_t relid) { return "relid " + std::to_string(relid); }
std::string gpadl_text(std::uint32_t gpadl) { return "GPADL " + std::to_string(gpadl); }
}  // namespace

void Bus::at_host(std::span<const std::byte> message) {
  const auto type = type_of(message);
  if (!type) return finding("host", "a message without a header");
  if (!host_connected_ && *type != static_cast<std::uint32_t>(MessageType::initiate_contact))
    return finding("host", "message " + std::to_string(*type) + " before contact is made");
  switch (static_cast<MessageType>(*type)) {
    case MessageType::initiate_contact: return deliver("host", message, &Bus::host_initiate_contact);
    case MessageType::request_offers: return host_request_offers();
    case MessageType::unload: when_forgotten_ = message_of(MessageType::unload_complete); return host_forget_guest();
    case MessageType::gpadl_header: return deliver("host", message, &Bus::host_gpadl_header, message);
    case MessageType::gpadl_body: return deliver("host", message, &Bus::host_gpadl_body, message);
    case MessageType::gpadl_teardown: return deliver("host", message, &Bus::host_gpadl_teardown);
    case MessageType::open: return deliver("host", message, &Bus::host_open);
    case MessageType::close: return deliver("host", message, &Bus::host_close);
    case MessageType::modify_channel: return deliver("host", message, &Bus::host_modify);
    case MessageType::relid_released: return deliver("host", message, &Bus::host_relid_released);
    default: return finding("host", "message " + std::to_string(*type) + " is none that a guest sends");
  }
}

// ---- Contact ----

void Bus::host_initiate_contact(const InitiateContact& message) {
  const auto version = static_cast<Version>(message.version);
  const bool known = std::find(versions.begin(), versions.end(), version) != versions.end();
  VersionResponse answer;
  if (known && version <= config_.host_version) {
    answer.supported = 1;
    // Source: Linux, VMBUS_MESSAGE_CONNECTION_ID_4.
    answer.version_or_connection = version >= Version::v5_0 ? 4 : message.version;
    host_version_ = version;
  }
  MessageBytes bytes = message_of(answer);
  if (answer.supported != 0 && version >= Version::v6_0) bytes.resize(bytes.size() + 4);  // no features
  when_forgotten_ = std::move(bytes);
  host_forget_guest();  // a guest that did not unload has been reset
  host_connected_ = answer.supported != 0;
}

void Bus::host_request_offers() {
  if (offers_requested_) return finding("host", "offers are requested twice");
  offers_requested_ = true;
  for (const auto& offer : offers_) offer_if_possible(*offer);
  to_guest_.send(message_of(MessageType::all_offers_delivered));
}

/// Everything the guest had is gone. The answer waits until the servers have let go.
void Bus::host_forget_guest() {
  host_connected_ = offers_requested_ = false;
  assemblies_.clear();
  for (const auto& offer : offers_) {
    offer->told_ = Offer::Told::nothing;
    offer->open_told_ = false;
    offer->reopen_.reset();
    if (offer->use_ != Offer::Use::opening && offer->use_ != Offer::Use::open) continue;
    offer->use_ = Offer::Use::closing;
    if (offer->server_ != nullptr) offer->server_->on_close();
  }
  for (std::uint32_t relid = 1; relid < by_relid_.size(); ++relid) drop_gpadls_of(relid);
  std::vector<Offer*> idle;
  for (const auto& offer : offers_) idle.push_back(offer.get());
  for (Offer* offer : idle) forget_if_done(*offer);
  host_answer_forgotten();
}

void Bus::host_answer_forgotten() {
  if (!when_forgotten_) return;
  for (const auto& offer : offers_)
    if (offer->use_ != Offer::Use::closed) return;
  to_guest_.send(*std::exchange(when_forgotten_, std::nullopt));
}

// ---- Offers ----

bool Bus::may_be_offered(const Offer& offer) {
  if (!offers_requested_ || offer.server_ == nullptr || offer.told_ != Offer::Told::nothing ||
      offer.use_ != Offer::Use::closed)
    return false;
  if (offer.id_.subchannel == 0) return true;
  const OfferId primary{.type = offer.id_.type, .instance = offer.id_.instance};
  return std::any_of(offers_.begin(), offers_.end(), [&](const auto& candidate) {
    return candidate->id_ == primary && candidate->use_ == Offer::Use::open && candidate->told_ == Offer::Told::offered;
  });
}

void Bus::offer_if_possible(Offer& offer) {
  if (!may_be_offered(offer)) return;
  offer.told_ = Offer::Told::offered;
  say_offer(offer);
}

void Bus::say_offer(Offer& offer) {
  constexpr std::uint16_t enumerate_interface = 0x1, tlnpi_provider = 0x2000;  // Source: OpenVMM, OfferFlags
  const OfferDetails& details = offer.details_;
  OfferMessage message{.interface_type = offer.id_.type, .interface_instance = offer.id_.instance};
  const auto flag = [&](bool set, std::uint16_t bit) {
    if (set) message.flags = static_cast<std::uint16_t>(message.flags | bit);
  };
  flag((details.flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE) != 0, enumerate_interface);
  flag((details.flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER) != 0, tlnpi_provider);
  flag(details.pipe, OfferMessage::named_pipe_mode);
  message.mmio_megabytes = static_cast<std::uint16_t>(std::min(details.mmio_megabytes, std::uint32_t{0xFFFF}));
  message.subchannel = offer.id_.subchannel;
  message.relid = offer.relid_;
  message.dedicated_interrupt = 1;
  // Source: OpenVMM, ConnectionId::new: relid, interrupt source, trust level.
  message.connection_id = offer.relid_ | MessageSlot::vmbus_source << 12 | std::uint32_t{details.target_vtl} << 16;
  to_guest_.send(message_of(message));
}

/// The guest hears that the offer is no more; a server that still uses the channel lets go of it.
void Bus::revoke(Offer& offer) {
  offer.reopen_.reset();
  offer.open_told_ = false;
  if (offer.told_ == Offer::Told::offered) {
    offer.told_ = Offer::Told::rescinded;
    to_guest_.send(message_of(RescindMessage{.relid = offer.relid_}));
  }
  if (offer.use_ == Offer::Use::closed) finish_teardown(std::exchange(offer.host_rings_, {}));
  if (offer.use_ != Offer::Use::opening && offer.use_ != Offer::Use::open) return;
  offer.use_ = Offer::Use::closing;
  if (offer.server_ != nullptr) offer.server_->on_close();
}

void Bus::host_relid_released(const RelidReleased& message) {
  Offer* offer = by_relid(message.relid);
  if (offer == nullptr || offer->told_ != Offer::Told::rescinded)
    return finding("host", relid_text(message.relid) + " is released, but was not rescinded");
  offer->told_ = Offer::Told::nothing;
  drop_gpadls_of(offer->relid_);
  if (!forget_if_done(*offer)) offer_if_possible(*offer);
}

/// The server uses the channel no more. While the machine is saved the guest's rings stay as they are.
void Bus::let_go(Offer& offer) {
  offer.use_ = Offer::Use::closed;
  offer.taken_up_ = false;
  if (!saved_) offer.open_told_ = false;
  if (!offer.open_told_) finish_teardown(std::exchange(offer.host_rings_, {}));
  const bool gone = forget_if_done(offer);
  host_answer_forgotten();
  if (gone) return;
  if (offer.reopen_ && offer.server_ != nullptr) return host_open(*std::exchange(offer.reopen_, std::nullopt));
  offer_if_possible(offer);
}

/// What the guest of a saved machine knows of `id`, with a new server; null when that must be another offer.
Offer* Bus::take_up(const OfferId& id, ServerEnd& server, const OfferDetails& details) {
  const auto found = std::find_if(offers_.begin(), offers_.end(), [&](const auto& offer) {
    return offer->id_ == id && offer->server_ == nullptr && offer->told_ != Offer::Told::rescinded &&
           offer->use_ == Offer::Use::closed;
  });
  if (found == offers_.end()) return nullptr;
  Offer& offer = **found;
  if ((details.flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL) != 0) {
    revoke(offer);
    forget_if_done(offer);
    return nullptr;
  }
  offer.server_ = &server;
  offer_if_possible(offer);
  if (!offer.open_told_ && !offer.reopen_) return &offer;
  taken_up_.push(offer.relid_);  // told when its server knows which offer it has
  config_.host.partition().world().soon([](void* self) { static_cast<Bus*>(self)->on_taken_up(); }, this);
  return &offer;
}

void Bus::on_taken_up() {
  Offer* offer = by_relid(taken_up_.pop());
  if (offer == nullptr || offer->server_ == nullptr || offer->use_ != Offer::Use::closed) return;  // given up again
  if (offer->reopen_) return host_open(*std::exchange(offer->reopen_, std::nullopt));
  if (!offer->open_told_) return;  // closed since
  offer->taken_up_ = true;
  offer->use_ = Offer::Use::opening;
  offer->server_->on_open(*offer->channel());
}

// ---- GPADLs ----

void Bus::host_gpadl_header(const GpadlHeader& header, std::span<const std::byte> message) {
  const GpadlHandle handle{header.gpadl};
  const Offer* offer = by_relid(header.relid);
  if (offer == nullptr || offer->told_ == Offer::Told::nothing)
    return finding("host", "a GPADL for " + relid_text(header.relid) + ", which the guest was not offered");
  if (header.gpadl == 0 || host_gpadls_.contains(handle) || assemblies_.contains(handle))
    return finding("host", gpadl_text(header.gpadl) + " exists already, or is none");
  auto assembly = GpadlAssembly::begin(message);
  if (!assembly) {
    finding("host", gpadl_text(header.gpadl) + " contradicts itself");
    to_guest_.send(
        message_of(GpadlCreated{.relid = header.relid, .gpadl = header.gpadl, .status = status_invalid_parameter}));
    return;
  }
  if (assembly->complete()) return host_gpadl_complete(handle, *assembly);
  assemblies_.emplace(handle, *std::move(assembly));
}

void Bus::host_gpadl_body(const GpadlBody& body, std::span<const std::byte> message) {
  const GpadlHandle handle{body.gpadl};
  const auto found = assemblies_.find(handle);
  if (found == assemblies_.end())
    return finding("host", "more of " + gpadl_text(handle.value) + ", which has no header");
  found->second.add(message);
  if (!found->second.complete()) return;
  const GpadlAssembly assembly = std::move(found->second);
  assemblies_.erase(found);
  host_gpadl_complete(handle, assembly);
}

void Bus::host_gpadl_complete(GpadlHandle handle, const GpadlAssembly& assembly) {
  std::uint32_t status = status_invalid_parameter;
  if (auto description = assembly.description()) {
    const auto guests = guest_gpadls_.find(handle);
    description->read_only = guests != guest_gpadls_.end() && guests->second.read_only;
    const auto answer = gpadls_.create(handle, *std::move(description));
    if (std::holds_alternative<GpadlHandle>(answer)) {
      host_gpadls_[handle] = {.relid = assembly.relid()};
      status = status_success;
    } else if (std::holds_alternative<GpadlTable::OverLimit>(answer)) {
      status = status_insufficient_resources;
    }
  }
  if (status == status_invalid_parameter) finding("host", gpadl_text(handle.value) + " contradicts itself");
  to_guest_.send(message_of(GpadlCreated{.relid = assembly.relid(), .gpadl = handle.value, .status = status}));
}

void Bus::host_gpadl_teardown(const GpadlTeardown& message) {
  const GpadlHandle handle{message.gpadl};
  const auto record = host_gpadls_.find(handle);
  if (record == host_gpadls_.end() || record->second.relid != message.relid || record->second.teardown)
    return finding(
        "host", "teardown of " + gpadl_text(message.gpadl) + ", which " + relid_text(message.relid) + " does not have");
  record->second.teardown = true;
  finish_teardown(handle);
}

bool Bus::used_as_rings(GpadlHandle handle) const {
  const Offer* offer = by_relid(host_gpadls_.at(handle).relid);
  return offer != nullptr && (offer->use_ != Offer::Use::closed || offer->open_told_) && offer->host_rings_ == handle;
}

/// The memory goes back to the guest once it asked for it and the host has let go.
void Bus::finish_teardown(GpadlHandle handle) {
  const auto record = host_gpadls_.find(handle);
  if (record == host_gpadls_.end() || !record->second.teardown || record->second.mapped || used_as_rings(handle))
    return;
  const bool existed = gpadls_.tear_down(handle);
  VMBSIM_ASSERT(existed, "a GPADL is torn down once");
  const bool answered = !record->second.unanswered;
  host_gpadls_.erase(record);
  if (answered) to_guest_.send(message_of(GpadlTornDown{.gpadl = handle.value}));
}

/// What a guest that has given the channel back did not take back itself.
void Bus::drop_gpadls_of(std::uint32_t relid) {
  std::erase_if(assemblies_, [&](const auto& entry) { return entry.second.relid() == relid; });
  std::vector<GpadlHandle> left;
  for (auto& [handle, record] : host_gpadls_) {
    if (record.relid != relid) continue;
    if (!record.teardown) record.unanswered = record.teardown = true;
    left.push_back(handle);
  }
  for (const GpadlHandle handle : left) finish_teardown(handle);
}

// ---- Channels ----

void Bus::host_open(const OpenMessage& message) {
  Offer* offer = by_relid(message.relid);
  if (offer == nullptr || offer->told_ == Offer::Told::nothing)
    return finding("host", "open of " + relid_text(message.relid) + ", which the guest was not offered");
  if (offer->told_ == Offer::Told::rescinded) return;  // gets no response
  if ((offer->use_ == Offer::Use::closing || offer->server_ == nullptr) && !offer->reopen_) {
    offer->reopen_ = message;
    return;
  }
  if (offer->use_ != Offer::Use::closed || offer->server_ == nullptr || offer->open_told_)
    return finding("host", "open of " + relid_text(message.relid) + ", which is open");
  const std::uint32_t status = try_open(*offer, message);
  if (status == status_success) return offer->server_->on_open(*offer->channel());
  to_guest_.send(message_of(OpenResult{.relid = message.relid, .open_id = message.open_id, .status = status}));
}

/// Makes a channel of the message when it makes sense.
std::uint32_t Bus::try_open(Offer& offer, const OpenMessage& message) {
  const auto refuse = [&](const char* why) {
    finding("host", "open of " + relid_text(message.relid) + ": " + why);
    return status_invalid_parameter;
  };
  const GpadlHandle handle{message.gpadl};
  const Gpadl* rings = find_gpadl(offer, handle);
  if (rings == nullptr || host_gpadls_.at(handle).teardown) return refuse("it has no such GPADL");
  const Bytes upstream = Pages{message.downstream_page}.bytes();
  if (message.downstream_page == 0 || upstream > rings->length || rings->byte_offset.count != 0 ||
      !rings->chained.empty())
    return refuse("the GPADL does not hold two rings");
  hw::GuestMemory& memory = config_.guest.partition().memory();
  const auto first = map(memory, *rings, Bytes{0}, upstream);
  const auto second = map(memory, *rings, upstream, rings->length - upstream);
  const auto to_host = first ? RingMemory::in(*first) : std::nullopt;
  const auto to_guest = second ? RingMemory::in(*second) : std::nullopt;
  if (!to_host || !to_guest) return refuse("the GPADL does not hold two rings");
  std::optional<Synic::Port> port = Synic::Port{};
  if (message.target_vp != no_interrupts) port = config_.guest.at(config_.connection, message.target_vp, message.relid);
  if (!port) return refuse("the guest has no such processor");
  offer.channels_.push_back(std::make_unique<Channel>(*to_host, *to_guest));
  offer.channel()->guest_port = *port;
  os::Partition& guest = config_.guest.partition();
  if (hw::Exploration* exploration = guest.exploration()) {
    const std::string& said = offer.details_.name;
    const std::string name = said.empty() ? guest.name() + " " + relid_text(offer.relid_) : said;
    offer.channel()->to_host.watch(*exploration, guest.findings(), name + " to host");
    offer.channel()->to_guest.watch(*exploration, guest.findings(), name + " to guest");
  }
  offer.use_ = Offer::Use::opening;
  offer.open_id_ = message.open_id;
  offer.host_rings_ = handle;
  return status_success;
}

void Bus::host_close(const CloseMessage& message) {
  Offer* offer = by_relid(message.relid);
  if (offer != nullptr && offer->told_ == Offer::Told::rescinded) return;  // the two have met
  if (offer != nullptr && offer->reopen_) {
    offer->reopen_.reset();
    return;
  }
  if (offer != nullptr && offer->use_ == Offer::Use::closed && offer->open_told_) {  // nobody serves it at the moment
    offer->open_told_ = false;
    return finish_teardown(std::exchange(offer->host_rings_, {}));
  }
  if (offer == nullptr || (offer->use_ != Offer::Use::open && offer->use_ != Offer::Use::opening))
    return finding("host", "close of " + relid_text(message.relid) + ", which is not open");
  for (const std::uint32_t relid : subchannels_of(*offer)) revoke(*by_relid_[relid]);
  offer->use_ = Offer::Use::closing;
  offer->open_told_ = false;
  if (offer->server_ != nullptr) offer->server_->on_close();  // else it is leaving a saved machine
}

void Bus::host_modify(const ModifyChannel& message) {
  Offer* offer = by_relid(message.relid);
  if (offer == nullptr || offer->told_ == Offer::Told::nothing || host_version_ < Version::v4_1)
    return finding("host", "modification of " + relid_text(message.relid) + ", which the guest was not offered");
  std::uint32_t status = status_unsuccessful;
  const auto port = config_.guest.at(config_.connection, message.target_vp, message.relid);
  const bool in_use = offer->use_ == Offer::Use::open || offer->use_ == Offer::Use::opening;
  // Who opened without interrupts has none for good.
  if (port && in_use && offer->channel()->guest_port.page != nullptr) {
    offer->channel()->guest_port = *port;
    status = status_success;
  } else {
    finding("host", "modification of " + relid_text(message.relid) + " to processor " +
                        std::to_string(message.target_vp) + " is not possible");
  }
  if (host_version_ >= Version::v5_3)
    to_guest_.send(message_of(ModifyChannelResponse{.relid = message.relid, .status = status}));
}

}  // namespace vmbsim::vmbus
