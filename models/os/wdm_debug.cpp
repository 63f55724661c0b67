// Debug output, assertions and bug checks.
// Source: the DDI pages of DbgPrintEx, KeBugCheckEx and NT_ASSERT.
#include <fmt/format.h>

#include <cstdarg>

#include "models/os/text_format.hpp"
#include "models/os/wdm_caller.hpp"

using namespace vmbsim;
using namespace vmbsim::os::wdm;

namespace {

void print(PCSTR format, va_list arguments) {
  char line[512];  // the documented limit for one call
  if (os::format_text(line, format, arguments).wide) at_most(Irql::passive, "DbgPrint with a format of UTF-16 text");
  partition().debug_print(line);
}

}  // namespace

extern "C" {

ULONG DbgPrint(PCSTR Format, ...) {
  va_list arguments;
  va_start(arguments, Format);
  print(Format, arguments);
  va_end(arguments);
  return STATUS_SUCCESS;
}

ULONG DbgPrintEx(ULONG, ULONG, PCSTR Format, ...) {
  va_list arguments;
  va_start(arguments, Format);
  print(Format, arguments);
  va_end(arguments);
  return STATUS_SUCCESS;
}

ULONG vDbgPrintEx(ULONG, ULONG, PCSTR Format, va_list ArgList) {
  print(Format, ArgList);
  return STATUS_SUCCESS;
}

VOID RtlAssert(PVOID VoidFailedAssertion, PVOID VoidFileName, ULONG LineNumber, PSTR MutableMessage) {
  find("ASSERT", BugCheck::none,
       fmt::format("a driver's assertion failed: {}{}{} ({}:{})", MutableMessage != nullptr ? MutableMessage : "",
                   MutableMessage != nullptr ? ": " : "", static_cast<const char*>(VoidFailedAssertion),
                   static_cast<const char*>(VoidFileName), LineNumber));
}

VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1, ULONG_PTR BugCheckParameter2,
                  ULONG_PTR BugCheckParameter3, ULONG_PTR BugCheckParameter4) {
  find("BUGCHECK", static_cast<BugCheck>(BugCheckCode),
       fmt::format("KeBugCheckEx(0x{:X}, 0x{:X}, 0x{:X}, 0x{:X}, 0x{:X}) ends the run", BugCheckCode,
                   BugCheckParameter1, BugCheckParameter2, BugCheckParameter3, BugCheckParameter4));
  partition().bug_check();
  for (;;) processor().spin();  // nobody goes on behind it
}

VOID KeBugCheck(ULONG BugCheckCode) { KeBugCheckEx(BugCheckCode, 0, 0, 0, 0); }

}  // extern "C"
