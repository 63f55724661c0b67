#pragma once
/// What no single key can tell: names that must match, rings that must hold their packets, loads that must end.
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "sim/config/document.hpp"

namespace vmbsim::scenario {

/// Says what is wrong with `host` (a host, or "host:disk") of a platform file, or nothing. The platform is another room's
/// business; whoever knows both hands it in.
using HostCheck = std::function<std::optional<std::string>(const std::string& platform, const std::string& host)>;

/// Says why no route leads from some of these hosts of a platform file to another one and back, or nothing.
using RouteCheck = std::function<std::optional<std::string>(
    const std::string& platform, const std::vector<std::string>& from, const std::string& to)>;

/// Whom to ask about hardware; either may be empty.
struct HardwareChecks {
  const HostCheck& host;
  const RouteCheck& route;
};

/// Says what is wrong with a driver library that is there, as it follows "the library", or nothing. Whoever asks may have to
/// start a process to find out.
using DriverCheck = std::function<std::optional<std::string>(const std::string& file)>;

/// `document` is where `s` was read from, for the places. `misspelt` are the paths of keys that stand there under a wrong
/// name: nothing is said of their absence.
void check(const Scenario& s, const config::Document& document, const std::set<std::string>& misspelt,
           HardwareChecks hardware, Problems& problems);

/// The length field of a packet descriptor counts 8-byte units in 16 bits. Source: OpenVMM, vmbus_ring: PacketDescriptor.
inline constexpr Bytes largest_packet{65'535 * 8};

/// Bytes of the ring packet that carries one request of `size`, trailer included.
/// Source: OpenVMM, vmbus_ring: a packet is a 16-byte descriptor, its payload rounded up to 8 bytes and an 8-byte trailer; a
/// GPA-direct packet has 8 bytes for the range count, and for each range 8 bytes and one page number of 8 bytes a page
/// touched. A storage request is one range that may start inside a page, and 64 bytes of request block; a network frame the same
/// with 40 bytes.
Bytes packet_size(const ChannelSpec& channel, Bytes size);

/// The largest request that the guest's built-in driver takes.
Bytes largest_request_of(const ChannelSpec& channel);

/// Bytes of all rings of one channel instance, subchannels and control pages included.
Bytes ring_memory(const ChannelSpec& channel);

}  // namespace vmbsim::scenario
