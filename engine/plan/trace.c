/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/trace.h"

static const char *const count_names[VFI_PLAN_COUNT_KINDS] = {
    [VFI_PLAN_COUNT_OPS] = "ops",
    [VFI_PLAN_COUNT_PARTIAL_SUMS] = "partial sums",
    [VFI_PLAN_COUNT_KEPT] = "kept outputs",
    [VFI_PLAN_COUNT_STATES] = "states written",
    [VFI_PLAN_COUNT_BLOCKED] = "blocked values",
    [VFI_PLAN_COUNT_HALF] = "f16 values",
    [VFI_PLAN_COUNT_JOINED] = "joined concats",
    [VFI_PLAN_COUNT_PIECES] = "pieces",
    [VFI_PLAN_COUNT_CHEAP] = "cheap values",
    [VFI_PLAN_COUNT_VIEWS] = "views",
    [VFI_PLAN_COUNT_STEPS] = "steps",
    [VFI_PLAN_COUNT_COPIES] = "copies",
    [VFI_PLAN_COUNT_ROW_GROUPS] = "row groups",
    [VFI_PLAN_COUNT_GROUPED_STEPS] = "grouped steps",
    [VFI_PLAN_COUNT_IN_ROWS] = "values in rows",
    [VFI_PLAN_COUNT_ROW_PLANES] = "row planes",
    [VFI_PLAN_COUNT_OUTPUT_BYTES] = "output bytes",
    [VFI_PLAN_COUNT_STATE_BYTES] = "state bytes",
    [VFI_PLAN_COUNT_ARENA_BYTES] = "arena bytes",
};

const char *vfi_plan_count_name(VfiPlanCount count)
{
    return count_names[count];
}

void vfi_plan_trace_init(VfiPlanTrace *trace)
{
    *trace = (VfiPlanTrace){
        .passes = g_array_new(FALSE, FALSE, sizeof(VfiPlanPassTrace)),
        .tenants = g_array_new(FALSE, FALSE, sizeof(VfiPlanTenant)),
        .inputs = g_array_new(FALSE, FALSE, sizeof(VfiPlanInput)),
        .edges = g_array_new(FALSE, FALSE, sizeof(VfiPlanEdge)),
        .names = g_string_chunk_new(1024),
    };
}

void vfi_plan_trace_clear(VfiPlanTrace *trace)
{
    g_clear_pointer(&trace->passes, g_array_unref);
    g_clear_pointer(&trace->tenants, g_array_unref);
    g_clear_pointer(&trace->inputs, g_array_unref);
    g_clear_pointer(&trace->edges, g_array_unref);
    g_clear_pointer(&trace->spans, g_free);
    g_clear_pointer(&trace->names, g_string_chunk_free);
}

size_t vfi_plan_trace_in_use(const VfiPlanTrace *trace, int segment, int op)
{
    size_t bytes = 0;

    for (guint i = 0; i < trace->tenants->len; i++) {
        const VfiPlanTenant *tenant = &g_array_index(trace->tenants, VfiPlanTenant, i);
        const VfiPlanSpan *span = &tenant->spans[segment];
        bytes += span->first <= op && op <= span->last ? tenant->bytes : 0;
    }
    return bytes;
}
