/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How passes are run and looked at (passes.c, trace.c). */
#pragma once

#include "plan/planner.h"
#include "plan/trace.h"

/* Leads from what the planner knows to what it knows then. */
typedef struct {
    const char *name;
    bool (*when)(const VfiPlanner *planner); /* NULL: always */
    void (*run)(VfiPlanner *planner);
} VfiPlanPass;

/* Runs all passes; @trace may be NULL. */
void vfi_plan_run_passes(VfiPlanner *planner, VfiPlanTrace *trace);

/* Notes what @pass changed, if it ran. */
void vfi_plan_trace_pass(VfiPlanTrace *trace, const VfiPlanPass *pass, bool ran,
                         const VfiPlanner *planner);

/* Notes where values live and who reads what, when all passes have run. */
void vfi_plan_trace_result(VfiPlanTrace *trace, VfiPlanner *planner);
