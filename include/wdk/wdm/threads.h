#pragma once
/// Work items and system threads.
/// Source: WDK, "System Worker Threads" and "Windows Kernel-Mode Process and Thread Manager"; the wdm.h page of each function.
#include "device.h"
#include "waiting.h"

EXTERN_C_START

typedef enum _WORK_QUEUE_TYPE {
  CriticalWorkQueue = 0,
  DelayedWorkQueue = 1,
  HyperCriticalWorkQueue = 2,
  NormalWorkQueue = 3,
  BackgroundWorkQueue = 4,
  RealTimeWorkQueue = 5,
  SuperCriticalWorkQueue = 6,
  MaximumWorkQueue = 7,
  CustomPriorityWorkQueue = 32
} WORK_QUEUE_TYPE;

typedef struct _IO_WORKITEM *PIO_WORKITEM;

/// Runs at PASSIVE_LEVEL in a system thread and returns at PASSIVE_LEVEL.
typedef VOID IO_WORKITEM_ROUTINE(_In_ PDEVICE_OBJECT DeviceObject, _In_opt_ PVOID Context);
typedef IO_WORKITEM_ROUTINE *PIO_WORKITEM_ROUTINE;

/// NULL when there is no memory. IRQL: at or below DISPATCH_LEVEL.
_Must_inspect_result_ _IRQL_requires_max_(DISPATCH_LEVEL)
NTKERNELAPI PIO_WORKITEM IoAllocateWorkItem(_In_ PDEVICE_OBJECT DeviceObject);
/// An item must not be queued while it is queued; it leaves the queue before its routine runs.
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    IoQueueWorkItem(_Inout_ PIO_WORKITEM IoWorkItem, _In_ PIO_WORKITEM_ROUTINE WorkerRoutine,
                    _In_ WORK_QUEUE_TYPE QueueType, _In_opt_ PVOID Context);
/// Only while the item is not queued. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID IoFreeWorkItem(_In_ PIO_WORKITEM IoWorkItem);

typedef struct _OBJECT_ATTRIBUTES {
  ULONG Length;
  HANDLE RootDirectory;
  PUNICODE_STRING ObjectName;
  ULONG Attributes;
  PVOID SecurityDescriptor;
  PVOID SecurityQualityOfService;
} OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;

typedef struct _CLIENT_ID {
  HANDLE UniqueProcess;
  HANDLE UniqueThread;
} CLIENT_ID, *PCLIENT_ID;

#define THREAD_ALL_ACCESS 0x1FFFFFu

typedef VOID KSTART_ROUTINE(_In_ PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;

/// Starts a thread at PASSIVE_LEVEL. IRQL: PASSIVE_LEVEL.
_IRQL_requires_(PASSIVE_LEVEL) NTKERNELAPI NTSTATUS
    PsCreateSystemThread(_Out_ PHANDLE ThreadHandle, _In_ ULONG DesiredAccess,
                         _In_opt_ POBJECT_ATTRIBUTES ObjectAttributes, _In_opt_ HANDLE ProcessHandle,
                         _Out_opt_ PCLIENT_ID ClientId, _In_ PKSTART_ROUTINE StartRoutine, _In_opt_ PVOID StartContext);
/// Ends the calling system thread; does not return. IRQL: PASSIVE_LEVEL.
_IRQL_requires_(PASSIVE_LEVEL) NTKERNELAPI NTSTATUS PsTerminateSystemThread(_In_ NTSTATUS ExitStatus);

/// A work item's routine that also receives the work item, so that it can free it.
typedef VOID IO_WORKITEM_ROUTINE_EX(_In_ PVOID IoObject, _In_opt_ PVOID Context, _In_ PIO_WORKITEM IoWorkItem);
typedef IO_WORKITEM_ROUTINE_EX *PIO_WORKITEM_ROUTINE_EX;
/// As IoQueueWorkItem. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    IoQueueWorkItemEx(_Inout_ PIO_WORKITEM IoWorkItem, _In_ PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
                      _In_ WORK_QUEUE_TYPE QueueType, _In_opt_ PVOID Context);

typedef VOID WORKER_THREAD_ROUTINE(_In_ PVOID Parameter);
typedef WORKER_THREAD_ROUTINE *PWORKER_THREAD_ROUTINE;

/// A work item in the driver's own memory. SimulatorData belongs to vmbsim.
typedef struct _WORK_QUEUE_ITEM {
  LIST_ENTRY List;
  PWORKER_THREAD_ROUTINE WorkerRoutine;
  PVOID Parameter;
  PVOID SimulatorData[3];
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;

/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    ExInitializeWorkItem(_Out_ PWORK_QUEUE_ITEM Item, _In_ PWORKER_THREAD_ROUTINE Routine, _In_opt_ PVOID Context);
/// An item must not be queued while it is queued. IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI VOID
    ExQueueWorkItem(_Inout_ PWORK_QUEUE_ITEM WorkItem, _In_ WORK_QUEUE_TYPE QueueType);

#define OBJ_INHERIT 0x00000002u
#define OBJ_CASE_INSENSITIVE 0x00000040u
#define OBJ_KERNEL_HANDLE 0x00000200u
#define InitializeObjectAttributes(p, n, a, r, s)                                                                   \
  ((p)->Length = sizeof(OBJECT_ATTRIBUTES), (p)->RootDirectory = (r), (p)->Attributes = (a), (p)->ObjectName = (n), \
   (p)->SecurityDescriptor = (s), (p)->SecurityQualityOfService = NULL)
#define SYNCHRONIZE 0x00100000u

typedef ULONG ACCESS_MASK, *PACCESS_MASK;
typedef struct _KTHREAD *PKTHREAD, *PRKTHREAD;
typedef struct _KTHREAD *PETHREAD;
typedef struct _OBJECT_TYPE *POBJECT_TYPE;
typedef struct _OBJECT_HANDLE_INFORMATION *POBJECT_HANDLE_INFORMATION;
extern POBJECT_TYPE *PsThreadType;

/// A pointer to a thread from its handle, to be waited for; the thread object lives until it is dereferenced.
/// STATUS_INVALID_HANDLE, or STATUS_OBJECT_TYPE_MISMATCH when ObjectType is not that of the object. IRQL: PASSIVE_LEVEL.
_IRQL_requires_max_(PASSIVE_LEVEL) NTKERNELAPI NTSTATUS
    ObReferenceObjectByHandle(_In_ HANDLE Handle, _In_ ACCESS_MASK DesiredAccess, _In_opt_ POBJECT_TYPE ObjectType,
                              _In_ KPROCESSOR_MODE AccessMode, _Out_ PVOID *Object,
                              _Out_opt_ POBJECT_HANDLE_INFORMATION HandleInformation);
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI LONG_PTR ObfReferenceObject(_In_ PVOID Object);
/// IRQL: at or below DISPATCH_LEVEL.
_IRQL_requires_max_(DISPATCH_LEVEL) NTKERNELAPI LONG_PTR ObfDereferenceObject(_In_ PVOID Object);
#define ObReferenceObject(Object) ObfReferenceObject(Object)
#define ObDereferenceObject(Object) ObfDereferenceObject(Object)
/// STATUS_INVALID_HANDLE when there is no such handle. IRQL: PASSIVE_LEVEL.
_IRQL_requires_max_(PASSIVE_LEVEL) NTKERNELAPI NTSTATUS ZwClose(_In_ HANDLE Handle);

/// IRQL: at or below DISPATCH_LEVEL; in a DPC or an ISR the thread that it interrupted is not told, the answer is NULL.
NTKERNELAPI PKTHREAD KeGetCurrentThread(VOID);
#define PsGetCurrentThread() KeGetCurrentThread()
#define LOW_PRIORITY 0
#define LOW_REALTIME_PRIORITY 16
#define HIGH_PRIORITY 31
/// 1 to 31; returns the priority before. IRQL: PASSIVE_LEVEL.
_IRQL_requires_(PASSIVE_LEVEL) NTKERNELAPI KPRIORITY
    KeSetPriorityThread(_Inout_ PKTHREAD Thread, _In_ KPRIORITY Priority);
/// IRQL: PASSIVE_LEVEL.
_IRQL_requires_(PASSIVE_LEVEL) NTKERNELAPI KPRIORITY KeQueryPriorityThread(_In_ PKTHREAD Thread);

EXTERN_C_END
