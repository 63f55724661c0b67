// VmbChannelSendSynchronousRequest. Sources: KMCL DDI, the function's page and its SAL annotations; where these are silent the
// test says what was chosen.
#include <catch2/catch.hpp>

#include "tests/support/channel_pair.hpp"

namespace vmbsim::testing {
namespace {

LARGE_INTEGER in_100ns(LONGLONG value) {
  LARGE_INTEGER time;
  time.QuadPart = value;
  return time;
}
const LARGE_INTEGER at_once = in_100ns(0);

/// Asks with a request of `length` bytes that begins with `number`; the answer's size goes to `room`.
struct Ask {
  std::uint64_t number = 1;
  UINT32 length = 8;
  UINT32 flags = wait_flag;
  std::optional<LARGE_INTEGER> timeout = std::nullopt;
  UINT32 room = 64;

  std::vector<std::byte> answer = {};
  std::vector<std::byte> bytes = {};  // not on the stack: that of a thread that waits for ever is never unwound
  NTSTATUS operator()(End& end) {
    bytes.assign(length, std::byte{});
    std::memcpy(bytes.data(), &number, std::min<std::size_t>(length, 8));
    answer.resize(room);
    return VmbChannelSendSynchronousRequest(end.channel, bytes.data(), length, nullptr, flags, answer.data(), &room,
                                            timeout ? &*timeout : nullptr);
  }
};

TEST_CASE("a synchronous request returns with its answer, and no completion routine of the driver's runs",
          "[K30][K40][K87][K89][K90][kept]") {
  ChannelPair pair(
      {.machines = {.costs = costs_of({{&hw::Costs::signal_host, 5us}, {&hw::Costs::signal_guest, 7us}})}});
  pair.open();
  const SimTime before = pair.machines.world.now();
  Ask ask{.number = 42, .length = 16};
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  CHECK(pair.on_guest([&] { status = ask(pair.guest); }));
  CHECK(status == STATUS_SUCCESS);
  CHECK(ask.room == 16);  // "set to the bytes written"; the host echoes
  CHECK(ask.answer[0] == std::byte{42});
  CHECK(pair.machines.world.now() - before == 12us);
  CHECK(pair.guest.returned.empty());
  CHECK(pair.found().empty());
}

TEST_CASE("without WAIT_FOR_COMPLETION it returns as soon as the packet is in the ring", "[kmcl]") {
  ChannelPair pair;
  pair.open();
  Ask ask{.flags = 0};
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  CHECK(pair.on_guest([&] {
    status = ask(pair.guest);
    CHECK(pair.host.arrived.empty());
  }));
  CHECK(status == STATUS_SUCCESS);
  CHECK(ask.room == 0);
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1});
}

TEST_CASE("a timeout, relative or absolute, ends in STATUS_CANCELLED and the late answer harms nobody", "[kmcl][Q15]") {
  const bool absolute = GENERATE(false, true);
  ChannelPair pair;
  std::vector<VMBPACKETCOMPLETION> kept;
  pair.host.packet = [&](Arrived& a) { kept.push_back(a.packet); };
  pair.open();
  const std::int64_t now = nanoseconds(pair.machines.world.now());
  Ask ask{.timeout = in_100ns(absolute ? now / 100 + 500 : -500)};
  NTSTATUS status = STATUS_SUCCESS;
  CHECK(pair.on_guest([&] { status = ask(pair.guest); }));
  CHECK(status == STATUS_CANCELLED);
  CHECK(nanoseconds(pair.machines.world.now()) == now + 50'000);
  REQUIRE(kept.size() == 1);
  pair.on_host([&] { VmbChannelPacketComplete(kept[0], &ask.number, 8); });  // late
  pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); });
  pair.on_guest([&] { VmbChannelCleanup(pair.guest.channel); });  // finds every packet returned
  CHECK(pair.found().empty());
}

TEST_CASE("a timeout before there was room leaves nothing behind in the queue", "[kmcl]") {
  ChannelPair pair;
  pair.host.packet = [](Arrived&) {};
  pair.open();
  pair.on_host([&] { VmbChannelPause(pair.host.channel); });
  NTSTATUS status = STATUS_SUCCESS;
  pair.on_guest([&] {
    for (std::uint64_t i = 1; i <= 4; ++i) pair.guest.send(i, 1000, 0);  // the fourth waits for room
    Ask ask{.number = 99, .length = 1000, .flags = 0, .timeout = in_100ns(-100)};
    status = ask(pair.guest);
  });
  CHECK(status == STATUS_CANCELLED);
  pair.on_host([&] { VmbChannelStart(pair.host.channel); });
  CHECK(pair.host.arrived == std::vector<std::uint64_t>{1, 2, 3, 4});
}

TEST_CASE("a timeout of 0 does not wait for room", "[kmcl]") {
  ChannelPair pair;
  pair.open();
  pair.on_host([&] { VmbChannelPause(pair.host.channel); });
  std::vector<NTSTATUS> statuses;
  pair.on_guest([&] {
    for (int i = 0; i < 5; ++i) {
      Ask ask{.length = 1000, .flags = 0, .timeout = at_once};
      statuses.push_back(ask(pair.guest));
    }
  });
  CHECK(statuses == std::vector<NTSTATUS>{STATUS_SUCCESS, STATUS_SUCCESS, STATUS_SUCCESS, STATUS_BUFFER_OVERFLOW,
                                          STATUS_BUFFER_OVERFLOW});
  CHECK(pair.found().empty());
}

TEST_CASE("with WAIT_FOR_COMPLETION a timeout of 0 is about room only: the answer is waited for without limit",
          "[kmcl][Q21]") {
  // Chosen: the page does not say what the two together mean.
  ChannelPair pair;
  VMBPACKETCOMPLETION kept = nullptr;
  pair.host.packet = [&](Arrived& a) { kept = a.packet; };
  pair.open();
  Ask ask{.timeout = at_once};
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  CHECK_FALSE(pair.on_guest([&] { status = ask(pair.guest); }));
  pair.on_host([&] { VmbChannelPacketComplete(kept, nullptr, 0); });
  CHECK(status == STATUS_SUCCESS);
}

TEST_CASE("a channel that shuts down answers STATUS_DEVICE_REMOVED, whether the request waits or comes too late",
          "[kmcl][Q15]") {
  ChannelPair pair;
  pair.host.packet = [](Arrived&) {};
  pair.open();
  NTSTATUS status = STATUS_SUCCESS;
  Ask ask;
  CHECK_FALSE(pair.on_guest([&] { status = ask(pair.guest); }));
  pair.host.suspend = [] {};
  pair.on_host([&] { VmbChannelPause(pair.host.channel); });
  pair.host.packet = nullptr;
  pair.machines.start(pair.machines.host, 0,
                      [&] { VmbChannelDisable(pair.host.channel); });  // blocks: a packet is kept
  pair.machines.quiesce();
  CHECK(status == STATUS_DEVICE_REMOVED);
  NTSTATUS late = STATUS_SUCCESS;
  Ask again;
  pair.on_guest([&] { late = again(pair.guest); });
  CHECK(late == STATUS_DEVICE_REMOVED);
}

TEST_CASE("a request on a channel that is not open yet waits for it, and ends when the channel is disabled instead",
          "[kmcl]") {
  ChannelPair pair;
  pair.on_guest([&] { static_cast<void>(pair.guest.enable()); });
  NTSTATUS status = STATUS_SUCCESS;
  Ask ask;
  CHECK_FALSE(pair.on_guest([&] { status = ask(pair.guest); }));
  SECTION("opened") {
    pair.on_host([&] {
      static_cast<void>(pair.host.enable());
      VmbChannelStart(pair.host.channel);
    });
    CHECK(status == STATUS_SUCCESS);
    CHECK(ask.room == 8);
  }
  SECTION("disabled") {
    CHECK(pair.on_guest([&] { VmbChannelDisable(pair.guest.channel); }));
    CHECK(status == STATUS_DEVICE_REMOVED);
  }
}

TEST_CASE("an answer that is too large is cut off, and its size told", "[kmcl][Q22]") {
  // Chosen: STATUS_BUFFER_OVERFLOW would read as "not queued".
  ChannelPair pair;
  pair.open();
  Ask ask{.number = 7, .length = 32, .room = 16};
  NTSTATUS status = STATUS_SUCCESS;
  pair.on_guest([&] { status = ask(pair.guest); });
  CHECK(status == STATUS_BUFFER_TOO_SMALL);
  CHECK(ask.room == 32);
  CHECK(ask.answer[0] == std::byte{7});
  CHECK(pair.found() == "SYNC: an answer of 32 bytes does not fit a completion buffer of 16\n");
}

TEST_CASE("illegal synchronous requests are refused", "[K87][K88][K89][K90]") {
  ChannelPair pair;
  pair.open();
  struct Row {
    const char* what;
    bool host;
    KIRQL irql;
    Ask ask;
    bool only_buffer;
    NTSTATUS status;
    const char* rule;
  };
  const auto row = GENERATE(
      Row{"waiting at DISPATCH_LEVEL", false, DISPATCH_LEVEL, {}, false, STATUS_INVALID_DEVICE_STATE, "K87"},
      Row{"for ever at APC_LEVEL", false, APC_LEVEL, {.flags = 0}, false, STATUS_INVALID_DEVICE_STATE, "K87"},
      Row{"trying at DISPATCH_LEVEL",
          false,
          DISPATCH_LEVEL,
          {.flags = 0, .timeout = at_once},
          false,
          STATUS_SUCCESS,
          ""},
      Row{"the host waits for an answer",
          true,
          PASSIVE_LEVEL,
          {.timeout = at_once},
          false,
          STATUS_INVALID_PARAMETER,
          "K88"},
      Row{"the host waits for room", true, PASSIVE_LEVEL, {.flags = 0}, false, STATUS_INVALID_PARAMETER, "K88"},
      Row{"the host tries", true, PASSIVE_LEVEL, {.flags = 0, .timeout = at_once}, false, STATUS_SUCCESS, ""},
      Row{"an odd size", false, PASSIVE_LEVEL, {.room = 12}, false, STATUS_INVALID_PARAMETER_7, ""},
      Row{"a buffer without a size", false, PASSIVE_LEVEL, {}, true, STATUS_INVALID_PARAMETER, "K90"});
  INFO(row.what);
  NTSTATUS status = STATUS_UNSUCCESSFUL;
  const auto body = [&] {
    Ask ask = row.ask;
    End& end = row.host ? pair.host : pair.guest;
    KIRQL before = KeGetCurrentIrql();
    if (row.irql != PASSIVE_LEVEL) KeRaiseIrql(row.irql, &before);
    std::uint64_t bytes = 1;
    status = row.only_buffer ? VmbChannelSendSynchronousRequest(end.channel, &bytes, 8, nullptr, wait_flag, &bytes,
                                                                nullptr, nullptr)
                             : ask(end);
    if (row.irql != PASSIVE_LEVEL) KeLowerIrql(before);
  };
  CHECK((row.host ? pair.on_host(body) : pair.on_guest(body)));
  CHECK(status == row.status);
  CHECK(pair.found().substr(0, pair.found().find(':')) == row.rule);
}

TEST_CASE("a request that can never be answered blocks its thread and is told, but stops no simulation", "[K30][K40]") {
  PairConfig config{.guest_passive = true};
  ChannelPair pair(config);
  Ask ask;
  SECTION("in EvtChannelStarted") {
    pair.guest.started = [&] { ask(pair.guest); };
    pair.open();
    CHECK(pair.found().substr(0, 3) == "K30");
    CHECK(pair.order("guest") == "Opened Started");
  }
  SECTION("in a packet callback of the channel") {
    pair.guest.packet = [&](Arrived&) { ask(pair.guest); };
    pair.open();
    pair.on_host([&] { pair.host.send(1, 8, 0); });
    CHECK(pair.found().substr(0, 3) == "K40");
  }
  SECTION("not in EvtChannelPostStarted, the place for it") {
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    pair.guest.post_started = [&] { status = ask(pair.guest); };
    pair.open();
    CHECK(status == STATUS_SUCCESS);
    CHECK(pair.found().empty());
  }
}

}  // namespace
}  // namespace vmbsim::testing
