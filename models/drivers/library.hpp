#pragma once
/// Drivers that somebody else wrote: a library with a DriverEntry, loaded into a partition as Windows loads a driver.
///
/// DriverLibrary  one library in one partition: DriverEntry runs once, and every channel is a device of its own
/// LibraryServer  the host end of a channel: its device is added and started
/// LibraryClient  the guest end: the same, and requests go to its read and write queues
///
/// Findings  "DRIVER": the library cannot be loaded, or refuses its device. "IO": it failed a request.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/drivers/request.hpp"
#include "models/kmdf/io_request.hpp"
#include "models/kmdf/pnp.hpp"
#include "sim/foreign/library.hpp"

namespace vmbsim::drivers {

class DriverLibrary {
 public:
  /// What a library that `vmbsim_add_driver` made exports, beside DriverEntry: the version it was built for.
  static constexpr const char* stamp = "vmbsim_driver_for";

  /// Opens the file; DriverEntry runs with the first device.
  DriverLibrary(os::Partition& partition, const std::string& file);

  const std::string& file() const { return file_; }
  /// Null when the file could not be opened.
  const foreign::Library* library() const { return library_.get(); }
  /// Adds and starts a device; null after a finding. In a thread of the partition.
  kmdf::DeviceNode* bring_up(kmcl::Device& device);
  /// The top of a device's stack; the library's to close.
  kmdf::IoPort& open_port(kmdf::DeviceNode& node) { return *ports_.emplace_back(std::make_unique<kmdf::IoPort>(node)); }
  /// Takes every device away and unloads it; what it leaves behind are findings. In a thread of the partition.
  void unload();

 private:
  os::Partition& partition_;
  std::string file_;
  std::unique_ptr<foreign::Library> library_;
  kmdf::PnpManager manager_;
  kmdf::LoadedDriver* driver_ = nullptr;
  std::vector<std::unique_ptr<kmdf::IoPort>> ports_;
};

/// Why a file is no driver library that this version can load: looked at in a child process, for its initialisers are not ours.
/// Nothing when it is one.
std::optional<std::string> wrong_with_driver(const std::string& file);

class LibraryServer final : public Driver {
 public:
  LibraryServer(DriverLibrary& library, kmcl::Device& device) : library_(library), device_(device) {}
  void start() override { node_ = library_.bring_up(device_); }
  /// The top of its device's stack, opened when it is asked for first; null where the device did not come up.
  kmdf::IoPort* port() {
    if (port_ == nullptr && node_ != nullptr) port_ = &library_.open_port(*node_);
    return port_;
  }

 private:
  DriverLibrary& library_;
  kmcl::Device& device_;
  kmdf::DeviceNode* node_ = nullptr;
  kmdf::IoPort* port_ = nullptr;
};

class LibraryClient final : public Driver, public RequestPort {
 public:
  struct Config {
    DriverLibrary& library;
    kmcl::Device& device;
    ReadyListener& ready;
    std::uint64_t most_failed =
        0;  ///< failed requests that end the run, which waits for as many to succeed; 0: any number
  };
  explicit LibraryClient(const Config& config);
  void start() override;
  void submit(Request& request) override;
  /// Nothing is handed down any more, and what is under way is over without an answer.
  void stop() override { stopped_ = true; }

 private:
  struct Slot {
    kmdf::IoRequest io;
    LibraryClient* client;
    Request* request;
  };
  bool send(Request& request);
  void on_done(Slot& slot);

  Config config_;
  kmdf::IoPort* port_ = nullptr;  // once the device is started
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> spare_;
  RequestQueue waiting_;  // for memory
  std::uint64_t failed_ = 0;
  bool told_ready_ = false;
  bool stopped_ = false;
};

}  // namespace vmbsim::drivers
