// What a driver says: debug output by Windows' formats, assertions, bug checks, counted strings; and a driver's own C source.
// Source: the DDI pages of DbgPrint, KeBugCheckEx, KeStallExecutionProcessor, RtlCompareUnicodeString; Visual C++
// documentation, "Format specification syntax"; bug checks 0x0A, 0x19 and 0xD1.
#include <catch2/catch.hpp>

#include <limits>

#include "driver_words.h"
#include "tests/support/machine.hpp"

using namespace vmbsim;
using vmbsim::testing::Machine;

namespace {

template <class Body>
void in_a_driver(Machine& machine, const Body& body) {
  machine.thread({}, [&] { body(); });
  machine.run(1ms);
}

/// What one DbgPrint leaves behind its time and processor.
template <class... Arguments>
std::string printed(const char* format, Arguments... arguments) {
  Machine machine;
  in_a_driver(machine, [&] { DbgPrint(format, arguments...); });
  REQUIRE(machine.partition.debug_output().size() == 1);
  CHECK(machine.found() == "");
  const std::string& line = machine.partition.debug_output().front().text;
  return line.substr(line.find(": ") + 2);
}

UNICODE_STRING counted(const char16_t* text) {
  UNICODE_STRING string;
  RtlInitUnicodeString(&string, text);
  return string;
}

}  // namespace

TEST_CASE("l is 32 bits wide in a format, I64 and ll are 64") {
  CHECK(printed("%lu %ld %lx", 0xFFFFFFFFu, -1, 0xFFFFFFFFu) == "4294967295 -1 ffffffff");
  CHECK(printed("%lu|%u", 1u, 2u) == "1|2");
  CHECK(printed("%I64u %I64d %I64x %llX", std::numeric_limits<ULONG64>::max(), std::numeric_limits<LONG64>::min(),
                ULONG64{0xABCDEF0123456789}, ULONG64{0xABCDEF0123456789}) ==
        "18446744073709551615 -9223372036854775808 abcdef0123456789 ABCDEF0123456789");
  CHECK(printed("%I32d %Iu %zu %hd %hhu %hx", -5, SIZE_T{1} << 40, SIZE_T{7}, 0x18000, 0x1FF, 0x12345) ==
        "-5 1099511627776 7 -32768 255 2345");
}

TEST_CASE("numbers take flags, width and precision") {
  CHECK(printed("[%5d][%-5d][%05d][%+d][% d]", 42, 42, -42, 42, 42) == "[   42][42   ][-0042][+42][ 42]");
  CHECK(printed("[%08x][%#x][%#X][%#o][%#x][%.4u][%8.4x]", 0xBEEFu, 0xBEEFu, 0xBEEFu, 8u, 0u, 7u, 0xAu) ==
        "[0000beef][0xbeef][0XBEEF][010][0][0007][    000a]");
  CHECK(printed("[%*d][%-*d][%.*s]", 4, 1, 4, 2, 2, "abc") == "[   1][2   ][ab]");
  CHECK(printed("[%*d]", -4, 1) == "[1   ]");
  CHECK(printed("%.0d|%i|%o", 0, -7, 8u) == "|-7|10");
}

TEST_CASE("a pointer is sixteen capital digits") {
  CHECK(printed("%p", reinterpret_cast<PVOID>(0xABC)) == "0000000000000ABC");
}

TEST_CASE("text is narrow, wide or counted, whatever the machine's wchar_t") {
  UNICODE_STRING name = counted(u"VMBus \u00e9 \U0001F600");
  UNICODE_STRING none{};
  const std::string utf8 = "VMBus \xC3\xA9 \xF0\x9F\x98\x80";
  ANSI_STRING narrow;
  RtlInitAnsiString(&narrow, "narrow");
  CHECK(printed("%s|%hs|%hS", "a", "b", "c") == "a|b|c");
  CHECK(printed("%ws|%ls|%S", name.Buffer, name.Buffer, name.Buffer) == utf8 + "|" + utf8 + "|" + utf8);
  CHECK(printed("%wZ|%Z|%.3wZ", &name, &narrow, &name) == utf8 + "|narrow|VMB");
  CHECK(printed("%s|%wZ|%wZ|%ws", static_cast<char*>(nullptr), static_cast<PUNICODE_STRING>(nullptr), &none,
                static_cast<PWCHAR>(nullptr)) == "(null)|(null)|(null)|(null)");
  CHECK(printed("[%6s][%-6s][%.2s]%c%C%%", "abc", "abc", "abc", 'x', u'\u00e9') == "[   abc][abc   ][ab]x\xC3\xA9%");
  const char16_t half[] = {0xD800, u'x', 0};
  CHECK(printed("%ws", half) == "\xEF\xBF\xBDx");
}

TEST_CASE("what is no format stands as it is, and a line ends at 511 bytes") {
  CHECK(printed("%f %y %") == "%f %y %");
  CHECK(printed("%600d", 1).size() == 511);
}

TEST_CASE("wide text is printed at PASSIVE_LEVEL only, other text at any IRQL") {
  Machine machine;
  in_a_driver(machine, [&] {
    UNICODE_STRING name = counted(u"VMBus");
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "%d", 1);
    CHECK(machine.found() == "");
    DbgPrint("%wZ", &name);
    KeLowerIrql(before);
  });
  CHECK(machine.found() == "0xA at 0ns guest.cpu0 at dispatch\n");
  CHECK(machine.partition.debug_output().size() == 2);
}

TEST_CASE("a failed assertion is a finding with its text, and the driver goes on") {
  Machine machine;
  in_a_driver(machine, [&] {
    assert_in_a_driver(1);
    CHECK(machine.found() == "");
    assert_in_a_driver(2);
  });
  REQUIRE(machine.findings.count("ASSERT") == 2);
  CHECK(machine.findings.all()[0].text.find("value == 1 (") != std::string::npos);
  CHECK(machine.findings.all()[1].text.find("one is wanted: value == 1 (") != std::string::npos);
}

TEST_CASE("KeBugCheckEx ends the run with the driver's own code") {
  Machine machine({.cpus = 2});
  machine.thread({.cpu = 0}, [&] {
    machine.burn(5us);
    KeBugCheckEx(0xDEAD, 1, 2, 3, 4);
  });
  machine.thread({.cpu = 1}, [&] { machine.work("other", 10us); });
  machine.run(1ms);
  CHECK(machine.found() == "0xDEAD at 5000ns guest.cpu0 at passive\n");
  CHECK(machine.world.stopping());
  CHECK(machine.timeline() == "0ns cpu1 passive other\n");
}

TEST_CASE("a stall burns the processor's time, and more than 50 us is advised against") {
  Machine machine;
  in_a_driver(machine, [&] {
    KeStallExecutionProcessor(50);
    CHECK(machine.found() == "");
    KeStallExecutionProcessor(51);
  });
  CHECK(machine.findings.count("STALL") == 1);
  CHECK(machine.spent(hw::Activity::thread) == 101us);
}

TEST_CASE("system time and ticks advance with the clock interrupt, precise time with every instant") {
  Machine machine({.cpus = 3});
  machine.thread({.cpu = 1}, [&] {
    machine.burn(20ms);
    LARGE_INTEGER time, precise, ticks;
    ULONG64 counter;
    KeQuerySystemTime(&time);
    KeQuerySystemTimePrecise(&precise);
    KeQueryTickCount(&ticks);
    CHECK(time.QuadPart == 156'250);
    CHECK(precise.QuadPart == 200'000);
    CHECK(ticks.QuadPart == 1);
    CHECK(KeQueryTimeIncrement() == 156'250);
    CHECK(KeQueryInterruptTimePrecise(&counter) == 200'000);
    CHECK(counter == 200'000);
    PROCESSOR_NUMBER number;
    CHECK(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS) == 3);
    CHECK(KeQueryMaximumProcessorCountEx(1) == 0);
    CHECK(KeGetProcessorNumberFromIndex(2, &number) == STATUS_SUCCESS);
    CHECK(number.Number == 2);
    CHECK(KeGetProcessorNumberFromIndex(3, &number) == STATUS_INVALID_PARAMETER);
    KDPC dpc;
    KeInitializeDpc(
        &dpc, [](KDPC*, PVOID, PVOID, PVOID) {}, nullptr);
    CHECK(KeSetTargetProcessorDpcEx(&dpc, &number) == STATUS_SUCCESS);
    number.Number = 3;
    CHECK(KeSetTargetProcessorDpcEx(&dpc, &number) == STATUS_INVALID_PARAMETER);
  });
  machine.run(1s);
  CHECK(machine.found() == "");
}

TEST_CASE("counted strings are compared, copied and appended within their room") {
  Machine machine;
  in_a_driver(machine, [&] {
    UNICODE_STRING small = counted(u"vmbus\u00e9\u0451"), large = counted(u"VMBUS\u00c9\u0401"),
                   other = counted(u"VMBUT");
    CHECK_FALSE(RtlEqualUnicodeString(&small, &large, FALSE));
    CHECK(RtlEqualUnicodeString(&small, &large, TRUE));
    CHECK(RtlCompareUnicodeString(&large, &other, FALSE) < 0);
    CHECK(RtlCompareUnicodeString(&large, &small, FALSE) < 0);
    CHECK(RtlUpcaseUnicodeChar(u'\u00f7') == u'\u00f7');
    CHECK(RtlUpcaseUnicodeChar(u'\u03b1') == u'\u0391');
    DECLARE_UNICODE_STRING_SIZE(room, 6);
    RtlCopyUnicodeString(&room, &large);
    CHECK(room.Length == 12);
    RtlCopyUnicodeString(&room, nullptr);
    CHECK(room.Length == 0);
    CHECK(RtlAppendUnicodeStringToString(&room, &other) == STATUS_SUCCESS);
    CHECK(room.Length == 10);
    CHECK(room.Buffer[5] == 0);
    CHECK(RtlAppendUnicodeStringToString(&room, &other) == STATUS_BUFFER_TOO_SMALL);
    CHECK(room.Length == 10);
  });
  CHECK(machine.found() == "");
}

// ---- A driver's own source, compiled as drivers are ----

TEST_CASE("a driver's source prints with Windows' widths and wide literals") {
  Machine machine;
  in_a_driver(machine, [&] { print_in_a_driver(); });
  CHECK(machine.partition.debug_output().front().text == "0ns guest.cpu0: 7 -1 ffffffff 123456789 VMBus wide too 1\n");
  CHECK(tag_in_a_driver == 0x74736554);
  CHECK(machine.found() == "");
}

TEST_CASE("a driver's copy into paged pool at DISPATCH_LEVEL, or beyond a block, is a finding") {
  Machine machine;
  in_a_driver(machine, [&] {
    PVOID paged = ExAllocatePool2(POOL_FLAG_PAGED, 64, tag_in_a_driver);
    PVOID other = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, tag_in_a_driver);
    UNICODE_STRING name;
    copy_in_a_driver(paged, other, 64);
    CHECK(name_in_a_driver(&name) == STATUS_SUCCESS);
    CHECK(name.Length == 14);
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    CHECK(machine.found() == "");
    copy_in_a_driver(other, paged, 64);
    name_in_a_driver(&name);
    KeLowerIrql(before);
    copy_in_a_driver(other, paged, 66);
  });
  CHECK(machine.found() ==
        "0xD1 at 0ns guest.cpu0 at dispatch\n0xA at 0ns guest.cpu0 at dispatch\n"
        "0x19 at 0ns guest.cpu0 at passive\n0x19 at 0ns guest.cpu0 at passive\n");
}
