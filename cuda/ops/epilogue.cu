/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows a convolution: bias, residual, activation, and the conversion to another
 * layout. A thread takes 8 channels of a pixel and reads all that it needs before it
 * writes, so that the result may lie on the sums or the residual. Everything is computed
 * in f32; the sums may have been rounded to f16. */
#include "ops/tensor.cuh"

struct Operands {
    VfiCudaTensor sums, residual, dst;
};

static __device__ __forceinline__ void add_to(VfiGroup *group, const VfiGroup &other)
{
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        group->v[k] += other.v[k];
}

/* @slope: for activations with one slope for all channels. */
static __global__ void __launch_bounds__(VFI_BLOCK)
    finish(Operands operands, VfiCudaEpilogue epilogue, float slope, VfiGroupGrid over)
{
    unsigned pixel;
    int channel;

    if (!vfi_group_place(over, &pixel, &channel))
        return;
    VfiGroup x = vfi_load_group(operands.sums, pixel, channel), residual = {{0.0f}};
    add_to(&x, vfi_load_each(epilogue.bias, channel, over.channels, 0.0f));
    if (epilogue.residual != VFI_RESIDUAL_NONE)
        residual = vfi_load_group(operands.residual, pixel, channel);
    if (epilogue.residual == VFI_RESIDUAL_BEFORE_ACTIVATION)
        add_to(&x, residual);

    bool is_sigmoid = epilogue.activation == VFI_ACTIVATION_SIGMOID;
    VfiGroup slopes = vfi_load_each(epilogue.slope, channel, over.channels, slope);
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        x.v[k] = vfi_activated(x.v[k], is_sigmoid, slopes.v[k]);

    if (epilogue.residual == VFI_RESIDUAL_AFTER_ACTIVATION)
        add_to(&x, residual);
    vfi_store_group(operands.dst, pixel, channel, x);
}

cudaError_t vfi_cuda_epilogue(cudaStream_t stream, const VfiCudaTensor *sums,
                              const VfiCudaEpilogue *epilogue,
                              const VfiCudaTensor *residual, const VfiCudaTensor *dst)
{
    Operands operands = {*sums, residual != NULL ? *residual : *dst, *dst};
    VfiCudaEpilogue own = *epilogue;
    bool has_planes = vfi_tensor_is_planar(sums) || vfi_tensor_is_planar(dst);
    VfiGroupLaunch launch = vfi_group_launch(vfi_tensor_plane(dst), dst->c, has_planes);

    if (own.activation != VFI_ACTIVATION_PRELU)
        own.slope = NULL;
    if (residual == NULL)
        own.residual = VFI_RESIDUAL_NONE;
    VFI_LAUNCH(finish, launch.grid, launch.block, stream, operands, own,
               vfi_common_slope(own.activation, own.leak), launch.over);
    return cudaGetLastError();
}
