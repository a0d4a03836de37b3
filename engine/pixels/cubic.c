/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/cubic.h"

#include "pixels/cubic_pixels.h"
#include "pixels/cubic_vectors.h"

void vfi_cubic_add(const VfiCubicPlane *plane, const VfiCubicRun *run,
                   float (*sum)[VFI_PIXELS_BLOCK])
{
    if (!vfi_cubic_add_vectors(plane, run, sum) &&
        !vfi_cubic_add_pixels(plane, run, 0, (run->n + 3) / 4 * 4, sum))
        vfi_cubic_add_samples(plane, run, sum);
}
