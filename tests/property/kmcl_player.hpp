#pragma once
/// Plays sequences of commands on a pair of ends, and says what was wrong.
///
///   Player player(sequence.machines);
///   for (const Command& c : sequence.commands) player.play(c, model);
///   player.wind_down(model);
///   RC_ASSERT(player.wrong() == "");
///
/// Each call is made by a thread of its own. Commands that change the state of a channel are played to their end; sends and
/// completions may be left under way while the next commands are played.
#include <deque>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/property/kmcl_commands.hpp"
#include "tests/support/random_machines.hpp"

namespace vmbsim::testing::sequences {

class Player {
  RandomChoices random_;  // of the machines, which are made next

 public:
  explicit Player(std::uint32_t machines);
  Player(const Player&) = delete;

  /// `before` is the state that the command is legal in.
  void play(const Command& command, const Model& before);
  /// Opens and starts the channel, lets everything come to its end, closes and cleans up.
  void wind_down(const Model& model);

  /// What did not happen as it should; a line each, empty when nothing.
  std::string wrong() const { return wrong_; }
  /// The rules that were broken, in order, with a space between.
  std::string broken_rules() const;
  std::string findings() const { return pair.found(); }

  // ---- For who makes a mistake ----

  struct Side {
    Side(End& e, os::Partition& p, bool is_server) : end(e), partition(p), server(is_server) {}
    End& end;
    os::Partition& partition;
    bool server;
    std::vector<VMBPACKETCOMPLETION> kept;
    bool suspended = false;    // EvtChannelSuspend was called, and neither Started nor Closed since
    bool refuses = false;      // the next Opened fails
    bool overlapping = false;  // sends were under way together: their order is open
    std::uint64_t sent = 0;    // completion routines that are owed
    std::uint64_t last_number = 0;
    std::uint64_t last_arrived = 0;
    std::set<std::uint64_t> again;     // to be presented again
    std::function<void()> in_suspend;  // once
    std::function<void()> in_started;  // once
    std::function<void(Arrived&)> special;
    UINT32 handles[3] = {};  // guest: GPADLs
    bool read_only[3] = {};
    bool mapped[3] = {};     // host
    bool forgetful = false;  // EvtChannelClosed gives nothing back
  };
  Side& side(bool server) { return server ? host_ : guest_; }

  /// To the end of `body`, and of everything that comes of it.
  void on(bool server, std::function<void()> body) {
    if (!pair.machines.start(side(server).partition, 0, std::move(body)).ended) pair.machines.quiesce();
  }
  /// Every kept packet is completed, and nothing is under way.
  void settle();
  /// The other end sends this end a packet, with external data where that is asked for, and `receiver` is its ProcessPacket.
  void deliver(bool to_server, bool external, std::function<void(Arrived&)> receiver);
  /// A send by this end, as command `c` says.
  void send(Side& from, const Command& c);

  ChannelPair pair;

 private:
  /// What belongs to a packet until its completion routine runs.
  struct Sent {
    void* page = nullptr;
    MDL* mdl = nullptr;
    void* own_memory = nullptr;
    bool again = false;  // send it once more
    UINT32 length = 0;
  };
  struct Asked {
    bool entered = false;
    NTSTATUS status = STATUS_PENDING;
    alignas(8) std::byte question[64] = {};
    alignas(8) std::byte answer[64] = {};
    UINT32 room = 64;
    LARGE_INTEGER timeout{};
  };

  static PairConfig config_of(RandomChoices& random, std::uint32_t machines);
  void set_up(Side& side);
  void on_packet(Side& side, Arrived& a);
  void on_completed(Side& side, Returned& r);
  NTSTATUS submit(VMBPACKET packet, std::vector<std::byte>& bytes, const Command& c, Sent& sent);
  void ask(Side& from, const Command& c);
  void complete_one(Side& at, std::uint32_t which, std::uint32_t words);
  void configure(Side& at, bool enabled);
  void look(Side& at, const Model& before);
  void save();
  void give_back(Side& side);
  TwoPartitions::Running& start(Side& at, std::uint32_t bits, std::function<void()> body);
  void run_until_true(const bool& condition);
  void calls_are_made();
  /// A call that waits for packets which the drivers keep: they complete them meanwhile.
  void blocking(Side& at, const Command& c, std::function<void()> body, bool both_complete);
  bool complete_kept(Side& at);
  void expect(bool holds, const std::string& what) {
    if (!holds) wrong_ += what + "\n";
  }
  void answer(VMBPACKETCOMPLETION packet, std::uint32_t words) {
    VmbChannelPacketComplete(packet, answer_, 8 * (words % 9));
  }

  Side host_, guest_;
  std::deque<Sent> of_host_, of_guest_;  // by number
  std::deque<Asked> asked_;
  std::vector<std::reference_wrapper<const TwoPartitions::Running>> calls_;  // that do not wait, perhaps under way
  std::string wrong_;
  bool order_holds_;
  bool guest_closes_first_;
  alignas(8) std::byte answer_[64] = {};
};

}  // namespace vmbsim::testing::sequences
