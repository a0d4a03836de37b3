/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Works out the layout of a direct convolution from its parameters and the cache
 * sizes. */
#include "cpu/conv/planar_layout.h"

#include "cpu/conv/conv.h"

/* Scratch of a chunk should leave room in a second-level cache of 512 KiB or more. */
#define SCRATCH_BUDGET (416 * 1024)
/* Weights that the kernel goes through for one tile should stay in the first-level
 * cache. */
#define WEIGHT_BUDGET (12 * 1024)
/* Multiply-adds of one chunk: enough to hide the copying, and some 4 ms at most. */
#define CHUNK_PRODUCTS_MIN 8e6
#define CHUNK_PRODUCTS_MAX 1e8
/* Large ops are cut into at least this many chunks, so that many threads find work. */
#define CHUNKS_WANTED 16
/* Bands lower than this copy too many rows twice. */
#define BAND_ROWS_MIN 4
#define BAND_COLS_MIN 64

/* A convolution: cell x reads input x * stride - pad + k; phase and column follow from
 * k. */
static void lay_out_conv(VfiDirect *d, const VfiConvParams *p)
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
            d->taps[n++] = (VfiDirectTap){.ky = ky,
                                          .kx = kx,
                                          .row = ky / p->stride,
                                          .col = kx / p->stride,
                                          .phase_y = ky % p->stride,
                                          .phase_x = kx % p->stride};
    }
    d->first_tap[1] = n;
}

/* Least and largest shift over all phases and taps of one direction. */
static void conv_transpose_range(int kernel, int pad, int stride, int *least,
                                 int *largest)
{
    int shift;

    *least = G_MAXINT;
    *largest = G_MININT;
    for (int q = 0; q < stride; q++) {
        for (int k = 0; k < kernel; k++) {
            if (!vfi_conv_transpose_shift(q, k, pad, stride, &shift))
                continue;
            *least = MIN(*least, shift);
            *largest = MAX(*largest, shift);
        }
    }
}

/* The taps of output phase @qy, @qx, appended at @n; returns the new number. */
static int add_conv_transpose_taps(VfiDirect *d, const VfiConvParams *p, int qy, int qx,
                                   int n)
{
    int dy, dx;

    for (int ky = 0; ky < p->kernel_h; ky++) {
        if (!vfi_conv_transpose_shift(qy, ky, p->pad_top, p->stride, &dy))
            continue;
        for (int kx = 0; kx < p->kernel_w; kx++) {
            if (!vfi_conv_transpose_shift(qx, kx, p->pad_left, p->stride, &dx))
                continue;
            d->taps[n++] = (VfiDirectTap){
                .ky = ky, .kx = kx, .row = dy - d->base_y, .col = dx - d->base_x};
        }
    }
    return n;
}

static void lay_out_conv_transpose(VfiDirect *d, const VfiConvParams *p)
{
    int largest_y, largest_x, n = 0;

    d->in_stride = 1;
    d->out_stride = p->stride;
    d->phases_y = d->phases_x = 1;
    conv_transpose_range(p->kernel_h, p->pad_top, p->stride, &d->base_y, &largest_y);
    conv_transpose_range(p->kernel_w, p->pad_left, p->stride, &d->base_x, &largest_x);
    d->reach_y = largest_y - d->base_y;
    d->reach_x = largest_x - d->base_x;
    for (int phase = 0; phase < d->out_phases; phase++) {
        n = add_conv_transpose_taps(d, p, phase / p->stride, phase % p->stride, n);
        d->first_tap[phase + 1] = n;
    }
}

/* Taps of the phase that has most. */
static int max_taps(const VfiDirect *d)
{
    int most = 1;

    for (int phase = 0; phase < d->out_phases; phase++)
        most = MAX(most, d->first_tap[phase + 1] - d->first_tap[phase]);
    return most;
}

/* Chooses the blocks of channels, the bands, and the pieces of output channels. */
static void choose_blocks(VfiDirect *d, const VfiCpuKernels *kernels, int groups,
                          int taps, int source_block)
{
    int in_most =
        WEIGHT_BUDGET / ((int)sizeof(float) * kernels->conv_out_block * max_taps(d));

    d->out_block = MIN(kernels->conv_out_block, d->out_group);
    d->n_out_blocks = vfi_ceil_div(d->out_group, d->out_block);
    d->in_block = vfi_ceil_div(d->in_group, vfi_ceil_div(d->in_group, MAX(in_most, 8)));
    if (source_block > 1) /* whole channel blocks are unpacked at once */
        d->in_block = vfi_ceil_div(d->in_block, source_block) * source_block;

    /* Floats of scratch per cell; a piece leaves room for bands of some hundred cells. */
    int in_floats = d->in_block * d->phases_y * d->phases_x;
    int block_floats = d->out_block * d->out_phases;
    int room = SCRATCH_BUDGET / (int)sizeof(float) / 320 - in_floats;
    d->piece_blocks = CLAMP(room / block_floats, 1, d->n_out_blocks);
    int cell_bytes = (in_floats + d->piece_blocks * block_floats) * (int)sizeof(float);

    int rows_min = MIN(MAX(BAND_ROWS_MIN, 2 * d->reach_y), d->grid_h);
    int cols_max =
        MAX(SCRATCH_BUDGET / cell_bytes / (rows_min + d->reach_y), BAND_COLS_MIN);
    d->bands_x = vfi_ceil_div(d->grid_w, cols_max);
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

static void lay_out_scratch(VfiDirect *d)
{
    size_t rows = (size_t)d->band_rows + (size_t)d->reach_y;
    size_t n_flat;

    d->pitch = d->band_cols + d->reach_x;
    d->phase_plane = rows * (size_t)d->pitch;
    d->in_plane =
        vfi_odd_lines(d->phase_plane * (size_t)d->phases_y * (size_t)d->phases_x);
    n_flat = ((size_t)d->band_rows - 1) * (size_t)d->pitch + (size_t)d->band_cols;
    d->acc_pitch = vfi_odd_lines(n_flat + VFI_ROW_SLACK);
    d->in_floats = (size_t)d->in_block * d->in_plane + VFI_ROW_SLACK;
    d->in_floats = (d->in_floats + 15) / 16 * 16;
    d->acc_floats = (size_t)d->piece_blocks * (size_t)d->out_block *
                    (size_t)d->out_phases * d->acc_pitch;
    for (int t = 0; t < d->first_tap[d->out_phases]; t++) {
        const VfiDirectTap *tap = &d->taps[t];
        size_t phase = (size_t)tap->phase_y * (size_t)d->phases_x + (size_t)tap->phase_x;
        d->tap_offset[t] =
            (int32_t)(phase * d->phase_plane + (size_t)tap->row * (size_t)d->pitch +
                      (size_t)tap->col);
    }
}

VfiDirect *vfi_direct_new(const VfiOp *op, const VfiCpuKernels *kernels)
{
    const VfiConvParams *p = &op->u.conv;
    int taps = p->kernel_h * p->kernel_w;
    VfiDirect *d = g_new0(VfiDirect, 1);

    d->out_phases = op->kind == VFI_OP_CONV ? 1 : p->stride * p->stride;
    d->first_tap = g_new0(int, (gsize)d->out_phases + 1);
    d->taps = g_new0(VfiDirectTap, (gsize)taps);
    d->tap_offset = g_new0(int32_t, (gsize)taps);
    if (op->kind == VFI_OP_CONV)
        lay_out_conv(d, p);
    else
        lay_out_conv_transpose(d, p);
    d->grid_h = vfi_ceil_div(op->dst.shape.h, d->out_stride);
    d->grid_w = vfi_ceil_div(op->dst.shape.w, d->out_stride);
    d->in_group = op->src[0].shape.c / p->groups;
    d->out_group = op->dst.shape.c / p->groups;
    choose_blocks(d, kernels, p->groups, taps, op->src[0].block);
    lay_out_scratch(d);
    return d;
}

void vfi_direct_free(VfiDirect *layout)
{
    if (layout == NULL)
        return;
    g_free(layout->first_tap);
    g_free(layout->taps);
    g_free(layout->tap_offset);
    g_free(layout);
}
