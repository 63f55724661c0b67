#include "models/scenario/fleet.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "models/scenario/on.hpp"
#include "vmbsim/wide.hpp"

namespace vmbsim::scenario {
namespace {

/// The room of one host, and what is taken of it.
struct Room {
  const HostSpec* spec;
  std::uint32_t index;
  std::string name;
  std::uint64_t cpus = 0;
  std::int64_t memory = 0;
  std::uint64_t guests = 0;

  bool holds(const VmSpec& vm) const {
    return (spec->room_cpus == 0 || cpus + vm.cpus <= spec->room_cpus) &&
           (spec->room_memory.count == 0 || vm.memory.count <= spec->room_memory.count - memory) &&
           (spec->room_guests == 0 || guests < spec->room_guests);
  }
  void take(const VmSpec& vm) {
    cpus += vm.cpus;
    memory += vm.memory.count;
    ++guests;
  }
  void give_back(const VmSpec& vm) {
    cpus -= vm.cpus;
    memory -= vm.memory.count;
    --guests;
  }
  /// Processors that the share is of.
  std::uint64_t size() const { return spec->room_cpus != 0 ? spec->room_cpus : spec->cpus; }
  bool called(const std::string& wanted) const { return wanted == spec->name || wanted == name; }
};

/// A guest that will leave. The earliest comes first, of those at one instant the one placed first.
struct Leaving {
  Duration at;
  std::size_t guest;
  friend bool operator<(const Leaving& a, const Leaving& b) { return a.at != b.at ? a.at < b.at : a.guest < b.guest; }
};

class Placing {
 public:
  explicit Placing(const FleetParts& parts) : parts_(parts) {
    for (const HostSpec& spec : parts.hosts)
      for (std::uint32_t i = 0; i < spec.count; ++i) rooms_.push_back({&spec, i, host_name(spec, i)});
    made_.resize(parts.vms.size());
  }

  void start(std::size_t vm) { ask(vm, parts_.vms[vm].host, std::nullopt, std::nullopt); }

  void arrive(const FleetSpec::Arrival& arrival) {
    while (!leaving_.empty() && leaving_.begin()->at <= arrival.at) {
      const Guest& gone = fleet_.guests[leaving_.begin()->guest];
      rooms_[gone.host].give_back(parts_.vms[gone.vm]);
      leaving_.erase(leaving_.begin());
    }
    const std::string& host = arrival.host.empty() ? parts_.vms[arrival.vm].host : arrival.host;
    ask(arrival.vm, host, arrival.at, arrival.lifetime);
  }

  Fleet finish(std::uint64_t asked) && {
    fleet_.by_name = parts_.by_name;
    fleet_.asked = asked;
    // Hosts were numbered in the order of the file, for that is the order in which they are tried.
    std::vector<std::size_t> order(rooms_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return std::pair(rooms_[a].spec->name, rooms_[a].index) < std::pair(rooms_[b].spec->name, rooms_[b].index);
    });
    std::vector<std::size_t> place_of(rooms_.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      const Room& room = rooms_[order[i]];
      fleet_.hosts.push_back({room.name, on_of(room.spec->on, room.index), room.spec->cpus});
      place_of[order[i]] = i;
    }
    for (Guest& guest : fleet_.guests) guest.host = place_of[guest.host];
    return std::move(fleet_);
  }

 private:
  void ask(std::size_t vm, const std::string& host, std::optional<Duration> at, std::optional<Duration> lifetime) {
    const auto found = find(parts_.vms[vm], host);
    if (!found) {
      fleet_.refused.push_back({vm, at.value_or(Duration{0})});
      return;
    }
    rooms_[*found].take(parts_.vms[vm]);
    Guest guest{.vm = vm, .index = made_[vm]++, .host = *found, .arrives = at};
    if (lifetime) {
      guest.departs = *at + *lifetime;
      leaving_.insert({*guest.departs, fleet_.guests.size()});
    }
    fleet_.guests.push_back(guest);
  }

  std::optional<std::size_t> find(const VmSpec& vm, const std::string& host) {
    using Placement = FleetSpec::Placement;
    const bool in_turn = parts_.fleet.placement == Placement::round_robin;
    const bool emptiest = parts_.fleet.placement == Placement::least_loaded;
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < rooms_.size(); ++i) {
      const std::size_t candidate = in_turn ? (turn_ + i) % rooms_.size() : i;
      if (parts_.by_name && !host.empty() && !rooms_[candidate].called(host)) continue;
      if (!rooms_[candidate].holds(vm)) continue;
      if (best && !(emptiest && less_loaded(rooms_[candidate], rooms_[*best]))) continue;
      best = candidate;
      if (!emptiest) break;
    }
    if (best && in_turn) turn_ = *best + 1;
    return best;
  }

  static bool less_loaded(const Room& a, const Room& b) {
    return static_cast<Wide>(a.cpus) * b.size() < static_cast<Wide>(b.cpus) * a.size();
  }

  const FleetParts& parts_;
  std::vector<Room> rooms_;
  std::vector<std::uint32_t> made_;  // guests by template
  std::set<Leaving> leaving_;
  std::size_t turn_ = 0;
  Fleet fleet_;
};

std::uint64_t hosts_of(const FleetParts& parts) {
  std::uint64_t hosts = 0;
  for (const HostSpec& spec : parts.hosts) hosts += spec.count;
  return hosts;
}

std::uint64_t mixed(const FleetParts& parts) {
  const bool any = std::any_of(parts.vms.begin(), parts.vms.end(), [](const VmSpec& vm) { return vm.weight != 0; });
  return any ? parts.fleet.count + parts.fleet.per_host * hosts_of(parts) : 0;
}

std::uint64_t guests_asked(const FleetParts& parts) {
  std::uint64_t guests = mixed(parts) + parts.fleet.arrivals.size();
  for (const VmSpec& vm : parts.vms) guests += vm.count;
  return guests;
}

/// The template that is furthest behind its share once there are `guests` of the mix.
std::size_t most_behind(const std::vector<VmSpec>& vms, const std::vector<std::int64_t>& made, std::int64_t guests,
                        std::int64_t weights) {
  std::size_t best = 0;
  std::int64_t most = std::numeric_limits<std::int64_t>::min();
  for (std::size_t i = 0; i < vms.size(); ++i) {
    if (vms[i].weight == 0) continue;
    const std::int64_t behind = std::int64_t{vms[i].weight} * guests - made[i] * weights;
    if (behind <= most) continue;
    most = behind;
    best = i;
  }
  return best;
}

}  // namespace

std::string host_name(const HostSpec& host, std::uint32_t index) {
  return host.count == 1 ? host.name : host.name + "[" + std::to_string(index) + "]";
}

std::set<std::string> host_names(const std::vector<HostSpec>& hosts) {
  std::set<std::string> names;
  for (const HostSpec& host : hosts) {
    names.insert(host.name);
    for (std::uint32_t i = 0; i < host.count; ++i) names.insert(host_name(host, i));
  }
  return names;
}

Fleet place(const FleetParts& parts) {
  Placing placing(parts);
  const std::uint64_t asked = guests_asked(parts);
  if (asked > most_guests_of_fleet) return std::move(placing).finish(asked);
  for (std::size_t vm = 0; vm < parts.vms.size(); ++vm)
    for (std::uint32_t i = 0; i < parts.vms[vm].count; ++i) placing.start(vm);
  std::int64_t weights = 0;
  for (const VmSpec& vm : parts.vms) weights += vm.weight;
  std::vector<std::int64_t> made(parts.vms.size());
  for (std::int64_t n = 1; n <= static_cast<std::int64_t>(mixed(parts)); ++n) {
    const std::size_t vm = most_behind(parts.vms, made, n, weights);
    ++made[vm];
    placing.start(vm);
  }
  std::vector<const FleetSpec::Arrival*> arrivals;
  for (const FleetSpec::Arrival& arrival : parts.fleet.arrivals) arrivals.push_back(&arrival);
  std::stable_sort(arrivals.begin(), arrivals.end(), [](const auto* a, const auto* b) { return a->at < b->at; });
  for (const FleetSpec::Arrival* arrival : arrivals) placing.arrive(*arrival);
  return std::move(placing).finish(asked);
}

}  // namespace vmbsim::scenario
