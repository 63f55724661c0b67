// What is wrong when everything has come to rest, and how to say it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "models/harness/machine.hpp"

namespace vmbsim::harness {

namespace {

/// What a request is called in the story of a run.
const char* verb_of(int operation) {
  switch (operation) {
    case VMBSIM_LOAD: return "load";
    case VMBSIM_STORE: return "store";
    case VMBSIM_EXCHANGE: return "exchange";
    case VMBSIM_ADD: return "add";
    case VMBSIM_AND: return "and";
    case VMBSIM_OR: return "or";
    case VMBSIM_XOR: return "xor";
    case VMBSIM_COMPARE_EXCHANGE: return "compare-exchange";
    case VMBSIM_FENCE: return "fence";
    case VMBSIM_WRITE_FENCE: return "write fence";
    case VMBSIM_READ: return "read";
    case VMBSIM_WRITE: return "write";
    case VMBSIM_ACQUIRE: return "acquire";
    case VMBSIM_TRY_ACQUIRE: return "try-acquire";
    case VMBSIM_ACQUIRE_SHARED: return "acquire-shared";
    case VMBSIM_ACQUIRE_AT_DPC_LEVEL: return "acquire-at-dpc-level";
    case VMBSIM_RELEASE: return "release";
    case VMBSIM_RELEASE_FROM_DPC_LEVEL: return "release-from-dpc-level";
    case VMBSIM_WAIT: return "wait";
    case VMBSIM_SET: return "set";
    case VMBSIM_CLEAR: return "clear";
    case VMBSIM_RESET: return "reset";
    case VMBSIM_NOTIFY_ONE: return "notify-one";
    case VMBSIM_NOTIFY_ALL: return "notify-all";
    case VMBSIM_INSERT: return "insert";
    case VMBSIM_REMOVE: return "remove";
    case VMBSIM_QUEUE: return "queue";
    case VMBSIM_ARM: return "set";
    case VMBSIM_CANCEL: return "cancel";
    case VMBSIM_REQUEST: return "request";
    case VMBSIM_RAISE: return "raise";
    case VMBSIM_LOWER: return "lower";
    case VMBSIM_YIELD: return "yield";
    case VMBSIM_JOIN: return "join";
    case VMBSIM_DESTROY: return "free";
    case starts_running: return "start";
    default: return "?";
  }
}

}  // namespace

std::string Machine::value_text(const vmbsim_object& object, std::uint64_t value) const {
  if (object.is_pointer) {
    if (value == 0) return fmt::format("{} = null", object.name);
    return fmt::format("{} = an address", object.name);
  }
  if (!object.is_signed) return fmt::format("{} = {}", object.name, value);
  const int shift = static_cast<int>(64 - 8 * object.bytes);
  return fmt::format("{} = {}", object.name, static_cast<std::int64_t>(value << shift) >> shift);
}

std::string Machine::text_of(const Request& request, std::uint64_t value) const {
  const char* verb = verb_of(request.operation);
  if (request.operation == VMBSIM_RAISE || request.operation == VMBSIM_LOWER)
    return fmt::format("{} to {}", verb, name_of(static_cast<Irql>(request.a)));
  if (request.object == nullptr) return verb;
  const vmbsim_object& object = *request.object;
  if (object.sort == VMBSIM_WORD || object.sort == VMBSIM_DATA) {
    if (request.operation == VMBSIM_DESTROY) return fmt::format("{} {}", verb, object.name);
    return fmt::format("{} {}", request.holds != nullptr ? "await" : verb, value_text(object, value));
  }
  switch (request.operation) {
    case VMBSIM_TRY_ACQUIRE:
    case VMBSIM_INSERT:
    case VMBSIM_REMOVE:
    case VMBSIM_CANCEL: return fmt::format("{} {}: {}", verb, object.name, value != 0 ? "yes" : "no");
    default: return fmt::format("{} {}", verb, object.name);
  }
}

/// By whoever has the processor for himself: that stays when other threads come and go.
std::string Machine::buffer_name(std::size_t cpu) const {
  if (cpus_[cpu].threads == 1)
    for (const Actor* actor : ring_)
      if (actor->cpu == cpu && actor->sort == Actor::Sort::thread)
        return fmt::format("store buffer of {}", actor->object->name);
  return fmt::format("store buffer of cpu{}", cpu);
}

std::string Machine::actor_name(std::uint32_t id) const {
  for (const Actor* actor : ring_)
    if (actor->id == id) return actor->object->name;
  for (std::size_t i = 0; i < running_cpus_; ++i)
    if (config_.memory == explore::MemoryModel::tso && cpus_[i].buffer_actor == id) return buffer_name(i);
  for (std::size_t i = 0; i < made_; ++i) {
    const vmbsim_object& word = objects_[i];
    if (word.buffers != 0 && id >= word.buffers && id - word.buffers < running_cpus_)
      return fmt::format("{} for {}", buffer_name(id - word.buffers), word.name);
  }
  return id == 0xffffffff ? "the harness" : fmt::format("actor {}", id);
}

std::string Machine::object_name(std::uint32_t object) const {
  return object >= numbered_.size() || numbered_[object] == nullptr ? "" : numbered_[object]->name;
}

/// "cpu1 at dispatch, consumer"
std::string Machine::story_of(const Actor& actor) const {
  return fmt::format("cpu{} at {}, {}", actor.cpu, name_of(actor.irql), actor.object->name);
}

/// "consumer waits for door"
std::string Machine::waits_of(const Actor& actor) const {
  const vmbsim_object* object = actor.request.object;
  if (object == nullptr)
    return fmt::format("{} cannot go on with its {}", actor.object->name, verb_of(actor.request.operation));
  const Actor* owner = object->owner;
  return fmt::format("{} waits for {}{}", actor.object->name, object->name,
                     owner == nullptr ? "" : fmt::format(", which {} holds", owner->object->name));
}

/// Nobody can go on. Who still had to?
void Machine::judge_rest() {
  std::vector<observe::WaitsFor> waits;
  const Actor* stuck = nullptr;
  for (const Actor* actor : ring_) {
    const bool blocked = actor->life == Actor::Life::blocked;
    if (!blocked && actor->life != Actor::Life::ready) continue;
    if (!actor->daemon && stuck == nullptr) stuck = actor;
    if (blocked) continue;
    outcome_.waiting.push_back(actor->next);
    outcome_.waiting.back().after = actor->after;
    const Processor& cpu = cpus_[actor->cpu];
    const Actor* occupant = cpu.nested.empty() ? cpu.raised : cpu.nested.back();
    if (occupant != nullptr && occupant != actor) waits.push_back({actor->index, occupant->index});
    const vmbsim_object* object = actor->request.object;
    if (object == nullptr) continue;
    if (object->owner != nullptr) waits.push_back({actor->index, object->owner->index});
    for (const Actor* sharer : object->sharers) waits.push_back({actor->index, sharer->index});
    if (actor->request.operation == VMBSIM_JOIN) waits.push_back({actor->index, object->actor->index});
  }
  if (const std::vector<std::uint32_t> ring = observe::find_wait_cycle(waits); !ring.empty()) {
    std::string text;
    for (const std::uint32_t index : ring) {
      const Actor& actor = contexts_[index];
      const Processor& cpu = cpus_[actor.cpu];
      const Actor* occupant = cpu.nested.empty() ? cpu.raised : cpu.nested.back();
      if (!text.empty()) text += "; ";
      text += occupant != nullptr && occupant != &actor ? fmt::format("{} cannot go on while {} runs on its processor",
                                                                      actor.object->name, occupant->object->name)
                                                        : waits_of(actor);
    }
    current_ = &contexts_[ring.front()];
    return fail("DEADLOCK", BugCheck::driver_verifier_detected_violation, text);
  }
  if (stuck == nullptr) return;
  current_ = &contexts_[stuck->index];
  fail("LOST_WAKEUP", BugCheck::none, waits_of(*stuck) + ", and nobody is left who could let it go on");
}

/// What the harness itself says must hold, then what it must not leave behind.
void Machine::judge_end() {
  for (const Promise& promise : promises_) {
    if (outside([&] { return promise.holds(promise.context, 0); }) == 0)
      return fail("EVENTUALLY", BugCheck::none, promise.text, "eventually");
    if (over_) return;
  }
  for (std::size_t i = 0; i < at_end_.size() && !over_; ++i) outside([&] { at_end_[i].routine(at_end_[i].context); });
  while (!owned_.empty() && !over_) {
    const Routine owned = owned_.back();
    owned_.pop_back();
    outside([&] { owned.routine(owned.context); });
  }
  if (over_) return;
  if (const Memory::Block* block = memory_.written_after_free())
    return fail("USE_AFTER_FREE", BugCheck::page_fault_in_freed_special_pool,
                fmt::format("memory of {} was written after it was freed", block->name));
  std::vector<bool> reached;  // looked for when somebody could be saved by it
  for (std::size_t i = 0; i < memory_.blocks().size(); ++i) {
    const Memory::Block& block = memory_.blocks()[i];
    if (block.purpose == Memory::Purpose::run || block.freed || block.owner >= acting_) continue;
    if (block.purpose == Memory::Purpose::plain) {
      if (reached.empty()) reached = reached_by_statics();
      if (reached[i]) continue;
    }
    const Actor& owner = contexts_[block.owner];
    if (owner.daemon && owner.life != Actor::Life::finished) continue;  // still in use, for all that anybody knows
    return fail("LEAK", BugCheck::none,
                fmt::format("{} B of {}, taken by {}, are never freed", block.bytes, block.name,
                            block.owner == 0 ? "the set-up" : owner.object->name));
  }
}

/// Which blocks of memory a static still leads to, be it by way of others. As leak checkers do it, whatever looks like an address
/// of a block is one. Source: LeakSanitizer, design document.
[[gnu::no_sanitize("address")]]  // what lies between the statics of a checked library is looked at, too
std::vector<bool>
Machine::reached_by_statics() {
  const std::span<const Memory::Block> blocks = memory_.blocks();
  std::vector<bool> reached(blocks.size());
  std::vector<std::span<const std::byte>> open = statics_;
  while (!open.empty()) {
    const std::span<const std::byte> bytes = open.back();
    open.pop_back();
    const std::size_t first = -reinterpret_cast<std::uintptr_t>(bytes.data()) % sizeof(void*);
    for (std::size_t at = first; at + sizeof(void*) <= bytes.size(); at += sizeof(void*)) {
      const void* const address = *reinterpret_cast<const void* const*>(bytes.data() + at);  // aligned
      if (!memory_.holds(address)) continue;
      const Memory::Block* block = memory_.block_at(address);
      if (block == nullptr || block->freed) continue;
      const auto which = static_cast<std::size_t>(block - blocks.data());
      if (reached[which]) continue;
      reached[which] = true;
      open.emplace_back(block->begin, block->bytes);
    }
  }
  return reached;
}

/// Everything that decides how the run goes on: equal digests are equal states.
std::uint64_t Machine::state_digest() {
  std::uint64_t digest = last_place_;
  const auto add = [&digest](std::uint64_t value) { digest = Tally::mix(digest ^ value) + 0x9e3779b97f4a7c15u; };
  const auto add_bytes = [&](std::span<const std::byte> bytes) { add(XXH3_64bits(bytes.data(), bytes.size())); };
  for (std::size_t i = 0; i < made_; ++i) {
    const vmbsim_object& object = objects_[i];
    add(object.value);
    add(object.owner == nullptr ? 0 : object.owner->index);
    add(object.depth * 8 + object.begun * 4u + object.alive * 2u);
    for (const Actor* waiter : object.waiters) add(waiter->index);
    for (const Actor* sharer : object.sharers) add(sharer->index);
  }
  for (const Actor* actor : ring_) {
    add(static_cast<std::uint64_t>(actor->life) * 64 + static_cast<std::uint64_t>(actor->irql));
    for (const std::uint32_t owed : actor->owed) add(owed);
    if (actor->life == Actor::Life::ready || actor->life == Actor::Life::blocked) add_bytes(actor->fiber.live());
  }
  for (std::size_t i = 0; i < running_cpus_; ++i)
    for (std::uint32_t which = 0; which < cpus_[i].buffer.ready(); ++which)
      add(cpus_[i].buffer.ready_at(which).value + cpus_[i].buffer.size());
  for (const std::span<const std::byte> bytes : statics_) add_bytes(bytes);
  add_bytes(memory_.used());
  return digest;
}

}  // namespace vmbsim::harness
