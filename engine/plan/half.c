/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The passes for f16. What stages keep in 16 bits is narrowed by the stage that computes
 * it (narrow-outputs) and widened by later stages right before it is read (widen-inputs),
 * so that both compute with f32. Where channels are last, f16 is also what is computed
 * with (mark-halves), and row groups read f16 planes as they are (narrow-shuffles). */
#include "plan/planner.h"

/* Adds a value that is @source in the other storage. */
static VfiValue add_conversion(VfiPlanner *planner, VfiValue source)
{
    VfiValue value = vfi_plan_add_value(planner, source);
    VfiPlanItem *item = &planner->items[value];

    item->node.kind = VFI_NODE_OP;
    item->node.op = (VfiOp){.kind = VFI_OP_CONVERT, .name = "convert"};
    item->node.source[0] = source;
    item->node.n_sources = 1;
    item->node.half = !planner->items[source].node.half;
    item->split.is_partial = false;
    return value;
}

/* ---- outputs ----------------------------------------------------------------------- */

/* Whether @item is a convolution that can round its result itself: only the output needs
 * it. */
static bool gives_half(const VfiPlanner *planner, const VfiPlanItem *item)
{
    return planner->target.channels_last && planner->target.half_pixels &&
           item->use.n == 1 && vfi_plan_is_conv(item);
}

void vfi_plan_narrow_outputs(VfiPlanner *planner)
{
    int n = planner->n_items;

    for (int i = 0; i < n; i++) {
        if (!planner->items[i].use.alive || !planner->items[i].output.pinned ||
            vfi_plan_writes_state(&planner->items[i]) || planner->items[i].node.half)
            continue;
        if (gives_half(planner, &planner->items[i])) {
            planner->items[i].node.half = true;
            continue;
        }
        VfiValue kept = add_conversion(planner, i);
        planner->items[kept].output.pinned = true;
        planner->items[kept].output.region = planner->output_region;
        planner->items[kept].use.n = 1;
        planner->items[i].output.pinned = false;
        planner->items[i].output.kept_as = kept;
        vfi_plan_compute_after(planner, i, kept);
    }
}

/* ---- inputs ------------------------------------------------------------------------ */

/* Per value: the graph's node that it is computed with or after. */
static int *find_anchors(VfiPlanner *planner)
{
    int *anchors = g_new0(int, planner->n_items);

    for (int i = 0; i < (int)planner->graph->nodes->len; i++)
        for (VfiValue v = i; v != VFI_NO_VALUE; v = planner->items[v].order.after)
            anchors[v] = i;
    return anchors;
}

bool vfi_plan_takes_half_planes(const VfiPlanner *planner, VfiValue reader, int s)
{
    const VfiPlanItem *item = &planner->items[reader];

    return planner->target.channels_last && planner->target.row_groups &&
           item->node.kind == VFI_NODE_OP && vfi_plan_picture(planner, reader).h != 0 &&
           (vfi_plan_descriptor(item)->source[s].layouts & VFI_LAYOUT_HALF_PLANES) != 0;
}

/* Whether @reader reads the input @value and wants it in f32. */
static bool reads(const VfiPlanner *planner, VfiValue reader, VfiValue value)
{
    const VfiPlanItem *item = &planner->items[reader];
    bool is_planar = planner->items[value].node.input.block <= 1;

    for (int s = 0; item->use.alive && s < vfi_plan_n_sources(&item->node); s++)
        if (vfi_plan_source(&item->node, s) == value &&
            !(is_planar && vfi_plan_takes_half_planes(planner, reader, s)))
            return true;
    return false;
}

static void read_instead(VfiPlanner *planner, VfiPlanItem *item, VfiValue value,
                         VfiValue instead)
{
    for (int s = 0; s < item->node.n_sources; s++)
        if (item->node.source[s] == value)
            item->node.source[s] = instead;
    if (item->node.kind != VFI_NODE_CONCAT)
        return;
    GArray *own = g_array_copy(item->node.parts);
    g_ptr_array_add(planner->own_parts, own);
    item->node.parts = own;
    for (guint p = 0; p < own->len; p++)
        if (g_array_index(own, VfiValue, p) == value)
            g_array_index(own, VfiValue, p) = instead;
}

/* Has @wide computed right before node @first; or, if that begins a segment, right after
 * the input @input. */
static void place_before(VfiPlanner *planner, VfiValue wide, VfiValue input, int first)
{
    VfiPlanItem *items = planner->items;
    int segment = items[first].node.segment;

    if (first > input && items[first - 1].node.segment == segment) {
        items[wide].node.segment = segment;
        vfi_plan_compute_after(planner, first - 1, wide);
        return;
    }
    items[wide].order.after = items[input].order.after;
    items[input].order.after = wide;
}

/* Readers that are at most this many nodes apart share a widened value. For others it is
 * widened again: to keep it would take the memory that f16 saves. */
#define SHARED_DISTANCE 8

/* The first node after @last that reads @input, or G_MAXINT. */
static int next_reader(const VfiPlanner *planner, const int *anchors, int n,
                       VfiValue input, int last)
{
    int next = G_MAXINT;

    for (int i = 0; i < n; i++)
        if (anchors[i] > last && anchors[i] < next && reads(planner, i, input))
            next = anchors[i];
    return next;
}

static void widen_input(VfiPlanner *planner, const int *anchors, int n, VfiValue input)
{
    for (int first = next_reader(planner, anchors, n, input, -1); first != G_MAXINT;) {
        int last = first, next = first;
        while (next != G_MAXINT && next - last <= SHARED_DISTANCE &&
               planner->items[next].node.segment == planner->items[first].node.segment) {
            last = next;
            next = next_reader(planner, anchors, n, input, last);
        }
        VfiValue wide = add_conversion(planner, input);
        for (int i = 0; i < n; i++)
            if (anchors[i] >= first && anchors[i] <= last && reads(planner, i, input))
                read_instead(planner, &planner->items[i], input, wide);
        place_before(planner, wide, input, first);
        first = next;
    }
}

void vfi_plan_widen_inputs(VfiPlanner *planner)
{
    int n = planner->n_items;
    g_autofree int *anchors = find_anchors(planner);

    for (int i = 0; i < n; i++) {
        const VfiPlanItem *item = &planner->items[i];
        if (item->node.kind != VFI_NODE_INPUT || !item->node.half)
            continue;
        if (!planner->target.half_pixels || item->node.input.block <= 1)
            widen_input(planner, anchors, n, i);
    }
}

/* ---- what is computed with f16 ----------------------------------------------------- */

/* Inputs have the storage that an earlier stage gave them. */
void vfi_plan_mark_halves(VfiPlanner *planner)
{
    for (int i = 0; i < planner->n_items; i++) {
        VfiPlanItem *item = &planner->items[i];
        if (item->layout.block > 1 && item->node.kind != VFI_NODE_INPUT)
            item->node.half = true;
    }
}

/* Whether source @s of @reader may be f16 planes and is read anywhere. (One that is read
 * row by row takes no memory, and groups keep its rows as f32.) */
static bool takes_half_anywhere(const VfiPlanner *planner, VfiValue reader, int s)
{
    return vfi_plan_takes_half_planes(planner, reader, s) &&
           vfi_plan_reads_beyond_rows(planner, reader, s);
}

/* Whether all readers of @value and of its slices take f16 planes. */
static bool is_read_as_half(const VfiPlanner *planner, VfiValue value)
{
    if (vfi_plan_is_output(planner, value))
        return false;
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        for (int s = 0; item->use.alive && s < vfi_plan_n_sources(&item->node); s++) {
            if (vfi_plan_source(&item->node, s) != value)
                continue;
            if (item->node.kind == VFI_NODE_SLICE ? !is_read_as_half(planner, i)
                                                  : !takes_half_anywhere(planner, i, s))
                return false;
        }
    }
    return true;
}

static void mark_half(VfiPlanner *planner, VfiValue value)
{
    planner->items[value].node.half = true;
    for (int i = 0; i < planner->n_items; i++)
        if (planner->items[i].use.alive &&
            planner->items[i].node.kind == VFI_NODE_SLICE &&
            planner->items[i].node.source[0] == value)
            mark_half(planner, i);
}

void vfi_plan_narrow_shuffles(VfiPlanner *planner)
{
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        if (item->use.alive && item->node.kind == VFI_NODE_OP &&
            item->node.op.kind == VFI_OP_PIXEL_SHUFFLE && !item->output.pinned &&
            item->layout.block <= 1 && planner->items[item->node.source[0]].node.half &&
            is_read_as_half(planner, i))
            mark_half(planner, i);
    }
}
