#include "models/drivers/library.hpp"

#include <fmt/format.h>

#include "sim/foreign/child.hpp"

namespace vmbsim::drivers {

namespace {

constexpr const char* version = VMBSIM_VERSION;

std::string base_name(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  return name.substr(0, name.rfind('.'));
}

/// The text that must follow the file's name; empty when there is nothing wrong.
std::string wrong_with(const foreign::Library* library, const std::string& why) {
  if (library == nullptr) return "cannot be loaded: " + why;
  const auto* built_for = static_cast<const char*>(library->symbol(DriverLibrary::stamp));
  if (built_for == nullptr) return "was not built by vmbsim_add_driver, so it may take its words for others";
  if (std::string(built_for) != version)
    return fmt::format("was built for vmbsim {}, and this is {}: build it again", built_for, version);
  if (library->symbol("DriverEntry") == nullptr) return "has no DriverEntry";
  return {};
}

}  // namespace

std::optional<std::string> wrong_with_driver(const std::string& file) {
  const foreign::Answer answer = foreign::ask_child([&file] {
    std::string why;
    const auto library = foreign::Library::load(file, why);
    return wrong_with(library.get(), why);
  });
  switch (answer.end) {
    case foreign::Answer::End::told: break;
    case foreign::Answer::End::died:
      return "crashes or exits while it is loaded: its initialisers run before DriverEntry";
    case foreign::Answer::End::endless: return "does not come to an end of its initialisers";
  }
  return answer.text.empty() ? std::nullopt : std::optional(answer.text);
}

// ---- A library in a partition ----

DriverLibrary::DriverLibrary(os::Partition& partition, const std::string& file)
    : partition_(partition), file_(file), manager_(partition) {
  std::string why;
  library_ = foreign::Library::load(file, why);
  const std::string wrong = wrong_with(library_.get(), why);
  if (wrong.empty()) return;
  partition_.findings().add("DRIVER", BugCheck::none, base_name(file), file + " " + wrong);
  library_.reset();
}

kmdf::DeviceNode* DriverLibrary::bring_up(kmcl::Device& device) {
  if (library_ == nullptr) return nullptr;
  NTSTATUS status = STATUS_SUCCESS;
  if (driver_ == nullptr) {
    const auto entry = reinterpret_cast<PDRIVER_INITIALIZE>(library_->symbol("DriverEntry"));
    driver_ = &manager_.load(base_name(file_), entry, &status);
    if (!NT_SUCCESS(status))
      partition_.findings().add("DRIVER", BugCheck::none, driver_->name(),
                                fmt::format("DriverEntry failed with {:#010x}", static_cast<std::uint32_t>(status)));
  }
  if (!driver_->loaded()) return nullptr;
  kmdf::DeviceNode* node = manager_.bring_up(*driver_, device, &status);
  if (node == nullptr)
    partition_.findings().add(
        "DRIVER", BugCheck::none, device.name,
        fmt::format("{} did not start its device: {:#010x}", driver_->name(), static_cast<std::uint32_t>(status)));
  return node;
}

void DriverLibrary::unload() {
  if (driver_ != nullptr)
    for (const auto& node : driver_->nodes()) node->remove();  // which ends what is under way
  for (const auto& port : ports_) port->close();
  manager_.unload_all();
}

// ---- The guest's end ----

LibraryClient::LibraryClient(const Config& config) : config_(config) {
  config_.device.on_started = [](void* self) {
    auto& client = *static_cast<LibraryClient*>(self);
    if (client.told_ready_) return;
    client.told_ready_ = true;
    client.config_.ready.on_ready();
  };
  config_.device.on_started_object = this;
}

void LibraryClient::start() {
  if (kmdf::DeviceNode* node = config_.library.bring_up(config_.device)) port_ = &config_.library.open_port(*node);
}

void LibraryClient::submit(Request& request) {
  if (stopped_) return;
  if (port_ == nullptr || !waiting_.empty() || !send(request)) waiting_.push(request);
}

bool LibraryClient::send(Request& request) {
  if (spare_.empty()) {
    slots_.push_back(std::make_unique<Slot>());
    spare_.push_back(slots_.back().get());
  }
  Slot& slot = *spare_.back();
  slot.io = {};
  slot.io.type = request.operation == device::Operation::read ? WdfRequestTypeRead : WdfRequestTypeWrite;
  slot.io.size = request.size;
  slot.io.offset = request.offset;
  slot.io.owner = &slot;
  slot.io.done = [](kmdf::IoRequest& io) {
    Slot& over = *static_cast<Slot*>(io.owner);
    over.client->on_done(over);
  };
  slot.client = this;
  slot.request = &request;
  spare_.pop_back();
  if (port_->submit(slot.io)) return true;
  spare_.push_back(&slot);
  return false;
}

void LibraryClient::on_done(Slot& slot) {
  if (stopped_) return;
  Request& request = *slot.request;
  if (!NT_SUCCESS(slot.io.status))
    config_.device.partition.findings().add(
        "IO", BugCheck::none, config_.device.name,
        fmt::format("the driver failed a {} of {} B with {:#010x}",
                    request.operation == device::Operation::read ? "read" : "write", request.size.count,
                    static_cast<std::uint32_t>(slot.io.status)));
  if (!NT_SUCCESS(slot.io.status) && ++failed_ == config_.most_failed) config_.device.partition.world().end();
  spare_.push_back(&slot);
  request.done(request);
  while (!waiting_.empty()) {
    Request& next = waiting_.pop();
    if (send(next)) continue;
    waiting_.push_front(next);
    break;
  }
}

}  // namespace vmbsim::drivers
