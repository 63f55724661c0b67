#pragma once
/// Two partitions and the bus between them, with ends that note what they are told: the channel protocol without KMCL.
///
///   BusMachines m;
///   Offer& offer = m.opened();                        // offered, taken up, open
///   m.bus.post_to_host(message_of(CloseMessage{7}));  // whatever a hostile guest says
///   m.settle();
///   CHECK(m.found() == "host: close of relid 7, which is not open\n");
#include <memory>
#include <string>

#include "models/vmbus/bus.hpp"

namespace vmbsim::testing {

/// Both ends of one offer.
struct Sides final : vmbus::ServerEnd, vmbus::ClientEnd {
  std::string told;  ///< both ends' news, in order
  vmbus::Channel* channel = nullptr;
  vmbus::GpadlHandle handle{};
  void on_open(vmbus::Channel& opened) override {
    told += "open ";
    channel = &opened;
  }
  void on_close() override { told += "close "; }
  void on_offer() override { told += "offer "; }
  void on_gpadl_created(vmbus::GpadlHandle created) override {
    told += created.value == 0 ? "gpadl-refused " : "gpadl ";
    handle = created;
  }
  void on_open_result(bool opened) override { told += opened ? "opened " : "refused "; }
  void on_gpadl_torn_down() override { told += "torn-down "; }
  void on_rescind() override { told += "rescind "; }
  void on_modified(bool done) override { told += done ? "modified " : "unmodified "; }
};

struct BusMachines {
  explicit BusMachines(vmbus::Version host_speaks = vmbus::versions[0],
                       vmbus::Version guest_speaks = vmbus::versions[0], Seed seed = Seed{1})
      : world(seed),
        bus({.host = host_synic,
             .guest = guest_synic,
             .connection = 0,
             .host_version = host_speaks,
             .guest_version = guest_speaks}) {
    costs.control_message = kernel::Distribution::fixed(Duration{1000});
  }
  os::Partition::Config config(const char* name) {
    return {.name = name, .cpus = 2, .world = world, .stacks = stacks, .costs = costs, .findings = findings};
  }
  void settle() { world.run_until(world.now() + Duration{1'000'000}); }
  vmbus::Gpadl pages(std::int64_t count) {
    const hw::Pfn first = *guest.memory().allocate_zeroed({count});
    vmbus::Gpadl gpadl{.byte_offset = {}, .length = Pages{count}.bytes(), .pfns = {}};
    for (std::int64_t i = 0; i < count; ++i) gpadl.pfns.push_back(first + static_cast<hw::Pfn>(i));
    return gpadl;
  }
  /// An offer that `both` took up and opened, two data pages in all.
  vmbus::Offer& opened(const vmbus::OfferId& what, Sides& both) {
    vmbus::Offer& offer = *bus.offer(what, both);
    bus.connect(what, both);
    settle();
    open(offer);
    return offer;
  }
  vmbus::Offer& opened() { return opened(id, ends); }
  void open(vmbus::Offer& offer, const vmbus::Synic::Port& port = {}) {
    bus.create_gpadl(offer, pages(4));
    settle();
    bus.open(offer, {1}, {1}, port);
    settle();
    bus.answer_open(offer, true);
    settle();
  }
  /// The texts of all findings, one a line.
  std::string found() const {
    std::string text;
    for (const Finding& finding : findings.all()) text += finding.text + "\n";
    return text;
  }

  kernel::Simulation world;
  kernel::StackPool stacks;
  hw::Costs costs;
  os::FindingLog findings{world};
  os::Partition host{config("host")};
  os::Partition guest{config("guest")};
  vmbus::Synic host_synic{host};
  vmbus::Synic guest_synic{guest};
  vmbus::Bus bus;
  vmbus::OfferId id{.type = {1, 0, 0, {}}, .instance = {2, 0, 0, {}}, .subchannel = 0};
  Sides ends;
};

}  // namespace vmbsim::testing
