#pragma once
/// A 128-bit unsigned integer for sums of nanoseconds that must not overflow.
namespace vmbsim {
__extension__ typedef unsigned __int128 Wide;  // `using` would be refused by -Wpedantic
}  // namespace vmbsim
