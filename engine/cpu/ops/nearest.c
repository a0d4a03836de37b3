/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NEAREST, and UPSAMPLE_CONV_SUM, what a 2 × 2 convolution makes of such an
 * enlargement. */
#include "cpu/ops/unit_rows.h"

#include <string.h>

#include "base/alloc.h"

typedef struct {
    VfiUnitRows rows;
    int32_t *index; /* source rows of the result's, then columns; in op->packed */
} Nearest;

static bool nearest_prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape in = ready->op.src[0].shape, out = ready->op.dst.shape;
    size_t entries = (size_t)out.h + (size_t)out.w;
    Nearest *state = g_new0(Nearest, 1);

    ready->state = state;
    if (!vfi_cut_into_rows(ready, false, &state->rows, error))
        return false;
    int32_t *index =
        vfi_try_alloc(entries, sizeof(*index), "an enlargement's table", error);
    if (index == NULL)
        return false;
    for (int y = 0; y < out.h; y++)
        index[y] = (int32_t)((int64_t)y * in.h / out.h);
    for (int x = 0; x < out.w; x++)
        index[out.h + x] = (int32_t)((int64_t)x * in.w / out.w);
    state->index = index;
    ready->packed = index;
    ready->packed_bytes = entries * sizeof(*index);
    return true;
}

/* One row of @n pixels from the columns @x of @src. */
static void repeat_pixels(float *dst, const float *src, const int32_t *x, int n,
                          int block)
{
    if (block == 1) {
        for (int i = 0; i < n; i++)
            dst[i] = src[x[i]];
        return;
    }
    for (int i = 0; i < n; i++)
        memcpy(dst + (ptrdiff_t)i * block, src + (ptrdiff_t)x[i] * block,
               (size_t)block * sizeof *dst);
}

static void nearest_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                          int thread)
{
    const Nearest *state = ready->state;
    const VfiUnitRows *rows = &state->rows;
    const VfiOp *op = &ready->op;
    VfiShape out = op->dst.shape;
    int unit = index / rows->bands, first = index % rows->bands * rows->rows;
    int end = MIN(first + rows->rows, out.h);
    size_t bytes = (size_t)out.w * (size_t)rows->block * sizeof(float);
    (void)thread;

    for (int y = first; y < end; y++) {
        float *dst = vfi_unit_row(run, &op->dst, unit, y);
        if (y > first && state->index[y] == state->index[y - 1])
            memcpy(dst, vfi_unit_row(run, &op->dst, unit, y - 1), bytes);
        else
            repeat_pixels(dst, vfi_unit_row(run, &op->src[0], unit, state->index[y]),
                          state->index + out.h, out.w, rows->block);
    }
}

static void upsample_conv_sum_chunk(const VfiCpuOp *ready, const VfiCpuRun *run,
                                    int index, int thread)
{
    static const float zeros[VFI_ROW_SLACK];
    const Nearest *state = ready->state;
    const VfiUnitRows *rows = &state->rows;
    const VfiOp *op = &ready->op;
    const float *bias = op->u.nearest.bias;
    VfiShape out = op->dst.shape;
    int unit = index / rows->bands, y = index % rows->bands * rows->rows;
    int end = MIN(y + rows->rows, out.h);
    VfiTapRow row = {
        .bias = bias != NULL ? bias + (ptrdiff_t)unit * rows->block : zeros,
        .x = state->index + out.h,
        .n = (size_t)out.w,
        .block = (size_t)rows->block,
    };
    (void)thread;

    for (; y < end; y++) {
        row.dst = vfi_unit_row(run, &op->dst, unit, y);
        for (int tap = 0; tap < 4; tap++) {
            int from = y + tap / 2;
            row.tap[tap] = from < out.h
                               ? vfi_unit_row(run, &op->src[0], tap * rows->units + unit,
                                              state->index[from])
                               : NULL;
        }
        ready->kernels->tap_row(&row);
    }
}

static const VfiCpuAlgorithm nearest = {
    .name = "nearest",
    .accepts = vfi_accepts_units,
    .prepare = nearest_prepare,
    .chunk = nearest_chunk,
};

static const VfiCpuAlgorithm upsample_conv_sum = {
    .name = "upsample_conv_sum",
    .accepts = vfi_accepts_units,
    .prepare = nearest_prepare,
    .chunk = upsample_conv_sum_chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_nearest[] = {&nearest, NULL};
const VfiCpuAlgorithm *const vfi_cpu_upsample_conv_sum[] = {&upsample_conv_sum, NULL};
