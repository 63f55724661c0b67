// Guest memory that a channel shares besides its rings: described by the guest, mapped by the host.
// Source: KMCL DDI, VmbChannelCreateGpadlFromMdl, VmbChannelCreateGpadlFromBuffer, VmbChannelDeleteGpadl, VmbChannelMapGpadl,
// VmbChannelUnmapGpadl; the header on long-term GPADLs. Linux, drivers/hv/channel.c: creation and teardown wait for the host.
#include "models/kmcl/shared_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "models/kmcl/descriptor_lists.hpp"
#include "models/kmcl/endpoint.hpp"

namespace vmbsim::kmcl {

namespace {

/// `length` bytes (0: to the end) from `start` of a chain, as one range per list; nothing where they lie outside it.
std::optional<vmbus::Gpadl> describe(const MDL* mdl, std::uint64_t start, std::uint64_t length) {
  constexpr auto page = static_cast<std::uint64_t>(page_size);
  std::vector<vmbus::Gpadl> ranges;
  std::uint64_t left = length != 0 ? length : std::numeric_limits<std::uint64_t>::max();
  for (; mdl != nullptr && left != 0; mdl = mdl->Next) {
    if (start >= mdl->ByteCount) {
      start -= mdl->ByteCount;
      continue;
    }
    const std::uint64_t first = mdl->ByteOffset + start;
    const std::uint64_t bytes = std::min(left, mdl->ByteCount - start);
    const PFN_NUMBER* pfns = MmGetMdlPfnArray(mdl) + first / page;
    const std::uint64_t pages =
        vmbus::pages_touched(static_cast<std::uint32_t>(first % page), static_cast<std::uint32_t>(bytes));
    ranges.push_back({.byte_offset = {static_cast<std::int64_t>(first % page)},
                      .length = {static_cast<std::int64_t>(bytes)},
                      .pfns = {pfns, pfns + pages}});
    left -= bytes;
    start = 0;
  }
  if (ranges.empty() || (length != 0 && left != 0)) return std::nullopt;
  vmbus::Gpadl all = std::move(ranges.front());
  all.chained.assign(std::make_move_iterator(ranges.begin() + 1), std::make_move_iterator(ranges.end()));
  return all;
}

vmbus::GpaRange range_of(const vmbus::Gpadl& gpadl) {
  return {.byte_count = static_cast<std::uint32_t>(gpadl.length.count),
          .byte_offset = static_cast<std::uint32_t>(gpadl.byte_offset.count),
          .pfns = gpadl.pfns};
}

}  // namespace

// ---- The guest ----

NTSTATUS Endpoint::create_gpadl(std::uint32_t flags, const MDL* mdl, std::uint32_t start, std::uint32_t length,
                                std::uint32_t& handle) {
  handle = 0;
  std::optional<vmbus::Gpadl> description = describe(mdl, start, length);
  if (!description) return STATUS_INVALID_PARAMETER_4;
  return share(flags, std::move(*description), handle, "VmbChannelCreateGpadlFromMdl");
}

NTSTATUS Endpoint::create_gpadl(std::uint32_t flags, const void* buffer, std::uint32_t length, std::uint32_t& handle) {
  handle = 0;
  partition().touch(buffer, length, "VmbChannelCreateGpadlFromBuffer");
  const auto start = partition().memory().address_of(buffer);
  if (!start || length == 0) return STATUS_INVALID_PARAMETER_3;
  vmbus::Gpadl description{.byte_offset = start->offset, .length = {length}, .pfns = {}};
  const std::uint64_t pages = vmbus::pages_touched(static_cast<std::uint32_t>(start->offset.count), length);
  for (std::uint64_t i = 0; i < pages; ++i) description.pfns.push_back(start->pfn + i);
  return share(flags, std::move(description), handle, "VmbChannelCreateGpadlFromBuffer");
}

NTSTATUS Endpoint::share(std::uint32_t flags, vmbus::Gpadl description, std::uint32_t& handle, const char* call) {
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::attempted_switch_from_dpc))
    return STATUS_INVALID_DEVICE_STATE;
  if (server_) {
    misused("K100", call, "at the host: shared memory is the guest's");
    return STATUS_INVALID_PARAMETER_1;
  }
  if ((flags & ~std::uint32_t{VMBUS_CHANNEL_GPADL_FLAGS}) != 0) {
    misused("K106", call, fmt::format("with unknown flag bits: {:#x}", flags));
    return STATUS_INVALID_PARAMETER_2;
  }
  if (!opening_ && !opened_) {
    misused("K100", call, "before EvtChannelOpened or after EvtChannelClosed");
    return STATUS_INVALID_DEVICE_STATE;
  }
  description.read_only = (flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY) != 0;
  shared_.push_back(std::make_unique<SharedMemory>(partition()));
  SharedMemory& shared = *shared_.back();
  shared.description = description;
  bus().share(*offer_, std::move(description), shared);
  partition().wait(shared.answered.Header, nullptr);
  handle = shared.handle.value;
  shared.busy = false;
  partition().set_event(memory_settled_);
  if (handle != 0) return STATUS_SUCCESS;
  std::erase_if(shared_, [&shared](const auto& kept) { return kept.get() == &shared; });
  return STATUS_INSUFFICIENT_RESOURCES;  // more than the host lets a guest share
}

void Endpoint::delete_gpadl(std::uint32_t handle) {
  constexpr const char* call = "VmbChannelDeleteGpadl";
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::attempted_switch_from_dpc)) return;
  if (pass_running_ && partition().current_thread() == pass_thread_)
    return misused("K19", call, "inside a packet callback of its channel");
  const auto found = std::find_if(shared_.begin(), shared_.end(), [handle](const auto& shared) {
    return shared->handle.value == handle && !shared->busy;
  });
  if (handle == 0 || found == shared_.end())
    return misused("K101", call, fmt::format("for GPADL {}, which does not exist", handle));
  take_back(**found, call);
}

/// Returns when the host has let go of it.
void Endpoint::take_back(SharedMemory& shared, const char* call) {
  shared.busy = true;
  shared.deleted_by = call;
  bus().unshare(*offer_, shared.handle, shared);
  partition().wait(shared.answered.Header, nullptr);
  std::erase_if(shared_, [&shared](const auto& kept) { return kept.get() == &shared; });
  partition().set_event(memory_settled_);
}

/// By the end of EvtChannelClosed nothing may be shared or mapped any more.
void Endpoint::take_back_memory() {
  constexpr const char* closed = "EvtChannelClosed";
  while (!mapped_.empty()) {
    const std::uint32_t handle = mapped_.front()->handle.value;
    report("K103", closed, fmt::format("GPADL {} is still mapped at the end of EvtChannelClosed", handle));
    unmap_gpadl(handle);
  }
  while (!shared_.empty()) {
    const auto left = std::find_if(shared_.begin(), shared_.end(), [](const auto& shared) { return !shared->busy; });
    if (left == shared_.end()) {  // other threads are still creating or deleting them
      memory_settled_.Header.SignalState = 0;
      partition().wait(memory_settled_.Header, nullptr);
      continue;
    }
    report("K34", closed, fmt::format("GPADL {} still exists at the end of EvtChannelClosed", (*left)->handle.value));
    take_back(**left, closed);
  }
}

/// Descriptor lists over those parts of a shared buffer that a transfer-page packet names. The set's number is the low half
/// of the buffer's GPADL handle: KMCL has no public call that would give it another.
bool Endpoint::transferred(const Received& received, DescriptorLists& lists) {
  constexpr auto page = static_cast<std::uint64_t>(page_size);
  const std::byte* extension = received.packet.extension.data();
  std::uint16_t id = 0;
  std::uint32_t count = 0;
  std::memcpy(&id, extension, sizeof id);
  std::memcpy(&count, extension + 4, sizeof count);
  const auto set = std::find_if(shared_.begin(), shared_.end(), [id](const auto& shared) {
    return (shared->handle.value & 0xFFFF) == id && !shared->busy;
  });
  if (set == shared_.end()) return false;
  const vmbus::Gpadl& buffer = (*set)->description;
  const auto range_at = [extension](std::uint32_t i) {
    vmbus::TransferRange range;
    std::memcpy(&range, extension + 8 + 8 * std::size_t{i}, sizeof range);
    return range;
  };
  std::size_t pages = 0;
  for (std::uint32_t i = 0; i < count; ++i) {  // the other end wrote them
    const vmbus::TransferRange range = range_at(i);
    if (range.byte_count == 0 ||
        std::uint64_t{range.byte_offset} + range.byte_count > static_cast<std::uint64_t>(buffer.length.count))
      return false;
    const std::uint64_t first = static_cast<std::uint64_t>(buffer.byte_offset.count) + range.byte_offset;
    pages += vmbus::pages_touched(static_cast<std::uint32_t>(first % page), range.byte_count);
  }
  if (count == 0) return false;
  lists.reserve(count, pages);
  for (std::uint32_t i = 0; i < count; ++i) {
    const vmbus::TransferRange range = range_at(i);
    const std::uint64_t first = static_cast<std::uint64_t>(buffer.byte_offset.count) + range.byte_offset;
    const auto offset = static_cast<std::uint32_t>(first % page);
    lists.add({.byte_count = range.byte_count,
               .byte_offset = offset,
               .pfns = std::span(buffer.pfns).subspan(first / page, vmbus::pages_touched(offset, range.byte_count))},
              partition().memory());
  }
  return true;
}

// ---- The host ----

NTSTATUS Endpoint::map_gpadl(std::uint32_t flags, std::uint32_t handle, PMDL* mdl) {
  constexpr const char* call = "VmbChannelMapGpadl";
  *mdl = nullptr;
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::irql_not_less_or_equal))
    return STATUS_INVALID_DEVICE_STATE;
  if (!server_call(call)) return STATUS_INVALID_PARAMETER_1;
  if ((flags & ~std::uint32_t{VMBUS_CHANNEL_GPADL_FLAGS}) != 0) {
    misused("K106", call, fmt::format("with unknown flag bits: {:#x}", flags));
    return STATUS_INVALID_PARAMETER_2;
  }
  if (channel_ == nullptr) return STATUS_INVALID_DEVICE_STATE;
  const vmbus::Gpadl* described = bus().find_gpadl(*offer_, {handle});
  if (described == nullptr) return STATUS_INVALID_PARAMETER_3;  // the number came from the guest
  if (described->read_only && (flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY) == 0) return STATUS_ACCESS_DENIED;
  const vmbus::Gpadl* gpadl = bus().map_gpadl(*offer_, {handle});
  if (gpadl == nullptr) {
    const bool ours = std::any_of(mapped_.begin(), mapped_.end(),
                                  [handle](const auto& mapping) { return mapping->handle.value == handle; });
    if (ours) misused("K102", call, fmt::format("for GPADL {}, which is mapped", handle));
    return STATUS_INVALID_DEVICE_STATE;  // mapped, or on its way out
  }
  mapped_.push_back(std::make_unique<MappedMemory>());
  MappedMemory& mapping = *mapped_.back();
  mapping.handle = {handle};
  DescriptorLists lists(mapping.words);
  std::size_t pages = gpadl->pfns.size();
  for (const vmbus::Gpadl& range : gpadl->chained) pages += range.pfns.size();
  lists.reserve(1 + gpadl->chained.size(), pages);
  hw::GuestMemory& memory = bus().guest().partition().memory();
  lists.add(range_of(*gpadl), memory);
  for (const vmbus::Gpadl& range : gpadl->chained) lists.add(range_of(range), memory);
  partition().consume(partition().costs().map_per_page.sample(costs_) * static_cast<std::int64_t>(pages));
  *mdl = lists.first();
  return STATUS_SUCCESS;
}

void Endpoint::unmap_gpadl(std::uint32_t handle) {
  constexpr const char* call = "VmbChannelUnmapGpadl";
  if (!partition().require_irql_at_most(Irql::passive, call, BugCheck::irql_not_less_or_equal)) return;
  if (!server_call(call)) return;
  const auto mapping = std::find_if(mapped_.begin(), mapped_.end(),
                                    [handle](const auto& mapped) { return mapped->handle.value == handle; });
  if (mapping == mapped_.end()) return misused("K103", call, fmt::format("for GPADL {}, which is not mapped", handle));
  mapped_.erase(mapping);
  const bool was_mapped = bus().unmap_gpadl(*offer_, {handle});
  VMBSIM_ASSERT(was_mapped, "the bus knows every mapping of an endpoint");
}

}  // namespace vmbsim::kmcl
