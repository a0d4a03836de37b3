/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Works out the layout of a direct convolution into channel blocks, and orders its
 * weights. */
#include "cpu/conv/blocked.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cpu/conv/conv.h"

/* Multiply-adds of one chunk: enough to be worth handing out, and some 4 ms at most. */
#define CHUNK_PRODUCTS_MIN 8e6
#define CHUNK_PRODUCTS_MAX 1e8
/* Large ops are cut into at least this many chunks, so that many threads find work. */
#define CHUNKS_WANTED 16
/* Bytes of input that are copied for a row of cells: what the second-level cache
 * holds. */
#define COPY_BYTES (384 * 1024)

static void add_taps(VfiBlocked *d, const VfiOp *op, int phase)
{
    const VfiConvParams *p = &op->u.conv;
    int n = d->first_tap[phase];

    for (int ky = 0; ky < p->kernel_h; ky++) {
        for (int kx = 0; kx < p->kernel_w; kx++) {
            VfiBlockedTap tap = {ky, kx, ky - p->pad_top, kx - p->pad_left};
            if (op->kind == VFI_OP_CONV_TRANSPOSE &&
                !(vfi_conv_transpose_shift(phase / p->stride, ky, p->pad_top, p->stride,
                                           &tap.dy) &&
                  vfi_conv_transpose_shift(phase % p->stride, kx, p->pad_left, p->stride,
                                           &tap.dx)))
                continue;
            d->taps[n++] = tap;
            d->best_dx = MIN(d->best_dx, tap.dx);
            d->largest_dx = MAX(d->largest_dx, tap.dx);
            d->best_dy = MIN(d->best_dy, tap.dy);
            d->largest_dy = MAX(d->largest_dy, tap.dy);
        }
    }
    d->first_tap[phase + 1] = n;
}

/* Cuts the grid into chunks of rows, of columns where rows are very long, and of output
 * groups where that alone makes chunks too large. */
static void choose_chunks(VfiBlocked *d, int block)
{
    double width = 2.0 * block; /* of a group */
    double cell = (double)vfi_blocked_weight_row(d, d->n_phases) * width;
    double total = cell * d->n_groups * d->grid_h * d->grid_w;
    double target = CLAMP(total / CHUNKS_WANTED, CHUNK_PRODUCTS_MIN, CHUNK_PRODUCTS_MAX);

    d->cols_n = (int)ceil(MAX(cell * d->grid_w / CHUNK_PRODUCTS_MAX, 1.0));
    d->chunk_cols = vfi_ceil_div(d->grid_w, d->cols_n);
    d->cols_n = vfi_ceil_div(d->grid_w, d->chunk_cols);
    double row = cell * d->chunk_cols;
    d->chunk_groups = (int)CLAMP(CHUNK_PRODUCTS_MAX / row, 1.0, (double)d->n_groups);
    d->groups_n = vfi_ceil_div(d->n_groups, d->chunk_groups);
    d->chunk_rows = (int)CLAMP(target / (row * d->chunk_groups), 1.0, (double)d->grid_h);
    d->rows_n = vfi_ceil_div(d->grid_h, d->chunk_rows);
}

/* What is copied of the input for some cells of a row. */
static void lay_out_copies(VfiBlocked *d)
{
    int reach = d->largest_dx - d->best_dx + 1;

    d->copy_cells = d->chunk_cols;
    if (!d->copies)
        return;
    d->lines = d->largest_dy - d->best_dy + 1;
    int fit = COPY_BYTES / (int)sizeof(float) / d->lines / d->in_units / d->in_length /
              d->in_stride;
    d->copy_cells = CLAMP(fit, MIN(VFI_BLOCKED_RUN_CELLS, d->chunk_cols), d->chunk_cols);
    int columns = ((d->copy_cells - 1) * d->in_stride + reach) * d->in_length;
    /* An odd number of cache lines: rows must not fall on the same sets. */
    d->line_pitch = (int)vfi_odd_lines((size_t)columns);
    d->copied_floats =
        (size_t)d->in_units * (size_t)d->lines * (size_t)d->line_pitch + VFI_ROW_SLACK;
}

VfiBlocked *vfi_blocked_new(const VfiOp *op, int block)
{
    const VfiConvParams *p = &op->u.conv;
    bool is_conv = op->kind == VFI_OP_CONV;
    bool from_blocks = vfi_operand_is_blocked(&op->src[0]);
    VfiBlocked *d = g_new0(VfiBlocked, 1);

    d->in_stride = is_conv ? p->stride : 1;
    d->out_stride = is_conv ? 1 : p->stride;
    d->n_phases = d->out_stride * d->out_stride;
    d->taps = g_new0(VfiBlockedTap, (gsize)(p->kernel_h * p->kernel_w));
    d->first_tap = g_new0(int, (gsize)d->n_phases + 1);
    d->best_dx = d->best_dy = G_MAXINT;
    d->largest_dx = d->largest_dy = G_MININT;
    for (int phase = 0; phase < d->n_phases; phase++)
        add_taps(d, op, phase);
    d->grid_h = vfi_ceil_div(op->dst.shape.h, d->out_stride);
    d->grid_w = vfi_ceil_div(op->dst.shape.w, d->out_stride);
    d->in_length = from_blocks ? block : 1;
    d->in_units = vfi_ceil_div(op->src[0].shape.c, d->in_length);
    d->copies = !from_blocks;
    d->n_out_blocks = vfi_ceil_div(op->dst.shape.c, block);
    d->n_groups = vfi_out_groups(d->n_out_blocks);
    d->sums_floats =
        (size_t)VFI_BLOCKED_RUN_CELLS * (size_t)block * VFI_MULTIPLY_MAX_VECTORS;
    size_t segments = (size_t)d->in_units * (size_t)d->first_tap[d->n_phases];
    d->segments_bytes = vfi_align_up(segments * sizeof(VfiSegment), VFI_ALIGNMENT);
    choose_chunks(d, block);
    lay_out_copies(d);
    return d;
}

void vfi_blocked_free(VfiBlocked *layout)
{
    g_free(layout->taps);
    g_free(layout->first_tap);
    vfi_free(layout->epilogues);
}

size_t vfi_blocked_weight_row(const VfiBlocked *d, int phase)
{
    return (size_t)d->first_tap[phase] * (size_t)d->in_units * (size_t)d->in_length;
}

size_t vfi_blocked_group_offset(const VfiBlocked *d, VfiOutGroup group, int block)
{
    return (size_t)group.first * (size_t)block * vfi_blocked_weight_row(d, d->n_phases);
}

static float model_weight(const VfiOp *op, int o, int i, const VfiBlockedTap *tap)
{
    const VfiConvParams *p = &op->u.conv;
    int in = op->src[0].shape.c, out = op->dst.shape.c;

    if (i >= in || o >= out)
        return 0.0f;
    size_t filter =
        op->kind == VFI_OP_CONV
            ? vfi_conv_filter(p, o, i, in)
            : (size_t)i * (size_t)vfi_conv_transpose_weight_channels(op) + (size_t)o;
    return p
        ->weight[(filter * (size_t)p->kernel_h + (size_t)tap->ky) * (size_t)p->kernel_w +
                 (size_t)tap->kx];
}

static void pack_phase(const VfiOp *op, const VfiBlocked *d, VfiOutGroup group, int block,
                       int phase, float *to)
{
    int width = group.n * block;

    for (int unit = 0; unit < d->in_units; unit++)
        for (int t = d->first_tap[phase]; t < d->first_tap[phase + 1]; t++)
            for (int k = 0; k < d->in_length; k++)
                for (int o = 0; o < width; o++)
                    *to++ = model_weight(op, group.first * block + o,
                                         unit * d->in_length + k, &d->taps[t]);
}

void vfi_blocked_pack(const VfiOp *op, const VfiBlocked *d, int block, void *packed)
{
    for (int g = 0; g < d->n_groups; g++) {
        VfiOutGroup group = vfi_out_group(d->n_out_blocks, g);
        for (int phase = 0; phase < d->n_phases; phase++)
            pack_phase(op, d, group, block, phase,
                       (float *)packed + vfi_blocked_group_offset(d, group, block) +
                           vfi_blocked_weight_row(d, phase) * (size_t)(group.n * block));
    }
}
