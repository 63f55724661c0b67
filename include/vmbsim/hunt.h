#pragma once
/// What a harness says to vmbsim, in C: one table of functions, handed to the harness's entry point before every run.
///
/// A harness is a small concurrent program whose every visible operation vmbsim orders as it likes. It is a shared library with
///
///   VMBSIM_HARNESS("lost doorbell") {              // the set-up: makes objects and contexts, nothing runs yet
///     in = vmbsim_word("in", 0, 4);
///     vmbsim_thread("producer", producer, 0);
///   }
///
/// and is run by `vmbsim hunt HARNESS.so`. C++ has a gentler face of the same table in hunt.hpp.
///
/// Step      one visible operation, and every call of `operate` and `await` is one but where its line says otherwise.
/// Findings  A call that breaks a rule ends the run with a finding; it does not return.
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised with every change of the table, of a number below or of their meaning: a library built for another one is refused. */
#define VMBSIM_HUNT_ABI 1u

typedef struct vmbsim_machine vmbsim_machine; /* who runs the harness */
typedef struct vmbsim_object vmbsim_object;   /* a word, a lock, a thread ... of one run */
typedef void (*vmbsim_routine)(void* context);
typedef int (*vmbsim_condition)(void* context, uint64_t value);

/* Sorts of objects, with what `a` and `b` of `create` mean. Those with a routine are made by `create_routine`. */
enum {
  VMBSIM_WORD,                /* a: initial value; b: bytes, | 256 where signed, | 512 where a pointer */
  VMBSIM_DATA,                /* a plain variable; a and b as for a word */
  VMBSIM_MUTEX,               /* a mutex of C++ */
  VMBSIM_CONDITION,           /* a condition variable of C++ */
  VMBSIM_SEMAPHORE,           /* std::counting_semaphore; a: count */
  VMBSIM_SPIN_LOCK,           /* KSPIN_LOCK */
  VMBSIM_INTERRUPT_SPIN_LOCK, /* of KeAcquireInterruptSpinLock; a: IRQL it raises to */
  VMBSIM_EVENT,               /* KEVENT; a: 1 where it starts signalled; b: 1 for a synchronization event */
  VMBSIM_KERNEL_MUTEX,        /* KMUTEX */
  VMBSIM_FAST_MUTEX,          /* FAST_MUTEX */
  VMBSIM_KERNEL_SEMAPHORE,    /* KSEMAPHORE; a: count; b: limit */
  VMBSIM_RESOURCE,            /* ERESOURCE */
  VMBSIM_RUNDOWN,             /* EX_RUNDOWN_REF */
  VMBSIM_TIMER,               /* KTIMER with a DPC */
  VMBSIM_DPC,                 /* KDPC; routine */
  VMBSIM_WORK_ITEM,           /* IO_WORKITEM; routine */
  VMBSIM_INTERRUPT,           /* KINTERRUPT; routine is the ISR; a: processor; b: IRQL */
  VMBSIM_THREAD               /* routine; a: processor + 1, or 0 for one of its own; b: 1 for a daemon */
};

/* Operations, with their operands and results. */
enum {
  VMBSIM_LOAD,                /* word -> value */
  VMBSIM_STORE,               /* word, a: value */
  VMBSIM_EXCHANGE,            /* word, a: value -> the value before; as are the next five */
  VMBSIM_ADD,
  VMBSIM_AND,
  VMBSIM_OR,
  VMBSIM_XOR,
  VMBSIM_COMPARE_EXCHANGE,    /* word, a: expected, b: desired */
  VMBSIM_FENCE,               /* no object; full */
  VMBSIM_WRITE_FENCE,         /* no object */
  VMBSIM_READ,                /* data -> value */
  VMBSIM_WRITE,               /* data, a: value */
  VMBSIM_ACQUIRE,             /* any lock or semaphore; for a resource exclusively; of a rundown -> 1 when acquired */
  VMBSIM_TRY_ACQUIRE,         /* a lock or semaphore -> 1 when acquired */
  VMBSIM_ACQUIRE_SHARED,      /* resource */
  VMBSIM_ACQUIRE_AT_DPC_LEVEL,
  VMBSIM_RELEASE,             /* what ACQUIRE and its siblings took; a semaphore by a */
  VMBSIM_RELEASE_FROM_DPC_LEVEL,
  VMBSIM_WAIT,                /* event, rundown; condition, a: the mutex */
  VMBSIM_SET,                 /* event -> its state before */
  VMBSIM_CLEAR,               /* event */
  VMBSIM_RESET,               /* event -> its state before */
  VMBSIM_NOTIFY_ONE,          /* condition */
  VMBSIM_NOTIFY_ALL,          /* condition */
  VMBSIM_INSERT,              /* DPC, a: processor + 1, or 0 for the current one -> 1 unless it was queued */
  VMBSIM_REMOVE,              /* DPC -> 1 when it was queued */
  VMBSIM_QUEUE,               /* work item */
  VMBSIM_ARM,                 /* timer, a: the DPC -> 1 when it was set already */
  VMBSIM_CANCEL,              /* timer -> 1 when it was set */
  VMBSIM_REQUEST,             /* interrupt: its line is raised */
  VMBSIM_RAISE,               /* no object, a: IRQL -> the IRQL before */
  VMBSIM_LOWER,               /* no object, a: IRQL */
  VMBSIM_YIELD,               /* no object */
  VMBSIM_JOIN,                /* thread */
  VMBSIM_DESTROY              /* any object; a step only in memory of `allocate` and new */
};

/* C++'s memory orders, in the low byte of `operate`'s last operand; a source line, or 0, is in the bits above it. */
enum { VMBSIM_RELAXED, VMBSIM_ACQUIRE_ORDER, VMBSIM_RELEASE_ORDER, VMBSIM_ACQ_REL, VMBSIM_SEQ_CST };

/* What memory of `allocate` is for. */
enum {
  VMBSIM_MEMORY_OF_RUN, /* nobody frees it */
  VMBSIM_MEMORY_POOL    /* to be released, once, before the run ends */
};

/* No call of it but `operate`, `await`, `release` and `choose` may let anybody else run. */
typedef struct vmbsim_hunt {
  uint32_t abi;   /* VMBSIM_HUNT_ABI */
  uint32_t bytes; /* of this table */
  vmbsim_machine* machine;
  /* `place`: where the harness keeps its handle, so that what dies with a block of memory is known; or null. */
  vmbsim_object* (*create)(vmbsim_machine*, int sort, const char* name, void* place, uint64_t a, uint64_t b);
  vmbsim_object* (*create_routine)(vmbsim_machine*, int sort, const char* name, vmbsim_routine, void* context,
                                   void* place, uint64_t a, uint64_t b);
  uint64_t (*operate)(vmbsim_machine*, int operation, vmbsim_object*, uint64_t a, uint64_t b, uint32_t order_and_line);
  /* A spin-wait: goes on once `holds` is true of the word's visible value, which it returns. One step. */
  uint64_t (*await)(vmbsim_machine*, vmbsim_object* word, vmbsim_condition holds, void* context, uint32_t line);
  uint64_t (*peek)(vmbsim_machine*, vmbsim_object*); /* the value in memory; no step */
  void* (*allocate)(vmbsim_machine*, uint64_t bytes, const char* name, int purpose); /* zeroed, for any type; no step */
  void (*release)(vmbsim_machine*, void* memory, uint32_t line); /* of VMBSIM_MEMORY_POOL; a step */
  void (*bury)(vmbsim_machine*, void* memory); /* after `release`: its destructor has run; no step */
  void (*own)(vmbsim_machine*, vmbsim_routine, void* context);   /* called when all is over, last one first */
  void (*at_end)(vmbsim_machine*, vmbsim_routine, void* context); /* called when everything has come to rest */
  void (*eventually)(vmbsim_machine*, vmbsim_condition, void* context, const char* text); /* must hold then */
  void (*check)(vmbsim_machine*, int holds, const char* text, uint32_t line);             /* no step */
  void (*sometimes)(vmbsim_machine*, int holds, const char* text);                        /* no step */
  uint32_t (*choose)(vmbsim_machine*, uint32_t alternatives, const char* name, int is_fault); /* no step; 0 in a plain run */
  void (*processors)(vmbsim_machine*, uint32_t least); /* in the set-up */
  uint32_t (*current_irql)(vmbsim_machine*);
  uint32_t (*current_processor)(vmbsim_machine*);
} vmbsim_hunt;

/* What a harness exports. */
typedef void (*vmbsim_harness_entry)(const vmbsim_hunt* hunt);
#define VMBSIM_HARNESS_ABI_SYMBOL "vmbsim_harness_abi"     /* const uint32_t: VMBSIM_HUNT_ABI */
#define VMBSIM_HARNESS_NAME_SYMBOL "vmbsim_harness_name"   /* const char[] */
#define VMBSIM_HARNESS_ENTRY_SYMBOL "vmbsim_harness_enter" /* vmbsim_harness_entry */
/* const char[], of 16 hexadecimal digits: what it is made of, where vmbsim_add_harness() built it */
#define VMBSIM_HARNESS_SOURCES_SYMBOL "vmbsim_harness_sources"

#ifdef __cplusplus
}
#else

/* ---- For harnesses in C ---- */

static const vmbsim_hunt* vmbsim_hunt_now; /* of this library: set before each run */

/* VMBSIM_HARNESS("name") { the set-up } */
#define VMBSIM_HARNESS(name)                                                             \
  __attribute__((visibility("default"))) const uint32_t vmbsim_harness_abi = VMBSIM_HUNT_ABI; \
  __attribute__((visibility("default"))) const char vmbsim_harness_name[] = name;             \
  static void vmbsim_harness_set_up(void);                                                    \
  __attribute__((visibility("default"))) void vmbsim_harness_enter(const vmbsim_hunt* hunt) { \
    vmbsim_hunt_now = hunt;                                                                   \
    vmbsim_harness_set_up();                                                                  \
  }                                                                                           \
  static void vmbsim_harness_set_up(void)

#define VMBSIM_CALL(function, ...) vmbsim_hunt_now->function(vmbsim_hunt_now->machine, __VA_ARGS__)
#define VMBSIM_DO(operation, object, a, b) \
  VMBSIM_CALL(operate, operation, object, (uint64_t)(a), (uint64_t)(b), VMBSIM_SEQ_CST | ((uint32_t)__LINE__ << 8))

static inline vmbsim_object* vmbsim_word(const char* name, uint64_t initial, uint32_t bytes) {
  return VMBSIM_CALL(create, VMBSIM_WORD, name, (void*)0, initial, bytes);
}
static inline vmbsim_object* vmbsim_create(int sort, const char* name, uint64_t a, uint64_t b) {
  return VMBSIM_CALL(create, sort, name, (void*)0, a, b);
}
static inline vmbsim_object* vmbsim_thread(const char* name, vmbsim_routine routine, void* context) {
  return VMBSIM_CALL(create_routine, VMBSIM_THREAD, name, routine, context, (void*)0, 0, 0);
}
static inline void vmbsim_at_end(vmbsim_routine routine, void* context) { VMBSIM_CALL(at_end, routine, context); }
static inline uint64_t vmbsim_peek(vmbsim_object* word) { return VMBSIM_CALL(peek, word); }
#define vmbsim_load(word) VMBSIM_DO(VMBSIM_LOAD, word, 0, 0)
#define vmbsim_store(word, value) ((void)VMBSIM_DO(VMBSIM_STORE, word, value, 0))
#define vmbsim_add(word, value) VMBSIM_DO(VMBSIM_ADD, word, value, 0)
#define vmbsim_fence() ((void)VMBSIM_DO(VMBSIM_FENCE, 0, 0, 0))
#define vmbsim_acquire(lock) ((void)VMBSIM_DO(VMBSIM_ACQUIRE, lock, 0, 0))
#define vmbsim_release(lock) ((void)VMBSIM_DO(VMBSIM_RELEASE, lock, 1, 0))
#define vmbsim_check(holds, text) VMBSIM_CALL(check, (holds) != 0, text, (uint32_t)__LINE__)

#endif
