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
    float gradient[VFI_FLOW_CHANNELS][2][VFI_FLOW_PATCH * VFI_FLOW_PATCH];
    float sum[VFI_FLOW_CHANNELS][2];
    float a11, a12, a22;
} Patch;

/* What a patch's differences d cost, and, but for their means, d times the gradients. */
typedef struct {
    float cost, x, y;
} Match;

#define MEAN_FACTOR (VFI_FLOW_MEAN_REMOVED / (VFI_FLOW_PATCH * VFI_FLOW_PATCH))

static Place patch_place(const VfiFlowPictures *p, int channel, int left, int top,
                         float flow_x, float flow_y)
{
    float x = clamp((float)left + flow_x, -VFI_FLOW_REACH, (float)p->w + VFI_FLOW_BEYOND);
    float y = clamp((float)top + flow_y, -VFI_FLOW_REACH, (float)p->h + VFI_FLOW_BEYOND);
    float column = floorf(x), line = floorf(y);

    return (Place){p->to[channel] + (ptrdiff_t)line * (ptrdiff_t)p->row +
                       (ptrdiff_t)column,
                   x - column, y - line};
}

static void add_channel(const VfiFlowPictures *p, int channel, const Patch *patch,
                        float flow_x, float flow_y, Match *match)
{
    Place place = patch_place(p, channel, patch->x, patch->y, flow_x, flow_y);
    const float *from = p->from[channel] + (size_t)patch->y * p->row + patch->x;
    float squares = 0, sum = 0, x = 0, y = 0;

    for (size_t j = 0; j < VFI_FLOW_PATCH; j++)
        for (size_t i = 0; i < VFI_FLOW_PATCH; i++) {
            float d = between(place.at + j * p->row + i, p->row, place.x, place.y) -
                      from[j * p->row + i];
            squares += d * d;
            sum += d;
            x += d * patch->gradient[channel][0][j * VFI_FLOW_PATCH + i];
            y += d * patch->gradient[channel][1][j * VFI_FLOW_PATCH + i];
        }
    match->cost += squares - MEAN_FACTOR * sum * sum;
    match->x += x - MEAN_FACTOR * sum * patch->sum[channel][0];
    match->y += y - MEAN_FACTOR * sum * patch->sum[channel][1];
}

static Match match_patch(const VfiFlowPictures *p, const Patch *patch, float flow_x,
                         float flow_y)
{
    Match match = {0};

    for (int channel = 0; channel < p->n_channels; channel++)
        add_channel(p, channel, patch, flow_x, flow_y, &match);
    return match;
}

static void find_gradients(const VfiFlowPictures *p, int channel, Patch *patch)
{
    const float *from = p->from[channel] + (size_t)patch->y * p->row + patch->x;
    float xx = 0, xy = 0, yy = 0, sum_x = 0, sum_y = 0;

    for (size_t j = 0; j < VFI_FLOW_PATCH; j++)
        for (size_t i = 0; i < VFI_FLOW_PATCH; i++) {
            const float *at = from + j * p->row + i;
            float x = 0.5f * (at[1] - at[-1]), y = 0.5f * (at[p->row] - *(at - p->row));
            patch->gradient[channel][0][j * VFI_FLOW_PATCH + i] = x;
            patch->gradient[channel][1][j * VFI_FLOW_PATCH + i] = y;
            sum_x += x;
            sum_y += y;
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
    patch->sum[channel][0] = sum_x;
    patch->sum[channel][1] = sum_y;
    patch->a11 += xx - MEAN_FACTOR * sum_x * sum_x;
    patch->a12 += xy - MEAN_FACTOR * sum_x * sum_y;
    patch->a22 += yy - MEAN_FACTOR * sum_y * sum_y;
}

static Patch patch_of(const VfiFlowPictures *p, int row, int column)
{
    Patch patch = {.x = vfi_flow_patch_begin(column, p->w),
                   .y = vfi_flow_patch_begin(row, p->h)};

    for (int channel = 0; channel < p->n_channels; channel++)
        find_gradients(p, channel, &patch);
    return patch;
}

static void try_vector(const VfiFlowPictures *p, const Patch *patch, float x, float y,
                       VfiFlowVector *best)
{
    if (!vfi_flow_differs(best, x, y))
        return;
    Match match = match_patch(p, patch, x, y);
    if (match.cost < best->cost)
        *best = (VfiFlowVector){x, y, match.cost, false};
}

/* From @best downhill while the cost falls. */
static void descend(const VfiFlowPictures *p, const Patch *patch, VfiFlowVector *best)
{
    float det = patch->a11 * patch->a22 - patch->a12 * patch->a12;
    float begin_x = best->x, begin_y = best->y, x = begin_x, y = begin_y;

    best->is_settled = true;
    if (!(det >= VFI_FLOW_LEAST_TEXTURE))
        return;
    best->cost = INFINITY;
    for (int step = 0;; step++) {
        Match match = match_patch(p, patch, x, y);
        if (!(match.cost < best->cost))
            return;
        *best = (VfiFlowVector){x, y, match.cost, step < VFI_FLOW_STEPS};
        if (step == VFI_FLOW_STEPS)
            return;
        float dx = (patch->a22 * match.x - patch->a12 * match.y) / det;
        float dy = (patch->a11 * match.y - patch->a12 * match.x) / det;
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

static void begin_row(const VfiFlowPatchField *field, int row)
{
    for (int i = 0; i < field->columns; i++) {
        Patch patch = patch_of(&field->pictures, row, i);
        VfiFlowVector first = vfi_flow_first_vector(field, row, i);
        first.cost = match_patch(&field->pictures, &patch, first.x, first.y).cost;
        vfi_flow_store_vector(field, row, i, &first);
    }
}

static void sweep(const VfiFlowPatchField *field, int row, int begin, int end,
                  bool reverse)
{
    const VfiFlowPictures *p = &field->pictures;

    for (int k = begin; k < end; k++) {
        int i = reverse ? field->columns - 1 - k : k;
        Patch patch = patch_of(p, row, i);
        VfiFlowVector best = vfi_flow_load_vector(field, row, i);
        VfiFlowCandidates candidates;
        vfi_flow_list_candidates(field, row, i, reverse, &candidates);
        for (int c = 0; c < candidates.n; c++)
            try_vector(p, &patch, candidates.x[c], candidates.y[c], &best);
        if (vfi_flow_look_up(field, &best, patch.x, patch.y, &candidates))
            try_vector(p, &patch, candidates.x[0], candidates.y[0], &best);
        if (!best.is_settled)
            descend(p, &patch, &best);
        vfi_flow_store_vector(field, row, i, &best);
    }
}

/* ---- dense flow -------------------------------------------------------------------- */

static void densify(const VfiFlowPatchField *field, int y, float *flow_x, float *flow_y)
{
    const VfiFlowPictures *p = &field->pictures;
    const float *from = p->from[0] + (size_t)y * p->row;
    int first_row, last_row = vfi_flow_covering(y, p->h, field->rows, &first_row);

    for (int x = 0; x < p->w; x++) {
        int first, end = vfi_flow_covering(x, p->w, field->columns, &first);
        float weight = 0, sum_x = 0, sum_y = 0;
        for (int j = first_row; j < last_row; j++)
            for (int i = first; i < end; i++) {
                size_t at = (size_t)j * field->patch_row + (size_t)i;
                int left = vfi_flow_patch_begin(i, p->w);
                int top = vfi_flow_patch_begin(j, p->h);
                Place place = patch_place(p, 0, left, top, field->x[at], field->y[at]);
                const float *to = place.at + (size_t)(y - top) * p->row + (x - left);
                float d = fabsf(between(to, p->row, place.x, place.y) - from[x]);
                float w = field->cost[at] / (d > 1.0f ? d : 1.0f);
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

void vfi_cpu_flow_kernels_fill_c(VfiFlowKernels *kernels)
{
    fill_flow_c(kernels);
    kernels->begin = begin_row;
    kernels->sweep = sweep;
    kernels->densify = densify;
    kernels->splat = splat;
}
