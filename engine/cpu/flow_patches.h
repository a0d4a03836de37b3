/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all kernels for patches of `flow` have in common. */
#pragma once

#include "cpu/flow_kernels.h"

static inline int vfi_clamp_index(int i, int n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* Twice the coarser flow at sample (x, y). */
static inline float vfi_coarse_flow(const VfiFlowPatchField *field, int axis, int x,
                                    int y)
{
    int left = (x - 1) >> 1, top = (y - 1) >> 1;
    float wx = x & 1 ? 0.25f : 0.75f, wy = y & 1 ? 0.25f : 0.75f;
    const float *upper =
        field->coarse[axis] +
        (size_t)vfi_clamp_index(top, field->coarse_h) * field->coarse_row;
    const float *lower =
        field->coarse[axis] +
        (size_t)vfi_clamp_index(top + 1, field->coarse_h) * field->coarse_row;
    int x0 = vfi_clamp_index(left, field->coarse_w),
        x1 = vfi_clamp_index(left + 1, field->coarse_w);
    float a = upper[x0] + (upper[x1] - upper[x0]) * wx;
    float b = lower[x0] + (lower[x1] - lower[x0]) * wx;

    return 2.0f * (a + (b - a) * wy);
}

/* Where a patch's search begins: the coarser level's flow at its centre. */
static inline void vfi_flow_first_vector(const VfiFlowPatchField *field, int row,
                                         int column, float *flow_x, float *flow_y)
{
    int w = field->pictures.w, h = field->pictures.h;
    int x = vfi_flow_patch_begin(column, w) + VFI_FLOW_PATCH / 2;
    int y = vfi_flow_patch_begin(row, h) + VFI_FLOW_PATCH / 2;

    *flow_x = *flow_y = 0.0f;
    if (field->coarse[0] == NULL)
        return;
    *flow_x = vfi_coarse_flow(field, 0, vfi_clamp_index(x, w), vfi_clamp_index(y, h));
    *flow_y = vfi_coarse_flow(field, 1, vfi_clamp_index(x, w), vfi_clamp_index(y, h));
}

/* The first and, returned, one behind the last patch along a side that cover sample
 * @at. */
static inline int vfi_flow_covering(int at, int size, int count, int *first)
{
    int end = at / VFI_FLOW_STRIDE + 1;

    *first = at < VFI_FLOW_PATCH ? 0 : (at - VFI_FLOW_PATCH) / VFI_FLOW_STRIDE + 1;
    /* The last one ends where the side does. */
    if (vfi_flow_patch_begin(count - 1, size) <= at)
        end = count;
    if (*first > count - 1)
        *first = count - 1;
    return end < count ? end : count;
}
