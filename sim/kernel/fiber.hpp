#pragma once
/// Stackful execution contexts on Boost.Context, with guarded, pooled stacks and sanitizer annotations.
///
///   StackPool stacks;
///   Fiber fiber(stacks);
///   fiber.start([](void* driver) { static_cast<Driver*>(driver)->run(); }, &driver);
///   fiber.resume();            // runs until suspend() inside, or to the end
///
/// A fibre that is destroyed while suspended is abandoned, not unwound: its world ends as a machine that is switched off.
#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <span>
#include <vector>

#include "vmbsim/assert.hpp"

// Sanitizers must be told of every switch of stacks; then a switch is a call in fiber.cpp, else it happens in its caller's frame.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VMBSIM_WATCHED_STACKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VMBSIM_WATCHED_STACKS 1
#endif
#endif

namespace vmbsim::kernel {

/// Stacks of one world: mapped once, reused, each with an inaccessible page below it. Only the first `most_guards` have one:
/// each costs an entry of the process's memory map, of which Linux allows 65,530.
/// Source   Linux, Documentation/admin-guide/sysctl/vm.rst: max_map_count.
class StackPool {
 public:
  static constexpr std::size_t stack_bytes = 256 * 1024;  ///< address space; only touched pages take memory
  static constexpr std::size_t most_guards = 24'000;

  StackPool() = default;
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  /// The lowest usable address of a stack of stack_bytes.
  std::byte* take();
  void give_back(std::byte* stack) { free_.push_back(stack); }

 private:
  std::vector<std::byte*> mapped_;
  std::vector<std::byte*> free_;
};

class Fiber {
 public:
  using Body = void (*)(void*);

  explicit Fiber(StackPool& stacks) : stacks_(stacks) {}
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Prepares `body(argument)`; nothing runs until resume(). The previous body must have ended.
  void start(Body body, void* argument);
  /// Runs the body until it suspends or ends. Never from inside a fibre.
  void resume();
  /// Leaves this fibre, from inside it; returns at the next resume().
  void suspend() { leave(); }
  bool finished() const { return finished_; }
  /// Gives up a suspended body where it is, so that another one can be started. From outside.
  void abandon();
  /// The part of the stack that a suspended body uses.
  std::span<const std::byte> live() const {
    const auto* top = static_cast<const std::byte*>(inside_);
    return {top, static_cast<std::size_t>(stack_ + StackPool::stack_bytes - top)};
  }
  /// Gives the stack back until the next start(), so that whoever runs next finds it warm. The body must have ended.
  void rest() {
    VMBSIM_ASSERT(finished_, "only an ended body needs no stack");
    if (stack_ != nullptr) stacks_.give_back(stack_);
    stack_ = nullptr;
  }

 private:
  struct Entry;  // the first frame of a body
  void leave();

  StackPool& stacks_;
  std::byte* stack_ = nullptr;
  void* inside_ = nullptr;   // where to continue the body
  void* outside_ = nullptr;  // where to continue whoever resumed it
  Body body_ = nullptr;
  void* argument_ = nullptr;
  bool finished_ = true;
  // What the sanitizers need to know about the two stacks; unused in other builds.
  [[maybe_unused]] void* fake_stack_inside_ = nullptr;
  [[maybe_unused]] void* fake_stack_outside_ = nullptr;
  [[maybe_unused]] const void* outer_stack_ = nullptr;
  [[maybe_unused]] std::size_t outer_stack_bytes_ = 0;
  [[maybe_unused]] void* tsan_inside_ = nullptr;
  [[maybe_unused]] void* tsan_outside_ = nullptr;
};

#ifndef VMBSIM_WATCHED_STACKS
// In the caller's frame, because a return after a switch is always mispredicted: it leads where the other stack came from.
inline void Fiber::resume() { inside_ = boost::context::detail::jump_fcontext(inside_, this).fctx; }
inline void Fiber::leave() { outside_ = boost::context::detail::jump_fcontext(outside_, nullptr).fctx; }
#endif

}  // namespace vmbsim::kernel
