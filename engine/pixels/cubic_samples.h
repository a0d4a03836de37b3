/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Catmull-Rom samples of a plane, one by one: 4 × 4 taps, the plane's edges repeated. */
#pragma once

#include "pixels/level.h"

#include "pixels/samples.h"

/* A plane to take samples from. */
typedef struct {
    const uint8_t *data;
    ptrdiff_t stride;
    int width, height, pixel_stride;
    int sample_bytes, shift;
    int n_components;
    int offset[VFI_MAX_PLANES]; /* of each component of the plane within a pixel */
} VfiCubicPlane;

/* @n samples from (x, y) on, each moved by scale times its vector, and what they
 * count. */
typedef struct {
    int x, y, n; /* at most VFI_PIXELS_BLOCK */
    const float *vector_x, *vector_y;
    float scale_x, scale_y;
    const float *weight;
    float share; /* of the weight */
} VfiCubicRun;

#define vfi_cubic_add_samples VFI_PIXELS_AT_LEVEL(vfi_cubic_add_samples)

/* sum[c][i] += share × weight[i] × the sample of component c of the plane. A vector of
 * NaN leads to the edge. */
void vfi_cubic_add_samples(const VfiCubicPlane *plane, const VfiCubicRun *run,
                           float (*sum)[VFI_PIXELS_BLOCK]);
