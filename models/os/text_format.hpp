#pragma once
/// Formats text as DbgPrint does, by the Windows data model.
///
/// Why own   A driver that says %lu passes a ULONG of 32 bits; this machine's printf would take 64. It knows no %I64x, no %wZ,
///           and takes %ls for 32-bit units. Each argument is therefore fetched here, by the width that Windows gives it.
/// Takes     %[-+ #0][width][.precision][hh h l ll w I I32 I64 j z t] d i u o x X p c C s S Z %; * for width and precision.
///           Floating point is not formatted, as in the kernel: its specification is copied as it stands.
/// Source    Visual C++ documentation, "Format specification syntax: printf and wprintf functions"; the DDI page of DbgPrint.
#include <cstdarg>
#include <cstddef>
#include <span>

namespace vmbsim::os {

struct Formatted {
  std::size_t length;  ///< bytes written, the terminator not counted; UTF-16 text becomes UTF-8
  bool wide;           ///< a specification of UTF-16 text was used, legal at PASSIVE_LEVEL only
};

/// At most `out.size()` - 1 bytes and a terminator; `out` has room for one byte at least.
Formatted format_text(std::span<char> out, const char* format, va_list arguments);

}  // namespace vmbsim::os
