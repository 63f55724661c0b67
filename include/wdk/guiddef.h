// No include guard around DEFINE_GUID: as in the SDK, including this header again after INITGUID was defined turns the
// DEFINE_GUID lines that follow from declarations into definitions.
#ifndef VMBSIM_WDK_GUIDDEF_H
#define VMBSIM_WDK_GUIDDEF_H
/// GUIDs. Source: Windows SDK documentation, "GUID structure (guiddef.h)".
#include <string.h>

#ifdef __cplusplus
#define EXTERN_C extern "C"
#define EXTERN_C_START extern "C" {
#define EXTERN_C_END }
#else
#define EXTERN_C extern
#define EXTERN_C_START
#define EXTERN_C_END
#endif

/// 16 bytes. The first three fields are little-endian numbers, the last eight bytes keep the order of the text form.
typedef struct _GUID {
  unsigned int Data1;
  unsigned short Data2;
  unsigned short Data3;
  unsigned char Data4[8];
} GUID;
typedef GUID *LPGUID;
typedef const GUID *LPCGUID;

#ifdef __cplusplus
#define REFGUID const GUID &
inline int IsEqualGUID(REFGUID a, REFGUID b) { return memcmp(&a, &b, sizeof(GUID)) == 0; }
inline bool operator==(REFGUID a, REFGUID b) { return IsEqualGUID(a, b) != 0; }
#else
#define REFGUID const GUID *
#define IsEqualGUID(a, b) (memcmp((a), (b), sizeof(GUID)) == 0)
#endif
#endif

/// DEFINE_GUID(name, 0x12345678, 0x1234, 0x1234, eight bytes): declares `name`; defines it in a file with INITGUID.
#undef DEFINE_GUID
#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
  EXTERN_C const GUID name __attribute__((weak));                    \
  const GUID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) EXTERN_C const GUID name
#endif
