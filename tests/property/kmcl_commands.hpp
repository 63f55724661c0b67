#pragma once
/// Sequences of calls that the drivers of both ends of a channel may make, drawn and shrunk by rapidcheck.
///
///   Model      the drivers' own knowledge between two commands: which commands would be legal now, and what they change.
///   Sequence   commands of which each is legal after those before it. Whatever is left of it when it is shrunk is legal too.
///   Numbers    a command's `a` and `b` choose its variants; 0 is the plainest. Equal seeds give equal sequences.
#include <rapidcheck.h>

#include <array>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace vmbsim::testing::sequences {

enum class Do : std::uint8_t {
  enable,
  disable,
  start,
  pause,
  refuse_open,  ///< the next EvtChannelOpened of this end fails
  configure,
  recreate,  ///< clean up, and allocate another channel
  quota,
  passive,
  look,     ///< pointers, sizes, GUIDs, MMIO space
  latency,  ///< guest
  send,
  ask,       ///< a synchronous request
  complete,  ///< one of the packets this end has kept
  share,     ///< guest: a GPADL
  map,       ///< host
  unmap,     ///< host
  unshare,   ///< guest
  snapshot,  ///< host: save the channel, and go on
};
constexpr std::array names{"enable", "disable", "start", "pause",   "refuse_open", "configure", "recreate",
                           "quota",  "passive", "look",  "latency", "send",        "ask",       "complete",
                           "share",  "map",     "unmap", "unshare", "snapshot"};
/// How often each is tried, in the order of Do.
constexpr std::array<std::uint32_t, names.size()> weights{20, 2,  12, 3,  1, 1,  2, 3, 3, 2,
                                                          2,  40, 10, 16, 8, 16, 8, 4, 4};

struct Command {
  Do what = Do::look;
  bool server = false;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

/// What a packet makes its receiver do, once.
enum class Fate : std::uint8_t {
  complete,
  keep,
  defer_and_complete,
  defer_and_keep,
  use_data_and_complete,
  use_data_and_keep,
  complete_elsewhere,
  fail,
  /// What the receiver was told to do with the next one of these.
  special,
};
/// The fate that a send's `a` chooses.
inline Fate fate_of(std::uint32_t a) {
  constexpr std::array fates{Fate::complete,
                             Fate::complete,
                             Fate::complete,
                             Fate::keep,
                             Fate::keep,
                             Fate::defer_and_complete,
                             Fate::defer_and_keep,
                             Fate::complete,
                             Fate::use_data_and_complete,
                             Fate::use_data_and_keep,
                             Fate::complete_elsewhere,
                             Fate::complete,
                             Fate::keep,
                             Fate::complete,
                             Fate::complete_elsewhere,
                             Fate::fail};
  return fates[(a >> 8) % fates.size()];
}

class Model {
 public:
  struct End {
    bool enabled = false;
    bool active = false;
    bool pause_noted = false;
    bool refuses = false;
    bool suspended = false;   ///< by EvtChannelSuspend: no sends until Started or Closed
    bool holds = false;       ///< packets that were sent and no traffic could take yet, perhaps
    bool stopped = false;     ///< its incoming queue, by VmbChannelPacketFail, perhaps
    bool went_alone = false;  ///< disabled by what the other end did
    bool was_closed = false;  ///< and that after it had been open
  };
  enum class Memory : std::uint8_t { none, shared, mapped };

  End host, guest;
  std::array<Memory, 3> memory{};
  bool open = false;

  End& end(bool server) { return server ? host : guest; }
  const End& end(bool server) const { return server ? host : guest; }
  bool runs(bool server) const { return open && end(server).active; }
  /// Packets that are sent to this end are delivered to it.
  bool delivers_to(bool server) const { return runs(true) && runs(false) && !end(server).stopped; }

  bool legal(const Command& c) const {
    const End& e = end(c.server);
    const Memory slot = memory[c.a % memory.size()];
    switch (c.what) {
      case Do::enable: return !e.enabled;
      case Do::disable: return e.enabled || (!c.server && e.went_alone);
      case Do::start: return e.enabled;
      case Do::refuse_open: return !open;
      case Do::recreate: return !e.enabled && !e.holds;
      case Do::latency: return !c.server && open;
      case Do::send: return !e.suspended && (fate_of(c.a) != Fate::fail || (runs(true) && runs(false)));
      case Do::ask: return !e.suspended;
      case Do::share: return !c.server && open && slot == Memory::none;
      case Do::map: return c.server && open && slot == Memory::shared;
      case Do::unmap: return c.server && open && slot == Memory::mapped;
      case Do::unshare: return !c.server && open && slot != Memory::none;
      case Do::snapshot: return c.server && e.enabled && !runs(true);
      case Do::pause:
      case Do::configure:
      case Do::quota:
      case Do::passive:
      case Do::look:
      case Do::complete: return true;
    }
    return false;
  }

  void apply(const Command& c) {
    End& e = end(c.server);
    Memory& slot = memory[c.a % memory.size()];
    switch (c.what) {
      case Do::enable:
        e.enabled = true;
        e.active = !c.server && !e.pause_noted;
        if (!c.server) e.pause_noted = false;
        e.went_alone = e.was_closed = false;
        try_to_open();
        break;
      case Do::disable:
        if (!e.enabled) {
          e.went_alone = false;
          break;
        }
        e.enabled = false;
        if (c.server && open) leave(true);
        close();
        break;
      case Do::start:
        e.active = true;
        start_traffic(e);
        break;
      case Do::pause:
        if (!e.enabled) {
          e.pause_noted = true;
          break;
        }
        if (runs(c.server)) e.suspended = true;
        e.active = false;
        break;
      case Do::refuse_open: e.refuses = true; break;
      case Do::recreate: e = {}; break;
      case Do::send:
        e.holds = e.holds || !runs(c.server);
        if (fate_of(c.a) == Fate::fail) end(!c.server).stopped = true;
        break;
      case Do::ask: e.holds = e.holds || !runs(c.server); break;
      case Do::share: slot = Memory::shared; break;
      case Do::map: slot = Memory::mapped; break;
      case Do::unmap: slot = Memory::shared; break;
      case Do::unshare: slot = Memory::none; break;
      case Do::configure:
      case Do::quota:
      case Do::passive:
      case Do::look:
      case Do::latency:
      case Do::complete:
      case Do::snapshot: break;
    }
  }

 private:
  void start_traffic(End& e) {
    if (!open || !e.active) return;
    e.suspended = e.holds = false;
  }
  void try_to_open() {
    if (!host.enabled || !guest.enabled) return;
    if (host.refuses) {
      host.refuses = false;
      return leave(false);
    }
    open = true;
    start_traffic(host);
    if (guest.refuses) {
      guest.refuses = false;
      leave(false);
      return close();
    }
    start_traffic(guest);
  }
  /// The guest's channel is disabled, and its driver did not ask for that.
  void leave(bool after_open) {
    guest.enabled = false;
    guest.went_alone = true;
    guest.was_closed = after_open;
  }
  void close() {
    if (!open) return;
    open = false;
    memory = {};
    for (End* e : {&host, &guest}) e->suspended = e->holds = e->stopped = false;
  }
};

struct Sequence {
  std::uint32_t machines = 0;  ///< chooses costs, processors and policies; 0: nothing costs anything
  std::vector<Command> commands;
};
inline std::ostream& operator<<(std::ostream& to, const Command& c) {
  return to << (c.server ? "host " : "guest ") << names[static_cast<std::size_t>(c.what)] << " " << c.a << " " << c.b;
}
inline std::ostream& operator<<(std::ostream& to, const Sequence& s) {
  to << "machines " << s.machines;
  for (const Command& c : s.commands) to << "\n  " << c;
  return to;
}

/// The state after the first `count` commands.
inline Model after(const Sequence& sequence, std::size_t count) {
  Model model;
  for (std::size_t i = 0; i < count; ++i) model.apply(sequence.commands[i]);
  return model;
}

inline bool legal(const Sequence& sequence) {
  Model model;
  for (const Command& c : sequence.commands) {
    if (!model.legal(c)) return false;
    model.apply(c);
  }
  return true;
}

/// Draws from rapidcheck's generator, of which every value may be asked once.
class Dice {
 public:
  explicit Dice(const rc::Random& random) : random_(random) {}
  std::uint32_t below(std::uint64_t limit) { return static_cast<std::uint32_t>(random_.split().next() % limit); }

 private:
  rc::Random random_;
};

inline Command drawn(Dice& dice, const Model& model) {
  std::uint32_t all = 0;
  for (const std::uint32_t weight : weights) all += weight;
  for (;;) {
    std::uint32_t left = dice.below(all);
    std::size_t which = 0;
    while (left >= weights[which]) left -= weights[which++];
    const std::uint32_t bits = dice.below(1u << 30);
    const Command command{static_cast<Do>(which), (bits & 1) != 0, (bits >> 1) & 0xFFFF, bits >> 17};
    if (model.legal(command)) return command;
  }
}

/// Up to fifty commands, fewer in early sequences.
inline Sequence drawn_sequence(const rc::Random& random, int size) {
  Dice dice(random);
  Sequence sequence;
  sequence.machines = dice.below(8) == 0 ? 0 : 1 + dice.below(1 << 20);
  Model model;
  if (dice.below(4) != 0)  // an open channel soon
    for (const Command command : {Command{Do::enable, true}, Command{Do::start, true}, Command{Do::enable, false}}) {
      sequence.commands.push_back(command);
      model.apply(command);
    }
  const std::uint32_t count = dice.below(static_cast<std::uint64_t>(size) / 2 + 2);
  for (std::uint32_t i = 0; i < count; ++i) {
    sequence.commands.push_back(drawn(dice, model));
    model.apply(sequence.commands.back());
  }
  return sequence;
}

/// Simpler sequences that are legal too: without some commands, with plainer ones, on plainer machines.
inline rc::Seq<Sequence> simpler(const Sequence& sequence) {
  const auto with = [sequence](std::vector<Command> commands) {
    return Sequence{sequence.machines, std::move(commands)};
  };
  const auto plainer = [](const Command& c) {
    const auto in_a = [c](std::uint32_t a) { return Command{c.what, c.server, a, c.b}; };
    const auto in_b = [c](std::uint32_t b) { return Command{c.what, c.server, c.a, b}; };
    return rc::seq::concat(rc::seq::map(rc::shrink::towards(c.a, 0u), in_a),
                           rc::seq::map(rc::shrink::towards(c.b, 0u), in_b));
  };
  const auto on = [sequence](std::uint32_t machines) { return Sequence{machines, sequence.commands}; };
  return rc::seq::filter(rc::seq::concat(rc::seq::map(rc::shrink::removeChunks(sequence.commands), with),
                                         rc::seq::map(rc::shrink::towards(sequence.machines, 0u), on),
                                         rc::seq::map(rc::shrink::eachElement(sequence.commands, plainer), with)),
                         [](const Sequence& candidate) { return legal(candidate); });
}

/// Sequences of which each is legal.
inline rc::Gen<Sequence> legal_sequences() {
  return [](const rc::Random& random, int size) {
    return rc::shrinkable::shrinkRecur(drawn_sequence(random, size), &simpler);
  };
}

}  // namespace vmbsim::testing::sequences
