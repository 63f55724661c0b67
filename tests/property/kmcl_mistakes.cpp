#include "tests/property/kmcl_mistakes.hpp"

namespace vmbsim::testing::sequences {

namespace {

constexpr UINT32 page_bytes = 4096;
constexpr UINT32 too_long = 1501;

bool always(const Model&) { return true; }
bool host_delivers(const Model& m) { return m.delivers_to(true); }
bool both_deliver(const Model& m) { return m.delivers_to(true) && m.delivers_to(false); }
bool guest_may_send(const Model& m) { return !m.guest.suspended; }
bool guest_runs(const Model& m) { return m.runs(false); }
/// As a channel that was just allocated.
bool untouched(const Model& m) {
  return !m.guest.enabled && !m.guest.holds && !m.guest.pause_noted && !m.guest.refuses && !m.guest.went_alone;
}
bool all_run_without_memory(const Model& m) {
  return m.runs(true) && m.runs(false) &&
         std::all_of(m.memory.begin(), m.memory.end(), [](Model::Memory slot) { return slot == Model::Memory::none; });
}

VMBCHANNEL host(Player& p) { return p.side(true).end.channel; }
VMBCHANNEL guest(Player& p) { return p.side(false).end.channel; }

/// Bytes that no packet of the player sends: its receiver answers them, or keeps them.
std::byte* plain() {
  static std::vector<std::byte> bytes(too_long);
  return bytes.data();
}
std::byte* to_keep() {
  static std::vector<std::byte> bytes = [] {
    std::vector<std::byte> made(16);
    made[8] = static_cast<std::byte>(Fate::keep);
    return made;
  }();
  return bytes.data();
}

/// A page of pool, or three of them, and the list over it.
struct Pages {
  explicit Pages(UINT32 bytes = page_bytes) : mdl(list(ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes, 1), bytes)) {
    MmBuildMdlForNonPagedPool(mdl);
  }
  static PMDL list(PVOID memory, UINT32 bytes) { return IoAllocateMdl(memory, bytes, FALSE, FALSE, nullptr); }
  PMDL mdl;
};

/// A send that is refused: the packet is the driver's again.
void refused(VMBCHANNEL channel, const std::function<void(VMBPACKET)>& send) {
  VMBPACKET packet = VmbPacketAllocate(channel);
  send(packet);
  VmbPacketFree(packet);
}

VMBCHANNEL another(Player& p) {
  VMBCHANNEL channel = nullptr;
  VmbChannelAllocate(&p.side(false).end.device.object, FALSE, &channel);
  return channel;
}

/// Pause and Start of the guest, with `misuse` in its EvtChannelSuspend.
void in_suspend(Player& p, std::function<void()> misuse) {
  p.settle();
  p.side(false).in_suspend = std::move(misuse);
  p.on(false, [&p] { VmbChannelPause(guest(p)); });
  p.on(false, [&p] { VmbChannelStart(guest(p)); });
}

void done(const Arrived& a) { VmbChannelPacketComplete(a.packet, nullptr, 0); }

/// The host gets a packet, processes it at this level, and does `first` with it; presented again it completes it.
void deferring(Player& p, bool passive, const std::function<void(Arrived&)>& first) {
  p.settle();
  VmbChannelSetIncomingProcessingAtPassive(host(p), passive ? TRUE : FALSE);
  bool again = false;
  p.deliver(true, false, [&](Arrived& a) {
    if (std::exchange(again, true)) return done(a);
    first(a);
  });
}

/// The host keeps a packet, and does `late` with it before it completes it.
void outside(Player& p, const std::function<void(VMBPACKETCOMPLETION)>& late) {
  VMBPACKETCOMPLETION kept = nullptr;
  p.deliver(true, false, [&](Arrived& a) { kept = a.packet; });
  p.on(true, [&] {
    late(kept);
    VmbChannelPacketComplete(kept, nullptr, 0);
  });
}

/// The host gets a page of external data, which is not resident at first where `pending`.
void with_data(Player& p, UINT32 flags, bool pending, const std::function<void(Arrived&, PMDL)>& use) {
  p.settle();
  std::uint32_t& permille = p.pair.host.device.policies.pending_permille;
  const std::uint32_t before = std::exchange(permille, pending ? 1000 : 0);
  p.deliver(true, true, [&](Arrived& a) {
    PMDL mdl = nullptr;
    VmbChannelPacketGetExternalData(a.packet, flags, &mdl);
    use(a, mdl);
  });
  permille = before;
}

NTSTATUS ask(VMBCHANNEL channel, UINT32 flags, PVOID answer, PUINT32 size, LONGLONG timeout) {
  LARGE_INTEGER limit;
  limit.QuadPart = timeout;
  return VmbChannelSendSynchronousRequest(channel, plain(), 16, nullptr, flags, answer, size, &limit);
}

}  // namespace

std::span<const Mistake> mistakes() {
  using P = Player&;
  using M = const Model&;
  static const Mistake all[] = {
      // ---- Channels ----
      {"K01", always,
       [](P p, M) {
         p.on(false, [&] {
           const KIRQL before = KeRaiseIrqlToDpcLevel();
           another(p);
           KeLowerIrql(before);
         });
       }},
      {"K02", always,
       [](P p, M) {
         p.on(false, [&] {
           const VMBCHANNEL gone = another(p);
           VmbChannelCleanup(gone);
           VmbChannelCleanup(gone);
         });
       }},
      {"K03", [](M m) { return m.host.enabled; }, [](P p, M) { p.on(true, [&] { VmbChannelCleanup(host(p)); }); }},
      {"K04", always,
       [](P p, M) {
         p.on(false, [&] {
           const VMBCHANNEL gone = another(p);
           VmbChannelCleanup(gone);
           VmbPacketAllocate(gone);
         });
       }},
      {"K13", [](M m) { return !m.host.enabled; },
       [](P p, M) { p.on(true, [&] { VmbClientChannelInitSetRingBufferPageCount(host(p), 1, 1); }); }},
      {"K14", [](M m) { return !m.guest.enabled; },
       [](P p, M) { p.on(false, [&] { VmbServerChannelInitSetFlags(guest(p), 0); }); }},
      {"K14", always,
       [](P p, M) { p.on(false, [&] { static_cast<void>(VmbChannelSaveBegin(guest(p)) == STATUS_SUCCESS); }); }},
      {"K15", [](M m) { return m.guest.enabled; },
       [](P p, M) { p.on(false, [&] { static_cast<void>(VmbChannelEnable(guest(p)) == STATUS_SUCCESS); }); }},
      {"K16", [](M m) { return m.runs(true); },
       [](P p, M) {
         p.on(true, [&] {
           ULONG filled = 0, required = 0;
           static_cast<void>(VmbChannelSaveBegin(host(p)) == STATUS_SUCCESS);
           static_cast<void>(VmbChannelSaveContinue(host(p), plain(), 8, &filled, &required) == STATUS_SUCCESS);
         });
       }},
      {"K17", [](M m) { return !m.host.enabled; }, [](P p, M) { p.on(true, [&] { VmbChannelStart(host(p)); }); }},
      {"K17", [](M m) { return !m.guest.enabled && !m.guest.went_alone; },
       [](P p, M) { p.on(false, [&] { VmbChannelDisable(guest(p)); }); }},
      {"K18", guest_runs, [](P p, M) { in_suspend(p, [&] { VmbChannelPause(guest(p)); }); }},
      {"K19", guest_runs, [](P p, M) { in_suspend(p, [&] { VmbChannelDisable(guest(p)); }); }},
      {"K19", host_delivers,
       [](P p, M) {
         deferring(p, true, [&](Arrived& a) {
           VmbChannelPause(host(p));
           done(a);
         });
       }},
      {"K21", [](M m) { return m.guest.went_alone && m.guest.was_closed; },
       [](P p, M) { p.on(false, [&] { VmbChannelStart(guest(p)); }); }},
      {"K22", always,
       [](P p, M) {
         p.on(true, [&] {
           UINT16 before = 0;
           static_cast<void>(VmbChannelSetInterruptLatency(host(p), 1, &before) == STATUS_SUCCESS);
         });
       }},
      {"K23", [](M m) { return !m.open; },
       [](P p, M) {
         p.on(false, [&] {
           UINT64 address = 0, size = 0;
           VmbChannelGetMmioSpace(guest(p), &address, &size);
         });
       }},
      {"K24", always,
       [](P p, M) {
         p.on(true, [&] {
           HANDLE handle = nullptr;
           VmbConvertVmbusHandleToKernelHandle(plain(), &handle);
         });
       }},
      {"K25", [](M m) { return !m.host.enabled; },
       [](P p, M) { p.on(true, [&] { VmbServerChannelInitSetVmbusHandle(host(p), plain()); }); }},
      {"K26", always, [](P p, M) { p.on(true, [&] { VmbChannelSetTransactionQuota(host(p), 0); }); }},

      // ---- Callbacks ----
      {"K30", guest_runs,
       [](P p, M) {
         p.side(false).in_started = [&] { ask(guest(p), wait_flag, nullptr, nullptr, -100); };
         in_suspend(p, nullptr);
       }},
      {"K31", [](M m) { return m.host.suspended; },
       [](P p, M) { p.on(true, [&] { VmbPacketSend(VmbPacketAllocate(host(p)), plain(), 16, nullptr, 0); }); }},
      {"K31", [](M m) { return m.guest.suspended; },
       [](P p, M) {
         p.on(false, [&] { VmbPacketSend(VmbPacketAllocate(guest(p)), plain(), 16, nullptr, wait_flag); });
       }},
      {"K34", all_run_without_memory,
       [](P p, M m) {
         p.on(false, [&] {
           UINT32 handle = 0;
           VmbChannelCreateGpadlFromMdl(guest(p), 0, Pages().mdl, 0, 0, &handle);
         });
         p.side(false).forgetful = true;
         p.play({Do::disable, false}, m);
         p.play({Do::enable, false}, m);
       }},
      {"K38", guest_runs, [](P p, M) { in_suspend(p, [] { KeRaiseIrqlToDpcLevel(); }); }},
      {"K40", [](M m) { return m.delivers_to(false); },
       [](P p, M) {
         p.settle();
         VmbChannelSetIncomingProcessingAtPassive(guest(p), TRUE);
         p.deliver(false, false, [&](Arrived& a) {
           ask(guest(p), wait_flag, nullptr, nullptr, -100);
           done(a);
         });
       }},

      // ---- Incoming packets ----
      {"K50", host_delivers,
       [](P p, M) {
         deferring(p, false, [](Arrived& a) {
           VmbChannelPacketDeferToPassive(a.packet);
           done(a);
         });
       }},
      {"K51", host_delivers,
       [](P p, M) {
         p.deliver(true, false, [](Arrived& a) {
           done(a);
           done(a);
         });
       }},
      {"K52", host_delivers,
       [](P p, M) { outside(p, [](VMBPACKETCOMPLETION a) { VmbChannelPacketDeferToPassive(a); }); }},
      {"K53", host_delivers,
       [](P p, M) { deferring(p, true, [](Arrived& a) { VmbChannelPacketDeferToPassive(a.packet); }); }},
      {"K54", host_delivers, [](P p, M) { outside(p, [](VMBPACKETCOMPLETION a) { VmbChannelPacketFail(a); }); }},
      {"K55", host_delivers,
       [](P p, M) {
         p.deliver(true, false, [](Arrived& a) {
           PMDL mdl = nullptr;
           VmbChannelPacketGetExternalData(a.packet, 0, &mdl);
           done(a);
         });
       }},
      {"K56", host_delivers, [](P p, M) { with_data(p, 0, true, [](Arrived& a, PMDL) { done(a); }); }},
      {"K57", host_delivers, [](P p, M) { with_data(p, 2, false, [](Arrived& a, PMDL) { done(a); }); }},
      {"K58", host_delivers,
       [](P p, M) {
         with_data(p, 0, false, [](Arrived& a, PMDL mdl) {
           IoFreeMdl(mdl);
           done(a);
         });
       }},
      {"K59", host_delivers,
       [](P p, M) {
         p.deliver(true, false, [&](Arrived& a) {
           done(a);
           VmbPacketSend(VmbPacketAllocate(host(p)), a.buffer, 8, nullptr, 0);
         });
       }},
      {"K60", host_delivers,
       [](P p, M) {
         with_data(p, VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY, false, [](Arrived& a, PMDL mdl) {
           static_cast<char*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority))[0] ^= 1;
           MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
           done(a);
         });
       }},

      // ---- Outgoing packets ----
      {"K70", always,
       [](P p, M) {
         p.on(true, [&] {
           refused(host(p), [](VMBPACKET packet) { VmbPacketSend(packet, plain(), too_long, nullptr, 0); });
         });
       }},
      {"K71", guest_may_send,
       [](P p, M) {
         p.on(false, [&] {
           refused(guest(p),
                   [](VMBPACKET packet) { VmbPacketSend(packet, plain(), 16, Pages(3 * page_bytes).mdl, wait_flag); });
         });
       }},
      {"K72", always,
       [](P p, M) {
         p.on(false, [&] {
           const UINT32 bytes = VmbChannelSizeofPacket(guest(p));
           auto* packet = static_cast<VMBPACKET>(ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes, 1));
           VmbPacketInitialize(guest(p), packet, bytes);
           VmbPacketSend(packet, plain(), 16, nullptr, 0);
           ExFreePool(packet);
         });
       }},
      {"K74", always,
       [](P p, M) {
         p.on(false,
              [&] { refused(guest(p), [&](VMBPACKET packet) { VmbPacketInitialize(guest(p), packet, 8192); }); });
       }},
      {"K75", guest_runs,
       [](P p, M) {
         p.on(false, [&] {
           VMBPACKET packet = VmbPacketAllocate(guest(p));
           VmbPacketSend(packet, to_keep(), 16, nullptr, wait_flag);
           VmbPacketFree(packet);
         });
       }},
      {"K76", always,
       [](P p, M) { p.on(true, [&] { refused(host(p), [](VMBPACKET packet) { VmbPacketFree(packet); }); }); }},
      {"K77", untouched,
       [](P p, M) {
         p.on(false, [&] {
           VmbPacketAllocate(guest(p));
           VmbChannelCleanup(guest(p));
           p.side(false).end.allocate_again();
         });
       }},
      {"K78", untouched,
       [](P p, M) {
         p.on(false, [&] {
           VmbPacketSend(VmbPacketAllocate(guest(p)), plain(), 16, nullptr, 0);
           VmbChannelCleanup(guest(p));
           p.side(false).end.allocate_again();
         });
       }},
      {"K79", always,
       [](P p, M) {
         p.on(false, [&] {
           refused(guest(p),
                   [](VMBPACKET packet) { VmbPacketSendWithExternalMdl(packet, plain(), 16, Pages().mdl, 0, 0, 0); });
         });
       }},
      {"K80", guest_runs,
       [](P p, M) { p.on(false, [&] { VmbPacketSend(VmbPacketAllocate(guest(p)), plain(), 16, Pages().mdl, 0); }); }},
      {"K81", guest_may_send,
       [](P p, M) {
         p.on(false, [&] {
           refused(guest(p), [](VMBPACKET packet) {
             VmbPacketSendWithExternalMdl(packet, plain(), 16, Pages().mdl, 0, page_bytes + 1,
                                          wait_flag | VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH);
           });
         });
       }},
      {"K82", guest_may_send,
       [](P p, M) {
         p.on(false, [&] {
           refused(guest(p), [](VMBPACKET packet) {
             VmbPacketSendWithExternalMdl(packet, plain(), 16, Pages().mdl, page_bytes - 8, 16, wait_flag);
           });
         });
       }},
      {"K83", guest_runs,
       [](P p, M) {
         p.settle();
         p.on(false, [&] {
           VmbPacketSend(VmbPacketAllocate(guest(p)), ExAllocatePool2(POOL_FLAG_PAGED, 16, 1), 16, nullptr, 0);
         });
       }},
      {"K84", always,
       [](P p, M) {
         p.on(true,
              [&] { refused(host(p), [](VMBPACKET packet) { VmbPacketSend(packet, plain(), 16, nullptr, 0x100); }); });
       }},
      {"K85", [](M m) { return !m.host.suspended; },
       [](P p, M) {
         p.on(true, [&] {
           refused(host(p), [](VMBPACKET packet) { VmbPacketSend(packet, plain(), 16, Pages().mdl, wait_flag); });
         });
       }},
      {"K86", guest_runs,
       [](P p, M) {
         p.on(false, [&] {
           PMDL mdl = Pages::list(ExAllocatePool2(POOL_FLAG_PAGED, page_bytes, 1), page_bytes);
           MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
           VmbPacketSend(VmbPacketAllocate(guest(p)), to_keep(), 16, mdl, wait_flag);
           MmUnlockPages(mdl);
         });
       }},
      {"K87", always,
       [](P p, M) {
         p.on(false, [&] {
           const KIRQL before = KeRaiseIrqlToDpcLevel();
           ask(guest(p), wait_flag, nullptr, nullptr, -100);
           KeLowerIrql(before);
         });
       }},
      {"K88", always, [](P p, M) { p.on(true, [&] { ask(host(p), wait_flag, nullptr, nullptr, -100); }); }},
      {"K90", always, [](P p, M) { p.on(false, [&] { ask(guest(p), wait_flag, plain(), nullptr, -100); }); }},

      // ---- Shared memory; saving and restoring ----
      {"K100", always,
       [](P p, M) {
         p.on(true, [&] {
           UINT32 handle = 0;
           VmbChannelCreateGpadlFromMdl(host(p), 0, Pages().mdl, 0, 0, &handle);
         });
       }},
      {"K101", always, [](P p, M) { p.on(false, [&] { VmbChannelDeleteGpadl(guest(p), 4711); }); }},
      {"K102", [](M m) { return m.open; },
       [](P p, M) {
         UINT32 handle = 0;
         p.on(false, [&] { VmbChannelCreateGpadlFromMdl(guest(p), 0, Pages().mdl, 0, 0, &handle); });
         p.on(true, [&] {
           PMDL mdl = nullptr;
           VmbChannelMapGpadl(host(p), 0, handle, &mdl);
           VmbChannelMapGpadl(host(p), 0, handle, &mdl);
           VmbChannelUnmapGpadl(host(p), handle);
         });
         p.on(false, [&] { VmbChannelDeleteGpadl(guest(p), handle); });
       }},
      {"K103", always, [](P p, M) { p.on(true, [&] { VmbChannelUnmapGpadl(host(p), 4711); }); }},
      {"K106", always,
       [](P p, M) {
         p.on(true, [&] {
           PMDL mdl = nullptr;
           VmbChannelMapGpadl(host(p), 2, 4711, &mdl);
         });
       }},
      {"K107", always, [](P p, M) { p.on(true, [&] { VmbChannelSaveEnd(host(p)); }); }},
      {"K109", [](M m) { return m.host.enabled && !m.host.active && !m.open && !m.host.holds; },
       [](P p, M) {
         p.on(true, [&] {
           std::vector<std::byte> image(256);
           ULONG filled = 0, required = 0;
           if (VmbChannelSaveBegin(host(p)) != STATUS_SUCCESS) return;
           static_cast<void>(VmbChannelSaveContinue(host(p), image.data(), 256, &filled, &required) == STATUS_SUCCESS);
           VmbChannelSaveEnd(host(p));
           static_cast<void>(VmbChannelRestoreFromBuffer(host(p), image.data(), filled - 1) == STATUS_SUCCESS);
           static_cast<void>(VmbChannelRestoreFromBuffer(host(p), image.data(), filled) == STATUS_SUCCESS);
         });
       }},
      {"K110", always,
       [](P p, M) {
         p.on(true, [&] { refused(host(p), [](VMBPACKET packet) { VmbPacketRestore(packet, plain(), 48); }); });
       }},

      // ---- Others ----
      {"SYNC", both_deliver,
       [](P p, M) {
         p.settle();
         p.on(false, [&] {
           alignas(8) std::byte question[16] = {};
           question[9] = std::byte{8};  // words of the answer
           UINT32 size = 8;
           std::uint64_t answer = 0;
           VmbChannelSendSynchronousRequest(guest(p), question, 16, nullptr, wait_flag, &answer, &size, nullptr);
         });
       }},
      {"IRQL", [](M m) { return m.host.enabled; },
       [](P p, M) {
         p.on(true, [&] {
           const KIRQL before = KeRaiseIrqlToDpcLevel();
           VmbChannelStart(host(p));
           KeLowerIrql(before);
         });
       }},
  };
  return all;
}

std::span<const Unbroken> unbroken_rules() {
  static constexpr Unbroken all[] = {
      {"K32", "a packet that is never completed is told when the run ends"},
      {"K33", "is told only where a scenario asks for it"},
      {"K91", "what stays queued is told when the run ends"},
      {"K105", "a mapping that is never ended is told when the run ends"},
      {"K108", "is broken by what a callback does whenever a channel is saved"},
  };
  return all;
}

}  // namespace vmbsim::testing::sequences
