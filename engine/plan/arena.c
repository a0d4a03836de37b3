/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass lay-out-arena: places every root so that values which must be kept at the same
 * time never overlap. */
#include "plan/planner.h"

static gint compare_bytes_descending(gconstpointer a, gconstpointer b)
{
    const VfiPlanItem *item_a = *(VfiPlanItem *const *)a,
                      *item_b = *(VfiPlanItem *const *)b;

    if (item_a->memory.bytes != item_b->memory.bytes)
        return item_a->memory.bytes < item_b->memory.bytes ? 1 : -1;
    return (item_a > item_b) - (item_a < item_b); /* both point into one array */
}

/* Values of equal size by the length of their lives, the longest first. */
static gint compare_bytes_and_life(gconstpointer a, gconstpointer b)
{
    const VfiPlanItem *item_a = *(VfiPlanItem *const *)a,
                      *item_b = *(VfiPlanItem *const *)b;

    if (item_a->memory.bytes == item_b->memory.bytes &&
        item_a->memory.life != item_b->memory.life)
        return item_a->memory.life < item_b->memory.life ? 1 : -1;
    return compare_bytes_descending(a, b);
}

/* Whether both values must be kept at some step. */
static bool live_together(const VfiPlanItem *a, const VfiPlanItem *b, int n_segments)
{
    for (int s = 0; s < n_segments; s++)
        if (a->memory.spans[s].first <= b->memory.spans[s].last &&
            b->memory.spans[s].first <= a->memory.spans[s].last)
            return true;
    return false;
}

/* The lowest offset at which @item overlaps none of the @n placed items that live with
 * it. */
static size_t find_place(const VfiPlanItem *item, VfiPlanItem *const *placed, guint n,
                         int n_segments)
{
    size_t place = 0;
    bool moved = true;

    while (moved) {
        moved = false;
        for (guint i = 0; i < n; i++) {
            const VfiPlanItem *other = placed[i];
            if (live_together(item, other, n_segments) &&
                place < other->memory.place + other->memory.bytes &&
                other->memory.place < place + item->memory.bytes) {
                place = other->memory.place + other->memory.bytes;
                moved = true;
            }
        }
    }
    return place;
}

/* Steps during which @item is kept, over all segments. */
static int life_of(const VfiPlanItem *item, int n_segments)
{
    int life = 0;

    for (int s = 0; s < n_segments; s++)
        if (item->memory.spans[s].last >= item->memory.spans[s].first)
            life += item->memory.spans[s].last - item->memory.spans[s].first + 1;
    return life;
}

/* Places all @roots in the order of @compare. Returns the bytes that they need
 * together. */
static size_t place_roots(GPtrArray *roots, GCompareFunc compare, int n_segments)
{
    size_t bytes = 0;

    g_ptr_array_sort(roots, compare);
    for (guint i = 0; i < roots->len; i++) {
        VfiPlanItem *item = g_ptr_array_index(roots, i);
        item->memory.place =
            find_place(item, (VfiPlanItem *const *)roots->pdata, i, n_segments);
        bytes = MAX(bytes, item->memory.place + item->memory.bytes);
    }
    return bytes;
}

/* Greedy, the largest first; values of equal size in the better of two orders. */
void vfi_plan_lay_out_arena(VfiPlanner *planner)
{
    int n_segments = (int)planner->graph->segments->len;
    g_autoptr(GPtrArray) roots = g_ptr_array_new();

    for (int i = 0; i < planner->n_items; i++) {
        VfiPlanItem *item = &planner->items[i];
        bool has_memory =
            item->node.kind == VFI_NODE_CONCAT ||
            (item->node.kind == VFI_NODE_OP && !vfi_plan_descriptor(item)->gives_scalar);
        if (!item->use.alive || item->view.host != VFI_NO_VALUE || item->output.pinned ||
            item->rows.is_local || !has_memory)
            continue;
        item->memory.bytes = vfi_plan_align(vfi_plan_value_bytes(planner, item));
        item->memory.life = life_of(item, n_segments);
        g_ptr_array_add(roots, item);
    }
    size_t by_index = place_roots(roots, compare_bytes_descending, n_segments);
    size_t by_life = place_roots(roots, compare_bytes_and_life, n_segments);
    planner->arena_bytes = by_life < by_index
                               ? by_life
                               : place_roots(roots, compare_bytes_descending, n_segments);
}
