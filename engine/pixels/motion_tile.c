/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/motion_tile.h"

#include <math.h>

#include "pixels/flow_field.h"
#include "pixels/luma_difference.h"
#include "pixels/motion_field.h"
#include "pixels/vectors.h"

/* Cells around a tile that the box reaches, and columns of scratch. */
#define REACH (VFI_MOTION_MAX_RADIUS + 1)
#define SCRATCH_COLUMNS (VFI_TILE_COLUMNS + 2 * REACH + 6) /* vectors may be cut */
#define SCRATCH_ROWS (VFI_TILE_ROWS + 2 * REACH)

/* Is added to differences, and stands for those that say nothing. */
#define SOFTENING 4.0f

/* Differences of one hypothesis on a tile and around it. */
typedef float Differences[SCRATCH_ROWS][SCRATCH_COLUMNS];

/* A rectangle of cells of the grid. */
typedef struct {
    int x, y, x_end, y_end;
} Cells;

static Cells grow(const VfiMotion *motion, Cells cells, int by)
{
    cells.x = cells.x > by ? cells.x - by : 0;
    cells.y = cells.y > by ? cells.y - by : 0;
    cells.x_end += by;
    cells.y_end += by;
    cells.x_end = cells.x_end < motion->grid_w ? cells.x_end : motion->grid_w;
    cells.y_end = cells.y_end < motion->grid_h ? cells.y_end : motion->grid_h;
    return cells;
}

static void differences(const VfiMotion *motion, int hypothesis, Cells cells,
                        Differences out)
{
    float x[VFI_MOTION_ROOM], y[VFI_MOTION_ROOM];
    const int n = cells.x_end - cells.x;

    for (int line = cells.y; line < cells.y_end; line++) {
        float *row = out[line - cells.y];
        if (hypothesis == vfi_motion_hypotheses(motion)) {
            vfi_luma_differences(motion, cells.x, line, n, NULL, NULL, row);
            continue;
        }
        const VfiMotionField field = vfi_motion_field(motion, hypothesis);
        vfi_luma_differences(motion, cells.x, line, n,
                             vfi_motion_cells(motion, &field, 0, cells.x, line, n, x),
                             vfi_motion_cells(motion, &field, 1, cells.x, line, n, y),
                             row);
    }
}

/* Of what a network finds: less the more it shows one frame alone. */
static void soften(const float *restrict mask, int n, float *restrict difference)
{
    for (int i = 0; i < n; i++) {
        const float part = vfi_clamp(mask[i], 1.0f);
        const float both = 2.0f * sqrtf(part * (1.0f - part));
        difference[i] = SOFTENING + (difference[i] - SOFTENING) * both;
    }
}

static void network_differences(const VfiVideoInfo *info, const VfiMotion *motion,
                                Cells cells, Differences out)
{
    float field[5][SCRATCH_COLUMNS];
    const float *const vector[2][2] = {{field[0], field[1]}, {field[2], field[3]}};
    const int n = cells.x_end - cells.x;

    for (int line = cells.y; line < cells.y_end; line++) {
        float *row = out[line - cells.y];
        for (int plane = 0; plane < 5; plane++)
            vfi_field_cells(info, motion->network, plane, motion->level, cells.x, line, n,
                            field[plane]);
        for (int plane = 0; plane < 4; plane++)
            for (int i = n; i % 8 != 0; i++)
                field[plane][i] = 0.0f; /* the last vectors' rest */
        vfi_luma_differences_apart(motion, cells.x, line, n, vector, row);
        soften(field[4], n, row);
    }
}

/* out = sums of in over 2 radius + 1 columns around @n cells from @x on; in[0] is cell
 * @in_x. The cells beyond the grid are its edge. */
static void sum_columns(const VfiMotion *motion, const float *in, int in_x, int x, int n,
                        float *out)
{
    float padded[SCRATCH_COLUMNS + 2 * VFI_MOTION_MAX_RADIUS];
    const int taps = 2 * motion->radius + 1;
    const int first = x - motion->radius, last = first + n + taps - 1;
    const int begin = first < 0 ? 0 : first;
    const int end = last < motion->grid_w ? last : motion->grid_w;

    memcpy(padded + (begin - first), in + (begin - in_x),
           (size_t)(end - begin) * sizeof *in);
    for (int i = first; i < begin; i++)
        padded[i - first] = in[begin - in_x];
    for (int i = end; i < last; i++)
        padded[i - first] = in[end - 1 - in_x];
    for (int i = 0; i < n; i += VFI_LANES) {
        Vector sum = v_load(padded + i);
        for (int k = 1; k < taps; k++)
            sum = v_add(sum, v_load(padded + i + k));
        v_store(out + i, sum);
    }
}

/* out = weights of @n cells of row @y, from the sums of the rows around it. */
static void weigh_row(const VfiMotion *motion, Differences sums, int sums_y, int y, int n,
                      float factor, float *out)
{
    const int taps = 2 * motion->radius + 1;
    const float mean = 1.0f / (float)(taps * taps);
    const float *row[2 * VFI_MOTION_MAX_RADIUS + 1];
    float weight[SCRATCH_COLUMNS];

    for (int k = 0; k < taps; k++)
        row[k] = sums[vfi_clamp_cell(y - motion->radius + k, motion->grid_h) - sums_y];
    for (int i = 0; i < n; i += VFI_LANES) {
        Vector sum = v_load(row[0] + i);
        for (int k = 1; k < taps; k++)
            sum = v_add(sum, v_load(row[k] + i));
        const Vector e = v_fma(sum, v_set1(mean), v_set1(SOFTENING));
        v_store(weight + i, v_div(v_set1(factor), v_mul(e, e)));
    }
    memcpy(out, weight, (size_t)n * sizeof *out);
}

/* Repeats the edges of the cells that are in the grid around them. */
static void repeat_edges(VfiMotionTile *tile, int hypothesis, Cells inside)
{
    const int left = inside.x - tile->x, right = inside.x_end - 1 - tile->x;
    const int top = inside.y - tile->y, bottom = inside.y_end - 1 - tile->y;

    for (int y = top; y <= bottom; y++) {
        float *row = tile->weight[hypothesis][y];
        for (int i = 0; i < left; i++)
            row[i] = row[left];
        for (int i = right + 1; i < tile->columns; i++)
            row[i] = row[right];
    }
    for (int y = 0; y < tile->rows; y++)
        if (y < top || y > bottom)
            memcpy(tile->weight[hypothesis][y],
                   tile->weight[hypothesis][y < top ? top : bottom],
                   sizeof tile->weight[0][0]);
}

static float factor_of(const VfiMotion *motion, int hypothesis)
{
    if (hypothesis == vfi_motion_network(motion))
        return VFI_MOTION_NETWORK_SHARE;
    return hypothesis < vfi_motion_hypotheses(motion) ? 1.0f : motion->prior;
}

static void weigh(const VfiVideoInfo *info, VfiMotionTile *tile, int hypothesis,
                  Cells inside)
{
    const VfiMotion *motion = tile->motion;
    const float factor = factor_of(motion, hypothesis);
    const Cells around = grow(motion, inside, motion->radius);
    const int n = inside.x_end - inside.x;
    Differences scratch;

    if (hypothesis == vfi_motion_network(motion))
        network_differences(info, motion, around, scratch);
    else
        differences(motion, hypothesis, around, scratch);
    for (int y = around.y; y < around.y_end; y++)
        sum_columns(motion, scratch[y - around.y], around.x, inside.x, n,
                    scratch[y - around.y]);
    for (int y = inside.y; y < inside.y_end; y++)
        weigh_row(motion, scratch, around.y, y, n, factor,
                  tile->weight[hypothesis][y - tile->y] + (inside.x - tile->x));
    repeat_edges(tile, hypothesis, inside);
}

void vfi_motion_weigh(const VfiVideoInfo *info, const VfiMotion *motion, int x, int y,
                      int x_end, int y_end, VfiMotionTile *tile)
{
    const int level = motion->level;
    const Cells own = {x >> level, y >> level, ((x_end - 1) >> level) + 1,
                       ((y_end - 1) >> level) + 1};
    const Cells inside = grow(motion, own, 1);

    tile->motion = motion;
    tile->x = own.x - 1;
    tile->y = own.y - 1;
    tile->columns = own.x_end + 1 - tile->x;
    tile->rows = own.y_end + 1 - tile->y;
    for (int n = 0; n <= vfi_motion_hypotheses(motion); n++)
        weigh(info, tile, n, inside);
    if (motion->network != NULL)
        weigh(info, tile, vfi_motion_network(motion), inside);
}
