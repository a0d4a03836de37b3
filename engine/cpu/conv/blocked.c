/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Direct convolution and transposed convolution into channel blocks, from planes or
 * blocks.
 *
 * The output is a grid of cells: one pixel per cell for a convolution, stride × stride
 * pixels (phases) for a transposed one. The sums of a run of cells are one product of
 * matrices: every tap and input unit (channel or channel block) is a segment of the
 * product.
 *
 * A blocked input is read where it lies. Borders are segments left out, so a row has at
 * most three kinds of cells: those whose taps are all inside, and single ones at its
 * ends. Planes often lie a multiple of the cache's size apart, so that one place of all
 * of them falls on the same few lines: what a row of cells reads of them is copied
 * first, with its borders. */
#include "cpu/conv/blocked.h"

#include <string.h>

#include "base/alloc.h"
#include "cpu/conv/conv.h"
#include "cpu/pack.h"

static size_t weight_bytes(const VfiCpuOp *ready)
{
    const VfiBlocked *d = ready->state;

    return vfi_blocked_weight_row(d, d->n_phases) * (size_t)d->n_out_blocks *
           (size_t)ready->kernels->vector_floats * sizeof(float);
}

static void pack_weights(const VfiCpuOp *ready, void *to)
{
    vfi_blocked_pack(&ready->op, ready->state, ready->kernels->vector_floats, to);
}

static bool blocked_prepare(VfiCpuOp *ready, GError **error)
{
    const VfiOp *op = &ready->op;
    int block = ready->kernels->vector_floats;
    VfiBlocked *d = vfi_blocked_new(op, block);

    ready->state = d;
    if (!vfi_cpu_set_chunks(ready, (double)d->rows_n * d->cols_n * d->groups_n, error))
        return false;
    ready->scratch_bytes =
        d->segments_bytes + (d->sums_floats + d->copied_floats) * sizeof(float);
    d->epilogues = vfi_block_epilogue_new(&op->u.conv, op->dst.shape.c, block, error);
    const char *layout = d->copies ? "planes" : "blocked";
    return d->epilogues != NULL &&
           vfi_cpu_op_pack(ready, layout, weight_bytes(ready), pack_weights, error);
}

static void blocked_clear(VfiCpuOp *ready)
{
    vfi_blocked_free(ready->state);
}

/* What is computed at once: cells of one row, phase and output group. */
typedef struct {
    VfiSegment *segments;
    float *sums, *copied;
    VfiOutGroup group;
    int group_begin, group_end; /* of the chunk */
    int phase, y;
} Row;

/* Floats from a cell's own place to what tap @tap reads of input unit @unit. */
static ptrdiff_t tap_offset(const VfiCpuOp *ready, const VfiBlocked *d, int unit,
                            const VfiBlockedTap *tap)
{
    VfiShape in = ready->op.src[0].shape;

    if (d->copies)
        return ((ptrdiff_t)unit * d->lines + tap->dy - d->best_dy) * d->line_pitch +
               (ptrdiff_t)(tap->dx - d->best_dx) * d->in_length;
    return ((ptrdiff_t)unit * in.h * in.w + (ptrdiff_t)tap->dy * in.w + tap->dx) *
           d->in_length;
}

/* Whether the tap is inside for all cells @x … @x_last of row @y, or copied with
 * borders. */
static bool tap_is_inside(const VfiCpuOp *ready, const VfiBlocked *d,
                          const VfiBlockedTap *tap, int y, int x, int x_last)
{
    VfiShape in = ready->op.src[0].shape;
    int iy = y * d->in_stride + tap->dy;

    return d->copies || (iy >= 0 && iy < in.h && x * d->in_stride + tap->dx >= 0 &&
                         x_last * d->in_stride + tap->dx < in.w);
}

/* The segments of the row's taps that are inside for all cells @x … @x_last. */
static int find_segments(const VfiCpuOp *ready, const Row *row, int x, int x_last)
{
    const VfiBlocked *d = ready->state;
    int begin = d->first_tap[row->phase], n_taps = d->first_tap[row->phase + 1] - begin;
    int n = 0;

    for (int unit = 0; unit < d->in_units; unit++) {
        for (int t = 0; t < n_taps; t++) {
            const VfiBlockedTap *tap = &d->taps[begin + t];
            if (tap_is_inside(ready, d, tap, row->y, x, x_last))
                row->segments[n++] = (VfiSegment){
                    .in = tap_offset(ready, d, unit, tap),
                    .row = (size_t)(unit * n_taps + t) * (size_t)d->in_length,
                };
        }
    }
    return n;
}

/* Copies what cells @x … @x+@n-1 of row @y read of the input. With @follows, the row
 * before is there and shares lines with this one. */
static void copy_lines(const VfiCpuOp *ready, const VfiCpuRun *run, const Row *row, int x,
                       int n, bool follows)
{
    const VfiBlocked *d = ready->state;
    int kept = follows ? MAX(d->lines - d->in_stride, 0) : 0;
    size_t shift = (size_t)d->in_stride * (size_t)d->line_pitch;
    const VfiOperand *source = &ready->op.src[0];
    VfiPackRow line = {
        .w = source->shape.w,
        .x_begin = x * d->in_stride + d->best_dx,
        .stride = 1,
        .n = (n - 1) * d->in_stride + d->largest_dx - d->best_dx + 1,
    };

    for (int unit = 0; unit < d->in_units; unit++) {
        float *lines =
            row->copied + (size_t)unit * (size_t)d->lines * (size_t)d->line_pitch;
        for (int i = 0; i < kept; i++, lines += d->line_pitch)
            memcpy(lines, lines + shift, (size_t)line.n * sizeof *lines);
        for (int i = kept; i < d->lines; i++, lines += d->line_pitch) {
            int y = row->y * d->in_stride + d->best_dy + i;
            bool inside = y >= 0 && y < source->shape.h;
            line.src = inside ? vfi_operand_row(run, source, unit, y) : NULL;
            line.dst = lines;
            ready->kernels->pack_row(&line);
        }
    }
}

/* Finishes the sums of cells @x … @x+@n-1 and writes those that the picture has. */
static void write_cells(const VfiCpuOp *ready, const VfiCpuRun *run, const Row *row,
                        int x, int n)
{
    const VfiBlocked *d = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape shape = op->dst.shape;
    int block = op->dst.block;
    int out_y = row->y * d->out_stride + row->phase / d->out_stride;
    int out_x = x * d->out_stride + row->phase % d->out_stride;

    if (out_y >= shape.h || out_x >= shape.w)
        return;
    VfiEpiloguePixels call = {
        .acc_pitch = (size_t)(row->group.n * block),
        .pixel_pitch = (size_t)(d->out_stride * block),
        .n = MIN(n, vfi_ceil_div(shape.w - out_x, d->out_stride)),
    };
    size_t at = ((size_t)out_y * (size_t)shape.w + (size_t)out_x) * (size_t)block;
    for (int b = 0; b < row->group.n; b++) {
        int index = row->group.first + b;
        call.epilogue =
            vfi_block_epilogue(d->epilogues, &op->u.conv, shape.c, block, index);
        call.acc = row->sums + (ptrdiff_t)b * block;
        call.dst = vfi_operand_block(run, &op->dst, index) + at;
        if (op->u.conv.residual != VFI_RESIDUAL_NONE)
            call.residual = vfi_operand_block(run, &op->src[1], index) + at;
        ready->kernels->epilogue_pixels(&call);
    }
}

/* At most VFI_BLOCKED_RUN_CELLS cells from @x on, all with the same taps, for all
 * phases and the chunk's output groups. Planes were copied from cell @copied_from on. */
static void compute_run(const VfiCpuOp *ready, const VfiCpuRun *run, Row *row, int x,
                        int n, int copied_from)
{
    const VfiBlocked *d = ready->state;
    const VfiOperand *source = &ready->op.src[0];
    int block = ready->kernels->vector_floats;
    ptrdiff_t pitch = (ptrdiff_t)d->in_stride * d->in_length;
    VfiMultiply call = {
        .in = row->copied + (x - copied_from) * pitch,
        .out = row->sums,
        .segments = row->segments,
        .in_pitch = pitch,
        .length = d->in_length,
        .n_pixels = n,
    };

    if (!d->copies)
        call.in = vfi_operand(run, source) +
                  ((ptrdiff_t)row->y * source->shape.w + x) * call.in_pitch;
    for (row->phase = 0; row->phase < d->n_phases; row->phase++) {
        call.n_segments = find_segments(ready, row, x, x + n - 1);
        for (int g = row->group_begin; g < row->group_end; g++) {
            row->group = vfi_out_group(d->n_out_blocks, g);
            call.n_vectors = row->group.n;
            call.out_pitch = (ptrdiff_t)row->group.n * block;
            call.weight = (const float *)ready->packed +
                          vfi_blocked_group_offset(d, row->group, block) +
                          vfi_blocked_weight_row(d, row->phase) * (size_t)call.out_pitch;
            ready->kernels->multiply(&call);
            write_cells(ready, run, row, x, n);
        }
    }
}

/* Cells from @x to @x_end-1 that may be computed at once. */
static int run_length(const VfiCpuOp *ready, int x, int x_end)
{
    const VfiBlocked *d = ready->state;
    int last_in = ready->op.src[0].shape.w - 1 - d->largest_dx;
    int inner = vfi_ceil_div(MAX(-d->best_dx, 0), d->in_stride);
    int inner_end = last_in < 0 ? 0 : last_in / d->in_stride + 1;

    if (!d->copies && x < inner)
        return 1;
    if (!d->copies)
        x_end = x < inner_end ? MIN(x_end, inner_end) : x + 1;
    /* runs as equal as can be */
    return vfi_ceil_div(x_end - x, vfi_ceil_div(x_end - x, VFI_BLOCKED_RUN_CELLS));
}

/* Cells @x … @x_end-1 of the chunk's rows @y … @y_end-1. */
static void compute_rows(const VfiCpuOp *ready, const VfiCpuRun *run, Row *row, int y,
                         int y_end, int x, int x_end)
{
    const VfiBlocked *d = ready->state;

    for (row->y = y; row->y < y_end; row->y++) {
        if (d->copies)
            copy_lines(ready, run, row, x, x_end - x, row->y > y);
        for (int from = x, n; from < x_end; from += n) {
            n = run_length(ready, from, x_end);
            compute_run(ready, run, row, from, n, x);
        }
    }
}

static void blocked_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                          int thread)
{
    const VfiBlocked *d = ready->state;
    char *scratch = (char *)vfi_thread_scratch(run, thread);
    Row row = {.segments = (VfiSegment *)(void *)scratch,
               .sums = (float *)(void *)(scratch + d->segments_bytes)};
    int piece = index % d->groups_n, rest = index / d->groups_n;
    int x = rest % d->cols_n * d->chunk_cols, y = rest / d->cols_n * d->chunk_rows;
    int x_end = MIN(x + d->chunk_cols, d->grid_w);

    row.copied = row.sums + d->sums_floats;
    row.group_begin = piece * d->chunk_groups;
    row.group_end = MIN(row.group_begin + d->chunk_groups, d->n_groups);
    for (; x < x_end; x += d->copy_cells)
        compute_rows(ready, run, &row, y, MIN(y + d->chunk_rows, d->grid_h), x,
                     MIN(x + d->copy_cells, x_end));
}

static bool blocked_accepts(const VfiOp *op, const VfiCpuKernels *kernels)
{
    const VfiConvParams *p = &op->u.conv;

    return kernels->multiply != NULL && vfi_operand_is_blocked(&op->dst) &&
           (op->n_src < 2 || vfi_operand_is_blocked(&op->src[1])) && p->groups == 1 &&
           p->activation.kind != VFI_ACTIVATION_SIGMOID;
}

const VfiCpuAlgorithm vfi_cpu_conv_blocked = {
    .name = "blocked",
    .accepts = blocked_accepts,
    .prepare = blocked_prepare,
    .chunk = blocked_chunk,
    .clear = blocked_clear,
};
