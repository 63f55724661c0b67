// A framework driver in C11, as its author would write it for Windows.
#include <ntddk.h>
#include <wdf.h>

#if __STDC_VERSION__ != 201112L
#error "this file stands for drivers that are written in C11"
#endif

typedef struct _DEVICE_CONTEXT {
  WDFSPINLOCK Lock;
  WDFTIMER Timer;
  LIST_ENTRY Pending;
  ULONG Requests;
} DEVICE_CONTEXT, *PDEVICE_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(DEVICE_CONTEXT, DeviceGetContext)

typedef struct _REQUEST_CONTEXT {
  LIST_ENTRY Link;
  WDFREQUEST Request;
} REQUEST_CONTEXT, *PREQUEST_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE(REQUEST_CONTEXT)

DRIVER_INITIALIZE KmdfDriverEntry;
static EVT_WDF_DRIVER_DEVICE_ADD OnDeviceAdd;
static EVT_WDF_IO_QUEUE_IO_READ OnRead;
static EVT_WDF_TIMER OnTimer;

NTSTATUS KmdfDriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  WDF_DRIVER_CONFIG config;
  WDF_DRIVER_CONFIG_INIT(&config, OnDeviceAdd);
  return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}

static NTSTATUS OnDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit) {
  WDF_OBJECT_ATTRIBUTES attributes;
  WDF_IO_QUEUE_CONFIG queueConfig;
  WDF_TIMER_CONFIG timerConfig;
  PDEVICE_CONTEXT context;
  WDFDEVICE device;
  NTSTATUS status;
  UNREFERENCED_PARAMETER(Driver);

  WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, REQUEST_CONTEXT);
  WdfDeviceInitSetRequestAttributes(DeviceInit, &attributes);
  WdfDeviceInitSetIoType(DeviceInit, WdfDeviceIoDirect);
  WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, DEVICE_CONTEXT);
  status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
  if (!NT_SUCCESS(status)) return status;
  context = DeviceGetContext(device);
  InitializeListHead(&context->Pending);

  WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
  attributes.ParentObject = device;
  status = WdfSpinLockCreate(&attributes, &context->Lock);
  if (!NT_SUCCESS(status)) return status;
  WDF_TIMER_CONFIG_INIT(&timerConfig, OnTimer);
  status = WdfTimerCreate(&timerConfig, &attributes, &context->Timer);
  if (!NT_SUCCESS(status)) return status;
  WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queueConfig, WdfIoQueueDispatchParallel);
  queueConfig.EvtIoRead = OnRead;
  return WdfIoQueueCreate(device, &queueConfig, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
}

static VOID OnRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length) {
  PDEVICE_CONTEXT context = DeviceGetContext(WdfIoQueueGetDevice(Queue));
  PREQUEST_CONTEXT request = WdfObjectGet_REQUEST_CONTEXT(Request);
  UNREFERENCED_PARAMETER(Length);
  request->Request = Request;
  WdfSpinLockAcquire(context->Lock);
  InsertTailList(&context->Pending, &request->Link);
  context->Requests++;
  WdfSpinLockRelease(context->Lock);
  WdfTimerStart(context->Timer, WDF_REL_TIMEOUT_IN_US(100));
}

static VOID OnTimer(WDFTIMER Timer) {
  PDEVICE_CONTEXT context = DeviceGetContext(WdfTimerGetParentObject(Timer));
  for (;;) {
    PREQUEST_CONTEXT request = NULL;
    PVOID buffer;
    size_t length;
    NTSTATUS status;
    WdfSpinLockAcquire(context->Lock);
    if (!IsListEmpty(&context->Pending))
      request = CONTAINING_RECORD(RemoveHeadList(&context->Pending), REQUEST_CONTEXT, Link);
    WdfSpinLockRelease(context->Lock);
    if (request == NULL) return;
    status = WdfRequestRetrieveOutputBuffer(request->Request, 1, &buffer, &length);
    if (NT_SUCCESS(status)) RtlFillMemory(buffer, length, 0xC1);
    WdfRequestCompleteWithInformation(request->Request, status, NT_SUCCESS(status) ? length : 0);
  }
}
