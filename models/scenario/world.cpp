#include "models/scenario/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/scenario/world_parts.hpp"
#include "sim/config/suggestions.hpp"
#include "sim/config/units.hpp"

namespace vmbsim::scenario {

// ---- A guest's life ----

void GuestMachine::on_ready() {
  if (--not_ready == 0) world.ready(*this);
  if (!spec.arrives && --world.not_ready == 0) world.world.stop();
}

/// A virtual machine is made: its host offers it the devices, and it boots.
void GuestMachine::arrive() {
  host.partition.create_thread(
      partition.name() + ".arrival", os::Thread::priority_normal, CpuId{0}, false,
      [](void* self) {
        auto& guest = *static_cast<GuestMachine*>(self);
        guest.world.start_host_drivers(guest.channels);
      },
      this);
  stage = Stage::starting;
  for (ChannelInstance* channel : channels)
    if (channel->spec->host_endpoint.library.empty()) world.start_guest(*channel);
}

/// It is shut down: its applications end, and when the last answer is there its drivers close their channels.
void GuestMachine::depart() {
  if (stage == Stage::starting) {
    depart_when_ready = true;
    return;
  }
  stage = Stage::leaving;
  busy_loads = 1;
  for (const workload::Load* load : loads)
    if (!load->over()) ++busy_loads;
  for (workload::Load* load : loads) load->stop();
  load_is_over();  // the one more: there may be no load with anything under way
}

void GuestMachine::load_is_over() {
  if (stage != Stage::leaving || --busy_loads != 0) return;
  stage = Stage::left;
  partition.create_thread(
      partition.name() + ".departure", os::Thread::priority_normal, CpuId{0}, false,
      [](void* self) {
        auto& guest = *static_cast<GuestMachine*>(self);
        for (ChannelInstance* channel : guest.channels)
          if (channel->guest_started) channel->guest_driver->stop();
        guest.world.has_gone(guest);
      },
      this);
}

void World::Parts::has_gone(const GuestMachine& guest) {
  if (std::erase(going, &guest) != 0 && going.empty()) world.stop();
}

/// All channels of a guest are open.
void World::Parts::ready(GuestMachine& guest) {
  guest.stage = GuestMachine::Stage::working;
  if (!guest.spec.arrives) return;  // those that are there from the start begin together
  if (guest.depart_when_ready) return guest.depart();
  start_loads(guest);
}

void World::Parts::start_loads(GuestMachine& guest) {
  for (const LoadInstance& load : loads)
    if (load.channel->guest == &guest && load.channel->guest_started) load.load->start();
  for (const ChannelInstance* channel : guest.channels)
    if (channel->saving != nullptr) channel->saving->schedule();
}

// ---- The run ----

void World::Parts::start_guest(ChannelInstance& channel) {
  channel.guest_started = true;
  channel.guest->partition.create_thread(
      channel.name + ".start", os::Thread::priority_normal, CpuId{0}, false,
      [](void* driver) { static_cast<drivers::Driver*>(driver)->start(); }, channel.guest_driver.get());
}

/// In a thread of the host: first what it offers; then the guests of libraries, which see the device that a library's driver
/// offers, whatever GUIDs it has.
void World::Parts::start_host_drivers(const std::vector<ChannelInstance*>& of) {
  for (ChannelInstance* channel : of)
    for (const auto& driver : channel->host_drivers) driver->start();
  for (ChannelInstance* channel : of) {
    if (channel->spec->host_endpoint.library.empty()) continue;
    const auto& allocated = channel->host_devices.front()->channels;
    if (allocated.empty()) {
      findings.add("DRIVER", BugCheck::none, channel->name,
                   "the host's driver has allocated no channel, so the guest gets no device");
      continue;
    }
    channel->guest_devices.front()->id = static_cast<const kmcl::Endpoint*>(allocated.front().get())->target();
    start_guest(*channel);
  }
}

/// Every partition starts its drivers in one thread, as its PnP manager would: the hosts' offers first.
void World::Parts::boot() {
  for (const auto& machine : hosts)
    machine->partition.create_thread(
        machine->partition.name() + ".start", os::Thread::priority_normal, CpuId{0}, false,
        [](void* self) {
          auto& host = *static_cast<HostMachine*>(self);
          std::vector<ChannelInstance*> offered;
          for (ChannelInstance& channel : host.world.channels)
            if (&channel.guest->host == &host && !channel.guest->spec.arrives) offered.push_back(&channel);
          host.world.start_host_drivers(offered);
        },
        machine.get());
  for (ChannelInstance& channel : channels) {
    if (channel.guest->spec.arrives) continue;
    channel.guest->stage = GuestMachine::Stage::starting;
    if (channel.spec->host_endpoint.library.empty()) start_guest(channel);
  }
  if (not_ready == 0) return;  // everybody is still to come
  advance(end_of_time);
  if (not_ready != 0 && !libraries.system_down() && !world.ended())
    findings.add("STUCK", BugCheck::none, {},
                 fmt::format("nothing is left to happen, but {} of {} {} not started", not_ready,
                             config::counted(channels.size(), "channel", "channels"),
                             config::word_for(not_ready, "has", "have")));
}

/// No event is left to run and no device at work.
bool World::Parts::nothing_left() const {
  return !world.stopping() && world.pending_events() == 0 &&
         std::all_of(channels.begin(), channels.end(), [](const ChannelInstance& channel) {
           return channel.resource == nullptr || channel.resource->in_flight() == 0;
         });
}

/// What waits for a driver now that nothing is left to happen waits for ever.
void World::Parts::report_waiting() {
  if (waiting_told) return;
  const std::size_t told = findings.all().size();
  for (const ChannelInstance& channel : channels)
    for (const auto* devices : {&channel.host_devices, &channel.guest_devices})
      for (const auto& device : *devices) kmcl::Endpoint::report_waiting(*device);
  waiting_told = findings.all().size() != told;
}

/// Why nothing is left to happen, where that can be told: a ring of waiters, or an end of a ring that nobody wakes.
bool World::Parts::find_reason() {
  bool found = false;
  for (const auto& host : hosts) found = host->partition.find_deadlock() || found;
  for (const auto& guest : guests) found = guest->partition.find_deadlock() || found;
  for (const ChannelInstance& channel : channels)
    for (const auto* devices : {&channel.host_devices, &channel.guest_devices})
      for (const auto& device : *devices) found = kmcl::Endpoint::report_lost(*device) || found;
  return found;
}

/// A fault ended the channel: nobody can answer what is sent on it.
bool World::Parts::taken_away(const ChannelInstance& channel) const {
  return std::any_of(channel.host_devices.begin(), channel.host_devices.end(), [](const auto& device) {
    return std::any_of(device->channels.begin(), device->channels.end(),
                       [](const auto& owned) { return static_cast<const kmcl::Endpoint*>(owned.get())->disabled(); });
  });
}

/// What can hardly be meant: guests that come when all is over, or are gone before they could do anything.
void World::Parts::find_useless_arrivals() {
  if (libraries.system_down() || world.livelocked()) return;
  const Duration ran = world.now() - started;
  const Guest* first_late = nullptr;
  const GuestMachine* first_short = nullptr;
  std::uint64_t late = 0, too_short = 0;
  for (const auto& guest : guests) {
    if (guest->spec.arrives && *guest->spec.arrives > ran) {
      if (late++ == 0) first_late = &guest->spec;
    } else if (guest->depart_when_ready) {
      if (too_short++ == 0) first_short = guest.get();
    }
  }
  if (late != 0)
    findings.add("ARRIVALS", BugCheck::none, {},
                 fmt::format("{} after the end of the run, at {}; the first at {}",
                             config::counted(late, "guest comes", "guests come"), config::to_text(ran),
                             config::to_text(*first_late->arrives)));
  if (too_short != 0)
    findings.add("ARRIVALS", BugCheck::none, first_short->partition.name(),
                 fmt::format("{} before booting was over, without a request; the first was to stay for {}",
                             config::counted(too_short, "guest left", "guests left"),
                             config::to_text(*first_short->spec.departs - *first_short->spec.arrives)));
}

void World::Parts::find_stuck() {
  if (!nothing_left()) return;
  report_waiting();
  if (find_reason()) return;
  for (const auto& guest : guests)
    if (guest->spec.arrives && guest->stage == GuestMachine::Stage::starting)
      findings.add("STUCK", BugCheck::none, guest->partition.name(),
                   fmt::format("nothing is left to happen, but {} of the arrived guest {} not started",
                               config::counted(guest->not_ready, "channel", "channels"),
                               config::word_for(guest->not_ready, "has", "have")));
  for (const ChannelInstance& channel : channels) {
    if (exploration != nullptr && taken_away(channel)) continue;
    std::uint64_t unanswered = 0;
    for (const LoadInstance& load : loads)
      if (load.channel == &channel) unanswered += load.load->offered() - load.load->completed();
    if (unanswered == 0) continue;
    const std::uint64_t outstanding = channel.recorder->outstanding();
    const std::uint64_t unsent = unanswered - outstanding;
    findings.add(
        "STUCK", BugCheck::none, channel.name,
        fmt::format("nothing is left to happen, but {} {} not answered: {} {} outstanding, {} {} not sent",
                    config::counted(unanswered, "request", "requests"), config::word_for(unanswered, "is", "are"),
                    config::counted(outstanding, "transaction", "transactions"),
                    config::word_for(outstanding, "is", "are"), config::counted(unsent, "request", "requests"),
                    config::word_for(unsent, "was", "were")));
  }
}

/// A run that waits for completions, and simulated time is too short for them.
void World::Parts::find_end_of_time(SimTime end) {
  if (end != end_of_time || world.stopping() || nothing_left()) return;
  findings.add("END_OF_TIME", BugCheck::none, {},
               fmt::format("the next event lies beyond the end of simulated time, 291 years, and {}",
                           scenario.packets == 0 ? std::string("the recorded loads are not over")
                                                 : fmt::format("packets = {} is not reached: {} came back",
                                                               scenario.packets, scenario.packets - limit.left)));
}

/// What happened until now is left out of all figures but those that must add up: transactions and requests, what the rings
/// hold.
void World::Parts::start_measuring() {
  for (ChannelInstance& channel : channels) {
    channel.recorder->start_measuring();
    for (const auto* devices : {&channel.host_devices, &channel.guest_devices})
      for (const auto& device : *devices)
        for (const auto* endpoints : {&device->channels, &device->cleaned})
          for (const auto& owned : *endpoints) static_cast<kmcl::Endpoint*>(owned.get())->start_measuring();
    if (channel.servers != nullptr) channel.servers->start_measuring(world.now());
  }
  for (const SharedDisk& disk : disks) disk.servers->start_measuring(world.now());
  if (platform != nullptr) platform->start_measuring(world.now());
  for (const LoadInstance& load : loads) load.load->start_measuring();
  before = processors();
  measured_from = world.now();
  measuring = true;
}

void World::Parts::advance(SimTime end) {
  if (platform != nullptr)
    platform->run(world, end);
  else
    world.run_until(end);
  libraries.tell_mishap();
  if (world.livelocked())
    findings.add(
        "LIVELOCK", BugCheck::none, {},
        fmt::format(
            "time stands still: more than {} events at this instant; give something on the way a cost, a device "
            "a service or a load a think_time",
            kernel::Simulation::most_at_one_instant));
}

World::World(const Scenario& scenario, const Traces& traces, platform::Platform* platform,
             kernel::ChoiceSource* choices, Timeline* timeline, explore::StepListener* listener)
    : parts_(std::make_unique<Parts>(scenario, traces, platform, choices, timeline, listener)) {}
World::~World() = default;

const hw::Exploration* World::exploration() const { return parts_->exploration.get(); }

/// Warm-up and run.
void World::Parts::run_loads() {
  started = world.now();
  for (const LoadInstance& load : loads)  // a driver that is not there takes no requests
    if (load.channel->guest_started && !load.channel->guest->spec.arrives) load.load->start();
  for (const auto& guest : guests) {
    const Guest& life = guest->spec;
    if (life.arrives) world.after<&GuestMachine::arrive>(*life.arrives, guest->actor, *guest);
    if (life.departs) world.after<&GuestMachine::depart>(*life.departs, guest->actor, *guest);
  }
  for (const ChannelInstance& channel : channels)
    if (channel.saving != nullptr && !channel.guest->spec.arrives) channel.saving->schedule();
  if (scenario.warm_up.count() == 0)
    start_measuring();
  else
    world.after<&Parts::start_measuring>(scenario.warm_up, ActorId{}, *this);
  const SimTime end = scenario.run_for.count() == 0
                          ? end_of_time
                          : saturating_add(saturating_add(world.now(), scenario.warm_up), scenario.run_for);
  advance(end);
  find_useless_arrivals();
  find_stuck();
  find_end_of_time(end);
  for (const auto& host : hosts) host->partition.find_held_processors();
  for (const auto& guest : guests) guest->partition.find_held_processors();
}

static bool has_library(const GuestMachine& guest) {
  return std::any_of(guest.channels.begin(), guest.channels.end(),
                     [](const ChannelInstance* channel) { return channel->guest_library != nullptr; });
}

/// After the figures were taken: the drivers of libraries are unloaded, and what they leave behind is found. Guests whose drivers
/// are vmbsim's own go before, so that nobody sends to a host that is on its way out.
void World::Parts::shut_down_libraries() {
  if (!libraries.system_down() && !world.livelocked()) {
    for (const LoadInstance& load : loads) load.load->stop();
    for (ChannelInstance& channel : channels) {
      if (channel.guest_library != nullptr) channel.guest_library->stop();
      for (const auto& device : channel.guest_devices) device->journeys = nullptr;
    }
    world.go_on_after_end();
    // False when the run had as many events as it may have, this time or before.
    const auto advance_by = [this](Duration most) {
      if (!world.ended()) advance(saturating_add(world.now(), most));
      return !world.ended();
    };
    for (const auto& guest : guests) {
      if (guest->stage != GuestMachine::Stage::working || has_library(*guest)) continue;
      going.push_back(guest.get());
      guest->depart();
    }
    if (!going.empty()) advance_by(Libraries::longest_unload);
    const bool unloaded = libraries.unload(advance_by);
    if (!libraries.system_down() && !unloaded) report_waiting();
  }
  libraries.end_watch();
}

/// Of all partitions; at one instant the hosts' come first.
void World::Parts::collect_debug_output(RunResult& result) const {
  std::vector<const os::Partition::DebugLine*> lines;
  const auto add = [&](const os::Partition& partition) {
    for (const auto& line : partition.debug_output()) lines.push_back(&line);
    result.debug_lines += partition.debug_lines();
  };
  for (const auto& host : hosts) add(host->partition);
  for (const auto& guest : guests) add(guest->partition);
  std::stable_sort(lines.begin(), lines.end(), [](const auto* a, const auto* b) { return a->time < b->time; });
  for (const auto* line : lines)
    result.debug_output.push_back(line->text.substr(0, line->text.find_last_not_of("\r\n") + 1));
}

RunResult World::run() {
  Parts& p = *parts_;
  p.libraries.watch();
  p.boot();
  if (!p.libraries.system_down() && !p.world.ended()) p.run_loads();
  if (!p.measuring) p.start_measuring();  // ended before: nothing was measured
  for (ChannelInstance& channel : p.channels) channel.recorder->finish();
  if (p.rows.exceeded)
    p.findings.add("RECORD", BugCheck::none, {},
                   fmt::format("[record] asks for more than {} rows; the run ended there", most_recorded_rows));
  p.world.flush_log();
  RunResult result = p.result();
  p.shut_down_libraries();
  result.findings = p.findings.all();
  result.finding_counts = p.findings.counts();
  p.collect_debug_output(result);
  return result;
}

}  // namespace vmbsim::scenario
