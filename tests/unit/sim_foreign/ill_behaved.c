/* A library with statics and bad manners. */
#include <stdlib.h>

static int calls;

int count(void) { return ++calls; }
void touch_nothing(void) { *(volatile int*)8 = 1; }
void give_up(void) { abort(); }
void leave(void) { exit(7); }
int divide(volatile int by) { return 100 / by; }
void loop(void) {
  for (volatile int i = 0;; ++i) {}
}
void dive(volatile char* from) {
  volatile char frame[4096];
  frame[0] = from != 0 ? *from : 0;
  dive(frame);
  frame[1] = 1;
}
