/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The builders of a graph's ops but for convolutions (build_convs.c). Shapes are the
 * descriptors' business. */
#include "graph/nodes.h"
#include "op/descriptor.h"

bool vfi_graph_infer(VfiGraph *graph, VfiOp *op, const VfiValue *sources, int n)
{
    const char *kind = vfi_op_kind_to_string(op->kind);

    if (!vfi_graph_check_values(graph, sources, n, op->name != NULL ? op->name : kind))
        return false;
    op->n_src = n;
    for (int i = 0; i < n; i++)
        op->src[i].shape = vfi_graph_shape(graph, sources[i]);
    return vfi_op_infer(op, &op->dst.shape, &graph->error);
}

VfiValue vfi_graph_add_op(VfiGraph *graph, VfiOp op, const VfiValue *sources, int n)
{
    if (!vfi_graph_infer(graph, &op, sources, n))
        return VFI_NO_VALUE;
    VfiNode node = {
        .kind = VFI_NODE_OP,
        .shape = op.dst.shape,
        .op = {.kind = op.kind, .name = op.name, .u = op.u},
        .n_sources = n,
    };

    for (int i = 0; i < n; i++)
        node.source[i] = sources[i];
    if (node.op.name == NULL)
        node.op.name = vfi_op_kind_to_string(op.kind);
    return vfi_graph_add_node(graph, node);
}

VfiValue vfi_graph_add_copy(VfiGraph *graph, VfiValue value, const char *name)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_COPY, .name = name}, &value, 1);
}

VfiValue vfi_graph_prelu(VfiGraph *graph, VfiValue x, const char *key)
{
    VfiOp op = {
        .kind = VFI_OP_ACTIVATE,
        .name = key,
        .u.activation = {.kind = VFI_ACTIVATION_PRELU},
    };

    if (!vfi_graph_infer(graph, &op, &x, 1))
        return VFI_NO_VALUE;
    op.u.activation.slope =
        vfi_graph_find_weight(graph, key, "weight", (int64_t[]){op.src[0].shape.c}, 1);
    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_leaky_relu(VfiGraph *graph, VfiValue x, float leak)
{
    VfiOp op = {.kind = VFI_OP_ACTIVATE,
                .u.activation = {.kind = VFI_ACTIVATION_LEAKY, .leak = leak}};

    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_sigmoid(VfiGraph *graph, VfiValue x)
{
    VfiOp op = {.kind = VFI_OP_ACTIVATE,
                .u.activation = {.kind = VFI_ACTIVATION_SIGMOID}};

    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_add(VfiGraph *graph, VfiValue a, VfiValue b, float scale)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_ADD, .u.sum.scale = scale},
                            (VfiValue[]){a, b}, 2);
}

VfiValue vfi_graph_sub(VfiGraph *graph, VfiValue a, VfiValue b, float scale)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_SUB, .u.sum.scale = scale},
                            (VfiValue[]){a, b}, 2);
}

VfiValue vfi_graph_mul(VfiGraph *graph, VfiValue a, VfiValue b)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_MUL}, (VfiValue[]){a, b}, 2);
}

VfiValue vfi_graph_affine(VfiGraph *graph, VfiValue x, float mul, float add)
{
    VfiOp op = {.kind = VFI_OP_AFFINE, .u.affine = {.mul = mul, .add = add}};

    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_clamp(VfiGraph *graph, VfiValue x, float low, float high)
{
    VfiOp op = {.kind = VFI_OP_CLAMP, .u.clamp = {.low = low, .high = high}};

    return vfi_graph_add_op(graph, op, &x, 1);
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
    VfiOp op = {.kind = VFI_OP_RESIZE,
                .u.resize = {.height = height, .width = width, .mul = mul}};

    if (!vfi_graph_infer(graph, &op, &x, 1))
        return VFI_NO_VALUE;
    if (vfi_shape_equal(op.dst.shape, op.src[0].shape))
        return mul == 1.0f ? x : vfi_graph_affine(graph, x, mul, 0.0f);
    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_pixel_shuffle(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_PIXEL_SHUFFLE}, &x, 1);
}

VfiValue vfi_graph_avg_pool(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_AVG_POOL}, &x, 1);
}

VfiValue vfi_graph_nearest(VfiGraph *graph, VfiValue x, int height, int width)
{
    VfiOp op = {.kind = VFI_OP_NEAREST, .u.nearest = {.height = height, .width = width}};

    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_warp(VfiGraph *graph, VfiValue x, VfiValue flow)
{
    VfiOp op = {.kind = VFI_OP_WARP};
    VfiValue sources[] = {x, flow};

    if (!vfi_graph_infer(graph, &op, sources, 2))
        return VFI_NO_VALUE;
    if (!vfi_shape_equal(op.dst.shape, op.src[0].shape)) {
        vfi_op_refuse(&op, &graph->error, "the flow has not the image's size");
        return VFI_NO_VALUE;
    }
    return vfi_graph_add_op(graph, op, sources, 2);
}

VfiValue vfi_graph_correlation(VfiGraph *graph, VfiValue x, VfiValue flow,
                               VfiValue reference)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_CORRELATION},
                            (VfiValue[]){x, flow, reference}, 3);
}

VfiValue vfi_graph_haar(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_HAAR}, &x, 1);
}

VfiValue vfi_graph_keep_inside(VfiGraph *graph, VfiValue x, double scale, float outside)
{
    VfiOp op = {.kind = VFI_OP_KEEP_INSIDE,
                .u.keep_inside = {.scale = scale, .outside = outside}};

    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_attention(VfiGraph *graph, VfiValue q, VfiValue k, VfiValue v,
                             const char *bias_key, const VfiAttentionSetup *setup)
{
    VfiOp op = {.kind = VFI_OP_ATTENTION,
                .name = bias_key,
                .u.attention = {.kind = setup->kind,
                                .frames = setup->frames,
                                .window = setup->window,
                                .scale = setup->scale}};
    VfiValue sources[] = {q, k, v};
    int64_t side = 2 * (int64_t)setup->window - 1;

    if (!vfi_graph_infer(graph, &op, sources, 3))
        return VFI_NO_VALUE;
    if (bias_key != NULL)
        op.u.attention.bias = vfi_graph_find_weight(graph, bias_key, "weight",
                                                    (int64_t[]){side * side, 1}, 2);
    return vfi_graph_add_op(graph, op, sources, 3);
}

VfiValue vfi_graph_quantize(VfiGraph *graph, VfiValue x, const char *key)
{
    const char *name = vfi_graph_key(graph, "%s.weight", key);
    int n = MAX(vfi_graph_weight_dimension(graph, name, 0), 1); /* else it is missing */
    VfiOp op = {.kind = VFI_OP_QUANTIZE, .name = key, .u.quantize.n_codes = n};

    if (!vfi_graph_infer(graph, &op, &x, 1))
        return VFI_NO_VALUE;
    op.u.quantize.codes =
        vfi_graph_find_weight(graph, key, "weight", (int64_t[]){n, VFI_CODE_CHANNELS}, 2);
    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_run_input(VfiGraph *graph, VfiRunInput input, int height, int width,
                             float mul, float add)
{
    VfiOp op = {.kind = VFI_OP_FILL,
                .name = vfi_run_input_to_string(input),
                .u.fill = {input, mul, add, height, width}};

    return vfi_graph_add_op(graph, op, NULL, 0);
}

VfiValue vfi_graph_noise(VfiGraph *graph, int channels, int height, int width)
{
    int reduction = MAX(graph->width / MAX(width, 1), 1);
    VfiOp op = {.kind = VFI_OP_NOISE,
                .u.noise = {.channels = channels,
                            .height = height,
                            .width = width,
                            .stream = (uint32_t)graph->n_noises,
                            .reduction = reduction}};

    if (!vfi_graph_infer(graph, &op, NULL, 0))
        return VFI_NO_VALUE;
    if (graph->width % width != 0 || graph->height % height != 0 ||
        graph->height / height != reduction) {
        vfi_op_refuse(
            &op, &graph->error,
            "the image, %d×%d, is not a whole multiple of that, the same in both "
            "directions",
            graph->height, graph->width);
        return VFI_NO_VALUE;
    }
    graph->n_noises++;
    return vfi_graph_add_op(graph, op, NULL, 0);
}

int vfi_graph_max_abs(VfiGraph *graph, VfiValue x)
{
    VfiOp op = {.kind = VFI_OP_MAX_ABS, .u.max_abs.scalar = graph->n_scalars};

    vfi_graph_add_op(graph, op, &x, 1);
    return graph->n_scalars++;
}
