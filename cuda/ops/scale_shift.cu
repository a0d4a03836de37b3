/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Factors and addends by channel, and an activation. A thread takes 8 channels of a
 * pixel. */
#include "ops/tensor.cuh"

struct ScaleShift {
    const float *factor; /* or NULL: 1 */
    const float *addend; /* or NULL: 0 */
    int channels;        /* of a frame: that many factors */
    float slope;         /* of negative values, where there is no other activation */
};

/* Values of channels @channel … @channel + 7 of a volume, which repeat after
 * @channels; @otherwise without any. */
static __device__ __forceinline__ VfiGroup load_repeated(const float *values, int channel,
                                                         int channels, float otherwise)
{
    int at = channel % channels;
    VfiGroup group;

    if (at + VFI_GROUP <= channels)
        return vfi_load_each(values, at, channels, otherwise);
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++) {
        group.v[k] = values != NULL ? values[at] : otherwise;
        at = at + 1 < channels ? at + 1 : 0;
    }
    return group;
}

template <VfiActivationKind KIND>
static __device__ __forceinline__ float ended(float x, float slope)
{
    if (KIND == VFI_ACTIVATION_SILU)
        return vfi_silu(x);
    if (KIND == VFI_ACTIVATION_GELU)
        return vfi_gelu(x);
    return x < 0.0f ? x * slope : x;
}

template <VfiActivationKind KIND>
static __global__ void __launch_bounds__(VFI_BLOCK)
    scale_shift(VfiCudaTensor src, VfiCudaTensor dst, ScaleShift by, VfiGroupGrid over)
{
    unsigned pixel;
    int channel;

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    VfiGroup x = vfi_load_group(src, pixel, channel);
    VfiGroup factor = load_repeated(by.factor, channel, by.channels, 1.0f);
    VfiGroup addend = load_repeated(by.addend, channel, by.channels, 0.0f);
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        x.v[k] = ended<KIND>(x.v[k] * factor.v[k] + addend.v[k], by.slope);
    vfi_store_group(dst, pixel, channel, x);
}

static cudaError_t launch_scale_shift(const VfiCudaLaunch *launch)
{
    const VfiScaleShiftParams *p = &launch->op->u.scale_shift;
    VfiGroupLaunch groups = vfi_group_launch_over(&launch->dst);
    bool has_factors = launch->op->n_src > 1;
    int channels = has_factors ? launch->src[1].c / (p->adds ? 2 : 1) : launch->dst.c;
    const float *factor = has_factors ? (const float *)launch->src[1].data : NULL;
    ScaleShift by = {factor, p->adds ? factor + channels : NULL, channels,
                     vfi_common_slope(p->activation, p->leak)};
    auto kernel = p->activation == VFI_ACTIVATION_SILU ? scale_shift<VFI_ACTIVATION_SILU>
                  : p->activation == VFI_ACTIVATION_GELU
                      ? scale_shift<VFI_ACTIVATION_GELU>
                      : scale_shift<VFI_ACTIVATION_LEAKY>;

    VFI_LAUNCH(kernel, groups.grid, groups.block, launch->stream, launch->src[0],
               launch->dst, by, groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_scale_shift = {NULL, NULL, launch_scale_shift};
