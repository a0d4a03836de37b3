/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where patches lie in the other picture. */
#pragma once

#include "flow/flow_plane.cuh"

/* That of the patch at (x, y), kept where it lies within the border. */
static __device__ __forceinline__ PicturePlace patch_place(const FlowPlane *to, int x,
                                                           int y, float flow_x,
                                                           float flow_y)
{
    return picture_place(to, (float)x + flow_x, (float)y + flow_y, -VFI_FLOW_REACH,
                         VFI_FLOW_BEYOND);
}
