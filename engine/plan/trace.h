/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the planner did and why the plan looks as it does, for those who look into one
 * (vfi-inspect --plan). No backend needs it, so it is kept beside the plan. */
#pragma once

#include <stdint.h>

#include "plan/plan.h"

/* What is counted before and after each pass. */
typedef enum {
    VFI_PLAN_COUNT_OPS,          /* of the graph or added, that something needs */
    VFI_PLAN_COUNT_PARTIAL_SUMS, /* of these, terms of a convolution that was split */
    VFI_PLAN_COUNT_KEPT,         /* outputs that later stages read */
    VFI_PLAN_COUNT_STATES,       /* values written for the next round of a loop */
    VFI_PLAN_COUNT_BLOCKED,      /* values in NCHWc blocks or channels last */
    VFI_PLAN_COUNT_HALF,         /* values that are f16 */
    VFI_PLAN_COUNT_JOINED,       /* concats that their parts are written into */
    VFI_PLAN_COUNT_PIECES,       /* parts that row groups write there */
    VFI_PLAN_COUNT_CHEAP,        /* values that may be rematerialised */
    VFI_PLAN_COUNT_VIEWS,        /* values that lie in another's memory */
    VFI_PLAN_COUNT_STEPS,        /* ops to run, in order */
    VFI_PLAN_COUNT_COPIES,       /* of these, parts copied into a concat */
    VFI_PLAN_COUNT_ROW_GROUPS,
    VFI_PLAN_COUNT_GROUPED_STEPS, /* of the steps, those in row groups */
    VFI_PLAN_COUNT_IN_ROWS,      /* values that take no memory: one row group sees them */
    VFI_PLAN_COUNT_ROW_PLANES,   /* of all row groups */
    VFI_PLAN_COUNT_OUTPUT_BYTES, /* of the region that outputs are kept in */
    VFI_PLAN_COUNT_STATE_BYTES,  /* of a loop's states */
    VFI_PLAN_COUNT_ARENA_BYTES,
    VFI_PLAN_COUNT_KINDS
} VfiPlanCount;

/* "partial sums", "arena bytes". */
const char *vfi_plan_count_name(VfiPlanCount count);

typedef struct {
    const char *name; /* static */
    bool ran;         /* else the plan's target or stage has no use for it */
    int64_t change[VFI_PLAN_COUNT_KINDS];
} VfiPlanPassTrace;

/* Ops of one segment, by their index in the plan; none if first > last. One past the
 * segment's last op stands for its end, where what later segments read still lives. */
typedef struct {
    int first, last;
} VfiPlanSpan;

/* A value with memory of its own in the arena. */
typedef struct {
    const char *name; /* of the op that computes it, or "concat" */
    size_t offset, bytes;
    const VfiPlanSpan *spans; /* during which it is kept, one per segment */
} VfiPlanTenant;

/* What the plan reads from earlier stages, prepared frames and states. */
typedef struct {
    const char *name; /* "image", the earlier stage's output, or "state0" … */
    VfiRegion region;
    size_t offset;
} VfiPlanInput;

/* Source @source of op @op, or a part of it, is what op @from_op computed (-1: none) or
 * input @from_input (-1: none). */
typedef struct {
    int op, source;
    int from_op, from_input;
} VfiPlanEdge;

typedef struct {
    GArray *passes;  /* of VfiPlanPassTrace, in order */
    GArray *tenants; /* of VfiPlanTenant */
    GArray *inputs;  /* of VfiPlanInput */
    GArray *edges;   /* of VfiPlanEdge, by op and source */
    VfiPlanSpan *spans;
    GStringChunk *names;
    int64_t counts[VFI_PLAN_COUNT_KINDS]; /* after the last pass so far */
} VfiPlanTrace;

void vfi_plan_trace_init(VfiPlanTrace *trace);
void vfi_plan_trace_clear(VfiPlanTrace *trace);

/* The same plan as vfi_plan_new(), and (unless @trace is NULL) how it came about. */
VfiPlan *vfi_plan_new_traced(const VfiGraph *graph, const VfiPlanTarget *target,
                             VfiRegion output_region, VfiPlanTrace *trace,
                             GError **error);

/* Bytes of the arena that hold something while op @op of @segment runs. */
size_t vfi_plan_trace_in_use(const VfiPlanTrace *trace, int segment, int op);
