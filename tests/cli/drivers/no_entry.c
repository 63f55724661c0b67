/* A library that is no driver. */
int nothing_to_see;
