/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors for synthesis: 8 floats or ints, twice as many 16-bit words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <immintrin.h>

#define VFI_LANES 8

typedef __m256 Vector;
typedef __m256i VectorInt; /* words, too */
typedef __m256 VectorMask; /* all bits of a lane, or none */

#define v_set1(x) _mm256_set1_ps(x)
#define v_load(p) _mm256_loadu_ps(p)
#define v_prefetch(p) _mm_prefetch((const char *)(const void *)(p), _MM_HINT_T0)
#define v_store(p, x) _mm256_storeu_ps(p, x)
#define v_add(a, b) _mm256_add_ps(a, b)
#define v_sub(a, b) _mm256_sub_ps(a, b)
#define v_mul(a, b) _mm256_mul_ps(a, b)
#define v_div(a, b) _mm256_div_ps(a, b)
/* Where an operand is NaN both give the second one. */
#define v_max(a, b) _mm256_max_ps(a, b)
#define v_min(a, b) _mm256_min_ps(a, b)
/* a * b + c, a * b - c */
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define v_fms(a, b, c) _mm256_fmsub_ps(a, b, c)
#define v_floor(a) _mm256_floor_ps(a)
#define v_abs(a) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)
#define v_from_int(a) _mm256_cvtepi32_ps(a)
#define v_as_int(a) _mm256_castps_si256(a)
#define v_of_bits(a) _mm256_castsi256_ps(a)
#define v_is_at_most(a, limit) _mm256_cmp_ps(a, limit, _CMP_LE_OQ) /* not NaN */
/* Whether no lane of both has any bit. */
#define v_all_zero(a, b)                                                                 \
    (_mm256_testz_si256(v_as_int(_mm256_or_ps(a, b)), v_as_int(_mm256_or_ps(a, b))))
#define m_none() _mm256_setzero_ps()
#define m_and(a, b) _mm256_and_ps(a, b)
#define m_or(a, b) _mm256_or_ps(a, b)
#define m_all(mask) (_mm256_movemask_ps(mask) == 0xff)
#define m_any(mask) (_mm256_movemask_ps(mask) != 0)
/* mask ? a : b */
#define v_pick(mask, a, b) _mm256_blendv_ps(b, a, mask)
#define v_permute(x, index) _mm256_permutevar8x32_ps(x, index)
/* Lane i: element index[i] of the two vectors a, b in a row. */
#define v_permute2(a, b, index)                                                          \
    _mm256_blendv_ps(v_permute(a, index), v_permute(b, index),                           \
                     _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)))
/* Every second element of the two vectors a, b in a row. */
#define v_even(a, b)                                                                     \
    _mm256_castpd_ps(                                                                    \
        _mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88)), 0xd8))
#define v_odd(a, b)                                                                      \
    _mm256_castpd_ps(                                                                    \
        _mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd)), 0xd8))
#define v_gather(p, index) _mm256_i32gather_ps(p, index, 4)

#define vi_set1(x) _mm256_set1_epi32(x)
#define vi_load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define vi_store(p, x) _mm256_storeu_si256((__m256i *)(void *)(p), x)
#define vi_add(a, b) _mm256_add_epi32(a, b)
#define vi_sub(a, b) _mm256_sub_epi32(a, b)
#define vi_mul(a, b) _mm256_mullo_epi32(a, b)
#define vi_min(a, b) _mm256_min_epi32(a, b)
#define vi_max(a, b) _mm256_max_epi32(a, b)
#define vi_and(a, b) _mm256_and_si256(a, b)
#define vi_or(a, b) _mm256_or_si256(a, b)
#define vi_shift_left(a, bits) _mm256_slli_epi32(a, bits)
#define vi_shift_right(a, bits) _mm256_srai_epi32(a, bits)
#define vi_shift_right_zero(a, bits) _mm256_srli_epi32(a, bits)
#define vi_shift_right_each(a, bits) _mm256_srlv_epi32(a, bits)
#define vi_last(a) _mm256_extract_epi32(a, VFI_LANES - 1)
#define vi_first(a) _mm_cvtsi128_si32(_mm256_castsi256_si128(a))
#define vi_round(a) _mm256_cvtps_epi32(a)
#define vi_truncate(a) _mm256_cvttps_epi32(a)
#define vi_ascending() _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)
/* Lanes where a equals b. */
#define vi_equal(a, b) _mm256_castsi256_ps(_mm256_cmpeq_epi32(a, b))
/* All lanes as the first. */
#define vi_repeat_first(a) _mm256_broadcastd_epi32(_mm256_castsi256_si128(a))
/* 0 in lanes that are 0 … limit; whether all lanes are 0. */
#define vi_beyond(a, limit) _mm256_xor_si256(_mm256_max_epu32(a, limit), limit)
#define vi_none(a) _mm256_testz_si256(a, a)
#define vi_all_bits_within(a, bits) _mm256_testz_si256(a, vi_set1(~(bits)))
#define vi_any_negative(a) (_mm256_movemask_ps(_mm256_castsi256_ps(a)) != 0)
#define vi_all_within(a, limit) vi_none(vi_beyond(a, vi_set1(limit)))

#define vw_set1(x) _mm256_set1_epi16(x)
#define vw_add(a, b) _mm256_add_epi16(a, b)
#define vw_sub(a, b) _mm256_sub_epi16(a, b)
#define vw_min(a, b) _mm256_min_epi16(a, b)
#define vw_max(a, b) _mm256_max_epi16(a, b)
#define vw_shift_right_zero(a, bits) _mm256_srli_epi16(a, bits)
/* (a * b + 2^14) >> 15 */
#define vw_multiply_high(a, b) _mm256_mulhrs_epi16(a, b)
/* Ints of two vectors to words, and pairs of words of two such to ints again. */
#define vw_pack(a, b) _mm256_packs_epi32(a, b)
#define vw_pairs_low(a, b) _mm256_unpacklo_epi16(a, b)
#define vw_pairs_high(a, b) _mm256_unpackhi_epi16(a, b)
/* Sums of products of pairs of words. */
#define vw_dot(a, b) _mm256_madd_epi16(a, b)

#define VFI_VECTOR_INLINE static inline __attribute__((always_inline))

/* Keeps compilers from making a constant anew, by way of other registers, each time. */
VFI_VECTOR_INLINE VectorInt vi_hold(VectorInt constant)
{
    __asm__("" : "+x"(constant));
    return constant;
}

/* Consecutive pixels of a row around the taps of all lanes, which lie near each other,
 * and where among them each lane's are: words of index[0] tell taps 0 and 1, of index[1]
 * taps 2 and 3. */
typedef struct {
    ptrdiff_t start[2]; /* pixels from the row's first */
    VectorInt index[2];
} VfiWindow;

/* The window that begins nearest to @start; how far it is from there, at most 64. */
static inline ptrdiff_t vfi_clamp_window(int start, int size, int width, int *distance)
{
    const int last = width - size;
    const int at = start < 0 ? 0 : start < last ? start : last;
    const int away = start - at;

    *distance = away < -64 ? -64 : away < 64 ? away : 64;
    return at;
}

/* Constants of the two functions below. */
typedef struct {
    VectorInt slack, limit, first, second;
} VfiWindowConstants;

#define VFI_BYTES_WINDOW 16
#define VFI_BYTES_SLACK 2

/* Byte k of a pixel's window as a word: an index, and none, which gives zero. */
VFI_VECTOR_INLINE VfiWindowConstants vfi_bytes_constants(void)
{
    return (VfiWindowConstants){.slack = vi_hold(vi_set1(VFI_BYTES_SLACK)),
                                .limit = vi_hold(vi_set1(VFI_BYTES_WINDOW - 4)),
                                .first = vi_hold(vi_set1((int)0x80018000)),
                                .second = vi_hold(vi_set1((int)0x80038002))};
}

/* Indices within a window of @size pixels that was moved by @away, of the edge beyond
 * it. */
static __attribute__((noinline)) void vfi_clamp_taps(VectorInt pairs, VectorInt away,
                                                     int size, VectorInt index[2])
{
    pairs = vw_add(pairs, away);
    for (int i = 0; i < 2; i++) {
        const VectorInt tap = vw_add(pairs, vi_set1(i == 0 ? 0x00010000 : 0x00030002));
        index[i] = vw_max(vw_min(tap, vw_set1((short)(size - 1))), vw_set1(0));
    }
}

/* A window for taps of bytes, the second of which are at columns @x from @from on, in a
 * row of at least VFI_BYTES_WINDOW. Not 0 where lanes lie too far apart for one. */
VFI_VECTOR_INLINE VectorInt vfi_find_bytes(VectorInt x, int from, int width,
                                           const VfiWindowConstants *constants,
                                           VfiWindow *window)
{
    const int start = vi_first(x) + from - 1 - VFI_BYTES_SLACK;
    const VectorInt first = vi_add(vi_sub(x, vi_repeat_first(x)), constants->slack);
    const VectorInt apart = vi_beyond(first, constants->limit);
    const VectorInt pairs = vi_or(first, vi_shift_left(first, 16));

    window->start[0] = start;
    window->index[0] = vw_add(pairs, constants->first);
    window->index[1] = vw_add(pairs, constants->second);
    if (__builtin_expect((unsigned)start > (unsigned)(width - VFI_BYTES_WINDOW), 0)) {
        int away;
        window->start[0] = vfi_clamp_window(start, VFI_BYTES_WINDOW, width, &away);
        vfi_clamp_taps(pairs, vw_set1((short)away), VFI_BYTES_WINDOW, window->index);
        for (int i = 0; i < 2; i++)
            window->index[i] = vi_or(window->index[i], vw_set1((short)0x8000));
    }
    return apart;
}

/* Taps as words, in pairs: 0 and 1, 2 and 3. */
VFI_VECTOR_INLINE void vfi_pick_bytes(const uint8_t *row, const VfiWindow *window,
                                      VectorInt pair[2])
{
    const __m256i pixels = _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)(const void *)(row + window->start[0])));

    pair[0] = _mm256_shuffle_epi8(pixels, window->index[0]);
    pair[1] = _mm256_shuffle_epi8(pixels, window->index[1]);
}

#define VFI_WORDS_WINDOW 8

/* Word k of a window as bytes 2k and 2k + 1. */
VFI_VECTOR_INLINE VfiWindowConstants vfi_words_constants(void)
{
    return (VfiWindowConstants){.slack = vi_hold(vi_set1(0)),
                                .limit = vi_hold(vi_set1(VFI_WORDS_WINDOW - 4)),
                                .first = vi_hold(vi_set1(0x03020100)),
                                .second = vi_hold(vi_set1(0x07060504))};
}

/* The same for pixels of two bytes. Each half has a window of its own. */
VFI_VECTOR_INLINE VectorInt vfi_find_words(VectorInt x, int from, int width,
                                           const VfiWindowConstants *constants,
                                           VfiWindow *window)
{
    const int low = vi_first(x) + from - 1;
    const int high = _mm_cvtsi128_si32(_mm256_extracti128_si256(x, 1)) + from - 1;
    const VectorInt first = vi_sub(x, _mm256_shuffle_epi32(x, 0));
    const VectorInt apart = vi_beyond(first, constants->limit);
    const VectorInt pairs = vi_or(first, vi_shift_left(first, 16));
    const VectorInt bytes = vi_add(pairs, pairs);
    const VectorInt both = vi_or(bytes, vi_shift_left(bytes, 8));
    const unsigned last = (unsigned)(width - VFI_WORDS_WINDOW);

    window->start[0] = low;
    window->start[1] = high;
    window->index[0] = vw_add(both, constants->first);
    window->index[1] = vw_add(both, constants->second);
    if (__builtin_expect((unsigned)low > last || (unsigned)high > last, 0)) {
        int away[2];
        window->start[0] = vfi_clamp_window(low, VFI_WORDS_WINDOW, width, &away[0]);
        window->start[1] = vfi_clamp_window(high, VFI_WORDS_WINDOW, width, &away[1]);
        vfi_clamp_taps(pairs,
                       _mm256_set_m128i(_mm_set1_epi16((short)away[1]),
                                        _mm_set1_epi16((short)away[0])),
                       VFI_WORDS_WINDOW, window->index);
        for (int i = 0; i < 2; i++)
            window->index[i] = vw_add(
                _mm256_mullo_epi16(window->index[i], vw_set1(0x0202)), vw_set1(0x0100));
    }
    return apart;
}

VFI_VECTOR_INLINE void vfi_pick_words(const uint8_t *row, const VfiWindow *window,
                                      VectorInt pair[2])
{
    const __m128i *low = (const __m128i *)(const void *)(row + 2 * window->start[0]);
    const __m128i *high = (const __m128i *)(const void *)(row + 2 * window->start[1]);
    const __m256i pixels = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high), 1);

    pair[0] = _mm256_shuffle_epi8(pixels, window->index[0]);
    pair[1] = _mm256_shuffle_epi8(pixels, window->index[1]);
}

VFI_VECTOR_INLINE int vfi_load_int(const uint8_t *at)
{
    int value;

    memcpy(&value, at, sizeof value);
    return value;
}

/* Four bytes of each lane, @offset behind @at. */
VFI_VECTOR_INLINE VectorInt vfi_load_each(const uint8_t *const at[VFI_LANES],
                                          ptrdiff_t offset)
{
    return _mm256_setr_epi32(vfi_load_int(at[0] + offset), vfi_load_int(at[1] + offset),
                             vfi_load_int(at[2] + offset), vfi_load_int(at[3] + offset),
                             vfi_load_int(at[4] + offset), vfi_load_int(at[5] + offset),
                             vfi_load_int(at[6] + offset), vfi_load_int(at[7] + offset));
}

/* Four bytes a lane to words, in pairs. */
VFI_VECTOR_INLINE void vfi_widen_bytes(VectorInt bytes, VectorInt pair[2])
{
    const VectorInt first = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
    const VectorInt second = vi_or(vw_add(first, vw_set1(2)), vi_set1((int)0xff00ff00));

    pair[0] = _mm256_shuffle_epi8(bytes, first);
    pair[1] = _mm256_shuffle_epi8(bytes, second);
}
