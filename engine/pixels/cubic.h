/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Catmull-Rom samples of a plane, as fast as the level has them. */
#pragma once

#include "pixels/cubic_samples.h"

#define vfi_cubic_add VFI_PIXELS_AT_LEVEL(vfi_cubic_add)

/* As vfi_cubic_add_samples(), for the whole run, whose vectors times scale are less than
 * 32768 samples; its arrays may be read, and sums written, up to VFI_PIXELS_BLOCK. */
void vfi_cubic_add(const VfiCubicPlane *plane, const VfiCubicRun *run,
                   float (*sum)[VFI_PIXELS_BLOCK]);
