// Messages between partitions: one slot, few buffers, EOM.
// Source: Hyper-V TLFS, Inter-Partition Communication: SynIC messages, HV_MESSAGE, HvCallPostMessage; Linux, vmbus_on_msg_dpc
// and vmbus_post_msg.
#include <catch2/catch.hpp>
#include <string>

#include "models/vmbus/message_port.hpp"

namespace vmbsim::vmbus {
namespace {

MessageBytes saying(char what, std::size_t bytes = 8) { return MessageBytes(bytes, static_cast<std::byte>(what)); }

/// A receiver and the senders to it.
struct Machine {
  os::Partition::Config config(const char* name) {
    return {.name = name, .cpus = 1, .world = world, .stacks = stacks, .costs = costs, .findings = findings};
  }
  MessagePort::Config port(std::uint64_t id) {
    return {.synic = synic,
            .cpu = CpuId{0},
            .id = id,
            .latency = world.stream("test", "messages"),
            .receiver =
                [](void* self, MessageBytes message) {
                  auto& m = *static_cast<Machine*>(self);
                  m.told += static_cast<char>(message.front());
                  m.level = hw::Processor::current()->irql();
                  m.at = m.world.now();
                },
            .object = this};
  }
  void run_until(Duration time) { world.run_until(SimTime{time}); }
  std::span<std::byte> slot() { return synic.message_page(CpuId{0}).subspan(2 * 256, 256); }
  std::uint64_t interrupts() { return receiver.cpu(CpuId{0}).interrupts(); }
  /// Keeps the message DPC from running before the machine's time is `end`.
  void busy_until(Duration end) {
    busy_end = end;
    receiver.create_thread(
        "busy", os::Thread::priority_normal, CpuId{0}, true,
        [](void* self) {
          auto& m = *static_cast<Machine*>(self);
          const KIRQL before = KeRaiseIrqlToDpcLevel();
          m.receiver.consume(m.busy_end);
          KeLowerIrql(before);
        },
        this);
  }

  hw::Costs costs;
  kernel::Simulation world{Seed{1}};
  kernel::StackPool stacks;
  os::FindingLog findings{world};
  os::Partition receiver{config("receiver")};
  os::Partition sender{config("sender")};
  Synic synic{receiver};
  std::string told;
  Irql level{};
  SimTime at{};
  Duration busy_end{};
};

struct Slow : Machine {
  Slow() { costs.control_message = kernel::Distribution::fixed(1us); }
};

TEST_CASE("A message lies in the slot of SINT2 as the TLFS lays it out, until the message DPC frees the slot") {
  // HV_MESSAGE_HEADER: u32 type, u8 size, u8 flags, u16 reserved, u64 port; then 240 bytes. A type of 0 is an empty slot.
  Slow m;
  MessagePort port(m.port(0x1122334455667788));
  m.busy_until(10us);
  CHECK(port.post({std::byte{0xA1}, std::byte{0xB2}, std::byte{0xC3}}) == MessagePort::Posted::success);
  m.run_until(5us);
  const auto slot = m.slot();
  const std::uint8_t expected[] = {1,    0,    0,    0,    3,    0,    0,    0,    0x88, 0x77,
                                   0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xA1, 0xB2, 0xC3, 0};
  for (std::size_t i = 0; i < sizeof expected; ++i) {
    CAPTURE(i);
    CHECK(std::to_integer<int>(slot[i]) == expected[i]);
  }
  CHECK(m.told.empty());
  m.run_until(20us);
  CHECK(m.told.size() == 1);
  CHECK(m.at == SimTime{10us});
  CHECK(m.level == Irql::dispatch);
  for (std::size_t i = 0; i < 4; ++i) CHECK(slot[i] == std::byte{});
}

TEST_CASE("While the slot is full nothing interrupts; the pending flag asks for EOM, and EOM brings the next one") {
  // TLFS: a message for a full slot is queued without an interrupt; MessagePending; EOM.
  Slow m;
  MessagePort port(m.port(1));
  m.busy_until(10us);
  for (const char c : {'a', 'b', 'c'}) CHECK(port.post(saying(c)) == MessagePort::Posted::success);
  m.run_until(5us);
  CHECK(m.interrupts() == 1);
  CHECK((m.slot()[5] & std::byte{1}) == std::byte{1});
  CHECK(std::to_integer<char>(m.slot()[16]) == 'a');
  m.run_until(20us);
  CHECK(m.told == "abc");
  CHECK(m.interrupts() == 3);
  CHECK((m.slot()[5] & std::byte{1}) == std::byte{});  // the last one left nothing behind it
}

TEST_CASE("A message that comes while the slot is empty needs no EOM") {
  Slow m;
  MessagePort port(m.port(1));
  for (const char c : {'a', 'b'}) {
    CHECK(port.post(saying(c)) == MessagePort::Posted::success);
    m.run_until(Duration{SimTime{m.world.now()} - SimTime{}} + Duration{5us});
    CHECK_FALSE(MessageSlot(m.synic.message_page(CpuId{0}), 2).pending());
  }
  CHECK(m.told == "ab");
}

TEST_CASE("A port has 16 buffers; one more is refused, and a buffer is free again when its message is in the slot") {
  // TLFS: a port's message buffers; HvCallPostMessage: HV_STATUS_INSUFFICIENT_BUFFERS.
  Slow m;
  MessagePort port(m.port(1));
  m.busy_until(10us);
  for (int i = 0; i < 16; ++i) REQUIRE(port.post(saying(static_cast<char>('a' + i))) == MessagePort::Posted::success);
  CHECK(port.post(saying('z')) == MessagePort::Posted::insufficient_buffers);
  m.run_until(5us);
  CHECK(port.buffers_in_use() == 15);
  CHECK(port.post(saying('q')) == MessagePort::Posted::success);
  CHECK(port.post(saying('z')) == MessagePort::Posted::insufficient_buffers);
  m.run_until(20us);
  CHECK(m.told == "abcdefghijklmnopq");
  CHECK(port.buffers_in_use() == 0);
}

TEST_CASE("A sender tries again after 1, 2, 4 ... microseconds, and nothing overtakes what it had to keep") {
  // Linux, vmbus_post_msg: the delay doubles from 1 us.
  Slow m;
  MessagePort port(m.port(1));
  MessageSender sender(m.sender, port);
  m.busy_until(100us);
  for (int i = 0; i < 18; ++i) sender.send(saying(static_cast<char>('a' + i)));
  CHECK(sender.refused() == 1);
  m.run_until(500ns);
  sender.send(saying('s'));  // behind those that wait
  CHECK(sender.refused() == 1);
  // The slot takes one message at 1 us, after that all 16 buffers stay in use: tries at 1 (17 goes out), 1, 2, 4, 8 ... on.
  m.run_until(99us);
  CHECK(sender.refused() == 8);
  CHECK(m.told.empty());
  m.run_until(300us);
  CHECK(m.told == "abcdefghijklmnopqrs");
  CHECK(m.findings.all().empty());
}

TEST_CASE("A sender whose peer takes nothing gives up after a hundred tries, and says so") {
  Slow m;
  MessagePort port(m.port(1));
  MessageSender sender(m.sender, port);
  m.busy_until(1000s);
  for (int i = 0; i < 40; ++i) sender.send(saying('a'));
  m.run_until(900s);
  CHECK(m.findings.count("VMBUS") == 1);
  CHECK(m.told.empty());
  m.run_until(2000s);
  CHECK(m.told.size() == 17);  // what had a buffer is not lost
  sender.send(saying('b'));
  m.run_until(2001s);
  CHECK(m.told.back() == 'b');
}

TEST_CASE("Ports of one processor share its slot, first come, first served; each has its own buffers") {
  Slow m;
  MessagePort first(m.port(1)), second(m.port(2));
  m.busy_until(10us);
  for (int i = 0; i < 16; ++i) CHECK(first.post(saying('f')) == MessagePort::Posted::success);
  CHECK(second.post(saying('s')) == MessagePort::Posted::success);
  m.run_until(20us);
  CHECK(m.told == std::string(16, 'f') + "s");
}

TEST_CASE("A port that goes takes what is queued for it along; what lies in the slot belongs to nobody then") {
  // TLFS: deleting a port drops its messages, breaking a connection does not.
  Slow m;
  MessagePort stays(m.port(1));
  {
    MessagePort goes(m.port(2));
    m.busy_until(10us);
    CHECK(goes.post(saying('x')) == MessagePort::Posted::success);
    CHECK(goes.post(saying('y')) == MessagePort::Posted::success);
    CHECK(stays.post(saying('a')) == MessagePort::Posted::success);
    m.run_until(5us);
  }
  m.run_until(20us);
  CHECK(m.told == "a");
}

TEST_CASE("The interrupt routine looks at the flags before the slot, and a message is no spurious interrupt") {
  // Linux, vmbus_isr: event flags first, because Windows does so.
  Slow m;
  MessagePort port(m.port(1));
  const Synic::Port flag = m.synic.open(
      0, CpuId{0}, 3, [](void* self) { static_cast<Machine*>(self)->told += '!'; }, static_cast<Machine*>(&m));
  CHECK(port.post(saying('a')) == MessagePort::Posted::success);
  m.run_until(10us);
  CHECK(m.told == "a");
  CHECK(m.synic.spurious() == 0);
  CHECK(port.post(saying('b')) == MessagePort::Posted::success);
  m.synic.signal(flag, 2us);  // its interrupt comes later, but the flag is set already
  m.run_until(20us);
  CHECK(m.told == "a!b");
  CHECK(m.synic.spurious() == 1);
}

TEST_CASE("A message costs its receiver an interrupt and a DPC, by the profile's own entries") {
  Slow m;
  m.costs.isr = kernel::Distribution::fixed(2us);
  m.costs.dpc_dispatch = kernel::Distribution::fixed(3us);
  MessagePort port(m.port(1));
  CHECK(port.post(saying('a')) == MessagePort::Posted::success);
  m.run_until(50us);
  CHECK(m.at == SimTime{6us});
}

TEST_CASE("A slot that its guest scribbled over is read within its bounds") {
  Slow m;
  MessagePort port(m.port(1));
  m.busy_until(10us);
  CHECK(port.post(saying('a')) == MessagePort::Posted::success);
  m.run_until(5us);
  m.slot()[4] = std::byte{255};  // longer than any payload
  m.run_until(20us);
  CHECK(m.told == "a");
  // A full slot that no message filled blocks the others until the next interrupt finds it: the guest's own loss.
  m.slot()[0] = std::byte{1};
  m.slot()[8] = std::byte{77};  // from a port that does not exist
  CHECK(port.post(saying('b')) == MessagePort::Posted::success);
  m.run_until(100us);
  CHECK(m.told == "a");
  m.slot()[0] = std::byte{};
  CHECK(port.post(saying('c')) == MessagePort::Posted::success);
  m.run_until(200us);
  CHECK(m.told == "abc");
}

}  // namespace
}  // namespace vmbsim::vmbus
