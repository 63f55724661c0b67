#pragma once
/// What the layer above a driver asks of a device, and the port it asks through.
#include <array>
#include <cstdint>

#include "vmbsim/bytes.hpp"
#include "wdf.h"

namespace vmbsim::kmdf {

class DeviceNode;
class Request;

/// One request. It stays the caller's until `done`.
struct IoRequest {
  WDF_REQUEST_TYPE type = WdfRequestTypeRead;
  Bytes size;        ///< of a read or a write, or of the output of a device control
  Bytes input_size;  ///< of a device control's input
  std::int64_t offset = 0;
  ULONG io_control_code = 0;
  void (*done)(IoRequest&) = nullptr;  ///< in the completing context, at or below DISPATCH_LEVEL; may submit again
  void* owner = nullptr;               ///< for `done`

  NTSTATUS status = STATUS_SUCCESS;  ///< when it is done
  ULONG_PTR information = 0;         ///< bytes transferred

  PVOID buffer = nullptr;      ///< in the partition's memory, while it is under way; the port's
  PMDL mdl = nullptr;          ///< describes the buffer
  Request* request = nullptr;  ///< the framework's
  void* slot = nullptr;        ///< the port's
};

/// The top of a device's stack: gives every request a buffer in the partition's memory and hands it to the driver.
class IoPort {
 public:
  explicit IoPort(DeviceNode& node) : node_(node) {}
  /// False, and nothing is done, when the partition has no memory for the buffer. In a context of the partition, at or below
  /// DISPATCH_LEVEL; `done` may run inside.
  [[nodiscard]] bool submit(IoRequest& io);
  /// The request is done soon, with STATUS_CANCELLED unless the driver was faster. Nothing when it is done already.
  void cancel(IoRequest& io);
  /// What the buffer of a write will hold when it reaches the driver, or what a read has brought, is at io.buffer between
  /// prepare() and done. submit() prepares what was not prepared.
  [[nodiscard]] bool prepare(IoRequest& io);
  /// Gives the buffers back to the partition: nothing is under way, and nothing is submitted any more. In a context of the
  /// partition, at or below DISPATCH_LEVEL.
  void close();

 private:
  friend class Request;
  struct Slot {
    IoPort* port;
    PVOID buffer;
    PMDL mdl;
    std::size_t kind;  // 4 KiB << kind bytes
    Slot* next;
  };
  static void release(IoRequest& io);

  DeviceNode& node_;
  std::array<Slot*, 20> free_{};  // by kind: up to 2 GiB
};

}  // namespace vmbsim::kmdf
