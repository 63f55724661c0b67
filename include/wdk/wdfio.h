#pragma once
/// I/O queues: how requests reach the driver.
/// Source: Windows driver documentation (DDI, wdfio.h), "Framework Queue Objects", "Managing I/O Queues", "Using
/// Power-Managed I/O Queues".
#include "wdfobject.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Sequential: one request at a time. Parallel: as they come. Manual: the driver asks for them.
typedef enum _WDF_IO_QUEUE_DISPATCH_TYPE {
  WdfIoQueueDispatchInvalid = 0,
  WdfIoQueueDispatchSequential = 1,
  WdfIoQueueDispatchParallel = 2,
  WdfIoQueueDispatchManual = 3,
  WdfIoQueueDispatchMax = 4
} WDF_IO_QUEUE_DISPATCH_TYPE;

typedef enum _WDF_IO_QUEUE_STATE {
  WdfIoQueueAcceptRequests = 0x01,
  WdfIoQueueDispatchRequests = 0x02,
  WdfIoQueueNoRequests = 0x04,
  WdfIoQueueDriverNoRequests = 0x08,
  WdfIoQueuePnpHeld = 0x10
} WDF_IO_QUEUE_STATE;

#define WDF_IO_QUEUE_IDLE(State) \
  ((BOOLEAN)(((State)&WdfIoQueueNoRequests) != 0 && ((State)&WdfIoQueueDriverNoRequests) != 0))
#define WDF_IO_QUEUE_READY(State)                                                                    \
  ((BOOLEAN)(((State)&WdfIoQueueDispatchRequests) != 0 && ((State)&WdfIoQueueAcceptRequests) != 0 && \
             ((State)&WdfIoQueuePnpHeld) == 0))
#define WDF_IO_QUEUE_STOPPED(State)                                                                  \
  ((BOOLEAN)(((State)&WdfIoQueueDispatchRequests) == 0 && ((State)&WdfIoQueueAcceptRequests) != 0 && \
             ((State)&WdfIoQueueDriverNoRequests) != 0))
#define WDF_IO_QUEUE_DRAINED(State)                                                                  \
  ((BOOLEAN)(((State)&WdfIoQueueAcceptRequests) == 0 && ((State)&WdfIoQueueDispatchRequests) != 0 && \
             WDF_IO_QUEUE_IDLE(State)))
#define WDF_IO_QUEUE_PURGED(State) ((BOOLEAN)(((State)&WdfIoQueueAcceptRequests) == 0 && WDF_IO_QUEUE_IDLE(State)))

/// Why EvtIoStop is called.
typedef enum _WDF_REQUEST_STOP_ACTION_FLAGS {
  WdfRequestStopActionInvalid = 0,
  WdfRequestStopActionSuspend = 0x01,
  WdfRequestStopActionPurge = 0x2,
  WdfRequestStopRequestCancelable = 0x10000000
} WDF_REQUEST_STOP_ACTION_FLAGS;

// Request handlers: the request is the driver's until it completes or forwards it. IRQL: at or below DISPATCH_LEVEL;
// PASSIVE_LEVEL when the execution level is passive. Source: EVT_WDF_IO_QUEUE_IO_READ and its siblings.
typedef VOID EVT_WDF_IO_QUEUE_IO_DEFAULT(_In_ WDFQUEUE Queue, _In_ WDFREQUEST Request);
typedef EVT_WDF_IO_QUEUE_IO_DEFAULT* PFN_WDF_IO_QUEUE_IO_DEFAULT;
typedef VOID EVT_WDF_IO_QUEUE_IO_READ(_In_ WDFQUEUE Queue, _In_ WDFREQUEST Request, _In_ size_t Length);
typedef EVT_WDF_IO_QUEUE_IO_READ* PFN_WDF_IO_QUEUE_IO_READ;
typedef VOID EVT_WDF_IO_QUEUE_IO_WRITE(_In_ WDFQUEUE Queue, _In_ WDFREQUEST Request, _In_ size_t Length);
typedef EVT_WDF_IO_QUEUE_IO_WRITE* PFN_WDF_IO_QUEUE_IO_WRITE;
typedef VOID EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL(_In_ WDFQUEUE Queue, _In_ WDFREQUEST Request,
                                                _In_ size_t OutputBufferLength, _In_ size_t InputBufferLength,
                                                _In_ ULONG IoControlCode);
typedef EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL* PFN_WDF_IO_QUEUE_IO_DEVICE_CONTROL;
typedef EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL EVT_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL;
typedef EVT_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL* PFN_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL;
/// The device leaves D0 and the driver has the request: it completes it or calls WdfRequestStopAcknowledge.
/// Source: EVT_WDF_IO_QUEUE_IO_STOP.
typedef VOID EVT_WDF_IO_QUEUE_IO_STOP(_In_ WDFQUEUE Queue, _In_ WDFREQUEST Request, _In_ ULONG ActionFlags);
typedef EVT_WDF_IO_QUEUE_IO_STOP* PFN_WDF_IO_QUEUE_IO_STOP;
/// The device is back in D0 and the driver kept the request. Source: EVT_WDF_IO_QUEUE_IO_RESUME.
typedef VOID EVT_WDF_IO_QUEUE_IO_RESUME(_In_ WDFQUEUE Queue, _In_ WDFREQUEST Request);
typedef EVT_WDF_IO_QUEUE_IO_RESUME* PFN_WDF_IO_QUEUE_IO_RESUME;
/// A request that the driver had put back into a queue was cancelled there; the driver completes it.
/// Source: EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE.
typedef VOID EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE(_In_ WDFQUEUE Queue, _In_ WDFREQUEST Request);
typedef EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE* PFN_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE;
/// Source: EVT_WDF_IO_QUEUE_STATE.
typedef VOID EVT_WDF_IO_QUEUE_STATE(_In_ WDFQUEUE Queue, _In_ WDFCONTEXT Context);
typedef EVT_WDF_IO_QUEUE_STATE* PFN_WDF_IO_QUEUE_STATE;

typedef struct _WDF_IO_QUEUE_CONFIG {
  ULONG Size;
  WDF_IO_QUEUE_DISPATCH_TYPE DispatchType;
  WDF_TRI_STATE PowerManaged;  // by default: unless the device is a filter
  BOOLEAN AllowZeroLengthRequests;
  BOOLEAN DefaultQueue;
  PFN_WDF_IO_QUEUE_IO_DEFAULT EvtIoDefault;
  PFN_WDF_IO_QUEUE_IO_READ EvtIoRead;
  PFN_WDF_IO_QUEUE_IO_WRITE EvtIoWrite;
  PFN_WDF_IO_QUEUE_IO_DEVICE_CONTROL EvtIoDeviceControl;
  PFN_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL EvtIoInternalDeviceControl;
  PFN_WDF_IO_QUEUE_IO_STOP EvtIoStop;
  PFN_WDF_IO_QUEUE_IO_RESUME EvtIoResume;
  PFN_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE EvtIoCanceledOnQueue;
  union {
    struct {
      ULONG NumberOfPresentedRequests;
    } Parallel;
  } Settings;
  WDFDRIVER Driver;
} WDF_IO_QUEUE_CONFIG, *PWDF_IO_QUEUE_CONFIG;

FORCEINLINE VOID WDF_IO_QUEUE_CONFIG_INIT(_Out_ PWDF_IO_QUEUE_CONFIG Config,
                                          _In_ WDF_IO_QUEUE_DISPATCH_TYPE DispatchType) {
  RtlZeroMemory(Config, sizeof(WDF_IO_QUEUE_CONFIG));
  Config->Size = sizeof(WDF_IO_QUEUE_CONFIG);
  Config->PowerManaged = WdfUseDefault;
  Config->DispatchType = DispatchType;
  if (DispatchType == WdfIoQueueDispatchParallel) Config->Settings.Parallel.NumberOfPresentedRequests = (ULONG)-1;
}
FORCEINLINE VOID WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(_Out_ PWDF_IO_QUEUE_CONFIG Config,
                                                        _In_ WDF_IO_QUEUE_DISPATCH_TYPE DispatchType) {
  WDF_IO_QUEUE_CONFIG_INIT(Config, DispatchType);
  Config->DefaultQueue = TRUE;
}

/// Request types, as queues tell them apart.
typedef enum _WDF_REQUEST_TYPE {
  WdfRequestTypeCreate = 0x0,
  WdfRequestTypeClose = 0x2,
  WdfRequestTypeRead = 0x3,
  WdfRequestTypeWrite = 0x4,
  WdfRequestTypeDeviceControl = 0xE,
  WdfRequestTypeDeviceControlInternal = 0xF
} WDF_REQUEST_TYPE;

// IRQL: at or below DISPATCH_LEVEL; PASSIVE_LEVEL for those that end in Synchronously.
/// STATUS_UNSUCCESSFUL when the device has a default queue already; STATUS_INVALID_PARAMETER when no handler is given.
/// Source: WdfIoQueueCreate.
_Must_inspect_result_ NTSTATUS WdfIoQueueCreate(_In_ WDFDEVICE Device, _In_ PWDF_IO_QUEUE_CONFIG Config,
                                                _In_opt_ PWDF_OBJECT_ATTRIBUTES QueueAttributes,
                                                _Out_opt_ WDFQUEUE* Queue);
/// Sends all requests of a type to a queue. Source: WdfDeviceConfigureRequestDispatching.
_Must_inspect_result_ NTSTATUS WdfDeviceConfigureRequestDispatching(_In_ WDFDEVICE Device, _In_ WDFQUEUE Queue,
                                                                    _In_ WDF_REQUEST_TYPE RequestType);
/// Source: WdfIoQueueGetState.
WDF_IO_QUEUE_STATE WdfIoQueueGetState(_In_ WDFQUEUE Queue, _Out_opt_ PULONG QueueRequests,
                                      _Out_opt_ PULONG DriverRequests);
/// Source: WdfIoQueueGetDevice.
WDFDEVICE WdfIoQueueGetDevice(_In_ WDFQUEUE Queue);
/// Accepts and delivers again. Source: WdfIoQueueStart.
VOID WdfIoQueueStart(_In_ WDFQUEUE Queue);
/// Delivers nothing more, keeps accepting; StopComplete when the driver has no request any more. Source: WdfIoQueueStop.
VOID WdfIoQueueStop(_In_ WDFQUEUE Queue, _In_opt_ PFN_WDF_IO_QUEUE_STATE StopComplete, _In_opt_ WDFCONTEXT Context);
VOID WdfIoQueueStopSynchronously(_In_ WDFQUEUE Queue);
/// Accepts nothing more and delivers what is there. Source: WdfIoQueueDrain.
VOID WdfIoQueueDrain(_In_ WDFQUEUE Queue, _In_opt_ PFN_WDF_IO_QUEUE_STATE DrainComplete, _In_opt_ WDFCONTEXT Context);
VOID WdfIoQueueDrainSynchronously(_In_ WDFQUEUE Queue);
/// Accepts nothing more and cancels what waits and what the driver made cancelable. Source: WdfIoQueuePurge.
VOID WdfIoQueuePurge(_In_ WDFQUEUE Queue, _In_opt_ PFN_WDF_IO_QUEUE_STATE PurgeComplete, _In_opt_ WDFCONTEXT Context);
VOID WdfIoQueuePurgeSynchronously(_In_ WDFQUEUE Queue);
/// STATUS_NO_MORE_ENTRIES when it is empty, STATUS_WDF_PAUSED when the device is not in D0. Source:
/// WdfIoQueueRetrieveNextRequest.
_Must_inspect_result_ NTSTATUS WdfIoQueueRetrieveNextRequest(_In_ WDFQUEUE Queue, _Out_ WDFREQUEST* OutRequest);
/// Told when an empty manual queue gets its first request. Source: WdfIoQueueReadyNotify.
_Must_inspect_result_ NTSTATUS WdfIoQueueReadyNotify(_In_ WDFQUEUE Queue, _In_opt_ PFN_WDF_IO_QUEUE_STATE QueueReady,
                                                     _In_opt_ WDFCONTEXT Context);

#ifdef __cplusplus
}  // extern "C"
#endif
