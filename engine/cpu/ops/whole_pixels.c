/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ops that treat all channels of a pixel alike and so take channel blocks as well as planes:
 * means of 2 × 2 pixels, nearest enlargement, what a 2 × 2 convolution makes of that, and the
 * warp of channel blocks. A plane counts
 * as a block of one channel. */
#include "cpu/conv/blocks.h"

#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"

/* Floats of a chunk's result, about: some tenths of a millisecond. */
#define CHUNK_FLOATS 32768

/* Chunks are rows of one unit (plane or channel block), of all units for warps. */
typedef struct {
    int block;      /* channels of a unit */
    int units;      /* of a chunk's rows: chunks are counted unit by unit */
    int rows;       /* most of a chunk */
    int bands;      /* chunks of a unit */
    int32_t *index; /* NEAREST: source rows, then columns */
} Rows;

static bool cut_into_rows(VfiCpuOp *ready, bool all_units, GError **error)
{
    VfiShape out = ready->op.dst.shape;
    Rows *state = g_new0(Rows, 1);

    ready->state = state;
    state->block = MAX(ready->op.dst.block, 1);
    state->units = vfi_ceil_div(out.c, state->block);
    double row = (double)out.w * state->block * (all_units ? state->units : 1);
    state->rows = (int)CLAMP(CHUNK_FLOATS / row, 1.0, (double)out.h);
    state->bands = vfi_ceil_div(out.h, state->rows);
    double chunks = (double)state->bands * (all_units ? 1 : state->units);
    if (chunks > G_MAXINT / 2) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "%s of %d×%d×%d is too large", vfi_op_kind_to_string(ready->op.kind),
                    out.c, out.h, out.w);
        return false;
    }
    ready->n_chunks = (int)chunks;
    return true;
}

/* Row @y of unit @unit. */
static float *unit_row(const VfiCpuRun *run, const VfiOperand *operand, int unit, int y)
{
    size_t row = (size_t)unit * (size_t)operand->shape.h + (size_t)y;

    return vfi_operand(run, operand) +
           row * (size_t)operand->shape.w * (size_t)MAX(operand->block, 1);
}

static bool pool_prepare(VfiCpuOp *ready, GError **error)
{
    return cut_into_rows(ready, false, error);
}

static void pool_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const Rows *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape in = op->src[0].shape, out = op->dst.shape;
    int unit = index / state->bands, y = index % state->bands * state->rows;
    int end = MIN(y + state->rows, out.h);
    (void)thread;

    for (; y < end; y++) {
        VfiPoolRow row = {
            .dst = unit_row(run, &op->dst, unit, y),
            .top = unit_row(run, &op->src[0], unit, 2 * y),
            .n = (size_t)out.w,
            .block = (size_t)state->block,
        };
        row.bottom = row.top + (size_t)in.w * row.block;
        ready->kernels->pool_row(&row);
    }
}

const VfiCpuAlgorithm vfi_cpu_avg_pool = {
    .name = "pool",
    .prepare = pool_prepare,
    .chunk = pool_chunk,
};

static bool nearest_prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape in = ready->op.src[0].shape, out = ready->op.dst.shape;
    size_t entries = (size_t)out.h + (size_t)out.w;

    if (!cut_into_rows(ready, false, error))
        return false;
    int32_t *index =
        vfi_try_alloc(entries, sizeof(*index), "an enlargement's table", error);
    if (index == NULL)
        return false;
    for (int y = 0; y < out.h; y++)
        index[y] = (int32_t)((int64_t)y * in.h / out.h);
    for (int x = 0; x < out.w; x++)
        index[out.h + x] = (int32_t)((int64_t)x * in.w / out.w);
    ((Rows *)ready->state)->index = index;
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
    const Rows *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape out = op->dst.shape;
    int unit = index / state->bands, first = index % state->bands * state->rows;
    int end = MIN(first + state->rows, out.h);
    size_t bytes = (size_t)out.w * (size_t)state->block * sizeof(float);
    (void)thread;

    for (int y = first; y < end; y++) {
        float *dst = unit_row(run, &op->dst, unit, y);
        if (y > first && state->index[y] == state->index[y - 1])
            memcpy(dst, unit_row(run, &op->dst, unit, y - 1), bytes);
        else
            repeat_pixels(dst, unit_row(run, &op->src[0], unit, state->index[y]),
                          state->index + out.h, out.w, state->block);
    }
}

const VfiCpuAlgorithm vfi_cpu_nearest = {
    .name = "nearest",
    .prepare = nearest_prepare,
    .chunk = nearest_chunk,
};

static void upsample_conv_sum_chunk(const VfiCpuOp *ready, const VfiCpuRun *run,
                                    int index, int thread)
{
    static const float zeros[VFI_ROW_SLACK];
    const Rows *state = ready->state;
    const VfiOp *op = &ready->op;
    const float *bias = op->u.nearest.bias;
    VfiShape out = op->dst.shape;
    int unit = index / state->bands, y = index % state->bands * state->rows;
    int end = MIN(y + state->rows, out.h);
    VfiTapRow row = {
        .bias = bias != NULL ? bias + (ptrdiff_t)unit * state->block : zeros,
        .x = state->index + out.h,
        .n = (size_t)out.w,
        .block = (size_t)state->block,
    };
    (void)thread;

    for (; y < end; y++) {
        row.dst = unit_row(run, &op->dst, unit, y);
        for (int tap = 0; tap < 4; tap++) {
            int from = y + tap / 2;
            row.tap[tap] = from < out.h
                               ? unit_row(run, &op->src[0], tap * state->units + unit,
                                          state->index[from])
                               : NULL;
        }
        ready->kernels->tap_row(&row);
    }
}

const VfiCpuAlgorithm vfi_cpu_upsample_conv_sum = {
    .name = "tap sum",
    .prepare = nearest_prepare,
    .chunk = upsample_conv_sum_chunk,
};

static bool warp_blocks_prepare(VfiCpuOp *ready, GError **error)
{
    return cut_into_rows(ready, true, error);
}

static void warp_blocks_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                              int thread)
{
    const Rows *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape in = op->src[0].shape, out = op->dst.shape;
    int first = index * state->rows, end = MIN(first + state->rows, out.h);
    VfiWarpBlocks row = {
        .src = unit_row(run, &op->src[0], 0, 0),
        .dst_plane = (size_t)out.h * (size_t)out.w * (size_t)state->block,
        .src_plane = (size_t)in.h * (size_t)in.w * (size_t)state->block,
        .blocks = state->units,
        .src_w = in.w,
        .src_h = in.h,
        .n = out.w,
    };
    (void)thread;

    for (row.y = first; row.y < end; row.y++) {
        row.dst = unit_row(run, &op->dst, 0, row.y);
        row.flow_x = vfi_operand_row(run, &op->src[1], 0, row.y);
        row.flow_y = vfi_operand_row(run, &op->src[1], 1, row.y);
        ready->kernels->warp_blocks(&row);
    }
}

const VfiCpuAlgorithm vfi_cpu_warp_blocks = {
    .name = "warp of blocks",
    .prepare = warp_blocks_prepare,
    .chunk = warp_blocks_chunk,
};
