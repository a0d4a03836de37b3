/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers of `flow` that its kernels work with on every device; step.h says what for. */
#pragma once

#include <math.h>

#ifdef __CUDACC__
#define VFI_FLOW_FUNCTION static __host__ __device__ inline
#else
#define VFI_FLOW_FUNCTION static inline
#endif

/* Planes' rows begin at multiples of this many floats and may be written up to the next
 * one behind their last sample. */
#define VFI_FLOW_ROW_FLOATS 16

/* Samples of repeated edge on every side of a picture; as many as VFI_FLOW_LEAD lie
 * before column 0, all the rest of a row behind the last. */
#define VFI_FLOW_BORDER 24
#define VFI_FLOW_LEAD 32

/* Y, Cb, Cr. */
#define VFI_FLOW_CHANNELS 3

/* Patches of VFI_FLOW_PATCH × VFI_FLOW_PATCH samples, VFI_FLOW_STRIDE apart but for the
 * last of a row or column, which ends where the picture does. Patch (i, j) begins at
 * (min(i · stride, max(w - patch, 0)), the same of j and h). */
#define VFI_FLOW_PATCH 8
#define VFI_FLOW_STRIDE 4

VFI_FLOW_FUNCTION int vfi_flow_patches(int size)
{
    int beyond = size - VFI_FLOW_PATCH;

    return beyond <= 0 ? 1 : (beyond + VFI_FLOW_STRIDE - 1) / VFI_FLOW_STRIDE + 1;
}

/* First sample of patch @index along a side of @size samples. */
VFI_FLOW_FUNCTION int vfi_flow_patch_begin(int index, int size)
{
    int last = size > VFI_FLOW_PATCH ? size - VFI_FLOW_PATCH : 0;

    return index * VFI_FLOW_STRIDE < last ? index * VFI_FLOW_STRIDE : last;
}

/* The patch that begins nearest to place @at of a side, or -1 where that is none of
 * @count. */
VFI_FLOW_FUNCTION int vfi_flow_nearest_patch(float at, int count)
{
    float nearest = floorf(at * (1.0f / VFI_FLOW_STRIDE) + 0.5f);

    return nearest >= 0.0f && nearest < (float)count ? (int)nearest : -1;
}

/* Places of patches are kept within [-REACH, size + BEYOND], so that a patch there and
 * one sample around it lie within the border. */
#define VFI_FLOW_REACH 14.0f
#define VFI_FLOW_BEYOND 5.0f

/* How much of a patch's mean difference its cost leaves out: all of it would survive any
 * change of brightness, but could not tell flat areas apart. */
#define VFI_FLOW_MEAN_REMOVED 0.8f

/* The search: vectors closer than this to the best one are not tried; patches with a
 * determinant of gradients below that do not descend; Gauss-Newton steps, and how small
 * one ends them; how far they may lead. Samples. */
#define VFI_FLOW_SAME 0.1f
#define VFI_FLOW_LEAST_TEXTURE 1e-3f
#define VFI_FLOW_STEPS 6
#define VFI_FLOW_LEAST_STEP 0.02f
#define VFI_FLOW_FARTHEST 8.0f

/* What a patch's vector counts in the dense flow: 1 / (1 + this × √cost). */
#define VFI_FLOW_VOTE (0.3f / VFI_FLOW_PATCH)

/* Sides have no vector where their weights are less than this. */
#define VFI_FLOW_HOLE 1e-3f

/* Filling: where the sum of weights is less than THIN, FILL of the coarser vector is
 * added. */
#define VFI_FLOW_THIN 0.32f
#define VFI_FLOW_FILL 0.02f

/* Stands for the x of a vector that there is not. */
#define VFI_FLOW_NO_VECTOR 1e30f
