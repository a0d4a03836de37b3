/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For ops that treat all channels of a pixel alike and so take channel blocks as well
 * as planes: their chunks are rows of *units*, which are channel blocks or planes. */
#pragma once

#include "cpu/algorithm.h"

typedef struct {
    int block; /* channels of a unit */
    int units; /* of the result */
    int rows;  /* most of a chunk */
    int bands; /* chunks of a unit, or of all */
} VfiUnitRows;

/* Sets op->n_chunks: a chunk is rows of one unit, counted unit by unit, or of all
 * units. */
bool vfi_cut_into_rows(VfiCpuOp *op, bool all_units, VfiUnitRows *rows, GError **error);

/* Row @y of unit @unit. */
static inline float *vfi_unit_row(const VfiCpuRun *run, const VfiOperand *operand,
                                  int unit, int y)
{
    size_t row = (size_t)unit * (size_t)operand->shape.h + (size_t)y;

    return vfi_operand(run, operand) +
           row * (size_t)operand->shape.w * (size_t)MAX(operand->block, 1);
}

/* Whether @op's result and its first source have one layout, whatever that is. */
bool vfi_accepts_units(const VfiOp *op, const VfiCpuKernels *kernels);
