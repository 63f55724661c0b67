#pragma once
/// Every rule that simulated software can break, in one table. Nothing outside the table can be reported.
///
/// Ids      K01 to K110: the contract of the Kernel Mode Client Library. The others: Windows' kernel, its driver framework, the
///          channel protocol, and the run itself.
/// Sources  The original document and the function or callback it tells of.
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vmbsim {

/// What becomes of a finding: nothing; it is shown; it is shown and the run's exit status is 1.
enum class Severity : std::uint8_t { off, warning, error };

constexpr const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::off: return "off";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "error";
}

struct Rule {
  enum class Kind : std::uint8_t {
    status,     ///< the call itself answers with a status; no finding
    violation,  ///< Windows tells nobody: a finding, whose severity a scenario may change
    kernel,     ///< a rule of Windows for all drivers: a finding under the kernel's own id, IRQL, PAGED, POOL or MDL
    guarantee,  ///< what the library owes its drivers; the simulator checks itself
    advice,     ///< nothing that a simulator could see
    run,        ///< the run could not go on as asked: a finding that nobody can turn off
  };
  const char* id;
  Kind kind;
  Severity severity;  ///< where a scenario does not say otherwise
  const char* sentence;
  const char* source;
};

namespace rule_table {

constexpr Rule violation(const char* id, const char* sentence, const char* source,
                         Severity severity = Severity::error) {
  return {id, Rule::Kind::violation, severity, sentence, source};
}
constexpr Rule kernel_rule(const char* id, const char* sentence, const char* source) {
  return {id, Rule::Kind::kernel, Severity::error, sentence, source};
}
constexpr Rule status(const char* id, const char* sentence, const char* source) {
  return {id, Rule::Kind::status, Severity::off, sentence, source};
}
constexpr Rule guarantee(const char* id, const char* sentence, const char* source) {
  return {id, Rule::Kind::guarantee, Severity::off, sentence, source};
}
constexpr Rule advice(const char* id, const char* sentence, const char* source) {
  return {id, Rule::Kind::advice, Severity::off, sentence, source};
}
constexpr Rule rule_of_run(const char* id, const char* sentence, Severity severity = Severity::error) {
  return {id, Rule::Kind::run, severity, sentence, "vmbsim"};
}

inline constexpr Rule rules[] = {
    // ---- Channel configuration and state ----
    violation("K01", "VmbChannelAllocate is called at PASSIVE_LEVEL.", "KMCL DDI, VmbChannelAllocate"),
    violation("K02", "Every allocated channel is released by VmbChannelCleanup, once.", "KMCL DDI, VmbChannelAllocate"),
    violation("K03", "A channel is cleaned up while it is disabled.", "KMCL DDI, VmbChannelCleanup"),
    violation("K04", "A channel's handle is not used after VmbChannelCleanup.", "KMCL DDI, VmbChannelCleanup"),
    status("K05", "A channel is configured before it is enabled.",
           "KMCL DDI, VmbChannelInitSetMaximumPacketSize and its siblings"),
    status("K06", "The maximum packet size is above 0.", "KMCL DDI, VmbChannelInitSetMaximumPacketSize"),
    status("K07", "The maximum of external data and its chain length are above 0.",
           "KMCL DDI, VmbChannelInitSetMaximumExternalData"),
    status("K08", "The structure of state callbacks has version 1 and its right size.",
           "KMCL DDI, VmbChannelInitSetStateChangeCallbacks"),
    status("K09", "VmbChannelInitSetFlags takes the flags it knows.", "KMCL DDI, VmbChannelInitSetFlags"),
    status("K10", "VmbServerChannelInitSetFlags takes the flags it knows.", "KMCL DDI, VmbServerChannelInitSetFlags"),
    status("K11", "Not both amounts of MMIO space are 0.", "KMCL DDI, VmbServerChannelInitSetMmioMegabytes"),
    status("K12", "The target VTL exists.", "KMCL DDI, VmbServerChannelInitSetTargetVtl"),
    violation("K13", "Ring page counts are the client endpoint's to set.",
              "KMCL DDI, VmbClientChannelInitSetRingBufferPageCount"),
    violation("K14", "Server functions are called for server channels, client functions for client channels.",
              "KMCL DDI, KMCL_SERVER_ONLY_METHODS"),
    violation("K15", "A channel is enabled while it is disabled.", "KMCL DDI, VmbChannelEnable"),
    violation("K16", "Nobody goes on as if a call had succeeded that failed and must be looked at.",
              "vmbuskernelmodeclientlibapi.h, _Must_inspect_result_ of VmbChannelEnable and others"),
    violation("K17",
              "VmbChannelStart and VmbChannelPause are called between enable and disable; a pause also while disabled.",
              "KMCL DDI, VmbChannelPause"),
    violation("K18", "VmbChannelStart and VmbChannelPause are not called in a state callback.",
              "vmbuskernelmodeclientlibapi.h, state model"),
    violation("K19",
              "VmbChannelDisable, VmbChannelPause and VmbChannelDeleteGpadl are called where waiting is legal, and not "
              "in a callback of the channel.",
              "KMCL DDI, VmbChannelDisable"),
    guarantee("K20", "A server's channel carries no traffic before VmbChannelStart.",
              "vmbuskernelmodeclientlibapi.h, state model"),
    violation("K21", "A client's channel that has closed is enabled before it is used again.",
              "KMCL DDI, EVT_VMB_CHANNEL_CLOSED"),
    violation("K22", "The interrupt latency is the guest's to set, from EvtChannelOpened to EvtChannelClosed.",
              "KMCL DDI, VmbChannelSetInterruptLatency"),
    violation("K23", "VmbChannelGetMmioSpace is called after EvtChannelOpened.", "KMCL DDI, VmbChannelGetMmioSpace"),
    violation("K24", "VmbConvertVmbusHandleToKernelHandle takes a user-mode handle, and its result is closed.",
              "KMCL DDI, VmbConvertVmbusHandleToKernelHandle"),
    violation("K25", "VmbServerChannelInitSetVmbusHandle takes a converted kernel handle.",
              "KMCL DDI, VmbServerChannelInitSetVmbusHandle"),
    violation("K26", "A transaction quota is above 0.", "KMCL DDI, VmbChannelSetTransactionQuota"),

    // ---- Callbacks ----
    violation("K30", "EvtChannelStarted does not wait for incoming packets or completions.",
              "KMCL DDI, EVT_VMB_CHANNEL_STARTED"),
    violation("K31", "From EvtChannelSuspend on the driver does not send.", "KMCL DDI, EVT_VMB_CHANNEL_SUSPEND"),
    violation("K32", "After EvtChannelSuspend every delivered packet is completed in time.",
              "KMCL DDI, EVT_VMB_CHANNEL_SUSPEND"),
    violation("K33", "A server retires its own transactions when it is suspended.", "KMCL DDI, EVT_VMB_CHANNEL_SUSPEND",
              Severity::off),
    violation("K34", "All GPADLs are deleted by the end of EvtChannelClosed.",
              "vmbuskernelmodeclientlibapi.h, long-term GPADLs"),
    guarantee("K35", "No packet callback runs from EvtChannelSuspend until the next EvtChannelStarted.",
              "KMCL DDI, EVT_VMB_CHANNEL_SUSPEND"),
    guarantee("K36", "State callbacks run at PASSIVE_LEVEL, packet callbacks up to DISPATCH_LEVEL.",
              "KMCL DDI, EVT_VMB_CHANNEL_OPENED and EVT_VMB_CHANNEL_PROCESS_PACKET"),
    guarantee("K37", "Where the channel requires it, packet callbacks run at PASSIVE_LEVEL only.",
              "KMCL DDI, VmbChannelSetIncomingProcessingAtPassive"),
    violation("K38", "A callback returns at the IRQL it was called at, with no lock that it took.",
              "WDK, Managing Hardware Priorities"),
    kernel_rule("K39", "A packet or completion callback at DISPATCH_LEVEL neither waits nor touches pageable memory.",
                "WDK, Managing Hardware Priorities"),
    violation("K40", "A packet callback does not wait for a completion on its own channel.",
              "KMCL DDI, EVT_VMB_CHANNEL_PROCESS_PACKET"),

    // ---- Incoming packets ----
    violation("K50", "Every delivered packet is completed once, unless it was deferred, failed or is pending.",
              "KMCL DDI, EVT_VMB_CHANNEL_PROCESS_PACKET"),
    violation("K51", "A packet's handle is not used after VmbChannelPacketComplete.",
              "KMCL DDI, VmbChannelPacketComplete"),
    violation("K52", "VmbChannelPacketDeferToPassive is called in line from the packet callback.",
              "KMCL DDI, VmbChannelPacketDeferToPassive"),
    violation("K53", "A packet that is processed at PASSIVE_LEVEL needs no deferring.",
              "KMCL DDI, VmbChannelPacketDeferToPassive", Severity::warning),
    violation("K54", "VmbChannelPacketFail is called during packet processing.", "KMCL DDI, VmbChannelPacketFail"),
    violation("K55",
              "VmbChannelPacketGetExternalData is called while the packet is processed, where it has external data.",
              "KMCL DDI, VmbChannelPacketGetExternalData"),
    violation("K56", "After STATUS_PENDING the packet is left alone: it is presented again.",
              "KMCL DDI, VmbChannelPacketGetExternalData"),
    violation("K57", "VmbChannelPacketGetExternalData takes the flags it knows.",
              "KMCL DDI, VmbChannelPacketGetExternalData"),
    violation("K58",
              "A list of external data is not locked again or freed, is unmapped before the packet is completed, and "
              "not used after.",
              "KMCL DDI, VmbChannelPacketGetExternalData"),
    violation("K59", "A packet's buffer is not used after VmbChannelPacketComplete.",
              "KMCL DDI, VmbChannelPacketComplete"),
    violation("K60", "External data that was mapped to be read is not written.",
              "KMCL DDI, VmbChannelPacketGetExternalData"),
    advice("K61", "What a packet holds comes from an untrusted peer: lengths and values are checked before use.",
           "Microsoft Security Response Center, Fuzzing para-virtualized devices in Hyper-V"),

    // ---- Outgoing packets ----
    violation("K70", "Inline data is no longer than the channel's maximum packet size.",
              "KMCL DDI, VmbChannelInitSetMaximumPacketSize"),
    violation("K71", "External data stays within the channel's maximum and chain length.",
              "KMCL DDI, VmbChannelInitSetMaximumExternalData"),
    violation("K72", "A packet of the driver's own memory has a completion routine before it is sent.",
              "KMCL DDI, VmbPacketInitialize"),
    status("K73", "Memory for VmbPacketInitialize has VmbChannelSizeofPacket bytes.", "KMCL DDI, VmbPacketInitialize"),
    violation(
        "K74",
        "VmbPacketInitialize is not for packets of VmbPacketAllocate, VmbPacketFree not for the driver's own memory.",
        "KMCL DDI, VmbPacketInitialize and VmbPacketFree"),
    violation("K75", "A packet is not sent, freed or initialised while it is under way.", "KMCL DDI, VmbPacketSend"),
    violation("K76", "A packet that was freed, or frees itself at completion, is not touched again.",
              "KMCL DDI, VmbPacketAllocate and VmbPacketFree"),
    violation("K77", "A packet that was never sent, or has a routine of its own, is freed by the driver.",
              "KMCL DDI, VmbPacketFree"),
    violation("K78", "No packet is under way when the channel is cleaned up.", "KMCL DDI, VmbChannelCleanup"),
    violation("K79", "VmbPacketSendWithExternalMdl and VmbPacketSendWithExternalPfns ask for WAIT_FOR_COMPLETION.",
              "KMCL DDI, VmbPacketSendWithExternalMdl"),
    violation("K80", "VmbPacketSend with external data asks for WAIT_FOR_COMPLETION: the pages are in use until then.",
              "KMCL DDI, VmbPacketSend", Severity::warning),
    violation("K81", "FORCE_MDL_LENGTH goes to the end of the first list's last page at most.",
              "KMCL DDI, VmbPacketSendWithExternalMdl"),
    violation("K82", "Offset and length lie inside the list.", "KMCL DDI, VmbPacketSendWithExternalMdl"),
    violation("K83",
              "A pageable buffer is sent with PAGED_BUFFER and up to APC_LEVEL; without the flag it is resident.",
              "vmbuskernelmodeclientlibapi.h, VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER"),
    violation("K84", "A send takes the flags it knows.", "vmbuskernelmodeclientlibapi.h, VMBUS_CHANNEL_FORMAT_FLAGS"),
    violation("K85", "External data is sent by the guest: a host never describes its memory to one.",
              "vmbuskernelmodeclientlibapi.h, external data"),
    violation("K86", "Pages that a packet describes stay locked until it is complete.",
              "KMCL DDI, VmbPacketSendWithExternalMdl"),
    violation("K87", "A synchronous request that may wait is made at PASSIVE_LEVEL, any other up to DISPATCH_LEVEL.",
              "KMCL DDI, VmbChannelSendSynchronousRequest"),
    violation("K88", "A host makes synchronous requests only with a timeout of 0 and without WAIT_FOR_COMPLETION.",
              "KMCL DDI, VmbChannelSendSynchronousRequest"),
    status("K89", "The size of a completion buffer is a multiple of 8.", "KMCL DDI, VmbChannelSendSynchronousRequest"),
    violation("K90", "A completion buffer and its size are given together.",
              "KMCL DDI, VmbChannelSendSynchronousRequest"),
    violation("K91", "What is sent on a disabled channel is queued, and transmitted only when it is enabled and opens.",
              "KMCL DDI, EVT_VMB_CHANNEL_OPENED and EVT_VMB_CHANNEL_CLOSED", Severity::warning),

    // ---- Shared memory; saving and restoring ----
    violation("K100", "A GPADL is created by the client, from EvtChannelOpened on.",
              "KMCL DDI, VmbChannelCreateGpadlFromMdl"),
    violation("K101", "Every GPADL is deleted once.", "KMCL DDI, VmbChannelDeleteGpadl"),
    violation("K102", "A GPADL has one mapping at a time.", "KMCL DDI, VmbChannelMapGpadl"),
    violation("K103", "Every mapping of a GPADL is ended, once.", "KMCL DDI, VmbChannelUnmapGpadl"),
    status("K104", "A read-only GPADL is mapped read-only.", "KMCL DDI, VmbChannelMapGpadl"),
    violation("K105", "A GPADL that is being deleted is unmapped in time: its deletion waits for that.",
              "KMCL DDI, VmbChannelDeleteGpadl"),
    violation("K106", "A GPADL takes the flags that exist.",
              "vmbuskernelmodeclientlibapi.h, VMBUS_CHANNEL_GPADL_FLAGS"),
    violation("K107", "Saving begins, goes on and ends in this order.", "KMCL DDI, VmbChannelSaveBegin"),
    violation("K108", "EvtVmbChannelSavePacket writes nothing into 0 bytes, and says how many it needs.",
              "KMCL DDI, EVT_VMB_CHANNEL_SAVE_PACKET"),
    violation("K109", "VmbChannelRestoreFromBuffer gets whole chunks.", "KMCL DDI, VmbChannelRestoreFromBuffer"),
    violation("K110", "EvtVmbChannelRestorePacket allocates a packet and calls VmbPacketRestore for it.",
              "KMCL DDI, EVT_VMB_CHANNEL_RESTORE_PACKET"),

    // ---- What else the library and the channel protocol refuse ----
    violation("GPADL", "The guest has memory for its rings, and the host lets it share them.", "Linux, vmbus.rst"),
    violation("PIPE", "Both ends of a pipe are pipes, and carry datagrams of at most 16384 bytes.",
              "OpenVMM, vmbus_async"),
    violation("RING", "What the other end writes into a ring keeps the ring's format.", "OpenVMM, vmbus_ring"),
    violation("SYNC", "An answer fits the completion buffer of its request.",
              "KMCL DDI, VmbChannelSendSynchronousRequest"),
    violation("VMBUS", "Messages of the channel protocol are well formed and come in an order that is allowed.",
              "Linux, drivers/hv/channel_mgmt.c"),

    // ---- What a hunt looks for beside the contract ----
    violation("BYTES", "What is put into a ring comes out as it went in.", "EMCL, RingBuffer.c"),
    violation("DEADLOCK", "Nobody waits in a ring for each other.", "WDK, Bug Check 0xC4: deadlock detection"),
    violation("FIFO", "Packets enter a ring in the order in which they were sent.", "KMCL DDI, VmbPacketSend"),
    violation("ONCE", "Every transaction completes once.", "KMCL DDI, EVT_VMB_PACKET_COMPLETION_ROUTINE"),
    violation("SIGNAL", "A wish for room is answered by one signal.", "Linux, 433e19cf33d3"),
    violation("WAKEUP", "Whoever waits for the other end of a ring is told when it can go on.",
              "Linux, ring_buffer.c: hv_pkt_iter_close"),

    // ---- Windows' kernel and framework ----
    violation("ASSERT", "What a driver asserts is true.", "WDK, NT_ASSERT"),
    violation("BUGCHECK", "No driver stops the system.", "WDK, KeBugCheckEx"),
    violation("DPC", "A DPC object is used as its functions allow.", "WDK, Introduction to DPC Objects"),
    violation("EXCEPTION", "Nothing raises an exception that nobody catches.", "WDK, Handling Exceptions"),
    violation("IRQL", "Every function is called at an IRQL it is legal at, and the IRQL is put back.",
              "WDK, Managing Hardware Priorities"),
    violation("IO", "A driver does what applications ask of it.", "WDK, IRP_MJ_READ and IRP_MJ_WRITE"),
    violation("LEAK", "A driver that is unloaded has given everything back.", "WDK, Driver Verifier"),
    violation("LOCK", "A spin lock is released by its owner, who does not acquire it again before.",
              "WDK, Introduction to Spin Locks"),
    violation("MDL", "A memory descriptor list is built, locked, mapped and freed in order.", "WDK, Using MDLs"),
    violation("PAGED", "Pageable memory is touched below DISPATCH_LEVEL.", "WDK, Making Drivers Pageable"),
    violation("POOL", "Pool is used within its bounds, and freed once with its own tag.", "WDK, ExFreePoolWithTag"),
    violation("RUNDOWN", "Rundown protection and remove locks are released as often as they are acquired.",
              "WDK, Run-Down Protection"),
    violation("STALL", "No driver stalls the processor for long.", "WDK, KeStallExecutionProcessor", Severity::warning),
    violation("THREAD", "A thread ends by its own call, outside of critical regions, and its handle is used as such.",
              "WDK, PsCreateSystemThread"),
    violation("WAIT", "A wait names as many objects as it may.", "WDK, KeWaitForMultipleObjects"),
    violation("WATCHDOG", "No ISR, DPC or raised thread holds its processor for long.",
              "WDK, Bug Check 0x133: DPC_WATCHDOG_VIOLATION"),
    violation("WDF", "The driver framework's objects and functions are used as it allows.",
              "WDK, Kernel-Mode Driver Framework"),
    violation("WORK", "A work item is queued once, and freed when it is not queued.", "WDK, IoQueueWorkItem"),

    // ---- What a hunt looks for ----
    violation("CHECK", "What a harness checks is true.", "vmbsim, check"),
    violation("DOUBLE_FREE", "Memory is freed once.", "WDK, ExFreePoolWithTag"),
    violation("EVENTUALLY", "What a harness promises holds when everything has come to rest.", "vmbsim, eventually"),
    violation("LOCK_ORDER", "Locks are taken in one order, and above the IRQL of whoever else takes them.",
              "WDK, Bug Check 0xC4, 0x1001; Linux, lockdep-design.rst"),
    violation("LOST_WAKEUP", "Whoever waits is released by somebody.", "WDK, KeWaitForSingleObject"),
    violation("RACE", "Plain memory is not written while somebody else uses it.", "C++20, [intro.races]"),
    violation("USE_AFTER_FREE", "Freed memory is not used.", "WDK, ExFreePoolWithTag"),

    // ---- The run ----
    rule_of_run("ABORT", "A harness does not abort."),
    rule_of_run("ARRIVALS", "Guests of a table come while the run goes on, and stay until they have booted.",
                Severity::warning),
    rule_of_run("HARNESS", "A harness is what this version can run, and waits only where somebody else runs."),
    rule_of_run("CRASH", "A driver library or a harness keeps to memory it may touch."),
    rule_of_run("DRIVER", "A driver library comes up."),
    rule_of_run("ENDLESS", "A driver library lets simulated time pass, and a harness comes to its next step."),
    rule_of_run("END_OF_TIME", "A run ends within simulated time."),
    rule_of_run("EXIT", "A driver library or a harness does not end the process."),
    rule_of_run("LIVELOCK", "Time does not stand still."),
    rule_of_run("RECORD", "A run records as many rows as fit."),
    rule_of_run("SAVE", "A channel that a scenario saves is saved, restored and opened again."),
    rule_of_run("STUCK", "Something is left to happen while requests are not answered."),
};

}  // namespace rule_table

using rule_table::rules;

inline constexpr std::size_t rule_count = sizeof rules / sizeof rules[0];

/// Null when the table has no such rule.
constexpr const Rule* find_rule(std::string_view id) {
  for (const Rule& rule : rules)
    if (rule.id == id) return &rule;
  return nullptr;
}
constexpr std::size_t index_of(const Rule& rule) { return static_cast<std::size_t>(&rule - rules); }

/// A rule by its id; an id that is not in the table does not compile.
class RuleId {
 public:
  consteval RuleId(const char* id) {  // gcc 12's sanitizers take no test of a pointer for a constant
    while (rules[index_].id != std::string_view(id))
      if (++index_ == rule_count) throw "this rule is not in the table";
  }
  constexpr const Rule& operator*() const { return rules[index_]; }

 private:
  std::size_t index_ = 0;
};

}  // namespace vmbsim
