// What a driver must not do with memory, and what it must have given back.
// Source: bug checks 0x19, 0xC2, 0xC7, 0xCB, 0xCC, 0xD1 and 0xE4; WDK, "Driver Verifier: Pool Tracking".
#include <fmt/format.h>

#include <string>

#include "models/os/partition.hpp"

namespace vmbsim::os {

namespace {
/// A tag as WinDbg shows it: its four characters, first in the lowest byte.
std::string text_of(MemoryPool::Tag tag) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) {
    const auto character = static_cast<char>(tag >> shift & 0xFF);
    text += character >= ' ' && character <= '~' ? character : '.';
  }
  return text;
}
}  // namespace

void Partition::touch(const void* address, std::size_t length, const char* call) {
  if (length == 0) return;
  if (hw::Processor::current()->irql() >= Irql::dispatch && pool_.pageable(address, length))
    findings_.add("PAGED", BugCheck::driver_irql_not_less_or_equal, {},
                  fmt::format("{} touched paged pool at DISPATCH_LEVEL or above", call));
  if (!pool_.owns(address)) return;
  const auto block = pool_.around(address);
  if (!block) {
    findings_.add("POOL", BugCheck::page_fault_in_freed_special_pool, {},
                  fmt::format("{} touched pool that is not allocated", call));
    return;
  }
  const auto offset = static_cast<std::size_t>(static_cast<const char*>(address) - static_cast<char*>(block->start));
  if (offset + length > block->size)
    findings_.add("POOL", BugCheck::bad_pool_header, {},
                  fmt::format("{} touched {} bytes from offset {} on in a pool block of {} bytes with tag '{}'", call,
                              length, offset, block->size, text_of(block->tag)));
}

bool Partition::free_pool(void* address, std::uint32_t tag) {
  const auto block = pool_.find(address);
  if (!block) return false;
  const auto inside = [&](const void* object) {
    const auto distance = reinterpret_cast<std::uintptr_t>(object) - reinterpret_cast<std::uintptr_t>(address);
    return distance < block->size;
  };
  if (tag != 0 && tag != block->tag)
    findings_.add("POOL", BugCheck::bad_pool_caller, {},
                  fmt::format("a block with tag '{}' was freed with tag '{}'", text_of(block->tag), text_of(tag)));
  if (!pool_.intact(*block))
    findings_.add("POOL", BugCheck::bad_pool_header, {},
                  fmt::format("bytes behind a pool block of {} bytes with tag '{}' were written", block->size,
                              text_of(block->tag)));
  const auto sort_out = [&](LIST_ENTRY& list, const char* text, const auto& take_out) {
    for (LIST_ENTRY* entry = list.Flink; entry != &list;) {
      LIST_ENTRY* const next = entry->Flink;
      if (inside(entry)) {
        findings_.add("POOL", BugCheck::timer_or_dpc_invalid, {}, text);
        take_out(entry);
      }
      entry = next;
    }
  };
  sort_out(timers_, "a pool block was freed with a timer in it that is set",
           [this](LIST_ENTRY* entry) { cancel_timer(*CONTAINING_RECORD(entry, KTIMER, TimerListEntry)); });
  for (Cpu& cpu : cpus_)
    for (LIST_ENTRY* queue : {&cpu.dpcs, &cpu.threaded_dpcs})
      sort_out(*queue, "a pool block was freed with a DPC in it that is queued",
               [this](LIST_ENTRY* entry) { remove_dpc(*CONTAINING_RECORD(entry, KDPC, DpcListEntry)); });
  for (WorkQueue& queue : work_queues_)
    std::erase_if(queue.items, [&](const WorkItem* item) {
      if (!inside(item)) return false;
      findings_.add("POOL", BugCheck::worker_invalid, {},
                    "a pool block was freed with a work item in it that is queued");
      return true;
    });
  return pool_.free(address);
}

void Partition::report_leaks(std::string_view subject) {
  const auto leak = [&](BugCheck bug_check, const std::string& text) {
    findings_.add("LEAK", bug_check, subject, text);
  };
  for (const auto& [tag, total] : pool_.by_tag()) {
    const std::string what = tag == MemoryPool::mdl_tag ? "memory descriptor lists"
                             : tag == MemoryPool::work_item_tag
                                 ? "work items"
                                 : fmt::format("pool blocks with tag '{}'", text_of(tag));
    leak(BugCheck::driver_verifier_detected_violation,
         fmt::format("not freed: {} ({}, {} bytes)", what, total.blocks, total.bytes));
  }
  const auto count = [](const LIST_ENTRY& list) {
    std::uint64_t entries = 0;
    for (const LIST_ENTRY* entry = list.Flink; entry != &list; entry = entry->Flink) ++entries;
    return entries;
  };
  if (!IsListEmpty(&timers_))
    leak(BugCheck::timer_or_dpc_invalid, fmt::format("still set: timers ({})", count(timers_)));
  std::uint64_t dpcs = 0;
  for (const Cpu& cpu : cpus_) dpcs += count(cpu.dpcs) + count(cpu.threaded_dpcs);
  if (dpcs != 0) leak(BugCheck::timer_or_dpc_invalid, fmt::format("still queued: DPCs ({})", dpcs));
  std::uint64_t running = 0, referenced = 0;
  for (const auto& thread : threads_) {
    if (thread->drivers_own_ && thread->state_ != Thread::State::ended) ++running;
    if (thread->state_ == Thread::State::ended && thread->references_ != 0) ++referenced;
  }
  if (running != 0)
    leak(BugCheck::driver_unloaded_without_cancelling_pending_operations,
         fmt::format("still running: system threads ({})", running));
  if (referenced != 0)
    leak(BugCheck::none, fmt::format("still referenced, or with open handles: ended threads ({})", referenced));
}

}  // namespace vmbsim::os
