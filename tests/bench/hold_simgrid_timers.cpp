/// The hold model on SimGrid's kernel timers.
///
///   Timer::set(date) ──► heap of timers ──► Engine::run ──► callback ──► Timer::set ...
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>

#include "tests/bench/hold_model.hpp"

namespace {

struct Item {
  vmbsim::bench::HoldModel* model;
  std::uint64_t index;

  void schedule() {
    simgrid::kernel::timer::Timer::set(
        simgrid::s4u::Engine::get_clock() + static_cast<double>(model->next_gap()) * 1e-9, [this] { run(); });
  }
  void run() {
    if (!model->count(static_cast<std::int64_t>(simgrid::s4u::Engine::get_clock() * 1e9), index)) {
      model->report();
      std::fflush(stdout);
      std::_Exit(0);  // the engine offers no way to stop with timers pending
    }
    schedule();
  }
};

}  // namespace

int main(int argc, char** argv) {
  char name[] = "hold";
  char precision[] = "--cfg=surf/precision:1e-12";
  char quiet[] = "--log=root.thres:critical";
  char* arguments[] = {name, precision, quiet, nullptr};
  int count = 3;
  simgrid::s4u::Engine engine(&count, arguments);
  vmbsim::bench::HoldModel model(argc, argv);
  auto* const zone = simgrid::s4u::create_full_zone("zone");
  auto* const host = zone->create_host("host", 1e9);
  zone->seal();
  std::vector<Item> items;
  for (std::uint64_t i = 0; i != model.items; ++i) items.push_back({&model, i});
  simgrid::s4u::Actor::create("alive", host, [] { simgrid::s4u::this_actor::sleep_for(1e9); });
  for (Item& item : items) item.schedule();
  engine.run();
  return 1;
}
