/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inner loops of `flow` as a table of functions, a part of kernel_table.h: plain C
 * fills all of it, each instruction set overwrites what it does better. What the steps
 * are is said in flow/step.h. Rows are written up to a multiple of VFI_FLOW_ROW_FLOATS,
 * and may be read as far. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "flow/constants.h"

/* Two pictures of one level: column 0 of row 0 of each channel. */
typedef struct {
    const float *from[VFI_FLOW_CHANNELS], *to[VFI_FLOW_CHANNELS];
    int n_channels;
    size_t row; /* floats from row to row of all */
    int w, h;
} VfiFlowPictures;

/* The patches of one direction. */
typedef struct {
    VfiFlowPictures pictures;
    int columns, rows;
    float *x, *y, *cost, *settled;     /* [rows][patch_row] */
    const float *other[2], *landed[2]; /* the same, what CROSS made, or NULL */
    size_t patch_row;                  /* floats */
    const float *coarse[2];            /* [coarse_h][coarse_row], or NULL */
    size_t coarse_row;
    int coarse_w, coarse_h;
    bool leaves_votes;
} VfiFlowPatchField;

/* A row of source vectors that is splatted. Samples land in rows [begin, end) of the
 * sums only. */
typedef struct {
    const float *x, *y, *weight;       /* [w] */
    float *sum_weight, *sum_x, *sum_y; /* column 0 of row 0 */
    size_t sum_row;                    /* floats from row to row of the sums */
    int w, h;                          /* of the sums */
    int source_y;
    int begin, end;
    float t; /* where between the flow's beginning and its end */
    float sign;
} VfiFlowSplatRow;

/* Three rows of a sum, or of where its vectors go. */
typedef struct {
    float *weight, *x, *y;
} VfiFlowSumRow;

/* A row of vectors whose trust is found. */
typedef struct {
    const float *residual[3];     /* the row's and those around it, [w] each */
    const float *x, *y;           /* [w] */
    const float *back_x, *back_y; /* the other direction's, [h][back_row] */
    size_t back_row;
    int w, h, line;
    float falloff, disagreement;
} VfiFlowTrustRow;

typedef struct {
    /* dst[x] = mean of two samples each of two rows, from columns 2x and 2x + 1. */
    void (*halve)(float *dst, const float *top, const float *bottom, size_t n);
    /* All patches of a row. */
    void (*begin)(const VfiFlowPatchField *field, int row);
    /* One sweep over patches of row @row: the @begin-th … (@end-1)-th that it visits.
     * What they need of the row before is there. */
    void (*sweep)(const VfiFlowPatchField *field, int row, int begin, int end,
                  bool reverse);
    /* One row of the dense flow. */
    void (*densify)(const VfiFlowPatchField *field, int y, float *flow_x, float *flow_y);
    /* dst = |from - dst|. */
    void (*difference)(float *dst, const float *from, size_t n);
    void (*trust)(float *dst, const VfiFlowTrustRow *row);
    /* Least and greatest of @w. */
    void (*extent)(const float *flow_y, int w, float extent[2]);
    void (*splat)(const VfiFlowSplatRow *row);
    void (*merge)(const VfiFlowSumRow *both, const VfiFlowSumRow side[2], float scale,
                  int w);
    /* @w columns of the coarse row; @fine_w of the fine rows. */
    void (*pull)(const VfiFlowSumRow *coarse, const VfiFlowSumRow fine[2], int w,
                 int fine_w);
    /* @coarse has NULLs where there is none. */
    void (*push)(const VfiFlowSumRow *fine, const VfiFlowSumRow *coarse, bool normalise,
                 int w);
    /* Medians of @n samples each of five runs, times scale. */
    void (*median)(float *dst, const float *const src[5], float scale, int n);
    /* side = flow where side_x is VFI_FLOW_NO_VECTOR. */
    void (*sides)(float *side_x, float *side_y, const float *flow_x, const float *flow_y,
                  int w);
} VfiFlowKernels;

void vfi_cpu_flow_kernels_fill_c(VfiFlowKernels *kernels);
