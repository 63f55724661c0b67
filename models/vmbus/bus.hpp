#pragma once
/// The bus between the root partition and one guest: offers, GPADLs, opening and closing of channels.
///
/// Life     offer -> GPADL created -> open (ring GPADL, downstream offset, target processor) -> open result -> traffic ->
///          close -> GPADL torn down. Close has no response; the GPADL's teardown is where both ends meet, and it waits until
///          the host has unmapped the rings. A relid is used again only after the guest has released it.
/// Messages Each takes the profile's control_message latency and reaches its end of the bus in order.
/// Source   Linux, drivers/hv/channel.c and channel_mgmt.c; EMCL, ChannelMessages.h; OpenVMM, vmbus_server.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "guiddef.h"
#include "models/vmbus/gpadl.hpp"
#include "models/vmbus/lane.hpp"
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

/// What the host's end of an offer is told. Called as events; whoever needs PASSIVE_LEVEL queues the news to itself.
class ServerEnd {
 public:
  virtual ~ServerEnd() = default;
  /// The guest opens; the channel lives until Bus::server_closed().
  virtual void on_open(Channel& channel) = 0;
  virtual void on_close() = 0;
};

/// What the guest's end is told.
class ClientEnd {
 public:
  virtual ~ClientEnd() = default;
  virtual void on_offer() = 0;
  virtual void on_gpadl_created(GpadlHandle handle) = 0;  ///< handle 0: refused
  virtual void on_open_result(bool opened) = 0;
  virtual void on_gpadl_torn_down() = 0;
  virtual void on_rescind() = 0;
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
  Channel* channel() const { return channel_.get(); }
  ClientEnd* client() const { return client_; }
  /// The guest has been told that the offer is no more.
  bool rescinded() const { return rescind_told_; }

 private:
  friend class Bus;
  /// A GPADL besides the rings'.
  struct Shared {
    GpadlHandle handle{};
    bool mapped = false;
    GpadlOwner* teardown = nullptr;  // whom to tell; null while nobody asked for it
  };
  OfferId id_;
  OfferDetails details_;
  std::uint64_t mmio_address_ = 0;
  std::vector<Shared> shared_;
  std::uint32_t relid_ = 0;
  ServerEnd* server_ = nullptr;  // null once rescinded
  ClientEnd* client_ = nullptr;  // who took the offer up
  bool visible_ = false;         // the guest has heard of it
  bool rescind_told_ = false;    // the guest has heard of its end
  bool released_ = false;        // the guest has given its relid back
  GpadlHandle rings_{};
  bool teardown_requested_ = false;
  std::unique_ptr<Channel> channel_;  // lives until the next open: the guest looks at it until it has detached
  bool server_attached_ = false;      // the host still uses the channel
  bool open_ = false;                 // the guest was told so, and has not closed it
  bool rescind_sent_ = false;
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
    std::uint32_t connection;  ///< number of the guest at the host, from 0
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
  /// Maps memory that the guest shared over `offer`, rings aside. Null for a handle that names none, or one that is mapped
  /// already. Its teardown waits until it is unmapped.
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
  void create_gpadl(Offer& offer, Gpadl description);
  /// `upstream` data pages of the guest-to-host ring lie first, behind their control page; the other ring follows.
  /// `port` is what the host signals from now on, the open's result included in the race.
  void open(Offer& offer, Pages upstream, Pages downstream, const Synic::Port& port);
  void close(Offer& offer);
  void tear_down_gpadl(Offer& offer);
  /// Shares memory besides the rings. `owner` must live until it is told.
  void share(Offer& offer, Gpadl description, GpadlOwner& owner);
  /// Takes it back; told once the host has unmapped it. The handle was told to its owner and is taken back once.
  void unshare(Offer& offer, GpadlHandle handle, GpadlOwner& owner);
  /// The guest has forgotten a rescinded offer.
  void release(Offer& offer);

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
  /// A message of the channel protocol under way. Numbers as on the wire.
  struct Message {
    enum class Type : std::uint32_t {
      offer = 1,
      rescind = 2,
      open = 5,
      open_result = 6,
      close = 7,
      gpadl_header = 8,
      gpadl_created = 10,
      gpadl_teardown = 11,
      gpadl_torn_down = 12,
      relid_released = 13,
      taken_up = 0x100,  // not on the wire: an open channel has a server again
    };
    Type type{};
    Offer* offer = nullptr;
    bool opened = false;
    Pages upstream{}, downstream{};
    Synic::Port port{};
    Gpadl description{};
    GpadlHandle handle{};         // with an owner: of its GPADL
    GpadlOwner* owner = nullptr;  // null: the GPADL is the rings'
    SimTime due{};
  };

  void post(Message message);
  void on_message();
  void deliver(Message& message);
  void match(Offer& offer);
  Offer* take_up(const OfferId& id, ServerEnd& server, const OfferDetails& details);
  void rescind_now(Offer& offer);
  void finish_teardown(Offer& offer);
  static std::vector<Offer::Shared>::iterator find_shared(Offer& offer, GpadlHandle handle);
  void finish_shared_teardown(Offer& offer, GpadlHandle handle);
  void forget_if_done(Offer& offer);

  Config config_;
  kernel::Simulation& world_;
  const hw::Costs& costs_;
  kernel::Stream latency_;
  ActorId actor_;
  GpadlTable gpadls_{GpadlTable::Config{}};
  std::vector<std::unique_ptr<Offer>> offers_;
  std::vector<Waiting> waiting_;
  kernel::Fifo<Message> messages_;  // in order, each with its time
  SimTime last_due_{};
  std::vector<std::uint32_t> free_relids_;
  std::uint32_t next_relid_ = 1;
  std::uint64_t next_mmio_ = first_mmio;
  bool saved_ = false;
};

}  // namespace vmbsim::vmbus
