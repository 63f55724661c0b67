// The header as a driver's author meets it: callbacks declared by their role types, every flag bit by bit, and nothing of
// these tests' own drivers in between.
// Source: KMCL DDI (vmbuskernelmodeclientlibapi.h), the page of each function and callback, and the header's flags.
#include <catch2/catch.hpp>

#include "models/vmbus/messages.hpp"
#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

constexpr ULONG pool_tag = 0x74736554;  // "Test"

/// A driver of either end: it says what it was called for.
struct PlainDriver {
  std::string told;
  VMBCHANNEL channel = nullptr;
  std::uint64_t answer = 0;
};

PlainDriver& of(VMBCHANNEL channel) { return *static_cast<PlainDriver*>(VmbChannelGetPointer(channel)); }

EVT_VMB_CHANNEL_OPENED EvtChannelOpened;
EVT_VMB_CHANNEL_STARTED EvtChannelStarted;
EVT_VMB_CHANNEL_POST_STARTED EvtChannelPostStarted;
EVT_VMB_CHANNEL_SUSPEND EvtChannelSuspend;
EVT_VMB_CHANNEL_CLOSED EvtChannelClosed;
EVT_VMB_CHANNEL_PROCESS_PACKET EvtVmbChannelProcessPacket;
EVT_VMB_CHANNEL_PROCESSING_COMPLETE EvtVmbChannelProcessingComplete;
EVT_VMB_PACKET_COMPLETION_ROUTINE EvtVmbPacketCompletionRoutine;

NTSTATUS EvtChannelOpened(VMBCHANNEL channel) {
  of(channel).told += "Opened ";
  return STATUS_SUCCESS;
}
VOID EvtChannelStarted(VMBCHANNEL channel) { of(channel).told += "Started "; }
VOID EvtChannelPostStarted(VMBCHANNEL channel) { of(channel).told += "PostStarted "; }
VOID EvtChannelSuspend(VMBCHANNEL channel) { of(channel).told += "Suspend "; }
VOID EvtChannelClosed(VMBCHANNEL channel) { of(channel).told += "Closed "; }

VOID EvtVmbChannelProcessPacket(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length,
                                UINT32 flags) {
  CHECK((flags & ~UINT32{VMBUS_CHANNEL_PROCESS_PACKET_FLAGS}) == 0);
  CHECK(length == sizeof(std::uint64_t));
  std::uint64_t question = 0;
  std::memcpy(&question, buffer, sizeof question);
  of(channel).told += "packet(" + std::to_string(question) + ") ";
  question *= 2;
  VmbChannelPacketComplete(packet, &question, sizeof question);
}

VOID EvtVmbChannelProcessingComplete(VMBCHANNEL channel, UINT32 packets) {
  of(channel).told += "batch(" + std::to_string(packets) + ") ";
}

VOID EvtVmbPacketCompletionRoutine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length) {
  CHECK(status == STATUS_SUCCESS);
  CHECK(length == sizeof(std::uint64_t));
  PlainDriver& driver = of(VmbPacketGetChannel(packet));
  std::memcpy(&driver.answer, buffer, sizeof driver.answer);
  driver.told += "completed ";
  VmbPacketFree(packet);
}

/// The calls of a driver's start, in the order of the pages.
void configure(PlainDriver& driver, DEVICE_OBJECT& device, bool server) {
  REQUIRE(VmbChannelAllocate(&device, server ? TRUE : FALSE, &driver.channel) == STATUS_SUCCESS);
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
  CHECK(callbacks.Version == VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION);
  callbacks.EvtChannelOpened = EvtChannelOpened;
  callbacks.EvtChannelStarted = EvtChannelStarted;
  callbacks.EvtChannelPostStarted = EvtChannelPostStarted;
  callbacks.EvtChannelSuspend = EvtChannelSuspend;
  callbacks.EvtChannelClosed = EvtChannelClosed;
  VmbChannelSetPointer(driver.channel, &driver);
  CHECK(VmbChannelInitSetMaximumPacketSize(driver.channel, 64) == STATUS_SUCCESS);
  CHECK(VmbChannelInitSetStateChangeCallbacks(driver.channel, &callbacks) == STATUS_SUCCESS);
  CHECK(VmbChannelInitSetProcessPacketCallbacks(driver.channel, EvtVmbChannelProcessPacket,
                                                EvtVmbChannelProcessingComplete) == STATUS_SUCCESS);
  if (server) {
    const kmcl::Device& at = kmcl::Device::of(device);
    CHECK(VmbServerChannelInitSetTargetInterfaceId(driver.channel, at.id.type, at.id.instance) == STATUS_SUCCESS);
  }
  CHECK(VmbChannelEnable(driver.channel) == STATUS_SUCCESS);
  if (server) VmbChannelStart(driver.channel);
}

/// The devices of a pair of partitions, and a channel that was never used: a driver of the test's own is put in its place.
struct Bare {
  ChannelPair pair;
  PlainDriver host, guest;
};

/// Which of the 32 bits `call` takes on a channel that is disabled.
template <class Call>
UINT32 taken(Call call) {
  UINT32 bits = 0;
  for (UINT32 bit = 1; bit != 0; bit <<= 1) {
    const NTSTATUS status = call(bit);
    CHECK((status == STATUS_SUCCESS || status == STATUS_INVALID_PARAMETER_2));
    if (status == STATUS_SUCCESS) bits |= bit;
  }
  return bits;
}

TEST_CASE("a pair of drivers that use the header alone are called in the documented order", "[kmcl]") {
  // KMCL DDI, VMB_CHANNEL_STATE_CHANGE_CALLBACKS: Opened, Started, PostStarted, packets, Suspend, Closed.
  Bare bare;
  bare.pair.on_host([&] { configure(bare.host, bare.pair.host.device.object, true); });
  bare.pair.on_guest([&] { configure(bare.guest, bare.pair.guest.device.object, false); });
  bare.pair.on_guest([&] {
    VMBPACKET packet = VmbPacketAllocate(bare.guest.channel);
    VmbPacketSetCompletionRoutine(packet, EvtVmbPacketCompletionRoutine);
    std::uint64_t question = 21;
    CHECK(VmbPacketSend(packet, &question, sizeof question, nullptr, VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION) ==
          STATUS_SUCCESS);
  });
  bare.pair.on_guest([&] {
    VmbChannelDisable(bare.guest.channel);
    VmbChannelCleanup(bare.guest.channel);
  });
  bare.pair.on_host([&] {
    VmbChannelDisable(bare.host.channel);
    VmbChannelCleanup(bare.host.channel);
  });
  CHECK(bare.host.told == "Opened Started PostStarted packet(21) batch(1) Suspend Closed ");
  CHECK(bare.guest.told == "Opened Started PostStarted completed Suspend Closed ");
  CHECK(bare.guest.answer == 42);
  CHECK(bare.pair.found().empty());
}

TEST_CASE("a channel takes the flags of the header and no other bit", "[kmcl]") {
  // VmbChannelInitSetFlags, VmbServerChannelInitSetFlags: STATUS_INVALID_PARAMETER_2 for a bit that is not known.
  ChannelPair pair;
  pair.on_guest([&] {
    CHECK(taken([&](UINT32 bit) { return VmbChannelInitSetFlags(pair.guest.channel, bit); }) ==
          VMBUS_CHANNEL_INIT_FLAGS);
  });
  pair.on_host([&] {
    CHECK(taken([&](UINT32 bit) { return VmbServerChannelInitSetFlags(pair.host.channel, bit); }) ==
          VMBUS_SERVER_CHANNEL_INIT_FLAGS);
  });
  CHECK(VMBUS_SERVER_CHANNEL_INIT_FLAGS ==
        (VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER | VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE |
         VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE | VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL |
         VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER));
  CHECK(vmbus::user_bytes == VMBUS_SERVER_CHANNEL_INIT_MAXIMUM_OFFER_DATA);
  CHECK(pair.found().empty());
}

TEST_CASE("sending and sharing take the flags of the header and no other bit, and so does looking at external data",
          "[kmcl]") {
  // VmbPacketSend, VmbChannelCreateGpadlFromBuffer, VmbChannelPacketGetExternalData: the masks of the header. What is beyond
  // them is a finding of the rules K84, K106 and K57.
  ChannelPair pair({.external_data = PAGE_SIZE});
  std::uint64_t odd_gpadl_flags = 0, odd_look_flags = 0;
  pair.host.packet = [&](Arrived& arrived) {
    for (UINT32 bit = 1; bit != 0 && arrived.flags != 0; bit <<= 1) {
      PMDL mdl = nullptr;
      const bool known = (bit & VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS) != 0;
      CHECK((VmbChannelPacketGetExternalData(arrived.packet, bit, &mdl) == STATUS_SUCCESS) == known);
      if (!known) ++odd_look_flags;
    }
    VmbChannelPacketComplete(arrived.packet, nullptr, 0);
  };
  pair.open();
  pair.on_guest([&] {
    UINT32 sent = 0;
    std::uint64_t number = 1;
    for (UINT32 bit = 1; bit != 0; bit <<= 1) {
      VMBPACKET packet = pair.guest.new_packet(number);
      const NTSTATUS status = VmbPacketSend(packet, pair.guest.bytes_of(number++).data(), 8, nullptr, bit);
      if (status == STATUS_SUCCESS)
        sent |= bit;
      else
        VmbPacketFree(packet);
    }
    // FORCE_MDL_LENGTH is one of the mask's and needs a descriptor list.
    CHECK((sent | VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH) == VMBUS_CHANNEL_FORMAT_FLAGS);
    void* external = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, pool_tag);
    PMDL mdl = IoAllocateMdl(external, PAGE_SIZE, FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(mdl);
    VMBPACKET with_data = pair.guest.new_packet(number);
    CHECK(VmbPacketSend(with_data, pair.guest.bytes_of(number).data(), 8, mdl,
                        VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION) == STATUS_SUCCESS);
    for (UINT32 bit = 1; bit != 0; bit <<= 1) {
      UINT32 handle = 0;
      void* page = ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, pool_tag);
      const NTSTATUS status = VmbChannelCreateGpadlFromBuffer(pair.guest.channel, bit, page, PAGE_SIZE, &handle);
      const bool known = (bit & VMBUS_CHANNEL_GPADL_FLAGS) != 0;
      CHECK((status == STATUS_SUCCESS) == known);
      if (!known) ++odd_gpadl_flags;
      if (status == STATUS_SUCCESS) VmbChannelDeleteGpadl(pair.guest.channel, handle);
      ExFreePool(page);
    }
  });
  CHECK(odd_gpadl_flags == 31);
  CHECK(odd_look_flags == 31);
  CHECK(pair.machines.findings.count("K106") == odd_gpadl_flags);
  CHECK(pair.machines.findings.count("K84") == 29);
  CHECK(pair.machines.findings.count("K57") == odd_look_flags);
}

}  // namespace
}  // namespace vmbsim::testing
