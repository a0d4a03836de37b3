/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Direct convolution and transposed convolution around a register kernel.
 *
 * The output is a grid of cells: one pixel a cell for a convolution, stride × stride pixels
 * (output phases) for a transposed one. A chunk is a band of cells by a range of output
 * channels. Its input rows are copied with their zero borders into scratch; a strided
 * convolution's pixels are sorted there by their place modulo the stride (input phases). So
 * every tap of the kernel is a fixed offset, the band is one flat run of pixels (the few
 * between two rows are computed and dropped), and the kernel knows no borders. Sums over
 * blocks of input channels are added up in scratch, then the epilogue writes the result. */
#include "op_internal.h"

#include <string.h>

#include <vfi/error.h>

#include "../alloc.h"

/* Scratch of a chunk should leave room in a second-level cache of 512 KiB or more. */
#define SCRATCH_BUDGET (416 * 1024)
/* Weights that the kernel goes through for one tile should stay in the first-level cache. */
#define WEIGHT_BUDGET (12 * 1024)
/* Multiply-adds of one chunk: enough to hide the copying, and some 4 ms at most. */
#define CHUNK_PRODUCTS_MIN 8e6
#define CHUNK_PRODUCTS_MAX 1e8
/* Large ops are cut into at least this many chunks, so that many threads find work. */
#define CHUNKS_WANTED 16
/* Bands lower than this copy too many rows twice. */
#define BAND_ROWS_MIN 4
#define BAND_COLS_MIN 64

typedef struct {
    int ky, kx;   /* in the weight */
    int row, col; /* of the band's phase plane */
    int phase_y, phase_x;
} Tap;

typedef struct {
    int in_stride, out_stride;
    int base_y, base_x;   /* input place of the plane's corner for cell 0, 0 */
    int reach_y, reach_x; /* rows and columns that a plane has beyond its band's */
    int phases_y, phases_x;
    int grid_h, grid_w;
    int out_phases;      /* out_stride² */
    int *first_tap;      /* [out_phases + 1] */
    Tap *taps;           /* [kernel_h * kernel_w], by output phase */
    int32_t *tap_offset; /* same, in the band */

    int in_group, out_group; /* channels of a group */
    int in_block, out_block; /* channels of one kernel call */
    int n_out_blocks;        /* of a group */
    int pieces;              /* ranges of output blocks, each a chunk's */
    int piece_blocks;        /* most blocks of a piece */
    int bands_y, bands_x;
    int band_rows, band_cols; /* most cells of a band */

    int pitch;                    /* floats from row to row of a band */
    size_t phase_plane;           /* floats of one input phase */
    size_t in_plane;              /* floats of one input channel */
    size_t acc_pitch;             /* floats of one channel's sums */
    size_t in_floats, acc_floats; /* of a thread's scratch; a row to interleave follows */
} Direct;

static int floor_mod(int a, int b)
{
    int rest = a % b;
    return rest < 0 ? rest + b : rest;
}

/* A convolution: cell x reads input x * stride - pad + k; phase and column follow from k. */
static void lay_out_conv(Direct *d, const VfiConvParams *p)
{
    int n = 0;

    d->in_stride = p->stride;
    d->out_stride = 1;
    d->base_y = -p->pad_top;
    d->base_x = -p->pad_left;
    d->reach_y = (p->kernel_h - 1) / p->stride;
    d->reach_x = (p->kernel_w - 1) / p->stride;
    d->phases_y = MIN(p->stride, p->kernel_h);
    d->phases_x = MIN(p->stride, p->kernel_w);
    for (int ky = 0; ky < p->kernel_h; ky++) {
        for (int kx = 0; kx < p->kernel_w; kx++)
            d->taps[n++] = (Tap){.ky = ky,
                                 .kx = kx,
                                 .row = ky / p->stride,
                                 .col = kx / p->stride,
                                 .phase_y = ky % p->stride,
                                 .phase_x = kx % p->stride};
    }
    d->first_tap[1] = n;
}

/* How far from cell to input row (or column) tap @k of output phase @q goes: output
 * cell * stride + q takes input cell + (q + pad - k) / stride where that is whole. */
static bool deconv_shift(int q, int k, int pad, int stride, int *shift)
{
    if (floor_mod(q + pad - k, stride) != 0)
        return false;
    *shift = (q + pad - k) / stride;
    return true;
}

/* Least and largest shift over all phases and taps of one direction. */
static void deconv_range(int kernel, int pad, int stride, int *least, int *largest)
{
    int shift;

    *least = G_MAXINT;
    *largest = G_MININT;
    for (int q = 0; q < stride; q++) {
        for (int k = 0; k < kernel; k++) {
            if (!deconv_shift(q, k, pad, stride, &shift))
                continue;
            *least = MIN(*least, shift);
            *largest = MAX(*largest, shift);
        }
    }
}

/* The taps of output phase @qy, @qx, appended at @n; returns the new number. */
static int add_deconv_taps(Direct *d, const VfiConvParams *p, int qy, int qx, int n)
{
    int dy, dx;

    for (int ky = 0; ky < p->kernel_h; ky++) {
        if (!deconv_shift(qy, ky, p->pad_top, p->stride, &dy))
            continue;
        for (int kx = 0; kx < p->kernel_w; kx++) {
            if (!deconv_shift(qx, kx, p->pad_left, p->stride, &dx))
                continue;
            d->taps[n++] =
                (Tap){.ky = ky, .kx = kx, .row = dy - d->base_y, .col = dx - d->base_x};
        }
    }
    return n;
}

static void lay_out_deconv(Direct *d, const VfiConvParams *p)
{
    int largest_y, largest_x, n = 0;

    d->in_stride = 1;
    d->out_stride = p->stride;
    d->phases_y = d->phases_x = 1;
    deconv_range(p->kernel_h, p->pad_top, p->stride, &d->base_y, &largest_y);
    deconv_range(p->kernel_w, p->pad_left, p->stride, &d->base_x, &largest_x);
    d->reach_y = largest_y - d->base_y;
    d->reach_x = largest_x - d->base_x;
    for (int phase = 0; phase < d->out_phases; phase++) {
        n = add_deconv_taps(d, p, phase / p->stride, phase % p->stride, n);
        d->first_tap[phase + 1] = n;
    }
}

/* Taps of the phase that has most. */
static int most_taps(const Direct *d)
{
    int most = 1;

    for (int phase = 0; phase < d->out_phases; phase++)
        most = MAX(most, d->first_tap[phase + 1] - d->first_tap[phase]);
    return most;
}

/* Chooses the blocks of channels, the bands, and the pieces of output channels. */
static void choose_blocks(Direct *d, const VfiCpuKernels *kernels, int groups, int taps)
{
    int in_most =
        WEIGHT_BUDGET / ((int)sizeof(float) * kernels->conv_out_block * most_taps(d));

    d->out_block = MIN(kernels->conv_out_block, d->out_group);
    d->n_out_blocks = vfi_ceil_div(d->out_group, d->out_block);
    d->in_block = vfi_ceil_div(d->in_group, vfi_ceil_div(d->in_group, MAX(in_most, 8)));

    /* Floats of scratch a cell; a piece leaves room for bands of some hundred cells. */
    int in_floats = d->in_block * d->phases_y * d->phases_x;
    int block_floats = d->out_block * d->out_phases;
    int room = SCRATCH_BUDGET / (int)sizeof(float) / 320 - in_floats;
    d->piece_blocks = CLAMP(room / block_floats, 1, d->n_out_blocks);
    int cell_bytes = (in_floats + d->piece_blocks * block_floats) * (int)sizeof(float);

    int rows_min = MIN(MAX(BAND_ROWS_MIN, 2 * d->reach_y), d->grid_h);
    int cols_most =
        MAX(SCRATCH_BUDGET / cell_bytes / (rows_min + d->reach_y), BAND_COLS_MIN);
    d->bands_x = vfi_ceil_div(d->grid_w, cols_most);
    d->band_cols = vfi_ceil_div(d->grid_w, d->bands_x);

    double row_products =
        (double)d->in_group * taps * d->out_block * d->piece_blocks * d->band_cols;
    double total =
        (double)d->in_group * taps * d->out_group * groups * d->grid_h * d->grid_w;
    double target = CLAMP(total / CHUNKS_WANTED, CHUNK_PRODUCTS_MIN, CHUNK_PRODUCTS_MAX);
    int rows_fit = SCRATCH_BUDGET / cell_bytes / d->band_cols - d->reach_y;
    int rows = (int)CLAMP(target / row_products, (double)rows_min, 1e6);
    rows = CLAMP(MIN(rows, rows_fit), 1, d->grid_h);
    d->bands_y = vfi_ceil_div(d->grid_h, rows);
    d->band_rows = vfi_ceil_div(d->grid_h, d->bands_y);

    double block_products = row_products / d->piece_blocks * d->band_rows;
    int blocks_fit = (int)CLAMP(target / block_products, 1.0, (double)d->piece_blocks);
    d->pieces = vfi_ceil_div(d->n_out_blocks, blocks_fit);
    d->piece_blocks = vfi_ceil_div(d->n_out_blocks, d->pieces);
}

/* Rounds up to an odd number of cache lines: channels must not fall on the same sets. */
static size_t odd_lines(size_t floats)
{
    size_t lines = (floats + 15) / 16;
    return (lines | 1) * 16;
}

static void lay_out_scratch(Direct *d)
{
    size_t rows = (size_t)d->band_rows + (size_t)d->reach_y;
    size_t n_flat;

    d->pitch = d->band_cols + d->reach_x;
    d->phase_plane = rows * (size_t)d->pitch;
    d->in_plane = odd_lines(d->phase_plane * (size_t)d->phases_y * (size_t)d->phases_x);
    n_flat = ((size_t)d->band_rows - 1) * (size_t)d->pitch + (size_t)d->band_cols;
    d->acc_pitch = odd_lines(n_flat + VFI_ROW_SLACK);
    d->in_floats = (size_t)d->in_block * d->in_plane + VFI_ROW_SLACK;
    d->in_floats = (d->in_floats + 15) / 16 * 16;
    d->acc_floats = (size_t)d->piece_blocks * (size_t)d->out_block *
                    (size_t)d->out_phases * d->acc_pitch;
    for (int t = 0; t < d->first_tap[d->out_phases]; t++) {
        const Tap *tap = &d->taps[t];
        size_t phase = (size_t)tap->phase_y * (size_t)d->phases_x + (size_t)tap->phase_x;
        d->tap_offset[t] =
            (int32_t)(phase * d->phase_plane + (size_t)tap->row * (size_t)d->pitch +
                      (size_t)tap->col);
    }
}

/* First output channel of block @block within its group, and how many it has. */
static int block_begin(const Direct *d, int block)
{
    return block * d->out_block;
}

static int block_size(const Direct *d, int block)
{
    return MIN(d->out_block, d->out_group - block_begin(d, block));
}

/* Floats before the weights of one group's block and phase: [in][tap][out in the block]. */
static size_t weight_offset(const Direct *d, int group, int block, int phase)
{
    size_t taps = (size_t)d->first_tap[d->out_phases], in = (size_t)d->in_group;
    size_t before = (size_t)group * (size_t)d->out_group + (size_t)block_begin(d, block);

    return before * in * taps +
           (size_t)block_size(d, block) * in * (size_t)d->first_tap[phase];
}

/* Where the model keeps the weight of output channel @o (all groups counted). */
static float model_weight(const VfiCpuOp *ready, const Direct *d, int o, int i,
                          const Tap *tap)
{
    const VfiConvParams *p = &ready->op.u.conv;
    size_t filter = ready->op.kind == VFI_OP_CONV
                        ? (size_t)o * (size_t)d->in_group + (size_t)i
                        : (size_t)i * (size_t)d->out_group + (size_t)o;

    return p
        ->weight[(filter * (size_t)p->kernel_h + (size_t)tap->ky) * (size_t)p->kernel_w +
                 (size_t)tap->kx];
}

static void pack_block(const VfiCpuOp *ready, const Direct *d, int group, int block,
                       int phase)
{
    float *to = (float *)ready->packed + weight_offset(d, group, block, phase);
    int first = group * d->out_group + block_begin(d, block), n = block_size(d, block);

    for (int i = 0; i < d->in_group; i++) {
        for (int t = d->first_tap[phase]; t < d->first_tap[phase + 1]; t++) {
            for (int o = 0; o < n; o++)
                *to++ = model_weight(ready, d, first + o, i, &d->taps[t]);
        }
    }
}

static bool pack_weights(VfiCpuOp *ready, const Direct *d, GError **error)
{
    int groups = ready->op.u.conv.groups;
    size_t filters = (size_t)groups * (size_t)d->out_group * (size_t)d->in_group;
    size_t taps = (size_t)d->first_tap[d->out_phases];

    ready->packed = vfi_try_alloc(filters, taps * sizeof(float), "packed weights", error);
    if (ready->packed == NULL)
        return false;
    ready->packed_bytes = filters * taps * sizeof(float);
    for (int group = 0; group < groups; group++) {
        for (int block = 0; block < d->n_out_blocks; block++) {
            for (int phase = 0; phase < d->out_phases; phase++)
                pack_block(ready, d, group, block, phase);
        }
    }
    return true;
}

static bool direct_prepare(VfiCpuOp *ready, GError **error)
{
    const VfiOp *op = &ready->op;
    const VfiConvParams *p = &op->u.conv;
    int taps = p->kernel_h * p->kernel_w;
    Direct *d = g_new0(Direct, 1);

    ready->state = d;
    d->out_phases = op->kind == VFI_OP_CONV ? 1 : p->stride * p->stride;
    d->first_tap = g_new0(int, (gsize)d->out_phases + 1);
    d->taps = g_new0(Tap, (gsize)taps);
    d->tap_offset = g_new0(int32_t, (gsize)taps);
    if (op->kind == VFI_OP_CONV)
        lay_out_conv(d, p);
    else
        lay_out_deconv(d, p);
    d->grid_h = vfi_ceil_div(op->dst.shape.h, d->out_stride);
    d->grid_w = vfi_ceil_div(op->dst.shape.w, d->out_stride);
    d->in_group = op->src[0].shape.c / p->groups;
    d->out_group = op->dst.shape.c / p->groups;
    choose_blocks(d, ready->kernels, p->groups, taps);
    lay_out_scratch(d);

    double chunks = (double)p->groups * d->bands_y * d->bands_x * d->pieces;
    if (chunks > G_MAXINT / 2 || d->in_plane > G_MAXINT / 2) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s '%s' is too large",
                    vfi_op_kind_to_string(op->kind), op->name != NULL ? op->name : "");
        return false;
    }
    ready->n_chunks = (int)chunks;
    ready->scratch_bytes = (d->in_floats + d->acc_floats) * sizeof(float);
    if (d->out_stride > 1)
        ready->scratch_bytes +=
            (size_t)d->band_cols * (size_t)d->out_stride * sizeof(float);
    return pack_weights(ready, d, error);
}

static void direct_clear(VfiCpuOp *ready)
{
    Direct *d = ready->state;

    g_free(d->first_tap);
    g_free(d->taps);
    g_free(d->tap_offset);
}

/* What one chunk covers. */
typedef struct {
    int group;
    int block_begin, block_end;
    int y, x, rows, cols; /* cells */
    float *in, *acc, *row;
} Chunk;

static Chunk find_chunk(const Direct *d, const VfiCpuRun *run, int index, int thread)
{
    int piece = index % d->pieces;
    int band = index / d->pieces;
    int band_x = band % d->bands_x;
    int band_y = band / d->bands_x % d->bands_y;
    Chunk chunk = {
        .group = band / d->bands_x / d->bands_y,
        .block_begin = vfi_piece_begin(d->n_out_blocks, d->pieces, piece),
        .block_end = vfi_piece_begin(d->n_out_blocks, d->pieces, piece + 1),
        .y = vfi_piece_begin(d->grid_h, d->bands_y, band_y),
        .x = vfi_piece_begin(d->grid_w, d->bands_x, band_x),
        .in = vfi_thread_scratch(run, thread),
    };

    chunk.rows = vfi_piece_begin(d->grid_h, d->bands_y, band_y + 1) - chunk.y;
    chunk.cols = vfi_piece_begin(d->grid_w, d->bands_x, band_x + 1) - chunk.x;
    chunk.acc = chunk.in + d->in_floats;
    chunk.row = chunk.acc + d->acc_floats;
    return chunk;
}

/* Copies one input phase of channel @c (all groups counted) for the chunk's band. */
static void pack_phase(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                       int c, int phase_y, int phase_x, float *to)
{
    const Direct *d = ready->state;
    const VfiOperand *source = &ready->op.src[0];
    VfiPackRow row = {
        .w = source->shape.w,
        .x_begin = chunk->x * d->in_stride + d->base_x + phase_x,
        .stride = d->in_stride,
        .n = chunk->cols + d->reach_x,
    };

    for (int r = 0; r < chunk->rows + d->reach_y; r++) {
        int y = (chunk->y + r) * d->in_stride + d->base_y + phase_y;
        bool inside = y >= 0 && y < source->shape.h;
        row.src = inside ? vfi_operand_row(run, source, c, y) : NULL;
        row.dst = to + (size_t)r * (size_t)d->pitch;
        ready->kernels->pack_row(&row);
    }
}

static void pack_band(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                      int i_begin, int n_in)
{
    const Direct *d = ready->state;

    for (int i = 0; i < n_in; i++) {
        float *plane = chunk->in + (size_t)i * d->in_plane;
        int c = chunk->group * d->in_group + i_begin + i;
        for (int py = 0; py < d->phases_y; py++) {
            for (int px = 0; px < d->phases_x; px++, plane += d->phase_plane)
                pack_phase(ready, run, chunk, c, py, px, plane);
        }
    }
}

/* Sums of the chunk's channel @o of block @block, output phase @phase. */
static float *sums_of(const Direct *d, const Chunk *chunk, int block, int phase, int o)
{
    int slot = ((block - chunk->block_begin) * d->out_phases + phase) * d->out_block + o;
    return chunk->acc + (size_t)slot * d->acc_pitch;
}

/* Adds the products of input channels @i_begin … of the group to all the chunk's sums. */
static void multiply_band(const VfiCpuOp *ready, const Chunk *chunk, int i_begin,
                          int n_in)
{
    const Direct *d = ready->state;
    VfiConvBlock call = {
        .in = chunk->in,
        .in_plane = d->in_plane,
        .acc_pitch = d->acc_pitch,
        .n_in = n_in,
        .n_flat = (chunk->rows - 1) * d->pitch + chunk->cols,
        .adds = i_begin > 0,
    };

    for (int block = chunk->block_begin; block < chunk->block_end; block++) {
        for (int phase = 0; phase < d->out_phases; phase++) {
            call.n_out = block_size(d, block);
            call.n_taps = d->first_tap[phase + 1] - d->first_tap[phase];
            call.tap_offset = d->tap_offset + d->first_tap[phase];
            call.acc = sums_of(d, chunk, block, phase, 0);
            call.weight = (const float *)ready->packed +
                          weight_offset(d, chunk->group, block, phase) +
                          (size_t)i_begin * (size_t)call.n_taps * (size_t)call.n_out;
            ready->kernels->conv_block(&call);
        }
    }
}

/* One row of sums of a transposed convolution, its output phases side by side. */
static const float *interleave(const Direct *d, const Chunk *chunk, int block, int o,
                               int r, int phase_y)
{
    for (int px = 0; px < d->out_stride; px++) {
        const float *sums = sums_of(d, chunk, block, phase_y * d->out_stride + px, o) +
                            (size_t)r * d->pitch;
        for (int x = 0; x < chunk->cols; x++)
            chunk->row[x * d->out_stride + px] = sums[x];
    }
    return chunk->row;
}

/* Finishes and writes the chunk's rows of output channel @o of @block. */
static void write_channel(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                          int block, int o)
{
    const Direct *d = ready->state;
    const VfiOp *op = &ready->op;
    const VfiConvParams *p = &op->u.conv;
    int channel = chunk->group * d->out_group + block_begin(d, block) + o;
    int x = chunk->x * d->out_stride;
    VfiEpilogueRow row = {
        .residual_place = p->residual,
        .bias = p->bias != NULL ? p->bias[channel] : 0.0f,
        .activation = p->activation.kind,
        .slope = p->activation.kind == VFI_ACTIVATION_PRELU ? p->activation.slope[channel]
                                                            : p->activation.leak,
        .n = (size_t)MIN(chunk->cols * d->out_stride, op->dst.shape.w - x),
    };

    for (int r = 0; r < chunk->rows; r++) {
        for (int py = 0; py < d->out_stride; py++) {
            int y = (chunk->y + r) * d->out_stride + py;
            if (y >= op->dst.shape.h)
                break;
            row.acc = d->out_stride == 1
                          ? sums_of(d, chunk, block, 0, o) + (size_t)r * (size_t)d->pitch
                          : interleave(d, chunk, block, o, r, py);
            row.dst = vfi_operand_row(run, &op->dst, channel, y) + x;
            if (p->residual != VFI_RESIDUAL_NONE)
                row.residual = vfi_operand_row(run, &op->src[1], channel, y) + x;
            ready->kernels->epilogue(&row);
        }
    }
}

static void direct_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                         int thread)
{
    const Direct *d = ready->state;
    Chunk chunk = find_chunk(d, run, index, thread);

    for (int i = 0; i < d->in_group; i += d->in_block) {
        int n_in = MIN(d->in_block, d->in_group - i);
        pack_band(ready, run, &chunk, i, n_in);
        multiply_band(ready, &chunk, i, n_in);
    }
    for (int block = chunk.block_begin; block < chunk.block_end; block++) {
        for (int o = 0; o < block_size(d, block); o++)
            write_channel(ready, run, &chunk, block, o);
    }
}

const VfiCpuAlgorithm vfi_cpu_conv_direct = {
    .name = "direct",
    .prepare = direct_prepare,
    .chunk = direct_chunk,
    .clear = direct_clear,
};
