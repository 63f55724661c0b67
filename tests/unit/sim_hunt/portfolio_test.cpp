#include "sim/hunt/portfolio.hpp"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

using namespace vmbsim;

namespace {

/// Runs of each strategy in each of the first epochs.
class Plans {
 public:
  explicit Plans(std::vector<hunt::Lane> lanes) : lanes_(lanes.size()), portfolio_(std::move(lanes), std::nullopt) {}

  const std::vector<hunt::Slice>& next_epoch() {
    hunt::Coverage known;
    slices_ = portfolio_.plan(10'000);
    portfolio_.learn(slices_, std::vector<const hunt::SliceResult*>(slices_.size(), nullptr), known);
    return slices_;
  }
  std::vector<std::uint64_t> runs() const {
    std::vector<std::uint64_t> runs(lanes_);
    for (const hunt::Slice& slice : slices_) runs[slice.lane] += slice.places.size();
    return runs;
  }

 private:
  std::size_t lanes_;
  hunt::Portfolio portfolio_;
  std::vector<hunt::Slice> slices_;
};

}  // namespace

TEST_CASE("the first 64 runs are those of the strategy that is named first, then everybody has some") {
  Plans plans({{.strategy = "inject", .independent = true, .covered = {}},
               {.strategy = "random", .independent = true, .covered = {}},
               {.strategy = "delay", .independent = false, .covered = {}}});
  plans.next_epoch();
  CHECK(plans.runs() == std::vector<std::uint64_t>{64, 0, 0});
  plans.next_epoch();
  CHECK(plans.runs()[1] > 0);
  CHECK(plans.runs()[2] > 0);
}

TEST_CASE("a search that is named second has a look early on, and runs enough to prove what has twenty orders") {
  Plans plans({{.strategy = "rff", .independent = false, .covered = {}},
               {.strategy = "dpor", .independent = false, .covered = {}},
               {.strategy = "random", .independent = true, .covered = {}}});
  const std::vector<hunt::Slice> slices = plans.next_epoch();
  CHECK(plans.runs() == std::vector<std::uint64_t>{43, 21, 0});
  REQUIRE(slices.size() == 2);
  CHECK(slices[0].places[5] == 5);
  CHECK(slices[1].places[0] == 6);
  CHECK(slices[1].places[2] == 8);
  CHECK(slices[1].places[3] == 46);
  plans.next_epoch();
  CHECK(plans.runs()[2] > 0);
}
