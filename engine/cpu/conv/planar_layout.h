/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layout of a direct convolution: where its taps lie, how its work is cut into
 * chunks, and what a thread's scratch holds. direct.c explains the words. */
#pragma once

#include "cpu/algorithm.h"

typedef struct {
    int ky, kx;   /* in the weight */
    int row, col; /* of the band's phase plane */
    int phase_y, phase_x;
} VfiDirectTap;

typedef struct {
    int in_stride, out_stride;
    int base_y, base_x;   /* input place of the plane's corner for cell 0, 0 */
    int reach_y, reach_x; /* rows and columns that a plane has beyond its band's */
    int phases_y, phases_x;
    int grid_h, grid_w;
    int out_phases;      /* out_stride² */
    int *first_tap;      /* [out_phases + 1] */
    VfiDirectTap *taps;  /* [kernel_h * kernel_w], by output phase */
    int32_t *tap_offset; /* same, in the band */

    int in_group, out_group; /* channels of a group */
    int in_block, out_block; /* channels of one kernel call */
    int n_out_blocks;        /* of a group */
    int pieces;              /* ranges of output blocks, each a chunk's */
    int piece_blocks;        /* most blocks of a piece */
    int bands_y, bands_x;
    int band_rows, band_cols; /* most cells of a band */

    int pitch;                    /* floats from row to row of a band */
    size_t phase_plane;           /* floats of one input phase */
    size_t in_plane;              /* floats of one input channel */
    size_t acc_pitch;             /* floats of one channel's sums */
    size_t in_floats, acc_floats; /* of a thread's scratch; a row to interleave follows */
} VfiDirect;

/* The layout of a checked CONV or CONV_TRANSPOSE. */
VfiDirect *vfi_direct_new(const VfiOp *op, const VfiCpuKernels *kernels);
void vfi_direct_free(VfiDirect *layout);
