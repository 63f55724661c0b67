#pragma once
/// The tables through which drivers may call KMCL: what WdfFdoQueryForInterface and WdfIoTargetQueryForInterface answer.
#include "vmbuskernelmodeclientlibapi.h"

namespace vmbsim::kmcl {

/// Fills a table of `size` bytes: KMCL_CLIENT_INTERFACE_V1 or KMCL_SERVER_INTERFACE_V1, as `type` says. The functions are those
/// that a direct call reaches. STATUS_NOT_SUPPORTED for a type that is neither, STATUS_INVALID_PARAMETER for a wrong size or
/// version. Source: KMCL DDI, KMCL_CLIENT_INTERFACE_V1 and KMCL_SERVER_INTERFACE_V1.
NTSTATUS query_interface(const GUID& type, INTERFACE& table, USHORT size, USHORT version);

}  // namespace vmbsim::kmcl
