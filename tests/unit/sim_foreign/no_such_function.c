/* A library that wants what nobody has. */
void KeNoSuchFunction(void);
void use(void) { KeNoSuchFunction(); }
