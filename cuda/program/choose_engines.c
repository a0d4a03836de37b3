/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/choose_engines.h"

#include "runtime/cuda_error.h"

static size_t operand_bytes(const VfiOperand *operand)
{
    return vfi_shape_floats(operand->shape, operand->block) * sizeof(float);
}

/* Without memory for the trial, cuDNN's own first choice stays. */
static VfiCudaConvChoosing try_engines(const VfiProgram *program, int index,
                                       GError **error)
{
    const VfiOp *op = &program->plan->ops[index];
    const VfiCudaStep *step = &program->steps[index];
    VfiDevice *device = program->device;
    size_t workspace_bytes = MAX(vfi_cuda_conv_workspace(step->conv), 1);
    VfiShape rounded = op->dst.shape;
    VfiCudaConvChoosing choosing = VFI_CUDA_CONV_CHOSEN;

    rounded.c = vfi_cuda_conv_channels(rounded.c);
    size_t dst_bytes = MAX(operand_bytes(&op->dst), vfi_shape_floats(rounded, 0) * 4);
    void *src = vfi_cuda_context_alloc(device->context, operand_bytes(&op->src[0]),
                                       "trying convolutions", NULL);
    void *dst =
        vfi_cuda_context_alloc(device->context, dst_bytes, "trying convolutions", NULL);
    void *workspace = vfi_cuda_context_alloc(device->context, workspace_bytes,
                                             "trying convolutions", NULL);
    if (src != NULL && dst != NULL && workspace != NULL) {
        choosing = VFI_CUDA_CONV_FAILED;
        if (vfi_cuda_check(cudaMemsetAsync(src, 0, operand_bytes(&op->src[0]),
                                           device->compute_stream),
                           "trying convolutions", error))
            choosing = vfi_cuda_conv_choose(step->conv, device->compute_stream, src,
                                            step->weights->data, dst, workspace, error);
    }
    vfi_cuda_context_free(device->context, src);
    vfi_cuda_context_free(device->context, dst);
    vfi_cuda_context_free(device->context, workspace);
    return choosing;
}

static bool choose(const VfiProgram *program, int index, GError **error)
{
    VfiCudaConvChoosing choosing;

    do {
        choosing = try_engines(program, index, error);
    } while (choosing == VFI_CUDA_CONV_GO_ON);
    return choosing == VFI_CUDA_CONV_CHOSEN;
}

bool vfi_cuda_choose_convs(VfiProgram *program, GError **error)
{
    for (int i = 0; i < program->plan->n_ops; i++)
        if (program->steps[i].conv != NULL &&
            vfi_cuda_conv_has_choice(program->steps[i].conv) &&
            !choose(program, i, error))
            return false;
    return true;
}
