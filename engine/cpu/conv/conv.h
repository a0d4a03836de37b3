/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The algorithms of CONV and CONV_TRANSPOSE, and what they share. */
#pragma once

#include "cpu/algorithm.h"

extern const VfiCpuAlgorithm vfi_cpu_conv_winograd;  /* CONV, see vfi_winograd_suits() */
extern const VfiCpuAlgorithm vfi_cpu_conv_depthwise; /* CONV, see vfi_depthwise_suits() */
extern const VfiCpuAlgorithm vfi_cpu_conv_blocked;   /* both, to channel blocks */
extern const VfiCpuAlgorithm vfi_cpu_conv_direct;    /* both, to planes, vector levels */
extern const VfiCpuAlgorithm vfi_cpu_conv_reference; /* both, between planes, any level */

/* Rounds up to an odd number of cache lines: channels must not fall on the same sets. */
static inline size_t vfi_odd_lines(size_t floats)
{
    return ((floats + 15) / 16 | 1) * 16;
}

/* How far from cell to input row (or column) tap @k of output phase @q of a transposed
 * convolution goes: output cell * stride + q takes input cell + (q + pad - k) / stride.
 * False where that is not whole. */
static inline bool vfi_conv_transpose_shift(int q, int k, int pad, int stride, int *shift)
{
    if ((q + pad - k) % stride != 0)
        return false;
    *shift = (q + pad - k) / stride;
    return true;
}

/* The epilogue of output channel @channel; dst, acc, residual and n are the caller's. */
static inline VfiEpilogueRow vfi_epilogue_of(const VfiConvParams *p, int channel)
{
    return (VfiEpilogueRow){
        .residual_place = p->residual,
        .bias = p->bias != NULL ? p->bias[channel] : 0.0f,
        .activation = p->activation.kind,
        .slope = p->activation.kind == VFI_ACTIVATION_PRELU ? p->activation.slope[channel]
                                                            : p->activation.leak,
    };
}
