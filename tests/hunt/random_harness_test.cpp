// Partial-order reduction reaches exactly the end states that all orders reach, in harnesses that nobody thought of.
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include "models/harness/harness.hpp"
#include "sim/explore/strategies.hpp"
#include "tests/support/drawn_cases.hpp"
#include "tests/support/every_order.hpp"
#include "tests/support/random_harness.hpp"

using namespace vmbsim;
using namespace vmbsim::testing;
using explore::MemoryModel;

namespace {

const Drawn* drawn_now = nullptr;
std::uint64_t end_now = 0;

void enter(const vmbsim_hunt* hunt) {
  hunt::detail::now = hunt;
  end_now = 0;
  hunt::make<DrawnHarness>(*drawn_now, end_now);
}

/// The final words and all that was read, or the rule that was broken.
std::string end_state(const explore::Outcome& outcome) {
  return outcome.found() ? outcome.findings.front().rule : std::to_string(end_now);
}

constexpr std::uint64_t most_runs = 1'000;

using Ends = std::set<std::string>;

/// False where there are more orders than a test has time for.
bool all_ends(MemoryModel memory, Ends& ends) {
  harness::Harness program("drawn", &enter, {.memory = memory});
  return every_order(
             program, [&](const explore::Outcome& outcome, const EveryOrder&) { ends.insert(end_state(outcome)); },
             most_runs) < most_runs;
}

Ends reduced_ends(MemoryModel memory, const char* name) {
  harness::Harness program("drawn", &enter, {.memory = memory});
  Ends ends;
  const auto strategy = explore::make_strategy(name, Seed{1});
  for (std::uint64_t run = 0; strategy->begin(run); ++run) {
    RC_ASSERT(run < 4 * most_runs);
    const explore::Outcome& outcome = program.run(*strategy);
    if (outcome.end == explore::End::finished) ends.insert(end_state(outcome));
    strategy->end(outcome, {});
  }
  RC_ASSERT(!strategy->covered().empty());
  return ends;
}

std::string text_of(const Ends& ends) {
  std::string text;
  for (const std::string& end : ends) text += end + " ";
  return text;
}

/// In `count` harnesses of the family, under every memory model.
void same_ends(const char* name, const Family& family, int count) {
  std::uint64_t compared = 0, several = 0;
  told(checked(name, count, [&] {
    const Drawn drawn = *arbitrary_harness(family);
    drawn_now = &drawn;
    for (const MemoryModel memory : {MemoryModel::sc, MemoryModel::tso, MemoryModel::pso}) {
      Ends all;
      if (!all_ends(memory, all)) continue;
      ++compared;
      several += all.size() > 1;
      for (const char* strategy : {"dpor", "odpor"}) {
        const Ends reduced = reduced_ends(memory, strategy);
        if (reduced == all) continue;
        std::ostringstream text;
        text << strategy << " under " << name_of(memory) << ": " << text_of(reduced) << "and not " << text_of(all)
             << "in\n"
             << drawn;
        RC_FAIL(text.str());
      }
    }
  }));
  CHECK(compared > static_cast<std::uint64_t>(count));
  CHECK(several > static_cast<std::uint64_t>(count) / 5);
}

const std::vector<Do> words = {Do::load, Do::store, Do::store_release, Do::store_seq_cst,
                               Do::add,  Do::fence, Do::write_fence};
std::vector<Do> words_and(std::vector<Do> more) {
  more.insert(more.end(), words.begin(), words.end());
  return more;
}

}  // namespace

TEST_CASE("reduction reaches every end of drawn harnesses with locks, semaphores and events") {
  same_ends("waits",
            {.of_threads = words_and({Do::lock, Do::unlock, Do::take, Do::give, Do::wait, Do::set, Do::clear, Do::lock,
                                      Do::take, Do::wait, Do::set})},
            300);
}

TEST_CASE("reduction reaches every end of drawn harnesses with work items") {
  same_ends("work items",
            {.of_threads = {Do::load, Do::store, Do::add, Do::queue, Do::queue, Do::fence, Do::lock},
             .of_work = {Do::load, Do::store, Do::add, Do::give, Do::lock}},
            300);
}

TEST_CASE("reduction reaches every end of drawn harnesses whose work items overlap themselves") {
  same_ends("runs of a work item",
            {.of_threads = {Do::queue, Do::load, Do::add}, .of_work = {Do::load, Do::add}, .most_steps = 3}, 400);
}

TEST_CASE("reduction reaches every end of drawn harnesses that make threads and words as they run") {
  same_ends("made",
            {.of_threads = {Do::load, Do::store, Do::add, Do::spawn, Do::join, Do::spawn, Do::join, Do::make},
             .of_children = {Do::load, Do::store, Do::add, Do::make, Do::queue}},
            3000);
}

TEST_CASE("reduction reaches every end of drawn harnesses with DPCs and levels") {
  same_ends("DPCs",
            {.of_threads = {Do::load, Do::store, Do::add, Do::insert, Do::insert, Do::insert_on, Do::remove, Do::raise,
                            Do::lower, Do::spin, Do::unspin},
             .of_dpcs = {Do::load, Do::store, Do::add, Do::spin, Do::set}},
            300);
}

TEST_CASE("reduction reaches every end of drawn harnesses with timers and interrupts") {
  same_ends(
      "timers",
      {.of_threads = {Do::load, Do::store, Do::add, Do::arm, Do::cancel, Do::request, Do::raise, Do::lower, Do::wait},
       .of_dpcs = {Do::load, Do::store, Do::add, Do::set, Do::spin},
       .of_isr = {Do::load, Do::store, Do::add, Do::insert}},
      300);
}

TEST_CASE("reduction reaches every end of drawn harnesses that try to take locks") {
  same_ends("tries",
            {.of_threads = {Do::load, Do::store, Do::add, Do::lock, Do::unlock, Do::try_lock, Do::try_lock, Do::spin,
                            Do::unspin, Do::try_spin, Do::take, Do::try_take, Do::give, Do::insert, Do::remove},
             .of_dpcs = {Do::load, Do::add, Do::spin, Do::give}},
            300);
}

TEST_CASE("reduction reaches every end of drawn harnesses whose contexts share a processor and its locks") {
  same_ends("shared processor",
            {.of_threads = {Do::spin, Do::unspin, Do::load, Do::store, Do::insert_on, Do::insert, Do::remove, Do::arm,
                            Do::cancel, Do::try_spin, Do::request},
             .of_dpcs = {Do::spin, Do::unspin, Do::load, Do::store},
             .of_isr = {Do::load, Do::store, Do::insert}},
            300);
}

TEST_CASE("reduction reaches every end of drawn harnesses whose threads yield once") {
  same_ends("yields", {.of_threads = words_and({Do::yield, Do::lock, Do::unlock, Do::wait, Do::set})}, 200);
}

TEST_CASE("reduction reaches every end of drawn harnesses of everything") {
  same_ends("everything",
            {.of_threads = words_and({Do::lock, Do::unlock, Do::take, Do::give, Do::wait, Do::set, Do::clear, Do::raise,
                                      Do::lower, Do::insert, Do::insert_on, Do::remove, Do::queue, Do::arm, Do::cancel,
                                      Do::request, Do::spin, Do::unspin}),
             .of_dpcs = {Do::load, Do::store, Do::add, Do::set, Do::give, Do::queue, Do::spin},
             .of_work = {Do::load, Do::store, Do::add, Do::take, Do::give, Do::lock},
             .of_isr = {Do::load, Do::store, Do::add, Do::insert}},
            300);
}
