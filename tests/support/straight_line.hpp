#pragma once
/// The smallest programs that strategies explore: threads of a few operations one after the other, each on a processor of
/// its own, under sc, tso or pso. The independent reference for counts: nothing here knows how a strategy works.
///
///   StraightLine program({{store(1, 1), load(2)}, {store(2, 1), load(1)}}, MemoryModel::tso);
///
/// Thread t is actor t. Store buffers are the actors after the threads: one per thread under tso, one per thread and word
/// under pso. A buffer stands just before its own thread.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/explore/mixed.hpp"
#include "sim/explore/program.hpp"

namespace vmbsim::testing {

struct Op {
  enum class Kind : std::uint8_t {
    load,        ///< into the register
    store,       ///< `value`
    store_next,  ///< the register + 1
    add,         ///< `value`, in one step
    lock,
    unlock,
    fence,  ///< possible while the own buffers are empty
    await,  ///< reads; possible while the word is `value`
    take,   ///< one off; possible while the word is not 0
    input,  ///< into the register: one of `value` inputs; no step, asked when the step before has been done
    raise,  ///< from here on no other thread of the processor goes on
    lower,
    fails,  ///< into the register: whether a fault struck; no step either
  };
  Kind kind;
  std::uint32_t object = 0;
  std::uint64_t value = 0;
};
inline Op load(std::uint32_t object) { return {Op::Kind::load, object}; }
inline Op store(std::uint32_t object, std::uint64_t value) { return {Op::Kind::store, object, value}; }
inline Op store_next(std::uint32_t object) { return {Op::Kind::store_next, object}; }
inline Op add(std::uint32_t object) { return {Op::Kind::add, object, 1}; }
inline Op lock(std::uint32_t object) { return {Op::Kind::lock, object}; }
inline Op unlock(std::uint32_t object) { return {Op::Kind::unlock, object}; }
inline Op fence() { return {Op::Kind::fence}; }
inline Op await(std::uint32_t object, std::uint64_t value) { return {Op::Kind::await, object, value}; }
inline Op take(std::uint32_t object) { return {Op::Kind::take, object}; }
inline Op input(std::uint64_t values) { return {Op::Kind::input, 0, values}; }
inline Op raise() { return {Op::Kind::raise}; }
inline Op lower() { return {Op::Kind::lower}; }
inline Op fails() { return {Op::Kind::fails}; }

using Thread = std::vector<Op>;

inline std::vector<Thread> threads(std::size_t n, const Thread& thread) { return std::vector<Thread>(n, thread); }

class StraightLine final : public explore::Program {
 public:
  /// What a check looks at when a run is over.
  struct Final {
    std::vector<std::uint64_t> words;                ///< by object; [0] is not used
    std::vector<std::vector<std::uint64_t>> loaded;  ///< by thread, in program order
  };
  using Broken = std::function<bool(const Final&)>;

  explicit StraightLine(std::vector<Thread> program, explore::MemoryModel model = explore::MemoryModel::sc,
                        Broken broken = {})
      : program_(std::move(program)), model_(model), broken_(std::move(broken)) {
    for (const Thread& thread : program_)
      for (const Op& op : thread) objects_ = std::max<std::uint32_t>(objects_, op.object);
    initial_.assign(objects_ + 1, 0);
  }

  StraightLine& set(std::uint32_t object, std::uint64_t value) {
    initial_[object] = value;
    return *this;
  }
  /// Has this many processors: thread t runs on processor t modulo `count`. Under sc only.
  StraightLine& share(std::uint32_t count) {
    processors_ = count;
    return *this;
  }
  /// Steps before a run is cut.
  StraightLine& limit(std::uint64_t steps) {
    limit_ = steps;
    return *this;
  }

  const explore::Outcome& run(kernel::ChoiceSource& choices, explore::StepListener* = nullptr) override {
    reset();
    for (std::uint32_t t = 0; t < program_.size(); ++t) ask_input(t, choices);
    for (;;) {
      gather();
      if (each_.empty()) break;
      if (outcome_.steps == limit_) {
        outcome_.end = explore::End::cut;
        break;
      }
      const bool goes_on = outcome_.steps != 0 && each_[0].actor == last_;
      const std::uint32_t taken = choices.choose({.point = kernel::ChoicePoint::cpu,
                                                  .alternatives = static_cast<std::uint32_t>(each_.size()),
                                                  .actor = last_,
                                                  .object = 0,
                                                  .preempts = goes_on,
                                                  .each = each_});
      if (taken == kernel::ChoiceSource::abandon) {
        outcome_.end = explore::End::abandoned;
        break;
      }
      if (each_[taken].actor != last_ && outcome_.steps != 0) ++outcome_.switches;
      if (goes_on && taken != 0) ++outcome_.preemptions;
      step(each_[taken], choices);
    }
    finish();
    return outcome_;
  }
  bool time_abstract() const override { return true; }
  std::string actor_name(std::uint32_t actor) const override { return "actor " + std::to_string(actor); }
  std::string object_name(std::uint32_t object) const override { return "word " + std::to_string(object); }

  /// Which store each load read from and the order of the stores to each word, of locks the order of their holders.
  const std::string& rf_co() const { return signature_; }
  /// What was loaded, by thread.
  std::string registers() const {
    std::string text;
    for (const auto& loaded : final_.loaded)
      for (const std::uint64_t value : loaded) text += std::to_string(value) + ' ';
    return text;
  }

 private:
  struct Stored {
    std::uint32_t object;
    std::uint64_t value;
    std::uint32_t id;
    std::int64_t step;
  };
  struct Running {
    std::size_t next = 0;
    std::uint64_t reg = 0;
    std::vector<Stored> buffer;
    bool raised = false;
  };

  std::uint32_t count() const { return static_cast<std::uint32_t>(program_.size()); }

  std::uint32_t processor_of(const Running& one) const {
    const auto t = static_cast<std::uint32_t>(&one - running_.data());
    return processors_ == 0 ? t : t % processors_;
  }

  void reset() {
    outcome_ = {};
    final_.words = initial_;
    final_.loaded.assign(program_.size(), {});
    running_.assign(program_.size(), {});
    writer_.assign(objects_ + 1, 0);
    holder_.assign(objects_ + 1, 0);
    order_.assign(objects_ + 1, {});
    reads_.assign(program_.size(), {});
    last_ = 0;
    last_thread_ = 0;
  }

  const Stored* own_store(const Running& one, std::uint32_t object) const {
    for (auto i = one.buffer.rbegin(); i != one.buffer.rend(); ++i)
      if (i->object == object) return &*i;
    return nullptr;
  }

  bool buffered(const Op& op) const {
    return model_ != explore::MemoryModel::sc && (op.kind == Op::Kind::store || op.kind == Op::Kind::store_next);
  }

  bool possible(const Running& one, const Op& op) const {
    for (const Running& other : running_)
      if (&other != &one && other.raised && processor_of(other) == processor_of(one)) return false;
    switch (op.kind) {
      case Op::Kind::lock: return one.buffer.empty() && holder_[op.object] == 0;
      case Op::Kind::await: {
        const Stored* own = own_store(one, op.object);
        return (own != nullptr ? own->value : final_.words[op.object]) == op.value;
      }
      case Op::Kind::take: return one.buffer.empty() && final_.words[op.object] != 0;
      case Op::Kind::add:
      case Op::Kind::unlock:
      case Op::Kind::fence: return one.buffer.empty();
      default: return true;
    }
  }

  kernel::Operation operation(const Op& op) const {
    using kernel::Access;
    const bool weak = model_ != explore::MemoryModel::sc;
    switch (op.kind) {
      case Op::Kind::load: return {op.object, 0, Access::read};
      case Op::Kind::store:
      case Op::Kind::store_next: return {op.object, 0, weak ? Access::none : Access::write};
      case Op::Kind::add: return {op.object, 0, Access::update};
      case Op::Kind::lock: return {op.object, 0, Access::acquire};
      case Op::Kind::unlock: return {op.object, 0, Access::release};
      case Op::Kind::fence: return {0, 0, Access::none};
      case Op::Kind::await: return {op.object, 0, Access::read, true};
      case Op::Kind::take: return {op.object, 0, Access::update, true};
      default: return {};
    }
  }

  void gather() {
    each_.clear();
    for (std::uint32_t k = 0; k < count(); ++k) {
      const std::uint32_t t = (last_thread_ + k) % count();
      const Running& one = running_[t];
      for (std::size_t s = 0; s < one.buffer.size(); ++s) {
        const Stored& stored = one.buffer[s];
        const bool pso = model_ == explore::MemoryModel::pso;
        bool first = s == 0;
        if (pso) {
          first = true;
          for (std::size_t before = 0; before < s; ++before)
            first = first && one.buffer[before].object != stored.object;
        }
        if (first)
          each_.push_back({pso ? count() + t * objects_ + stored.object - 1 : count() + t,
                           t,
                           kernel::ChoicePoint::flush,
                           {stored.object, 0, kernel::Access::write},
                           stored.step});
      }
      if (one.next == program_[t].size()) continue;
      const Op& op = program_[t][one.next];
      if (possible(one, op)) each_.push_back({t, processor_of(one), kernel::ChoicePoint::cpu, operation(op), -1});
    }
  }

  void write(std::uint32_t object, std::uint64_t value, std::uint32_t id) {
    final_.words[object] = value;
    writer_[object] = id;
    order_[object].push_back(id);
  }

  void step(const kernel::Alternative& taken, kernel::ChoiceSource& choices) {
    const std::uint32_t t = taken.kind == kernel::ChoicePoint::flush ? taken.processor : taken.actor;
    Running& one = running_[t];
    last_ = taken.actor;
    last_thread_ = t;
    if (taken.kind == kernel::ChoicePoint::flush) {
      std::size_t s = 0;
      while (one.buffer[s].object != taken.operation.object) ++s;
      const Stored stored = one.buffer[s];
      one.buffer.erase(one.buffer.begin() + static_cast<std::ptrdiff_t>(s));
      write(stored.object, stored.value, stored.id);
    } else {
      execute(t, one);
      ++one.next;
      ask_input(t, choices);
    }
    ++outcome_.steps;
  }

  void execute(std::uint32_t t, Running& one) {
    const Op& op = program_[t][one.next];
    const auto id = static_cast<std::uint32_t>((t + 1) * 1000 + one.next);
    const auto read = [&] {
      const Stored* own = own_store(one, op.object);
      reads_[t].push_back(own != nullptr ? own->id : writer_[op.object]);
      return own != nullptr ? own->value : final_.words[op.object];
    };
    switch (op.kind) {
      case Op::Kind::load:
        one.reg = read();
        final_.loaded[t].push_back(one.reg);
        break;
      case Op::Kind::await: read(); break;
      case Op::Kind::store:
      case Op::Kind::store_next: {
        const std::uint64_t value = op.kind == Op::Kind::store ? op.value : one.reg + 1;
        if (buffered(op))
          one.buffer.push_back({op.object, value, id, static_cast<std::int64_t>(outcome_.steps)});
        else
          write(op.object, value, id);
        break;
      }
      case Op::Kind::add:
        one.reg = read() + op.value;
        write(op.object, one.reg, id);
        break;
      case Op::Kind::take:
        one.reg = read() - 1;
        write(op.object, one.reg, id);
        break;
      case Op::Kind::lock:
        holder_[op.object] = t + 1;
        order_[op.object].push_back(id);
        break;
      case Op::Kind::unlock: holder_[op.object] = 0; break;
      case Op::Kind::raise:
      case Op::Kind::lower: one.raised = op.kind == Op::Kind::raise; break;
      default: break;
    }
  }

  // What is asked where a thread is now: everything up to its next step runs with the step before.
  void ask_input(std::uint32_t t, kernel::ChoiceSource& choices) {
    Running& one = running_[t];
    while (one.next < program_[t].size()) {
      const Op& op = program_[t][one.next];
      if (op.kind != Op::Kind::input && op.kind != Op::Kind::fails) return;
      const bool fault = op.kind == Op::Kind::fails;
      one.reg = choices.choose({.point = fault ? kernel::ChoicePoint::fault : kernel::ChoicePoint::data,
                                .alternatives = fault ? 2 : static_cast<std::uint32_t>(op.value),
                                .actor = t});
      final_.loaded[t].push_back(one.reg);
      reads_[t].push_back(static_cast<std::uint32_t>(one.reg));
      ++one.next;
    }
  }

  void finish() {
    signature_.clear();
    std::uint64_t bits = 0;
    const auto note = [&](std::uint64_t number) {
      signature_ += std::to_string(number);
      signature_ += ' ';
      bits = explore::mixed(bits + number + 1);
    };
    bool stuck = false;
    for (std::uint32_t t = 0; t < count(); ++t) {
      const Running& one = running_[t];
      note(one.next);
      for (const std::uint32_t from : reads_[t]) note(from);
      if (one.next == program_[t].size()) continue;
      stuck = true;
      if (!possible(one, program_[t][one.next]))
        outcome_.waiting.push_back(
            {t, processor_of(one), kernel::ChoicePoint::cpu, operation(program_[t][one.next]), -1});
    }
    for (const auto& order : order_) {
      signature_ += "| ";
      bits = explore::mixed(bits);
      for (const std::uint32_t id : order) note(id);
    }
    outcome_.trace_class = bits;
    outcome_.features.push_back(static_cast<std::uint32_t>(bits & 0xffff));
    if (outcome_.end != explore::End::finished) return;
    if (stuck) outcome_.findings.push_back({.rule = "DEADLOCK", .where = {}, .call = {}, .text = {}, .source = {}});
    if (broken_ && broken_(final_))
      outcome_.findings.push_back({.rule = "CHECK", .where = {}, .call = {}, .text = {}, .source = {}});
  }

  std::vector<Thread> program_;
  explore::MemoryModel model_;
  Broken broken_;
  std::uint32_t processors_ = 0;  // 0: one per thread
  std::uint64_t limit_ = 1'000'000;
  std::uint32_t objects_ = 0;
  std::vector<std::uint64_t> initial_;

  explore::Outcome outcome_;
  Final final_;
  std::string signature_;
  std::vector<Running> running_;
  std::vector<std::uint32_t> writer_;
  std::vector<std::uint32_t> holder_;
  std::vector<std::vector<std::uint32_t>> order_;
  std::vector<std::vector<std::uint32_t>> reads_;
  std::vector<kernel::Alternative> each_;
  std::uint32_t last_ = 0;
  std::uint32_t last_thread_ = 0;
};

}  // namespace vmbsim::testing
