/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the weights of a hypothesis are divided between the frames: a frame that it leads
 * out of has nothing to show. */
#pragma once

#include "pixels/level.h"

#include "pixels/samples.h"

/* @n samples from (x, y) on of a plane of width × height, whose subsampling is that of
 * chroma by the shifts, or none. */
typedef struct {
    int x, y, n; /* at most VFI_PIXELS_BLOCK */
    int width, height, shift_x, shift_y;
    const float *vector_x, *vector_y; /* luma pixels */
    const float *weight;
} VfiPartedRun;

#define vfi_part_weights VFI_PIXELS_AT_LEVEL(vfi_part_weights)

/* Divides weights between both frames at time @t, as motion.h says. false, with nothing
 * written, where no sample leads out of a frame: parts are 1 - t and t. Arrays may be
 * read, and parts written, up to the next multiple of 32 samples. */
bool vfi_part_weights(const VfiPartedRun *run, float t, float part[2][VFI_PIXELS_BLOCK]);
