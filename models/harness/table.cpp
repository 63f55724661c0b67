#include "models/harness/table.hpp"

#include "models/harness/machine.hpp"

namespace vmbsim::harness {

/// Enters the machine from the harness's code, and goes back to it.
struct Table {
  static Machine& enter(vmbsim_machine* machine) {
    Machine& self = *static_cast<Machine*>(machine);
    self.in_harness_ = false;
    return self;
  }
  template <class Call>
  static auto inside(vmbsim_machine* machine, Call&& call) {
    Machine& self = enter(machine);
    if (self.in_condition_) [[unlikely]] {
      self.fail("HARNESS", BugCheck::none, "the condition of an await looks at its word, and does nothing else");
      self.go_back();
    }
    return telling(machine, call);
  }
  /// The same for what a condition may do as well.
  template <class Call>
  static auto telling(vmbsim_machine* machine, Call&& call) {
    Machine& self = enter(machine);
    if constexpr (std::is_void_v<decltype(call(self))>) {
      call(self);
      self.go_back();
    } else {
      const auto answer = call(self);
      self.go_back();
      return answer;
    }
  }

  static vmbsim_object* create(vmbsim_machine* m, int sort, const char* name, void* place, std::uint64_t a,
                               std::uint64_t b) {
    return inside(m, [&](Machine& machine) { return machine.create(sort, name, place, a, b); });
  }
  static vmbsim_object* create_routine(vmbsim_machine* m, int sort, const char* name, vmbsim_routine routine,
                                       void* context, void* place, std::uint64_t a, std::uint64_t b) {
    return inside(m,
                  [&](Machine& machine) { return machine.create_routine(sort, name, routine, context, place, a, b); });
  }
  static std::uint64_t operate(vmbsim_machine* m, int operation, vmbsim_object* object, std::uint64_t a,
                               std::uint64_t b, std::uint32_t order_and_line) {
    return inside(m, [&](Machine& machine) {
      return machine.operate({.operation = operation,
                              .object = object,
                              .a = a,
                              .b = b,
                              .order = order_and_line & 0xff,
                              .line = order_and_line >> 8});
    });
  }
  static std::uint64_t await(vmbsim_machine* m, vmbsim_object* word, vmbsim_condition holds, void* context,
                             std::uint32_t line) {
    return inside(m, [&](Machine& machine) {
      return machine.operate(
          {.operation = VMBSIM_LOAD, .object = word, .line = line, .holds = holds, .context = context});
    });
  }
  static std::uint64_t peek(vmbsim_machine*, vmbsim_object* object) { return object->value; }
  static void* allocate(vmbsim_machine* m, std::uint64_t bytes, const char* name, int purpose) {
    return inside(m, [&](Machine& machine) { return machine.allocate(bytes, name, purpose); });
  }
  static void release(vmbsim_machine* m, void* memory, std::uint32_t line) {
    inside(m, [&](Machine& machine) { machine.release_memory(memory, line); });
  }
  static void bury(vmbsim_machine* m, void* memory) {
    inside(m, [&](Machine& machine) {
      if (Memory::Block* block = machine.memory_.block_at(memory)) machine.memory_.bury(*block);
    });
  }
  static void own(vmbsim_machine* m, vmbsim_routine routine, void* context) {
    inside(m, [&](Machine& machine) { machine.owned_.push_back({routine, context}); });
  }
  static void at_end(vmbsim_machine* m, vmbsim_routine routine, void* context) {
    inside(m, [&](Machine& machine) { machine.at_end_.push_back({routine, context}); });
  }
  static void eventually(vmbsim_machine* m, vmbsim_condition holds, void* context, const char* text) {
    inside(m, [&](Machine& machine) { machine.promises_.push_back({holds, context, machine.memory_.keep(text)}); });
  }
  static void check(vmbsim_machine* m, int holds, const char* text, std::uint32_t line) {
    if (holds != 0) return;
    telling(m, [&](Machine& machine) {
      std::string what = text == nullptr ? "" : text;
      if (line != 0) what += " (line " + std::to_string(line) + ")";
      machine.fail("CHECK", BugCheck::none, what, "check");
    });
  }
  static void sometimes(vmbsim_machine* m, int holds, const char* text) {
    telling(m, [&](Machine& machine) { machine.reach(text, holds != 0); });
  }
  static std::uint32_t choose(vmbsim_machine* m, std::uint32_t alternatives, const char* name, int is_fault) {
    return inside(m, [&](Machine& machine) {
      return machine.choose(is_fault != 0 ? kernel::ChoicePoint::fault : kernel::ChoicePoint::data, alternatives, name);
    });
  }
  static void processors(vmbsim_machine* m, std::uint32_t least) {
    inside(m, [&](Machine& machine) { machine.add_processors(least); });
  }
  static std::uint32_t current_irql(vmbsim_machine* m) {
    return static_cast<std::uint32_t>(static_cast<Machine*>(m)->current_->irql);
  }
  static std::uint32_t current_processor(vmbsim_machine* m) { return static_cast<Machine*>(m)->current_->cpu; }
};

vmbsim_hunt table_of(Machine& machine) {
  return {.abi = VMBSIM_HUNT_ABI,
          .bytes = sizeof(vmbsim_hunt),
          .machine = &machine,
          .create = &Table::create,
          .create_routine = &Table::create_routine,
          .operate = &Table::operate,
          .await = &Table::await,
          .peek = &Table::peek,
          .allocate = &Table::allocate,
          .release = &Table::release,
          .bury = &Table::bury,
          .own = &Table::own,
          .at_end = &Table::at_end,
          .eventually = &Table::eventually,
          .check = &Table::check,
          .sometimes = &Table::sometimes,
          .choose = &Table::choose,
          .processors = &Table::processors,
          .current_irql = &Table::current_irql,
          .current_processor = &Table::current_processor};
}

}  // namespace vmbsim::harness
