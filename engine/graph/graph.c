/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Graphs: nodes, segments, what comes in and goes out, weights. */
#include "graph/nodes.h"

#include <vfi/error.h>

VfiGraph *vfi_graph_new(const VfiWeights *weights, int width, int height)
{
    VfiGraph *graph = g_new0(VfiGraph, 1);
    int none = -1;

    graph->weights = weights;
    graph->width = width;
    graph->height = height;
    graph->nodes = g_array_new(FALSE, TRUE, sizeof(VfiNode));
    graph->segments = g_array_new(FALSE, FALSE, sizeof(int));
    graph->loop = none;
    graph->states = g_array_new(FALSE, FALSE, sizeof(VfiGraphState));
    graph->inputs = g_array_new(FALSE, FALSE, sizeof(VfiGraphInput));
    graph->outputs = g_array_new(FALSE, FALSE, sizeof(VfiGraphOutput));
    graph->keys = g_string_chunk_new(4096);
    g_array_append_val(graph->segments, none);
    return graph;
}

void vfi_graph_free(VfiGraph *graph)
{
    if (graph == NULL)
        return;
    for (guint i = 0; i < graph->nodes->len; i++)
        g_clear_pointer(&g_array_index(graph->nodes, VfiNode, i).parts, g_array_unref);
    g_array_unref(graph->nodes);
    g_array_unref(graph->segments);
    g_array_unref(graph->states);
    g_array_unref(graph->inputs);
    g_array_unref(graph->outputs);
    g_string_chunk_free(graph->keys);
    g_clear_error(&graph->error);
    g_free(graph);
}

const GError *vfi_graph_error(const VfiGraph *graph)
{
    return graph->error;
}

void vfi_graph_fail(VfiGraph *graph, const char *format, ...)
{
    va_list arguments;

    if (graph->error != NULL)
        return;
    va_start(arguments, format);
    graph->error =
        g_error_new_valist(VFI_ERROR, VFI_ERROR_UNSUPPORTED, format, arguments);
    va_end(arguments);
}

const char *vfi_graph_key(VfiGraph *graph, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return g_string_chunk_insert_const(graph->keys, text);
}

VfiShape vfi_graph_shape(const VfiGraph *graph, VfiValue value)
{
    return value == VFI_NO_VALUE ? (VfiShape){0} : vfi_graph_node(graph, value)->shape;
}

int vfi_graph_segment(VfiGraph *graph, int follows)
{
    g_array_append_val(graph->segments, follows);
    return vfi_graph_current_segment(graph);
}

/* Whether @value, which segment @segment computes, is visible in the current one. */
static bool check_segment(VfiGraph *graph, VfiValue value, int segment, int operand,
                          const char *what)
{
    int current = vfi_graph_current_segment(graph);

    if (!vfi_graph_segment_sees(graph, current, segment)) {
        vfi_graph_fail(graph, "%s: operand %d belongs to segment %d, not visible in %d",
                       what, operand, segment, current);
        return false;
    }
    if (segment == graph->loop && segment != current &&
        vfi_graph_lies_in_state(graph, value)) {
        vfi_graph_fail(graph,
                       "%s: operand %d is a state as a round of the loop, segment %d, "
                       "found it, which is gone in segment %d: ask for the state there",
                       what, operand, segment, current);
        return false;
    }
    return true;
}

bool vfi_graph_check_values(VfiGraph *graph, const VfiValue *values, int n,
                            const char *what)
{
    if (graph->error != NULL)
        return false;
    for (int i = 0; i < n; i++) {
        if (values[i] < 0 || values[i] >= (int)graph->nodes->len) {
            vfi_graph_fail(graph, "%s: operand %d is not a value of this graph", what, i);
            return false;
        }
        if (!check_segment(graph, values[i], vfi_graph_node(graph, values[i])->segment, i,
                           what))
            return false;
    }
    return true;
}

VfiValue vfi_graph_add_node(VfiGraph *graph, VfiNode node)
{
    node.segment = vfi_graph_current_segment(graph);
    g_array_append_val(graph->nodes, node);
    return (VfiValue)graph->nodes->len - 1;
}

void vfi_tally_init(VfiTally *tally)
{
    *tally =
        (VfiTally){.asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
}

void vfi_tally_clear(VfiTally *tally)
{
    g_clear_pointer(&tally->asked, g_hash_table_unref);
    g_clear_pointer(&tally->first, g_free);
}

void vfi_graph_set_tally(VfiGraph *graph, VfiTally *tally)
{
    graph->tally = tally;
}

/* What is wrong with @weight as tensor @name of that shape; NULL: nothing. */
static char *judge_weight(const VfiWeight *weight, const char *name, const int64_t *shape,
                          int n_dims)
{
    bool same = weight != NULL && weight->n_dims == n_dims;

    for (int i = 0; same && i < n_dims; i++)
        same = weight->shape[i] == shape[i];
    g_autofree char *expected = vfi_shape_to_string(shape, n_dims);
    if (same && weight->n_elements == 0)
        return g_strdup_printf("tensor \"%s\" (%s) is empty: a network without channels",
                               name, expected);
    if (same)
        return NULL;
    if (weight == NULL)
        return g_strdup_printf("tensor \"%s\" (%s) is missing from the checkpoint", name,
                               expected);
    g_autofree char *found = vfi_shape_to_string(weight->shape, weight->n_dims);
    return g_strdup_printf("tensor \"%s\" should be %s, but the checkpoint has %s", name,
                           expected, found);
}

const float *vfi_graph_find_weight(VfiGraph *graph, const char *key, const char *suffix,
                                   const int64_t *shape, int n_dims)
{
    static const float nothing; /* stands for weights that nobody reads */
    const char *name = vfi_graph_key(graph, "%s.%s", key, suffix);
    const VfiWeight *weight = vfi_weights_find(graph->weights, name);
    g_autofree char *wrong = judge_weight(weight, name, shape, n_dims);

    if (graph->tally != NULL) {
        if (g_hash_table_add(graph->tally->asked, g_strdup(name)) && wrong == NULL)
            graph->tally->found++;
        if (graph->tally->first == NULL)
            graph->tally->first = g_steal_pointer(&wrong);
        return &nothing;
    }
    if (wrong != NULL)
        vfi_graph_fail(graph, "%s", wrong);
    return wrong == NULL ? weight->data : NULL;
}

bool vfi_graph_require(VfiGraph *graph, const char *key, const char *suffix,
                       const int64_t *shape, int n_dims)
{
    return graph->error == NULL &&
           vfi_graph_find_weight(graph, key, suffix, shape, n_dims) != NULL;
}

int vfi_graph_weight_dimension(const VfiGraph *graph, const char *name, int dim)
{
    const VfiWeight *weight = vfi_weights_find(graph->weights, name);

    return weight != NULL && weight->n_dims > dim && weight->shape[dim] <= G_MAXINT
               ? (int)weight->shape[dim]
               : 0;
}

void vfi_graph_tolerate_bf16(VfiGraph *graph, bool tolerates)
{
    graph->tolerates_bf16 = tolerates;
}
