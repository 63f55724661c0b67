#pragma once
/// Debug output, assertions and bug checks.
/// Source: WDK, "Reading and Filtering Debugging Messages"; the wdm.h page of each function.
#include <stdarg.h>

#include "../ntdef.h"

EXTERN_C_START

// Windows drivers are built with DBG 1 (checked) or 0 (free): KdPrint and the assertions exist in a checked build only.
#ifndef DBG
#define DBG 1
#endif

/// Formats as Windows does, whatever this machine's printf says: l is 32 bits wide, I64 and ll 64, ws, S and wZ are UTF-16.
/// At most 512 bytes a call, into the run's debug output: the table shows its beginning, --out writes debug.txt. IRQL: any; with a format of wide text PASSIVE_LEVEL.
NTKERNELAPI ULONG DbgPrint(_In_z_ _Printf_format_string_ PCSTR Format, ...);
/// The same; no component or level is filtered out.
NTKERNELAPI ULONG DbgPrintEx(_In_ ULONG ComponentId, _In_ ULONG Level, _In_z_ _Printf_format_string_ PCSTR Format, ...);
NTKERNELAPI ULONG vDbgPrintEx(_In_ ULONG ComponentId, _In_ ULONG Level, _In_z_ PCSTR Format, _In_ va_list ArgList);
#define DPFLTR_DEFAULT_ID 101
#define DPFLTR_IHVDRIVER_ID 77
#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3
#define DPFLTR_MASK 0x80000000u

/// An assertion of a driver failed: a finding, and the driver goes on.
NTKERNELAPI VOID RtlAssert(_In_ PVOID VoidFailedAssertion, _In_ PVOID VoidFileName, _In_ ULONG LineNumber,
                           _In_opt_ PSTR MutableMessage);

#if DBG
#define KdPrint(arguments) DbgPrint arguments
#define KdPrintEx(arguments) DbgPrintEx arguments
#define ASSERT(expression) \
  ((expression) ? (void)0 : RtlAssert((PVOID)(ULONG_PTR) #expression, (PVOID)(ULONG_PTR)__FILE__, __LINE__, NULL))
#define ASSERTMSG(message, expression) \
  ((expression)                        \
       ? (void)0                       \
       : RtlAssert((PVOID)(ULONG_PTR) #expression, (PVOID)(ULONG_PTR)__FILE__, __LINE__, (PSTR)(ULONG_PTR)(message)))
#else
#define KdPrint(arguments) ((void)0)
#define KdPrintEx(arguments) ((void)0)
#define ASSERT(expression) ((void)0)
#define ASSERTMSG(message, expression) ((void)0)
#endif
#define NT_ASSERT(expression) ASSERT(expression)
#define NT_ASSERTMSG(message, expression) ASSERTMSG(message, expression)

/// Ends the run with a finding that has this bug check's code. IRQL: any.
DECLSPEC_NORETURN NTKERNELAPI VOID KeBugCheckEx(_In_ ULONG BugCheckCode, _In_ ULONG_PTR BugCheckParameter1,
                                                _In_ ULONG_PTR BugCheckParameter2, _In_ ULONG_PTR BugCheckParameter3,
                                                _In_ ULONG_PTR BugCheckParameter4);
DECLSPEC_NORETURN NTKERNELAPI VOID KeBugCheck(_In_ ULONG BugCheckCode);

EXTERN_C_END
