#pragma once
/// One process at a time, told by a file that says who it is. The lock goes with the process, however that ends; it holds
/// between machines where the file system carries POSIX locks.
#include <filesystem>
#include <optional>

#include "vmbsim/problem.hpp"

namespace vmbsim::batch {

class Lock {
 public:
  Lock() = default;
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  /// Or who holds it.
  std::optional<Problem> take(const std::filesystem::path& file);

 private:
  int file_ = -1;
};

}  // namespace vmbsim::batch
