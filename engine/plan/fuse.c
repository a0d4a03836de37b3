/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pass fuse: convolutions take over the activation or the sum that follows them, and
 * 2×2 convolutions the enlargement before them. */
#include "plan/planner.h"

#include <string.h>

/* The convolution that computes @value for @by alone, and so can take over its work; or
 * NULL. */
static VfiPlanItem *fusable_conv(VfiPlanner *planner, VfiValue value,
                                 const VfiPlanItem *by)
{
    VfiPlanItem *item = &planner->items[value];

    return vfi_plan_is_conv(item) && item->use.n == 1 &&
                   item->node.segment == by->node.segment
               ? item
               : NULL;
}

/* conv → activation: the activation's node becomes the convolution with that epilogue. */
static void fuse_activation(VfiPlanner *planner, VfiPlanItem *item)
{
    VfiPlanItem *conv = fusable_conv(planner, item->node.source[0], item);

    if (conv == NULL || conv->node.op.u.conv.activation.kind != VFI_ACTIVATION_NONE)
        return;
    VfiActivation activation = item->node.op.u.activation;
    item->node.op = conv->node.op;
    item->node.op.u.conv.activation = activation;
    if (item->node.op.u.conv.residual == VFI_RESIDUAL_AFTER_ACTIVATION)
        item->node.op.u.conv.residual = VFI_RESIDUAL_BEFORE_ACTIVATION;
    memcpy(item->node.source, conv->node.source, sizeof(item->node.source));
    item->node.n_sources = conv->node.n_sources;
    conv->use.alive = false;
}

/* conv + x: the sum's node becomes the convolution with the residual x. */
static void fuse_residual(VfiPlanner *planner, VfiPlanItem *item)
{
    if (item->node.op.u.sum.scale != 1.0f || item->node.source[0] == item->node.source[1])
        return;
    for (int i = 0; i < 2; i++) {
        VfiPlanItem *conv = fusable_conv(planner, item->node.source[i], item);
        if (conv == NULL || conv->node.op.kind != VFI_OP_CONV ||
            conv->node.op.u.conv.residual != VFI_RESIDUAL_NONE)
            continue;
        VfiValue other = item->node.source[1 - i];
        item->node.op = conv->node.op;
        item->node.op.u.conv.residual = VFI_RESIDUAL_AFTER_ACTIVATION;
        item->node.source[0] = conv->node.source[0];
        item->node.source[1] = other;
        item->node.n_sources = 2;
        conv->use.alive = false;
        return;
    }
}

/* Whether @conv is 2 × 2, stride 1, padded at the right and the bottom, and followed by a
 * bias at most. */
static bool is_plain_2x2(const VfiPlanItem *conv)
{
    const VfiConvParams *p = &conv->node.op.u.conv;

    return conv->node.op.kind == VFI_OP_CONV && p->kernel_h == 2 && p->kernel_w == 2 &&
           p->stride == 1 && p->pad_top == 0 && p->pad_left == 0 && p->pad_bottom == 1 &&
           p->pad_right == 1 && p->groups == 1 && p->depth == 0 &&
           p->residual == VFI_RESIDUAL_NONE && p->activation.kind == VFI_ACTIVATION_NONE;
}

/* nearest → 2×2 convolution: repeated pixels give equal products. So the products are
 * computed before the enlargement, for all four places of the kernel by one 1×1
 * convolution, and added up at the pixels where they belong. A quarter of the work, and
 * no enlarged input. */
static void fuse_enlargement(VfiPlanner *planner, VfiPlanItem *conv)
{
    VfiPlanItem *nearest = &planner->items[conv->node.source[0]];

    if (!is_plain_2x2(conv) || nearest->node.kind != VFI_NODE_OP ||
        nearest->node.op.kind != VFI_OP_NEAREST || nearest->use.n != 1 ||
        nearest->node.segment != conv->node.segment)
        return;
    const VfiPlanItem *source = &planner->items[nearest->node.source[0]];
    VfiNearestParams sum = nearest->node.op.u.nearest;
    VfiConvParams *p = &nearest->node.op.u.conv;
    sum.bias = conv->node.op.u.conv.bias;
    nearest->node.op = conv->node.op;
    p->bias = NULL;
    p->out = 4 * conv->node.shape.c;
    p->kernel_h = p->kernel_w = 1;
    p->pad_bottom = p->pad_right = 0;
    p->taps = 4;
    p->tap_channels = conv->node.shape.c;
    nearest->node.shape = (VfiShape){p->out, source->node.shape.h, source->node.shape.w};
    conv->node.op.kind = VFI_OP_UPSAMPLE_CONV_SUM;
    conv->node.op.u = (VfiOpParams){.nearest = sum};
}

void vfi_plan_fuse(VfiPlanner *planner)
{
    for (int i = 0; i < planner->n_items; i++) {
        VfiPlanItem *item = &planner->items[i];
        if (!item->use.alive || item->node.kind != VFI_NODE_OP)
            continue;
        if (item->node.op.kind == VFI_OP_ACTIVATE)
            fuse_activation(planner, item);
        else if (item->node.op.kind == VFI_OP_ADD)
            fuse_residual(planner, item);
    }
    for (int i = 0; i < planner->n_items; i++)
        if (planner->items[i].use.alive && planner->items[i].node.kind == VFI_NODE_OP)
            fuse_enlargement(planner, &planner->items[i]);
}
