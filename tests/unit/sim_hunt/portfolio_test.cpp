#include "sim/hunt/portfolio.hpp"

#include <catch2/catch.hpp>

using namespace vmbsim;

TEST_CASE("the first 64 runs are those of the strategy that is named first, then everybody has some") {
  hunt::Portfolio portfolio({{.strategy = "rff", .independent = false, .covered = {}},
                             {.strategy = "dpor", .independent = false, .covered = {}},
                             {.strategy = "random", .independent = true, .covered = {}}},
                            std::nullopt);
  std::vector<std::uint64_t> runs(3);
  const auto add_epoch = [&] {
    hunt::Coverage known;
    const std::vector<hunt::Slice> slices = portfolio.plan(10'000);
    for (const hunt::Slice& slice : slices) runs[slice.lane] += slice.places.size();
    portfolio.learn(slices, std::vector<const hunt::SliceResult*>(slices.size(), nullptr), known);
  };
  add_epoch();
  CHECK(runs == std::vector<std::uint64_t>{64, 0, 0});
  add_epoch();
  CHECK(runs[1] > 0);
  CHECK(runs[2] > 0);
}
