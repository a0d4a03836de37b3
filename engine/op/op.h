/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations: what a planned program consists of. The graph builds them, the plan fuses
 * and places them, a backend runs them. What a kind of op is like, its descriptor says
 * (descriptor.h). Tensors are one image of shape C × H × W; planar, each channel plane
 * is H*W contiguous elements, channels after each other; so a run of channels is a view
 * of the same form. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "op/list.h"
#include "op/params.h"
#include "op/shape.h"

/* Most inputs that an op reads. */
#define VFI_OP_MAX_SOURCES 4

/* Memory that operands lie in, bound at each run: the stage's own arena, what is kept
 * for each frame (its prepared image, the results of the per-frame stage), what is
 * kept for the pair (the results of the per-pair stage), what is kept as long as the
 * session (those of the constant stage), and a loop's states: as the
 * last round left them, and as the next one is to find them. A frame stage sees its
 * frame as FRAME0; the other stages see the view's frames, oldest first. VFI_REGION_ROWS
 * is not memory: what lies there is seen by one row group only (plan.h), whose runner
 * keeps some rows of it; offsets count as if all rows were there. */
typedef enum {
    VFI_REGION_ARENA,
    VFI_REGION_FRAME0,
    VFI_REGION_PAIR = VFI_REGION_FRAME0 + 8,
    VFI_REGION_CONSTANT,
    VFI_REGION_STATE,      /* read; nothing writes it */
    VFI_REGION_NEXT_STATE, /* written; whoever runs a plan exchanges the two (plan.h) */
    VFI_MAX_REGIONS,
    VFI_REGION_ROWS = VFI_MAX_REGIONS,
} VfiRegion;

/* Most frames of a view: the regions that there are for frames. */
#define VFI_MAX_VIEW_FRAMES (VFI_REGION_PAIR - VFI_REGION_FRAME0)

/* Where what is kept for frame @frame lies. */
static inline VfiRegion vfi_frame_region(int frame)
{
    return (VfiRegion)(VFI_REGION_FRAME0 + frame);
}

/* One operand or result: where it lies, what shape it has, and how it is laid out.
 * Planar (block 0 or 1): one plane per channel. NCHWc blocks: [channel
 * blocks][h][w][block], the channels rounded up to whole blocks, those that are too
 * many hold zeros. Channels last, where the plan's target asks for that: one block of
 * all channels, or more where the operand is a part of them; the offset then leads to
 * its first channel. A part begins at a multiple of eight channels where a CONV or
 * CONV_TRANSPOSE takes it as its source, else anywhere. */
typedef struct {
    VfiShape shape;
    VfiRegion region;
    size_t offset; /* bytes from the start of the region, a multiple of an element's */
    int block;     /* channels that lie side by side at each pixel */
    bool half;     /* f16 instead of f32 */
    /* Channels last, of a result: another part begins right after its last channel.
     * Else the op that writes that channel also writes zeros up to the next multiple
     * of eight. */
    bool followed;
} VfiOperand;

static inline bool vfi_operand_is_blocked(const VfiOperand *operand)
{
    return operand->block > 1;
}

typedef struct {
    VfiOpKind kind;
    int n_src;
    VfiOperand src[VFI_OP_MAX_SOURCES];
    VfiOperand dst;   /* MAX_ABS: shape 1×1×1, no memory */
    const char *name; /* for errors, profiles: the weight's key or the kind */
    VfiOpParams u;
} VfiOp;

/* Name of a kind for messages: "conv", "warp", … */
const char *vfi_op_kind_to_string(VfiOpKind kind);

/* Output channels of a CONV_TRANSPOSE's weight. */
static inline int vfi_conv_transpose_weight_channels(const VfiOp *op)
{
    return op->u.conv.weight_out != 0 ? op->u.conv.weight_out : op->u.conv.out;
}

/* Whether it is a convolution, transposed or not. */
static inline bool vfi_op_is_conv(const VfiOp *op)
{
    return op->kind == VFI_OP_CONV || op->kind == VFI_OP_CONV_TRANSPOSE;
}
