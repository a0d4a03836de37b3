/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mean of a picture: what networks subtract that look at both frames' brightness. */
#pragma once

#include "cpu/cpu_op.h"

/* Three planes of padded_h × padded_w floats, of which height rows of width count. */
typedef struct {
    const float *values;
    int padded_w, padded_h;
    int width, height;
} VfiCpuImage;

/* The mean of the values that count. It depends neither on the number of threads nor on
 * the level, and no memory is allocated. False if cancelled. */
bool vfi_cpu_image_mean(VfiPool *pool, VfiCpuLevel level, const VfiCpuImage *image,
                        double *mean, const atomic_int *cancel);
