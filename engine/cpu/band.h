/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How an algorithm computes its op within a row group (row_group.h): the rows of one
 * band, to the bits that it has by itself. */
#pragma once

#include "cpu/algorithm.h"

/* The pictures of a group, and what of them is computed. */
typedef struct {
    int w, h;
    int sampling;      /* 0: all; else f: two rows and two columns of every f */
    int rows, columns; /* that are computed */
    const float *x;    /* [columns] their numbers in the picture */
} VfiCpuBandPicture;

/* Row or column of the picture that is the @i-th computed one. */
static inline int vfi_band_place(const VfiCpuBandPicture *picture, int i)
{
    int f = picture->sampling;

    return f == 0 ? i : i / 2 * f + f / 2 - 1 + i % 2;
}

/* One band as one op sees it. */
typedef struct {
    const VfiCpuBandPicture *picture;
    const VfiCpuRun *run;
    int first, n;        /* computed rows */
    float *planes;       /* what VFI_REGION_ROWS is in the band */
    size_t plane_floats; /* from plane to plane of those */
    float *scratch;      /* as much as .scratch said */
    const void *state;   /* what .prepare made */
    uint32_t
        *largest; /* ops that give a scalar: its bits, as the thread knows it so far */
} VfiCpuBand;

/* A band's rows of an operand: first row of channel 0, floats from channel to channel. */
typedef struct {
    float *first;
    size_t plane;
} VfiCpuBandRows;

/* Of an operand of the picture's size. */
static inline VfiCpuBandRows vfi_band_rows(const VfiCpuBand *band,
                                           const VfiOperand *operand)
{
    size_t plane = (size_t)band->picture->h * (size_t)band->picture->w;

    if (operand->region == VFI_REGION_ROWS) {
        size_t index = operand->offset / (plane * sizeof(float));
        return (VfiCpuBandRows){band->planes + index * band->plane_floats,
                                band->plane_floats};
    }
    return (VfiCpuBandRows){vfi_operand_row(band->run, operand, 0, band->first), plane};
}

struct VfiCpuBandAlgorithm {
    void (*run)(const VfiCpuOp *op, const VfiCpuBand *band);
    /* Optional: floats of scratch that run() wants besides the planes. */
    size_t (*scratch)(const VfiCpuOp *op, const VfiCpuBandPicture *picture);
    /* Optional: makes what the op keeps for a group, NULL if it has all it wants;
     * vfi_free(). False with VFI_ERROR_NO_MEMORY. */
    bool (*prepare)(const VfiCpuOp *op, const VfiCpuBandPicture *picture, void **state,
                    GError **error);
};
