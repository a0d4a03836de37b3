/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass compute-lifetimes: during which steps each root must be kept. */
#include "plan/planner.h"

static void extend_lifetime(VfiPlanner *planner, VfiValue value, int segment, int step)
{
    VfiPlanSpan *span = &vfi_plan_root(planner, value, NULL)->memory.spans[segment];

    span->first = MIN(span->first, step);
    span->last = MAX(span->last, step);
}

/* @value is read or written by step @index; if that is in a row group, for as long as the
 * whole group runs, since it runs band by band. */
static void use_in_step(VfiPlanner *planner, VfiValue value, int index)
{
    const VfiPlanStep *step = vfi_plan_step(planner, index);
    int first = index, last = index;

    if (step->group != VFI_PLAN_NO_GROUP) {
        const VfiPlanRowGroup *group =
            &g_array_index(planner->groups, VfiPlanRowGroup, step->group);
        first = group->first_step;
        last = first + group->n_steps - 1;
    }
    extend_lifetime(planner, value, step->segment, first);
    extend_lifetime(planner, value, step->segment, last);
}

/* A value computed in one segment and read in another is kept in all segments on the way
 * there, and not in those that are alternatives to it. In a loop that is behind it, it is
 * kept throughout: the next round reads it again. */
static void span_segments(VfiPlanner *planner, VfiPlanItem *item)
{
    const GArray *follows = planner->graph->segments;
    int n = (int)follows->len, made = 0;

    while (made < n && item->memory.spans[made].last < 0)
        made++;
    for (int read = made + 1; read < n; read++) {
        /* In an alternative it is computed again (rematerialise.c). */
        if (item->memory.spans[read].last < 0 ||
            !vfi_graph_segment_sees(planner->graph, read, made))
            continue;
        for (int s = read; s != made; s = g_array_index(follows, int, s)) {
            int before = g_array_index(follows, int, s);
            VfiPlanSpan *here = &item->memory.spans[s];
            VfiPlanSpan *there = &item->memory.spans[before];
            here->first = planner->segment_end[s - 1];
            here->last = s == planner->graph->loop ? planner->segment_end[s]
                                                   : MAX(here->last, here->first);
            there->first = MIN(there->first, planner->segment_end[before]);
            there->last = planner->segment_end[before];
        }
    }
}

/* From the first write to the last read; outputs until the end of every segment that can
 * run after theirs. */
void vfi_plan_compute_lifetimes(VfiPlanner *planner)
{
    const VfiGraph *graph = planner->graph;

    for (int i = 0; i < (int)planner->steps->len; i++) {
        const VfiPlanStep *step = vfi_plan_step(planner, i);
        use_in_step(planner, step->value, i);
        for (int s = 0; s < vfi_plan_step_n_sources(planner, step); s++)
            use_in_step(planner, vfi_plan_step_source(planner, step, s), i);
    }
    for (guint i = 0; i < graph->outputs->len; i++) {
        const VfiGraphOutput *output = &g_array_index(graph->outputs, VfiGraphOutput, i);
        for (int s = 0; s < (int)graph->segments->len; s++)
            if (vfi_graph_segment_sees(graph, s, output->segment))
                extend_lifetime(planner, vfi_plan_kept_output(planner, output->value), s,
                                planner->segment_end[s]);
    }
    for (int i = 0; i < planner->n_items; i++)
        if (planner->items[i].use.alive && planner->items[i].view.host == VFI_NO_VALUE)
            span_segments(planner, &planner->items[i]);
}
