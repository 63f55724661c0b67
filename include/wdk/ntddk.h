#pragma once
/// What non-WDF drivers include. Everything the simulator has is in wdm.h.
#include "wdm.h"
