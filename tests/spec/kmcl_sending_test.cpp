// Packets on their way out: completion, queueing, buffers, external data, and the mistakes a driver can make with them.
// Source: KMCL DDI (vmbuskernelmodeclientlibapi.h): VmbPacketSend and its siblings, EVT_VMB_PACKET_COMPLETION_ROUTINE.
#include <catch2/catch.hpp>

#include <numeric>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all(last - first + 1);
  std::iota(all.begin(), all.end(), first);
  return all;
}

std::vector<std::uint64_t> numbers_of(const std::vector<Returned>& returned) {
  std::vector<std::uint64_t> all;
  for (const Returned& r : returned) all.push_back(r.number);
  return all;
}

// ---- Copying ----

TEST_CASE("A packet's bytes are copied once, when there is room for them", "[Q38]") {
  // Six packets of 1000 bytes through a page that holds three: the guest's processor copies six packets, however long they wait.
  const auto busy = [](std::uint32_t pages) {
    ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::copy_per_kib, 1024us}})}, .to_host = Pages{pages}});
    pair.open();
    pair.on_guest([&] {
      for (std::uint64_t n = 1; n <= 6; ++n) CHECK(pair.guest.send(n, 1000, 0) == STATUS_SUCCESS);
    });
    const auto spent = pair.machines.guest.cpu(CpuId{0}).accounted();
    return spent[static_cast<std::size_t>(hw::Activity::thread)] + spent[static_cast<std::size_t>(hw::Activity::dpc)];
  };
  CHECK(busy(8) == 6000us);
  CHECK(busy(1) == 6000us);
}

// ---- Completion ----

TEST_CASE("Without WAIT a packet is complete when it is in the ring: inside the send when it fits", "[Q13]") {
  // VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION. Modelling decision: inline before the send returns when the packet fits.
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] {
    CHECK(pair.guest.send(1, 8, 0) == STATUS_SUCCESS);
    REQUIRE(pair.guest.returned.size() == 1);
  });
  const Returned& r = pair.guest.returned[0];
  CHECK(r.inside_send);
  CHECK(r.status == STATUS_SUCCESS);
  CHECK(r.answer.empty());
  CHECK(r.irql == Irql::passive);
  CHECK(pair.host.arrived == numbers(1, 1));
  CHECK(pair.guest.returned.size() == 1);  // the host's VmbChannelPacketComplete sends nothing
}

TEST_CASE("Without WAIT a packet that waited for room is completed at DISPATCH_LEVEL in the pass that moves it",
          "[Q13]") {
  // Modelling decision: otherwise in the channel's dispatch pass at DISPATCH_LEVEL.
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::signal_host, 10us}})}});
  pair.open();
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 6; ++n) CHECK(pair.guest.send(n, 1000, 0) == STATUS_SUCCESS);
    CHECK(pair.guest.returned.size() == 3);  // three of 1024 bytes fit into a page: a ring is never quite full
  });
  REQUIRE(numbers_of(pair.guest.returned) == numbers(1, 6));
  for (const Returned& r : pair.guest.returned) {
    CHECK(r.inside_send == (r.number <= 3));
    CHECK(r.irql == (r.number <= 3 ? Irql::passive : Irql::dispatch));
  }
  CHECK(pair.host.arrived == numbers(1, 6));
  CHECK(pair.found().empty());
}

TEST_CASE(
    "With WAIT the routine runs when the answer comes, at DISPATCH_LEVEL, with the answer rounded up to 8 bytes") {
  // EVT_VMB_PACKET_COMPLETION_ROUTINE. The wire counts in 8 bytes; zeros fill the rest.
  ChannelPair pair;
  const UINT32 length = GENERATE(0u, 1u, 7u, 8u, 9u, 20u);
  CAPTURE(length);
  const std::vector<std::byte> bytes(20, std::byte{0xAB});
  pair.host.packet = [&](Arrived& a) {
    VmbChannelPacketComplete(a.packet, const_cast<std::byte*>(bytes.data()), length);
  };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  REQUIRE(pair.guest.returned.size() == 1);
  const Returned& r = pair.guest.returned[0];
  CHECK_FALSE(r.inside_send);
  CHECK(r.status == STATUS_SUCCESS);
  CHECK(r.irql == Irql::dispatch);
  std::vector<std::byte> expected(bytes.begin(), bytes.begin() + length);
  expected.resize((length + 7) / 8 * 8);
  CHECK(r.answer == expected);
}

TEST_CASE("A packet may be freed or sent again from inside its routine") {
  ChannelPair pair;
  int rounds = 0;
  pair.guest.completed = [&](Returned& r) {
    if (++rounds == 5) return VmbPacketFree(r.packet);
    CHECK(VmbPacketSend(r.packet, pair.guest.bytes_of(1).data(), 8, nullptr, wait_flag) == STATUS_SUCCESS);
  };
  pair.open();
  pair.on_guest([&] { CHECK(pair.guest.send(1) == STATUS_SUCCESS); });
  CHECK(rounds == 5);
  CHECK(pair.host.arrived.size() == 5);
  CHECK(pair.found().empty());
}

TEST_CASE("An allocated packet without a routine of its own frees itself; pointer and routine last until set again",
          "[Q41]") {
  // VmbPacketAllocate: the default completion routine frees the packet.
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] {
    VMBPACKET packet = VmbPacketAllocate(pair.guest.channel);
    std::uint64_t bytes = 1;
    CHECK(VmbPacketSend(packet, &bytes, 8, nullptr, 0) == STATUS_SUCCESS);
    VMBPACKET next = VmbPacketAllocate(pair.guest.channel);
    CHECK(&kmcl::Packet::of(next) == &kmcl::Packet::of(packet));  // its memory, the last one freed, is used again
    VmbPacketFree(next);
    VmbChannelDisable(pair.guest.channel);
    VmbChannelCleanup(pair.guest.channel);
  });
  CHECK(pair.found().empty());
}

TEST_CASE("A packet in the driver's own memory is sent many times", "[K72][K73][K74][kept]") {
  // VmbPacketInitialize, instead of VmbPacketAllocate.
  ChannelPair pair;
  std::vector<std::uint64_t> memory;
  int rounds = 0;
  pair.guest.completed = [&](Returned& r) {
    if (++rounds < 3)
      CHECK(VmbPacketSend(r.packet, pair.guest.bytes_of(1).data(), 8, nullptr, wait_flag) == STATUS_SUCCESS);
  };
  pair.open();
  pair.on_guest([&] {
    const UINT32 bytes = VmbChannelSizeofPacket(pair.guest.channel);
    memory.resize(bytes / 8 + 1);
    const auto packet = reinterpret_cast<VMBPACKET>(memory.data());
    REQUIRE(VmbPacketInitialize(pair.guest.channel, packet, bytes) == STATUS_SUCCESS);
    std::uint64_t data = 1;
    CHECK(VmbPacketSend(packet, &data, 8, nullptr, wait_flag) != STATUS_SUCCESS);  // no routine yet
    CHECK(pair.machines.findings.count("K72") == 1);
    pair.guest.prepare(packet, 1);
    CHECK(VmbPacketSend(packet, pair.guest.bytes_of(1).data(), 8, nullptr, wait_flag) == STATUS_SUCCESS);
  });
  CHECK(rounds == 3);
  CHECK(pair.machines.findings.all().size() == 1);
}

// ---- Queueing ----

TEST_CASE("While packets wait for room nothing overtakes them, however small", "[Q7]") {
  // VmbPacketSend: a full ring queues the packet. Modelling decision: strictly first in, first out.
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::signal_host, 10us}})}, .to_host = {1}});
  pair.open();
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 40; ++n)
      CHECK(pair.guest.send(n, n % 2 != 0 ? 1000 : 8, n % 3 != 0 ? wait_flag : 0) == STATUS_SUCCESS);
  });
  CHECK(pair.host.arrived == numbers(1, 40));
  CHECK(pair.guest.returned.size() == 40);
  CHECK(pair.guest.counters().outgoing_full > 0);
  CHECK(pair.rings_empty());
  CHECK(pair.found().empty());
}

TEST_CASE("Answers that find the ring full wait in the same queue, without a packet object of the driver", "[Q33]") {
  // VmbChannelPacketComplete returns nothing and cannot fail, so it queues when the ring is full.
  ChannelPair pair({.machines = {.costs = costs_of({{&hw::Costs::signal_guest, 10us}})}});
  std::vector<std::byte> large(1000);
  std::vector<VMBPACKETCOMPLETION> kept;
  pair.host.packet = [&](Arrived& a) { kept.push_back(a.packet); };
  pair.open();
  pair.on_guest([&] {
    for (std::uint64_t n = 1; n <= 8; ++n) CHECK(pair.guest.send(n) == STATUS_SUCCESS);
  });
  REQUIRE(kept.size() == 8);
  pair.on_host([&] {
    for (VMBPACKETCOMPLETION packet : kept) VmbChannelPacketComplete(packet, large.data(), 1000);
    CHECK(pair.host.send(1, 8, 0) == STATUS_SUCCESS);  // behind the answers, although it would fit
    CHECK(pair.host.returned.empty());
  });
  CHECK(numbers_of(pair.guest.returned) == numbers(1, 8));
  CHECK(pair.guest.arrived == numbers(1, 1));
  CHECK(pair.log.back().what == "guest:batch(1)");
  CHECK(pair.host.counters().outgoing_full > 0);
  CHECK(pair.rings_empty());
  CHECK(pair.found().empty());
}

TEST_CASE("What no ring of this size can hold is refused and blocks nobody") {
  // EMCL: an oversize packet is an error, not a case for the queue.
  ChannelPair pair({.maximum_packet = 1024});
  std::vector<std::byte> large(5000);
  SECTION("an answer") {
    pair.host.packet = [&](Arrived& a) { VmbChannelPacketComplete(a.packet, large.data(), a.number == 1 ? 5000 : 8); };
    pair.open();
    pair.on_guest([&] {
      CHECK(pair.guest.send(1) == STATUS_SUCCESS);
      CHECK(pair.guest.send(2) == STATUS_SUCCESS);
    });
    CHECK(numbers_of(pair.guest.returned) == numbers(2, 2));
  }
  SECTION("a request of a host that was set up for larger packets than the guest's ring") {
    pair.on_host([&] { CHECK(VmbChannelInitSetMaximumPacketSize(pair.host.channel, 5000) == STATUS_SUCCESS); });
    const bool before_open = GENERATE(false, true);
    const auto send = [&] {
      const NTSTATUS status = pair.host.send(1, 5000);
      CHECK((status == STATUS_SUCCESS) == before_open);  // nobody knows the ring yet
      CHECK(pair.host.send(2) == STATUS_SUCCESS);
    };
    if (before_open) pair.on_host(send);
    pair.open();
    if (!before_open) pair.on_host(send);
    CHECK(pair.guest.arrived == numbers(2, 2));
    if (before_open) CHECK(pair.host.returned[0].status == STATUS_INVALID_PARAMETER_3);
  }
  CHECK(pair.machines.findings.count("K70") == 1);
  CHECK(pair.machines.findings.all().size() == 1);
}

// ---- Buffers ----

TEST_CASE(
    "A PAGED_BUFFER is copied before the call returns; any other buffer is read when its packet enters the ring") {
  // VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER. Modelling decision: without it the buffer stays the packet's until completion.
  ChannelPair pair;
  const bool paged = GENERATE(false, true);
  pair.on_guest([&] {
    VMBPACKET packet = pair.guest.new_packet(1, 16);
    std::byte* buffer = pair.guest.bytes_of(1).data();
    CHECK(
        VmbPacketSend(packet, buffer, 16, nullptr, wait_flag | (paged ? VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER : 0)) ==
        STATUS_SUCCESS);  // not open yet: it waits
    buffer[8] = std::byte{0xEE};
  });
  std::byte seen{};
  pair.host.packet = [&](Arrived& a) {
    seen = a.buffer[8];
    VmbChannelPacketComplete(a.packet, nullptr, 0);
  };
  pair.open();
  CHECK(seen == (paged ? std::byte{1} : std::byte{0xEE}));
  CHECK(pair.found().empty());
}

// ---- Mistakes ----

TEST_CASE("Each mistake with a packet is reported with its rule, and the channel goes on",
          "[K70][K74][K75][K79][K84]") {
  struct Row {
    const char* rule;
    std::function<void(ChannelPair&)> mistake;
  };
  const Row row = GENERATE(values<Row>({
      // VmbChannelInitSetMaximumPacketSize: the upper bound of any inline buffer
      {"K70", [](ChannelPair& p) { CHECK(p.guest.send(1, 1025) != STATUS_SUCCESS); }},
      {"K84", [](ChannelPair& p) { CHECK(p.guest.send(1, 8, 0x80) != STATUS_SUCCESS); }},
      // VmbPacketInitialize: an alternative to VmbPacketAllocate, never combined with it
      {"K74",
       [](ChannelPair& p) {
         VMBPACKET packet = VmbPacketAllocate(p.guest.channel);
         CHECK(VmbPacketInitialize(p.guest.channel, packet, VmbChannelSizeofPacket(p.guest.channel)) != STATUS_SUCCESS);
         VmbPacketFree(packet);
       }},
      // VmbPacketFree: the packet is gone
      {"K76",
       [](ChannelPair& p) {
         VMBPACKET packet = VmbPacketAllocate(p.guest.channel);
         VmbPacketFree(packet);
         VmbPacketFree(packet);
         VMBPACKET first = VmbPacketAllocate(p.guest.channel);
         CHECK(VmbPacketAllocate(p.guest.channel) != first);
       }},
      // VmbPacketSend: KMCL owns the object until its routine runs
      {"K75",
       [](ChannelPair& p) {
         VMBPACKET packet = p.guest.new_packet(1);
         CHECK(VmbPacketSend(packet, p.guest.bytes_of(1).data(), 8, nullptr, wait_flag) == STATUS_SUCCESS);
         std::uint64_t other = 77;
         CHECK(VmbPacketSend(packet, &other, 8, nullptr, 0) != STATUS_SUCCESS);
       }},
      {"K75",
       [](ChannelPair& p) {
         VMBPACKET packet = p.guest.new_packet(1);
         CHECK(VmbPacketSend(packet, p.guest.bytes_of(1).data(), 8, nullptr, wait_flag) == STATUS_SUCCESS);
         VmbPacketFree(packet);
       }},
      // VmbPacketSendWithExternalMdl, ...Pfns: WAIT_FOR_COMPLETION must be set
      {"K79",
       [](ChannelPair& p) {
         VMBPACKET packet = p.guest.new_packet(1);
         PFN_NUMBER pfn = 1;
         CHECK(VmbPacketSendWithExternalPfns(packet, p.guest.bytes_of(1).data(), 8, &pfn, 1, 0) != STATUS_SUCCESS);
       }},
      {"K83",
       [](ChannelPair& p) {
         VMBPACKET packet = p.guest.new_packet(1);
         const KIRQL before = KeRaiseIrqlToDpcLevel();
         VmbPacketSend(packet, p.guest.bytes_of(1).data(), 8, nullptr,
                       wait_flag | VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER);
         KeLowerIrql(before);
       }},
  }));
  ChannelPair pair;
  pair.open();
  pair.on_guest([&] { row.mistake(pair); });
  CHECK(pair.machines.findings.count(row.rule) == 1);
  CHECK(pair.machines.findings.all().size() == 1);
  pair.on_guest([&] { CHECK(pair.guest.send(2) == STATUS_SUCCESS); });
  REQUIRE_FALSE(pair.guest.returned.empty());
  CHECK(pair.guest.returned.back().number == 2);
  for (const std::uint64_t number : pair.host.arrived) CHECK(number <= 2);
}

TEST_CASE("A host never describes its memory to a guest", "[K85]") {
  // The header: external data is for transactions that start in the guest.
  ChannelPair pair({.external_data = 65536});
  pair.open();
  pair.on_host([&] {
    VMBPACKET packet = pair.host.new_packet(1);
    PFN_NUMBER pfn = 1;
    CHECK(VmbPacketSendWithExternalPfns(packet, pair.host.bytes_of(1).data(), 8, &pfn, 1, wait_flag) != STATUS_SUCCESS);
    VmbPacketFree(packet);
  });
  CHECK(pair.machines.findings.count("K85") == 1);
}

// ---- External data ----

/// What the host sees of it: lists with their offset, length and frames, and all bytes one after the other.
struct Seen {
  struct List {
    ULONG offset, bytes;
    std::vector<PFN_NUMBER> pfns;
  };
  std::vector<List> lists;
  std::vector<std::byte> bytes;
};

class ExternalData {
 public:
  explicit ExternalData(UINT32 chain = 1, UINT32 largest = 65536)
      : pair({.external_data = largest, .chain_length = chain, .to_host = {4}}) {
    pair.host.packet = [this](Arrived& a) {
      CHECK(a.flags == VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA);
      PMDL mdl = nullptr;
      REQUIRE(VmbChannelPacketGetExternalData(a.packet, VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY, &mdl) ==
              STATUS_SUCCESS);
      for (; mdl != nullptr; mdl = mdl->Next) {
        const ULONG pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(reinterpret_cast<PVOID>(std::uintptr_t{mdl->ByteOffset}),
                                                           MmGetMdlByteCount(mdl));
        seen.lists.push_back(
            {MmGetMdlByteOffset(mdl), MmGetMdlByteCount(mdl), {MmGetMdlPfnArray(mdl), MmGetMdlPfnArray(mdl) + pages}});
        const auto* at = static_cast<const std::byte*>(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
        REQUIRE(at != nullptr);
        seen.bytes.insert(seen.bytes.end(), at, at + MmGetMdlByteCount(mdl));
        MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
      }
      VmbChannelPacketComplete(a.packet, nullptr, 0);
    };
    pair.open();
  }
  /// `size` bytes of pool, each holding the low byte of its index, and a list from `offset` of it on.
  PMDL list(SIZE_T size, SIZE_T offset, ULONG length) {
    auto* buffer = static_cast<std::byte*>(ExAllocatePool2(POOL_FLAG_NON_PAGED, size, 0x74736554));
    for (SIZE_T i = 0; i < size; ++i) buffer[i] = static_cast<std::byte>(i * 7 + i / 256);
    PMDL mdl = IoAllocateMdl(buffer + offset, length, FALSE, FALSE, nullptr);
    MmBuildMdlForNonPagedPool(mdl);
    return mdl;
  }
  static std::vector<std::byte> bytes_of(PMDL mdl, std::size_t from, std::size_t count) {
    const auto* start = static_cast<const std::byte*>(MmGetMdlVirtualAddress(mdl)) + from;
    return {start, start + count};
  }
  ChannelPair pair;
  Seen seen;
};

TEST_CASE("The host's MDL has the offset, length, frames and bytes of the sender's") {
  // VmbChannelPacketGetExternalData. VmbPacketSend with an MDL sends all of it.
  ExternalData data;
  std::vector<std::byte> expected;
  PMDL mdl = nullptr;
  data.pair.on_guest([&] {
    mdl = data.list(40'000, 100, 20'000);
    expected = data.bytes_of(mdl, 0, 20'000);
    VMBPACKET packet = data.pair.guest.new_packet(1);
    CHECK(VmbPacketSend(packet, data.pair.guest.bytes_of(1).data(), 8, mdl, wait_flag) == STATUS_SUCCESS);
  });
  REQUIRE(data.seen.lists.size() == 1);
  CHECK(data.seen.lists[0].offset == 100);
  CHECK(data.seen.lists[0].bytes == 20'000);
  CHECK(data.seen.lists[0].pfns == std::vector<PFN_NUMBER>(MmGetMdlPfnArray(mdl), MmGetMdlPfnArray(mdl) + 5));
  CHECK(data.seen.bytes == expected);
  CHECK(data.pair.found().empty());
}

TEST_CASE("A part of an MDL is described by offset and length; a length of 0 means all of it", "[K81][K82]") {
  // VmbPacketSendWithExternalMdl: MdlOffset, MdlLength, FORCE_MDL_LENGTH.
  struct Row {
    UINT32 offset, length, flags;
    ULONG first_offset, bytes;
    std::size_t first_page, pages;
    const char* rule;  ///< when it is refused
  };
  const UINT32 force = VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH;
  // The list starts at byte 100 of its first page and is 10,000 bytes long, so 2,188 bytes are left of its last page.
  const Row row = GENERATE_COPY(values<Row>({{0, 0, 0, 100, 10'000, 0, 3, ""},
                                             {0, 10'000, 0, 100, 10'000, 0, 3, ""},
                                             {0, 1, 0, 100, 1, 0, 1, ""},
                                             {3996, 4096, 0, 0, 4096, 1, 1, ""},
                                             {4000, 5000, 0, 4, 5000, 1, 2, ""},
                                             {9999, 1, 0, 1907, 1, 2, 1, ""},
                                             {1, 10'000, 0, 0, 0, 0, 0, "K82"},
                                             {10'000, 1, 0, 0, 0, 0, 0, "K82"},
                                             {0, 10'001, force, 100, 10'001, 0, 3, ""},
                                             {0, 12'188, force, 100, 12'188, 0, 3, ""},
                                             {0, 12'189, force, 0, 0, 0, 0, "K81"},
                                             {12'188, 1, force, 0, 0, 0, 0, "K81"},
                                             {20'000, 1, force, 0, 0, 0, 0, "K81"},
                                             {0, 0, force, 100, 10'000, 0, 3, ""}}));
  CAPTURE(row.offset, row.length, row.flags);
  ExternalData data;
  std::vector<std::byte> expected;
  PMDL mdl = nullptr;
  const std::string rule = row.rule;
  data.pair.on_guest([&] {
    mdl = data.list(40'000, 100, 10'000);
    if (rule.empty()) expected = data.bytes_of(mdl, row.offset, row.bytes);
    VMBPACKET packet = data.pair.guest.new_packet(1);
    const NTSTATUS status = VmbPacketSendWithExternalMdl(packet, data.pair.guest.bytes_of(1).data(), 8, mdl, row.offset,
                                                         row.length, row.flags | wait_flag);
    CHECK((status == STATUS_SUCCESS) == rule.empty());
  });
  if (!rule.empty()) {
    CHECK(data.pair.machines.findings.count(rule) == 1);
    CHECK(data.seen.lists.empty());
    return;
  }
  REQUIRE(data.seen.lists.size() == 1);
  CHECK(data.seen.lists[0].offset == row.first_offset);
  CHECK(data.seen.lists[0].bytes == row.bytes);
  const PFN_NUMBER* first = MmGetMdlPfnArray(mdl) + row.first_page;
  CHECK(data.seen.lists[0].pfns == std::vector<PFN_NUMBER>(first, first + row.pages));
  CHECK(data.seen.bytes == expected);
  CHECK(data.pair.found().empty());
}

TEST_CASE("A chain arrives as a chain; a part of it may begin and end in any list", "[K07][K71][K82][K85][kept]") {
  ExternalData data(3);
  std::vector<std::byte> expected;
  data.pair.on_guest([&] {
    PMDL first = data.list(4096, 4000, 96);
    PMDL second = data.list(9000, 0, 5000);
    PMDL third = data.list(4096, 10, 1000);
    first->Next = second;
    second->Next = third;
    VMBPACKET packet = data.pair.guest.new_packet(1);
    CHECK(VmbPacketSendWithExternalMdl(packet, data.pair.guest.bytes_of(1).data(), 8, first, 90, 5007, wait_flag) ==
          STATUS_SUCCESS);
    for (const auto& part : {data.bytes_of(first, 90, 6), data.bytes_of(second, 0, 5000), data.bytes_of(third, 0, 1)})
      expected.insert(expected.end(), part.begin(), part.end());
  });
  REQUIRE(data.seen.lists.size() == 3);
  CHECK(data.seen.lists[0].offset == 4090);
  CHECK(data.seen.lists[2].bytes == 1);
  CHECK(data.seen.bytes == expected);
  CHECK(data.pair.found().empty());
}

TEST_CASE("A list of page frame numbers arrives as one MDL of whole pages") {
  // VmbPacketSendWithExternalPfns: the last element used is PfnLength - 1.
  ExternalData data;
  std::vector<PFN_NUMBER> pfns;
  data.pair.on_guest([&] {
    PMDL mdl = data.list(3 * 4096, 0, 3 * 4096);
    pfns.assign(MmGetMdlPfnArray(mdl), MmGetMdlPfnArray(mdl) + 2);
    VMBPACKET packet = data.pair.guest.new_packet(1);
    CHECK(VmbPacketSendWithExternalPfns(packet, data.pair.guest.bytes_of(1).data(), 8, pfns.data(), 2, wait_flag) ==
          STATUS_SUCCESS);
  });
  REQUIRE(data.seen.lists.size() == 1);
  CHECK(data.seen.lists[0].offset == 0);
  CHECK(data.seen.lists[0].bytes == 8192);
  CHECK(data.seen.lists[0].pfns == pfns);
}

TEST_CASE("More external data or a longer chain than the channel was set up for is refused", "[K71]") {
  // VmbChannelInitSetMaximumExternalData.
  ExternalData data(1, 8192);
  data.pair.on_guest([&] {
    PMDL large = data.list(9000, 0, 8193);
    VMBPACKET packet = data.pair.guest.new_packet(1);
    CHECK(VmbPacketSend(packet, data.pair.guest.bytes_of(1).data(), 8, large, wait_flag) != STATUS_SUCCESS);
    CHECK(data.pair.machines.findings.count("K71") == 1);
    PMDL first = data.list(4096, 0, 100);
    first->Next = data.list(4096, 0, 100);
    CHECK(VmbPacketSend(packet, data.pair.guest.bytes_of(1).data(), 8, first, wait_flag) != STATUS_SUCCESS);
    CHECK(data.pair.machines.findings.count("K71") == 2);
    VmbPacketFree(packet);
  });
  CHECK(data.seen.lists.empty());
}

}  // namespace
}  // namespace vmbsim::testing
