/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CONV and CONV_TRANSPOSE. */
#include <stddef.h>

#include "op/descriptor.h"

#define KERNEL_MAX 64
#define STRIDE_MAX 16
#define PADDING_MAX 64

/* Whether places of the kernel, runs of input channels and the slice, where the op has a
 * part of the weight's, are those that the weight has. */
static bool parts_are_sane(const VfiOp *op)
{
    const VfiConvParams *p = &op->u.conv;
    int channels = 0;

    if (p->taps > 0 && (op->kind != VFI_OP_CONV || p->groups != 1 || p->kernel_h != 1 ||
                        p->kernel_w != 1 || p->out != (int64_t)p->taps * p->tap_channels))
        return false;
    if (p->depth < 0 || (p->depth > 0 && (op->kind != VFI_OP_CONV || p->taps > 0)) ||
        p->slice < 0 || p->slice >= MAX(p->depth, 1))
        return false;
    if (p->weight_in == 0)
        return p->n_runs == 0;
    if (op->kind != VFI_OP_CONV || p->groups != 1 || p->n_runs < 1 ||
        p->n_runs > VFI_CONV_MAX_RUNS)
        return false;
    for (int i = 0; i < p->n_runs; i++) {
        const VfiChannelRun *run = &p->runs[i];
        if (run->first < 0 || run->count < 1 || run->count > p->weight_in - run->first)
            return false;
        channels += run->count;
    }
    return channels == op->src[0].shape.c;
}

static bool window_is_sane(const VfiConvParams *p)
{
    const int padding[] = {p->pad_top, p->pad_left, p->pad_bottom, p->pad_right};
    bool sane = p->kernel_h >= 1 && p->kernel_w >= 1 && p->kernel_h <= KERNEL_MAX &&
                p->kernel_w <= KERNEL_MAX && p->stride >= 1 && p->stride <= STRIDE_MAX;

    for (size_t i = 0; i < G_N_ELEMENTS(padding); i++)
        sane = sane && padding[i] >= 0 && padding[i] <= PADDING_MAX;
    return sane;
}

/* What both have in common: all but the result's size. */
static bool check_params(const VfiOp *op, GError **error)
{
    const VfiConvParams *p = &op->u.conv;
    int in = op->src[0].shape.c;

    if (!window_is_sane(p))
        return vfi_op_refuse(op, error,
                             "kernel must be 1 to %d, stride 1 to %d, padding 0 to %d",
                             KERNEL_MAX, STRIDE_MAX, PADDING_MAX);
    if (p->groups < 1 || p->out < 1 || in % p->groups != 0 || p->out % p->groups != 0)
        return vfi_op_refuse(op, error, "%d and %d channels do not divide into %d groups",
                             in, p->out, p->groups);
    if (!parts_are_sane(op))
        return vfi_op_refuse(op, error, "parts of the weight do not fit the operands");
    if (!vfi_activation_is_short(p->activation.kind))
        return vfi_op_refuse(op, error, "it cannot end with a SiLU or a GELU");
    if (op->n_src != (p->residual == VFI_RESIDUAL_NONE ? 1 : 2))
        return vfi_op_refuse(op, error,
                             "a source is missing, or there is a residual too many");
    return true;
}

/* Sets the result to @h × @w, which the residual must have, too. */
static bool finish(const VfiOp *op, int64_t h, int64_t w, VfiShape *result,
                   GError **error)
{
    if (h < 1 || w < 1 || h > G_MAXINT || w > G_MAXINT)
        return vfi_op_refuse(op, error, "a kernel of %d×%d does not fit",
                             op->u.conv.kernel_h, op->u.conv.kernel_w);
    *result = (VfiShape){op->u.conv.out, (int)h, (int)w};
    if (op->n_src == 2 && !vfi_shape_equal(op->src[1].shape, *result))
        return vfi_op_refuse(op, error,
                             "the residual's shape is not the result's, %d×%d×%d",
                             result->c, result->h, result->w);
    return true;
}

static bool infer_conv(const VfiOp *op, VfiShape *result, GError **error)
{
    const VfiConvParams *p = &op->u.conv;
    VfiShape in = op->src[0].shape;

    if (!check_params(op, error))
        return false;
    int64_t reach_h = (int64_t)in.h + p->pad_top + p->pad_bottom - p->kernel_h;
    int64_t reach_w = (int64_t)in.w + p->pad_left + p->pad_right - p->kernel_w;
    return finish(op, reach_h < 0 ? 0 : reach_h / p->stride + 1,
                  reach_w < 0 ? 0 : reach_w / p->stride + 1, result, error);
}

static bool infer_conv_transpose(const VfiOp *op, VfiShape *result, GError **error)
{
    const VfiConvParams *p = &op->u.conv;
    VfiShape in = op->src[0].shape;

    if (!check_params(op, error))
        return false;
    if (p->groups != 1)
        return vfi_op_refuse(op, error, "it must have one group, not %d", p->groups);
    if (vfi_conv_transpose_weight_channels(op) < p->out)
        return vfi_op_refuse(op, error,
                             "the weight has %d channels, fewer than the result's %d",
                             p->weight_out, p->out);
    return finish(
        op, ((int64_t)in.h - 1) * p->stride - p->pad_top - p->pad_bottom + p->kernel_h,
        ((int64_t)in.w - 1) * p->stride - p->pad_left - p->pad_right + p->kernel_w,
        result, error);
}

/* A convolution gathers at each output pixel, a transposed one scatters each input's. */
static double macs_at(const VfiOp *op, VfiShape at)
{
    const VfiConvParams *p = &op->u.conv;

    return (double)at.h * at.w * op->src[0].shape.c * op->dst.shape.c / p->groups *
           p->kernel_h * p->kernel_w;
}

static double conv_macs(const VfiOp *op)
{
    return macs_at(op, op->dst.shape);
}

static double conv_transpose_macs(const VfiOp *op)
{
    return macs_at(op, op->src[0].shape);
}

static int conv_arrays(const VfiOp *op, VfiOpArray arrays[VFI_OP_MAX_ARRAYS])
{
    const VfiConvParams *p = &op->u.conv;
    size_t in = (size_t)op->src[0].shape.c / (size_t)p->groups, out = (size_t)p->out;
    size_t kernel = (size_t)p->kernel_h * (size_t)p->kernel_w;

    if (p->weight_in > 0)
        in = (size_t)p->weight_in;
    kernel *= (size_t)MAX(p->depth, 1);
    if (op->kind == VFI_OP_CONV_TRANSPOSE)
        out = (size_t)vfi_conv_transpose_weight_channels(op);
    arrays[0] = (VfiOpArray){"weight", offsetof(VfiOpParams, conv.weight),
                             in * out * kernel, false};
    arrays[1] =
        (VfiOpArray){"bias", offsetof(VfiOpParams, conv.bias), (size_t)p->out, true};
    arrays[2] = (VfiOpArray){"slope", offsetof(VfiOpParams, conv.activation.slope),
                             (size_t)p->out, false};
    return p->activation.kind == VFI_ACTIVATION_PRELU ? 3 : 2;
}

#define SAME(kernel, stride_, out_)                                                      \
    .out = (out_), .kernel_h = (kernel), .kernel_w = (kernel), .stride = (stride_),      \
    .pad_top = ((kernel)-1) / 2, .pad_left = ((kernel)-1) / 2,                           \
    .pad_bottom = (kernel) / 2, .pad_right = (kernel) / 2

#define PADDED(kernel, stride_, out_, begin, end)                                        \
    .out = (out_), .kernel_h = (kernel), .kernel_w = (kernel), .stride = (stride_),      \
    .pad_top = (begin), .pad_left = (begin), .pad_bottom = (end), .pad_right = (end)

#define PRELU .activation.kind = VFI_ACTIVATION_PRELU
#define LEAKY .activation = {.kind = VFI_ACTIVATION_LEAKY, .leak = 0.2f}

enum { WITHOUT_BIAS = 1 << 1 };

static const VfiOpCase conv_cases[] = {
    {.src = {{1, 1, 1}}, .params.conv = {SAME(3, 1, 1), .groups = 1}},
    {.src = {{3, 13, 30}}, .params.conv = {SAME(3, 1, 5), .groups = 1, PRELU}},
    {.src = {{16, 17, 33}}, .params.conv = {SAME(3, 1, 32), .groups = 1, LEAKY}},
    {.src = {{33, 9, 70}}, .params.conv = {SAME(3, 1, 31), .groups = 1}},
    {.src = {{32, 31, 45}}, .params.conv = {SAME(3, 2, 48), .groups = 1, PRELU}},
    {.src = {{7, 22, 41}}, .params.conv = {SAME(3, 2, 16), .groups = 1}},
    {.src = {{24, 13, 30}}, .params.conv = {SAME(1, 1, 40), .groups = 1}},
    {.src = {{16, 21, 19}}, .params.conv = {SAME(2, 1, 16), .groups = 1, LEAKY}},
    {.src = {{6, 20, 37}}, .params.conv = {SAME(7, 2, 8), .groups = 1}},
    {.src = {{96, 11, 18}}, .params.conv = {SAME(3, 1, 96), .groups = 3}},
    {.src = {{6, 11, 18}}, .params.conv = {SAME(3, 1, 6), .groups = 3, PRELU}},
    {.src = {{16, 12, 20}},
     .params.conv = {SAME(3, 1, 16), .groups = 1},
     .without = WITHOUT_BIAS},
    {.src = {{32, 15, 26}, {32, 15, 26}},
     .params.conv = {SAME(3, 1, 32), .groups = 1, PRELU,
                     .residual = VFI_RESIDUAL_BEFORE_ACTIVATION}},
    {.src = {{17, 15, 26}, {9, 15, 26}},
     .params.conv = {SAME(3, 1, 9), .groups = 1, LEAKY,
                     .residual = VFI_RESIDUAL_AFTER_ACTIVATION}},
    {.src = {{20, 9, 14}},
     .params.conv = {SAME(1, 1, 3), .groups = 1,
                     .activation.kind = VFI_ACTIVATION_SIGMOID}},
    {.src = {{38, 13, 30}},
     .params.conv = {SAME(3, 1, 24), .groups = 1, .weight_in = 64, .n_runs = 2,
                     .runs = {{3, 6}, {32, 32}}}},
    {.src = {{24, 13, 30}},
     .params.conv = {SAME(1, 1, 64), .groups = 1, .taps = 4, .tap_channels = 16},
     .without = WITHOUT_BIAS},
    /* slices, each a padding of its own, and kernels that step over pixels */
    {.src = {{33, 9, 31}},
     .params.conv = {SAME(3, 1, 40), .groups = 1, .depth = 3, .slice = 2}},
    {.src = {{32, 7, 22}, {48, 7, 22}},
     .params.conv = {SAME(1, 1, 48), .groups = 1, .depth = 2, .slice = 1,
                     .residual = VFI_RESIDUAL_AFTER_ACTIVATION},
     .without = WITHOUT_BIAS},
    {.src = {{16, 26, 30}},
     .params.conv = {SAME(3, 1, 16), .groups = 2, .depth = 3, .slice = 0}},
    {.src = {{32, 32, 44}}, .params.conv = {PADDED(3, 2, 32, 0, 1), .groups = 1}},
    {.src = {{32, 17, 33}}, .params.conv = {PADDED(3, 1, 16, 0, 2), .groups = 1}},
    {.src = {{16, 9, 15}}, .params.conv = {PADDED(3, 1, 32, 3, 0), .groups = 1, PRELU}},
    {.src = {{21, 18, 30}}, .params.conv = {SAME(5, 2, 24), .groups = 1, LEAKY}},
    {.src = {{32, 24, 44}}, .params.conv = {PADDED(5, 4, 32, 1, 1), .groups = 1}},
    {.src = {{5, 12, 23}}, .params.conv = {PADDED(5, 4, 6, 1, 1), .groups = 1}},
    {.src = {{6, 14, 14}}, .params.conv = {PADDED(1, 3, 17, 0, 0), .groups = 1}},
    /* one channel a group */
    {.src = {{1, 5, 7}}, .params.conv = {SAME(3, 1, 1), .groups = 1}},
    {.src = {{32, 9, 31}}, .params.conv = {SAME(3, 1, 32), .groups = 32, LEAKY}},
    {.src = {{40, 3, 2}}, .params.conv = {SAME(3, 1, 40), .groups = 40, PRELU}},
    {.src = {{48, 17, 70}},
     .params.conv = {SAME(3, 1, 48), .groups = 48},
     .without = WITHOUT_BIAS},
    {.src = {{32, 1, 1}, {32, 1, 1}},
     .params.conv = {SAME(3, 1, 32), .groups = 32, PRELU,
                     .residual = VFI_RESIDUAL_BEFORE_ACTIVATION}},
    {.src = {{16, 20, 33}, {16, 20, 33}},
     .params.conv = {SAME(3, 1, 16), .groups = 16,
                     .residual = VFI_RESIDUAL_AFTER_ACTIVATION}},
    {.src = {{32, 8, 9}}, .params.conv = {SAME(3, 1, 64), .groups = 32}},
    {.src = {{32, 8, 9}}, .params.conv = {SAME(3, 2, 32), .groups = 32}},
};

/* Four kernel places a side for each input pixel: twice the size. */
#define DOUBLED(out_)                                                                    \
    .out = (out_), .kernel_h = 4, .kernel_w = 4, .stride = 2, .pad_top = 1,              \
    .pad_left = 1, .pad_bottom = 1, .pad_right = 1, .groups = 1

static const VfiOpCase conv_transpose_cases[] = {
    {.src = {{1, 1, 1}}, .params.conv = {DOUBLED(1)}},
    {.src = {{5, 9, 13}}, .params.conv = {DOUBLED(4), PRELU}},
    {.src = {{32, 17, 23}}, .params.conv = {DOUBLED(24)}},
    {.src = {{16, 8, 31}}, .params.conv = {DOUBLED(16), LEAKY}, .without = WITHOUT_BIAS},
    {.src = {{24, 7, 19}}, .params.conv = {DOUBLED(6), .weight_out = 52}},
    {.src = {{24, 6, 15}, {20, 12, 30}},
     .params.conv = {DOUBLED(20), PRELU, .residual = VFI_RESIDUAL_BEFORE_ACTIVATION}},
};

#define CONV_LAYOUTS (VFI_LAYOUT_ALL | VFI_LAYOUT_HALF)

const VfiOpDescriptor vfi_op_conv = {
    .min_sources = 1,
    .max_sources = 2,
    .source = {{VFI_READS_HALO, CONV_LAYOUTS, false},
               {VFI_READS_PIXEL, CONV_LAYOUTS, true}},
    .result = CONV_LAYOUTS | VFI_LAYOUT_HALF_PLANES,
    .infer = infer_conv,
    .macs = conv_macs,
    .arrays = conv_arrays,
    .tolerance = VFI_TOLERANCE_SUMS,
    .cases = conv_cases,
    .n_cases = G_N_ELEMENTS(conv_cases),
};

const VfiOpDescriptor vfi_op_conv_transpose = {
    .min_sources = 1,
    .max_sources = 2,
    .source = {{VFI_READS_HALO, CONV_LAYOUTS, false},
               {VFI_READS_PIXEL, CONV_LAYOUTS, true}},
    .result = CONV_LAYOUTS | VFI_LAYOUT_HALF_PLANES,
    .infer = infer_conv_transpose,
    .macs = conv_transpose_macs,
    .arrays = conv_arrays,
    .tolerance = VFI_TOLERANCE_SUMS,
    .cases = conv_transpose_cases,
    .n_cases = G_N_ELEMENTS(conv_transpose_cases),
};
