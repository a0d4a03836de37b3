/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preparing and running ops: the way from an op to the pool's chunks. */
#include "cpu/cpu_op.h"

#include <vfi/error.h>

#include "base/alloc.h"
#include "cpu/algorithm.h"
#include "op/descriptor.h"

/* What the CPU asks beyond what all backends do: blocks of the level's one size (0:
 * none), and f32 but for CONVERT. */
static bool check_operand(const VfiOp *op, const VfiOperand *operand, int block,
                          GError **error)
{
    const char *which = operand == &op->dst ? "the result" : "a source";

    if (vfi_operand_is_blocked(operand) && operand->block != block)
        return vfi_op_refuse(op, error, "%s has blocks of the wrong size", which);
    if (operand->half && op->kind != VFI_OP_CONVERT)
        return vfi_op_refuse(op, error, "operands must be f32");
    return true;
}

static bool check_op(const VfiOp *op, int block, GError **error)
{
    if (!vfi_op_check(op, VFI_LAYOUT_BLOCKS, error))
        return false;
    for (int i = 0; i < op->n_src; i++)
        if (!check_operand(op, &op->src[i], block, error))
            return false;
    return check_operand(op, &op->dst, block, error);
}

VfiCpuOp *vfi_cpu_op_new(const VfiOp *op, VfiCpuLevel level, GError **error)
{
    VfiCpuOpSetup setup = {.level = level};

    return vfi_cpu_op_new_with(op, &setup, error);
}

VfiCpuOp *vfi_cpu_op_new_with(const VfiOp *op, const VfiCpuOpSetup *setup, GError **error)
{
    VfiCpuLevel level = setup->level;

    if (level > vfi_cpu_level_of_machine()) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "this CPU has no %s, only %s", vfi_cpu_level_to_string(level),
                    vfi_cpu_level_to_string(vfi_cpu_level_of_machine()));
        return NULL;
    }
    const VfiCpuKernels *kernels = vfi_cpu_kernels(level);
    if (!check_op(op, kernels->vector_floats, error))
        return NULL;
    const VfiCpuAlgorithm *algorithm = vfi_cpu_algorithm_for(op, kernels, error);
    if (algorithm == NULL)
        return NULL;

    VfiCpuOp *ready = g_new0(VfiCpuOp, 1);
    ready->op = *op;
    ready->level = level;
    ready->bf16 = setup->bf16;
    ready->store = setup->store;
    ready->measuring = setup->measuring;
    ready->kernels = kernels;
    ready->algorithm = algorithm;
    if (!algorithm->prepare(ready, error)) {
        vfi_cpu_op_free(ready);
        return NULL;
    }
    return ready;
}

void vfi_cpu_op_free(VfiCpuOp *op)
{
    if (op == NULL)
        return;
    if (op->algorithm->clear != NULL)
        op->algorithm->clear(op);
    if (op->shared != NULL)
        vfi_packed_release(op->shared);
    else
        vfi_free((void *)op->packed);
    g_free(op->state);
    g_free(op);
}

const void *vfi_cpu_op_packed(const VfiCpuOp *op)
{
    return op->packed;
}

size_t vfi_cpu_op_packed_bytes(const VfiCpuOp *op)
{
    return op->packed_bytes;
}

const VfiPackedKey *vfi_cpu_op_packed_key(const VfiCpuOp *op)
{
    return op->key.layout != NULL ? &op->key : NULL;
}

size_t vfi_cpu_op_scratch_bytes(const VfiCpuOp *op)
{
    return op->scratch_bytes;
}

typedef struct {
    const VfiCpuOp *op;
    const VfiCpuRun *run;
} ChunkContext;

static void run_chunk(void *data, int index, int thread)
{
    const ChunkContext *context = data;
    context->op->algorithm->chunk(context->op, context->run, index, thread);
}

bool vfi_cpu_op_run(const VfiCpuOp *op, const VfiCpuRun *run)
{
    ChunkContext context = {.op = op, .run = run};

    if (op->algorithm->begin != NULL)
        op->algorithm->begin(op, run);
    bool finished =
        vfi_pool_run(run->pool, op->n_chunks, run_chunk, &context, run->cancel);
    if (finished && op->algorithm->end != NULL)
        op->algorithm->end(op, run);
    return finished;
}
