#pragma once
/// Memory as framework objects: WDFMEMORY, WDFLOOKASIDE. Source: WDK, "Using Memory Buffers", "Using Lookaside Lists".
#include <vector>

#include "models/kmdf/object.hpp"

namespace vmbsim::kmdf {

class Lookaside;

class Memory final : public Object {
 public:
  static constexpr Kind of_kind = Kind::memory;
  enum class Source : std::uint8_t { pool, driver, lookaside, request };

  Memory(Framework& framework, Driver* driver, Source source, void* buffer, std::size_t size, bool paged = false)
      : Object(framework, Kind::memory, driver), buffer_(buffer), size_(size), source_(source), paged_(paged) {}

  void* buffer() const { return buffer_; }
  std::size_t size() const { return size_; }
  Source source() const { return source_; }
  void assign(void* buffer, std::size_t size) {
    buffer_ = buffer;
    size_ = size;
  }
  /// From then on its buffer goes back to `list`.
  void belongs_to(Lookaside& list) { list_ = &list; }
  /// A request's: used again for each of its lives.
  void begin(Object& request, void* buffer, std::size_t size, bool again);

 private:
  bool needs_passive() const override { return paged_; }
  void finish() override;
  void finish_alone() override;

  void* buffer_;
  std::size_t size_;
  Lookaside* list_ = nullptr;
  Source source_;
  bool paged_;
};

class Lookaside final : public Object {
 public:
  static constexpr Kind of_kind = Kind::lookaside;

  Lookaside(Framework& framework, Driver* driver, std::size_t size, POOL_TYPE type, ULONG tag,
            const WDF_OBJECT_ATTRIBUTES* attributes);
  NTSTATUS take(Memory** memory);
  void give_back(void* buffer);

 private:
  bool needs_passive() const override { return (type_ & PagedPool) != 0; }
  void finish() override;

  std::size_t size_;
  POOL_TYPE type_;
  ULONG tag_;
  WDF_OBJECT_ATTRIBUTES attributes_{};
  bool with_attributes_;
  std::vector<void*> free_;
};

}  // namespace vmbsim::kmdf
