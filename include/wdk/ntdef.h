#pragma once
/// The Windows data model on Linux x86-64: `long` has 64 bits here and 32 there, so every name says its own width.
/// Source: Windows documentation, "Windows Data Types" and "Windows kernel-mode driver structures (ntdef.h)".
#include <stddef.h>

#include "guiddef.h"
#include "msvc.h"
#include "sal.h"

#define FORCEINLINE inline __attribute__((always_inline))
#define FASTCALL
#define NTAPI
#define NTSYSAPI
#define NTKERNELAPI
#define DECLSPEC_ALIGN(bytes) __attribute__((aligned(bytes)))
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define CONST const

#ifdef __cplusplus
#define C_ASSERT(condition) static_assert(condition, #condition)
#else
#define C_ASSERT(condition) _Static_assert(condition, #condition)
#endif

typedef void VOID;
typedef void *PVOID;
typedef const void *PCVOID;
typedef char CHAR, CCHAR, *PCHAR, *PCCHAR, *PSTR;
typedef const char *PCSTR;
typedef signed char INT8, *PINT8;
typedef unsigned char UCHAR, UINT8, BYTE, BOOLEAN, *PUCHAR, *PUINT8, *PBYTE, *PBOOLEAN;
typedef short SHORT, CSHORT, INT16, *PSHORT, *PINT16;
typedef unsigned short USHORT, UINT16, *PUSHORT, *PUINT16;
typedef int INT, LONG, INT32, LONG32, *PINT, *PLONG, *PINT32, *PLONG32;
typedef unsigned int UINT, ULONG, UINT32, ULONG32, *PUINT, *PULONG, *PUINT32, *PULONG32;
typedef long long LONGLONG, LONG64, INT64, LONG_PTR, INT_PTR, SSIZE_T, *PLONGLONG, *PLONG64, *PINT64, *PLONG_PTR;
typedef unsigned long long ULONGLONG, ULONG64, UINT64, ULONG_PTR, UINT_PTR, SIZE_T;
typedef unsigned long long *PULONGLONG, *PULONG64, *PUINT64, *PULONG_PTR, *PSIZE_T;
typedef ULONG_PTR KAFFINITY, *PKAFFINITY;
typedef LONG KPRIORITY;
typedef PVOID HANDLE, *PHANDLE;
typedef LONG NTSTATUS, *PNTSTATUS;

typedef CCHAR KPROCESSOR_MODE;
typedef enum _MODE { KernelMode = 0, UserMode = 1, MaximumMode = 2 } MODE;

/// A UTF-16 unit. With -fshort-wchar it is wchar_t and L"..." is a WCHAR string; without, L"..." does not convert.
#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#else
typedef unsigned short WCHAR;
#endif
#if defined(VMBSIM_DRIVER)
C_ASSERT(sizeof(WCHAR) == 2 && __SIZEOF_WCHAR_T__ == 2);  // a driver is compiled with -fshort-wchar
#endif
typedef WCHAR *PWCHAR, *PWCH, *PWSTR;
typedef const WCHAR *PCWSTR, *PCWCH;

// Empty words and macros that C drivers use. A C++ file may include the standard library, in which min is a function; there
// they exist only in a driver that does not say NOMINMAX.
#if !defined(__cplusplus) || defined(VMBSIM_DRIVER)
#define IN
#define OUT
#define OPTIONAL
#ifndef NOMINMAX
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif
#endif

#define TRUE 1
#define FALSE 0

/// Success and information codes are not negative, warnings and errors are. STATUS_PENDING counts as success.
#define NT_SUCCESS(Status) (((NTSTATUS)(Status)) >= 0)
#define NT_INFORMATION(Status) ((((ULONG)(Status)) >> 30) == 1u)
#define NT_WARNING(Status) ((((ULONG)(Status)) >> 30) == 2u)
#define NT_ERROR(Status) ((((ULONG)(Status)) >> 30) == 3u)

/// Distinct opaque pointer types: one kind of handle does not convert to another.
#define DECLARE_HANDLE(name) \
  struct name##__ {          \
    int unused;              \
  };                         \
  typedef struct name##__ *name

#define FIELD_OFFSET(type, field) ((LONG)offsetof(type, field))
#define CONTAINING_RECORD(address, type, field) ((type *)(void *)((PCHAR)(address)-offsetof(type, field)))
#define RTL_NUMBER_OF(array) (sizeof(array) / sizeof((array)[0]))
#define ARRAYSIZE(array) RTL_NUMBER_OF(array)
#define UNREFERENCED_PARAMETER(name) ((void)(name))
#define UNREFERENCED_LOCAL_VARIABLE(name) ((void)(name))
#define DBG_UNREFERENCED_PARAMETER(name) ((void)(name))

/// Length and MaximumLength count bytes, without and with room for the terminator; Buffer need not be terminated.
typedef struct _UNICODE_STRING {
  USHORT Length;
  USHORT MaximumLength;
  PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

/// The same for strings of bytes.
typedef struct _STRING {
  USHORT Length;
  USHORT MaximumLength;
  PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING;
typedef const STRING *PCSTRING, *PCANSI_STRING;

/// Initialiser of a UNICODE_STRING from a literal of 16-bit units: u"text", or L"text" with -fshort-wchar.
#define RTL_CONSTANT_STRING(text) \
  { (USHORT)(sizeof(text) - sizeof((text)[0])), (USHORT)sizeof(text), (PWCH)(text) }

typedef union _LARGE_INTEGER {
  __extension__ struct {
    ULONG LowPart;
    LONG HighPart;
  };
  struct {
    ULONG LowPart;
    LONG HighPart;
  } u;
  LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
  __extension__ struct {
    ULONG LowPart;
    ULONG HighPart;
  };
  struct {
    ULONG LowPart;
    ULONG HighPart;
  } u;
  ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

/// A link of a circular doubly linked list, or its head.
typedef struct _LIST_ENTRY {
  struct _LIST_ENTRY *Flink;
  struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
  struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

typedef struct _PROCESSOR_NUMBER {
  USHORT Group;
  UCHAR Number;
  UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;
