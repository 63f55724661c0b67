// Compiled with -fshort-wchar, as a driver with L"..." names has to be.
#include "as_seen.h"

void name_with_short_wchar(PUNICODE_STRING name) { RtlInitUnicodeString(name, L"Storage"); }
