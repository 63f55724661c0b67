#pragma once
// What the C side of this test reports to the C++ side.
#include <vmbuskernelmodeclientlibapi.h>

#include "documented.h"

#ifdef __cplusplus
extern "C" {
#endif

struct Seen {
  const char *what;
  unsigned long long value;
  unsigned long long documented;
};

extern const struct Seen seen_in_c[];
extern const size_t seen_in_c_count;

// One row for every documented number, in the language that includes this file.
#define SEEN_STATUS(name, number) {#name, (ULONG)(name), (number)},
#define SEEN_VALUE(name, number) {#name, (unsigned long long)(name), (number)},
#define SEEN_SIZE(type, number) {"sizeof " #type, sizeof(type), (number)},
#define SEEN_OFFSET(type, field, number) {#type "." #field, offsetof(type, field), (number)},
#define SEEN_ROWS                                                                        \
  DOCUMENTED_STATUSES(SEEN_STATUS) DOCUMENTED_VALUES(SEEN_VALUE) DOCUMENTED_SIZES(SEEN_SIZE) \
  DOCUMENTED_OFFSETS(SEEN_OFFSET)

// A queue through the C side's inline list functions: puts 1, 2, 3 at the tail and 0 at the head, takes 2 out of the
// middle, and writes what is left in order; returns how many.
size_t queue_in_c(ULONG left[4]);
// Increments once and adds 40, each interlocked; returns the sum.
LONG count_in_c(LONG volatile *counter);
// A driver's five callbacks, initialised in C.
void initialise_in_c(PVMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks);
// L"Storage" of a file compiled with -fshort-wchar, and u"Storage" of one compiled without.
void name_with_short_wchar(PUNICODE_STRING name);
void name_in_c(PUNICODE_STRING name);
// The GUID that as_c.c defines.
extern const GUID DEFINED_IN_C;

#ifdef __cplusplus
}
#endif
