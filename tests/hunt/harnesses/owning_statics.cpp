// Statics that own memory, made by initialisers and within a run: every run finds them as they were loaded, and grows them.
#include <cstdlib>
#include <cstring>
#include <list>
#include <string>
#include <vector>

#include "vmbsim/hunt.hpp"

using namespace vmbsim::hunt;

namespace {
std::vector<int> empty;
std::vector<int> filled(4, 7);
std::string text = "a name that is longer than the small buffer of a string";
auto& behind_a_pointer = *new std::vector<int>(4, 7);
char* from_c = static_cast<char*>(std::calloc(16, 1));
char* copied = ::strdup("loaded");
}  // namespace

VMBSIM_HARNESS("owning statics") {
  check(empty.empty(), "an empty one is empty");
  check(filled.size() == 4 && filled[3] == 7, "a filled one has what it had");
  check(text.size() == 55 && text[0] == 'a', "a text is what it was");
  check(behind_a_pointer.size() == 4 && behind_a_pointer[3] == 7, "so is what lies behind a pointer");
  check(from_c[0] == 0 && std::strcmp(copied, "loaded") == 0, "so is what malloc gave");
  auto& mutex = make<Mutex>("mutex");
  for (const char* name : {"a", "b"})
    thread(name, [&] {
      static std::list<int> of_the_run;
      mutex.lock();
      empty.push_back(1);
      filled.resize(filled.size() + 1000);
      filled[3] = 8;
      text += text;
      text[0] = 'b';
      behind_a_pointer[3] = 8;
      behind_a_pointer.push_back(1);
      of_the_run.push_back(1);
      from_c[0] = 'x';
      from_c = static_cast<char*>(std::realloc(from_c, 100'000));
      check(from_c[0] == 'x', "realloc keeps what there was");
      std::free(copied);
      copied = ::strdup("run");
      mutex.unlock();
    });
  at_end([] {
    check(empty.size() == 2 && filled.size() == 2004 && text.size() == 220 && behind_a_pointer.size() == 6,
          "they have grown twice");
    check(std::strcmp(copied, "run") == 0, "what replaced the copy is there");
    std::free(copied);
  });
}
