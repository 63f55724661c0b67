#include "models/platform/bridge.hpp"

#include <xbt/log.h>
#include <simgrid/kernel/resource/Model.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <utility>

#include "vmbsim/assert.hpp"
#include "vmbsim/result.hpp"

namespace vmbsim::platform {
namespace {

bool started_once = false;  // of the process, as SimGrid's engine is

/// Dates closer than this are the same instant to the bridge: above the noise of double arithmetic, far below 1 ns.
constexpr double same_instant = 1e-11;
constexpr double half_a_nanosecond = 0.5e-9;

// The one place where integer nanoseconds and double seconds meet.
constexpr double seconds(SimTime time) { return static_cast<double>(nanoseconds(time)) / 1e9; }

// A disk may be so slow that SimGrid's date lies beyond simulated time.
constexpr double last_date = seconds(last_moment);

SimTime nearest_nanosecond(double date) {
  VMBSIM_ASSERT(date >= 0, "SimGrid's clock begins at 0");
  return SimTime{Duration{static_cast<std::int64_t>(std::floor(std::min(date, last_date) * 1e9 + 0.5))}};
}

SimTime last_nanosecond_before(double date) {
  return SimTime{Duration{static_cast<std::int64_t>(std::floor(std::min(date, last_date) * 1e9))}};
}

class DiskDoor final : public Bridge::Door {
 public:
  DiskDoor(Bridge& bridge, std::string name, s4u::Disk& disk) : Door(bridge, std::move(name)), disk_(disk) {
    set_servers(1);
  }
  s4u::ActivityPtr activity(const device::Work& work) override {
    const auto type = work.operation == device::Operation::read ? s4u::Io::OpType::READ : s4u::Io::OpType::WRITE;
    const auto size = static_cast<sg_size_t>(work.size.count) * static_cast<sg_size_t>(disk_scale);
    if (spare_.empty()) return disk_.io_init(size, type);
    s4u::IoPtr again = std::move(spare_.back());
    spare_.pop_back();
    again->set_state(s4u::Activity::State::INITED);
    again->set_size(size);
    again->set_op_type(type);
    return again;
  }
  void take_back(const s4u::ActivityPtr& activity) override {
    spare_.push_back(boost::static_pointer_cast<s4u::Io>(activity));
  }

 private:
  s4u::Disk& disk_;
  // Started again and again: SimGrid 3.32 enters every Io it makes in a list of its actor (IoImpl::IoImpl) and takes none
  // out before that actor ends, which here is maestro, at the end of the run.
  std::vector<s4u::IoPtr> spare_;
};

class LinkDoor final : public Bridge::Door {
 public:
  LinkDoor(Bridge& bridge, std::string name, s4u::Host& from, s4u::Host& to, std::vector<s4u::Link*> links)
      : Door(bridge, std::move(name)), from_(from), to_(to), links_(std::move(links)) {}
  const std::vector<s4u::Link*>& links() const override { return links_; }
  s4u::ActivityPtr activity(const device::Work& work) override {
    const s4u::CommPtr comm = s4u::Comm::sendto_init(&from_, &to_);
    comm->set_payload_size(static_cast<std::uint64_t>(work.size.count));
    return comm;
  }

 private:
  s4u::Host& from_;
  s4u::Host& to_;
  std::vector<s4u::Link*> links_;
};

}  // namespace

bool engine_was_started() { return started_once; }

std::unique_ptr<s4u::Engine> start_engine() {
  VMBSIM_ASSERT(!started_once, "a process starts SimGrid once");
  started_once = true;
  xbt_log_control_set("root.thres:critical");
  static char program[] = "vmbsim";
  static char* arguments[] = {program, nullptr};
  int count = 1;
  auto engine = std::make_unique<s4u::Engine>(&count, arguments);
  std::signal(SIGINT, SIG_DFL);                     // SimGrid would leave with the status of an ordinary failure
  s4u::Engine::set_config("surf/precision:1e-12");  // the default of 1e-9 completes activities up to 1 ns early
  s4u::Engine::set_config("network/model:CM02");
  s4u::Engine::set_config("network/TCP-gamma:0");  // no window: latency does not bound the rate
  s4u::Engine::set_config("network/crosstraffic:no");
  return engine;
}

void describe(s4u::Engine& engine, const std::string& file) {
  if (file != "default") {
    engine.load_platform(file);
    return;
  }
  // Assumed figures: a two-socket server with two NVMe drives of a data sheet's order, 25 Gbit/s Ethernet to a peer.
  s4u::NetZone* zone = s4u::create_full_zone("default");
  s4u::Host* server = zone->create_host("server", 1e9)->set_core_count(16);
  for (const char* name : {"ssd0", "ssd1"}) server->create_disk(name, 3.2e9, 2.0e9)->seal();
  server->seal();
  s4u::Host* peer = zone->create_host("peer", 1e9)->set_core_count(16);
  peer->seal();
  s4u::Link* wire = zone->create_link("wire", 25e9 / 8)->set_latency(2e-6)->seal();
  zone->add_route(server->get_netpoint(), peer->get_netpoint(), nullptr, nullptr, {s4u::LinkInRoute(wire)}, true);
  zone->seal();
}

Bridge::Bridge(std::unique_ptr<s4u::Engine> engine, bool varies) : engine_(std::move(engine)), varies_(varies) {
  static Bridge* current = nullptr;  // the callback cannot be taken back, the bridge can go
  current = this;
  s4u::Activity::on_completion_cb([](const s4u::Activity& activity) { current->completed(activity); });
  engine_->track_vetoed_activities(&leave_);
  models_ = engine_->get_all_models();
  for (s4u::Host* host : engine_->get_all_hosts())
    for (s4u::Disk* disk : host->get_disks()) {
      const double read = disk->get_read_bandwidth();
      const double write = disk->get_write_bandwidth();
      disk->set_read_bandwidth(read * disk_scale);
      disk->set_write_bandwidth(write * disk_scale);
      disk->set_readwrite_bandwidth(std::max(read, write) * disk_scale);
    }
}

Bridge::~Bridge() {
  disarm();
  for (const auto& flight : flights_)
    if (flight->activity != nullptr && flight->activity->get_state() == s4u::Activity::State::STARTED) {
      flight->activity->set_data(nullptr);  // nobody wants to hear of it any more
      flight->activity->cancel();
    }
  flights_.clear();
  engine_->track_vetoed_activities(nullptr);
}

Bridge::Door* Bridge::find(const std::string& name) const {
  for (const auto& door : doors_)
    if (door->name() == name) return door.get();
  return nullptr;
}

Bridge::Door* Bridge::disk(const std::string& host, const std::string& disk) {
  const std::string name = host + ":" + disk;
  if (Door* known = find(name)) return known;
  for (s4u::Disk* candidate : s4u::Host::by_name(host)->get_disks())
    if (candidate->get_name() == disk) {
      doors_.push_back(std::make_unique<DiskDoor>(*this, name, *candidate));
      return doors_.back().get();
    }
  return nullptr;
}

Bridge::Door* Bridge::link(const std::string& from, const std::string& to) {
  const std::string name = from + " to " + to;
  if (Door* known = find(name)) return known;
  s4u::Host* source = s4u::Host::by_name(from);
  s4u::Host* target = s4u::Host::by_name(to);
  std::vector<s4u::Link*> links;
  try {
    double latency = 0;
    source->route_to(target, links, &latency);
    if (links.empty()) return nullptr;
  } catch (const std::exception&) { return nullptr; }
  doors_.push_back(std::make_unique<LinkDoor>(*this, name, *source, *target, std::move(links)));
  return doors_.back().get();
}

const std::vector<s4u::Link*>& Bridge::Door::links() const {
  static const std::vector<s4u::Link*> none;
  return none;
}

double Bridge::utilisation(const Door& door, SimTime from, SimTime now) const {
  if (door.links().empty()) return door.utilisation(now);
  const double span = static_cast<double>((now - from).count()) / 1e9;
  if (varies_ || span <= 0) return nothing_measured;
  double most = 0;
  for (const s4u::Link* link : door.links()) {
    if (link->get_sharing_policy() == s4u::Link::SharingPolicy::FATPIPE) return nothing_measured;
    double bytes = 0;
    for (const auto& one : doors_)
      if (std::count(one->links().begin(), one->links().end(), link) != 0)
        bytes += static_cast<double>(one->counters().bytes.count);
    most = std::max(most, bytes / (link->get_bandwidth() * span));
  }
  return std::min(most, 1.0);  // what was under way when measuring began is counted when it is there
}

void Bridge::attach(kernel::Simulation& world) {
  VMBSIM_ASSERT(world_ == nullptr || world_ == &world, "a platform belongs to one simulation");
  if (world_ == nullptr) actor_ = world.new_actor();
  world_ = &world;
}

void Bridge::Door::submit(device::Work& work) {
  VMBSIM_ASSERT(bridge_.world_ != nullptr, "a platform is attached to its simulation before it gets work");
  if (++in_flight_ == 1) count_serving(bridge_.world_->now(), 1);
  count_submitted(work);
  bridge_.submit(*this, work);
}

void Bridge::submit(Door& door, device::Work& work) {
  VMBSIM_ASSERT(work.done != nullptr && work.size.count >= 0, "a work has a size and somebody who waits for it");
  if (idle_.empty()) {
    flights_.push_back(std::make_unique<Flight>());
    idle_.push_back(flights_.back().get());
  }
  Flight& flight = *idle_.back();
  idle_.pop_back();
  flight.work = &work;
  flight.door = &door;
  flight.order = ++orders_;
  submitted_.push_back(&flight);
  peak_ = std::max(peak_, ++in_flight_);
  world_->set_horizon(world_->now());  // until SimGrid has seen it, it may be done at any time
}

void Bridge::start_submitted() {
  for (Flight* flight : submitted_) {
    flight->activity = flight->door->activity(*flight->work);
    flight->activity->set_data(flight);
    flight->started = s4u::Engine::get_clock();
    ++started_;
    flight->activity->vetoable_start();
  }
  submitted_.clear();
  leave_.clear();  // a Comm that has one end only, while it is being described, counts as vetoed
  quiet_known_ = false;
}

void Bridge::completed(const s4u::Activity& activity) {
  auto* flight = activity.get_data<Flight>();
  if (flight == nullptr) return;
  VMBSIM_ASSERT(activity.get_state() == s4u::Activity::State::FINISHED, "no resource of a platform fails");
  --started_;
  quiet_known_ = false;
  const double date = s4u::Engine::get_clock();
  // What would take no time alone takes none in a row either: its fractions would let time creep instead of standing still.
  flight->done =
      date - flight->started < half_a_nanosecond ? world_->now() : std::max(world_->now(), nearest_nanosecond(date));
  ended_.push_back(flight);
  arm(flight->done);
}

/// The calendar's event for completions: those due now, in order of submission.
void Bridge::report() {
  const auto due =
      std::partition(ended_.begin(), ended_.end(), [&](const Flight* f) { return f->done > world_->now(); });
  std::sort(due, ended_.end(), [](const Flight* a, const Flight* b) { return a->order < b->order; });
  device::Known who;  // the disk of the first one speaks for all
  for (auto flight = due; flight != ended_.end(); ++flight) {
    Flight& ended = **flight;
    ended.door->take_back(ended.activity);
    if (--ended.door->in_flight_ == 0) ended.door->count_serving(world_->now(), 0);
    ended.door->count_done(*ended.work);
    if (reporting_.empty()) who = ended.door->known();
    reporting_.push_back(ended.work);
    idle_.push_back(&ended);
  }
  in_flight_ -= static_cast<std::uint64_t>(ended_.end() - due);
  ended_.erase(due, ended_.end());
  device::finish_together(*world_, reporting_, who);
}

/// Whether SimGrid's clock stands at `time`.
bool Bridge::follows(SimTime time) const { return s4u::Engine::get_clock() >= seconds(time) - same_instant; }

/// Up to and without this time nothing completes in SimGrid, as long as nothing is submitted.
SimTime Bridge::quiet_until() {
  if (started_ == 0) return end_of_time;
  const double clock = s4u::Engine::get_clock();
  if (varies_) return last_nanosecond_before(clock);
  if (quiet_known_ && clock < quiet_date_) return quiet_until_;
  double wait = -1;
  for (auto* model : models_) {
    if (!model->get_finished_action_set()->empty()) wait = 0;  // completed in this step, about to be reported
    if (model->get_started_action_set()->empty()) continue;
    const double next = model->next_occurring_event(clock);
    if (next >= 0 && (wait < 0 || next < wait)) wait = next;
  }
  quiet_known_ = wait > 0;
  quiet_date_ = clock + wait;
  quiet_until_ = wait < 0 ? end_of_time : last_nanosecond_before(quiet_date_);
  return quiet_until_;
}

void Bridge::disarm() {
  if (timer_ != nullptr) timer_->remove();
  timer_ = nullptr;
}

/// Has SimGrid call turn() when its clock stands at `time`, or at an earlier time asked for before.
void Bridge::arm(SimTime time) {
  const double clock = s4u::Engine::get_clock();
  const double date = follows(time) ? clock : seconds(time);
  if (timer_ != nullptr) {
    if (timer_->get_date() <= date) return;
    disarm();
  }
  timer_ = simgrid::kernel::timer::Timer::set(date, [this] { turn(); });
}

void Bridge::turn() {
  timer_ = nullptr;  // SimGrid deletes it
  if (!advance()) leave_.insert(nullptr);
}

/// Runs the calendar as far as it may go without SimGrid. False: the run is over. True: SimGrid has to go on; it comes back
/// through the timer armed here, or through a completion.
bool Bridge::advance() {
  for (;;) {
    if (world_->stopping()) return false;
    if (!submitted_.empty()) {
      if (!follows(world_->now())) {
        arm(world_->now());
        return true;
      }
      start_submitted();
    }
    SimTime ended = end_of_time;
    for (const Flight* flight : ended_) ended = std::min(ended, flight->done);
    const SimTime quiet = quiet_until();
    const SimTime next = std::min(world_->next_time(), ended);
    const SimTime target = std::min(next, end_);
    if (target >= quiet && !follows(target)) {
      if (target != end_of_time) arm(target);
      return true;
    }
    if (next > end_ || next == end_of_time) return false;
    world_->set_horizon(std::min(quiet, ended));
    world_->run_due(target);
    if (world_->stopping() || ended > target || world_->next_time() <= target) continue;
    world_->at<&Bridge::report>(target, actor_, *this);
    world_->run_due(target);
  }
}

void Bridge::run(kernel::Simulation& world, SimTime end) {
  attach(world);
  end_ = std::min(end, last_moment);
  world.begin_run(end);
  bool left = true;            // false: SimGrid has nothing to do any more and came back by itself
  while (left && advance()) {  // what completed as SimGrid was leaving is still to be reported
    engine_->run();
    left = !leave_.empty();
    leave_.clear();
  }
  disarm();
  world.set_horizon(end_of_time);
  if (!world.stopping() && end != end_of_time) world.run_until(end);
}

}  // namespace vmbsim::platform
