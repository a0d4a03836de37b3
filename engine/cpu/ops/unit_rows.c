/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/ops/unit_rows.h"

/* Floats of a chunk's result, about: some tenths of a millisecond. */
#define CHUNK_FLOATS 32768

bool vfi_cut_into_rows(VfiCpuOp *op, bool all_units, VfiUnitRows *rows, GError **error)
{
    VfiShape out = op->op.dst.shape;

    rows->block = MAX(op->op.dst.block, 1);
    rows->units = vfi_ceil_div(out.c, rows->block);
    double row = (double)out.w * rows->block * (all_units ? rows->units : 1);
    rows->rows = (int)CLAMP(CHUNK_FLOATS / row, 1.0, (double)out.h);
    rows->bands = vfi_ceil_div(out.h, rows->rows);
    return vfi_cpu_set_chunks(op, (double)rows->bands * (all_units ? 1 : rows->units),
                              error);
}

bool vfi_accepts_units(const VfiOp *op, const VfiCpuKernels *kernels)
{
    (void)kernels;
    return op->src[0].block == op->dst.block ||
           (!vfi_operand_is_blocked(&op->src[0]) && !vfi_operand_is_blocked(&op->dst));
}
