/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ATTENTION: each pixel's mean of others, weighted by how they match. */
#include <stddef.h>

#include "op/descriptor.h"

/* Keeps numbers of tokens and of floats of a frame's tokens in an int. */
#define MAX_TOKENS (1 << 24)

#define PIXELS (VFI_LAYOUT_ALL | VFI_LAYOUT_HALF)

static bool check_window(const VfiOp *op, GError **error)
{
    const VfiAttentionParams *p = &op->u.attention;
    VfiShape s = op->src[0].shape;

    if (p->window < 1 || p->window > VFI_ATTENTION_MAX_WINDOW)
        return vfi_op_refuse(op, error, "the window must be 1 to %d, not %d",
                             VFI_ATTENTION_MAX_WINDOW, p->window);
    if (s.h % p->window != 0 || s.w % p->window != 0)
        return vfi_op_refuse(op, error, "the size is no multiple of the window, %d",
                             p->window);
    return true;
}

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    const VfiAttentionParams *p = &op->u.attention;
    VfiShape s = op->src[0].shape;

    if (!vfi_shape_equal(s, op->src[1].shape) || !vfi_shape_equal(s, op->src[2].shape))
        return vfi_op_refuse(op, error, "queries, keys and values must have one shape");
    if (p->frames < 1 || s.c % p->frames != 0)
        return vfi_op_refuse(op, error, "the channels do not divide into %d frames",
                             p->frames);
    if ((double)p->frames * s.h * s.w > MAX_TOKENS)
        return vfi_op_refuse(op, error, "there are more than %d pixels", MAX_TOKENS);
    if (p->kind != VFI_ATTENTION_GLOBAL && !check_window(op, error))
        return false;
    *result = s;
    return true;
}

/* Pixels that each of them sees. */
static double seen(const VfiOp *op)
{
    const VfiAttentionParams *p = &op->u.attention;
    VfiShape s = op->src[0].shape;

    return p->kind == VFI_ATTENTION_GLOBAL ? (double)p->frames * s.h * s.w
                                           : (double)p->window * p->window;
}

static double macs(const VfiOp *op)
{
    return 2.0 * (double)vfi_shape_elements(op->src[0].shape) * seen(op);
}

static int arrays(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS])
{
    size_t side = 2 * (size_t)op->u.attention.window - 1;

    if (op->u.attention.kind == VFI_ATTENTION_GLOBAL)
        return 0;
    arrays[0] =
        (VfiOpArray){"bias", offsetof(VfiOpParams, attention.bias), side * side, true};
    return 1;
}

#define SAME(c, h, w) .src = {{c, h, w}, {c, h, w}, {c, h, w}}
#define GLOBAL(frames_, scale_)                                                          \
    .params.attention = {                                                                \
        .kind = VFI_ATTENTION_GLOBAL, .frames = (frames_), .scale = (scale_)}
#define WINDOWS(kind_, window_, scale_)                                                  \
    .params.attention = {.kind = VFI_ATTENTION_##kind_,                                  \
                         .frames = 1,                                                    \
                         .window = (window_),                                            \
                         .scale = (scale_)}

static const VfiOpCase cases[] = {
    {SAME(1, 1, 1), GLOBAL(1, 1.0f)},
    {SAME(48, 5, 7), GLOBAL(3, 0.25f), .scale = {3.0f, 3.0f}},
    {SAME(10, 9, 15), GLOBAL(2, 1.0f), .scale = {2.0f, 2.0f}},
    {SAME(32, 12, 16), GLOBAL(1, 0.5f), .scale = {2.0f, 2.0f}},
    {SAME(16, 8, 16), WINDOWS(BLOCKS, 8, 0.25f)},
    {SAME(32, 16, 24), WINDOWS(GRID, 8, 0.2f), .scale = {3.0f, 3.0f}},
    {SAME(24, 6, 9), WINDOWS(BLOCKS, 3, 1.0f), .without = 1},
    {SAME(5, 10, 15), WINDOWS(GRID, 5, 0.4f)},
    {.src = {{14, 8, 4}, {14, 8, 4}, {14, 8, 4}},
     .params.attention =
         {.kind = VFI_ATTENTION_GRID, .frames = 2, .window = 4, .scale = 1.0f}},
    {.src = {{32, 4, 6}, {32, 4, 6}, {32, 4, 6}},
     .params.attention =
         {.kind = VFI_ATTENTION_BLOCKS, .frames = 2, .window = 2, .scale = 1.0f}},
};

const VfiOpDescriptor vfi_op_attention = {
    .min_sources = 3,
    .max_sources = 3,
    .source = {{VFI_READS_WHOLE, PIXELS, false},
               {VFI_READS_WHOLE, PIXELS, false},
               {VFI_READS_WHOLE, PIXELS, false}},
    .result = PIXELS | VFI_LAYOUT_LIKE_SOURCE,
    .infer = infer,
    .macs = macs,
    .arrays = arrays,
    .tolerance = VFI_TOLERANCE_SUMS,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
