#include "sim/foreign/library.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <utility>

namespace vmbsim::foreign {

namespace {

/// An open file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  int keep() { return std::exchange(number_, -1); }

 private:
  int number_;
};

bool copy(int from, int to, off_t bytes) {
  while (bytes > 0) {
    const ssize_t copied = ::sendfile(to, from, nullptr, static_cast<std::size_t>(bytes));
    if (copied < 0 && errno == EINTR) continue;
    if (copied <= 0) return false;
    bytes -= copied;
  }
  return true;
}

/// dlerror() without the name of the private copy.
std::string loader_message(const std::string& copy) {
  const char* text = ::dlerror();
  std::string message = text == nullptr ? "the loader refused it" : text;
  if (message.rfind(copy + ": ", 0) == 0) message.erase(0, copy.size() + 2);
  return message;
}

struct CodeRange {
  const char* name;
  std::uintptr_t begin, end;
};

int find_code(dl_phdr_info* info, std::size_t, void* argument) {
  auto& range = *static_cast<CodeRange*>(argument);
  if (std::strcmp(info->dlpi_name, range.name) != 0) return 0;
  range.begin = UINTPTR_MAX;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
    range.begin = std::min<std::uintptr_t>(range.begin, info->dlpi_addr + part.p_vaddr);
    range.end = std::max<std::uintptr_t>(range.end, info->dlpi_addr + part.p_vaddr + part.p_memsz);
  }
  return 1;
}

/// What the dynamic section of a library says, as addresses.
struct Tables {
  const char* names = nullptr;
  const ElfW(Sym) * symbols = nullptr;
  std::span<const ElfW(Rela)> calls;  // through the procedure linkage table
  std::span<const ElfW(Rela)> others;
};

Tables tables_of(const link_map& map) {
  Tables tables;
  const ElfW(Rela)* calls = nullptr;
  const ElfW(Rela)* others = nullptr;
  std::size_t call_bytes = 0, other_bytes = 0;
  for (const ElfW(Dyn)* entry = map.l_ld; entry->d_tag != DT_NULL; ++entry) {
    switch (entry->d_tag) {
      case DT_STRTAB: tables.names = reinterpret_cast<const char*>(entry->d_un.d_ptr); break;
      case DT_SYMTAB: tables.symbols = reinterpret_cast<const ElfW(Sym)*>(entry->d_un.d_ptr); break;
      case DT_JMPREL: calls = reinterpret_cast<const ElfW(Rela)*>(entry->d_un.d_ptr); break;
      case DT_PLTRELSZ: call_bytes = entry->d_un.d_val; break;
      case DT_RELA: others = reinterpret_cast<const ElfW(Rela)*>(entry->d_un.d_ptr); break;
      case DT_RELASZ: other_bytes = entry->d_un.d_val; break;
      default: break;
    }
  }
  tables.calls = {calls, call_bytes / sizeof(ElfW(Rela))};
  tables.others = {others, other_bytes / sizeof(ElfW(Rela))};
  return tables;
}

/// Makes the private copy of a library say that it has no initialisers; answers how many it has. A file that is no such library
/// is left to the loader to refuse.
std::size_t hold_back_initialisers(int image, std::size_t bytes) {
  if (bytes < sizeof(ElfW(Ehdr))) return 0;
  void* const mapping = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, image, 0);
  if (mapping == MAP_FAILED) return 0;
  auto* const file = static_cast<std::byte*>(mapping);
  const auto part_of = [&](std::size_t offset, std::size_t size) { return offset <= bytes && size <= bytes - offset; };
  std::size_t held_back = 0;
  ElfW(Ehdr) header{};
  std::memcpy(&header, file, sizeof header);
  const bool known = std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
                     header.e_phentsize == sizeof(ElfW(Phdr));
  for (std::size_t i = 0; known && i < header.e_phnum; ++i) {
    const std::size_t place = header.e_phoff + i * sizeof(ElfW(Phdr));
    if (!part_of(place, sizeof(ElfW(Phdr)))) break;
    ElfW(Phdr) part{};
    std::memcpy(&part, file + place, sizeof part);
    if (part.p_type != PT_DYNAMIC || !part_of(part.p_offset, part.p_filesz)) continue;
    for (std::size_t at = 0; at + sizeof(ElfW(Dyn)) <= part.p_filesz; at += sizeof(ElfW(Dyn))) {
      ElfW(Dyn) entry{};
      std::memcpy(&entry, file + part.p_offset + at, sizeof entry);
      if (entry.d_tag != DT_INIT_ARRAYSZ) continue;
      held_back = entry.d_un.d_val / sizeof(ElfW(Addr));
      entry.d_un.d_val = 0;
      std::memcpy(file + part.p_offset + at, &entry, sizeof entry);
    }
  }
  ::munmap(mapping, bytes);
  return held_back;
}

/// The loader may have closed the page. What is there already needs no page opened.
void write_closed(std::uintptr_t place, const void* value) {
  if (*reinterpret_cast<const void* const*>(place) == value) return;
  const auto page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  void* const page = reinterpret_cast<void*>(place / page_bytes * page_bytes);
  if (::mprotect(page, page_bytes, PROT_READ | PROT_WRITE) == 0)
    std::memcpy(reinterpret_cast<void*>(place), &value, sizeof value);
}

/// Templates and inline functions that the library has itself are called there, not where the loader found them first.
/// Source: Itanium C++ ABI, 5.2, Vague Linkage.
void bind_own(const link_map& map) {
#ifdef __x86_64__
  constexpr std::uint64_t place_of_address = R_X86_64_GLOB_DAT;
#else
  constexpr std::uint64_t place_of_address = R_AARCH64_GLOB_DAT;
#endif
  const Tables tables = tables_of(map);
  const auto bind = [&](const ElfW(Rela) & one) {
    const ElfW(Sym)& symbol = tables.symbols[ELF64_R_SYM(one.r_info)];
    const bool weak_function = ELF64_ST_BIND(symbol.st_info) == STB_WEAK && ELF64_ST_TYPE(symbol.st_info) == STT_FUNC;
    if (ELF64_R_SYM(one.r_info) == 0 || symbol.st_shndx == SHN_UNDEF || !weak_function) return;
    write_closed(map.l_addr + one.r_offset, reinterpret_cast<const void*>(map.l_addr + symbol.st_value));
  };
  for (const ElfW(Rela) & one : tables.calls) bind(one);
  for (const ElfW(Rela) & one : tables.others)
    if (ELF64_R_TYPE(one.r_info) == place_of_address) bind(one);
}

}  // namespace

std::unique_ptr<Library> Library::load(const std::string& file, std::string& why) {
  auto library = open(file, why);
  if (library != nullptr) library->initialise();
  return library;
}

std::unique_ptr<Library> Library::open(const std::string& file, std::string& why) {
  const Descriptor original(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (original.number() < 0 || ::fstat(original.number(), &status) != 0) {
    why = std::strerror(errno);
    return nullptr;
  }
  if (!S_ISREG(status.st_mode)) {
    why = "not a file";
    return nullptr;
  }
  // The loader gives one copy of the statics to each file it knows, so every load gets a file of its own.
  Descriptor image(::memfd_create("driver", MFD_CLOEXEC));
  if (image.number() < 0 || !copy(original.number(), image.number(), status.st_size)) {
    why = std::strerror(errno);
    return nullptr;
  }
  const std::size_t initialisers = hold_back_initialisers(image.number(), static_cast<std::size_t>(status.st_size));
  const std::string private_name = "/proc/self/fd/" + std::to_string(image.number());
  void* handle = ::dlopen(private_name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    why = loader_message(private_name);
    return nullptr;
  }
  return std::unique_ptr<Library>(new Library(file, image.keep(), handle, initialisers));
}

Library::Library(std::string file, int image, void* handle, std::size_t initialisers)
    : file_(std::move(file)), image_(image), handle_(handle), initialisers_(initialisers) {
  link_map* map = nullptr;
  if (::dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0) return;
  load_address_ = map->l_addr;
  CodeRange range{map->l_name, 0, 0};
  ::dl_iterate_phdr(find_code, &range);
  code_begin_ = range.begin;
  code_end_ = range.end;
  bind_own(*map);
}

Library::~Library() {
  ::dlclose(handle_);
  ::close(image_);
}

// Source: System V ABI, gABI, Initialization and Termination Functions; what the functions get is the loader's custom.
void Library::initialise() noexcept {
  using Initialiser = void (*)(int, char**, char**);
  const std::size_t many = std::exchange(initialisers_, 0);
  link_map* map = nullptr;
  if (many == 0 || ::dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0) return;
  const Initialiser* first = nullptr;
  for (const ElfW(Dyn)* entry = map->l_ld; entry->d_tag != DT_NULL; ++entry)
    if (entry->d_tag == DT_INIT_ARRAY) first = reinterpret_cast<const Initialiser*>(load_address_ + entry->d_un.d_ptr);
  if (first == nullptr) return;
  char* arguments[] = {program_invocation_name, nullptr};
  for (std::size_t i = 0; i < many; ++i) first[i](1, arguments, environ);
}

void* Library::symbol(const char* name) const { return ::dlsym(handle_, name); }

// Source: System V ABI, AMD64 and AArch64 supplements: a function of another object is called through a word of this one, which
// the loader has filled in by a relocation that names it.
void Library::redirect(const char* function, const void* by) const {
  link_map* map = nullptr;
  if (::dlinfo(handle_, RTLD_DI_LINKMAP, &map) != 0) return;
  const Tables tables = tables_of(*map);
  for (const std::span<const ElfW(Rela)> all : {tables.calls, tables.others})
    for (const ElfW(Rela) & one : all) {
      const ElfW(Sym)& symbol = tables.symbols[ELF64_R_SYM(one.r_info)];
      const bool named = ELF64_R_SYM(one.r_info) != 0 && symbol.st_shndx == SHN_UNDEF &&
                         std::strcmp(tables.names + symbol.st_name, function) == 0;
      if (named) write_closed(load_address_ + one.r_offset, by);
    }
}

std::string Library::describe(std::uintptr_t address) const {
  char distance[32];
  std::snprintf(distance, sizeof distance, "+0x%zx", address - load_address_);
  std::string text = file_.substr(file_.rfind('/') + 1) + distance;
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(address), &info) == 0 || info.dli_sname == nullptr) return text;
  std::snprintf(distance, sizeof distance, "+0x%zx", address - reinterpret_cast<std::uintptr_t>(info.dli_saddr));
  return text + " (" + info.dli_sname + distance + ")";
}

}  // namespace vmbsim::foreign
