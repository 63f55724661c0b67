#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <vector>

#include "as_seen.h"

// {9a5b1d0e-2c3f-4e61-8a7b-0102030405fe}, declared here, defined in the C file.
DEFINE_GUID(DEFINED_IN_C, 0x9a5b1d0e, 0x2c3f, 0x4e61, 0x8a, 0x7b, 0x01, 0x02, 0x03, 0x04, 0x05, 0xfe);

namespace {

const Seen seen_in_cpp[] = {SEEN_ROWS};

struct Request {
  ULONG number = 0;
  LIST_ENTRY link{};
};

std::vector<ULONG> forward(const LIST_ENTRY& head) {
  std::vector<ULONG> numbers;
  for (LIST_ENTRY* at = head.Flink; at != &head; at = at->Flink)
    numbers.push_back(CONTAINING_RECORD(at, Request, link)->number);
  return numbers;
}

std::vector<ULONG> backward(const LIST_ENTRY& head) {
  std::vector<ULONG> numbers;
  for (LIST_ENTRY* at = head.Blink; at != &head; at = at->Blink)
    numbers.push_back(CONTAINING_RECORD(at, Request, link)->number);
  return numbers;
}

}  // namespace

// Source: documented.h names the document of each group.
TEST_CASE("C++ drivers see the documented values, sizes and offsets") {
  for (const Seen& row : seen_in_cpp) {
    INFO(row.what);
    CHECK(row.value == row.documented);
  }
}

TEST_CASE("C drivers see the documented values, sizes and offsets") {
  REQUIRE(seen_in_c_count == std::size(seen_in_cpp));
  for (size_t i = 0; i < seen_in_c_count; ++i) {
    INFO(seen_in_c[i].what);
    CHECK(seen_in_c[i].value == seen_in_c[i].documented);
  }
}

// Source: Windows driver documentation, "Using NTSTATUS Values"; KMCL DDI, FN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA.
TEST_CASE("a pending status counts as success, a warning does not") {
  struct Row {
    NTSTATUS status;
    bool success, information, warning, error;
  };
  for (const Row& row :
       {Row{STATUS_SUCCESS, true, false, false, false}, Row{STATUS_PENDING, true, false, false, false},
        Row{STATUS_TIMEOUT, true, false, false, false}, Row{STATUS_OBJECT_NAME_EXISTS, true, true, false, false},
        Row{STATUS_BUFFER_OVERFLOW, false, false, true, false},
        Row{STATUS_MORE_PROCESSING_REQUIRED, false, false, false, true},
        Row{STATUS_CANCELLED, false, false, false, true}}) {
    INFO(std::hex << row.status);
    CHECK(NT_SUCCESS(row.status) == row.success);
    CHECK(NT_INFORMATION(row.status) == row.information);
    CHECK(NT_WARNING(row.status) == row.warning);
    CHECK(NT_ERROR(row.status) == row.error);
  }
}

// Source: KMCL DDI, the FN_VMB_... page of each function.
TEST_CASE("every KMCL function takes and returns what its page says") {
  struct Row {
    const char* function;
    bool as_documented;
  };
#define TAKES(name, WORDS, ...)                                                                         \
  {#name, std::is_same_v<decltype(name), __VA_ARGS__> && std::is_same_v<FN_VMB_##WORDS, __VA_ARGS__> && \
              std::is_same_v<PFN_VMB_##WORDS, std::add_pointer_t<__VA_ARGS__>>},
  for (const Row& row : std::initializer_list<Row>{KMCL_CLIENT_FUNCTIONS(TAKES) KMCL_SERVER_FUNCTIONS(TAKES)}) {
    INFO(row.function);
    CHECK(row.as_documented);
  }
#undef TAKES
}

// Source: KMCL DDI, the EVT_VMB_... page of each callback.
TEST_CASE("every KMCL callback takes and returns what its page says") {
  struct Row {
    const char* callback;
    bool as_documented;
  };
#define TAKES(WORDS, name, ...) \
  {#name,                       \
   std::is_same_v<EVT_VMB_##WORDS, __VA_ARGS__> && std::is_same_v<PFN_VMB_##WORDS, std::add_pointer_t<__VA_ARGS__>>},
  for (const Row& row : std::initializer_list<Row>{KMCL_CALLBACKS(TAKES)}) {
    INFO(row.callback);
    CHECK(row.as_documented);
  }
#undef TAKES
}

// Source: Windows documentation, DECLARE_HANDLE with STRICT: one kind of handle is no other kind.
TEST_CASE("a channel, a packet and a completion context do not convert to each other") {
  CHECK_FALSE(std::is_convertible_v<VMBCHANNEL, VMBPACKET>);
  CHECK_FALSE(std::is_convertible_v<VMBPACKET, VMBPACKETCOMPLETION>);
  CHECK_FALSE(std::is_convertible_v<VMBPACKETCOMPLETION, VMBCHANNEL>);
}

// Source: KMCL DDI, VMB_CHANNEL_STATE_CHANGE_CALLBACKS and VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT.
TEST_CASE("initialised state callbacks carry version 1, their size, and nothing else") {
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
  std::memset(&callbacks, 0xff, sizeof callbacks);
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
  CHECK(callbacks.Version == 1);
  CHECK(callbacks.Size == 48);
  CHECK(callbacks.EvtChannelOpened == nullptr);
  CHECK(callbacks.EvtChannelClosed == nullptr);
  CHECK(callbacks.EvtChannelSuspend == nullptr);
  CHECK(callbacks.EvtChannelStarted == nullptr);
  CHECK(callbacks.EvtChannelPostStarted == nullptr);

  std::memset(&callbacks, 0xff, sizeof callbacks);
  initialise_in_c(&callbacks);
  CHECK(callbacks.Version == 1);
  CHECK(callbacks.Size == 48);
  REQUIRE(callbacks.EvtChannelOpened != nullptr);
  CHECK(callbacks.EvtChannelOpened(nullptr) == STATUS_SUCCESS);
  CHECK(callbacks.EvtChannelPostStarted == nullptr);
}

// Source: Windows driver documentation, "Singly and Doubly Linked Lists" and the wdm.h page of each function.
TEST_CASE("a list keeps its entries in order from both ends") {
  Request one{1, {}}, two{2, {}}, three{3, {}};
  LIST_ENTRY head;
  InitializeListHead(&head);
  CHECK(IsListEmpty(&head));
  CHECK(RemoveHeadList(&head) == &head);
  CHECK(RemoveTailList(&head) == &head);

  InsertTailList(&head, &two.link);
  InsertTailList(&head, &three.link);
  InsertHeadList(&head, &one.link);
  CHECK_FALSE(IsListEmpty(&head));
  CHECK(forward(head) == std::vector<ULONG>{1, 2, 3});
  CHECK(backward(head) == std::vector<ULONG>{3, 2, 1});

  SECTION("the head comes out first") {
    CHECK(RemoveHeadList(&head) == &one.link);
    CHECK(forward(head) == std::vector<ULONG>{2, 3});
  }
  SECTION("the tail comes out last") {
    CHECK(RemoveTailList(&head) == &three.link);
    CHECK(backward(head) == std::vector<ULONG>{2, 1});
  }
  SECTION("the removal that empties the list says so") {
    CHECK_FALSE(RemoveEntryList(&two.link));
    CHECK(forward(head) == std::vector<ULONG>{1, 3});
    CHECK_FALSE(RemoveEntryList(&one.link));
    CHECK(RemoveEntryList(&three.link));
    CHECK(IsListEmpty(&head));
  }
  SECTION("a headless list is appended whole") {
    Request four{4, {}}, five{5, {}};
    InitializeListHead(&four.link);
    InsertTailList(&four.link, &five.link);
    AppendTailList(&head, &four.link);
    CHECK(forward(head) == std::vector<ULONG>{1, 2, 3, 4, 5});
    CHECK(backward(head) == std::vector<ULONG>{5, 4, 3, 2, 1});
  }
}

TEST_CASE("a singly linked list gives back the newest entry first") {
  SINGLE_LIST_ENTRY head{nullptr}, one{nullptr}, two{nullptr};
  CHECK(PopEntryList(&head) == nullptr);
  PushEntryList(&head, &one);
  PushEntryList(&head, &two);
  CHECK(PopEntryList(&head) == &two);
  CHECK(PopEntryList(&head) == &one);
  CHECK(PopEntryList(&head) == nullptr);
}

TEST_CASE("a C driver queues through the same lists") {
  ULONG left[4] = {9, 9, 9, 9};
  REQUIRE(queue_in_c(left) == 3);
  CHECK(std::vector<ULONG>(left, left + 3) == std::vector<ULONG>{0, 1, 3});
}

// Source: wdm.h pages of the Interlocked functions: increment, decrement and add return the new value, the others the
// old one.
TEST_CASE("interlocked functions return the value that their page says") {
  LONG volatile n = 10;
  CHECK(InterlockedIncrement(&n) == 11);
  CHECK(InterlockedDecrement(&n) == 10);
  CHECK(InterlockedAdd(&n, 5) == 15);
  CHECK(InterlockedExchangeAdd(&n, 5) == 15);
  CHECK(InterlockedExchange(&n, 6) == 20);
  CHECK(InterlockedCompareExchange(&n, 7, 5) == 6);
  CHECK(n == 6);
  CHECK(InterlockedCompareExchange(&n, 7, 6) == 6);
  CHECK(n == 7);
  CHECK(InterlockedAnd(&n, 6) == 7);
  CHECK(InterlockedOr(&n, 9) == 6);
  CHECK(InterlockedXor(&n, 1) == 15);
  CHECK(n == 14);

  LONG64 volatile wide = 0xffffffff;
  CHECK(InterlockedIncrement64(&wide) == 0x100000000);
  CHECK(InterlockedDecrement64(&wide) == 0xffffffff);
  CHECK(InterlockedAdd64(&wide, 1) == 0x100000000);
  CHECK(InterlockedExchangeAdd64(&wide, 1) == 0x100000000);
  CHECK(InterlockedCompareExchange64(&wide, 3, 2) == 0x100000001);
  CHECK(InterlockedExchange64(&wide, 3) == 0x100000001);
  CHECK(InterlockedCompareExchange64(&wide, 4, 3) == 3);
  CHECK(wide == 4);

  int a = 0, b = 0;
  PVOID volatile pointer = &a;
  CHECK(InterlockedCompareExchangePointer(&pointer, nullptr, &b) == &a);
  CHECK(InterlockedExchangePointer(&pointer, &b) == &a);
  CHECK(InterlockedCompareExchangePointer(&pointer, nullptr, &b) == &b);
  CHECK(pointer == nullptr);

  LONG volatile counter = 1;
  CHECK(count_in_c(&counter) == 42);
}

// Source: wdm.h, ADDRESS_AND_SIZE_TO_SPAN_PAGES.
TEST_CASE("a buffer spans every page that it touches") {
  struct Row {
    const char* buffer;
    ULONG_PTR address;
    SIZE_T size;
    ULONG pages;
  };
  for (const Row& row :
       {Row{"one byte", 0x1000, 1, 1}, Row{"a whole page", 0x1000, 4096, 1}, Row{"a page and a byte", 0x1000, 4097, 2},
        Row{"two bytes across a boundary", 0x1fff, 2, 2}, Row{"a page not aligned", 0x1001, 4096, 2},
        Row{"nothing", 0x1000, 0, 0}, Row{"4 GiB", 0, 0x100000000, 0x100000}}) {
    INFO(row.buffer);
    CHECK(ADDRESS_AND_SIZE_TO_SPAN_PAGES(row.address, row.size) == row.pages);
  }
  CHECK(BYTE_OFFSET(0x12345) == 0x345);
  CHECK(PAGE_ALIGN(0x12345) == reinterpret_cast<PVOID>(0x12000));
  CHECK(BYTES_TO_PAGES(4097) == 2);
  CHECK(ROUND_TO_PAGES(4097) == 8192);
}

// Source: wdm.h, MmInitializeMdl and the MmGetMdl... pages; "Using MDLs".
TEST_CASE("an MDL header describes its buffer, and the page frame numbers follow it") {
  struct {
    MDL mdl;
    PFN_NUMBER pages[3];
  } described;
  std::memset(&described, 0xff, sizeof described);
  PVOID buffer = reinterpret_cast<PVOID>(0x7000'0ff8);
  MmInitializeMdl(&described.mdl, buffer, 0x1010);
  CHECK(described.mdl.Next == nullptr);
  CHECK(described.mdl.Size == 0x30 + 3 * 8);
  CHECK(described.mdl.MdlFlags == 0);
  CHECK(described.mdl.StartVa == reinterpret_cast<PVOID>(0x7000'0000));
  CHECK(MmGetMdlByteOffset(&described.mdl) == 0xff8);
  CHECK(MmGetMdlByteCount(&described.mdl) == 0x1010);
  CHECK(MmGetMdlVirtualAddress(&described.mdl) == buffer);
  CHECK(MmGetMdlPfnArray(&described.mdl) == described.pages);
  CHECK(described.pages[0] == ~PFN_NUMBER{0});
}

// Source: wdm.h, RtlInitUnicodeString: lengths count bytes, MaximumLength with the terminator.
TEST_CASE("a friendly name is counted in bytes, however the driver wrote its literal") {
  UNICODE_STRING name;
  auto check = [&] {
    CHECK(name.Length == 14);
    CHECK(name.MaximumLength == 16);
    REQUIRE(name.Buffer != nullptr);
    CHECK(std::equal(name.Buffer, name.Buffer + 8, u"Storage"));
  };
  SECTION("u\"...\" in C++") {
    RtlInitUnicodeString(&name, u"Storage");
    check();
  }
  SECTION("u\"...\" in C") {
    name_in_c(&name);
    check();
  }
  SECTION("L\"...\" with short wchar_t") {
    name_with_short_wchar(&name);
    check();
  }
  SECTION("a constant") {
    name = UNICODE_STRING RTL_CONSTANT_STRING(u"Storage");
    check();
  }
  SECTION("no string") {
    RtlInitUnicodeString(&name, static_cast<PCWSTR>(nullptr));
    CHECK(name.Length == 0);
    CHECK(name.MaximumLength == 0);
    CHECK(name.Buffer == nullptr);
  }
}

// Source: wdm.h, RtlCompareMemory and RtlEqualMemory.
TEST_CASE("memory is compared up to the first difference") {
  const char a[] = "completion", b[] = "compliance";
  CHECK(RtlCompareMemory(a, b, sizeof a) == 5);
  CHECK(RtlCompareMemory(a, a, sizeof a) == sizeof a);
  CHECK(RtlEqualMemory(a, b, 5));
  CHECK_FALSE(RtlEqualMemory(a, b, 6));
}

// Source: Windows documentation, "GUID structure": three little-endian numbers, then eight bytes as they stand.
TEST_CASE("a GUID defined in one file is the same GUID in every file, byte by byte") {
  const unsigned char bytes[16] = {0x0e, 0x1d, 0x5b, 0x9a, 0x3f, 0x2c, 0x61, 0x4e,
                                   0x8a, 0x7b, 0x01, 0x02, 0x03, 0x04, 0x05, 0xfe};
  CHECK(std::memcmp(&DEFINED_IN_C, bytes, sizeof bytes) == 0);
  GUID other = DEFINED_IN_C;
  CHECK(other == DEFINED_IN_C);
  other.Data4[7] = 0xff;
  CHECK_FALSE(IsEqualGUID(other, DEFINED_IN_C));
}

// Source: ntdef.h, LARGE_INTEGER.
TEST_CASE("a relative timeout is one number and two halves") {
  LARGE_INTEGER timeout;
  timeout.QuadPart = -10;
  CHECK(timeout.LowPart == 0xfffffff6);
  CHECK(timeout.HighPart == -1);
  CHECK(timeout.u.HighPart == -1);
}
