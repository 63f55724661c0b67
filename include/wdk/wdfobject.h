#pragma once
/// Framework objects: attributes, context space, references, deletion.
///
/// An object is deleted with its parent, at the latest. Deleting runs EvtCleanupCallback of every object of the tree,
/// children before parents; then, where no reference is left, EvtDestroyCallback in the same order.
/// Source: Windows driver documentation (DDI, wdfobject.h), "Framework Object Life Cycle", "Framework Object Context Space".
#include "wdftypes.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The highest level at which the framework calls the driver back for an object.
typedef enum _WDF_EXECUTION_LEVEL {
  WdfExecutionLevelInvalid = 0,
  WdfExecutionLevelInheritFromParent = 1,
  WdfExecutionLevelPassive = 2,
  WdfExecutionLevelDispatch = 3
} WDF_EXECUTION_LEVEL;

/// Which callbacks exclude each other: those of a device and its queues, those of one queue, or none.
typedef enum _WDF_SYNCHRONIZATION_SCOPE {
  WdfSynchronizationScopeInvalid = 0,
  WdfSynchronizationScopeInheritFromParent = 1,
  WdfSynchronizationScopeDevice = 2,
  WdfSynchronizationScopeQueue = 3,
  WdfSynchronizationScopeNone = 4
} WDF_SYNCHRONIZATION_SCOPE;

/// The object is being deleted: the driver gives up its references. Methods on the object end here.
/// IRQL: PASSIVE_LEVEL for devices, drivers, DPCs, I/O targets, queues, strings, timers, work items and what lies in paged
/// pool; else at or below DISPATCH_LEVEL. Source: EVT_WDF_OBJECT_CONTEXT_CLEANUP.
typedef VOID EVT_WDF_OBJECT_CONTEXT_CLEANUP(_In_ WDFOBJECT Object);
typedef EVT_WDF_OBJECT_CONTEXT_CLEANUP* PFN_WDF_OBJECT_CONTEXT_CLEANUP;
/// The last reference is gone. IRQL: at or below DISPATCH_LEVEL. Source: EVT_WDF_OBJECT_CONTEXT_DESTROY.
typedef VOID EVT_WDF_OBJECT_CONTEXT_DESTROY(_In_ WDFOBJECT Object);
typedef EVT_WDF_OBJECT_CONTEXT_DESTROY* PFN_WDF_OBJECT_CONTEXT_DESTROY;

typedef const struct _WDF_OBJECT_CONTEXT_TYPE_INFO* PCWDF_OBJECT_CONTEXT_TYPE_INFO;
typedef PCWDF_OBJECT_CONTEXT_TYPE_INFO (*PFN_GET_UNIQUE_CONTEXT_TYPE)(VOID);

/// One type of context space; its address is its identity.
typedef struct _WDF_OBJECT_CONTEXT_TYPE_INFO {
  ULONG Size;
  PCHAR ContextName;
  size_t ContextSize;
  PCWDF_OBJECT_CONTEXT_TYPE_INFO UniqueType;
  PFN_GET_UNIQUE_CONTEXT_TYPE EvtDriverGetUniqueContextType;
} WDF_OBJECT_CONTEXT_TYPE_INFO, *PWDF_OBJECT_CONTEXT_TYPE_INFO;

typedef struct _WDF_OBJECT_ATTRIBUTES {
  ULONG Size;
  PFN_WDF_OBJECT_CONTEXT_CLEANUP EvtCleanupCallback;
  PFN_WDF_OBJECT_CONTEXT_DESTROY EvtDestroyCallback;
  WDF_EXECUTION_LEVEL ExecutionLevel;
  WDF_SYNCHRONIZATION_SCOPE SynchronizationScope;
  WDFOBJECT ParentObject;
  size_t ContextSizeOverride;  // bytes, at least those of the type; 0: those of the type
  PCWDF_OBJECT_CONTEXT_TYPE_INFO ContextTypeInfo;
} WDF_OBJECT_ATTRIBUTES, *PWDF_OBJECT_ATTRIBUTES;

FORCEINLINE VOID WDF_OBJECT_ATTRIBUTES_INIT(_Out_ PWDF_OBJECT_ATTRIBUTES Attributes) {
  RtlZeroMemory(Attributes, sizeof(WDF_OBJECT_ATTRIBUTES));
  Attributes->Size = sizeof(WDF_OBJECT_ATTRIBUTES);
  Attributes->ExecutionLevel = WdfExecutionLevelInheritFromParent;
  Attributes->SynchronizationScope = WdfSynchronizationScopeInheritFromParent;
}

#define WDF_TYPE_NAME_TO_TYPE_INFO(_contexttype) _WDF_##_contexttype##_TYPE_INFO
#define WDF_TYPE_NAME_POINTER_TYPE(_contexttype) WDF_POINTER_TYPE_##_contexttype
#define WDF_GET_CONTEXT_TYPE_INFO(_contexttype) (&WDF_TYPE_NAME_TO_TYPE_INFO(_contexttype))
#define WDF_OBJECT_ATTRIBUTES_SET_CONTEXT_TYPE(_attributes, _contexttype) \
  (_attributes)->ContextTypeInfo = WDF_GET_CONTEXT_TYPE_INFO(_contexttype)->UniqueType
#define WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(_attributes, _contexttype) \
  WDF_OBJECT_ATTRIBUTES_INIT(_attributes);                                 \
  WDF_OBJECT_ATTRIBUTES_SET_CONTEXT_TYPE(_attributes, _contexttype)

/// Declares a context type and the function that finds it on a handle.
#define WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(_contexttype, _castingfunction)                       \
  typedef _contexttype* WDF_TYPE_NAME_POINTER_TYPE(_contexttype);                                \
  EXTERN_C const WDF_OBJECT_CONTEXT_TYPE_INFO WDF_TYPE_NAME_TO_TYPE_INFO(_contexttype)           \
      __attribute__((weak, visibility("hidden")));                                               \
  const WDF_OBJECT_CONTEXT_TYPE_INFO WDF_TYPE_NAME_TO_TYPE_INFO(_contexttype) = {                \
      sizeof(WDF_OBJECT_CONTEXT_TYPE_INFO), (PCHAR) #_contexttype, sizeof(_contexttype),         \
      WDF_GET_CONTEXT_TYPE_INFO(_contexttype), NULL};                                            \
  FORCEINLINE WDF_TYPE_NAME_POINTER_TYPE(_contexttype) _castingfunction(_In_ WDFOBJECT Handle) { \
    return (WDF_TYPE_NAME_POINTER_TYPE(_contexttype))WdfObjectGetTypedContextWorker(             \
        Handle, WDF_GET_CONTEXT_TYPE_INFO(_contexttype)->UniqueType);                            \
  }
/// The same with the name WdfObjectGet_<type>.
#define WDF_DECLARE_CONTEXT_TYPE(_contexttype) \
  WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(_contexttype, WdfObjectGet_##_contexttype)
#define WdfObjectGetTypedContext(handle, type) \
  ((type*)WdfObjectGetTypedContextWorker((WDFOBJECT)(handle), WDF_GET_CONTEXT_TYPE_INFO(type)->UniqueType))

/// NULL when the object has no context of the type. IRQL: any. Source: WdfObjectGetTypedContextWorker.
PVOID WdfObjectGetTypedContextWorker(_In_ WDFOBJECT Handle, _In_ PCWDF_OBJECT_CONTEXT_TYPE_INFO TypeInfo);
/// The object whose context this is. IRQL: any. Source: WdfObjectContextGetObject.
WDFOBJECT WdfObjectContextGetObject(_In_ PVOID ContextPointer);
/// Adds another context; STATUS_OBJECT_NAME_EXISTS when the object has one of the type already: *Context is then that one.
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfObjectAllocateContext.
_Must_inspect_result_ NTSTATUS WdfObjectAllocateContext(_In_ WDFOBJECT Handle,
                                                        _In_ PWDF_OBJECT_ATTRIBUTES ContextAttributes,
                                                        _Outptr_opt_ PVOID* Context);

NTSTATUS VmbsimWdfObjectCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, WDFOBJECT* Object);
/// A general object. IRQL: at or below DISPATCH_LEVEL. Source: WdfObjectCreate.
FORCEINLINE NTSTATUS WdfObjectCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES Attributes, _Out_ WDFOBJECT* Object) {
  return VmbsimWdfObjectCreate(&VmbsimWdfModule, Attributes, Object);
}

/// The object cannot be destroyed until the reference is given back. IRQL: at or below DISPATCH_LEVEL.
/// Source: WdfObjectReferenceActual.
VOID WdfObjectReferenceActual(_In_ WDFOBJECT Handle, _In_opt_ PVOID Tag, _In_ LONG Line, _In_z_ PCSTR File);
/// IRQL: at or below DISPATCH_LEVEL. Source: WdfObjectDereferenceActual.
VOID WdfObjectDereferenceActual(_In_ WDFOBJECT Handle, _In_opt_ PVOID Tag, _In_ LONG Line, _In_z_ PCSTR File);
#define WdfObjectReference(Handle) WdfObjectReferenceActual(Handle, NULL, __LINE__, __FILE__)
#define WdfObjectReferenceWithTag(Handle, Tag) WdfObjectReferenceActual(Handle, Tag, __LINE__, __FILE__)
#define WdfObjectDereference(Handle) WdfObjectDereferenceActual(Handle, NULL, __LINE__, __FILE__)
#define WdfObjectDereferenceWithTag(Handle, Tag) WdfObjectDereferenceActual(Handle, Tag, __LINE__, __FILE__)

/// Deletes an object and its children; not a driver, a device, a default queue or a request of the framework's. May return
/// before it is done. IRQL: at or below DISPATCH_LEVEL. Source: WdfObjectDelete.
VOID WdfObjectDelete(_In_ WDFOBJECT Object);

#ifdef __cplusplus
}  // extern "C"
#endif
