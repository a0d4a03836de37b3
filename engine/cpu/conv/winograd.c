/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd convolution of 3 × 3 kernels between blocked tensors: F(4×4) needs 36
 * products where the direct way needs 144, F(6×6) needs 64 for 324, and for 4 × 4
 * results of stride 2 it is 81 for 144.
 *
 * A chunk is a run of tiles in reading order. Its input is transformed to
 * V[point][tile][in channel]; for each group of output blocks, products of matrices,
 * one per point, with the transformed weights U[group][point][in channel][out in the
 * group] give M[sum][tile][out in the group], which is transformed back to pixels, with
 * the epilogue, right into the result. A sum takes the products of one point, or of
 * several for stride 2. V and M stay in the second-level cache. */
#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "cpu/conv/bf16.h"
#include "cpu/conv/blocks.h"
#include "cpu/conv/conv.h"
#include "cpu/conv/winograd_forms.h"
#include "cpu/pack.h"
#include "machine/cpu_count.h"

/* Bytes of V and M: what a second-level cache of 512 KiB or more holds beside some
 * weights. */
#define CHUNK_BYTES (400 * 1024)

/* Weights too large for any cache are read once per chunk: that they meet enough tiles
 * then matters more than that V stays in the second-level cache. */
#define WEIGHTS_BYTES 16e6

/* Most products of a chunk, so that a cancelled job ends soon. */
#define CHUNK_PRODUCTS 2e8

typedef struct {
    VfiWinogradForm form;
    VfiWinogradSize size;
    int points, sums; /* of the squares */
    int tiles_y, tiles_x;
    int chunk_tiles;               /* most tiles of a chunk */
    int n_chunks;                  /* of one group of the convolution */
    int in_channels, out_channels; /* of one, whole blocks */
    int in_words; /* floats, or pairs of bf16, of a tile's input channels at a point */
    int n_groups;
    size_t point_pitch, sum_pitch;   /* words of a point of V, floats of a sum of M */
    size_t point_floats, sum_floats; /* V, M */
    VfiSegment segments[VFI_WINOGRAD_MAX_POINTS]; /* points in V and U, by sum */
    int first_segment[VFI_WINOGRAD_MAX_SUMS + 1];
    float *epilogues;
} Winograd;

/* Words of U before output group @group of the convolution's group @part. */
static size_t group_offset(const VfiCpuOp *ready, int part, VfiOutGroup group)
{
    const Winograd *w = ready->state;
    size_t channels = (size_t)part * (size_t)w->out_channels +
                      (size_t)group.first * (size_t)ready->kernels->vector_floats;

    return (size_t)w->points * (size_t)w->in_words * channels;
}

/* Writes the points of the filter from input channel @i to output channel @o, both of the
 * convolution's group @part. */
static void pack_filter(const VfiCpuOp *ready, int part, VfiOutGroup group, int o, int i,
                        float *to)
{
    const Winograd *w = ready->state;
    const VfiConvParams *conv = &ready->op.u.conv;
    size_t block = (size_t)ready->kernels->vector_floats;
    int in = ready->op.src[0].shape.c / conv->groups;
    int first = part * (ready->op.dst.shape.c / conv->groups);
    size_t filter = vfi_conv_filter(conv, first + o, i, in);
    size_t width = (size_t)group.n * block;
    double points[VFI_WINOGRAD_MAX_POINTS];

    vfi_winograd_filter(w->form, conv->weight + filter * 9, points);
    to += group_offset(ready, part, group) + ((size_t)o - (size_t)group.first * block);
    for (int point = 0; point < w->points; point++) {
        size_t row = (size_t)point * (size_t)w->in_words;
        if (!vfi_winograd_is_bf16(w->form)) {
            to[(row + (size_t)i) * width] = (float)points[point];
            continue;
        }
        uint16_t *pair = (uint16_t *)(void *)&to[(row + (size_t)i / 2) * width];
        pair[i % 2] = vfi_bf16((float)points[point]);
    }
}

static size_t weight_bytes(const VfiCpuOp *ready)
{
    const Winograd *w = ready->state;

    return (size_t)w->in_words * (size_t)w->out_channels * (size_t)w->points *
           (size_t)ready->op.u.conv.groups * sizeof(float);
}

static void pack_part(const VfiCpuOp *ready, int part, float *to)
{
    const Winograd *w = ready->state;
    int block = ready->kernels->vector_floats, parts = ready->op.u.conv.groups;
    int in = ready->op.src[0].shape.c / parts, out = ready->op.dst.shape.c / parts;

    for (int g = 0; g < w->n_groups; g++) {
        VfiOutGroup group = vfi_out_group(w->out_channels / block, g);
        int end = MIN((group.first + group.n) * block, out);
        for (int i = 0; i < in; i++)
            for (int o = group.first * block; o < end; o++)
                pack_filter(ready, part, group, o, i, to);
    }
}

static void pack_weights(const VfiCpuOp *ready, void *to)
{
    memset(to, 0, weight_bytes(ready)); /* channels beyond the last */
    for (int part = 0; part < ready->op.u.conv.groups; part++)
        pack_part(ready, part, to);
}

/* Tiles of a chunk: as many as the cache holds, whole tiles of the product's registers,
 * and chunks of about one size that all CPUs find work in. */
static int choose_chunk_tiles(const VfiCpuOp *ready, const Winograd *w)
{
    int block = ready->kernels->vector_floats, n_cpus = vfi_usable_cpus();
    int tiles = w->tiles_y * w->tiles_x, rows = ready->kernels->multiply_rows;
    double width = MIN(w->out_channels, VFI_MULTIPLY_MAX_VECTORS * block);
    double bytes = sizeof(float) * (w->points * (double)w->in_words + w->sums * width);
    double products = (double)w->points * w->in_channels * w->out_channels;
    double fit = CHUNK_BYTES / bytes;
    if (products * sizeof(float) > WEIGHTS_BYTES)
        fit = MAX(fit, (double)rows);
    int most = (int)MIN(fit, CHUNK_PRODUCTS / products);

    most = most >= rows ? most / rows * rows : MAX(most, 1);
    int chunks = vfi_ceil_div(tiles, most);
    if (chunks > 4 * n_cpus)
        return most;
    chunks = MIN(vfi_ceil_div(chunks, n_cpus) * n_cpus, tiles);
    return vfi_ceil_div(tiles, chunks);
}

/* The points of each sum. */
static void list_segments(Winograd *w)
{
    int n = 0;

    for (int sum = 0; sum < w->sums; sum++) {
        for (int point = 0; point < w->points; point++)
            if (vfi_winograd_sum_of(w->form, point) == sum)
                w->segments[n++] = (VfiSegment){
                    .in = (ptrdiff_t)point * (ptrdiff_t)w->point_pitch,
                    .row = (size_t)point * (size_t)w->in_words,
                };
        w->first_segment[sum + 1] = n;
    }
}

static bool winograd_prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape in = ready->op.src[0].shape, out = ready->op.dst.shape;
    int block = ready->kernels->vector_floats, parts = ready->op.u.conv.groups;
    Winograd *w = g_new0(Winograd, 1);

    ready->state = w;
    w->form = vfi_winograd_form(ready);
    w->size = vfi_winograd_sizes[w->form];
    w->points = w->size.patch * w->size.patch;
    w->sums = w->size.sums * w->size.sums;
    w->tiles_y = vfi_ceil_div(out.h, w->size.tile);
    w->tiles_x = vfi_ceil_div(out.w, w->size.tile);
    w->in_channels = vfi_padded_channels(in.c / parts, block);
    w->in_words = vfi_winograd_is_bf16(w->form) ? w->in_channels / 2 : w->in_channels;
    w->out_channels = vfi_padded_channels(out.c / parts, block);
    w->n_groups = vfi_out_groups(w->out_channels / block);
    w->chunk_tiles = choose_chunk_tiles(ready, w);
    size_t width = (size_t)MIN(w->out_channels, VFI_MULTIPLY_MAX_VECTORS * block);
    /* An odd number of cache lines: points must not fall on the same sets. */
    w->point_pitch = vfi_odd_lines((size_t)w->chunk_tiles * (size_t)w->in_words);
    w->sum_pitch = vfi_odd_lines((size_t)w->chunk_tiles * width);
    w->point_floats = (size_t)w->points * w->point_pitch;
    w->sum_floats = (size_t)w->sums * w->sum_pitch;
    list_segments(w);
    w->n_chunks = vfi_ceil_div(w->tiles_y * w->tiles_x, w->chunk_tiles);
    ready->n_chunks = parts * w->n_chunks;
    ready->scratch_bytes = sizeof(float) * (w->point_floats + w->sum_floats +
                                            2 * (size_t)(w->points * block));
    w->epilogues = vfi_block_epilogue_new(&ready->op.u.conv, out.c, block, error);
    return w->epilogues != NULL &&
           vfi_cpu_op_pack(ready, vfi_winograd_layout(w->form), weight_bytes(ready),
                           pack_weights, error);
}

static void winograd_clear(VfiCpuOp *ready)
{
    vfi_free(((Winograd *)ready->state)->epilogues);
}

/* A run of tiles of one group of the convolution, and a thread's scratch. */
typedef struct {
    int part;             /* that group */
    float *points, *sums; /* V, M */
    float *patch;         /* pixels at an edge: a patch, or a tile after its residual */
    int first, n;         /* tiles */
} Chunk;

static Chunk find_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                        int thread)
{
    const Winograd *w = ready->state;
    int tiles = w->tiles_y * w->tiles_x;
    Chunk chunk = {.part = index / w->n_chunks,
                   .points = vfi_thread_scratch(run, thread)};

    index %= w->n_chunks;
    chunk.sums = chunk.points + w->point_floats;
    chunk.patch = chunk.sums + w->sum_floats;
    chunk.first = vfi_piece_begin(tiles, w->n_chunks, index);
    chunk.n = vfi_piece_begin(tiles, w->n_chunks, index + 1) - chunk.first;
    return chunk;
}

/* Copies the part of a square of @size pixels at @y, @x that lies inside an @h × @w
 * plane: from the plane with zeros around it, or back to the plane. */
typedef struct {
    float *square, *plane;
    int size, y, x, h, w, block;
} Edge;

static void copy_edge(const Edge *e, bool to_plane)
{
    size_t pixel = (size_t)e->block * sizeof(float);
    int begin = MAX(-e->x, 0), end = MIN(e->size, e->w - e->x);

    for (int i = 0; i < e->size; i++) {
        bool inside = e->y + i >= 0 && e->y + i < e->h && end > begin;
        float *row = e->square + (size_t)(i * e->size * e->block);
        float *line = e->plane + ((ptrdiff_t)(e->y + i) * e->w + e->x) * e->block;
        if (!to_plane)
            memset(row, 0, (size_t)e->size * pixel);
        if (!inside)
            continue;
        size_t bytes = (size_t)(end - begin) * pixel;
        ptrdiff_t at = (ptrdiff_t)begin * e->block;
        float *in_row = row + at, *in_line = line + at;
        memcpy(to_plane ? in_line : in_row, to_plane ? in_row : in_line, bytes);
    }
}

/* Where the chunk's tile @t starts in the result. */
static void find_tile(const Winograd *w, const Chunk *chunk, int t, int *y, int *x)
{
    *y = (chunk->first + t) / w->tiles_x * w->size.tile;
    *x = (chunk->first + t) % w->tiles_x * w->size.tile;
}

/* V of input block @b of the chunk's tile @t. */
static void transform_tile(const VfiCpuOp *ready, const VfiCpuRun *run,
                           const Chunk *chunk, int b, int t)
{
    const Winograd *w = ready->state;
    const VfiOperand *source = &ready->op.src[0];
    VfiShape shape = source->shape;
    int block = source->block, patch = w->size.patch, y, x;
    float *plane =
        vfi_operand_block(run, source, chunk->part * (w->in_channels / block) + b);
    VfiWinogradInput input = {
        .dst = chunk->points + (size_t)t * (size_t)w->in_words +
               (ptrdiff_t)b * (w->in_words / (w->in_channels / block)),
        .point_pitch = w->point_pitch,
    };

    find_tile(w, chunk, t, &y, &x);
    y = y * w->size.stride - ready->op.u.conv.pad_top;
    x = x * w->size.stride - ready->op.u.conv.pad_left;
    if (y >= 0 && x >= 0 && y + patch <= shape.h && x + patch <= shape.w) {
        input.src = plane + ((size_t)y * (size_t)shape.w + (size_t)x) * (size_t)block;
        input.row_pitch = (size_t)shape.w * (size_t)block;
    } else {
        Edge edge = {chunk->patch, plane, patch, y, x, shape.h, shape.w, block};
        copy_edge(&edge, false);
        input.src = chunk->patch;
        input.row_pitch = (size_t)patch * (size_t)block;
    }
    ready->kernels->winograd_input[w->form](&input);
}

/* M of one output group. */
static void multiply_group(const VfiCpuOp *ready, const Chunk *chunk, VfiOutGroup group)
{
    const Winograd *w = ready->state;
    VfiMultiply call = {
        .in = chunk->points,
        .weight = (const float *)ready->packed + group_offset(ready, chunk->part, group),
        .in_pitch = w->in_words,
        .out_pitch = (ptrdiff_t)group.n * ready->kernels->vector_floats,
        .length = w->in_words,
        .n_pixels = chunk->n,
        .n_vectors = group.n,
    };

    for (int sum = 0; sum < w->sums; sum++) {
        call.segments = w->segments + w->first_segment[sum];
        call.n_segments = w->first_segment[sum + 1] - w->first_segment[sum];
        call.out = chunk->sums + (size_t)sum * w->sum_pitch;
        if (vfi_winograd_is_bf16(w->form))
            ready->kernels->multiply_bf16(&call);
        else
            ready->kernels->multiply(&call);
    }
}

/* Pixels of block @b of the output group, in the chunk's tile @t. */
static void write_tile(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                       VfiOutGroup group, int b, int t)
{
    const Winograd *w = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape shape = op->dst.shape;
    int block = op->dst.block, tile = w->size.tile, y, x;
    int index = chunk->part * (w->out_channels / block) + group.first + b;
    bool has_residual = op->u.conv.residual != VFI_RESIDUAL_NONE;
    VfiWinogradOutput output = {
        .epilogue = vfi_block_epilogue(w->epilogues, &op->u.conv, shape.c, block, index),
        .src = chunk->sums + (size_t)((t * group.n + b) * block),
        .sum_pitch = w->sum_pitch,
    };
    float *plane = vfi_operand_block(run, &op->dst, index);
    float *residual = has_residual ? vfi_operand_block(run, &op->src[1], index) : NULL;

    find_tile(w, chunk, t, &y, &x);
    size_t at = ((size_t)y * (size_t)shape.w + (size_t)x) * (size_t)block;
    if (y + tile <= shape.h && x + tile <= shape.w) {
        output.dst = plane + at;
        output.residual = has_residual ? residual + at : NULL;
        output.row_pitch = (size_t)shape.w * (size_t)block;
        ready->kernels->winograd_output[w->form](&output);
        return;
    }
    Edge edge = {chunk->patch, residual, tile, y, x, shape.h, shape.w, block};
    if (has_residual)
        copy_edge(&edge, false);
    edge.square += (ptrdiff_t)w->points * block;
    edge.plane = plane;
    output.residual = has_residual ? chunk->patch : NULL;
    output.dst = edge.square;
    output.row_pitch = (size_t)tile * (size_t)block;
    ready->kernels->winograd_output[w->form](&output);
    copy_edge(&edge, true);
}

static void winograd_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                           int thread)
{
    const Winograd *w = ready->state;
    Chunk chunk = find_chunk(ready, run, index, thread);
    int block = ready->kernels->vector_floats;

    /* Block by block, so that memory is read and written in a few long streams. */
    for (int b = 0; b < w->in_channels / block; b++)
        for (int t = 0; t < chunk.n; t++)
            transform_tile(ready, run, &chunk, b, t);
    for (int g = 0; g < w->n_groups; g++) {
        VfiOutGroup group = vfi_out_group(w->out_channels / block, g);
        multiply_group(ready, &chunk, group);
        for (int b = 0; b < group.n; b++)
            for (int t = 0; t < chunk.n; t++)
                write_tile(ready, run, &chunk, group, b, t);
    }
}

static bool winograd_accepts(const VfiOp *op, const VfiCpuKernels *kernels)
{
    return kernels->multiply != NULL && vfi_operand_is_blocked(&op->dst) &&
           vfi_operand_is_blocked(&op->src[0]) &&
           (op->n_src < 2 || vfi_operand_is_blocked(&op->src[1])) &&
           vfi_winograd_suits(op);
}

const VfiCpuAlgorithm vfi_cpu_conv_winograd = {
    .name = "winograd",
    .accepts = winograd_accepts,
    .prepare = winograd_prepare,
    .chunk = winograd_chunk,
    .clear = winograd_clear,
};
