#pragma once
/// What a network client and a network server say to each other, along the lines of Hyper-V's network channel.
///
/// Handshake  version, then the receive buffer and the send buffer, each by the handle of its GPADL; each is answered.
/// To host    a frame lies in a section of the send buffer or in the packet's external data; the answer gives the section back.
/// To guest   a frame lies in sections of the receive buffer; the guest's completion gives them back.
/// Sections   KMCL has no call that sends a transfer-page packet, the form this has on the wire between Windows' own network
///            drivers; so the same ranges travel inline here.
/// Source     Linux, hyperv_net.h: nvsp_message has 40 bytes; send sections have 6144 bytes, receive sections 1728; buffers of
///            1 MiB and 16 MiB.
#include "ntdef.h"

namespace vmbsim::drivers {

constexpr UINT32 NetworkVersion = 0x60001;
constexpr UINT32 NetworkSendSectionBytes = 6144;
constexpr UINT32 NetworkReceiveSectionBytes = 1728;
constexpr UINT32 NetworkSendBufferBytes = 1u << 20;
constexpr UINT32 NetworkReceiveBufferBytes = 16u << 20;
/// The largest frame is a segment that the adapter is left to cut. Source: NDIS, large send offload: 64 KiB with headers.
constexpr UINT32 NetworkMaximumFrame = 64u << 10;
constexpr UINT32 NetworkMinimumFrame = 64;  ///< shorter ones are padded, as on Ethernet
constexpr UINT32 NetworkNoSection = 0xFFFFFFFF;

enum NetworkMessageType : UINT32 {
  NetworkInitialize = 1,
  NetworkShareReceiveBuffer = 2,
  NetworkShareSendBuffer = 3,
  NetworkSendFrame = 4,
  NetworkReceiveFrame = 5
};

/// Guest to host.
struct NetworkMessage {
  UINT32 Type;
  UINT32 Version;       ///< NetworkInitialize
  UINT32 GpadlHandle;   ///< of a buffer
  UINT32 BufferBytes;   ///< of a buffer
  UINT32 SectionIndex;  ///< of a frame; NetworkNoSection: it is the external data
  UINT32 FrameBytes;
  UINT32 Reserved[4];
};

/// The host's answer, and the guest's to a received frame.
struct NetworkReply {
  NTSTATUS Status;
  UINT32 Version;
  UINT32 SectionBytes;
  UINT32 SectionCount;
};

/// Part of a frame in the receive buffer.
struct NetworkRange {
  UINT32 ByteOffset;
  UINT32 ByteCount;
};
constexpr UINT32 NetworkMaximumRanges =
    (NetworkMaximumFrame + NetworkReceiveSectionBytes - 1) / NetworkReceiveSectionBytes;

/// Host to guest; only the first RangeCount ranges are sent.
struct NetworkReceive {
  UINT32 Type;
  UINT32 RangeCount;
  NetworkRange Ranges[NetworkMaximumRanges];
};

/// The first bytes of every frame. A frame that wants an answer gets one of ReplyBytes with the same cookie.
struct NetworkFrameHeader {
  UINT64 Cookie;
  INT64 ServiceTime;  ///< nanoseconds as recorded in a trace; negative: the wire's own
  UINT32 FrameBytes;
  UINT32 ReplyBytes;  ///< 0: none
};

static_assert(sizeof(NetworkMessage) == 40 && sizeof(NetworkReply) == 16 &&
              sizeof(NetworkFrameHeader) <= NetworkMinimumFrame);

}  // namespace vmbsim::drivers
