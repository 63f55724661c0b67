// Memory descriptor lists.
// Source: WDK, "Using MDLs"; which IRQLs are legal, and the bug check of a wrong one: the DDI page of each function.
#include <algorithm>

#include "models/os/wdm_caller.hpp"

using namespace vmbsim;
using namespace vmbsim::os::wdm;

namespace {

void set(MDL& mdl, int flags) { mdl.MdlFlags = static_cast<CSHORT>(mdl.MdlFlags | flags); }
void clear(MDL& mdl, int flags) { mdl.MdlFlags = static_cast<CSHORT>(mdl.MdlFlags & ~flags); }
bool has(const MDL& mdl, int flags) { return (mdl.MdlFlags & flags) != 0; }

std::size_t pages_of(const MDL& mdl) { return BYTES_TO_PAGES(std::size_t{mdl.ByteOffset} + mdl.ByteCount); }

/// The memory whose frames a list names: its process's, when it describes another partition's, else the caller's.
hw::GuestMemory& memory_of(const MDL& mdl) {
  return mdl.Process != nullptr ? *reinterpret_cast<hw::GuestMemory*>(mdl.Process) : partition().memory();
}

/// Writes the frames of the described buffer behind the header; false when the buffer is not in the partition's memory.
bool fill_in(MDL& mdl) {
  const auto start = partition().memory().address_of(mdl.StartVa);
  const auto last = partition().memory().address_of(static_cast<char*>(mdl.StartVa) + mdl.ByteOffset +
                                                    (mdl.ByteCount != 0 ? mdl.ByteCount - 1 : 0));
  if (!start || !last) return false;
  for (std::size_t i = 0; i < pages_of(mdl); ++i) MmGetMdlPfnArray(&mdl)[i] = start->pfn + i;
  return true;
}

/// A list that the client library made, over pages of another partition: it is the library's, and good for a while only.
bool librarys_own(const MDL& mdl) { return mdl.Process != nullptr && !partition().pool().find(&mdl); }

/// Gives the locks on the pages of a list back.
void unlock(MDL& mdl) {
  for (std::size_t i = 0; i < pages_of(mdl); ++i) partition().pool().unlock_page(MmGetMdlPfnArray(&mdl)[i]);
  clear(mdl, MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
}

}  // namespace

extern "C" {

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN, BOOLEAN, PIRP) {
  at_most(Irql::dispatch, "IoAllocateMdl");
  const SIZE_T bytes = MmSizeOfMdl(VirtualAddress, Length);
  if (partition().refuses(bytes, os::MemoryPool::mdl_tag)) return nullptr;
  auto* mdl = static_cast<PMDL>(partition().pool().allocate(bytes, true, os::MemoryPool::mdl_tag));
  if (mdl != nullptr) MmInitializeMdl(mdl, VirtualAddress, Length);
  return mdl;
}

VOID IoFreeMdl(PMDL Mdl) {
  at_most(Irql::dispatch, "IoFreeMdl");
  if (librarys_own(*Mdl)) return find("K58", BugCheck::bad_pool_caller, "IoFreeMdl for a list of the client library");
  if (partition().pool().find(Mdl) && has(*Mdl, MDL_PAGES_LOCKED) && !has(*Mdl, MDL_PARTIAL) &&
      Mdl->Process == nullptr) {
    find("MDL", BugCheck::driver_left_locked_pages_in_process, "IoFreeMdl for a list whose pages are still locked");
    unlock(*Mdl);
  }
  Mdl->MdlFlags = 0;  // who still holds it sees nothing locked
  ExFreePool(Mdl);
}

VOID MmBuildMdlForNonPagedPool(PMDL Mdl) {
  at_most(Irql::dispatch, "MmBuildMdlForNonPagedPool");
  if (partition().pool().pageable(MmGetMdlVirtualAddress(Mdl), Mdl->ByteCount))
    find("MDL", BugCheck::driver_verifier_detected_violation, "MmBuildMdlForNonPagedPool for paged pool");
  if (!fill_in(*Mdl)) {
    find("MDL", BugCheck::driver_verifier_detected_violation, "MmBuildMdlForNonPagedPool for memory that is no pool");
    return;
  }
  set(*Mdl, MDL_SOURCE_IS_NONPAGED_POOL);
  Mdl->MappedSystemVa = MmGetMdlVirtualAddress(Mdl);
}

VOID MmProbeAndLockPages(PMDL Mdl, KPROCESSOR_MODE, LOCK_OPERATION Operation) {
  const bool pageable = partition().pool().pageable(MmGetMdlVirtualAddress(Mdl), Mdl->ByteCount);
  at_most(pageable ? Irql::apc : Irql::dispatch, "MmProbeAndLockPages");
  if (librarys_own(*Mdl)) {
    find("K58", BugCheck::driver_verifier_detected_violation,
         "MmProbeAndLockPages for a list of the client library, which is locked as long as it lives");
    return;
  }
  if (has(*Mdl, MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL)) {
    find("MDL", BugCheck::driver_verifier_detected_violation,
         "MmProbeAndLockPages for a list that is locked, or built for nonpaged pool, already");
    return;
  }
  if (!fill_in(*Mdl)) {
    raise("MmProbeAndLockPages for memory that is no pool: STATUS_ACCESS_VIOLATION is raised");
    return;
  }
  for (std::size_t i = 0; i < pages_of(*Mdl); ++i) partition().pool().lock_page(MmGetMdlPfnArray(Mdl)[i]);
  set(*Mdl, MDL_PAGES_LOCKED | (Operation != IoReadAccess ? MDL_WRITE_OPERATION : 0));
}

VOID MmUnlockPages(PMDL Mdl) {
  at_most(Irql::dispatch, "MmUnlockPages");
  if (!has(*Mdl, MDL_PAGES_LOCKED) || Mdl->Process != nullptr) {
    find("MDL", BugCheck::driver_verifier_detected_violation, "MmUnlockPages for a list whose pages are not locked");
    return;
  }
  if (has(*Mdl, MDL_MAPPED_TO_SYSTEM_VA)) MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
  unlock(*Mdl);
}

VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress, ULONG Length) {
  at_most(Irql::dispatch, "IoBuildPartialMdl");
  const auto start = reinterpret_cast<ULONG_PTR>(MmGetMdlVirtualAddress(SourceMdl));
  const auto from = reinterpret_cast<ULONG_PTR>(VirtualAddress);
  const ULONG_PTR offset = from - start;
  if (from < start || offset > SourceMdl->ByteCount || Length > SourceMdl->ByteCount - offset) {
    find("MDL", BugCheck::driver_verifier_detected_violation,
         "IoBuildPartialMdl for bytes that the source list does not describe");
    return;
  }
  if (Length == 0) Length = SourceMdl->ByteCount - static_cast<ULONG>(offset);
  const std::size_t pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, Length);
  const std::size_t room = (static_cast<std::size_t>(TargetMdl->Size) - sizeof(MDL)) / sizeof(PFN_NUMBER);
  if (pages > room) {
    find("MDL", BugCheck::target_mdl_too_small, "IoBuildPartialMdl into a list that has too little room");
    return;
  }
  TargetMdl->Process = SourceMdl->Process;
  TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
  TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
  TargetMdl->ByteCount = Length;
  clear(*TargetMdl, MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PAGES_LOCKED);
  set(*TargetMdl, MDL_PARTIAL | (SourceMdl->MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL | MDL_PAGES_LOCKED)));
  TargetMdl->MappedSystemVa =
      has(*SourceMdl, MDL_SOURCE_IS_NONPAGED_POOL) ? static_cast<char*>(SourceMdl->MappedSystemVa) + offset : nullptr;
  const std::size_t skipped =
      (from - reinterpret_cast<ULONG_PTR>(SourceMdl->StartVa)) >> PAGE_SHIFT;  // pages before the first described
  std::copy_n(MmGetMdlPfnArray(SourceMdl) + skipped, pages, MmGetMdlPfnArray(TargetMdl));
}

VOID MmPrepareMdlForReuse(PMDL Mdl) {
  at_most(Irql::dispatch, "MmPrepareMdlForReuse");
  if (has(*Mdl, MDL_PARTIAL_HAS_BEEN_MAPPED)) MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
}

PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority) {
  if (has(*Mdl, MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA)) return Mdl->MappedSystemVa;
  return MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, nullptr, FALSE, Priority);
}

// Pages that lie one behind the other need no new mapping; others would, and for them the call fails as documented.
PVOID MmMapLockedPagesSpecifyCache(PMDL Mdl, KPROCESSOR_MODE, MEMORY_CACHING_TYPE, PVOID, ULONG, ULONG) {
  at_most(Irql::dispatch, "MmMapLockedPagesSpecifyCache");
  if (librarys_own(*Mdl) && !has(*Mdl, MDL_PAGES_LOCKED)) {
    find("K58", BugCheck::driver_verifier_detected_violation,
         "MmMapLockedPagesSpecifyCache for a list of a packet that was completed");
    return nullptr;
  }
  const PPFN_NUMBER pfn = MmGetMdlPfnArray(Mdl);
  for (std::size_t i = 1; i < pages_of(*Mdl); ++i)
    if (pfn[i] != pfn[0] + i) return nullptr;
  const auto bytes = memory_of(*Mdl).bytes(pfn[0], {Mdl->ByteOffset}, {Mdl->ByteCount});
  if (!bytes) return nullptr;
  Mdl->MappedSystemVa = bytes->data();
  set(*Mdl, MDL_MAPPED_TO_SYSTEM_VA | (has(*Mdl, MDL_PARTIAL) ? MDL_PARTIAL_HAS_BEEN_MAPPED : 0));
  return Mdl->MappedSystemVa;
}

VOID MmUnmapLockedPages(PVOID, PMDL Mdl) {
  at_most(Irql::dispatch, "MmUnmapLockedPages");
  clear(*Mdl, MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
}

}  // extern "C"
