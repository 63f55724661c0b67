#include "models/harness/harness.hpp"

#include <fmt/format.h>
#include <link.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>

#include "sim/foreign/child.hpp"
#include "sim/foreign/watch.hpp"

namespace vmbsim::harness {

namespace {

/// Whose harness runs in this process: signals and new belong to the process.
struct Running {
  Machine* machine = nullptr;
  const foreign::Library* library = nullptr;
  std::unique_ptr<foreign::Watch> watch;
  const foreign::Library* watched_library = nullptr;
  pid_t watched = 0;  // a child of this process has no timer of its own
  std::size_t users = 0;
  bool forked = false;         // in this run
  std::string left_exception;  // out of this run's code
};
Running running;

bool harness_runs() { return running.machine != nullptr && running.machine->in_harness(); }

[[noreturn]] void on_terminate() {
  if (const std::exception_ptr thrown = std::current_exception(); thrown != nullptr && harness_runs()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& exception) {
      running.left_exception = std::string(": ") + exception.what();
    } catch (...) { running.left_exception = " that is no std::exception"; }
  }
  std::abort();
}

/// A second process must not go on with this one's hunt; and the first has one of them to tell of.
void watch_process() {
  static const bool watched = [] {
    std::set_terminate(on_terminate);
    return ::pthread_atfork(
               nullptr, [] { running.forked = running.forked || harness_runs(); },
               [] {
                 if (harness_runs()) ::syscall(SYS_exit_group, 0);  // _exit would be the harness's
               }) == 0;
  }();
  VMBSIM_ASSERT(watched, "a process can be told of its forks");
}

void watch_harness(const foreign::Library* library) {
  const pid_t process = ::getpid();
  if (running.watch != nullptr && running.watched == process && running.watched_library == library) return;
  running.watch.reset();
  running.watched = process;
  running.watched_library = library;
  std::vector<foreign::CodeSpan> code;
  if (library != nullptr) code.push_back({library->code_begin(), library->code_end()});
  running.watch = std::make_unique<foreign::Watch>(foreign::Watch::Config{
      .stop =
          [](void*) {
            if (running.machine != nullptr) running.machine->stop_harness();
          },
      .progress = [](void*) { return running.machine == nullptr ? 0 : running.machine->progress(); },
      .object = nullptr,
      .code = std::move(code),
      .patience = 5});
}

void redirect_heap(const foreign::Library& library);

constexpr char amiss = '!';  // begins a child's answer that tells what is wrong

std::string wrong_with(const foreign::Library* library, const std::string& why) {
  if (library == nullptr) return "cannot be loaded: " + why;
  const auto* abi = static_cast<const std::uint32_t*>(library->symbol(VMBSIM_HARNESS_ABI_SYMBOL));
  if (abi == nullptr || library->symbol(VMBSIM_HARNESS_ENTRY_SYMBOL) == nullptr ||
      library->symbol(VMBSIM_HARNESS_NAME_SYMBOL) == nullptr)
    return "is no harness: VMBSIM_HARNESS is missing";
  if (*abi != VMBSIM_HUNT_ABI)
    return fmt::format("was built for version {} of vmbsim/hunt.h, and this is version {}: build it again", *abi,
                       VMBSIM_HUNT_ABI);
  return {};
}

}  // namespace

Card card_of_harness(const std::string& file) {
  const foreign::Answer answer = foreign::ask_child([&file] {
    std::string why;
    const auto library = foreign::Library::load(file, why);
    why = wrong_with(library.get(), why);
    if (!why.empty()) return std::string(1, amiss) + why;
    const auto* sources = static_cast<const char*>(library->symbol(VMBSIM_HARNESS_SOURCES_SYMBOL));
    return std::string(sources == nullptr ? "" : sources, sources == nullptr ? 0 : ::strnlen(sources, 16));
  });
  switch (answer.end) {
    case foreign::Answer::End::told:
      if (answer.text.starts_with(amiss)) return {answer.text.substr(1), {}};
      return {{}, answer.text};
    case foreign::Answer::End::died:
      return {"crashes or exits while it is loaded: its initialisers run before it does", {}};
    case foreign::Answer::End::endless: return {"does not come to an end of its initialisers", {}};
  }
  return {};
}

std::unique_ptr<Harness> Harness::load(const std::string& file, Config config, std::string& why) {
  why = card_of_harness(file).wrong;
  if (!why.empty()) return nullptr;
  auto library = foreign::Library::load(file, why);
  why = wrong_with(library.get(), why);
  if (!why.empty()) return nullptr;
  auto harness =
      std::make_unique<Harness>(static_cast<const char*>(library->symbol(VMBSIM_HARNESS_NAME_SYMBOL)),
                                reinterpret_cast<Machine::Entry>(library->symbol(VMBSIM_HARNESS_ENTRY_SYMBOL)), config);
  redirect_heap(*library);
  harness->library_ = std::move(library);
  harness->remember_statics();
  return harness;
}

Harness::Harness(std::string name, Machine::Entry entry, Config config)
    : name_(std::move(name)), entry_(entry), machine_(config) {
  ++running.users;
}

Harness::~Harness() {
  if (--running.users == 0 || running.watched_library == library_.get()) running.watch.reset();
}

/// The parts of the library that it writes, but for those that the loader has closed.
void Harness::remember_statics() {
  struct Search {
    const foreign::Library& library;
    std::vector<Statics>& found;
  } search{*library_, statics_};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* argument) {
        auto& wanted = *static_cast<Search*>(argument);
        bool ours = false;
        std::uintptr_t closed_begin = 0, closed_end = 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& part = info->dlpi_phdr[i];
          const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
          if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0 && wanted.library.holds(begin)) ours = true;
          if (part.p_type == PT_GNU_RELRO) {
            const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
            closed_begin = begin;
            closed_end = (begin + part.p_memsz) / page * page;
          }
        }
        if (!ours) return 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& part = info->dlpi_phdr[i];
          if (part.p_type != PT_LOAD || (part.p_flags & PF_W) == 0) continue;
          const std::uintptr_t begin = info->dlpi_addr + part.p_vaddr;
          const std::uintptr_t end = begin + part.p_memsz;
          const auto keep = [&](std::uintptr_t from, std::uintptr_t to) {
            if (from >= to) return;
            auto* bytes = reinterpret_cast<std::byte*>(from);
            wanted.found.push_back({bytes, std::vector<std::byte>(bytes, reinterpret_cast<std::byte*>(to))});
          };
          if (closed_begin >= begin && closed_begin < end) {
            keep(begin, closed_begin);
            keep(closed_end, end);
          } else {
            keep(begin, end);
          }
        }
        return 1;
      },
      &search);
  std::vector<std::span<const std::byte>> views;
  for (const Statics& each : statics_) views.emplace_back(each.begin, each.loaded.size());
  machine_.also_digest(std::move(views));
}

const explore::Outcome& Harness::run(kernel::ChoiceSource& choices, explore::StepListener* listener) {
  for (const Statics& each : statics_) std::memcpy(each.begin, each.loaded.data(), each.loaded.size());
  watch_process();
  watch_harness(library_.get());
  running.forked = false;
  running.left_exception.clear();
  running.machine = &machine_;
  running.library = library_.get();
  const explore::Outcome& outcome = machine_.run(entry_, choices, listener);
  running.machine = nullptr;
  running.library = nullptr;
  if (running.watch->mishap()) tell_mishap();
  if (running.forked)
    machine_.add_finding("HARNESS", BugCheck::none, "the harness forks: its orders are one process's only");
  return outcome;
}

void Harness::tell_mishap() {
  const foreign::Mishap what = *running.watch->mishap();
  running.watch.reset();  // one watch tells one mishap
  const std::string place =
      library_ != nullptr && library_->holds(what.code) ? " in " + library_->describe(what.code) : "";
  using Kind = foreign::Mishap::Kind;
  switch (what.kind) {
    case Kind::fault:
      if (machine_.below_stack(what.address))
        return machine_.add_finding(
            "CRASH", BugCheck::kmode_exception_not_handled,
            fmt::format(
                "stack overflow{}: the harness used up the {} KiB that a context has, as endless recursion does", place,
                kernel::StackPool::stack_bytes / 1024));
      return machine_.add_finding("CRASH", BugCheck::kmode_exception_not_handled,
                                  fmt::format("the harness crashed{}: {}", place, ::strsignal(what.signal)));
    case Kind::abort:
      return machine_.add_finding("ABORT", BugCheck::none,
                                  running.left_exception.empty()
                                      ? "the harness called abort()"
                                      : "an exception left the harness" + running.left_exception);
    case Kind::exit:
      return machine_.add_finding("EXIT", BugCheck::none, fmt::format("the harness called exit with {}", what.status));
    case Kind::endless:
      return machine_.add_finding("ENDLESS", BugCheck::dpc_watchdog_violation,
                                  "the harness runs and runs" + place + " without coming to a step");
  }
}

// ---- new and delete, malloc and free ----

/// Called by a harness's own code while it runs; null for everybody else.
static Machine* caller(const void* code) {
  if (running.library == nullptr || !running.machine->in_harness()) return nullptr;
  return running.library->holds(reinterpret_cast<std::uintptr_t>(code)) ? running.machine : nullptr;
}

// What C's functions would take from a heap that no run ends with, and no state has.

static Machine* runner() { return harness_runs() ? running.machine : nullptr; }

static void* c_malloc(std::size_t bytes) {
  Machine* const machine = runner();
  return machine != nullptr ? machine->take_memory(bytes) : std::malloc(bytes);
}

static void* c_calloc(std::size_t count, std::size_t bytes) {
  Machine* const machine = runner();
  if (machine == nullptr) return std::calloc(count, bytes);
  std::size_t all = 0;
  return __builtin_mul_overflow(count, bytes, &all) ? nullptr : machine->take_memory(all);  // a run's memory is zeroed
}

static void c_free(void* memory);

static void* c_realloc(void* memory, std::size_t bytes) {
  Machine* const machine = runner();
  if (machine == nullptr || (memory != nullptr && !machine->memory().holds(memory))) return std::realloc(memory, bytes);
  void* const larger = machine->take_memory(bytes);
  if (memory == nullptr) return larger;
  const Memory::Block* const block = machine->memory().block_at(memory);
  if (block != nullptr) std::memcpy(larger, memory, std::min(block->bytes, bytes));
  c_free(memory);
  return larger;
}

static void* take(std::size_t bytes, const void* code) {
  if (Machine* machine = caller(code)) return machine->take_memory(bytes);
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}

static void give(void* memory) {
  if (running.machine != nullptr && running.machine->memory().holds(memory))
    return running.machine->free_memory(memory);
  std::free(memory);
}

static void c_free(void* memory) {
  if (memory != nullptr) give(memory);
}

namespace {
void redirect_heap(const foreign::Library& library) {
  library.redirect("malloc", reinterpret_cast<const void*>(&c_malloc));
  library.redirect("calloc", reinterpret_cast<const void*>(&c_calloc));
  library.redirect("realloc", reinterpret_cast<const void*>(&c_realloc));
  library.redirect("free", reinterpret_cast<const void*>(&c_free));
}
}  // namespace

}  // namespace vmbsim::harness

// A harness finds the program's new and delete first.
void* operator new(std::size_t bytes) { return vmbsim::harness::take(bytes, __builtin_return_address(0)); }
void* operator new[](std::size_t bytes) { return vmbsim::harness::take(bytes, __builtin_return_address(0)); }
void operator delete(void* memory) noexcept { vmbsim::harness::give(memory); }
void operator delete[](void* memory) noexcept { vmbsim::harness::give(memory); }
void operator delete(void* memory, std::size_t) noexcept { vmbsim::harness::give(memory); }
void operator delete[](void* memory, std::size_t) noexcept { vmbsim::harness::give(memory); }
