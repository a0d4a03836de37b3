/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Direct convolution and transposed convolution into channel blocks, from planes or blocks.
 *
 * The output is a grid of cells: one pixel a cell for a convolution, stride × stride pixels
 * (phases) for a transposed one. The sums of a run of cells are one product of matrices: every
 * tap and channel (channel block) is a segment of the product.
 *
 * A blocked input is read where it lies. Borders are segments left out, so a row has at most
 * three kinds of cells: those whose taps are all inside, and single ones at its ends. Planes
 * often lie a multiple of the cache's size apart, so that one place of all of them falls on
 * the same few lines: what a run of cells reads of them is copied first, with its borders. */
#include <math.h>
#include <string.h>

#include <vfi/error.h>

#include "../alloc.h"
#include "conv_blocks.h"

/* Multiply-adds of one chunk: enough to be worth handing out, and some 4 ms at most. */
#define CHUNK_PRODUCTS_MIN 8e6
#define CHUNK_PRODUCTS_MAX 1e8
/* Large ops are cut into at least this many chunks, so that many threads find work. */
#define CHUNKS_WANTED 16
/* Cells of one product: their sums stay in the first-level cache. */
#define RUN_CELLS 112
/* Bytes of planes that are copied for a row of cells: what the second-level cache holds. */
#define COPY_BYTES (384 * 1024)

/* One weight of the kernel: cell y, x reads input y * in_stride + dy, x * in_stride + dx. */
typedef struct {
    int ky, kx, dy, dx;
} Tap;

typedef struct {
    int in_stride, out_stride, n_phases;
    Tap *taps;      /* by phase */
    int *first_tap; /* [n_phases + 1] */
    int least_dx, largest_dx, least_dy, largest_dy;
    int grid_h, grid_w;
    int in_units;  /* channels of a planar input, channel blocks of a blocked one */
    int in_length; /* floats of a unit at one pixel */
    int n_out_blocks, n_groups;
    int chunk_rows, chunk_cols, chunk_groups; /* most cells, output groups of a chunk */
    int rows_n, cols_n, groups_n;             /* chunks in each direction */
    size_t segments_bytes, sums_floats;
    int line_pitch; /* floats from row to row of copied planes; 0: the input is blocked */
    int lines;      /* rows that are copied of each plane */
    int copy_cells; /* most cells of a row that they are copied for */
    float *epilogues;
} Blocked;

/* How far from cell to input tap @k of phase @q goes in a transposed convolution: output cell *
 * stride + q takes input cell + (q + pad - k) / stride where that is whole. */
static bool deconv_shift(int q, int k, int pad, int stride, int *shift)
{
    int rest = (q + pad - k) % stride;

    *shift = (q + pad - k) / stride;
    return rest == 0;
}

static void add_taps(Blocked *d, const VfiOp *op, int phase)
{
    const VfiConvParams *p = &op->u.conv;
    int n = d->first_tap[phase];

    for (int ky = 0; ky < p->kernel_h; ky++) {
        for (int kx = 0; kx < p->kernel_w; kx++) {
            Tap tap = {ky, kx, ky - p->pad_top, kx - p->pad_left};
            if (op->kind == VFI_OP_DECONV &&
                !(deconv_shift(phase / p->stride, ky, p->pad_top, p->stride, &tap.dy) &&
                  deconv_shift(phase % p->stride, kx, p->pad_left, p->stride, &tap.dx)))
                continue;
            d->taps[n++] = tap;
            d->least_dx = MIN(d->least_dx, tap.dx);
            d->largest_dx = MAX(d->largest_dx, tap.dx);
            d->least_dy = MIN(d->least_dy, tap.dy);
            d->largest_dy = MAX(d->largest_dy, tap.dy);
        }
    }
    d->first_tap[phase + 1] = n;
}

/* Rows of the weight matrix before those of @phase. */
static size_t first_weight_row(const Blocked *d, int phase)
{
    return (size_t)d->first_tap[phase] * (size_t)d->in_units * (size_t)d->in_length;
}

/* Floats before the weights of @group: [group][phase][unit][tap][in a unit][out in the group].
 */
static size_t group_offset(const VfiCpuOp *ready, const Blocked *d, VfiOutGroup group)
{
    return (size_t)group.first * (size_t)ready->kernels->vector_floats *
           first_weight_row(d, d->n_phases);
}

static float model_weight(const VfiOp *op, int o, int i, const Tap *tap)
{
    const VfiConvParams *p = &op->u.conv;
    int in = op->src[0].shape.c, out = op->dst.shape.c;

    if (i >= in || o >= out)
        return 0.0f;
    size_t filter = op->kind == VFI_OP_CONV ? (size_t)o * (size_t)in + (size_t)i
                                            : (size_t)i * (size_t)out + (size_t)o;
    return p
        ->weight[(filter * (size_t)p->kernel_h + (size_t)tap->ky) * (size_t)p->kernel_w +
                 (size_t)tap->kx];
}

static void pack_phase(const VfiCpuOp *ready, const Blocked *d, VfiOutGroup group,
                       int phase)
{
    int block = ready->kernels->vector_floats, width = group.n * block;
    float *to = (float *)ready->packed + group_offset(ready, d, group) +
                first_weight_row(d, phase) * (size_t)width;

    for (int unit = 0; unit < d->in_units; unit++)
        for (int t = d->first_tap[phase]; t < d->first_tap[phase + 1]; t++)
            for (int k = 0; k < d->in_length; k++)
                for (int o = 0; o < width; o++)
                    *to++ = model_weight(&ready->op, group.first * block + o,
                                         unit * d->in_length + k, &d->taps[t]);
}

static bool pack_weights(VfiCpuOp *ready, const Blocked *d, GError **error)
{
    size_t rows = first_weight_row(d, d->n_phases);
    size_t width =
        (size_t)d->n_out_blocks * (size_t)ready->kernels->vector_floats * sizeof(float);

    if (vfi_cpu_op_borrow_packed(ready))
        return true;
    ready->packed = vfi_try_alloc(rows, width, "packed weights", error);
    if (ready->packed == NULL)
        return false;
    ready->packed_bytes = rows * width;
    for (int g = 0; g < d->n_groups; g++)
        for (int phase = 0; phase < d->n_phases; phase++)
            pack_phase(ready, d, vfi_out_group(d->n_out_blocks, g), phase);
    return true;
}

/* Cuts the grid into chunks of rows, of columns where rows are very long, and of output
 * groups where that alone makes chunks too large. */
static void choose_chunks(Blocked *d, int block)
{
    double width = 2.0 * block; /* of a group */
    double cell = (double)first_weight_row(d, d->n_phases) * width;
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

static void lay_out(Blocked *d, const VfiOp *op, int block)
{
    const VfiConvParams *p = &op->u.conv;
    bool is_conv = op->kind == VFI_OP_CONV, from_blocks = op->src[0].block > 1;

    d->in_stride = is_conv ? p->stride : 1;
    d->out_stride = is_conv ? 1 : p->stride;
    d->n_phases = d->out_stride * d->out_stride;
    d->taps = g_new0(Tap, (gsize)(p->kernel_h * p->kernel_w));
    d->first_tap = g_new0(int, (gsize)d->n_phases + 1);
    d->least_dx = d->least_dy = G_MAXINT;
    d->largest_dx = d->largest_dy = G_MININT;
    for (int phase = 0; phase < d->n_phases; phase++)
        add_taps(d, op, phase);
    d->grid_h = vfi_ceil_div(op->dst.shape.h, d->out_stride);
    d->grid_w = vfi_ceil_div(op->dst.shape.w, d->out_stride);
    d->in_length = from_blocks ? block : 1;
    d->in_units = vfi_ceil_div(op->src[0].shape.c, d->in_length);
    d->n_out_blocks = vfi_ceil_div(op->dst.shape.c, block);
    d->n_groups = vfi_out_groups(d->n_out_blocks);
    d->sums_floats = (size_t)RUN_CELLS * (size_t)block * VFI_MULTIPLY_MAX_VECTORS;
    choose_chunks(d, block);
    d->copy_cells = d->chunk_cols;
    if (!from_blocks) {
        int reach = d->largest_dx - d->least_dx + 1;
        d->lines = d->largest_dy - d->least_dy + 1;
        int fit = COPY_BYTES / (int)sizeof(float) / d->lines / d->in_units / d->in_stride;
        d->copy_cells = CLAMP(fit, MIN(RUN_CELLS, d->chunk_cols), d->chunk_cols);
        int columns = (d->copy_cells - 1) * d->in_stride + reach;
        d->line_pitch = (vfi_ceil_div(columns, 16) | 1) * 16;
    }
}

static bool blocked_prepare(VfiCpuOp *ready, GError **error)
{
    const VfiOp *op = &ready->op;
    int block = ready->kernels->vector_floats;
    Blocked *d = g_new0(Blocked, 1);

    ready->state = d;
    lay_out(d, op, block);
    ready->packed_layout = d->in_length;
    double chunks = (double)d->rows_n * d->cols_n * d->groups_n;
    if (chunks > G_MAXINT / 2) {
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED, "%s '%s' is too large",
                    vfi_op_kind_to_string(op->kind), op->name != NULL ? op->name : "");
        return false;
    }
    ready->n_chunks = (int)chunks;
    size_t segments = (size_t)d->in_units * (size_t)d->first_tap[d->n_phases];
    d->segments_bytes = (segments * sizeof(VfiSegment) + 63) / 64 * 64;
    size_t copied =
        (size_t)d->in_units * (size_t)d->lines * (size_t)d->line_pitch + VFI_ROW_SLACK;
    ready->scratch_bytes = d->segments_bytes + (d->sums_floats + copied) * sizeof(float);
    d->epilogues = vfi_block_epilogue_new(&op->u.conv, op->dst.shape.c, block, error);
    return d->epilogues != NULL && pack_weights(ready, d, error);
}

static void blocked_clear(VfiCpuOp *ready)
{
    Blocked *d = ready->state;

    g_free(d->taps);
    g_free(d->first_tap);
    vfi_free(d->epilogues);
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
static ptrdiff_t tap_offset(const VfiCpuOp *ready, const Blocked *d, int unit,
                            const Tap *tap)
{
    VfiShape in = ready->op.src[0].shape;

    if (d->line_pitch > 0)
        return ((ptrdiff_t)unit * d->lines + tap->dy - d->least_dy) * d->line_pitch +
               tap->dx - d->least_dx;
    return ((ptrdiff_t)unit * in.h * in.w + (ptrdiff_t)tap->dy * in.w + tap->dx) *
           d->in_length;
}

/* Whether the tap is inside for all cells @x … @x_last of row @y, or copied with borders. */
static bool tap_is_inside(const VfiCpuOp *ready, const Blocked *d, const Tap *tap, int y,
                          int x, int x_last)
{
    VfiShape in = ready->op.src[0].shape;
    int iy = y * d->in_stride + tap->dy;

    return d->line_pitch > 0 ||
           (iy >= 0 && iy < in.h && x * d->in_stride + tap->dx >= 0 &&
            x_last * d->in_stride + tap->dx < in.w);
}

/* The segments of the row's taps that are inside for all cells @x … @x_last. */
static int find_segments(const VfiCpuOp *ready, const Row *row, int x, int x_last)
{
    const Blocked *d = ready->state;
    int begin = d->first_tap[row->phase], n_taps = d->first_tap[row->phase + 1] - begin;
    int n = 0;

    for (int unit = 0; unit < d->in_units; unit++) {
        for (int t = 0; t < n_taps; t++) {
            const Tap *tap = &d->taps[begin + t];
            if (tap_is_inside(ready, d, tap, row->y, x, x_last))
                row->segments[n++] = (VfiSegment){
                    .in = tap_offset(ready, d, unit, tap),
                    .row = (size_t)(unit * n_taps + t) * (size_t)d->in_length,
                };
        }
    }
    return n;
}

/* Copies what cells @x … @x+@n-1 of row @y read of the planes. With @follows, the row before
 * is there and shares lines with this one. */
static void copy_planes(const VfiCpuOp *ready, const VfiCpuRun *run, const Row *row,
                        int x, int n, bool follows)
{
    const Blocked *d = ready->state;
    const VfiOperand *source = &ready->op.src[0];
    int kept = follows ? MAX(d->lines - d->in_stride, 0) : 0;
    size_t shift = (size_t)d->in_stride * (size_t)d->line_pitch;
    VfiPackRow line = {
        .w = source->shape.w,
        .x_begin = x * d->in_stride + d->least_dx,
        .stride = 1,
        .n = (n - 1) * d->in_stride + d->largest_dx - d->least_dx + 1,
    };

    for (int c = 0; c < d->in_units; c++) {
        float *lines = row->copied + (size_t)c * (size_t)d->lines * (size_t)d->line_pitch;
        for (int i = 0; i < kept; i++, lines += d->line_pitch)
            memcpy(lines, lines + shift, (size_t)line.n * sizeof *lines);
        for (int i = kept; i < d->lines; i++, lines += d->line_pitch) {
            int y = row->y * d->in_stride + d->least_dy + i;
            bool inside = y >= 0 && y < source->shape.h;
            line.src = inside ? vfi_operand_row(run, source, c, y) : NULL;
            line.dst = lines;
            ready->kernels->pack_row(&line);
        }
    }
}

/* Finishes the sums of cells @x … @x+@n-1 and writes those that the picture has. */
static void write_cells(const VfiCpuOp *ready, const VfiCpuRun *run, const Row *row,
                        int x, int n)
{
    const Blocked *d = ready->state;
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
        call.acc = row->sums + b * block;
        call.dst = vfi_operand_block(run, &op->dst, index) + at;
        if (op->u.conv.residual != VFI_RESIDUAL_NONE)
            call.residual = vfi_operand_block(run, &op->src[1], index) + at;
        ready->kernels->epilogue_pixels(&call);
    }
}

/* At most RUN_CELLS cells from @x on, all with the same taps, for all phases and the chunk's
 * output groups. Planes were copied from cell @copied_from on. */
static void compute_run(const VfiCpuOp *ready, const VfiCpuRun *run, Row *row, int x,
                        int n, int copied_from)
{
    const Blocked *d = ready->state;
    const VfiOperand *source = &ready->op.src[0];
    VfiMultiply call = {
        .in = row->copied + (ptrdiff_t)(x - copied_from) * d->in_stride,
        .out = row->sums,
        .segments = row->segments,
        .in_pitch = (ptrdiff_t)d->in_stride * d->in_length,
        .length = d->in_length,
        .n_pixels = n,
    };

    if (d->line_pitch == 0)
        call.in = vfi_operand(run, source) +
                  ((ptrdiff_t)row->y * source->shape.w + x) * call.in_pitch;
    for (row->phase = 0; row->phase < d->n_phases; row->phase++) {
        call.n_segments = find_segments(ready, row, x, x + n - 1);
        for (int g = row->group_begin; g < row->group_end; g++) {
            row->group = vfi_out_group(d->n_out_blocks, g);
            call.n_vectors = row->group.n;
            call.out_pitch = row->group.n * ready->kernels->vector_floats;
            call.weight = (const float *)ready->packed +
                          group_offset(ready, d, row->group) +
                          first_weight_row(d, row->phase) * (size_t)call.out_pitch;
            ready->kernels->multiply(&call);
            write_cells(ready, run, row, x, n);
        }
    }
}

/* Cells from @x to @x_end-1 that may be computed at once. */
static int run_length(const VfiCpuOp *ready, int x, int x_end)
{
    const Blocked *d = ready->state;
    int last_in = ready->op.src[0].shape.w - 1 - d->largest_dx;
    int inner = vfi_ceil_div(MAX(-d->least_dx, 0), d->in_stride);
    int inner_end = last_in < 0 ? 0 : last_in / d->in_stride + 1;

    if (d->line_pitch == 0 && x < inner)
        return 1;
    if (d->line_pitch == 0)
        x_end = x < inner_end ? MIN(x_end, inner_end) : x + 1;
    /* runs as equal as can be */
    return vfi_ceil_div(x_end - x, vfi_ceil_div(x_end - x, RUN_CELLS));
}

/* Cells @x … @x_end-1 of the chunk's rows @y … @y_end-1. */
static void compute_rows(const VfiCpuOp *ready, const VfiCpuRun *run, Row *row, int y,
                         int y_end, int x, int x_end)
{
    const Blocked *d = ready->state;

    for (row->y = y; row->y < y_end; row->y++) {
        if (d->line_pitch > 0)
            copy_planes(ready, run, row, x, x_end - x, row->y > y);
        for (int from = x, n; from < x_end; from += n) {
            n = run_length(ready, from, x_end);
            compute_run(ready, run, row, from, n, x);
        }
    }
}

static void blocked_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                          int thread)
{
    const Blocked *d = ready->state;
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

const VfiCpuAlgorithm vfi_cpu_conv_blocked = {
    .name = "blocked",
    .prepare = blocked_prepare,
    .chunk = blocked_chunk,
    .clear = blocked_clear,
};
