#pragma once
/// The bus between the root partition and one guest: contact, offers, GPADLs, opening and closing of channels.
///
/// Contact  The guest's bus driver asks for a version, newest first, until the host speaks it, then for the offers. It does so
///          when its first client asks for one. Unload ends it.
/// Life     offer -> GPADL created -> open (ring GPADL, downstream offset, target processor) -> open result -> traffic ->
///          close -> GPADL torn down. Close has no response; the GPADL's teardown is where both ends meet, and it waits until
///          the host has unmapped it and uses it for no ring.
/// Rescind  At any moment. An open that meets it gets no answer; GPADL and modify requests do. The guest lets go, then
///          releases the relid, and only then the host uses it again.
/// Subchannels  Offered while their primary is open and no longer: the host rescinds them before it rescinds the primary, and
///          when the guest closes it. A guest closes them first; closing the primary over them is a finding.
/// Messages SynIC messages of the layouts of messages.hpp; message_port.hpp tells their way and who pays. Their senders are
///          believed nothing: what makes no sense is a finding and has no effect. The host's end handles them in its message
///          DPC; the guest's end handles answers there, and offers and rescinds in a system worker thread, in their order.
/// Source   Linux, drivers/hv/channel.c and channel_mgmt.c: channel_message_table tells which handlers may block; EMCL,
///          ChannelMessages.h; OpenVMM, vmbus_server: channels.rs.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guiddef.h"
#include "models/vmbus/gpadl.hpp"
#include "models/vmbus/lane.hpp"
#include "models/vmbus/message_port.hpp"
#include "models/vmbus/messages.hpp"
#include "models/vmbus/synic.hpp"
#include "ntdef.h"

namespace vmbsim::vmbus {

class Bus;

/// Interface type and instance of an offer, and which subchannel of it this is (0: the primary).
struct OfferId {
  GUID type{};
  GUID instance{};
  std::uint16_t subchannel = 0;
  friend bool operator==(const OfferId& a, const OfferId& b) {
    return IsEqualGUID(a.type, b.type) && IsEqualGUID(a.instance, b.instance) && a.subchannel == b.subchannel;
  }
};

/// An open channel: two lanes and the two ports that are interrupted for both of them.
struct Channel {
  Channel(RingMemory upstream, RingMemory downstream)
      : to_host(upstream, Stage::to_host_queue), to_guest(downstream, Stage::to_guest_queue) {}

  Lane to_host;
  Lane to_guest;
  Synic::Port host_port;
  Synic::Port guest_port;
};

/// What the host's end of an offer is told. Called at up to DISPATCH_LEVEL; whoever needs PASSIVE_LEVEL queues the news to
/// itself.
class ServerEnd {
 public:
  virtual ~ServerEnd() = default;
  /// The guest opens; the channel lives until Bus::server_closed().
  virtual void on_open(Channel& channel) = 0;
  /// The guest closes, or the offer was taken back with its primary channel's.
  virtual void on_close() = 0;
};

/// What the guest's end is told, at up to DISPATCH_LEVEL.
class ClientEnd {
 public:
  virtual ~ClientEnd() = default;
  virtual void on_offer() = 0;
  virtual void on_gpadl_created(GpadlHandle handle) = 0;  ///< handle 0: refused
  virtual void on_open_result(bool opened) = 0;
  virtual void on_gpadl_torn_down() = 0;
  virtual void on_rescind() = 0;
  /// Answer to Bus::modify(), where the version has one. Interrupts on their way still reach the old processor.
  virtual void on_modified(bool) {}
};

/// Who asked for a GPADL besides the rings': told when the host knows it, and when the host has let go of it.
class GpadlOwner {
 public:
  virtual ~GpadlOwner() = default;
  virtual void on_created(GpadlHandle handle) = 0;  ///< handle 0: refused
  virtual void on_torn_down() = 0;
};

/// What an offer says besides its GUIDs.
struct OfferDetails {
  std::string name = {};             ///< the host's own, for findings and stories; empty: it has none
  std::uint32_t flags = 0;           ///< VMBUS_SERVER_CHANNEL_INIT_FLAG_...
  bool pipe = false;                 ///< packets carry a pipe header
  std::uint8_t target_vtl = 0;       ///< shown to clients of this virtual trust level only
  std::uint32_t mmio_megabytes = 0;  ///< of the guest's MMIO space that the device is given
};

/// What a client looks for.
struct Wanted {
  OfferId id;
  bool any_instance = false;  ///< of the type; the offer then says which
  std::uint8_t vtl = 0;       ///< where the client runs
};

/// One offer and whatever became of it.
class Offer {
 public:
  const OfferId& id() const { return id_; }
  const OfferDetails& details() const { return details_; }
  std::uint64_t mmio_address() const { return mmio_address_; }
  std::uint32_t relid() const { return relid_; }
  Channel* channel() const { return channels_.empty() ? nullptr : channels_.back().get(); }
  ClientEnd* client() const { return client_; }
  /// The guest has been told that the offer is no more.
  bool rescinded() const { return rescind_heard_; }

 private:
  friend class Bus;
  /// What the guest was told of it. Telling takes time: what the guest has heard is another matter.
  enum class Told : std::uint8_t { nothing, offered, rescinded };
  /// What its server does with it.
  enum class Use : std::uint8_t { closed, opening, open, closing };

  OfferId id_;
  OfferDetails details_;
  std::uint64_t mmio_address_ = 0;
  std::uint32_t relid_ = 0;
  std::vector<std::unique_ptr<Channel>> channels_;  // the last one counts; who looks at an earlier one may still do so

  // The host's
  ServerEnd* server_ = nullptr;  // null once the server took the offer back
  Told told_ = Told::nothing;
  Use use_ = Use::closed;
  std::uint32_t open_id_ = 0;
  GpadlHandle host_rings_{};           // of the open that counts
  std::optional<OpenMessage> reopen_;  // came while the server was still closing, or while there was none
  bool open_told_ = false;             // the guest was told so, and has not closed it
  bool taken_up_ = false;              // the server goes on with a channel that is open already

  // The guest's
  bool heard_ = false;
  bool rescind_heard_ = false;
  ClientEnd* client_ = nullptr;  // who took the offer up
  GpadlHandle rings_{};
  std::uint32_t last_open_id_ = 0;
  bool opening_ = false;  // an open has no answer yet
  bool open_ = false;
};

class Bus {
 public:
  /// Relids and event flags of one guest: 1 to 2047. Source: TLFS, 2048 flags per source; relid 0 is the control path.
  static constexpr std::uint32_t last_relid = 2047;
  /// Where the guest's MMIO space for devices of the bus begins; Hyper-V's own place for it in a generation 2 guest.
  static constexpr std::uint64_t first_mmio = 0xFE0000000;

  struct Config {
    Synic& host;
    Synic& guest;
    std::uint32_t connection;             ///< number of the guest at the host, from 0
    Version host_version = versions[0];   ///< the newest that the host speaks
    Version guest_version = versions[0];  ///< the newest that the guest asks for
  };
  explicit Bus(Config config);
  Bus(const Bus&) = delete;
  Bus& operator=(const Bus&) = delete;

  // ---- The virtual machine is saved and restored ----

  /// From here on servers come and go without the guest's notice: a rescind tells it nothing, and the next offer with the
  /// same GUIDs goes on where the old one stood, open if it was open. Unless it says FORCE_NEW_CHANNEL: then the guest
  /// sees the old one rescinded and a new one.
  void save() { saved_ = true; }
  /// It runs again: what no server took up is rescinded now.
  void resume();

  // ---- The host's calls ----

  /// Null when the guest has no relid left.
  Offer* offer(const OfferId& id, ServerEnd& server, const OfferDetails& details = {});
  void answer_open(Offer& offer, bool opened);
  /// The server uses the channel no more.
  void server_closed(Offer& offer);
  void rescind(Offer& offer);
  /// Maps memory that the guest shared over `offer`. Null for a handle that names none, or one that is mapped already or is
  /// being taken back. Its teardown waits until it is unmapped.
  const Gpadl* map_gpadl(Offer& offer, GpadlHandle handle);
  /// The description without a mapping; null for a handle that names none of `offer`.
  const Gpadl* find_gpadl(const Offer& offer, GpadlHandle handle) const;
  /// False for a handle that is not mapped.
  bool unmap_gpadl(Offer& offer, GpadlHandle handle);

  // ---- The guest's calls ----

  /// Takes an offer up as soon as there is one: ClientEnd::on_offer, then offer_of() names it.
  void connect(const Wanted& wanted, ClientEnd& client);
  void connect(const OfferId& id, ClientEnd& client) { connect(Wanted{.id = id}, client); }
  /// Stops waiting, or gives an offer back that is not open; one that was rescinded is released.
  void disconnect(ClientEnd& client);
  Offer* offer_of(const ClientEnd& client);
  /// Shares the rings' memory.
  void create_gpadl(Offer& offer, const Gpadl& description);
  /// `upstream` data pages of the guest-to-host ring lie first, behind their control page; the other ring follows.
  /// `port` is what the host signals from now on, the open's result included in the race; a closed one is never signalled.
  void open(Offer& offer, Pages upstream, Pages downstream, const Synic::Port& port);
  /// Asks the host to signal `port` instead, at another processor; false where the version does not know how. Keep the old
  /// port open: interrupts on their way still go there.
  bool modify(Offer& offer, const Synic::Port& port);
  void close(Offer& offer);
  void tear_down_gpadl(Offer& offer);
  /// Shares memory besides the rings. `owner` must live until it is told.
  void share(Offer& offer, const Gpadl& description, GpadlOwner& owner);
  /// Takes it back; told once the host has unmapped it. The handle was told to its owner and is taken back once.
  void unshare(Offer& offer, GpadlHandle handle, GpadlOwner& owner);
  /// The guest has forgotten a rescinded offer.
  void release(Offer& offer);
  /// Ends the contact; the next connect() begins another one. While a channel is open or memory is shared it is a finding and
  /// does nothing.
  void unload();

  enum class Contact : std::uint8_t { none, asking, made, ending };
  Contact contact() const { return contact_; }
  /// What both ends speak. Precondition: contact is made.
  Version version() const { return version_; }
  /// The host has sent every offer there was when the guest asked.
  bool all_offers_delivered() const { return all_offers_delivered_; }

  // ---- For whoever watches, or plays a hostile end ----

  /// Posts any bytes at all, 1 to 240 of them, in their sender's order.
  void post_to_host(MessageBytes message) { to_host_.send(std::move(message)); }
  void post_to_guest(MessageBytes message) { to_guest_.send(std::move(message)); }
  const MessageSender& sender_to_host() const { return to_host_; }
  const MessageSender& sender_to_guest() const { return to_guest_; }

  std::uint32_t connection() const { return config_.connection; }
  Synic& host() { return config_.host; }
  Synic& guest() { return config_.guest; }
  const GpadlTable& gpadls() const { return gpadls_; }
  std::size_t offer_count() const { return offers_.size(); }

 private:
  struct Waiting {
    Wanted wanted;
    ClientEnd* client;
    bool wants(const Offer& offer) const;
  };
  /// A GPADL as the host sees it.
  struct HostGpadl {
    std::uint32_t relid = 0;
    bool mapped = false;
    bool teardown = false;    // asked for
    bool unanswered = false;  // nobody is there any more to be told
  };
  /// A GPADL as the guest sees it.
  struct GuestGpadl {
    Offer* offer = nullptr;       // null once its relid was released
    GpadlOwner* owner = nullptr;  // null: the rings
    bool read_only = false;       // no public field says so on the wire, so it is looked up here
    bool created = false;
    bool teardown = false;  // asked for
  };

  // bus.cpp
  void finding(const char* who, std::string text);
  /// Hands the message's body to `handle`, with `rest` behind it; a finding of `who` when the message is too short for it.
  template <class Body, class... Rest>
  void deliver(const char* who, std::span<const std::byte> message, void (Bus::*handle)(const Body&, Rest...),
               Rest... rest) {
    if (const auto body = body_of<Body>(message)) return (this->*handle)(*body, rest...);
    finding(who, std::string(name_of(Body::type)) + " of " + std::to_string(message.size()) + " bytes is too short");
  }
  Offer* by_relid(std::uint32_t relid) const { return relid < by_relid_.size() ? by_relid_[relid] : nullptr; }
  bool forget_if_done(Offer& offer);
  /// Relids, because acting on one may let other threads run, who take others away.
  std::vector<std::uint32_t> subchannels_of(const Offer& primary) const;

  // bus_host.cpp: what the host does about the guest's messages
  void at_host(std::span<const std::byte> message);
  void host_initiate_contact(const InitiateContact& message);
  void host_request_offers();
  void host_gpadl_header(const GpadlHeader& header, std::span<const std::byte> message);
  void host_gpadl_body(const GpadlBody& body, std::span<const std::byte> message);
  void host_gpadl_complete(GpadlHandle handle, const GpadlAssembly& assembly);
  void host_gpadl_teardown(const GpadlTeardown& message);
  void host_open(const OpenMessage& message);
  std::uint32_t try_open(Offer& offer, const OpenMessage& message);
  void host_close(const CloseMessage& message);
  void host_modify(const ModifyChannel& message);
  void host_relid_released(const RelidReleased& message);
  void host_forget_guest();
  void host_answer_forgotten();
  void say_offer(Offer& offer);
  void revoke(Offer& offer);
  bool may_be_offered(const Offer& offer);
  void offer_if_possible(Offer& offer);
  void let_go(Offer& offer);
  Offer* take_up(const OfferId& id, ServerEnd& server, const OfferDetails& details);
  void on_taken_up();
  bool used_as_rings(GpadlHandle handle) const;
  void finish_teardown(GpadlHandle handle);
  void drop_gpadls_of(std::uint32_t relid);

  // bus_guest.cpp: what the guest does about the host's
  void at_guest(MessageBytes message);
  void leave_to_worker(MessageBytes message);
  void run_guest_worker();
  void handle_at_guest(std::span<const std::byte> message);
  void ask_for_version();
  void guest_version_response(const VersionResponse& message);
  void guest_offer(const OfferMessage& message);
  void guest_rescind(const RescindMessage& message);
  void guest_open_result(const OpenResult& message);
  void guest_gpadl_created(const GpadlCreated& message);
  void guest_gpadl_torn_down(const GpadlTornDown& message);
  void guest_modify_channel_response(const ModifyChannelResponse& message);
  void guest_unload_complete();
  void send_gpadl(Offer& offer, const Gpadl& description, GpadlOwner* owner, GpadlHandle handle);
  void send_teardown(Offer& offer, GpadlHandle handle);
  void match(Offer& offer);

  Config config_;
  std::vector<std::unique_ptr<Offer>> offers_;
  std::vector<Offer*> by_relid_;
  std::vector<std::uint32_t> free_relids_;
  std::uint64_t next_mmio_ = first_mmio;

  // The host's end
  GpadlTable gpadls_{GpadlTable::Config{}};
  std::map<GpadlHandle, HostGpadl> host_gpadls_;
  std::map<GpadlHandle, GpadlAssembly> assemblies_;
  bool saved_ = false;
  kernel::Fifo<std::uint32_t> taken_up_;  // relids whose servers are about to be told of their open channel
  bool host_connected_ = false;
  bool offers_requested_ = false;
  Version host_version_{};
  std::optional<MessageBytes> when_forgotten_;  // the answer once every server has let go

  // The guest's end
  std::vector<Waiting> waiting_;
  std::map<GpadlHandle, GuestGpadl> guest_gpadls_;
  std::uint32_t last_gpadl_ = 0;
  Contact contact_ = Contact::none;
  Version version_{};
  std::size_t version_tried_ = 0;  // index in versions
  bool all_offers_delivered_ = false;
  kernel::Fifo<MessageBytes> for_worker_;
  os::WorkItem worker_;
  bool worker_running_ = false;

  MessagePort host_port_;
  MessagePort guest_port_;
  MessageSender to_host_;
  MessageSender to_guest_;
};

}  // namespace vmbsim::vmbus
