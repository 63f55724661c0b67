// A driver's source as it is written for Windows: wide literals, tags of four characters, Microsoft's words.
#include "driver_words.h"

#define DRIVER_TAG 'tseT'

#pragma alloc_text(PAGE, name_in_a_driver)

const ULONG tag_in_a_driver = DRIVER_TAG;
static __declspec(align(64)) LONG aligned;
C_ASSERT(sizeof(L"ab") == 6);

DECLSPEC_NOINLINE static ULONG larger(IN ULONG a, IN ULONG b) { return max(a, b); }

VOID print_in_a_driver(VOID) {
  DECLARE_CONST_UNICODE_STRING(name, L"VMBus");
  ULONG small = larger(7, 4);
  LONG negative = -1;
  unsigned __int64 large = 0x123456789ull;
  KdPrint(("%lu %ld %lx %I64x %wZ %ws %S %d\n", small, negative, negative, large, &name, L"wide", L"too",
           ((ULONG_PTR)&aligned & 63) == 0));
}

VOID copy_in_a_driver(PVOID to, PCVOID from, SIZE_T bytes) { RtlCopyMemory(to, from, bytes); }

VOID assert_in_a_driver(ULONG value) {
  ASSERT(value == 1);
  NT_ASSERTMSG("one is wanted", value == 1);
}

NTSTATUS name_in_a_driver(PUNICODE_STRING name) {
  NTSTATUS status = STATUS_SUCCESS;
  PAGED_CODE();
  __try {
    RtlInitUnicodeString(name, L"Storage");
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    status = GetExceptionCode();
  }
  return status;
}
