#pragma once
/// Interrupt request levels.
/// Source: WDK, "Managing Hardware Priorities"; the wdm.h page of each function.
#include "../ntdef.h"

EXTERN_C_START

/// A processor's level. Ordered: work at a level is held back while the processor runs at that level or above.
typedef UCHAR KIRQL, *PKIRQL;

// The x64 values: the level is the upper half of the interrupt vector.
#define PASSIVE_LEVEL 0
#define LOW_LEVEL 0
#define APC_LEVEL 1
#define DISPATCH_LEVEL 2
#define CMCI_LEVEL 5
#define CLOCK_LEVEL 13
#define IPI_LEVEL 14
#define DRS_LEVEL 14
#define POWER_LEVEL 14
#define PROFILE_LEVEL 15
#define HIGH_LEVEL 15

/// IRQL: any.
NTKERNELAPI KIRQL KeGetCurrentIrql(VOID);
/// Raises and returns the level before. IRQL: at or below NewIrql.
_IRQL_raises_(NewIrql) _IRQL_saves_ NTKERNELAPI KIRQL KfRaiseIrql(_In_ KIRQL NewIrql);
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_raises_(DISPATCH_LEVEL) _IRQL_saves_ NTKERNELAPI KIRQL KeRaiseIrqlToDpcLevel(VOID);
/// Restores the level that the raise returned. IRQL: at or above NewIrql.
NTKERNELAPI VOID KeLowerIrql(_In_ _IRQL_restores_ KIRQL NewIrql);
#define KeRaiseIrql(NewIrql, OldIrql) (*(OldIrql) = KfRaiseIrql(NewIrql))

/// For routines in pageable code: a finding when the caller is above APC_LEVEL. Source: wdm.h, PAGED_CODE.
NTKERNELAPI VOID VmbsimPagedCode(_In_z_ PCSTR Function);
#define PAGED_CODE() VmbsimPagedCode(__func__)
#define PAGED_CODE_LOCKED() ((void)0)

EXTERN_C_END
