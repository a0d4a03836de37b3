/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan: a graph turned into a list of ops whose operands all have their places.
 * Making it fuses activations and residuals into convolutions, turns concats and slices
 * into views, groups ops that run row by row, and lays everything out in one arena
 * (passes.c has the steps). Immutable. */
#pragma once

#include <glib.h>

#include "graph/graph.h"

typedef struct {
    int first_op;
    int n_ops;
    int rounds; /* how many times it runs, one after the other; 1 but for a loop */
    /* What it writes in VFI_REGION_NEXT_STATE is to be read in VFI_REGION_STATE: after
     * each round the memory of the two is exchanged (vfi_exchange_states()). */
    bool writes_state;
} VfiPlanSegment;

/* Consecutive ops that all work row by row on pictures of h × w, so that a backend may
 * run them band by band and keep what only they see in a cache (a tiled fusion group):
 *   element-wise ops and FILL, from rows y to row y;
 *   RESIZE up to h × w, PIXEL_SHUFFLE and WARP, whose (first) source is complete before
 *     the group begins;
 *   RESIZE down by f, a power of two: row y reads rows f·y + f/2 - 1 and f·y + f/2;
 *   COPY and MAX_ABS.
 * Operands in VFI_REGION_ROWS exist within the group alone, @n_planes planes of h × w. */
typedef struct {
    int first_op, n_ops;
    int h, w;
    int n_planes;
} VfiRowGroup;

typedef struct {
    int segment;
    const char *name;
    VfiOperand operand;
} VfiPlanOutput;

typedef struct VfiPlan {
    VfiOp *ops;
    int n_ops;
    VfiPlanSegment *segments;
    int n_segments;
    VfiRowGroup *row_groups; /* in order */
    int n_row_groups;
    VfiPlanOutput *outputs;
    int n_outputs;
    int n_scalars;
    /* Bytes of regions: the arena's; of a frame stage VFI_REGION_FRAME0's, the image
     * included; of a pair stage VFI_REGION_PAIR's, of a constant stage
     * VFI_REGION_CONSTANT's; VFI_REGION_STATE's, and as many of VFI_REGION_NEXT_STATE, 0
     * without states. */
    size_t arena_bytes, frame_bytes, pair_bytes, constant_bytes, state_bytes;
    VfiPackedWeights *packed_weights; /* of the weights that ops point to, or NULL */
    GStringChunk *names;              /* where the ops' names are */
} VfiPlan;

/* What a backend wants of a plan. */
typedef struct {
    /* Channels of an NCHWc block; 0 or 1: planes only. Convolutions of one group must
     * then take operands in blocks, and those of groups that are whole blocks if they
     * gain from it; COPY must go from one layout to the other. */
    int channel_block;
    /* All channels of a pixel lie side by side, rounded up to channel_block (op.h). Every
     * convolution then takes its first source so and in no other layout, the residual and
     * the result in any; PIXEL_SHUFFLE takes its source in any. Results of convolutions,
     * of COPY, of ops that move whole pixels, and of all ops in row groups may be parts
     * of pixels, at any channel. A row group may be one op. */
    bool channels_last;
    /* What is channels last is f16. Convolutions and PIXEL_SHUFFLE also write f16 planes,
     * and RESIZE and WARP in row groups read them. */
    bool half_pixels;
    /* Whether an op (a CONV) gains so much from blocks that its operands are worth
     * copying. Not asked where channels are last. */
    bool (*gains_from_blocks)(const VfiOp *op);
    /* Whether it runs row groups. Otherwise every op can be run by itself. */
    bool row_groups;
    /* Whether row groups may have that row-local op; NULL: any. */
    bool (*row_op)(const VfiOp *op);
    /* Whether outputs outside of the arena are f16. (Inputs have the storage that the
     * plan which computes them gave them.) */
    bool half_outputs;
} VfiPlanTarget;

/* What the CUDA backend wants for f32: planes, and row groups. */
static inline VfiPlanTarget vfi_plan_target_planar(void)
{
    return (VfiPlanTarget){.row_groups = true};
}

/* What tensor cores want: channels last in multiples of eight, which are 16 bytes of
 * f16. */
static inline VfiPlanTarget vfi_plan_target_channels_last(bool half)
{
    return (VfiPlanTarget){.channel_block = 8,
                           .channels_last = true,
                           .half_pixels = half,
                           .row_groups = true};
}

/* Plans @graph for what a backend wants (NULL: planes only). @output_region is where
 * outputs are laid out: VFI_REGION_FRAME0, after the image (the per-frame stage),
 * VFI_REGION_PAIR (the per-pair stage), VFI_REGION_CONSTANT (the constant stage, whose
 * graph may read neither frames nor their size) or VFI_REGION_ARENA, the only one where
 * the graph may have a loop or noise. NULL with the graph's own error, or
 * VFI_ERROR_NO_MEMORY when the sizes overflow. The graph's weights must outlive the plan;
 * the graph need not. */
VfiPlan *vfi_plan_new(const VfiGraph *graph, const VfiPlanTarget *target,
                      VfiRegion output_region, GError **error);
void vfi_plan_free(VfiPlan *plan);

/* The output of that name of @segment, or NULL. */
const VfiPlanOutput *vfi_plan_output(const VfiPlan *plan, int segment, const char *name);

/* Declares the outputs of a stage that are kept as inputs of a later stage's @graph.
 * Without a plan (NULL) there are none. */
void vfi_plan_declare_outputs(const VfiPlan *plan, VfiGraph *graph);

/* Bytes of a prepared image, rounded up to VFI_ALIGNMENT: where features begin in a
 * frame's region. */
size_t vfi_plan_image_bytes(int width, int height);
