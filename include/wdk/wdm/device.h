#pragma once
/// Device objects and the tables of functions that drivers hand to each other.
/// Source: the wdm.h pages of DEVICE_OBJECT, INTERFACE and CTL_CODE.
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

// Codes of device controls: type of the device, access, the driver's own number, and how buffers travel.
// Source: WDK, "Defining I/O Control Codes".
#define CTL_CODE(DeviceType, Function, Method, Access) \
  (((ULONG)(DeviceType) << 16) | ((ULONG)(Access) << 14) | ((ULONG)(Function) << 2) | (ULONG)(Method))
#define METHOD_BUFFERED 0
#define METHOD_IN_DIRECT 1
#define METHOD_OUT_DIRECT 2
#define METHOD_NEITHER 3
#define FILE_ANY_ACCESS 0
#define FILE_READ_ACCESS 1
#define FILE_WRITE_ACCESS 2
#define FILE_DEVICE_UNKNOWN 0x00000022

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
