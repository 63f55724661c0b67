/* As if it had been built against a header of another version. */
#include "vmbsim/hunt.h"

__attribute__((visibility("default"))) const uint32_t vmbsim_harness_abi = VMBSIM_HUNT_ABI + 41;
__attribute__((visibility("default"))) const char vmbsim_harness_name[] = "of another version";
__attribute__((visibility("default"))) void vmbsim_harness_enter(const vmbsim_hunt* hunt) { (void)hunt; }
