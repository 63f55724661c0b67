#pragma once
/// What framework (KMDF) drivers include after ntddk.h. Every comment gives the page of the Windows driver documentation
/// and the levels a call is legal at; a call from a wrong level is a finding of the run, and so is a dead handle.
#include "wdfcollection.h"
#include "wdfdevice.h"
#include "wdfdpc.h"
#include "wdfdriver.h"
#include "wdfio.h"
#include "wdfmemory.h"
#include "wdfobject.h"
#include "wdfrequest.h"
#include "wdfsync.h"
#include "wdftimer.h"
#include "wdftypes.h"
#include "wdfworkitem.h"
