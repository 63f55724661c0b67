#pragma once
/// Logarithm, exponential and the normal quantile from additions, multiplications, divisions, square roots and bit
/// operations alone: IEEE 754 fixes the result of each of these, so the bits are the same on every compiler, at every
/// optimisation level and on every C library. (The C library's own log and exp may differ by a last bit.)
///
/// Requires rounding to nearest and no contraction to fused multiply-add (the build sets -ffp-contract=off).
#include <array>
#include <bit>
#include <cstdint>

#include "vmbsim/assert.hpp"

namespace vmbsim::kernel {

/// One bin of the mantissa: its centre, the rounded inverse of the centre, and the logarithm of the centre in two parts,
/// the upper one a multiple of 2^-42 so that adding a multiple of ln 2 to it is exact.
struct LogBin {
  double centre, inverse, log_high, log_low;
};
/// 128 bins that cover 0.685546875 .. 1.37109375; 1 is the centre of its bin, so that logarithms near 0 stay accurate.
extern const std::array<LogBin, 128> log_bins;
inline constexpr std::uint64_t log_bins_begin = 0x3fe5f00000000000;  ///< the bits of 0.685546875

/// Natural logarithm; `x` is positive, finite and normal. Error below 0.8 units in the last place.
/// Source: table-driven reduction after Tang, "Table-driven implementation of the logarithm function in IEEE
/// floating-point arithmetic", ACM TOMS 16(4), 1990.
inline double exact_log(double x) {
  constexpr double ln2_high = 0x1.62e42fefa3800p-1;  // a multiple of 2^-42
  constexpr double ln2_low = 0x1.ef35793c76730p-45;
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
  const std::uint64_t offset = bits - log_bins_begin;
  const std::int64_t exponent = static_cast<std::int64_t>(offset) >> 52;
  const LogBin& bin = log_bins[(offset >> 45) & 127];
  const double mantissa = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(exponent) << 52));
  const double k = static_cast<double>(exponent);
  const double r = (mantissa - bin.centre) * bin.inverse;  // the difference is exact; |r| <= 2^-8
  const double r2 = r * r;
  const double upper = 1.0 / 3 + r * -0.25 + r2 * (0.2 + r * (-1.0 / 6) + r2 * (1.0 / 7));
  const double low = k * ln2_low + bin.log_low + (r2 * r * upper - 0.5 * r2);
  const double high = k * ln2_high + bin.log_high;  // exact
  const double sum = high + r;
  return sum + ((r - (sum - high)) + low);  // high is 0 or larger than r: what the sum lost is recovered exactly
}

/// e to the power of `x`; |x| <= 700. Error below 0.53 units in the last place.
double exact_exp(double x);

/// The normal quantile: the z that a standard normal variable stays below with probability 1/2 + (draw + 1/2) / 2^64.
/// `draw` is any 64-bit number read as signed; odd symmetric (the quantile of ~draw is exactly the negative). The tail is
/// cut where its probability is 2^-65, at 9.16. Relative error below 1e-15.
/// Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37(3), 1988.
double normal_quantile(std::int64_t draw);

/// A standard exponential variable from a uniform 64-bit draw: -ln((draw + 1/2) / 2^64). The tail is cut where its
/// probability is 2^-65, at 45.05; no draw gives less than 0.
inline double exponential_quantile(std::uint64_t draw) {
  return -exact_log((static_cast<double>(draw) + 0.5) * 0x1p-64);
}

/// The longest sample, in nanoseconds (146 years): anything above is held there, so that sums with a clock do not overflow.
inline constexpr std::int64_t longest_sample = std::int64_t{1} << 62;

/// `x` rounded to the nearest whole number and held at longest_sample. `x` is not negative.
inline std::int64_t to_nanoseconds(double x) {
  return x < 0x1p62 ? static_cast<std::int64_t>(x + 0.5) : longest_sample;
}

}  // namespace vmbsim::kernel
