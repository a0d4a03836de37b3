/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Builders of what normalises, weights and embeds. */
#include "graph/nodes.h"
#include "op/descriptor.h"

static VfiValue activate(VfiGraph *graph, VfiValue x, VfiActivationKind kind)
{
    VfiOp op = {.kind = VFI_OP_SCALE_SHIFT, .u.scale_shift.activation = kind};

    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_silu(VfiGraph *graph, VfiValue x)
{
    return activate(graph, x, VFI_ACTIVATION_SILU);
}

VfiValue vfi_graph_gelu(VfiGraph *graph, VfiValue x)
{
    return activate(graph, x, VFI_ACTIVATION_GELU);
}

/* @key.weight and @key.bias, of @channels each. */
static void find_arrays(VfiGraph *graph, VfiOp *op, const char *key, int channels)
{
    op->u.norm.weight =
        vfi_graph_find_weight(graph, key, "weight", (int64_t[]){channels}, 1);
    op->u.norm.bias = vfi_graph_find_weight(graph, key, "bias", (int64_t[]){channels}, 1);
}

VfiValue vfi_graph_group_norm(VfiGraph *graph, VfiValue x, const char *key,
                              const VfiGroupNormSetup *setup)
{
    VfiOp norm = {
        .kind = VFI_OP_GROUP_NORM,
        .name = key,
        .u.norm = {.groups = setup->groups, .frames = setup->frames, .eps = setup->eps}};
    VfiOp apply = {.kind = VFI_OP_SCALE_SHIFT,
                   .name = key,
                   .u.scale_shift = {.adds = true, .activation = setup->activation}};
    VfiValue sources[] = {x, setup->film};
    int n = setup->film == VFI_NO_VALUE ? 1 : 2;

    if (!vfi_graph_infer(graph, &norm, sources, n))
        return VFI_NO_VALUE;
    find_arrays(graph, &norm, key, norm.dst.shape.c / 2);
    VfiValue factors = vfi_graph_add_op(graph, norm, sources, n);
    return vfi_graph_add_op(graph, apply, (VfiValue[]){x, factors}, 2);
}

VfiValue vfi_graph_layer_norm(VfiGraph *graph, VfiValue x, const char *key, float eps)
{
    VfiOp op = {.kind = VFI_OP_LAYER_NORM, .name = key, .u.norm.eps = eps};

    if (!vfi_graph_infer(graph, &op, &x, 1))
        return VFI_NO_VALUE;
    find_arrays(graph, &op, key, op.dst.shape.c);
    return vfi_graph_add_op(graph, op, &x, 1);
}

VfiValue vfi_graph_channel_mean(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_CHANNEL_MEAN}, &x, 1);
}

VfiValue vfi_graph_scale_channels(VfiGraph *graph, VfiValue x, VfiValue factors)
{
    return vfi_graph_add_op(graph, (VfiOp){.kind = VFI_OP_SCALE_SHIFT},
                            (VfiValue[]){x, factors}, 2);
}

VfiValue vfi_graph_step_embedding(VfiGraph *graph, VfiRunInput input, int channels,
                                  float base)
{
    VfiOp op = {.kind = VFI_OP_STEP_EMBEDDING,
                .u.step_embedding = {input, channels, base}};

    return vfi_graph_add_op(graph, op, NULL, 0);
}
