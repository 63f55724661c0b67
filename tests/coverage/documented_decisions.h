#pragma once
// How a channel goes from state to state, and what is chosen where the documents of KMCL are silent or contradict each other.
// Each sentence has a test with its number as a tag. A channel has two dimensions: it is disabled, enabled (not open) or open,
// and it is paused or active; traffic flows while it is open and active.
// Source of the transitions: KMCL DDI (vmbuskernelmodeclientlibapi.h), the header's state model and the page of each callback.

#define KMCL_TRANSITIONS(X)                                                                                            \
  X(T1, "VmbChannelAllocate makes a disabled channel; nobody is called")                                               \
  X(T2, "a disabled channel is configured; nobody is called")                                                          \
  X(T3, "VmbChannelPause on a disabled channel makes it come up paused")                                               \
  X(T4, "a server's Enable offers the channel, which is paused, and returns at once")                                  \
  X(T5, "a client's Enable takes an offer or waits for one; the channel is active; returns at once")                   \
  X(T6, "Start before the open makes the channel active; nobody is called")                                            \
  X(T7, "an active channel opens: Opened, Started, PostStarted")                                                       \
  X(T8, "a paused channel opens: Opened alone")                                                                        \
  X(T9, "an Opened that fails is the last callback: the server stays enabled, the client is disabled")                 \
  X(T10, "Start on an open and paused channel: Started, PostStarted")                                                  \
  X(T11, "Pause on an open and active channel: Suspend, then what was delivered is completed")                         \
  X(T12, "the guest closes or dies: the server's Suspend, drain and Closed; it stays offered")                         \
  X(T13, "a server's Disable: the offer is revoked; an open channel closes, with Suspend if it is active; disabled")   \
  X(T14, "a client's Disable: Suspend, drain, Closed, disabled")                                                       \
  X(T15, "the host rescinds: the client's Suspend if it is active, drain, Closed, disabled")                           \
  X(T16, "connecting fails after the device was found: the PnP failure callback, and no traffic")                      \
  X(T17, "VmbChannelCleanup on a disabled channel: gone; nobody is called")

#define KMCL_DECISIONS(X)                                                                                              \
  X(Q1, "a channel is configured while disabled; in any other state the answer is STATUS_INVALID_PARAMETER_1")         \
  X(Q2, "Started comes when a channel is both open and active, whichever is last")                                     \
  X(Q3, "after a failed Opened there is no Started and no Closed; GPADLs it made are deleted and told")                \
  X(Q4, "after a PnP failure the channel is enabled and not open; the driver disables it")                             \
  X(Q5, "without a wish: packets of 4096 bytes, no external data, no quota, rings of 16 largest packets")              \
  X(Q6, "one ProcessPacket at a time per channel, in the order of the ring")                                           \
  X(Q7, "a packet never overtakes those that wait for room, unless a policy lets it as in EMCL")                       \
  X(Q8, "a deferred packet comes again first; those behind it wait; DISPATCH_LEVEL returns when all are through")      \
  X(Q9, "PacketFail ends a packet without an answer and stops the queue until the next open")                          \
  X(Q10, "ProcessingComplete follows every pause of delivery, whatever the cause, with what was delivered")            \
  X(Q11, "a pass delivers as many packets as the batching says, then the DPC is queued again")                         \
  X(Q12, "a change of the processing level counts from the next batch on")                                             \
  X(Q13, "a packet that needs no answer is complete inside the send, in a pass, or as drawn")                          \
  X(Q14, "completion routines are not governed by the processing level")                                               \
  X(Q15, "who waits when a channel goes down is told STATUS_DEVICE_REMOVED; a timeout tells STATUS_CANCELLED")         \
  X(Q16, "KMCL ends at a close what nobody will answer: after Suspend, before Closed")                                 \
  X(Q17, "a send after the close is queued for the next round; a policy refuses it instead")                           \
  X(Q18, "lengths arrive rounded up to 8, as the wire has them; a policy keeps them exact")                            \
  X(Q19, "a ring's page count is of data pages; the control page is extra")                                            \
  X(Q20, "Pause waits for delivered packets; a policy lets it wait for sent ones too")                                 \
  X(Q21, "a synchronous request's timeout of 0 is about room; the answer is waited for without limit")                 \
  X(Q22, "an answer too large for its buffer is cut off: STATUS_BUFFER_TOO_SMALL and its size")                        \
  X(Q23, "deferred and pending packets count for the quota until they are completed, failed ones do not")              \
  X(Q24, "a rescind before the client is open calls nobody; the client goes on waiting")                               \
  X(Q25, "after a rescind the same instance is a new offer, for which the client enables again")                       \
  X(Q26, "which processor a channel interrupts is the device's configuration")                                         \
  X(Q27, "a latency delays the signal to the host by so many 100 ns; signals within it become one")                    \
  X(Q28, "saving writes one chunk for the channel and one for each packet")                                            \
  X(Q29, "a packet object takes the maximum packet size, rounded up to 8, and a fixed part")                           \
  X(Q30, "the PnP failure callback is told STATUS_DEVICE_NOT_CONNECTED, or the injected fault")                        \
  X(Q31, "what is for PASSIVE_LEVEL is refused at APC_LEVEL")                                                          \
  X(Q32, "a packet may be completed elsewhere while its callback still runs")                                          \
  X(Q33, "an answer that finds the ring full waits in the queue of the sends")                                         \
  X(Q34, "a packet deferred or pending at Suspend is presented again after Started, or dropped at the close")          \
  X(Q35, "KMCL ends the server's own transactions with STATUS_DEVICE_REMOVED before its Closed")                       \
  X(Q36, "external pages are the guest's again when the completion routine runs: after the host has drained, or at "   \
         "once when the host goes away")                                                                               \
  X(Q37, "the server has closed and unmapped before the client's Closed, in which GPADLs may be deleted")               \
  X(Q38, "inline bytes are needed until the routine runs, with PAGED_BUFFER until the send returns; an answer may "    \
         "take their place")                                                                                           \
  X(Q39, "a channel is saved while paused or not open, restored between Enable and Start")                             \
  X(Q40, "a VMBus handle says which guest is meant, and is needed where there are several")                            \
  X(Q41, "a packet keeps pointer and routine until they are set again or it is initialised")
