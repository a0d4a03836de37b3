/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* WARP: backward warp of planes, or of channel blocks by a flow in planes. */
#include "base/alloc.h"
#include "cpu/band.h"
#include "cpu/ops/unit_rows.h"

/* Output floats of one chunk, about: some tenths of a millisecond. */
#define CHUNK_FLOATS 32768

/* A warp's chunk is some rows, or a part of one row if it is long or has many
 * channels. */
typedef struct {
    int rows_per_chunk;
    int pieces_per_row;
} WarpState;

static float *column_numbers_new(int n, GError **error)
{
    float *x = vfi_try_alloc((size_t)n, sizeof(float), "a warp's columns", error);

    for (int i = 0; x != NULL && i < n; i++)
        x[i] = (float)i;
    return x;
}

static bool warp_prepare(VfiCpuOp *op, GError **error)
{
    VfiShape out = op->op.dst.shape;
    WarpState *state = g_new0(WarpState, 1);
    size_t row = (size_t)out.c * (size_t)out.w;

    op->state = state;
    state->rows_per_chunk = (int)CLAMP(CHUNK_FLOATS / row, 1, (size_t)out.h);
    state->pieces_per_row =
        (int)CLAMP(row / ((size_t)4 * CHUNK_FLOATS) + 1, 1, (size_t)out.w);
    op->packed = column_numbers_new(out.w, error);
    if (op->packed == NULL)
        return false;
    op->packed_bytes = (size_t)out.w * sizeof(float);
    int bands = vfi_ceil_div(out.h, state->rows_per_chunk);
    return vfi_cpu_set_chunks(op, (double)bands * state->pieces_per_row, error);
}

static void warp_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const WarpState *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape in = op->src[0].shape, out = op->dst.shape;
    int piece = index % state->pieces_per_row;
    int y_begin = index / state->pieces_per_row * state->rows_per_chunk;
    int y_end = MIN(y_begin + state->rows_per_chunk, out.h);
    int x_begin = vfi_piece_begin(out.w, state->pieces_per_row, piece);
    int x_end = vfi_piece_begin(out.w, state->pieces_per_row, piece + 1);
    VfiWarpRow row = {
        .src = vfi_operand(run, &op->src[0]),
        .dst_plane = (size_t)out.h * (size_t)out.w,
        .src_plane = (size_t)in.h * (size_t)in.w,
        .channels = out.c,
        .src_w = in.w,
        .src_h = in.h,
        .x = (const float *)ready->packed + x_begin,
        .n = x_end - x_begin,
    };

    (void)thread;
    for (int y = y_begin; y < y_end; y++) {
        row.y = y;
        row.dst = vfi_operand_row(run, &op->dst, 0, y) + x_begin;
        row.flow_x = vfi_operand_row(run, &op->src[1], 0, y) + x_begin;
        row.flow_y = vfi_operand_row(run, &op->src[1], 1, y) + x_begin;
        ready->kernels->warp_row(&row);
    }
}

static void run_band(const VfiCpuOp *ready, const VfiCpuBand *band)
{
    const VfiOp *op = &ready->op;
    VfiShape in = op->src[0].shape;
    VfiCpuBandRows dst = vfi_band_rows(band, &op->dst);
    VfiCpuBandRows flow = vfi_band_rows(band, &op->src[1]);
    size_t columns = (size_t)band->picture->columns;
    VfiWarpRow row = {
        .src = vfi_operand(band->run, &op->src[0]),
        .x = band->picture->x,
        .dst_plane = dst.plane,
        .src_plane = (size_t)in.h * (size_t)in.w,
        .channels = op->dst.shape.c,
        .src_w = in.w,
        .src_h = in.h,
        .n = band->picture->columns,
    };

    for (int i = 0; i < band->n; i++) {
        row.y = vfi_band_place(band->picture, band->first + i);
        row.dst = dst.first + (size_t)i * columns;
        row.flow_x = flow.first + (size_t)i * columns;
        row.flow_y = row.flow_x + flow.plane;
        ready->kernels->warp_row(&row);
    }
}

static const VfiCpuBandAlgorithm band_algorithm = {.run = run_band};

static const VfiCpuAlgorithm planes = {
    .name = "warp",
    .prepare = warp_prepare,
    .chunk = warp_chunk,
    .band = &band_algorithm,
};

/* ---- channel blocks ---------------------------------------------------------------- */

static bool accepts_blocks(const VfiOp *op, const VfiCpuKernels *kernels)
{
    return kernels->warp_blocks != NULL && vfi_operand_is_blocked(&op->dst) &&
           vfi_operand_is_blocked(&op->src[0]);
}

static bool blocks_prepare(VfiCpuOp *ready, GError **error)
{
    VfiUnitRows *state = g_new0(VfiUnitRows, 1);

    ready->state = state;
    return vfi_cut_into_rows(ready, true, state, error);
}

static void blocks_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                         int thread)
{
    const VfiUnitRows *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape in = op->src[0].shape, out = op->dst.shape;
    int first = index * state->rows, end = MIN(first + state->rows, out.h);
    VfiWarpBlocks row = {
        .src = vfi_unit_row(run, &op->src[0], 0, 0),
        .dst_plane = (size_t)out.h * (size_t)out.w * (size_t)state->block,
        .src_plane = (size_t)in.h * (size_t)in.w * (size_t)state->block,
        .blocks = state->units,
        .src_w = in.w,
        .src_h = in.h,
        .n = out.w,
    };
    (void)thread;

    for (row.y = first; row.y < end; row.y++) {
        row.dst = vfi_unit_row(run, &op->dst, 0, row.y);
        row.flow_x = vfi_operand_row(run, &op->src[1], 0, row.y);
        row.flow_y = vfi_operand_row(run, &op->src[1], 1, row.y);
        ready->kernels->warp_blocks(&row);
    }
}

static const VfiCpuAlgorithm blocks = {
    .name = "warp of blocks",
    .accepts = accepts_blocks,
    .prepare = blocks_prepare,
    .chunk = blocks_chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_warp[] = {&blocks, &planes, NULL};
