/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* KEEP_INSIDE: a chunk is some rows of one plane. */
#include "op/keep_inside.h"

#include <string.h>

#include "cpu/ops/unit_rows.h"

static bool prepare(VfiCpuOp *ready, GError **error)
{
    VfiUnitRows *rows = g_new0(VfiUnitRows, 1);

    ready->state = rows;
    return vfi_cut_into_rows(ready, false, rows, error);
}

static void keep_row(float *dst, const float *src, int kept, int w, float outside)
{
    if (dst != src)
        memcpy(dst, src, (size_t)kept * sizeof *dst);
    for (int x = kept; x < w; x++)
        dst[x] = outside;
}

static void keep_inside_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                              int thread)
{
    const VfiUnitRows *rows = ready->state;
    const VfiOp *op = &ready->op;
    const VfiKeepInsideParams *p = &op->u.keep_inside;
    VfiShape shape = op->dst.shape;
    int w =
        vfi_kept_inside(run->inputs.value[VFI_RUN_INPUT_IMAGE_WIDTH], p->scale, shape.w);
    int h =
        vfi_kept_inside(run->inputs.value[VFI_RUN_INPUT_IMAGE_HEIGHT], p->scale, shape.h);
    int unit = index / rows->bands, y = index % rows->bands * rows->rows;
    int end = MIN(y + rows->rows, shape.h);
    (void)thread;

    for (; y < end; y++)
        keep_row(vfi_unit_row(run, &op->dst, unit, y),
                 vfi_unit_row(run, &op->src[0], unit, y), y < h ? w : 0, shape.w,
                 p->outside);
}

static const VfiCpuAlgorithm keep_inside = {
    .name = "keep_inside",
    .prepare = prepare,
    .chunk = keep_inside_chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_keep_inside[] = {&keep_inside, NULL};
