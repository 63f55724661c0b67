// Readers of a table want to add the row that they miss, for which they need exclusive access. Is the row added once?
//
// Planted  what was seen with shared access, which has to be given up first, is still believed with exclusive access.
// Source   WDK, ExAcquireResourceExclusiveLite: a thread that has shared access must release it first.
#include "../twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("lock upgrade") {
  struct Table {
    Resource resource{"resource"};
    Data<int> rows{"rows"};
  };
  auto& table = make<Table>();
  for (const char* name : {"one", "two"})
    thread(name, [&] {
      table.resource.acquire_shared();
      const bool missed = table.rows == 0;
      table.resource.release();
      if (!missed) return;
      table.resource.acquire_exclusive();
      if (!healthy || table.rows == 0) table.rows = table.rows + 1;
      table.resource.release();
    });
  at_end([&] { check(table.rows == 1, "the row is there once"); });
}
