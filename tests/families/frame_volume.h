/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames as volumes for references, and pictures compared with what a reference says. No
 * test framework is needed, so that tests of the element have them too. */
#pragma once

#include <stdbool.h>

#include <vfi/frame.h>

#include "layers.h"

/* R, G, B in [0,1] of a frame of RGB_F32 or GBR in host memory. */
Volume volume_of_frame(Network *network, const VfiVideoInfo *video,
                       const VfiFrame *frame);

/* Absolute difference of samples in [0,1]. */
typedef struct {
    double max, mean;
} VolumeDifference;

VolumeDifference volume_compare(Volume a, Volume b);

/* NULL if @frame is what the reference says: codes up to what single precision and
 * rounding to codes leave (@rounds_twice: reference_rounds_twice()), f32 up to what
 * single precision leaves. Else how far it is off, g_free(). */
char *picture_problem(Network *network, const VfiVideoInfo *video, const VfiFrame *frame,
                      Volume expected, bool rounds_twice);
