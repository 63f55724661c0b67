#include "models/os/text_format.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "wdm.h"

namespace vmbsim::os {

namespace {

enum class Size : std::uint8_t { none, byte, narrow, wide, bits64 };

struct Specification {
  bool left = false, plus = false, blank = false, alternate = false, zeros = false;
  int width = 0;
  int precision = -1;  // none
  Size size = Size::none;
};

class Formatter {
 public:
  Formatter(std::span<char> out, const char* format, va_list arguments) : out_(out), format_(format) {
    va_copy(arguments_, arguments);
  }
  ~Formatter() { va_end(arguments_); }
  Formatter(const Formatter&) = delete;
  Formatter& operator=(const Formatter&) = delete;

  Formatted run() {
    while (*format_ != 0)
      if (*format_ == '%')
        specification();
      else
        put(*format_++);
    out_[length_] = 0;
    return {length_, wide_};
  }

 private:
  void specification() {
    const char* start = format_++;
    Specification spec;
    for (bool more = true; more;) {
      switch (*format_) {
        case '-': spec.left = true; break;
        case '+': spec.plus = true; break;
        case ' ': spec.blank = true; break;
        case '#': spec.alternate = true; break;
        case '0': spec.zeros = true; break;
        default: more = false; continue;
      }
      ++format_;
    }
    spec.width = number();
    if (spec.width < 0) {
      spec.left = true;
      spec.width = -spec.width;
    }
    if (*format_ == '.') {
      ++format_;
      spec.precision = number();
    }
    size(spec);
    if (*format_ == 0 || !convert(spec, *format_)) {  // nothing that is known: as it stands
      if (*format_ != 0) ++format_;
      for (; start != format_; ++start) put(*start);
      return;
    }
    ++format_;
  }

  int number() {
    if (*format_ == '*') {
      ++format_;
      return va_arg(arguments_, int);
    }
    int value = 0;
    for (; *format_ >= '0' && *format_ <= '9'; ++format_)
      if (value < 100'000) value = value * 10 + (*format_ - '0');
    return value;
  }

  void size(Specification& spec) {
    struct Modifier {
      std::string_view word;
      Size size;
    };
    static constexpr Modifier modifiers[] = {// a word before its beginnings
                                             {"hh", Size::byte},    {"h", Size::narrow}, {"ll", Size::bits64},
                                             {"l", Size::wide},     {"w", Size::wide},   {"I32", Size::none},
                                             {"I64", Size::bits64}, {"I", Size::bits64}, {"j", Size::bits64},
                                             {"z", Size::bits64},   {"t", Size::bits64}};
    for (const auto& [word, size] : modifiers)
      if (std::strncmp(format_, word.data(), word.size()) == 0) {
        format_ += word.size();
        spec.size = size;
        return;
      }
  }

  bool convert(const Specification& spec, char type) {
    switch (type) {
      case 'd':
      case 'i': integer(spec, 10, true, false); return true;
      case 'u': integer(spec, 10, false, false); return true;
      case 'o': integer(spec, 8, false, false); return true;
      case 'x': integer(spec, 16, false, false); return true;
      case 'X': integer(spec, 16, false, true); return true;
      case 'p': {
        Specification pointer = spec;
        pointer.size = Size::bits64;
        pointer.precision = 16;
        integer(pointer, 16, false, true);
        return true;
      }
      case 'c':
      case 'C': character(spec, is_wide(spec, type == 'C')); return true;
      case 's':
      case 'S':
        if (is_wide(spec, type == 'S'))
          wide_string(spec, va_arg(arguments_, const WCHAR*));
        else
          narrow_string(spec, va_arg(arguments_, const char*));
        return true;
      case 'Z': counted_string(spec); return true;
      case '%': put('%'); return true;
      default: return false;
    }
  }

  static bool is_wide(const Specification& spec, bool by_type) {
    return spec.size == Size::wide || (by_type && spec.size != Size::narrow);
  }

  void integer(const Specification& spec, unsigned base, bool is_signed, bool capital) {
    std::uint64_t value = 0;
    bool negative = false;
    if (is_signed) {
      std::int64_t number = spec.size == Size::bits64 ? va_arg(arguments_, long long) : va_arg(arguments_, int);
      if (spec.size == Size::byte) number = ((number & 0xFF) ^ 0x80) - 0x80;
      if (spec.size == Size::narrow) number = static_cast<short>(number);
      negative = number < 0;
      value = negative ? ~static_cast<std::uint64_t>(number) + 1 : static_cast<std::uint64_t>(number);
    } else {
      value = spec.size == Size::bits64 ? va_arg(arguments_, unsigned long long) : va_arg(arguments_, unsigned);
      if (spec.size == Size::byte) value &= 0xFF;
      if (spec.size == Size::narrow) value &= 0xFFFF;
    }
    std::array<char, 24> digits{};
    std::size_t count = 0;
    const std::string_view letters = capital ? "0123456789ABCDEF" : "0123456789abcdef";
    for (std::uint64_t rest = value; rest != 0; rest /= base) digits[count++] = letters[rest % base];
    const std::size_t least = spec.precision < 0 ? 1 : static_cast<std::size_t>(spec.precision);
    std::string_view prefix = negative ? "-" : is_signed && spec.plus ? "+" : is_signed && spec.blank ? " " : "";
    if (spec.alternate && value != 0 && base != 10) prefix = base == 8 ? "0" : capital ? "0X" : "0x";
    std::size_t zeros = least > count ? least - count : 0;
    const std::size_t total = prefix.size() + zeros + count;
    std::size_t padding = width_left(spec, total);
    if (spec.zeros && !spec.left && spec.precision < 0) {
      zeros += padding;
      padding = 0;
    }
    if (!spec.left) repeat(' ', padding);
    for (const char sign : prefix) put(sign);
    repeat('0', zeros);
    while (count != 0) put(digits[--count]);
    if (spec.left) repeat(' ', padding);
  }

  void character(const Specification& spec, bool wide) {
    const int value = va_arg(arguments_, int);
    if (wide) {
      const auto unit = static_cast<WCHAR>(value);
      wide_text(spec, &unit, 1);
    } else {
      const auto byte = static_cast<char>(value);
      text(spec, {&byte, 1});
    }
  }

  void narrow_string(const Specification& spec, const char* string) {
    if (string == nullptr) string = "(null)";
    const auto most = spec.precision < 0 ? ~std::size_t{0} : static_cast<std::size_t>(spec.precision);
    std::size_t length = 0;
    while (length < most && string[length] != 0) ++length;
    text(spec, {string, length});
  }

  void wide_string(const Specification& spec, const WCHAR* string) {
    wide_ = true;
    if (string == nullptr) return narrow_string(spec, nullptr);
    const auto most = spec.precision < 0 ? ~std::size_t{0} : static_cast<std::size_t>(spec.precision);
    std::size_t length = 0;
    while (length < most && string[length] != 0) ++length;
    wide_text(spec, string, length);
  }

  void counted_string(const Specification& spec) {
    const auto shorter = [&spec](std::size_t length) {
      const auto most = static_cast<std::size_t>(spec.precision);
      return spec.precision >= 0 && most < length ? most : length;
    };
    if (spec.size == Size::wide) {
      wide_ = true;
      const auto* string = va_arg(arguments_, const UNICODE_STRING*);
      if (string == nullptr || string->Buffer == nullptr) return narrow_string(spec, nullptr);
      wide_text(spec, string->Buffer, shorter(string->Length / sizeof(WCHAR)));
    } else {
      const auto* string = va_arg(arguments_, const STRING*);
      if (string == nullptr || string->Buffer == nullptr) return narrow_string(spec, nullptr);
      text(spec, {string->Buffer, shorter(string->Length)});
    }
  }

  void text(const Specification& spec, std::string_view bytes) {
    const std::size_t padding = width_left(spec, bytes.size());
    if (!spec.left) repeat(spec.zeros ? '0' : ' ', padding);
    for (const char byte : bytes) put(byte);
    if (spec.left) repeat(' ', padding);
  }

  void wide_text(const Specification& spec, const WCHAR* units, std::size_t count) {
    wide_ = true;
    const std::size_t padding = width_left(spec, count);
    if (!spec.left) repeat(spec.zeros ? '0' : ' ', padding);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t point = units[i];
      const bool high = point >= 0xD800 && point < 0xDC00;
      if (high && i + 1 < count && units[i + 1] >= 0xDC00 && units[i + 1] < 0xE000)
        point = 0x10000 + ((point - 0xD800) << 10) + (static_cast<std::uint32_t>(units[++i]) - 0xDC00);
      else if (point >= 0xD800 && point < 0xE000)
        point = 0xFFFD;  // half of a pair
      code_point(point);
    }
    if (spec.left) repeat(' ', padding);
  }

  void code_point(std::uint32_t point) {
    const auto tail = [this, point](unsigned shift) { put(static_cast<char>(0x80 | (point >> shift & 0x3F))); };
    if (point < 0x80) return put(static_cast<char>(point));
    if (point < 0x800) {
      put(static_cast<char>(0xC0 | point >> 6));
    } else if (point < 0x10000) {
      put(static_cast<char>(0xE0 | point >> 12));
      tail(6);
    } else {
      put(static_cast<char>(0xF0 | point >> 18));
      tail(12);
      tail(6);
    }
    tail(0);
  }

  static std::size_t width_left(const Specification& spec, std::size_t used) {
    const auto width = static_cast<std::size_t>(spec.width);
    return width > used ? width - used : 0;
  }
  void put(char byte) {
    if (length_ + 1 < out_.size()) out_[length_++] = byte;
  }
  void repeat(char byte, std::size_t times) {
    for (; times != 0; --times) put(byte);
  }

  std::span<char> out_;
  const char* format_;
  std::size_t length_ = 0;
  bool wide_ = false;
  va_list arguments_;
};

}  // namespace

Formatted format_text(std::span<char> out, const char* format, va_list arguments) {
  return Formatter(out, format, arguments).run();
}

}  // namespace vmbsim::os
