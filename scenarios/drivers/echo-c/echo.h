/*
 * What both ends of the echo channel know.
 */
#pragma once

#include <initguid.h>
#include <ntddk.h>
#include <wdf.h>

#include <vmbuskernelmodeclientlibapi.h>

/* {e3a1c0de-4ec0-4ec0-8ec0-0123456789ab}: the type of the channel; the guest's hardware ID is made of it. */
DEFINE_GUID(GUID_ECHO_CHANNEL_TYPE, 0xe3a1c0de, 0x4ec0, 0x4ec0, 0x8e, 0xc0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab);

/* Bytes of the largest message; what a caller wants to send beyond it is refused. */
#define ECHO_MAXIMUM_MESSAGE 16384u

#define ECHO_RING_PAGES 32u
