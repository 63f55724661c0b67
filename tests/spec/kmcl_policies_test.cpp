// What KMCL's documents leave open, or what only some machines do: the choices of kmcl::Policies.
#include <catch2/catch.hpp>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

using kmcl::Policies;
using Set = std::function<void(kmcl::Device&)>;
constexpr UINT32 external = VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA;

TEST_CASE("the routine of a packet without an answer runs inside the send, in a pass, or as drawn", "[kmcl][Q13]") {
  const auto policy = GENERATE(Policies::RoutineOfSent::inside_send, Policies::RoutineOfSent::in_a_pass,
                               Policies::RoutineOfSent::either);
  ChannelPair pair({.guest_device = [&](kmcl::Device& device) { device.policies.routine_of_sent = policy; }});
  pair.open();
  pair.on_guest([&] {
    for (std::uint64_t i = 1; i <= 16; ++i) pair.guest.send(i, 8, 0);
  });
  REQUIRE(pair.guest.returned.size() == 16);
  std::size_t in_a_pass = 0;  // at DISPATCH_LEVEL; the sending thread is at PASSIVE_LEVEL
  for (const Returned& r : pair.guest.returned) {
    in_a_pass += r.irql == Irql::dispatch;
    CHECK(r.status == STATUS_SUCCESS);
  }
  if (policy == Policies::RoutineOfSent::inside_send) CHECK(in_a_pass == 0);
  if (policy == Policies::RoutineOfSent::in_a_pass) CHECK(in_a_pass == 16);
  if (policy == Policies::RoutineOfSent::either) CHECK((in_a_pass > 0 && in_a_pass < 16));
  CHECK(pair.host.arrived.size() == 16);
}

TEST_CASE("a packet whose routine waits for a pass is complete when the channel closes first", "[kmcl]") {
  ChannelPair pair({.guest_device = [](kmcl::Device& device) {
    device.policies.routine_of_sent = Policies::RoutineOfSent::in_a_pass;
  }});
  pair.open();
  pair.on_guest([&] {
    KIRQL before;
    KeRaiseIrql(DISPATCH_LEVEL, &before);
    pair.guest.send(1, 8, 0);
    KeLowerIrql(before);
    VmbChannelDisable(pair.guest.channel);
  });
  CHECK(pair.guest.returned.size() == 1);
  CHECK(pair.guest.disabled());
}

TEST_CASE("a send after the close is queued for the next round, or refused where that is asked for", "[kmcl][Q17]") {
  const bool strict = GENERATE(false, true);
  const Set set = [&](kmcl::Device& device) { device.policies.refuse_after_close = strict; };
  ChannelPair pair({.host_device = set, .guest_device = set});
  NTSTATUS before_open = STATUS_UNSUCCESSFUL;
  pair.on_guest([&] { before_open = pair.guest.send(1, 8, 0); });
  CHECK(before_open == STATUS_SUCCESS);  // either way: queued until it opens
  pair.open();
  pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); });
  NTSTATUS after = STATUS_UNSUCCESSFUL;
  pair.on_guest([&] { after = pair.guest.send(2, 8, 0); });
  CHECK(after == (strict ? STATUS_INVALID_DEVICE_STATE : STATUS_SUCCESS));
  pair.on_guest([&] { static_cast<void>(pair.guest.enable()); });
  CHECK(pair.host.arrived.size() == (strict ? 1 : 2));
}

TEST_CASE("lengths arrive rounded up to 8, as the wire has them, or exact", "[kmcl][Q18]") {
  const bool exact = GENERATE(false, true);
  const Set set = [&](kmcl::Device& device) { device.policies.exact_length = exact; };
  ChannelPair pair({.host_device = set, .guest_device = set});
  std::vector<UINT32> lengths;
  pair.host.packet = [&](Arrived& a) {
    lengths.push_back(a.length);
    VmbChannelPacketComplete(a.packet, a.buffer, 11);
  };
  pair.open();
  pair.on_guest([&] {
    for (std::uint64_t i = 1; i <= 3; ++i) pair.guest.send(i, 12 + static_cast<UINT32>(i));
  });
  CHECK(lengths == (exact ? std::vector<UINT32>{13, 14, 15} : std::vector<UINT32>{16, 16, 16}));
  REQUIRE(pair.guest.returned.size() == 3);
  CHECK(pair.guest.returned[0].answer.size() == (exact ? 11 : 16));
}

TEST_CASE("a pause waits for delivered packets, and for sent ones where that is asked for", "[kmcl][Q20]") {
  const bool both = GENERATE(false, true);
  ChannelPair pair({.guest_device = [&](kmcl::Device& device) { device.policies.pause_waits_for_sent = both; }});
  VMBPACKETCOMPLETION kept = nullptr;
  pair.host.packet = [&](Arrived& a) { kept = a.packet; };
  pair.open();
  pair.on_guest([&] { pair.guest.send(1); });
  bool paused = pair.on_guest([&] { VmbChannelPause(pair.guest.channel); });
  CHECK(paused == !both);
  const auto& pausing = pair.machines.running.back();
  pair.on_host([&] { VmbChannelPacketComplete(kept, nullptr, 0); });
  CHECK((paused || pausing.ended));
  CHECK(pair.guest.returned.size() == 1);
}

TEST_CASE("a packet that fits never overtakes one that waits, unless as in EMCL it may", "[kmcl][Q7]") {
  const bool overtaking = GENERATE(false, true);
  ChannelPair pair({.guest_device = [&](kmcl::Device& device) { device.policies.overtaking = overtaking; }});
  pair.open();
  pair.on_host([&] { VmbChannelPause(pair.host.channel); });
  pair.on_guest([&] {
    for (std::uint64_t i = 1; i <= 4; ++i) pair.guest.send(i, 1000, 0);
    pair.guest.send(5, 64, 0);  // 3 * 1024 are taken of 4096
  });
  pair.on_host([&] { VmbChannelStart(pair.host.channel); });
  CHECK(pair.host.arrived ==
        (overtaking ? std::vector<std::uint64_t>{1, 2, 3, 5, 4} : std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  CHECK(pair.guest.returned.size() == 5);
}

// ---- External data that is not resident ----

struct Pending {
  explicit Pending(bool passive = false)
      : pair({.external_data = 8192, .host_device = [](kmcl::Device& device) {
                device.policies.pending_permille = 1000;
                device.policies.page_in = 50us;
              }}) {
    pair.host.packet = [this, passive](Arrived& a) {
      if (a.flags != external) return VmbChannelPacketComplete(a.packet, nullptr, 0);
      MDL* mdl = nullptr;
      const NTSTATUS status = VmbChannelPacketGetExternalData(a.packet, 0, &mdl);
      statuses.push_back(status);
      if (status == STATUS_SUCCESS) return VmbChannelPacketComplete(a.packet, nullptr, 0);
      CHECK(mdl == nullptr);
      if (complete_anyway) VmbChannelPacketComplete(a.packet, nullptr, 0);
      if (passive) VmbChannelPacketDeferToPassive(a.packet);
    };
    pair.open();
  }
  void send() {
    pair.on_guest([&] {
      void* page = ExAllocatePool2(POOL_FLAG_NON_PAGED, 4096, 1);
      MDL* mdl = IoAllocateMdl(page, 4096, FALSE, FALSE, nullptr);
      MmBuildMdlForNonPagedPool(mdl);
      VMBPACKET packet = pair.guest.new_packet(1);
      CHECK(VmbPacketSendWithExternalMdl(packet, pair.guest.bytes_of(1).data(), 8, mdl, 0, 0, wait_flag) ==
            STATUS_SUCCESS);
      pair.guest.send(2);
    });
  }
  ChannelPair pair;
  std::vector<NTSTATUS> statuses;
  bool complete_anyway = false;
};

TEST_CASE("a packet whose data is pending comes again when it is in, and those behind it wait", "[K56][kept][Q10]") {
  // KMCL DDI, VmbChannelPacketGetExternalData.
  Pending pending;
  const SimTime start = pending.pair.machines.world.now();
  pending.pair.forget();
  pending.send();
  CHECK(pending.statuses == std::vector<NTSTATUS>{STATUS_PENDING, STATUS_SUCCESS});
  CHECK(pending.pair.order("host") == "packet(1) batch(1) packet(1) packet(2) batch(2)");
  CHECK(pending.pair.machines.world.now() - start == 50us);
  CHECK(pending.pair.guest.returned.size() == 2);
  CHECK(pending.pair.found().empty());
}

TEST_CASE("a packet that is deferred and pending comes again at PASSIVE_LEVEL when its data is in", "[kmcl]") {
  Pending pending(true);
  pending.pair.forget();
  pending.send();
  CHECK(pending.statuses == std::vector<NTSTATUS>{STATUS_PENDING, STATUS_SUCCESS});
  std::vector<Irql> levels;
  for (const Callback& callback : pending.pair.log)
    if (callback.what == "host:packet(1)") levels.push_back(callback.irql);
  CHECK(levels == std::vector<Irql>{Irql::dispatch, Irql::passive});
}

TEST_CASE("completing a packet whose data is pending is a mistake, and does nothing", "[K56]") {
  Pending pending;
  pending.complete_anyway = true;
  pending.send();
  CHECK(pending.pair.machines.findings.count("K56") == 1);
  CHECK(pending.statuses == std::vector<NTSTATUS>{STATUS_PENDING, STATUS_SUCCESS});
  CHECK(pending.pair.guest.returned.size() == 2);
}

TEST_CASE("a channel that closes forgets a packet whose data is pending", "[kmcl][Q34]") {
  Pending pending;
  pending.pair.machines.start(pending.pair.machines.guest, 0, [&] {
    LARGE_INTEGER wait;
    wait.QuadPart = -100;
    KeDelayExecutionThread(KernelMode, FALSE, &wait);
    VmbChannelDisable(pending.pair.guest.channel);
  });
  pending.send();
  CHECK(pending.statuses == std::vector<NTSTATUS>{STATUS_PENDING});
  CHECK(pending.pair.guest.disabled());
  REQUIRE(pending.pair.guest.returned.size() == 2);
  CHECK(pending.pair.guest.returned[0].status == STATUS_DEVICE_REMOVED);
  CHECK(pending.pair.found().empty());
}

}  // namespace
}  // namespace vmbsim::testing
