#pragma once
/// A storage pair: the client describes its buffers to the host, the server hands requests to a disk and completes them later.
#include <array>
#include <memory>
#include <vector>

#include "models/drivers/client_channels.hpp"
#include "models/drivers/device_adapter.hpp"
#include "models/drivers/request.hpp"
#include "models/drivers/storage_protocol.hpp"
#include "sim/kernel/distribution.hpp"

namespace vmbsim::drivers {

/// Guest end: a 64-byte request inline and the buffer as external data; a flush has none. Typical requests have 4 KiB to
/// 1 MiB; recorded ones are sent as they were recorded, never split.
class StorageClient final : public Driver, public RequestPort {
 public:
  struct Config {
    ClientChannels::Config channels;    ///< packet and external data sizes are the driver's own business
    Bytes maximum_request;              ///< the ring must hold its description
    kernel::Distribution process_time;  ///< processor time per completed request
    kernel::Stream stream;
  };
  explicit StorageClient(Config config);
  void start() override { channels_.start(); }
  void stop() override { channels_.stop(); }
  void submit(Request& request) override;

 private:
  /// What one request needs while it is under way; used again afterwards.
  struct Slot {
    StorageClient* client;
    StorageRequest message;
    PVOID buffer;
    PMDL mdl;
    Request* request;
    std::size_t kind;  ///< its buffer has 4 KiB << kind bytes
    Slot* next;
  };
  Slot* free_slot(Bytes size);
  bool send(Request& request);
  static void on_completed(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length);

  ClientChannels channels_;
  kernel::Distribution process_time_;
  kernel::Stream stream_;
  std::array<Slot*, 20> free_{};  // by kind: up to 2 GiB
  RequestQueue waiting_;          // for memory: an overload uses all of it up
};

/// Host end of one channel.
class StorageServer final : public Driver {
 public:
  struct Config {
    kmcl::Device& device;
    DeviceAdapter& disk;
    Bytes maximum_request;
    bool passive = false;
    std::uint32_t quota = 0;          ///< 0: unlimited
    bool complete_in_worker = false;  ///< else in the disk's DPC
    bool recorded_service = false;    ///< use the service time that the request brings
    kernel::Distribution process_time;
    kernel::Stream stream;
  };
  explicit StorageServer(Config config);
  void start() override;

 private:
  struct Job {
    DeviceAdapter::Io io;
    StorageServer* server = nullptr;
    VMBPACKETCOMPLETION packet = nullptr;
    Job* next = nullptr;
  };
  static void on_packet(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 length, UINT32 flags);
  static void reply(VMBPACKETCOMPLETION packet, NTSTATUS status, UINT32 length);
  static void on_disk_done(DeviceAdapter::Io& io);
  void complete_finished();
  void finish(Job& job);

  Config config_;
  std::vector<std::unique_ptr<Job>> jobs_;
  Job* free_ = nullptr;
  Job* first_finished_ = nullptr;  // for the worker, in order
  Job* last_finished_ = nullptr;
  PIO_WORKITEM work_ = nullptr;
  bool work_queued_ = false;
};

}  // namespace vmbsim::drivers
