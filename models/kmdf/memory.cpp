// Memory, lookaside lists, collections, strings: the functions of wdfmemory.h and wdfcollection.h.
#include "models/kmdf/memory.hpp"

#include <algorithm>
#include <cstring>

#include "models/kmdf/driver.hpp"

namespace vmbsim::kmdf {

namespace {
void* allocate(POOL_TYPE type, std::size_t size, ULONG tag) {
  const POOL_FLAGS pool = (type & PagedPool) != 0 ? POOL_FLAG_PAGED : POOL_FLAG_NON_PAGED;
  return ExAllocatePool2(pool | POOL_FLAG_UNINITIALIZED, size, tag);
}
Irql highest_for(POOL_TYPE type) { return (type & PagedPool) != 0 ? Irql::apc : Irql::dispatch; }

class Collection final : public Object {
 public:
  static constexpr Kind of_kind = Kind::collection;
  Collection(Framework& framework, Driver* driver) : Object(framework, Kind::collection, driver) {}

  std::vector<Object*> items;

  void remove(std::size_t index) {
    Object* item = items[index];
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(index));
    item->dereference("WdfCollectionRemove");
  }

 private:
  void dispose() override {
    while (!items.empty()) remove(items.size() - 1);
  }
};

class String final : public Object {
 public:
  static constexpr Kind of_kind = Kind::string;
  String(Framework& framework, Driver* driver, PCUNICODE_STRING text) : Object(framework, Kind::string, driver) {
    if (text != nullptr) units_.assign(text->Buffer, text->Buffer + text->Length / sizeof(WCHAR));
    units_.push_back(0);
  }
  UNICODE_STRING text() {
    const auto bytes = static_cast<USHORT>(units_.size() * sizeof(WCHAR));
    return {static_cast<USHORT>(bytes - sizeof(WCHAR)), bytes, units_.data()};
  }

 private:
  std::vector<WCHAR> units_;
};
}  // namespace

void Memory::begin(Object& request, void* buffer, std::size_t size, bool again) {
  if (again) {
    revive();
  } else {
    reusable_ = true;
  }
  join(request);
  assign(buffer, size);
}

void Memory::finish() {
  if (source_ == Source::pool) ExFreePoolWithTag(buffer_, 0);
  if (list_ != nullptr) {
    list_->give_back(buffer_);
    list_->dereference("the framework");
  }
  end();
}

void Memory::finish_alone() {
  if (list_ != nullptr) ExFreePoolWithTag(buffer_, 0);
  list_ = nullptr;
  finish();
}

Lookaside::Lookaside(Framework& framework, Driver* driver, std::size_t size, POOL_TYPE type, ULONG tag,
                     const WDF_OBJECT_ATTRIBUTES* attributes)
    : Object(framework, Kind::lookaside, driver),
      size_(size),
      type_(type),
      tag_(tag),
      with_attributes_(attributes != nullptr) {
  if (attributes != nullptr) attributes_ = *attributes;
}

NTSTATUS Lookaside::take(Memory** memory) {
  void* buffer = nullptr;
  if (!free_.empty()) {
    buffer = free_.back();
    free_.pop_back();
  } else {
    buffer = allocate(type_, size_, tag_);
    if (buffer == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  }
  auto* taken = new Memory(framework(), &driver(), Memory::Source::lookaside, buffer, size_, needs_passive());
  reference();  // until its last buffer is back
  taken->belongs_to(*this);
  NTSTATUS status = STATUS_SUCCESS;
  Object* parent =
      parent_of(with_attributes_ ? &attributes_ : nullptr, &driver(), "WdfMemoryCreateFromLookaside", &status);
  status = taken->adopt(parent != nullptr ? parent : &driver(), with_attributes_ ? &attributes_ : nullptr);
  if (NT_SUCCESS(status)) *memory = taken;
  return status;
}

void Lookaside::give_back(void* buffer) {
  if (being_deleted())
    ExFreePoolWithTag(buffer, 0);
  else
    free_.push_back(buffer);
}

void Lookaside::finish() {
  for (void* buffer : free_) ExFreePoolWithTag(buffer, 0);
  free_.clear();
  end();
}

}  // namespace vmbsim::kmdf

using namespace vmbsim;
using kmdf::Framework;

namespace {

kmdf::Memory* memory_of(WDFMEMORY handle, const char* call) {
  return Framework::current().object_of<kmdf::Memory>(handle, call, Irql::dispatch);
}

kmdf::Collection* collection_of(WDFCOLLECTION handle, const char* call) {
  return Framework::current().object_of<kmdf::Collection>(handle, call, Irql::dispatch);
}

bool inside(const kmdf::Memory& memory, std::size_t offset, std::size_t length) {
  return offset <= memory.size() && length <= memory.size() - offset;
}

}  // namespace

extern "C" {

// ---- Memory ----

NTSTATUS VmbsimWdfMemoryCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, POOL_TYPE PoolType, ULONG PoolTag,
                               size_t BufferSize, WDFMEMORY* Memory, PVOID* Buffer) {
  *Memory = nullptr;
  if (Buffer != nullptr) *Buffer = nullptr;
  const kmdf::Creation creation(Module, Attributes, kmdf::highest_for(PoolType), "WdfMemoryCreate");
  if (creation.parent == nullptr) return creation.status;
  if (BufferSize == 0) return STATUS_INVALID_PARAMETER;
  void* buffer = kmdf::allocate(PoolType, BufferSize, PoolTag != 0 ? PoolTag : creation.driver->pool_tag());
  if (buffer == nullptr) return STATUS_INSUFFICIENT_RESOURCES;
  auto* memory = new kmdf::Memory(creation.framework, creation.driver, kmdf::Memory::Source::pool, buffer, BufferSize,
                                  (PoolType & PagedPool) != 0);
  const NTSTATUS status = memory->adopt(creation.parent, Attributes, Memory);
  if (NT_SUCCESS(status) && Buffer != nullptr) *Buffer = buffer;
  return status;
}

NTSTATUS VmbsimWdfMemoryCreatePreallocated(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, PVOID Buffer,
                                           size_t BufferSize, WDFMEMORY* Memory) {
  *Memory = nullptr;
  const kmdf::Creation creation(Module, Attributes, Irql::dispatch, "WdfMemoryCreatePreallocated");
  if (creation.parent == nullptr) return creation.status;
  if (Buffer == nullptr || BufferSize == 0) return STATUS_INVALID_PARAMETER;
  auto* memory =
      new kmdf::Memory(creation.framework, creation.driver, kmdf::Memory::Source::driver, Buffer, BufferSize);
  return memory->adopt(creation.parent, Attributes, Memory);
}

NTSTATUS WdfMemoryAssignBuffer(WDFMEMORY Memory, PVOID Buffer, size_t BufferSize) {
  kmdf::Memory* memory = memory_of(Memory, "WdfMemoryAssignBuffer");
  if (memory == nullptr) return STATUS_INVALID_HANDLE;
  if (memory->source() != kmdf::Memory::Source::driver) return STATUS_INVALID_DEVICE_REQUEST;
  if (BufferSize == 0) return STATUS_INVALID_PARAMETER;
  memory->assign(Buffer, BufferSize);
  return STATUS_SUCCESS;
}

PVOID WdfMemoryGetBuffer(WDFMEMORY Memory, size_t* BufferSize) {
  const kmdf::Memory* memory = memory_of(Memory, "WdfMemoryGetBuffer");
  if (BufferSize != nullptr) *BufferSize = memory != nullptr ? memory->size() : 0;
  return memory != nullptr ? memory->buffer() : nullptr;
}

NTSTATUS WdfMemoryCopyToBuffer(WDFMEMORY SourceMemory, size_t SourceOffset, PVOID Buffer, size_t NumBytesToCopyTo) {
  const kmdf::Memory* memory = memory_of(SourceMemory, "WdfMemoryCopyToBuffer");
  if (memory == nullptr) return STATUS_INVALID_HANDLE;
  if (!inside(*memory, SourceOffset, NumBytesToCopyTo)) return STATUS_BUFFER_TOO_SMALL;
  std::memcpy(Buffer, static_cast<const std::byte*>(memory->buffer()) + SourceOffset, NumBytesToCopyTo);
  return STATUS_SUCCESS;
}

NTSTATUS WdfMemoryCopyFromBuffer(WDFMEMORY DestinationMemory, size_t DestinationOffset, PVOID Buffer,
                                 size_t NumBytesToCopyFrom) {
  const kmdf::Memory* memory = memory_of(DestinationMemory, "WdfMemoryCopyFromBuffer");
  if (memory == nullptr) return STATUS_INVALID_HANDLE;
  if (!inside(*memory, DestinationOffset, NumBytesToCopyFrom)) return STATUS_BUFFER_TOO_SMALL;
  std::memcpy(static_cast<std::byte*>(memory->buffer()) + DestinationOffset, Buffer, NumBytesToCopyFrom);
  return STATUS_SUCCESS;
}

NTSTATUS VmbsimWdfLookasideListCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES LookasideAttributes, size_t BufferSize,
                                      POOL_TYPE PoolType, PWDF_OBJECT_ATTRIBUTES MemoryAttributes, ULONG PoolTag,
                                      WDFLOOKASIDE* Lookaside) {
  *Lookaside = nullptr;
  const kmdf::Creation creation(Module, LookasideAttributes, kmdf::highest_for(PoolType), "WdfLookasideListCreate");
  if (creation.parent == nullptr) return creation.status;
  if (BufferSize == 0) return STATUS_INVALID_PARAMETER;
  auto* list = new kmdf::Lookaside(creation.framework, creation.driver, BufferSize, PoolType,
                                   PoolTag != 0 ? PoolTag : creation.driver->pool_tag(), MemoryAttributes);
  return list->adopt(creation.parent, LookasideAttributes, Lookaside);
}

NTSTATUS WdfMemoryCreateFromLookaside(WDFLOOKASIDE Lookaside, WDFMEMORY* Memory) {
  *Memory = nullptr;
  auto* list =
      Framework::current().object_of<kmdf::Lookaside>(Lookaside, "WdfMemoryCreateFromLookaside", Irql::dispatch);
  if (list == nullptr) return STATUS_INVALID_HANDLE;
  if (list->being_deleted()) return STATUS_DELETE_PENDING;
  kmdf::Memory* memory = nullptr;
  const NTSTATUS status = list->take(&memory);
  if (NT_SUCCESS(status)) *Memory = memory->handle_as<WDFMEMORY>();
  return status;
}

// ---- Collections ----

NTSTATUS VmbsimWdfCollectionCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, WDFCOLLECTION* Collection) {
  return kmdf::create<kmdf::Collection>(Module, Attributes, Irql::dispatch, "WdfCollectionCreate", Collection);
}

NTSTATUS WdfCollectionAdd(WDFCOLLECTION Collection, WDFOBJECT Object) {
  kmdf::Collection* collection = collection_of(Collection, "WdfCollectionAdd");
  kmdf::Object* object = Framework::current().any_object_of(Object, "WdfCollectionAdd");
  if (collection == nullptr || object == nullptr) return STATUS_INVALID_HANDLE;
  if (object->being_deleted()) return STATUS_DELETE_PENDING;
  object->reference();
  collection->items.push_back(object);
  return STATUS_SUCCESS;
}

VOID WdfCollectionRemove(WDFCOLLECTION Collection, WDFOBJECT Item) {
  kmdf::Collection* collection = collection_of(Collection, "WdfCollectionRemove");
  kmdf::Object* object = Framework::current().any_object_of(Item, "WdfCollectionRemove");
  if (collection == nullptr || object == nullptr) return;
  const auto found = std::find(collection->items.begin(), collection->items.end(), object);
  if (found == collection->items.end())
    return Framework::current().report("WdfCollectionRemove called for an object that is not in the collection");
  collection->remove(static_cast<std::size_t>(found - collection->items.begin()));
}

VOID WdfCollectionRemoveItem(WDFCOLLECTION Collection, ULONG Index) {
  kmdf::Collection* collection = collection_of(Collection, "WdfCollectionRemoveItem");
  if (collection == nullptr) return;
  if (Index >= collection->items.size())
    return Framework::current().report("WdfCollectionRemoveItem called for an index beyond the end");
  collection->remove(Index);
}

ULONG WdfCollectionGetCount(WDFCOLLECTION Collection) {
  const kmdf::Collection* collection = collection_of(Collection, "WdfCollectionGetCount");
  return collection != nullptr ? static_cast<ULONG>(collection->items.size()) : 0;
}

WDFOBJECT WdfCollectionGetItem(WDFCOLLECTION Collection, ULONG Index) {
  const kmdf::Collection* collection = collection_of(Collection, "WdfCollectionGetItem");
  return collection != nullptr && Index < collection->items.size() ? collection->items[Index]->handle() : nullptr;
}

WDFOBJECT WdfCollectionGetFirstItem(WDFCOLLECTION Collection) {
  const kmdf::Collection* collection = collection_of(Collection, "WdfCollectionGetFirstItem");
  return collection != nullptr && !collection->items.empty() ? collection->items.front()->handle() : nullptr;
}

WDFOBJECT WdfCollectionGetLastItem(WDFCOLLECTION Collection) {
  const kmdf::Collection* collection = collection_of(Collection, "WdfCollectionGetLastItem");
  return collection != nullptr && !collection->items.empty() ? collection->items.back()->handle() : nullptr;
}

// ---- Strings ----

NTSTATUS VmbsimWdfStringCreate(const VOID* Module, PCUNICODE_STRING UnicodeString, PWDF_OBJECT_ATTRIBUTES Attributes,
                               WDFSTRING* String) {
  return kmdf::create<kmdf::String>(Module, Attributes, Irql::passive, "WdfStringCreate", String, UnicodeString);
}

VOID WdfStringGetUnicodeString(WDFSTRING String, PUNICODE_STRING UnicodeString) {
  *UnicodeString = UNICODE_STRING{};
  if (auto* string = Framework::current().object_of<kmdf::String>(String, "WdfStringGetUnicodeString", Irql::passive))
    *UnicodeString = string->text();
}

}  // extern "C"
