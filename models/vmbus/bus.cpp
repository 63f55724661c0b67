#include "models/vmbus/bus.hpp"

#include <algorithm>
#include <utility>

namespace vmbsim::vmbus {

// The host's messages go to the guest's first processor, the guest's to the host's.
Bus::Bus(Config config)
    : config_(config),
      host_port_(
          {.synic = config.host,
           .cpu = CpuId{0},
           .id = std::uint64_t{config.connection} + 1,
           .latency = config.host.partition().world().stream(config.guest.partition().name(), "messages to host"),
           .receiver = [](void* self, MessageBytes message) { static_cast<Bus*>(self)->at_host(std::move(message)); },
           .object = this}),
      guest_port_(
          {.synic = config.guest,
           .cpu = CpuId{0},
           .id = 1,
           .latency = config.host.partition().world().stream(config.guest.partition().name(), "messages to guest"),
           .receiver = [](void* self, MessageBytes message) { static_cast<Bus*>(self)->at_guest(std::move(message)); },
           .object = this}),
      to_host_(config.guest.partition(), host_port_),
      to_guest_(config.host.partition(), guest_port_) {
  worker_ = {.routine = [](void* self) { static_cast<Bus*>(self)->run_guest_worker(); }, .context = this};
}

void Bus::finding(const char* who, std::string text) {
  os::Partition& guest = config_.guest.partition();
  guest.findings().add("VMBUS", BugCheck::none, guest.name(), std::string(who) + ": " + std::move(text));
}

std::vector<std::uint32_t> Bus::subchannels_of(const Offer& primary) const {
  std::vector<std::uint32_t> relids;
  if (primary.id_.subchannel != 0) return relids;
  for (const auto& offer : offers_)
    if (offer->id_.subchannel != 0 && IsEqualGUID(offer->id_.type, primary.id_.type) &&
        IsEqualGUID(offer->id_.instance, primary.id_.instance))
      relids.push_back(offer->relid_);
  return relids;
}

/// True when the offer is gone: both ends have forgotten it, and its relid is free.
bool Bus::forget_if_done(Offer& offer) {
  if (offer.server_ != nullptr || offer.use_ != Offer::Use::closed || offer.told_ != Offer::Told::nothing ||
      offer.heard_ || offer.client_ != nullptr)
    return false;
  free_relids_.push_back(offer.relid_);
  by_relid_[offer.relid_] = nullptr;
  std::erase_if(offers_, [&](const auto& candidate) { return candidate.get() == &offer; });
  return true;
}

// ---- The host's calls ----

Offer* Bus::offer(const OfferId& id, ServerEnd& server, const OfferDetails& details) {
  if (Offer* saved = saved_ ? take_up(id, server, details) : nullptr) return saved;
  if (by_relid_.empty()) by_relid_.push_back(nullptr);  // relid 0 is nobody's
  std::uint32_t relid = 0;
  if (!free_relids_.empty()) {
    relid = free_relids_.back();
    free_relids_.pop_back();
  } else if (by_relid_.size() <= last_relid) {
    relid = static_cast<std::uint32_t>(by_relid_.size());
    by_relid_.push_back(nullptr);
  } else {
    return nullptr;
  }
  offers_.push_back(std::make_unique<Offer>());
  Offer& offer = *offers_.back();
  by_relid_[relid] = &offer;
  offer.id_ = id;
  offer.details_ = details;
  if (details.mmio_megabytes != 0) {
    offer.mmio_address_ = next_mmio_;
    next_mmio_ += std::uint64_t{details.mmio_megabytes} << 20;
  }
  offer.relid_ = relid;
  offer.server_ = &server;
  offer_if_possible(offer);
  return &offer;
}

void Bus::answer_open(Offer& offer, bool opened) {
  VMBSIM_ASSERT(offer.use_ == Offer::Use::opening || offer.use_ == Offer::Use::closing, "an open is answered once");
  if (offer.taken_up_) {  // the guest never heard of an end, so it hears of no beginning
    offer.taken_up_ = false;
    if (!opened) {
      offer.use_ = Offer::Use::closed;
      return rescind(offer);
    }
  } else if (offer.told_ == Offer::Told::offered) {  // an open on a rescinded channel gets no response
    offer.open_told_ = opened && offer.use_ == Offer::Use::opening;
    to_guest_.send(message_of(OpenResult{
        .relid = offer.relid_, .open_id = offer.open_id_, .status = opened ? status_success : status_unsuccessful}));
  }
  if (!opened) return let_go(offer);
  if (offer.use_ == Offer::Use::closing) return;
  offer.use_ = Offer::Use::open;
  for (const std::uint32_t relid : subchannels_of(offer)) offer_if_possible(*by_relid_[relid]);
}

void Bus::server_closed(Offer& offer) { let_go(offer); }

void Bus::rescind(Offer& offer) {
  if (saved_) {
    offer.server_ = nullptr;
    return;
  }
  const std::uint32_t relid = offer.relid_;
  for (const std::uint32_t subchannel : subchannels_of(offer))
    if (Offer* sub = by_relid(subchannel)) revoke(*sub);
  Offer& mine = *by_relid_[relid];
  mine.server_ = nullptr;
  revoke(mine);
  forget_if_done(mine);
}

void Bus::resume() {
  saved_ = false;
  std::vector<std::uint32_t> orphans;
  for (const auto& offer : offers_)
    if (offer->server_ == nullptr && offer->told_ != Offer::Told::rescinded) orphans.push_back(offer->relid_);
  for (const std::uint32_t relid : orphans)
    if (Offer* offer = by_relid(relid)) rescind(*offer);
}

const Gpadl* Bus::map_gpadl(Offer& offer, GpadlHandle handle) {
  const auto record = host_gpadls_.find(handle);
  if (record == host_gpadls_.end() || record->second.relid != offer.relid_ || record->second.mapped ||
      record->second.teardown)
    return nullptr;
  record->second.mapped = true;
  return gpadls_.find(handle);
}

const Gpadl* Bus::find_gpadl(const Offer& offer, GpadlHandle handle) const {
  const auto record = host_gpadls_.find(handle);
  return record == host_gpadls_.end() || record->second.relid != offer.relid_ ? nullptr : gpadls_.find(handle);
}

bool Bus::unmap_gpadl(Offer& offer, GpadlHandle handle) {
  const auto record = host_gpadls_.find(handle);
  if (record == host_gpadls_.end() || record->second.relid != offer.relid_ || !record->second.mapped) return false;
  record->second.mapped = false;
  finish_teardown(handle);
  return true;
}

// ---- The guest's calls ----

bool Bus::Waiting::wants(const Offer& offer) const {
  if (offer.details().target_vtl != wanted.vtl) return false;
  if (!wanted.any_instance) return wanted.id == offer.id();
  return IsEqualGUID(wanted.id.type, offer.id().type) && wanted.id.subchannel == offer.id().subchannel;
}

void Bus::match(Offer& offer) {
  if (!offer.heard_ || offer.rescind_heard_ || offer.client_ != nullptr) return;
  const auto waiting = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.wants(offer); });
  if (waiting == waiting_.end()) return;
  offer.client_ = waiting->client;
  waiting_.erase(waiting);
  offer.client_->on_offer();
}

void Bus::connect(const Wanted& wanted, ClientEnd& client) {
  const Waiting mine{wanted, &client};
  waiting_.push_back(mine);
  if (contact_ == Contact::none) ask_for_version();
  // Telling the client may let other threads run, who add to either list; so the offer is found first.
  const auto open = std::find_if(offers_.begin(), offers_.end(), [&](const auto& offer) {
    return mine.wants(*offer) && offer->heard_ && !offer->rescind_heard_ && offer->client_ == nullptr;
  });
  if (open != offers_.end()) match(**open);
}

void Bus::disconnect(ClientEnd& client) {
  std::erase_if(waiting_, [&](const Waiting& w) { return w.client == &client; });
  for (const auto& offer : offers_) {
    if (offer->client_ != &client) continue;
    offer->client_ = nullptr;
    if (offer->rescind_heard_) release(*offer);
  }
}

Offer* Bus::offer_of(const ClientEnd& client) {
  for (const auto& offer : offers_)
    if (offer->client_ == &client) return offer.get();
  return nullptr;
}

void Bus::create_gpadl(Offer& offer, const Gpadl& description) {
  offer.rings_ = {++last_gpadl_};
  send_gpadl(offer, description, nullptr, offer.rings_);
}

void Bus::open(Offer& offer, Pages upstream, [[maybe_unused]] Pages downstream, const Synic::Port& port) {
  // Whoever looked at an earlier channel has detached.
  if (offer.channels_.size() > 1) offer.channels_.erase(offer.channels_.begin(), offer.channels_.end() - 1);
  offer.opening_ = true;
  offer.open_ = false;
  to_host_.send(
      message_of(OpenMessage{.relid = offer.relid_,
                             .open_id = ++offer.last_open_id_,
                             .gpadl = offer.rings_.value,
                             .target_vp = port.page == nullptr ? no_interrupts : Synic::cpu_of(port).value,
                             .downstream_page = static_cast<std::uint32_t>(RingMemory::pages(upstream).count)}));
}

bool Bus::modify(Offer& offer, const Synic::Port& port) {
  if (contact_ != Contact::made || version_ < Version::v4_1) return false;
  to_host_.send(message_of(ModifyChannel{.relid = offer.relid_, .target_vp = Synic::cpu_of(port).value}));
  return true;
}

void Bus::close(Offer& offer) {
  for (const std::uint32_t relid : subchannels_of(offer))
    // One whose rescind was heard is about to be closed, too.
    if (by_relid_[relid]->open_ && !by_relid_[relid]->rescind_heard_)
      finding("guest", "the primary channel is closed while its subchannel " +
                           std::to_string(by_relid_[relid]->id_.subchannel) + " is open");
  offer.opening_ = offer.open_ = false;
  to_host_.send(message_of(CloseMessage{.relid = offer.relid_}));
}

void Bus::tear_down_gpadl(Offer& offer) {
  offer.opening_ = false;
  send_teardown(offer, offer.rings_);
}

void Bus::share(Offer& offer, const Gpadl& description, GpadlOwner& owner) {
  send_gpadl(offer, description, &owner, GpadlHandle{++last_gpadl_});
}

void Bus::unshare(Offer& offer, GpadlHandle handle, GpadlOwner& owner) {
  const auto record = guest_gpadls_.find(handle);
  VMBSIM_ASSERT(record != guest_gpadls_.end(), "memory is taken back that was shared");
  record->second.owner = &owner;
  send_teardown(offer, handle);
}

void Bus::release(Offer& offer) {
  offer.client_ = nullptr;
  offer.heard_ = offer.rescind_heard_ = offer.opening_ = offer.open_ = false;
  for (auto& [handle, record] : guest_gpadls_)
    if (record.offer == &offer) record.offer = nullptr;
  std::erase_if(guest_gpadls_,
                [](const auto& entry) { return entry.second.offer == nullptr && !entry.second.teardown; });
  to_host_.send(message_of(RelidReleased{.relid = offer.relid_}));
}

void Bus::unload() {
  if (contact_ != Contact::made) return;
  for (const auto& offer : offers_)
    if (offer->opening_ || offer->open_) return finding("guest", "unload while a channel is open");
  if (!guest_gpadls_.empty()) return finding("guest", "unload while memory is shared");
  for (const auto& offer : offers_) {
    if (offer->client_ != nullptr)
      waiting_.push_back({{.id = offer->id_, .vtl = offer->details_.target_vtl}, offer->client_});
    offer->client_ = nullptr;
    offer->heard_ = offer->rescind_heard_ = false;
  }
  contact_ = Contact::ending;
  all_offers_delivered_ = false;
  to_host_.send(message_of(MessageType::unload));
}

}  // namespace vmbsim::vmbus
