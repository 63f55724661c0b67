#pragma once
/// Memory descriptor lists.
/// Source: WDK, "Using MDLs"; the wdm.h page of each function.
#include "irql.h"
#include "memory.h"

EXTERN_C_START

typedef ULONG_PTR PFN_NUMBER, *PPFN_NUMBER;

/// Describes a buffer by its pages: Size bytes of header and page frame numbers, which follow the structure.
/// StartVa is page aligned; the buffer begins ByteOffset behind it and has ByteCount bytes. Next chains descriptors.
typedef struct _MDL {
  struct _MDL *Next;
  CSHORT Size;
  CSHORT MdlFlags;
  struct _EPROCESS *Process;
  PVOID MappedSystemVa;
  PVOID StartVa;
  ULONG ByteCount;
  ULONG ByteOffset;
} MDL, *PMDL;

#define MDL_MAPPED_TO_SYSTEM_VA 0x0001
#define MDL_PAGES_LOCKED 0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL 0x0004
#define MDL_ALLOCATED_FIXED_SIZE 0x0008
#define MDL_PARTIAL 0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED 0x0020
#define MDL_IO_PAGE_READ 0x0040
#define MDL_WRITE_OPERATION 0x0080
#define MDL_LOCKED_PAGE_TABLES 0x0100
#define MDL_FREE_EXTRA_PTES 0x0200
#define MDL_DESCRIBES_AWE 0x0400
#define MDL_IO_SPACE 0x0800
#define MDL_NETWORK_HEADER 0x1000
#define MDL_MAPPING_CAN_FAIL 0x2000
#define MDL_PAGE_CONTENTS_INVARIANT 0x4000
#define MDL_INTERNAL 0x8000

#define MmGetMdlPfnArray(Mdl) ((PPFN_NUMBER)((Mdl) + 1))
#define MmGetMdlVirtualAddress(Mdl) ((PVOID)((PCHAR)((Mdl)->StartVa) + (Mdl)->ByteOffset))
#define MmGetMdlByteCount(Mdl) ((Mdl)->ByteCount)
#define MmGetMdlByteOffset(Mdl) ((Mdl)->ByteOffset)

/// Fills the header only; the caller's memory holds room for the page frame numbers behind it.
FORCEINLINE VOID MmInitializeMdl(_Out_ PMDL MemoryDescriptorList, _In_ PVOID BaseVa, _In_ SIZE_T Length) {
  MemoryDescriptorList->Next = NULL;
  MemoryDescriptorList->Size =
      (CSHORT)(sizeof(MDL) + sizeof(PFN_NUMBER) * ADDRESS_AND_SIZE_TO_SPAN_PAGES(BaseVa, Length));
  MemoryDescriptorList->MdlFlags = 0;
  MemoryDescriptorList->StartVa = PAGE_ALIGN(BaseVa);
  MemoryDescriptorList->ByteOffset = BYTE_OFFSET(BaseVa);
  MemoryDescriptorList->ByteCount = (ULONG)Length;
}

typedef struct _IRP *PIRP;

typedef enum _MEMORY_CACHING_TYPE { MmNonCached = 0, MmCached = 1, MmWriteCombined = 2 } MEMORY_CACHING_TYPE;

typedef enum _MM_PAGE_PRIORITY { LowPagePriority = 0, NormalPagePriority = 16, HighPagePriority = 32 } MM_PAGE_PRIORITY;
#define MdlMappingNoWrite 0x80000000u
#define MdlMappingNoExecute 0x40000000u

/// Large enough for the buffer; not filled beyond MmInitializeMdl. NULL when there is no memory.
/// IRQL: at or below DISPATCH_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL)
NTKERNELAPI PMDL IoAllocateMdl(_In_opt_ PVOID VirtualAddress, _In_ ULONG Length, _In_ BOOLEAN SecondaryBuffer,
                               _In_ BOOLEAN ChargeQuota, _Inout_opt_ PIRP Irp);
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID IoFreeMdl(_In_ PMDL Mdl);
/// Fills in the pages of a non-paged buffer and its system address. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID MmBuildMdlForNonPagedPool(_Inout_ PMDL MemoryDescriptorList);
/// A system address of the buffer, made by mapping when there is none; NULL when that fails. Priority is an
/// MM_PAGE_PRIORITY, with MdlMapping bits. IRQL: at or below DISPATCH_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL)
NTKERNELAPI PVOID MmGetSystemAddressForMdlSafe(_Inout_ PMDL Mdl, _In_ ULONG Priority);
/// IRQL: at or below DISPATCH_LEVEL with KernelMode.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL)
NTKERNELAPI PVOID MmMapLockedPagesSpecifyCache(_Inout_ PMDL MemoryDescriptorList, _In_ KPROCESSOR_MODE AccessMode,
                                               _In_ MEMORY_CACHING_TYPE CacheType, _In_opt_ PVOID RequestedAddress,
                                               _In_ ULONG BugCheckOnFailure, _In_ ULONG Priority);
/// IRQL: at or below DISPATCH_LEVEL with a system address.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    MmUnmapLockedPages(_In_ PVOID BaseAddress, _Inout_ PMDL MemoryDescriptorList);

typedef enum _LOCK_OPERATION { IoReadAccess = 0, IoWriteAccess = 1, IoModifyAccess = 2 } LOCK_OPERATION;

/// Makes the pages of a buffer resident and fills them in, until MmUnlockPages. Memory that is no pool raises an exception.
/// IRQL: at or below APC_LEVEL for pageable memory, else at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    MmProbeAndLockPages(_Inout_ PMDL MemoryDescriptorList, _In_ KPROCESSOR_MODE AccessMode,
                        _In_ LOCK_OPERATION Operation);
/// Unmaps as well. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID MmUnlockPages(_Inout_ PMDL MemoryDescriptorList);
/// Describes Length bytes of SourceMdl from VirtualAddress on, which is an address of that list; 0: all that follow.
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    IoBuildPartialMdl(_In_ PMDL SourceMdl, _Inout_ PMDL TargetMdl, _In_ PVOID VirtualAddress, _In_ ULONG Length);
/// Unmaps a partial list, so that it can describe something else. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID MmPrepareMdlForReuse(_Inout_ PMDL Mdl);
/// Bytes of a list over a buffer of Length bytes at Base. IRQL: any.
FORCEINLINE SIZE_T MmSizeOfMdl(_In_ PVOID Base, _In_ SIZE_T Length) {
  return sizeof(MDL) + sizeof(PFN_NUMBER) * (SIZE_T)ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length);
}
#define MmGetMdlBaseVa(Mdl) ((Mdl)->StartVa)

EXTERN_C_END
