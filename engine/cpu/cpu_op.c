/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preparing and running ops: the kernel tables, the choice of an algorithm, and the way
 * from an op to the pool's chunks. */
#include "cpu/algorithm.h"

#include <string.h>
#include <time.h>

#include <vfi/error.h>

#include "base/alloc.h"

static VfiCpuKernels tables[VFI_CPU_LEVEL_AVX512 + 1];

static void fill_tables(void)
{
    for (int level = 0; level <= (int)vfi_cpu_level_of_machine(); level++) {
        VfiCpuKernels *table = &tables[level];
        vfi_cpu_kernels_fill_c(table);
#if defined(__x86_64__)
        if (level >= VFI_CPU_LEVEL_AVX2)
            vfi_cpu_kernels_fill_avx2(table);
        if (level >= VFI_CPU_LEVEL_AVX512)
            vfi_cpu_kernels_fill_avx512(table);
        if (level >= VFI_CPU_LEVEL_AVX512 && vfi_cpu_has_bf16())
            vfi_cpu_kernels_fill_avx512_bf16(table);
#endif
    }
}

const VfiCpuKernels *vfi_cpu_kernels(VfiCpuLevel level)
{
    static gsize filled;

    if (g_once_init_enter(&filled)) {
        fill_tables();
        g_once_init_leave(&filled, 1);
    }
    return &tables[level];
}

static const VfiCpuAlgorithm *choose_algorithm(const VfiOp *op,
                                               const VfiCpuKernels *kernels)
{
    switch (op->kind) {
    case VFI_OP_CONV:
    case VFI_OP_CONV_TRANSPOSE:
        if (vfi_operand_is_blocked(&op->dst))
            return vfi_operand_is_blocked(&op->src[0]) && vfi_winograd_suits(op)
                       ? &vfi_cpu_conv_winograd
                       : &vfi_cpu_conv_blocked;
        return kernels->conv_block != NULL ? &vfi_cpu_conv_direct
                                           : &vfi_cpu_conv_reference;
    case VFI_OP_COPY:
        return vfi_operand_is_blocked(&op->dst) != vfi_operand_is_blocked(&op->src[0])
                   ? &vfi_cpu_reorder
                   : &vfi_cpu_elementwise;
    case VFI_OP_CONVERT:
        return &vfi_cpu_convert;
    case VFI_OP_RESIZE:
        return &vfi_cpu_resize;
    case VFI_OP_AVG_POOL:
        return &vfi_cpu_avg_pool;
    case VFI_OP_UPSAMPLE_CONV_SUM:
        return &vfi_cpu_upsample_conv_sum;
    case VFI_OP_NEAREST:
        return &vfi_cpu_nearest;
    case VFI_OP_WARP:
        return vfi_operand_is_blocked(&op->dst) ? &vfi_cpu_warp_blocks : &vfi_cpu_warp;
    case VFI_OP_PIXEL_SHUFFLE:
        return &vfi_cpu_pixel_shuffle;
    case VFI_OP_MAX_ABS:
        return &vfi_cpu_max_abs;
    default:
        return &vfi_cpu_elementwise;
    }
}

/* Leads from the store back to the algorithm. */
typedef struct {
    const VfiCpuOp *op;
    VfiCpuPackFunc pack;
} PackContext;

static void pack_for_store(const void *source, void *to)
{
    const PackContext *context = source;
    context->pack(context->op, to);
}

static VfiPackedKey packed_key(const VfiCpuOp *op, const char *layout)
{
    const VfiConvParams *p = &op->op.u.conv;
    VfiPackedKey key = {
        .weight = p->weight,
        .layout = layout,
        .bytes = op->packed_bytes,
        .level = (int)op->level,
        .kind = op->op.kind,
        .in = op->op.src[0].shape.c,
        .out = op->op.dst.shape.c,
        .groups = p->groups,
        .kernel_h = p->kernel_h,
        .kernel_w = p->kernel_w,
        .stride = p->stride,
        .pad_top = p->pad_top,
        .pad_left = p->pad_left,
        .n_runs = p->n_runs,
    };

    memcpy(key.runs, p->runs, sizeof key.runs);
    return key;
}

static bool pack_shared(VfiCpuOp *op, VfiCpuPackFunc pack, GError **error)
{
    const PackContext context = {.op = op, .pack = pack};

    op->shared =
        vfi_packed_weights_get(op->store, &op->key, pack_for_store, &context, error);
    if (op->shared == NULL)
        return false;
    op->packed = op->shared->data;
    return true;
}

bool vfi_cpu_op_pack(VfiCpuOp *op, const char *layout, size_t bytes, VfiCpuPackFunc pack,
                     GError **error)
{
    op->packed_bytes = bytes;
    op->key = packed_key(op, layout);
    if (op->measuring)
        return true;
    if (op->store != NULL)
        return pack_shared(op, pack, error);

    void *own = vfi_try_alloc(bytes, 1, "packed weights", error);
    if (own == NULL)
        return false;
    pack(op, own);
    op->packed = own;
    return true;
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
    if (!vfi_cpu_op_check(op, vfi_cpu_kernels(level)->vector_floats, error))
        return NULL;

    VfiCpuOp *ready = g_new0(VfiCpuOp, 1);
    ready->op = *op;
    ready->level = level;
    ready->bf16 = setup->bf16;
    ready->store = setup->store;
    ready->measuring = setup->measuring;
    ready->kernels = vfi_cpu_kernels(level);
    ready->algorithm = choose_algorithm(op, ready->kernels);
    if (!ready->algorithm->prepare(ready, error)) {
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

uint64_t vfi_nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
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
