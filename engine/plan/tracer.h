/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How passes.c has the planner looked at. */
#pragma once

#include "plan/planner.h"
#include "plan/trace.h"

/* Notes what pass @name (static) changed, if it ran. */
void vfi_plan_trace_pass(VfiPlanTrace *trace, const char *name, bool ran,
                         const VfiPlanner *planner);

/* Notes where values live and who reads what, when all passes have run. */
void vfi_plan_trace_result(VfiPlanTrace *trace, VfiPlanner *planner);
