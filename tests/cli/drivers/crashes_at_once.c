/* A library whose initialiser faults. */
__attribute__((constructor)) static void initialise(void) { *(volatile int *)8 = 1; }
