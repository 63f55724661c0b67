#pragma once
/// The one place that puts results into a folder.
///
///   if (auto problem = report::write_result(folder, result, manifest)) { print(problem->line()); return 3; }
///
/// A file is written aside, flushed, then renamed: whoever finds a name finds the whole file. summary.json comes last, so a
/// folder that has one is complete.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/report/manifest.hpp"
#include "vmbsim/problem.hpp"
#include "vmbsim/result.hpp"

namespace vmbsim::report {

struct ResultFile {
  std::string name;
  std::string text;
};

/// manifest.toml, packets.csv and intervals.csv where the run recorded any, debug.txt where drivers printed any, summary.csv,
/// summary.json: in this order.
std::vector<ResultFile> result_files(const RunResult& result, const Manifest& manifest);

/// What makes `folder` the wrong one for a result, or nothing: to be asked before a long run. Makes no folder.
std::optional<Problem> foreign_result(const std::filesystem::path& folder, const Manifest& manifest);

/// Makes `folder` and tries it: whether files can be made there, as far as that can be known before a run.
std::optional<Problem> make_folder(const std::filesystem::path& folder);

/// Makes `folder` and puts the files there. A folder that holds the result of another scenario, another seed or another
/// resolved text is left alone; the same one is replaced. What went wrong, or nothing; after a failure no file is half
/// written and files that were there before are untouched or whole.
std::optional<Problem> write_result(const std::filesystem::path& folder, const RunResult& result,
                                    const Manifest& manifest);

/// One file, written aside and renamed over `path`.
std::optional<Problem> write_whole(const std::filesystem::path& path, const std::string& text);

}  // namespace vmbsim::report
