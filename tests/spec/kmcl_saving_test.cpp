// Saving and restoring a server's channel: VmbChannelSaveBegin and its siblings, VmbChannelRestoreFromBuffer, VmbPacketRestore.
// Source: their KMCL DDI pages, EVT_VMB_CHANNEL_SAVE_PACKET, EVT_VMB_CHANNEL_RESTORE_PACKET. Chosen where these are silent: a
// channel is saved while it is paused or not open, and restored between Enable and Start.
#include <catch2/catch.hpp>
#include <cstring>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

/// What the drivers' callbacks know: they get no context but the channel and the packet.
struct Driver {
  End* end = nullptr;               // of the channel that is saved or restored
  std::vector<std::string> calls;   // "size(1)", "save(1)", "restore(1)"
  std::function<void()> misbehave;  // in RestorePacket, instead of VmbPacketRestore
  bool write_early = false;
  bool nothing_to_save = false;
};
Driver* driver = nullptr;

std::uint64_t number_of(VMBPACKET packet) {  // the End's slot begins with the packet's number
  return *static_cast<const std::uint64_t*>(VmbPacketGetPointer(packet));
}

EVT_VMB_CHANNEL_SAVE_PACKET on_save;
EVT_VMB_CHANNEL_RESTORE_PACKET on_restore;

NTSTATUS on_save(VMBCHANNEL, VMBPACKET packet, PVOID buffer, UINT32 size, PUINT32 needed) {
  const std::uint64_t number = number_of(packet);
  driver->calls.push_back((size == 0 ? "size(" : "save(") + std::to_string(number) + ")");
  if (driver->nothing_to_save) return STATUS_SUCCESS;
  if (size < sizeof number) {
    if (driver->write_early) std::memset(buffer, 0, 1);
    *needed = sizeof number;
    return STATUS_BUFFER_TOO_SMALL;
  }
  std::memcpy(buffer, &number, sizeof number);
  return STATUS_SUCCESS;
}

NTSTATUS on_restore(VMBCHANNEL channel, PVOID library, UINT32 library_size, PVOID saved, UINT32 saved_size) {
  std::uint64_t number = 0;
  CHECK(saved_size == sizeof number);
  std::memcpy(&number, saved, sizeof number);
  driver->calls.push_back("restore(" + std::to_string(number) + ")");
  if (driver->misbehave) {
    driver->misbehave();
    return STATUS_SUCCESS;
  }
  VMBPACKET packet = VmbPacketAllocate(channel);
  const NTSTATUS status = VmbPacketRestore(packet, library, library_size);
  driver->end->prepare(packet, number);
  return status;
}

/// A pair whose host is saved: the channel is disabled behind the guest's back and allocated anew.
struct Saving {
  explicit Saving(UINT32 server_flags = 0)
      : pair({.host_channel = [server_flags](VMBCHANNEL at) {
          VmbServerChannelInitSetSaveRestorePacketCallbacks(at, on_save, on_restore);
          VmbServerChannelInitSetFlags(at, server_flags);
        }}) {
    driver = &driver_;
    driver_.end = &pair.host;
  }
  ~Saving() { driver = nullptr; }

  /// Saves in pieces of `piece` bytes, or more where a chunk needs it.
  void save(ULONG piece = 4096) {
    pair.on_host([this, piece] {
      VmbChannelPause(pair.host.channel);
      REQUIRE(VmbChannelSaveBegin(pair.host.channel) == STATUS_SUCCESS);
      for (ULONG room = piece;;) {
        std::vector<std::byte> bytes(room);
        ULONG filled = 0;
        ULONG required = 0;
        const NTSTATUS status = VmbChannelSaveContinue(pair.host.channel, bytes.data(), room, &filled, &required);
        statuses.push_back(status);
        bytes.resize(filled);
        if (filled != 0) image.push_back(bytes);
        if (status == STATUS_BUFFER_TOO_SMALL) {
          CHECK(filled == 0);
          CHECK(required > room);
          room = required;
          continue;
        }
        if (status != STATUS_BUFFER_OVERFLOW) break;
        room = piece;
      }
      VmbChannelSaveEnd(pair.host.channel);
    });
  }
  /// The worker process ends and another one begins: a new channel object, restored and started.
  void replace() {
    pair.machines.bus.save();
    pair.on_host([this] {
      VmbChannelDisable(pair.host.channel);
      VmbChannelCleanup(pair.host.channel);
    });
    removed = pair.host.returned.size();
    pair.host.returned.clear();
    pair.on_host([this] {
      pair.host.allocate_again();
      CHECK(pair.host.enable() == STATUS_SUCCESS);
      for (const auto& bytes : image) {
        std::vector<std::byte> copy = bytes;
        restored.push_back(
            VmbChannelRestoreFromBuffer(pair.host.channel, copy.data(), static_cast<ULONG>(copy.size())));
      }
    });
    pair.machines.bus.resume();
    pair.on_host([this] { VmbChannelStart(pair.host.channel); });
  }

  Driver driver_;
  ChannelPair pair;
  std::vector<std::vector<std::byte>> image;
  std::vector<NTSTATUS> statuses, restored;
  std::size_t removed = 0;
};

/// What both drivers saw in all, without times: which packets the host got answered, which arrived at the guest, and in order.
std::string story(ChannelPair& pair) {
  std::string text = "arrived at guest:";
  for (const std::uint64_t number : pair.guest.arrived) text += " " + std::to_string(number);
  text += "\nanswered to host:";
  std::vector<std::string> answered;
  for (const Returned& r : pair.host.returned)
    answered.push_back(" " + std::to_string(r.number) + "=" + std::to_string(r.status));
  std::sort(answered.begin(), answered.end());
  for (const std::string& one : answered) text += one;
  text += "\narrived at host:";
  for (const std::uint64_t number : pair.host.arrived) text += " " + std::to_string(number);
  text += "\nanswered to guest:";
  for (const Returned& r : pair.guest.returned)
    text += " " + std::to_string(r.number) + "=" + std::to_string(r.status) + "/" + std::to_string(r.answer.size());
  return text;
}

/// Host packets in every state: 1 is answered; 2 is with the guest's driver; 3 and 4 are in the ring; 5 to 7 wait for room. Guest
/// packets: 1 is answered, and its answer waits for room; 2 and 3 are in the ring.
void put_in_every_state(ChannelPair& pair, VMBPACKETCOMPLETION& kept) {
  pair.guest.packet = [&](Arrived& a) {
    if (a.number == 2 && kept == nullptr)
      kept = a.packet;
    else
      VmbChannelPacketComplete(a.packet, a.buffer, a.length);
  };
  pair.host.packet = nullptr;
  pair.open();
  pair.on_host([&] {
    pair.host.send(1);
    pair.host.send(2);
  });
  pair.on_guest([&] { VmbChannelSetTransactionQuota(pair.guest.channel, 1); });  // it holds one: nothing more is taken
  pair.on_host([&] {
    for (std::uint64_t i = 3; i <= 7; ++i) pair.host.send(i, 1024);
  });
  pair.on_guest([&] { pair.guest.send(1, 512); });
}

TEST_CASE("a run that is saved and restored with packets in every state ends as the undisturbed one, but for time",
          "[K107][K108][K109][K110][kept]") {
  const auto run = [](bool saved, ULONG piece) {
    Saving s;
    VMBPACKETCOMPLETION kept = nullptr;
    put_in_every_state(s.pair, kept);
    if (saved) {
      s.pair.on_host([&] { VmbChannelPause(s.pair.host.channel); });
      s.pair.on_guest([&] { s.pair.guest.send(2, 64); });
      s.save(piece);
      s.pair.on_guest([&] { s.pair.guest.send(3, 64); });  // the guest runs on for a while
      s.replace();
      CHECK(s.removed != 0);
    } else {
      s.pair.on_guest([&] {
        s.pair.guest.send(2, 64);
        s.pair.guest.send(3, 64);
      });
    }
    s.pair.on_guest([&] { VmbChannelPacketComplete(kept, nullptr, 0); });
    std::string text = story(s.pair);
    if (saved) {  // what was answered before the save was told to the driver of the first channel
      const auto at = text.find("answered to host:");
      text.insert(at + std::strlen("answered to host:"), " 1=0");
    }
    s.pair.on_guest([&] { VmbChannelDisable(s.pair.guest.channel); });
    s.pair.on_host([&] {
      VmbChannelDisable(s.pair.host.channel);
      VmbChannelCleanup(s.pair.host.channel);
    });
    CHECK(s.pair.found() == "");
    return text;
  };
  const std::string undisturbed = run(false, 0);
  CHECK(undisturbed ==
        "arrived at guest: 1 2 3 4 5 6 7\n"
        "answered to host: 1=0 2=0 3=0 4=0 5=0 6=0 7=0\n"
        "arrived at host: 1 2 3\n"
        "answered to guest: 1=0/512 2=0/64 3=0/64");
  CHECK(run(true, 65536) == undisturbed);
  CHECK(run(true, 16) == undisturbed);  // every chunk needs its own call
}

TEST_CASE("saving writes whole chunks, asks the driver once or twice per packet, and says when there is more",
          "[kmcl][Q28]") {
  Saving s;
  s.pair.guest.packet = [](Arrived&) {};
  s.pair.open();
  s.pair.on_host([&] {
    s.pair.host.send(1);
    s.pair.host.send(2);
  });
  SECTION("room for all") {
    s.save();
    CHECK(s.statuses == std::vector<NTSTATUS>{STATUS_SUCCESS});
    s.replace();
    CHECK(s.restored == std::vector<NTSTATUS>{STATUS_SUCCESS});
  }
  SECTION("room for nothing at first") {
    s.save(8);
    CHECK(s.statuses == std::vector<NTSTATUS>{STATUS_BUFFER_TOO_SMALL, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL,
                                              STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_SUCCESS});
    s.replace();
    CHECK(s.restored ==
          std::vector<NTSTATUS>{STATUS_MORE_PROCESSING_REQUIRED, STATUS_MORE_PROCESSING_REQUIRED, STATUS_SUCCESS});
  }
  CHECK(s.driver_.calls ==
        std::vector<std::string>{"size(1)", "save(1)", "size(2)", "save(2)", "restore(1)", "restore(2)"});
  CHECK(s.pair.order("guest").find("Closed") == std::string::npos);  // the guest noticed nothing
}

TEST_CASE("the order of saving is Begin, Continue, End", "[K107][Q39]") {
  Saving s;
  s.pair.open();
  std::vector<NTSTATUS> statuses;
  s.pair.on_host([&] {
    std::byte bytes[256];
    ULONG filled = 0;
    ULONG required = 0;
    const VMBCHANNEL at = s.pair.host.channel;
    statuses.push_back(VmbChannelSaveBegin(at));  // it is neither paused nor closed
    VmbChannelPause(at);
    statuses.push_back(VmbChannelSaveContinue(at, bytes, sizeof bytes, &filled, &required));
    VmbChannelSaveEnd(at);
    statuses.push_back(VmbChannelSaveBegin(at));
    statuses.push_back(VmbChannelSaveBegin(at));
    statuses.push_back(VmbChannelSaveContinue(at, bytes, sizeof bytes, &filled, &required));
    VmbChannelSaveEnd(at);
    VmbChannelStart(at);  // a snapshot: the channel goes on
  });
  CHECK(statuses == std::vector<NTSTATUS>{STATUS_INVALID_DEVICE_STATE, STATUS_INVALID_DEVICE_STATE, STATUS_SUCCESS,
                                          STATUS_INVALID_DEVICE_STATE, STATUS_SUCCESS});
  CHECK(s.pair.machines.findings.count("K16") == 2);  // what follows a SaveBegin that failed
  CHECK(s.pair.machines.findings.count("K107") == 1);
  s.pair.on_guest([&] { s.pair.guest.send(1); });
  CHECK(s.pair.guest.returned.size() == 1);
  NTSTATUS at_client = STATUS_SUCCESS;
  s.pair.on_guest([&] { at_client = VmbChannelSaveBegin(s.pair.guest.channel); });
  CHECK(at_client == STATUS_INVALID_PARAMETER_1);
  CHECK(s.pair.machines.findings.count("K14") == 1);
}

TEST_CASE("a driver that saves or restores a packet wrongly is told", "[K108][K109][K110]") {
  Saving s;
  s.pair.guest.packet = [](Arrived&) {};
  s.pair.open();
  s.pair.on_host([&] { s.pair.host.send(1); });
  SECTION("it writes where it has no room") {
    s.driver_.write_early = true;
    s.save();
    CHECK(s.pair.machines.findings.count("K108") == 1);
  }
  SECTION("it does not bring the packet back") {
    s.driver_.misbehave = [] {};
    s.save();
    s.replace();
    CHECK(s.pair.machines.findings.count("K110") == 1);
    CHECK(s.restored == std::vector<NTSTATUS>{STATUS_INVALID_DEVICE_STATE});
  }
  SECTION("it cuts the chunks in pieces of its own") {
    s.save();
    s.image.front().pop_back();
    s.replace();
    CHECK(s.pair.machines.findings.count("K109") == 1);
    CHECK(s.restored == std::vector<NTSTATUS>{STATUS_INVALID_PARAMETER_2});
  }
  SECTION("it restores outside the callback") {
    NTSTATUS status = STATUS_SUCCESS;
    s.pair.on_host([&] {
      std::uint64_t nothing[6] = {};
      VMBPACKET packet = VmbPacketAllocate(s.pair.host.channel);
      status = VmbPacketRestore(packet, nothing, sizeof nothing);
      VmbPacketFree(packet);
    });
    CHECK(status == STATUS_INVALID_DEVICE_STATE);
    CHECK(s.pair.machines.findings.count("K110") == 1);
  }
}

TEST_CASE("with FORCE_NEW_CHANNEL the guest sees the old instance go and a new one come", "[kmcl]") {
  // KMCL DDI, VmbServerChannelInitSetFlags.
  Saving s(VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL);
  VMBPACKETCOMPLETION kept = nullptr;
  s.pair.guest.packet = [&](Arrived& a) { kept = a.packet; };
  s.pair.guest.suspend = [&] { VmbChannelPacketComplete(kept, nullptr, 0); };
  s.pair.open();
  s.pair.on_host([&] { s.pair.host.send(1); });
  s.save();
  s.replace();
  CHECK(s.pair.guest.disabled());
  REQUIRE(s.pair.host.returned.size() == 1);  // nobody is left who could answer it
  CHECK(s.pair.host.returned[0].status == STATUS_DEVICE_REMOVED);
  s.pair.forget();
  s.pair.on_guest([&] { static_cast<void>(s.pair.guest.enable()); });
  CHECK(s.pair.order("guest") == "Opened Started PostStarted");
}

TEST_CASE("what no server takes up after a restore is rescinded", "[kmcl]") {
  Saving s;
  s.pair.open();
  s.save();
  s.pair.machines.bus.save();
  s.pair.on_host([&] { VmbChannelDisable(s.pair.host.channel); });
  CHECK_FALSE(s.pair.guest.disabled());
  s.pair.machines.bus.resume();
  s.pair.machines.quiesce();
  CHECK(s.pair.guest.disabled());
}

}  // namespace
}  // namespace vmbsim::testing
