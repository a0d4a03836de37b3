/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the graph of a stage is given, by frames and by stages before it, and what it
 * gives. */
#include "graph/nodes.h"

#include <string.h>

VfiValue vfi_graph_image(VfiGraph *graph, int frame)
{
    VfiNode node = {
        .kind = VFI_NODE_INPUT,
        .shape = {3, graph->height, graph->width},
        .input.region = vfi_frame_region(frame),
    };

    return graph->error != NULL ? VFI_NO_VALUE : vfi_graph_add_node(graph, node);
}

void vfi_graph_declare_input(VfiGraph *graph, const char *name, const VfiOperand *operand)
{
    VfiGraphInput input = {g_string_chunk_insert_const(graph->keys, name), *operand};

    g_array_append_val(graph->inputs, input);
}

static const VfiOperand *find_input(const VfiGraph *graph, VfiRegion region,
                                    const char *name)
{
    for (guint i = 0; i < graph->inputs->len; i++) {
        const VfiGraphInput *input = &g_array_index(graph->inputs, VfiGraphInput, i);
        if (input->operand.region == region && strcmp(input->name, name) == 0)
            return &input->operand;
    }
    return NULL;
}

/* What @stage left as @name: declared for @declared_region, read from @region. */
static VfiValue add_input(VfiGraph *graph, const char *stage, const char *name,
                          VfiRegion declared_region, VfiRegion region)
{
    const VfiOperand *operand = find_input(graph, declared_region, name);

    if (operand == NULL) {
        vfi_graph_fail(graph, "the %s stage has no output \"%s\"", stage, name);
        return VFI_NO_VALUE;
    }
    VfiNode node = {
        .kind = VFI_NODE_INPUT,
        .shape = operand->shape,
        .half = operand->half,
        .input = {.region = region, .offset = operand->offset, .block = operand->block},
    };
    return graph->error != NULL ? VFI_NO_VALUE : vfi_graph_add_node(graph, node);
}

VfiValue vfi_graph_feature(VfiGraph *graph, int frame, const char *name)
{
    return add_input(graph, "per-frame", name, VFI_REGION_FRAME0,
                     vfi_frame_region(frame));
}

VfiValue vfi_graph_pair_value(VfiGraph *graph, const char *name)
{
    return add_input(graph, "per-pair", name, VFI_REGION_PAIR, VFI_REGION_PAIR);
}

VfiValue vfi_graph_constant(VfiGraph *graph, const char *name)
{
    return add_input(graph, "constant", name, VFI_REGION_CONSTANT, VFI_REGION_CONSTANT);
}

void vfi_graph_output(VfiGraph *graph, const char *name, VfiValue value)
{
    VfiGraphOutput output = {vfi_graph_current_segment(graph), name, value};

    if (!vfi_graph_check_values(graph, &value, 1, name))
        return;
    if (vfi_graph_lies_in_state(graph, value)) /* outputs lie in the stage's memory */
        output.value = vfi_graph_add_copy(graph, value, name);
    g_array_append_val(graph->outputs, output);
}
