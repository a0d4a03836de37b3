/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the plan, and the builders of ops, see of a graph. */
#pragma once

#include "graph/graph.h"

typedef enum {
    VFI_NODE_INPUT,  /* lies in a region other than the arena */
    VFI_NODE_OP,     /* computed by .op */
    VFI_NODE_CONCAT, /* .parts one after the other */
    VFI_NODE_SLICE,  /* channels of .source from .first */
} VfiNodeKind;

typedef struct {
    VfiNodeKind kind;
    VfiShape shape;
    int segment;
    VfiOp op; /* OP: params and name; operands are not placed */
    VfiValue source[VFI_OP_MAX_SOURCES]; /* OP; SLICE uses the first */
    int n_sources;
    GArray *parts;    /* CONCAT: of VfiValue, owned */
    int first;        /* SLICE: first channel */
    VfiRegion region; /* INPUT */
    size_t offset;    /* INPUT: bytes */
    int block;        /* INPUT: channels of a block, see VfiOperand */
    bool half;        /* INPUT, or what the planner makes of an output: f16 */
} VfiNode;

typedef struct {
    int segment;
    const char *name;
    VfiValue value;
} VfiGraphOutput;

/* What an earlier stage left. */
typedef struct {
    const char *name;
    VfiOperand operand; /* of a feature: for frame 0 */
} VfiGraphInput;

struct VfiGraph {
    const VfiWeights *weights;
    int width, height;
    GArray *nodes;    /* of VfiNode, in the order they were built: a topological order */
    GArray *segments; /* of int: the segment that each follows, -1 for the first */
    GArray *inputs;   /* of VfiGraphInput: declared ones, whether they are read or not */
    GArray *outputs;  /* of VfiGraphOutput */
    int n_scalars;
    bool tolerates_bf16; /* of convolutions to come */
    VfiTally *tally;     /* or NULL: what is wrong with tensors is an error */
    GStringChunk *keys;  /* names that were put together, and inputs' */
    GError *error;
};

static inline VfiNode *vfi_graph_node(const VfiGraph *graph, VfiValue value)
{
    return &g_array_index(graph->nodes, VfiNode, value);
}

/* Whether segment @later is @earlier or follows it, directly or not. */
static inline bool vfi_graph_segment_sees(const VfiGraph *graph, int later, int earlier)
{
    while (later != earlier && later >= 0)
        later = g_array_index(graph->segments, int, later);
    return later == earlier;
}

/* For the builders of ops (build_ops.c). */

/* Whether values exist and are visible in the current segment; records the error if not. */
bool vfi_graph_check_values(VfiGraph *graph, const VfiValue *values, int n,
                            const char *what);

/* Adds @node to the current segment. */
VfiValue vfi_graph_add_node(VfiGraph *graph, VfiNode node);

/* The tensor @key.@suffix, of exactly that shape. NULL where it is not, which is recorded. */
const float *vfi_graph_find_weight(VfiGraph *graph, const char *key, const char *suffix,
                                   const int64_t *shape, int n_dims);
