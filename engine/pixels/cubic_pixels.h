/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Catmull-Rom samples pixel by pixel, wherever each lies: all components and taps of a
 * row of taps at once. */
#pragma once

#include "pixels/cubic_samples.h"

#define vfi_cubic_add_pixels VFI_PIXELS_AT_LEVEL(vfi_cubic_add_pixels)

/* As vfi_cubic_add_samples(), of any plane; false, with nothing done, at the level C.
 * @begin and @n are multiples of 4: sums behind the run's may change, and the run's
 * arrays are read as far. */
bool vfi_cubic_add_pixels(const VfiCubicPlane *plane, const VfiCubicRun *run, int begin,
                          int n, float (*sum)[VFI_PIXELS_BLOCK]);
