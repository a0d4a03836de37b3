/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A program for gdb_printers.py to stop in: a plan whose shapes can be told by hand. */
#include <stdlib.h>

#include "layer_weights.h"
#include "plan/plan.h"

void stop_with(const VfiPlan *plan, const VfiOp *none);

/* Where gdb stops; @none cannot be read. */
__attribute__((noinline)) void stop_with(const VfiPlan *plan, const VfiOp *none)
{
    __asm__ volatile("" ::"r"(plan), "r"(none) : "memory");
}

/* One convolution, from 3 to 5 channels. */
static VfiWeights *make_weights(void)
{
    const StateEntry layer[] = {
        {.key = "first.weight", .kind = STATE_WEIGHT, .n_dims = 4, .shape = {5, 3, 3, 3}},
        {.key = "first.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {5}},
    };
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));
    g_array_append_vals(entries, layer, G_N_ELEMENTS(layer));
    return weights_of_entries(entries);
}

int main(void)
{
    VfiWeights *weights = make_weights();
    VfiGraph *graph = vfi_graph_new(weights, 8, 4); /* 3 × 4 × 8 */
    VfiValue half = vfi_graph_conv(graph, vfi_graph_image(graph, 0), "first", 5, 3, 2);
    VfiValue whole = vfi_graph_resize(graph, half, 4, 8, 1.5f);

    VfiState state = vfi_graph_new_state(graph, whole);
    vfi_graph_loop(graph, 0, 4);
    VfiValue next = vfi_graph_clamp(graph, vfi_graph_state(graph, state), -2.0f, 7.0f);
    vfi_graph_update_state(graph, state, next);
    vfi_graph_output(graph, "result", next);
    VfiPlan *plan = vfi_plan_new(graph, NULL, VFI_REGION_ARENA, NULL);
    if (plan == NULL)
        return EXIT_FAILURE;
    stop_with(plan, (const VfiOp *)16);
    vfi_plan_free(plan);
    vfi_graph_free(graph);
    vfi_weights_free(weights);
    return EXIT_SUCCESS;
}
