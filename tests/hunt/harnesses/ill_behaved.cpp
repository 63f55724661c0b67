// What a harness may do to whoever runs it. MISDEED says what this one does.
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

namespace {

[[maybe_unused]] int deeper(volatile int* depth) {
  volatile char room[512] = {};
  room[0] = static_cast<char>(*depth);
  *depth = *depth + 1;
  return deeper(depth) + room[0];
}

void misdeed() {
#if defined(SEGFAULT)
  *reinterpret_cast<volatile int*>(8) = 1;
#elif defined(RECURSION)
  volatile int depth = 0;
  deeper(&depth);
#elif defined(ABORTS)
  std::abort();
#elif defined(EXITS)
  std::exit(7);
#elif defined(THROWS)
  throw std::runtime_error("no such packet");
#elif defined(FORKS)
  static_cast<void>(::fork());
#elif defined(ENDLESS)
  for (volatile int forever = 0;;) static_cast<void>(forever);
#elif defined(SLEEPS)
  ::pause();
#elif defined(LEAKS)
  auto* volatile numbers = new std::vector<int>(100);
  numbers->front() = 1;
#elif defined(LEAKS_QUIETLY)
  auto* volatile number = new (std::nothrow) int(1);
  if (number != nullptr) *number = 2;
#elif defined(LEAKS_ALIGNED)
  struct alignas(64) Line {
    int number;
  };
  auto* volatile line = new Line{1};
  check(reinterpret_cast<std::uintptr_t>(line) % 64 == 0, "new aligns");
#elif defined(LEAKS_WITHIN)
  // The program has this template, too.
  alignas(std::vector<int>) unsigned char place[sizeof(std::vector<int>)];
  auto* numbers = new (place) std::vector<int>;
  for (int i = 0; i < 10; ++i) numbers->push_back(i);
#elif defined(LEAKS_TEXT)
  // Such a text grows in C++'s library.
  alignas(std::string) unsigned char place[sizeof(std::string)];
  auto* text = new (place) std::string("a name that is longer than a string's own buffer");
  text->append(1000, '.');
#elif defined(MALLOCS)
  auto* volatile numbers = static_cast<int*>(std::malloc(sizeof(int)));
  numbers[0] = 1;
#elif defined(COUNTS)
  // Nothing changes but what lies in the heap, which is moved on the way.
  auto* numbers = static_cast<volatile int*>(std::calloc(2, sizeof(int)));
  numbers = static_cast<volatile int*>(std::realloc(const_cast<int*>(numbers), 400));
  while (numbers[1] < 900) {
    numbers[1] = numbers[1] + 1;
    yield();
  }
  std::free(const_cast<int*>(numbers));
#elif defined(DELETES_TWICE)
  int* volatile number = new int(1);
  int* volatile again = number;
  delete number;
  delete again;
#elif defined(FREES_TWICE)
  void* volatile memory = std::malloc(8);
  void* volatile again = memory;
  std::free(memory);
  std::free(again);
#elif defined(LOSES)
  static int* volatile kept = nullptr;
  kept = new int(1);
  kept = new int(2);
#elif defined(ASKS_C)
  // Source: glibc, Basic Memory Allocation; POSIX, posix_memalign.
  volatile std::size_t too_much = std::size_t{1} << 60;
  check(::operator new(too_much, std::nothrow) == nullptr, "new answers that there is not so much, when asked for it");
  check(std::malloc(too_much) == nullptr, "malloc answers that there is not so much");
  void* memory = std::malloc(10);
  check(::malloc_usable_size(memory) >= 10, "what was taken is usable");
  check(std::realloc(memory, too_much) == nullptr, "so does realloc, and leaves what there is");
  check(std::realloc(memory, 0) == nullptr, "realloc to nothing frees");
  for (const std::size_t alignment : {16u, 256u, 8192u}) {
    void* aligned = std::aligned_alloc(alignment, 2 * alignment);
    check(reinterpret_cast<std::uintptr_t>(aligned) % alignment == 0, "aligned_alloc aligns");
    void* aligned_too = nullptr;
    check(::posix_memalign(&aligned_too, alignment, 1) == 0, "posix_memalign gives");
    check(reinterpret_cast<std::uintptr_t>(aligned_too) % alignment == 0, "and aligns");
    std::free(aligned);
    std::free(aligned_too);
  }
  char* text = ::strndup("interrupt", 5);
  check(std::strcmp(text, "inter") == 0, "strndup copies a beginning");
  std::free(text);
#elif defined(TAKES_ALL)
  std::vector<std::vector<char>> all;
  while (true) all.emplace_back(1 << 24);
#elif defined(FREES)
  std::vector<int> numbers(100);
  delete new int(numbers[0]);
#endif
}

}  // namespace

VMBSIM_HARNESS("ill-behaved") {
  auto& word = make<Shared<int>>("word");
  thread("good", [&] { word.store(1); });
  thread("bad", [&] {
    word.store(2);
    misdeed();
  });
}
