/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A way of computing a kind of op on the CPU: a struct of functions. Each kind lists
 * its algorithms as vfi_cpu_KIND, the best first and the reference last; the first that
 * accepts an op prepares and runs it. So a new kind needs a source with its list, and one
 * without does not link. */
#pragma once

#include <glib.h>

#include "cpu/kernel_table.h"
#include "cpu/run.h"
#include "weights/packed_weights.h"

typedef struct VfiCpuBandAlgorithm VfiCpuBandAlgorithm;

typedef struct {
    const char *name;
    /* Whether it computes @op with the @kernels of a level. @op passed vfi_op_check(),
     * and its blocks have the level's size. If this is NULL: every op whose operands are
     * all planar. */
    bool (*accepts)(const VfiOp *op, const VfiCpuKernels *kernels);
    /* Packs weights, sets n_chunks, scratch_bytes, packed and packed_bytes. */
    bool (*prepare)(VfiCpuOp *op, GError **error);
    /* Computes one chunk; different chunks write different elements. */
    void (*chunk)(const VfiCpuOp *op, const VfiCpuRun *run, int index, int thread);
    /* Optional: before and after all chunks, on the calling thread. */
    void (*begin)(const VfiCpuOp *op, const VfiCpuRun *run);
    void (*end)(const VfiCpuOp *op, const VfiCpuRun *run);
    /* Optional: releases what prepare left in op->state. */
    void (*clear)(VfiCpuOp *op);
    /* How it works in row groups (band.h); NULL: not at all. */
    const VfiCpuBandAlgorithm *band;
    /* Element-wise ops (ops/elementwise.h): @n elements of one @channel, from those at
     * the same places of each source. */
    void (*elements)(const VfiCpuOp *op, const VfiCpuRun *run, int channel, float *dst,
                     const float *const *src, size_t n);
} VfiCpuAlgorithm;

struct VfiCpuOp {
    VfiOp op;
    VfiCpuLevel level;
    const VfiCpuKernels *kernels;
    const VfiCpuAlgorithm *algorithm;
    bool bf16; /* may round inputs and weights to bf16 */
    int n_chunks;
    size_t scratch_bytes; /* per thread */
    size_t packed_bytes;
    const void *packed;      /* weights or tables in the algorithm's own layout */
    const VfiPacked *shared; /* has .packed; NULL: the op owns it, for vfi_free() */
    VfiPackedWeights *store; /* where weights may be shared, or NULL */
    VfiPackedKey key;        /* of the packed weights; .layout is NULL without */
    bool measuring;          /* only sizes are wanted: nothing is packed */
    void *state;             /* the algorithm's own numbers; g_free() */
};

/* The lists, each ended by NULL. */
#define VFI_CPU_ALGORITHMS(SUFFIX, identifier)                                           \
    extern const VfiCpuAlgorithm *const vfi_cpu_##identifier[];
VFI_OP_LIST(VFI_CPU_ALGORITHMS)
#undef VFI_CPU_ALGORITHMS

/* The first of @op's kind that accepts it; NULL with VFI_ERROR_UNSUPPORTED that names
 * the op. */
const VfiCpuAlgorithm *
vfi_cpu_algorithm_for(const VfiOp *op, const VfiCpuKernels *kernels, GError **error);

/* Whether some algorithm of @op's kind works in row groups. */
bool vfi_cpu_works_in_bands(const VfiOp *op);

/* Whether Winograd's algorithm can do the op, and faster than the direct one, if all its
 * operands are in NCHWc blocks. In conv/winograd_forms.c; here, because this folder does
 * not include headers of conv/. */
bool vfi_winograd_suits(const VfiOp *op);

/* Whether it is one that conv/depthwise.c does in NCHWc blocks: 3 × 3, each channel by
 * itself. */
bool vfi_depthwise_suits(const VfiOp *op);

/* Fails with VFI_ERROR_UNSUPPORTED that says "KIND of … is too large" if there are more
 * than a pool counts; else sets op->n_chunks. */
bool vfi_cpu_set_chunks(VfiCpuOp *op, double chunks, GError **error);

static inline int vfi_ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

/* The part of 0 … @total that is piece @index of @pieces even ones. */
static inline int vfi_piece_begin(int total, int pieces, int index)
{
    return (int)((int64_t)total * index / pieces);
}
