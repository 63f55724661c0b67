#pragma once
/// Every program of the corpus is built twice from one source: with its planted bug, and healthy. What differs hangs on `healthy`.

#ifndef VMBSIM_HEALTHY
#define VMBSIM_HEALTHY 0
#endif

inline constexpr bool healthy = VMBSIM_HEALTHY != 0;
