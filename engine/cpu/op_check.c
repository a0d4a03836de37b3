/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks an op's operands and parameters before anything is packed, so that the kernels
 * need no checks: what passes here reads and writes inside its operands. */
#include "cpu/algorithm.h"

#include <vfi/error.h>

/* Bounds that keep every index of a kernel within an int. */
#define MAX_DIMENSION (1 << 24)
#define MAX_PLANE ((size_t)1 << 30)

static bool refuse(const VfiOp *op, const char *what, GError **error)
{
    const VfiShape *s = &op->src[0].shape, *d = &op->dst.shape;

    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "the CPU backend cannot run %s '%s' (%d×%d×%d to %d×%d×%d): %s",
                vfi_op_kind_to_string(op->kind), op->name != NULL ? op->name : "",
                op->n_src > 0 ? s->c : 0, op->n_src > 0 ? s->h : 0,
                op->n_src > 0 ? s->w : 0, d->c, d->h, d->w, what);
    return false;
}

static bool operand_is_sane(const VfiOperand *operand)
{
    VfiShape s = operand->shape;
    return s.c >= 1 && s.h >= 1 && s.w >= 1 && s.c <= MAX_DIMENSION &&
           s.h <= MAX_DIMENSION && s.w <= MAX_DIMENSION &&
           (size_t)s.h * (size_t)s.w <= MAX_PLANE &&
           operand->offset % sizeof(float) == 0 &&
           (unsigned)operand->region <= VFI_REGION_ROWS;
}

static bool same_shape(VfiShape a, VfiShape b)
{
    return a.c == b.c && a.h == b.h && a.w == b.w;
}

static int sources_of(const VfiOp *op)
{
    switch (op->kind) {
    case VFI_OP_ADD:
    case VFI_OP_SUB:
    case VFI_OP_MUL:
    case VFI_OP_WARP:
        return 2;
    case VFI_OP_TIME:
    case VFI_OP_IMAGE_MEAN:
        return 0;
    case VFI_OP_CONV:
    case VFI_OP_CONV_TRANSPOSE:
        return op->u.conv.residual == VFI_RESIDUAL_NONE ? 1 : 2;
    default:
        return 1;
    }
}

static bool activation_is_sane(const VfiActivation *activation)
{
    return activation->kind != VFI_ACTIVATION_PRELU || activation->slope != NULL;
}

/* Whether places of the kernel and runs of input channels, where the op has a part of the
 * weight's, are those that the weight has. */
static bool parts_are_sane(const VfiOp *op)
{
    const VfiConvParams *p = &op->u.conv;
    int channels = 0;

    if (p->taps > 0 &&
        (op->kind != VFI_OP_CONV || p->groups != 1 || p->kernel_h != 1 ||
         p->kernel_w != 1 || op->dst.shape.c != (long long)p->taps * p->tap_channels))
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

static bool check_conv(const VfiOp *op, GError **error)
{
    const VfiConvParams *p = &op->u.conv;
    VfiShape in = op->src[0].shape, out = op->dst.shape;

    if (p->weight == NULL || !activation_is_sane(&p->activation))
        return refuse(op, "weights or slopes are missing", error);
    if (p->kernel_h < 1 || p->kernel_w < 1 || p->kernel_h > 64 || p->kernel_w > 64 ||
        p->stride < 1 || p->stride > 16 || p->pad_top < 0 || p->pad_left < 0 ||
        p->pad_bottom < 0 || p->pad_right < 0 || p->pad_top > 64 || p->pad_left > 64)
        return refuse(op, "kernel must be 1 to 64, stride 1 to 16, padding 0 to 64",
                      error);
    if (p->groups < 1 || in.c % p->groups != 0 || out.c % p->groups != 0)
        return refuse(op, "channels are not a multiple of the groups", error);
    if (!parts_are_sane(op))
        return refuse(op, "parts of the weight do not fit the operands", error);
    if (p->residual != VFI_RESIDUAL_NONE && !same_shape(op->src[1].shape, out))
        return refuse(op, "the residual's shape is not the result's", error);

    if (op->kind == VFI_OP_CONV_TRANSPOSE) {
        if (p->groups != 1)
            return refuse(op, "a transposed convolution must have one group", error);
        if (vfi_conv_transpose_weight_channels(op) < out.c)
            return refuse(op, "the weight has fewer channels than the result", error);
        if (out.h != (in.h - 1) * p->stride - p->pad_top - p->pad_bottom + p->kernel_h ||
            out.w != (in.w - 1) * p->stride - p->pad_left - p->pad_right + p->kernel_w)
            return refuse(op, "size is not (in-1)*stride - padding + kernel", error);
        return true;
    }
    int reach_h = in.h + p->pad_top + p->pad_bottom - p->kernel_h;
    int reach_w = in.w + p->pad_left + p->pad_right - p->kernel_w;
    if (reach_h < 0 || reach_w < 0 || out.h != reach_h / p->stride + 1 ||
        out.w != reach_w / p->stride + 1)
        return refuse(op, "size is not (in + padding - kernel) / stride + 1", error);
    return true;
}

static bool check_shapes(const VfiOp *op, GError **error)
{
    VfiShape s0 = op->src[0].shape, s1 = op->src[1].shape, d = op->dst.shape;

    switch (op->kind) {
    case VFI_OP_CONV:
    case VFI_OP_CONV_TRANSPOSE:
        return check_conv(op, error);
    case VFI_OP_ADD:
    case VFI_OP_SUB:
    case VFI_OP_MUL:
        if (!same_shape(s0, d) || s1.h != d.h || s1.w != d.w ||
            (s1.c != d.c && s1.c != 1))
            return refuse(op, "the operands' shapes differ", error);
        return true;
    case VFI_OP_RESIZE:
        return s0.c == d.c ? true : refuse(op, "the numbers of channels differ", error);
    case VFI_OP_PIXEL_SHUFFLE:
        if (s0.c != 4 * (int64_t)d.c || d.h != 2 * (int64_t)s0.h ||
            d.w != 2 * (int64_t)s0.w)
            return refuse(op,
                          "the result must have a quarter of the channels and twice "
                          "the size",
                          error);
        return true;
    case VFI_OP_AVG_POOL:
        return s0.c == d.c && s0.h / 2 == d.h && s0.w / 2 == d.w
                   ? true
                   : refuse(op, "the result must have half the size, rounded down",
                            error);
    case VFI_OP_UPSAMPLE_CONV_SUM:
        return s0.c % 4 == 0 && s0.c / 4 == d.c && s0.h <= d.h && s0.w <= d.w
                   ? true
                   : refuse(op,
                            "the source must have four times the result's channels "
                            "and be no larger",
                            error);
    case VFI_OP_NEAREST:
        return s0.c == d.c && s0.h <= d.h && s0.w <= d.w
                   ? true
                   : refuse(op, "the result must be as large as the source or larger",
                            error);
    case VFI_OP_WARP:
        if (s0.c != d.c || s1.c != 2 || s1.h != d.h || s1.w != d.w)
            return refuse(op, "the flow must be 2 × the result's size", error);
        return true;
    case VFI_OP_TIME:
    case VFI_OP_IMAGE_MEAN:
        return true;
    case VFI_OP_MAX_ABS:
        return op->u.scalar >= 0 ? true : refuse(op, "no scalar to write", error);
    case VFI_OP_ACTIVATE:
        if (!activation_is_sane(&op->u.activation))
            return refuse(op, "slopes are missing", error);
        /* fallthrough */
    default:
        return same_shape(s0, d) ? true
                                 : refuse(op, "the operands' shapes differ", error);
    }
}

/* Whether every operand is planar or in blocks of @block channels, where the op can do that. */
static bool check_layouts(const VfiOp *op, int block, GError **error)
{
    int n_src = sources_of(op);
    bool dst_blocked = vfi_operand_is_blocked(&op->dst);
    bool is_conv = vfi_op_is_conv(op);
    bool any = dst_blocked;

    for (int i = 0; i < n_src; i++)
        any = any || vfi_operand_is_blocked(&op->src[i]);
    if (!any)
        return true;
    for (int i = 0; i < n_src; i++)
        if (vfi_operand_is_blocked(&op->src[i]) && op->src[i].block != block)
            return refuse(op, "a source has blocks of the wrong size", error);
    if (dst_blocked && op->dst.block != block)
        return refuse(op, "the result has blocks of the wrong size", error);
    bool moves_pixels = op->kind == VFI_OP_CONVERT || op->kind == VFI_OP_AVG_POOL ||
                        op->kind == VFI_OP_UPSAMPLE_CONV_SUM ||
                        op->kind == VFI_OP_NEAREST || op->kind == VFI_OP_WARP;
    if (!is_conv && !moves_pixels && op->kind != VFI_OP_COPY)
        return refuse(op, "operands must be planar", error);
    if (moves_pixels && vfi_operand_is_blocked(&op->src[0]) != dst_blocked)
        return refuse(op, "the source is not laid out as the result", error);
    if (op->kind == VFI_OP_UPSAMPLE_CONV_SUM && op->dst.shape.c % block != 0)
        return refuse(op, "the result's channels must fill blocks", error);
    if (op->kind == VFI_OP_WARP && vfi_operand_is_blocked(&op->src[1]))
        return refuse(op, "the flow must be planar", error);
    if (is_conv && op->u.conv.groups != 1 &&
        !(dst_blocked && vfi_operand_is_blocked(&op->src[0]) && vfi_winograd_suits(op)))
        return refuse(op, "operands must be planar where groups are not whole blocks",
                      error);
    if (is_conv && dst_blocked && op->u.conv.activation.kind == VFI_ACTIVATION_SIGMOID)
        return refuse(op, "the result must be planar after a sigmoid", error);
    if (is_conv && n_src == 2 && vfi_operand_is_blocked(&op->src[1]) != dst_blocked)
        return refuse(op, "the residual is not laid out as the result", error);
    return true;
}

/* f16 is what conversions are for, and nothing else. */
static bool check_storage(const VfiOp *op, GError **error)
{
    bool any = op->dst.half;

    for (int i = 0; i < sources_of(op); i++)
        any = any || op->src[i].half;
    if (op->kind == VFI_OP_CONVERT)
        return op->src[0].half != op->dst.half
                   ? true
                   : refuse(op, "one operand must be f16, the other f32", error);
    return any ? refuse(op, "operands must be f32", error) : true;
}

bool vfi_cpu_op_check(const VfiOp *op, int block, GError **error)
{
    if ((int)op->kind < 0 || op->kind >= VFI_OP_KIND_COUNT)
        return refuse(op, "no such operation", error);
    if (op->n_src < sources_of(op))
        return refuse(op, "a source is missing", error);
    for (int i = 0; i < sources_of(op); i++) {
        if (!operand_is_sane(&op->src[i]))
            return refuse(op, "a source's shape or offset is out of range", error);
    }
    if (!operand_is_sane(&op->dst))
        return refuse(op, "the result's shape or offset is out of range", error);
    return check_shapes(op, error) && check_layouts(op, block, error) &&
           check_storage(op, error);
}
