#include "models/platform/platform.hpp"

#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "models/platform/bridge.hpp"
#include "models/platform/platform_text.hpp"

namespace vmbsim::platform {

Platform::Platform(Inventory inventory, std::unique_ptr<Bridge> bridge)
    : inventory_(std::move(inventory)), bridge_(std::move(bridge)) {}

Platform::~Platform() = default;

std::unique_ptr<Platform> Platform::load(const std::string& file, Problems& problems) {
  std::optional<Inventory> inventory = inspect(file, problems);
  if (!inventory) return nullptr;
  auto engine = start_engine();
  try {
    describe(*engine, file);
    engine->seal_platform();
  } catch (const std::exception& error) {  // the file changed since it was inspected
    complain(problems, Place{file, 0, 0}, error.what());
    return nullptr;
  }
  auto bridge = std::make_unique<Bridge>(std::move(engine), inventory->links_vary);
  return std::unique_ptr<Platform>(new Platform(std::move(*inventory), std::move(bridge)));
}

void Platform::attach(kernel::Simulation& world) { bridge_->attach(world); }

device::Resource* Platform::disk(const std::string& host_and_disk, const Place& asked, Problems& problems) {
  if (!inventory_.has_disk(host_and_disk, asked, problems)) return nullptr;
  const std::size_t colon = host_and_disk.find(':');
  return bridge_->disk(host_and_disk.substr(0, colon), host_and_disk.substr(colon + 1));
}

device::Resource* Platform::link(const std::string& from, const std::string& to, const Place& asked,
                                 Problems& problems) {
  const HostSpec* source = inventory_.host(from, asked, problems);
  const HostSpec* target = inventory_.host(to, asked, problems);
  if (source == nullptr || target == nullptr) return nullptr;
  device::Resource* found = from == to ? nullptr : bridge_->link(from, to);
  if (found == nullptr) complain(problems, asked, "the platform has no route from \"" + from + "\" to \"" + to + "\"");
  return found;
}

void Platform::run(kernel::Simulation& world, SimTime end) { bridge_->run(world, end); }

std::vector<DeviceResult> Platform::devices(SimTime now) const {
  std::vector<DeviceResult> results;
  for (const auto& door : bridge_->doors()) {
    const device::Counters& counters = door->counters();
    results.push_back({door->name(), counters.operations, counters.bytes, counters.peak_in_flight,
                       bridge_->utilisation(*door, measured_from_, now)});
  }
  return results;
}

void Platform::start_measuring(SimTime now) {
  measured_from_ = now;
  for (const auto& door : bridge_->doors()) door->start_measuring(now);
}

bool Platform::crowded() const { return peak_in_flight() > comfortable_in_flight; }
std::uint64_t Platform::peak_in_flight() const { return bridge_->peak_in_flight(); }

}  // namespace vmbsim::platform
