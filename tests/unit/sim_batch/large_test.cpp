#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/support/scratch_folder.hpp"
#include "tests/unit/sim_batch/study.hpp"

using namespace vmbsim;
using namespace vmbsim::batch;
using namespace vmbsim::testing;

namespace {

double processor_s(int who) {
  rusage used{};
  ::getrusage(who, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Figures of a storage channel, a load and two processors: what a small scenario gives.
Figures ordinary(const PlannedRun& run) {
  Figures figures = Study::figures(run);
  figures.metrics.clear();
  for (int i = 0; i < 70; ++i)
    figures.metrics.push_back({fmt::format("channel.disk.some.metric{}", i),
                               1.0 / static_cast<double>(run.seed.value + 1) + i, report::Unit::nanoseconds});
  figures.histograms.clear();
  for (const char* name : {"channel.disk.latency", "workload.load.response"}) {
    Histogram latency;
    std::uint64_t x = run.seed.value;
    for (int i = 0; i < 4000; ++i) {
      x = x * 6364136223846793005 + 1442695040888963407;
      latency.add(Duration{static_cast<std::int64_t>(50'000 + (x >> 45))});
    }
    figures.histograms.push_back({name, latency});
  }
  return figures;
}

std::int64_t resident_pages() {
  std::ifstream in("/proc/self/statm");
  std::int64_t size = 0, resident = 0;
  in >> size >> resident;
  return resident;
}

}  // namespace

TEST_CASE("ten thousand runs cost little beside themselves") {
  const Study study(1667);
  const ScratchFolder scratch;
  const double before = processor_s(RUSAGE_SELF) + processor_s(RUSAGE_CHILDREN);
  const std::int64_t resident_before = resident_pages();
  study.run(scratch.path(), [](Batch::Config& config) {
    config.runner.jobs = 2;
    config.run = ordinary;
  });
  const double each_ms =
      (processor_s(RUSAGE_SELF) + processor_s(RUSAGE_CHILDREN) - before) * 1000 / static_cast<double>(study.size());
  const double grown_mib = static_cast<double>(resident_pages() - resident_before) * 4096 / (1 << 20);
  const auto bytes = std::filesystem::file_size(store_of(scratch.path(), 0, 1));
  const auto started = std::chrono::steady_clock::now();
  const Summary again = study.run(scratch.path());
  const double resume_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  fmt::print("{} runs: {:.2f} ms of processor each, {:.1f} MB of store, {:.1f} MiB more memory, resumed in {:.2f} s\n",
             study.size(), each_ms, static_cast<double>(bytes) / 1e6, grown_mib, resume_s);
  CHECK(again.standing.before == study.size());
  CHECK(each_ms < 5);
  CHECK(bytes < 100'000'000);
  CHECK(grown_mib < 16);
  CHECK(resume_s < 2);
}
