#include "models/scenario/libraries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

namespace vmbsim::scenario {

drivers::DriverLibrary& Libraries::in(os::Partition& partition, const std::string& file) {
  for (Loaded& loaded : loaded_)
    if (&loaded.partition == &partition && loaded.library.file() == file) return loaded.library;
  return loaded_.emplace_back(partition, file).library;
}

void Libraries::watch() {
  std::vector<foreign::CodeSpan> code;
  for (const Loaded& loaded : loaded_)
    if (const foreign::Library* library = loaded.library.library())
      code.push_back({library->code_begin(), library->code_end()});
  if (code.empty()) return;
  watch_ = std::make_unique<foreign::Watch>(foreign::Watch::Config{
      .stop = [](void* self, const foreign::Mishap&) { static_cast<Libraries*>(self)->stop_foreign_code(); },
      .progress = [](void* self) { return static_cast<Libraries*>(self)->world_.events(); },
      .object = this,
      .code = std::move(code)});
}

/// In a signal handler. Drivers run in contexts only; a fault anywhere else is the simulator's own.
void Libraries::stop_foreign_code() {
  hw::Processor* cpu = hw::Processor::current();
  if (cpu == nullptr) return;
  stopped_on_ = cpu;
  stopped_at_ = cpu->irql();
  cpu->abandon();
}

std::string Libraries::place_of(std::uintptr_t code) const {
  for (const Loaded& loaded : loaded_)
    if (const foreign::Library* library = loaded.library.library(); library != nullptr && library->holds(code))
      return " in " + library->describe(code);
  return {};
}

bool Libraries::system_down() const {
  return mishap_ || std::any_of(loaded_.begin(), loaded_.end(),
                                [](const Loaded& loaded) { return loaded.partition.bug_checked(); });
}

void Libraries::tell_mishap() {
  if (watch_ == nullptr || !watch_->mishap() || mishap_) return;
  mishap_ = true;
  const foreign::Mishap& what = *watch_->mishap();
  const std::string place = place_of(what.code);
  const std::string where = stopped_on_->name() + " at " + name_of(stopped_at_);
  using Kind = foreign::Mishap::Kind;
  switch (what.kind) {
    case Kind::fault: {
      // Source: WDK, bug check codes: a bad address at a raised IRQL, and an exception that no handler took.
      const bool address = what.signal == SIGSEGV || what.signal == SIGBUS;
      const BugCheck code = address && stopped_at_ >= Irql::dispatch ? BugCheck::driver_irql_not_less_or_equal
                                                                     : BugCheck::kmode_exception_not_handled;
      return findings_.add("CRASH", code, where,
                           fmt::format("a driver's code crashed{}: {}{}", place, ::strsignal(what.signal),
                                       address ? fmt::format(" at address {:#x}", what.address) : ""));
    }
    case Kind::abort:
      return findings_.add("CRASH", BugCheck::kmode_exception_not_handled, where,
                           "a driver's code ended in abort(), as a C library does that finds its heap corrupt");
    case Kind::exit:
      return findings_.add("EXIT", BugCheck::none, where,
                           fmt::format("a driver called exit with {}: a kernel has no exit", what.status));
    case Kind::endless:
      return findings_.add("ENDLESS", BugCheck::dpc_watchdog_violation, where + place,
                           "a driver's code runs and runs without letting simulated time pass");
    case Kind::asleep:
      return findings_.add(
          "ENDLESS", BugCheck::dpc_watchdog_violation, where,
          "a driver's code sleeps, or waits for the system; what lets simulated time pass are KeWait... "
          "and KeDelayExecutionThread");
  }
}

bool Libraries::unload(const std::function<bool(Duration)>& advance) {
  bool all = true;
  for (auto loaded = loaded_.rbegin(); loaded != loaded_.rend() && !system_down(); ++loaded) {
    if (loaded->library.library() == nullptr) continue;
    loaded->partition.create_thread(
        "unload", os::Thread::priority_normal, CpuId{0}, false,
        [](void* argument) {
          auto& mine = *static_cast<Loaded*>(argument);
          mine.library.unload();
          mine.unloaded = true;
        },
        &*loaded);
    if (!advance(longest_unload)) return all;
    if (system_down() || loaded->unloaded) continue;
    all = false;
    findings_.add("STUCK", BugCheck::none, loaded->library.file(),
                  "its driver could not be unloaded: something waits for ever");
  }
  return all;
}

}  // namespace vmbsim::scenario
