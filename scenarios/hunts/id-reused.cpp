// A channel goes away and its id is used for the next one. Whose interrupt is it?
//
// Planted  the id goes back to the host before the channel is out of the list that interrupts are looked up in.
// Source   Linux Integration Services, "fix the race when querying and updating the percpu list".
#include "twin.hpp"
#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

VMBSIM_HARNESS("id reused") {
  struct Bus {
    Shared<int> channel_of_id{"channel of the id", 1};  // 0: none
    Event id_free{"id free", Event::synchronization};
    Shared<bool> second_offered{"second offered"};
  };
  auto& bus = make<Bus>();
  auto& interrupt = make<Interrupt>("interrupt", 0, Irql::device, [&] {
    check(bus.channel_of_id != 1, "an interrupt for the second channel does not reach the first one");
  });
  thread("remove",
         [&] {
           if (healthy) bus.channel_of_id = 0;
           bus.id_free.set();
           if (healthy) return;
           int mine = 1;
           bus.channel_of_id.compare_exchange(mine, 0);
         },
         {.cpu = 1});
  thread("host",
         [&] {
           bus.id_free.wait();
           bus.second_offered = true;
           interrupt.request();
         },
         {.cpu = 2});
}
