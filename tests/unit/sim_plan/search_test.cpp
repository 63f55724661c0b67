// How a plan finds the largest load that keeps its bounds, and that it is right.
#include <cmath>

#include "sim/plan/bound.hpp"
#include "tests/unit/sim_plan/queues.hpp"

using namespace vmbsim;
using namespace vmbsim::plan;
using namespace vmbsim::testing;

namespace {

/// Runs whose margin grows with the index and crosses zero between `limit` and the next one, with noise.
struct Slope {
  double limit;
  double noise = 0.3;
  std::vector<std::size_t> visited{};

  Found search(const Range& range) {
    return plan::search(range, 1, [&](std::size_t index, std::size_t first, std::size_t count) {
      if (visited.empty() || visited.back() != index) visited.push_back(index);
      std::vector<Outcome> outcomes(count);
      for (std::size_t run = 0; run < count; ++run) {
        kernel::Stream chance(Seed{first + run + 1}, "run", std::to_string(index));
        const double drawn = static_cast<double>(chance.below(1'000'001)) / 500'000 - 1;
        outcomes[run].margins = {{static_cast<double>(index) - limit - 0.5 + noise * drawn}};
        outcomes[run].values = {0};
      }
      return outcomes;
    });
  }
};

}  // namespace

TEST_CASE("a plan brackets from its guess and halves what is left") {
  Slope slope{20};
  const Found found = slope.search({.last = 63, .guess = 10});
  CHECK(found.answer == 20);
  CHECK(found.sure());
  // In the end it looks at the smallest, and at about twice the answer.
  CHECK(slope.visited == std::vector<std::size_t>{10, 11, 13, 17, 25, 21, 19, 20, 0, 45});
  REQUIRE(found.at(45) != nullptr);
  CHECK(found.at(45)->only_looked_at);
  CHECK(found.contrary() == nullptr);
  REQUIRE(found.broken() != nullptr);
  CHECK(found.broken()->index == 21);
}

TEST_CASE("downwards it goes the same way") {
  Slope slope{3};
  CHECK(slope.search({.last = 63, .guess = 40}).answer == 3);
  CHECK(slope.visited == std::vector<std::size_t>{40, 39, 37, 33, 25, 9, 0, 4, 2, 3, 11});
}

TEST_CASE("every answer of a range can be found, from every guess") {
  for (std::size_t last : {0u, 1u, 6u, 9u})
    for (std::size_t guess = 0; guess <= last + 1; ++guess)
      for (std::size_t limit = 0; limit <= last; ++limit) {
        Slope slope{static_cast<double>(limit), 0};
        INFO(last << " " << guess << " " << limit);
        CHECK(slope.search({.last = last, .guess = guess}).answer == limit);
      }
}

TEST_CASE("where not even the smallest load keeps the bounds there is no answer") {
  Slope slope{-1};
  const Found found = slope.search({.last = 7, .guess = 3});
  CHECK_FALSE(found.answer.has_value());
  REQUIRE(found.broken() != nullptr);
  CHECK(found.broken()->index == 0);
}

TEST_CASE("where the largest load keeps them nothing breaks") {
  Slope slope{100};
  const Found found = slope.search({.last = 7, .guess = 3});
  CHECK(found.answer == 7);
  CHECK(found.broken() == nullptr);
}

TEST_CASE("near the limit a point takes more runs than far from it") {
  Slope slope{20, 3};
  const Found found = slope.search({.last = 63, .guess = 10});
  CHECK(found.answer == 20);
  REQUIRE(found.at(10) != nullptr);
  CHECK(found.at(10)->outcomes.size() == 5);
  CHECK(found.at(20)->outcomes.size() > 10);
}

TEST_CASE("a bound that is met within chance is decided by what is likelier, and said to be close") {
  Slope slope{4.5};  // index 5 lies on the bound
  const Found found = slope.search({.last = 7, .guess = 5, .confidence = 0.99, .most_runs = 30});
  CHECK_FALSE(found.sure());
  CHECK(found.at(5)->outcomes.size() == 30);
  CHECK((found.answer == 4 || found.answer == 5));
}

TEST_CASE("runs that never saw what is rare do not show that it is not there") {
  Decision decision({.error = 0.01, .first_runs = 5, .most_runs = 50}, 1);
  // Ten packets a run, one in a hundred may be late: none was in fifty packets.
  const std::vector<Margin> none{{-0.1, 0.01 * 0.99 * 10}};
  for (int run = 0; run < 5; ++run) decision.add(none);
  CHECK_FALSE(decision.verdict().has_value());
  CHECK(decision.wanted() > 0);
}

TEST_CASE(
    "a figure that no run differs in, and that lies on its bound, keeps \"<=\" and \">=\" and breaks \"<\" and \">\"") {
  Histogram times;
  for (int i = 0; i < 1000; ++i) times.add(3us);
  struct Row {
    Demand demand;
    bool kept;
  };
  for (const Row row : {Row{Demand::below, false}, Row{Demand::at_most, true}, Row{Demand::above, false},
                        Row{Demand::at_least, true}, Row{Demand::equal, true}}) {
    CAPTURE(static_cast<int>(row.demand));
    const auto verdict = [](const Margin& margin) {
      Decision decision({.error = 0.05, .first_runs = 3, .most_runs = 20}, 1);
      for (int run = 0; run < 3; ++run) decision.add(std::vector<Margin>{margin});
      return decision.verdict();
    };
    const Verdict right = row.kept ? Verdict::holds : Verdict::breaks;
    CHECK(verdict(margin_of({.metric = "fleet.refused", .text = "", .demand = row.demand, .value = 3}, 3, nullptr)) ==
          right);
    Bound bound{"channel.disk.latency.mean", "", report::Unit::nanoseconds, {}, row.demand, 3000};
    CHECK(verdict(margin_of(bound, 3000, &times)) == right);
    bound.share = 0.5;
    if (row.demand != Demand::above && row.demand != Demand::at_least)
      CHECK(verdict(margin_of(bound, 3000, &times)) == right);
  }
}

TEST_CASE("one run that differs breaks \"=\", however many do not") {
  const Bound none{.metric = "run.findings", .text = "= 0", .demand = Demand::equal, .value = 0};
  Decision decision({.error = 0.05, .first_runs = 20, .most_runs = 200}, 1);
  for (int run = 0; run < 20; ++run) decision.add(std::vector<Margin>{margin_of(none, run == 7 ? 1 : 0, nullptr)});
  CHECK(decision.verdict() == Verdict::breaks);
  CHECK(decision.sure());
}

TEST_CASE("a point with several bounds holds when all do, and breaks when one does") {
  Decision decision({.error = 0.05, .first_runs = 3, .most_runs = 20}, 2);
  for (const double noise : {-0.01, 0.0, 0.01}) decision.add(std::vector<Margin>{{-1 + noise}, {-0.5 - noise}});
  CHECK(decision.verdict() == Verdict::holds);
  CHECK(decision.wanted() == 0);
  Decision other({.error = 0.05, .first_runs = 3, .most_runs = 20}, 2);
  for (const double noise : {-0.01, 0.0, 0.01}) other.add(std::vector<Margin>{{-1 + noise}, {0.5 - noise}});
  CHECK(other.verdict() == Verdict::breaks);
  CHECK(other.tightest() == 1);
  CHECK(other.sure());
}

TEST_CASE("a run in which guests found no place breaks its point") {
  Decision decision({.error = 0.05, .first_runs = 3, .most_runs = 20}, 1);
  decision.add_breach();
  CHECK(decision.verdict() == Verdict::breaks);
}

TEST_CASE("verdicts are wrong no more often than they may be, where the mean lies on the bound") {
  int wrong = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    kernel::Stream chance(Seed{seed}, "runs", "margins");
    Decision decision({.error = 0.05, .first_runs = 5, .most_runs = 60}, 1);
    while (const std::size_t more = decision.wanted())
      for (std::size_t run = 0; run < more; ++run) {
        double sum = -6;
        for (int i = 0; i < 12; ++i) sum += static_cast<double>(chance.below(1'000'000)) / 1e6;
        decision.add(std::vector<Margin>{{sum}});
      }
    if (decision.sure() && decision.verdict() == Verdict::holds) ++wrong;
  }
  CHECK(wrong < 50);
  CHECK(wrong > 5);
}

namespace {

/// Margins by index, without chance; not a number: nothing was measured.
Found search_over(const std::vector<double>& margins, const std::vector<std::string>& missing = {}) {
  return plan::search({.last = margins.size() - 1}, 1, [&](std::size_t index, std::size_t, std::size_t count) {
    Outcome outcome;
    if (!missing.empty()) outcome.missing = missing[index];
    outcome.margins = {{margins[index]}};
    outcome.values = {margins[index]};
    return std::vector<Outcome>(count, outcome);
  });
}

}  // namespace

TEST_CASE("where a larger load holds again the search finds out, if it looks there") {
  const Found found = search_over({-1, -1, 1, 1, 1, 1, 1, -1});
  CHECK(found.answer == 1);
  REQUIRE(found.contrary() != nullptr);
  CHECK(found.contrary()->index == 7);
  CHECK_FALSE(found.sure());
  const Found smallest =
      plan::search({.last = 7, .guess = 4}, 1, [](std::size_t index, std::size_t, std::size_t count) {
        Outcome outcome;
        outcome.margins = {{index == 0 || index > 4 ? 1.0 : -1.0}};
        outcome.values = {0};
        return std::vector<Outcome>(count, outcome);
      });
  CHECK(smallest.answer == 4);
  REQUIRE(smallest.contrary() != nullptr);
  CHECK(smallest.contrary()->index == 0);
}

TEST_CASE("where the last looks make the answer doubtful they are decided") {
  // The smallest breaks on average, which five runs do not show.
  const Found found = plan::search({.last = 7, .guess = 4}, 1, [](std::size_t index, std::size_t first, std::size_t n) {
    std::vector<Outcome> outcomes(n);
    for (std::size_t run = 0; run < n; ++run) {
      const double chance = (first + run) % 2 == 0 ? 2 : -2;
      outcomes[run].margins = {{index == 0 ? 1 + chance : index > 4 ? 1.0 : -1.0}};
      outcomes[run].values = {0};
    }
    return outcomes;
  });
  CHECK(found.answer == 4);
  CHECK(found.at(0)->outcomes.size() > 50);
  REQUIRE(found.contrary() != nullptr);
  CHECK(found.contrary()->index == 0);
  CHECK(found.at(7)->only_looked_at);
}

TEST_CASE("a load that breaks what no bound is about breaks, though nothing was measured there") {
  const Found found = plan::search({.last = 3}, 1, [](std::size_t index, std::size_t, std::size_t count) {
    Outcome outcome;
    outcome.margins = {{index > 1 ? nothing_measured : -1}};
    outcome.values = {index > 1 ? nothing_measured : 0};
    if (index > 1) outcome.breach = "4 guests found no place";
    return std::vector<Outcome>(count, outcome);
  });
  CHECK(found.answer == 1);
  REQUIRE(found.broken() != nullptr);
  CHECK(found.broken()->verdict == Verdict::breaks);
  CHECK(found.broken()->reason == "4 guests found no place");
  CHECK(found.sure());
}

TEST_CASE("a load that cannot be run, or where nothing is measured, is not said to break") {
  const Found found = search_over({-1, -1, -1, 0, 1, 1, 1, 1}, {"", "", "", "cannot be run: no", "", "", "", ""});
  CHECK(found.answer == 2);
  REQUIRE(found.broken() != nullptr);
  CHECK(found.broken()->verdict == Verdict::untold);
  CHECK(found.broken()->reason == "cannot be run: no");
  CHECK(found.broken()->outcomes.size() == 5);
  const Found nothing = search_over({nothing_measured, -1, 1});
  CHECK_FALSE(nothing.answer.has_value());
  CHECK(nothing.broken()->verdict == Verdict::untold);
  // Beyond what breaks nobody asks.
  const Found beyond = search_over({-1, -1, 1, 1, 1, 1, 1, 1}, {"", "", "", "", "", "", "", "cannot be run: no"});
  CHECK(beyond.broken()->verdict == Verdict::breaks);
  CHECK(beyond.at(7)->verdict == Verdict::untold);
  CHECK(beyond.sure());
}

TEST_CASE("points that another is better than are not on the front") {
  CHECK(pareto_front({{1, 5}, {2, 4}, {2, 3}, {3, 1}, {1, 5}}) == std::vector<std::size_t>{0, 1, 3, 4});
  CHECK(pareto_front({}).empty());
}

TEST_CASE("a plan finds how many sources one server carries, and how many eight do") {
  CHECK(one_server.limit() == 3);
  CHECK(eight_servers.limit() == 35);
  const Tally one = plan_often(one_server, 20);
  CHECK(one.exact >= 19);
  CHECK(one.most_share <= 25);
  const Tally eight = plan_often(eight_servers, 20);
  CHECK(eight.exact >= 19);
  CHECK(eight.most_share <= 25);
}
