/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels of `flow` in plain C: the reference that every instruction set is tested
 * against. */
#define ISA(name) name##_c

#include <math.h>

#include "cpu/flow_patches.h"
#include "cpu/flow_tmpl.h"

static float clamp(float x, float low, float high)
{
    x = x > low ? x : low;
    return x < high ? x : high;
}

/* A place between samples: of the upper left one, and weights of the others. */
typedef struct {
    const float *at;
    float x, y;
} Place;

static float between(const float *at, size_t row, float x, float y)
{
    float top = at[0] + (at[1] - at[0]) * x;
    float bottom = at[row] + (at[row + 1] - at[row]) * x;

    return top + (bottom - top) * y;
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

static Place patch_place(const VfiFlowPictures *p, int left, int top, float flow_x,
                         float flow_y)
{
    float x = clamp((float)left + flow_x, -VFI_FLOW_REACH, (float)p->w + VFI_FLOW_BEYOND);
    float y = clamp((float)top + flow_y, -VFI_FLOW_REACH, (float)p->h + VFI_FLOW_BEYOND);
    float column = floorf(x), line = floorf(y);

    return (Place){p->to + (ptrdiff_t)line * (ptrdiff_t)p->row + (ptrdiff_t)column,
                   x - column, y - line};
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

static Vector first_vector(const VfiFlowPatchField *field, const Patch *patch, int row,
                           int column)
{
    Vector vector;

    vfi_flow_first_vector(field, row, column, &vector.x, &vector.y);
    Sums sums = patch_sums(&field->pictures, patch, vector.x, vector.y);
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
            best = first_vector(field, &patch, row, i);
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

static void densify(const VfiFlowPatchField *field, int y, float *flow_x, float *flow_y)
{
    const VfiFlowPictures *p = &field->pictures;
    const float *from = p->from + (size_t)y * p->row;
    int first_row, last_row = vfi_flow_covering(y, p->h, field->rows, &first_row);

    for (int x = 0; x < p->w; x++) {
        int first, end = vfi_flow_covering(x, p->w, field->columns, &first);
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

/* ---- splat ------------------------------------------------------------------------- */

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

static void relax(const VfiFlowRefineRow *row)
{
    for (int x = row->first; x < row->w; x += 2)
        relax_at_c(row, x);
}

void vfi_cpu_flow_kernels_fill_c(VfiFlowKernels *kernels)
{
    fill_flow_c(kernels);
    kernels->search = search;
    kernels->densify = densify;
    kernels->splat = splat;
    kernels->relax = relax;
}
