/* A harness in C: two contexts add to a word. */
#include "vmbsim/hunt.h"

static vmbsim_object* word;

static void adder(void* context) {
  (void)context;
  vmbsim_add(word, 1);
}

static void at_the_end(void* context) {
  (void)context;
  vmbsim_check(vmbsim_peek(word) == 2, "both were added");
}

VMBSIM_HARNESS("adders in C") {
  word = vmbsim_word("word", 0, 4);
  vmbsim_thread("a", adder, 0);
  vmbsim_thread("b", adder, 0);
  vmbsim_at_end(at_the_end, 0);
}
