#pragma once
/// Which two steps do not commute.
#include "sim/kernel/choice.hpp"

namespace vmbsim::explore {

inline bool conflicts(const kernel::Operation& one, const kernel::Operation& other) {
  using kernel::Access;
  if (one.access == Access::none || other.access == Access::none) return false;
  if (one.access == Access::read && other.access == Access::read) return false;
  const auto touches = [&](std::uint32_t object) {
    return object != 0 && (object == other.object || object == other.other);
  };
  return touches(one.object) || touches(one.other);
}

inline bool may_wait(const kernel::Operation& operation) {
  return operation.waits || operation.access == kernel::Access::acquire;
}

/// Whether a step of a processor cannot come before its store buffer's step once it came after: a fence, an interlocked
/// operation. Plain loads and stores pass what is buffered.
inline bool drains(const kernel::Operation& operation) {
  const bool buffered = operation.access == kernel::Access::none && operation.object != 0 && !operation.waits;
  return !buffered && operation.access != kernel::Access::read;
}

inline bool is_flush(const kernel::Alternative& step) { return step.kind == kernel::ChoicePoint::flush; }

/// Steps of one actor, of contexts that share a processor, and on one object unless both read it. What a store buffer does
/// commutes with its own processor but for what drains it, and with the other words' buffers but for what may not overtake.
inline bool dependent(const kernel::Alternative& one, const kernel::Alternative& other) {
  if (one.actor == other.actor || conflicts(one.operation, other.operation)) return true;
  if (one.processor != other.processor) return false;
  if (is_flush(one) && is_flush(other)) return one.operation.waits || other.operation.waits;
  if (is_flush(one)) return drains(other.operation);
  if (is_flush(other)) return drains(one.operation);
  return true;
}

}  // namespace vmbsim::explore
