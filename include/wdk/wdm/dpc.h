#pragma once
/// Deferred procedure calls, ordinary and threaded.
/// Source: WDK, "Introduction to DPC Objects" and "Introduction to Threaded DPCs"; the wdm.h page of each function.
#include "irql.h"

EXTERN_C_START

/// Low: at the tail, need not start now. Medium: at the tail. High: at the head. MediumHigh: at the tail, starts at
/// once on another processor as well.
typedef enum _KDPC_IMPORTANCE {
  LowImportance = 0,
  MediumImportance = 1,
  HighImportance = 2,
  MediumHighImportance = 3
} KDPC_IMPORTANCE;

struct _KDPC;
/// Runs at DISPATCH_LEVEL on the target processor.
typedef VOID KDEFERRED_ROUTINE(_In_ struct _KDPC *Dpc, _In_opt_ PVOID DeferredContext, _In_opt_ PVOID SystemArgument1,
                               _In_opt_ PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;

/// Opaque to drivers. DpcData is not null while the object is in a queue.
typedef struct _KDPC {
  UCHAR Type;
  UCHAR Importance;
  volatile USHORT Number;
  LIST_ENTRY DpcListEntry;
  PKDEFERRED_ROUTINE DeferredRoutine;
  PVOID DeferredContext;
  PVOID SystemArgument1;
  PVOID SystemArgument2;
  PVOID DpcData;
} KDPC, *PKDPC, *PRKDPC;

/// IRQL: any.
NTKERNELAPI VOID KeInitializeDpc(_Out_ PRKDPC Dpc, _In_ PKDEFERRED_ROUTINE DeferredRoutine,
                                 _In_opt_ PVOID DeferredContext);
/// FALSE, and nothing is done, when the object is in a queue already. IRQL: any.
NTKERNELAPI BOOLEAN KeInsertQueueDpc(_Inout_ PRKDPC Dpc, _In_opt_ PVOID SystemArgument1,
                                     _In_opt_ PVOID SystemArgument2);
/// TRUE when the object was in a queue. IRQL: any.
NTKERNELAPI BOOLEAN KeRemoveQueueDpc(_Inout_ PRKDPC Dpc);
/// Holds from the next insertion on. IRQL: any.
NTKERNELAPI VOID KeSetImportanceDpc(_Inout_ PRKDPC Dpc, _In_ KDPC_IMPORTANCE Importance);
/// Holds from the next insertion on. IRQL: any.
NTKERNELAPI VOID KeSetTargetProcessorDpc(_Inout_ PRKDPC Dpc, _In_ CCHAR Number);

/// A threaded DPC: its routine runs at PASSIVE_LEVEL in a thread of the highest priority on the target processor. It must
/// not wait all the same, because the system may run it at DISPATCH_LEVEL instead. IRQL: any.
NTKERNELAPI VOID KeInitializeThreadedDpc(_Out_ PRKDPC Dpc, _In_ PKDEFERRED_ROUTINE DeferredRoutine,
                                         _In_opt_ PVOID DeferredContext);
/// STATUS_INVALID_PARAMETER when there is no such processor. IRQL: any.
NTKERNELAPI NTSTATUS KeSetTargetProcessorDpcEx(_Inout_ PKDPC Dpc, _In_ PPROCESSOR_NUMBER ProcNumber);
/// Returns when every DPC that was queued before the call has run. IRQL: PASSIVE_LEVEL.
_IRQL_requires_max_(PASSIVE_LEVEL) NTKERNELAPI VOID KeFlushQueuedDpcs(VOID);

EXTERN_C_END
