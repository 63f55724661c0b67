// How many orders there are: closed forms, and the counts of GenMC's expected files (Kokologiannakis et al., PLDI 2019).
#include <catch2/catch.hpp>

#include "tests/support/harness_case.hpp"

using namespace vmbsim;
using namespace vmbsim::hunt;
using testing::all_orders;

namespace {

/// N contexts with M dependent operations each.
template <int contexts, int operations>
void adds() {
  auto& word = make<Shared<int>>("word");
  for (int i = 0; i < contexts; ++i)
    thread("adder", [&word] {
      for (int k = 0; k < operations; ++k) word.fetch_add(1);
    });
}

template <int contexts, int operations>
void apart() {
  for (int i = 0; i < contexts; ++i) {
    auto& word = make<Shared<int>>("word");
    thread("adder", [&word] {
      for (int k = 0; k < operations; ++k) word.fetch_add(1);
    });
  }
}

template <int contexts>
void read_then_write() {
  auto& word = make<Shared<int>>("word");
  for (int i = 0; i < contexts; ++i)
    thread("context", [&word] {
      word.load();
      word.store(1);
    });
}

template <int contexts>
void lock_add_unlock() {
  auto& mutex = make<Mutex>("mutex");
  auto& word = make<Shared<int>>("word");
  for (int i = 0; i < contexts; ++i)
    thread("context", [&mutex, &word] {
      mutex.lock();
      word.fetch_add(1);
      mutex.unlock();
    });
}

}  // namespace

TEST_CASE("n contexts with m operations each have (nm)!/(m!)^n orders") {
  CHECK(all_orders(&adds<2, 2>).runs == 6);
  CHECK(all_orders(&adds<2, 3>).runs == 20);
  CHECK(all_orders(&adds<3, 2>).runs == 90);
  CHECK(all_orders(&adds<2, 6>).runs == 924);
  CHECK(all_orders(&adds<4, 2>).runs == 2520);
  CHECK(all_orders(&apart<2, 2>).runs == 6);
  CHECK(all_orders(&read_then_write<2>).runs == 6);
  CHECK(all_orders(&read_then_write<3>).runs == 90);
}

TEST_CASE("a lock is taken only while it is free") {
  CHECK(all_orders(&lock_add_unlock<2>).runs == 2);
  CHECK(all_orders(&lock_add_unlock<3>).runs == 6);
}

TEST_CASE("runs that differ in the order of independent steps are of one class") {
  CHECK(all_orders(&apart<2, 2>).classes.size() == 1);
  CHECK(all_orders(&apart<2, 2>).fingerprints.size() == 6);
  CHECK(all_orders(&adds<2, 2>).classes.size() == 6);
  CHECK(all_orders(&adds<2, 3>).classes.size() == 20);
  CHECK(all_orders(&adds<3, 2>).classes.size() == 90);
  CHECK(all_orders(&read_then_write<2>).classes.size() == 4);
  CHECK(all_orders(&read_then_write<3>).classes.size() == 36);
  CHECK(all_orders(&lock_add_unlock<2>).classes.size() == 2);
  CHECK(all_orders(&lock_add_unlock<3>).classes.size() == 6);
}

TEST_CASE("orders are counted by pre-emptions and by delays") {
  const auto two_by_two = all_orders(&adds<2, 2>);
  const auto two_by_three = all_orders(&adds<2, 3>);
  const std::uint64_t pre_two[] = {2, 2, 2, 0};
  const std::uint64_t pre_three[] = {2, 4, 8, 4, 2, 0};
  for (int p = 0; p < 4; ++p) CHECK(two_by_two.by_preemptions[p] == pre_two[p]);
  for (int p = 0; p < 6; ++p) CHECK(two_by_three.by_preemptions[p] == pre_three[p]);
  const std::uint64_t delays_two[] = {1, 2, 2, 1, 0};
  const std::uint64_t delays_three[] = {1, 3, 6, 6, 3, 1, 0};
  for (int d = 0; d < 5; ++d) CHECK(two_by_two.by_delays[d] == delays_two[d]);
  for (int d = 0; d < 7; ++d) CHECK(two_by_three.by_delays[d] == delays_three[d]);
}
