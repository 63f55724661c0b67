#pragma once
/// An endpoint: one end of a channel as KMCL keeps it. What a VMBCHANNEL points to.
///
/// Two dimensions   connection (disabled, enabled, open) and run state (paused, active). Traffic flows only while the channel is
///                  open and active.
/// State changes    happen in a system worker thread, one at a time per channel, in the order in which they were asked for;
///                  a state callback therefore always runs at PASSIVE_LEVEL, and never beside another one of its channel.
/// Receiving        one pass at a time drains the incoming ring: in the channel's DPC, or in a worker where packets must be
///                  processed at PASSIVE_LEVEL.
/// Sending          first come, first served: while packets wait for room nothing overtakes them.
/// Source           KMCL DDI reference (vmbuskernelmodeclientlibapi.h), page of each function; the header's state model.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/kmcl/device.hpp"
#include "models/kmcl/packet.hpp"
#include "models/kmcl/saving.hpp"
#include "sim/kernel/fifo.hpp"

namespace vmbsim::kmcl {

class DescriptorLists;
struct SharedMemory;
struct MappedMemory;

class Endpoint final : public vmbus::ServerEnd, public vmbus::ClientEnd {
 public:
  Endpoint(Device& device, bool server);
  ~Endpoint() override;

  static Endpoint& of(VMBCHANNEL handle) { return *reinterpret_cast<Endpoint*>(handle); }
  VMBCHANNEL handle() { return reinterpret_cast<VMBCHANNEL>(this); }

  // ---- Configuration; while it is disabled ----
  NTSTATUS set_maximum_packet_size(std::uint32_t bytes);
  NTSTATUS set_maximum_external_data(std::uint32_t bytes, std::uint32_t chain_length);
  NTSTATUS set_client_context_size(std::uint32_t bytes);
  NTSTATUS set_process_packet_callbacks(PFN_VMB_CHANNEL_PROCESS_PACKET process,
                                        PFN_VMB_CHANNEL_PROCESSING_COMPLETE batch_over);
  NTSTATUS set_state_change_callbacks(const VMB_CHANNEL_STATE_CHANGE_CALLBACKS& callbacks);
  NTSTATUS set_friendly_name(const UNICODE_STRING& name);
  NTSTATUS set_flags(std::uint32_t flags);
  NTSTATUS set_ring_pages(std::uint32_t incoming, std::uint32_t outgoing);
  NTSTATUS set_target_interface(const GUID& type, const GUID& instance);
  NTSTATUS set_target_pnp(const GUID& type, const GUID* instance, PFN_VMB_CHANNEL_PNP_FAILURE failed);
  NTSTATUS set_server_flags(std::uint32_t flags);
  NTSTATUS set_mmio_megabytes(std::uint16_t needed, std::uint16_t optional);
  NTSTATUS set_target_vtl(std::uint8_t vtl);
  NTSTATUS set_vmbus_handle(HANDLE handle);

  // ---- Life cycle ----
  NTSTATUS enable();
  void disable();
  void start();
  void pause();
  /// The driver lets go of its handle.
  void clean_up();
  bool disabled() const { return connection_ == Connection::disabled; }
  bool cleaned_up() const { return cleaned_up_; }
  /// What it offers, or looks for.
  const vmbus::OfferId& target() const { return target_; }

  // ---- Run-time settings ----
  void require_passive(bool required);
  void set_quota(std::uint32_t quota) { quota_ = quota; }
  void set_pointer(void* pointer) { pointer_ = pointer; }
  void* pointer() const { return pointer_; }
  std::uint32_t sizeof_packet() const;
  NTSTATUS set_interrupt_latency(std::uint16_t latency, std::uint16_t& before);
  GUID interface_instance() const;
  void mmio_space(std::uint64_t& address, std::uint64_t& size) const;

  // ---- Sending ----
  Packet* allocate_packet();
  NTSTATUS initialize_packet(void* memory, std::uint32_t bytes);
  void free_packet(Packet& packet);
  /// Takes the packet, whose buffer, external data and flags are filled in.
  NTSTATUS send(Packet& packet);
  /// A request by VmbChannelSendSynchronousRequest, as its parameters tell it.
  struct Question {
    const void* buffer;
    std::uint32_t length;
    PMDL mdl;
    std::uint32_t flags;
    void* answer;
    std::uint32_t* answer_size;
    const LARGE_INTEGER* timeout;
  };
  NTSTATUS ask_peer(const Question& question);

  // ---- Shared memory ----
  NTSTATUS create_gpadl(std::uint32_t flags, const MDL* mdl, std::uint32_t start, std::uint32_t length,
                        std::uint32_t& handle);
  NTSTATUS create_gpadl(std::uint32_t flags, const void* buffer, std::uint32_t length, std::uint32_t& handle);
  void delete_gpadl(std::uint32_t handle);
  NTSTATUS map_gpadl(std::uint32_t flags, std::uint32_t handle, PMDL* mdl);
  void unmap_gpadl(std::uint32_t handle);

  // ---- Saving ----
  NTSTATUS set_save_restore(PFN_VMB_CHANNEL_SAVE_PACKET for_saving, PFN_VMB_CHANNEL_RESTORE_PACKET for_restoring);
  NTSTATUS save_begin();
  NTSTATUS save_continue(std::byte* buffer, std::uint32_t size, std::uint32_t& filled, std::uint32_t& required);
  void save_end();
  NTSTATUS restore(const std::byte* buffer, std::uint32_t size);
  NTSTATUS restore_packet(Packet& packet, const std::byte* saved, std::uint32_t size);

  // ---- Receiving ----
  void complete(Received& received, const void* answer, std::uint32_t length);
  void defer_to_passive(Received& received);
  void fail(Received& received);
  NTSTATUS external_data(Received& received, std::uint32_t flags, PMDL* mdl);

  // ---- For results ----
  struct Counters {
    std::uint64_t batches = 0;
    std::uint64_t batched_packets = 0;
    std::uint64_t batch_max = 0;
    std::uint64_t interrupts = 0;
    vmbus::Lane::Counters outgoing;  // of channels that were closed already, and of the open one
    Bytes outgoing_size{}, outgoing_peak{}, outgoing_used{};
    std::uint64_t outgoing_full = 0;
  };
  Counters counters() const;
  /// Counters count from here on, peaks from what the ring holds now.
  void start_measuring();
  const std::string& name() const { return device_.name; }
  Device& device() const { return device_; }
  os::Partition& partition() const { return device_.partition; }

  // ---- Rules ----
  void report(RuleId rule, std::string_view call, std::string text, BugCheck bug_check = BugCheck::none) const {
    partition().findings().add(rule, bug_check, device_.name, std::move(text), call);
  }
  /// A call that is legal elsewhere: "`call` called `how`".
  void misused(RuleId rule, const char* call, std::string_view how) const;
  /// False, and a finding, at the other end.
  bool server_call(const char* call) const;
  bool client_call(const char* call) const;
  /// A callback returned at another IRQL, or with other locks held, than it was called with.
  void put_back(const char* callback, Irql irql, int locks) const;
  /// When nothing is left to happen: a ring that waits for a look, or packets that wait for room that is there, and nobody
  /// who would see to it; transactions that nobody knows any more. False when there is none.
  static bool report_lost(const Device& device);
  /// When nothing is left to happen: what waits for the driver for ever.
  static void report_waiting(const Device& device);
  /// When the device's driver is unloaded: what it has not cleaned up.
  static void report_left(const Device& device);

  // ---- vmbus::ServerEnd, vmbus::ClientEnd: news from the bus, queued to the worker ----
  void on_open(vmbus::Channel& channel) override;
  void on_close() override;
  void on_offer() override;
  void on_gpadl_created(vmbus::GpadlHandle handle) override;
  void on_open_result(bool opened) override;
  void on_gpadl_torn_down() override;
  void on_rescind() override;

 private:
  enum class Connection : std::uint8_t { disabled, enabled, opening, open, closing };
  /// What the worker is asked to do, one after the other.
  enum class Step : std::uint8_t {
    open,
    close,
    offer,
    gpadl_created,
    gpadl_refused,
    opened,
    open_refused,
    torn_down,
    rescind,
    drained,
    start,
    pause,
    disable,
  };
  /// Something waiting for room in the outgoing ring: a packet of the driver, or a completion.
  struct Outgoing {
    Packet* packet = nullptr;
    Received* completion = nullptr;
    std::size_t bytes() const { return packet != nullptr ? packet->length : completion->answer_length; }
  };

  // life_cycle.cpp
  void ask(Step step);
  void ask_and_wait(Step step, const char* call);
  void answer_callers(Step step);
  void run_steps();
  void take(Step step);
  void attach(vmbus::Channel& channel);
  void detach();
  void call_back(EVT_VMB_CHANNEL_CLOSED* callback, const char* name);
  bool call_opened();
  void call_closed();
  void fail_to_connect(NTSTATUS status);
  vmbus::OfferDetails details() const;
  vmbus::Wanted wanted() const;
  void start_traffic();
  void suspend_traffic();
  void begin_close();
  void continue_close();
  void finish_server_close();
  void finish_client_close();
  void stop_passes();
  void take_last_answers();
  void retire_outgoing();
  void look_at_pages(const Packet& packet) const;
  void become_disabled();
  void take_rescind();
  bool allocate_rings();
  void free_rings();

  // sending.cpp
  vmbus::StageAnswer stage(const Outgoing& item);
  vmbus::StageAnswer stage(const vmbus::OutgoingPacket& packet);
  std::span<const vmbus::GpaRange> ranges_of(Packet& packet);
  void entered_ring(const Outgoing& item);
  void draw_ticket(const Outgoing& item);
  void look_at_ticket(const Outgoing& item);
  void put_cancel_before();
  void put_again(const Outgoing& item);
  void no_longer_under_way(Packet& packet);
  void note(const Outgoing& item);
  NTSTATUS put(const Outgoing& item, const kernel::Distribution& cost);
  void refuse(const Outgoing& item);
  void report_corrupt(const char* which, const vmbus::Corrupt& what);
  void flush();
  void wish_again();
  bool completes_later();
  kernel::Stream& coins();
  void signal_peer(bool for_data);
  void deliver_late_signal();
  void finish(Packet& packet, NTSTATUS status, const std::byte* answer, std::uint32_t length);
  void remember(Packet& packet);
  Packet* recall(std::uint64_t transaction_id);
  Duration copy_time(std::size_t bytes);
  void pay(const kernel::Distribution& cost, std::size_t bytes);

  void keep_inline(Packet& packet, const std::byte* from);

  // saving.cpp
  NTSTATUS ask_driver(const SaveItem& item, std::uint32_t& bytes);
  void no_save(const char* call) const;
  NTSTATUS save_packet(Packet& packet, std::byte* room, std::uint32_t size, std::uint32_t& needed);
  NTSTATUS not_whole();
  NTSTATUS restore_chunk(SaveItem::Kind kind, std::span<const std::byte> library, std::span<const std::byte> driver);

  // synchronous.cpp
  NTSTATUS legal(const Question& question);
  NTSTATUS give_up(Packet& packet);
  bool take_out(kernel::Fifo<Outgoing>& queue, const Packet& packet);
  void end_synchronous();

  // receiving.cpp
  void on_interrupt();
  void disturb();
  void schedule_pass();
  void queue_worker_pass();
  void pass(bool passive);
  enum class Outcome : std::uint8_t { drained, stopped, limit, needs_worker };
  Outcome drain(bool passive);
  std::optional<Outcome> what_holds_up(bool passive) const;
  bool strip_pipe_header(Received& received);
  void look_at_lists(Received& received) const;
  bool page_in(Received& received);
  void on_paged_in();
  std::uint32_t length_of(const vmbus::IncomingPacket& packet);

  // shared_memory.cpp
  NTSTATUS share(std::uint32_t flags, vmbus::Gpadl description, std::uint32_t& handle, const char* call);
  void take_back(SharedMemory& shared, const char* call);
  void take_back_memory();
  bool transferred(const Received& received, DescriptorLists& lists);
  void take_completion(const vmbus::IncomingPacket& packet);
  void deliver(Received& received, bool again);
  Received& fresh_received(const vmbus::IncomingPacket& packet);
  void recycle(Received& received);

  bool planted(faults::Planted bug) const { return partition().planted(bug); }
  bool fails(faults::Fault fault) const { return partition().fails(fault); }
  bool pipe() const {
    return (flags_ & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE) != 0 ||
           (server_flags_ & VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE) != 0;
  }
  bool all_over() const;
  vmbus::Bus& bus() const { return *bus_; }

  Device& device_;
  bool server_;
  vmbus::Bus* bus_;

  // Configuration
  std::uint32_t maximum_packet_size_ = 4096;
  std::uint32_t maximum_external_data_ = 0;
  std::uint32_t maximum_chain_length_ = 0;
  std::uint32_t client_context_size_ = 0;
  Pages incoming_pages_{}, outgoing_pages_{};  // 0: as many as the largest packets need
  PFN_VMB_CHANNEL_PROCESS_PACKET process_packet_ = nullptr;
  PFN_VMB_CHANNEL_PROCESSING_COMPLETE processing_complete_ = nullptr;
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks_{};
  std::u16string friendly_name_;
  vmbus::OfferId target_;
  bool any_instance_ = false;
  bool through_pnp_ = false;
  PFN_VMB_CHANNEL_PNP_FAILURE pnp_failure_ = nullptr;
  std::uint32_t flags_ = 0;
  std::uint32_t server_flags_ = 0;
  std::uint32_t mmio_megabytes_ = 0;
  std::uint8_t target_vtl_ = 0;
  bool has_vmbus_handle_ = false;
  bool passive_required_ = false;
  std::uint32_t quota_ = 0;  // 0: unlimited
  void* pointer_ = nullptr;
  bool cleaned_up_ = false;

  // State
  Connection connection_ = Connection::disabled;
  bool active_ = false;  // run state
  bool pause_on_enable_ = false;
  bool rescinded_ = false;
  bool disabling_ = false;       // VmbChannelDisable waits
  bool went_by_itself_ = false;  // disabled, though nobody called VmbChannelDisable
  bool queue_on_ = false;        // packets are delivered
  bool draining_ = false;        // a close waits for delivered packets
  bool pausing_ = false;         // a pause does
  bool opened_ = false;          // EvtChannelOpened succeeded, so EvtChannelClosed is owed
  bool opening_ = false;         // EvtChannelOpened runs
  bool closing_ = false;         // EvtChannelClosed runs
  bool refused_ = false;         // client: the server did not let it open
  bool frozen_ = false;          // server: being saved, so the rings stay as they are until it is started
  bool after_close_ = false;     // closed since it was last enabled or opened
  bool suspended_ = false;       // until the next EvtChannelStarted or EvtChannelClosed
  struct {
    bool enable = false, save_begin = false, restore = false;
  } unheeded_;                 // calls whose result must be looked at: what they were to do has not been done
  bool rings_shared_ = false;  // client: the host knows the ring GPADL
  kernel::Fifo<Step> steps_;
  os::WorkItem step_work_;
  bool stepping_ = false;
  const os::Thread* stepping_thread_ = nullptr;
  struct Caller {
    Step step;
    KEVENT* answered;
  };
  std::vector<Caller> callers_;  // of start, pause and disable
  vmbus::Offer* offer_ = nullptr;
  vmbus::Channel* channel_ = nullptr;
  vmbus::Channel* offered_channel_ = nullptr;  // server: what on_open brought
  vmbus::Lane* in_ = nullptr;
  vmbus::Lane* out_ = nullptr;
  vmbus::Synic::Port port_;             // ours
  std::optional<hw::Pfn> ring_frames_;  // client: both rings
  Pages ring_pages_{};
  std::int64_t most_description_ = 0;  // bytes of a packet besides its payload, at most

  // Sending
  KSPIN_LOCK lock_ = 0;             // guards the outgoing ring
  kernel::Fifo<Outgoing> waiting_;  // for room
  kernel::Fifo<Outgoing> held_;     // until the channel is open and active
  struct Over {
    Packet* packet;
    NTSTATUS status;
  };
  kernel::Fifo<Over> over_;  // left the queue in a flush: without WAIT they are complete
  bool corruption_told_ = false;
  std::uint16_t latency_ = 0;          // of signals to the host, in 100 ns; 0: at once
  kernel::EventHandle late_signal_{};  // under way
  bool late_signal_for_data_ = false;
  std::optional<ActorId> late_actor_;
  std::optional<kernel::Stream> coins_;  // for policies that draw
  std::vector<std::byte> spare_answer_;  // of a synchronous request
  std::vector<Packet*> transactions_;    // hash table of chains, a power of two long
  std::size_t transaction_count_ = 0;
  std::uint64_t last_transaction_id_ = 0;
  Packet* spare_packets_ = nullptr;
  Packet* worn_out_packets_ = nullptr;
  std::uint64_t packets_out_ = 0;  // allocated and not freed
  std::uint64_t under_way_ = 0;    // packets that were sent and are not over
  std::uint64_t last_ticket_ = 0, last_entered_ = 0;
  faults::Faults disturbed_;  // what the host has done to the channel once
  kernel::Stream costs_;
  kernel::Stream signal_costs_;

  // Shared memory
  std::vector<std::unique_ptr<SharedMemory>> shared_;  // client: GPADLs that exist
  std::vector<std::unique_ptr<MappedMemory>> mapped_;  // server
  KEVENT memory_settled_{};                            // one was created or deleted

  // Saving
  PFN_VMB_CHANNEL_SAVE_PACKET save_packet_ = nullptr;
  PFN_VMB_CHANNEL_RESTORE_PACKET restore_packet_ = nullptr;
  std::unique_ptr<SaveContext> saving_;
  bool restoring_ = false;      // the driver's RestorePacket runs
  Packet* restored_ = nullptr;  // by it

  // Receiving
  KDPC dpc_{};
  os::WorkItem pass_work_;
  KEVENT pass_over_{};
  bool pass_running_ = false;
  bool pass_again_ = false;
  const os::Thread* pass_thread_ = nullptr;  // where a pass at PASSIVE_LEVEL runs
  bool deaf_ = false;                        // closing: no pass looks at the rings any more
  bool stalled_ = false;                     // by quota: only a completion ends it
  bool failed_ = false;                      // VmbChannelPacketFail, or a corrupt ring
  std::uint64_t outstanding_ = 0;
  Received* deferred_ = nullptr;  // head of the parsing queue: presented again
  kernel::EventHandle paging_{};  // its external data is under way
  Received* current_ = nullptr;   // in ProcessPacket
  std::vector<std::unique_ptr<Received>> received_;
  Received* spare_received_ = nullptr;
  Counters counters_;
};

}  // namespace vmbsim::kmcl
