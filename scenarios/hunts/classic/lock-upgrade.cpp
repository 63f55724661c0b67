// Two readers of a resource both want to write. Does either ever get there?
//
// Planted  each keeps its shared access while it waits for the exclusive one.
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
      const bool wanted = table.rows < 2;
      if (healthy) table.resource.release();
      if (wanted) {
        table.resource.acquire_exclusive();
        table.rows = table.rows + 1;
        table.resource.release();
      }
      if (!healthy) table.resource.release();
    });
}
