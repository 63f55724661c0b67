/// The hold model on a bare queue; compiled once per queue (VMBSIM_QUEUE).
///
///   queue.pop ──► handler ──► queue.push ...
#include "tests/bench/hold_reference.hpp"

#include <memory>

#include "tests/bench/hold_model.hpp"

namespace vmbsim::bench {
namespace {

struct World {
  World(int argc, char** argv) : model(argc, argv) {}
  HoldModel model;
  VMBSIM_QUEUE queue;
  std::uint64_t now = 0;
  bool running = true;
};

struct Item {
  World* world;
  std::uint64_t index;

  void schedule() {
    world->queue.push(world->now + static_cast<std::uint64_t>(world->model.next_gap()), &Item::run, this);
  }
  static void run(void* self) {
    Item& item = *static_cast<Item*>(self);
    item.world->running = item.world->model.count(static_cast<std::int64_t>(item.world->now), item.index);
    item.schedule();
  }
};

}  // namespace
}  // namespace vmbsim::bench

int main(int argc, char** argv) {
  using namespace vmbsim::bench;
  const auto world = std::make_unique<World>(argc, argv);
  std::vector<Item> items;
  for (std::uint64_t i = 0; i != world->model.items; ++i) items.push_back({world.get(), i});
  for (Item& item : items) item.schedule();
  while (world->running) {
    const BareEvent event = world->queue.pop();
    world->now = event.time;
    event.handler(event.object);
  }
  world->model.report();
}
