#pragma once
/// I/O requests. IRQL of every function: at or below DISPATCH_LEVEL.
/// Source: Windows driver documentation (DDI, wdfrequest.h), "Framework Request Objects", "Completing I/O Requests",
/// "Canceling I/O Requests".
#include "wdfio.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The request was cancelled while it was cancelable; the driver completes it. Source: EVT_WDF_REQUEST_CANCEL.
typedef VOID EVT_WDF_REQUEST_CANCEL(_In_ WDFREQUEST Request);
typedef EVT_WDF_REQUEST_CANCEL* PFN_WDF_REQUEST_CANCEL;

typedef struct _WDF_REQUEST_PARAMETERS {
  USHORT Size;
  UCHAR MinorFunction;
  WDF_REQUEST_TYPE Type;
  union {
    struct {
      size_t Length;
      ULONG DECLSPEC_ALIGN(8) Key;
      LONGLONG DeviceOffset;
    } Read;
    struct {
      size_t Length;
      ULONG DECLSPEC_ALIGN(8) Key;
      LONGLONG DeviceOffset;
    } Write;
    struct {
      size_t OutputBufferLength;
      size_t DECLSPEC_ALIGN(8) InputBufferLength;
      ULONG DECLSPEC_ALIGN(8) IoControlCode;
      PVOID Type3InputBuffer;
    } DeviceIoControl;
    struct {
      PVOID Arg1;
      PVOID Arg2;
      ULONG DECLSPEC_ALIGN(8) IoControlCode;
      PVOID Arg4;
    } Others;
  } Parameters;
} WDF_REQUEST_PARAMETERS, *PWDF_REQUEST_PARAMETERS;

FORCEINLINE VOID WDF_REQUEST_PARAMETERS_INIT(_Out_ PWDF_REQUEST_PARAMETERS Parameters) {
  RtlZeroMemory(Parameters, sizeof(WDF_REQUEST_PARAMETERS));
  Parameters->Size = sizeof(WDF_REQUEST_PARAMETERS);
}

/// Source: WdfRequestGetParameters.
VOID WdfRequestGetParameters(_In_ WDFREQUEST Request, _Out_ PWDF_REQUEST_PARAMETERS Parameters);
/// Ends the driver's ownership; the handle is dead unless the driver has a reference. Source: WdfRequestComplete.
VOID WdfRequestComplete(_In_ WDFREQUEST Request, _In_ NTSTATUS Status);
/// Information: bytes transferred. Source: WdfRequestCompleteWithInformation.
VOID WdfRequestCompleteWithInformation(_In_ WDFREQUEST Request, _In_ NTSTATUS Status, _In_ ULONG_PTR Information);
/// Source: WdfRequestCompleteWithPriorityBoost.
VOID WdfRequestCompleteWithPriorityBoost(_In_ WDFREQUEST Request, _In_ NTSTATUS Status, _In_ CCHAR PriorityBoost);
/// Source: WdfRequestSetInformation, WdfRequestGetInformation.
VOID WdfRequestSetInformation(_In_ WDFREQUEST Request, _In_ ULONG_PTR Information);
ULONG_PTR WdfRequestGetInformation(_In_ WDFREQUEST Request);

// Buffers: input of a write or a device control, output of a read or a device control. STATUS_INVALID_DEVICE_REQUEST for
// the wrong direction, STATUS_BUFFER_TOO_SMALL when the length is 0 or below what is required.
_Must_inspect_result_ NTSTATUS WdfRequestRetrieveInputBuffer(_In_ WDFREQUEST Request, _In_ size_t MinimumRequiredLength,
                                                             _Outptr_ PVOID* Buffer, _Out_opt_ size_t* Length);
_Must_inspect_result_ NTSTATUS WdfRequestRetrieveOutputBuffer(_In_ WDFREQUEST Request, _In_ size_t MinimumRequiredSize,
                                                              _Outptr_ PVOID* Buffer, _Out_opt_ size_t* Length);
_Must_inspect_result_ NTSTATUS WdfRequestRetrieveInputMemory(_In_ WDFREQUEST Request, _Out_ WDFMEMORY* Memory);
_Must_inspect_result_ NTSTATUS WdfRequestRetrieveOutputMemory(_In_ WDFREQUEST Request, _Out_ WDFMEMORY* Memory);
_Must_inspect_result_ NTSTATUS WdfRequestRetrieveInputWdmMdl(_In_ WDFREQUEST Request, _Outptr_ PMDL* Mdl);
_Must_inspect_result_ NTSTATUS WdfRequestRetrieveOutputWdmMdl(_In_ WDFREQUEST Request, _Outptr_ PMDL* Mdl);

/// EvtRequestCancel may run at once, when the request is cancelled already. Source: WdfRequestMarkCancelable.
VOID WdfRequestMarkCancelable(_In_ WDFREQUEST Request, _In_ PFN_WDF_REQUEST_CANCEL EvtRequestCancel);
/// STATUS_CANCELLED, and nothing is done, when the request is cancelled already. Source: WdfRequestMarkCancelableEx.
_Must_inspect_result_ NTSTATUS WdfRequestMarkCancelableEx(_In_ WDFREQUEST Request,
                                                          _In_ PFN_WDF_REQUEST_CANCEL EvtRequestCancel);
/// STATUS_CANCELLED: EvtRequestCancel has run or runs, and completes the request. STATUS_INVALID_DEVICE_REQUEST: it was not
/// cancelable. Source: WdfRequestUnmarkCancelable.
NTSTATUS WdfRequestUnmarkCancelable(_In_ WDFREQUEST Request);
/// Source: WdfRequestIsCanceled.
BOOLEAN WdfRequestIsCanceled(_In_ WDFREQUEST Request);

/// In EvtIoStop: Requeue TRUE gives the request back to the head of its queue, FALSE keeps it until EvtIoResume.
/// Source: WdfRequestStopAcknowledge.
VOID WdfRequestStopAcknowledge(_In_ WDFREQUEST Request, _In_ BOOLEAN Requeue);
/// To the tail of another queue of the device. STATUS_WDF_BUSY when it does not accept. Source: WdfRequestForwardToIoQueue.
_Must_inspect_result_ NTSTATUS WdfRequestForwardToIoQueue(_In_ WDFREQUEST Request, _In_ WDFQUEUE DestinationQueue);
/// Back to the head of the manual queue it came from. Source: WdfRequestRequeue.
_Must_inspect_result_ NTSTATUS WdfRequestRequeue(_In_ WDFREQUEST Request);
/// Source: WdfRequestGetIoQueue.
WDFQUEUE WdfRequestGetIoQueue(_In_ WDFREQUEST Request);

#ifdef __cplusplus
}  // extern "C"
#endif
