/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row groups while they are being formed (rows.c, rematerialise.c). */
#pragma once

#include "plan/planner.h"

/* In the new order of steps: a step alone, or steps that run row by row together. */
typedef struct {
    int segment;
    int h, w;      /* of the group's pictures; 0 for a step that is alone */
    GArray *steps; /* of VfiPlanStep */
} VfiRowUnit;

typedef struct {
    VfiPlanner *planner;
    GPtrArray *units; /* of VfiRowUnit */
    int *written_in;  /* per root: the last unit that writes it, -1 for inputs */
    int *n_writers;   /* per root: steps that write it, each part once */
    bool *kept;       /* per root: whether it is an output, or pinned */
} VfiRowGrouping;

static inline VfiRowUnit *vfi_row_unit(const VfiRowGrouping *grouping, int index)
{
    return g_ptr_array_index(grouping->units, index);
}

static inline VfiPlanStep *vfi_row_step(const VfiRowUnit *unit, guint index)
{
    return &g_array_index(unit->steps, VfiPlanStep, index);
}

typedef enum {
    VFI_ROW_READS_NOT,
    VFI_ROW_READS_ROWS,
    VFI_ROW_READS_ANYWHERE
} VfiRowReading;

/* How the steps of @unit read the root @value. */
VfiRowReading vfi_row_reading(const VfiRowGrouping *grouping, const VfiRowUnit *unit,
                              VfiValue value);

/* Has each group that reads a cheap value compute it for itself. */
void vfi_row_rematerialise(VfiRowGrouping *grouping);
