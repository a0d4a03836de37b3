/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/cubic_pixels.h"

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

/* Four rows of taps, and bytes of a pixel. */
typedef struct {
    const uint8_t *row[4];
    uint8_t copy[4][32];
} Taps;

/* Weights of the four taps around a place, @part of a sample behind the second. */
VFI_ALWAYS_INLINE __m128 weigh_taps(float part)
{
    const __m128 x = _mm_set1_ps(part);
    __m128 weight = _mm_setr_ps(-0.5f, 1.5f, -1.5f, 0.5f);

    weight = _mm_fmadd_ps(weight, x, _mm_setr_ps(1.0f, -2.5f, 2.0f, -0.5f));
    weight = _mm_fmadd_ps(weight, x, _mm_setr_ps(-0.5f, 0.0f, 0.5f, 0.0f));
    return _mm_fmadd_ps(weight, x, _mm_setr_ps(0.0f, 1.0f, 0.0f, 0.0f));
}

VFI_ALWAYS_INLINE int clamp_tap(int at, int size)
{
    return at < 0 ? 0 : at < size ? at : size - 1;
}

/* Copies taps some of which lie beyond the plane, where its edge goes on. */
VFI_ALWAYS_INLINE void copy_taps(const VfiCubicPlane *plane, int x, int y, int bytes,
                                 Taps *taps)
{
    for (int j = 0; j < 4; j++) {
        const uint8_t *row =
            plane->data + clamp_tap(y + j, plane->height) * plane->stride;
        for (ptrdiff_t k = 0; k < 4; k++)
            memcpy(taps->copy[j] + k * bytes,
                   row + (ptrdiff_t)clamp_tap(x + (int)k, plane->width) * bytes,
                   (size_t)bytes);
        taps->row[j] = taps->copy[j];
    }
}

/* (x, y) is the first tap. */
VFI_ALWAYS_INLINE void find_taps(const VfiCubicPlane *plane, int x, int y, int bytes,
                                 Taps *taps)
{
    if (x < 0 || y < 0 || x + 4 > plane->width || y + 4 > plane->height) {
        copy_taps(plane, x, y, bytes, taps);
        return;
    }
    taps->row[0] = plane->data + y * plane->stride + (ptrdiff_t)x * bytes;
    for (int j = 1; j < 4; j++)
        taps->row[j] = taps->row[j - 1] + plane->stride;
}

VFI_ALWAYS_INLINE __m128i load_4(const uint8_t *at)
{
    int bytes;

    memcpy(&bytes, at, sizeof bytes);
    return _mm_cvtsi32_si128(bytes);
}

VFI_ALWAYS_INLINE __m128i load_8(const uint8_t *at)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)at);
}

VFI_ALWAYS_INLINE __m128i load_16(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Taps of pixels of one sample. */
VFI_ALWAYS_INLINE __m128 load_one(const uint8_t *at, int bytes)
{
    if (bytes == 1)
        return _mm_cvtepi32_ps(_mm_cvtepu8_epi32(load_4(at)));
    if (bytes == 2)
        return _mm_cvtepi32_ps(_mm_cvtepu16_epi32(load_8(at)));
    return _mm_loadu_ps((const float *)(const void *)at);
}

/* Taps of pixels of two samples, or two taps of pixels of four. */
VFI_ALWAYS_INLINE __m256 load_eight(const uint8_t *at, int bytes)
{
    return _mm256_cvtepi32_ps(bytes == 1 ? _mm256_cvtepu8_epi32(load_8(at))
                                         : _mm256_cvtepu16_epi32(load_16(at)));
}

/* Two taps of pixels of three bytes, of which taps 0 to 3 begin at @at. */
VFI_ALWAYS_INLINE __m256 load_threes(const uint8_t *at, bool second)
{
    /* Nothing behind the fourth pixel may be read. */
    const __m128i pixels = second ? load_8(at + 4) : load_8(at);
    const __m128i shuffle =
        second ? _mm_setr_epi8(2, 3, 4, -1, 5, 6, 7, -1, 0, 0, 0, 0, 0, 0, 0, 0)
               : _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 0, 0, 0, 0, 0, 0, 0, 0);

    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_shuffle_epi8(pixels, shuffle)));
}

VFI_ALWAYS_INLINE __m128 sum_halves(__m256 values)
{
    return _mm_add_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps(values, 1));
}

/* The pixel's samples in the order of memory: pixels of @n samples of @bytes, three of
 * which are one byte each. Of one sample it is four that add up to it. */
VFI_ALWAYS_INLINE __m128 sample_taps(const Taps *taps, int n, int bytes, __m128 x,
                                     __m128 y)
{
    const __m128 row[4] = {_mm_shuffle_ps(y, y, 0x00), _mm_shuffle_ps(y, y, 0x55),
                           _mm_shuffle_ps(y, y, 0xaa), _mm_shuffle_ps(y, y, 0xff)};

    if (n == 1) {
        __m128 sum = _mm_mul_ps(load_one(taps->row[0], bytes), row[0]);
        for (int j = 1; j < 4; j++)
            sum = _mm_fmadd_ps(load_one(taps->row[j], bytes), row[j], sum);
        return _mm_mul_ps(sum, x);
    }
    __m256 sum[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (int j = 0; j < 4; j++) {
        const __m256 weight = _mm256_set_m128(row[j], row[j]);
        for (ptrdiff_t half = 0; half < (n == 2 ? 1 : 2); half++) {
            const __m256 values =
                n == 3 ? load_threes(taps->row[j], half != 0)
                       : load_eight(taps->row[j] + half * 2 * n * bytes, bytes);
            sum[half] = _mm256_fmadd_ps(values, weight, sum[half]);
        }
    }
    if (n == 2) {
        const __m256 weight =
            _mm256_set_m128(_mm_unpackhi_ps(x, x), _mm_unpacklo_ps(x, x));
        const __m128 both = sum_halves(_mm256_mul_ps(sum[0], weight));
        return _mm_add_ps(both, _mm_movehl_ps(both, both));
    }
    const __m256 first =
        _mm256_set_m128(_mm_shuffle_ps(x, x, 0x55), _mm_shuffle_ps(x, x, 0x00));
    const __m256 second =
        _mm256_set_m128(_mm_shuffle_ps(x, x, 0xff), _mm_shuffle_ps(x, x, 0xaa));
    return sum_halves(_mm256_fmadd_ps(sum[1], second, _mm256_mul_ps(sum[0], first)));
}

/* Adds four pixels' samples to the sums of their components. */
VFI_ALWAYS_INLINE void add_four(const VfiCubicPlane *plane, __m128 pixel[4], int n,
                                int bytes, __m128 weight, int at,
                                float (*sum)[VFI_PIXELS_BLOCK])
{
    _MM_TRANSPOSE4_PS(pixel[0], pixel[1], pixel[2], pixel[3]);
    for (int c = 0; c < plane->n_components; c++) {
        float *to = sum[c] + at;
        const __m128 value = n == 1 ? _mm_add_ps(_mm_add_ps(pixel[0], pixel[1]),
                                                 _mm_add_ps(pixel[2], pixel[3]))
                                    : pixel[plane->offset[c] / bytes];
        _mm_storeu_ps(to, _mm_fmadd_ps(weight, value, _mm_loadu_ps(to)));
    }
}

VFI_ALWAYS_INLINE void add_pixels(const VfiCubicPlane *plane, const VfiCubicRun *run,
                                  int begin, int end, int n, int bytes,
                                  float (*sum)[VFI_PIXELS_BLOCK])
{
    const float unit = bytes == 2 ? 1.0f / (float)(1 << plane->shift) : 1.0f;
    const __m128 share = _mm_set1_ps(run->share * unit);
    int column[4], line[4];
    float part_x[4], part_y[4];

    for (int i = begin; i < end; i += 4) {
        const __m128 x =
            _mm_mul_ps(_mm_loadu_ps(run->vector_x + i), _mm_set1_ps(run->scale_x));
        const __m128 y =
            _mm_mul_ps(_mm_loadu_ps(run->vector_y + i), _mm_set1_ps(run->scale_y));
        const __m128 left = _mm_floor_ps(x), top = _mm_floor_ps(y);
        __m128 pixel[4];
        _mm_storeu_si128((__m128i *)(void *)column, _mm_cvtps_epi32(left));
        _mm_storeu_si128((__m128i *)(void *)line, _mm_cvtps_epi32(top));
        _mm_storeu_ps(part_x, _mm_sub_ps(x, left));
        _mm_storeu_ps(part_y, _mm_sub_ps(y, top));
        for (int k = 0; k < 4; k++) {
            Taps taps;
            find_taps(plane, run->x + i + k + column[k] - 1, run->y + line[k] - 1,
                      n * bytes, &taps);
            pixel[k] = sample_taps(&taps, n, bytes, weigh_taps(part_x[k]),
                                   weigh_taps(part_y[k]));
        }
        add_four(plane, pixel, n, bytes, _mm_mul_ps(_mm_loadu_ps(run->weight + i), share),
                 i, sum);
    }
}

bool vfi_cubic_add_pixels(const VfiCubicPlane *plane, const VfiCubicRun *run, int begin,
                          int n, float (*sum)[VFI_PIXELS_BLOCK])
{
    const int samples = plane->pixel_stride / plane->sample_bytes;

    if (plane->sample_bytes == 4)
        add_pixels(plane, run, begin, begin + n, 1, 4, sum);
    else if (plane->sample_bytes == 2 && samples == 1)
        add_pixels(plane, run, begin, begin + n, 1, 2, sum);
    else if (plane->sample_bytes == 2 && samples == 2)
        add_pixels(plane, run, begin, begin + n, 2, 2, sum);
    else if (plane->sample_bytes == 2)
        add_pixels(plane, run, begin, begin + n, 4, 2, sum);
    else if (samples == 1)
        add_pixels(plane, run, begin, begin + n, 1, 1, sum);
    else if (samples == 2)
        add_pixels(plane, run, begin, begin + n, 2, 1, sum);
    else if (samples == 3)
        add_pixels(plane, run, begin, begin + n, 3, 1, sum);
    else
        add_pixels(plane, run, begin, begin + n, 4, 1, sum);
    return true;
}

#else

bool vfi_cubic_add_pixels(const VfiCubicPlane *plane, const VfiCubicRun *run, int begin,
                          int n, float (*sum)[VFI_PIXELS_BLOCK])
{
    (void)plane, (void)run, (void)begin, (void)n, (void)sum;
    return false;
}

#endif
