// Time as drivers read it, and the processors.
#include <fmt/format.h>

#include "models/os/wdm_caller.hpp"

using namespace vmbsim;
using namespace vmbsim::os::wdm;

namespace {

/// In units of 100 ns.
constexpr LONGLONG clock_tick = os::clock_tick / 100ns;
/// A longer stall keeps everybody else from the processor for too long. Source: DDI, KeStallExecutionProcessor.
constexpr ULONG longest_stall = 50;

LONGLONG now() { return nanoseconds(partition().world().now()) / 100; }
ULONG processors_of(USHORT group) { return group == 0 || group == ALL_PROCESSOR_GROUPS ? partition().cpu_count() : 0; }

}  // namespace

extern "C" {

VOID KeStallExecutionProcessor(ULONG MicroSeconds) {
  if (MicroSeconds > longest_stall)
    find("STALL", BugCheck::none,
         fmt::format("KeStallExecutionProcessor for {} us; more than {} us is advised against", MicroSeconds,
                     longest_stall));
  processor().consume(std::chrono::microseconds{MicroSeconds});
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency) {
  if (PerformanceFrequency != nullptr)
    PerformanceFrequency->QuadPart = 10'000'000;  // Hyper-V's reference counter: 100 ns
  LARGE_INTEGER ticks;
  ticks.QuadPart = now();
  return ticks;
}

ULONGLONG KeQueryInterruptTime(VOID) { return static_cast<ULONGLONG>(now()); }

ULONG64 KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp) {
  *QpcTimeStamp = static_cast<ULONG64>(now());
  return *QpcTimeStamp;
}

VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime) { CurrentTime->QuadPart = now() - now() % clock_tick; }
VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime) { CurrentTime->QuadPart = now(); }
VOID KeQueryTickCount(PLARGE_INTEGER CurrentCount) { CurrentCount->QuadPart = now() / clock_tick; }
ULONG KeQueryTimeIncrement(VOID) { return static_cast<ULONG>(clock_tick); }

ULONG KeGetCurrentProcessorNumber(VOID) { return processor().id().value; }

ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber) {
  if (ProcNumber != nullptr) *ProcNumber = PROCESSOR_NUMBER{0, static_cast<UCHAR>(processor().id().value), 0};
  return processor().id().value;
}

ULONG KeQueryActiveProcessorCount(PKAFFINITY ActiveProcessors) {
  const ULONG count = partition().cpu_count();
  if (ActiveProcessors != nullptr) *ActiveProcessors = count >= 64 ? ~KAFFINITY{0} : (KAFFINITY{1} << count) - 1;
  return count;
}

ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber) { return processors_of(GroupNumber); }
ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber) { return processors_of(GroupNumber); }

NTSTATUS KeGetProcessorNumberFromIndex(ULONG ProcIndex, PPROCESSOR_NUMBER ProcNumber) {
  if (ProcIndex >= partition().cpu_count()) return STATUS_INVALID_PARAMETER;
  *ProcNumber = PROCESSOR_NUMBER{0, static_cast<UCHAR>(ProcIndex), 0};
  return STATUS_SUCCESS;
}

}  // extern "C"
