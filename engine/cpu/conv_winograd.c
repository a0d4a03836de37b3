/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd convolution F(4×4, 3×3): 36 products where the direct way needs 144.
 *
 * A chunk is a band of 4 × 4 output tiles. Its input is transformed to 36 points a tile,
 * V[point][in channel][tile]; for each block of output channels, 36 matrix products with
 * the transformed weights U[point][block][in channel][out in the block] give
 * M[point][out][tile], which is transformed back to rows of pixels for the epilogue. All of
 * a block's M, and mostly V, stay in the second-level cache. Tiles of all rows of a chunk
 * form one run, so that vectors are full even where the picture is narrow. */
#include <string.h>

#include <vfi/error.h>

#include "../alloc.h"
#include "op_internal.h"

#define POINTS 36

/* Below this many input or output channels the transforms cost more than they save. */
#define CHANNELS_MIN 16

/* Most bytes of V: what the second-level cache holds, and some. */
#define INPUT_BUDGET (1536 * 1024)

/* Most products of a chunk, so that a cancelled job ends soon. */
#define CHUNK_PRODUCTS 2e8

typedef struct {
    int tiles_y, tiles_x;
    int bands_y, bands_x;     /* chunks in each direction */
    int band_rows, band_cols; /* tiles of a chunk, most */
    int n_out_blocks;
    size_t tile_pitch;     /* floats of a point's tiles for one channel */
    size_t in_point_pitch; /* floats of a point of V */
    size_t row_pitch;      /* floats of an output row of a chunk, all its rows of tiles */
    size_t line_pitch;     /* floats of an input row with its borders */
    size_t in_floats, product_floats; /* V, M */
} Winograd;

/* Tiles that a chunk may have, by its cost and its memory. */
static int tiles_most(const VfiOp *op)
{
    double in = op->src[0].shape.c, out = op->dst.shape.c;
    double by_products = CHUNK_PRODUCTS / (POINTS * in * out);
    double by_memory = INPUT_BUDGET / (POINTS * sizeof(float) * in);

    return (int)MIN(by_products, by_memory);
}

bool vfi_winograd_suits(const VfiOp *op, const VfiCpuKernels *kernels)
{
    const VfiConvParams *p = &op->u.conv;
    VfiShape in = op->src[0].shape, out = op->dst.shape;
    bool is_plain_3x3 = p->kernel_h == 3 && p->kernel_w == 3 && p->stride == 1 &&
                        p->groups == 1 && p->pad_top == 1 && p->pad_left == 1 &&
                        p->pad_bottom == 1 && p->pad_right == 1;

    return kernels->winograd_input != NULL && is_plain_3x3 && in.c >= CHANNELS_MIN &&
           out.c >= CHANNELS_MIN && tiles_most(op) >= kernels->vector_floats &&
           vfi_ceil_div(out.h, 4) * vfi_ceil_div(out.w, 4) >= kernels->vector_floats / 2;
}

static int block_size(const VfiCpuOp *ready, int block)
{
    int n = ready->kernels->conv_out_block;

    return MIN(n, ready->op.dst.shape.c - block * n);
}

static size_t align_floats(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

/* G g Gᵀ of one 3 × 3 filter. */
static void transform_filter(const float *filter, double *points)
{
    static const double g[6][3] = {
        {1.0 / 4, 0, 0},
        {-1.0 / 6, -1.0 / 6, -1.0 / 6},
        {-1.0 / 6, 1.0 / 6, -1.0 / 6},
        {1.0 / 24, 1.0 / 12, 1.0 / 6},
        {1.0 / 24, -1.0 / 12, 1.0 / 6},
        {0, 0, 1},
    };

    for (int i = 0; i < 6; i++) {
        double row[3];
        for (int x = 0; x < 3; x++)
            row[x] =
                g[i][0] * filter[x] + g[i][1] * filter[3 + x] + g[i][2] * filter[6 + x];
        for (int j = 0; j < 6; j++)
            points[6 * i + j] = row[0] * g[j][0] + row[1] * g[j][1] + row[2] * g[j][2];
    }
}

/* Floats of U before block @block at point @point: [block][point][in][out in the block]. */
static size_t weight_offset(const VfiCpuOp *ready, int block, int point)
{
    size_t in = (size_t)ready->op.src[0].shape.c;
    size_t before = (size_t)block * (size_t)ready->kernels->conv_out_block;

    return before * in * POINTS + (size_t)block_size(ready, block) * in * (size_t)point;
}

static bool pack_weights(VfiCpuOp *ready, GError **error)
{
    size_t in = (size_t)ready->op.src[0].shape.c, out = (size_t)ready->op.dst.shape.c;
    int n_block = ready->kernels->conv_out_block;
    double points[POINTS];

    if (vfi_cpu_op_borrow_packed(ready))
        return true;
    ready->packed =
        vfi_try_alloc(in * out, POINTS * sizeof(float), "packed weights", error);
    if (ready->packed == NULL)
        return false;
    ready->packed_bytes = in * out * POINTS * sizeof(float);
    for (size_t o = 0; o < out; o++) {
        int block = (int)o / n_block, place = (int)o % n_block;
        size_t size = (size_t)block_size(ready, block);
        for (size_t i = 0; i < in; i++) {
            transform_filter(ready->op.u.conv.weight + (o * in + i) * 9, points);
            for (int p = 0; p < POINTS; p++)
                ((float *)ready->packed)[weight_offset(ready, block, p) + i * size +
                                         (size_t)place] = (float)points[p];
        }
    }
    return true;
}

/* Bands of whole rows of tiles where they fit, and then the number of rows that keeps the
 * busiest CPU busy for the least time; else pieces of single rows. */
static void choose_bands(Winograd *w, const VfiCpuOp *ready)
{
    int most = tiles_most(&ready->op), vector = ready->kernels->vector_floats;
    int n_cpus = vfi_usable_cpus();
    double best_cost = 0.0;

    w->bands_x = vfi_ceil_div(w->tiles_x, most);
    w->band_cols = vfi_ceil_div(w->tiles_x, w->bands_x);
    for (int rows = 1; rows <= w->tiles_y; rows++) {
        int padded = vfi_ceil_div(rows * w->band_cols, vector) * vector;
        if (rows > 1 && (w->bands_x > 1 || padded > most))
            break;
        int bands = vfi_ceil_div(w->tiles_y, rows);
        double cost = (double)vfi_ceil_div(bands * w->bands_x, n_cpus) * padded;
        if (rows == 1 || cost <= best_cost) {
            w->band_rows = rows;
            best_cost = cost;
        }
    }
    w->bands_y = vfi_ceil_div(w->tiles_y, w->band_rows);
}

static bool winograd_prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape in = ready->op.src[0].shape, out = ready->op.dst.shape;
    Winograd *w = g_new0(Winograd, 1);

    ready->state = w;
    w->tiles_y = vfi_ceil_div(out.h, 4);
    w->tiles_x = vfi_ceil_div(out.w, 4);
    w->n_out_blocks = vfi_ceil_div(out.c, ready->kernels->conv_out_block);
    choose_bands(w, ready);
    size_t tiles = (size_t)w->band_rows * (size_t)w->band_cols;
    /* Dense, for the cache. The last vector of a row of tiles may reach into the next
     * channel, which comes later, and behind the last channel into the room left there. */
    w->tile_pitch = align_floats(tiles);
    w->in_point_pitch = w->tile_pitch * (size_t)in.c + 16;
    w->row_pitch = align_floats(4 * tiles + VFI_ROW_SLACK);
    w->line_pitch =
        align_floats(4 * (size_t)w->band_cols + 2 + (size_t)2 * VFI_ROW_SLACK);
    w->in_floats = POINTS * w->in_point_pitch + VFI_ROW_SLACK;
    w->product_floats =
        POINTS * w->tile_pitch * (size_t)ready->kernels->conv_out_block + VFI_ROW_SLACK;
    ready->n_chunks = w->bands_y * w->bands_x;
    ready->scratch_bytes = sizeof(float) * (w->in_floats + w->product_floats +
                                            4 * w->row_pitch + 12 * w->line_pitch);
    return pack_weights(ready, error);
}

/* A thread's scratch, and which tiles the chunk has. */
typedef struct {
    float *in, *products, *rows, *lines, *transformed;
    int tile_y, tile_x, n_rows, n_cols, n_tiles;
} Chunk;

static Chunk find_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                        int thread)
{
    const Winograd *w = ready->state;
    Chunk chunk = {.in = vfi_thread_scratch(run, thread)};

    chunk.products = chunk.in + w->in_floats;
    chunk.rows = chunk.products + w->product_floats;
    chunk.lines = chunk.rows + 4 * w->row_pitch;
    chunk.transformed = chunk.lines + 6 * w->line_pitch;
    int band_y = index / w->bands_x, band_x = index % w->bands_x;
    chunk.tile_y = vfi_piece_begin(w->tiles_y, w->bands_y, band_y);
    chunk.tile_x = vfi_piece_begin(w->tiles_x, w->bands_x, band_x);
    chunk.n_rows = vfi_piece_begin(w->tiles_y, w->bands_y, band_y + 1) - chunk.tile_y;
    chunk.n_cols = vfi_piece_begin(w->tiles_x, w->bands_x, band_x + 1) - chunk.tile_x;
    chunk.n_tiles = chunk.n_rows * chunk.n_cols;
    return chunk;
}

/* V of input channel @c: rows of tiles in order, since each may write past its end. */
static void transform_channel(const VfiCpuOp *ready, const VfiCpuRun *run,
                              const Chunk *chunk, int c)
{
    const Winograd *w = ready->state;
    const VfiOperand *source = &ready->op.src[0];
    VfiWinogradInput input = {
        .scratch = chunk->transformed,
        .scratch_pitch = w->line_pitch,
        .point_pitch = w->in_point_pitch,
        .n_tiles = chunk->n_cols,
    };
    VfiPackRow line = {.w = source->shape.w,
                       .x_begin = 4 * chunk->tile_x - 1,
                       .stride = 1,
                       .n = 4 * chunk->n_cols + 2};

    for (int r = 0; r < chunk->n_rows; r++) {
        for (int i = 0; i < 6; i++) {
            int y = 4 * (chunk->tile_y + r) - 1 + i;
            bool inside = y >= 0 && y < source->shape.h;
            line.dst = chunk->lines + (size_t)i * w->line_pitch;
            line.src = inside ? vfi_operand_row(run, source, c, y) : NULL;
            ready->kernels->pack_row(&line);
            input.rows[i] = line.dst;
        }
        input.dst =
            chunk->in + (size_t)c * w->tile_pitch + (size_t)r * (size_t)chunk->n_cols;
        ready->kernels->winograd_input(&input);
    }
}

/* M of output block @block. */
static void multiply_block(const VfiCpuOp *ready, const Chunk *chunk, int block)
{
    static const int32_t no_offset[1] = {0};
    const Winograd *w = ready->state;
    VfiConvBlock call = {
        .tap_offset = no_offset,
        .in_plane = w->tile_pitch,
        .acc_pitch = w->tile_pitch * POINTS,
        .n_in = ready->op.src[0].shape.c,
        .n_taps = 1,
        .n_out = block_size(ready, block),
        .n_flat = chunk->n_tiles,
    };

    for (int point = 0; point < POINTS; point++) {
        call.in = chunk->in + (size_t)point * w->in_point_pitch;
        call.weight = (const float *)ready->packed + weight_offset(ready, block, point);
        call.acc = chunk->products + (size_t)point * w->tile_pitch;
        ready->kernels->conv_block(&call);
    }
}

/* Transforms the sums of output channel @channel, @o of its block, and writes its rows. */
static void write_channel(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                          int channel, int o)
{
    const Winograd *w = ready->state;
    const VfiOp *op = &ready->op;
    const VfiConvParams *p = &op->u.conv;
    int x = 4 * chunk->tile_x;
    VfiWinogradOutput output = {
        .src = chunk->products + (size_t)o * POINTS * w->tile_pitch,
        .dst = chunk->rows,
        .point_pitch = w->tile_pitch,
        .row_pitch = w->row_pitch,
        .n_tiles = chunk->n_tiles,
    };
    VfiEpilogueRow row = vfi_epilogue_of(p, channel);

    ready->kernels->winograd_output(&output);
    row.n = (size_t)MIN(4 * chunk->n_cols, op->dst.shape.w - x);
    for (int r = 0; r < 4 * chunk->n_rows; r++) {
        int y = 4 * chunk->tile_y + r;
        if (y >= op->dst.shape.h)
            break;
        row.acc = chunk->rows + (size_t)(r % 4) * w->row_pitch +
                  (size_t)(r / 4) * 4 * (size_t)chunk->n_cols;
        row.dst = vfi_operand_row(run, &op->dst, channel, y) + x;
        if (p->residual != VFI_RESIDUAL_NONE)
            row.residual = vfi_operand_row(run, &op->src[1], channel, y) + x;
        ready->kernels->epilogue(&row);
    }
}

static void winograd_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                           int thread)
{
    const Winograd *w = ready->state;
    Chunk chunk = find_chunk(ready, run, index, thread);

    for (int c = 0; c < ready->op.src[0].shape.c; c++)
        transform_channel(ready, run, &chunk, c);
    for (int block = 0; block < w->n_out_blocks; block++) {
        multiply_block(ready, &chunk, block);
        for (int o = 0; o < block_size(ready, block); o++)
            write_channel(ready, run, &chunk, block * ready->kernels->conv_out_block + o,
                          o);
    }
}

const VfiCpuAlgorithm vfi_cpu_conv_winograd = {
    .name = "winograd",
    .prepare = winograd_prepare,
    .chunk = winograd_chunk,
};
