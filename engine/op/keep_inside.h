/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What KEEP_INSIDE keeps, for the CPU and for kernels. */
#pragma once

#ifdef __CUDACC__
#define VFI_KEEP_INSIDE_FUNCTION static __host__ __device__ inline
#else
#define VFI_KEEP_INSIDE_FUNCTION static inline
#endif

/* How many of @size rows or columns it keeps, where the picture has @length. */
VFI_KEEP_INSIDE_FUNCTION int vfi_kept_inside(float length, double scale, int size)
{
    double inside = (double)length * scale;

    if (!(inside >= 1.0))
        return 0;
    return inside < (double)size ? (int)inside : size;
}
