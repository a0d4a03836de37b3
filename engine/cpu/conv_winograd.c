/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Winograd convolution of 3 × 3 kernels between blocked tensors: F(4×4) needs 36 products
 * where the direct way needs 144, F(6×6) needs 64 for 324.
 *
 * A chunk is a run of tiles in reading order. Its input is transformed to
 * V[point][tile][in channel]; for each group of output blocks, one product of matrices a
 * point with the transformed weights U[group][point][in channel][out in the group] gives
 * M[point][tile][out in the group], which is transformed back to pixels, with the epilogue,
 * right into the result. V and M stay in the second-level cache. */
#include <string.h>

#include <vfi/error.h>

#include "../alloc.h"
#include "conv_blocks.h"

#define PATCH_MAX 8
#define POINTS_MAX (PATCH_MAX * PATCH_MAX)

/* Bytes of V and M: what the second-level cache holds beside some weights. */
#define CHUNK_BYTES (600 * 1024)

/* Most products of a chunk, so that a cancelled job ends soon. */
#define CHUNK_PRODUCTS 2e8

/* F(6×6) has more weights; they must be worth reading for the tiles that there are. */
#define FORM_6_TILES_MIN 96
#define FORM_6_CHANNELS_MAX 128

typedef struct {
    VfiWinogradForm form;
    int tile, patch, points;
    int tiles_y, tiles_x;
    int chunk_tiles;               /* most tiles of a chunk */
    int in_channels, out_channels; /* whole blocks */
    int n_groups;
    size_t in_point_pitch, out_point_pitch; /* floats of a point of V, of M */
    size_t in_floats, sum_floats;           /* V, M */
    size_t patch_floats;                    /* a patch of all input blocks */
    float *epilogues;
} Winograd;

bool vfi_winograd_suits(const VfiOp *op)
{
    const VfiConvParams *p = &op->u.conv;

    return op->kind == VFI_OP_CONV && p->kernel_h == 3 && p->kernel_w == 3 &&
           p->stride == 1 && p->groups == 1 && p->pad_top == 1 && p->pad_left == 1 &&
           p->pad_bottom == 1 && p->pad_right == 1 &&
           p->activation.kind != VFI_ACTIVATION_SIGMOID;
}

/* G g Gᵀ of one 3 × 3 filter: @points × 3 matrix G of the form. */
static void transform_filter(const Winograd *w, const float *filter, double *points)
{
    static const double g4[6][3] = {
        {1.0 / 4, 0, 0},
        {-1.0 / 6, -1.0 / 6, -1.0 / 6},
        {-1.0 / 6, 1.0 / 6, -1.0 / 6},
        {1.0 / 24, 1.0 / 12, 1.0 / 6},
        {1.0 / 24, -1.0 / 12, 1.0 / 6},
        {0, 0, 1},
    };
    static const double g6[8][3] = {
        {1, 0, 0},
        {-2.0 / 9, -2.0 / 9, -2.0 / 9},
        {-2.0 / 9, 2.0 / 9, -2.0 / 9},
        {1.0 / 90, 1.0 / 45, 2.0 / 45},
        {1.0 / 90, -1.0 / 45, 2.0 / 45},
        {32.0 / 45, 16.0 / 45, 8.0 / 45},
        {32.0 / 45, -16.0 / 45, 8.0 / 45},
        {0, 0, 1},
    };
    const double(*g)[3] = w->form == VFI_WINOGRAD_4 ? g4 : g6;

    for (int i = 0; i < w->patch; i++) {
        double row[3];
        for (int x = 0; x < 3; x++)
            row[x] =
                g[i][0] * filter[x] + g[i][1] * filter[3 + x] + g[i][2] * filter[6 + x];
        for (int j = 0; j < w->patch; j++)
            points[w->patch * i + j] =
                row[0] * g[j][0] + row[1] * g[j][1] + row[2] * g[j][2];
    }
}

/* Floats of U before @point of output group @group. */
static size_t weight_offset(const VfiCpuOp *ready, VfiOutGroup group, int point)
{
    const Winograd *w = ready->state;
    size_t block = (size_t)ready->kernels->vector_floats;
    size_t row = (size_t)w->in_channels * block;

    return row *
           ((size_t)group.first * (size_t)w->points + (size_t)group.n * (size_t)point);
}

/* Writes the points of the filter from input channel @i to output channel @o. */
static void pack_filter(const VfiCpuOp *ready, VfiOutGroup group, int o, int i, float *to)
{
    const Winograd *w = ready->state;
    size_t block = (size_t)ready->kernels->vector_floats, in = ready->op.src[0].shape.c;
    size_t width = (size_t)group.n * block;
    double points[POINTS_MAX];

    transform_filter(w, ready->op.u.conv.weight + ((size_t)o * in + (size_t)i) * 9,
                     points);
    for (int p = 0; p < w->points; p++)
        to[weight_offset(ready, group, p) + (size_t)i * width + (size_t)o -
           (size_t)group.first * block] = (float)points[p];
}

static size_t weight_bytes(const VfiCpuOp *ready)
{
    const Winograd *w = ready->state;

    return (size_t)w->in_channels * (size_t)w->out_channels * (size_t)w->points *
           sizeof(float);
}

static void pack_weights(const VfiCpuOp *ready, void *to)
{
    const Winograd *w = ready->state;
    int block = ready->kernels->vector_floats;
    VfiShape in = ready->op.src[0].shape, out = ready->op.dst.shape;

    memset(to, 0, weight_bytes(ready)); /* channels beyond the last */
    for (int g = 0; g < w->n_groups; g++) {
        VfiOutGroup group = vfi_out_group(w->out_channels / block, g);
        int end = MIN((group.first + group.n) * block, out.c);
        for (int i = 0; i < in.c; i++)
            for (int o = group.first * block; o < end; o++)
                pack_filter(ready, group, o, i, to);
    }
}

/* A form by its cost: F(6×6) saves products where its borders and weights do not eat them. */
static VfiWinogradForm choose_form(const VfiOp *op)
{
    VfiShape in = op->src[0].shape, out = op->dst.shape;
    int tiles = vfi_ceil_div(out.h, 6) * vfi_ceil_div(out.w, 6);
    double used = (double)out.h * out.w / (36.0 * tiles);

    return tiles >= FORM_6_TILES_MIN && in.c <= FORM_6_CHANNELS_MAX && used > 0.85
               ? VFI_WINOGRAD_6
               : VFI_WINOGRAD_4;
}

/* Tiles of a chunk: as many as the cache holds, whole tiles of the product's registers, and
 * chunks of about one size that all CPUs find work in. */
static int choose_chunk_tiles(const VfiCpuOp *ready, const Winograd *w)
{
    int block = ready->kernels->vector_floats, n_cpus = vfi_usable_cpus();
    int tiles = w->tiles_y * w->tiles_x, rows = ready->kernels->multiply_rows;
    double width = MIN(w->out_channels, VFI_MULTIPLY_MAX_VECTORS * block);
    double bytes = (double)w->points * sizeof(float) * (w->in_channels + width);
    double products = (double)w->points * w->in_channels * w->out_channels;
    int most = (int)MIN(CHUNK_BYTES / bytes, CHUNK_PRODUCTS / products);

    most = most >= rows ? most / rows * rows : MAX(most, 1);
    int chunks = vfi_ceil_div(tiles, most);
    if (chunks > 4 * n_cpus)
        return most;
    chunks = MIN(vfi_ceil_div(chunks, n_cpus) * n_cpus, tiles);
    return vfi_ceil_div(tiles, chunks);
}

static size_t odd_lines(size_t floats)
{
    return ((floats + 15) / 16 | 1) * 16;
}

static bool winograd_prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape in = ready->op.src[0].shape, out = ready->op.dst.shape;
    int block = ready->kernels->vector_floats;
    Winograd *w = g_new0(Winograd, 1);

    ready->state = w;
    w->form = choose_form(&ready->op);
    w->tile = w->form == VFI_WINOGRAD_4 ? 4 : 6;
    w->patch = w->tile + 2;
    w->points = w->patch * w->patch;
    w->tiles_y = vfi_ceil_div(out.h, w->tile);
    w->tiles_x = vfi_ceil_div(out.w, w->tile);
    w->in_channels = vfi_padded_channels(in.c, block);
    w->out_channels = vfi_padded_channels(out.c, block);
    w->n_groups = vfi_out_groups(w->out_channels / block);
    w->chunk_tiles = choose_chunk_tiles(ready, w);
    size_t width = (size_t)MIN(w->out_channels, VFI_MULTIPLY_MAX_VECTORS * block);
    /* An odd number of cache lines: points must not fall on the same sets. */
    w->in_point_pitch = odd_lines((size_t)w->chunk_tiles * (size_t)w->in_channels);
    w->out_point_pitch = odd_lines((size_t)w->chunk_tiles * width);
    w->in_floats = (size_t)w->points * w->in_point_pitch;
    w->sum_floats = (size_t)w->points * w->out_point_pitch;
    w->patch_floats = (size_t)w->points * (size_t)w->in_channels;
    ready->n_chunks = vfi_ceil_div(w->tiles_y * w->tiles_x, w->chunk_tiles);
    ready->scratch_bytes =
        sizeof(float) * (w->in_floats + w->sum_floats +
                         MAX(w->patch_floats, (size_t)(2 * w->points * block)));
    w->epilogues = vfi_block_epilogue_new(&ready->op.u.conv, out.c, block, error);
    return w->epilogues != NULL &&
           vfi_cpu_op_pack(ready, w->form == VFI_WINOGRAD_4 ? "winograd 4" : "winograd 6",
                           weight_bytes(ready), pack_weights, error);
}

static void winograd_clear(VfiCpuOp *ready)
{
    vfi_free(((Winograd *)ready->state)->epilogues);
}

/* A run of tiles and a thread's scratch. */
typedef struct {
    float *in, *sums, *patch;
    int first, n; /* tiles */
} Chunk;

static Chunk find_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                        int thread)
{
    const Winograd *w = ready->state;
    int tiles = w->tiles_y * w->tiles_x;
    Chunk chunk = {.in = vfi_thread_scratch(run, thread)};

    chunk.sums = chunk.in + w->in_floats;
    chunk.patch = chunk.sums + w->sum_floats;
    chunk.first = vfi_piece_begin(tiles, ready->n_chunks, index);
    chunk.n = vfi_piece_begin(tiles, ready->n_chunks, index + 1) - chunk.first;
    return chunk;
}

/* Copies the part of a square of @size pixels at @y, @x that lies inside an @h × @w plane:
 * from the plane with zeros around it, or back to the plane. */
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
        float *in_row = row + begin * e->block, *in_line = line + begin * e->block;
        memcpy(to_plane ? in_line : in_row, to_plane ? in_row : in_line, bytes);
    }
}

/* V of the chunk's tile @t, at @y, @x of the picture. */
static void transform_tile(const VfiCpuOp *ready, const VfiCpuRun *run,
                           const Chunk *chunk, int t, int y, int x)
{
    const Winograd *w = ready->state;
    const VfiOperand *source = &ready->op.src[0];
    VfiShape shape = source->shape;
    int block = source->block;
    size_t plane = (size_t)shape.h * (size_t)shape.w * (size_t)block;
    VfiWinogradInput input = {
        .dst = chunk->in + (size_t)t * (size_t)w->in_channels,
        .point_pitch = w->in_point_pitch,
        .n_blocks = w->in_channels / block,
    };

    if (y >= 1 && x >= 1 && y + w->tile < shape.h && x + w->tile < shape.w) {
        input.src = vfi_operand(run, source) +
                    ((size_t)(y - 1) * (size_t)shape.w + (size_t)(x - 1)) * (size_t)block;
        input.row_pitch = (size_t)shape.w * (size_t)block;
        input.block_pitch = plane;
    } else {
        Edge edge = {chunk->patch, vfi_operand(run, source),
                     w->patch,     y - 1,
                     x - 1,        shape.h,
                     shape.w,      block};
        for (int b = 0; b < input.n_blocks; b++) {
            copy_edge(&edge, false);
            edge.square += w->points * block;
            edge.plane += plane;
        }
        input.src = chunk->patch;
        input.row_pitch = (size_t)(w->patch * block);
        input.block_pitch = (size_t)(w->points * block);
    }
    ready->kernels->winograd_input[w->form](&input);
}

/* M of one output group. */
static void multiply_group(const VfiCpuOp *ready, const Chunk *chunk, VfiOutGroup group)
{
    static const VfiSegment all[1] = {{0}};
    const Winograd *w = ready->state;
    VfiMultiply call = {
        .segments = all,
        .in_pitch = w->in_channels,
        .out_pitch = group.n * ready->kernels->vector_floats,
        .n_segments = 1,
        .length = w->in_channels,
        .n_pixels = chunk->n,
        .n_vectors = group.n,
    };

    for (int point = 0; point < w->points; point++) {
        call.in = chunk->in + (size_t)point * w->in_point_pitch;
        call.weight = (const float *)ready->packed + weight_offset(ready, group, point);
        call.out = chunk->sums + (size_t)point * w->out_point_pitch;
        ready->kernels->multiply(&call);
    }
}

/* Pixels of block @b of the chunk's tile @t from the sums at @src. */
static void write_tile(const VfiCpuOp *ready, const VfiCpuRun *run, const Chunk *chunk,
                       const float *src, int b, int y, int x)
{
    const Winograd *w = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape shape = op->dst.shape;
    int block = op->dst.block;
    size_t at = ((size_t)y * (size_t)shape.w + (size_t)x) * (size_t)block;
    bool has_residual = op->u.conv.residual != VFI_RESIDUAL_NONE;
    VfiWinogradOutput output = {
        .epilogue = vfi_block_epilogue(w->epilogues, &op->u.conv, shape.c, block, b),
        .src = src,
        .point_pitch = w->out_point_pitch,
    };
    float *plane = vfi_operand_block(run, &op->dst, b);
    float *residual = has_residual ? vfi_operand_block(run, &op->src[1], b) : NULL;

    if (y + w->tile <= shape.h && x + w->tile <= shape.w) {
        output.dst = plane + at;
        output.residual = has_residual ? residual + at : NULL;
        output.row_pitch = (size_t)shape.w * (size_t)block;
        ready->kernels->winograd_output[w->form](&output);
        return;
    }
    Edge edge = {chunk->patch, residual, w->tile, y, x, shape.h, shape.w, block};
    if (has_residual)
        copy_edge(&edge, false);
    edge.square += w->points * block;
    edge.plane = plane;
    output.residual = has_residual ? chunk->patch : NULL;
    output.dst = edge.square;
    output.row_pitch = (size_t)(w->tile * block);
    ready->kernels->winograd_output[w->form](&output);
    copy_edge(&edge, true);
}

static void winograd_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                           int thread)
{
    const Winograd *w = ready->state;
    Chunk chunk = find_chunk(ready, run, index, thread);
    int block = ready->kernels->vector_floats;

    for (int t = 0; t < chunk.n; t++)
        transform_tile(ready, run, &chunk, t, (chunk.first + t) / w->tiles_x * w->tile,
                       (chunk.first + t) % w->tiles_x * w->tile);
    for (int g = 0; g < w->n_groups; g++) {
        VfiOutGroup group = vfi_out_group(w->out_channels / block, g);
        multiply_group(ready, &chunk, group);
        for (int t = 0; t < chunk.n; t++)
            for (int b = 0; b < group.n; b++)
                write_tile(ready, run, &chunk,
                           chunk.sums + (size_t)((t * group.n + b) * block),
                           group.first + b, (chunk.first + t) / w->tiles_x * w->tile,
                           (chunk.first + t) % w->tiles_x * w->tile);
    }
}

const VfiCpuAlgorithm vfi_cpu_conv_winograd = {
    .name = "winograd",
    .prepare = winograd_prepare,
    .chunk = winograd_chunk,
    .clear = winograd_clear,
};
