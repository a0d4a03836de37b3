/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames of RGB formats as volumes for references, and pictures compared with what a
 * reference says. */
#pragma once

#include <vfi/frame.h>

#include "layers.h"

/* R, G, B in [0,1] of a frame in host memory. */
Volume volume_of_frame(Network *network, const VfiVideoInfo *video,
                       const VfiFrame *frame);

/* Absolute difference of samples in [0,1]. */
typedef struct {
    double max, mean;
} VolumeDifference;

VolumeDifference volume_compare(Volume a, Volume b);

/* Fails the test unless @frame is what the reference says: codes to what single precision
 * and rounding to codes leave, f32 to what single precision leaves. */
void assert_picture(Network *network, const VfiVideoInfo *video, const VfiFrame *frame,
                    Volume expected, const char *what);
