/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bilinear samples of whole pixels with AVX2 gathers: one 32-bit load fetches all
 * components of a pixel and, where a pixel is two bytes or less, its right neighbour too.
 * Same arithmetic in the same order as the C version, so the bits are the same. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pixels/format.h"
#include "pixels/samples.h"

/* Positions in a plane, whole and fractional parts. */
typedef struct {
    int32_t x[VFI_PIXELS_BLOCK], y[VFI_PIXELS_BLOCK];
    float part_x[VFI_PIXELS_BLOCK], part_y[VFI_PIXELS_BLOCK];
} VfiCoordinates;

/* A plane to read from; stride and pixel_stride in bytes. */
typedef struct {
    const uint8_t *data;
    ptrdiff_t stride;
    int pixel_stride, width, height;
} VfiPlaneView;

#ifdef __AVX2__

#include <immintrin.h>

/* The four pixels around 8 positions, each in the low bytes of a lane. */
typedef struct {
    __m256i v00, v01, v10, v11;
} VfiCorners;

/* The two pixels of one row at byte @column of a row that begins at byte offset @row. A
 * read of 4 bytes may not pass the row's end (@last is the last allowed start): such
 * lanes read earlier and shift. */
VFI_ALWAYS_INLINE void vfi_gather_row(const VfiPlaneView *view, __m256i row,
                                      __m256i column, __m256i next, __m256i last,
                                      int bytes, __m256i *left, __m256i *right)
{
    const int *base = (const int *)(const void *)view->data;
    __m256i start = _mm256_min_epi32(column, last);
    __m256i shift = _mm256_slli_epi32(_mm256_sub_epi32(column, start), 3);

    *left = _mm256_i32gather_epi32(base, _mm256_add_epi32(row, start), 1);
    *left = _mm256_srlv_epi32(*left, shift);
    if (bytes <= 2) {
        /* In the last column the neighbour is zero; its weight is zero there. */
        *right = _mm256_srli_epi32(*left, bytes * 8);
        return;
    }
    start = _mm256_min_epi32(next, last);
    shift = _mm256_slli_epi32(_mm256_sub_epi32(next, start), 3);
    *right = _mm256_i32gather_epi32(base, _mm256_add_epi32(row, start), 1);
    *right = _mm256_srlv_epi32(*right, shift);
}

VFI_ALWAYS_INLINE VfiCorners vfi_gather_corners(const VfiPlaneView *view, __m256i x,
                                                __m256i y, int bytes)
{
    const __m256i one = _mm256_set1_epi32(1);
    const __m256i pixel = _mm256_set1_epi32(bytes);
    const __m256i stride = _mm256_set1_epi32((int)view->stride);
    const __m256i last = _mm256_set1_epi32(view->width * bytes - 4);
    const __m256i last_x = _mm256_set1_epi32(view->width - 1);
    const __m256i last_y = _mm256_set1_epi32(view->height - 1);
    __m256i row0 = _mm256_mullo_epi32(y, stride);
    __m256i row1 =
        _mm256_mullo_epi32(_mm256_min_epi32(_mm256_add_epi32(y, one), last_y), stride);
    __m256i column = _mm256_mullo_epi32(x, pixel);
    __m256i next =
        _mm256_mullo_epi32(_mm256_min_epi32(_mm256_add_epi32(x, one), last_x), pixel);
    VfiCorners corners;

    vfi_gather_row(view, row0, column, next, last, bytes, &corners.v00, &corners.v01);
    vfi_gather_row(view, row1, column, next, last, bytes, &corners.v10, &corners.v11);
    return corners;
}

VFI_ALWAYS_INLINE __m256 vfi_mix_corners(__m256 v00, __m256 v01, __m256 v10, __m256 v11,
                                         __m256 part_x, __m256 part_y)
{
    __m256 upper = _mm256_add_ps(v00, _mm256_mul_ps(_mm256_sub_ps(v01, v00), part_x));
    __m256 lower = _mm256_add_ps(v10, _mm256_mul_ps(_mm256_sub_ps(v11, v10), part_x));
    return _mm256_add_ps(upper, _mm256_mul_ps(_mm256_sub_ps(lower, upper), part_y));
}

VFI_ALWAYS_INLINE __m256 vfi_code_of_pixel(__m256i pixel, __m128i shift, __m256i mask)
{
    return _mm256_cvtepi32_ps(_mm256_and_si256(_mm256_srl_epi32(pixel, shift), mask));
}

/* Pixels of @bytes bytes with @n_parts components of @part_bytes bytes, the lowest @shift
 * bits of each unused. @n is rounded up to 8: the block's arrays are that long. */
VFI_ALWAYS_INLINE void vfi_gather_pixels(const VfiPlaneView *view,
                                         const VfiCoordinates *at, int n, int bytes,
                                         int part_bytes, int shift, int n_parts,
                                         const int *offset, float *const *out)
{
    const __m256i mask = _mm256_set1_epi32((1 << (8 * part_bytes - shift)) - 1);

    for (int i = 0; i < n; i += 8) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(at->x + i));
        __m256i y = _mm256_loadu_si256((const __m256i *)(const void *)(at->y + i));
        __m256 part_x = _mm256_loadu_ps(at->part_x + i);
        __m256 part_y = _mm256_loadu_ps(at->part_y + i);
        VfiCorners corners = vfi_gather_corners(view, x, y, bytes);

        for (int part = 0; part < n_parts; part++) {
            __m128i down = _mm_cvtsi32_si128(8 * offset[part] + shift);
            __m256 value = vfi_mix_corners(vfi_code_of_pixel(corners.v00, down, mask),
                                           vfi_code_of_pixel(corners.v01, down, mask),
                                           vfi_code_of_pixel(corners.v10, down, mask),
                                           vfi_code_of_pixel(corners.v11, down, mask),
                                           part_x, part_y);
            _mm256_storeu_ps(out[part] + i, value);
        }
    }
}

VFI_ALWAYS_INLINE void vfi_gather_f32(const VfiPlaneView *view, const VfiCoordinates *at,
                                      int n, float *out)
{
    for (int i = 0; i < n; i += 8) {
        __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(at->x + i));
        __m256i y = _mm256_loadu_si256((const __m256i *)(const void *)(at->y + i));
        VfiCorners corners = vfi_gather_corners(view, x, y, 4);
        _mm256_storeu_ps(out + i, vfi_mix_corners(_mm256_castsi256_ps(corners.v00),
                                                  _mm256_castsi256_ps(corners.v01),
                                                  _mm256_castsi256_ps(corners.v10),
                                                  _mm256_castsi256_ps(corners.v11),
                                                  _mm256_loadu_ps(at->part_x + i),
                                                  _mm256_loadu_ps(at->part_y + i)));
    }
}

/* Pixels of four samples of two bytes, two samples at a time. */
VFI_ALWAYS_INLINE void vfi_gather_halves(const VfiPlaneView *view,
                                         const VfiCoordinates *at, int n, int shift,
                                         const int offset[4], float *const out[4])
{
    for (int half = 0; half < 8; half += 4) {
        VfiPlaneView samples = *view;
        int inside[2], parts = 0;
        float *part[2];

        samples.data += half;
        for (int c = 0; c < 4; c++)
            if (offset[c] / 4 * 4 == half) {
                inside[parts] = offset[c] - half;
                part[parts++] = out[c];
            }
        vfi_gather_pixels(&samples, at, n, 8, 2, shift, 2, inside, part);
    }
}

/* Whether every byte of the plane can be told by a 32-bit offset and a row holds 4
 * bytes. */
static inline bool vfi_gather_fits(const VfiPlaneView *view)
{
    const int64_t stride = view->stride < 0 ? -view->stride : view->stride;
    const int64_t row = (int64_t)view->width * view->pixel_stride;

    return row >= 4 && stride <= INT32_MAX / 2 &&
           stride * view->height + row <= INT32_MAX;
}

/* Samples all components of @plane, out[component]; false if this plane needs the C
 * version. Coordinates must lie in the plane, also those between @n and the next multiple
 * of 8. */
static inline bool vfi_gather_plane(const VfiFormatDescription *format, int plane,
                                    const VfiPlaneView *view, const VfiCoordinates *at,
                                    int n, float (*out)[VFI_PIXELS_BLOCK])
{
    float *part[4] = {out[0]};
    int offset[4], parts = 0;

    if (!vfi_gather_fits(view))
        return false;
    for (int c = 0; c < format->n_components; c++)
        if (format->component[c].plane == plane) {
            offset[parts] = format->component[c].offset;
            part[parts++] = out[c];
        }
    if (format->sample_bytes == 4)
        vfi_gather_f32(view, at, n, part[0]);
    else if (format->sample_bytes == 2 && parts == 1)
        vfi_gather_pixels(view, at, n, 2, 2, format->shift, 1, offset, part);
    else if (format->sample_bytes == 2 && parts == 2)
        vfi_gather_pixels(view, at, n, 4, 2, format->shift, 2, offset, part);
    else if (format->sample_bytes == 2)
        vfi_gather_halves(view, at, n, format->shift, offset, part);
    else if (view->pixel_stride == 1)
        vfi_gather_pixels(view, at, n, 1, 1, 0, 1, offset, part);
    else if (view->pixel_stride == 2)
        vfi_gather_pixels(view, at, n, 2, 1, 0, 2, offset, part);
    else if (view->pixel_stride == 3)
        vfi_gather_pixels(view, at, n, 3, 1, 0, 3, offset, part);
    else if (parts == 3)
        vfi_gather_pixels(view, at, n, 4, 1, 0, 3, offset, part);
    else
        vfi_gather_pixels(view, at, n, 4, 1, 0, 4, offset, part);
    return true;
}

#else

static inline bool vfi_gather_plane(const VfiFormatDescription *format, int plane,
                                    const VfiPlaneView *view, const VfiCoordinates *at,
                                    int n, float (*out)[VFI_PIXELS_BLOCK])
{
    (void)format, (void)plane, (void)view, (void)at, (void)n, (void)out;
    return false;
}

#endif
