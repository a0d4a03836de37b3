/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The planner's working state, which its passes (passes.c) complete one after the other.
 * For files of this folder alone; plan.h is what others see. */
#pragma once

#include "base/alloc.h"
#include "graph/nodes.h"
#include "op/descriptor.h"
#include "plan/plan.h"
#include "plan/trace.h"

/* Most values that choose-layouts adds before one op: its sources and its result. */
#define VFI_PLAN_MAX_COPIES (VFI_OP_MAX_SOURCES + 1)

/* What the planner knows of a value: a node of the graph, or one that a pass has added.
 * Grouped by the passes that find it out; later passes read it. */
typedef struct {
    /* At first the graph's node. Rewritten by fuse, split-convs, choose-layouts,
     * join-parts; .half is set by the passes for f16 (half.c). */
    VfiNode node;

    /* mark-alive; passes that add or drop values keep it true. */
    struct {
        bool alive; /* something needs it; no pass looks at others */
        int n;      /* how often it is read; being an output counts as once */
    } use;

    /* Passes that add values; place-views puts them in their places. */
    struct {
        VfiValue before[VFI_PLAN_MAX_COPIES]; /* values computed right before this one */
        int n_before;
        VfiValue after; /* the value computed right after this one, or VFI_NO_VALUE */
    } order;

    /* split-convs, for share-sums. */
    struct {
        bool is_partial; /* a sum that the one convolution which reads it may overwrite */
    } split;

    /* pin-outputs, pin-states and narrow-outputs. */
    struct {
        bool pinned;      /* gets a place of its own in .region */
        VfiRegion region; /* that of the stage's outputs, or VFI_REGION_NEXT_STATE */
        VfiValue kept_as; /* the output that this one is narrowed to, or VFI_NO_VALUE */
    } output;

    /* choose-layouts and join-parts. */
    struct {
        int block; /* 0: planar; else NCHWc or channels last, in the target's blocks */
    } layout;

    /* find-joins and join-parts, where channels are last (join.c). */
    struct {
        bool joined;   /* a concat that convolutions alone read */
        bool is_piece; /* a part that a row group writes into a joined concat */
        bool loose;    /* a slice whose readers take it at any channel */
    } join;

    /* find-cheap-values, for place-views and group-rows. */
    struct {
        int cost; /* enlargements that it takes to compute it; 0: it is not cheap */
    } rematerialise;

    /* share-sums, work-in-place and place-views. A value without a host is a root: it has
     * memory of its own. */
    struct {
        VfiValue host; /* the value whose memory this one is a part of, or VFI_NO_VALUE */
        size_t offset; /* bytes into the host */
        bool followed; /* lies in a joined concat before other parts of it */
    } view;

    /* group-rows; of roots. */
    struct {
        bool is_local; /* row groups alone see it, and keep a band of it at a time */
    } rows;

    /* pin-states, compute-lifetimes, lay-out-outputs and lay-out-arena; of roots. */
    struct {
        VfiPlanSpan *spans; /* during which it is kept, one per segment */
        int life;           /* steps that these have together */
        size_t bytes;       /* in the arena */
        size_t place;       /* offset in its region */
    } memory;
} VfiPlanItem;

/* An op to emit: node @value computed, or @copy_of copied into concat @value at @offset.
 * A node may be computed by several steps, each in a row group of its own. */
typedef struct {
    VfiValue value;
    VfiValue copy_of; /* VFI_NO_VALUE: @value is computed */
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
    GArray *locals; /* of row_planes.c; NULL until lay-out-rows */
} VfiPlanRowGroup;

typedef struct {
    const VfiGraph *graph;
    VfiPlanTarget target;    /* zeros: planes only */
    VfiRegion output_region; /* not the arena: outputs are pinned there */

    VfiPlanItem *items; /* by VfiValue: the graph's nodes, then what passes added */
    int n_items;
    VfiPlanSpan *spans;   /* room for the lifetimes of all items */
    GPtrArray *own_parts; /* of GArray: parts of concats that passes rewrote */

    GArray *steps;    /* of VfiPlanStep, in order; from place-views on */
    int *segment_end; /* per segment: one past its last step */
    GArray *groups;   /* of VfiPlanRowGroup; from group-rows on */

    size_t frame_bytes, pair_bytes, constant_bytes; /* of the regions, as in VfiPlan */
    size_t state_bytes, arena_bytes;
    VfiPlan *plan; /* the result */
    GError *error; /* the first one; passes go on */
} VfiPlanner;

/* Wants .graph; makes room for all values that passes may add. */
void vfi_planner_init(VfiPlanner *planner);
void vfi_planner_clear(VfiPlanner *planner);

/* ---- values ------------------------------------------------------------------------ */

static inline VfiShape vfi_plan_shape(const VfiPlanner *planner, VfiValue value)
{
    return planner->items[value].node.shape;
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

/* Of an op's node. */
static inline const VfiOpDescriptor *vfi_plan_descriptor(const VfiPlanItem *item)
{
    return vfi_op_descriptor(item->node.op.kind);
}

/* Whether @item is written where the next round of a loop finds it. */
static inline bool vfi_plan_writes_state(const VfiPlanItem *item)
{
    return item->output.pinned && item->output.region == VFI_REGION_NEXT_STATE;
}

/* Whether an op reads its source @i in any layout that the target has, and writes
 * planes. */
static inline bool vfi_plan_takes_any_layout(const VfiPlanner *planner,
                                             const VfiPlanItem *item, int i)
{
    const VfiOpDescriptor *descriptor = vfi_plan_descriptor(item);
    unsigned blocked =
        planner->target.channels_last ? VFI_LAYOUT_CHANNELS_LAST : VFI_LAYOUT_BLOCKS;

    return (descriptor->source[i].layouts & blocked) != 0 &&
           (descriptor->result & (blocked | VFI_LAYOUT_LIKE_SOURCE)) == 0;
}

/* Whether the graph names @value as an output. */
bool vfi_plan_is_output(const VfiPlanner *planner, VfiValue value);

/* The value that stands for the output @value. */
static inline VfiValue vfi_plan_kept_output(const VfiPlanner *planner, VfiValue value)
{
    VfiValue kept_as = planner->items[value].output.kept_as;

    return kept_as != VFI_NO_VALUE ? kept_as : value;
}

/* Adds a copy of @like without memory, a place among the steps, or readers. */
VfiValue vfi_plan_add_value(VfiPlanner *planner, VfiValue like);

/* The graph's node that @value is computed with or after: values that passes have added
 * are computed around one. */
VfiValue vfi_plan_anchor(const VfiPlanner *planner, VfiValue value);

/* Has @added computed after @value and what was to come after it already. */
void vfi_plan_compute_after(VfiPlanner *planner, VfiValue value, VfiValue added);

/* The size of the pictures on which @value, an op's result, is computed row by row; 0×0
 * if it is not. */
VfiShape vfi_plan_picture(const VfiPlanner *planner, VfiValue value);

/* Whether source @i of @value, an op's result, is read anywhere, and not only in rows of
 * the picture. */
bool vfi_plan_reads_beyond_rows(const VfiPlanner *planner, VfiValue value, int i);

/* ---- memory ------------------------------------------------------------------------ */

/* The root whose memory @value lies in, and where; @offset may be NULL. */
static inline VfiPlanItem *vfi_plan_root(const VfiPlanner *planner, VfiValue value,
                                         size_t *offset)
{
    size_t sum = 0;
    VfiPlanItem *item = &planner->items[value];

    while (item->view.host != VFI_NO_VALUE) {
        sum += item->view.offset;
        item = &planner->items[item->view.host];
    }
    if (offset != NULL)
        *offset = sum;
    return item;
}

static inline VfiValue vfi_plan_root_value(const VfiPlanner *planner, VfiValue value)
{
    return (VfiValue)(vfi_plan_root(planner, value, NULL) - planner->items);
}

static inline size_t vfi_plan_align(size_t bytes)
{
    return vfi_align_up(bytes, VFI_ALIGNMENT);
}

/* Bytes of a value of its own; sets the planner's error on overflow. */
size_t vfi_plan_value_bytes(VfiPlanner *planner, const VfiPlanItem *item);

/* Bytes from the start of @whole to its channel @channel; errors as above. */
size_t vfi_plan_channel_offset(VfiPlanner *planner, const VfiPlanItem *whole,
                               int channel);

/* Offset in VFI_REGION_ROWS of a root that is local, as @group sees it. */
size_t vfi_plan_rows_place(const VfiPlanner *planner, int group, const VfiPlanItem *root);

/* ---- steps ------------------------------------------------------------------------- */

static inline VfiPlanStep *vfi_plan_step(const VfiPlanner *planner, int index)
{
    return &g_array_index(planner->steps, VfiPlanStep, index);
}

static inline bool vfi_plan_step_copies(const VfiPlanStep *step)
{
    return step->copy_of != VFI_NO_VALUE;
}

/* What a step reads. */
static inline int vfi_plan_step_n_sources(const VfiPlanner *planner,
                                          const VfiPlanStep *step)
{
    return vfi_plan_step_copies(step) ? 1 : planner->items[step->value].node.n_sources;
}

static inline VfiValue vfi_plan_step_source(const VfiPlanner *planner,
                                            const VfiPlanStep *step, int i)
{
    return vfi_plan_step_copies(step) ? step->copy_of
                                      : planner->items[step->value].node.source[i];
}

static inline VfiValue vfi_plan_step_source_root(const VfiPlanner *planner,
                                                 const VfiPlanStep *step, int i)
{
    return vfi_plan_root_value(planner, vfi_plan_step_source(planner, step, i));
}

/* Copies read rows alone. */
static inline bool vfi_plan_step_reads_beyond_rows(const VfiPlanner *planner,
                                                   const VfiPlanStep *step, int i)
{
    return !vfi_plan_step_copies(step) &&
           vfi_plan_reads_beyond_rows(planner, step->value, i);
}

/* ---- what passes ask each other ---------------------------------------------------- */

/* half.c: whether source @s of @reader may be f16 planes: a row group reads it. */
bool vfi_plan_takes_half_planes(const VfiPlanner *planner, VfiValue reader, int s);

/* join.c: whether @part, in a layout of its own, may lie in a joined concat from its
 * channel @first on. */
bool vfi_plan_is_view_of_join(const VfiPlanner *planner, VfiValue part, int first,
                              bool is_last);

/* join.c: whether @value is a loose slice that begins within a block, so that a
 * convolution reads a copy of it. A slice that only ends within one is read as it is: the
 * weights of the other channels in that block are zeros. */
bool vfi_plan_begins_within_block(const VfiPlanner *planner, VfiValue value);

/* replace.c: the index of a part of @concat that is a slice of a value which may be
 * computed in the concat's place, so that only the other parts are copied over it; or
 * -1. */
int vfi_plan_kept_part(const VfiPlanner *planner, VfiValue concat);

/* replace.c: whether the op that computes @part, which replaces channels of @value, may
 * write it over them at once, @value being computed in @concat's place. */
bool vfi_plan_may_replace(const VfiPlanner *planner, VfiValue part, VfiValue concat,
                          VfiValue value);

/* ---- passes, in the order of the table in passes.c --------------------------------- */

/* Finds what outputs and scalars depend on, and counts uses. */
void vfi_plan_mark_alive(VfiPlanner *planner);

/* Fuses activations and residuals into convolutions. */
void vfi_plan_fuse(VfiPlanner *planner);

/* Turns a convolution over a large concat into a sum of convolutions over its parts. */
void vfi_plan_split_convs(VfiPlanner *planner);

/* Frame and pair stage: outputs get memory of their own. */
void vfi_plan_pin_outputs(VfiPlanner *planner);

/* Has states written in places of their own, by a copy where no op can compute them
 * there. */
void vfi_plan_pin_states(VfiPlanner *planner);

/* Has inputs that are kept in f16 converted before their readers, unless those take
 * f16. */
void vfi_plan_widen_inputs(VfiPlanner *planner);

/* Has pinned outputs rounded to f16. */
void vfi_plan_narrow_outputs(VfiPlanner *planner);

/* Channels last: finds concats that convolutions alone read, and loose slices. */
void vfi_plan_find_joins(VfiPlanner *planner);

/* Chooses which values are kept in NCHWc blocks or channels last, and adds copies from
 * one layout to the other where an op gains from blocks that its neighbours cannot
 * have. */
void vfi_plan_choose_layouts(VfiPlanner *planner);

/* Channels last: finds which parts of joined concats are written there at once. */
void vfi_plan_join_parts(VfiPlanner *planner);

/* Stores what is channels last as f16. */
void vfi_plan_mark_halves(VfiPlanner *planner);

/* Stores shuffled f16 as f16 where row groups alone read it. */
void vfi_plan_narrow_shuffles(VfiPlanner *planner);

/* Lets the terms of split convolutions add up in one place. */
void vfi_plan_share_sums(VfiPlanner *planner);

/* Lets ops overwrite what nothing reads after them. */
void vfi_plan_work_in_place(VfiPlanner *planner);

/* Finds what each row group may compute for itself. */
void vfi_plan_find_cheap_values(VfiPlanner *planner);

/* Makes slices and parts of concats views, and lists the steps in order. */
void vfi_plan_place_views(VfiPlanner *planner);

/* Brings steps that can run row by row together in row groups, rematerialises cheap
 * values there, and finds what needs no memory. */
void vfi_plan_group_rows(VfiPlanner *planner);

/* Places the planes that only one group sees. */
void vfi_plan_lay_out_rows(VfiPlanner *planner);

/* Finds during which steps each value must be kept. */
void vfi_plan_compute_lifetimes(VfiPlanner *planner);

/* Places pinned outputs one after the other in their region. */
void vfi_plan_lay_out_outputs(VfiPlanner *planner);

/* Places all other values that need memory of their own. */
void vfi_plan_lay_out_arena(VfiPlanner *planner);

/* Copies the findings into planner->plan, if there is no error. */
void vfi_plan_emit(VfiPlanner *planner);
