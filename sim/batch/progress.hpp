#pragma once
/// How far a batch is, on stderr: a line that lives in a terminal, plain lines elsewhere, JSON lines for programs.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vmbsim::batch {

struct Standing {
  std::uint64_t planned = 0;  ///< of this shard
  std::uint64_t before = 0;   ///< of them done when the batch began
  std::uint64_t done = 0;     ///< now, those before included
  std::uint64_t failed = 0;
  std::uint64_t running = 0;
  std::int64_t elapsed_ms = 0;
};

enum class ProgressForm : std::uint8_t { automatic, plain, json, none };
/// "auto", "plain", "json" or "none".
std::optional<ProgressForm> progress_form(std::string_view name);

/// One line each, without its end.
std::string plain_line(const Standing& standing);
std::string json_line(const Standing& standing);

class Progress {
 public:
  explicit Progress(ProgressForm form);
  /// Shows it when it is time to.
  void show(const Standing& standing);
  /// Shows it for the last time.
  void finish(const Standing& standing);

 private:
  void print(const Standing& standing);

  enum class Way : std::uint8_t { living, plain, json, none };
  Way way_;
  std::int64_t told_ms_ = 0;  // when it was shown last
  std::uint64_t told_ = 0;    // and what was over then
};

}  // namespace vmbsim::batch
