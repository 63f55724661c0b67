// A framework driver written in C, from DriverEntry to its unload, at both ends of a machine at once.
// Source: WDK, "Creating a Framework Driver Object", "Creating Device Objects in a Function Driver".
#include <catch2/catch.hpp>

#include "tests/support/framework_driver.hpp"

using namespace vmbsim;
using kmdf::IoRequest;

extern "C" DRIVER_INITIALIZE KmdfDriverEntry;

namespace {

/// One end of the machine with the driver loaded.
struct End {
  End(testing::TwoPartitions& both, os::Partition& here)
      : machines(both), partition(here), pnp(here), pdo("device", here, both.bus) {}

  void in_thread(std::function<void()> body) {
    const auto& thread = machines.start(partition, 0, std::move(body));
    machines.quiesce();
    REQUIRE(thread.ended);
  }
  void load() {
    in_thread([&] {
      NTSTATUS status = STATUS_UNSUCCESSFUL;
      kmdf::LoadedDriver& driver = pnp.load("c", KmdfDriverEntry, &status);
      node = pnp.bring_up(driver, pdo, &status);
      CHECK(status == STATUS_SUCCESS);
    });
    port = std::make_unique<kmdf::IoPort>(*node);
  }
  void unload() {
    in_thread([&] {
      port->close();
      pnp.unload_all();
    });
  }

  testing::TwoPartitions& machines;
  os::Partition& partition;
  kmdf::PnpManager pnp;
  kmcl::Device pdo;
  kmdf::DeviceNode* node = nullptr;
  std::unique_ptr<kmdf::IoPort> port;
};

}  // namespace

TEST_CASE("a driver in C answers reads from its timer, and leaves nothing behind at either end") {
  testing::TwoPartitions machines({});
  End host(machines, machines.host), guest(machines, machines.guest);
  host.load();
  guest.load();
  static int done;
  done = 0;
  for (End* end : {&host, &guest}) {
    IoRequest ios[3];
    end->in_thread([&] {
      for (IoRequest& io : ios) {
        io.size = {5000};
        io.done = [](IoRequest& finished) {
          ++done;
          CHECK(finished.status == STATUS_SUCCESS);
          CHECK(finished.information == 5000);
          CHECK(static_cast<unsigned char*>(finished.buffer)[4999] == 0xC1);
          CHECK(KeGetCurrentIrql() == DISPATCH_LEVEL);
        };
        CHECK(end->port->submit(io));
      }
    });
  }
  CHECK(done == 6);
  CHECK(machines.world.now() == SimTime{200us});
  host.unload();
  guest.unload();
  CHECK(machines.found().empty());
}

// Source: bug check 0xC4, 0x62: a driver is unloaded with pool allocations outstanding.
TEST_CASE("memory that a driver forgets is reported when the last driver of the partition is unloaded") {
  testing::FrameworkDriver driver;
  driver.inside["PrepareHardware"] = [] { static_cast<void>(ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, 0x61626364)); };
  driver.in_thread([&] {
    driver.bring_up();
    driver.pnp.unload_all();
  });
  CHECK(driver.findings.all().size() == 1);
  CHECK(driver.found().find("dcba") != std::string::npos);
}
