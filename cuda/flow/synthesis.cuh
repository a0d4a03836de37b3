/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What synthesis reads and writes: the components on a grid of samples, singly or as
 * words, and Catmull-Rom samples between them, as in engine/pixels/cubic_samples.c. */
#pragma once

#include "flow/hypotheses.cuh"

struct SynthesisParameters {
    MotionParameters motion;
    int shift_x, shift_y;
    bool between_x, between_y; /* samples lie half a luma sample behind their first one */
    int width, height;         /* samples of the grid */
    int begin, end;            /* rows of them */
    Samples frame[2][4], out[4]; /* components on the grid */
    FrameSamples whole;          /* for the filler */
    int filler, shift, bit[4];
    uint32_t mask;
    float limit, t;
    float scale_x, scale_y;     /* samples of the grid for luma's */
    float move_x[2], move_y[2]; /* of a vector's length to its end in either frame */
    float share[2];
};

/* Catmull-Rom's taps around a place. */
struct Taps {
    int column[4], row[4];
    float weight_x[4], weight_y[4];
};

/* ---- taps -------------------------------------------------------------------------- */

static __device__ __forceinline__ void cubic_weights(float part, float weight[4])
{
    const float rest = 1.0f - part, half = 0.5f * part * rest;

    weight[0] = -half * rest;
    weight[3] = -half * part;
    weight[1] = 1.0f + part * part * (1.5f * part - 2.5f);
    weight[2] = 1.0f - weight[1] - weight[0] - weight[3];
}

/* The taps around @place, which is kept where all of them are the edge beyond it; NaN is
 * a place before the first sample. */
static __device__ __forceinline__ void find_taps(float place, int size, int tap[4],
                                                 float weight[4])
{
    const float inside = clamp_code(place + 2.0f, (float)(size + 3));
    const int whole = (int)inside;

    VFI_UNROLL
    for (int k = 0; k < 4; k++)
        tap[k] = clamp_below(whole - 3 + k, size);
    cubic_weights(inside - (float)whole, weight);
}

/* ---- reading and writing samples --------------------------------------------------- */

/* N components, sample by sample. */
template <int BYTES, int N_COMPONENTS> struct SingleSamples {
    static const int N = N_COMPONENTS;

    static __device__ __forceinline__ void codes_at(const SynthesisParameters *p, int f,
                                                    int x, int y, float code[N])
    {
        VFI_UNROLL
        for (int c = 0; c < N; c++)
            code[c] = load_code<BYTES>(sample_at(&p->frame[f][c], x, y), p->shift);
    }

    static __device__ __forceinline__ void
    interpolate(const SynthesisParameters *p, int f, const Taps *taps, float value[N])
    {
        VFI_UNROLL
        for (int c = 0; c < N; c++) {
            const Samples *samples = &p->frame[f][c];
            value[c] = 0.0f;
            VFI_UNROLL
            for (int j = 0; j < 4; j++) {
                float line = 0.0f;
                VFI_UNROLL
                for (int i = 0; i < 4; i++)
                    line +=
                        taps->weight_x[i] *
                        load_code<BYTES>(
                            sample_at(samples, taps->column[i], taps->row[j]), p->shift);
                value[c] += taps->weight_y[j] * line;
            }
        }
    }

    static __device__ __forceinline__ void store(const SynthesisParameters *p, int x,
                                                 int y, const float value[N])
    {
        VFI_UNROLL
        for (int c = 0; c < N; c++)
            store_code<BYTES>(sample_at(&p->out[c], x, y), value[c], p->shift, p->limit);
        store_filler(&p->whole, p->filler, x, y);
    }
};

/* N components that share a word. */
template <typename Word, int N_COMPONENTS> struct SampleWords {
    static const int N = N_COMPONENTS;

    static __device__ __forceinline__ Word *word_at(const Samples *samples, int x, int y)
    {
        return (Word *)(void *)(samples->first + y * samples->stride) + x;
    }

    static __device__ __forceinline__ float code_of(const SynthesisParameters *p,
                                                    Word word, int c)
    {
        return (float)((uint32_t)word >> p->bit[c] & p->mask);
    }

    static __device__ __forceinline__ void codes_at(const SynthesisParameters *p, int f,
                                                    int x, int y, float code[N])
    {
        const Word word = *word_at(&p->frame[f][0], x, y);

        VFI_UNROLL
        for (int c = 0; c < N; c++)
            code[c] = code_of(p, word, c);
    }

    static __device__ __forceinline__ void
    interpolate(const SynthesisParameters *p, int f, const Taps *taps, float value[N])
    {
        VFI_UNROLL
        for (int c = 0; c < N; c++)
            value[c] = 0.0f;
        VFI_UNROLL
        for (int j = 0; j < 4; j++) {
            float line[N] = {};
            VFI_UNROLL
            for (int i = 0; i < 4; i++) {
                const Word word =
                    *word_at(&p->frame[f][0], taps->column[i], taps->row[j]);
                VFI_UNROLL
                for (int c = 0; c < N; c++)
                    line[c] += taps->weight_x[i] * code_of(p, word, c);
            }
            VFI_UNROLL
            for (int c = 0; c < N; c++)
                value[c] += taps->weight_y[j] * line[c];
        }
    }

    static __device__ __forceinline__ void store(const SynthesisParameters *p, int x,
                                                 int y, const float value[N])
    {
        uint32_t word = filler_word(p->filler);

        VFI_UNROLL
        for (int c = 0; c < N; c++)
            word |= round_code(value[c], p->limit) << p->bit[c];
        *word_at(&p->out[0], x, y) = (Word)word;
    }
};
