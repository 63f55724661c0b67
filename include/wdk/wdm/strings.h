#pragma once
/// Counted strings.
/// Source: WDK, "Using Unicode Strings"; the wdm.h page of each function.
#include "memory.h"

EXTERN_C_START

/// The string must outlive what it initialises: nothing is copied. A null source gives an empty string.
/// The source has at most 32766 units, what a UNICODE_STRING can count. IRQL: at or below DISPATCH_LEVEL.
FORCEINLINE VOID RtlInitUnicodeString(_Out_ PUNICODE_STRING DestinationString, _In_opt_ PCWSTR SourceString) {
  SIZE_T units = 0;
  while (SourceString != NULL && SourceString[units] != 0) ++units;
  DestinationString->Length = (USHORT)(units * sizeof(WCHAR));
  DestinationString->MaximumLength = SourceString == NULL ? (USHORT)0 : (USHORT)((units + 1) * sizeof(WCHAR));
  DestinationString->Buffer = (PWCH)SourceString;
}

/// The same for bytes.
FORCEINLINE VOID RtlInitAnsiString(_Out_ PANSI_STRING DestinationString, _In_opt_ PCSTR SourceString) {
  const SIZE_T bytes = SourceString == NULL ? 0 : strlen(SourceString);
  DestinationString->Length = (USHORT)bytes;
  DestinationString->MaximumLength = SourceString == NULL ? (USHORT)0 : (USHORT)(bytes + 1);
  DestinationString->Buffer = (PCHAR)SourceString;
}
#define RtlInitString RtlInitAnsiString

/// An empty string with room for BufferSize bytes.
FORCEINLINE VOID RtlInitEmptyUnicodeString(_Out_ PUNICODE_STRING UnicodeString, _In_opt_ PWCHAR Buffer,
                                           _In_ USHORT BufferSize) {
  UnicodeString->Length = 0;
  UnicodeString->MaximumLength = BufferSize;
  UnicodeString->Buffer = Buffer;
}

/// A string that is known when the driver is built.
#define DECLARE_CONST_UNICODE_STRING(name, text) \
  const WCHAR name##_buffer[] = text;            \
  const UNICODE_STRING name = {(USHORT)(sizeof(text) - sizeof((text)[0])), (USHORT)sizeof(text), (PWCH)name##_buffer}
/// An empty string with room for `units` units.
#define DECLARE_UNICODE_STRING_SIZE(name, units) \
  WCHAR name##_buffer[units];                    \
  UNICODE_STRING name = {0, (USHORT)((units) * sizeof(WCHAR)), name##_buffer}

/// Copies what fits; a null source empties the destination. IRQL: at or below DISPATCH_LEVEL.
NTKERNELAPI VOID RtlCopyUnicodeString(_Inout_ PUNICODE_STRING DestinationString,
                                      _In_opt_ PCUNICODE_STRING SourceString);
/// STATUS_BUFFER_TOO_SMALL when Source does not fit behind what is there; then nothing is changed. IRQL: PASSIVE_LEVEL.
NTKERNELAPI NTSTATUS RtlAppendUnicodeStringToString(_Inout_ PUNICODE_STRING Destination, _In_ PCUNICODE_STRING Source);
NTKERNELAPI NTSTATUS RtlAppendUnicodeToString(_Inout_ PUNICODE_STRING Destination, _In_opt_ PCWSTR Source);
/// Below 0, 0 or above 0, as String1 comes before, is or comes after String2. IRQL: PASSIVE_LEVEL.
NTKERNELAPI LONG RtlCompareUnicodeString(_In_ PCUNICODE_STRING String1, _In_ PCUNICODE_STRING String2,
                                         _In_ BOOLEAN CaseInSensitive);
/// IRQL: PASSIVE_LEVEL.
NTKERNELAPI BOOLEAN RtlEqualUnicodeString(_In_ PCUNICODE_STRING String1, _In_ PCUNICODE_STRING String2,
                                          _In_ BOOLEAN CaseInSensitive);
/// Upper case of the Latin, Greek and Cyrillic letters; other units stay as they are. IRQL: PASSIVE_LEVEL.
NTKERNELAPI WCHAR RtlUpcaseUnicodeChar(_In_ WCHAR SourceCharacter);

EXTERN_C_END

#if defined(__cplusplus) && __SIZEOF_WCHAR_T__ != 2
/// In C++ a u"..." literal has its own type; without -fshort-wchar it is the way to write a WCHAR string.
FORCEINLINE VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString, const char16_t *SourceString) {
  RtlInitUnicodeString(DestinationString, reinterpret_cast<PCWSTR>(SourceString));
}
#endif
