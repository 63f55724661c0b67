#pragma once
/// The part of the Windows Driver Model that a KMCL driver stands on, by its own names; one header of wdm/ per subject.
///
/// Every comment "IRQL" gives the documented levels; a call from a wrong level is a finding of the run. Structures that
/// a driver allocates itself have the documented members and may be larger or smaller than on Windows: use sizeof.
/// Source: Windows driver documentation (DDI), wdm.h; the page has the name of the function or structure.
#include "ntdef.h"
#include "ntstatus.h"
#include "wdm/debug.h"
#include "wdm/device.h"
#include "wdm/dpc.h"
#include "wdm/driver.h"
#include "wdm/interlocked.h"
#include "wdm/irql.h"
#include "wdm/lists.h"
#include "wdm/locks.h"
#include "wdm/mdl.h"
#include "wdm/memory.h"
#include "wdm/pool.h"
#include "wdm/processors.h"
#include "wdm/rundown.h"
#include "wdm/strings.h"
#include "wdm/threads.h"
#include "wdm/waiting.h"
