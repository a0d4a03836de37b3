/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass lay-out-rows: places the values that only one row group sees in the planes of
 * VFI_REGION_ROWS. Values that are not needed at the same time share planes. */
#include "plan/planner.h"

/* A root as one group keeps it. */
typedef struct {
    const VfiPlanItem *root;
    int first, last; /* steps of the group */
    int plane;
} Local;

static Local *local_at(const VfiPlanRowGroup *group, guint index)
{
    return &g_array_index(group->locals, Local, index);
}

static Local *find_local(const VfiPlanRowGroup *group, const VfiPlanItem *root)
{
    for (guint i = 0; i < group->locals->len; i++)
        if (local_at(group, i)->root == root)
            return local_at(group, i);
    return NULL;
}

/* Notes that step @step of @group reads or writes @value, if only groups see that. */
static void use_value(const VfiPlanner *planner, VfiPlanRowGroup *group, VfiValue value,
                      int step)
{
    const VfiPlanItem *root = vfi_plan_root(planner, value, NULL);
    Local *known = find_local(group, root);

    if (!root->rows.is_local)
        return;
    if (known != NULL) {
        known->last = step;
        return;
    }
    Local local = {.root = root, .first = step, .last = step, .plane = -1};
    g_array_append_val(group->locals, local);
}

/* In the order of their first steps. */
static void find_locals(const VfiPlanner *planner, VfiPlanRowGroup *group)
{
    group->locals = g_array_new(FALSE, FALSE, sizeof(Local));
    for (int i = 0; i < group->n_steps; i++) {
        const VfiPlanStep *step = vfi_plan_step(planner, group->first_step + i);
        use_value(planner, group, step->value, i);
        for (int s = 0; s < vfi_plan_step_n_sources(planner, step); s++)
            use_value(planner, group, vfi_plan_step_source(planner, step, s), i);
    }
}

/* Whether @next can be computed in the place of @last: by a step that may do so with this
 * source, reads all of it, and is the last to do so. */
static bool may_replace(const VfiPlanner *planner, const VfiPlanRowGroup *group,
                        const Local *last, const Local *next)
{
    const VfiPlanStep *step = vfi_plan_step(planner, group->first_step + next->first);
    const VfiPlanItem *items = planner->items;

    if (last->last != next->first || vfi_plan_step_copies(step) ||
        &items[step->value] != next->root ||
        vfi_plan_step_reads_beyond_rows(planner, step, 0) ||
        last->root->node.shape.c != next->root->node.shape.c)
        return false;
    const VfiOpDescriptor *descriptor = vfi_plan_descriptor(&items[step->value]);
    for (int s = 0; s < vfi_plan_step_n_sources(planner, step); s++) {
        VfiValue source = vfi_plan_step_source(planner, step, s);
        if (vfi_plan_root(planner, source, NULL) == last->root &&
            (!descriptor->source[s].in_place || &items[source] != last->root))
            return false;
    }
    return true;
}

/* The lowest plane at which @local overlaps none of the @n locals placed before it. */
static int find_plane(const VfiPlanner *planner, const VfiPlanRowGroup *group,
                      const Local *local, guint n)
{
    int plane = 0;
    bool moved = true;

    while (moved) {
        moved = false;
        for (guint i = 0; i < n; i++) {
            const Local *other = local_at(group, i);
            int end = other->plane + other->root->node.shape.c;
            if (other->last < local->first || plane >= end ||
                plane + local->root->node.shape.c <= other->plane ||
                (plane == other->plane && may_replace(planner, group, other, local)))
                continue;
            plane = end;
            moved = true;
        }
    }
    return plane;
}

void vfi_plan_lay_out_rows(VfiPlanner *planner)
{
    for (guint i = 0; i < planner->groups->len; i++) {
        VfiPlanRowGroup *group = &g_array_index(planner->groups, VfiPlanRowGroup, i);
        find_locals(planner, group);
        for (guint l = 0; l < group->locals->len; l++) {
            Local *local = local_at(group, l);
            local->plane = find_plane(planner, group, local, l);
            group->n_planes =
                MAX(group->n_planes, local->plane + local->root->node.shape.c);
        }
    }
}

size_t vfi_plan_rows_place(const VfiPlanner *planner, int group, const VfiPlanItem *root)
{
    const VfiPlanRowGroup *rows = &g_array_index(planner->groups, VfiPlanRowGroup, group);

    return (size_t)find_local(rows, root)->plane * (size_t)rows->h * (size_t)rows->w *
           sizeof(float);
}
