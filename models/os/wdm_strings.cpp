// Counted strings.
// Source: the DDI page of each function.
#include <algorithm>
#include <cstring>

#include "models/os/wdm_caller.hpp"

using namespace vmbsim;
using namespace vmbsim::os::wdm;

namespace {

/// Letters whose capital lies a fixed distance below them.
struct Range {
  WCHAR first, last;
  int down;
};
constexpr Range small_letters[] = {
    {u'a', u'z', 0x20},   {0xE0, 0xF6, 0x20},   {0xF8, 0xFE, 0x20},   {0x3B1, 0x3C1, 0x20},
    {0x3C3, 0x3CB, 0x20}, {0x430, 0x44F, 0x20}, {0x450, 0x45F, 0x50},
};

WCHAR upcase(WCHAR unit) {
  for (const Range& range : small_letters)
    if (unit >= range.first && unit <= range.last) return static_cast<WCHAR>(unit - range.down);
  if (unit == 0xFF) return 0x178;
  const bool pairs = (unit >= 0x100 && unit <= 0x137) || (unit >= 0x14A && unit <= 0x177) ||
                     (unit >= 0x460 && unit <= 0x481) || (unit >= 0x48A && unit <= 0x4BF);  // capitals are even
  return pairs && unit % 2 != 0 && unit != 0x131 ? static_cast<WCHAR>(unit - 1) : unit;
}

}  // namespace

extern "C" {

VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString) {
  at_most(Irql::dispatch, "RtlCopyUnicodeString");
  const USHORT length =
      SourceString == nullptr ? USHORT{0} : std::min(SourceString->Length, DestinationString->MaximumLength);
  if (length != 0) std::memmove(DestinationString->Buffer, SourceString->Buffer, length);
  DestinationString->Length = length;
  if (length + sizeof(WCHAR) <= DestinationString->MaximumLength) DestinationString->Buffer[length / sizeof(WCHAR)] = 0;
}

NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source) {
  at_most(Irql::passive, "RtlAppendUnicodeStringToString");
  if (Source->Length > Destination->MaximumLength - Destination->Length) return STATUS_BUFFER_TOO_SMALL;
  if (Source->Length == 0) return STATUS_SUCCESS;
  std::memmove(Destination->Buffer + Destination->Length / sizeof(WCHAR), Source->Buffer, Source->Length);
  Destination->Length = static_cast<USHORT>(Destination->Length + Source->Length);
  if (Destination->Length + sizeof(WCHAR) <= Destination->MaximumLength)
    Destination->Buffer[Destination->Length / sizeof(WCHAR)] = 0;
  return STATUS_SUCCESS;
}

NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source) {
  UNICODE_STRING text;
  RtlInitUnicodeString(&text, Source);
  return RtlAppendUnicodeStringToString(Destination, &text);
}

LONG RtlCompareUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  at_most(Irql::passive, "RtlCompareUnicodeString");
  const std::size_t units = std::min(String1->Length, String2->Length) / sizeof(WCHAR);
  for (std::size_t i = 0; i < units; ++i) {
    const WCHAR a = CaseInSensitive != FALSE ? upcase(String1->Buffer[i]) : String1->Buffer[i];
    const WCHAR b = CaseInSensitive != FALSE ? upcase(String2->Buffer[i]) : String2->Buffer[i];
    if (a != b) return a - b;
  }
  return String1->Length - String2->Length;
}

BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2, BOOLEAN CaseInSensitive) {
  return RtlCompareUnicodeString(String1, String2, CaseInSensitive) == 0 ? TRUE : FALSE;
}

WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter) {
  at_most(Irql::passive, "RtlUpcaseUnicodeChar");
  return upcase(SourceCharacter);
}

}  // extern "C"
