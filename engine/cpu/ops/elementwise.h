/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What element-wise ops share: they are a function of runs of floats (VfiCpuAlgorithm's
 * .elements), and these cut tensors, or bands of rows, into such runs of one channel
 * each. */
#pragma once

#include "cpu/band.h"

bool vfi_elementwise_prepare(VfiCpuOp *op, GError **error);
void vfi_elementwise_chunk(const VfiCpuOp *op, const VfiCpuRun *run, int index,
                           int thread);
extern const VfiCpuBandAlgorithm vfi_elementwise_band;

/* An algorithm of that name whose elements @elements_ computes. */
#define VFI_ELEMENTWISE(name_, elements_)                                                \
    {                                                                                    \
        .name = (name_), .prepare = vfi_elementwise_prepare,                             \
        .chunk = vfi_elementwise_chunk, .band = &vfi_elementwise_band,                   \
        .elements = (elements_),                                                         \
    }
