/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search of `flow` for patches, and the dense flow, for any vector width of eight
 * floats and more: a vector holds PATCH_ROWS rows of a patch. What it computes is said by
 * flow_kernels_c.c. */
#include <float.h>
#include <math.h>

#define PATCH_ROWS (VECTOR_FLOATS / VFI_FLOW_PATCH)
#define PATCH_VECTORS (VFI_FLOW_PATCH / PATCH_ROWS)
#define PATCH_MEAN (VFI_FLOW_MEAN_REMOVED / (VFI_FLOW_PATCH * VFI_FLOW_PATCH))

/* A patch of the template with its gradients, and the sums that descending needs. */
typedef struct {
    Vector from[PATCH_VECTORS], gradient_x[PATCH_VECTORS], gradient_y[PATCH_VECTORS];
    float x, y;
    float sum_x, sum_y;
    float a11, a12, a22;
} ISA(FlowPatch);

/* Sums over a patch of its differences d: d², d, and d times the gradients. */
typedef union {
    __m128 all;
    struct {
        float squares, sum, x, y;
    };
} ISA(FlowSums);

/* A vector and what it costs. */
typedef struct {
    float x, y, cost;
} ISA(FlowVector);

/* A place between samples: the upper left one, and weights of the others. */
typedef struct {
    const float *at;
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

    return (ISA(FlowPlace)){p->to + (ptrdiff_t)line * (ptrdiff_t)p->row +
                                (ptrdiff_t)column,
                            x - column, y - line};
}

/* Rows of eight samples between columns. */
static inline Vector ISA(flow_columns)(const float *at, size_t row, Vector weight)
{
    Vector left = v_load_rows(at, row);

    return v_fma(v_sub(v_load_rows(at + 1, row), left), weight, left);
}

/* Cost and, where they are wanted, products with gradients, of the patch at (x, y) less
 * @patch. */
static inline __attribute__((always_inline)) ISA(FlowSums)
    ISA(flow_sums)(const VfiFlowPictures *p, const ISA(FlowPatch) * patch, float x,
                   float y, bool descends)
{
    ISA(FlowPlace) place = ISA(flow_place)(p, patch->x + x, patch->y + y);
    Vector wx = v_set1(place.x), wy = v_set1(place.y);
    Vector squares = v_zero(), sum = v_zero(), sum_x = v_zero(), sum_y = v_zero();
    Vector above = ISA(flow_columns)(place.at, p->row, wx);

#pragma GCC unroll 8
    for (int i = 0; i < PATCH_VECTORS; i++) {
        /* The last row is not one of a pair. */
        size_t pitch = i == PATCH_VECTORS - 1 ? 0 : p->row;
        Vector next = ISA(flow_columns)(
            place.at + (size_t)((i + 1) * PATCH_ROWS) * p->row, pitch, wx);
        Vector below = v_rows_below(above, next);
        Vector d = v_sub(v_fma(v_sub(below, above), wy, above), patch->from[i]);
        above = next;
        squares = v_fma(d, d, squares);
        sum = v_add(sum, d);
        if (descends) {
            sum_x = v_fma(d, patch->gradient_x[i], sum_x);
            sum_y = v_fma(d, patch->gradient_y[i], sum_y);
        }
    }
    return (ISA(FlowSums)){.all = v_sums(squares, sum, sum_x, sum_y)};
}

static inline float ISA(flow_cost)(const ISA(FlowSums) * sums)
{
    return sums->squares - PATCH_MEAN * sums->sum * sums->sum;
}

static inline void ISA(flow_template)(const VfiFlowPictures *p, int x, int y,
                                      ISA(FlowPatch) * patch)
{
    const float *from = p->from + (size_t)y * p->row + x;
    Vector half = v_set1(0.5f);
    Vector xx = v_zero(), xy = v_zero(), yy = v_zero(), sum_x = v_zero(),
           sum_y = v_zero();
    ISA(FlowSums) products, sums;

    patch->x = (float)x;
    patch->y = (float)y;
    for (int i = 0; i < PATCH_VECTORS; i++, from += PATCH_ROWS * p->row) {
        Vector gx = v_mul(
            half, v_sub(v_load_rows(from + 1, p->row), v_load_rows(from - 1, p->row)));
        Vector gy = v_mul(half, v_sub(v_load_rows(from + p->row, p->row),
                                      v_load_rows(from - p->row, p->row)));
        patch->from[i] = v_load_rows(from, p->row);
        patch->gradient_x[i] = gx;
        patch->gradient_y[i] = gy;
        xx = v_fma(gx, gx, xx);
        xy = v_fma(gx, gy, xy);
        yy = v_fma(gy, gy, yy);
        sum_x = v_add(sum_x, gx);
        sum_y = v_add(sum_y, gy);
    }
    products.all = v_sums(xx, xy, yy, sum_x);
    sums.all = v_sums(sum_y, sum_y, sum_y, sum_y);
    patch->sum_x = products.y;
    patch->sum_y = sums.squares;
    patch->a11 = products.squares - PATCH_MEAN * patch->sum_x * patch->sum_x;
    patch->a12 = products.sum - PATCH_MEAN * patch->sum_x * patch->sum_y;
    patch->a22 = products.x - PATCH_MEAN * patch->sum_y * patch->sum_y;
}

static inline void ISA(try_vector)(const VfiFlowPictures *p, const ISA(FlowPatch) * patch,
                                   float x, float y, ISA(FlowVector) * best)
{
    float dx = x - best->x, dy = y - best->y;

    if (dx * dx + dy * dy < VFI_FLOW_SAME * VFI_FLOW_SAME)
        return;
    ISA(FlowSums) sums = ISA(flow_sums)(p, patch, x, y, false);
    float cost = ISA(flow_cost)(&sums);
    if (cost < best->cost)
        *best = (ISA(FlowVector)){x, y, cost};
}

/* From @best downhill while the cost falls. */
static inline void ISA(descend)(const VfiFlowPictures *p, const ISA(FlowPatch) * patch,
                                ISA(FlowVector) * best)
{
    float det = patch->a11 * patch->a22 - patch->a12 * patch->a12;
    float begin_x = best->x, begin_y = best->y, x = begin_x, y = begin_y;

    if (!(det >= VFI_FLOW_LEAST_TEXTURE))
        return;
    det = 1.0f / det;
    best->cost = FLT_MAX;
    for (int step = 0;; step++) {
        ISA(FlowSums) sums = ISA(flow_sums)(p, patch, x, y, true);
        float cost = ISA(flow_cost)(&sums);
        if (!(cost < best->cost))
            return;
        *best = (ISA(FlowVector)){x, y, cost};
        if (step == VFI_FLOW_STEPS)
            return;
        float bx = sums.x - PATCH_MEAN * sums.sum * patch->sum_x;
        float by = sums.y - PATCH_MEAN * sums.sum * patch->sum_y;
        float dx = (patch->a22 * bx - patch->a12 * by) * det;
        float dy = (patch->a11 * by - patch->a12 * bx) * det;
        if (dx * dx + dy * dy < VFI_FLOW_LEAST_STEP * VFI_FLOW_LEAST_STEP)
            return;
        x -= dx;
        y -= dy;
        float far_x = x - begin_x, far_y = y - begin_y;
        if (far_x * far_x + far_y * far_y > VFI_FLOW_FARTHEST * VFI_FLOW_FARTHEST)
            return;
    }
}

static void ISA(flow_search)(const VfiFlowPatchField *field, int row, int begin, int end,
                             bool reverse)
{
    const VfiFlowPictures *p = &field->pictures;
    ptrdiff_t step = reverse ? -1 : 1, pitch = (ptrdiff_t)field->patch_row;
    bool has_row = reverse ? row + 1 < field->rows : row > 0;
    int y = vfi_flow_patch_begin(row, p->h);

    for (int k = begin; k < end; k++) {
        int i = reverse ? field->columns - 1 - k : k;
        ptrdiff_t at = row * pitch + i;
        ISA(FlowVector) best = {field->x[at], field->y[at], field->cost[at]};
        ISA(FlowPatch) patch;
        ISA(flow_template)(p, vfi_flow_patch_begin(i, p->w), y, &patch);
        if (!reverse) {
            vfi_flow_first_vector(field, row, i, &best.x, &best.y);
            ISA(FlowSums) sums = ISA(flow_sums)(p, &patch, best.x, best.y, false);
            best.cost = ISA(flow_cost)(&sums);
        }
        if (k > 0)
            ISA(try_vector)(p, &patch, field->x[at - step], field->y[at - step], &best);
        if (has_row)
            ISA(try_vector)
        (p, &patch, field->x[at - step * pitch], field->y[at - step * pitch], &best);
        ISA(descend)(p, &patch, &best);
        field->x[at] = best.x;
        field->y[at] = best.y;
        field->cost[at] = best.cost;
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
    __m256 from = _mm256_loadu_ps(p->from + (size_t)y * p->row + left);
    __m256 one = _mm256_set1_ps(1.0f), sign = _mm256_set1_ps(-0.0f);

    for (int j = first; j < end; j++) {
        size_t at = (size_t)j * field->patch_row + (size_t)column;
        int top = vfi_flow_patch_begin(j, p->h);
        ISA(FlowPlace)
        place = ISA(flow_place)(p, (float)left + field->x[at], (float)top + field->y[at]);
        const float *to = place.at + (size_t)(y - top) * p->row;
        __m256 wx = _mm256_set1_ps(place.x), wy = _mm256_set1_ps(place.y);
        __m256 a = _mm256_loadu_ps(to), b = _mm256_loadu_ps(to + p->row);
        a = _mm256_fmadd_ps(_mm256_sub_ps(_mm256_loadu_ps(to + 1), a), wx, a);
        b = _mm256_fmadd_ps(_mm256_sub_ps(_mm256_loadu_ps(to + p->row + 1), b), wx, b);
        __m256 d = _mm256_sub_ps(_mm256_fmadd_ps(_mm256_sub_ps(b, a), wy, a), from);
        __m256 weight = _mm256_div_ps(one, _mm256_max_ps(one, _mm256_andnot_ps(sign, d)));
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

/* The end of a row, from the last patch but one on, whose place is no multiple of the
 * stride: @votes of the patches before. */
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
    for (int i = begin; i < w; i++) {
        flow_x[i] = x[i - begin] / weight[i - begin];
        flow_y[i] = y_sum[i - begin] / weight[i - begin];
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
        ISA(store_four)(flow_x + i * VFI_FLOW_STRIDE, votes.x, votes.weight);
        ISA(store_four)(flow_y + i * VFI_FLOW_STRIDE, votes.y, votes.weight);
        votes.weight = ISA(upper_half)(votes.weight);
        votes.x = ISA(upper_half)(votes.x);
        votes.y = ISA(upper_half)(votes.y);
    }
    ISA(densify_end)(field, first, end, y, votes, flow_x, flow_y);
}
