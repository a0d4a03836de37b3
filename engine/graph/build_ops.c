/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The builders of a graph's ops: check shapes, record nodes. */
#include "graph/nodes.h"

static VfiValue add_op(VfiGraph *graph, VfiOp op, VfiShape shape, VfiValue a, VfiValue b)
{
    VfiNode node = {
        .kind = VFI_NODE_OP,
        .shape = shape,
        .op = op,
        .source = {a, b},
        .n_sources = a == VFI_NO_VALUE   ? 0
                     : b == VFI_NO_VALUE ? 1
                                         : 2,
    };

    if (node.op.name == NULL)
        node.op.name = vfi_op_kind_to_string(op.kind);
    return vfi_graph_add_node(graph, node);
}

static bool same_shape(VfiShape a, VfiShape b)
{
    return a.c == b.c && a.h == b.h && a.w == b.w;
}

VfiValue vfi_graph_conv(VfiGraph *graph, VfiValue x, const char *key, int out, int kernel,
                        int stride)
{
    return vfi_graph_group_conv(graph, x, key, out, kernel, stride, 1);
}

VfiValue vfi_graph_group_conv(VfiGraph *graph, VfiValue x, const char *key, int out,
                              int kernel, int stride, int groups)
{
    if (!vfi_graph_check_values(graph, &x, 1, key))
        return VFI_NO_VALUE;
    VfiShape in = vfi_graph_shape(graph, x);
    if (groups < 1 || in.c % groups != 0 || out % groups != 0) {
        vfi_graph_fail(graph, "%s: %d and %d channels do not divide into %d groups", key,
                       in.c, out, groups);
        return VFI_NO_VALUE;
    }
    VfiShape shape = {out, (in.h - 1) / stride + 1, (in.w - 1) / stride + 1};
    VfiOp op = {
        .kind = VFI_OP_CONV,
        .name = key,
        .u.conv =
            {
                .weight = vfi_graph_find_weight(
                    graph, key, "weight", (int64_t[]){out, in.c / groups, kernel, kernel},
                    4),
                .bias = vfi_graph_find_weight(graph, key, "bias", (int64_t[]){out}, 1),
                .kernel_h = kernel,
                .kernel_w = kernel,
                .stride = stride,
                .pad_top = (kernel - 1) / 2,
                .pad_left = (kernel - 1) / 2,
                .pad_bottom = kernel / 2,
                .pad_right = kernel / 2,
                .groups = groups,
                .tolerates_bf16 = graph->tolerates_bf16,
            },
    };

    return graph->error != NULL ? VFI_NO_VALUE
                                : add_op(graph, op, shape, x, VFI_NO_VALUE);
}

VfiValue vfi_graph_conv_transpose(VfiGraph *graph, VfiValue x, const char *key, int out)
{
    return vfi_graph_conv_transpose_first(graph, x, key, out, out);
}

VfiValue vfi_graph_conv_transpose_first(VfiGraph *graph, VfiValue x, const char *key,
                                        int out, int count)
{
    if (!vfi_graph_check_values(graph, &x, 1, key))
        return VFI_NO_VALUE;
    VfiShape in = vfi_graph_shape(graph, x);
    VfiShape shape = {count, 2 * in.h, 2 * in.w};
    VfiOp op = {
        .kind = VFI_OP_CONV_TRANSPOSE,
        .name = key,
        .u.conv =
            {
                .weight = vfi_graph_find_weight(graph, key, "weight",
                                                (int64_t[]){in.c, out, 4, 4}, 4),
                .bias = vfi_graph_find_weight(graph, key, "bias", (int64_t[]){out}, 1),
                .kernel_h = 4,
                .kernel_w = 4,
                .stride = 2,
                .pad_top = 1,
                .pad_left = 1,
                .pad_bottom = 1,
                .pad_right = 1,
                .groups = 1,
                .weight_out = out,
            },
    };

    return graph->error != NULL ? VFI_NO_VALUE
                                : add_op(graph, op, shape, x, VFI_NO_VALUE);
}

VfiValue vfi_graph_prelu(VfiGraph *graph, VfiValue x, const char *key)
{
    if (!vfi_graph_check_values(graph, &x, 1, key))
        return VFI_NO_VALUE;
    VfiShape shape = vfi_graph_shape(graph, x);
    VfiOp op = {
        .kind = VFI_OP_ACTIVATE,
        .name = key,
        .u.activation =
            {
                .kind = VFI_ACTIVATION_PRELU,
                .slope =
                    vfi_graph_find_weight(graph, key, "weight", (int64_t[]){shape.c}, 1),
            },
    };

    return graph->error != NULL ? VFI_NO_VALUE
                                : add_op(graph, op, shape, x, VFI_NO_VALUE);
}

VfiValue vfi_graph_leaky_relu(VfiGraph *graph, VfiValue x, float leak)
{
    VfiOp op = {.kind = VFI_OP_ACTIVATE,
                .u.activation = {.kind = VFI_ACTIVATION_LEAKY, .leak = leak}};

    if (!vfi_graph_check_values(graph, &x, 1, "leaky_relu"))
        return VFI_NO_VALUE;
    return add_op(graph, op, vfi_graph_shape(graph, x), x, VFI_NO_VALUE);
}

VfiValue vfi_graph_sigmoid(VfiGraph *graph, VfiValue x)
{
    VfiOp op = {.kind = VFI_OP_ACTIVATE,
                .u.activation = {.kind = VFI_ACTIVATION_SIGMOID}};

    if (!vfi_graph_check_values(graph, &x, 1, "sigmoid"))
        return VFI_NO_VALUE;
    return add_op(graph, op, vfi_graph_shape(graph, x), x, VFI_NO_VALUE);
}

/* a ∘ b for operands of one shape; @b may have a single channel if @broadcast. */
static VfiValue add_binary(VfiGraph *graph, VfiOp op, VfiValue a, VfiValue b,
                           bool broadcast)
{
    VfiValue values[] = {a, b};
    const char *what = vfi_op_kind_to_string(op.kind);

    if (!vfi_graph_check_values(graph, values, 2, what))
        return VFI_NO_VALUE;
    VfiShape sa = vfi_graph_shape(graph, a), sb = vfi_graph_shape(graph, b);
    VfiShape wanted = sa;
    if (broadcast && sb.c == 1)
        wanted.c = 1;
    if (!same_shape(wanted, sb)) {
        vfi_graph_fail(graph, "%s: shapes %dx%dx%d and %dx%dx%d do not fit", what, sa.c,
                       sa.h, sa.w, sb.c, sb.h, sb.w);
        return VFI_NO_VALUE;
    }
    return add_op(graph, op, sa, a, b);
}

VfiValue vfi_graph_add(VfiGraph *graph, VfiValue a, VfiValue b, float scale)
{
    return add_binary(graph, (VfiOp){.kind = VFI_OP_ADD, .u.affine.mul = scale}, a, b,
                      false);
}

VfiValue vfi_graph_sub(VfiGraph *graph, VfiValue a, VfiValue b, float scale)
{
    return add_binary(graph, (VfiOp){.kind = VFI_OP_SUB, .u.affine.mul = scale}, a, b,
                      true);
}

VfiValue vfi_graph_mul(VfiGraph *graph, VfiValue a, VfiValue b)
{
    return add_binary(graph, (VfiOp){.kind = VFI_OP_MUL}, a, b, true);
}

VfiValue vfi_graph_affine(VfiGraph *graph, VfiValue x, float mul, float add)
{
    VfiOp op = {.kind = VFI_OP_AFFINE, .u.affine = {mul, add}};

    if (!vfi_graph_check_values(graph, &x, 1, "affine"))
        return VFI_NO_VALUE;
    return add_op(graph, op, vfi_graph_shape(graph, x), x, VFI_NO_VALUE);
}

VfiValue vfi_graph_clamp(VfiGraph *graph, VfiValue x, float low, float high)
{
    VfiOp op = {.kind = VFI_OP_CLAMP, .u.clamp = {low, high}};

    if (!vfi_graph_check_values(graph, &x, 1, "clamp"))
        return VFI_NO_VALUE;
    return add_op(graph, op, vfi_graph_shape(graph, x), x, VFI_NO_VALUE);
}

VfiValue vfi_graph_slice(VfiGraph *graph, VfiValue x, int first, int count)
{
    if (!vfi_graph_check_values(graph, &x, 1, "slice"))
        return VFI_NO_VALUE;
    VfiShape shape = vfi_graph_shape(graph, x);
    if (first < 0 || count < 1 || first > shape.c - count) {
        vfi_graph_fail(graph, "slice: channels %d…%d of %d", first, first + count - 1,
                       shape.c);
        return VFI_NO_VALUE;
    }
    shape.c = count;
    VfiNode node = {.kind = VFI_NODE_SLICE,
                    .shape = shape,
                    .source = {x},
                    .n_sources = 1,
                    .first = first};
    return vfi_graph_add_node(graph, node);
}

VfiValue vfi_graph_concat(VfiGraph *graph, const VfiValue *values, int n)
{
    if (!vfi_graph_check_values(graph, values, n, "concat"))
        return VFI_NO_VALUE;
    VfiShape shape = vfi_graph_shape(graph, values[0]);
    for (int i = 1; i < n; i++) {
        VfiShape part = vfi_graph_shape(graph, values[i]);
        if (part.h != shape.h || part.w != shape.w) {
            vfi_graph_fail(graph, "concat: part %d is %dx%d, part 0 is %dx%d", i, part.h,
                           part.w, shape.h, shape.w);
            return VFI_NO_VALUE;
        }
        shape.c += part.c;
    }
    VfiNode node = {.kind = VFI_NODE_CONCAT,
                    .shape = shape,
                    .parts = g_array_sized_new(FALSE, FALSE, sizeof(VfiValue), (guint)n)};
    g_array_append_vals(node.parts, values, (guint)n);
    return vfi_graph_add_node(graph, node);
}

VfiValue vfi_graph_resize(VfiGraph *graph, VfiValue x, int height, int width, float mul)
{
    if (!vfi_graph_check_values(graph, &x, 1, "resize"))
        return VFI_NO_VALUE;
    VfiShape shape = vfi_graph_shape(graph, x);
    if (height < 1 || width < 1) {
        vfi_graph_fail(graph, "resize: %dx%d to %dx%d", shape.h, shape.w, height, width);
        return VFI_NO_VALUE;
    }
    if (height == shape.h && width == shape.w)
        return mul == 1.0f ? x : vfi_graph_affine(graph, x, mul, 0.0f);
    shape.h = height;
    shape.w = width;
    return add_op(graph, (VfiOp){.kind = VFI_OP_RESIZE, .u.affine.mul = mul}, shape, x,
                  VFI_NO_VALUE);
}

VfiValue vfi_graph_pixel_shuffle(VfiGraph *graph, VfiValue x)
{
    if (!vfi_graph_check_values(graph, &x, 1, "pixel_shuffle"))
        return VFI_NO_VALUE;
    VfiShape in = vfi_graph_shape(graph, x);
    if (in.c % 4 != 0) {
        vfi_graph_fail(graph, "pixel_shuffle: %d channels are not a multiple of 4", in.c);
        return VFI_NO_VALUE;
    }
    return add_op(graph, (VfiOp){.kind = VFI_OP_PIXEL_SHUFFLE},
                  (VfiShape){in.c / 4, 2 * in.h, 2 * in.w}, x, VFI_NO_VALUE);
}

VfiValue vfi_graph_avg_pool(VfiGraph *graph, VfiValue x)
{
    if (!vfi_graph_check_values(graph, &x, 1, "pool"))
        return VFI_NO_VALUE;
    VfiShape shape = vfi_graph_shape(graph, x);
    if (shape.h < 2 || shape.w < 2) {
        vfi_graph_fail(graph, "pool: %dx%d cannot be halved", shape.h, shape.w);
        return VFI_NO_VALUE;
    }
    shape.h /= 2;
    shape.w /= 2;
    return add_op(graph, (VfiOp){.kind = VFI_OP_AVG_POOL}, shape, x, VFI_NO_VALUE);
}

VfiValue vfi_graph_nearest(VfiGraph *graph, VfiValue x, int height, int width)
{
    if (!vfi_graph_check_values(graph, &x, 1, "nearest"))
        return VFI_NO_VALUE;
    VfiShape shape = vfi_graph_shape(graph, x);
    if (height < shape.h || width < shape.w) {
        vfi_graph_fail(graph, "nearest: %dx%d to %dx%d makes it smaller", shape.h,
                       shape.w, height, width);
        return VFI_NO_VALUE;
    }
    shape.h = height;
    shape.w = width;
    return add_op(graph, (VfiOp){.kind = VFI_OP_NEAREST}, shape, x, VFI_NO_VALUE);
}

VfiValue vfi_graph_warp(VfiGraph *graph, VfiValue x, VfiValue flow)
{
    VfiValue values[] = {x, flow};

    if (!vfi_graph_check_values(graph, values, 2, "warp"))
        return VFI_NO_VALUE;
    VfiShape shape = vfi_graph_shape(graph, x), field = vfi_graph_shape(graph, flow);
    if (field.c != 2 || field.h != shape.h || field.w != shape.w) {
        vfi_graph_fail(graph, "warp: a flow of %dx%dx%d does not fit an image of %dx%d",
                       field.c, field.h, field.w, shape.h, shape.w);
        return VFI_NO_VALUE;
    }
    return add_op(graph, (VfiOp){.kind = VFI_OP_WARP}, shape, x, flow);
}

/* A plane of one value, given at each run. */
static VfiValue add_plane(VfiGraph *graph, VfiOp op, int height, int width)
{
    if (graph->error != NULL)
        return VFI_NO_VALUE;
    return add_op(graph, op, (VfiShape){1, height, width}, VFI_NO_VALUE, VFI_NO_VALUE);
}

VfiValue vfi_graph_time(VfiGraph *graph, int height, int width, float mul, float add)
{
    VfiOp op = {.kind = VFI_OP_TIME, .u.affine = {mul, add}};

    return add_plane(graph, op, height, width);
}

VfiValue vfi_graph_image_mean(VfiGraph *graph, int height, int width, float mul,
                              float add)
{
    VfiOp op = {.kind = VFI_OP_IMAGE_MEAN, .u.affine = {mul, add}};

    return add_plane(graph, op, height, width);
}

int vfi_graph_max_abs(VfiGraph *graph, VfiValue x)
{
    VfiOp op = {.kind = VFI_OP_MAX_ABS, .u.scalar = graph->n_scalars};

    if (vfi_graph_check_values(graph, &x, 1, "max_abs"))
        add_op(graph, op, (VfiShape){1, 1, 1}, x, VFI_NO_VALUE);
    return graph->n_scalars++;
}
