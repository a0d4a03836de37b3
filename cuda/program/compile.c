/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/compile.h"

#include <string.h>

#include "base/alloc.h"
#include "program/choose_engines.h"
#include "program/conv_steps.h"
#include "rows/row_op.h"
#include "runtime/cuda_error.h"

/* Device memory is allocated in multiples of this. */
#define DEVICE_ALIGNMENT 256

/* Floats that it takes, in whole vectors of eight. */
static size_t constant_floats(const VfiCudaConstant *constant)
{
    size_t columns = MAX(constant->columns, 1);

    return constant->values != NULL ? columns * vfi_align_up(constant->n / columns, 8)
                                    : 0;
}

/* Writes it to @to, where zeros are. */
static void copy_constant(const VfiCudaConstant *constant, float *to)
{
    size_t columns = MAX(constant->columns, 1), rows = constant->n / columns;
    size_t pitch = vfi_align_up(rows, 8);

    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++)
            to[column * pitch + row] = constant->values[row * columns + column];
}

/* Whether cuDNN computes a part of it. */
static bool uses_cudnn(const VfiOp *op)
{
    return vfi_op_is_conv(op) && !vfi_cuda_is_depthwise(op);
}

static size_t align(size_t bytes)
{
    return vfi_align_up(bytes, DEVICE_ALIGNMENT);
}

/* What a plan takes of device memory. */
typedef struct {
    size_t constants; /* floats */
    size_t scratch;   /* bytes of the op that wants most, beside convolutions */
    VfiCudaConvNeed convs;
} Need;

/* Lists the constants of an op; those of row groups are in their programs. */
static void list_constants(const VfiOp *op,
                           VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS])
{
    const VfiCudaOpEntry *entry = vfi_cuda_op(op->kind);

    memset(constants, 0, VFI_CUDA_MAX_CONSTANTS * sizeof *constants);
    if (entry != NULL && entry->constants != NULL)
        entry->constants(op, constants);
}

static size_t op_scratch(const VfiOp *op)
{
    const VfiCudaOpEntry *entry = vfi_cuda_op(op->kind);

    return entry != NULL && entry->scratch != NULL ? entry->scratch(op) : 0;
}

/* What ops take in turn: a convolution its sums and workspace, others their scratch. */
static size_t shared_scratch(const Need *need)
{
    return MAX(need->convs.sums + need->convs.workspace, align(need->scratch));
}

static bool find_need(VfiDevice *device, const VfiPlan *plan, Need *need, GError **error)
{
    *need = (Need){0};
    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOp *op = &plan->ops[i];
        VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS];
        list_constants(op, constants);
        for (int k = 0; k < VFI_CUDA_MAX_CONSTANTS; k++)
            need->constants += constant_floats(&constants[k]);
        need->scratch = MAX(need->scratch, op_scratch(op));
        if (uses_cudnn(op) &&
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

/* Whether every op can be run, by itself or in its row group. */
static bool check_ops(const VfiPlan *plan, GError **error)
{
    const VfiRowGroup *group = plan->row_groups;

    for (int i = 0; i < plan->n_ops; i++) {
        if (group < plan->row_groups + plan->n_row_groups &&
            i == group->first_op + group->n_ops)
            group++;
        bool is_alone =
            group == plan->row_groups + plan->n_row_groups || i < group->first_op;
        if (is_alone ? !vfi_cuda_op_check(&plan->ops[i], error)
                     : !vfi_row_op_check(&plan->ops[i], error))
            return false;
    }
    return true;
}

bool vfi_cuda_measure(VfiDevice *device, const VfiPlan *plan, VfiProgramNeed *need,
                      GError **error)
{
    Need found;

    if (!check_ops(plan, error) || !vfi_cuda_enter(device, error))
        return false;
    bool known = find_need(device, plan, &found, error);
    vfi_cuda_leave();
    if (known)
        *need = (VfiProgramNeed){
            .packed_bytes = found.convs.packed,
            .scratch_bytes = align(found.constants * sizeof(float)) +
                             shared_scratch(&found) + inputs_bytes(plan),
        };
    return known;
}

/* ---- making it ready --------------------------------------------------------------- */

/* Copies the constants to the device, padded with zeros to whole vectors. The copy
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
        VfiCudaConstant constants[VFI_CUDA_MAX_CONSTANTS];
        list_constants(&program->plan->ops[i], constants);
        for (int k = 0; k < VFI_CUDA_MAX_CONSTANTS; k++) {
            if (constants[k].values == NULL)
                continue;
            copy_constant(&constants[k], host + used);
            program->steps[i].constant[k] = program->constants + used;
            used += constant_floats(&constants[k]);
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
    program->scratch = vfi_cuda_context_alloc(context, MAX(shared_scratch(need), 1),
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
        if (uses_cudnn(&program->plan->ops[i]) &&
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

    if (!check_ops(plan, error) || !vfi_cuda_enter(device, error))
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
