#include "models/harness/harness.hpp"

#include <fmt/format.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cxxabi.h>
#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdio>
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
  bool initialises = false;  // a library's initialisers run
  /// What they have taken, be it by way of C++'s library, of which nobody knows what it keeps: so it stays.
  Memory* loaded = nullptr;
  std::unique_ptr<foreign::Watch> watch;
  const foreign::Library* watched_library = nullptr;
  pid_t watched = 0;  // a child of this process has no timer of its own
  std::size_t users = 0;
  bool forked = false;                     // in this run
  std::array<char, 256> left_exception{};  // out of this run's code; where it left, strings are of the run's memory
};
Running running;

bool harness_runs() { return running.machine != nullptr && running.machine->in_harness(); }

[[noreturn]] void on_terminate() {
  if (const std::exception_ptr thrown = std::current_exception(); thrown != nullptr && harness_runs()) {
    const auto note = [](const char* before, const char* what) {
      std::snprintf(running.left_exception.data(), running.left_exception.size(), "%s%s", before, what);
    };
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& exception) { note(": ", exception.what()); } catch (...) {
      note(" that is no std::exception", "");
    }
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
          [](void*, const foreign::Mishap& what) {
            const bool stuck =
                what.kind == foreign::Mishap::Kind::endless || what.kind == foreign::Mishap::Kind::asleep;
            if (running.machine != nullptr) running.machine->stop_harness(stuck);
          },
      .progress = [](void*) { return running.machine == nullptr ? 0 : running.machine->progress(); },
      .object = nullptr,
      .code = std::move(code),
      .patience = 5});
}

void redirect_heap(const foreign::Library& library);

/// Answers what they have taken.
std::span<const std::byte> initialise(foreign::Library& library) {
  if (running.loaded == nullptr) running.loaded = new Memory(Memory::usual_place + (std::uintptr_t{1} << 40));
  redirect_heap(library);
  const std::size_t before = running.loaded->used().size();
  running.initialises = true;
  library.initialise();
  running.initialises = false;
  return running.loaded->used().subspan(before);
}

/// Of a library that the address sanitizer checks, what lies between its statics is copied, too.
[[gnu::no_sanitize("address")]] void copy_statics(std::byte* to, const std::byte* from, std::size_t bytes) {
#ifdef __SANITIZE_ADDRESS__
  for (std::size_t i = 0; i < bytes; ++i) const_cast<volatile std::byte*>(to)[i] = from[i];
#else
  std::memcpy(to, from, bytes);
#endif
}

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
  auto library = foreign::Library::open(file, why);
  why = wrong_with(library.get(), why);
  if (!why.empty()) return nullptr;
  const std::span<const std::byte> heap = initialise(*library);
  auto harness =
      std::make_unique<Harness>(static_cast<const char*>(library->symbol(VMBSIM_HARNESS_NAME_SYMBOL)),
                                reinterpret_cast<Machine::Entry>(library->symbol(VMBSIM_HARNESS_ENTRY_SYMBOL)), config);
  harness->library_ = std::move(library);
  harness->remember_statics(heap);
  return harness;
}

Harness::Harness(std::string name, Machine::Entry entry, Config config)
    : name_(std::move(name)), entry_(entry), machine_(config) {
  ++running.users;
}

Harness::~Harness() {
  if (--running.users == 0 || running.watched_library == library_.get()) running.watch.reset();
}

/// The parts of the library that it writes, but for those that the loader has closed; and what its initialisers have taken.
void Harness::remember_statics(std::span<const std::byte> heap) {
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
            wanted.found.push_back({bytes, std::vector<std::byte>(to - from)});
            copy_statics(wanted.found.back().loaded.data(), bytes, to - from);
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
  if (!heap.empty())
    statics_.push_back({const_cast<std::byte*>(heap.data()), std::vector<std::byte>(heap.begin(), heap.end())});
  std::vector<std::span<const std::byte>> views;
  for (const Statics& each : statics_) views.emplace_back(each.begin, each.loaded.size());
  machine_.also_digest(std::move(views));
}

const explore::Outcome& Harness::run(kernel::ChoiceSource& choices, explore::StepListener* listener) {
  watch_process();
  watch_harness(library_.get());
  running.forked = false;
  running.left_exception.front() = 0;
  running.machine = &machine_;
  running.library = library_.get();
  const explore::Outcome& outcome = machine_.run(entry_, choices, listener);
  running.machine = nullptr;
  running.library = nullptr;
  // After the run, not before: the library's destructors, too, find what its initialisers left.
  for (const Statics& each : statics_) copy_statics(each.begin, each.loaded.data(), each.loaded.size());
  if (machine_.was_stopped()) {
    running.watch->stopped_late();
    tell_mishap();
  }
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
                                  running.left_exception.front() == 0
                                      ? "the harness called abort()"
                                      : std::string("an exception left the harness") + running.left_exception.data());
    case Kind::exit:
      return machine_.add_finding("EXIT", BugCheck::none, fmt::format("the harness called exit with {}", what.status));
    case Kind::endless:
      return machine_.add_finding("ENDLESS", BugCheck::dpc_watchdog_violation,
                                  "the harness runs and runs without coming to a step", place);
    case Kind::asleep:
      return machine_.add_finding("ENDLESS", BugCheck::dpc_watchdog_violation,
                                  "the harness sleeps, or waits for the system, as a std mutex does, without coming to "
                                  "a step; threads that wait for one another do so by the locks and events of "
                                  "vmbsim/hunt.hpp");
  }
}

// ---- new and delete, malloc and free ----

/// Called by a harness's own code while it runs; null for everybody else.
static Machine* caller(const void* code) {
  if (running.library == nullptr || !running.machine->in_harness()) return nullptr;
  return running.library->holds(reinterpret_cast<std::uintptr_t>(code)) ? running.machine : nullptr;
}

static Machine* runner() { return harness_runs() ? running.machine : nullptr; }

/// Null for what the process has.
static Memory* memory_of(const void* address) {
  if (running.machine != nullptr && running.machine->memory().holds(address)) return &running.machine->memory();
  if (running.loaded != nullptr && running.loaded->holds(address)) return running.loaded;
  return nullptr;
}

/// The process's heap, for whoever runs: an end in the middle of it would be everybody's.
template <class Call>
static auto in_heap(Call&& call) {
  Machine* const machine = runner();
  if (machine == nullptr) return call();
  machine->enter_heap();
  auto* const memory = call();
  machine->leave_heap();
  return memory;
}

/// Memory of the run, of the library or of the process.
static void* take(Machine* machine, std::size_t bytes, const char* by, std::size_t alignment = 1) {
  if (machine != nullptr) return machine->take_memory(bytes, by, alignment);
  if (running.initialises) {
    running.initialises = false;  // its own books are no part of it
    void* const memory = running.loaded->allocate(bytes, by, Memory::Purpose::plain, 0, alignment);
    running.initialises = true;
    return memory;
  }
  return in_heap([bytes, alignment]() -> void* {
    if (alignment <= alignof(std::max_align_t)) return std::malloc(std::max<std::size_t>(bytes, 1));
    void* memory = nullptr;
    return ::posix_memalign(&memory, alignment, bytes) == 0 ? memory : nullptr;
  });
}

/// What the initialisers took stays: the next run finds it as they left it.
static void give(void* memory, const char* by) {
  const Memory* const whose = memory_of(memory);
  if (whose == nullptr) {
    in_heap([memory]() -> void* {
      std::free(memory);
      return nullptr;
    });
    return;
  }
  if (whose != running.loaded) running.machine->free_memory(memory, by);
}

static void* take_new(std::size_t bytes, const void* code, std::align_val_t alignment = std::align_val_t{1}) {
  Machine* const machine = caller(code);
  void* const memory = take(machine, bytes, "new", static_cast<std::size_t>(alignment));
  if (memory != nullptr) return memory;
  if (machine != nullptr) machine->run_out_of_memory("new");
  throw std::bad_alloc();
}

/// Null when there is none left: whoever calls it asks for that.
static void* try_new(std::size_t bytes, const void* code, std::align_val_t alignment = std::align_val_t{1}) {
  return take(caller(code), bytes, "new", static_cast<std::size_t>(alignment));
}

static void give_back(void* memory) noexcept {
  if (memory != nullptr) give(memory, "delete");
}

// What C's functions would take from a heap that no run ends with, and no state has.

static std::size_t c_usable_size(void* memory) {
  Memory* const whose = memory_of(memory);
  if (whose == nullptr) return ::malloc_usable_size(memory);
  const Memory::Block* const block = whose->block_at(memory);
  return block == nullptr ? 0 : block->bytes;
}

static void* c_malloc(std::size_t bytes) { return take(runner(), bytes, "malloc"); }

static void* c_calloc(std::size_t count, std::size_t bytes) {
  if (runner() == nullptr && !running.initialises) return std::calloc(count, bytes);
  std::size_t all = 0;
  return __builtin_mul_overflow(count, bytes, &all) ? nullptr : take(runner(), all, "calloc");  // zeroed
}

static void c_free(void* memory) {
  if (memory != nullptr) give(memory, "free");
}

static void* c_realloc(void* memory, std::size_t bytes) {
  if (memory == nullptr) return take(runner(), bytes, "realloc");
  if (bytes == 0) {  // Source: glibc, Changing the Size of a Block
    c_free(memory);
    return nullptr;
  }
  if (runner() == nullptr && !running.initialises && memory_of(memory) == nullptr) return std::realloc(memory, bytes);
  void* const moved = take(runner(), bytes, "realloc");
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, memory, std::min(bytes, c_usable_size(memory)));
  c_free(memory);
  return moved;
}

static void* c_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  if (!std::has_single_bit(alignment)) return nullptr;
  return take(runner(), bytes, "aligned_alloc", alignment);
}

static int c_posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) {
  if (!std::has_single_bit(alignment) || alignment < sizeof(void*)) return EINVAL;
  void* const taken = take(runner(), bytes, "posix_memalign", alignment);
  if (taken == nullptr) return ENOMEM;
  *memory = taken;
  return 0;
}

static char* c_strndup(const char* text, std::size_t most) {
  const std::size_t bytes = ::strnlen(text, most);
  auto* const copy = static_cast<char*>(take(runner(), bytes + 1, "strdup"));
  if (copy == nullptr) return nullptr;
  std::memcpy(copy, text, bytes);
  copy[bytes] = 0;
  return copy;
}

static char* c_strdup(const char* text) { return c_strndup(text, SIZE_MAX); }

/// What a run makes of a static in a function ends with the run, and is not destroyed at the process's end.
static int c_atexit(void (*destroy)(void*), void* object, void* library) {
  return harness_runs() ? 0 : abi::__cxa_atexit(destroy, object, library);
}

namespace {
void redirect_heap(const foreign::Library& library) {
  const auto redirect = [&library](const char* function, auto* by) {
    library.redirect(function, reinterpret_cast<const void*>(by));
  };
  redirect("malloc", &c_malloc);
  redirect("calloc", &c_calloc);
  redirect("realloc", &c_realloc);
  redirect("free", &c_free);
  redirect("aligned_alloc", &c_aligned_alloc);
  redirect("posix_memalign", &c_posix_memalign);
  redirect("malloc_usable_size", &c_usable_size);
  redirect("strdup", &c_strdup);
  redirect("strndup", &c_strndup);
  redirect("__cxa_atexit", &c_atexit);
}
}  // namespace

}  // namespace vmbsim::harness

// A harness finds the program's new and delete first: all of them, for what one took another one may give back.
using vmbsim::harness::give_back;
using vmbsim::harness::take_new;
using vmbsim::harness::try_new;
using Alignment = std::align_val_t;

void* operator new(std::size_t bytes) { return take_new(bytes, __builtin_return_address(0)); }
void* operator new[](std::size_t bytes) { return take_new(bytes, __builtin_return_address(0)); }
void* operator new(std::size_t bytes, Alignment to) { return take_new(bytes, __builtin_return_address(0), to); }
void* operator new[](std::size_t bytes, Alignment to) { return take_new(bytes, __builtin_return_address(0), to); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return try_new(bytes, __builtin_return_address(0));
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return try_new(bytes, __builtin_return_address(0));
}
void* operator new(std::size_t bytes, Alignment to, const std::nothrow_t&) noexcept {
  return try_new(bytes, __builtin_return_address(0), to);
}
void* operator new[](std::size_t bytes, Alignment to, const std::nothrow_t&) noexcept {
  return try_new(bytes, __builtin_return_address(0), to);
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, Alignment) noexcept { give_back(memory); }
void operator delete[](void* memory, Alignment) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, Alignment) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t, Alignment) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, Alignment, const std::nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, Alignment, const std::nothrow_t&) noexcept { give_back(memory); }
