/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/run_op.h"

#include <string.h>

#include <vfi/error.h>

#include "conv/conv_op.h"
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

/* Has cuDNN compute the sums of a convolution. */
static bool run_conv(const VfiProgram *program, const VfiCudaStep *step,
                     VfiCudaLaunch *launch, GError **error)
{
    launch->sums = launch->dst;
    if (step->sums_in_scratch) {
        VfiCudaConvMath math = program->device->math;
        launch->sums.data = program->scratch;
        launch->sums.pixel_stride = vfi_cuda_sums_stride(math, launch->op);
        launch->sums.half = math == VFI_CUDA_CONV_F16;
        launch->sums.followed = false;
    }
    return vfi_cuda_conv_run(step->conv, launch->stream, launch->src[0].data,
                             step->weights->data, launch->sums.data,
                             program->scratch + program->sums_bytes, error);
}

static bool run_op(const VfiProgram *program, const VfiOp *op, const VfiCudaStep *step,
                   char *const *region, GError **error)
{
    VfiCudaLaunch launch = {
        .stream = program->device->compute_stream,
        .op = op,
        .inputs = program->inputs,
        .scalars = program->scalars,
        .scratch = program->scratch,
    };

    for (int s = 0; s < op->n_src; s++)
        launch.src[s] = tensor_of(&op->src[s], region);
    if (vfi_op_scalar(op) < 0)
        launch.dst = tensor_of(&op->dst, region);
    memcpy(launch.constant, step->constant, sizeof launch.constant);
    return (step->conv == NULL || run_conv(program, step, &launch, error)) &&
           vfi_cuda_check(vfi_cuda_op(op->kind)->launch(&launch),
                          op->name != NULL ? op->name : vfi_op_kind_to_string(op->kind),
                          error);
}

bool vfi_cuda_run_op(const VfiProgram *program, int index, char *const *region,
                     int *n_ops, GError **error)
{
    const VfiCudaStep *step = &program->steps[index];

    *n_ops = step->group != NULL ? step->n_ops : 1;
    if (step->group == NULL)
        return run_op(program, &program->plan->ops[index], step, region, error);
    return vfi_cuda_check(vfi_cuda_row_group_run(program->device->compute_stream,
                                                 step->group, region, program->inputs,
                                                 program->scalars),
                          "a row group", error);
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
