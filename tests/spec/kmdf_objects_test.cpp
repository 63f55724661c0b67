// Framework objects: parents and deletion, context space, references, dead handles, memory, collections.
// Source: WDK, "Framework Object Life Cycle", "Framework Object Context Space", "Summary of Framework Objects", the DDI pages
// of the functions.
#include <catch2/catch.hpp>
#include <cstring>

#include "tests/support/framework_driver.hpp"

using namespace vmbsim;
using vmbsim::testing::FrameworkDriver;

namespace {

typedef struct _SECOND_CONTEXT {
  ULONG Value;
} SECOND_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE(SECOND_CONTEXT)

WDFOBJECT object_below(WDFOBJECT parent, const char* name) {
  WDF_OBJECT_ATTRIBUTES attributes = FrameworkDriver::noting(parent);
  WDFOBJECT object = nullptr;
  CHECK(WdfObjectCreate(&attributes, &object) == STATUS_SUCCESS);
  return FrameworkDriver::named(object, name);
}

WDFSTRING string_below(WDFOBJECT parent, const char* name) {
  WDF_OBJECT_ATTRIBUTES attributes = FrameworkDriver::noting(parent);
  WDFSTRING string = nullptr;
  CHECK(WdfStringCreate(nullptr, &attributes, &string) == STATUS_SUCCESS);
  return FrameworkDriver::named(string, name);
}

/// Brings a driver up and runs `body` in the same thread.
void with_driver(FrameworkDriver& driver, std::function<void()> body) {
  driver.in_thread([&] {
    CHECK(driver.bring_up() == STATUS_SUCCESS);
    driver.log();
    body();
  });
}

}  // namespace

// Source: EVT_WDF_OBJECT_CONTEXT_CLEANUP, remarks: children before parents, all cleanups before the first destroy.
TEST_CASE("deleting an object cleans up its tree, children first, and destroys it in the same order") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFOBJECT top = object_below(driver.device, "top");
    const WDFOBJECT left = object_below(top, "left");
    object_below(top, "right");
    object_below(left, "leaf");
    WdfObjectDelete(top);
  });
  CHECK(driver.log() ==
        "leaf:cleanup left:cleanup right:cleanup top:cleanup "
        "leaf:destroy left:destroy right:destroy top:destroy");
  CHECK(driver.found().empty());
}

// Source: "Summary of Framework Objects": default parents.
TEST_CASE("an object without a parent of its own goes with the driver, a device's with the device") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    object_below(nullptr, "driver's");
    object_below(driver.device, "device's");
    driver.node->remove();
    driver.note("|");
    driver.pnp.unload_all();
  });
  CHECK(driver.log() ==
        "QueryRemove IoSuspend PreInterruptsDisabled D0Exit ReleaseHardware IoFlush IoCleanup device's:cleanup "
        "device:cleanup device's:destroy device:destroy | Unload driver's:cleanup driver:cleanup driver's:destroy "
        "driver:destroy");
  CHECK(driver.found().empty());
}

// Source: WdfObjectReferenceActual; "Framework Object Life Cycle", Using Reference Counts.
TEST_CASE("a referenced object is cleaned up at once and destroyed with its last reference, after its parent even") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFOBJECT parent = object_below(driver.device, "parent");
    const WDFOBJECT child = object_below(parent, "child");
    WdfObjectReference(child);
    WdfObjectDelete(parent);
    CHECK(driver.log() == "child:cleanup parent:cleanup parent:destroy");
    CHECK(TestContext(child) != nullptr);
    WdfObjectDereference(child);
    CHECK(driver.log() == "child:destroy");
  });
  CHECK(driver.found().empty());
}

TEST_CASE("a reference that was never taken cannot be given back") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFOBJECT object = object_below(driver.device, "object");
    WdfObjectDereference(object);
    CHECK(driver.log().empty());
  });
  CHECK(driver.found() == "WDF: WdfObjectDereference gave back a reference of a WDFOBJECT that was not taken\n");
  CHECK(driver.findings.all().front().bug_check == BugCheck::wdf_violation);
}

// Source: bug check 0x10D, WDF_VIOLATION: references that remain when the driver is unloaded.
TEST_CASE("references that remain at unload are reported by the kind of object") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    WdfObjectReference(object_below(driver.device, "a"));
    WdfObjectReference(object_below(nullptr, "b"));
    WdfObjectReference(string_below(nullptr, "c"));
    driver.pnp.unload_all();
  });
  CHECK(driver.found() ==
        "WDF: the driver was unloaded while references to deleted objects remain: WDFSTRING 1, WDFOBJECT 2\n");
}

TEST_CASE("a buffer of a lookaside list that remains at unload goes without its list") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    WDFLOOKASIDE list = nullptr;
    WDFMEMORY memory = nullptr;
    CHECK(WdfLookasideListCreate(nullptr, 64, NonPagedPoolNx, nullptr, 0, &list) == STATUS_SUCCESS);
    CHECK(WdfMemoryCreateFromLookaside(list, &memory) == STATUS_SUCCESS);
    WdfObjectReference(memory);
    driver.pnp.unload_all();
    CHECK(driver.guest.pool().by_tag().empty());
  });
  CHECK(driver.found() ==
        "WDF: the driver was unloaded while references to deleted objects remain: WDFMEMORY 1, WDFLOOKASIDE 1\n");
}

// Source: WdfObjectDelete, remarks.
TEST_CASE("a driver does not delete what only the framework deletes") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    WdfObjectDelete(driver.device);
    WdfObjectDelete(driver.driver);
    WdfObjectDelete(WdfDeviceGetIoTarget(driver.device));
    CHECK(driver.log().empty());
  });
  CHECK(driver.found() ==
        "WDF: WdfObjectDelete called for a WDFDEVICE that only the framework deletes\n"
        "WDF: WdfObjectDelete called for a WDFDRIVER that only the framework deletes\n"
        "WDF: WdfObjectDelete called for a WDFIOTARGET that only the framework deletes\n");
}

// Source: the DDI pages: "A bug check occurs if the driver supplies an invalid object handle."
TEST_CASE("a dead handle, no handle and a handle of another kind are findings with bug check 0x10D") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFOBJECT object = object_below(driver.device, "object");
    WdfObjectDelete(object);
    WdfObjectDelete(object);
    WdfSpinLockAcquire(nullptr);
    WdfSpinLockAcquire(reinterpret_cast<WDFSPINLOCK>(driver.device));
    CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
  });
  CHECK(driver.found() ==
        "WDF: WdfObjectDelete called with the handle of a deleted object\n"
        "WDF: WdfSpinLockAcquire called with no handle\n"
        "WDF: WdfSpinLockAcquire called with a WDFDEVICE; it takes a WDFSPINLOCK\n");
  for (const Finding& finding : driver.findings.all()) CHECK(static_cast<std::uint32_t>(finding.bug_check) == 0x10D);
}

// Source: EVT_WDF_OBJECT_CONTEXT_CLEANUP, remarks: handle types that are cleaned up at PASSIVE_LEVEL.
TEST_CASE("an object that needs PASSIVE_LEVEL is deleted by a worker when the driver is at DISPATCH_LEVEL") {
  FrameworkDriver driver;
  driver.device_attributes.EvtCleanupCallback = nullptr;
  with_driver(driver, [&] {
    const WDFOBJECT general = object_below(driver.device, "general");
    const WDFSTRING string = string_below(driver.device, "string");
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    WdfObjectDelete(general);
    CHECK(driver.log() == "general:cleanup general:destroy");
    WdfObjectDelete(string);
    CHECK(driver.log().empty());
    KeLowerIrql(before);
    driver.guest.delay(1ms);
    CHECK(driver.log() == "string:cleanup string:destroy");
  });
  CHECK(driver.found().empty());
}

TEST_CASE("what waits for the worker may be deleted with its parent meanwhile, and is deleted once") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFOBJECT parent = object_below(driver.device, "parent");
    const WDFSTRING string = string_below(parent, "string");
    const KIRQL before = KeRaiseIrqlToDpcLevel();
    WdfObjectDelete(string);
    KeLowerIrql(before);
    WdfObjectDelete(parent);
    driver.guest.delay(1ms);
  });
  const std::string order = driver.log();
  CHECK(order.find("string:cleanup") == order.rfind("string:cleanup"));
  CHECK(order.find("string:destroy") == order.rfind("string:destroy"));
  CHECK(order.find("string:destroy") != std::string::npos);
  CHECK(order.find("parent:destroy") != std::string::npos);
  CHECK(driver.found().empty());
}

// Source: WdfObjectAllocateContext, return values; WDF_OBJECT_ATTRIBUTES, ContextSizeOverride.
TEST_CASE("an object has one zeroed context of each type") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    const WDFOBJECT object = object_below(driver.device, "object");
    CHECK(WdfObjectGet_SECOND_CONTEXT(object) == nullptr);
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, SECOND_CONTEXT);
    PVOID context = nullptr;
    CHECK(WdfObjectAllocateContext(object, &attributes, &context) == STATUS_SUCCESS);
    CHECK(context == WdfObjectGet_SECOND_CONTEXT(object));
    CHECK(context == WdfObjectGetTypedContext(object, SECOND_CONTEXT));
    CHECK(WdfObjectGet_SECOND_CONTEXT(object)->Value == 0);
    PVOID again = nullptr;
    CHECK(WdfObjectAllocateContext(object, &attributes, &again) == STATUS_OBJECT_NAME_EXISTS);
    CHECK(again == context);
    CHECK(WdfObjectContextGetObject(context) == object);

    attributes.ContextSizeOverride = 1;
    WDFOBJECT other = nullptr;
    CHECK(WdfObjectCreate(&attributes, &other) == STATUS_INVALID_PARAMETER);
    CHECK(other == nullptr);
    attributes.ContextSizeOverride = 4096;
    CHECK(WdfObjectCreate(&attributes, &other) == STATUS_SUCCESS);
    std::memset(WdfObjectGet_SECOND_CONTEXT(other), 0xff, 4096);
    WdfObjectDelete(other);
  });
  CHECK(driver.found().empty());
}

// Source: "Framework Object Creation Errors".
TEST_CASE("attributes that make no sense are refused with the documented status") {
  struct Row {
    const char* what;
    NTSTATUS status;
    void (*spoil)(WDF_OBJECT_ATTRIBUTES&);
  };
  for (const Row& row :
       {Row{"Size", STATUS_INFO_LENGTH_MISMATCH, [](WDF_OBJECT_ATTRIBUTES& a) { a.Size = 3; }},
        Row{"ExecutionLevel", STATUS_WDF_EXECUTION_LEVEL_INVALID,
            [](WDF_OBJECT_ATTRIBUTES& a) { a.ExecutionLevel = WdfExecutionLevelInvalid; }},
        Row{"SynchronizationScope", STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID,
            [](WDF_OBJECT_ATTRIBUTES& a) { a.SynchronizationScope = WdfSynchronizationScopeInvalid; }}}) {
    INFO(row.what);
    FrameworkDriver driver;
    with_driver(driver, [&] {
      WDF_OBJECT_ATTRIBUTES attributes;
      WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
      row.spoil(attributes);
      WDFOBJECT object = nullptr;
      CHECK(WdfObjectCreate(&attributes, &object) == row.status);
      CHECK(object == nullptr);
    });
    CHECK(driver.found().empty());
  }
}

TEST_CASE("an object that is being deleted gets no more children") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    static NTSTATUS status;
    status = STATUS_SUCCESS;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.EvtCleanupCallback = [](WDFOBJECT object) {
      WDF_OBJECT_ATTRIBUTES below;
      WDF_OBJECT_ATTRIBUTES_INIT(&below);
      below.ParentObject = object;
      WDFOBJECT child = nullptr;
      status = WdfObjectCreate(&below, &child);
    };
    WDFOBJECT object = nullptr;
    CHECK(WdfObjectCreate(&attributes, &object) == STATUS_SUCCESS);
    WdfObjectDelete(object);
    CHECK(status == STATUS_DELETE_PENDING);
  });
}

// Source: the "IRQL" line of each function's page.
TEST_CASE("framework functions called above their level are findings") {
  struct Row {
    const char* call;
    Irql legal;
    std::function<void(FrameworkDriver&)> make;
  };
  const std::vector<Row> rows{
      {"WdfObjectCreate", Irql::dispatch,
       [](FrameworkDriver&) {
         WDFOBJECT object;
         static_cast<void>(WdfObjectCreate(nullptr, &object));
       }},
      {"WdfStringCreate", Irql::passive,
       [](FrameworkDriver&) {
         WDFSTRING string;
         static_cast<void>(WdfStringCreate(nullptr, nullptr, &string));
       }},
      {"WdfMemoryCreate", Irql::dispatch,
       [](FrameworkDriver&) {
         WDFMEMORY memory;
         static_cast<void>(WdfMemoryCreate(nullptr, NonPagedPoolNx, 0, 8, &memory, nullptr));
       }},
      {"WdfDeviceCreateDeviceInterface", Irql::passive,
       [](FrameworkDriver& driver) {
         static_cast<void>(WdfDeviceCreateDeviceInterface(driver.device, &KMCL_CLIENT_INTERFACE_TYPE, nullptr));
       }},
      {"WdfFdoQueryForInterface", Irql::passive,
       [](FrameworkDriver& driver) {
         INTERFACE table;
         static_cast<void>(WdfFdoQueryForInterface(driver.device, &KMCL_CLIENT_INTERFACE_TYPE, &table, 1, 1, nullptr));
       }},
      {"WdfDriverGetRegistryPath", Irql::passive,
       [](FrameworkDriver& driver) { static_cast<void>(WdfDriverGetRegistryPath(driver.driver)); }},
      {"WdfDeviceGetDefaultQueue", Irql::dispatch,
       [](FrameworkDriver& driver) { static_cast<void>(WdfDeviceGetDefaultQueue(driver.device)); }},
      {"WdfGetDriver", Irql::high, [](FrameworkDriver&) { static_cast<void>(WdfGetDriver()); }},
      {"WdfDeviceWdmGetDeviceObject", Irql::high,
       [](FrameworkDriver& driver) { static_cast<void>(WdfDeviceWdmGetDeviceObject(driver.device)); }}};
  for (const Row& row : rows) {
    for (const Irql level : {Irql::passive, Irql::apc, Irql::dispatch, Irql::device}) {
      INFO(row.call << " at " << name_of(level));
      FrameworkDriver driver;
      with_driver(driver, [&] {
        const KIRQL before = KfRaiseIrql(static_cast<KIRQL>(level));
        row.make(driver);
        KeLowerIrql(before);
      });
      CHECK(driver.found().empty() == (level <= row.legal));
    }
  }
}

// Source: WdfMemoryCreate, WdfMemoryCreatePreallocated, WdfMemoryCopyToBuffer, WdfMemoryCopyFromBuffer.
TEST_CASE("memory is copied within its bounds") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    WDFMEMORY memory = nullptr;
    PVOID buffer = nullptr;
    CHECK(WdfMemoryCreate(nullptr, NonPagedPoolNx, 0, 0, &memory, &buffer) == STATUS_INVALID_PARAMETER);
    CHECK(WdfMemoryCreate(nullptr, NonPagedPoolNx, 0, 16, &memory, &buffer) == STATUS_SUCCESS);
    size_t size = 0;
    CHECK(WdfMemoryGetBuffer(memory, &size) == buffer);
    CHECK(size == 16);
    char text[] = "twelve bytes";
    CHECK(WdfMemoryCopyFromBuffer(memory, 4, text, 12) == STATUS_SUCCESS);
    CHECK(WdfMemoryCopyFromBuffer(memory, 5, text, 12) == STATUS_BUFFER_TOO_SMALL);
    CHECK(WdfMemoryCopyFromBuffer(memory, ~size_t{0}, text, 12) == STATUS_BUFFER_TOO_SMALL);
    char back[12];
    CHECK(WdfMemoryCopyToBuffer(memory, 4, back, 12) == STATUS_SUCCESS);
    CHECK(std::memcmp(back, text, 12) == 0);
    CHECK(WdfMemoryAssignBuffer(memory, text, 12) == STATUS_INVALID_DEVICE_REQUEST);

    WDFMEMORY mine = nullptr;
    CHECK(WdfMemoryCreatePreallocated(nullptr, text, sizeof text, &mine) == STATUS_SUCCESS);
    CHECK(WdfMemoryGetBuffer(mine, nullptr) == text);
    CHECK(WdfMemoryAssignBuffer(mine, back, sizeof back) == STATUS_SUCCESS);
    CHECK(WdfMemoryGetBuffer(mine, &size) == back);
    CHECK(size == sizeof back);

    PMDL mdl = IoAllocateMdl(buffer, 16, FALSE, FALSE, nullptr);  // a buffer in the partition's memory
    MmBuildMdlForNonPagedPool(mdl);
    IoFreeMdl(mdl);
  });
  CHECK(driver.found().empty());
}

// Source: WdfLookasideListCreate, WdfMemoryCreateFromLookaside.
TEST_CASE("a lookaside list gives a buffer out again, and outlives its deletion until the last one is back") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    WDF_OBJECT_ATTRIBUTES attributes = FrameworkDriver::noting();
    WDFLOOKASIDE list = nullptr;
    CHECK(WdfLookasideListCreate(&attributes, 0, NonPagedPoolNx, nullptr, 0, &list) == STATUS_INVALID_PARAMETER);
    CHECK(WdfLookasideListCreate(&attributes, 64, NonPagedPoolNx, nullptr, 0, &list) == STATUS_SUCCESS);
    FrameworkDriver::named(list, "list");
    WDFMEMORY first = nullptr, second = nullptr;
    CHECK(WdfMemoryCreateFromLookaside(list, &first) == STATUS_SUCCESS);
    const PVOID buffer = WdfMemoryGetBuffer(first, nullptr);
    WdfObjectDelete(first);
    CHECK(WdfMemoryCreateFromLookaside(list, &second) == STATUS_SUCCESS);
    size_t size = 0;
    CHECK(WdfMemoryGetBuffer(second, &size) == buffer);
    CHECK(size == 64);
    WdfObjectDelete(list);
    CHECK(driver.log() == "list:cleanup");
    CHECK(WdfMemoryCreateFromLookaside(list, &first) == STATUS_DELETE_PENDING);
    WdfObjectDelete(second);
    CHECK(driver.log() == "list:destroy");
  });
  CHECK(driver.found().empty());
}

// Source: WdfCollectionAdd and its siblings.
TEST_CASE("a collection keeps its objects in order and referenced") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    WDFCOLLECTION collection = nullptr;
    CHECK(WdfCollectionCreate(nullptr, &collection) == STATUS_SUCCESS);
    CHECK(WdfCollectionGetFirstItem(collection) == nullptr);
    const WDFOBJECT a = object_below(nullptr, "a"), b = object_below(nullptr, "b"), c = object_below(nullptr, "c");
    for (const WDFOBJECT object : {a, b, c}) CHECK(WdfCollectionAdd(collection, object) == STATUS_SUCCESS);
    CHECK(WdfCollectionGetCount(collection) == 3);
    CHECK(WdfCollectionGetFirstItem(collection) == a);
    CHECK(WdfCollectionGetItem(collection, 1) == b);
    CHECK(WdfCollectionGetItem(collection, 3) == nullptr);
    CHECK(WdfCollectionGetLastItem(collection) == c);
    WdfObjectDelete(b);
    CHECK(driver.log() == "b:cleanup");
    WdfCollectionRemove(collection, b);
    CHECK(driver.log() == "b:destroy");
    WdfCollectionRemoveItem(collection, 0);
    CHECK(WdfCollectionGetFirstItem(collection) == c);
    WdfObjectDelete(c);
    WdfObjectDelete(collection);
    CHECK(driver.log() == "c:cleanup c:destroy");
    CHECK(driver.found().empty());
    CHECK(WdfCollectionCreate(nullptr, &collection) == STATUS_SUCCESS);
    WdfCollectionRemove(collection, a);
    WdfCollectionRemoveItem(collection, 0);
  });
  CHECK(driver.found() ==
        "WDF: WdfCollectionRemove called for an object that is not in the collection\n"
        "WDF: WdfCollectionRemoveItem called for an index beyond the end\n");
}

// Source: WdfStringCreate, WdfStringGetUnicodeString.
TEST_CASE("a string object copies its string") {
  FrameworkDriver driver;
  with_driver(driver, [&] {
    WCHAR units[] = {'a', 'b', 'c', 0};
    UNICODE_STRING text{6, 8, units}, back;
    WDFSTRING string = nullptr;
    CHECK(WdfStringCreate(&text, nullptr, &string) == STATUS_SUCCESS);
    units[0] = 'x';
    WdfStringGetUnicodeString(string, &back);
    CHECK(back.Length == 6);
    CHECK(back.Buffer[0] == 'a');
    CHECK(back.Buffer[2] == 'c');
  });
}

TEST_CASE("a callback that returns at another level is a finding, and the level is put right") {
  FrameworkDriver driver;
  driver.inside["D0Entry"] = [] { KeRaiseIrqlToDpcLevel(); };
  with_driver(driver, [] {});
  CHECK(driver.found() == "IRQL: EvtDeviceD0Entry returned at dispatch level; it was called at passive level\n");
  CHECK(driver.findings.all().front().bug_check == BugCheck::irql_unexpected_value);
}
