/// Foreign code: loaded privately, and kept from taking the process with it.
#include <dlfcn.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <sstream>
#include <string>

#include "sim/foreign/child.hpp"
#include "sim/foreign/library.hpp"
#include "sim/foreign/watch.hpp"
#include "sim/kernel/fiber.hpp"

using namespace vmbsim;
using foreign::Library;
using foreign::Mishap;

namespace {

std::unique_ptr<Library> load(const char* file) {
  std::string why;
  auto library = Library::load(file, why);
  INFO(why);
  REQUIRE(library != nullptr);
  return library;
}

template <class Function>
Function* function(const Library& library, const char* name) {
  auto* found = reinterpret_cast<Function*>(library.symbol(name));
  REQUIRE(found != nullptr);
  return found;
}

/// Runs foreign code in a fibre under a watch that leaves the fibre.
class Cell {
 public:
  std::optional<Mishap> run(const Library& library, void (*body)(void*), void* argument) {
    foreign::Watch watch({.stop = [](void* self, const Mishap&) { static_cast<Cell*>(self)->stop(); },
                          .progress = [](void*) -> std::uint64_t { return 1; },
                          .object = this,
                          .code = {{library.code_begin(), library.code_end()}},
                          .patience = 1});
    kernel::Fiber fiber(stacks_);
    fiber.start(body, argument);
    running_ = &fiber;
    fiber.resume();
    running_ = nullptr;
    return watch.mishap();
  }

 private:
  void stop() {
    if (running_ != nullptr) running_->suspend();
  }
  kernel::StackPool stacks_;
  kernel::Fiber* running_ = nullptr;
};

std::optional<Mishap> mishap_in(const char* name) {
  const auto library = load(ILL_BEHAVED);
  auto* body = function<void()>(*library, name);
  return Cell().run(
      *library, [](void* called) { reinterpret_cast<void (*)()>(called)(); }, reinterpret_cast<void*>(body));
}

}  // namespace

TEST_CASE("two loads of one library do not see each other's statics") {
  const auto one = load(ILL_BEHAVED);
  const auto other = load(ILL_BEHAVED);
  CHECK(function<int()>(*one, "count")() == 1);
  CHECK(function<int()>(*one, "count")() == 2);
  CHECK(function<int()>(*other, "count")() == 1);
}

TEST_CASE("a library that is loaded again begins with fresh statics") {
  for (int i = 0; i < 3; ++i) CHECK(function<int()>(*load(ILL_BEHAVED), "count")() == 1);
}

TEST_CASE("what is missing, no library, or wants unknown functions is refused with a reason") {
  std::string why;
  CHECK(Library::load("no/such/file.so", why) == nullptr);
  CHECK(why == "No such file or directory");
  CHECK(Library::load("/", why) == nullptr);
  CHECK(why == "not a file");
  CHECK(Library::load(NOT_A_LIBRARY, why) == nullptr);
  CHECK(why.find("/proc") == std::string::npos);
  CHECK_FALSE(why.empty());
  CHECK(Library::load(NO_SUCH_FUNCTION, why) == nullptr);
  CHECK(why == "undefined symbol: KeNoSuchFunction");
}

TEST_CASE("a library knows where its code is, and names the function around an address") {
  const auto library = load(ILL_BEHAVED);
  const auto address = reinterpret_cast<std::uintptr_t>(library->symbol("count"));
  CHECK(library->holds(address));
  CHECK_FALSE(library->holds(reinterpret_cast<std::uintptr_t>(&::getpid)));
  Dl_info info{};
  REQUIRE(::dladdr(reinterpret_cast<void*>(address), &info) != 0);
  std::ostringstream in_file;
  in_file << "+0x" << std::hex << address + 2 - reinterpret_cast<std::uintptr_t>(info.dli_fbase);
  const std::string file(ILL_BEHAVED);
  const std::string place = file.substr(file.rfind('/') + 1) + in_file.str();
  CHECK(library->describe(address + 2) == place + " (count+0x2)");
}

TEST_CASE("a bad pointer ends the code that used it, and nothing else") {
  const auto mishap = mishap_in("touch_nothing");
  REQUIRE(mishap.has_value());
  CHECK(mishap->kind == Mishap::Kind::fault);
  CHECK(mishap->signal == SIGSEGV);
  CHECK(mishap->address == 8);
}

TEST_CASE("a division by zero is a fault") {
  const auto library = load(ILL_BEHAVED);
  auto* divide = function<int(int)>(*library, "divide");
  const auto mishap = Cell().run(
      *library, [](void* called) { reinterpret_cast<int (*)(int)>(called)(0); }, reinterpret_cast<void*>(divide));
  REQUIRE(mishap.has_value());
  CHECK(mishap->signal == SIGFPE);
}

TEST_CASE("a stack that is used up is a fault") {
  const auto library = load(ILL_BEHAVED);
  auto* dive = function<void(const char*)>(*library, "dive");
  const auto mishap = Cell().run(
      *library, [](void* called) { reinterpret_cast<void (*)(const char*)>(called)(nullptr); },
      reinterpret_cast<void*>(dive));
  REQUIRE(mishap.has_value());
  CHECK(mishap->signal == SIGSEGV);
}

TEST_CASE("abort and exit end the code that called them, not the process") {
  const auto aborted = mishap_in("give_up");
  REQUIRE(aborted.has_value());
  CHECK(aborted->kind == Mishap::Kind::abort);
  const auto left = mishap_in("leave");
  REQUIRE(left.has_value());
  CHECK(left->kind == Mishap::Kind::exit);
  CHECK(left->status == 7);
}

TEST_CASE("an endless loop ends when its patience is used up") {
  const auto mishap = mishap_in("loop");
  REQUIRE(mishap.has_value());
  CHECK(mishap->kind == Mishap::Kind::endless);
}

TEST_CASE("a watch has more patience than whoever looks after its process, who is to come first") {
  using vmbsim::foreign::Answer;
  const auto seconds = vmbsim::foreign::ask_child(
      [] {
        vmbsim::foreign::leave_patience_to_parent(1);
        const bool stopped = mishap_in("loop").has_value();
        return stopped ? std::to_string(std::clock() / CLOCKS_PER_SEC) : std::string();
      },
      {.seconds = 20});
  REQUIRE(seconds.end == Answer::End::told);
  CHECK_FALSE(seconds.text.empty());
  CHECK(std::atoi(seconds.text.c_str()) >= 3);
}

TEST_CASE("a child that is asked and sleeps is endless, one that sleeps a little tells its answer") {
  using vmbsim::foreign::Answer;
  const auto asleep = vmbsim::foreign::ask_child([] { return ::pause() == 0 ? "" : "woken"; }, {.seconds = 1});
  CHECK(asleep.end == Answer::End::endless);
  const auto late = vmbsim::foreign::ask_child([] { return ::usleep(200'000) == 0 ? "late" : ""; }, {.seconds = 1});
  CHECK(late.end == Answer::End::told);
  CHECK(late.text == "late");
}

TEST_CASE("code that behaves leaves no mishap") { CHECK_FALSE(mishap_in("count").has_value()); }
