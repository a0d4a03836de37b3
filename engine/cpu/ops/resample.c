/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ops that read their source at computed places: bilinear resize and backward warp. */
#include "cpu/algorithm.h"

#include <vfi/error.h>

#include "base/alloc.h"

/* Output floats of one chunk, about: some tenths of a millisecond. */
#define CHUNK_FLOATS 32768

/* The tables lie in op->packed. */
typedef struct {
    VfiResizeTables tables; /* first: vfi_resize_tables() */
    int rows_per_chunk;
    int chunks_per_channel;
} ResizeState;

/* Where output @i of @out reads among @in elements: half-pixel centres, clamped at 0. */
static void source_of(int i, int in, int out, int32_t *index, float *weight)
{
    float scale = (float)in / (float)out;
    float place = scale * ((float)i + 0.5f) - 0.5f;

    place = place > 0.0f ? place : 0.0f;
    *index = MIN((int32_t)place, in - 1);
    *weight = place - (float)*index;
    *weight = MIN(*weight, 1.0f);
}

bool vfi_resize_enlarges(const VfiOp *op)
{
    VfiShape in = op->src[0].shape, out = op->dst.shape;

    return out.h >= in.h && out.w >= in.w;
}

/* The source's copy, then two stretched rows. */
size_t vfi_stretch_floats(const VfiOp *op, int columns)
{
    return (size_t)op->src[0].shape.w + VFI_ROW_SLACK + 2 * (size_t)columns;
}

/* Source row @y at the computed columns. */
static const float *stretched_row(VfiStretch *stretch, int y)
{
    size_t src_w = (size_t)stretch->op->op.src[0].shape.w;
    size_t columns = (size_t)stretch->columns;
    float *rows = stretch->scratch + src_w + VFI_ROW_SLACK;
    VfiStretchRow row = {
        .dst = rows + (size_t)(y & 1) * columns,
        .src = stretch->src + (size_t)y * src_w,
        .copy = stretch->scratch,
        .x0 = stretch->tables->x0,
        .x_weight = stretch->tables->x_weight,
        .src_w = (int)src_w,
        .dst_w = stretch->columns,
    };

    if (stretch->held[y & 1] != y)
        stretch->op->kernels->stretch_row(&row);
    stretch->held[y & 1] = y;
    return row.dst;
}

void vfi_stretch_to_row(VfiStretch *stretch, int y, float *dst)
{
    const VfiOp *op = &stretch->op->op;
    int y0 = stretch->tables->y0[y];
    const float *top = stretched_row(stretch, y0);
    const float *bottom = stretched_row(stretch, MIN(y0 + 1, op->src[0].shape.h - 1));

    stretch->op->kernels->blend_rows(dst, top, bottom, stretch->tables->y_weight[y],
                                     op->u.resize.mul, (size_t)stretch->columns);
}

static bool resize_prepare(VfiCpuOp *op, GError **error)
{
    VfiShape in = op->op.src[0].shape, out = op->op.dst.shape;
    size_t entries = (size_t)out.w + (size_t)out.h;
    ResizeState *state = g_new0(ResizeState, 1);

    op->state = state;
    int32_t *x0 = vfi_try_alloc(entries, 2 * sizeof(float), "resize tables", error);
    if (x0 == NULL)
        return false;
    op->packed = x0;
    op->packed_bytes = entries * 2 * sizeof(float);
    op->scratch_bytes =
        sizeof(float) * (vfi_resize_enlarges(&op->op) ? vfi_stretch_floats(&op->op, out.w)
                                                      : (size_t)in.w + VFI_ROW_SLACK);

    int32_t *y0 = x0 + out.w;
    float *x_weight = (float *)(void *)(y0 + out.h), *y_weight = x_weight + out.w;
    for (int x = 0; x < out.w; x++)
        source_of(x, in.w, out.w, &x0[x], &x_weight[x]);
    for (int y = 0; y < out.h; y++)
        source_of(y, in.h, out.h, &y0[y], &y_weight[y]);
    state->tables = (VfiResizeTables){x0, y0, x_weight, y_weight};
    state->rows_per_chunk = CLAMP(CHUNK_FLOATS / MAX(out.w, in.w), 1, out.h);
    state->chunks_per_channel = vfi_ceil_div(out.h, state->rows_per_chunk);
    if (out.c > G_MAXINT / 2 / state->chunks_per_channel) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "resize to %d×%d×%d is too large", out.c, out.h, out.w);
        return false;
    }
    op->n_chunks = out.c * state->chunks_per_channel;
    return true;
}

const VfiResizeTables *vfi_resize_tables(const VfiCpuOp *op)
{
    return &((const ResizeState *)op->state)->tables;
}

static void enlarge_rows(const VfiCpuOp *ready, const VfiCpuRun *run, int channel,
                         int begin, int end, float *scratch)
{
    VfiStretch stretch = {
        .op = ready,
        .tables = vfi_resize_tables(ready),
        .src = vfi_operand_row(run, &ready->op.src[0], channel, 0),
        .scratch = scratch,
        .columns = ready->op.dst.shape.w,
        .held = {-1, -1},
    };

    for (int y = begin; y < end; y++)
        vfi_stretch_to_row(&stretch, y, vfi_operand_row(run, &ready->op.dst, channel, y));
}

static void shrink_rows(const VfiCpuOp *ready, const VfiCpuRun *run, int channel,
                        int begin, int end, float *scratch)
{
    const VfiResizeTables *tables = vfi_resize_tables(ready);
    const VfiOp *op = &ready->op;
    VfiShape in = op->src[0].shape;
    VfiResizeRow row = {
        .blend = scratch,
        .x0 = tables->x0,
        .x_weight = tables->x_weight,
        .mul = op->u.resize.mul,
        .src_w = in.w,
        .dst_w = op->dst.shape.w,
    };

    for (int y = begin; y < end; y++) {
        int y0 = tables->y0[y];
        row.dst = vfi_operand_row(run, &op->dst, channel, y);
        row.top = vfi_operand_row(run, &op->src[0], channel, y0);
        row.bottom = vfi_operand_row(run, &op->src[0], channel, MIN(y0 + 1, in.h - 1));
        row.y_weight = tables->y_weight[y];
        ready->kernels->resize_row(&row);
    }
}

static void resize_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                         int thread)
{
    const ResizeState *state = ready->state;
    int channel = index / state->chunks_per_channel;
    int begin = index % state->chunks_per_channel * state->rows_per_chunk;
    int end = MIN(begin + state->rows_per_chunk, ready->op.dst.shape.h);
    float *scratch = vfi_thread_scratch(run, thread);

    if (vfi_resize_enlarges(&ready->op))
        enlarge_rows(ready, run, channel, begin, end, scratch);
    else
        shrink_rows(ready, run, channel, begin, end, scratch);
}

const VfiCpuAlgorithm vfi_cpu_resize = {
    .name = "resize",
    .prepare = resize_prepare,
    .chunk = resize_chunk,
};

/* A warp's chunk is some rows, or a part of one row if it is long or has many channels.
 */
typedef struct {
    int rows_per_chunk;
    int pieces_per_row;
} WarpState;

float *vfi_column_numbers_new(int n, GError **error)
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
    op->packed = vfi_column_numbers_new(out.w, error);
    if (op->packed == NULL)
        return false;
    op->packed_bytes = (size_t)out.w * sizeof(float);
    int bands = vfi_ceil_div(out.h, state->rows_per_chunk);
    if (bands > G_MAXINT / 2 / state->pieces_per_row) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "warp of %d×%d×%d is too large", out.c, out.h, out.w);
        return false;
    }
    op->n_chunks = bands * state->pieces_per_row;
    return true;
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

const VfiCpuAlgorithm vfi_cpu_warp = {
    .name = "warp",
    .prepare = warp_prepare,
    .chunk = warp_chunk,
};
