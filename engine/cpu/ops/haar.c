/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* HAAR (op/haar.c): a chunk is some rows of all bands of one frame. */
#include <string.h>

#include "cpu/algorithm.h"

#define BANDS 8

/* 1 / √8 in each of three directions. */
#define SCALE 0.04419417382415922f

typedef struct {
    int rows; /* most of a chunk */
    int bands;
} Haar;

/* Floats of a chunk's results, about: some tenths of a millisecond. */
#define CHUNK_FLOATS 131072

static bool prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape in = ready->op.src[0].shape;
    Haar *state = g_new0(Haar, 1);

    ready->state = state;
    state->rows = CLAMP(CHUNK_FLOATS / BANDS / in.w, 1, in.h);
    state->bands = vfi_ceil_div(in.h, state->rows);
    ready->scratch_bytes = (size_t)in.w * sizeof(float);
    return vfi_cpu_set_chunks(ready, (double)state->bands * (in.c - 1), error);
}

/* The four pixels of two frames and two rows that make a column, each with the frames'
 * low band in one and high band in the other. */
typedef struct {
    float low[2], high[2]; /* by row */
} Column;

static inline Column column_at(const float *const src[4], int x)
{
    return (Column){
        .low = {src[0][x] + src[2][x], src[1][x] + src[3][x]},
        .high = {src[2][x] - src[0][x], src[3][x] - src[1][x]},
    };
}

/* Low and high band of both in the direction of columns. */
static inline void write_pair(float *const dst[BANDS], int band, int x, float left,
                              float right)
{
    dst[band][x] = (left + right) * SCALE;
    dst[band + 1][x] = (right - left) * SCALE;
}

static inline void write_pixel(float *const dst[BANDS], int x, Column left, Column right)
{
    write_pair(dst, 0, x, left.low[0] + left.low[1], right.low[0] + right.low[1]);
    write_pair(dst, 2, x, left.low[1] - left.low[0], right.low[1] - right.low[0]);
    write_pair(dst, 4, x, left.high[0] + left.high[1], right.high[0] + right.high[1]);
    write_pair(dst, 6, x, left.high[1] - left.high[0], right.high[1] - right.high[0]);
}

/* @src: rows y and y + 1 of one frame, then of the next. */
static void transform_row(float *const dst[BANDS], const float *const src[4], int w)
{
    for (int x = 0; x < w - 1; x++)
        write_pixel(dst, x, column_at(src, x), column_at(src, x + 1));
    write_pixel(dst, w - 1, column_at(src, w - 1), (Column){.low = {0.0f}});
}

static void haar_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const Haar *state = ready->state;
    const VfiOp *op = &ready->op;
    VfiShape in = op->src[0].shape;
    int frame = index / state->bands, y = index % state->bands * state->rows;
    int end = MIN(y + state->rows, in.h);
    float *zeros = vfi_thread_scratch(run, thread);

    memset(zeros, 0, (size_t)in.w * sizeof *zeros);
    for (; y < end; y++) {
        const float *src[4];
        float *dst[BANDS];
        for (int i = 0; i < 4; i++)
            src[i] = y + i % 2 < in.h
                         ? vfi_operand_row(run, &op->src[0], frame + i / 2, y + i % 2)
                         : zeros;
        for (int band = 0; band < BANDS; band++)
            dst[band] = vfi_operand_row(run, &op->dst, band * (in.c - 1) + frame, y);
        transform_row(dst, src, in.w);
    }
}

static const VfiCpuAlgorithm haar = {
    .name = "haar",
    .prepare = prepare,
    .chunk = haar_chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_haar[] = {&haar, NULL};
