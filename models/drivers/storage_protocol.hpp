#pragma once
/// What a storage client and a storage server say to each other: 64 bytes each way, as long as a SCSI request block with its
/// header is on a real channel.
/// Source: Linux, storvsc_drv.c: vstor_packet, 12 bytes of header and 52 of request block.
#include "ntdef.h"

namespace vmbsim::drivers {

enum StorageOperation : UINT32 { StorageRead = 0, StorageWrite = 1, StorageFlush = 2 };

struct StorageRequest {
  UINT32 Operation;
  UINT32 Length;      ///< bytes of external data
  UINT64 Offset;      ///< on the disk
  INT64 ServiceTime;  ///< nanoseconds as recorded in a trace; negative: the disk's own
  UINT8 Reserved[40];
};

struct StorageReply {
  NTSTATUS Status;
  UINT32 Length;  ///< bytes moved
  UINT8 Reserved[56];
};

static_assert(sizeof(StorageRequest) == 64 && sizeof(StorageReply) == 64);

}  // namespace vmbsim::drivers
