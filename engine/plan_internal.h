/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the passes of the planner share while a plan is made. */
#pragma once

#include "graph_internal.h"
#include "plan.h"

/* Most values that a layout pass adds before one op: its two sources and its result. */
#define VFI_PLAN_MAX_COPIES 3

/* Steps of one segment during which a value must be kept; empty if first > last. */
typedef struct {
    int first, last;
} VfiPlanSpan;

/* Working state about one node. */
typedef struct {
    VfiNode node; /* copy; fusing rewrites it */
    bool alive;
    bool pinned;   /* laid out on its own in the frame's region */
    int n_uses;    /* by alive nodes and outputs */
    VfiValue host; /* the value whose memory this one is a part of, or VFI_NO_VALUE */
    size_t host_offset;                   /* bytes into the host */
    VfiPlanSpan *spans;                   /* lifetime, one a segment; roots only */
    size_t bytes;                         /* roots only */
    size_t place;                         /* offset in its region; roots only */
    int block;                            /* channels of a block; 0: planar */
    VfiValue before[VFI_PLAN_MAX_COPIES]; /* values computed right before this one */
    int n_before;
} VfiPlanItem;

/* An op to emit: node @value computed, or @copy_of copied into concat @value at @offset. */
typedef struct {
    VfiValue value;
    VfiValue copy_of;
    size_t offset;
} VfiPlanStep;

typedef struct {
    const VfiGraph *graph;
    VfiPlanItem *items;
    int n_items;
    GArray *steps;    /* of Step */
    int *segment_end; /* per segment: one past its last step */
    bool outputs_in_frame;
    GError *error;
} VfiPlanner;

/* Chooses which values are kept in channel blocks, and adds copies from one layout to the
 * other where an op gains from blocks that its neighbours cannot have. @spans has room for
 * the lifetimes of all added values. */
void vfi_plan_choose_layouts(VfiPlanner *planner, const VfiPlanTarget *target,
                             VfiPlanSpan *spans);
