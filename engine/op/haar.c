/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HAAR: one level of a Haar transform of the source's channels, which are F frames of one
 * picture, that keeps the size: F - 1 frames of the same size for each of eight bands. In
 * each of the directions frames, rows and columns,
 *   low[i] = (x[i] + x[i + 1]) / √8, high[i] = (x[i + 1] - x[i]) / √8
 * with zero behind the last row and column; bands are LLL LLH LHL LHH HLL HLH HHL HHH, a
 * letter for each direction in that order, and the frames of a band lie side by side. */
#include "op/descriptor.h"

#define BANDS 8
/* So that the result's channels are counted in an int. */
#define MAX_FRAMES (G_MAXINT / BANDS)

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    VfiShape in = op->src[0].shape;

    if (in.c < 2 || in.c > MAX_FRAMES)
        return vfi_op_refuse(op, error, "%d frames, expected 2 to %d", in.c, MAX_FRAMES);
    *result = (VfiShape){BANDS * (in.c - 1), in.h, in.w};
    return true;
}

static const VfiOpCase cases[] = {
    {.src = {{2, 1, 1}}},  {.src = {{3, 12, 21}}}, {.src = {{2, 9, 64}}},
    {.src = {{5, 1, 33}}}, {.src = {{4, 40, 2}}},  {.src = {{3, 130, 515}}},
};

const VfiOpDescriptor vfi_op_haar = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_HALO, VFI_LAYOUT_PLANAR, false}},
    .result = VFI_LAYOUT_PLANAR,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
