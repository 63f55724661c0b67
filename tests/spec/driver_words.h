#pragma once
// What driver_words.c, compiled as a driver is, does for driver_words_test.cpp.
#include <ntddk.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const ULONG tag_in_a_driver;
VOID print_in_a_driver(VOID);
VOID copy_in_a_driver(PVOID to, PCVOID from, SIZE_T bytes);
VOID assert_in_a_driver(ULONG value);
NTSTATUS name_in_a_driver(PUNICODE_STRING name);

#ifdef __cplusplus
}
#endif
