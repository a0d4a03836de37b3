/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CORRELATION (op/correlation.c): a chunk is some rows. */
#include <math.h>

#include "cpu/algorithm.h"

/* Channels of pixels of a chunk, about: some milliseconds without vectors. */
#define CHUNK_FLOATS 262144

/* Places that a pixel is compared with. */
#define PLACES 9

typedef struct {
    int rows; /* most of a chunk */
} Correlation;

static bool prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape in = ready->op.src[0].shape;
    Correlation *state = g_new0(Correlation, 1);
    double row = (double)in.c * in.w;

    ready->state = state;
    state->rows = (int)CLAMP(CHUNK_FLOATS / row, 1.0, (double)in.h);
    return vfi_cpu_set_chunks(ready, vfi_ceil_div(in.h, state->rows), error);
}

/* ---- any layout, channel by channel ------------------------------------------------ */

/* Where the channels of an operand are: channel c of a pixel is at (c / block) * plane +
 * pixel * block + c % block. */
typedef struct {
    const float *data;
    size_t plane;
    int block;
} Channels;

static Channels channels_of(const VfiCpuRun *run, const VfiOperand *operand)
{
    Channels channels = {
        .data = vfi_operand(run, operand),
        .block = MAX(operand->block, 1),
    };

    channels.plane =
        (size_t)operand->shape.h * (size_t)operand->shape.w * (size_t)channels.block;
    return channels;
}

static const float *plane_of(const Channels *channels, int c)
{
    return channels->data + (size_t)(c / channels->block) * channels->plane +
           c % channels->block;
}

/* The 4 × 4 pixels around a place: row and column 1 are before it, those beyond the
 * border are zero. */
typedef struct {
    ptrdiff_t at[4][4]; /* in pixels; -1: beyond the border */
    float weight_x, weight_y;
} Patch;

/* Brings @place into 0 … @size - 1, NaN to 0; sets *weight to the part behind the pixel
 * that is returned. */
static int find_pixel(float place, int size, float *weight)
{
    place = place > 0.0f ? place : 0.0f;
    int pixel = place < (float)(size - 1) ? (int)place : size - 1;
    *weight = place < (float)(size - 1) ? place - (float)pixel : 0.0f;
    return pixel;
}

static void find_patch(Patch *patch, VfiShape shape, float x, float y)
{
    int first_x = find_pixel(x, shape.w, &patch->weight_x) - 1;
    int first_y = find_pixel(y, shape.h, &patch->weight_y) - 1;

    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) {
            int row = first_y + i, column = first_x + j;
            bool inside = row >= 0 && row < shape.h && column >= 0 && column < shape.w;
            patch->at[i][j] = inside ? (ptrdiff_t)row * shape.w + column : -1;
        }
}

/* Not a + weight * (b - a): where b is beyond the border and the weight near 1, what is
 * left of a would be rounding, and the cosine has no scale. */
static float mix(float a, float b, float weight)
{
    return (1.0f - weight) * a + weight * b;
}

/* The channel's values at the nine places around the patch's. */
static void sample_places(const Patch *patch, const float *plane, int block,
                          float values[PLACES])
{
    float between[4][3];

    for (int i = 0; i < 4; i++) {
        float row[4];
        for (int j = 0; j < 4; j++)
            row[j] = patch->at[i][j] >= 0 ? plane[patch->at[i][j] * block] : 0.0f;
        for (int j = 0; j < 3; j++)
            between[i][j] = mix(row[j], row[j + 1], patch->weight_x);
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            values[3 * i + j] = mix(between[i][j], between[i + 1][j], patch->weight_y);
}

static void compare_pixel(const Patch *patch, const Channels *image,
                          const Channels *reference, int n_channels, size_t pixel,
                          float cosine[PLACES])
{
    float products[PLACES] = {0.0f}, squares[PLACES] = {0.0f}, own = 0.0f;

    for (int c = 0; c < n_channels; c++) {
        float values[PLACES];
        float a = plane_of(reference, c)[pixel * (size_t)reference->block];
        sample_places(patch, plane_of(image, c), image->block, values);
        own += a * a;
        for (int k = 0; k < PLACES; k++) {
            products[k] += a * values[k];
            squares[k] += values[k] * values[k];
        }
    }
    float norm = sqrtf(own + VFI_CORRELATION_EPSILON);
    for (int k = 0; k < PLACES; k++)
        cosine[k] = products[k] / (norm * sqrtf(squares[k] + VFI_CORRELATION_EPSILON));
}

static void any_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const Correlation *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape shape = op->src[0].shape;
    int begin = index * state->rows, end = MIN(begin + state->rows, shape.h);
    Channels image = channels_of(run, &op->src[0]);
    Channels reference = channels_of(run, &op->src[2]);
    (void)thread;

    for (int y = begin; y < end; y++) {
        const float *flow_x = vfi_operand_row(run, &op->src[1], 0, y);
        const float *flow_y = vfi_operand_row(run, &op->src[1], 1, y);
        for (int x = 0; x < shape.w; x++) {
            size_t pixel = (size_t)y * (size_t)shape.w + (size_t)x;
            float cosine[PLACES];
            Patch patch;
            find_patch(&patch, shape, (float)x + flow_x[x], (float)y + flow_y[x]);
            compare_pixel(&patch, &image, &reference, shape.c, pixel, cosine);
            for (int k = 0; k < PLACES; k++)
                vfi_operand_row(run, &op->dst, k, y)[x] = cosine[k];
        }
    }
}

static bool accepts_any(const VfiOp *op, const VfiCpuKernels *kernels)
{
    (void)op;
    (void)kernels;
    return true;
}

static const VfiCpuAlgorithm any_layout = {
    .name = "correlation",
    .accepts = accepts_any,
    .prepare = prepare,
    .chunk = any_chunk,
};

/* ---- channel blocks ---------------------------------------------------------------- */

/* The picture that the flow leads to is in blocks. What it is compared with comes as
 * planes where sums and products of pictures gave it: those are brought into blocks row
 * by row. */

static bool blocks_prepare(VfiCpuOp *ready, GError **error)
{
    const VfiOperand *reference = &ready->op.src[2];
    int block = ready->kernels->vector_floats;

    if (!vfi_operand_is_blocked(reference))
        ready->scratch_bytes = (size_t)vfi_ceil_div(reference->shape.c, block) *
                               (size_t)reference->shape.w * (size_t)block * sizeof(float);
    return prepare(ready, error);
}

/* Row @y of the reference, which is planes, in blocks one row apart. */
static const float *block_reference(const VfiCpuOp *ready, const VfiCpuRun *run, int y,
                                    int thread)
{
    const VfiOperand *reference = &ready->op.src[2];
    VfiShape shape = reference->shape;
    int block = ready->kernels->vector_floats;
    float *rows = vfi_thread_scratch(run, thread);
    VfiBlockRow row = {
        .dst = rows, .src_pitch = (size_t)shape.h * (size_t)shape.w, .w = shape.w};

    for (int c = 0; c < shape.c; c += block, row.dst += (ptrdiff_t)shape.w * block) {
        row.src = vfi_operand_row(run, reference, c, y);
        row.channels = MIN(block, shape.c - c);
        ready->kernels->block_row(&row);
    }
    return rows;
}

static void blocks_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                         int thread)
{
    const Correlation *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape shape = op->src[0].shape;
    int block = op->src[0].block, begin = index * state->rows;
    int end = MIN(begin + state->rows, shape.h);
    bool reference_is_blocked = vfi_operand_is_blocked(&op->src[2]);
    size_t line = (size_t)shape.w * (size_t)block;
    VfiCorrelationBlocks row = {
        .src = vfi_operand(run, &op->src[0]),
        .dst_plane = (size_t)shape.h * (size_t)shape.w,
        .plane = (size_t)shape.h * line,
        .reference_plane = reference_is_blocked ? (size_t)shape.h * line : line,
        .blocks = vfi_ceil_div(shape.c, block),
        .w = shape.w,
        .h = shape.h,
    };

    for (row.y = begin; row.y < end; row.y++) {
        row.dst = vfi_operand_row(run, &op->dst, 0, row.y);
        row.reference = reference_is_blocked
                            ? vfi_operand(run, &op->src[2]) + (size_t)row.y * line
                            : block_reference(ready, run, row.y, thread);
        row.flow_x = vfi_operand_row(run, &op->src[1], 0, row.y);
        row.flow_y = vfi_operand_row(run, &op->src[1], 1, row.y);
        ready->kernels->correlation_blocks(&row);
    }
}

static bool accepts_blocks(const VfiOp *op, const VfiCpuKernels *kernels)
{
    return kernels->correlation_blocks != NULL && vfi_operand_is_blocked(&op->src[0]);
}

static const VfiCpuAlgorithm blocks = {
    .name = "correlation of blocks",
    .accepts = accepts_blocks,
    .prepare = blocks_prepare,
    .chunk = blocks_chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_correlation[] = {&blocks, &any_layout, NULL};
