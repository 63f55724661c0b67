#pragma once
/// Time as drivers read it, and the processors.
/// Source: the wdm.h page of each function.
#include "../ntdef.h"

EXTERN_C_START

/// Keeps the processor busy. IRQL: any.
NTKERNELAPI VOID KeStallExecutionProcessor(_In_ ULONG MicroSeconds);
/// Ticks since boot; *PerformanceFrequency receives ticks per second. IRQL: any.
NTKERNELAPI LARGE_INTEGER KeQueryPerformanceCounter(_Out_opt_ PLARGE_INTEGER PerformanceFrequency);
/// Units of 100 ns since boot. IRQL: any.
NTKERNELAPI ULONGLONG KeQueryInterruptTime(VOID);
/// IRQL: any; the answer stays true only at or above DISPATCH_LEVEL.
NTKERNELAPI ULONG KeGetCurrentProcessorNumber(VOID);
/// Returns the number over all groups; *ProcNumber receives group and number in it. IRQL: as above.
NTKERNELAPI ULONG KeGetCurrentProcessorNumberEx(_Out_opt_ PPROCESSOR_NUMBER ProcNumber);
/// *ActiveProcessors receives one bit per processor. IRQL: any.
NTKERNELAPI ULONG KeQueryActiveProcessorCount(_Out_opt_ PKAFFINITY ActiveProcessors);

/// As KeQueryInterruptTime; *QpcTimeStamp receives the performance counter of the same instant. IRQL: any.
NTKERNELAPI ULONG64 KeQueryInterruptTimePrecise(_Out_ PULONG64 QpcTimeStamp);
/// Units of 100 ns since 1601, as of the last clock tick; a run starts at 0. IRQL: any.
NTKERNELAPI VOID KeQuerySystemTime(_Out_ PLARGE_INTEGER CurrentTime);
/// The same, exact. IRQL: any.
NTKERNELAPI VOID KeQuerySystemTimePrecise(_Out_ PLARGE_INTEGER CurrentTime);
/// Clock ticks since boot, of KeQueryTimeIncrement units of 100 ns each. IRQL: any.
NTKERNELAPI VOID KeQueryTickCount(_Out_ PLARGE_INTEGER CurrentCount);
NTKERNELAPI ULONG KeQueryTimeIncrement(VOID);

#define ALL_PROCESSOR_GROUPS 0xffff
/// A partition has one group; 0 for a group that does not exist. IRQL: any.
NTKERNELAPI ULONG KeQueryActiveProcessorCountEx(_In_ USHORT GroupNumber);
/// As KeQueryActiveProcessorCountEx: no processor is added to a running partition. IRQL: any.
NTKERNELAPI ULONG KeQueryMaximumProcessorCountEx(_In_ USHORT GroupNumber);
/// STATUS_INVALID_PARAMETER when there is no such processor. IRQL: any.
NTKERNELAPI NTSTATUS KeGetProcessorNumberFromIndex(_In_ ULONG ProcIndex, _Out_ PPROCESSOR_NUMBER ProcNumber);

EXTERN_C_END
