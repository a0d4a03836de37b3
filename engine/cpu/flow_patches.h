/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all kernels for patches of `flow` have in common. */
#pragma once

#include <math.h>

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

/* A patch's vector, as VfiFlowPatches has it. */
typedef struct {
    float x, y, cost;
    bool is_settled;
} VfiFlowVector;

static inline VfiFlowVector vfi_flow_load_vector(const VfiFlowPatchField *field, int row,
                                                 int column)
{
    size_t at = (size_t)row * field->patch_row + (size_t)column;

    return (VfiFlowVector){field->x[at], field->y[at], field->cost[at],
                           field->settled[at] != 0.0f};
}

/* What a patch of that cost counts in the dense flow. */
static inline float vfi_flow_vote(float cost)
{
    return 1.0f / (1.0f + VFI_FLOW_VOTE * sqrtf(cost > 0.0f ? cost : 0.0f));
}

static inline void vfi_flow_store_vector(const VfiFlowPatchField *field, int row,
                                         int column, const VfiFlowVector *vector)
{
    size_t at = (size_t)row * field->patch_row + (size_t)column;

    field->x[at] = vector->x;
    field->y[at] = vector->y;
    field->cost[at] = field->leaves_votes ? vfi_flow_vote(vector->cost) : vector->cost;
    field->settled[at] = vector->is_settled ? 1.0f : 0.0f;
}

/* Where a patch's search begins: the coarser level's flow at its centre. Without cost. */
static inline VfiFlowVector vfi_flow_first_vector(const VfiFlowPatchField *field, int row,
                                                  int column)
{
    int w = field->pictures.w, h = field->pictures.h;
    int x = vfi_flow_patch_begin(column, w) + VFI_FLOW_PATCH / 2;
    int y = vfi_flow_patch_begin(row, h) + VFI_FLOW_PATCH / 2;

    if (field->coarse[0] == NULL)
        return (VfiFlowVector){0};
    return (VfiFlowVector){
        .x = vfi_coarse_flow(field, 0, vfi_clamp_index(x, w), vfi_clamp_index(y, h)),
        .y = vfi_coarse_flow(field, 1, vfi_clamp_index(x, w), vfi_clamp_index(y, h)),
    };
}

/* Vectors to be tried. */
typedef struct {
    float x[3], y[3];
    int n;
} VfiFlowCandidates;

/* Whether (x, y) is another vector than @best. */
static inline bool vfi_flow_differs(const VfiFlowVector *best, float x, float y)
{
    float dx = x - best->x, dy = y - best->y;

    return dx * dx + dy * dy >= VFI_FLOW_SAME * VFI_FLOW_SAME;
}

static inline void vfi_flow_add_candidate(VfiFlowCandidates *candidates, float x, float y)
{
    candidates->x[candidates->n] = x;
    candidates->y[candidates->n++] = y;
}

/* What the neighbours that the sweep has visited found, and what landed on the patch. */
static inline void vfi_flow_list_candidates(const VfiFlowPatchField *field, int row,
                                            int column, bool reverse,
                                            VfiFlowCandidates *candidates)
{
    ptrdiff_t pitch = (ptrdiff_t)field->patch_row, at = row * pitch + column;
    ptrdiff_t step = reverse ? 1 : -1;

    candidates->n = 0;
    if (reverse ? column + 1 < field->columns : column > 0)
        vfi_flow_add_candidate(candidates, field->x[at + step], field->y[at + step]);
    if (reverse ? row + 1 < field->rows : row > 0)
        vfi_flow_add_candidate(candidates, field->x[at + step * pitch],
                               field->y[at + step * pitch]);
    if (field->landed[0] != NULL && field->landed[0][at] != VFI_FLOW_NO_VECTOR)
        vfi_flow_add_candidate(candidates, field->landed[0][at], field->landed[1][at]);
}

/* The negated vector of the other direction's patch nearest to where @best leads, as
 * the first candidate; whether there is one. */
static inline bool vfi_flow_look_up(const VfiFlowPatchField *field,
                                    const VfiFlowVector *best, int x, int y,
                                    VfiFlowCandidates *candidates)
{
    if (field->other[0] == NULL)
        return false;
    int column = vfi_flow_nearest_patch((float)x + best->x, field->columns);
    int row = vfi_flow_nearest_patch((float)y + best->y, field->rows);
    if (column < 0 || row < 0)
        return false;
    size_t at = (size_t)row * field->patch_row + (size_t)column;
    candidates->x[0] = -field->other[0][at];
    candidates->y[0] = -field->other[1][at];
    return true;
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
