/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RESIZE: where each column and row reads is in tables. */
#include "base/alloc.h"
#include "cpu/band.h"
#include "op/descriptor.h"
#include "op/resize.h"

/* Output floats of one chunk, about: some tenths of a millisecond. */
#define CHUNK_FLOATS 32768

/* Where each output column and row reads: left column, upper row, and the weights of
 * the next ones. */
typedef struct {
    const int32_t *x0, *y0;
    const float *x_weight, *y_weight;
} Tables;

/* The tables lie in op->packed. */
typedef struct {
    Tables tables;
    int rows_per_chunk;
    int chunks_per_channel;
} ResizeState;

static const Tables *tables_of(const VfiCpuOp *op)
{
    return &((const ResizeState *)op->state)->tables;
}

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

/* Whether the op makes neither direction smaller: then columns come first, and each
 * source row is stretched once for all rows of the result that read it. Else rows come
 * first. */
static bool enlarges(const VfiOp *op)
{
    VfiShape in = op->src[0].shape, out = op->dst.shape;

    return out.h >= in.h && out.w >= in.w;
}

/* Rows of one channel of such an op, in any order; fastest if ascending. */
typedef struct {
    const VfiCpuOp *op;
    const Tables *tables; /* x0 and x_weight of the @columns that are computed */
    const float *src;     /* the channel's plane */
    float *scratch;       /* [stretch_floats()] */
    int columns;
    int held[2]; /* source rows that are stretched, of even and odd number; -1: none */
} Stretch;

/* The source's copy, then two stretched rows. */
static size_t stretch_floats(const VfiOp *op, int columns)
{
    return (size_t)op->src[0].shape.w + VFI_ROW_SLACK + 2 * (size_t)columns;
}

/* Source row @y at the computed columns. */
static const float *stretched_row(Stretch *stretch, int y)
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

/* Row @y of the result, its computed columns. */
static void stretch_to_row(Stretch *stretch, int y, float *dst)
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
        sizeof(float) * (enlarges(&op->op) ? stretch_floats(&op->op, out.w)
                                           : (size_t)in.w + VFI_ROW_SLACK);

    int32_t *y0 = x0 + out.w;
    float *x_weight = (float *)(void *)(y0 + out.h), *y_weight = x_weight + out.w;
    for (int x = 0; x < out.w; x++)
        source_of(x, in.w, out.w, &x0[x], &x_weight[x]);
    for (int y = 0; y < out.h; y++)
        source_of(y, in.h, out.h, &y0[y], &y_weight[y]);
    state->tables = (Tables){x0, y0, x_weight, y_weight};
    state->rows_per_chunk = CLAMP(CHUNK_FLOATS / MAX(out.w, in.w), 1, out.h);
    state->chunks_per_channel = vfi_ceil_div(out.h, state->rows_per_chunk);
    return vfi_cpu_set_chunks(op, (double)out.c * state->chunks_per_channel, error);
}

static void enlarge_rows(const VfiCpuOp *ready, const VfiCpuRun *run, int channel,
                         int begin, int end, float *scratch)
{
    Stretch stretch = {
        .op = ready,
        .tables = tables_of(ready),
        .src = vfi_operand_row(run, &ready->op.src[0], channel, 0),
        .scratch = scratch,
        .columns = ready->op.dst.shape.w,
        .held = {-1, -1},
    };

    for (int y = begin; y < end; y++)
        stretch_to_row(&stretch, y, vfi_operand_row(run, &ready->op.dst, channel, y));
}

static void shrink_rows(const VfiCpuOp *ready, const VfiCpuRun *run, int channel,
                        int begin, int end, float *scratch)
{
    const Tables *tables = tables_of(ready);
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

    if (enlarges(&ready->op))
        enlarge_rows(ready, run, channel, begin, end, scratch);
    else
        shrink_rows(ready, run, channel, begin, end, scratch);
}

/* ---- in row groups ----------------------------------------------------------------- */

static size_t band_scratch(const VfiCpuOp *op, const VfiCpuBandPicture *picture)
{
    return stretch_floats(&op->op, picture->columns);
}

/* Where columns are sampled, *state are tables by computed columns, with their memory
 * after them. */
static bool band_prepare(const VfiCpuOp *ready, const VfiCpuBandPicture *picture,
                         void **state, GError **error)
{
    const VfiOp *op = &ready->op;
    const Tables *own = tables_of(ready);
    bool is_down = vfi_op_factor_down(op) != 0;
    int n = is_down ? op->dst.shape.w : picture->columns;

    if (picture->sampling == 0 || (is_down && op->src[0].region != VFI_REGION_ROWS))
        return true;
    Tables *tables =
        vfi_try_alloc(1, sizeof(Tables) + (size_t)n * (sizeof(int32_t) + sizeof(float)),
                      "tables of a row group", error);
    if (tables == NULL)
        return false;
    int32_t *x0 = (int32_t *)(void *)(tables + 1);
    float *x_weight = (float *)(void *)(x0 + n);
    for (int x = 0; x < n; x++) {
        x0[x] = is_down ? 2 * x : own->x0[vfi_band_place(picture, x)];
        x_weight[x] = own->x_weight[is_down ? x : vfi_band_place(picture, x)];
    }
    *tables = *own;
    tables->x0 = x0;
    tables->x_weight = x_weight;
    *state = tables;
    return true;
}

static void enlarge_band(const VfiCpuOp *ready, const VfiCpuBand *band,
                         const Tables *tables)
{
    const VfiOp *op = &ready->op;
    VfiCpuBandRows dst = vfi_band_rows(band, &op->dst);
    Stretch stretch = {
        .op = ready,
        .tables = tables,
        .scratch = band->scratch,
        .columns = band->picture->columns,
    };

    for (int c = 0; c < op->dst.shape.c; c++) {
        stretch.src = vfi_operand_row(band->run, &op->src[0], c, 0);
        stretch.held[0] = stretch.held[1] = -1;
        for (int i = 0; i < band->n; i++)
            stretch_to_row(&stretch, vfi_band_place(band->picture, band->first + i),
                           dst.first + (size_t)c * dst.plane +
                               (size_t)i * (size_t)stretch.columns);
    }
}

/* The rows of the result that read from the band. */
static void shrink_band(const VfiCpuOp *ready, const VfiCpuBand *band,
                        const Tables *tables)
{
    const VfiCpuBandPicture *picture = band->picture;
    const VfiOp *op = &ready->op;
    bool local = op->src[0].region == VFI_REGION_ROWS;
    int sampling = picture->sampling, reads = sampling != 0 ? 2 : vfi_op_factor_down(op);
    VfiCpuBandRows src = {NULL, 0};
    VfiResizeRow row = {
        .blend = band->scratch,
        .x0 = tables->x0,
        .x_weight = tables->x_weight,
        .mul = op->u.resize.mul,
        .src_w = local ? picture->columns : picture->w,
        .dst_w = op->dst.shape.w,
    };

    if (local)
        src = vfi_band_rows(band, &op->src[0]);
    for (int c = 0; c < op->dst.shape.c; c++) {
        for (int y = band->first / reads; y < (band->first + band->n) / reads; y++) {
            int y0 = tables->y0[y];
            int at = (sampling != 0 ? 2 * y : y0) - band->first;
            row.top =
                local ? src.first + (size_t)c * src.plane + (size_t)at * (size_t)row.src_w
                      : vfi_operand_row(band->run, &op->src[0], c, y0);
            row.bottom = row.top + row.src_w;
            row.y_weight = tables->y_weight[y];
            row.dst = vfi_operand_row(band->run, &op->dst, c, y);
            ready->kernels->resize_row(&row);
        }
    }
}

static void run_band(const VfiCpuOp *ready, const VfiCpuBand *band)
{
    const Tables *tables = band->state != NULL ? band->state : tables_of(ready);

    if (vfi_op_factor_down(&ready->op) != 0)
        shrink_band(ready, band, tables);
    else
        enlarge_band(ready, band, tables);
}

static const VfiCpuBandAlgorithm band_algorithm = {
    .run = run_band,
    .scratch = band_scratch,
    .prepare = band_prepare,
};

static const VfiCpuAlgorithm algorithm = {
    .name = "resize",
    .prepare = resize_prepare,
    .chunk = resize_chunk,
    .band = &band_algorithm,
};

const VfiCpuAlgorithm *const vfi_cpu_resize[] = {&algorithm, NULL};
