/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How steps are divided: into chunks of rows, which a pool's threads share. */
#pragma once

#include "cpu/flow_step.h"

/* Rows of a chunk: enough to be worth one, few enough to end soon after a cancel. */
#define VFI_CHUNK_ROWS 16

typedef struct {
    const VfiFlowStep *step;
    const VfiFlowArguments *arguments;
    const VfiCpuKernels *kernels;
} VfiFlowWork;

/* A step's work: how many chunks there are, and what one does. */
typedef struct {
    int (*chunks)(const VfiFlowStep *step);
    void (*chunk)(const VfiFlowWork *work, int index);
    /* Optional: before all chunks, on the calling thread. */
    void (*begin)(const VfiFlowWork *work);
} VfiFlowPass;

extern const VfiFlowPass vfi_flow_luma, vfi_flow_chroma, vfi_flow_halve;
extern const VfiFlowPass vfi_flow_begin, vfi_flow_cross, vfi_flow_sweep, vfi_flow_densify;
extern const VfiFlowPass vfi_flow_residual, vfi_flow_trust;
extern const VfiFlowPass vfi_flow_splat, vfi_flow_merge, vfi_flow_pull, vfi_flow_push,
    vfi_flow_median, vfi_flow_sides;

static inline int vfi_row_chunks(int rows)
{
    return (rows + VFI_CHUNK_ROWS - 1) / VFI_CHUNK_ROWS;
}

/* Rows [begin, end) of chunk @index. */
static inline void vfi_chunk_rows(int index, int rows, int *begin, int *end)
{
    *begin = index * VFI_CHUNK_ROWS;
    *end = rows - *begin < VFI_CHUNK_ROWS ? rows : *begin + VFI_CHUNK_ROWS;
}

static inline float *vfi_work_row(const VfiFlowWork *work, const VfiFlowPlane *plane,
                                  ptrdiff_t y)
{
    return vfi_flow_row(plane, work->arguments->region, y);
}
