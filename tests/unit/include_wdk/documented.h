#pragma once
// What the documents say, once, for the C and the C++ side of this test.
// What KMCL is made of stands in a list of its own.
// Sources: [MS-ERREF] 2.3 (statuses), Windows driver documentation: wdm.h (levels, MDL and pool flags, enumerations), "Windows Data Types" (sizes).

#include "tests/coverage/documented_kmcl.h"

#define DOCUMENTED_STATUSES(X)                                                                      \
  KMCL_STATUSES(X)                                                                                    \
  X(STATUS_WAIT_0, 0x00000000)                                                                      \
  X(STATUS_ALERTED, 0x00000101)                                                                     \
  X(STATUS_OBJECT_NAME_EXISTS, 0x40000000)                                                          \
  X(STATUS_DEVICE_POWERED_OFF, 0x8000000F)                                                          \
  X(STATUS_DEVICE_BUSY, 0x80000011)                                                                 \
  X(STATUS_NO_MORE_ENTRIES, 0x8000001A)                                                             \
  X(STATUS_UNSUCCESSFUL, 0xC0000001)                                                                \
  X(STATUS_NOT_IMPLEMENTED, 0xC0000002)                                                             \
  X(STATUS_INFO_LENGTH_MISMATCH, 0xC0000004)                                                        \
  X(STATUS_ACCESS_VIOLATION, 0xC0000005)                                                            \
  X(STATUS_INVALID_HANDLE, 0xC0000008)                                                              \
  X(STATUS_NO_SUCH_DEVICE, 0xC000000E)                                                              \
  X(STATUS_INVALID_DEVICE_REQUEST, 0xC0000010)                                                      \
  X(STATUS_END_OF_FILE, 0xC0000011)                                                                 \
  X(STATUS_NO_MEMORY, 0xC0000017)                                                                   \
  X(STATUS_ACCESS_DENIED, 0xC0000022)                                                               \
  X(STATUS_OBJECT_TYPE_MISMATCH, 0xC0000024)                                                        \
  X(STATUS_OBJECT_NAME_NOT_FOUND, 0xC0000034)                                                       \
  X(STATUS_OBJECT_NAME_COLLISION, 0xC0000035)                                                       \
  X(STATUS_DATA_ERROR, 0xC000003E)                                                                  \
  X(STATUS_REVISION_MISMATCH, 0xC0000059)                                                           \
  X(STATUS_INTEGER_OVERFLOW, 0xC0000095)                                                            \
  X(STATUS_DEVICE_NOT_READY, 0xC00000A3)                                                            \
  X(STATUS_IO_TIMEOUT, 0xC00000B5)                                                                  \
  X(STATUS_NOT_SUPPORTED, 0xC00000BB)                                                               \
  X(STATUS_INTERNAL_ERROR, 0xC00000E5)                                                              \
  X(STATUS_INVALID_PARAMETER_12, 0xC00000FA)                                                        \
  X(STATUS_IO_DEVICE_ERROR, 0xC0000185)                                                             \
  X(STATUS_INVALID_BUFFER_SIZE, 0xC0000206)                                                         \
  X(STATUS_CONNECTION_DISCONNECTED, 0xC000020C)                                                     \
  X(STATUS_NOT_FOUND, 0xC0000225)                                                                   \
  X(STATUS_RETRY, 0xC000022D)                                                                       \

#define DOCUMENTED_VALUES(X)                                                                        \
  KMCL_VALUES(X)                                                                                    \
  X(PASSIVE_LEVEL, 0)                                                                               \
  X(LOW_LEVEL, 0)                                                                                   \
  X(APC_LEVEL, 1)                                                                                   \
  X(DISPATCH_LEVEL, 2)                                                                              \
  X(CMCI_LEVEL, 5)                                                                                  \
  X(CLOCK_LEVEL, 13)                                                                                \
  X(IPI_LEVEL, 14)                                                                                  \
  X(DRS_LEVEL, 14)                                                                                  \
  X(POWER_LEVEL, 14)                                                                                \
  X(PROFILE_LEVEL, 15)                                                                              \
  X(HIGH_LEVEL, 15)                                                                                 \
  X(METHOD_BUFFERED, 0)                                                                             \
  X(METHOD_IN_DIRECT, 1)                                                                            \
  X(METHOD_OUT_DIRECT, 2)                                                                           \
  X(METHOD_NEITHER, 3)                                                                              \
  X(FILE_ANY_ACCESS, 0)                                                                             \
  X(FILE_READ_ACCESS, 1)                                                                            \
  X(FILE_WRITE_ACCESS, 2)                                                                           \
  X(FILE_DEVICE_UNKNOWN, 0x22)                                                                      \
  X(CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS), 0x222000)               \
  X(PAGE_SIZE, 4096)                                                                                \
  X(PAGE_SHIFT, 12)                                                                                 \
  X(LowImportance, 0)                                                                               \
  X(MediumImportance, 1)                                                                            \
  X(HighImportance, 2)                                                                              \
  X(MediumHighImportance, 3)                                                                        \
  X(NotificationEvent, 0)                                                                           \
  X(SynchronizationEvent, 1)                                                                        \
  X(NotificationTimer, 0)                                                                           \
  X(SynchronizationTimer, 1)                                                                        \
  X(CriticalWorkQueue, 0)                                                                           \
  X(DelayedWorkQueue, 1)                                                                            \
  X(HyperCriticalWorkQueue, 2)                                                                      \
  X(KernelMode, 0)                                                                                  \
  X(UserMode, 1)                                                                                    \
  X(Executive, 0)                                                                                   \
  X(UserRequest, 6)                                                                                 \
  X(NonPagedPool, 0)                                                                                \
  X(PagedPool, 1)                                                                                   \
  X(NonPagedPoolNx, 512)                                                                            \
  X(POOL_FLAG_UNINITIALIZED, 0x2)                                                                   \
  X(POOL_FLAG_CACHE_ALIGNED, 0x8)                                                                   \
  X(POOL_FLAG_RAISE_ON_FAILURE, 0x20)                                                               \
  X(POOL_FLAG_NON_PAGED, 0x40)                                                                      \
  X(POOL_FLAG_NON_PAGED_EXECUTE, 0x80)                                                              \
  X(POOL_FLAG_PAGED, 0x100)                                                                         \
  X(MDL_MAPPED_TO_SYSTEM_VA, 0x1)                                                                   \
  X(MDL_PAGES_LOCKED, 0x2)                                                                          \
  X(MDL_SOURCE_IS_NONPAGED_POOL, 0x4)                                                               \
  X(MDL_ALLOCATED_FIXED_SIZE, 0x8)                                                                  \
  X(MDL_PARTIAL, 0x10)                                                                              \
  X(MDL_PARTIAL_HAS_BEEN_MAPPED, 0x20)                                                              \
  X(MDL_IO_PAGE_READ, 0x40)                                                                         \
  X(MDL_WRITE_OPERATION, 0x80)                                                                      \
  X(MDL_LOCKED_PAGE_TABLES, 0x100)                                                                  \
  X(MDL_FREE_EXTRA_PTES, 0x200)                                                                     \
  X(MDL_DESCRIBES_AWE, 0x400)                                                                       \
  X(MDL_IO_SPACE, 0x800)                                                                            \
  X(MDL_NETWORK_HEADER, 0x1000)                                                                     \
  X(MDL_MAPPING_CAN_FAIL, 0x2000)                                                                   \
  X(MDL_PAGE_CONTENTS_INVARIANT, 0x4000)                                                            \
  X(MDL_INTERNAL, 0x8000)                                                                           \
  X(NormalPagePriority, 16)                                                                         \
  X(HighPagePriority, 32)                                                                           \
  X(MdlMappingNoWrite, 0x80000000)                                                                  \
  X(MdlMappingNoExecute, 0x40000000)                                                                \
  X(MmNonCached, 0)                                                                                 \
  X(MmCached, 1)

#define DOCUMENTED_SIZES(X)                                                                         \
  X(UCHAR, 1)                                                                                       \
  X(BOOLEAN, 1)                                                                                     \
  X(KIRQL, 1)                                                                                       \
  X(WCHAR, 2)                                                                                       \
  X(USHORT, 2)                                                                                      \
  X(CSHORT, 2)                                                                                      \
  X(LONG, 4)                                                                                        \
  X(ULONG, 4)                                                                                       \
  X(NTSTATUS, 4)                                                                                    \
  X(KPRIORITY, 4)                                                                                   \
  X(LONGLONG, 8)                                                                                    \
  X(ULONG64, 8)                                                                                     \
  X(SIZE_T, 8)                                                                                      \
  X(PVOID, 8)                                                                                       \
  X(HANDLE, 8)                                                                                      \
  X(VMBCHANNEL, 8)                                                                                  \
  X(KSPIN_LOCK, 8)                                                                                  \
  X(PFN_NUMBER, 8)                                                                                  \
  X(KAFFINITY, 8)                                                                                   \
  X(PROCESSOR_NUMBER, 4)                                                                            \
  X(LARGE_INTEGER, 8)                                                                               \
  X(GUID, 16)                                                                                       \
  X(LIST_ENTRY, 16)                                                                                 \
  X(UNICODE_STRING, 16)                                                                             \
  X(DISPATCHER_HEADER, 24)                                                                          \
  X(KEVENT, 24)                                                                                     \
  X(KDPC, 64)                                                                                       \
  X(INTERFACE, 32)                                                                                  \
  X(MDL, 0x30)                                                                                      \
  X(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, 48)

#define DOCUMENTED_OFFSETS(X)                                                                       \
  X(UNICODE_STRING, Buffer, 8)                                                                      \
  X(GUID, Data4, 8)                                                                                 \
  X(LARGE_INTEGER, HighPart, 4)                                                                     \
  X(DISPATCHER_HEADER, SignalState, 4)                                                              \
  X(DISPATCHER_HEADER, WaitListHead, 8)                                                             \
  X(KTIMER, Header, 0)                                                                              \
  X(MDL, Next, 0x00)                                                                                \
  X(MDL, Size, 0x08)                                                                                \
  X(MDL, MdlFlags, 0x0A)                                                                            \
  X(MDL, Process, 0x10)                                                                             \
  X(MDL, MappedSystemVa, 0x18)                                                                      \
  X(MDL, StartVa, 0x20)                                                                             \
  X(MDL, ByteCount, 0x28)                                                                           \
  X(MDL, ByteOffset, 0x2C)                                                                          \
  X(INTERFACE, Context, 8)                                                                          \
  X(INTERFACE, InterfaceDereference, 24)                                                            \
  X(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, Size, 4)                                                    \
  X(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelOpened, 8)                                        \
  X(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelClosed, 16)                                       \
  X(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelSuspend, 24)                                      \
  X(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelStarted, 32)                                      \
  X(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, EvtChannelPostStarted, 40)
