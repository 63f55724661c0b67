/// The hold model on SimGrid's actors: one per item, asleep between its events.
///
///   actor: sleep_for(gap) ──► Engine::run ──► actor resumes ──► sleep_for(gap) ...
#include <simgrid/s4u.hpp>

#include "tests/bench/hold_model.hpp"

int main(int argc, char** argv) {
  char name[] = "hold";
  char precision[] = "--cfg=surf/precision:1e-12";
  char stack[] = "--cfg=contexts/stack-size:16";
  char quiet[] = "--log=root.thres:critical";
  char* arguments[] = {name, precision, stack, quiet, nullptr};
  int count = 4;
  simgrid::s4u::Engine engine(&count, arguments);
  vmbsim::bench::HoldModel model(argc, argv);
  auto* const zone = simgrid::s4u::create_full_zone("zone");
  auto* const host = zone->create_host("host", 1e9);
  zone->seal();
  for (std::uint64_t i = 0; i != model.items; ++i) {
    simgrid::s4u::Actor::create("item", host, [&model, i] {
      while (true) {
        simgrid::s4u::this_actor::sleep_for(static_cast<double>(model.next_gap()) * 1e-9);
        if (!model.count(static_cast<std::int64_t>(simgrid::s4u::Engine::get_clock() * 1e9), i)) {
          model.report();
          std::fflush(stdout);
          std::_Exit(0);  // no need to end ten thousand actors
        }
      }
    });
  }
  engine.run();
  return 1;
}
