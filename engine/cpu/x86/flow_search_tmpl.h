/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search of `flow` for patches, and the dense flow, for any vector width of eight
 * floats and more: a vector holds PATCH_ROWS rows of a patch. What it computes is said by
 * flow_kernels_c.c. */
#include <math.h>

#define PATCH_ROWS (VECTOR_FLOATS / VFI_FLOW_PATCH)
#define PATCH_VECTORS (VFI_FLOW_PATCH / PATCH_ROWS)
#define PATCH_MEAN (VFI_FLOW_MEAN_REMOVED / (VFI_FLOW_PATCH * VFI_FLOW_PATCH))

/* A channel of a patch of the template with its gradients, and their sums. */
typedef struct {
    Vector from[PATCH_VECTORS], gradient_x[PATCH_VECTORS], gradient_y[PATCH_VECTORS];
    float sum_x, sum_y;
} ISA(FlowChannel);

/* A patch with the sums over all channels that descending needs. */
typedef struct {
    ISA(FlowChannel) channel[VFI_FLOW_CHANNELS];
    float x, y;
    float a11, a12, a22;
} ISA(FlowPatch);

/* What a patch's differences d cost, and, but for their means, d times the gradients. */
typedef struct {
    float cost, x, y;
} ISA(FlowMatch);

/* A place between samples: of the upper left one in floats from column 0 of row 0, and
 * weights of the others. */
typedef struct {
    ptrdiff_t at;
    float x, y;
} ISA(FlowPlace);

static inline float ISA(clamp_place)(float x, float limit)
{
    x = x > -VFI_FLOW_REACH ? x : -VFI_FLOW_REACH;
    return x < limit ? x : limit;
}

static inline ISA(FlowPlace) ISA(flow_place)(const VfiFlowPictures *p, float x, float y)
{
    x = ISA(clamp_place)(x, (float)p->w + VFI_FLOW_BEYOND);
    y = ISA(clamp_place)(y, (float)p->h + VFI_FLOW_BEYOND);
    float column = floorf(x), line = floorf(y);

    return (ISA(FlowPlace)){(ptrdiff_t)line * (ptrdiff_t)p->row + (ptrdiff_t)column,
                            x - column, y - line};
}

/* Rows of eight samples between columns. */
static inline Vector ISA(flow_columns)(const float *at, size_t row, Vector weight)
{
    Vector left = v_load_rows(at, row);

    return v_fma(v_sub(v_load_rows(at + 1, row), left), weight, left);
}

/* Adds what the samples of one channel from @to on make of @match: the products with
 * gradients only where they are wanted. */
static inline __attribute__((always_inline)) void
ISA(add_channel)(const float *to, size_t row, const ISA(FlowPlace) * place,
                 const ISA(FlowChannel) * channel, bool descends, ISA(FlowMatch) * match)
{
    Vector wx = v_set1(place->x), wy = v_set1(place->y);
    Vector squares = v_zero(), sum = v_zero(), sum_x = v_zero(), sum_y = v_zero();
    Vector above = ISA(flow_columns)(to, row, wx);
    float sums[4];

#pragma GCC unroll 8
    for (int i = 0; i < PATCH_VECTORS; i++) {
        /* The last row is not one of a pair. */
        size_t pitch = i == PATCH_VECTORS - 1 ? 0 : row;
        Vector next =
            ISA(flow_columns)(to + (size_t)((i + 1) * PATCH_ROWS) * row, pitch, wx);
        Vector below = v_rows_below(above, next);
        Vector d = v_sub(v_fma(v_sub(below, above), wy, above), channel->from[i]);
        above = next;
        squares = v_fma(d, d, squares);
        sum = v_add(sum, d);
        if (descends) {
            sum_x = v_fma(d, channel->gradient_x[i], sum_x);
            sum_y = v_fma(d, channel->gradient_y[i], sum_y);
        }
    }
    _mm_storeu_ps(sums, v_sums(squares, sum, sum_x, sum_y));
    float mean = PATCH_MEAN * sums[1];
    match->cost += sums[0] - mean * sums[1];
    if (descends) {
        match->x += sums[2] - mean * channel->sum_x;
        match->y += sums[3] - mean * channel->sum_y;
    }
}

static inline __attribute__((always_inline)) ISA(FlowMatch)
    ISA(match_patch)(const VfiFlowPictures *p, int n_channels,
                     const ISA(FlowPatch) * patch, float x, float y, bool descends)
{
    ISA(FlowPlace) place = ISA(flow_place)(p, patch->x + x, patch->y + y);
    ISA(FlowMatch) match = {0};

#pragma GCC unroll 1
    for (int i = 0; i < n_channels; i++)
        ISA(add_channel)
    (p->to[i] + place.at, p->row, &place, &patch->channel[i], descends, &match);
    return match;
}

/* The samples of the patch at (column, row), which matching needs. */
static inline void ISA(load_samples)(const VfiFlowPictures *p, int n_channels, int row,
                                     int column, ISA(FlowPatch) * patch)
{
    int x = vfi_flow_patch_begin(column, p->w), y = vfi_flow_patch_begin(row, p->h);

    patch->x = (float)x;
    patch->y = (float)y;
    for (int c = 0; c < n_channels; c++) {
        const float *from = p->from[c] + (size_t)y * p->row + x;
        for (int i = 0; i < PATCH_VECTORS; i++, from += PATCH_ROWS * p->row)
            patch->channel[c].from[i] = v_load_rows(from, p->row);
    }
}

static inline void ISA(add_gradients)(const float *from, size_t row,
                                      ISA(FlowPatch) * patch, ISA(FlowChannel) * channel)
{
    Vector half = v_set1(0.5f);
    Vector xx = v_zero(), xy = v_zero(), yy = v_zero(), sum_x = v_zero(),
           sum_y = v_zero();
    float products[4], sums[4];

    for (int i = 0; i < PATCH_VECTORS; i++, from += PATCH_ROWS * row) {
        Vector gx =
            v_mul(half, v_sub(v_load_rows(from + 1, row), v_load_rows(from - 1, row)));
        Vector gy = v_mul(
            half, v_sub(v_load_rows(from + row, row), v_load_rows(from - row, row)));
        channel->gradient_x[i] = gx;
        channel->gradient_y[i] = gy;
        xx = v_fma(gx, gx, xx);
        xy = v_fma(gx, gy, xy);
        yy = v_fma(gy, gy, yy);
        sum_x = v_add(sum_x, gx);
        sum_y = v_add(sum_y, gy);
    }
    _mm_storeu_ps(products, v_sums(xx, xy, yy, sum_x));
    _mm_storeu_ps(sums, v_sums(sum_x, sum_y, sum_x, sum_y));
    channel->sum_x = sums[0];
    channel->sum_y = sums[1];
    patch->a11 += products[0] - PATCH_MEAN * sums[0] * sums[0];
    patch->a12 += products[1] - PATCH_MEAN * sums[0] * sums[1];
    patch->a22 += products[2] - PATCH_MEAN * sums[1] * sums[1];
}

/* What descending needs besides. */
static inline void ISA(find_gradients)(const VfiFlowPictures *p, int n_channels,
                                       ISA(FlowPatch) * patch)
{
    ptrdiff_t at = (ptrdiff_t)patch->y * (ptrdiff_t)p->row + (ptrdiff_t)patch->x;

    patch->a11 = patch->a12 = patch->a22 = 0.0f;
    for (int c = 0; c < n_channels; c++)
        ISA(add_gradients)(p->from[c] + at, p->row, patch, &patch->channel[c]);
}

static inline void ISA(try_vector)(const VfiFlowPictures *p, int n_channels,
                                   const ISA(FlowPatch) * patch, float x, float y,
                                   VfiFlowVector *best)
{
    if (!vfi_flow_differs(best, x, y))
        return;
    float cost = ISA(match_patch)(p, n_channels, patch, x, y, false).cost;
    if (cost < best->cost)
        *best = (VfiFlowVector){x, y, cost, false};
}

/* From @best downhill while the cost falls. */
static inline void ISA(descend)(const VfiFlowPictures *p, int n_channels,
                                const ISA(FlowPatch) * patch, VfiFlowVector *best)
{
    float det = patch->a11 * patch->a22 - patch->a12 * patch->a12;
    float begin_x = best->x, begin_y = best->y, x = begin_x, y = begin_y;

    best->is_settled = true;
    if (!(det >= VFI_FLOW_LEAST_TEXTURE))
        return;
    float inverse11 = patch->a22 / det, inverse12 = -patch->a12 / det;
    float inverse22 = patch->a11 / det;
    best->cost = INFINITY;
    for (int step = 0;; step++) {
        ISA(FlowMatch) match = ISA(match_patch)(p, n_channels, patch, x, y, true);
        if (!(match.cost < best->cost))
            return;
        *best = (VfiFlowVector){x, y, match.cost, step < VFI_FLOW_STEPS};
        if (step == VFI_FLOW_STEPS)
            return;
        float dx = inverse11 * match.x + inverse12 * match.y;
        float dy = inverse12 * match.x + inverse22 * match.y;
        if (dx * dx + dy * dy < VFI_FLOW_LEAST_STEP * VFI_FLOW_LEAST_STEP)
            return;
        x -= dx;
        y -= dy;
        float far_x = x - begin_x, far_y = y - begin_y;
        if (far_x * far_x + far_y * far_y > VFI_FLOW_FARTHEST * VFI_FLOW_FARTHEST) {
            best->is_settled = false;
            return;
        }
    }
}

static void ISA(flow_begin)(const VfiFlowPatchField *field, int row)
{
    const VfiFlowPictures *p = &field->pictures;

    for (int i = 0; i < field->columns; i++) {
        VfiFlowVector first = vfi_flow_first_vector(field, row, i);
        ISA(FlowPatch) patch;
        ISA(load_samples)(p, p->n_channels, row, i, &patch);
        first.cost =
            ISA(match_patch)(p, p->n_channels, &patch, first.x, first.y, false).cost;
        vfi_flow_store_vector(field, row, i, &first);
    }
}

/* Most patches of a second sweep have settled, and their neighbours' vectors are their
 * own: nothing of theirs is looked at. */
static inline bool ISA(has_news)(const VfiFlowVector *best,
                                 const VfiFlowCandidates *candidates)
{
    if (!best->is_settled)
        return true;
    for (int i = 0; i < candidates->n; i++)
        if (vfi_flow_differs(best, candidates->x[i], candidates->y[i]))
            return true;
    return false;
}

static inline __attribute__((always_inline)) void
ISA(sweep_patch)(const VfiFlowPatchField *field, int n_channels, int row, int column,
                 bool reverse)
{
    const VfiFlowPictures *p = &field->pictures;
    VfiFlowVector best = vfi_flow_load_vector(field, row, column);
    VfiFlowCandidates candidates;
    ISA(FlowPatch) patch;

    vfi_flow_list_candidates(field, row, column, reverse, &candidates);
    if (field->other[0] != NULL || ISA(has_news)(&best, &candidates)) {
        ISA(load_samples)(p, n_channels, row, column, &patch);
        for (int i = 0; i < candidates.n; i++)
            ISA(try_vector)
        (p, n_channels, &patch, candidates.x[i], candidates.y[i], &best);
        if (vfi_flow_look_up(field, &best, (int)patch.x, (int)patch.y, &candidates))
            ISA(try_vector)
        (p, n_channels, &patch, candidates.x[0], candidates.y[0], &best);
    }
    if (!best.is_settled) {
        ISA(find_gradients)(p, n_channels, &patch);
        ISA(descend)(p, n_channels, &patch, &best);
    }
    vfi_flow_store_vector(field, row, column, &best);
}

static void ISA(flow_sweep)(const VfiFlowPatchField *field, int row, int begin, int end,
                            bool reverse)
{
    for (int k = begin; k < end; k++) {
        int column = reverse ? field->columns - 1 - k : k;
        if (field->pictures.n_channels == 1)
            ISA(sweep_patch)(field, 1, row, column, reverse);
        else
            ISA(sweep_patch)(field, VFI_FLOW_CHANNELS, row, column, reverse);
    }
}

/* ---- dense flow -------------------------------------------------------------------- */

/* Sums at eight samples: of weights, and of weights times vectors. */
typedef struct {
    __m256 weight, x, y;
} ISA(FlowVotes);

/* Adds the votes of patches of column @column for row @y: those of rows [first, end). */
static inline void ISA(add_votes)(const VfiFlowPatchField *field, int column, int first,
                                  int end, int y, ISA(FlowVotes) * votes)
{
    const VfiFlowPictures *p = &field->pictures;
    int left = vfi_flow_patch_begin(column, p->w);
    __m256 from = _mm256_loadu_ps(p->from[0] + (size_t)y * p->row + left);
    __m256 one = _mm256_set1_ps(1.0f), sign = _mm256_set1_ps(-0.0f);

    for (int j = first; j < end; j++) {
        size_t at = (size_t)j * field->patch_row + (size_t)column;
        int top = vfi_flow_patch_begin(j, p->h);
        ISA(FlowPlace)
        place = ISA(flow_place)(p, (float)left + field->x[at], (float)top + field->y[at]);
        const float *to = p->to[0] + place.at + (size_t)(y - top) * p->row;
        __m256 wx = _mm256_set1_ps(place.x), wy = _mm256_set1_ps(place.y);
        __m256 a = _mm256_loadu_ps(to), b = _mm256_loadu_ps(to + p->row);
        a = _mm256_fmadd_ps(_mm256_sub_ps(_mm256_loadu_ps(to + 1), a), wx, a);
        b = _mm256_fmadd_ps(_mm256_sub_ps(_mm256_loadu_ps(to + p->row + 1), b), wx, b);
        __m256 d = _mm256_sub_ps(_mm256_fmadd_ps(_mm256_sub_ps(b, a), wy, a), from);
        __m256 weight = _mm256_div_ps(_mm256_set1_ps(field->cost[at]),
                                      _mm256_max_ps(one, _mm256_andnot_ps(sign, d)));
        votes->weight = _mm256_add_ps(votes->weight, weight);
        votes->x = _mm256_fmadd_ps(weight, _mm256_set1_ps(field->x[at]), votes->x);
        votes->y = _mm256_fmadd_ps(weight, _mm256_set1_ps(field->y[at]), votes->y);
    }
}

/* Of eight samples the last four, then zeros. */
static inline __m256 ISA(upper_half)(__m256 x)
{
    return _mm256_permute2f128_ps(x, x, 0x81);
}

static inline void ISA(store_four)(float *dst, __m256 sum, __m256 weight)
{
    _mm_storeu_ps(
        dst, _mm_div_ps(_mm256_castps256_ps128(sum), _mm256_castps256_ps128(weight)));
}

/* The end of a row, from the last patch but one on, which begins at @flow_x[0]: the last
 * one's place is no multiple of the stride. @votes of the patches before. */
static void ISA(densify_end)(const VfiFlowPatchField *field, int first, int end, int y,
                             ISA(FlowVotes) votes, float *flow_x, float *flow_y)
{
    int w = field->pictures.w, last = field->columns - 1;
    int begin = last > 0 ? (last - 1) * VFI_FLOW_STRIDE : 0;
    float weight[3 * VFI_FLOW_PATCH] = {0}, x[3 * VFI_FLOW_PATCH] = {0};
    float y_sum[3 * VFI_FLOW_PATCH] = {0};

    if (last > 0)
        ISA(add_votes)(field, last - 1, first, end, y, &votes);
    _mm256_storeu_ps(weight, votes.weight);
    _mm256_storeu_ps(x, votes.x);
    _mm256_storeu_ps(y_sum, votes.y);
    int at = vfi_flow_patch_begin(last, w) - begin;
    votes = (ISA(FlowVotes)){_mm256_loadu_ps(weight + at), _mm256_loadu_ps(x + at),
                             _mm256_loadu_ps(y_sum + at)};
    ISA(add_votes)(field, last, first, end, y, &votes);
    _mm256_storeu_ps(weight + at, votes.weight);
    _mm256_storeu_ps(x + at, votes.x);
    _mm256_storeu_ps(y_sum + at, votes.y);
    for (int i = 0; i < w - begin; i++) {
        flow_x[i] = x[i] / weight[i];
        flow_y[i] = y_sum[i] / weight[i];
    }
}

static void ISA(flow_densify)(const VfiFlowPatchField *field, int y, float *flow_x,
                              float *flow_y)
{
    int first, end = vfi_flow_covering(y, field->pictures.h, field->rows, &first);
    ISA(FlowVotes)
    votes = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};

    for (int i = 0; i < field->columns - 2; i++) {
        ISA(add_votes)(field, i, first, end, y, &votes);
        ISA(store_four)(flow_x, votes.x, votes.weight);
        ISA(store_four)(flow_y, votes.y, votes.weight);
        flow_x += VFI_FLOW_STRIDE;
        flow_y += VFI_FLOW_STRIDE;
        votes.weight = ISA(upper_half)(votes.weight);
        votes.x = ISA(upper_half)(votes.x);
        votes.y = ISA(upper_half)(votes.y);
    }
    ISA(densify_end)(field, first, end, y, votes, flow_x, flow_y);
}
