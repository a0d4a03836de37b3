/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass group-rows: brings together steps that work row by row on pictures of one
 * size, so that a backend can run them band by band while the values between them stay in
 * its cache (tiled fusion).
 *
 * A step joins an earlier group if all that it reads is there by then; so a step moves up
 * over convolutions that it does not depend on. What only one group sees needs no memory;
 * to have more of that, cheap values are rematerialised (rematerialise.c). */
#include "plan/rows.h"

/* ---- units ------------------------------------------------------------------------- */

/* The size of the pictures on which @step works row by row; 0×0 if it does not. */
static VfiShape picture_of(const VfiPlanner *planner, const VfiPlanStep *step)
{
    const VfiPlanItem *items = planner->items, *item = &items[step->value];

    if (!vfi_plan_step_copies(step))
        return vfi_plan_picture(planner, step->value);
    if (items[step->copy_of].layout.block > 1 ||
        (item->layout.block > 1 && !item->join.joined))
        return (VfiShape){0, 0, 0};
    return vfi_plan_shape(planner, step->copy_of);
}

static void free_unit(gpointer data)
{
    VfiRowUnit *unit = data;

    g_array_unref(unit->steps);
    g_free(unit);
}

static int add_unit(VfiRowGrouping *grouping, int segment, VfiShape picture)
{
    VfiRowUnit *unit = g_new0(VfiRowUnit, 1);

    unit->segment = segment;
    unit->h = picture.h;
    unit->w = picture.w;
    unit->steps = g_array_new(FALSE, FALSE, sizeof(VfiPlanStep));
    g_ptr_array_add(grouping->units, unit);
    return (int)grouping->units->len - 1;
}

/* The group that @step joins: the one it reads from, else the last one that has all that
 * the step reads before it or in it; or a new one. */
static int find_unit(VfiRowGrouping *grouping, const VfiPlanStep *step)
{
    const VfiPlanner *planner = grouping->planner;
    VfiShape picture = picture_of(planner, step);
    int rows_from = -1, all_from = -1; /* the last units that write what it reads */

    if (picture.h == 0)
        return add_unit(grouping, step->segment, picture);
    for (int i = 0; i < vfi_plan_step_n_sources(planner, step); i++) {
        bool anywhere = vfi_plan_step_reads_beyond_rows(planner, step, i);
        int *from = anywhere ? &all_from : &rows_from;
        *from =
            MAX(*from, grouping->written_in[vfi_plan_step_source_root(planner, step, i)]);
    }
    int found = -1;
    for (int i = (int)grouping->units->len - 1; i >= rows_from && i > all_from && i >= 0;
         i--) {
        const VfiRowUnit *unit = vfi_row_unit(grouping, i);
        bool fits = unit->segment == step->segment && unit->h == picture.h &&
                    unit->w == picture.w;
        if (fits && (found < 0 || i == rows_from))
            found = i;
    }
    return found >= 0 ? found : add_unit(grouping, step->segment, picture);
}

static void form_units(VfiRowGrouping *grouping)
{
    const VfiPlanner *planner = grouping->planner;

    for (int i = 0; i < (int)planner->steps->len; i++) {
        const VfiPlanStep *step = vfi_plan_step(planner, i);
        VfiValue written = vfi_plan_root_value(planner, step->value);
        int unit = find_unit(grouping, step);
        g_array_append_vals(vfi_row_unit(grouping, unit)->steps, step, 1);
        grouping->written_in[written] = MAX(grouping->written_in[written], unit);
        grouping->n_writers[written]++;
    }
}

/* ---- which units are groups -------------------------------------------------------- */

static bool is_copy(const VfiPlanner *planner, const VfiPlanStep *step)
{
    return vfi_plan_step_copies(step) ||
           planner->items[step->value].node.op.kind == VFI_OP_COPY;
}

/* Whether only row groups can run @step: it writes a piece of a joined concat, or reads
 * f16. */
static bool needs_group(const VfiPlanner *planner, const VfiPlanStep *step)
{
    const VfiPlanItem *item = &planner->items[step->value];
    const VfiNode *node = &item->node;

    if (is_copy(planner, step))
        return false;
    if (item->join.is_piece)
        return true;
    return node->n_sources > 0 && item->layout.block <= 1 &&
           planner->items[node->source[0]].layout.block <= 1 &&
           planner->items[node->source[0]].node.half;
}

/* Whether @unit's steps form a row group: there are several, or one that nothing else can
 * run. Where channels are last, copies alone run faster by themselves. */
static bool is_group(const VfiPlanner *planner, const VfiRowUnit *unit)
{
    bool copies = planner->target.channels_last;

    if (unit->h == 0 || unit->steps->len == 0)
        return false;
    if (unit->steps->len == 1)
        return needs_group(planner, vfi_row_step(unit, 0));
    for (guint i = 0; i < unit->steps->len; i++)
        copies = copies && is_copy(planner, vfi_row_step(unit, i));
    return !copies;
}

/* ---- what takes no memory ---------------------------------------------------------- */

VfiRowReading vfi_row_reading(const VfiRowGrouping *grouping, const VfiRowUnit *unit,
                              VfiValue value)
{
    const VfiPlanner *planner = grouping->planner;
    VfiRowReading reading = VFI_ROW_READS_NOT;

    for (guint i = 0; i < unit->steps->len; i++) {
        const VfiPlanStep *step = vfi_row_step(unit, i);
        for (int s = 0; s < vfi_plan_step_n_sources(planner, step); s++) {
            if (vfi_plan_step_source_root(planner, step, s) != value)
                continue;
            if (unit->h == 0 || vfi_plan_step_reads_beyond_rows(planner, step, s))
                return VFI_ROW_READS_ANYWHERE;
            reading = VFI_ROW_READS_ROWS;
        }
    }
    return reading;
}

static int count_writers(const VfiRowGrouping *grouping, const VfiRowUnit *unit,
                         VfiValue value)
{
    int n = 0;

    for (guint i = 0; i < unit->steps->len; i++)
        n +=
            vfi_plan_root_value(grouping->planner, vfi_row_step(unit, i)->value) == value;
    return n;
}

/* Whether row groups alone see the root @value, and each that reads it also computes
 * it. */
static bool is_local(const VfiRowGrouping *grouping, VfiValue value)
{
    bool is_read = false;

    if (grouping->n_writers[value] == 0 || grouping->kept[value])
        return false;
    for (int u = 0; u < (int)grouping->units->len; u++) {
        const VfiRowUnit *unit = vfi_row_unit(grouping, u);
        VfiRowReading reading = vfi_row_reading(grouping, unit, value);
        if (reading == VFI_ROW_READS_NOT)
            continue;
        if (reading == VFI_ROW_READS_ANYWHERE || !is_group(grouping->planner, unit) ||
            count_writers(grouping, unit, value) != grouping->n_writers[value])
            return false;
        is_read = true;
    }
    return is_read;
}

static void find_kept_roots(VfiRowGrouping *grouping)
{
    const VfiPlanner *planner = grouping->planner;
    const GArray *outputs = planner->graph->outputs;

    for (int i = 0; i < planner->n_items; i++)
        if (planner->items[i].output.pinned)
            grouping->kept[vfi_plan_root_value(planner, i)] = true;
    for (guint i = 0; i < outputs->len; i++) {
        VfiValue output = g_array_index(outputs, VfiGraphOutput, i).value;
        VfiValue kept = vfi_plan_kept_output(planner, output);
        grouping->kept[vfi_plan_root_value(planner, kept)] = true;
    }
}

/* ---- the new order ----------------------------------------------------------------- */

/* One past the last of the first @n steps of @unit that write what @step reads. */
static guint end_of_sources(const VfiPlanner *planner, const VfiRowUnit *unit, guint n,
                            const VfiPlanStep *step)
{
    guint end = 0;

    for (guint i = 0; i < n; i++) {
        VfiValue written = vfi_plan_root_value(planner, vfi_row_step(unit, i)->value);
        for (int s = 0; s < vfi_plan_step_n_sources(planner, step); s++)
            if (vfi_plan_step_source_root(planner, step, s) == written)
                end = i + 1;
    }
    return end;
}

/* Moves steps whose result leaves the group up to right after their sources, which then
 * need not be kept for longer. */
static void move_results_up(const VfiPlanner *planner, VfiRowUnit *unit)
{
    for (guint i = 1; i < unit->steps->len; i++) {
        VfiPlanStep step = *vfi_row_step(unit, i);
        if (vfi_plan_root(planner, step.value, NULL)->rows.is_local)
            continue;
        guint to = end_of_sources(planner, unit, i, &step);
        g_array_remove_index(unit->steps, i);
        g_array_insert_val(unit->steps, to, step);
    }
}

/* Makes a row group of @unit, whose steps are to be the planner's next. */
static void add_group(VfiPlanner *planner, VfiRowUnit *unit)
{
    VfiPlanRowGroup group = {.first_step = (int)planner->steps->len,
                             .n_steps = (int)unit->steps->len,
                             .h = unit->h,
                             .w = unit->w};

    if (planner->target.channels_last)
        move_results_up(planner, unit);
    for (guint i = 0; i < unit->steps->len; i++)
        vfi_row_step(unit, i)->group = (int)planner->groups->len;
    g_array_append_val(planner->groups, group);
}

/* Replaces the planner's steps by those of the units. */
static void replace_steps(VfiRowGrouping *grouping)
{
    VfiPlanner *planner = grouping->planner;

    g_array_set_size(planner->steps, 0);
    for (int u = 0; u < (int)grouping->units->len; u++) {
        VfiRowUnit *unit = vfi_row_unit(grouping, u);
        if (is_group(planner, unit))
            add_group(planner, unit);
        g_array_append_vals(planner->steps, unit->steps->data, unit->steps->len);
        for (guint s = (guint)unit->segment; s < planner->graph->segments->len; s++)
            planner->segment_end[s] = (int)planner->steps->len;
    }
}

void vfi_plan_group_rows(VfiPlanner *planner)
{
    VfiRowGrouping grouping = {
        .planner = planner,
        .units = g_ptr_array_new_with_free_func(free_unit),
        .written_in = g_new(int, planner->n_items),
        .n_writers = g_new0(int, planner->n_items),
        .kept = g_new0(bool, planner->n_items),
    };

    for (int i = 0; i < planner->n_items; i++)
        grouping.written_in[i] = -1;
    find_kept_roots(&grouping);
    form_units(&grouping);
    vfi_row_rematerialise(&grouping);
    for (int i = 0; i < planner->n_items; i++)
        planner->items[i].rows.is_local = is_local(&grouping, i);
    replace_steps(&grouping);
    g_ptr_array_unref(grouping.units);
    g_free(grouping.written_in);
    g_free(grouping.n_writers);
    g_free(grouping.kept);
}
