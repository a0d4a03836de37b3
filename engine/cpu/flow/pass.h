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

extern const VfiFlowPass vfi_flow_luma, vfi_flow_halve;
extern const VfiFlowPass vfi_flow_search, vfi_flow_densify;
extern const VfiFlowPass vfi_flow_warp, vfi_flow_linearise, vfi_flow_weigh,
    vfi_flow_relax;
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

/* From @flow_x, @flow_y of row @y: dst = samples of @picture where they lead, bilinear,
 * edges repeated. In trust.c. */
void vfi_flow_warp_row(const VfiFlowWork *work, const VfiFlowPlane *picture, int y,
                       const float *flow_x, const float *flow_y, float *dst);

/* The two pictures as direction @d sees them. */
static inline VfiFlowPictures vfi_work_pictures(const VfiFlowWork *work,
                                                const VfiFlowPlane picture[2], int d)
{
    return (VfiFlowPictures){
        .from = vfi_work_row(work, &picture[d], 0),
        .to = vfi_work_row(work, &picture[1 - d], 0),
        .row = picture[0].row,
        .w = picture[0].w,
        .h = picture[0].h,
    };
}
