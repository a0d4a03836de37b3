/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows a convolution: bias, residual, activation, and the conversion to another
 * layout. A thread takes 8 channels of a pixel and reads all that it needs before it
 * writes, so that the result may lie on the sums or the residual. Everything is computed
 * in f32; the sums may have been rounded to f16. */
#include "ops/conv_end.cuh"
#include "ops/depthwise.cuh"

static __global__ void __launch_bounds__(VFI_BLOCK)
    finish(VfiCudaTensor sums, VfiConvEnd end, VfiCudaTensor dst, VfiGroupGrid over)
{
    unsigned pixel;
    int channel;

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    VfiGroup x = vfi_load_group(sums, pixel, channel);
    vfi_store_group(dst, pixel, channel,
                    vfi_end_conv(x, end, pixel, channel, over.channels));
}

static void conv_constants(const VfiOp *op,
                           VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS])
{
    const VfiConvParams *p = &op->u.conv;
    size_t channels = (size_t)op->dst.shape.c;
    size_t taps = (size_t)p->kernel_h * (size_t)p->kernel_w;

    constants[VFI_CONV_BIAS] = {p->bias, channels, 0};
    if (p->activation.kind == VFI_ACTIVATION_PRELU)
        constants[VFI_CONV_SLOPES] = {p->activation.slope, channels, 0};
    if (vfi_cuda_is_depthwise(op))
        constants[VFI_CONV_WEIGHT] = {p->weight, channels * taps, taps};
}

/* cuDNN has computed the sums. */
static cudaError_t launch_epilogue(const VfiCudaLaunch *launch)
{
    const VfiCudaTensor *sums = &launch->sums, *dst = &launch->dst;
    bool has_planes = vfi_tensor_is_planar(sums) || vfi_tensor_is_planar(dst);
    VfiGroupLaunch groups = vfi_group_launch(vfi_tensor_plane(dst), dst->c, has_planes);

    if (vfi_cuda_is_depthwise(launch->op))
        return vfi_cuda_launch_depthwise(launch);
    VFI_LAUNCH(finish, groups.grid, groups.block, launch->stream, *sums,
               vfi_conv_end_of(launch), *dst, groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_conv = {NULL, conv_constants, launch_epilogue};
const VfiCudaOpEntry vfi_cuda_op_conv_transpose = {NULL, conv_constants, launch_epilogue};
