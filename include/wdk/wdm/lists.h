#pragma once
/// Linked lists: not guarded, the driver holds its own lock around these calls. And the interlocked ones, which guard themselves.
/// Source: WDK, "Singly and Doubly Linked Lists"; the wdm.h page of each function.
#include "locks.h"

EXTERN_C_START

FORCEINLINE VOID InitializeListHead(_Out_ PLIST_ENTRY ListHead) { ListHead->Flink = ListHead->Blink = ListHead; }

FORCEINLINE BOOLEAN IsListEmpty(_In_ const LIST_ENTRY *ListHead) { return (BOOLEAN)(ListHead->Flink == ListHead); }

FORCEINLINE VOID InsertHeadList(_Inout_ PLIST_ENTRY ListHead, _Out_ PLIST_ENTRY Entry) {
  PLIST_ENTRY first = ListHead->Flink;
  Entry->Flink = first;
  Entry->Blink = ListHead;
  first->Blink = Entry;
  ListHead->Flink = Entry;
}

FORCEINLINE VOID InsertTailList(_Inout_ PLIST_ENTRY ListHead, _Out_ PLIST_ENTRY Entry) {
  PLIST_ENTRY last = ListHead->Blink;
  Entry->Flink = ListHead;
  Entry->Blink = last;
  last->Flink = Entry;
  ListHead->Blink = Entry;
}

/// Returns TRUE when the list is empty afterwards.
FORCEINLINE BOOLEAN RemoveEntryList(_In_ PLIST_ENTRY Entry) {
  PLIST_ENTRY next = Entry->Flink;
  PLIST_ENTRY previous = Entry->Blink;
  previous->Flink = next;
  next->Blink = previous;
  return (BOOLEAN)(next == previous);
}

/// Returns ListHead itself when the list is empty.
FORCEINLINE PLIST_ENTRY RemoveHeadList(_Inout_ PLIST_ENTRY ListHead) {
  PLIST_ENTRY first = ListHead->Flink;
  RemoveEntryList(first);
  return first;
}

/// Returns ListHead itself when the list is empty.
FORCEINLINE PLIST_ENTRY RemoveTailList(_Inout_ PLIST_ENTRY ListHead) {
  PLIST_ENTRY last = ListHead->Blink;
  RemoveEntryList(last);
  return last;
}

/// Puts a list that has no head of its own (ListToAppend is one of its entries) at the tail.
FORCEINLINE VOID AppendTailList(_Inout_ PLIST_ENTRY ListHead, _Inout_ PLIST_ENTRY ListToAppend) {
  PLIST_ENTRY last = ListHead->Blink;
  ListHead->Blink->Flink = ListToAppend;
  ListHead->Blink = ListToAppend->Blink;
  ListToAppend->Blink->Flink = ListHead;
  ListToAppend->Blink = last;
}

FORCEINLINE VOID PushEntryList(_Inout_ PSINGLE_LIST_ENTRY ListHead, _Out_ PSINGLE_LIST_ENTRY Entry) {
  Entry->Next = ListHead->Next;
  ListHead->Next = Entry;
}

/// Returns NULL when the list is empty.
FORCEINLINE PSINGLE_LIST_ENTRY PopEntryList(_Inout_ PSINGLE_LIST_ENTRY ListHead) {
  PSINGLE_LIST_ENTRY first = ListHead->Next;
  if (first != NULL) ListHead->Next = first->Next;
  return first;
}

// --- Lists that guard themselves with a driver's spin lock. IRQL: any --------------------------------------------------

/// The first entry before the call, NULL when there was none.
NTKERNELAPI PLIST_ENTRY ExInterlockedInsertHeadList(_Inout_ PLIST_ENTRY ListHead, _Inout_ PLIST_ENTRY ListEntry,
                                                    _Inout_ PKSPIN_LOCK Lock);
/// The last entry before the call, NULL when there was none.
NTKERNELAPI PLIST_ENTRY ExInterlockedInsertTailList(_Inout_ PLIST_ENTRY ListHead, _Inout_ PLIST_ENTRY ListEntry,
                                                    _Inout_ PKSPIN_LOCK Lock);
/// NULL when the list is empty.
NTKERNELAPI PLIST_ENTRY ExInterlockedRemoveHeadList(_Inout_ PLIST_ENTRY ListHead, _Inout_ PKSPIN_LOCK Lock);
/// The first entry before the call, NULL when there was none.
NTKERNELAPI PSINGLE_LIST_ENTRY ExInterlockedPushEntryList(_Inout_ PSINGLE_LIST_ENTRY ListHead,
                                                          _Inout_ PSINGLE_LIST_ENTRY ListEntry,
                                                          _Inout_ PKSPIN_LOCK Lock);
/// NULL when the list is empty.
NTKERNELAPI PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(_Inout_ PSINGLE_LIST_ENTRY ListHead, _Inout_ PKSPIN_LOCK Lock);

// --- Sequenced singly linked lists: atomic without a lock. IRQL: at or below DISPATCH_LEVEL ----------------------------

typedef struct DECLSPEC_ALIGN(16) _SLIST_ENTRY {
  struct _SLIST_ENTRY *Next;
} SLIST_ENTRY, *PSLIST_ENTRY;

/// Opaque to drivers.
typedef struct DECLSPEC_ALIGN(16) _SLIST_HEADER {
  PSLIST_ENTRY First;
  USHORT Depth;
  USHORT Sequence;
} SLIST_HEADER, *PSLIST_HEADER;

FORCEINLINE VOID InitializeSListHead(_Out_ PSLIST_HEADER SListHead) {
  SListHead->First = NULL;
  SListHead->Depth = 0;
  SListHead->Sequence = 0;
}
/// The first entry before the call, NULL when there was none.
FORCEINLINE PSLIST_ENTRY InterlockedPushEntrySList(_Inout_ PSLIST_HEADER ListHead, _Inout_ PSLIST_ENTRY ListEntry) {
  PSLIST_ENTRY first = ListHead->First;
  ListEntry->Next = first;
  ListHead->First = ListEntry;
  ++ListHead->Depth;
  ++ListHead->Sequence;
  return first;
}
/// NULL when the list is empty.
FORCEINLINE PSLIST_ENTRY InterlockedPopEntrySList(_Inout_ PSLIST_HEADER ListHead) {
  PSLIST_ENTRY first = ListHead->First;
  if (first == NULL) return NULL;
  ListHead->First = first->Next;
  --ListHead->Depth;
  ++ListHead->Sequence;
  return first;
}
/// Takes all entries; the answer is the first, NULL when there was none.
FORCEINLINE PSLIST_ENTRY InterlockedFlushSList(_Inout_ PSLIST_HEADER ListHead) {
  PSLIST_ENTRY first = ListHead->First;
  ListHead->First = NULL;
  ListHead->Depth = 0;
  ++ListHead->Sequence;
  return first;
}
/// The number of entries modulo 65536.
FORCEINLINE USHORT QueryDepthSList(_In_ PSLIST_HEADER SListHead) { return SListHead->Depth; }
#define ExInitializeSListHead(SListHead) InitializeSListHead(SListHead)
#define ExInterlockedPushEntrySList(SListHead, SListEntry, Lock) \
  ((void)(Lock), InterlockedPushEntrySList((SListHead), (SListEntry)))
#define ExInterlockedPopEntrySList(SListHead, Lock) ((void)(Lock), InterlockedPopEntrySList(SListHead))
#define ExInterlockedFlushSList(SListHead) InterlockedFlushSList(SListHead)
#define ExQueryDepthSList(SListHead) QueryDepthSList(SListHead)

EXTERN_C_END
