#include "models/vmbus/bus.hpp"

#include <algorithm>
#include <utility>

namespace vmbsim::vmbus {

namespace {
/// Flag of an offer: after a restore the guest gets a new channel. Source: KMCL DDI, VmbServerChannelInitSetFlags.
constexpr std::uint32_t force_new_channel = 0x8;
}  // namespace

Bus::Bus(Config config)
    : config_(config),
      world_(config.host.partition().world()),
      costs_(config.host.partition().costs()),
      latency_(world_.stream(config.guest.partition().name(), "control messages")),
      actor_(world_.new_actor()) {}

// ---- Messages ----

void Bus::post(Message message) {
  const SimTime due = saturating_add(world_.now(), costs_.control_message.sample(latency_));
  message.due = last_due_ = std::max(due, last_due_);  // a later message never overtakes
  messages_.push(std::move(message));
  world_.at<&Bus::on_message>(last_due_, actor_, *this);
}

void Bus::on_message() {
  Message message = messages_.pop();
  deliver(message);
}

void Bus::deliver(Message& message) {
  Offer& offer = *message.offer;
  switch (message.type) {
    case Message::Type::offer:
      if (offer.server_ == nullptr && !saved_) return forget_if_done(offer);  // rescinded before the guest heard of it
      offer.visible_ = true;
      match(offer);
      break;
    case Message::Type::rescind:
      offer.rescind_told_ = true;
      if (offer.client_ != nullptr)
        offer.client_->on_rescind();
      else
        release(offer);
      break;
    case Message::Type::gpadl_header: {
      const auto answer = gpadls_.create(std::move(message.description));
      const auto* handle = std::get_if<GpadlHandle>(&answer);
      if (handle != nullptr && message.owner != nullptr)
        offer.shared_.push_back({.handle = *handle});
      else if (handle != nullptr)
        offer.rings_ = *handle;
      post({.type = Message::Type::gpadl_created,
            .offer = &offer,
            .handle = handle != nullptr ? *handle : GpadlHandle{},
            .owner = message.owner});
      break;
    }
    case Message::Type::gpadl_created:
      if (message.owner != nullptr)
        message.owner->on_created(message.handle);
      else if (offer.client_ != nullptr)
        offer.client_->on_gpadl_created(offer.rings_);
      break;
    case Message::Type::open: {
      if (offer.server_ == nullptr) return;  // an open on a rescinded channel gets no response (OpenVMM, vmbus_server)
      const Gpadl* rings = gpadls_.find(offer.rings_);
      VMBSIM_ASSERT(rings != nullptr, "a channel is opened over a GPADL that exists");
      hw::GuestMemory& memory = config_.guest.partition().memory();
      const Bytes upstream = RingMemory::pages(message.upstream).bytes();
      const Bytes downstream = RingMemory::pages(message.downstream).bytes();
      const auto first = map(memory, *rings, Bytes{0}, upstream);
      const auto second = map(memory, *rings, upstream, downstream);
      VMBSIM_ASSERT(first && second, "the ring GPADL holds both rings");
      offer.channel_ = std::make_unique<Channel>(RingMemory::in(*first).value(), RingMemory::in(*second).value());
      offer.channel_->guest_port = message.port;
      offer.server_attached_ = true;
      offer.server_->on_open(*offer.channel_);
      break;
    }
    case Message::Type::open_result:
      if (offer.client_ != nullptr) offer.client_->on_open_result(message.opened);
      break;
    case Message::Type::taken_up:
      if (offer.server_ == nullptr || !offer.open_) return;  // closed or given up again since
      offer.server_attached_ = true;
      offer.server_->on_open(*offer.channel_);
      break;
    case Message::Type::close:
      offer.open_ = false;
      if (offer.server_ != nullptr && offer.server_attached_) offer.server_->on_close();
      break;
    case Message::Type::gpadl_teardown:
      if (message.owner != nullptr) {
        const auto shared = find_shared(offer, message.handle);
        VMBSIM_ASSERT(shared != offer.shared_.end(), "memory is taken back that was shared");
        shared->teardown = message.owner;
        finish_shared_teardown(offer, message.handle);
        break;
      }
      offer.teardown_requested_ = true;
      finish_teardown(offer);
      break;
    case Message::Type::gpadl_torn_down:
      if (message.owner != nullptr)
        message.owner->on_torn_down();
      else if (offer.client_ != nullptr)
        offer.client_->on_gpadl_torn_down();
      break;
    case Message::Type::relid_released:
      offer.released_ = true;
      forget_if_done(offer);
      break;
  }
}

// ---- The host's calls ----

Offer* Bus::offer(const OfferId& id, ServerEnd& server, const OfferDetails& details) {
  if (Offer* saved = saved_ ? take_up(id, server, details) : nullptr) return saved;
  std::uint32_t relid = 0;
  if (!free_relids_.empty()) {
    relid = free_relids_.back();
    free_relids_.pop_back();
  } else if (next_relid_ <= last_relid) {
    relid = next_relid_++;
  } else {
    return nullptr;
  }
  offers_.push_back(std::make_unique<Offer>());
  Offer& offer = *offers_.back();
  offer.id_ = id;
  offer.details_ = details;
  if (details.mmio_megabytes != 0) {
    offer.mmio_address_ = next_mmio_;
    next_mmio_ += std::uint64_t{details.mmio_megabytes} << 20;
  }
  offer.relid_ = relid;
  offer.server_ = &server;
  post({.type = Message::Type::offer, .offer = &offer});
  return &offer;
}

Offer* Bus::take_up(const OfferId& id, ServerEnd& server, const OfferDetails& details) {
  const auto found = std::find_if(offers_.begin(), offers_.end(), [&](const auto& offer) {
    return offer->id_ == id && offer->server_ == nullptr && !offer->rescind_sent_;
  });
  if (found == offers_.end()) return nullptr;
  Offer& offer = **found;
  if ((details.flags & force_new_channel) != 0) {
    rescind_now(offer);
    return nullptr;
  }
  offer.server_ = &server;
  if (offer.open_)
    post({.type = Message::Type::taken_up, .offer = &offer});
  else
    match(offer);
  return &offer;
}

void Bus::resume() {
  saved_ = false;
  for (const auto& offer : offers_)
    if (offer->server_ == nullptr && !offer->rescind_sent_) rescind_now(*offer);
}

void Bus::answer_open(Offer& offer, bool opened) {
  if (!opened) offer.server_attached_ = false;
  if (offer.open_ && opened) return;  // taken up: the guest never heard of an end
  if (offer.open_) return rescind(offer);
  offer.open_ = opened;
  post({.type = Message::Type::open_result, .offer = &offer, .opened = opened});
}

void Bus::server_closed(Offer& offer) {
  offer.server_attached_ = false;
  finish_teardown(offer);
  forget_if_done(offer);
}

void Bus::rescind(Offer& offer) {
  offer.server_ = nullptr;
  if (!saved_) rescind_now(offer);
}

void Bus::rescind_now(Offer& offer) {
  offer.rescind_sent_ = true;
  post({.type = Message::Type::rescind, .offer = &offer});
}

/// The memory goes back to the guest once it asked for it and the host has let go.
void Bus::finish_teardown(Offer& offer) {
  if (!offer.teardown_requested_ || offer.server_attached_) return;
  offer.teardown_requested_ = false;
  const bool existed = gpadls_.tear_down(offer.rings_);
  VMBSIM_ASSERT(existed, "a GPADL is torn down once");
  offer.rings_ = {};
  post({.type = Message::Type::gpadl_torn_down, .offer = &offer});
}

// Few GPADLs besides the rings' exist at a time, and none per packet.
std::vector<Offer::Shared>::iterator Bus::find_shared(Offer& offer, GpadlHandle handle) {
  return std::find_if(offer.shared_.begin(), offer.shared_.end(),
                      [handle](const Offer::Shared& shared) { return shared.handle == handle; });
}

const Gpadl* Bus::map_gpadl(Offer& offer, GpadlHandle handle) {
  const auto shared = find_shared(offer, handle);
  if (shared == offer.shared_.end() || shared->mapped || shared->teardown != nullptr) return nullptr;
  shared->mapped = true;
  return gpadls_.find(handle);
}

const Gpadl* Bus::find_gpadl(const Offer& offer, GpadlHandle handle) const {
  for (const Offer::Shared& shared : offer.shared_)
    if (shared.handle == handle) return gpadls_.find(handle);
  return nullptr;
}

bool Bus::unmap_gpadl(Offer& offer, GpadlHandle handle) {
  const auto shared = find_shared(offer, handle);
  if (shared == offer.shared_.end() || !shared->mapped) return false;
  shared->mapped = false;
  finish_shared_teardown(offer, handle);
  return true;
}

void Bus::finish_shared_teardown(Offer& offer, GpadlHandle handle) {
  const auto shared = find_shared(offer, handle);
  if (shared->teardown == nullptr || shared->mapped) return;
  const bool existed = gpadls_.tear_down(handle);
  VMBSIM_ASSERT(existed, "a GPADL is torn down once");
  GpadlOwner* owner = shared->teardown;
  offer.shared_.erase(shared);
  post({.type = Message::Type::gpadl_torn_down, .offer = &offer, .handle = handle, .owner = owner});
}

void Bus::forget_if_done(Offer& offer) {
  if (offer.server_ != nullptr || offer.server_attached_ || !offer.released_) return;
  free_relids_.push_back(offer.relid_);
  std::erase_if(offers_, [&](const auto& candidate) { return candidate.get() == &offer; });
}

// ---- The guest's calls ----

bool Bus::Waiting::wants(const Offer& offer) const {
  if (offer.details().target_vtl != wanted.vtl) return false;
  if (!wanted.any_instance) return wanted.id == offer.id();
  return IsEqualGUID(wanted.id.type, offer.id().type) && wanted.id.subchannel == offer.id().subchannel;
}

void Bus::match(Offer& offer) {
  if (!offer.visible_ || offer.server_ == nullptr || offer.client_ != nullptr) return;
  const auto waiting = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& w) { return w.wants(offer); });
  if (waiting == waiting_.end()) return;
  offer.client_ = waiting->client;
  waiting_.erase(waiting);
  offer.client_->on_offer();
}

void Bus::connect(const Wanted& wanted, ClientEnd& client) {
  const Waiting mine{wanted, &client};
  waiting_.push_back(mine);
  // Telling the client may let other threads run, who add to either list; so the offer is found first.
  const auto open = std::find_if(offers_.begin(), offers_.end(), [&](const auto& offer) {
    return mine.wants(*offer) && offer->visible_ && offer->server_ != nullptr && offer->client_ == nullptr;
  });
  if (open != offers_.end()) match(**open);
}

void Bus::disconnect(ClientEnd& client) {
  std::erase_if(waiting_, [&](const Waiting& w) { return w.client == &client; });
  for (const auto& offer : offers_) {
    if (offer->client_ != &client) continue;
    offer->client_ = nullptr;
    if (offer->rescind_told_) release(*offer);
  }
}

Offer* Bus::offer_of(const ClientEnd& client) {
  for (const auto& offer : offers_)
    if (offer->client_ == &client) return offer.get();
  return nullptr;
}

void Bus::create_gpadl(Offer& offer, Gpadl description) {
  post({.type = Message::Type::gpadl_header, .offer = &offer, .description = std::move(description)});
}

void Bus::open(Offer& offer, Pages upstream, Pages downstream, const Synic::Port& port) {
  post({.type = Message::Type::open, .offer = &offer, .upstream = upstream, .downstream = downstream, .port = port});
}

void Bus::close(Offer& offer) { post({.type = Message::Type::close, .offer = &offer}); }
void Bus::tear_down_gpadl(Offer& offer) { post({.type = Message::Type::gpadl_teardown, .offer = &offer}); }

void Bus::share(Offer& offer, Gpadl description, GpadlOwner& owner) {
  post({.type = Message::Type::gpadl_header, .offer = &offer, .description = std::move(description), .owner = &owner});
}

void Bus::unshare(Offer& offer, GpadlHandle handle, GpadlOwner& owner) {
  post({.type = Message::Type::gpadl_teardown, .offer = &offer, .handle = handle, .owner = &owner});
}

void Bus::release(Offer& offer) {
  offer.client_ = nullptr;
  post({.type = Message::Type::relid_released, .offer = &offer});
}

}  // namespace vmbsim::vmbus
