#pragma once
/// Pages, and the Rtl functions that copy, fill and compare memory.
/// Source: the wdm.h page of each function.
#include <string.h>

#include "../ntdef.h"

EXTERN_C_START

#define PAGE_SHIFT 12L
#define PAGE_SIZE 0x1000
#define PAGE_ALIGN(Va) ((PVOID)((ULONG_PTR)(Va) & ~(ULONG_PTR)(PAGE_SIZE - 1)))
#define BYTE_OFFSET(Va) ((ULONG)((ULONG_PTR)(Va) & (PAGE_SIZE - 1)))
#define BYTES_TO_PAGES(Size) (((Size) >> PAGE_SHIFT) + (((Size) & (PAGE_SIZE - 1)) != 0))
#define ROUND_TO_PAGES(Size) (((ULONG_PTR)(Size) + PAGE_SIZE - 1) & ~(ULONG_PTR)(PAGE_SIZE - 1))
/// Pages that a buffer of Size bytes at Va touches.
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Size) \
  ((ULONG)((BYTE_OFFSET(Va) + (SIZE_T)(Size) + (PAGE_SIZE - 1)) >> PAGE_SHIFT))

#define ALIGN_DOWN_BY(length, alignment) ((ULONG_PTR)(length) & ~((ULONG_PTR)(alignment)-1))
#define ALIGN_UP_BY(length, alignment) ALIGN_DOWN_BY((ULONG_PTR)(length) + (alignment)-1, (alignment))
#define ALIGN_DOWN_POINTER_BY(address, alignment) ((PVOID)ALIGN_DOWN_BY((address), (alignment)))
#define ALIGN_UP_POINTER_BY(address, alignment) ((PVOID)ALIGN_UP_BY((address), (alignment)))
#define ALIGN_DOWN(length, type) ALIGN_DOWN_BY((length), sizeof(type))
#define ALIGN_UP(length, type) ALIGN_UP_BY((length), sizeof(type))
#define ALIGN_DOWN_POINTER(address, type) ALIGN_DOWN_POINTER_BY((address), sizeof(type))
#define ALIGN_UP_POINTER(address, type) ALIGN_UP_POINTER_BY((address), sizeof(type))

/// In a driver, what the functions below touch is looked at first: paged pool at DISPATCH_LEVEL, or bytes beyond the end of
/// a pool block, are findings.
NTKERNELAPI VOID VmbsimTouch(_In_ const VOID *Address, _In_ SIZE_T Length);
#ifdef VMBSIM_DRIVER
#define VMBSIM_TOUCH(Address, Length) VmbsimTouch((Address), (Length))
#else
#define VMBSIM_TOUCH(Address, Length) ((void)0)
#endif

FORCEINLINE VOID RtlCopyMemory(_Out_writes_bytes_(Length) VOID *Destination,
                               _In_reads_bytes_(Length) const VOID *Source, _In_ SIZE_T Length) {
  VMBSIM_TOUCH(Source, Length);
  VMBSIM_TOUCH(Destination, Length);
  memcpy(Destination, Source, Length);
}

/// The two may overlap.
FORCEINLINE VOID RtlMoveMemory(_Out_writes_bytes_(Length) VOID *Destination,
                               _In_reads_bytes_(Length) const VOID *Source, _In_ SIZE_T Length) {
  VMBSIM_TOUCH(Source, Length);
  VMBSIM_TOUCH(Destination, Length);
  memmove(Destination, Source, Length);
}

FORCEINLINE VOID RtlFillMemory(_Out_writes_bytes_(Length) VOID *Destination, _In_ SIZE_T Length, _In_ INT Fill) {
  VMBSIM_TOUCH(Destination, Length);
  memset(Destination, Fill, Length);
}

FORCEINLINE VOID RtlZeroMemory(_Out_writes_bytes_(Length) VOID *Destination, _In_ SIZE_T Length) {
  RtlFillMemory(Destination, Length, 0);
}

/// Zeroes even what nobody reads afterwards: no compiler leaves it out.
FORCEINLINE PVOID RtlSecureZeroMemory(_Out_writes_bytes_(Length) PVOID Destination, _In_ SIZE_T Length) {
  RtlFillMemory(Destination, Length, 0);
  __asm__ volatile("" : : "r"(Destination) : "memory");
  return Destination;
}

/// The number of bytes that are equal before the first difference.
FORCEINLINE SIZE_T RtlCompareMemory(_In_ const VOID *Source1, _In_ const VOID *Source2, _In_ SIZE_T Length) {
  const UCHAR *a = (const UCHAR *)Source1;
  const UCHAR *b = (const UCHAR *)Source2;
  SIZE_T equal = 0;
  VMBSIM_TOUCH(Source1, Length);
  VMBSIM_TOUCH(Source2, Length);
  while (equal < Length && a[equal] == b[equal]) ++equal;
  return equal;
}

#define RtlEqualMemory(Source1, Source2, Length) (RtlCompareMemory((Source1), (Source2), (Length)) == (SIZE_T)(Length))

EXTERN_C_END
