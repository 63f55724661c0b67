/*
 * What both ends of the storage channel know, and what the host's driver and its worker process know.
 */
#pragma once

#include <initguid.h>
#include <ntddk.h>
#include <wdf.h>

#include <vmbuskernelmodeclientlibapi.h>

/* {57a0c0de-57a0-57a0-8757-0123456789ab} */
DEFINE_GUID(GUID_STORAGE_CHANNEL_TYPE, 0x57a0c0de, 0x57a0, 0x57a0, 0x87, 0x57, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab);

#define STORAGE_TAG 'rotS'

#define STORAGE_DISK_BYTES (8u * 1024 * 1024)
#define STORAGE_MAXIMUM_TRANSFER (256u * 1024)

/* Small on purpose: requests wait for room when many callers are at work. */
#define STORAGE_RING_PAGES 1u

typedef enum _STORAGE_OPERATION { StorageRead = 1, StorageWrite = 2 } STORAGE_OPERATION;

/* Guest to host; the data is external. Its completion is a STORAGE_ANSWER. */
typedef struct _STORAGE_REQUEST {
    UINT32 Operation;
    UINT32 Length;
    UINT64 Offset;
} STORAGE_REQUEST, *PSTORAGE_REQUEST;

typedef struct _STORAGE_ANSWER {
    NTSTATUS Status;
    UINT32 Length;
} STORAGE_ANSWER, *PSTORAGE_ANSWER;

/* Host to guest, after every so many requests: the guest sees each number once, in order. Its completion is empty. */
typedef struct _STORAGE_NOTICE {
    UINT64 Number;
    UINT64 Completed;
} STORAGE_NOTICE, *PSTORAGE_NOTICE;

#define STORAGE_NOTICE_INTERVAL 32u

/*
 * The worker process of the virtual machine saves and restores the channel with these: the first one returns what was saved,
 * the second one takes it.
 */
#define IOCTL_STORAGE_SAVE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_STORAGE_RESTORE CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
