/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs of samples between memory and f32 code values. Loops get their sample type and
 * pixel stride as constants, so that the compiler vectorises each instance. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "pixels/format.h"

/* Samples that are worked on at once: scratch lies on the stack, a row may be 16384
 * long. */
#define VFI_PIXELS_BLOCK 256

#define VFI_ALWAYS_INLINE static inline __attribute__((always_inline))

/* First byte of @component's sample at column @x of row @y. */
static inline uint8_t *vfi_sample_at(const VfiFrame *frame, const VfiComponent *component,
                                     int x, int y)
{
    return frame->data[component->plane] + y * frame->stride[component->plane] +
           (ptrdiff_t)x * component->pixel_stride + component->offset;
}

VFI_ALWAYS_INLINE void vfi_load_u8(float *restrict out, const uint8_t *restrict in, int n,
                                   int stride)
{
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = (float)in[i * stride];
}

VFI_ALWAYS_INLINE void vfi_load_u16(float *restrict out, const uint16_t *restrict in,
                                    int n, int stride, int shift)
{
    for (ptrdiff_t i = 0; i < n; i++)
        out[i] = (float)(in[i * stride] >> shift);
}

/* out = the @n codes of @component that begin at @in. */
static inline void vfi_load_codes(float *restrict out, const uint8_t *restrict in, int n,
                                  const VfiFormatDescription *format,
                                  const VfiComponent *component)
{
    const uint16_t *wide = (const uint16_t *)(const void *)in;

    if (format->sample_bytes == 4)
        memcpy(out, in, (size_t)n * sizeof *out);
    else if (format->sample_bytes == 2 && component->pixel_stride == 2)
        vfi_load_u16(out, wide, n, 1, format->shift);
    else if (format->sample_bytes == 2 && component->pixel_stride == 4)
        vfi_load_u16(out, wide, n, 2, format->shift);
    else if (format->sample_bytes == 2)
        vfi_load_u16(out, wide, n, 4, format->shift);
    else if (component->pixel_stride == 1)
        vfi_load_u8(out, in, n, 1);
    else if (component->pixel_stride == 2)
        vfi_load_u8(out, in, n, 2);
    else if (component->pixel_stride == 3)
        vfi_load_u8(out, in, n, 3);
    else
        vfi_load_u8(out, in, n, 4);
}

/* @value in [0, limit], NaN as 0. */
VFI_ALWAYS_INLINE float vfi_clamp(float value, float limit)
{
    float above = value > 0.0f ? value : 0.0f;
    return above < limit ? above : limit;
}

/* The limit is a variable here, too: a constant one makes the compiler branch around
 * it. */
VFI_ALWAYS_INLINE void vfi_store_u8(uint8_t *restrict out, const float *restrict in,
                                    int n, int stride, float limit)
{
    for (ptrdiff_t i = 0; i < n; i++)
        out[i * stride] = (uint8_t)(int32_t)(vfi_clamp(in[i], limit) + 0.5f);
}

VFI_ALWAYS_INLINE void vfi_store_u16(uint16_t *restrict out, const float *restrict in,
                                     int n, int stride, int shift, float limit)
{
    for (ptrdiff_t i = 0; i < n; i++) {
        int32_t code = (int32_t)(vfi_clamp(in[i], limit) + 0.5f);
        out[i * stride] = (uint16_t)((uint32_t)code << shift);
    }
}

/* Rounds the @n codes of @in to nearest, clamps them to the format's depth and writes
 * them from @out on; f32 samples are written as they are. */
static inline void vfi_store_codes(uint8_t *restrict out, const float *restrict in, int n,
                                   const VfiFormatDescription *format,
                                   const VfiComponent *component)
{
    uint16_t *wide = (uint16_t *)(void *)out;
    const float limit = (float)((1u << (format->depth & 31)) - 1);

    if (format->sample_bytes == 4)
        memcpy(out, in, (size_t)n * sizeof *in);
    else if (format->sample_bytes == 2 && component->pixel_stride == 2)
        vfi_store_u16(wide, in, n, 1, format->shift, limit);
    else if (format->sample_bytes == 2 && component->pixel_stride == 4)
        vfi_store_u16(wide, in, n, 2, format->shift, limit);
    else if (format->sample_bytes == 2)
        vfi_store_u16(wide, in, n, 4, format->shift, limit);
    else if (component->pixel_stride == 1)
        vfi_store_u8(out, in, n, 1, limit);
    else if (component->pixel_stride == 2)
        vfi_store_u8(out, in, n, 2, limit);
    else if (component->pixel_stride == 3)
        vfi_store_u8(out, in, n, 3, limit);
    else
        vfi_store_u8(out, in, n, 4, limit);
}

/* Sets the unused byte of @n packed pixels from column @x of row @y on, if the format has
 * one, so that a reader which takes it for alpha sees opaque pixels. */
static inline void vfi_store_filler(const VfiFrame *frame,
                                    const VfiFormatDescription *format, int x, int y,
                                    int n)
{
    const int filler = vfi_format_filler_offset(format);
    uint8_t *pixel = frame->data[0] + y * frame->stride[0];

    if (filler < 0)
        return;
    for (ptrdiff_t i = x; i < x + n; i++)
        pixel[4 * i + filler] = 255;
}
