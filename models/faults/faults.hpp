#pragma once
/// What may go wrong without anybody's mistake: each is a question to the choice source, and the default is that it does not.
#include <cstdint>

namespace vmbsim::faults {

enum class Fault : std::uint8_t {
  allocation,          ///< ExAllocatePool finds no memory; asked when a size and tag are first seen
  ring_full,           ///< a packet waits though there is room, until the next pass
  pending_data,        ///< external data is not resident when it is first asked for
  pending_completion,  ///< a packet that needs no answer completes in a pass and not inside its send
  short_completion,    ///< an answer loses its last bytes
  cancel,              ///< the other end puts a cancel packet before the packet
  suspend,             ///< the host pauses the channel and starts it again
  rescind,             ///< the host takes the channel away, for good
};

struct FaultKind {
  Fault fault;
  const char* name;     ///< as a scenario says it
  bool to_be_survived;  ///< by every correct driver, requests and all: on where a scenario does not say otherwise
  const char* what;     ///< one line
};

/// Source   Driver Verifier, "Systematic low resources simulation" (first time a call is seen) and "Force pending I/O requests";
///          KMCL DDI: VmbChannelPacketGetExternalData, EVT_VMB_PACKET_COMPLETION_ROUTINE, VmbChannelPause, VmbChannelDisable.
inline constexpr FaultKind fault_kinds[] = {
    {Fault::allocation, "allocation", false, "a pool allocation fails, the first time its size and tag are seen"},
    {Fault::ring_full, "ring-full", true, "a packet waits though there is room"},
    {Fault::pending_data, "pending-data", true, "external data is not there when it is first asked for"},
    {Fault::pending_completion, "pending-completion", true, "a packet that needs no answer completes later"},
    {Fault::short_completion, "short-completion", false, "an answer loses its last bytes"},
    {Fault::cancel, "cancel", true, "a cancel packet arrives before the packet"},
    {Fault::suspend, "suspend", true, "the host pauses a channel and starts it again"},
    {Fault::rescind, "rescind", false, "the host takes a channel away"},
};

/// A set of them.
class Faults {
 public:
  constexpr Faults() = default;
  constexpr bool has(Fault fault) const { return (bits_ >> static_cast<unsigned>(fault) & 1) != 0; }
  constexpr void add(Fault fault) { bits_ |= 1u << static_cast<unsigned>(fault); }
  static constexpr Faults to_be_survived() {
    Faults all;
    for (const FaultKind& kind : fault_kinds)
      if (kind.to_be_survived) all.add(kind.fault);
    return all;
  }
  friend constexpr bool operator==(Faults, Faults) = default;

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace vmbsim::faults
