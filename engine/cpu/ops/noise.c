/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NOISE: chunks are rows of all channels; each value is computed by itself. */
#include "op/noise.h"

#include "cpu/ops/unit_rows.h"

/* Pixels of a piece, of which four channels are computed, be there fewer or not. */
#define PIECE 64

static bool prepare(VfiCpuOp *ready, GError **error)
{
    VfiUnitRows *rows = g_new0(VfiUnitRows, 1);

    ready->state = rows;
    return vfi_cut_into_rows(ready, true, rows, error);
}

/* Channels @channel … @channel + 3 of @n pixels from column @x on. Compilers do several
 * pixels at once: 3 ns a value on a core of Zen 5, most of it Philox; 2 with AVX2 and 1
 * with AVX-512, which no network would notice. */
static void compute_piece(const VfiNoiseInputs *inputs, const VfiNoiseParams *params,
                          int channel, int y, int x, int n,
                          float piece[VFI_NOISE_CHANNELS][PIECE])
{
    for (int i = 0; i < n; i++) {
        float values[VFI_NOISE_CHANNELS];
        vfi_noise_at(inputs, params, channel, y, x + i, values);
        for (int k = 0; k < VFI_NOISE_CHANNELS; k++)
            piece[k][i] = values[k];
    }
}

static void compute_row(const VfiCpuRun *run, const VfiOp *op, int channel, int y)
{
    VfiShape shape = op->dst.shape;
    int channels = MIN(VFI_NOISE_CHANNELS, shape.c - channel);
    float piece[VFI_NOISE_CHANNELS][PIECE];

    for (int x = 0; x < shape.w; x += PIECE) {
        int n = MIN(PIECE, shape.w - x);
        compute_piece(&run->inputs.noise, &op->u.noise, channel, y, x, n, piece);
        for (int k = 0; k < channels; k++)
            memcpy(vfi_operand_row(run, &op->dst, channel + k, y) + x, piece[k],
                   (size_t)n * sizeof(float));
    }
}

static void noise_chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index,
                        int thread)
{
    const VfiUnitRows *rows = ready->state;
    const VfiOp *op = &ready->op;
    int begin = index * rows->rows, end = MIN(begin + rows->rows, op->dst.shape.h);
    (void)thread;

    for (int y = begin; y < end; y++)
        for (int c = 0; c < op->dst.shape.c; c += VFI_NOISE_CHANNELS)
            compute_row(run, op, c, y);
}

static const VfiCpuAlgorithm noise = {
    .name = "noise",
    .prepare = prepare,
    .chunk = noise_chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_noise[] = {&noise, NULL};
