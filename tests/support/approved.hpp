#pragma once
/// Expected output that lives in a file beside its test. On a mismatch the test shows both texts; `./dev approve` accepts
/// the new one, and the difference is read in review.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace vmbsim::testing {

/// The whole file; empty when there is none.
inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What tests expect is being written anew.
inline bool approving() { return std::getenv("VMBSIM_APPROVE") != nullptr; }

/// The text that `actual` must equal: the file's, or `actual` itself while approving.
inline std::string approved(const std::filesystem::path& path, const std::string& actual) {
  if (approving()) std::ofstream(path, std::ios::binary) << actual;
  return text_of(path);
}

}  // namespace vmbsim::testing
