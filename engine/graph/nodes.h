/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A graph from inside: what the planner reads and the builders of ops write. Models see
 * graph.h alone. */
#pragma once

#include "graph/graph.h"

typedef enum {
    VFI_NODE_INPUT,  /* an image, what an earlier stage computed, or a state */
    VFI_NODE_OP,     /* computed by .op from .source */
    VFI_NODE_CONCAT, /* .parts, one after the other */
    VFI_NODE_SLICE,  /* channels of .source[0] */
} VfiNodeKind;

/* A node is one value; its VfiValue is its index in the graph. */
typedef struct {
    VfiNodeKind kind;
    VfiShape shape;
    int segment;
    bool half; /* f16: an input, or what the planner stores so; graphs compute with f32 */

    VfiOp op; /* OP: kind, parameters and name; operands have no places yet */
    VfiValue source[VFI_OP_MAX_SOURCES]; /* OP, SLICE */
    int n_sources;
    GArray *parts; /* CONCAT: of VfiValue, owned */
    int first;     /* SLICE: the first of the channels */
    struct {
        VfiRegion region;
        size_t offset;  /* bytes from the start of the region; a state's: the planner's */
        int block;      /* its layout, see VfiOperand */
        VfiState state; /* VFI_REGION_STATE: which one */
    } input;            /* INPUT */
} VfiNode;

/* What vfi_graph_output() named. */
typedef struct {
    int segment;
    const char *name;
    VfiValue value;
} VfiGraphOutput;

/* What vfi_graph_new_state() made. */
typedef struct {
    VfiShape shape;
    int segment;      /* the one before the loop */
    VfiValue initial; /* the COPY that gives it its first value */
    VfiValue next;    /* the COPY that updates it; VFI_NO_VALUE until there is one */
} VfiGraphState;

/* What vfi_graph_declare_input() declared. */
typedef struct {
    const char *name;
    VfiOperand operand; /* of a feature: for frame 0 */
} VfiGraphInput;

struct VfiGraph {
    const VfiWeights *weights; /* or NULL */
    int width, height;
    GArray *nodes;    /* of VfiNode, in the order they were built: a topological order */
    GArray *segments; /* of int: the segment that each follows, -1 for the first */
    int loop;         /* the segment that runs .rounds times; -1: none */
    int rounds;
    GArray *states;  /* of VfiGraphState, by VfiState */
    GArray *inputs;  /* of VfiGraphInput, whether they are read or not */
    GArray *outputs; /* of VfiGraphOutput */
    int n_scalars;
    int n_noises;
    bool tolerates_bf16; /* what vfi_graph_tolerate_bf16() set last */
    VfiTally *tally;     /* NULL: a missing tensor is an error */
    GStringChunk *keys;  /* keys that were put together, and inputs' names */
    GError *error;       /* the first one */
};

static inline const VfiNode *vfi_graph_node(const VfiGraph *graph, VfiValue value)
{
    return &g_array_index(graph->nodes, VfiNode, value);
}

/* The segment that new nodes belong to. */
static inline int vfi_graph_current_segment(const VfiGraph *graph)
{
    return (int)graph->segments->len - 1;
}

/* Whether segment @later is @earlier or follows it, directly or not. */
static inline bool vfi_graph_segment_sees(const VfiGraph *graph, int later, int earlier)
{
    while (later != earlier && later >= 0)
        later = g_array_index(graph->segments, int, later);
    return later == earlier;
}

static inline VfiGraphState *vfi_graph_state_at(const VfiGraph *graph, VfiState state)
{
    return &g_array_index(graph->states, VfiGraphState, state);
}

/* Whether @value is a state, or channels of one. */
static inline bool vfi_graph_lies_in_state(const VfiGraph *graph, VfiValue value)
{
    const VfiNode *node = vfi_graph_node(graph, value);

    while (node->kind == VFI_NODE_SLICE)
        node = vfi_graph_node(graph, node->source[0]);
    return node->kind == VFI_NODE_INPUT && node->input.region == VFI_REGION_STATE;
}

/* For the builders of ops and loops (build_*.c, loop.c). */

/* Whether values exist and are visible in the current segment; records the error if
 * not. */
bool vfi_graph_check_values(VfiGraph *graph, const VfiValue *values, int n,
                            const char *what);

/* Gives @op the shapes of its sources and infers that of its result; false once the graph
 * has an error. */
bool vfi_graph_infer(VfiGraph *graph, VfiOp *op, const VfiValue *sources, int n);

/* Adds @op, whose kind, parameters and name are set. Without a name it has its kind's. */
VfiValue vfi_graph_add_op(VfiGraph *graph, VfiOp op, const VfiValue *sources, int n);

/* Adds @node to the current segment. */
VfiValue vfi_graph_add_node(VfiGraph *graph, VfiNode node);

/* Adds a copy of @value, which is visible, to the current segment. */
VfiValue vfi_graph_add_copy(VfiGraph *graph, VfiValue value, const char *name);

/* The tensor @key.@suffix, of exactly that shape. NULL where it is not, which is
 * recorded. */
const float *vfi_graph_find_weight(VfiGraph *graph, const char *key, const char *suffix,
                                   const int64_t *shape, int n_dims);
