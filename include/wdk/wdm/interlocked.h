#pragma once
/// Interlocked operations: atomic, a full barrier, any IRQL. Increment, Decrement and Add answer the value after; Exchange,
/// ExchangeAdd, CompareExchange, And, Or and Xor the value before; the bit operations the bit before.
/// Source: WDK, "Introduction to Interlocked Operations"; the wdm.h page of each function.
#include "../ntdef.h"

EXTERN_C_START

#define KeMemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define MemoryBarrier() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define YieldProcessor() ((void)0)

// The operations of one width: TYPE, and what its functions' names end in.
#define VMBSIM_INTERLOCKED_EXCHANGES(TYPE, WIDTH)                                                            \
  FORCEINLINE TYPE InterlockedExchange##WIDTH(_Inout_ TYPE volatile *Target, _In_ TYPE Value) {              \
    return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);                                             \
  }                                                                                                          \
  FORCEINLINE TYPE InterlockedExchangeAdd##WIDTH(_Inout_ TYPE volatile *Addend, _In_ TYPE Value) {           \
    return __atomic_fetch_add(Addend, Value, __ATOMIC_SEQ_CST);                                              \
  }                                                                                                          \
  FORCEINLINE TYPE InterlockedAnd##WIDTH(_Inout_ TYPE volatile *Destination, _In_ TYPE Value) {              \
    return __atomic_fetch_and(Destination, Value, __ATOMIC_SEQ_CST);                                         \
  }                                                                                                          \
  FORCEINLINE TYPE InterlockedOr##WIDTH(_Inout_ TYPE volatile *Destination, _In_ TYPE Value) {               \
    return __atomic_fetch_or(Destination, Value, __ATOMIC_SEQ_CST);                                          \
  }                                                                                                          \
  FORCEINLINE TYPE InterlockedXor##WIDTH(_Inout_ TYPE volatile *Destination, _In_ TYPE Value) {              \
    return __atomic_fetch_xor(Destination, Value, __ATOMIC_SEQ_CST);                                         \
  }                                                                                                          \
  FORCEINLINE TYPE InterlockedCompareExchange##WIDTH(_Inout_ TYPE volatile *Destination, _In_ TYPE Exchange, \
                                                     _In_ TYPE Comperand) {                                  \
    __atomic_compare_exchange_n(Destination, &Comperand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);   \
    return Comperand;                                                                                        \
  }
#define VMBSIM_INTERLOCKED_COUNTS(TYPE, WIDTH)                                             \
  FORCEINLINE TYPE InterlockedIncrement##WIDTH(_Inout_ TYPE volatile *Addend) {            \
    return __atomic_add_fetch(Addend, (TYPE)1, __ATOMIC_SEQ_CST);                          \
  }                                                                                        \
  FORCEINLINE TYPE InterlockedDecrement##WIDTH(_Inout_ TYPE volatile *Addend) {            \
    return __atomic_sub_fetch(Addend, (TYPE)1, __ATOMIC_SEQ_CST);                          \
  }                                                                                        \
  FORCEINLINE TYPE InterlockedAdd##WIDTH(_Inout_ TYPE volatile *Addend, _In_ TYPE Value) { \
    return __atomic_add_fetch(Addend, Value, __ATOMIC_SEQ_CST);                            \
  }
#define VMBSIM_INTERLOCKED_BITS(TYPE, UNSIGNED, WIDTH)                                               \
  FORCEINLINE UCHAR InterlockedBitTestAndSet##WIDTH(_Inout_ TYPE volatile *Base, _In_ TYPE Bit) {    \
    const UNSIGNED mask = (UNSIGNED)1 << Bit;                                                        \
    return (UCHAR)(((UNSIGNED)__atomic_fetch_or(Base, (TYPE)mask, __ATOMIC_SEQ_CST) & mask) != 0);   \
  }                                                                                                  \
  FORCEINLINE UCHAR InterlockedBitTestAndReset##WIDTH(_Inout_ TYPE volatile *Base, _In_ TYPE Bit) {  \
    const UNSIGNED mask = (UNSIGNED)1 << Bit;                                                        \
    return (UCHAR)(((UNSIGNED)__atomic_fetch_and(Base, (TYPE)~mask, __ATOMIC_SEQ_CST) & mask) != 0); \
  }

VMBSIM_INTERLOCKED_EXCHANGES(CHAR, 8)
VMBSIM_INTERLOCKED_EXCHANGES(SHORT, 16)
VMBSIM_INTERLOCKED_EXCHANGES(LONG, )
VMBSIM_INTERLOCKED_EXCHANGES(LONG64, 64)
VMBSIM_INTERLOCKED_COUNTS(SHORT, 16)
VMBSIM_INTERLOCKED_COUNTS(LONG, )
VMBSIM_INTERLOCKED_COUNTS(LONG64, 64)
VMBSIM_INTERLOCKED_BITS(LONG, ULONG, )
VMBSIM_INTERLOCKED_BITS(LONG64, ULONG64, 64)

#undef VMBSIM_INTERLOCKED_EXCHANGES
#undef VMBSIM_INTERLOCKED_COUNTS
#undef VMBSIM_INTERLOCKED_BITS

FORCEINLINE PVOID InterlockedExchangePointer(_Inout_ PVOID volatile *Target, _In_opt_ PVOID Value) {
  return __atomic_exchange_n(Target, Value, __ATOMIC_SEQ_CST);
}
FORCEINLINE PVOID InterlockedCompareExchangePointer(_Inout_ PVOID volatile *Destination, _In_opt_ PVOID Exchange,
                                                    _In_opt_ PVOID Comperand) {
  __atomic_compare_exchange_n(Destination, &Comperand, Exchange, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return Comperand;
}

EXTERN_C_END
