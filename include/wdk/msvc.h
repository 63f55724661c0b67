#pragma once
/// What the Microsoft compiler knows and this one does not: its keywords as macros, or as nothing.
/// Source: Visual C++ documentation, "Keywords", "__declspec" and "Compiler intrinsics".

#define __cdecl
#define __stdcall
#define __fastcall
#define __forceinline inline __attribute__((always_inline))
#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long
#define __pragma(what)
#define UNALIGNED
#define __unaligned

/// __declspec(word) becomes VMBSIM_DECLSPEC_word; a word that is not listed here does not compile.
#ifndef __declspec
#define __declspec(word) VMBSIM_DECLSPEC_##word
#endif
#define VMBSIM_DECLSPEC_align(bytes) __attribute__((aligned(bytes)))
#define VMBSIM_DECLSPEC_allocate(section)
#define VMBSIM_DECLSPEC_code_seg(section)
#define VMBSIM_DECLSPEC_deprecated __attribute__((deprecated))
#define VMBSIM_DECLSPEC_dllexport __attribute__((visibility("default")))
#define VMBSIM_DECLSPEC_dllimport
#define VMBSIM_DECLSPEC_noinline __attribute__((noinline))
#define VMBSIM_DECLSPEC_noreturn __attribute__((noreturn))
#define VMBSIM_DECLSPEC_nothrow
#define VMBSIM_DECLSPEC_novtable
#define VMBSIM_DECLSPEC_restrict
#define VMBSIM_DECLSPEC_selectany __attribute__((weak))

#ifdef VMBSIM_DRIVER
// What Windows' compiler says nothing about: tags such as 'gaTx', #pragma alloc_text. In C++ gcc 12 does not heed these two
// lines; there the build says -Wno-multichar -Wno-unknown-pragmas.
#pragma GCC diagnostic ignored "-Wmultichar"
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#ifndef __cplusplus
/// Where Windows raises an exception the simulator records a finding and goes on, so no handler ever runs.
#define __try if (1)
#define __except(filter) else if ((filter) && 0)
#define __finally
#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)
#define GetExceptionCode() 0
#endif
#endif
