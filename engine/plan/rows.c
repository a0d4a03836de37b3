/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row groups: the planner's pass that finds steps which work row by row on pictures of one
 * size and brings them together, so that a backend can run them band by band while the values
 * between them stay in its cache.
 *
 * A step joins an earlier group if all that it reads is there by then; so a step moves up
 * over convolutions that it does not depend on. A value that is cheap to compute (a small
 * tensor enlarged, or the sum of such) is computed anew in each group that reads it. What no
 * step outside of groups sees then needs no memory. */
#include "plan/planner.h"

/* A source is small if the picture enlarged from it has this many times its elements. */
#define SMALL_TENSOR 4

/* Most enlargements that a value computed anew may take. */
#define ANEW_MAX 3

/* In the new order: a step alone, or steps that run row by row together. */
typedef struct {
    int segment;
    int h, w;      /* of the group's pictures; 0 for a step that is alone */
    GArray *steps; /* of VfiPlanStep */
} Unit;

/* A root as one group keeps it. */
typedef struct {
    const VfiPlanItem *root;
    int first, last; /* steps of the group */
    int plane;
} Local;

typedef struct {
    VfiPlanner *planner;
    GPtrArray *units; /* of Unit */
    int *written_in;  /* per root: the last unit that writes it, -1 for inputs */
    int *n_writers;   /* per root: steps that write it, each part once */
    int *cost;  /* per value: enlargements to compute it anew, 0 if that is not cheap */
    bool *kept; /* per root: an output, or laid out in the frame's region */
} Grouping;

static int n_sources(const Grouping *g, const VfiPlanStep *step)
{
    return step->copy_of != VFI_NO_VALUE ? 1
                                         : g->planner->items[step->value].node.n_sources;
}

static VfiValue source(const Grouping *g, const VfiPlanStep *step, int i)
{
    return step->copy_of != VFI_NO_VALUE ? step->copy_of
                                         : g->planner->items[step->value].node.source[i];
}

static VfiShape shape_of(const VfiPlanner *planner, VfiValue value)
{
    return planner->items[value].node.shape;
}

static int root(const Grouping *g, VfiValue value)
{
    return (int)(vfi_plan_root(g->planner, value, NULL) - g->planner->items);
}

/* Whether source @i is read anywhere, and not only in rows of the picture. */
static bool reads_anywhere(const Grouping *g, const VfiPlanStep *step, int i)
{
    if (step->copy_of != VFI_NO_VALUE)
        return false;
    VfiOp op = vfi_plan_shaped_op(g->planner, &g->planner->items[step->value].node);
    return vfi_op_reads_anywhere(&op, i);
}

/* Whether the op's result, or what it reads, is in channel blocks that row groups do not
 * write or read. */
static bool has_foreign_blocks(const VfiPlanner *planner, const VfiPlanItem *item)
{
    const VfiNode *node = &item->node;
    bool takes_any =
        planner->target.channels_last && node->op.kind == VFI_OP_PIXEL_SHUFFLE;
    bool gives_any = planner->target.channels_last && node->op.kind == VFI_OP_COPY;

    return (item->block > 1 && !item->is_piece && !gives_any) ||
           (node->n_sources > 0 && planner->items[node->source[0]].block > 1 &&
            !takes_any);
}

VfiShape vfi_plan_picture(const VfiPlanner *planner, VfiValue value)
{
    const VfiPlanItem *item = &planner->items[value];

    if (has_foreign_blocks(planner, item))
        return (VfiShape){0, 0, 0};
    VfiOp op = vfi_plan_shaped_op(planner, &item->node);
    return vfi_op_picture(&op);
}

/* The size of the pictures on which @step works row by row; 0×0 if it does not. */
static VfiShape picture_of(const Grouping *g, const VfiPlanStep *step)
{
    const VfiPlanItem *items = g->planner->items, *item = &items[step->value];

    if (step->copy_of == VFI_NO_VALUE)
        return vfi_plan_picture(g->planner, step->value);
    if (items[step->copy_of].block > 1 || (item->block > 1 && !item->joined))
        return (VfiShape){0, 0, 0};
    return shape_of(g->planner, step->copy_of);
}

static Unit *unit_at(const Grouping *g, int index)
{
    return g_ptr_array_index(g->units, index);
}

static VfiPlanStep *step_at(const Unit *unit, guint index)
{
    return &g_array_index(unit->steps, VfiPlanStep, index);
}

static void free_unit(gpointer data)
{
    Unit *unit = data;

    g_array_unref(unit->steps);
    g_free(unit);
}

static int add_unit(Grouping *g, int segment, VfiShape picture)
{
    Unit *unit = g_new0(Unit, 1);

    unit->segment = segment;
    unit->h = picture.h;
    unit->w = picture.w;
    unit->steps = g_array_new(FALSE, FALSE, sizeof(VfiPlanStep));
    g_ptr_array_add(g->units, unit);
    return (int)g->units->len - 1;
}

/* The group that @step joins: the one it reads from, else the last one that has all that the
 * step reads before it or in it; or a new one. */
static int find_unit(Grouping *g, const VfiPlanStep *step)
{
    VfiShape picture = picture_of(g, step);
    int rows_from = -1, all_from = -1; /* the last units that write what it reads */

    if (picture.h == 0)
        return add_unit(g, step->segment, picture);
    for (int i = 0; i < n_sources(g, step); i++) {
        int *from = reads_anywhere(g, step, i) ? &all_from : &rows_from;
        *from = MAX(*from, g->written_in[root(g, source(g, step, i))]);
    }
    int found = -1;
    for (int i = (int)g->units->len - 1; i >= rows_from && i > all_from && i >= 0; i--) {
        const Unit *unit = unit_at(g, i);
        bool fits = unit->segment == step->segment && unit->h == picture.h &&
                    unit->w == picture.w;
        if (fits && (found < 0 || i == rows_from))
            found = i;
    }
    return found >= 0 ? found : add_unit(g, step->segment, picture);
}

static void form_units(Grouping *g)
{
    const GArray *steps = g->planner->steps;

    for (guint i = 0; i < steps->len; i++) {
        const VfiPlanStep *step = &g_array_index(steps, VfiPlanStep, i);
        int unit = find_unit(g, step), written = root(g, step->value);
        g_array_append_vals(unit_at(g, unit)->steps, step, 1);
        g->written_in[written] = MAX(g->written_in[written], unit);
        g->n_writers[written]++;
    }
}

/* Enlargements that it takes to compute @node anew, 0 if it takes more than them and sums. */
static int rematerialise_cost(const VfiPlanner *planner, const VfiNode *node)
{
    int cost = 0;

    if (node->kind == VFI_NODE_SLICE)
        return planner->items[node->source[0]].rematerialise_cost;
    if (node->kind != VFI_NODE_OP)
        return 0;
    if (node->op.kind == VFI_OP_RESIZE)
        return vfi_shape_elements(planner->items[node->source[0]].node.shape) *
                   SMALL_TENSOR <=
               vfi_shape_elements(node->shape);
    if (node->op.kind != VFI_OP_ADD && node->op.kind != VFI_OP_SUB)
        return 0;
    for (int i = 0; i < node->n_sources; i++) {
        int source_cost = planner->items[node->source[i]].rematerialise_cost;
        if (source_cost == 0)
            return 0;
        cost += source_cost;
    }
    return cost <= ANEW_MAX ? cost : 0;
}

void vfi_plan_find_cheap_values(VfiPlanner *planner)
{
    for (int i = 0; i < planner->n_items; i++)
        planner->items[i].rematerialise_cost =
            rematerialise_cost(planner, &planner->items[i].node);
}

typedef enum { READS_NOT, READS_ROWS, READS_ANYWHERE } Reading;

/* How the steps of @unit read the root @value. */
static Reading reading_of(const Grouping *g, const Unit *unit, int value)
{
    Reading reading = READS_NOT;

    for (guint i = 0; i < unit->steps->len; i++) {
        const VfiPlanStep *step = step_at(unit, i);
        for (int s = 0; s < n_sources(g, step); s++) {
            if (root(g, source(g, step, s)) != value)
                continue;
            if (unit->h == 0 || reads_anywhere(g, step, s))
                return READS_ANYWHERE;
            reading = READS_ROWS;
        }
    }
    return reading;
}

static int writers_in(const Grouping *g, const Unit *unit, int value)
{
    int n = 0;

    for (guint i = 0; i < unit->steps->len; i++)
        n += root(g, step_at(unit, i)->value) == value;
    return n;
}

/* Moves step @index of unit @from, a cheap one, into all groups that read its value. */
static void rematerialise(Grouping *g, int from, guint index)
{
    VfiPlanStep step = *step_at(unit_at(g, from), index);

    for (guint u = 0; u < g->units->len; u++)
        if (reading_of(g, unit_at(g, (int)u), step.value) == READS_ANYWHERE)
            return;
    for (guint u = (guint)from + 1; u < g->units->len; u++) {
        Unit *unit = unit_at(g, (int)u);
        if (reading_of(g, unit, step.value) == READS_NOT)
            continue;
        step.segment = unit->segment;
        g_array_prepend_val(unit->steps, step);
    }
    Unit *home = unit_at(g, from);
    if (reading_of(g, home, step.value) == READS_NOT)
        g_array_remove_index(home->steps, index);
}

static bool is_cheap(const Grouping *g, const VfiPlanStep *step)
{
    return step->copy_of == VFI_NO_VALUE &&
           g->planner->items[step->value].rematerialise_cost > 0 &&
           root(g, step->value) == step->value && !g->kept[step->value];
}

/* From the end, so that what reads a value has its place before the value has, and what it is
 * computed from comes before it. */
static void rematerialise_cheap_values(Grouping *g)
{
    for (int u = (int)g->units->len - 1; u >= 0; u--) {
        const Unit *unit = unit_at(g, u);
        for (guint i = unit->steps->len; i-- > 0;)
            if (is_cheap(g, step_at(unit, i)))
                rematerialise(g, u, i);
    }
}

static bool is_copy(const VfiPlanner *planner, const VfiPlanStep *step)
{
    return step->copy_of != VFI_NO_VALUE ||
           planner->items[step->value].node.op.kind == VFI_OP_COPY;
}

/* Whether only row groups can run @step: it writes a part of channels last, or reads f16. */
static bool needs_group(const VfiPlanner *planner, const VfiPlanStep *step)
{
    const VfiPlanItem *item = &planner->items[step->value];
    const VfiNode *node = &item->node;

    if (is_copy(planner, step))
        return false;
    return item->is_piece || (node->n_sources > 0 && item->block <= 1 &&
                              planner->items[node->source[0]].block <= 1 &&
                              planner->items[node->source[0]].node.half);
}

/* Whether @unit's steps form a row group: there are several, or one that nothing else runs.
 * Channels last, copies alone are better off by themselves. */
static bool is_group(const Grouping *g, const Unit *unit)
{
    bool copies = g->planner->target.channels_last;

    if (unit->h == 0 || unit->steps->len < 2)
        return unit->h != 0 && unit->steps->len > 0 &&
               needs_group(g->planner, step_at(unit, 0));
    for (guint i = 0; i < unit->steps->len; i++)
        copies = copies && is_copy(g->planner, step_at(unit, i));
    return !copies;
}

/* Whether only groups see the root @value, and each that reads it computes it, too. */
static bool stays_in_groups(const Grouping *g, int value)
{
    bool is_read = false;

    if (g->n_writers[value] == 0 || g->kept[value])
        return false;
    for (guint u = 0; u < g->units->len; u++) {
        const Unit *unit = unit_at(g, (int)u);
        Reading reading = reading_of(g, unit, value);
        if (reading == READS_NOT)
            continue;
        if (reading == READS_ANYWHERE || !is_group(g, unit) ||
            writers_in(g, unit, value) != g->n_writers[value])
            return false;
        is_read = true;
    }
    return is_read;
}

/* Moves steps whose result leaves the group up to where what they read is there, so that it
 * need not be kept for longer. */
static void move_results_up(const Grouping *g, Unit *unit)
{
    for (guint i = 1; i < unit->steps->len; i++) {
        VfiPlanStep step = *step_at(unit, i);
        guint to = 0;
        if (g->planner->items[root(g, step.value)].in_rows)
            continue;
        for (guint before = 0; before < i; before++)
            for (int s = 0; s < n_sources(g, &step); s++)
                if (root(g, step_at(unit, before)->value) == root(g, source(g, &step, s)))
                    to = before + 1;
        g_array_remove_index(unit->steps, i);
        g_array_insert_val(unit->steps, to, step);
    }
}

/* Replaces the planner's steps by those of the units. */
static void emit_steps(Grouping *g)
{
    VfiPlanner *planner = g->planner;

    g_array_set_size(planner->steps, 0);
    for (guint u = 0; u < g->units->len; u++) {
        Unit *unit = unit_at(g, (int)u);
        bool forms_group = is_group(g, unit);
        VfiPlanRowGroup group = {.first_step = (int)planner->steps->len,
                                 .n_steps = (int)unit->steps->len,
                                 .h = unit->h,
                                 .w = unit->w};
        if (forms_group && planner->target.channels_last)
            move_results_up(g, unit);
        for (guint i = 0; forms_group && i < unit->steps->len; i++)
            step_at(unit, i)->group = (int)planner->groups->len;
        g_array_append_vals(planner->steps, unit->steps->data, unit->steps->len);
        if (forms_group) {
            group.locals = g_array_new(FALSE, FALSE, sizeof(Local));
            g_array_append_val(planner->groups, group);
        }
        for (guint s = (guint)unit->segment; s < planner->graph->segments->len; s++)
            planner->segment_end[s] = (int)planner->steps->len;
    }
}

static Local *find_local(const VfiPlanRowGroup *group, const VfiPlanItem *root)
{
    for (guint i = 0; i < group->locals->len; i++) {
        Local *local = &g_array_index(group->locals, Local, i);
        if (local->root == root)
            return local;
    }
    return NULL;
}

static void use_local(VfiPlanRowGroup *group, const VfiPlanItem *root, int step)
{
    Local *local = find_local(group, root);

    if (!root->in_rows)
        return;
    if (local != NULL) {
        local->last = step;
        return;
    }
    Local fresh = {.root = root, .first = step, .last = step, .plane = -1};
    g_array_append_val(group->locals, fresh);
}

/* Whether @next can be computed in the place of @last: by one element-wise step that reads
 * the whole of @last for the last time. */
static bool may_replace(const Grouping *g, const VfiPlanRowGroup *group,
                        const Local *last, const Local *next)
{
    const VfiPlanStep *step =
        &g_array_index(g->planner->steps, VfiPlanStep, group->first_step + next->first);
    const VfiPlanItem *items = g->planner->items;

    if (last->last != next->first || step->copy_of != VFI_NO_VALUE ||
        &items[step->value] != next->root || reads_anywhere(g, step, 0) ||
        last->root->node.shape.c != next->root->node.shape.c)
        return false;
    const VfiOpDescriptor *descriptor =
        vfi_op_descriptor(items[step->value].node.op.kind);
    for (int s = 0; s < n_sources(g, step); s++)
        if (vfi_plan_root(g->planner, source(g, step, s), NULL) == last->root &&
            (!descriptor->source[s].in_place || &items[source(g, step, s)] != last->root))
            return false;
    return true;
}

/* Lowest plane at which @local meets none of the @n locals placed before it. */
static int find_plane(const Grouping *g, const VfiPlanRowGroup *group, const Local *local,
                      guint n)
{
    int plane = 0;
    bool moved = true;

    while (moved) {
        moved = false;
        for (guint i = 0; i < n; i++) {
            const Local *other = &g_array_index(group->locals, Local, i);
            int end = other->plane + other->root->node.shape.c;
            if (other->last < local->first || plane >= end ||
                plane + local->root->node.shape.c <= other->plane ||
                (plane == other->plane && may_replace(g, group, other, local)))
                continue;
            plane = end;
            moved = true;
        }
    }
    return plane;
}

static void lay_out_planes(const Grouping *g, VfiPlanRowGroup *group)
{
    for (int i = 0; i < group->n_steps; i++) {
        const VfiPlanStep *step =
            &g_array_index(g->planner->steps, VfiPlanStep, group->first_step + i);
        use_local(group, vfi_plan_root(g->planner, step->value, NULL), i);
        for (int s = 0; s < n_sources(g, step); s++)
            use_local(group, vfi_plan_root(g->planner, source(g, step, s), NULL), i);
    }
    /* In the order of their first steps. */
    for (guint i = 0; i < group->locals->len; i++) {
        Local *local = &g_array_index(group->locals, Local, i);
        local->plane = find_plane(g, group, local, i);
        group->n_planes = MAX(group->n_planes, local->plane + local->root->node.shape.c);
    }
}

static void find_kept_roots(Grouping *g)
{
    const VfiPlanner *planner = g->planner;

    for (int i = 0; i < planner->n_items; i++)
        if (planner->items[i].pinned)
            g->kept[root(g, i)] = true;
    for (guint i = 0; i < planner->graph->outputs->len; i++)
        g->kept[root(
            g, vfi_plan_kept_output(
                   planner,
                   g_array_index(planner->graph->outputs, VfiGraphOutput, i).value))] =
            true;
}

void vfi_plan_group_rows(VfiPlanner *planner)
{
    Grouping g = {
        .planner = planner,
        .units = g_ptr_array_new_with_free_func(free_unit),
        .written_in = g_new(int, planner->n_items),
        .n_writers = g_new0(int, planner->n_items),
        .kept = g_new0(bool, planner->n_items),
    };

    for (int i = 0; i < planner->n_items; i++)
        g.written_in[i] = -1;
    find_kept_roots(&g);
    form_units(&g);
    rematerialise_cheap_values(&g);
    for (int i = 0; i < planner->n_items; i++)
        planner->items[i].in_rows = stays_in_groups(&g, i);
    emit_steps(&g);
    g_ptr_array_unref(g.units);
    g_free(g.written_in);
    g_free(g.n_writers);
    g_free(g.kept);
}

void vfi_plan_lay_out_rows(VfiPlanner *planner)
{
    const Grouping g = {.planner = planner};

    for (guint i = 0; i < planner->groups->len; i++)
        lay_out_planes(&g, &g_array_index(planner->groups, VfiPlanRowGroup, i));
}

size_t vfi_plan_rows_place(const VfiPlanner *planner, int group, const VfiPlanItem *root)
{
    const VfiPlanRowGroup *rows = &g_array_index(planner->groups, VfiPlanRowGroup, group);

    return (size_t)find_local(rows, root)->plane * (size_t)rows->h * (size_t)rows->w *
           sizeof(float);
}

void vfi_plan_groups_clear(VfiPlanner *planner)
{
    for (guint i = 0; i < planner->groups->len; i++)
        g_array_unref(g_array_index(planner->groups, VfiPlanRowGroup, i).locals);
    g_array_unref(planner->groups);
}
