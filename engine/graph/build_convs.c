/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The builders of convolutions. */
#include "graph/nodes.h"
#include "op/descriptor.h"

/* Most frames of a volume that is convolved. */
#define MAX_FRAMES 64

VfiValue vfi_graph_conv(VfiGraph *graph, VfiValue x, const char *key, int out, int kernel,
                        int stride)
{
    return vfi_graph_group_conv(graph, x, key, out, kernel, stride, 1);
}

VfiValue vfi_graph_group_conv(VfiGraph *graph, VfiValue x, const char *key, int out,
                              int kernel, int stride, int groups)
{
    VfiConvSetup setup = {.out = out,
                          .kernel = kernel,
                          .stride = stride,
                          .pad_begin = (kernel - 1) / 2,
                          .pad_end = kernel / 2,
                          .groups = groups,
                          .has_bias = true};

    return vfi_graph_conv_with(graph, x, key, &setup);
}

static VfiOp conv_op(const VfiGraph *graph, const char *key, const VfiConvSetup *setup)
{
    return (VfiOp){
        .kind = VFI_OP_CONV,
        .name = key,
        .u.conv =
            {
                .out = setup->out,
                .kernel_h = setup->kernel,
                .kernel_w = setup->kernel,
                .stride = setup->stride,
                .pad_top = setup->pad_begin,
                .pad_left = setup->pad_begin,
                .pad_bottom = setup->pad_end,
                .pad_right = setup->pad_end,
                .groups = setup->groups == 0 ? 1 : setup->groups,
                .depth = setup->depth,
                .slice = setup->slice,
                .tolerates_bf16 = graph->tolerates_bf16,
            },
    };
}

/* Adds @op, whose shapes are known, with its weight, of that shape, and its bias. */
static VfiValue add_conv(VfiGraph *graph, VfiOp op, VfiValue x, const int64_t *shape,
                         int n_dims, bool has_bias)
{
    VfiConvParams *p = &op.u.conv;

    p->weight = vfi_graph_find_weight(graph, op.name, "weight", shape, n_dims);
    if (has_bias)
        p->bias = vfi_graph_find_weight(graph, op.name, "bias", (int64_t[]){p->out}, 1);
    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_conv_with(VfiGraph *graph, VfiValue x, const char *key,
                             const VfiConvSetup *setup)
{
    VfiOp op = conv_op(graph, key, setup);

    if (!vfi_graph_infer(graph, &op, &x, 1))
        return VFI_NO_VALUE;
    int64_t in = op.src[0].shape.c / op.u.conv.groups, kernel = setup->kernel;
    if (setup->depth > 0)
        return add_conv(graph, op, x,
                        (int64_t[]){setup->out, in, setup->depth, kernel, kernel}, 5,
                        setup->has_bias);
    return add_conv(graph, op, x, (int64_t[]){setup->out, in, kernel, kernel}, 4,
                    setup->has_bias);
}

VfiValue vfi_graph_linear(VfiGraph *graph, VfiValue x, const char *key, int out,
                          bool has_bias)
{
    VfiConvSetup setup = {.out = out, .kernel = 1, .stride = 1};
    VfiOp op = conv_op(graph, key, &setup);

    if (!vfi_graph_infer(graph, &op, &x, 1))
        return VFI_NO_VALUE;
    const char *name = vfi_graph_key(graph, "%s.weight", key);
    int n_dims = vfi_graph_weight_dimension(graph, name, 2) == 0 ? 2 : 3;
    return add_conv(graph, op, x, (int64_t[]){out, op.src[0].shape.c, 1}, n_dims,
                    has_bias);
}

/* Frame @frame of the result: a sum over the frames that the kernel sees there. Each of
 * them adds what the ones before gave, so that it can become that convolution's residual
 * (plan/fuse.c), and a slice of the kernel is one weight for all frames. */
static VfiValue conv3d_frame(VfiGraph *graph, const VfiValue *frames, const char *key,
                             const VfiConv3dSetup *setup, int frame)
{
    VfiConvSetup conv = {.out = setup->out,
                         .kernel = setup->kernel,
                         .stride = 1,
                         .pad_begin = (setup->kernel - 1) / 2,
                         .pad_end = setup->kernel / 2,
                         .has_bias = true,
                         .depth = setup->kernel_frames};
    VfiValue sum = VFI_NO_VALUE;

    for (int t = 0; t < setup->kernel_frames; t++) {
        int from = frame + t - setup->pad_frames;
        if (from < 0 || from >= setup->frames)
            continue; /* a frame of zeros */
        conv.slice = t;
        VfiValue term = vfi_graph_conv_with(graph, frames[from], key, &conv);
        sum = conv.has_bias ? term : vfi_graph_add(graph, term, sum, 1.0f);
        conv.has_bias = false;
    }
    return sum;
}

VfiValue vfi_graph_conv3d(VfiGraph *graph, VfiValue x, const char *key,
                          const VfiConv3dSetup *setup)
{
    VfiValue frames[MAX_FRAMES], results[MAX_FRAMES];
    int channels = vfi_graph_shape(graph, x).c, n_frames = setup->frames;
    int n = n_frames + 2 * setup->pad_frames - setup->kernel_frames + 1;

    if (!vfi_graph_check_values(graph, &x, 1, key))
        return VFI_NO_VALUE;
    if (n_frames < 1 || channels % n_frames != 0 || setup->kernel_frames < 1 ||
        setup->pad_frames < 0 || setup->pad_frames >= setup->kernel_frames || n < 1 ||
        MAX(n, n_frames) > MAX_FRAMES) {
        vfi_graph_fail(graph,
                       "conv3d '%s': %d channels are no %d frames that a kernel of %d "
                       "frames, padded by %d, goes over",
                       key, channels, n_frames, setup->kernel_frames, setup->pad_frames);
        return VFI_NO_VALUE;
    }
    for (int f = 0; f < n_frames; f++)
        frames[f] = n_frames == 1 ? x
                                  : vfi_graph_slice(graph, x, f * (channels / n_frames),
                                                    channels / n_frames);
    for (int f = 0; f < n; f++)
        results[f] = conv3d_frame(graph, frames, key, setup, f);
    return n == 1 ? results[0] : vfi_graph_concat(graph, results, n);
}

VfiValue vfi_graph_conv_transpose(VfiGraph *graph, VfiValue x, const char *key, int out)
{
    return vfi_graph_conv_transpose_first(graph, x, key, out, out);
}

VfiValue vfi_graph_conv_transpose_first(VfiGraph *graph, VfiValue x, const char *key,
                                        int out, int count)
{
    VfiOp op = {
        .kind = VFI_OP_CONV_TRANSPOSE,
        .name = key,
        .u.conv =
            {
                .out = count,
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

    if (!vfi_graph_infer(graph, &op, &x, 1))
        return VFI_NO_VALUE;
    int64_t shape[] = {op.src[0].shape.c, out, 4, 4};
    op.u.conv.weight = vfi_graph_find_weight(graph, key, "weight", shape, 4);
    op.u.conv.bias = vfi_graph_find_weight(graph, key, "bias", (int64_t[]){out}, 1);
    return vfi_graph_add_op(graph, op, &x, 1);
}
