/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels of `flow` in plain C: the reference that every instruction set is tested
 * against. */
#include "cpu/flow_kernels.h"

#include <math.h>

static float clamp(float x, float low, float high)
{
    x = x > low ? x : low;
    return x < high ? x : high;
}

static int clamp_index(int i, int n)
{
    return i < 0 ? 0 : i < n ? i : n - 1;
}

/* A place between samples: of the upper left one, and weights of the others. */
typedef struct {
    const float *at;
    float x, y;
} Place;

static Place place_in(const float *picture, size_t row, float x, float y, float x_limit,
                      float y_limit)
{
    x = clamp(x, -VFI_FLOW_REACH, x_limit);
    y = clamp(y, -VFI_FLOW_REACH, y_limit);
    float column = floorf(x), line = floorf(y);

    return (Place){picture + (ptrdiff_t)line * (ptrdiff_t)row + (ptrdiff_t)column,
                   x - column, y - line};
}

static float between(const float *at, size_t row, float x, float y)
{
    float top = at[0] + (at[1] - at[0]) * x;
    float bottom = at[row] + (at[row + 1] - at[row]) * x;

    return top + (bottom - top) * y;
}

static void halve(float *dst, const float *top, const float *bottom, size_t n)
{
    for (size_t x = 0; x < n; x++)
        dst[x] =
            0.25f * (top[2 * x] + top[2 * x + 1] + bottom[2 * x] + bottom[2 * x + 1]);
}

/* ---- search ------------------------------------------------------------------------ */

/* A patch of the template with its gradients, and the sums that descending needs. */
typedef struct {
    int x, y;
    float gradient_x[VFI_FLOW_PATCH * VFI_FLOW_PATCH];
    float gradient_y[VFI_FLOW_PATCH * VFI_FLOW_PATCH];
    float sum_x, sum_y;
    float a11, a12, a22;
} Patch;

/* Sums over a patch of its differences d: d², d, and d times the gradients. */
typedef struct {
    float squares, sum, x, y;
} Sums;

#define MEAN_FACTOR (VFI_FLOW_MEAN_REMOVED / (VFI_FLOW_PATCH * VFI_FLOW_PATCH))

static Place patch_place(const VfiFlowPictures *p, int x, int y, float flow_x,
                         float flow_y)
{
    return place_in(p->to, p->row, (float)x + flow_x, (float)y + flow_y,
                    (float)p->w + VFI_FLOW_PATCH_BEYOND,
                    (float)p->h + VFI_FLOW_PATCH_BEYOND);
}

static Sums patch_sums(const VfiFlowPictures *p, const Patch *patch, float flow_x,
                       float flow_y)
{
    Place place = patch_place(p, patch->x, patch->y, flow_x, flow_y);
    const float *from = p->from + (size_t)patch->y * p->row + patch->x;
    Sums sums = {0};

    for (size_t j = 0; j < VFI_FLOW_PATCH; j++)
        for (size_t i = 0; i < VFI_FLOW_PATCH; i++) {
            float d = between(place.at + j * p->row + i, p->row, place.x, place.y) -
                      from[j * p->row + i];
            sums.squares += d * d;
            sums.sum += d;
            sums.x += d * patch->gradient_x[j * VFI_FLOW_PATCH + i];
            sums.y += d * patch->gradient_y[j * VFI_FLOW_PATCH + i];
        }
    return sums;
}

static float cost_of(const Sums *sums)
{
    return sums->squares - MEAN_FACTOR * sums->sum * sums->sum;
}

static void find_gradients(const VfiFlowPictures *p, Patch *patch)
{
    const float *from = p->from + (size_t)patch->y * p->row + patch->x;
    float xx = 0, xy = 0, yy = 0;

    patch->sum_x = patch->sum_y = 0;
    for (size_t j = 0; j < VFI_FLOW_PATCH; j++)
        for (size_t i = 0; i < VFI_FLOW_PATCH; i++) {
            const float *at = from + j * p->row + i;
            float x = 0.5f * (at[1] - at[-1]), y = 0.5f * (at[p->row] - *(at - p->row));
            patch->gradient_x[j * VFI_FLOW_PATCH + i] = x;
            patch->gradient_y[j * VFI_FLOW_PATCH + i] = y;
            patch->sum_x += x;
            patch->sum_y += y;
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
    patch->a11 = xx - MEAN_FACTOR * patch->sum_x * patch->sum_x;
    patch->a12 = xy - MEAN_FACTOR * patch->sum_x * patch->sum_y;
    patch->a22 = yy - MEAN_FACTOR * patch->sum_y * patch->sum_y;
}

/* A vector and what it costs. */
typedef struct {
    float x, y, cost;
} Vector;

static void try_vector(const VfiFlowPictures *p, const Patch *patch, float x, float y,
                       Vector *best)
{
    float dx = x - best->x, dy = y - best->y;

    if (dx * dx + dy * dy < VFI_FLOW_SAME * VFI_FLOW_SAME)
        return;
    Sums sums = patch_sums(p, patch, x, y);
    float cost = cost_of(&sums);
    if (cost < best->cost)
        *best = (Vector){x, y, cost};
}

/* From @best downhill while the cost falls. */
static void descend(const VfiFlowPictures *p, const Patch *patch, Vector *best)
{
    float det = patch->a11 * patch->a22 - patch->a12 * patch->a12;
    float begin_x = best->x, begin_y = best->y, x = begin_x, y = begin_y;

    if (!(det >= VFI_FLOW_LEAST_TEXTURE))
        return;
    best->cost = INFINITY;
    for (int step = 0;; step++) {
        Sums sums = patch_sums(p, patch, x, y);
        float cost = cost_of(&sums);
        if (!(cost < best->cost))
            return;
        *best = (Vector){x, y, cost};
        if (step == VFI_FLOW_STEPS)
            return;
        float bx = sums.x - MEAN_FACTOR * sums.sum * patch->sum_x;
        float by = sums.y - MEAN_FACTOR * sums.sum * patch->sum_y;
        float dx = (patch->a22 * bx - patch->a12 * by) / det;
        float dy = (patch->a11 * by - patch->a12 * bx) / det;
        if (dx * dx + dy * dy < VFI_FLOW_LEAST_STEP * VFI_FLOW_LEAST_STEP)
            return;
        x -= dx;
        y -= dy;
        float far_x = x - begin_x, far_y = y - begin_y;
        if (far_x * far_x + far_y * far_y > VFI_FLOW_FARTHEST * VFI_FLOW_FARTHEST)
            return;
    }
}

/* Twice the coarser flow at sample (x, y). */
static float coarse_flow(const VfiFlowPatchField *field, int axis, int x, int y)
{
    int left = (x - 1) >> 1, top = (y - 1) >> 1;
    float wx = x & 1 ? 0.25f : 0.75f, wy = y & 1 ? 0.25f : 0.75f;
    const float *upper = field->coarse[axis] +
                         (size_t)clamp_index(top, field->coarse_h) * field->coarse_row;
    const float *lower =
        field->coarse[axis] +
        (size_t)clamp_index(top + 1, field->coarse_h) * field->coarse_row;
    int x0 = clamp_index(left, field->coarse_w),
        x1 = clamp_index(left + 1, field->coarse_w);
    float a = upper[x0] + (upper[x1] - upper[x0]) * wx;
    float b = lower[x0] + (lower[x1] - lower[x0]) * wx;

    return 2.0f * (a + (b - a) * wy);
}

static Vector first_vector(const VfiFlowPatchField *field, const Patch *patch)
{
    const VfiFlowPictures *p = &field->pictures;
    int x = clamp_index(patch->x + VFI_FLOW_PATCH / 2, p->w);
    int y = clamp_index(patch->y + VFI_FLOW_PATCH / 2, p->h);
    Vector vector = {0};

    if (field->coarse[0] != NULL) {
        vector.x = coarse_flow(field, 0, x, y);
        vector.y = coarse_flow(field, 1, x, y);
    }
    Sums sums = patch_sums(p, patch, vector.x, vector.y);
    vector.cost = cost_of(&sums);
    return vector;
}

static void search(const VfiFlowPatchField *field, int row, int begin, int end,
                   bool reverse)
{
    const VfiFlowPictures *p = &field->pictures;
    int step = reverse ? -1 : 1;
    bool has_row = reverse ? row + 1 < field->rows : row > 0;

    for (int k = begin; k < end; k++) {
        int i = reverse ? field->columns - 1 - k : k;
        size_t at = (size_t)row * field->patch_row + (size_t)i;
        Patch patch = {.x = vfi_flow_patch_begin(i, p->w),
                       .y = vfi_flow_patch_begin(row, p->h)};
        find_gradients(p, &patch);
        Vector best = {field->x[at], field->y[at], field->cost[at]};
        if (!reverse)
            best = first_vector(field, &patch);
        if (k > 0)
            try_vector(p, &patch, field->x[at - (size_t)step],
                       field->y[at - (size_t)step], &best);
        if (has_row) {
            size_t other = at - (size_t)step * field->patch_row;
            try_vector(p, &patch, field->x[other], field->y[other], &best);
        }
        descend(p, &patch, &best);
        field->x[at] = best.x;
        field->y[at] = best.y;
        field->cost[at] = best.cost;
    }
}

/* ---- dense flow -------------------------------------------------------------------- */

/* The first and, returned, one behind the last patch along a side that cover sample
 * @at. */
static int covering(int at, int size, int count, int *first)
{
    int end = at / VFI_FLOW_STRIDE + 1;

    *first = at < VFI_FLOW_PATCH ? 0 : (at - VFI_FLOW_PATCH) / VFI_FLOW_STRIDE + 1;
    /* The last one ends where the side does. */
    if (vfi_flow_patch_begin(count - 1, size) <= at)
        end = count;
    if (*first > count - 1)
        *first = count - 1;
    return end < count ? end : count;
}

static void densify(const VfiFlowPatchField *field, int y, float *flow_x, float *flow_y)
{
    const VfiFlowPictures *p = &field->pictures;
    const float *from = p->from + (size_t)y * p->row;
    int first_row, last_row = covering(y, p->h, field->rows, &first_row);

    for (int x = 0; x < p->w; x++) {
        int first, end = covering(x, p->w, field->columns, &first);
        float weight = 0, sum_x = 0, sum_y = 0;
        for (int j = first_row; j < last_row; j++)
            for (int i = first; i < end; i++) {
                size_t at = (size_t)j * field->patch_row + (size_t)i;
                int left = vfi_flow_patch_begin(i, p->w);
                int top = vfi_flow_patch_begin(j, p->h);
                Place place = patch_place(p, left, top, field->x[at], field->y[at]);
                const float *to = place.at + (size_t)(y - top) * p->row + (x - left);
                float d = fabsf(between(to, p->row, place.x, place.y) - from[x]);
                float w = 1.0f / (d > 1.0f ? d : 1.0f);
                weight += w;
                sum_x += w * field->x[at];
                sum_y += w * field->y[at];
            }
        flow_x[x] = sum_x / weight;
        flow_y[x] = sum_y / weight;
    }
}

/* ---- how far flow is to be trusted ------------------------------------------------- */

static void warp(const VfiFlowPictures *p, int y, const float *flow_x,
                 const float *flow_y, float *dst)
{
    for (int x = 0; x < p->w; x++) {
        Place place = place_in(p->to, p->row, (float)x + flow_x[x], (float)y + flow_y[x],
                               (float)p->w + VFI_FLOW_SAMPLE_BEYOND,
                               (float)p->h + VFI_FLOW_SAMPLE_BEYOND);
        dst[x] = between(place.at, p->row, place.x, place.y);
    }
}

static void residual(const VfiFlowPictures *p, int y, const float *flow_x,
                     const float *flow_y, float *dst)
{
    const float *from = p->from + (size_t)y * p->row;

    warp(p, y, flow_x, flow_y, dst);
    for (int x = 0; x < p->w; x++)
        dst[x] = fabsf(from[x] - dst[x]);
}

static void trust(float *dst, const float *above, const float *at, const float *below,
                  float falloff, int w)
{
    for (int x = 0; x < w; x++) {
        int left = x > 0 ? x - 1 : 0, right = x < w - 1 ? x + 1 : x;
        float sum = (above[left] + at[left] + below[left]) +
                    (above[x] + at[x] + below[x]) +
                    (above[right] + at[right] + below[right]);
        float d = falloff * (1.0f / 9.0f) * sum, square = d * d;
        dst[x] = 1.0f / (1.0f + square + square * square);
    }
}

static void extent(const float *flow_y, int w, float result[2])
{
    result[0] = result[1] = flow_y[0];
    for (int x = 1; x < w; x++) {
        result[0] = flow_y[x] < result[0] ? flow_y[x] : result[0];
        result[1] = flow_y[x] > result[1] ? flow_y[x] : result[1];
    }
}

/* ---- splat and fill ---------------------------------------------------------------- */

static void add_vector(const VfiFlowSplatRow *row, int i, int x, int y, float weight)
{
    if (x < 0 || x >= row->w || y < row->begin || y >= row->end)
        return;
    size_t at = (size_t)y * row->sum_row + (size_t)x;
    row->sum_weight[at] += weight;
    row->sum_x[at] += weight * (row->sign * row->x[i]);
    row->sum_y[at] += weight * (row->sign * row->y[i]);
}

static void splat(const VfiFlowSplatRow *row)
{
    for (int i = 0; i < row->w; i++) {
        float x = clamp((float)i + row->t * row->x[i], -2.0f, (float)row->w + 1.0f);
        float y =
            clamp((float)row->source_y + row->t * row->y[i], -2.0f, (float)row->h + 1.0f);
        float column = floorf(x), line = floorf(y);
        float wx = x - column, wy = y - line;
        float top = row->weight[i] * (1.0f - wy), bottom = row->weight[i] * wy;
        add_vector(row, i, (int)column, (int)line, top * (1.0f - wx));
        add_vector(row, i, (int)column + 1, (int)line, top * wx);
        add_vector(row, i, (int)column, (int)line + 1, bottom * (1.0f - wx));
        add_vector(row, i, (int)column + 1, (int)line + 1, bottom * wx);
    }
}

static void divide_side(const VfiFlowSumRow *side, int x, float scale)
{
    if (side->weight[x] < VFI_FLOW_HOLE) {
        side->x[x] = VFI_FLOW_NO_VECTOR;
        return;
    }
    float factor = scale / side->weight[x];
    side->x[x] *= factor;
    side->y[x] *= factor;
}

static void merge(const VfiFlowSumRow *both, const VfiFlowSumRow side[2], float scale,
                  int w)
{
    for (int x = 0; x < w; x++) {
        both->weight[x] = side[0].weight[x] + side[1].weight[x];
        both->x[x] = side[0].x[x] + side[1].x[x];
        both->y[x] = side[0].y[x] + side[1].y[x];
        divide_side(&side[0], x, scale);
        divide_side(&side[1], x, scale);
    }
}

static float sum4(const float *top, const float *bottom, int x, int right)
{
    return (top[x] + top[right]) + (bottom[x] + bottom[right]);
}

static void pull(const VfiFlowSumRow *coarse, const VfiFlowSumRow fine[2], int w,
                 int fine_w)
{
    for (int x = 0; x < w; x++) {
        int right = 2 * x + 1 < fine_w ? 2 * x + 1 : fine_w - 1;
        coarse->weight[x] = sum4(fine[0].weight, fine[1].weight, 2 * x, right);
        coarse->x[x] = sum4(fine[0].x, fine[1].x, 2 * x, right);
        coarse->y[x] = sum4(fine[0].y, fine[1].y, 2 * x, right);
    }
}

static void push(const VfiFlowSumRow *fine, const VfiFlowSumRow *coarse, bool normalise,
                 int w)
{
    for (int x = 0; x < w; x++) {
        if (fine->weight[x] < VFI_FLOW_HOLE && coarse->weight != NULL &&
            coarse->weight[x / 2] > 0.0f) {
            float factor = VFI_FLOW_HOLE / coarse->weight[x / 2];
            fine->weight[x] = VFI_FLOW_HOLE;
            fine->x[x] = factor * coarse->x[x / 2];
            fine->y[x] = factor * coarse->y[x / 2];
        }
        if (normalise) {
            float factor = 1.0f / (fine->weight[x] > 1e-9f ? fine->weight[x] : 1e-9f);
            fine->x[x] *= factor;
            fine->y[x] *= factor;
        }
    }
}

static float min2(float a, float b)
{
    return a < b ? a : b;
}

static float max2(float a, float b)
{
    return a > b ? a : b;
}

static void median(float *dst, const float *const src[5], float scale, int n)
{
    for (int x = 0; x < n; x++) {
        float a = src[0][x], b = src[1][x], c = src[2][x], d = src[3][x], e = src[4][x];
        float low = max2(min2(a, b), min2(c, d)), high = min2(max2(a, b), max2(c, d));
        float least = min2(low, high), greatest = max2(low, high);
        dst[x] = scale * max2(least, min2(greatest, e));
    }
}

static void sides(float *side_x, float *side_y, const float *flow_x, const float *flow_y,
                  int w)
{
    for (int x = 0; x < w; x++) {
        bool has = side_x[x] != VFI_FLOW_NO_VECTOR;
        side_x[x] = has ? side_x[x] : flow_x[x];
        side_y[x] = has ? side_y[x] : flow_y[x];
    }
}

/* ---- refinement -------------------------------------------------------------------- */

static void linearise(const VfiFlowPictures *p, int y, const float *const warped[3],
                      float *gradient_x, float *gradient_y, float *difference)
{
    const float *from = p->from + (size_t)y * p->row;

    for (int x = 0; x < p->w; x++) {
        int left = x > 0 ? x - 1 : 0, right = x < p->w - 1 ? x + 1 : x;
        const float *at = from + x;
        gradient_x[x] = 0.25f * (warped[1][right] - warped[1][left] + at[1] - at[-1]);
        gradient_y[x] =
            0.25f * (warped[2][x] - warped[0][x] + at[p->row] - *(at - p->row));
        difference[x] = warped[1][x] - at[0];
    }
}

/* Squares of @flow + @increment's change to the right and downwards. */
static float change(const float *flow, const float *increment, const float *flow_below,
                    const float *increment_below, int x, int right)
{
    float here = flow[x] + increment[x];
    float dx = flow[right] + increment[right] - here;
    float dy = flow_below != NULL ? flow_below[x] + increment_below[x] - here : 0.0f;

    return dx * dx + dy * dy;
}

#define DATA_WEIGHT 15.0f
#define EPSILON 1e-4f

static void weigh(const VfiFlowRefineRow *r)
{
    for (int x = 0; x < r->w; x++) {
        int right = x < r->w - 1 ? x + 1 : x;
        float gx = r->gradient_x[x], gy = r->gradient_y[x];
        float norm = 1.0f / (gx * gx + gy * gy + 1.0f);
        float rest = r->difference[x] + gx * r->increment_x[x] + gy * r->increment_y[x];
        r->data_weight[x] = norm * DATA_WEIGHT / sqrtf(rest * rest * norm + EPSILON);
        float squares = change(r->flow_x, r->increment_x, r->flow_x_below,
                               r->increment_x_below, x, right) +
                        change(r->flow_y, r->increment_y, r->flow_y_below,
                               r->increment_y_below, x, right);
        r->smoothness[x] = r->alpha / sqrtf(squares + EPSILON);
    }
}

/* Sums over neighbours of smoothness, and of that times their vectors less the
 * sample's own. */
typedef struct {
    float weight, x, y;
} Neighbours;

static void add_neighbour(Neighbours *sum, float weight, float x, float y)
{
    sum->weight += weight;
    sum->x += weight * x;
    sum->y += weight * y;
}

static void relax(const VfiFlowRefineRow *r)
{
    for (int x = r->first; x < r->w; x += 2) {
        float u = r->flow_x[x], v = r->flow_y[x];
        Neighbours sum = {0};
        if (x > 0)
            add_neighbour(&sum, r->smoothness[x - 1],
                          r->flow_x[x - 1] + r->increment_x[x - 1] - u,
                          r->flow_y[x - 1] + r->increment_y[x - 1] - v);
        if (x < r->w - 1)
            add_neighbour(&sum, r->smoothness[x],
                          r->flow_x[x + 1] + r->increment_x[x + 1] - u,
                          r->flow_y[x + 1] + r->increment_y[x + 1] - v);
        if (r->flow_x_above != NULL)
            add_neighbour(&sum, r->smoothness_above[x],
                          r->flow_x_above[x] + r->increment_x_above[x] - u,
                          r->flow_y_above[x] + r->increment_y_above[x] - v);
        if (r->flow_x_below != NULL)
            add_neighbour(&sum, r->smoothness[x],
                          r->flow_x_below[x] + r->increment_x_below[x] - u,
                          r->flow_y_below[x] + r->increment_y_below[x] - v);
        float gx = r->gradient_x[x], gy = r->gradient_y[x], d = r->difference[x];
        float weight = r->data_weight[x], cross = weight * gx * gy;
        float *du = &r->increment_x[x], *dv = &r->increment_y[x];
        *du += r->omega * ((sum.x - weight * d * gx - cross * *dv) /
                               (weight * gx * gx + sum.weight) -
                           *du);
        *dv += r->omega * ((sum.y - weight * d * gy - cross * *du) /
                               (weight * gy * gy + sum.weight) -
                           *dv);
    }
}

void vfi_cpu_flow_kernels_fill_c(VfiFlowKernels *kernels)
{
    *kernels = (VfiFlowKernels){
        .halve = halve,
        .search = search,
        .densify = densify,
        .residual = residual,
        .trust = trust,
        .extent = extent,
        .splat = splat,
        .merge = merge,
        .pull = pull,
        .push = push,
        .median = median,
        .sides = sides,
        .warp = warp,
        .linearise = linearise,
        .weigh = weigh,
        .relax = relax,
    };
}
