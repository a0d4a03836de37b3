/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass pin-states: a loop's states get places of their own, one after the other, the
 * same in the memory that a round reads and in that which it writes. They are planes of
 * f32 whatever the target, since who writes one does not know who reads it. */
#include "plan/planner.h"

/* Whether anything outside of @segment reads @value or channels of it, or the host
 * does. */
static bool is_read_outside(const VfiPlanner *planner, VfiValue value, int segment)
{
    if (vfi_plan_is_output(planner, value))
        return true;
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        for (int s = 0; item->use.alive && s < vfi_plan_n_sources(&item->node); s++) {
            if (vfi_plan_source(&item->node, s) != value)
                continue;
            if (item->node.kind == VFI_NODE_SLICE ? is_read_outside(planner, i, segment)
                                                  : item->node.segment != segment)
                return true;
        }
    }
    return false;
}

/* Whether the op that computes @value may do so in a state's place. Once its segment has
 * run, that is another state's memory to all who come later. */
static bool may_be_state(const VfiPlanner *planner, VfiValue value, int segment)
{
    const VfiPlanItem *item = &planner->items[value];

    return item->node.kind == VFI_NODE_OP && item->node.segment == segment &&
           !item->output.pinned && !is_read_outside(planner, value, segment);
}

/* Has what @copy copies lie at @place in the states' memory: as the copy, or computed
 * there. */
static void pin_state(VfiPlanner *planner, VfiValue copy, size_t place)
{
    VfiPlanItem *item = &planner->items[copy];
    VfiValue source = item->node.source[0];

    if (may_be_state(planner, source, item->node.segment)) {
        item->use.alive = false;
        item = &planner->items[source];
    }
    item->output.pinned = true;
    item->output.region = VFI_REGION_NEXT_STATE;
    item->memory.place = place;
}

void vfi_plan_pin_states(VfiPlanner *planner)
{
    const GArray *states = planner->graph->states;
    g_autofree size_t *places = g_new(size_t, states->len);

    for (guint i = 0; i < states->len; i++) {
        const VfiGraphState *state = &g_array_index(states, VfiGraphState, i);
        places[i] = planner->state_bytes;
        planner->state_bytes += vfi_plan_align(
            vfi_plan_value_bytes(planner, &planner->items[state->initial]));
        pin_state(planner, state->initial, places[i]);
        pin_state(planner, state->next, places[i]);
    }
    for (int i = 0; i < planner->n_items; i++) {
        VfiNode *node = &planner->items[i].node;
        if (node->kind == VFI_NODE_INPUT && node->input.region == VFI_REGION_STATE)
            node->input.offset = places[node->input.state];
    }
}
