/*
 * What both ends of the network channel know.
 *
 * The guest shares two buffers. A frame to the host lies in a section of the send buffer, or is external data where it is larger
 * than a section or all sections are under way. A frame to the guest lies in sections of the receive buffer, which the host has
 * back when the guest completes the packet that names them.
 */
#pragma once

#include <initguid.h>
#include <ntddk.h>
#include <wdf.h>

#include <vmbuskernelmodeclientlibapi.h>

/* {4e7c0de0-4e7c-4e7c-8e7c-0123456789ab} */
DEFINE_GUID(GUID_NETWORK_CHANNEL_TYPE, 0x4e7c0de0, 0x4e7c, 0x4e7c, 0x8e, 0x7c, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab);

#define NETWORK_TAG 'teNN'

#define NETWORK_VERSION 1u
#define NETWORK_RING_PAGES 1u /* small on purpose: the guest's queue has to stop now and then */

#define NETWORK_SEND_SECTION_BYTES 6144u
#define NETWORK_SEND_SECTIONS 32u
#define NETWORK_RECEIVE_SECTION_BYTES 2048u
#define NETWORK_RECEIVE_SECTIONS 128u
#define NETWORK_SEND_BUFFER_BYTES (NETWORK_SEND_SECTION_BYTES * NETWORK_SEND_SECTIONS)
#define NETWORK_RECEIVE_BUFFER_BYTES (NETWORK_RECEIVE_SECTION_BYTES * NETWORK_RECEIVE_SECTIONS)

#define NETWORK_MAXIMUM_FRAME 65536u
#define NETWORK_NO_SECTION 0xFFFFFFFFu

typedef enum _NETWORK_MESSAGE_TYPE {
    NetworkInitialize = 1, /* guest to host: version and buffers; answered by a NETWORK_ANSWER */
    NetworkFrameToHost = 2,
    NetworkFrameToGuest = 3
} NETWORK_MESSAGE_TYPE;

typedef struct _NETWORK_INITIALIZE {
    UINT32 Type;
    UINT32 Version;
    UINT32 SendBuffer; /* GPADL handles */
    UINT32 ReceiveBuffer;
} NETWORK_INITIALIZE, *PNETWORK_INITIALIZE;

typedef struct _NETWORK_FRAME_TO_HOST {
    UINT32 Type;
    UINT32 Section; /* NETWORK_NO_SECTION: the frame is the external data */
    UINT32 FrameBytes;
    UINT32 ReplyBytes; /* how long the frame shall be that answers this one; 0: no answer is wanted */
    UINT64 Cookie;     /* comes back with the answer; the number of a request, for no address leaves the guest */
} NETWORK_FRAME_TO_HOST, *PNETWORK_FRAME_TO_HOST;

typedef struct _NETWORK_RANGE {
    UINT32 ByteOffset;
    UINT32 ByteCount;
} NETWORK_RANGE, *PNETWORK_RANGE;

#define NETWORK_MAXIMUM_RANGES (NETWORK_MAXIMUM_FRAME / NETWORK_RECEIVE_SECTION_BYTES)

/* Only as many ranges are sent as there are. */
typedef struct _NETWORK_FRAME_TO_GUEST {
    UINT32 Type;
    UINT32 RangeCount;
    UINT64 Cookie;
    NETWORK_RANGE Ranges[NETWORK_MAXIMUM_RANGES];
} NETWORK_FRAME_TO_GUEST, *PNETWORK_FRAME_TO_GUEST;

typedef struct _NETWORK_ANSWER {
    NTSTATUS Status;
    UINT32 Reserved;
} NETWORK_ANSWER, *PNETWORK_ANSWER;
