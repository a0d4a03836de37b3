/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/program.h"

static void free_graphs(VfiProgram *program)
{
    for (int i = 0; i < VFI_CUDA_GRAPHS; i++)
        if (program->graphs[i].graph != NULL)
            cudaGraphExecDestroy(program->graphs[i].graph);
}

void vfi_cuda_program_free(VfiDevice *device, VfiProgram *program)
{
    if (program == NULL)
        return;
    for (int i = 0; i < program->plan->n_ops; i++) {
        vfi_packed_release(program->steps[i].weights);
        vfi_cuda_row_group_free(program->steps[i].group);
    }
    if (!atomic_load(&device->context->is_primary) &&
        program->plan->packed_weights != NULL)
        vfi_packed_weights_drop(program->plan->packed_weights, &device->context->weights);
    if (vfi_cuda_enter(device, NULL)) {
        free_graphs(program);
        vfi_cuda_context_free(device->context, program->constants);
        vfi_cuda_context_free(device->context, program->scratch);
        vfi_cuda_context_free(device->context, program->inputs);
        vfi_cuda_context_free(device->context, program->scalars);
        if (program->pinned_scalars != NULL)
            cudaFreeHost(program->pinned_scalars);
        vfi_cuda_leave();
    }
    g_free(program->steps);
    g_free(program);
}

size_t vfi_cuda_program_packed_bytes(const VfiProgram *program)
{
    return program->packed_bytes;
}
