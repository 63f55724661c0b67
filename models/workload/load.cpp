#include "models/workload/load.hpp"

#include <fmt/format.h>

#include <utility>

namespace vmbsim::workload {

/// A thread that hands requests to the driver.
struct Load::Application {
  Load& load;
  KEVENT arrived{};
  drivers::Request* first = nullptr;
  drivers::Request* last = nullptr;

  void push(drivers::Request& request) {
    request.next = nullptr;
    (first == nullptr ? first : last->next) = &request;
    last = &request;
    load.config_.guest.set_event(arrived);
  }
  void run() {
    for (;;) {
      load.config_.guest.wait(arrived.Header, nullptr);
      while (first != nullptr) {
        drivers::Request& request = *first;
        first = request.next;
        load.config_.port.submit(request);
      }
    }
  }
};

/// A request of this load; in a closed loop also the right to have one under way.
struct Load::Token {
  drivers::Request request;
  Load* load = nullptr;
};

namespace {
kernel::ArrivalProcess::Spec arrivals_of(const Load::Config& config) {
  return config.loop == Load::Loop::open ? config.arrivals : kernel::Periodic{{1, std::chrono::seconds{1}}};
}
}  // namespace

Load::Load(Config config)
    : config_(std::move(config)),
      world_(config_.guest.world()),
      actor_(world_.new_actor()),
      process_(arrivals_of(config_), world_.stream(config_.name, "arrivals")),
      kinds_(world_.stream(config_.name, "requests")),
      think_(world_.stream(config_.name, "think time")) {
  for (const Size& size : config_.sizes) weight_ += size.weight;
  for (std::size_t i = 0; i < config_.cpus.size(); ++i) {
    applications_.push_back(std::make_unique<Application>(Application{*this}));
    KeInitializeEvent(&applications_.back()->arrived, SynchronizationEvent, FALSE);
  }
}

Load::~Load() = default;

void Load::start() {
  started_ = world_.now();
  for (std::size_t i = 0; i < applications_.size(); ++i)
    config_.guest.create_thread(
        fmt::format("{}.app{}", config_.name, i), os::Thread::priority_normal, config_.cpus[i], true,
        [](void* self) { static_cast<Application*>(self)->run(); }, applications_[i].get());
  if (config_.loop == Loop::closed) {
    for (std::uint32_t i = 0; i < config_.queue_depth; ++i) {
      drivers::Request& request = fresh();
      fill(request);
      arrive(request);
    }
    return;
  }
  schedule_arrival();
}

void Load::schedule_arrival() {
  if (config_.loop == Loop::open) {
    world_.after<&Load::on_arrival>(process_.next_gap(), actor_, *this);
  } else if (next_record_ < config_.trace->size()) {
    world_.at<&Load::on_arrival>(started_ + (*config_.trace)[next_record_].arrival, actor_, *this);
  }
}

void Load::stop() {
  if (stopped_ || over()) return;
  stopped_ = true;
  if (over() && config_.on_over) config_.on_over();
}

void Load::on_arrival() {
  if (stopped_) return;
  drivers::Request& request = fresh();
  fill(request);
  arrive(request);
  schedule_arrival();
}

drivers::Request& Load::fresh() {
  if (free_ == nullptr) {
    requests_.push_back(std::make_unique<Token>());
    Token& token = *requests_.back();
    token.load = this;
    token.request.owner = &token;
    token.request.done = on_done;
    return token.request;
  }
  drivers::Request& request = *free_;
  free_ = request.next;
  return request;
}

/// What the next request asks for.
void Load::fill(drivers::Request& request) {
  if (config_.loop == Loop::trace) {
    const TraceRecord& record = (*config_.trace)[next_record_++];
    request.operation = static_cast<device::Operation>(record.kind);
    request.size = record.size;
    request.offset = record.offset;
    request.service = record.service;
    return;
  }
  request.operation = config_.read_permille == 1000 || kinds_.chance(config_.read_permille, 1000)
                          ? device::Operation::read
                          : device::Operation::write;
  std::size_t chosen = 0;
  if (config_.sizes.size() > 1)
    for (std::uint64_t ticket = kinds_.below(weight_); ticket >= config_.sizes[chosen].weight; ++chosen)
      ticket -= config_.sizes[chosen].weight;
  request.size = config_.sizes[chosen].size;
}

void Load::arrive(drivers::Request& request) {
  ++offered_;
  request.arrived = world_.now();
  applications_[turn_]->push(request);
  turn_ = turn_ + 1 == applications_.size() ? 0 : turn_ + 1;
}

void Load::on_done(drivers::Request& request) {
  Token& token = *static_cast<Token*>(request.owner);
  Load& self = *token.load;
  ++self.completed_;
  self.response_.add(self.world_.now() - request.arrived);
  if (self.config_.loop != Loop::closed || self.stopped_) {
    request.next = self.free_;
    self.free_ = &request;
    if (self.over() && self.config_.on_over) self.config_.on_over();
    return;
  }
  const Duration think = self.config_.think_time.sample(self.think_);
  if (think.count() > 0) {
    self.world_.after(
        think, self.actor_,
        [](void* object) {
          Token& thinker = *static_cast<Token*>(object);
          if (thinker.load->stopped_) return;
          thinker.load->fill(thinker.request);
          thinker.load->arrive(thinker.request);
        },
        &token);
    return;
  }
  self.fill(request);
  ++self.offered_;
  request.arrived = self.world_.now();
  self.config_.port.submit(request);
}

}  // namespace vmbsim::workload
