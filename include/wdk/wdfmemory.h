#pragma once
/// Memory and lookaside lists as framework objects.
/// Source: Windows driver documentation (DDI, wdfmemory.h), "Using Memory Buffers".
#include "wdfobject.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct _WDFMEMORY_OFFSET {
  size_t BufferOffset;
  size_t BufferLength;
} WDFMEMORY_OFFSET, *PWDFMEMORY_OFFSET;

NTSTATUS VmbsimWdfMemoryCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, POOL_TYPE PoolType, ULONG PoolTag,
                               size_t BufferSize, WDFMEMORY* Memory, PVOID* Buffer);
/// PoolTag 0 is the driver's. STATUS_INVALID_PARAMETER when BufferSize is 0. IRQL: at or below DISPATCH_LEVEL; for paged
/// pool at or below APC_LEVEL. Source: WdfMemoryCreate.
FORCEINLINE NTSTATUS WdfMemoryCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES Attributes, _In_ POOL_TYPE PoolType,
                                     _In_opt_ ULONG PoolTag, _In_ size_t BufferSize, _Out_ WDFMEMORY* Memory,
                                     _Outptr_opt_ PVOID* Buffer) {
  return VmbsimWdfMemoryCreate(&VmbsimWdfModule, Attributes, PoolType, PoolTag, BufferSize, Memory, Buffer);
}
NTSTATUS VmbsimWdfMemoryCreatePreallocated(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, PVOID Buffer,
                                           size_t BufferSize, WDFMEMORY* Memory);
/// A handle to memory that stays the driver's. IRQL: at or below DISPATCH_LEVEL. Source: WdfMemoryCreatePreallocated.
FORCEINLINE NTSTATUS WdfMemoryCreatePreallocated(_In_opt_ PWDF_OBJECT_ATTRIBUTES Attributes, _In_ PVOID Buffer,
                                                 _In_ size_t BufferSize, _Out_ WDFMEMORY* Memory) {
  return VmbsimWdfMemoryCreatePreallocated(&VmbsimWdfModule, Attributes, Buffer, BufferSize, Memory);
}
/// Only for preallocated memory. IRQL: at or below DISPATCH_LEVEL. Source: WdfMemoryAssignBuffer.
_Must_inspect_result_ NTSTATUS WdfMemoryAssignBuffer(_In_ WDFMEMORY Memory, _In_ PVOID Buffer, _In_ size_t BufferSize);
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfMemoryGetBuffer.
PVOID WdfMemoryGetBuffer(_In_ WDFMEMORY Memory, _Out_opt_ size_t* BufferSize);
/// STATUS_BUFFER_TOO_SMALL when the range does not lie in the memory. IRQL: at or below DISPATCH_LEVEL.
/// Source: WdfMemoryCopyToBuffer.
_Must_inspect_result_ NTSTATUS WdfMemoryCopyToBuffer(_In_ WDFMEMORY SourceMemory, _In_ size_t SourceOffset,
                                                     _Out_ PVOID Buffer, _In_ size_t NumBytesToCopyTo);
/// The same. Source: WdfMemoryCopyFromBuffer.
_Must_inspect_result_ NTSTATUS WdfMemoryCopyFromBuffer(_In_ WDFMEMORY DestinationMemory, _In_ size_t DestinationOffset,
                                                       _In_ PVOID Buffer, _In_ size_t NumBytesToCopyFrom);

NTSTATUS VmbsimWdfLookasideListCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES LookasideAttributes, size_t BufferSize,
                                      POOL_TYPE PoolType, PWDF_OBJECT_ATTRIBUTES MemoryAttributes, ULONG PoolTag,
                                      WDFLOOKASIDE* Lookaside);
/// Buffers of one size. MemoryAttributes are those of every memory object taken from it. IRQL: as WdfMemoryCreate.
/// Source: WdfLookasideListCreate.
FORCEINLINE NTSTATUS WdfLookasideListCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES LookasideAttributes, _In_ size_t BufferSize,
                                            _In_ POOL_TYPE PoolType, _In_opt_ PWDF_OBJECT_ATTRIBUTES MemoryAttributes,
                                            _In_opt_ ULONG PoolTag, _Out_ WDFLOOKASIDE* Lookaside) {
  return VmbsimWdfLookasideListCreate(&VmbsimWdfModule, LookasideAttributes, BufferSize, PoolType, MemoryAttributes,
                                      PoolTag, Lookaside);
}
/// Deleting the memory object gives the buffer back to the list. IRQL: at or below DISPATCH_LEVEL.
/// Source: WdfMemoryCreateFromLookaside.
_Must_inspect_result_ NTSTATUS WdfMemoryCreateFromLookaside(_In_ WDFLOOKASIDE Lookaside, _Out_ WDFMEMORY* Memory);

#ifdef __cplusplus
}  // extern "C"
#endif
