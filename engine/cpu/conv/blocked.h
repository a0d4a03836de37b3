/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layout of a direct convolution into channel blocks: its taps, how its work is cut
 * into chunks, the order of its weights, and what is copied of the input. blocked.c
 * explains the words. */
#pragma once

#include "cpu/conv/blocks.h"

/* Cells of one product: their sums stay in the first-level cache. */
#define VFI_BLOCKED_RUN_CELLS 112

/* One weight of the kernel: cell y, x reads input y * in_stride + dy, x * in_stride +
 * dx. */
typedef struct {
    int ky, kx, dy, dx;
} VfiBlockedTap;

typedef struct {
    int in_stride, out_stride, n_phases;
    VfiBlockedTap *taps; /* by phase */
    int *first_tap;      /* [n_phases + 1] */
    int best_dx, largest_dx, best_dy, largest_dy;
    int grid_h, grid_w;
    int in_units;  /* channels of a planar input, channel blocks of a blocked one */
    int in_length; /* floats of a unit at one pixel */
    int n_out_blocks, n_groups;
    int chunk_rows, chunk_cols, chunk_groups; /* most cells, output groups of a chunk */
    int rows_n, cols_n, groups_n;             /* chunks in each direction */
    size_t segments_bytes, sums_floats, copied_floats; /* of a thread's scratch */
    bool copies;    /* the input is copied, not read where it lies */
    int lines;      /* rows that are copied of each unit */
    int line_pitch; /* floats from row to row of them */
    int copy_cells; /* most cells of a row that they are copied for */
    float *epilogues;
} VfiBlocked;

/* The layout of a checked CONV or CONV_TRANSPOSE whose result is in channel blocks. */
VfiBlocked *vfi_blocked_new(const VfiOp *op, int block);
void vfi_blocked_free(VfiBlocked *layout);

/* Rows of the weight matrix before those of @phase. */
size_t vfi_blocked_weight_row(const VfiBlocked *d, int phase);

/* Floats of a packed matrix before those of @group: [group][phase][unit][tap][in a
 * unit][out in the group]. */
size_t vfi_blocked_group_offset(const VfiBlocked *d, VfiOutGroup group, int block);

/* Writes all of them. */
void vfi_blocked_pack(const VfiOp *op, const VfiBlocked *d, int block, void *packed);
