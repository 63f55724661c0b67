#pragma once
/// The messages of the channel protocol, byte by byte: what guest and host say to each other besides the rings.
///
///   const MessageBytes bytes = message_of(OpenResult{.relid = 7, .open_id = 1, .status = 0});
///   if (const auto result = body_of<OpenResult>(bytes)) ...;   // nothing when it is another message, or too short
///
/// Layout   8 bytes of header, type and padding, then the body, packed, little-endian, at most 240 bytes in all. A receiver
///          takes a longer message than it knows, never a shorter one.
/// Source   EMCL, ChannelMessages.h; OpenVMM, vmbus_core: protocol.rs; Linux, hyperv.h: enum vmbus_channel_message_type.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "guiddef.h"
#include "models/vmbus/gpadl.hpp"

namespace vmbsim::vmbus {

/// Numbers as on the wire.
enum class MessageType : std::uint32_t {
  offer = 1,
  rescind = 2,
  request_offers = 3,
  all_offers_delivered = 4,
  open = 5,
  open_result = 6,
  close = 7,
  gpadl_header = 8,
  gpadl_body = 9,
  gpadl_created = 10,
  gpadl_teardown = 11,
  gpadl_torn_down = 12,
  relid_released = 13,
  initiate_contact = 14,
  version_response = 15,
  unload = 16,
  unload_complete = 17,
  modify_channel = 22,
  modify_channel_response = 24,
};
const char* name_of(MessageType type);

/// A version of the protocol: major number in the upper half, minor in the lower.
enum class Version : std::uint32_t {
  v0_13 = 0x0000'000D,
  v1_1 = 0x0001'0001,
  v2_4 = 0x0002'0004,
  v3_0 = 0x0003'0000,
  v4_0 = 0x0004'0000,
  v4_1 = 0x0004'0001,  ///< from here on a channel can be moved to another processor
  v5_0 = 0x0005'0000,  ///< from here on the host names the connection for messages
  v5_1 = 0x0005'0001,
  v5_2 = 0x0005'0002,
  v5_3 = 0x0005'0003,  ///< from here on moving a channel is answered
  v6_0 = 0x0006'0000,
};
/// All of them, newest first: the order in which a guest tries them.
inline constexpr std::array versions{Version::v6_0, Version::v5_3, Version::v5_2, Version::v5_1,
                                     Version::v5_0, Version::v4_1, Version::v4_0, Version::v3_0,
                                     Version::v2_4, Version::v1_1, Version::v0_13};

using MessageBytes = std::vector<std::byte>;
inline constexpr std::size_t longest_message = 240;  ///< Source: TLFS, HV_MESSAGE: payload
inline constexpr std::size_t header_bytes = 8;
inline constexpr std::size_t user_bytes = 120;              ///< in an offer, and in an open
inline constexpr std::uint32_t no_interrupts = 0xFFFFFFFF;  ///< target processor: never interrupt

/// Anything but 0 in a status field is a refusal. Source: OpenVMM, protocol.rs; the values are NTSTATUS.
inline constexpr std::uint32_t status_success = 0;
inline constexpr std::uint32_t status_unsuccessful = 0xC0000001;
inline constexpr std::uint32_t status_insufficient_resources = 0xC000009A;
inline constexpr std::uint32_t status_invalid_parameter = 0xC000000D;

// ---- Bodies -----------------------------------------------------------------------------------------------------------

#pragma pack(push, 1)

/// Host to guest: there is a channel. `connection_id` is where the guest signals it.
struct OfferMessage {
  static constexpr MessageType type = MessageType::offer;
  static constexpr std::uint16_t named_pipe_mode = 0x10;  ///< a bit of `flags`; the pipe's kind leads the user's bytes
  GUID interface_type{};
  GUID interface_instance{};
  std::array<std::uint64_t, 2> reserved{};
  std::uint16_t flags = 0;
  std::uint16_t mmio_megabytes = 0;
  std::array<std::byte, user_bytes> user{};
  std::uint16_t subchannel = 0;
  std::uint16_t mmio_megabytes_optional = 0;
  std::uint32_t relid = 0;
  std::uint8_t monitor_id = 0;
  std::uint8_t monitor_allocated = 0;
  std::uint16_t dedicated_interrupt = 0;
  std::uint32_t connection_id = 0;
};

/// Host to guest: the channel is no more.
struct RescindMessage {
  static constexpr MessageType type = MessageType::rescind;
  std::uint32_t relid = 0;
};

/// Guest to host. The ring to the host begins at page 0 of the GPADL, the one to the guest at `downstream_page`.
struct OpenMessage {
  static constexpr MessageType type = MessageType::open;
  std::uint32_t relid = 0;
  std::uint32_t open_id = 0;
  std::uint32_t gpadl = 0;
  std::uint32_t target_vp = 0;
  std::uint32_t downstream_page = 0;
  std::array<std::byte, user_bytes> user{};
};

struct OpenResult {
  static constexpr MessageType type = MessageType::open_result;
  std::uint32_t relid = 0;
  std::uint32_t open_id = 0;
  std::uint32_t status = 0;
};

/// Guest to host; has no answer.
struct CloseMessage {
  static constexpr MessageType type = MessageType::close;
  std::uint32_t relid = 0;
};

/// Guest to host, followed by 64-bit values: for each range its byte count and offset, then its PFNs.
struct GpadlHeader {
  static constexpr MessageType type = MessageType::gpadl_header;
  std::uint32_t relid = 0;
  std::uint32_t gpadl = 0;
  std::uint16_t range_bytes = 0;  ///< of all ranges, this message's and the bodies'
  std::uint16_t range_count = 0;
};

/// Guest to host: more of the values.
struct GpadlBody {
  static constexpr MessageType type = MessageType::gpadl_body;
  std::uint32_t number = 0;  ///< from 0; nobody reads it
  std::uint32_t gpadl = 0;
};

struct GpadlCreated {
  static constexpr MessageType type = MessageType::gpadl_created;
  std::uint32_t relid = 0;
  std::uint32_t gpadl = 0;
  std::uint32_t status = 0;
};

struct GpadlTeardown {
  static constexpr MessageType type = MessageType::gpadl_teardown;
  std::uint32_t relid = 0;
  std::uint32_t gpadl = 0;
};

struct GpadlTornDown {
  static constexpr MessageType type = MessageType::gpadl_torn_down;
  std::uint32_t gpadl = 0;
};

/// Guest to host: the relid of a rescinded channel may be used again.
struct RelidReleased {
  static constexpr MessageType type = MessageType::relid_released;
  std::uint32_t relid = 0;
};

/// Guest to host: may we speak this version?
struct InitiateContact {
  static constexpr MessageType type = MessageType::initiate_contact;
  std::uint32_t version = 0;
  std::uint32_t target_vp = 0;  ///< where the host's messages go
  std::uint8_t target_sint = 0;
  std::uint8_t target_vtl = 0;
  std::uint16_t reserved = 0;
  std::uint32_t features = 0;
  std::uint64_t parent_to_child_monitor = 0;
  std::uint64_t child_to_parent_monitor = 0;
};

struct VersionResponse {
  static constexpr MessageType type = MessageType::version_response;
  std::uint8_t supported = 0;
  std::uint8_t state = 0;
  std::uint16_t padding = 0;
  std::uint32_t version_or_connection = 0;  ///< the version before 5.0, the connection for messages from then on
};

/// Guest to host: interrupt another processor from now on.
struct ModifyChannel {
  static constexpr MessageType type = MessageType::modify_channel;
  std::uint32_t relid = 0;
  std::uint32_t target_vp = 0;
};

struct ModifyChannelResponse {
  static constexpr MessageType type = MessageType::modify_channel_response;
  std::uint32_t relid = 0;
  std::uint32_t status = 0;
};

#pragma pack(pop)

// ---- Bytes to and fro -------------------------------------------------------------------------------------------------

/// A message that is nothing but its type.
MessageBytes message_of(MessageType type);
/// The type; nothing when there is no whole header.
std::optional<std::uint32_t> type_of(std::span<const std::byte> message);

template <class Body>
MessageBytes message_of(const Body& body) {
  MessageBytes bytes = message_of(Body::type);
  bytes.resize(header_bytes + sizeof body);
  std::memcpy(bytes.data() + header_bytes, &body, sizeof body);
  return bytes;
}

template <class Body>
std::optional<Body> body_of(std::span<const std::byte> message) {
  if (type_of(message) != static_cast<std::uint32_t>(Body::type) || message.size() < header_bytes + sizeof(Body))
    return std::nullopt;
  Body body;
  std::memcpy(&body, message.data() + header_bytes, sizeof body);
  return body;
}

// ---- GPADLs -----------------------------------------------------------------------------------------------------------

/// What fits into one header, a range's own 8 bytes counted as a value, and into one body.
inline constexpr std::size_t values_in_header = (longest_message - header_bytes - sizeof(GpadlHeader)) / 8;
inline constexpr std::size_t values_in_body = (longest_message - header_bytes - sizeof(GpadlBody)) / 8;
/// The length of the ranges is a 16-bit count of bytes: one range of 8190 pages is the most.
inline constexpr std::size_t values_in_gpadl = 0xFFFF / 8;

/// A header and as many bodies as it takes, in their order. Nothing when the description is longer than its length field.
std::optional<std::vector<MessageBytes>> gpadl_messages(std::uint32_t relid, GpadlHandle handle,
                                                        const Gpadl& description);

/// A GPADL whose messages are still coming in.
class GpadlAssembly {
 public:
  /// Nothing for a header that contradicts itself: no ranges, or a length that is no multiple of 8.
  static std::optional<GpadlAssembly> begin(std::span<const std::byte> header);
  /// Takes the values of a body; those beyond the announced length are not looked at.
  void add(std::span<const std::byte> body);
  bool complete() const { return values_.size() == expected_; }
  /// Nothing when ranges and length do not agree. Precondition: complete.
  std::optional<Gpadl> description() const;
  std::uint32_t relid() const { return relid_; }

 private:
  void take(std::span<const std::byte> values);
  std::uint32_t relid_ = 0;
  std::size_t expected_ = 0;
  std::size_t ranges_ = 0;
  std::vector<std::uint64_t> values_;
};

}  // namespace vmbsim::vmbus
