/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/cubic_vectors.h"

#include "pixels/cubic_pixels.h"
#include "pixels/vectors.h"

#if VFI_LANES > 1

/* What a pixel is. */
typedef enum { PIXEL_BYTE, PIXEL_BYTE_PAIR, PIXEL_WORD } PixelKind;

/* Bits of the fraction of columns and weights of bytes. */
#define PART_BITS 14

/* Horizontal weights of a vector's taps: words in pairs as taps are, or floats. */
typedef struct {
    VectorInt pair[2];
    Vector tap[4];
} Columns;

/* Rows of taps: the second is @y relative to the run's, and their weights. */
typedef struct {
    VectorInt y;
    Vector tap[4];
} Rows;

/* What a run's vectors have in common. */
typedef struct {
    const VfiCubicPlane *plane;
    PixelKind kind;
    int x, y;
    Vector scale_x, scale_y; /* of bytes' columns in 1 / 2^PART_BITS */
    float scale_row;         /* of rows' weights */
    VectorInt lanes, fraction, one;
    VfiWindowConstants window;
} Kernel;

/* Weights of four taps, times scale. */
VFI_ALWAYS_INLINE void weigh_taps(Vector part, float scale, Vector tap[4])
{
    const Vector rest = v_sub(v_set1(1.0f), part);
    const Vector half = v_mul(v_mul(part, rest), v_set1(-0.5f * scale));
    const Vector all = v_add(half, half), three = v_set1(3.0f);

    tap[0] = v_mul(half, rest);
    tap[3] = v_mul(half, part);
    tap[1] = v_fma(three, tap[3], v_fms(rest, v_set1(scale), all));
    tap[2] = v_fma(three, tap[0], v_fms(part, v_set1(scale), all));
}

/* The same in words of 1 / 2^PART_BITS, for two vectors at once; they add up to 1. */
VFI_ALWAYS_INLINE void weigh_taps_in_words(VectorInt part, VectorInt one,
                                           Columns columns[2])
{
    const VectorInt rest = vw_sub(one, part), zero = vw_set1(0);
    const VectorInt both = vw_multiply_high(vw_add(part, part), rest);
    const VectorInt first = vw_sub(zero, vw_multiply_high(both, rest));
    const VectorInt last = vw_sub(zero, vw_multiply_high(both, part));
    const VectorInt second = vw_add(vw_add(rest, both), vw_add(last, vw_add(last, last)));
    const VectorInt third = vw_sub(vw_sub(one, second), vw_add(first, last));

    columns[0].pair[0] = vw_pairs_low(first, second);
    columns[1].pair[0] = vw_pairs_high(first, second);
    columns[0].pair[1] = vw_pairs_low(third, last);
    columns[1].pair[1] = vw_pairs_high(third, last);
}

VFI_ALWAYS_INLINE Rows find_rows(const Kernel *kernel, const float *vector)
{
    const Vector distance = v_mul(v_load(vector), kernel->scale_y);
    const Vector whole = v_floor(distance);
    Rows rows = {.y = vi_round(whole)};

    weigh_taps(v_sub(distance, whole), kernel->scale_row, rows.tap);
    return rows;
}

/* Columns of two vectors' second taps, from their first sample's on, and their
 * weights. */
VFI_ALWAYS_INLINE void find_columns(const Kernel *kernel, const float *vector,
                                    VectorInt x[2], Columns columns[2])
{
    VectorInt fraction[2];

    for (ptrdiff_t k = 0; k < 2; k++) {
        const Vector distance = v_mul(v_load(vector + k * VFI_LANES), kernel->scale_x);
        if (kernel->kind == PIXEL_WORD) {
            const Vector whole = v_floor(distance);
            x[k] = vi_add(kernel->lanes, vi_round(whole));
            weigh_taps(v_sub(distance, whole), 1.0f, columns[k].tap);
            continue;
        }
        const VectorInt fixed = vi_round(distance);
        x[k] = vi_add(kernel->lanes, vi_shift_right(fixed, PART_BITS));
        fraction[k] = vi_and(fixed, kernel->fraction);
    }
    if (kernel->kind != PIXEL_WORD)
        weigh_taps_in_words(vw_pack(fraction[0], fraction[1]), kernel->one, columns);
}

/* Taps of one row to a sample of each component. */
VFI_ALWAYS_INLINE void weigh_row(PixelKind kind, const VectorInt pair[2],
                                 const Columns *columns, Vector sample[2])
{
    const VectorInt bytes = vw_set1(0xff), words = vi_set1(0xffff);

    if (kind == PIXEL_BYTE) {
        sample[0] = v_from_int(
            vi_add(vw_dot(pair[0], columns->pair[0]), vw_dot(pair[1], columns->pair[1])));
    } else if (kind == PIXEL_BYTE_PAIR) {
        sample[0] = v_from_int(vi_add(vw_dot(vi_and(pair[0], bytes), columns->pair[0]),
                                      vw_dot(vi_and(pair[1], bytes), columns->pair[1])));
        sample[1] =
            v_from_int(vi_add(vw_dot(vw_shift_right_zero(pair[0], 8), columns->pair[0]),
                              vw_dot(vw_shift_right_zero(pair[1], 8), columns->pair[1])));
    } else {
        Vector sum = v_mul(v_from_int(vi_and(pair[0], words)), columns->tap[0]);
        sum = v_fma(v_from_int(vi_shift_right_zero(pair[0], 16)), columns->tap[1], sum);
        sum = v_fma(v_from_int(vi_and(pair[1], words)), columns->tap[2], sum);
        sample[0] =
            v_fma(v_from_int(vi_shift_right_zero(pair[1], 16)), columns->tap[3], sum);
    }
}

/* Adds a row's samples, with their weights, to the first rows'. */
VFI_ALWAYS_INLINE void add_row(PixelKind kind, const VectorInt pair[2],
                               const Columns *columns, Vector weight, bool first,
                               Vector result[2])
{
    Vector sample[2];

    weigh_row(kind, pair, columns, sample);
    for (int c = 0; c < (kind == PIXEL_BYTE_PAIR ? 2 : 1); c++)
        result[c] =
            first ? v_mul(weight, sample[c]) : v_fma(weight, sample[c], result[c]);
}

VFI_ALWAYS_INLINE const uint8_t *clamped_row(const VfiCubicPlane *plane, int y)
{
    const int inside = y < 0 ? 0 : y < plane->height ? y : plane->height - 1;

    return plane->data + inside * plane->stride;
}

VFI_ALWAYS_INLINE void pick(PixelKind kind, const uint8_t *row, const VfiWindow *window,
                            VectorInt pair[2])
{
    if (kind == PIXEL_BYTE)
        vfi_pick_bytes(row, window, pair);
    else
        vfi_pick_words(row, window, pair);
}

/* Samples of lanes with one window, from @n rows with these weights, @y the first. */
VFI_ALWAYS_INLINE void sample_window(const Kernel *kernel, const VfiWindow *window, int y,
                                     int n, const Columns *columns, const Vector *weight,
                                     Vector result[2])
{
    const VfiCubicPlane *plane = kernel->plane;
    const uint8_t *row = plane->data + y * plane->stride;
    VectorInt pair[2];

    if (__builtin_expect(y < 0 || y + n > plane->height, 0)) {
        for (int j = 0; j < n; j++) {
            pick(kernel->kind, clamped_row(plane, y + j), window, pair);
            add_row(kernel->kind, pair, columns, weight[j], j == 0, result);
        }
        return;
    }
#pragma GCC unroll 7
    for (int j = 0; j < n; j++, row += plane->stride) {
        pick(kernel->kind, row, window, pair);
        add_row(kernel->kind, pair, columns, weight[j], j == 0, result);
    }
    v_prefetch(row + 3 * plane->stride +
               window->start[0] * (kernel->kind == PIXEL_BYTE ? 1 : 2));
}

/* The same where lanes' first rows are @y, or as many as @lag later, @most at most. */
VFI_ALWAYS_INLINE void sample_rows(const Kernel *kernel, const VfiWindow *window, int y,
                                   VectorInt lag, int most, const Columns *columns,
                                   const Rows *rows, Vector result[2])
{
    Vector weight[7];

#pragma GCC unroll 7
    for (int j = 0; j < 4 + most; j++)
        weight[j] = j < 4 ? rows->tap[j] : v_set1(0.0f);
#pragma GCC unroll 3
    for (int k = 1; k <= most; k++) {
        const VectorMask later = vi_equal(lag, vi_set1(k));
#pragma GCC unroll 7
        for (int j = 0; j < 4 + most; j++)
            weight[j] = v_pick(
                later, j >= k && j < k + 4 ? rows->tap[j - k] : v_set1(0.0f), weight[j]);
    }
    sample_window(kernel, window, y, 4 + most, columns, weight, result);
}

/* Samples of lanes that lie anywhere within the plane: (x, y) are their first taps. */
VFI_ALWAYS_INLINE void sample_apart(const Kernel *kernel, VectorInt x, VectorInt y,
                                    const Columns *columns, const Rows *rows,
                                    Vector result[2])
{
    const VfiCubicPlane *plane = kernel->plane;
    const uint8_t *at[VFI_LANES];
    int32_t column[VFI_LANES], line[VFI_LANES];

    vi_store(column, x);
    vi_store(line, y);
    for (int i = 0; i < VFI_LANES; i++)
        at[i] = plane->data + line[i] * plane->stride +
                (ptrdiff_t)column[i] * (kernel->kind == PIXEL_BYTE ? 1 : 2);
    for (int j = 0; j < 4; j++) {
        VectorInt pair[2] = {vfi_load_each(at, j * plane->stride)};
        if (kernel->kind == PIXEL_BYTE)
            vfi_widen_bytes(pair[0], pair);
        else
            pair[1] = vfi_load_each(at, j * plane->stride + 4);
        add_row(kernel->kind, pair, columns, rows->tap[j], j == 0, result);
    }
}

static inline int lesser(int a, int b)
{
    return a < b ? a : b;
}

/* @x columns from @from on. False where taps lie apart and beyond the plane. */
VFI_ALWAYS_INLINE bool sample_lanes(const Kernel *kernel, VectorInt x, int from,
                                    const Columns *columns, const Rows *rows,
                                    Vector result[2])
{
    const VfiCubicPlane *plane = kernel->plane;
    const int above = kernel->y + vi_first(rows->y) - 1;
    const VectorInt below = vi_sub(rows->y, vi_repeat_first(rows->y));
    VfiWindow window;
    const VectorInt apart =
        kernel->kind == PIXEL_BYTE
            ? vfi_find_bytes(x, from, plane->width, &kernel->window, &window)
            : vfi_find_words(x, from, plane->width, &kernel->window, &window);

    if (__builtin_expect(vi_none(vi_or(apart, below)), 1)) {
        sample_window(kernel, &window, above, 4, columns, rows->tap, result);
        return true;
    }
    /* Vectors that change steadily are least at one end. */
    const int first = lesser(vi_first(rows->y), vi_last(rows->y));
    const VectorInt lag = vi_sub(rows->y, vi_set1(first));
    if (vi_none(vi_or(apart, vi_beyond(lag, vi_set1(1))))) {
        sample_rows(kernel, &window, kernel->y + first - 1, lag, 1, columns, rows,
                    result);
        return true;
    }
    if (vi_none(vi_or(apart, vi_beyond(lag, vi_set1(3))))) {
        sample_rows(kernel, &window, kernel->y + first - 1, lag, 3, columns, rows,
                    result);
        return true;
    }
    const VectorInt left = vi_add(x, vi_set1(from - 1));
    const VectorInt top = vi_add(rows->y, vi_set1(kernel->y - 1));
    if (plane->height < 4 || !vi_all_within(left, plane->width - 4) ||
        !vi_all_within(top, plane->height - 4))
        return false;
    sample_apart(kernel, left, top, columns, rows, result);
    return true;
}

VFI_ALWAYS_INLINE Kernel kernel_of(const VfiCubicPlane *plane, const VfiCubicRun *run,
                                   PixelKind kind)
{
    const float one = (float)(1 << PART_BITS);

    return (Kernel){
        .plane = plane,
        .kind = kind,
        .x = run->x,
        .y = run->y,
        .scale_x = v_set1(kind == PIXEL_WORD ? run->scale_x : run->scale_x * one),
        .scale_y = v_set1(run->scale_y),
        .scale_row = kind == PIXEL_WORD ? 1.0f / (float)(1 << plane->shift) : 1.0f / one,
        .lanes = vi_hold(vi_ascending()),
        .fraction = vi_hold(vi_set1((1 << PART_BITS) - 1)),
        .one = vi_hold(vw_set1(1 << PART_BITS)),
        .window = kind == PIXEL_BYTE ? vfi_bytes_constants() : vfi_words_constants()};
}

VFI_ALWAYS_INLINE void add_vectors(const VfiCubicPlane *plane, const VfiCubicRun *run,
                                   PixelKind kind, float (*sum)[VFI_PIXELS_BLOCK])
{
    const VfiCubicPlane own_plane = *plane;
    const Kernel kernel = kernel_of(&own_plane, run, kind);
    const Vector share = v_set1(run->share);
    const float *vector_x = run->vector_x, *vector_y = run->vector_y;
    const float *weights = run->weight;
    const int n = run->n, swapped = kind == PIXEL_BYTE_PAIR && plane->offset[0] != 0;

    for (int i = 0; i < n; i += 2 * VFI_LANES) {
        VectorInt x[2];
        Columns columns[2];
        if (v_all_zero(v_load(weights + i), v_load(weights + i + VFI_LANES)))
            continue;
        find_columns(&kernel, vector_x + i, x, columns);
#pragma GCC unroll 2
        for (int k = 0; k < 2; k++) {
            const int at = i + k * VFI_LANES;
            const Rows rows = find_rows(&kernel, vector_y + at);
            Vector result[2];
            if (!sample_lanes(&kernel, x[k], kernel.x + at, &columns[k], &rows, result)) {
                vfi_cubic_add_pixels(plane, run, at, VFI_LANES, sum);
                continue;
            }
            const Vector weight = v_mul(v_load(weights + at), share);
            for (int c = 0; c < (kind == PIXEL_BYTE_PAIR ? 2 : 1); c++) {
                float *to = sum[c ^ swapped] + at;
                v_store(to, v_fma(weight, result[c], v_load(to)));
            }
        }
    }
}

bool vfi_cubic_add_vectors(const VfiCubicPlane *plane, const VfiCubicRun *run,
                           float (*sum)[VFI_PIXELS_BLOCK])
{
    if (plane->sample_bytes == 1 && plane->pixel_stride == 1 &&
        plane->width >= VFI_BYTES_WINDOW)
        add_vectors(plane, run, PIXEL_BYTE, sum);
    else if (plane->sample_bytes == 1 && plane->pixel_stride == 2 &&
             plane->width >= VFI_WORDS_WINDOW)
        add_vectors(plane, run, PIXEL_BYTE_PAIR, sum);
    else if (plane->sample_bytes == 2 && plane->pixel_stride == 2 &&
             plane->width >= VFI_WORDS_WINDOW)
        add_vectors(plane, run, PIXEL_WORD, sum);
    else
        return false;
    return true;
}

#else

bool vfi_cubic_add_vectors(const VfiCubicPlane *plane, const VfiCubicRun *run,
                           float (*sum)[VFI_PIXELS_BLOCK])
{
    (void)plane, (void)run, (void)sum;
    return false;
}

#endif
