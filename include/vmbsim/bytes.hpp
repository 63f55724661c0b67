#pragma once
/// Amounts of memory in two strong types: bytes and 4 KiB pages.
#include <compare>
#include <cstdint>

namespace vmbsim {

/// A number of bytes. Ordered and addable; 64_KiB and the like are literals.
struct Bytes {
  std::int64_t count{};
  friend constexpr auto operator<=>(const Bytes&, const Bytes&) = default;
  friend constexpr Bytes operator+(Bytes a, Bytes b) { return {a.count + b.count}; }
  friend constexpr Bytes operator-(Bytes a, Bytes b) { return {a.count - b.count}; }
  constexpr Bytes& operator+=(Bytes b) {
    count += b.count;
    return *this;
  }
};

inline constexpr std::int64_t page_size = 4096;

/// A number of 4 KiB pages.
struct Pages {
  std::int64_t count{};
  friend constexpr auto operator<=>(const Pages&, const Pages&) = default;
  constexpr Bytes bytes() const { return {count * page_size}; }
};

/// The fewest pages that hold `b`.
constexpr Pages pages_for(Bytes b) { return {(b.count + page_size - 1) / page_size}; }

inline namespace literals {
constexpr Bytes operator""_B(unsigned long long n) { return {static_cast<std::int64_t>(n)}; }
constexpr Bytes operator""_KiB(unsigned long long n) { return {static_cast<std::int64_t>(n) * 1024}; }
constexpr Bytes operator""_MiB(unsigned long long n) { return {static_cast<std::int64_t>(n) * 1024 * 1024}; }
constexpr Pages operator""_pages(unsigned long long n) { return {static_cast<std::int64_t>(n)}; }
}  // namespace literals

}  // namespace vmbsim
