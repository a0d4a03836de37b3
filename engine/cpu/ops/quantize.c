/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QUANTIZE: chunks are pixels of a frame, each of which is compared with all codes. */
#include "cpu/algorithm.h"

/* Most pixels of a chunk, and its distances, about: a few ms. */
#define PIXELS 256
#define CHUNK_DISTANCES 1e6

typedef struct {
    int pixels; /* of a frame */
    int most;   /* of a chunk */
    int pieces; /* chunks of a frame */
} Quantize;

static bool prepare(VfiCpuOp *ready, GError **error)
{
    VfiShape s = ready->op.dst.shape;
    Quantize *q = g_new0(Quantize, 1);

    ready->state = q;
    q->pixels = s.h * s.w;
    q->most = (int)CLAMP(CHUNK_DISTANCES / ready->op.u.quantize.n_codes, 1.0, PIXELS);
    q->pieces = vfi_ceil_div(q->pixels, q->most);
    return vfi_cpu_set_chunks(ready, (double)s.c / VFI_CODE_CHANNELS * q->pieces, error);
}

static void chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const Quantize *q = ready->state;
    const VfiQuantizeParams *p = &ready->op.u.quantize;
    int first = index % q->pieces * q->most, n = MIN(q->most, q->pixels - first);
    size_t plane = (size_t)q->pixels;
    size_t at = (size_t)(index / q->pieces) * VFI_CODE_CHANNELS * plane + (size_t)first;
    const float *src = vfi_operand(run, &ready->op.src[0]) + at;
    float *dst = vfi_operand(run, &ready->op.dst) + at;
    int32_t nearest[PIXELS];
    (void)thread;

    ready->kernels->nearest_codes(&(VfiNearestCodes){
        .index = nearest,
        .x = {src, src + plane, src + 2 * plane},
        .codes = p->codes,
        .n = (size_t)n,
        .n_codes = p->n_codes,
    });
    for (int c = 0; c < VFI_CODE_CHANNELS; c++)
        for (int i = 0; i < n; i++)
            dst[(size_t)c * plane + (size_t)i] =
                p->codes[(ptrdiff_t)nearest[i] * VFI_CODE_CHANNELS + c];
}

static const VfiCpuAlgorithm algorithm = {
    .name = "quantize",
    .prepare = prepare,
    .chunk = chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_quantize[] = {&algorithm, NULL};
