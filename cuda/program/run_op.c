/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/run_op.h"

#include <vfi/error.h>

#include "op/descriptor.h"
#include "runtime/cuda_error.h"

static VfiCudaTensor tensor_of(const VfiOperand *operand, char *const *region)
{
    return (VfiCudaTensor){
        .data = region[operand->region] + operand->offset,
        .c = operand->shape.c,
        .h = operand->shape.h,
        .w = operand->shape.w,
        .pixel_stride = vfi_operand_is_blocked(operand) ? operand->block : 0,
        .half = operand->half,
        .followed = operand->followed,
    };
}

static bool run_conv(const VfiProgram *program, const VfiOp *op, const VfiCudaStep *step,
                     const VfiCudaTensor *src, const VfiCudaTensor *dst, GError **error)
{
    const VfiConvParams *p = &op->u.conv;
    cudaStream_t stream = program->device->compute_stream;
    VfiCudaTensor sums = *dst;
    const VfiCudaEpilogue epilogue = {
        .bias = step->bias,
        .activation = p->activation.kind,
        .slope = step->slope,
        .leak = p->activation.leak,
        .residual = p->residual,
    };

    if (step->sums_in_scratch) {
        sums.data = program->scratch;
        sums.pixel_stride = program->device->math == VFI_CUDA_CONV_F32
                                ? 0
                                : vfi_cuda_conv_channels(dst->c);
        sums.half = program->device->math == VFI_CUDA_CONV_F16;
        sums.followed = false;
    }
    return vfi_cuda_conv_run(step->conv, stream, src[0].data, step->weights->data,
                             sums.data, program->scratch + program->sums_bytes, error) &&
           vfi_cuda_check(
               vfi_cuda_epilogue(stream, &sums, &epilogue,
                                 p->residual != VFI_RESIDUAL_NONE ? &src[1] : NULL, dst),
               op->name, error);
}

static cudaError_t run_kernel(const VfiProgram *program, const VfiOp *op,
                              const VfiCudaStep *step, const VfiCudaTensor *src,
                              const VfiCudaTensor *dst)
{
    cudaStream_t stream = program->device->compute_stream;
    const VfiAffineParams *affine = &op->u.affine;

    switch (op->kind) {
    case VFI_OP_ACTIVATE:
        return vfi_cuda_activate(stream, src, op->u.activation.kind, step->slope,
                                 op->u.activation.leak, dst);
    case VFI_OP_ADD:
        return vfi_cuda_add(stream, &src[0], &src[1], op->u.sum.scale, dst);
    case VFI_OP_SUB:
        return vfi_cuda_sub(stream, &src[0], &src[1], op->u.sum.scale, dst);
    case VFI_OP_MUL:
        return vfi_cuda_mul(stream, &src[0], &src[1], dst);
    case VFI_OP_AFFINE:
        return vfi_cuda_affine(stream, src, affine->mul, affine->add, dst);
    case VFI_OP_CLAMP:
        return vfi_cuda_clamp(stream, src, op->u.clamp.low, op->u.clamp.high, dst);
    case VFI_OP_COPY:
    case VFI_OP_CONVERT:
        return vfi_cuda_copy(stream, src, dst);
    case VFI_OP_RESIZE:
        return vfi_cuda_resize(stream, src, op->u.resize.mul, dst);
    case VFI_OP_AVG_POOL:
        return vfi_cuda_pool(stream, src, dst);
    case VFI_OP_NEAREST:
        return vfi_cuda_nearest(stream, src, dst);
    case VFI_OP_UPSAMPLE_CONV_SUM:
        return vfi_cuda_upsample_conv_sum(stream, src, step->bias, dst);
    case VFI_OP_PIXEL_SHUFFLE:
        return vfi_cuda_pixel_shuffle(stream, src, dst);
    case VFI_OP_WARP:
        return vfi_cuda_warp(stream, &src[0], &src[1], dst);
    case VFI_OP_FILL:
        return vfi_cuda_fill(stream, &program->inputs->value[op->u.fill.input],
                             op->u.fill.mul, op->u.fill.add, dst);
    case VFI_OP_MAX_ABS:
        return vfi_cuda_max_abs(stream, src, program->scalars + op->u.max_abs.scalar);
    default:
        return cudaErrorInvalidValue;
    }
}

bool vfi_cuda_run_op(const VfiProgram *program, int index, char *const *region,
                     int *n_ops, GError **error)
{
    const VfiOp *op = &program->plan->ops[index];
    const VfiCudaStep *step = &program->steps[index];
    VfiCudaTensor src[VFI_OP_MAX_SOURCES] = {{0}}, dst = {0};

    *n_ops = step->group != NULL ? step->n_ops : 1;
    if (step->group != NULL)
        return vfi_cuda_check(vfi_cuda_row_group_run(program->device->compute_stream,
                                                     step->group, region, program->inputs,
                                                     program->scalars),
                              "a row group", error);
    for (int s = 0; s < op->n_src; s++)
        src[s] = tensor_of(&op->src[s], region);
    if (vfi_op_scalar(op) < 0)
        dst = tensor_of(&op->dst, region);
    if (step->conv != NULL)
        return run_conv(program, op, step, src, &dst, error);
    return vfi_cuda_check(run_kernel(program, op, step, src, &dst),
                          op->name != NULL ? op->name : vfi_op_kind_to_string(op->kind),
                          error);
}

bool vfi_cuda_run_ops(const VfiProgram *program, int segment, char *const *region,
                      const atomic_int *cancel, GError **error)
{
    const VfiPlanSegment *range = &program->plan->segments[segment];

    for (int i = range->first_op, n = 0; i < range->first_op + range->n_ops; i += n) {
        if (cancel != NULL && atomic_load(cancel) != 0) {
            g_set_error_literal(error, VFI_ERROR, VFI_ERROR_CANCELLED,
                                "the job was cancelled");
            return false;
        }
        if (!vfi_cuda_run_op(program, i, region, &n, error))
            return false;
    }
    return true;
}
