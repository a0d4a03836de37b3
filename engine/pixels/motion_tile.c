/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/motion_tile.h"

#include <math.h>

#include "pixels/flow_field.h"
#include "pixels/luma_difference.h"
#include "pixels/motion_field.h"
#include "pixels/motion_same.h"
#include "pixels/vectors.h"

/* Cells around a tile that the box reaches, and columns of scratch. */
#define REACH (VFI_MOTION_MAX_RADIUS + 1)
#define SCRATCH_COLUMNS (VFI_TILE_COLUMNS + 2 * REACH + 6) /* vectors may be cut */
#define SCRATCH_ROWS (VFI_TILE_ROWS + 2 * REACH)

/* Is added to differences, and stands for those that say nothing. */
#define SOFTENING 4.0f

/* Differences of one hypothesis on a tile and around it. */
typedef float Differences[SCRATCH_ROWS][SCRATCH_COLUMNS];

/* A rectangle of the cells that weights are found at. */
typedef struct {
    int x, y, x_end, y_end;
} Cells;

/* Of such cells there are so many for @size of the grid. */
static int spaced(const VfiMotion *motion, int size)
{
    return (size + motion->spacing - 1) / motion->spacing;
}

static Cells grow(const VfiMotion *motion, Cells cells, int by)
{
    const int width = spaced(motion, motion->grid_w);
    const int height = spaced(motion, motion->grid_h);

    cells.x = cells.x > by ? cells.x - by : 0;
    cells.y = cells.y > by ? cells.y - by : 0;
    cells.x_end = cells.x_end + by < width ? cells.x_end + by : width;
    cells.y_end = cells.y_end + by < height ? cells.y_end + by : height;
    return cells;
}

/* What a tile's hypotheses are weighed by. */
typedef struct {
    VfiMotionTile *tile;
    Cells inside; /* cells of the grid that the tile has */
    Cells around; /* and those that boxes reach from there */
    Differences plain, first;
} Weighing;

/* Of the cells of row @y of the grid that are inside. */
static float *weights_of(const Weighing *work, int hypothesis, int y)
{
    return work->tile->weight[hypothesis][y - work->tile->y] +
           (work->inside.x - work->tile->x);
}

/* A hypothesis's vectors on a row, and the first one's. */
typedef struct {
    const float *vector[2], *first[2]; /* x, y */
} Vectors;

/* Where vectors lie that do not lie in the field as they are wanted. */
typedef float Room[4][VFI_MOTION_ROOM];

static Vectors load_vectors(const VfiMotion *motion, int hypothesis, int x, int y, int n,
                            Room room)
{
    const VfiMotionField field = vfi_motion_field(motion, hypothesis);
    const VfiMotionField first = vfi_motion_field(motion, 0);
    Vectors vectors;

    for (int axis = 0; axis < 2; axis++) {
        vectors.vector[axis] =
            vfi_motion_spaced_cells(motion, &field, axis, x, y, n, room[axis]);
        vectors.first[axis] = vectors.vector[axis];
        if (hypothesis != 0)
            vectors.first[axis] =
                vfi_motion_spaced_cells(motion, &first, axis, x, y, n, room[2 + axis]);
    }
    return vectors;
}

/* The differences of a hypothesis, of which those of the plain blend are there, and the
 * first one's unless it is that. Whether any cell may count as one of them. */
static bool find_differences(const Weighing *work, int hypothesis, Differences out)
{
    const VfiMotion *motion = work->tile->motion;
    const Cells *around = &work->around;
    const int n = around->x_end - around->x;
    Room room;
    bool any = false;

    for (int y = around->y; y < around->y_end; y++) {
        const int row = y - around->y;
        const Vectors vectors = load_vectors(motion, hypothesis, around->x, y, n, room);
        const VfiLumaCells cells = {.x = around->x,
                                    .y = y,
                                    .n = n,
                                    .vector = {vectors.vector[0], vectors.vector[1]},
                                    .first_vector = {vectors.first[0], vectors.first[1]},
                                    .first = hypothesis == 0 ? NULL : work->first[row],
                                    .plain = work->plain[row]};
        any |= vfi_luma_differences(motion, &cells, out[row]);
    }
    return any;
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

/* The differences of a network's hypothesis. */
static void find_network_differences(const Weighing *work, const VfiVideoInfo *info,
                                     Differences out)
{
    const VfiMotion *motion = work->tile->motion;
    const Cells *around = &work->around;
    const int n = around->x_end - around->x, spacing = motion->spacing;
    float field[5][2 * SCRATCH_COLUMNS];
    const float *const vector[2][2] = {{field[0], field[1]}, {field[2], field[3]}};

    for (int y = around->y; y < around->y_end; y++) {
        float *row = out[y - around->y];
        for (int plane = 0; plane < 5; plane++) {
            vfi_field_cells(info, motion->network, plane, motion->level,
                            around->x * spacing, y * spacing, (n - 1) * spacing + 1,
                            field[plane]);
            for (int i = 1; i < n; i++)
                field[plane][i] = field[plane][(ptrdiff_t)i * spacing];
            for (int i = n; i % 16 != 0; i++)
                field[plane][i] = 0.0f; /* the last vectors' rest */
        }
        vfi_luma_differences_apart(motion, around->x, y, n, vector, row);
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
    const int width = spaced(motion, motion->grid_w);
    const int end = last < width ? last : width;

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
    const int height = spaced(motion, motion->grid_h), taps = 2 * motion->radius + 1;
    const float mean = 1.0f / (float)(taps * taps);
    const float *row[2 * VFI_MOTION_MAX_RADIUS + 1] = {NULL};

    for (int k = 0; k < taps; k++)
        row[k] = sums[vfi_clamp_cell(y - motion->radius + k, height) - sums_y];
    for (int i = 0; i < n; i += VFI_LANES) {
        Vector sum = v_load(row[0] + i);
        for (int k = 1; k < taps; k++)
            sum = v_add(sum, v_load(row[k] + i));
        const Vector e = v_fma(sum, v_set1(mean), v_set1(SOFTENING));
        v_store(out + i, v_div(v_set1(factor), v_mul(e, e)));
    }
}

/* Adds the weights of cells that count as another hypothesis to those of that. */
static void hand_over(const Weighing *work, int hypothesis, int y, float *weight)
{
    const VfiMotion *motion = work->tile->motion;
    const int n = work->inside.x_end - work->inside.x;
    float to_first[SCRATCH_COLUMNS], to_plain[SCRATCH_COLUMNS];
    float *plain = weights_of(work, vfi_motion_hypotheses(motion), y);
    Room room;
    const Vectors vectors = load_vectors(motion, hypothesis, work->inside.x, y, n, room);

    for (int i = 0; i < n; i += VFI_LANES) {
        const VfiMotionSame same = vfi_motion_same(
            vectors.vector[0] + i, vectors.vector[1] + i,
            hypothesis == 0 ? NULL : vectors.first[0] + i, vectors.first[1] + i);
        const Vector own = v_load(weight + i), none = v_set1(0.0f);
        const Vector rest = v_pick(same.first, none, own);
        v_store(to_first + i, v_sub(own, rest));
        v_store(to_plain + i, v_pick(same.still, rest, none));
        v_store(weight + i, v_pick(same.still, none, rest));
    }
    for (int i = 0; i < n; i++)
        plain[i] += to_plain[i];
    if (hypothesis == 0)
        return;
    float *first = weights_of(work, 0, y);
    for (int i = 0; i < n; i++)
        first[i] += to_first[i];
}

static float factor_of(const VfiMotion *motion, int hypothesis)
{
    if (hypothesis == vfi_motion_network(motion))
        return VFI_MOTION_NETWORK_SHARE;
    return hypothesis < vfi_motion_hypotheses(motion) ? 1.0f : motion->prior;
}

/* The weights of a hypothesis by its differences, which @scratch may be. @gives: cells
 * may count as another. */
static void weigh(const Weighing *work, int hypothesis, bool gives,
                  Differences differences, Differences scratch)
{
    const VfiMotion *motion = work->tile->motion;
    const Cells *inside = &work->inside, *around = &work->around;
    const int n = inside->x_end - inside->x;
    float weight[SCRATCH_COLUMNS];

    for (int y = around->y; y < around->y_end; y++)
        sum_columns(motion, differences[y - around->y], around->x, inside->x, n,
                    scratch[y - around->y]);
    for (int y = inside->y; y < inside->y_end; y++) {
        weigh_row(motion, scratch, around->y, y, n, factor_of(motion, hypothesis),
                  weight);
        if (gives)
            hand_over(work, hypothesis, y, weight);
        memcpy(weights_of(work, hypothesis, y), weight, (size_t)n * sizeof *weight);
    }
}

/* What others counted as the first hypothesis is its own by then. */
static void hand_over_first(const Weighing *work)
{
    const size_t bytes = (size_t)(work->inside.x_end - work->inside.x) * sizeof(float);
    float weight[SCRATCH_COLUMNS];

    for (int y = work->inside.y; y < work->inside.y_end; y++) {
        memcpy(weight, weights_of(work, 0, y), bytes);
        hand_over(work, 0, y, weight);
        memcpy(weights_of(work, 0, y), weight, bytes);
    }
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

void vfi_motion_weigh(const VfiVideoInfo *info, const VfiMotion *motion, int x, int y,
                      int x_end, int y_end, VfiMotionTile *tile)
{
    const int n = vfi_motion_hypotheses(motion);
    const int cell = motion->spacing << motion->level; /* luma samples */
    const Cells own = {x / cell, y / cell, (x_end - 1) / cell + 1,
                       (y_end - 1) / cell + 1};
    Weighing work;
    Differences scratch;

    work.tile = tile;
    work.inside = grow(motion, own, 1);
    work.around = grow(motion, work.inside, motion->radius);
    tile->motion = motion;
    tile->x = own.x - 1;
    tile->y = own.y - 1;
    tile->columns = own.x_end + 1 - tile->x;
    tile->rows = own.y_end + 1 - tile->y;

    for (int row = 0; row < work.around.y_end - work.around.y; row++)
        vfi_plain_differences(motion, work.around.x, work.around.y + row,
                              work.around.x_end - work.around.x, work.plain[row]);
    weigh(&work, n, false, work.plain, scratch);
    const bool first_gives = find_differences(&work, 0, work.first);
    weigh(&work, 0, false, work.first, scratch);
    for (int h = 1; h < n; h++) {
        const bool gives = find_differences(&work, h, scratch);
        weigh(&work, h, gives, scratch, scratch);
    }
    if (first_gives)
        hand_over_first(&work);
    if (motion->network != NULL) {
        find_network_differences(&work, info, scratch);
        weigh(&work, vfi_motion_network(motion), false, scratch, scratch);
        repeat_edges(tile, vfi_motion_network(motion), work.inside);
    }
    for (int h = 0; h <= n; h++)
        repeat_edges(tile, h, work.inside);
}
