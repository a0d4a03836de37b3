/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How steps are divided among a pool's threads. */
#pragma once

#include "cpu/flow_step.h"

typedef struct {
    const VfiFlowStep *step;
    const VfiFlowArguments *arguments;
    const VfiCpuKernels *kernels;
} VfiFlowWork;

/* What a pass goes over: rows of each of its layers, which are directions, channels ….
 * @width is about how many samples a row is as much work as. */
typedef struct {
    int layers, rows;
    int width;
} VfiFlowArea;

/* What a step does. */
typedef struct {
    /* A pass whose rows can be done in any order and on any thread. */
    VfiFlowArea (*area)(const VfiFlowStep *step);
    void (*rows)(const VfiFlowWork *work, int layer, int begin, int end);
    /* Else one with chunks of its own; begin() is called before all of them. */
    int (*chunks)(const VfiFlowStep *step);
    void (*chunk)(const VfiFlowWork *work, int index);
    void (*begin)(const VfiFlowWork *work);
} VfiFlowPass;

extern const VfiFlowPass vfi_flow_luma, vfi_flow_chroma, vfi_flow_halve;
extern const VfiFlowPass vfi_flow_begin, vfi_flow_cross, vfi_flow_sweep, vfi_flow_densify;
extern const VfiFlowPass vfi_flow_residual, vfi_flow_trust;
extern const VfiFlowPass vfi_flow_splat, vfi_flow_merge, vfi_flow_pull, vfi_flow_push,
    vfi_flow_median, vfi_flow_sides;

static inline float *vfi_work_row(const VfiFlowWork *work, const VfiFlowPlane *plane,
                                  ptrdiff_t y)
{
    return vfi_flow_row(plane, work->arguments->region, y);
}
