/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The forms of Winograd's algorithm: which of them an op takes, and filters'
 * transforms. */
#pragma once

#include "cpu/algorithm.h"

/* Most points and sums of a form. */
#define VFI_WINOGRAD_MAX_POINTS (9 * 9)
#define VFI_WINOGRAD_MAX_SUMS (8 * 8)

/* The fastest form for an op that vfi_winograd_suits(). */
VfiWinogradForm vfi_winograd_form(const VfiCpuOp *ready);

/* Whether points are pairs of bf16. */
static inline bool vfi_winograd_is_bf16(VfiWinogradForm form)
{
    return form == VFI_WINOGRAD_4_BF16;
}

/* The name of the form's packed weights. */
const char *vfi_winograd_layout(VfiWinogradForm form);

/* The points of one 3 × 3 filter, by rows. */
void vfi_winograd_filter(VfiWinogradForm form, const float *filter, double *points);

/* Which sum the products at @point belong to. */
int vfi_winograd_sum_of(VfiWinogradForm form, int point);
