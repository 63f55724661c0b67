#pragma once
/// Source annotations (SAL): a driver's signatures carry them for Microsoft's static checker; here they expand to
/// nothing. The contracts they state about IRQL, locks and results are checked while a scenario runs instead.
/// Source: Windows driver documentation, "SAL 2 Annotations for Windows Drivers"; Visual C++, "Understanding SAL".

// Parameters.
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _In_reads_(count)
#define _In_reads_opt_(count)
#define _In_reads_bytes_(bytes)
#define _In_reads_bytes_opt_(bytes)
#define _In_range_(low, high)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(count)
#define _Inout_updates_bytes_(bytes)
#define _Inout_updates_bytes_opt_(bytes)
#define _Out_
#define _Out_opt_
#define _Out_writes_(count)
#define _Out_writes_opt_(count)
#define _Out_writes_all_(count)
#define _Out_writes_bytes_(bytes)
#define _Out_writes_bytes_opt_(bytes)
#define _Out_writes_bytes_all_(bytes)
#define _Out_writes_to_(size, count)
#define _Out_writes_bytes_to_(size, bytes)
#define _Out_writes_bytes_to_opt_(size, bytes)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Reserved_
#define _Notnull_
#define _Maybenull_
#define _Printf_format_string_

// Results.
#define _Check_return_
#define _Must_inspect_result_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Success_(condition)
#define _Return_type_success_(condition)

// Structure members.
#define _Field_size_(count)
#define _Field_size_opt_(count)
#define _Field_size_bytes_(bytes)
#define _Field_size_bytes_part_(size, bytes)
#define _Struct_size_bytes_(bytes)

// Functions and conditions.
#define _Analysis_assume_(condition)
#define _At_(place, annotations)
#define _Function_class_(name)
#define _Points_to_data_
#define _Pre_notnull_
#define _Pre_satisfies_(condition)
#define _Post_satisfies_(condition)
#define _Use_decl_annotations_
#define _When_(condition, annotations)

// Interrupt levels.
#define _IRQL_always_function_max_(level)
#define _IRQL_always_function_min_(level)
#define _IRQL_raises_(level)
#define _IRQL_requires_(level)
#define _IRQL_requires_max_(level)
#define _IRQL_requires_min_(level)
#define _IRQL_requires_same_
#define _IRQL_restores_
#define _IRQL_restores_global_(kind, place)
#define _IRQL_saves_
#define _IRQL_saves_global_(kind, place)

// Locks and memory.
#define _Acquires_lock_(lock)
#define _Releases_lock_(lock)
#define _Requires_lock_held_(lock)
#define _Requires_lock_not_held_(lock)
#define __drv_aliasesMem
#define __drv_allocatesMem(kind)
#define __drv_freesMem(kind)
