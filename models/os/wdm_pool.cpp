// Pool and lookaside lists.
// Which IRQLs are legal, and the bug check of a wrong one: the DDI page of each function.
#include <algorithm>

#include "models/os/wdm_caller.hpp"

using namespace vmbsim;
using namespace vmbsim::os::wdm;

namespace {

/// A lookaside list keeps so many blocks, the most that Windows lets one grow to. Source: Windows Internals, part 2,
/// "Look-aside lists".
constexpr USHORT most_kept = 256;

/// Paged pool is legal up to APC_LEVEL, nonpaged pool up to DISPATCH_LEVEL.
void require_level(bool paged, const char* call) {
  at_most(paged ? Irql::apc : Irql::dispatch, call, BugCheck::driver_verifier_detected_violation);
}

PVOID allocate(bool paged, bool zeroed, bool raises, SIZE_T bytes, ULONG tag, const char* call) {
  require_level(paged, call);
  if (bytes == 0)
    find("POOL", BugCheck::driver_verifier_detected_violation, std::string(call) + " for a block of 0 bytes");
  void* block = partition().refuses(bytes, tag) ? nullptr : partition().pool().allocate(bytes, zeroed, tag, paged);
  if (block == nullptr && raises) raise("there is no memory for a pool block: STATUS_INSUFFICIENT_RESOURCES is raised");
  return block;
}

void start_lookaside(GENERAL_LOOKASIDE& list, POOL_TYPE type, SIZE_T size, ULONG tag, const char* call) {
  require_level((type & PagedPool) != 0, call);
  list = GENERAL_LOOKASIDE{};
  InitializeSListHead(&list.ListHead);
  list.Depth = most_kept;
  list.Type = type;
  list.Tag = tag;
  list.Size = std::max<SIZE_T>(size, sizeof(SLIST_ENTRY));  // a kept block holds the link to the next
}

PVOID take(GENERAL_LOOKASIDE& list, PVOID owner, const char* call) {
  require_level((list.Type & PagedPool) != 0, call);
  ++list.TotalAllocates;
  if (PSLIST_ENTRY kept = InterlockedPopEntrySList(&list.ListHead)) return kept;
  ++list.AllocateMisses;
  if (list.AllocateEx != nullptr)
    return list.AllocateEx(list.Type, list.Size, list.Tag, static_cast<PLOOKASIDE_LIST_EX>(owner));
  if (list.Allocate != nullptr) return list.Allocate(list.Type, list.Size, list.Tag);
  return ExAllocatePoolWithTag(list.Type, list.Size, list.Tag);
}

void free_for_good(GENERAL_LOOKASIDE& list, PVOID owner, PVOID block) {
  if (list.FreeEx != nullptr)
    list.FreeEx(block, static_cast<PLOOKASIDE_LIST_EX>(owner));
  else if (list.Free != nullptr)
    list.Free(block);
  else
    ExFreePoolWithTag(block, list.Tag);
}

void give_back(GENERAL_LOOKASIDE& list, PVOID owner, PVOID block, const char* call) {
  require_level((list.Type & PagedPool) != 0, call);
  ++list.TotalFrees;
  const bool own_routine = list.FreeEx != nullptr || list.Free != nullptr;
  if (block == list.ListHead.First || (!own_routine && !partition().pool().find(block))) {
    find("POOL", BugCheck::bad_pool_caller, std::string(call) + " for a block that is not allocated");
    return;
  }
  if (QueryDepthSList(&list.ListHead) < list.Depth) {
    InterlockedPushEntrySList(&list.ListHead, static_cast<PSLIST_ENTRY>(block));
    return;
  }
  ++list.FreeMisses;
  free_for_good(list, owner, block);
}

void flush(GENERAL_LOOKASIDE& list, PVOID owner, const char* call) {
  require_level((list.Type & PagedPool) != 0, call);
  for (PSLIST_ENTRY kept = InterlockedFlushSList(&list.ListHead); kept != nullptr;) {
    PSLIST_ENTRY next = kept->Next;
    free_for_good(list, owner, kept);
    kept = next;
  }
}

}  // namespace

extern "C" {

// ---- Pool ----

PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  return allocate((PoolType & PagedPool) != 0, (PoolType & POOL_ZERO_ALLOCATION) != 0, false, NumberOfBytes, Tag,
                  "ExAllocatePoolWithTag");
}

PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag) {
  return allocate((PoolType & PagedPool) != 0, true, false, NumberOfBytes, Tag, "ExAllocatePoolZero");
}

PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag) {
  constexpr POOL_FLAGS kinds = POOL_FLAG_NON_PAGED | POOL_FLAG_NON_PAGED_EXECUTE | POOL_FLAG_PAGED;
  constexpr POOL_FLAGS others = POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED | POOL_FLAG_SESSION |
                                POOL_FLAG_CACHE_ALIGNED | POOL_FLAG_RAISE_ON_FAILURE;
  const POOL_FLAGS kind = Flags & kinds;
  const bool raises = (Flags & POOL_FLAG_RAISE_ON_FAILURE) != 0;
  if (Tag == 0 || kind == 0 || (kind & (kind - 1)) != 0 || (Flags & 0xFFFFFFFFull & ~(kinds | others)) != 0) {
    if (raises) raise("ExAllocatePool2 with a flag or a tag that is not valid: STATUS_INVALID_PARAMETER is raised");
    return nullptr;
  }
  return allocate(kind == POOL_FLAG_PAGED, (Flags & POOL_FLAG_UNINITIALIZED) == 0, raises, NumberOfBytes, Tag,
                  "ExAllocatePool2");
}

VOID ExFreePoolWithTag(PVOID P, ULONG Tag) {
  const auto block = partition().pool().find(P);
  require_level(block && block->paged, "ExFreePoolWithTag");
  if (!partition().free_pool(P, Tag))
    find("POOL", BugCheck::bad_pool_caller, "a block was freed that is not allocated");
}

VOID ExFreePool(PVOID P) { ExFreePoolWithTag(P, 0); }

VOID VmbsimTouch(const VOID* Address, SIZE_T Length) { partition().touch(Address, Length, "an Rtl memory function"); }

// ---- Lookaside lists ----

VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                     ULONG, SIZE_T Size, ULONG Tag, USHORT) {
  start_lookaside(Lookaside->L, NonPagedPoolNx, Size, Tag, "ExInitializeNPagedLookasideList");
  Lookaside->L.Allocate = Allocate;
  Lookaside->L.Free = Free;
}

PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  return take(Lookaside->L, Lookaside, "ExAllocateFromNPagedLookasideList");
}

VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry) {
  give_back(Lookaside->L, Lookaside, Entry, "ExFreeToNPagedLookasideList");
}

VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside) {
  flush(Lookaside->L, Lookaside, "ExDeleteNPagedLookasideList");
}

VOID ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
                                    ULONG, SIZE_T Size, ULONG Tag, USHORT) {
  start_lookaside(Lookaside->L, PagedPool, Size, Tag, "ExInitializePagedLookasideList");
  Lookaside->L.Allocate = Allocate;
  Lookaside->L.Free = Free;
}

PVOID ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside) {
  return take(Lookaside->L, Lookaside, "ExAllocateFromPagedLookasideList");
}

VOID ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry) {
  give_back(Lookaside->L, Lookaside, Entry, "ExFreeToPagedLookasideList");
}

VOID ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside) {
  flush(Lookaside->L, Lookaside, "ExDeletePagedLookasideList");
}

NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate,
                                     PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG Flags, SIZE_T Size, ULONG Tag,
                                     USHORT) {
  if (PoolType != NonPagedPool && PoolType != PagedPool && PoolType != NonPagedPoolNx)
    return STATUS_INVALID_PARAMETER_4;
  constexpr ULONG both = EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL | EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE;
  if ((Flags & ~both) != 0 || Flags == both) return STATUS_INVALID_PARAMETER_5;
  start_lookaside(Lookaside->L, PoolType, Size, Tag, "ExInitializeLookasideListEx");
  Lookaside->L.AllocateEx = Allocate;
  Lookaside->L.FreeEx = Free;
  return STATUS_SUCCESS;
}

PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
  return take(Lookaside->L, Lookaside, "ExAllocateFromLookasideListEx");
}

VOID ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry) {
  give_back(Lookaside->L, Lookaside, Entry, "ExFreeToLookasideListEx");
}

VOID ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) { flush(Lookaside->L, Lookaside, "ExFlushLookasideListEx"); }

VOID ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside) {
  flush(Lookaside->L, Lookaside, "ExDeleteLookasideListEx");
}

}  // extern "C"
