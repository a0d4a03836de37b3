/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The planner's working state, shared by its passes (plan.c, fuse.c, split.c,
 * half.c, layout.c, join.c, replace.c, rows.c, arena.c). */
#pragma once

#include "base/alloc.h"
#include "graph/nodes.h"
#include "op/descriptor.h"
#include "plan/plan.h"
#include "plan/trace.h"

/* Most values that a layout pass adds before one op: its sources and its result. */
#define VFI_PLAN_MAX_COPIES (VFI_OP_MAX_SOURCES + 1)

/* Working state about one node. */
typedef struct {
    VfiNode node; /* copy; fusing rewrites it */
    bool alive;
    bool pinned;  /* laid out on its own in the region of the stage's outputs */
    bool in_rows; /* roots only: seen by row groups alone, which keep a band of it */
    int rematerialise_cost; /* with row groups: > 0 if each group may compute it for itself */
    int n_uses;             /* by alive nodes and outputs */
    VfiValue host; /* the value whose memory this one is a part of, or VFI_NO_VALUE */
    size_t host_offset;                   /* bytes into the host */
    VfiPlanSpan *spans;                   /* lifetime, one a segment; roots only */
    size_t bytes;                         /* roots only */
    int life;                             /* steps between its first and its last use */
    size_t place;                         /* offset in its region; roots only */
    int block;                            /* channels of a block; 0: planar */
    VfiValue before[VFI_PLAN_MAX_COPIES]; /* values computed right before this one */
    int n_before;
    VfiValue after;   /* a value computed right after this one, or VFI_NO_VALUE */
    VfiValue kept_as; /* the output that this one is narrowed to, or VFI_NO_VALUE */
    bool is_partial;  /* a sum that the one convolution which reads it may overwrite */
    bool joined;      /* a concat that convolutions alone read, channels last */
    bool is_piece;    /* a part of such a one that a row group writes there */
    bool followed;    /* a part that lies in such a one before others */
    bool loose;       /* a slice whose readers take it at any channel */
} VfiPlanItem;

/* An op to emit: node @value computed, or @copy_of copied into concat @value at @offset.
 * A node may be computed by several steps, each in a row group of its own. */
typedef struct {
    VfiValue value;
    VfiValue copy_of;
    size_t offset;
    bool followed; /* the copy, by another part of a joined concat */
    int segment;
    int group; /* row group or VFI_PLAN_NO_GROUP */
} VfiPlanStep;

#define VFI_PLAN_NO_GROUP (-1)

/* Steps that run band by band, and the planes of what only they see. */
typedef struct {
    int first_step, n_steps;
    int h, w;
    int n_planes;
    GArray *locals; /* of rows.c */
} VfiPlanRowGroup;

typedef struct {
    const VfiGraph *graph;
    VfiPlanItem *items;
    int n_items;
    GArray *steps;           /* of VfiPlanStep */
    int *segment_end;        /* per segment: one past its last step */
    GArray *groups;          /* of VfiPlanRowGroup */
    VfiRegion output_region; /* not the arena: outputs are pinned there */
    VfiPlanSpan *spans;      /* room for the lifetimes of all items, one a segment */
    GPtrArray *own_parts;    /* of GArray: parts of concats that fusing rewrote */
    VfiPlanTarget target;    /* zeros: planes only */
    size_t frame_bytes, pair_bytes, arena_bytes; /* of the regions, as in VfiPlan */
    VfiPlan *plan;                               /* the result */
    GError *error;                               /* the first one; passes go on */
} VfiPlanner;

/* The value whose memory @value lies in, and where; @offset may be NULL. */
static inline VfiPlanItem *vfi_plan_root(VfiPlanner *planner, VfiValue value,
                                         size_t *offset)
{
    size_t sum = 0;
    VfiPlanItem *item = &planner->items[value];

    while (item->host != VFI_NO_VALUE) {
        sum += item->host_offset;
        item = &planner->items[item->host];
    }
    if (offset != NULL)
        *offset = sum;
    return item;
}

/* What a node is made from: a concat's parts, or an op's or a slice's sources. */
static inline int vfi_plan_n_sources(const VfiNode *node)
{
    return node->kind == VFI_NODE_CONCAT ? (int)node->parts->len : node->n_sources;
}

static inline VfiValue vfi_plan_source(const VfiNode *node, int i)
{
    return node->kind == VFI_NODE_CONCAT ? g_array_index(node->parts, VfiValue, i)
                                         : node->source[i];
}

static inline bool vfi_plan_is_conv(const VfiPlanItem *item)
{
    return item->node.kind == VFI_NODE_OP && vfi_op_is_conv(&item->node.op);
}

/* Whether the graph names @value as an output. */
bool vfi_plan_is_output(const VfiPlanner *planner, VfiValue value);

static inline size_t vfi_plan_align(size_t bytes)
{
    return vfi_align_up(bytes, VFI_ALIGNMENT);
}

/* The op of a node of that kind with the shapes that descriptors ask for. */
static inline VfiOp vfi_plan_shaped_op(const VfiPlanner *planner, const VfiNode *node)
{
    VfiOp op = node->op;

    op.n_src = node->n_sources;
    for (int s = 0; s < op.n_src; s++)
        op.src[s].shape = planner->items[node->source[s]].node.shape;
    op.dst.shape = node->shape;
    return op;
}

/* Bytes of a value of its own; sets the planner's error on overflow. */
size_t vfi_plan_value_bytes(VfiPlanner *planner, const VfiPlanItem *item);

/* ---- passes, in the order of the table in passes.c ------------------------------------- */

/* Finds what outputs and scalars depend on, and counts uses. */
void vfi_plan_mark_alive(VfiPlanner *planner);

/* Fuses activations and residuals into convolutions. */
void vfi_plan_fuse(VfiPlanner *planner);

/* A copy of @like without memory, a place among the steps, or readers. */
VfiValue vfi_plan_add_value(VfiPlanner *planner, VfiValue like);

/* Has @added computed after @value and what was to come after it already. */
void vfi_plan_compute_after(VfiPlanner *planner, VfiValue value, VfiValue added);

/* Turns convolutions over large concats into sums of convolutions over their parts. */
void vfi_plan_split_convs(VfiPlanner *planner);

/* Frame and pair stage: outputs get memory of their own. */
void vfi_plan_pin_outputs(VfiPlanner *planner);

/* Values that vfi_plan_split_convs() may add. */
int vfi_plan_most_splits(const VfiGraph *graph);

/* What is kept in f16 (half.c): outputs that are pinned, inputs that are so. */
void vfi_plan_narrow_outputs(VfiPlanner *planner);
void vfi_plan_widen_inputs(VfiPlanner *planner);
/* Shuffled f16 stays f16 where row groups alone read it. */
void vfi_plan_narrow_shuffles(VfiPlanner *planner);

/* The value that stands for the output @value. */
static inline VfiValue vfi_plan_kept_output(const VfiPlanner *planner, VfiValue value)
{
    VfiValue kept_as = planner->items[value].kept_as;

    return kept_as != VFI_NO_VALUE ? kept_as : value;
}

/* Lets such sums add up in one place, once layouts are known. */
void vfi_plan_share_sums(VfiPlanner *planner);

/* Makes slices and parts of concats views, and lists the steps in order. */
void vfi_plan_place_views(VfiPlanner *planner);

/* Whatever is channels last is f16, if the target wants it so. */
void vfi_plan_mark_halves(VfiPlanner *planner);

/* Chooses which values are kept in channel blocks, and adds copies from one layout to the
 * other where an op gains from blocks that its neighbours cannot have. */
void vfi_plan_choose_layouts(VfiPlanner *planner);

/* Channels last (join.c): finds concats that convolutions alone read; once layouts are
 * chosen, which of their parts are written into them by whoever computes them; and whether
 * that has @part, in a layout of its own, lie in such a concat from channel @first on. */
void vfi_plan_find_joins(VfiPlanner *planner);
void vfi_plan_join_parts(VfiPlanner *planner);
bool vfi_plan_is_view_of_join(const VfiPlanner *planner, VfiValue part, int first,
                              bool is_last);

/* Whether @value is such a slice that begins at no whole block, so that a convolution reads a
 * copy of it. One that ends at none is read as it is: behind it are other channels of the same
 * value, which the zeros that pad weights take no part of. */
bool vfi_plan_begins_within_block(const VfiPlanner *planner, VfiValue value);

/* The size of the pictures on which @value, an op's result, is computed row by row; 0×0 if it
 * is not. */
VfiShape vfi_plan_picture(const VfiPlanner *planner, VfiValue value);

/* Whether the part that replaces channels of @value, which is computed in @concat's place, may
 * be written over them by whoever computes it. */
bool vfi_plan_may_replace(const VfiPlanner *planner, VfiValue part, VfiValue concat,
                          VfiValue value);

/* The part of @concat, by its index, that is a slice of a value which may be computed in the
 * concatenation's place, so that only the other parts are copied over it; or -1. */
int vfi_plan_kept_part(const VfiPlanner *planner, VfiValue concat);

/* Sets rematerialise_cost of all items. */
void vfi_plan_find_cheap_values(VfiPlanner *planner);

/* Brings steps that can run row by row together in row groups, computes cheap values anew in
 * the groups that read them, and marks what no memory has to be kept for. */
void vfi_plan_group_rows(VfiPlanner *planner);

/* Offset in VFI_REGION_ROWS of a root that is in_rows, as @group sees it. */
size_t vfi_plan_rows_place(const VfiPlanner *planner, int group, const VfiPlanItem *root);

/* Gives the planes of what only one group sees their places. */
void vfi_plan_lay_out_rows(VfiPlanner *planner);

/* Finds during which steps each value must be kept. */
void vfi_plan_compute_lifetimes(VfiPlanner *planner);

/* Places pinned outputs one after the other in their region. */
void vfi_plan_lay_out_outputs(VfiPlanner *planner);

/* Places all other values that need memory of their own. */
void vfi_plan_lay_out_arena(VfiPlanner *planner);

/* Copies the findings into planner->plan, if there is no error. */
void vfi_plan_emit(VfiPlanner *planner);

void vfi_plan_groups_clear(VfiPlanner *planner);
