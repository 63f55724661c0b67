#include "sim/workers/black_box.hpp"

#include <sys/mman.h>

#include <new>

#include "vmbsim/assert.hpp"

namespace vmbsim::workers {

namespace {
constexpr std::size_t header = 4096;
constexpr std::size_t bytes = header + BlackBox::capacity;
}  // namespace

BlackBox::BlackBox() {
  static_assert(sizeof(Page) <= header && std::atomic<std::uint64_t>::is_always_lock_free);
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  VMBSIM_ASSERT(memory != MAP_FAILED, "there are addresses for one more worker's notes");
  page_ = new (memory) Page{};
}

BlackBox::~BlackBox() { ::munmap(page_, bytes); }

char* BlackBox::list() const { return reinterpret_cast<char*>(page_) + header; }

void BlackBox::clear() { new (page_) Page{}; }

}  // namespace vmbsim::workers
