// No include guard: it may be included again, with the same effect.
/// Include this before the headers whose DEFINE_GUID lines this file shall define.
/// Source: Windows driver documentation, "Including GUIDs in Driver Code".
#ifndef INITGUID
#define INITGUID
#endif
#include "guiddef.h"
