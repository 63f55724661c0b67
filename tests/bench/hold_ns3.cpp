/// The hold model on ns-3's simulator.
///
///   Simulator::Schedule ──► scheduler (argument 4) ──► Simulator::Run ──► handler ──► Simulator::Schedule ...
#include <ns3/nstime.h>
#include <ns3/object-factory.h>
#include <ns3/simulator.h>

#include "tests/bench/hold_model.hpp"

namespace {

struct Item {
  vmbsim::bench::HoldModel* model;
  std::uint64_t index;
};

void run(Item* item);
void schedule(Item* item) { ns3::Simulator::Schedule(ns3::NanoSeconds(item->model->next_gap()), &run, item); }
void run(Item* item) {
  if (!item->model->count(ns3::Simulator::Now().GetNanoSeconds(), item->index)) ns3::Simulator::Stop();
  schedule(item);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  vmbsim::bench::HoldModel model(argc - 1, argv);
  ns3::ObjectFactory scheduler;
  scheduler.SetTypeId(std::string("ns3::") + argv[4]);
  ns3::Simulator::SetScheduler(scheduler);
  std::vector<Item> items;
  for (std::uint64_t i = 0; i != model.items; ++i) items.push_back({&model, i});
  for (Item& item : items) schedule(&item);
  ns3::Simulator::Run();
  model.report();
  std::fflush(stdout);
  std::_Exit(0);  // a million pending events are not worth destroying one by one
}
