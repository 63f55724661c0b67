#pragma once
/// A shared library of somebody else, loaded privately: every load has its own statics, however often a file is loaded.
///
///   std::string why;
///   if (auto library = Library::load("libecho.so", why)) entry = library->symbol("DriverEntry");
///
/// Inline functions and templates that the library has itself are its own, also where the program has them, too.
/// Loading runs the library's initialisers, in this process; whoever must come before them opens it first:
///
///   auto library = Library::open("libecho.so", why);
///   library->redirect("malloc", by);
///   library->initialise();
#include <cstdint>
#include <memory>
#include <string>

namespace vmbsim::foreign {

class Library {
 public:
  /// Null when the file is missing, no shared library of this machine, or wants functions that nobody has; `why` then tells
  /// what is wrong, without the name of the file.
  static std::unique_ptr<Library> load(const std::string& file, std::string& why);
  /// The same without running its initialisers, but for a function that the linker was told of by -init.
  static std::unique_ptr<Library> open(const std::string& file, std::string& why);
  /// Runs them; once.
  void initialise() noexcept;
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// The address of an exported symbol; null when there is none.
  void* symbol(const char* name) const;
  /// From now on the library's own calls of `function`, which is not its own, go to `by`: not those of libraries that it uses.
  void redirect(const char* function, const void* by) const;
  const std::string& file() const { return file_; }

  /// The addresses of its code: [begin, end).
  std::uintptr_t code_begin() const { return code_begin_; }
  std::uintptr_t code_end() const { return code_end_; }
  bool holds(std::uintptr_t address) const { return address >= code_begin_ && address < code_end_; }
  /// A code address as the file has it, which is what addr2line takes, and the exported function around it where there is one:
  /// "libecho.so+0x124d (on_packet+0x1c)".
  std::string describe(std::uintptr_t address) const;

 private:
  Library(std::string file, int image, void* handle, std::size_t initialisers);

  std::string file_;
  int image_;  // descriptor of the private copy: its number is the copy's name, so it stays taken
  void* handle_;
  std::size_t initialisers_;  // how many the loader was kept from running
  std::uintptr_t load_address_ = 0;
  std::uintptr_t code_begin_ = 0;
  std::uintptr_t code_end_ = 0;
};

}  // namespace vmbsim::foreign
