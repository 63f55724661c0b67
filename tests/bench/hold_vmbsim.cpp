/// The hold model on vmbsim's public interface: the kernel as every model uses it, fingerprint and all.
///
///   Simulation::after ──► Calendar ──► Simulation::run_until ──► handler ──► Simulation::after ...
///        │ handle kept (cancellable)          └──► log ──► FingerprintDigest
///
/// Shape "cancelled": a tenth of the items run; each event schedules its successor and, nine times, cancels the timeout of
/// another item and schedules it anew, so nine events of ten are cancelled. The figure is per event scheduled.
#include <malloc.h>

#include "sim/kernel/simulation.hpp"
#include "sim/observe/fingerprint.hpp"
#include "tests/bench/hold_model.hpp"

namespace vmbsim::bench {
namespace {

struct World {
  World(int argc, char** argv) : model(argc, argv) {}
  HoldModel model;
  observe::FingerprintDigest digest;
  kernel::Simulation simulation{Seed{1}, &digest};
};

struct Item {
  World* world;
  std::uint64_t index;
  ActorId actor;
  kernel::EventHandle pending;

  void schedule(std::int64_t extra = 0) {
    pending = world->simulation.after<&Item::run>(Duration{world->model.next_gap() + extra}, actor, *this);
  }
  void run() {
    if (!world->model.count(nanoseconds(world->simulation.now()), index)) world->simulation.stop();
    schedule();
  }
};

struct Worker {
  World* world;
  std::uint64_t index;
  ActorId actor;
  std::vector<Item>* timeouts;
  std::size_t* turn;

  void run() {
    if (!world->model.count(nanoseconds(world->simulation.now()), index)) world->simulation.stop();
    world->simulation.after<&Worker::run>(Duration{world->model.next_gap()}, actor, *this);
    for (int i = 0; i != 9; ++i) {
      Item& item = (*timeouts)[*turn];
      *turn = *turn + 1 == timeouts->size() ? 0 : *turn + 1;
      world->simulation.cancel(item.pending);
      item.schedule(10'000'000);
    }
  }
};

double bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

void hold(World& world) {
  std::vector<Item> items;
  for (std::uint64_t i = 0; i != world.model.items; ++i) items.push_back({&world, i, world.simulation.new_actor(), {}});
  const double before = bytes_in_use();
  for (Item& item : items) item.schedule();
  world.simulation.run_until(end_of_time);
  world.model.report((bytes_in_use() - before) / static_cast<double>(items.size()));
}

void hold_cancelled(World& world) {
  const std::uint64_t workers = world.model.items / 10;
  std::vector<Item> timeouts;
  std::vector<Worker> running;
  std::size_t turn = 0;
  world.model.measured /= 10;
  world.model.warm_up /= 10;
  for (std::uint64_t i = 0; i != workers; ++i)
    running.push_back({&world, i, world.simulation.new_actor(), &timeouts, &turn});
  for (std::uint64_t i = workers; i != world.model.items; ++i)
    timeouts.push_back({&world, i, world.simulation.new_actor(), {}});
  const double before = bytes_in_use();
  for (Item& item : timeouts) item.schedule(10'000'000);
  for (Worker& worker : running)
    world.simulation.after<&Worker::run>(Duration{world.model.next_gap()}, worker.actor, worker);
  world.simulation.run_until(end_of_time);
  world.model.measured *= 10;
  world.model.report((bytes_in_use() - before) / static_cast<double>(world.model.items));
}

}  // namespace
}  // namespace vmbsim::bench

int main(int argc, char** argv) {
  vmbsim::bench::World world(argc, argv);
  if (world.model.shape == vmbsim::bench::Shape::cancelled)
    vmbsim::bench::hold_cancelled(world);
  else
    vmbsim::bench::hold(world);
}
