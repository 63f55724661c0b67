#include "sim/kernel/fiber.hpp"

#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define VMBSIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VMBSIM_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define VMBSIM_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VMBSIM_TSAN 1
#endif
#endif
#ifdef VMBSIM_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef VMBSIM_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace vmbsim::kernel {

namespace context = boost::context::detail;

namespace {
std::size_t guard_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

/// Those of frames that were not left stay behind, be it in memory that is mapped there later.
void forget_red_zones([[maybe_unused]] std::byte* stack) {
#ifdef VMBSIM_ASAN
  __asan_unpoison_memory_region(stack, StackPool::stack_bytes);
#endif
}

/// What the frames of an abandoned context own is lost with them, and no leak to be told.
void forget_heap([[maybe_unused]] const void* lowest, [[maybe_unused]] const std::byte* end) {
#ifdef VMBSIM_ASAN
  for (auto* word = static_cast<void* const*>(lowest); word < static_cast<const void*>(end); ++word)
    if (*word != nullptr) __lsan_ignore_object(*word);
#endif
}
}  // namespace

StackPool::~StackPool() {
  for (std::byte* stack : mapped_) {
    forget_red_zones(stack);
    ::munmap(stack - guard_bytes(), stack_bytes + guard_bytes());
  }
}

std::byte* StackPool::take() {
  if (!free_.empty()) {
    std::byte* stack = free_.back();
    free_.pop_back();
    return stack;
  }
  const std::size_t guard = guard_bytes();
  void* mapping = ::mmap(nullptr, stack_bytes + guard, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  VMBSIM_ASSERT(mapping != MAP_FAILED, "there is address space for one more stack");
  if (mapped_.size() < most_guards)
    VMBSIM_ASSERT(::mprotect(mapping, guard, PROT_NONE) == 0, "a guard page can be protected");
  std::byte* stack = static_cast<std::byte*>(mapping) + guard;
  mapped_.push_back(stack);
  free_.reserve(mapped_.size());
  return stack;
}

struct Fiber::Entry {
  static void run(context::transfer_t from) {
    Fiber& self = *static_cast<Fiber*>(from.data);
    self.outside_ = from.fctx;
#ifdef VMBSIM_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &self.outer_stack_, &self.outer_stack_bytes_);
#endif
    self.body_(self.argument_);
    self.finished_ = true;
    self.leave();
    impossible("an ended fibre is not resumed", "Fiber::Entry::run");
  }
};

Fiber::~Fiber() {
#ifdef VMBSIM_TSAN
  if (tsan_inside_ != nullptr) __tsan_destroy_fiber(tsan_inside_);
#endif
  if (stack_ == nullptr) return;
  abandon();
  stacks_.give_back(stack_);
}

void Fiber::abandon() {
  if (stack_ != nullptr) {
    forget_red_zones(stack_);
    if (!finished_) forget_heap(inside_, stack_ + StackPool::stack_bytes);
  }
  finished_ = true;
}

void Fiber::start(Body body, void* argument) {
  VMBSIM_ASSERT(finished_, "a fibre carries one body at a time");
  if (stack_ == nullptr) stack_ = stacks_.take();
  body_ = body;
  argument_ = argument;
  finished_ = false;
  inside_ = context::make_fcontext(stack_ + StackPool::stack_bytes, StackPool::stack_bytes, &Entry::run);
#ifdef VMBSIM_TSAN
  if (tsan_inside_ == nullptr) tsan_inside_ = __tsan_create_fiber(0);
#endif
}

#ifdef VMBSIM_WATCHED_STACKS
void Fiber::resume() {
#ifdef VMBSIM_ASAN
  __sanitizer_start_switch_fiber(&fake_stack_outside_, stack_, StackPool::stack_bytes);
#endif
#ifdef VMBSIM_TSAN
  tsan_outside_ = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(tsan_inside_, 0);
#endif
  inside_ = context::jump_fcontext(inside_, this).fctx;
#ifdef VMBSIM_ASAN
  __sanitizer_finish_switch_fiber(fake_stack_outside_, nullptr, nullptr);
#endif
}

void Fiber::leave() {
#ifdef VMBSIM_ASAN
  // A null place for the fake stack tells ASan that this body never comes back.
  __sanitizer_start_switch_fiber(finished_ ? nullptr : &fake_stack_inside_, outer_stack_, outer_stack_bytes_);
#endif
#ifdef VMBSIM_TSAN
  __tsan_switch_to_fiber(tsan_outside_, 0);
#endif
  outside_ = context::jump_fcontext(outside_, nullptr).fctx;
#ifdef VMBSIM_ASAN
  __sanitizer_finish_switch_fiber(fake_stack_inside_, &outer_stack_, &outer_stack_bytes_);
#endif
}
#endif

}  // namespace vmbsim::kernel
