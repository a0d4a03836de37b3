/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* COPY, from any layout to any other (a piece of a concat that could not be a view, or
 * what an op reads in another layout than it was made in), and CONVERT, between f16 and
 * f32. */
#include "op/descriptor.h"

#define ANY_STORAGE (VFI_LAYOUT_ALL | VFI_LAYOUT_HALF | VFI_LAYOUT_HALF_PLANES)

static const VfiOpCase cases[] = {
    {.src = {{1, 1, 1}}},    {.src = {{3, 7, 33}}, .values = VFI_VALUES_EXTREME},
    {.src = {{17, 13, 30}}}, {.src = {{32, 19, 41}}},
    {.src = {{265, 3, 2}}},
};

const VfiOpDescriptor vfi_op_copy = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_PIXEL, ANY_STORAGE, true}},
    .result = ANY_STORAGE,
    .row_local = true,
    .infer = vfi_op_infer_same,
    .tolerance = VFI_TOLERANCE_EXACT,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};

const VfiOpDescriptor vfi_op_convert = {
    .min_sources = 1,
    .max_sources = 1,
    .source = {{VFI_READS_PIXEL, ANY_STORAGE, false}},
    .result = ANY_STORAGE | VFI_LAYOUT_LIKE_SOURCE,
    .infer = vfi_op_infer_same,
    .tolerance = VFI_TOLERANCE_EXACT,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
