/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network's flows and mask on other grids than luma's: at chroma's samples, and on the
 * cells of motion. */
#pragma once

#include "pixels/level.h"

#include "pixels/samples.h"

/* Flows into frame 0 and 1, in samples of the grid, and the weight of frame 0. */
typedef struct {
    const float *flow_x[2], *flow_y[2], *mask;
} VfiFieldRow;

typedef float VfiFieldScratch[5][VFI_PIXELS_BLOCK];

#define vfi_field_row VFI_PIXELS_AT_LEVEL(vfi_field_row)
#define vfi_field_cells VFI_PIXELS_AT_LEVEL(vfi_field_cells)

/* The field at @n samples, at most VFI_PIXELS_BLOCK, from column @x on of row @y of the
 * planes with that subsampling: chroma's are means of the luma samples that they are
 * co-sited with. The result lies in the field or in @scratch. */
VfiFieldRow vfi_field_row(const VfiVideoInfo *info, const VfiFlowField *field,
                          int shift_x, int shift_y, int x, int n, int y,
                          VfiFieldScratch scratch);

/* out = means of plane @plane of the field (its flows' x, y, x, y, the mask) over cells
 * of 2^@level × 2^@level luma samples: @n cells from column @x on of row @y. Cells at the
 * right and lower edge repeat the frame's last samples. */
void vfi_field_cells(const VfiVideoInfo *info, const VfiFlowField *field, int plane,
                     int level, int x, int y, int n, float *out);
