/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changes from run to run of a prepared op. */
#pragma once

#include <stdatomic.h>

#include "cpu/pool/pool.h"
#include "op/op.h"

/* An op made ready to run at one level: weights packed, work split into chunks.
 * Immutable; knows no memory addresses. */
typedef struct VfiCpuOp VfiCpuOp;

typedef struct {
    VfiPool *pool;
    char *region
        [VFI_MAX_REGIONS]; /* start of each region; operands' offsets count from it */
    char *scratch;         /* n_threads areas of scratch_stride bytes, 64-byte aligned */
    size_t scratch_stride; /* ≥ scratch bytes of every op, a multiple of 64 */
    VfiRunInputs inputs;   /* FILL, NOISE */
    float *scalars;        /* results that go to the host */
    const atomic_int *cancel; /* may be NULL */
} VfiCpuRun;

static inline float *vfi_thread_scratch(const VfiCpuRun *run, int thread)
{
    return (float *)(void *)(run->scratch + (size_t)thread * run->scratch_stride);
}

static inline float *vfi_operand(const VfiCpuRun *run, const VfiOperand *operand)
{
    return (float *)(void *)(run->region[operand->region] + operand->offset);
}

static inline uint16_t *vfi_half_operand(const VfiCpuRun *run, const VfiOperand *operand)
{
    return (uint16_t *)(void *)(run->region[operand->region] + operand->offset);
}

/* Pointer to channel @c, row @y of planes. */
static inline float *vfi_operand_row(const VfiCpuRun *run, const VfiOperand *operand,
                                     int c, int y)
{
    size_t row = (size_t)c * (size_t)operand->shape.h + (size_t)y;
    return vfi_operand(run, operand) + row * (size_t)operand->shape.w;
}
