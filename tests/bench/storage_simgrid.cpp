/// The same storage channel written directly on SimGrid's S4U: one actor per processor, per interrupt wire and per server.
///
///   guest actor ──ring──► (wire actor: sleep latency) ──► host actor ──queue──► 32 server actors: 80 us each
///     ▲───── (wire actor: sleep latency) ◄────ring──── host actor ◄──── done ────────┘
///
/// Software costs and service times are computations on hosts, which is how S4U says that something is occupied: a guest and a
/// root processor of one core, a disk of 32. Otherwise as cheap as it can be said: costs are paid at once for all that happens
/// without anybody seeing it; rings are plain queues; whoever waits does so on a semaphore, and is released only when it waits.
/// Mailboxes would cost more.
/// Two programs are built of it. VMBSIM_PAY=execute is that model. VMBSIM_PAY=sleep_for lets everybody sleep instead: nothing is
/// occupied any more, so it is no longer the same model, but the least that S4U can be asked to do.
/// Coincides   with vmbsim's models but for two things: a pass is not interrupted (the interrupt's cost comes after it), and the
///             application thread's switches are left out.
#include <deque>
#include <simgrid/s4u.hpp>
#include <utility>

#include "tests/bench/storage_case.hpp"

namespace vmbsim::bench {
namespace {

namespace s4u = simgrid::s4u;

double seconds(const kernel::Distribution& cost) { return static_cast<double>(cost.mean().count()) * 1e-9; }

/// The costs of a scenario, put together as the actors pay them, in seconds.
struct Costs {
  explicit Costs(const hw::Costs& c)
      : copy(static_cast<double>(c.copy_per_kib.mean().count() * 64 / 1024) * 1e-9),  // both ways: 64 bytes
        send(seconds(c.packet_send) + copy),
        take_request(seconds(c.packet_receive) + copy + seconds(c.map_per_page)),
        complete(seconds(c.packet_complete) + copy),
        take_answer(seconds(c.packet_receive) + copy),
        hypercall(seconds(c.hypercall)),
        interrupt(seconds(c.isr)),
        device_interrupt(seconds(c.device_isr)),
        dispatch(seconds(c.dpc_dispatch)),
        wake(seconds(c.idle_wake)),
        to_host(seconds(c.signal_host)),
        to_guest(seconds(c.signal_guest)) {}
  double copy, send, take_request, complete, take_answer, hypercall, interrupt, device_interrupt, dispatch, wake,
      to_host, to_guest;
};

void sleep(double span) {
  if (span > 0) s4u::this_actor::sleep_for(span);
}
/// Software pays a cost; the hosts compute one unit a second.
void pay(double span) {
  if (span > 0) s4u::this_actor::VMBSIM_PAY(span);
}

/// Where an actor rests until somebody has something for it.
class Doorbell {
 public:
  void rest() {
    resting_ = true;
    bell_->acquire();
  }
  void ring() {
    if (!resting_) return;
    resting_ = false;
    bell_->release();
  }

 private:
  bool resting_ = false;
  s4u::SemaphorePtr bell_ = s4u::Semaphore::create(0);
};

struct Transaction {
  double submitted = 0;
};

/// One direction: a ring, and the wire that carries its signals.
struct Lane {
  std::deque<Transaction*> ring;
  bool seen_empty = true;  // what the writer sees: the reader gives room back at the end of a batch
  bool signalled = false;  // on the wire
  Doorbell wire;

  /// True when the peer must be signalled.
  bool put(Transaction& transaction) {
    ring.push_back(&transaction);
    return std::exchange(seen_empty, false);
  }
  Transaction& take() {
    Transaction& first = *ring.front();
    ring.pop_front();
    return first;
  }
  void signal() {
    signalled = true;
    wire.ring();
  }
};

class Machine {
 public:
  Machine(const StorageCase& asked, const hw::Costs& costs)
      : asked_(asked), costs_(costs), transactions_(asked.depth) {}

  void guest() {
    started_ = s4u::Engine::get_clock();
    for (Transaction& transaction : transactions_) {
      pay(costs_.send);
      submit(transaction);
    }
    for (;;) {
      double cost = costs_.interrupt + costs_.dispatch;
      if (!guest_interrupted_) {
        guest_bell_.rest();
        cost += costs_.wake;
      }
      guest_interrupted_ = false;
      pay(cost);
      while (!to_guest_.ring.empty()) {
        pay(costs_.take_answer + costs_.send);
        Transaction& transaction = to_guest_.take();
        completed(transaction);
        submit(transaction);
        if (to_guest_.ring.empty()) to_guest_.seen_empty = true;
      }
    }
  }

  void host() {
    for (;;) {
      double cost = 0;
      if (!host_interrupted_ && !disk_interrupted_) {
        host_bell_.rest();
        cost = costs_.wake;
      }
      pay(cost);
      if (std::exchange(disk_interrupted_, false)) {
        pay(costs_.device_interrupt + costs_.dispatch);
        while (!done_.empty()) {
          Transaction& transaction = *done_.front();
          done_.pop_front();
          pay(costs_.complete);
          if (to_guest_.put(transaction)) {
            pay(costs_.hypercall);
            to_guest_.signal();
          }
        }
      }
      if (std::exchange(host_interrupted_, false)) {
        pay(costs_.interrupt + costs_.dispatch);
        while (!to_host_.ring.empty()) {
          pay(costs_.take_request);
          work_.push_back(&to_host_.take());
          if (!free_.empty()) {
            free_.back()->ring();
            free_.pop_back();
          }
          if (to_host_.ring.empty()) to_host_.seen_empty = true;
        }
      }
    }
  }

  void wire_to_host() {
    for (;;) {
      if (!to_host_.signalled) to_host_.wire.rest();
      to_host_.signalled = false;
      sleep(costs_.to_host);
      host_interrupted_ = true;
      host_bell_.ring();
    }
  }
  void wire_to_guest() {
    for (;;) {
      if (!to_guest_.signalled) to_guest_.wire.rest();
      to_guest_.signalled = false;
      sleep(costs_.to_guest);
      guest_interrupted_ = true;
      guest_bell_.ring();
    }
  }

  void server() {
    Doorbell bell;
    for (;;) {
      while (work_.empty()) {
        free_.push_back(&bell);
        bell.rest();
      }
      Transaction& transaction = *work_.front();
      work_.pop_front();
      pay(80e-6);
      done_.push_back(&transaction);
      disk_interrupted_ = true;
      host_bell_.ring();
    }
  }

 private:
  void submit(Transaction& transaction) {
    transaction.submitted = s4u::Engine::get_clock() - costs_.send;
    if (!to_host_.put(transaction)) return;
    pay(costs_.hypercall);
    to_host_.signal();
  }
  void completed(const Transaction& transaction) {
    const double now = s4u::Engine::get_clock() - costs_.send;
    latency_ += now - transaction.submitted;
    if (++completed_ != asked_.transactions) return;
    const auto count = static_cast<double>(completed_);
    StorageFigures{.cpu_ns = static_cast<double>(cpu_ns() - cpu_started_) / count,
                   .per_second = count / (now - started_),
                   .latency_ns = latency_ / count * 1e9}
        .print();
    std::fflush(stdout);
    std::_Exit(0);  // nobody waits for the actors
  }

  StorageCase asked_;
  Costs costs_;
  std::vector<Transaction> transactions_;
  Lane to_host_, to_guest_;
  Doorbell guest_bell_, host_bell_;
  bool guest_interrupted_ = false, host_interrupted_ = false, disk_interrupted_ = false;
  std::deque<Transaction*> work_, done_;
  std::vector<Doorbell*> free_;  // servers at rest
  std::uint64_t completed_ = 0;
  double latency_ = 0, started_ = 0;
  std::int64_t cpu_started_ = cpu_ns();
};

}  // namespace
}  // namespace vmbsim::bench

int main(int argc, char** argv) {
  using namespace vmbsim::bench;
  const StorageCase asked = StorageCase::of(argc, argv);
  const vmbsim::scenario::Scenario scenario = asked.scenario();
  char name[] = "storage", precision[] = "--cfg=surf/precision:1e-12", quiet[] = "--log=root.thres:critical";
  char* arguments[] = {name, precision, quiet, nullptr};
  int count = 3;
  simgrid::s4u::Engine engine(&count, arguments);
  auto* const zone = simgrid::s4u::create_full_zone("zone");
  auto* const guest = zone->create_host("guest", 1);
  auto* const host = zone->create_host("host", 1);
  auto* const disk = zone->create_host("disk", 1);
  disk->set_core_count(32);
  zone->seal();
  Machine machine(asked, scenario.costs);
  const auto actor = [&machine](const char* what, simgrid::s4u::Host* where, void (Machine::*body)()) {
    simgrid::s4u::Actor::create(what, where, [&machine, body] { (machine.*body)(); });
  };
  actor("guest", guest, &Machine::guest);
  actor("host", host, &Machine::host);
  actor("wire to host", host, &Machine::wire_to_host);
  actor("wire to guest", guest, &Machine::wire_to_guest);
  for (int i = 0; i != 32; ++i) actor("server", disk, &Machine::server);
  engine.run();
  return 1;
}
