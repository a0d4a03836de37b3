/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The least value of a picture: what networks choose their range of values by. */
#pragma once

#include "cpu/image_mean.h"
#include "pixels/minimum_area.h"

/* The least value of the part @area of @image, and of that part shrunk, all channels
 * together (VFI_MINIMUM_OF_NOTHING where nothing is shrunk, or where the part has none of
 * the shrunk pixels). The same bits however many threads there are. No memory is
 * allocated. False if cancelled. */
bool vfi_cpu_image_minimum(VfiPool *pool, const VfiCpuImage *image,
                           const VfiMinimumArea *area, float minimum[2],
                           const atomic_int *cancel);
