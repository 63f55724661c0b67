/// The hold model on SystemC: one method process per item, which sets its own next trigger.
///
///   next_trigger(gap) ──► timed notification queue ──► sc_start ──► method ──► next_trigger(gap) ...
#define SC_INCLUDE_DYNAMIC_PROCESSES
#include <systemc>

#include "tests/bench/hold_model.hpp"

namespace {

struct Item {
  vmbsim::bench::HoldModel* model;
  std::uint64_t index;
  bool started = false;

  void run() {
    if (started) {
      if (!model->count(static_cast<std::int64_t>(sc_core::sc_time_stamp().value()), index)) sc_core::sc_stop();
    }
    started = true;
    sc_core::next_trigger(sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(model->next_gap())));
  }
};

}  // namespace

int sc_main(int argc, char** argv) {
  sc_core::sc_set_time_resolution(1, sc_core::SC_NS);
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  vmbsim::bench::HoldModel model(argc, argv);
  std::vector<Item> items;
  for (std::uint64_t i = 0; i != model.items; ++i) items.push_back({&model, i});
  sc_core::sc_spawn_options method;
  method.spawn_method();
  for (Item& item : items) {
    Item* const self = &item;
    sc_core::sc_spawn([self] { self->run(); }, nullptr, &method);
  }
  sc_core::sc_start();
  model.report();
  std::fflush(stdout);
  std::_Exit(0);  // a million processes are not worth destroying one by one
}
