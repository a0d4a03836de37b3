/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows the sums of a convolution: bias, residual and activation. */
#pragma once

#include "ops/tensor.cuh"

struct VfiConvEnd {
    const float *bias; /* one per channel, or NULL */
    VfiActivationKind activation;
    const float *slopes; /* PRELU: one per channel; else NULL, and all have .slope */
    float slope;
    VfiResidual place;
    VfiCudaTensor residual;
};

/* Constants of convolutions; depthwise ones have their weight there, too. */
enum { VFI_CONV_BIAS, VFI_CONV_SLOPES, VFI_CONV_WEIGHT };

static inline VfiConvEnd vfi_conv_end_of(const VfiCudaLaunch *launch)
{
    const VfiConvParams *p = &launch->op->u.conv;
    VfiConvEnd end;

    end.bias = launch->constant[VFI_CONV_BIAS];
    end.activation = p->activation.kind;
    end.slopes = launch->constant[VFI_CONV_SLOPES];
    end.slope = vfi_common_slope(p->activation.kind, p->activation.leak);
    end.place = p->residual;
    end.residual = p->residual != VFI_RESIDUAL_NONE ? launch->src[1] : launch->dst;
    return end;
}

static __device__ __forceinline__ void vfi_add_to(VfiGroup *group, const VfiGroup &other)
{
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        group->v[k] += other.v[k];
}

/* The result of channels @channel … @channel + 7, of @channels, from their sums. */
static __device__ __forceinline__ VfiGroup vfi_end_conv(VfiGroup x, const VfiConvEnd &end,
                                                        unsigned pixel, int channel,
                                                        int channels)
{
    VfiGroup residual = {{0.0f}};

    vfi_add_to(&x, vfi_load_each(end.bias, channel, channels, 0.0f));
    if (end.place != VFI_RESIDUAL_NONE)
        residual = vfi_load_group(end.residual, pixel, channel);
    if (end.place == VFI_RESIDUAL_BEFORE_ACTIVATION)
        vfi_add_to(&x, residual);

    bool is_sigmoid = end.activation == VFI_ACTIVATION_SIGMOID;
    VfiGroup slopes = vfi_load_each(end.slopes, channel, channels, end.slope);
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        x.v[k] = vfi_activated(x.v[k], is_sigmoid, slopes.v[k]);

    if (end.place == VFI_RESIDUAL_AFTER_ACTIVATION)
        vfi_add_to(&x, residual);
    return x;
}
