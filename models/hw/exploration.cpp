#include "models/hw/exploration.hpp"

#include <utility>

#include "models/hw/processor.hpp"
#include "sim/explore/mixed.hpp"

namespace vmbsim::hw {

using kernel::Access;
using kernel::ChoicePoint;

namespace {

/// Objects below this number are kinds of things, one for each site.
constexpr std::uint32_t first_object = site_count + 1;

}  // namespace

const char* name_of(Site site) {
  switch (site) {
    case Site::load_word: return "load";
    case Site::store_word: return "store";
    case Site::acquire_lock: return "acquire a spin lock";
    case Site::release_lock: return "release a spin lock";
    case Site::try_lock: return "try a spin lock";
    case Site::raise_irql: return "raise the IRQL";
    case Site::lower_irql: return "lower the IRQL";
    case Site::set_event: return "set an event";
    case Site::clear_event: return "clear an event";
    case Site::read_event: return "look at an event";
    case Site::wait: return "wait";
    case Site::release_semaphore: return "release a semaphore";
    case Site::release_mutex: return "release a mutex";
    case Site::insert_dpc: return "queue a DPC";
    case Site::remove_dpc: return "remove a DPC";
    case Site::run_dpc: return "run a DPC";
    case Site::set_timer: return "set a timer";
    case Site::cancel_timer: return "cancel a timer";
    case Site::queue_work: return "queue a work item";
    case Site::take_work: return "take a work item";
    case Site::signal: return "signal the other end";
    case Site::send: return "send a packet";
    case Site::complete: return "complete a packet";
    case Site::life_cycle: return "change a channel's state";
  }
  return "?";
}

Exploration::Exploration(kernel::Simulation& world, Config config, explore::StepListener* listener)
    : world_(world), config_(std::move(config)), listener_(listener) {
  objects_.emplace_back();  // 0 is nothing
  for (std::uint32_t site = 0; site < site_count; ++site) objects_.emplace_back(hw::name_of(static_cast<Site>(site)));
  words_.resize(first_object);
}

// ---- Names ----

std::uint32_t Exploration::new_processor(std::string name) {
  const auto number = static_cast<std::uint32_t>(processors_.size());
  processors_.push_back(std::move(name));
  buffers_.push_back(std::make_unique<Buffer>(Buffer{this, number, StoreBuffer(config_.memory), {}, {}, 0}));
  order_.add_processor();
  return number;
}

Exploration::Device Exploration::new_device(const std::string& name) {
  processors_.push_back(name);
  return {static_cast<std::uint32_t>(processors_.size() - 1), new_object(name)};
}

std::uint32_t Exploration::new_object(std::string name) { return new_word(std::move(name), nullptr); }

std::uint32_t Exploration::new_word(std::string name, std::uint32_t* cell) {
  objects_.push_back(std::move(name));
  words_.push_back({.cell = cell, .released = {}});
  return static_cast<std::uint32_t>(objects_.size() - 1);
}

// ---- Questions ----

void Exploration::stall(Processor& cpu, ChoicePoint point, std::uint32_t object) {
  if (config_.stalls.empty() || world_.ended()) return;
  const std::uint32_t answer =
      world_.choose(point, static_cast<std::uint32_t>(config_.stalls.size()) + 1, cpu.number(), object);
  if (answer != 0) cpu.stall(config_.stalls[answer - 1]);
}

const std::string& Exploration::name_of(const void* thing) {
  std::string& name = names_[thing];
  if (name.empty()) name = "#" + std::to_string(++numbered_);
  return name;
}

void Exploration::tell(const Processor& cpu, Site site, Access access, std::uint32_t object, std::uint64_t value,
                       const void* thing) {
  ++steps_;
  cover(static_cast<std::uint32_t>(site) * 32 + static_cast<std::uint32_t>(cpu.irql()));
  classify(cpu.number(), access, object);
  if (listener_ == nullptr) return;
  const bool word = site == Site::load_word || site == Site::store_word;
  std::string text = hw::name_of(site);
  if (word) text += " " + objects_[object] + " = " + std::to_string(value);
  if (thing != nullptr) text += ", " + name_of(thing);
  if (thing == nullptr && site == Site::take_work) text = "find no work item";
  listener_->on_step({.number = steps_ - 1,
                      .actor = cpu.number(),
                      .processor = cpu.number(),
                      .irql = static_cast<std::uint8_t>(cpu.irql()),
                      .operation = {.object = object, .access = access},
                      .value = value,
                      .text = std::move(text),
                      .time_ns = nanoseconds(world_.now())});
}

void Exploration::before(Processor& cpu, Site site, Access access, const void* thing) {
  stall(cpu, ChoicePoint::cpu, kind_of(site));
  drain(cpu.number());
  tell(cpu, site, access, kind_of(site), 0, thing);
  order_calls(cpu.number(), site);
}

void Exploration::before_work(Processor& cpu) {
  stall(cpu, ChoicePoint::cpu, kind_of(Site::take_work));
  drain(cpu.number());
  order_calls(cpu.number(), Site::take_work);
}

void Exploration::takes_work(const Processor& cpu, const void* item) {
  tell(cpu, Site::take_work, Access::update, kind_of(Site::take_work), 0, item);
}

/// What a call of the kernel makes known. Locks do so themselves; sending, completing and levels order nothing by themselves.
void Exploration::order_calls(std::uint32_t processor, Site site) {
  switch (site) {
    case Site::load_word:
    case Site::store_word:
    case Site::acquire_lock:
    case Site::release_lock:
    case Site::try_lock:
    case Site::raise_irql:
    case Site::lower_irql:
    case Site::send:
    case Site::complete: return;
    case Site::signal: return order_.tells_kernel(processor);
    default: order_.asks_kernel(processor); order_.tells_kernel(processor);
  }
}

void Exploration::switches(std::uint32_t processor) {
  drain(processor);
  order_.asks_kernel(processor);
  order_.tells_kernel(processor);
}

void Exploration::leaves_behind() {
  if (const Processor* const cpu = Processor::current()) order_.tells_kernel(cpu->number());
}

void Exploration::before_dpc(Processor& cpu, const void* dpc) {
  stall(cpu, ChoicePoint::dpc, kind_of(Site::run_dpc));
  tell(cpu, Site::run_dpc, Access::update, kind_of(Site::run_dpc), 0, dpc);
  order_.asks_kernel(cpu.number());
}

Duration Exploration::late(ChoicePoint point, std::uint32_t actor, std::uint32_t object) {
  const std::uint32_t answer =
      world_.choose(point, static_cast<std::uint32_t>(config_.stalls.size()) + 1, actor, object);
  return answer == 0 ? Duration{} : config_.stalls[answer - 1];
}

Duration Exploration::chosen_latency(Duration nominal) {
  if (!config_.latency || nominal.count() == 0) return nominal;
  switch (world_.choose(ChoicePoint::latency, 3)) {
    case 1: return nominal / 2;
    case 2: return nominal * 4;
    default: return nominal;
  }
}

bool Exploration::fails(faults::Fault fault, std::uint32_t object) {
  if (!config_.faults.has(fault)) return false;
  return world_.choose(ChoicePoint::fault, 2, static_cast<std::uint32_t>(fault), object) != 0;
}

bool Exploration::allocation_fails(std::uint64_t bytes, std::uint32_t tag) {
  if (!config_.faults.has(faults::Fault::allocation) || !allocations_.try_emplace({bytes, tag}, true).second)
    return false;
  return fails(faults::Fault::allocation, tag);
}

// ---- Words that processors share ----

std::uint32_t Exploration::load_word(std::uint32_t word, bool acquire) {
  Processor* const cpu = Processor::current();
  if (cpu == nullptr) return *words_[word].cell;
  // A routine at a device's level is delayed as a whole: by the delivery of its interrupt.
  if (cpu->irql() < Irql::device) stall(*cpu, ChoicePoint::cpu, word);
  const auto value =
      static_cast<std::uint32_t>(buffers_[cpu->number()]->stores.forward(word).value_or(*words_[word].cell));
  order_.loads(cpu->number(), words_[word].released, acquire);
  tell(*cpu, Site::load_word, Access::read, word, value);
  return value;
}

void Exploration::store_word(std::uint32_t word, std::uint32_t value, bool release) {
  Processor* const cpu = Processor::current();
  if (cpu == nullptr) {
    make_visible(word, value);
    return;
  }
  if (cpu->irql() < Irql::device) stall(*cpu, ChoicePoint::cpu, word);
  Buffer& buffer = *buffers_[cpu->number()];
  observe::Clock released = order_.stores(cpu->number(), release);
  if (config_.memory != explore::MemoryModel::sc) {
    if (release) buffer.stores.write_fence();
    if (world_.choose(ChoicePoint::flush, 2, cpu->number(), word) != 0) {
      buffer.stores.push(word, value);
      buffer.released.push_back(std::move(released));
      if (!world_.pending(buffer.drain))
        buffer.drain = world_.after(
            store_wait, cpu->actor(),
            [](void* object) {
              auto& late = *static_cast<Buffer*>(object);
              late.exploration->drain(late.processor);
            },
            &buffer);
      return tell(*cpu, Site::store_word, Access::none, word, value);
    }
    drain(cpu->number());  // what is visible at once comes after what was stored before
  }
  make_visible(word, value);
  words_[word].released = std::move(released);
  tell(*cpu, Site::store_word, Access::write, word, value);
}

void Exploration::barrier() {
  const Processor* const cpu = Processor::current();
  if (cpu == nullptr) return;
  drain(cpu->number());
  order_.barrier(cpu->number());
}

HappensBefore::Stamp Exploration::stamp() const {
  const Processor* const cpu = Processor::current();
  return cpu == nullptr ? HappensBefore::Stamp{} : order_.stamp(cpu->number());
}

bool Exploration::knows(const HappensBefore::Stamp& stamp) const {
  const Processor* const cpu = Processor::current();
  return cpu == nullptr || order_.knows(cpu->number(), stamp);
}

void Exploration::drain(std::uint32_t processor) {
  Buffer& buffer = *buffers_[processor];
  if (buffer.stores.empty()) return;
  std::size_t place = 0;
  buffer.stores.drain_all([&](const StoreBuffer::Store& store) {
    make_visible(store.word, static_cast<std::uint32_t>(store.value));
    words_[store.word].released = std::move(buffer.released[place++]);
  });
  buffer.released.clear();
  world_.cancel(buffer.drain);
}

// ---- Locks ----

std::uint32_t Exploration::number_of(std::map<const void*, std::uint32_t>& numbers, const void* address) {
  const auto [known, is_new] = numbers.try_emplace(address, last_number_);
  if (is_new) ++last_number_;
  return known->second;
}

std::string Exploration::acquires(const Context& context, const void* lock, Irql held_at, bool waits) {
  const auto danger = locks_.acquire(number_of(context_numbers_, &context), number_of(lock_numbers_, lock),
                                     {.waits = waits,
                                      .held_at = static_cast<std::uint8_t>(held_at),
                                      .entered_at = static_cast<std::uint8_t>(context.entered_at())});
  if (!danger) return {};
  if (danger->danger == observe::LockGraph::Danger::irql)
    return "a lock that an interrupt or a DPC takes is held where that can interrupt: who interrupts would wait for "
           "whom it interrupted";
  return "spin locks are acquired in an order that could deadlock: a ring of " + std::to_string(danger->locks.size()) +
         " locks, each waited for while the one before is held";
}

observe::Clock& Exploration::clock_of_lock(const void* lock) {
  const std::uint32_t number = number_of(lock_numbers_, lock);
  if (lock_clocks_.size() <= number) lock_clocks_.resize(number + 1);
  return lock_clocks_[number];
}

void Exploration::obtained(const void* lock) { order_.acquires(Processor::current()->number(), clock_of_lock(lock)); }

void Exploration::releases(const Context& context, const void* lock) {
  order_.releases(Processor::current()->number(), clock_of_lock(lock));
  locks_.release(number_of(context_numbers_, &context), number_of(lock_numbers_, lock));
}

// ---- Coverage ----

/// A step is known by who made it as which of its own, and by what it followed: changes of the same object, and before a change
/// the looks at it.
void Exploration::classify(std::uint32_t processor, Access access, std::uint32_t object) {
  std::uint64_t after = 0;
  if (Word& thing = words_[object]; access == Access::read) {
    after = thing.changes;
    ++thing.looks;
  } else if (access != Access::none) {
    after = (std::uint64_t{1} << 63) + (thing.changes++ << 32) + std::exchange(thing.looks, 0);
  }
  const std::uint64_t who = (std::uint64_t{processor} << 40) + buffers_[processor]->steps++;
  trace_class_ += explore::mixed(explore::mixed(who + 1) ^ explore::mixed((std::uint64_t{object} << 44) ^ after));
}

void Exploration::cover(std::uint32_t feature) {
  feature %= static_cast<std::uint32_t>(covered_.size());
  if (covered_.test(feature)) return;
  covered_.set(feature);
  features_.push_back(feature);
}

}  // namespace vmbsim::hw
