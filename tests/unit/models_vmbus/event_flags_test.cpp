#include "models/vmbus/event_flags.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace vmbsim;
using namespace vmbsim::vmbus;

namespace {
struct Page {
  std::vector<std::byte> bytes = std::vector<std::byte>(4096);
  EventFlags flags{bytes};
};

std::vector<std::uint32_t> taken(EventFlags& flags) {
  std::vector<std::uint32_t> visited;
  flags.take([&](std::uint32_t flag) { visited.push_back(flag); });
  return visited;
}
}  // namespace

// Source: Hyper-V TLFS, HvCallSignalEvent: the target is interrupted if the flag was clear.
TEST_CASE("only the first signal of a channel interrupts, until its flag is taken") {
  Page page;
  CHECK(page.flags.set(17));
  CHECK_FALSE(page.flags.set(17));
  CHECK(page.flags.is_set(17));
  CHECK(taken(page.flags) == std::vector<std::uint32_t>{17});
  CHECK_FALSE(page.flags.is_set(17));
  CHECK(page.flags.set(17));
}

// Source: Linux, vmbus_chan_sched: for_each_set_bit.
TEST_CASE("signalled channels are visited in ascending order, each once") {
  Page page;
  for (const std::uint32_t flag : {2047u, 64u, 0u, 63u, 1000u, 65u}) CHECK(page.flags.set(flag));
  CHECK(page.flags.any());
  CHECK(taken(page.flags) == std::vector<std::uint32_t>{0, 63, 64, 65, 1000, 2047});
  CHECK_FALSE(page.flags.any());
  CHECK(taken(page.flags).empty());
}

// Source: Hyper-V TLFS, HV_SYNIC_EVENT_FLAGS: byte 0 holds flags 0 to 7, flag 0 in the least significant bit; 256 bytes for
// each of 16 sources. VMBus uses source 2: Linux, VMBUS_MESSAGE_SINT.
TEST_CASE("flag n is bit n mod 8 of byte n / 8 of source 2") {
  struct Row {
    std::uint32_t flag;
    std::size_t byte;
    unsigned value;
  };
  for (const Row& row : {Row{0, 512, 0x01}, Row{7, 512, 0x80}, Row{8, 513, 0x01}, Row{63, 519, 0x80},
                         Row{64, 520, 0x01}, Row{2047, 767, 0x80}}) {
    INFO("flag " << row.flag);
    Page page;
    CHECK(page.flags.set(row.flag));
    for (std::size_t i = 0; i < page.bytes.size(); ++i)
      REQUIRE(page.bytes[i] == std::byte(i == row.byte ? row.value : 0u));
  }
}

// Source: Hyper-V TLFS, SINTx registers: a masked source raises no interrupt, and none is latched.
TEST_CASE("a masked source loses the edge, and the flag it left behind silences the channel") {
  Page page;
  page.flags.mask(true);
  CHECK_FALSE(page.flags.set(5));
  CHECK(page.flags.lost_edges() == 1);
  page.flags.mask(false);
  CHECK_FALSE(page.flags.set(5));       // still set: no edge
  CHECK(page.flags.lost_edges() == 1);  // nor was one lost
  CHECK(taken(page.flags) == std::vector<std::uint32_t>{5});
  CHECK(page.flags.set(5));
}

TEST_CASE("a channel that is signalled again while it is visited stays signalled") {
  Page page;
  CHECK(page.flags.set(3));
  CHECK(page.flags.set(9));
  std::vector<std::uint32_t> visited;
  page.flags.take([&](std::uint32_t flag) {
    visited.push_back(flag);
    if (flag == 3) CHECK(page.flags.set(3));        // cleared before the visit, so this is an edge
    if (flag == 3) CHECK_FALSE(page.flags.set(9));  // not visited yet, so this one is not
  });
  CHECK(visited == std::vector<std::uint32_t>{3, 9});
  CHECK(taken(page.flags) == std::vector<std::uint32_t>{3});
}
