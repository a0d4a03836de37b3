/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A graph's loop and the states that survive its rounds. A state is written by COPYs, in
 * the segment before the loop and in the loop; where it can, the planner has a value
 * computed in the state's place instead. */
#include "graph/nodes.h"

#include <vfi/error.h>

/* Whether all states are made in segment @follows. */
static bool check_states(VfiGraph *graph, int follows)
{
    for (VfiState i = 0; i < (int)graph->states->len; i++) {
        int segment = vfi_graph_state_at(graph, i)->segment;
        if (segment == follows)
            continue;
        vfi_graph_fail(graph,
                       "state %d is made in segment %d, but the loop follows segment %d: "
                       "expected it to be made there",
                       i, segment, follows);
        return false;
    }
    return true;
}

int vfi_graph_loop(VfiGraph *graph, int follows, int rounds)
{
    int segment = vfi_graph_segment(graph, follows);

    if (rounds < 1 || rounds > VFI_MAX_ROUNDS)
        vfi_graph_fail(graph, "a loop of %d rounds: expected 1 to %d", rounds,
                       VFI_MAX_ROUNDS);
    else if (follows < 0 || follows >= segment)
        vfi_graph_fail(graph, "a loop that follows segment %d: expected 0 to %d", follows,
                       segment - 1);
    else if (graph->loop >= 0)
        vfi_graph_fail(
            graph,
            "a second loop, segment %d: segment %d is one already, and a stage "
            "may have one",
            segment, graph->loop);
    else if (check_states(graph, follows))
        graph->loop = segment;
    graph->rounds = rounds;
    return segment;
}

VfiState vfi_graph_new_state(VfiGraph *graph, VfiValue initial)
{
    if (!vfi_graph_check_values(graph, &initial, 1, "a new state"))
        return VFI_NO_STATE;
    if (graph->loop >= 0) {
        vfi_graph_fail(graph,
                       "a new state in segment %d, but the loop, segment %d, has begun: "
                       "states are made in the segment that it follows",
                       vfi_graph_current_segment(graph), graph->loop);
        return VFI_NO_STATE;
    }
    VfiGraphState state = {
        .shape = vfi_graph_shape(graph, initial),
        .segment = vfi_graph_current_segment(graph),
        .initial = vfi_graph_add_copy(graph, initial, "new state"),
        .next = VFI_NO_VALUE,
    };
    g_array_append_val(graph->states, state);
    return (VfiState)graph->states->len - 1;
}

/* Whether there is such a state and no error. */
static bool check_state(VfiGraph *graph, VfiState state)
{
    if (graph->error == NULL && (state < 0 || state >= (int)graph->states->len))
        vfi_graph_fail(graph, "state %d is none of this graph, which has %u", state,
                       graph->states->len);
    return graph->error == NULL;
}

VfiValue vfi_graph_state(VfiGraph *graph, VfiState state)
{
    int current = vfi_graph_current_segment(graph);

    if (!check_state(graph, state))
        return VFI_NO_VALUE;
    if (graph->loop < 0 || !vfi_graph_segment_sees(graph, current, graph->loop)) {
        vfi_graph_fail(graph,
                       "state %d is asked for in segment %d: it is visible in the loop "
                       "and in segments that follow it",
                       state, current);
        return VFI_NO_VALUE;
    }
    VfiNode node = {
        .kind = VFI_NODE_INPUT,
        .shape = vfi_graph_state_at(graph, state)->shape,
        .input = {.region = VFI_REGION_STATE, .state = state},
    };
    return vfi_graph_add_node(graph, node);
}

void vfi_graph_update_state(VfiGraph *graph, VfiState state, VfiValue next)
{
    int current = vfi_graph_current_segment(graph);

    if (!check_state(graph, state) ||
        !vfi_graph_check_values(graph, &next, 1, "an update of a state"))
        return;
    VfiGraphState *updated = vfi_graph_state_at(graph, state);
    VfiShape is = vfi_graph_shape(graph, next), expected = updated->shape;
    if (current != graph->loop)
        vfi_graph_fail(graph,
                       "state %d is updated in segment %d: expected that in the loop",
                       state, current);
    else if (updated->next != VFI_NO_VALUE)
        vfi_graph_fail(graph, "state %d is updated twice: expected one update a round",
                       state);
    else if (!vfi_shape_equal(is, expected))
        vfi_graph_fail(graph, "state %d is %d×%d×%d, but is updated with %d×%d×%d", state,
                       expected.c, expected.h, expected.w, is.c, is.h, is.w);
    else
        updated->next = vfi_graph_add_copy(graph, next, "next state");
}

bool vfi_graph_check(const VfiGraph *graph, GError **error)
{
    if (graph->error != NULL) {
        g_propagate_error(error, g_error_copy(graph->error));
        return false;
    }
    for (VfiState i = 0; i < (int)graph->states->len; i++) {
        if (vfi_graph_state_at(graph, i)->next != VFI_NO_VALUE)
            continue;
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    graph->loop < 0 ? "state %d is never updated, since no loop follows "
                                      "the segment that it is made in"
                                    : "state %d is not updated in the loop",
                    i);
        return false;
    }
    return true;
}
