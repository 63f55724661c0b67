#pragma once
/// Device objects and the tables of functions that drivers hand to each other.
/// Source: the wdm.h pages of DEVICE_OBJECT and INTERFACE.
#include "../ntdef.h"

EXTERN_C_START

typedef struct _DRIVER_OBJECT *PDRIVER_OBJECT;

/// Only the members below exist; DeviceExtension is the driver's own, Simulator belongs to vmbsim.
typedef struct _DEVICE_OBJECT {
  CSHORT Type;
  USHORT Size;
  LONG ReferenceCount;
  PDRIVER_OBJECT DriverObject;
  PVOID DeviceExtension;
  PVOID Simulator;
} DEVICE_OBJECT, *PDEVICE_OBJECT;

typedef VOID INTERFACE_REFERENCE(PVOID Context);
typedef VOID INTERFACE_DEREFERENCE(PVOID Context);
typedef INTERFACE_REFERENCE *PINTERFACE_REFERENCE;
typedef INTERFACE_DEREFERENCE *PINTERFACE_DEREFERENCE;

/// The head of every table of functions that one driver hands to another.
typedef struct _INTERFACE {
  USHORT Size;
  USHORT Version;
  PVOID Context;
  PINTERFACE_REFERENCE InterfaceReference;
  PINTERFACE_DEREFERENCE InterfaceDereference;
} INTERFACE, *PINTERFACE;

EXTERN_C_END
