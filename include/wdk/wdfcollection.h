#pragma once
/// Collections and strings as framework objects.
/// Source: Windows driver documentation (DDI, wdfcollection.h, wdfstring.h), "Using Object Collections".
#include "wdfobject.h"

#ifdef __cplusplus
extern "C" {
#endif

NTSTATUS VmbsimWdfCollectionCreate(const VOID* Module, PWDF_OBJECT_ATTRIBUTES Attributes, WDFCOLLECTION* Collection);
/// IRQL: at or below DISPATCH_LEVEL, as all of a collection's functions. Source: WdfCollectionCreate.
FORCEINLINE NTSTATUS WdfCollectionCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES CollectionAttributes,
                                         _Out_ WDFCOLLECTION* Collection) {
  return VmbsimWdfCollectionCreate(&VmbsimWdfModule, CollectionAttributes, Collection);
}
/// At the end; takes a reference. Source: WdfCollectionAdd.
_Must_inspect_result_ NTSTATUS WdfCollectionAdd(_In_ WDFCOLLECTION Collection, _In_ WDFOBJECT Object);
/// Gives the reference back. Source: WdfCollectionRemove.
VOID WdfCollectionRemove(_In_ WDFCOLLECTION Collection, _In_ WDFOBJECT Item);
/// Source: WdfCollectionRemoveItem.
VOID WdfCollectionRemoveItem(_In_ WDFCOLLECTION Collection, _In_ ULONG Index);
/// Source: WdfCollectionGetCount.
ULONG WdfCollectionGetCount(_In_ WDFCOLLECTION Collection);
/// NULL beyond the end. Source: WdfCollectionGetItem.
WDFOBJECT WdfCollectionGetItem(_In_ WDFCOLLECTION Collection, _In_ ULONG Index);
/// Source: WdfCollectionGetFirstItem.
WDFOBJECT WdfCollectionGetFirstItem(_In_ WDFCOLLECTION Collection);
/// Source: WdfCollectionGetLastItem.
WDFOBJECT WdfCollectionGetLastItem(_In_ WDFCOLLECTION Collection);

NTSTATUS VmbsimWdfStringCreate(const VOID* Module, PCUNICODE_STRING UnicodeString, PWDF_OBJECT_ATTRIBUTES Attributes,
                               WDFSTRING* String);
/// A copy of the string. IRQL: PASSIVE_LEVEL. Source: WdfStringCreate.
FORCEINLINE NTSTATUS WdfStringCreate(_In_opt_ PCUNICODE_STRING UnicodeString,
                                     _In_opt_ PWDF_OBJECT_ATTRIBUTES StringAttributes, _Out_ WDFSTRING* String) {
  return VmbsimWdfStringCreate(&VmbsimWdfModule, UnicodeString, StringAttributes, String);
}
/// The object's own string, valid as long as the object. IRQL: PASSIVE_LEVEL. Source: WdfStringGetUnicodeString.
VOID WdfStringGetUnicodeString(_In_ WDFSTRING String, _Out_ PUNICODE_STRING UnicodeString);

#ifdef __cplusplus
}  // extern "C"
#endif
