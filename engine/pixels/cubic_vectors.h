/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Catmull-Rom samples by vectors, of planes whose pixels are one or two bytes. Lanes
 * whose taps lie near each other, which is nearly all, pick them from a few loads; others
 * load them one by one. Bytes are weighed horizontally in 16-bit integers, which lose
 * less than 1/100 code, 16-bit samples in f32. */
#pragma once

#include <stdbool.h>

#include "pixels/cubic_samples.h"

#define vfi_cubic_add_vectors VFI_PIXELS_AT_LEVEL(vfi_cubic_add_vectors)

/* vfi_cubic_add(); false, with nothing done, where the level has no vectors for the
 * plane. */
bool vfi_cubic_add_vectors(const VfiCubicPlane *plane, const VfiCubicRun *run,
                           float (*sum)[VFI_PIXELS_BLOCK]);
