/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A frame's planes as kernels see them: where each component lies, and how single samples
 * become f32 code values and back. The formulas and their order are those of
 * engine/pixels/samples.h; as the compiler may not contract a * b + c (meson.build),
 * kernels give the CPU's bits. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <vfi/frame.h>

#include "runtime/launch.h"

extern "C" {
#include "pixels/colour.h"
#include "pixels/format.h"
}

/* Threads of a block: a warp goes along a row. */
#define BLOCK_X 32
#define BLOCK_Y 8

/* One component of a frame: sample (x, y) is at first + y * stride + x * pixel_stride. */
struct Samples {
    uint8_t *first;
    ptrdiff_t stride;
    int pixel_stride;
};

/* A frame as a kernel's parameter. */
struct FrameSamples {
    Samples component[4];
    /* Pixels that may be read as one word: those of plane 0 if they have four bytes,
     * pairs of chroma in plane 1. Valid if FormatParameters says so. */
    uint8_t *pixels, *pairs;
    ptrdiff_t pixels_stride, pairs_stride;
};

/* What kernels know of a stream's format. */
struct FormatParameters {
    int width, height;
    int chroma_width, chroma_height;
    int n_components;
    int shift_x, shift_y; /* of chroma */
    bool cosited_x, cosited_y;
    int shift;     /* unused low bits of a sample */
    int bit[4];    /* where a component's code begins in the word of a pixel or a pair */
    uint32_t mask; /* of a code there */
    float limit;   /* largest code */
    int filler;    /* the byte of a pixel that means nothing, or -1 */
    bool words;    /* whole 4-byte pixels of plane 0 may be read */
    bool pair;     /* whole pairs of chroma may be read */
};

/* Several samples that move in one access. */
struct alignas(16) Words4 {
    uint32_t word[4];
};
struct alignas(16) Floats4 {
    float value[4];
};
struct alignas(8) Floats2 {
    float value[2];
};

/* The word that a pair of chroma samples is read as. */
template <int BYTES> struct PairWord {
    typedef uint32_t Word;
};
template <> struct PairWord<1> {
    typedef uint16_t Word;
};

/* ---- on the host ------------------------------------------------------------------- */

static inline dim3 grid_over(int columns, int rows, int planes)
{
    return dim3((unsigned)((columns + BLOCK_X - 1) / BLOCK_X),
                (unsigned)((rows + BLOCK_Y - 1) / BLOCK_Y), (unsigned)planes);
}

/* Whether the plane's rows all begin at multiples of @alignment, a power of two. */
static inline bool plane_is_aligned(const VfiFrame *frame, int plane, size_t alignment)
{
    const size_t bits = (size_t)frame->data[plane] | (size_t)frame->stride[plane];

    return (bits & (alignment - 1)) == 0;
}

static inline FormatParameters format_parameters(const VfiVideoInfo *info)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const VfiComponent *chroma = &format->component[format->n_components > 1 ? 1 : 0];
    FormatParameters parameters = {};

    parameters.width = info->width;
    parameters.height = info->height;
    parameters.chroma_width = vfi_subsampled(info->width, chroma->shift_x);
    parameters.chroma_height = vfi_subsampled(info->height, chroma->shift_y);
    parameters.n_components = format->n_components;
    parameters.shift_x = chroma->shift_x;
    parameters.shift_y = chroma->shift_y;
    parameters.cosited_x = ((int)info->chroma_site & VFI_CHROMA_SITE_HORIZONTAL) != 0;
    parameters.cosited_y = ((int)info->chroma_site & VFI_CHROMA_SITE_VERTICAL) != 0;
    parameters.shift = format->shift;
    for (int c = 0; c < format->n_components; c++)
        parameters.bit[c] = 8 * format->component[c].offset + format->shift;
    parameters.mask = (1u << ((8 * format->sample_bytes - format->shift) & 31)) - 1;
    parameters.limit = (float)((1u << (format->depth & 31)) - 1);
    parameters.filler = vfi_format_filler_offset(format);
    parameters.words =
        format->sample_bytes == 1 && format->component[0].pixel_stride == 4;
    parameters.pair = chroma->plane == 1 &&
                      chroma->pixel_stride == 2 * format->sample_bytes &&
                      format->n_components >= 3;
    return parameters;
}

/* Describes @frame to a kernel. Clears the flags of @format that allow reading words if
 * this frame's memory does not. */
static inline FrameSamples frame_samples(const VfiVideoInfo *info, const VfiFrame *frame,
                                         FormatParameters *format)
{
    const VfiFormatDescription *description = vfi_format_describe(info->format);
    FrameSamples samples = {};

    for (int c = 0; c < description->n_components; c++) {
        const VfiComponent *component = &description->component[c];

        samples.component[c].first = frame->data[component->plane] + component->offset;
        samples.component[c].stride = frame->stride[component->plane];
        samples.component[c].pixel_stride = component->pixel_stride;
    }
    samples.pixels = frame->data[0];
    samples.pixels_stride = frame->stride[0];
    samples.pairs = frame->data[1];
    samples.pairs_stride = frame->stride[1];
    format->words = format->words && plane_is_aligned(frame, 0, 4);
    format->pair =
        format->pair && plane_is_aligned(frame, 1, 2 * (size_t)description->sample_bytes);
    return samples;
}

/* ---- on the device ----------------------------------------------------------------- */

static __device__ __forceinline__ int at_most(int value, int limit)
{
    return value < limit ? value : limit;
}

static __device__ __forceinline__ int clamp_index(int value, int last)
{
    return value < 0 ? 0 : at_most(value, last);
}

/* @value in [0, limit], NaN as 0. */
static __device__ __forceinline__ float clamp_code(float value, float limit)
{
    float above = value > 0.0f ? value : 0.0f;
    return above < limit ? above : limit;
}

static __device__ __forceinline__ bool is_aligned(const void *pointer, size_t alignment)
{
    return ((size_t)pointer & (alignment - 1)) == 0;
}

static __device__ __forceinline__ uint8_t *sample_at(const Samples *samples, int x, int y)
{
    return samples->first + y * samples->stride + (ptrdiff_t)x * samples->pixel_stride;
}

template <int BYTES>
static __device__ __forceinline__ float load_code(const uint8_t *sample, int shift)
{
    if (BYTES == 1)
        return (float)*sample;
    if (BYTES == 2)
        return (float)(*(const uint16_t *)(const void *)sample >> shift);
    return *(const float *)(const void *)sample;
}

/* Nearest code, clamped to the format's depth. */
static __device__ __forceinline__ uint32_t round_code(float value, float limit)
{
    return (uint32_t)(int32_t)(clamp_code(value, limit) + 0.5f);
}

/* f32 samples are written as they are. */
template <int BYTES>
static __device__ __forceinline__ void store_code(uint8_t *sample, float value, int shift,
                                                  float limit)
{
    if (BYTES == 1)
        *sample = (uint8_t)round_code(value, limit);
    else if (BYTES == 2)
        *(uint16_t *)(void *)sample = (uint16_t)(round_code(value, limit) << shift);
    else
        *(float *)(void *)sample = value;
}

/* The x byte of a pixel is set to opaque, for readers that take it for alpha. */
static __device__ __forceinline__ void store_filler(const FrameSamples *frame, int filler,
                                                    int x, int y)
{
    if (filler >= 0)
        frame->pixels[y * frame->pixels_stride + 4 * (ptrdiff_t)x + filler] = 255;
}

/* The bits of a 4-byte pixel besides its codes. */
static __device__ __forceinline__ uint32_t filler_word(int filler)
{
    return filler >= 0 ? 255u << (8 * filler) : 0;
}
