/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/compile.h"

#include <string.h>

#include "base/alloc.h"
#include "program/choose_engines.h"
#include "program/conv_steps.h"
#include "runtime/cuda_error.h"

/* Device memory is allocated in multiples of this. */
#define DEVICE_ALIGNMENT 256

/* Floats that one constant per channel takes, in whole vectors of eight. */
static size_t constant_floats(int channels)
{
    return ((size_t)channels + 7) / 8 * 8;
}

static size_t align(size_t bytes)
{
    return vfi_align_up(bytes, DEVICE_ALIGNMENT);
}

/* What a plan takes of device memory. */
typedef struct {
    size_t constants; /* floats */
    VfiCudaConvNeed convs;
} Need;

static const VfiActivation *activation_of(const VfiOp *op)
{
    return op->kind == VFI_OP_ACTIVATE ? &op->u.activation
           : vfi_op_is_conv(op)        ? &op->u.conv.activation
                                       : NULL;
}

static const float *bias_of(const VfiOp *op)
{
    return vfi_op_is_conv(op)                     ? op->u.conv.bias
           : op->kind == VFI_OP_UPSAMPLE_CONV_SUM ? op->u.nearest.bias
                                                  : NULL;
}

static const float *slope_of(const VfiOp *op)
{
    const VfiActivation *activation = activation_of(op);

    return activation != NULL && activation->kind == VFI_ACTIVATION_PRELU
               ? activation->slope
               : NULL;
}

static bool find_need(VfiDevice *device, const VfiPlan *plan, Need *need, GError **error)
{
    *need = (Need){0};
    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOp *op = &plan->ops[i];
        size_t floats = constant_floats(op->dst.shape.c);
        need->constants += (bias_of(op) != NULL ? floats : 0);
        need->constants += (slope_of(op) != NULL ? floats : 0);
        if (vfi_op_is_conv(op) &&
            !vfi_cuda_add_conv_need(device, plan, i, &need->convs, error))
            return false;
    }
    need->convs.sums = align(need->convs.sums);
    return true;
}

static size_t inputs_bytes(const VfiPlan *plan)
{
    return align(sizeof(VfiRunInputs)) + align(sizeof(float) * (size_t)plan->n_scalars);
}

bool vfi_cuda_measure(VfiDevice *device, const VfiPlan *plan, VfiProgramNeed *need,
                      GError **error)
{
    Need found;

    if (!vfi_cuda_enter(device, error))
        return false;
    bool known = find_need(device, plan, &found, error);
    vfi_cuda_leave();
    if (known)
        *need = (VfiProgramNeed){
            .packed_bytes = found.convs.packed,
            .scratch_bytes = align(found.constants * sizeof(float)) + found.convs.sums +
                             found.convs.workspace + inputs_bytes(plan),
        };
    return known;
}

/* ---- making it ready --------------------------------------------------------------- */

/* Copies biases and slopes to the device, padded with zeros to whole vectors. The copy
 * may still be under way when this returns; later allocations wait for it. */
static bool copy_constants(VfiProgram *program, size_t floats, GError **error)
{
    float *host = vfi_try_alloc0(MAX(floats, 1), sizeof(float), "constants", error);
    size_t used = 0;

    if (host == NULL)
        return false;
    program->constants =
        vfi_cuda_context_alloc(program->device->context, MAX(floats, 1) * sizeof(float),
                               "constants of a network", error);
    for (int i = 0; program->constants != NULL && i < program->plan->n_ops; i++) {
        const VfiOp *op = &program->plan->ops[i];
        const float *const from[] = {bias_of(op), slope_of(op)};
        const float **const to[] = {&program->steps[i].bias, &program->steps[i].slope};
        for (int k = 0; k < 2; k++) {
            if (from[k] == NULL)
                continue;
            memcpy(host + used, from[k], (size_t)op->dst.shape.c * sizeof(float));
            *to[k] = program->constants + used;
            used += constant_floats(op->dst.shape.c);
        }
    }
    bool copied =
        program->constants != NULL &&
        vfi_cuda_check(
            cudaMemcpyAsync(program->constants, host, MAX(floats, 1) * sizeof(float),
                            cudaMemcpyHostToDevice, program->device->context->stream),
            "copying constants", error);
    vfi_free(host);
    return copied;
}

static bool allocate(VfiProgram *program, const Need *need, GError **error)
{
    VfiCudaContext *context = program->device->context;
    size_t n_scalars = (size_t)MAX(program->plan->n_scalars, 1);

    program->sums_bytes = need->convs.sums;
    program->workspace_bytes = need->convs.workspace;
    program->scratch =
        vfi_cuda_context_alloc(context, MAX(need->convs.sums + need->convs.workspace, 1),
                               "convolutions' workspace", error);
    if (program->scratch == NULL)
        return false;
    program->inputs =
        vfi_cuda_context_alloc(context, sizeof(*program->inputs), "run inputs", error);
    if (program->inputs == NULL)
        return false;
    program->scalars =
        vfi_cuda_context_alloc(context, n_scalars * sizeof(float), "scalars", error);
    return program->scalars != NULL &&
           vfi_cuda_check(cudaHostAlloc((void **)&program->pinned_scalars,
                                        n_scalars * sizeof(float), cudaHostAllocDefault),
                          "pinning host memory", error);
}

static bool make_groups(VfiProgram *program, GError **error)
{
    const VfiPlan *plan = program->plan;

    for (int i = 0; i < plan->n_row_groups; i++) {
        const VfiRowGroup *group = &plan->row_groups[i];
        VfiCudaStep *step = &program->steps[group->first_op];
        step->group = vfi_cuda_row_group_new(plan, group, error);
        if (step->group == NULL)
            return false;
        step->n_ops = group->n_ops;
    }
    return true;
}

static void save_choices(const VfiDevice *device)
{
    g_autoptr(GError) problem = NULL;

    if (!vfi_cuda_conv_cache_save(device->context->choices, &problem))
        device->log(VFI_LOG_INFO, "cuDNN's engines will have to be tried again: %s",
                    problem->message);
}

static bool make_ready(VfiProgram *program, GError **error)
{
    Need need;

    for (int i = 0; i < program->plan->n_ops; i++)
        if (vfi_op_is_conv(&program->plan->ops[i]) &&
            !vfi_cuda_prepare_conv(program, i, error))
            return false;
    /* The workspace is known once engines have been chosen. */
    if (!make_groups(program, error) || !vfi_cuda_choose_convs(program, error) ||
        !find_need(program->device, program->plan, &need, error) ||
        !copy_constants(program, need.constants, error))
        return false;
    save_choices(program->device);
    return allocate(program, &need, error);
}

VfiProgram *vfi_cuda_compile(VfiDevice *device, const VfiPlan *plan, GError **error)
{
    VfiProgram *program;

    if (!vfi_cuda_enter(device, error))
        return NULL;
    program = g_new0(VfiProgram, 1);
    program->device = device;
    program->plan = plan;
    program->steps = g_new0(VfiCudaStep, MAX(plan->n_ops, 1));
    bool ready = make_ready(program, error);
    vfi_cuda_leave();
    if (ready)
        return program;
    vfi_cuda_program_free(device, program);
    return NULL;
}
