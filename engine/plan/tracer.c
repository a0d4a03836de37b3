/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes down what the planner does, for people who look into a plan (trace.h). */
#include "plan/tracer.h"

#include <string.h>

/* ---- passes ------------------------------------------------------------------------ */

static void count_values(const VfiPlanner *planner, int64_t *counts)
{
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        if (!item->use.alive)
            continue;
        bool is_op = item->node.kind == VFI_NODE_OP;
        counts[VFI_PLAN_COUNT_OPS] += is_op;
        counts[VFI_PLAN_COUNT_PARTIAL_SUMS] += is_op && item->split.is_partial;
        counts[VFI_PLAN_COUNT_KEPT] +=
            item->output.pinned && !vfi_plan_writes_state(item);
        counts[VFI_PLAN_COUNT_STATES] += vfi_plan_writes_state(item);
        counts[VFI_PLAN_COUNT_BLOCKED] += item->layout.block > 1;
        counts[VFI_PLAN_COUNT_HALF] += item->node.half;
        counts[VFI_PLAN_COUNT_JOINED] += item->join.joined;
        counts[VFI_PLAN_COUNT_PIECES] += item->join.is_piece;
        counts[VFI_PLAN_COUNT_CHEAP] += item->rematerialise.cost > 0;
        counts[VFI_PLAN_COUNT_VIEWS] += item->view.host != VFI_NO_VALUE;
        counts[VFI_PLAN_COUNT_IN_ROWS] += item->rows.is_local;
    }
}

static void count_all(const VfiPlanner *planner, int64_t *counts)
{
    int region = planner->output_region;

    memset(counts, 0, VFI_PLAN_COUNT_KINDS * sizeof *counts);
    count_values(planner, counts);
    counts[VFI_PLAN_COUNT_STEPS] = planner->steps->len;
    for (guint i = 0; i < planner->steps->len; i++) {
        const VfiPlanStep *step = &g_array_index(planner->steps, VfiPlanStep, i);
        counts[VFI_PLAN_COUNT_COPIES] += step->copy_of != VFI_NO_VALUE;
        counts[VFI_PLAN_COUNT_GROUPED_STEPS] += step->group != VFI_PLAN_NO_GROUP;
    }
    counts[VFI_PLAN_COUNT_ROW_GROUPS] = planner->groups->len;
    for (guint i = 0; i < planner->groups->len; i++)
        counts[VFI_PLAN_COUNT_ROW_PLANES] +=
            g_array_index(planner->groups, VfiPlanRowGroup, i).n_planes;
    counts[VFI_PLAN_COUNT_OUTPUT_BYTES] =
        (int64_t)(region == VFI_REGION_PAIR       ? planner->pair_bytes
                  : region == VFI_REGION_CONSTANT ? planner->constant_bytes
                  : region == VFI_REGION_FRAME0   ? planner->frame_bytes
                                                  : 0);
    counts[VFI_PLAN_COUNT_STATE_BYTES] = (int64_t)planner->state_bytes;
    counts[VFI_PLAN_COUNT_ARENA_BYTES] = (int64_t)planner->arena_bytes;
}

void vfi_plan_trace_pass(VfiPlanTrace *trace, const char *name, bool ran,
                         const VfiPlanner *planner)
{
    VfiPlanPassTrace entry = {.name = name, .ran = ran};
    int64_t counts[VFI_PLAN_COUNT_KINDS];

    count_all(planner, counts);
    for (int i = 0; i < VFI_PLAN_COUNT_KINDS; i++)
        entry.change[i] = counts[i] - trace->counts[i];
    memcpy(trace->counts, counts, sizeof counts);
    g_array_append_val(trace->passes, entry);
}

/* ---- memory ------------------------------------------------------------------------ */

static void trace_tenants(VfiPlanTrace *trace, const VfiPlanner *planner)
{
    size_t n_segments = planner->graph->segments->len;
    size_t n_spans = (size_t)planner->n_items * n_segments;

    trace->spans = g_memdup2(planner->spans, n_spans * sizeof *trace->spans);
    for (int i = 0; i < planner->n_items; i++) {
        const VfiPlanItem *item = &planner->items[i];
        if (item->memory.bytes == 0) /* not in the arena, or not on its own */
            continue;
        VfiPlanTenant tenant = {
            .name = item->node.kind == VFI_NODE_CONCAT
                        ? "concat"
                        : g_string_chunk_insert_const(trace->names, item->node.op.name),
            .offset = item->memory.place,
            .bytes = item->memory.bytes,
            .spans = &trace->spans[item->memory.spans - planner->spans],
        };
        g_array_append_val(trace->tenants, tenant);
    }
}

/* ---- who reads what ---------------------------------------------------------------- */

/* Bytes for "state" and a number. */
#define STATE_NAME 24

typedef struct {
    VfiPlanTrace *trace;
    VfiPlanner *planner;
    VfiPlanEdge edge; /* .op and .source of those that are being added */
} Tracer;

static const VfiPlanStep *step_at(const Tracer *tracer, int index)
{
    return &g_array_index(tracer->planner->steps, VfiPlanStep, index);
}

/* The last step before the edge's op that computes @value, or copies @copy_of there; or
 * -1. Only steps of segments that lead to the op's count. */
static int find_step(const Tracer *tracer, VfiValue value, VfiValue copy_of)
{
    int segment = step_at(tracer, tracer->edge.op)->segment;

    for (int i = tracer->edge.op - 1; i >= 0; i--) {
        const VfiPlanStep *step = step_at(tracer, i);
        if (step->value == value && step->copy_of == copy_of &&
            vfi_graph_segment_sees(tracer->planner->graph, segment, step->segment))
            return i;
    }
    return -1;
}

/* The name under which the input was declared; "image" for the prepared image, "state"
 * and its number for a state. */
static const char *input_name(const VfiGraph *graph, const VfiNode *node,
                              char state[STATE_NAME])
{
    VfiRegion region =
        node->input.region < VFI_REGION_PAIR ? VFI_REGION_FRAME0 : node->input.region;

    if (node->input.region == VFI_REGION_STATE) {
        g_snprintf(state, STATE_NAME, "state%d", node->input.state);
        return state;
    }
    for (guint i = 0; i < graph->inputs->len; i++) {
        const VfiGraphInput *input = &g_array_index(graph->inputs, VfiGraphInput, i);
        if (input->operand.region == region &&
            input->operand.offset == node->input.offset)
            return input->name;
    }
    return "image";
}

static int add_input(Tracer *tracer, const VfiNode *node)
{
    GArray *inputs = tracer->trace->inputs;
    char state[STATE_NAME];
    const char *name = input_name(tracer->planner->graph, node, state);

    for (guint i = 0; i < inputs->len; i++) {
        const VfiPlanInput *input = &g_array_index(inputs, VfiPlanInput, i);
        if (input->region == node->input.region && input->offset == node->input.offset)
            return (int)i;
    }
    VfiPlanInput input = {.name = g_string_chunk_insert_const(tracer->trace->names, name),
                          .region = node->input.region,
                          .offset = node->input.offset};
    g_array_append_val(inputs, input);
    return (int)inputs->len - 1;
}

static void add_edge(Tracer *tracer, int from_op, int from_input)
{
    tracer->edge.from_op = from_op;
    tracer->edge.from_input = from_input;
    g_array_append_val(tracer->trace->edges, tracer->edge);
}

/* Adds an edge from every step and input that @value is made of. */
static void add_edges(Tracer *tracer, VfiValue value)
{
    const VfiNode *node = &tracer->planner->items[value].node;

    switch (node->kind) {
    case VFI_NODE_INPUT:
        add_edge(tracer, -1, add_input(tracer, node));
        break;
    case VFI_NODE_OP:
        add_edge(tracer, find_step(tracer, value, VFI_NO_VALUE), -1);
        break;
    case VFI_NODE_SLICE:
        add_edges(tracer, node->source[0]);
        break;
    case VFI_NODE_CONCAT:
        for (int i = 0; i < vfi_plan_n_sources(node); i++) {
            VfiValue part = vfi_plan_source(node, i);
            int copy = find_step(tracer, value, part);
            if (copy >= 0)
                add_edge(tracer, copy, -1);
            else
                add_edges(tracer, part);
        }
        break;
    }
}

void vfi_plan_trace_result(VfiPlanTrace *trace, VfiPlanner *planner)
{
    Tracer tracer = {.trace = trace, .planner = planner};

    trace_tenants(trace, planner);
    for (int i = 0; i < (int)planner->steps->len; i++) {
        const VfiPlanStep *step = step_at(&tracer, i);
        const VfiNode *node = &planner->items[step->value].node;
        bool is_copy = step->copy_of != VFI_NO_VALUE;
        tracer.edge.op = i;
        for (int s = 0; s < (is_copy ? 1 : node->n_sources); s++) {
            tracer.edge.source = s;
            add_edges(&tracer, is_copy ? step->copy_of : node->source[s]);
        }
    }
}
