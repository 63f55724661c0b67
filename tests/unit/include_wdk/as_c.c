#include <initguid.h>

#include "as_seen.h"

#if __STDC_VERSION__ != 201112L
#error "this file stands for drivers that are written in C11"
#endif

// {9a5b1d0e-2c3f-4e61-8a7b-0102030405fe}
DEFINE_GUID(DEFINED_IN_C, 0x9a5b1d0e, 0x2c3f, 0x4e61, 0x8a, 0x7b, 0x01, 0x02, 0x03, 0x04, 0x05, 0xfe);

const struct Seen seen_in_c[] = {SEEN_ROWS};
const size_t seen_in_c_count = ARRAYSIZE(seen_in_c);

typedef struct _REQUEST {
  ULONG Number;
  LIST_ENTRY Link;
} REQUEST;

size_t queue_in_c(ULONG left[4]) {
  REQUEST requests[4];
  LIST_ENTRY head;
  size_t count = 0;
  InitializeListHead(&head);
  for (ULONG i = 0; i < 4; ++i) {
    requests[i].Number = i;
    if (i == 0)
      InsertHeadList(&head, &requests[i].Link);
    else
      InsertTailList(&head, &requests[i].Link);
  }
  RemoveEntryList(&requests[2].Link);
  while (!IsListEmpty(&head)) left[count++] = CONTAINING_RECORD(RemoveHeadList(&head), REQUEST, Link)->Number;
  return count;
}

LONG count_in_c(LONG volatile *counter) {
  InterlockedIncrement(counter);
  return InterlockedAdd(counter, 40);
}

static NTSTATUS opened(VMBCHANNEL channel) {
  UNREFERENCED_PARAMETER(channel);
  return STATUS_SUCCESS;
}

void initialise_in_c(PVMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks) {
  VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(callbacks);
  callbacks->EvtChannelOpened = opened;
}

void name_in_c(PUNICODE_STRING name) { RtlInitUnicodeString(name, u"Storage"); }
