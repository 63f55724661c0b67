// Litmus tests: which values loads may see in each memory model, and in how many orders.
// Sources: Sewell et al., "x86-TSO", CACM 53(7), 2010; SPARC V9, appendix D; Alglave et al., "Litmus", TACAS 2011.
#include <catch2/catch.hpp>

#include <set>
#include <string>

#include "tests/support/harness_case.hpp"

using namespace vmbsim;
using namespace vmbsim::hunt;
using testing::all_orders;
using testing::MemoryModel;

namespace {

/// What the loads of one run saw.
struct Registers {
  int of[4] = {-1, -1, -1, -1};
  ~Registers() {
    std::string all;
    for (const int value : of)
      if (value >= 0) all += static_cast<char>('0' + value);
    seen->insert(all);
  }
  static std::set<std::string>* seen;
};
std::set<std::string>* Registers::seen = nullptr;

struct Words {
  Shared<int> x{"x"};
  Shared<int> y{"y"};
  Registers r;
};

/// The operations of one context: W x 1, R y -> r0, F fence, S write fence.
void context(Words& words, std::string program, int into) {
  thread("context", [&words, program, into] {
    int next = into;
    for (const char operation : program) switch (operation) {
        case 'X': words.x.store(1, relaxed); break;
        case 'Y': words.y.store(1, relaxed); break;
        case 'Z': words.x.store(2, relaxed); break;
        case 'x': words.r.of[next++] = words.x.load(relaxed); break;
        case 'y': words.r.of[next++] = words.y.load(relaxed); break;
        case 'F': fence(); break;
        case 'S': write_fence(); break;
      }
  });
}

void sb() {
  auto& w = make<Words>();
  context(w, "Xy", 0);
  context(w, "Yx", 1);
}
void sb_fences() {
  auto& w = make<Words>();
  context(w, "XFy", 0);
  context(w, "YFx", 1);
}
void sb_one_fence() {
  auto& w = make<Words>();
  context(w, "XFy", 0);
  context(w, "Yx", 1);
}
void mp() {
  auto& w = make<Words>();
  context(w, "XY", 0);
  context(w, "yx", 0);
}
void mp_fence() {
  auto& w = make<Words>();
  context(w, "XSY", 0);
  context(w, "yx", 0);
}
void lb() {
  auto& w = make<Words>();
  context(w, "xY", 0);
  context(w, "yX", 1);
}
void corr() {
  auto& w = make<Words>();
  context(w, "X", 0);
  context(w, "Z", 0);
  context(w, "xx", 0);
}
void iriw() {
  auto& w = make<Words>();
  context(w, "X", 0);
  context(w, "Y", 0);
  context(w, "xy", 0);
  context(w, "yx", 2);
}

struct Row {
  const char* name;
  void (*set_up)();
  std::uint64_t sc_orders;
  std::size_t sc, tso, pso;  // outcomes
  std::uint64_t tso_orders;
};

}  // namespace

TEST_CASE("every litmus test has its outcomes and its orders") {
  for (const Row& row : {Row{"SB", sb, 6, 3, 4, 4, 80}, Row{"SB with fences", sb_fences, 20, 3, 3, 3, 70},
                         Row{"SB with one fence", sb_one_fence, 10, 3, 4, 4, 70}, Row{"MP", mp, 6, 3, 3, 4, 30},
                         Row{"MP with a write fence", mp_fence, 10, 3, 3, 3, 21}, Row{"LB", lb, 6, 3, 3, 3, 20},
                         Row{"CoRR", corr, 12, 7, 7, 7, 90}, Row{"IRIW", iriw, 180, 15, 15, 15, 2520}}) {
    INFO(row.name);
    std::set<std::string> seen;
    Registers::seen = &seen;
    CHECK(all_orders(row.set_up, MemoryModel::sc).runs == row.sc_orders);
    CHECK(seen.size() == row.sc);
    seen.clear();
    CHECK(all_orders(row.set_up, MemoryModel::tso).runs == row.tso_orders);
    CHECK(seen.size() == row.tso);
    seen.clear();
    all_orders(row.set_up, MemoryModel::pso);
    CHECK(seen.size() == row.pso);
  }
}
