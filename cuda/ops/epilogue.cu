/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What follows a convolution: bias, residual, activation, and the conversion to another
 * layout. A thread takes 8 channels of a pixel and reads all that it needs before it
 * writes, so that the result may lie on the sums or the residual. Everything is computed
 * in f32; the sums may have been rounded to f16. */
#include "ops/tensor.cuh"

struct Operands {
    VfiCudaTensor sums, residual, dst;
};

struct Epilogue {
    const float *bias; /* one per channel, or NULL */
    VfiActivationKind activation;
    const float *slope; /* PRELU: one per channel; else NULL */
    VfiResidual residual;
};

/* Constants of convolutions. */
enum { BIAS, SLOPE };

static __device__ __forceinline__ void add_to(VfiGroup *group, const VfiGroup &other)
{
    VFI_UNROLL
    for (int k = 0; k < VFI_GROUP; k++)
        group->v[k] += other.v[k];
}

/* @slope: for activations with one slope for all channels. */
static __global__ void __launch_bounds__(VFI_BLOCK)
    finish(Operands operands, Epilogue epilogue, float slope, VfiGroupGrid over)
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

static void conv_constants(const VfiOp *op,
                           VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS])
{
    const VfiConvParams *p = &op->u.conv;
    size_t channels = (size_t)op->dst.shape.c;

    constants[BIAS] = {p->bias, channels};
    if (p->activation.kind == VFI_ACTIVATION_PRELU)
        constants[SLOPE] = {p->activation.slope, channels};
}

/* cuDNN has computed the sums. */
static cudaError_t launch_epilogue(const VfiCudaLaunch *launch)
{
    const VfiConvParams *p = &launch->op->u.conv;
    const VfiCudaTensor *sums = &launch->sums, *dst = &launch->dst;
    bool has_residual = p->residual != VFI_RESIDUAL_NONE;
    bool has_planes = vfi_tensor_is_planar(sums) || vfi_tensor_is_planar(dst);
    Operands operands = {*sums, has_residual ? launch->src[1] : *dst, *dst};
    Epilogue epilogue = {launch->constant[BIAS], p->activation.kind,
                         launch->constant[SLOPE], p->residual};
    VfiGroupLaunch groups = vfi_group_launch(vfi_tensor_plane(dst), dst->c, has_planes);

    VFI_LAUNCH(finish, groups.grid, groups.block, launch->stream, operands, epilogue,
               vfi_common_slope(p->activation.kind, p->activation.leak), groups.over);
    return cudaGetLastError();
}

const VfiCudaOpEntry vfi_cuda_op_conv = {NULL, conv_constants, launch_epilogue};
const VfiCudaOpEntry vfi_cuda_op_conv_transpose = {NULL, conv_constants, launch_epilogue};
