/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Vectors for synthesis: 16 floats or ints, twice as many 16-bit words. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <immintrin.h>

#define VFI_LANES 16

typedef __m512 Vector;
typedef __m512i VectorInt; /* words, too */
typedef __mmask16 VectorMask;

#define v_set1(x) _mm512_set1_ps(x)
#define v_load(p) _mm512_loadu_ps(p)
#define v_prefetch(p) _mm_prefetch((const char *)(const void *)(p), _MM_HINT_T0)
#define v_store(p, x) _mm512_storeu_ps(p, x)
#define v_add(a, b) _mm512_add_ps(a, b)
#define v_sub(a, b) _mm512_sub_ps(a, b)
#define v_mul(a, b) _mm512_mul_ps(a, b)
#define v_div(a, b) _mm512_div_ps(a, b)
/* Where an operand is NaN both give the second one. */
#define v_max(a, b) _mm512_max_ps(a, b)
#define v_min(a, b) _mm512_min_ps(a, b)
/* a * b + c, a * b - c */
#define v_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define v_fms(a, b, c) _mm512_fmsub_ps(a, b, c)
#define v_floor(a) _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)
#define v_abs(a) _mm512_abs_ps(a)
#define v_from_int(a) _mm512_cvtepi32_ps(a)
#define v_is_at_most(a, limit) _mm512_cmp_ps_mask(a, limit, _CMP_LE_OQ) /* not NaN */
/* Whether no lane of both has any bit. */
#define v_all_zero(a, b) vi_none(_mm512_castps_si512(_mm512_or_ps(a, b)))
#define m_none() ((VectorMask)0)
#define m_and(a, b) ((VectorMask)((a) & (b)))
#define m_or(a, b) ((VectorMask)((a) | (b)))
#define m_all(mask) ((mask) == 0xffff)
#define m_any(mask) ((mask) != 0)
/* mask ? a : b */
#define v_pick(mask, a, b) _mm512_mask_blend_ps(mask, b, a)
#define v_permute(x, index) _mm512_permutexvar_ps(index, x)
/* Every second element of the two vectors a, b in a row. */
#define v_even(a, b) _mm512_permutex2var_ps(a, vi_add(vi_ascending(), vi_ascending()), b)
#define v_odd(a, b)                                                                      \
    _mm512_permutex2var_ps(                                                              \
        a, vi_add(vi_add(vi_ascending(), vi_ascending()), vi_set1(1)), b)
#define v_gather(p, index) _mm512_i32gather_ps(index, p, 4)

#define vi_set1(x) _mm512_set1_epi32(x)
#define vi_load(p) _mm512_loadu_si512(p)
#define vi_store(p, x) _mm512_storeu_si512(p, x)
#define vi_add(a, b) _mm512_add_epi32(a, b)
#define vi_sub(a, b) _mm512_sub_epi32(a, b)
#define vi_mul(a, b) _mm512_mullo_epi32(a, b)
#define vi_and(a, b) _mm512_and_si512(a, b)
#define vi_or(a, b) _mm512_or_si512(a, b)
#define vi_shift_left(a, bits) _mm512_slli_epi32(a, bits)
#define vi_shift_right(a, bits) _mm512_srai_epi32(a, bits)
#define vi_shift_right_zero(a, bits) _mm512_srli_epi32(a, bits)
#define vi_last(a) _mm_extract_epi32(_mm512_extracti32x4_epi32(a, 3), 3)
#define vi_first(a) _mm_cvtsi128_si32(_mm512_castsi512_si128(a))
#define vi_round(a) _mm512_cvtps_epi32(a)
#define vi_truncate(a) _mm512_cvttps_epi32(a)
#define vi_ascending()                                                                   \
    _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
/* Lanes where a equals b. */
#define vi_equal(a, b) _mm512_cmpeq_epi32_mask(a, b)
/* All lanes as the first. */
#define vi_repeat_first(a) _mm512_broadcastd_epi32(_mm512_castsi512_si128(a))
/* 0 in lanes that are 0 … limit; whether all lanes are 0. */
#define vi_beyond(a, limit) _mm512_xor_si512(_mm512_max_epu32(a, limit), limit)
#define vi_none(a) (_mm512_test_epi32_mask(a, a) == 0)
#define vi_all_bits_within(a, bits) (_mm512_test_epi32_mask(a, vi_set1(~(bits))) == 0)
#define vi_any_negative(a) (_mm512_movepi32_mask(a) != 0)
#define vi_all_within(a, limit) vi_none(vi_beyond(a, vi_set1(limit)))

#define vw_set1(x) _mm512_set1_epi16(x)
#define vw_add(a, b) _mm512_add_epi16(a, b)
#define vw_sub(a, b) _mm512_sub_epi16(a, b)
#define vw_min(a, b) _mm512_min_epi16(a, b)
#define vw_max(a, b) _mm512_max_epi16(a, b)
#define vw_shift_right_zero(a, bits) _mm512_srli_epi16(a, bits)
/* (a * b + 2^14) >> 15 */
#define vw_multiply_high(a, b) _mm512_mulhrs_epi16(a, b)
/* Ints of two vectors to words, and pairs of words of two such to ints again. */
#define vw_pack(a, b) _mm512_packs_epi32(a, b)
#define vw_pairs_low(a, b) _mm512_unpacklo_epi16(a, b)
#define vw_pairs_high(a, b) _mm512_unpackhi_epi16(a, b)
/* Sums of products of pairs of words. */
#define vw_dot(a, b) _mm512_madd_epi16(a, b)

#define VFI_VECTOR_INLINE static inline __attribute__((always_inline))

/* Keeps compilers from making a constant anew, by way of other registers, each time. */
VFI_VECTOR_INLINE VectorInt vi_hold(VectorInt constant)
{
    __asm__("" : "+v"(constant));
    return constant;
}

/* Consecutive pixels of a row around the taps of all lanes, which lie near each other,
 * and where among them each lane's are: words of index[0] tell taps 0 and 1, of index[1]
 * taps 2 and 3. */
typedef struct {
    ptrdiff_t start[1]; /* pixels from the row's first */
    VectorInt index[2];
} VfiWindow;

/* Constants of vfi_find_bytes() and vfi_find_words(). */
typedef struct {
    VectorInt slack, limit, first, second;
} VfiWindowConstants;

/* Of pixels of one and of two bytes, and how far before the first lane's first tap. */
#define VFI_BYTES_WINDOW 32
#define VFI_WORDS_WINDOW 32
#define VFI_WINDOW_SLACK 6

VFI_VECTOR_INLINE VfiWindowConstants vfi_bytes_constants(void)
{
    return (VfiWindowConstants){.slack = vi_hold(vi_set1(VFI_WINDOW_SLACK)),
                                .limit = vi_hold(vi_set1(VFI_WORDS_WINDOW - 4)),
                                .first = vi_hold(vi_set1(0x00010000)),
                                .second = vi_hold(vi_set1(0x00030002))};
}

VFI_VECTOR_INLINE VfiWindowConstants vfi_words_constants(void)
{
    return vfi_bytes_constants();
}

/* Moves the window that begins at @start to where the plane's row has it, and indices
 * with it: those beyond are of the row's edge. */
static __attribute__((noinline)) void vfi_clamp_window(VectorInt pairs, int width,
                                                       VfiWindow *window)
{
    const int start = (int)window->start[0], last = width - VFI_WORDS_WINDOW;
    const int at = start < 0 ? 0 : start < last ? start : last;
    const int away = start - at < -64 ? -64 : start - at < 64 ? start - at : 64;
    const VectorInt moved = vw_add(pairs, vw_set1((short)away));

    window->start[0] = at;
    for (int i = 0; i < 2; i++) {
        const VectorInt tap = vw_add(moved, vi_set1(i == 0 ? 0x00010000 : 0x00030002));
        window->index[i] = vw_max(vw_min(tap, vw_set1(VFI_WORDS_WINDOW - 1)), vw_set1(0));
    }
}

/* A window for taps of words, the second of which are at columns @x from @from on, in a
 * row of at least VFI_WORDS_WINDOW. Not 0 where lanes lie too far apart for one. */
VFI_VECTOR_INLINE VectorInt vfi_find_words(VectorInt x, int from, int width,
                                           const VfiWindowConstants *constants,
                                           VfiWindow *window)
{
    const int start = vi_first(x) + from - 1 - VFI_WINDOW_SLACK;
    const VectorInt first = vi_add(vi_sub(x, vi_repeat_first(x)), constants->slack);
    const VectorInt pairs = vi_or(first, vi_shift_left(first, 16));

    window->start[0] = start;
    window->index[0] = vw_add(pairs, constants->first);
    window->index[1] = vw_add(pairs, constants->second);
    if (__builtin_expect((unsigned)start > (unsigned)(width - VFI_WORDS_WINDOW), 0))
        vfi_clamp_window(pairs, width, window);
    return vi_beyond(first, constants->limit);
}

VFI_VECTOR_INLINE VectorInt vfi_find_bytes(VectorInt x, int from, int width,
                                           const VfiWindowConstants *constants,
                                           VfiWindow *window)
{
    return vfi_find_words(x, from, width, constants, window);
}

/* Taps as words, in pairs: 0 and 1, 2 and 3. */
VFI_VECTOR_INLINE void vfi_pick_bytes(const uint8_t *row, const VfiWindow *window,
                                      VectorInt pair[2])
{
    const __m512i pixels = _mm512_cvtepu8_epi16(
        _mm256_loadu_si256((const __m256i *)(const void *)(row + window->start[0])));

    pair[0] = _mm512_permutexvar_epi16(window->index[0], pixels);
    pair[1] = _mm512_permutexvar_epi16(window->index[1], pixels);
}

VFI_VECTOR_INLINE void vfi_pick_words(const uint8_t *row, const VfiWindow *window,
                                      VectorInt pair[2])
{
    const __m512i pixels = _mm512_loadu_si512(row + 2 * window->start[0]);

    pair[0] = _mm512_permutexvar_epi16(window->index[0], pixels);
    pair[1] = _mm512_permutexvar_epi16(window->index[1], pixels);
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
    __m256i half[2];

    for (ptrdiff_t i = 0; i < 2; i++) {
        const uint8_t *const *lane = at + 8 * i;
        half[i] = _mm256_setr_epi32(
            vfi_load_int(lane[0] + offset), vfi_load_int(lane[1] + offset),
            vfi_load_int(lane[2] + offset), vfi_load_int(lane[3] + offset),
            vfi_load_int(lane[4] + offset), vfi_load_int(lane[5] + offset),
            vfi_load_int(lane[6] + offset), vfi_load_int(lane[7] + offset));
    }
    return _mm512_inserti64x4(_mm512_castsi256_si512(half[0]), half[1], 1);
}

/* Four bytes a lane to words, in pairs. */
VFI_VECTOR_INLINE void vfi_widen_bytes(VectorInt bytes, VectorInt pair[2])
{
    const VectorInt first = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
    const VectorInt second = vi_or(vw_add(first, vw_set1(2)), vi_set1((int)0xff00ff00));

    pair[0] = _mm512_shuffle_epi8(bytes, first);
    pair[1] = _mm512_shuffle_epi8(bytes, second);
}
