#pragma once
/// The mean of every stage, rounded so that what is printed still adds up.
///
/// A mean is an exact ratio: a 128-bit sum of nanoseconds over a number of transactions. Rounding eleven ratios one by one
/// would leave their sum a few last digits away from the rounded latency. So the latency is rounded, every stage is
/// rounded down, and the units still missing go to the stages with the largest remainders (the largest-remainder method,
/// known from the apportionment of seats).
#include <array>
#include <cstdint>

#include "vmbsim/result.hpp"

namespace vmbsim::report {

/// Means as whole multiples of a grain; `stages` add up to `latency`. All 0 when nothing was measured.
struct Breakdown {
  std::array<std::uint64_t, stage_count> stages{};
  std::uint64_t latency = 0;
};

/// How fine a breakdown is, in picoseconds.
enum class Grain : std::uint64_t { picosecond = 1, nanosecond = 1'000, microsecond = 1'000'000 };

/// Asserts that the stages of a measured channel add up to its latency.
Breakdown breakdown(const ChannelResult& channel, Grain grain);

}  // namespace vmbsim::report
